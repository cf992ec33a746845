"""Words of a request body that must mean something at this site.

They are checked by the models themselves, so that what is malformed and what is unknown are told together, each in its
place. The models are validated with `Surroundings` as their context.
"""

from collections.abc import Callable
from typing import Annotated, NamedTuple

from pydantic import AfterValidator, Field, ValidationInfo
from pydantic_core import PydanticCustomError

from gateway.documents.itemmaster import ItemMaster

STRANGE = "strange"
"""Type of the errors whose text says everything."""

LINE = r"^[^\x00-\x1f\x7f]+$"
HEX = r"^([0-9a-fA-F]{2})+$"
PATH_PART = r"^\w([\w .:+-]*\w)?$"
SLUG = r"^[a-z0-9-]{1,40}$"
MEANING = {
    SLUG: "a name of a-z, 0-9 and -, at most 40 characters",
    LINE: "one line of text",
    HEX: "an EPC in hexadecimal",
    PATH_PART: "letters, digits, spaces and _ . : + -, with a letter or digit at both ends",
}
"""What the patterns ask for, in words."""

Words = Annotated[str, Field(min_length=1, max_length=100, pattern=LINE)]
"""One line for people."""
ShipmentId = Annotated[str, Field(min_length=1, max_length=100, pattern=PATH_PART)]
"""It stands in paths."""
Epc = Annotated[
    str,
    Field(min_length=2, max_length=124, pattern=HEX, examples=["30364433400d1ec000000001"]),
    AfterValidator(str.lower),
]
"""EPC memory bank in hexadecimal, in either case."""


class Surroundings(NamedTuple):
    """What a body is checked against: the site, and the tags that it has named so far."""

    master: ItemMaster
    epcs: set[str]


def strange(text: str) -> PydanticCustomError:
    """The error of a value that is well-formed and yet makes no sense here."""
    return PydanticCustomError(STRANGE, "{text}", {"text": text})


def known(trouble: Callable[[ItemMaster, str], str | None]) -> AfterValidator:
    """A check by the item master, which says what is wrong or None."""

    def check(value: str, info: ValidationInfo) -> str:
        text = trouble(_surroundings(info).master, value)
        if text is not None:
            raise strange(text)
        return value

    return AfterValidator(check)


def _once(epc: str, info: ValidationInfo) -> str:
    epcs = _surroundings(info).epcs
    if epc in epcs:
        raise strange(f"{epc} stands here twice")
    epcs.add(epc)
    return epc


Once = AfterValidator(_once)
"""A tag stands in one body, or one shipment, once."""


def _surroundings(info: ValidationInfo) -> Surroundings:
    assert isinstance(info.context, Surroundings), "validated without its surroundings"
    return info.context
