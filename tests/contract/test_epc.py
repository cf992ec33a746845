"""EPC identity: GS1's own examples, and whatever bits a tag may hold."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.epc import Identity, identify
from contract.errors import BadEpc


@pytest.mark.parametrize(
    ("epc", "identity"),
    [
        (  # Tag Data Standard 1.13, section 14.5.1: SGTIN-96 of GTIN 80614141123458
            "3074257bf7194e4000001a85",
            Identity(uri="urn:epc:id:sgtin:0614141.812345.6789", gtin="80614141123458", serial="6789"),
        ),
        (  # section 14.5.2: SSCC-96
            "3174257bf4499602d2000000",
            Identity(uri="urn:epc:id:sscc:0614141.1234567890", sscc="106141412345678908"),
        ),
    ],
)
def test_the_standards_own_examples(epc: str, identity: Identity) -> None:
    assert identify(epc) == identity


@pytest.mark.parametrize("header", range(256))
@given(body=st.binary(max_size=61))
def test_bits_of_any_kind_are_an_identity_or_a_bad_epc(header: int, body: bytes) -> None:
    epc = (bytes([header]) + body).hex()
    try:
        found = identify(epc)
    except BadEpc:
        return
    assert found.uri.startswith("urn:epc:id:")
    assert found.gtin is None or (len(found.gtin) == 14 and found.gtin.isdigit())
    assert found.sscc is None or (len(found.sscc) == 18 and found.sscc.isdigit())


@given(text=st.text(max_size=200))
def test_text_of_any_kind_is_an_identity_or_a_bad_epc(text: str) -> None:
    try:
        identify(text)
    except BadEpc:
        return


def test_what_is_remembered_is_bounded() -> None:
    assert identify.cache_info().maxsize == 200_000
