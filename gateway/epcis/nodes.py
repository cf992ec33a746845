"""A partner's EPCIS document before it is checked: JSON whose every value knows its place (EPCIS 2.0, JSON binding).

JSON-LD is not expanded and no context is fetched: a document must use the EPCIS context, whose terms no other context
may give another meaning (they are `@protected`).
"""

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

import pydantic_core

from gateway.errors import BadBody, BodyMistake

_CONTEXT: Final = re.compile(r"https?://(ref\.gs1\.org/standards|gs1\.github\.io)/(epcis|EPCIS)/[^?#]*\.jsonld")


class Node(NamedTuple):
    """A value of the document, and the path to it."""

    value: object
    path: str

    def get(self, key: str) -> "Node | None":
        """What stands under a key, if this is an object and has it."""
        if isinstance(self.value, dict) and self.value.get(key) is not None:
            return Node(self.value[key], f"{self.path}.{key}".removeprefix("."))
        return None

    def mistake(self, text: str) -> BodyMistake:
        """A mistake that stands here."""
        return BodyMistake(self.path or "body", text)


class Reader:
    """Takes values out of nodes, and gathers what is wrong with them."""

    def __init__(self) -> None:
        self._mistakes: dict[BodyMistake, None] = {}

    @property
    def mistakes(self) -> list[BodyMistake]:
        """What was wrong so far, each once: a value may be taken more than once."""
        return list(self._mistakes)

    def wrong(self, node: Node, text: str) -> None:
        """Note a mistake."""
        self._mistakes[node.mistake(text)] = None

    def each(self, node: Node, key: str) -> Iterator[Node]:
        """The elements of a list under a key; none where there is no list."""
        held = node.get(key)
        if held is None:
            return
        if not isinstance(held.value, list):
            self.wrong(held, "expected a list")
            return
        for i, one in enumerate(held.value):
            yield Node(one, f"{held.path}[{i}]")

    def text(self, node: Node, key: str) -> Node | None:
        """A text under a key."""
        held = node.get(key)
        if held is not None and not isinstance(held.value, str):
            self.wrong(held, "expected a text")
            return None
        return held

    def word(self, node: Node, key: str) -> str | None:
        """A word of the Core Business Vocabulary under a key, bare, however it is written: `shipping`,
        `urn:epcglobal:cbv:bizstep:shipping`, `https://ref.gs1.org/cbv/BizStep-shipping`, `cbv:BizStep-shipping`."""
        held = self.text(node, key)
        if held is None:
            return None
        said = str(held.value)
        web = re.fullmatch(r"(?:https?://(?:ref|ns)\.gs1\.org/cbv/|cbv:)[A-Za-z]+-(.+)", said)
        urn = re.fullmatch(r"urn:epcglobal:cbv:(?:bizstep|btt|sdt|disp):(.+)", said)
        return web[1] if web else urn[1] if urn else said


def kind(event: Node) -> object:
    """The type of an event."""
    said = event.get("type") or event.get("@type")
    return said.value if said else None


def read(data: bytes, reader: Reader) -> tuple[Node, list[Node]]:
    """The document and its events; raises `BadBody` for what is no EPCIS 2.0 document in JSON-LD."""
    if data.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
        raise BadBody([BodyMistake("body", "this is XML: expected an EPCIS 2.0 document in JSON-LD")])
    try:
        value: object = pydantic_core.from_json(data.removeprefix(b"\xef\xbb\xbf"), allow_inf_nan=False)
    except ValueError as error:
        raise BadBody([BodyMistake("body", f"not JSON: {error}")]) from error
    document = Node(value, "")
    _check(document, reader)
    body = document.get("epcisBody") or Node({}, "epcisBody")
    if not isinstance(body.value, dict) or body.get("eventList") is None:
        reader.wrong(body, "expected an object with an eventList")
    events = list(reader.each(body, "eventList"))
    for event in events:
        if not isinstance(event.value, dict):
            reader.wrong(event, "expected an event, which is an object")
    if reader.mistakes:
        raise BadBody(reader.mistakes)
    return document, events


def _check(document: Node, reader: Reader) -> None:
    if kind(document) not in ("EPCISDocument", "epcis:EPCISDocument"):
        at = document.get("type") or document
        raise BadBody([at.mistake(f"expected the type 'EPCISDocument', not {kind(document) or 'nothing'!r}"[:200])])
    version = document.get("schemaVersion")
    if version is None or not str(version.value).startswith("2"):
        said = "nothing" if version is None else repr(version.value)[:100]
        reader.wrong(version or document, f"expected schemaVersion 2.0, not {said}")
    context = document.get("@context")
    held = context.value if context is not None else None
    contexts = held if isinstance(held, list) else [held]
    if not any(isinstance(one, str) and _CONTEXT.fullmatch(one) for one in contexts):
        text = "expected the EPCIS context https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld"
        reader.wrong(context or document, text)
