"""EPC identity: GS1's own examples, numbers that overflow, bits that are nobody's, and epcpy as a second opinion."""

import sys

import pytest
from epcpy import hex_to_tag_encodable, tag_uri_to_tag_encodable
from hypothesis import given
from hypothesis import strategies as st

from contract.epc import Identity, identify
from contract.errors import BadEpc
from contract.gs1 import TEXT

COMPANY_BITS = (40, 37, 34, 30, 27, 24, 20)

# GS1 Tag Data Standard 2.3, annex E.3: every scheme that TDS 1.13 knows; their bits are the same in both
EXAMPLES = [
    ("3066C4409047E140075BCD15", "sgtin-96", "sgtin:95060001343.05.123456789", "(01)09506000134352(21)123456789"),
    (
        "3666C4409047E159B2C2BF100000000000000000000000000000",
        "sgtin-198",
        "sgtin:95060001343.05.32a%2Fb",
        "(01)09506000134352(21)32a/b",
    ),
    ("311BA1B300CE0A6A83000000", "sscc-96", "sscc:952012.03456789123", "(00)095201234567891235"),
    ("3276451FD46072000000162E", "sgln-96", "sgln:9521141.12345.5678", "(414)9521141123454(254)5678"),
    (
        "3976451FD46072CD9615F8800000000000000000000000000000",
        "sgln-195",
        "sgln:9521141.12345.32a%2Fb",
        "(414)9521141123454(254)32a/b",
    ),
    ("3376451FD40C0E400000162E", "grai-96", "grai:9521141.12345.5678", "(8003)095211411234545678"),
    (
        "3776451FD40C0E59B2C2BF1000000000000000000000",
        "grai-170",
        "grai:9521141.12345.32a%2Fb",
        "(8003)0952114112345432a/b",
    ),
    ("3476451FD40000000000162E", "giai-96", "giai:9521141.5678", "(8004)95211415678"),
    (
        "3876451FD59B2C2BF10000000000000000000000000000000000",
        "giai-202",
        "giai:9521141.32a%2Fb",
        "(8004)952114132a/b",
    ),
    ("2D76451FD4499602D2000000", "gsrn-96", "gsrn:9521141.1234567890", "(8018)952114112345678906"),
    ("2E76451FD4499602D2000000", "gsrnp-96", "gsrnp:9521141.1234567890", "(8017)952114112345678906"),
    ("2C76451FD46072000000162E", "gdti-96", "gdti:9521141.12345.5678", "(253)95211411234545678"),
    ("3A74257BF460720000000007AE7F8", "gdti-113", "gdti:0614141.12345.006847", "(253)0614141123452006847"),
    (
        "3E76451FD7039B061438997367D0C18B266D1AB66EE0",
        "gdti-174",
        "gdti:9521141.98765.ABCDefgh012345678",
        "(253)9521141987650ABCDefgh012345678",
    ),
    ("3C76451FD400C0E680003039", "cpi-96", "cpi:9521141.98765.12345", "(8010)952114198765(8011)12345"),
    (
        "3D76451FD75411DEF6B4CC00000003039000",
        "cpi-var",
        "cpi:9521141.5PQ7%2FZ43.12345",
        "(8010)95211415PQ7/Z43(8011)12345",
    ),
    ("3F76451FD612640000019907", "sgcn-96", "sgcn:9521141.67890.04711", "(255)952114167890904711"),
    ("3500E86F8000A9E000000586", "gid-96", "gid:952056.2718.1414", ""),
    ("2F320434147455900000162E", "usdod-96", "usdod:CAGEY.5678", ""),
    ("3B0E0CF5E76C9047759AD00373DC7602E7200", "adi-var", "adi:35962.PQ7VZ4.M37GXB92", ""),
    ("4076451FD40C0E40820000000F54", "itip-110", "itip:9521141.012345.01.02.981", "(8006)095211411234540102(21)981"),
    (
        "4176451FD40C0E4082DBDD8B36600000000000000000000000000000",
        "itip-212",
        "itip:9521141.012345.01.02.mw133",
        "(8006)095211411234540102(21)mw133",
    ),
]


def element_string(identity: Identity) -> str:
    return "".join(f"({ai}){value}" for ai, value in identity.elements)


@pytest.mark.parametrize(("epc", "scheme", "uri", "elements"), EXAMPLES, ids=[scheme for _, scheme, *_ in EXAMPLES])
def test_the_standards_own_examples(epc: str, scheme: str, uri: str, elements: str) -> None:
    for digits in (epc, epc.lower(), epc + "0" * (-len(epc) % 4)):
        found = identify(digits)
        assert (found.scheme, found.uri, element_string(found)) == (scheme, f"urn:epc:id:{uri}", elements)


def test_cases_and_pallets_have_their_keys() -> None:
    case = identify("3074257bf7194e4000001a85")  # TDS 1.13, section 14.5.1
    assert (case.gtin, case.serial, case.sscc, case.filter) == ("80614141123458", "6789", None, 3)
    pallet = identify("3174257bf4499602d2000000")  # section 14.5.2
    assert (pallet.gtin, pallet.serial, pallet.sscc, pallet.filter) == (None, None, "106141412345678908", 3)
    piece = identify("4076451fd40c0e40820000000f54")
    assert (piece.gtin, piece.serial, piece.piece) == ("09521141123454", "981", (1, 2))


def test_a_place_without_extension_is_the_bare_gln() -> None:
    place = identify("3276451FD460720000000000")
    assert place.uri == "urn:epc:id:sgln:9521141.12345.0"
    assert place.elements == (("414", "9521141123454"),)


# Bits that are no EPC


def keyed(header: int, partition: int, company: int, reference: int, key_bits: int, rest: str) -> str:
    """Hexadecimal of a tag with a partition, whatever its numbers are."""
    size = COMPANY_BITS[partition]
    bits = f"{header:08b}001{partition:03b}{company:0{size}b}{reference:0{key_bits - size}b}{rest}"
    return f"{int(bits, 2):0{len(bits) // 4}x}"


KEYED = [
    (0x30, 13, 44, "0" * 38),
    (0x31, 17, 58, "0" * 24),
    (0x32, 12, 41, "0" * 41),
    (0x33, 12, 44, "0" * 38),
    (0x2C, 12, 41, "0" * 41),
    (0x2D, 17, 58, "0" * 24),
    (0x2E, 17, 58, "0" * 24),
    (0x3F, 12, 41, f"{19:041b}"),
]


@pytest.mark.parametrize("partition", range(7))
@pytest.mark.parametrize(("header", "digits", "key_bits", "rest"), KEYED, ids=lambda value: str(value)[:4])
def test_numbers_with_more_digits_than_they_have_are_refused(
    header: int, digits: int, key_bits: int, rest: str, partition: int
) -> None:
    prefix_digits = 12 - partition
    most, own = 10**prefix_digits - 1, 10 ** (digits - prefix_digits) - 1
    assert identify(keyed(header, partition, most, own, key_bits, rest)).scheme is not None
    overflowed = identify(keyed(header, partition, most + 1, own, key_bits, rest))
    assert overflowed.scheme is None
    assert overflowed.raw_because == f"company prefix {most + 1} has more than {prefix_digits} digits"
    overflowed = identify(keyed(header, partition, most, own + 1, key_bits, rest))
    assert overflowed.scheme is None
    assert overflowed.raw_because == f"reference {own + 1} has more than {digits - prefix_digits} digits"
    assert (overflowed.gtin, overflowed.sscc, overflowed.elements) == (None, None, ())


@pytest.mark.parametrize(
    ("epc", "why"),
    [
        ("000000000000000000000000", "unprogrammed"),
        ("e28011606000020912345678", "no coding scheme has the header E2"),
        ("ff", "no coding scheme has the header FF"),
        ("3074257bf7194e4000001a", "cut off"),
        ("307c257bf7194e4000001a85", "there is no partition 7"),
        ("3074257bf7194e4000001a850001", "behind the sgtin-96"),
        ("3174257bf4499602d2000001", "24 reserved bits"),
        ("3F76451FD612640000004E20", "numeric string"),
        ("3F76451FD612640000000001", "numeric string"),
        # Serials of characters: a hole, none at all, one that GS1 does not allow, bits behind the last whole character
        ("3666C4409047E159B2C2BF100000000000000000000000000001", "behind the sgtin-198"),
        ("3666C4409047E159B2C2BF100000000000000000000000000400", "bits behind the end of '32a/b'"),
        ("3666C4409047E140000000000000000000000000000000000000", "empty"),
        ("3666C4409047E15032C2BF100000000000000000000000000000", "not allowed"),
        ("3776451FD40C0E59B2C2BF1000000000000000000040", "behind"),
        ("2F320434147455D00000162E", "not allowed"),
        ("3B0E0CF5E76C9047759AD00373DC7602E72FF", "cut off"),
        ("4076451FD40C0E72820000000F54", "piece 101"),
    ],
)
def test_what_is_no_epc_is_kept_raw_with_the_reason(epc: str, why: str) -> None:
    found = identify(epc)
    assert found.scheme is None
    assert why in found.raw_because
    assert found.uri == f"urn:epc:raw:{4 * len(epc)}.x{epc.upper()}"
    assert (found.gtin, found.sscc, found.serial, found.elements) == (None, None, None, ())


def test_a_tag_of_another_application_family_is_raw_whatever_its_bits_look_like() -> None:
    found = identify("3074257bf7194e4000001a85", afi=0xA1)
    assert found.scheme is None
    assert found.uri == "urn:epc:raw:96.xA1.x3074257BF7194E4000001A85"


@pytest.mark.parametrize("header", range(256))
@given(body=st.binary(max_size=61))
def test_bits_of_any_kind_have_an_identity(header: int, body: bytes) -> None:
    found = identify((bytes([header]) + body).hex())
    if found.scheme is None:
        assert found.uri.startswith("urn:epc:raw:")
        assert found.raw_because
    else:
        assert found.uri.startswith(("urn:epc:id:", "https://id.gs1.org/"))
    assert found.gtin is None or (len(found.gtin) == 14 and found.gtin.isdigit())
    assert found.sscc is None or (len(found.sscc) == 18 and found.sscc.isdigit())


@given(text=st.text(max_size=200))
def test_text_of_any_kind_is_an_identity_or_a_bad_epc(text: str) -> None:
    try:
        identify(text)
    except BadEpc:
        return
    assert set(text.lower()) <= set("0123456789abcdef")


def test_what_is_remembered_is_bounded() -> None:
    assert 1_000 <= (identify.cache_info().maxsize or 0) <= 200_000, "None would be no bound"


# A second opinion


def numbers(digits: int, most: int | None = None) -> st.SearchStrategy[str]:
    """Digits with leading zeros."""
    return st.integers(0, min(10**digits, most or 10**digits) - 1).map(lambda number: f"{number:0{digits}d}")


@st.composite
def tag_uris(draw: st.DrawFn) -> str:
    """A legal EPC Tag URI of a scheme with a partition (TDS 1.13, section 12)."""
    name, digits, serials = draw(st.sampled_from(TAGS))
    prefix_digits = draw(st.integers(6, 12))
    company = draw(numbers(prefix_digits))
    reference = draw(numbers(digits - prefix_digits)) if digits > prefix_digits else ""
    parts = [str(draw(st.integers(0, 7))), company, reference, *(draw(serial) for serial in serials)]
    return f"urn:epc:tag:{name}:{'.'.join(parts)}"


def integers(bits: int) -> st.SearchStrategy[str]:
    return st.integers(0, 2**bits - 1).map(str)


def texts(most: int) -> st.SearchStrategy[str]:
    """Without the characters that a URI escapes: epcpy refuses most serials that have them."""
    return st.text(st.sampled_from(sorted(TEXT - set('"%&/<>?'))), min_size=1, max_size=most)


PIECES = st.integers(1, 98).map(lambda number: f"{number:02d}")
TAGS: list[tuple[str, int, tuple[st.SearchStrategy[str], ...]]] = [
    ("sgtin-96", 13, (integers(38),)),
    ("sgtin-198", 13, (texts(20),)),
    ("sscc-96", 17, ()),
    ("sgln-96", 12, (integers(41),)),
    ("sgln-195", 12, (texts(20),)),
    ("grai-96", 12, (integers(38),)),
    ("grai-170", 12, (texts(16),)),
    ("gsrn-96", 17, ()),
    ("gsrnp-96", 17, ()),
    ("gdti-96", 12, (integers(41),)),
    ("gdti-174", 12, (texts(17),)),
    ("sgcn-96", 12, (st.text("0123456789", min_size=1, max_size=12),)),
    ("itip-110", 13, (PIECES, PIECES, integers(38))),
    ("itip-212", 13, (PIECES, PIECES, texts(20))),
]


@given(uri=tag_uris())
def test_what_epcpy_encodes_we_decode(uri: str) -> None:
    name, _, body = uri.removeprefix("urn:epc:tag:").partition(":")
    filter_value, _, identity = body.partition(".")
    tag = tag_uri_to_tag_encodable(uri)
    filters = getattr(sys.modules[type(tag).__module__], f"{type(tag).__name__}FilterValue")
    bits = tag.binary(filter_value=filters(filter_value), binary_coding_scheme=tag.BinaryCodingScheme(name))
    padded = bits.ljust(-(-len(bits) // 16) * 16, "0")
    found = identify(f"{int(padded, 2):0{len(padded) // 4}x}")
    assert (found.scheme, found.filter) == (name, int(filter_value))
    assert found.uri == f"urn:epc:id:{name.partition('-')[0]}:{identity}"


@given(header=st.sampled_from([0x30, 0x31, 0x2C, 0x33, 0x34, 0x35, 0x3C]), body=st.binary(min_size=11, max_size=11))
def test_what_we_identify_epcpy_calls_by_the_same_name(header: int, body: bytes) -> None:
    """One way only: epcpy lets numbers and reserved bits pass that the standard refuses."""
    epc = (bytes([header]) + body).hex()
    found = identify(epc)
    if found.scheme is not None:
        assert hex_to_tag_encodable(epc).epc_uri == found.uri
