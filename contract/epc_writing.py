"""EPCs for new tags, from GS1 keys (GS1 Tag Data Standard 1.13 section 14.3; 2.1 section 14.5).

`prefix_digits` is the length of the GS1 Company Prefix, 6 to 12, which only its owner knows. With it the EPC is one of
the schemes that every reader understands; without, one of the "+" schemes, which do without it.
"""

from typing import Final

from contract.epc_bits import padded
from contract.epc_classic import COMPANY_BITS
from contract.epc_plus import write_plus
from contract.errors import BadEpc
from contract.gs1 import TEXT, checked, only

FULL_CASE: Final = 2
"""Filter value of a case for transport (TDS 1.13, table 10-2)."""
UNIT_LOAD: Final = 6
"""Filter value of a pallet (TDS 1.13, table 10-3)."""


def write_sgtin(gtin: str, serial: str, prefix_digits: int | None = None, filter_value: int = FULL_CASE) -> str:
    """Lower-case hexadecimal of the EPC of one trade item; raises `BadEpc`.

    SGTIN-96 for a serial that is a number below 2^38 without leading zeros, else SGTIN-198; without `prefix_digits`
    SGTIN+. `gtin`: 8, 12, 13 or 14 digits; `serial`: 1 to 20 characters.
    """
    gtin = checked(_digits(gtin, (8, 12, 13, 14), "a GTIN")).zfill(14)
    if not 0 < len(serial) <= 20:
        raise BadEpc(f"serial {serial!r} is not of 1 to 20 characters")
    only(serial, TEXT)
    if prefix_digits is None:
        return write_plus(0xF7, (("01", gtin), ("21", serial)), filter_value)
    head = _partitioned(gtin[1:13], gtin[0], prefix_digits, 44)
    if serial.isdecimal() and str(int(serial)) == serial and int(serial) < 2**38:
        return padded(f"{0x30:08b}{filter_value:03b}{head}{int(serial):038b}")
    text = "".join(f"{ord(character):07b}" for character in serial)
    return padded(f"{0x36:08b}{filter_value:03b}{head}{text.ljust(140, '0')}")


def write_sscc(sscc: str, prefix_digits: int | None = None, filter_value: int = UNIT_LOAD) -> str:
    """Lower-case hexadecimal of a logistic unit's EPC, SSCC-96 or without `prefix_digits` SSCC+; raises `BadEpc`."""
    checked(_digits(sscc, (18,), "an SSCC"))
    if prefix_digits is None:
        return write_plus(0xF9, (("00", sscc),), filter_value)
    return padded(f"{0x31:08b}{filter_value:03b}{_partitioned(sscc[1:17], sscc[0], prefix_digits, 58)}{0:024b}")


def _digits(text: str, lengths: tuple[int, ...], what: str) -> str:
    if len(text) not in lengths or not (text.isascii() and text.isdecimal()):
        raise BadEpc(f"{text!r} is not {what}: expected {' or '.join(map(str, lengths))} digits")
    return text


def _partitioned(digits: str, first: str, prefix_digits: int, bits: int) -> str:
    """Partition, company prefix and reference; the key's first digit leads the reference (TDS 1.13, section 7)."""
    if not 6 <= prefix_digits <= 12:
        raise BadEpc(f"a company prefix of {prefix_digits} digits: it has 6 to 12")
    partition = 12 - prefix_digits
    size = COMPANY_BITS[partition]
    company, reference = digits[:prefix_digits], first + digits[prefix_digits:]
    return f"{partition:03b}{int(company):0{size}b}{int(reference):0{bits - size}b}"
