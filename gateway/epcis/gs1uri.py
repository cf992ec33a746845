"""GS1 keys as URIs: EPC URIs, EPC class URIs and GS1 Digital Links, to Application Identifiers and back.

EPC URIs: GS1 Tag Data Standard 1.13, section 6. Digital Link: GS1 Digital Link URI Syntax 1.2, section 4.11 (canonical
form) with the constraint of CBV 2.0, section 8.9.2 (rule 18): only the finest key, at https://id.gs1.org.
"""

import re
from collections.abc import Callable
from typing import Final, NamedTuple
from urllib.parse import quote, unquote

from contract.epc_identity import Elements
from contract.errors import BadEpc
from contract.gs1 import check_digit, checked

DIGITAL_LINK: Final = "https://id.gs1.org/"
_UNESCAPED: Final = "'-._;="
"""Beside letters and digits: characters of the GS1 sets that stand for themselves in a Digital Link."""


class Key(NamedTuple):
    """A GS1 key, and how many digits of it are the company prefix, which only an EPC URI says."""

    elements: Elements
    prefix_digits: int | None

    def get(self, ai: str) -> str | None:
        """The value of an Application Identifier."""
        return dict(self.elements).get(ai)


def digital_link(elements: Elements) -> str:
    """The canonical Digital Link of a key."""
    return DIGITAL_LINK + "/".join(f"{ai}/{quote(value, safe=_UNESCAPED)}" for ai, value in elements)


def canonical(uri: str) -> str:
    """The canonical Digital Link of what a URI names (CBV 2.0 section 8.9.2, rules 17 and 18); else the URI itself."""
    try:
        return digital_link(parse(uri).elements)
    except BadEpc:
        return uri


def parse(uri: str) -> Key:
    """The key that a URI names; raises `BadEpc` for what is no GS1 key, or a wrong one."""
    for start, schemes in _URNS.items():
        if uri.startswith(start):
            scheme, _, rest = uri[len(start) :].partition(":")
            if scheme not in schemes:
                break
            return _from_urn(uri, schemes[scheme], rest)
    if uri.startswith(("https://", "http://")):
        return _from_link(uri)
    raise BadEpc(f"{uri[:200]!r} is no EPC URI and no GS1 Digital Link")


class _Scheme(NamedTuple):
    """One kind of EPC URI: `digits` of company prefix and reference together (None: any text), then `more` fields."""

    digits: int | None
    more: int
    elements: Callable[[str, str, str], Elements]


def _from_urn(uri: str, scheme: _Scheme, rest: str) -> Key:
    company, *fields = rest.split(".", 1 + scheme.more)
    right = len(fields) == 1 + scheme.more and re.fullmatch(r"[0-9]{6,12}", company)
    reference = fields[0] if fields else ""
    if scheme.digits is not None:
        right = right and re.fullmatch(f"[0-9]{{{max(scheme.digits - len(company), 0)}}}", reference)
    if not right:
        raise BadEpc(f"{uri[:200]!r} is malformed")
    return Key(scheme.elements(company, unquote(reference), unquote(".".join(fields[1:]))), len(company))


def _with_check(digits: str) -> str:
    return digits + check_digit(digits)


def _gtin(company: str, reference: str) -> str:
    return _with_check(reference[0] + company + reference[1:])


def _sgtin(company: str, reference: str, serial: str) -> Elements:
    return ("01", _gtin(company, reference)), ("21", serial)


def _any_of(company: str, reference: str, serial: str) -> Elements:
    if serial != "*":
        raise BadEpc(f"a pattern is of all serials (*), not of {serial!r}")
    return (("01", _gtin(company, reference)),)


def _sgln(company: str, reference: str, extension: str) -> Elements:
    location = ("414", _with_check(company + reference))
    return (location,) if extension == "0" else (location, ("254", extension))


def _itip(company: str, reference: str, rest: str) -> Elements:
    piece, total, serial = [*rest.split(".", 2), "", ""][:3]
    return ("8006", _gtin(company, reference) + piece + total), ("21", serial)


def _one_key(ai: str, lead: str = "") -> Callable[[str, str, str], Elements]:
    return lambda company, reference, serial: ((ai, lead + _with_check(company + reference) + serial),)


_ID: Final = {
    "sgtin": _Scheme(13, 1, _sgtin),
    "sscc": _Scheme(17, 0, lambda company, ref, _: (("00", _gtin(company, ref)),)),
    "sgln": _Scheme(12, 1, _sgln),
    "grai": _Scheme(12, 1, _one_key("8003", "0")),
    "giai": _Scheme(None, 0, lambda company, ref, _: (("8004", company + ref),)),
    "gsrn": _Scheme(17, 0, _one_key("8018")),
    "gsrnp": _Scheme(17, 0, _one_key("8017")),
    "gdti": _Scheme(12, 1, _one_key("253")),
    "cpi": _Scheme(None, 1, lambda company, ref, serial: (("8010", company + ref), ("8011", serial))),
    "sgcn": _Scheme(12, 1, _one_key("255")),
    "itip": _Scheme(13, 3, _itip),
    "pgln": _Scheme(12, 0, _one_key("417")),
}
_CLASS: Final = {
    "lgtin": _Scheme(13, 1, lambda company, ref, lot: (("01", _gtin(company, ref)), ("10", lot))),
}
_PATTERN: Final = {"sgtin": _Scheme(13, 1, _any_of)}
_URNS: Final = {"urn:epc:id:": _ID, "urn:epc:class:": _CLASS, "urn:epc:idpat:": _PATTERN}

_FINEST: Final = {"01": ("21", "10", "235"), "8006": ("21", "10"), "414": ("254",), "8010": ("8011",)}
_KEYS: Final = ("00", "01", "253", "255", "401", "402", "414", "417", "8003", "8004", "8006", "8010", "8017", "8018")
_WORDS: Final = {"gtin": "01", "sscc": "00", "gln": "414", "party": "417", "lot": "10", "ser": "21"}
"""The alphabetic names that Digital Link 1.1 allowed."""
_CHECKED: Final = {"00": 18, "01": 14, "253": 13, "255": 13, "402": 17, "414": 13, "417": 13, "8017": 18, "8018": 18}


def _from_link(uri: str) -> Key:
    path = re.split(r"[?#]", uri, maxsplit=1)[0].rstrip("/").split("/")[3:]
    steps = [_WORDS.get(step, step) for step in path]
    start = next((i for i, step in enumerate(steps[:-1]) if step in _KEYS and _looks_right(step, path[i + 1])), None)
    if start is None:
        raise BadEpc(f"{uri[:200]!r} is no GS1 Digital Link: it names no key such as /01/GTIN/21/SERIAL or /00/SSCC")
    ai, value = steps[start], unquote(path[start + 1])
    if ai == "01":
        value = value.zfill(14)
    if size := _CHECKED.get(ai):
        key = value[:size]
        if len(key) < size or not (key.isascii() and key.isdecimal()):
            raise BadEpc(f"{uri[:200]!r}: ({ai}) has {size} digits")
        checked(key)
    qualifiers = dict(zip(steps[start + 2 :: 2], map(unquote, path[start + 3 :: 2]), strict=False))
    finest = next(((one, qualifiers[one]) for one in _FINEST.get(ai, ()) if qualifiers.get(one)), None)
    return Key(((ai, value),) if finest is None else ((ai, value), finest), None)


def _looks_right(ai: str, value: str) -> bool:
    """A value of the AI's length: `/00/` and `/01/` may stand in any path."""
    lengths = {"00": (18,), "01": (8, 12, 13, 14), "414": (13,), "417": (13,)}.get(ai)
    return lengths is None or (value.isascii() and value.isdecimal() and len(value) in lengths)
