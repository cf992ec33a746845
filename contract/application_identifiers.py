"""GS1 Application Identifiers on tags (GS1 Tag Data Standard 2.1, section 15.3 and table F)."""

from collections.abc import Iterator
from typing import Final

from contract.ai_components import (
    BIT,
    COUNTRY,
    DATES,
    MINUS,
    MINUTE,
    MOMENT,
    SEQUENCE,
    Component,
    Date,
    Delimited,
    Digits,
    Number,
    Text,
    fixed,
)  # fmt: skip
from contract.epc_bits import Bits
from contract.errors import BadEpc
from contract.gs1 import PART

_MEASURES: Final = " ".join(
    f"{hundred}0-{hundred}5" for hundred in (*range(310, 317), *range(320, 338), *range(340, 358), *range(360, 370))
)
"""Trade and logistic measures: weights, lengths, areas, volumes; the last digit places the decimal point."""
_TABLE_F: Final[tuple[tuple[str, tuple[Component, ...]], ...]] = (
    ("00 8006 8017 8018 8026", (Digits(18),)),
    ("01 02", (Digits(14),)),
    ("410-417", (Digits(13),)),
    ("7241", (Digits(2),)),
    ("253", (Digits(13), Text(17, 5))),
    ("255", (Digits(13), Number(12, 4))),
    ("8003", (Digits(14), Text(16, 5))),
    ("8004", (Delimited(30),)),
    ("8010", (Delimited(30, PART),)),
    ("7023", (Delimited(30),)),
    ("427 7008", (Text(3, 2),)),
    ("7010", (Text(2, 2),)),
    ("7040 7041", (Text(4, 3),)),
    ("7009 7255", (Text(10, 4),)),
    ("7005", (Text(12, 4),)),
    ("10 21 22 243 254 420 4318 7020-7022 710-716 7240 8002 8012", (Text(20, 5),)),
    ("8007", (Text(24, 5),)),
    ("7242 8013 8020", (Text(25, 5),)),
    ("235", (Text(28, 5),)),
    ("240 241 250 251 400 401 403 4308 4319 7002 7230-7239 90", (Text(30, 5),)),
    ("7254", (Text(30, 6),)),
    ("4300 4301 4310 4311 4320", (Text(35, 6),)),
    ("7253 7259", (Text(40, 6),)),
    ("8009", (Text(50, 6),)),
    ("4302-4306 4312-4316 7257 8110 8112 8200", (Text(70, 7),)),
    ("7256 8030 91-99", (Text(90, 7),)),
    ("242", (Number(6, 3),)),
    ("7004", (Number(4, 3),)),
    ("30 37", (Number(8, 4),)),
    ("8019", (Number(10, 4),)),
    ("8011", (Number(12, 4),)),
    ("3900-3909 3920-3929 423 425", (Number(15, 4),)),
    ("3910-3919 3930-3939", (fixed(3), Number(15, 4))),
    ("421", (fixed(3), Text(9, 4))),
    ("7030-7039", (fixed(3), Text(27, 5))),
    ("7252", (fixed(1),)),
    ("20", (fixed(2),)),
    ("422 424 426", (fixed(3),)),
    ("3940-3943 8111", (fixed(4),)),
    (f"{_MEASURES} 3950-3953 8005", (fixed(6),)),
    ("7250", (fixed(8),)),
    ("7251", (fixed(12),)),
    ("7001", (fixed(13),)),
    ("8001", (fixed(14),)),
    ("402", (fixed(17),)),
    ("4309", (fixed(20),)),
    ("4330-4333", (fixed(6), MINUS)),
    ("11-13 15-17 4326 7006", (Date(),)),
    ("4324 4325 7003", (MINUTE,)),
    ("7007", (DATES,)),
    ("7011 8008", (MOMENT,)),
    ("4307 4317", (COUNTRY,)),
    ("4321-4323", (BIT,)),
    ("7258", (SEQUENCE,)),
)  # fmt: skip


def _named(ais: str) -> Iterator[str]:
    for item in ais.split():
        first, _, last = item.partition("-")
        for number in range(int(first), int(last or first) + 1):
            yield f"{number:0{len(first)}d}"


FORMATS: Final[dict[str, tuple[Component, ...]]] = {
    ai: components for ais, components in _TABLE_F for ai in _named(ais)
}
"""The components of each Application Identifier's value."""


def read_value(ai: str, bits: Bits) -> str:
    """The value of an Application Identifier of `FORMATS`; raises `BadEpc`."""
    value = "".join([component.read(bits) for component in FORMATS[ai]])
    if not value:
        raise BadEpc(f"({ai}) is empty")
    return value


def read_ai(bits: Bits) -> str:
    """The Application Identifier that stands next, 4 bits a digit (section 15.3); raises `BadEpc` for others."""
    ai = f"{bits.take(8):02x}"
    while ai not in FORMATS:
        if len(ai) == 4:
            raise BadEpc(f"({ai}) is no Application Identifier that we know")
        ai += f"{bits.take(4):x}"
    return ai
