"""EPC identity: from the bits of a tag to the GS1 key they stand for, and back (GS1 Tag Data Standard 1.13 and 2.1).

TDS 1.13 section 14 for the schemes with a partition, TDS 2.1 for the "+" schemes. Bits that are neither are kept as
they are (section 15.2.2): a foreign tag in the field is an ordinary thing, not an error.
"""

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Final

from contract.epc_bits import Bits
from contract.epc_classic import CLASSIC, read_classic
from contract.epc_identity import Identity
from contract.epc_plus import PLUS, read_plus
from contract.errors import BadEpc

__all__ = ["Identity", "identify"]

_HEXADECIMAL: Final = re.compile(r"[0-9a-fA-F]{2,124}")
"""An EPC memory bank holds 31 words at most (Gen2 2.0 section 6.3.2.1.2)."""
_READERS: Final[dict[int, Callable[[int, Bits], Identity]]] = {
    **dict.fromkeys(CLASSIC, read_classic),
    **dict.fromkeys(PLUS, read_plus),
}


@lru_cache(maxsize=4_096)
def identify(epc: str, afi: int | None = None) -> Identity:
    """The identity of an EPC given in hexadecimal; raises `BadEpc` for a text that is no hexadecimal of 1 to 62 octets.

    `afi`: the Application Family Identifier, if the toggle bit (17h) of the tag's PC word is set; then the bits are not
    GS1's but of some ISO/IEC 15961 application, whatever they look like (TDS 1.13 section 9.3).
    """
    if not _HEXADECIMAL.fullmatch(epc):
        raise BadEpc(f"{epc[:124]!r} is no EPC in hexadecimal: expected 2 to 124 digits")
    if afi is not None:
        return _raw(epc, f"an ISO/IEC 15961 tag of application family {afi:02X}", f"x{afi:02X}.")
    header = int(epc[:2], 16)
    reader = _READERS.get(header)
    if reader is None:
        return _raw(epc, "unprogrammed" if header == 0 else f"no coding scheme has the header {header:02X}")
    bits = Bits(epc)
    bits.take(8)
    try:
        return reader(header, bits)
    except BadEpc as error:
        return _raw(epc, str(error))


def _raw(epc: str, reason: str, family: str = "") -> Identity:
    """TDS 1.13, section 15.2.1."""
    return Identity(uri=f"urn:epc:raw:{4 * len(epc)}.{family}x{epc.upper()}", raw_because=reason)
