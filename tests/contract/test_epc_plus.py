"""The "+" schemes of TDS 2: the standard's own examples, round trips, and data that follows the key."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from contract.application_identifiers import FORMATS
from contract.epc import identify
from contract.epc_bits import padded
from contract.epc_plus import PLUS, write_plus
from contract.errors import BadEpc
from contract.gs1 import PART, TEXT, check_digit

HEADERS = {scheme.name: header for header, scheme in PLUS.items()}

# GS1 Tag Data Standard 2.3, annex E.3; filter value 3 but for the SSCC, nothing appended
EXAMPLES = [
    ("F73795211411234538566CB0AFC4", "sgtin+", "01/79521141123453/21/32a%2Fb"),
    ("FB342CDE795211411234538566CB0AFC4", "dsgtin+", "01/79521141123453/21/32a%2Fb"),
    ("F90095201234567891235", "sscc+", "00/095201234567891235"),
    ("F2395211411234548566CB0AFC4", "sgln+", "414/9521141123454/254/32a%2Fb"),
    ("F13095211411234548566CB0AFC4", "grai+", "8003/0952114112345432a%2Fb"),
    ("FA3952114132E83C2BF10", "giai+", "8004/952114132a%2Fb"),
    ("F43952114112345678906", "gsrn+", "8018/952114112345678906"),
    ("F53952114112345678906", "gsrnp+", "8017/952114112345678906"),
    ("F6395211411234540458B8", "gdti+", "253/95211411234545678"),
    ("F0395211415E87A145BAFB4D19A8C0E4", "cpi+", "8010/95211415PQ7%2FZ43/8011/12345"),
    ("F839521141678909509338", "sgcn+", "255/952114167890904711"),
    ("F3309521141123454010266AE27FDF35", "itip+", "8006/095211411234540102/21/rif981"),
]
# The same with a host name behind them. The standard prints F9 and F3, the headers of "+", for two of them.
HOSTED = [
    ("FD3795211411234538566CB0AFC525065F1876F0D996D800", "sgtin++", "01/79521141123453/21/32a%2Fb"),
    ("FC342CDE795211411234538566CB0AFC525065F1876F0D996D80", "dsgtin++", "01/79521141123453/21/32a%2Fb"),
    ("EF009520123456789123592832F8C3B786CCB6C0", "sscc++", "00/095201234567891235"),
    ("E9395211411234548566CB0AFC525065F1876F0D996D8000", "sgln++", "414/9521141123454/254/32a%2Fb"),
    ("EB3095211411234548566CB0AFC525065F1876F0D996D800", "grai++", "8003/0952114112345432a%2Fb"),
    ("EE3952114132E83C2BF1494197C61DBC3665B600", "giai++", "8004/952114132a%2Fb"),
    ("E7395211411234567890692832F8C3B786CCB6C0", "gsrn++", "8018/952114112345678906"),
    ("E8395211411234567890692832F8C3B786CCB6C0", "gsrnp++", "8017/952114112345678906"),
    ("EA395211411234540458BA4A0CBE30EDE1B32DB0", "gdti++", "253/95211411234545678"),
    ("E6395211415E87A145BAFB4D19A8C0E64A0CBE30EDE1B32DB000", "cpi++", "8010/95211415PQ7%2FZ43/8011/12345"),
    ("EC3952114167890950933C94197C61DBC3665B60", "sgcn++", "255/952114167890904711"),
    ("ED309521141123454010266AE27FDF3592832F8C3B786CCB6C00", "itip++", "8006/095211411234540102/21/rif981"),
]


@pytest.mark.parametrize(("epc", "scheme", "link"), [*EXAMPLES, *HOSTED], ids=lambda value: value[:8])
def test_the_standards_own_examples(epc: str, scheme: str, link: str) -> None:
    for digits in (epc, epc.lower() + "0" * (-len(epc) % 4)):
        found = identify(digits)
        assert (found.scheme, found.uri) == (scheme, f"https://id.gs1.org/{link}")
        assert found.filter == (0 if scheme.startswith("sscc") else 3)
        assert bool(found.unread) == scheme.endswith("++")
        assert found.data == ((("17", "220630"),) if scheme.startswith("dsgtin") else ())


@pytest.mark.parametrize(("epc", "scheme", "_"), EXAMPLES, ids=lambda value: value[:8])
def test_we_write_the_standards_own_examples(epc: str, scheme: str, _: str) -> None:
    found = identify(epc)
    assert found.filter is not None
    date = found.data[0] if found.data else None
    written = write_plus(HEADERS[scheme], found.elements, found.filter, date)
    assert written == epc.lower() + "0" * (-len(epc) % 4)


def test_cases_and_pallets_have_their_keys() -> None:
    case = identify("FB342CDE795211411234538566CB0AFC4")
    assert (case.gtin, case.serial, case.sscc) == ("79521141123453", "32a/b", None)
    assert identify("F90095201234567891235").sscc == "095201234567891235"
    assert identify("F3309521141123454010266AE27FDF35").piece == (1, 2)


# Round trips


def checked_digits(count: int, head: str = "") -> st.SearchStrategy[str]:
    return (
        st.text("0123456789", min_size=count - 1 - len(head), max_size=count - 1 - len(head))
        .map(lambda digits: head + digits)
        .map(lambda digits: digits + check_digit(digits))
    )


def texts(most: int) -> st.SearchStrategy[str]:
    """Of each of the character sets that has an encoding of its own."""
    sets = ["0123456789", "0123456789ABCDEF", "0123456789abcdef", "ABCabc012-_", "ABZ.:-019", "".join(sorted(TEXT))]
    return st.sampled_from(sets).flatmap(lambda characters: st.text(characters, min_size=1, max_size=most))


def digits(most: int) -> st.SearchStrategy[str]:
    return st.text("0123456789", min_size=1, max_size=most)


SERIAL = texts(20).filter(lambda text: text != "0")
PARTS = st.text(sorted(PART), max_size=20).map(lambda text: text.lstrip("0123456789"))
VALUES = {
    "00": checked_digits(18),
    "01": checked_digits(14),
    "21": SERIAL,
    "253": st.builds(str.__add__, checked_digits(13), texts(17)),
    "254": SERIAL,
    "255": st.builds(str.__add__, checked_digits(13), digits(12)),
    "414": checked_digits(13),
    "8003": st.builds(str.__add__, checked_digits(14, "0"), texts(16)),
    "8004": st.builds(str.__add__, digits(10), texts(20)),
    "8006": st.builds(str.__add__, checked_digits(14), st.text("0123456789", min_size=4, max_size=4)),
    "8010": st.builds(str.__add__, digits(10), PARTS),
    "8011": digits(12),
    "8017": checked_digits(18),
    "8018": checked_digits(18),
}
DATES = st.tuples(st.sampled_from(["11", "13", "15", "16", "17", "7006", "7007"]), st.dates()).map(
    lambda pair: (pair[0], f"{pair[1]:%y%m%d}") if pair[1].strftime("%m%d") != "0229" else (pair[0], "240229")
)


@given(data=st.data())
@pytest.mark.parametrize("header", [header for header, scheme in PLUS.items() if not scheme.host])
def test_what_is_written_is_read(header: int, data: st.DataObject) -> None:
    scheme = PLUS[header]
    elements = tuple((ai, data.draw(VALUES[ai])) for ai in scheme.ais)
    date = data.draw(DATES) if scheme.dated else None
    found = identify(write_plus(header, elements, data.draw(st.integers(0, 7)), date))
    assert (found.scheme, found.elements, found.unread) == (scheme.name, elements, "")
    assert found.data == (() if date is None else (date,))


@given(text=texts(20))
@example("0" * 20)
@example("A1")
def test_a_serial_takes_no_more_bits_than_in_ascii(text: str) -> None:
    epc = write_plus(HEADERS["sgtin+"], (("01", "09506000134352"), ("21", text)), 2)
    assert identify(epc).serial == text
    assert 4 * len(epc) < 8 + 4 + 56 + 8 + 7 * len(text) + 16


# Data behind the key

KEY = "111101110010" + "".join(f"{int(digit):04b}" for digit in "09506000134352") + "000" + "00011" + f"{123:010b}"
LOT = "00010000" + "101" + "00011" + f"{1600 * 1 + 40 * 2 + 3 + 1:016b}"
EXPIRY = "00010111" + f"{26:07b}{11:04b}{22:05b}"
WEIGHT = "0011000100000010" + f"{1250:020b}"


def tag(*parts: str) -> str:
    return padded(KEY.replace("1111011100", "1111011110", 1) + "".join(parts))


def test_lot_expiry_and_weight_are_read_behind_the_key() -> None:
    found = identify(tag(LOT, EXPIRY, WEIGHT))
    assert (found.gtin, found.serial) == ("09506000134352", "123")
    assert found.data == (("10", "ABC"), ("17", "261122"), ("3102", "001250"))
    assert found.unread == ""


@pytest.mark.parametrize(
    ("ai", "bits", "value"),
    [
        ("00", "".join(f"{int(digit):04b}" for digit in "095201234567891235"), "095201234567891235"),
        ("7003", f"{26:07b}{1:04b}{31:05b}{23:05b}{59:06b}", "2601312359"),
        ("7007", f"0{26:07b}{2:04b}{28:05b}", "260228"),
        ("7007", f"1{26:07b}{2:04b}{28:05b}{26:07b}{3:04b}{0:05b}", "260228260300"),
        ("8008", f"10{26:07b}{2:04b}{28:05b}{24:05b}{0:06b}{0:06b}", "260228240000"),
        ("8008", f"11{26:07b}{2:04b}{28:05b}", "260228"),
        ("4330", f"{1850:020b}1", "001850-"),
        ("4307", f"{2:06b}{13:06b}", "CN"),
        ("4321", "1", "1"),
        ("7258", "00010011", "1/3"),
        ("421", f"{156:010b}000" + f"0110{100080:020b}", "156100080"),
        ("37", f"0010{12:07b}", "12"),
        ("253", "".join(f"{int(digit):04b}" for digit in "9521141123454") + "00000000", "9521141123454"),
    ],
)
def test_every_kind_of_value_is_read(ai: str, bits: str, value: str) -> None:
    found = identify(tag("".join(f"{int(digit):04b}" for digit in ai), bits, EXPIRY))
    assert found.data == ((ai, value), ("17", "261122"))
    assert found.unread == ""


@pytest.mark.parametrize(
    "strange",
    ["1111111111", "0000001100000001", f"00010111{26:07b}{13:04b}{1:05b}", "0001000011000011", "00010000"],
    ids=["no digits", "no such identifier", "no date", "reserved encoding", "cut off"],
)
def test_data_that_say_nothing_to_us_are_kept_and_the_key_counts(strange: str) -> None:
    found = identify(tag(EXPIRY, strange + "1"))
    assert (found.gtin, found.serial) == ("09506000134352", "123")
    assert found.data == (("17", "261122"),)
    assert found.unread.startswith(strange + "1")


def test_identifiers_are_found_by_their_digits_alone() -> None:
    """No Application Identifier begins with another one."""
    assert [(ai, other) for ai in FORMATS for other in FORMATS if ai != other and other.startswith(ai)] == []


# What is refused


@pytest.mark.parametrize(
    ("epc", "why"),
    [
        ("F90095201234567891236", "check digit"),
        ("F7379521141123454A566CB0AFC4", "check digit"),
        ("F9009520123456789123A", "no number"),
        ("F7379521141123453", "cut off"),
        ("F73795211411234530000", "(21) is empty"),
        ("F7379521141123453D566CB0AFC4", "encoding indicator 6"),
        ("F7379521141123453 1FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF", "31 characters where 20 are the most"),
        ("F73795211411234530 1F0", "more than 1 digits"),
        ("FB372CDE795211411234538566CB0AFC4", "date type 7"),
        ("FB342DBE795211411234538566CB0AFC4", "no date"),
        ("FA3F", "digits, then other characters"),
        ("FA395C", "no digit"),
        ("FA3952114132E0230", "digits, then other characters"),
        ("F139521141123454008566CB0AFC4", "check digit"),
    ],
)
def test_what_is_no_epc_is_raw_and_says_why(epc: str, why: str) -> None:
    found = identify(epc.replace(" ", ""))
    assert found.scheme is None
    assert why in found.raw_because, found.raw_because


@pytest.mark.parametrize(
    ("scheme", "elements", "date"),
    [
        ("sgtin+", (("01", "09506000134351"), ("21", "1")), None),
        ("sgtin+", (("01", "9506000134352"), ("21", "1")), None),
        ("sgtin+", (("01", "09506000134352"), ("21", "")), None),
        ("sgtin+", (("01", "09506000134352"), ("21", "x" * 21)), None),
        ("sgtin+", (("01", "09506000134352"), ("21", "a b")), None),
        ("sgtin+", (("21", "1"), ("01", "09506000134352")), None),
        ("sgtin+", (("01", "09506000134352"), ("21", "1")), ("17", "220630")),
        ("dsgtin+", (("01", "09506000134352"), ("21", "1")), None),
        ("dsgtin+", (("01", "09506000134352"), ("21", "1")), ("17", "220631")),
        ("sgtin++", (("01", "09506000134352"), ("21", "1")), None),
        ("grai+", (("8003", "09521141123454"),), None),
        ("giai+", (("8004", "x1"),), None),
        ("cpi+", (("8010", "9521141pq"), ("8011", "1")), None),
        ("cpi+", (("8010", "9521141PQ"), ("8011", "1234567890123")), None),
    ],
)
def test_what_cannot_be_said_is_not_written(
    scheme: str, elements: tuple[tuple[str, str], ...], date: tuple[str, str] | None
) -> None:
    with pytest.raises(BadEpc):
        write_plus(HEADERS[scheme], elements, 0, date)
