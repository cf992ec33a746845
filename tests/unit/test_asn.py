"""What partners send: good, bad and hostile bodies."""

import contextlib
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ledgersite import SITE, case, pallet

from gateway.documents import asn, openingbalance
from gateway.documents.itemmaster import ItemMaster
from gateway.errors import BadBody
from gateway.ledger.house import House
from gateway.records import AsnReceived

MASTER = ItemMaster(House(SITE))
NOW = 1_760_000_000_000_000
COLUMNS = "shipment,direction,partner,door,order,epc,sscc,sku,units"


def body(**changes: object) -> dict[str, object]:
    shipment: dict[str, object] = {
        "id": "ASN 4711",
        "direction": "inbound",
        "partner": "Hongda Fruit 鸿达",
        "cases": [{"epc": case(0, 1), "sscc": pallet(1)}, {"epc": case(1, 2).upper()}],
    }
    return {key: value for key, value in (shipment | changes).items() if value is not None}


def read(value: object) -> tuple[AsnReceived, ...]:
    return asn.from_json(json.dumps(value).encode(), MASTER, NOW)


def mistakes(data: bytes, *, csv: bool = False) -> list[str]:
    with pytest.raises(BadBody) as caught:
        (asn.from_csv if csv else asn.from_json)(data, MASTER, NOW)
    return [str(mistake) for mistake in caught.value.mistakes]


def json_mistakes(value: object) -> list[str]:
    return mistakes(json.dumps(value).encode())


def test_one_object_and_a_list_of_them_are_read_alike() -> None:
    [one] = read(body())
    [same, other] = read([body(), body(id="ASN-4712", door="dock-1", order="PO-1")])
    assert one == same
    assert [case.epc for case in one.cases] == [case(0, 1), case(1, 2)]
    assert (one.at_us, one.cases[0].sscc, one.cases[1].sscc) == (NOW, pallet(1), None)
    assert (other.door, other.order) == ("dock-1", "PO-1")


def test_a_csv_says_the_same_as_the_json() -> None:
    text = f"""\ufeff{COLUMNS}\r
ASN 4711,inbound,Hongda Fruit 鸿达,,,{case(0, 1)},{pallet(1)},lemon-4kg,1\r
\r
ASN 4711,,,,,{case(1, 2).upper()},,,\r
"ASN-4712",outbound,"Shop, the",dock-2,,,,tomato-tray,12\r
"""
    [cases, lines] = asn.from_csv(text.encode(), MASTER, NOW)
    assert cases == read(body())[0]
    assert (lines.partner, lines.door, lines.lines[0].sku, lines.lines[0].units) == (
        "Shop, the",
        "dock-2",
        "tomato-tray",
        12,
    )


def test_columns_may_stand_in_any_order_and_be_left_out() -> None:
    [one] = asn.from_csv(b"units,SKU,partner,direction,shipment\n3,lemon-4kg,P,inbound,A1\n", MASTER, NOW)
    assert (one.id, one.lines[0].units) == ("A1", 3)


def test_every_mistake_of_a_json_is_told_at_once_with_its_place() -> None:
    told = json_mistakes(
        [
            body(direction="sideways", extra=1),
            body(id="B", door="dock-9", cases=[{"epc": "xyz"}, {"epc": case(0, 1), "sscc": "106141412345678908"}]),
            body(id="C", cases=[{"epc": case(0, 1)}, {"epc": case(0, 1)}, {"epc": pallet(1)}, {"epc": "00" * 12}]),
            body(id="D", lines=[{"sku": "lemon", "units": 1}, {"sku": "lemon-4kg", "units": "7"}]),
            body(id="E", cases=None),
            body(id="F"),
            body(id="F"),
        ]
    )
    places = [line.split(": ")[0] for line in told]
    assert places[:2] == ["[0].direction", "[0].extra"]
    assert "[1].cases[0].epc" in places
    assert told[places.index("[2].cases[1].epc")].endswith("stands here twice")
    assert "[3].lines[1].units" in places
    assert any("neither cases nor lines" in line for line in told)
    assert any(line.startswith("[6].id") and "stands here twice" in line for line in told)


def test_names_that_the_site_does_not_know_are_named_with_the_nearest() -> None:
    told = json_mistakes(body(door="dock-9", lines=[{"sku": "lemon", "units": 1}], cases=[{"epc": pallet(1)}]))
    assert told[0].startswith("door: no door is called 'dock-9': did you mean 'dock-")
    assert told[1] == "lines[0].sku: no SKU is called 'lemon': did you mean 'lemon-4kg'?"
    assert "expected the SGTIN of a case" in told[2]


def test_tags_of_other_kinds_are_told_apart() -> None:
    foreign = f"{(0x30 << 88) | (1 << 85) | (5 << 82) | (614141 << 58) | (812345 << 38) | 6789:024x}"
    cases = [{"epc": foreign}, {"epc": "e2" * 12}, {"epc": case(0, 1), "sscc": case(0, 2)}]
    told = json_mistakes(body(cases=cases))
    assert "has GTIN 80614141123458, which is no item of this site" in told[0]
    assert "no GS1 tag encoding" in told[1]
    assert "expected the SSCC of a pallet" in told[2]


def test_the_bare_number_of_a_pallet_is_no_tag() -> None:
    [told] = json_mistakes(body(cases=[{"epc": case(0, 1), "sscc": "106141412345678908"}]))
    assert told == (
        "cases[0].sscc: 106141412345678908 is the bare SSCC-18: expected the EPC of the pallet's tag, in hexadecimal"
    )


def test_every_bad_row_of_a_csv_is_named_by_its_line() -> None:
    text = f"""{COLUMNS}
A,inbound,P,,,{case(0, 1)},,,
A,outbound,P,,,{case(0, 1)},,,
A,inbound,P,,,{case(0, 2)},,tomato-tray,
A,inbound,P,,,{case(0, 3)},,,5
A,inbound,P,,,,,,
A,inbound,P,,,,,lemon-4kg,-3
A,inbound,P,,
,inbound,P,,,{case(0, 4)},,,
B,,P,,,zz,,,
"""
    told = mistakes(text.encode(), csv=True)
    assert {int(line.split()[1].strip(":,")) for line in told} == {3, 4, 5, 6, 7, 8, 9, 10}
    assert any("line 3, column direction: 'outbound', but line 2 says 'inbound'" in line for line in told)
    assert any(line.startswith("line 3, column epc") and "stands here twice" in line for line in told)
    assert any("is a case of 'lemon-4kg', not of 'tomato-tray'" in line for line in told)
    assert "line 8: 5 cells under 9 columns" in told
    assert "line 9, column shipment: is empty" in told


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "line 1: expected a header"),
        (b"\n\n", "line 1: expected a header"),
        (b"shipment;direction;partner\n", "separate them by ','"),
        (b"shipment,direction,partner,epcc\n", "unknown column 'epcc': did you mean 'epc'?"),
        (b"shipment,direction,partner,epc,epc\n", "column 'epc' stands twice"),
        (b"shipment,epc\n", "column 'direction' is missing"),
        (b"shipment,direction,partner\n\xff\xfe,inbound,P\n", "line 2: not UTF-8 at byte"),
        (b'shipment,direction,partner\n"A,inbound,P\n', "not CSV"),
        (b"shipment,direction,partner\n" + b"A" * 200_000 + b",inbound,P\n", "not CSV"),
        (b"shipment,direction,partner\n", "expected at least one shipment"),
    ],
)
def test_a_csv_that_cannot_be_read_says_where(data: bytes, said: str) -> None:
    assert said in "\n".join(mistakes(data, csv=True))


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "not JSON"),
        (b"[]", "not an empty list"),
        (b"7", "body: "),
        (b'{"id": ', "not JSON: EOF while parsing"),
        (b'{"id": NaN}', "not JSON"),
        (b"[" * 100_000, "not JSON: recursion limit"),
        (b'{"id":"\\ud800"}', "not JSON"),
        (b"\xff", "not JSON"),
    ],
)
def test_a_json_that_cannot_be_read_says_so(data: bytes, said: str) -> None:
    assert said in "\n".join(mistakes(data))


@pytest.mark.parametrize("identity", ["..", ".", "a/b", " a", "a ", "", "x" * 101, "a\nb", "a\x00", 7, True, None])
def test_an_id_that_cannot_stand_in_a_path_is_refused(identity: object) -> None:
    assert json_mistakes({**body(), "id": identity})


def test_a_shipment_has_a_bounded_number_of_cases() -> None:
    cases = [{"epc": case(0, serial)} for serial in range(asn.MAX_CASES + 1)]
    [told] = json_mistakes(body(cases=cases))
    assert str(asn.MAX_CASES) in told


def test_an_opening_balance_comes_as_json_or_csv() -> None:
    items = [{"epc": case(0, 1), "zone": "receiving"}, {"epc": pallet(7), "zone": "cold-room"}]
    record = openingbalance.from_json(json.dumps(items).encode(), MASTER, "Ana", NOW)
    text = "zone,epc\n" + "".join(f"{item['zone']},{item['epc']}\n" for item in items)
    assert openingbalance.from_csv(text.encode(), MASTER, "Ana", NOW) == record
    assert [(item.epc, item.zone) for item in record.items] == [(item["epc"], item["zone"]) for item in items]


def test_mistakes_of_an_opening_balance_are_told_at_once() -> None:
    text = f"epc,zone\n{case(0, 1)},receiving\n{case(0, 1)},cold\n,receiving\nff,receiving\n{case(0, 2)},\n"
    with pytest.raises(BadBody) as caught:
        openingbalance.from_csv(text.encode(), MASTER, "Ana", NOW)
    told = [str(mistake) for mistake in caught.value.mistakes]
    assert {int(line.split()[1].strip(":,")) for line in told} == {3, 4, 5, 6}
    assert any("no zone is called 'cold'" in line for line in told)
    with pytest.raises(BadBody, match="at least one row"):
        openingbalance.from_csv(b"epc,zone\n", MASTER, "Ana", NOW)


@settings(max_examples=200, deadline=None)
@given(st.one_of(st.binary(max_size=300), st.text(max_size=200).map(lambda text: (COLUMNS + "\n" + text).encode())))
def test_garbage_is_refused_in_words_and_never_breaks(data: bytes) -> None:
    for form in (asn.from_csv, asn.from_json):
        with contextlib.suppress(BadBody):
            assert all(one.lines or one.cases for one in form(data, MASTER, NOW))


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 2**38 - 1)), min_size=1, max_size=20, unique=True),
    st.sampled_from(["inbound", "outbound"]),
    st.from_regex(r"\A[0-9A-Za-z鸿]([0-9A-Za-z_ .:+-]{0,20}[0-9A-Za-z达])?\Z"),
)
def test_a_shipment_in_both_forms_is_the_same_record(
    cases: list[tuple[int, int]], direction: str, identity: str
) -> None:
    epcs = [case(item, serial) for item, serial in cases]
    document = {"id": identity, "direction": direction, "partner": "P", "cases": [{"epc": epc} for epc in epcs]}
    text = "shipment,direction,partner,epc\n" + "".join(f"{identity},{direction},P,{epc}\n" for epc in epcs)
    assert asn.from_csv(text.encode(), MASTER, NOW) == read(document)


def test_a_header_of_a_hundred_thousand_columns_is_refused_at_once() -> None:
    header = ",".join(f"c{number}" for number in range(100_000))
    with pytest.raises(BadBody, match="100000 columns; known columns: shipment"):
        asn.from_csv(header.encode(), MASTER, 1)
