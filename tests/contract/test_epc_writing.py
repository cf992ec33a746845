"""EPCs for new tags."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.epc import identify
from contract.epc_writing import write_sgtin, write_sscc
from contract.errors import BadEpc
from contract.gs1 import TEXT, check_digit

PREFIXES = st.none() | st.integers(6, 12)


def test_the_standards_own_examples() -> None:
    assert write_sgtin("80614141123458", "6789", 7, 3) == "3074257bf7194e4000001a85"
    assert write_sgtin("9506000134352", "123456789", 11, 3) == "3066c4409047e140075bcd15"
    long = "3666c4409047e159b2c2bf100000000000000000000000000000"
    assert write_sgtin("09506000134352", "32a/b", 11, 3) == long
    assert write_sgtin("79521141123453", "32a/b", None, 3) == "f73795211411234538566cb0afc4"
    assert write_sscc("106141412345678908", 7, 3) == "3174257bf4499602d2000000"
    assert write_sscc("095201234567891235", None, 0) == "f90095201234567891235000"


@given(
    digits=st.text("0123456789", min_size=13, max_size=13),
    serial=st.text(sorted(TEXT), min_size=1, max_size=20) | st.integers(0, 2**39).map(str),
    prefix_digits=PREFIXES,
    filter_value=st.integers(0, 7),
)
def test_a_case_is_what_was_written(digits: str, serial: str, prefix_digits: int | None, filter_value: int) -> None:
    gtin = digits + check_digit(digits)
    epc = write_sgtin(gtin, serial, prefix_digits, filter_value)
    found = identify(epc)
    assert (found.gtin, found.serial, found.filter) == (gtin, serial, filter_value)
    assert len(epc) % 4 == 0
    if prefix_digits is None:
        assert found.scheme == "sgtin+"
    else:
        short = serial.isdigit() and serial == str(int(serial)) and int(serial) < 2**38
        assert found.scheme == ("sgtin-96" if short else "sgtin-198")
        assert found.uri.startswith(f"urn:epc:id:sgtin:{gtin[1 : 1 + prefix_digits]}.{gtin[0]}")


@given(digits=st.text("0123456789", min_size=17, max_size=17), prefix_digits=PREFIXES)
def test_a_pallet_is_what_was_written(digits: str, prefix_digits: int | None) -> None:
    sscc = digits + check_digit(digits)
    found = identify(write_sscc(sscc, prefix_digits))
    assert (found.sscc, found.scheme) == (sscc, "sscc+" if prefix_digits is None else "sscc-96")


@pytest.mark.parametrize(
    ("gtin", "serial", "prefix_digits", "why"),
    [
        ("80614141123459", "1", 7, "check digit of 80614141123459 should be 8"),
        ("8061414112345", "1", 7, "check digit"),
        ("806141411234580", "1", 7, "expected 8 or 12 or 13 or 14 digits"),
        ("٨0614141123458", "1", 7, "is not a GTIN"),
        ("80614141123458", "", 7, "1 to 20 characters"),
        ("80614141123458", "x" * 21, 7, "1 to 20 characters"),
        ("80614141123458", "a b", 7, "not allowed"),
        ("80614141123458", "1", 5, "6 to 12"),
        ("80614141123458", "1", 13, "6 to 12"),
    ],
)
def test_a_key_that_is_wrong_is_told(gtin: str, serial: str, prefix_digits: int, why: str) -> None:
    with pytest.raises(BadEpc, match=why):
        write_sgtin(gtin, serial, prefix_digits)
    with pytest.raises(BadEpc, match="check digit"):
        write_sscc("106141412345678909", 7)
