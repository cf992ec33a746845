"""The "+" schemes of TDS 2.0 and later (GS1 Tag Data Standard 2.1, sections 14.5, 14.6 and 15.3).

    | header (8) | +data toggle (1) | filter (3) | DSGTIN+: date (20) | key ... | Application Identifiers and values ...

The key stands as on a barcode, check digit and all, and nothing says how long its company prefix is. The toggle is for
readers that select tags by it; decoding does without (section 15.3). The "++" schemes of TDS 2.3 say a host name behind
the key, which we leave unread: it is not part of the identity.
"""

from typing import Final, NamedTuple
from urllib.parse import quote

from contract.ai_components import Date
from contract.application_identifiers import FORMATS, read_ai, read_value
from contract.epc_bits import Bits, padded
from contract.epc_identity import Elements, Identity, identity
from contract.errors import BadEpc
from contract.gs1 import checked


class _Plus(NamedTuple):
    name: str
    ais: tuple[str, ...]
    dated: bool = False
    host: bool = False


PLUS: Final[dict[int, _Plus]] = {
    0xF0: _Plus("cpi+", ("8010", "8011")),
    0xF1: _Plus("grai+", ("8003",)),
    0xF2: _Plus("sgln+", ("414", "254")),
    0xF3: _Plus("itip+", ("8006", "21")),
    0xF4: _Plus("gsrn+", ("8018",)),
    0xF5: _Plus("gsrnp+", ("8017",)),
    0xF6: _Plus("gdti+", ("253",)),
    0xF7: _Plus("sgtin+", ("01", "21")),
    0xF8: _Plus("sgcn+", ("255",)),
    0xF9: _Plus("sscc+", ("00",)),
    0xFA: _Plus("giai+", ("8004",)),
    0xFB: _Plus("dsgtin+", ("01", "21"), dated=True),
    0xE6: _Plus("cpi++", ("8010", "8011"), host=True),
    0xE7: _Plus("gsrn++", ("8018",), host=True),
    0xE8: _Plus("gsrnp++", ("8017",), host=True),
    0xE9: _Plus("sgln++", ("414", "254"), host=True),
    0xEA: _Plus("gdti++", ("253",), host=True),
    0xEB: _Plus("grai++", ("8003",), host=True),
    0xEC: _Plus("sgcn++", ("255",), host=True),
    0xED: _Plus("itip++", ("8006", "21"), host=True),
    0xEE: _Plus("giai++", ("8004",), host=True),
    0xEF: _Plus("sscc++", ("00",), host=True),
    0xFC: _Plus("dsgtin++", ("01", "21"), dated=True, host=True),
    0xFD: _Plus("sgtin++", ("01", "21"), host=True),
}
"""By header (table 14-1)."""
_DATES: Final = ("11", "13", "15", "16", "17", "7006", "7007")
"""What the date of a DSGTIN+ means, by its first 4 bits (section 14.5.3)."""
_CHECKED: Final = {"00": 18, "01": 14, "253": 13, "255": 13, "414": 13, "8003": 14, "8006": 14, "8017": 18, "8018": 18}
"""How many digits of a key end with the check digit."""
_SERIAL_MISSING: Final = {"253": 13, "255": 13, "8003": 14}
"""A value no longer than this names a kind of thing, not one of them."""


def read_plus(header: int, bits: Bits) -> Identity:
    """An EPC of one of these schemes; raises `BadEpc`."""
    scheme = PLUS[header]
    filter_value = bits.take(4) & 7  # behind the toggle
    date = [_read_date(bits)] if scheme.dated else []
    elements = tuple((ai, _key(ai, read_value(ai, bits))) for ai in scheme.ais)
    if elements[-1] == ("254", "0"):  # the place itself (section 6.3.3)
        elements = elements[:1]
    data, unread = ([], "" if bits.padding else bits.rest) if scheme.host else _read_data(bits)
    return identity(scheme.name, _digital_link(elements), filter_value, elements, (*date, *data), unread)


def write_plus(header: int, elements: Elements, filter_value: int, date: tuple[str, str] | None = None) -> str:
    """Lower-case hexadecimal of an EPC of one of the "+" schemes, padded to whole words; raises `BadEpc`."""
    scheme = PLUS[header]
    if scheme.host or tuple(ai for ai, _ in elements) != scheme.ais or (date is not None) != scheme.dated:
        raise BadEpc(f"{scheme.name} is not written from {elements} and {date}")
    bits = f"{header:08b}0{filter_value:03b}"
    if date is not None:
        bits += f"{_DATES.index(date[0]):04b}{Date().write(date[1])}"
    for ai, value in elements:
        _key(ai, value)
        bits += _written(ai, value)
    return padded(bits)


def _written(ai: str, value: str) -> str:
    first, *others = FORMATS[ai]
    if not others:
        return first.write(value)
    size = _SERIAL_MISSING[ai]
    return first.write(value[:size]) + others[0].write(value[size:])


def _key(ai: str, value: str) -> str:
    if len(value) <= _SERIAL_MISSING.get(ai, -1):
        raise BadEpc(f"({ai}){value} has no serial")
    if size := _CHECKED.get(ai):
        checked(value[:size])
    if ai == "8003" and value[0] != "0":
        raise BadEpc(f"(8003){value} does not begin with 0")
    return value


def _read_date(bits: Bits) -> tuple[str, str]:
    kind = bits.take(4)
    if kind >= len(_DATES):
        raise BadEpc(f"date type {kind} is reserved")
    return _DATES[kind], Date().read(bits)


def _read_data(bits: Bits) -> tuple[list[tuple[str, str]], str]:
    """Application Identifiers and their values up to the padding, and what we could not read, as binary digits.

    Zeros up to the end are padding. (Section 15.3 would take 80 of them for the SSCC of eighteen zeros.)
    """
    data: list[tuple[str, str]] = []
    while not bits.padding:
        unread = bits.rest
        try:
            ai = read_ai(bits)
            data.append((ai, read_value(ai, bits)))
        except BadEpc:
            return data, unread
    return data, ""


def _digital_link(elements: Elements) -> str:
    """GS1 Digital Link URI in its canonical form."""
    return "https://id.gs1.org/" + "/".join(f"{ai}/{quote(value, safe='')}" for ai, value in elements)
