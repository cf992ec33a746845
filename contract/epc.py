"""EPC identity: from the bits of a tag to the GS1 key they stand for (GS1 Tag Data Standard 1.13, sections 6, 14)."""

from functools import lru_cache

from epcpy import ConvertException, hex_to_tag_encodable
from epcpy.epc_schemes import SGTIN, SSCC
from msgspec import Struct

from contract.errors import BadEpc


class Identity(Struct, frozen=True, kw_only=True):
    """What an EPC stands for. Exactly one of `gtin` and `sscc` is set for the schemes that a warehouse counts."""

    uri: str
    """Pure identity URI, e.g. urn:epc:id:sgtin:0614141.812345.6789."""
    gtin: str | None = None
    """GTIN-14 of an SGTIN."""
    serial: str | None = None
    sscc: str | None = None
    """SSCC-18 of a logistic unit."""


@lru_cache(maxsize=200_000)
def identify(epc: str) -> Identity:
    """The identity of an EPC given in hexadecimal; raises `BadEpc` for what is not a GS1 tag encoding."""
    try:
        tag = hex_to_tag_encodable(epc)
        uri = tag.epc_uri
        if isinstance(tag, SGTIN):
            gs1 = tag.gs1_key()
            return Identity(uri=uri, gtin=gs1.zfill(14), serial=uri.rsplit(".", 1)[1])
        if isinstance(tag, SSCC):
            return Identity(uri=uri, sscc=tag.gs1_key())
    except (ConvertException, ValueError, IndexError, KeyError, AttributeError) as error:
        raise BadEpc(f"{epc[:124]!r} is no GS1 tag encoding: {error}") from error
    return Identity(uri=uri)
