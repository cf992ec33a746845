"""The binary coding schemes of TDS 1.13 (GS1 Tag Data Standard 1.13, section 14): fixed fields and a partition.

    | header (8) | filter (3) | partition (3) | company prefix | reference | serial ... | zeros to a whole word |

The partition P says how the key's digits are shared: the company prefix has 12 - P of them, in `COMPANY_BITS[P]` bits,
and the reference has the rest of the digits in the rest of the bits. So one row a scheme is all that its partition
table (14-5 to 14-27) says. A number that needs more digits than it has is refused, as is anything else but zeros
behind the last field.
"""

from collections.abc import Callable
from typing import Final, NamedTuple

from contract.epc_bits import Bits
from contract.epc_identity import Elements, Identity, identity
from contract.errors import BadEpc
from contract.gs1 import PART, TEXT, check_digit, only

COMPANY_BITS: Final = (40, 37, 34, 30, 27, 24, 20)
_ESCAPED: Final = str.maketrans({character: f"%{ord(character):02X}" for character in '"#%&/<>?'})
"""Characters that stand in a URI as %xx (tables A-1 and G-1)."""
_CAGE: Final = frozenset("0123456789ABCDEFGHJKLMNPQRSTUVWXYZ")
_PLAIN: Final = PART - {"#"}


class _Keyed(NamedTuple):
    """A scheme with a partition of fixed digits: `digits` and `bits` of company prefix and reference together."""

    name: str
    digits: int
    bits: int
    serial: Callable[[Bits], str]
    elements: Callable[[str, str, str], Elements]

    def read(self, bits: Bits) -> Identity:
        """All behind the header."""
        filter_value, company, reference_bits = _company(bits, self.bits)
        reference = _digits(bits.take(reference_bits), self.digits - len(company), "reference")
        serial = self.serial(bits)
        uri = f"urn:epc:id:{_scheme(self.name)}:{company}.{reference}"
        if serial:
            uri += f".{serial.translate(_ESCAPED)}"
        return identity(self.name, uri, filter_value, self.elements(company, reference, serial))


def _scheme(name: str) -> str:
    return name.partition("-")[0]


def _company(bits: Bits, key_bits: int) -> tuple[int, str, int]:
    """Filter value, company prefix, and how many bits of the key are left for the reference."""
    head = bits.take(6)
    partition = head & 7
    if partition == 7:
        raise BadEpc("there is no partition 7")
    size = COMPANY_BITS[partition]
    return head >> 3, _digits(bits.take(size), 12 - partition, "company prefix"), key_bits - size


def _digits(number: int, digits: int, what: str) -> str:
    """A number with leading zeros: section 14.4.3, "must be less than 10 to the power of K"."""
    if number >= 10**digits:
        raise BadEpc(f"{what} {number} has more than {digits} digits")
    return f"{number:0{digits}d}" if digits else ""


# Serial numbers (sections 14.4.1, 14.4.2, 14.4.6)


def _integer(size: int) -> Callable[[Bits], str]:
    return lambda bits: str(bits.take(size))


def _string(size: int) -> Callable[[Bits], str]:
    return lambda bits: _seven_bit(bits, size, size // 7)


def _numeric_string(size: int) -> Callable[[Bits], str]:
    """Digits whose leading zeros are kept by a 1 in front of them."""

    def read(bits: Bits) -> str:
        digits = str(bits.take(size))
        if len(digits) < 2 or digits[0] != "1":
            raise BadEpc(f"serial {digits} does not begin with the 1 of a numeric string")
        return digits[1:]

    return read


def _reserved(size: int) -> Callable[[Bits], str]:
    def read(bits: Bits) -> str:
        if bits.take(size):
            raise BadEpc(f"the {size} reserved bits are not zero")
        return ""

    return read


def _seven_bit(bits: Bits, size: int, most: int) -> str:
    """Up to `most` characters of 7 bits each, then zeros only."""
    value = bits.take(size)
    text = ""
    while value:
        size -= 7
        code = value >> size if size >= 0 else 0
        if not code or len(text) == most:
            raise BadEpc(f"bits behind the end of {text!r}")
        text += chr(code)
        value -= code << size
    if not text:
        raise BadEpc("the serial is empty")
    return only(text, TEXT)


def _six_bit(bits: Bits, least: int, most: int, characters: frozenset[str]) -> str:
    """Characters of 6 bits each up to six zero bits (section 14.4.8)."""
    text = ""
    while code := bits.take(6):
        text += chr(code if code >= 32 else code + 64)
        if len(text) > most:
            raise BadEpc(f"more than {most} characters: {text!r}")
    if len(text) < least:
        raise BadEpc("a text is empty")
    return only(text, characters)


# From company prefix, reference and serial to the element string (section 7)


def _with_check(digits: str) -> str:
    return digits + check_digit(digits)


def _gtin(company: str, reference: str) -> str:
    return _with_check(reference[0] + company + reference[1:])


def _sgtin(company: str, reference: str, serial: str) -> Elements:
    return ("01", _gtin(company, reference)), ("21", serial)


def _sscc(company: str, reference: str, _: str) -> Elements:
    return (("00", _with_check(reference[0] + company + reference[1:])),)


def _sgln(company: str, reference: str, extension: str) -> Elements:
    location = ("414", _with_check(company + reference))
    return (location,) if extension == "0" else (location, ("254", extension))


def _grai(company: str, reference: str, serial: str) -> Elements:
    return (("8003", "0" + _with_check(company + reference) + serial),)


def _itip(company: str, reference: str, serial: str) -> Elements:
    piece, total, own = serial.split(".", 2)
    return ("8006", _gtin(company, reference) + piece + total), ("21", own)


def _one_key(ai: str) -> Callable[[str, str, str], Elements]:
    return lambda company, reference, serial: ((ai, _with_check(company + reference) + serial),)


def _piece(serial: Callable[[Bits], str]) -> Callable[[Bits], str]:
    """Piece and total in 7 bits each (section 14.4.10), then the serial."""

    def read(bits: Bits) -> str:
        piece, total = (_digits(bits.take(7), 2, "piece") for _ in range(2))
        return f"{piece}.{total}.{serial(bits)}"

    return read


# Schemes with fields of their own


def _giai(name: str, reference: Callable[[Bits, int, str], str], key_bits: int) -> Callable[[Bits], Identity]:
    def read(bits: Bits) -> Identity:
        filter_value, company, size = _company(bits, key_bits)
        text = reference(bits, size, company)
        uri = f"urn:epc:id:giai:{company}.{text.translate(_ESCAPED)}"
        return identity(name, uri, filter_value, (("8004", company + text),))

    return read


def _cpi(
    name: str, reference: Callable[[Bits, int, str], str], key_bits: int, serial_bits: int
) -> Callable[[Bits], Identity]:
    def read(bits: Bits) -> Identity:
        filter_value, company, size = _company(bits, key_bits)
        part = reference(bits, size, company)
        serial = str(bits.take(serial_bits))
        if len(serial) > 12:
            raise BadEpc(f"serial {serial} has more than 12 digits")
        uri = f"urn:epc:id:cpi:{company}.{part.translate(_ESCAPED)}.{serial}"
        return identity(name, uri, filter_value, (("8010", company + part), ("8011", serial)))

    return read


def _unpadded(bits: Bits, size: int, _: str) -> str:
    return str(bits.take(size))


def _asset_text(bits: Bits, size: int, company: str) -> str:
    return _seven_bit(bits, size, 30 - len(company))


def _part_text(bits: Bits, _: int, company: str) -> str:
    return _six_bit(bits, 1, 30 - len(company), PART)


def _gid(bits: Bits) -> Identity:
    manager, object_class, serial = bits.take(28), bits.take(24), bits.take(36)
    return identity("gid-96", f"urn:epc:id:gid:{manager}.{object_class}.{serial}", None, ())


def _usdod(bits: Bits) -> Identity:
    """A CAGE code (a space, five characters) or a DoDAAC (six) of 8 bits each, and a serial of 36 bits."""
    filter_value = bits.take(4)
    code = bits.take(48).to_bytes(6, "big").decode("latin-1").removeprefix(" ")
    return identity("usdod-96", f"urn:epc:id:usdod:{only(code, _CAGE)}.{bits.take(36)}", filter_value, ())


def _adi(bits: Bits) -> Identity:
    """CAGE code or DoDAAC, part number and serial of 6 bits a character (section 14.6.13)."""
    filter_value, codes = bits.take(6), [bits.take(6) for _ in range(6)]
    if codes[0] == 0b100000:
        del codes[0]
    code = only("".join(chr(code if code >= 32 else code + 64) for code in codes), _CAGE)
    part = _six_bit(bits, 0, 32, _PLAIN)
    serial = _six_bit(bits, 1, 30, PART)
    only(serial.removeprefix("#") or "#", _PLAIN)
    uri = f"urn:epc:id:adi:{code}.{part.translate(_ESCAPED)}.{serial.translate(_ESCAPED)}"
    return identity("adi-var", uri, filter_value, ())


CLASSIC: Final[dict[int, Callable[[Bits], Identity]]] = {
    0x2C: _Keyed("gdti-96", 12, 41, _integer(41), _one_key("253")).read,
    0x2D: _Keyed("gsrn-96", 17, 58, _reserved(24), _one_key("8018")).read,
    0x2E: _Keyed("gsrnp-96", 17, 58, _reserved(24), _one_key("8017")).read,
    0x2F: _usdod,
    0x30: _Keyed("sgtin-96", 13, 44, _integer(38), _sgtin).read,
    0x31: _Keyed("sscc-96", 17, 58, _reserved(24), _sscc).read,
    0x32: _Keyed("sgln-96", 12, 41, _integer(41), _sgln).read,
    0x33: _Keyed("grai-96", 12, 44, _integer(38), _grai).read,
    0x34: _giai("giai-96", _unpadded, 82),
    0x35: _gid,
    0x36: _Keyed("sgtin-198", 13, 44, _string(140), _sgtin).read,
    0x37: _Keyed("grai-170", 12, 44, _string(112), _grai).read,
    0x38: _giai("giai-202", _asset_text, 188),
    0x39: _Keyed("sgln-195", 12, 41, _string(140), _sgln).read,
    0x3A: _Keyed("gdti-113", 12, 41, _numeric_string(58), _one_key("253")).read,
    0x3B: _adi,
    0x3C: _cpi("cpi-96", _unpadded, 51, 31),
    0x3D: _cpi("cpi-var", _part_text, 0, 40),
    0x3E: _Keyed("gdti-174", 12, 41, _string(119), _one_key("253")).read,
    0x3F: _Keyed("sgcn-96", 12, 41, _numeric_string(41), _one_key("255")).read,
    0x40: _Keyed("itip-110", 13, 44, _piece(_integer(38)), _itip).read,
    0x41: _Keyed("itip-212", 13, 44, _piece(_string(140)), _itip).read,
}
"""What reads the bits behind each header (table 14-1); each raises `BadEpc`."""


def read_classic(header: int, bits: Bits) -> Identity:
    """An EPC of one of these schemes; raises `BadEpc`."""
    found = CLASSIC[header](bits)
    if not bits.padding:
        raise BadEpc(f"bits behind the {found.scheme} that are no zeros")
    return found
