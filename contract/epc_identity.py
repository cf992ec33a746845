"""What an EPC stands for."""

from collections.abc import Iterable

from msgspec import Struct

Elements = tuple[tuple[str, str], ...]
"""GS1 Application Identifiers and their values, in order."""


class Identity(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What an EPC stands for. `gtin` and `sscc` are the two keys that a warehouse counts by; at most one is set."""

    uri: str
    """Pure identity URI, e.g. urn:epc:id:sgtin:0614141.812345.6789. The "+" schemes have none: their GS1 Digital Link,
    e.g. https://id.gs1.org/01/80614141123458/21/6789. What is not GS1: the raw URI, e.g. urn:epc:raw:96.xE280..."""
    scheme: str | None = None
    """Binary coding scheme in lower case, e.g. sgtin-96 or sgtin+; None: these bits are no EPC of GS1's, kept raw."""
    raw_because: str = ""
    """Why there is no scheme."""
    filter: int | None = None
    """Filter value (Tag Data Standard 1.13, section 10)."""
    elements: Elements = ()
    """The key as GS1 element string, e.g. (("01", "80614141123458"), ("21", "6789")). Empty where GS1 has no AI."""
    data: Elements = ()
    """What the tag says beside its key ("+" schemes only): expiry, lot, ..."""
    unread: str = ""
    """Bits behind the key or its data that say nothing to us, as binary digits."""
    gtin: str | None = None
    """GTIN-14 of an SGTIN, DSGTIN or ITIP."""
    serial: str | None = None
    """Serial number beside that GTIN."""
    sscc: str | None = None
    """SSCC-18 of a logistic unit."""
    piece: tuple[int, int] | None = None
    """ITIP: this tag is on piece n of so many that make one item."""


def identity(
    scheme: str,
    uri: str,
    filter_value: int | None,
    elements: Elements,
    data: Iterable[tuple[str, str]] = (),
    rest: str = "",
) -> Identity:
    """An identity from its key as element string."""
    gtin = serial = sscc = piece = None
    for ai, value in elements:
        match ai:
            case "01":
                gtin = value
            case "21":
                serial = value
            case "00":
                sscc = value
            case "8006":
                gtin, piece = value[:14], (int(value[14:16]), int(value[16:]))
    return Identity(
        uri=uri,
        scheme=scheme,
        filter=filter_value,
        elements=elements,
        data=tuple(data),
        unread=rest,
        gtin=gtin,
        serial=serial,
        sscc=sscc,
        piece=piece,
    )
