"""Tags fresh from the printer: EPCs of cases (SGTIN-96) and pallets (SSCC-96), each printed once (TDS 1.13, 14)."""

from random import Random

from epcpy.epc_schemes import SGTIN, SSCC
from epcpy.epc_schemes.sgtin import SGTINFilterValue
from epcpy.epc_schemes.sscc import SSCCFilterValue

COMPANY_PREFIX_DIGITS = 7
"""The item master does not say how long a GTIN's company prefix is; seven digits are the usual length."""
_SERIALS = 2**38
"""SGTIN-96 serials have 38 bits (TDS 1.13, table 14-2)."""


class TagPrinter:
    """Prints EPCs that never repeat. The same seed prints the same EPCs in the same order."""

    def __init__(self, seed: int) -> None:
        random = Random(f"tags {seed}")
        self._case_serial = random.randrange(1, _SERIALS // 2)
        self._pallet_serial = random.randrange(1, 10**8)

    def case(self, gtin: str) -> str:
        """The EPC of a new case of a trade item, lower-case hexadecimal."""
        self._case_serial += 1
        identity = SGTIN.from_gtin_plus_serial(gtin, str(self._case_serial), COMPANY_PREFIX_DIGITS)
        return _hex(identity.hex(binary_coding_scheme=_SGTIN_96, filter_value=SGTINFilterValue.FULL_CASE))

    def pallet(self, gtin: str) -> str:
        """The EPC of a new pallet from the company that owns `gtin`, lower-case hexadecimal."""
        self._pallet_serial += 1
        prefix = gtin[1 : 1 + COMPANY_PREFIX_DIGITS]
        identity = SSCC(f"urn:epc:id:sscc:{prefix}.0{self._pallet_serial:0{16 - COMPANY_PREFIX_DIGITS}d}")
        return _hex(identity.hex(binary_coding_scheme=_SSCC_96, filter_value=SSCCFilterValue.UNIT_LOAD))


_SGTIN_96 = SGTIN.BinaryCodingScheme.SGTIN_96
_SSCC_96 = SSCC.BinaryCodingScheme.SSCC_96


def _hex(text: str) -> str:
    return text.lower().zfill(24)
