"""EPCIS documents as partners send them: good, bad and hostile, as ASNs."""

import copy
import json
import typing

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ledgersite import SITE

from contract.epc import identify
from contract.epc_writing import write_sgtin, write_sscc
from gateway import records
from gateway.documents import asn
from gateway.documents.itemmaster import ItemMaster
from gateway.epcis.document import document, encoded
from gateway.epcis.events import CONTEXT
from gateway.epcis.incoming import TagForm
from gateway.epcis.mapping import events_of
from gateway.epcis.names import Names
from gateway.errors import BadBody
from gateway.ledger.house import House
from gateway.records import AsnReceived

MASTER = ItemMaster(House(SITE))
NOW = 1_760_000_000_000_000
Json = dict[str, typing.Any]

LEMON_1, LEMON_2 = (write_sgtin("09506000134352", serial, 7) for serial in "12")
PALLET = write_sscc("095060000000000015", 7)
LEMON = "urn:epc:id:sgtin:9506000.013435."
SSCC = "urn:epc:id:sscc:9506000.0000000001"
ADVICE = {"type": "desadv", "bizTransaction": "urn:epcglobal:cbv:bt:9506000111117:4711"}
ORDER = {"type": "po", "bizTransaction": "urn:epcglobal:cbv:bt:9506000999990:PO-188"}
WHEN = {"eventTime": "2026-11-22T10:00:00Z", "eventTimeZoneOffset": "+01:00", "action": "OBSERVE"}


def shipping(**changes: object) -> Json:
    event = {
        "type": "ObjectEvent",
        **WHEN,
        "bizStep": "shipping",
        "epcList": [SSCC],
        "bizTransactionList": [ADVICE, ORDER],
        "sourceList": [
            {"type": "location", "source": "urn:epc:id:sgln:9506000.11111.0"},
            {"type": "possessing_party", "source": "urn:epc:id:pgln:9506000.11111"},
        ],
    }
    return {key: value for key, value in (event | changes).items() if value is not None}


def packing(**changes: object) -> Json:
    children = {"parentID": SSCC, "childEPCs": [LEMON + "1", LEMON + "2"]}
    return {"type": "AggregationEvent", **WHEN, "bizStep": "packing", "action": "ADD", **children, **changes}


def body(*events: object, **changes: object) -> Json:
    head = {"@context": [CONTEXT], "type": "EPCISDocument", "schemaVersion": "2.0", "creationDate": WHEN["eventTime"]}
    return {**head, "epcisBody": {"eventList": list(events)}, **changes}


def read(document_: object, form: TagForm = TagForm()) -> tuple[AsnReceived, ...]:  # noqa: B008
    data = document_ if isinstance(document_, bytes) else json.dumps(document_).encode()
    return asn.from_epcis(data, MASTER, NOW, "north", form)


def mistakes(document_: object) -> list[str]:
    with pytest.raises(BadBody) as caught:
        read(document_)
    return [str(mistake) for mistake in caught.value.mistakes]


def test_a_pallet_that_is_shipped_brings_the_cases_that_were_packed_on_it() -> None:
    [one] = read(body(packing(), shipping()))
    assert (one.id, one.order, one.direction) == ("9506000111117:4711", "PO-188", "inbound")
    assert (one.partner, one.at_us) == ("urn:epc:id:pgln:9506000.11111", NOW)
    assert [(case.epc, case.sscc) for case in one.cases] == [(LEMON_1, PALLET), (LEMON_2, PALLET)]


def test_what_was_taken_off_a_pallet_again_does_not_come_with_it() -> None:
    off = packing(action="DELETE", bizStep="unpacking", childEPCs=["https://id.gs1.org/01/09506000134352/21/2"])
    [one] = read(body(packing(), off, shipping()))
    assert [case.epc for case in one.cases] == [LEMON_1]
    assert "eventList[2].epcList[0]: no aggregation event says" in str(
        mistakes(body(packing(), {**packing(action="DELETE"), "childEPCs": []}, shipping()))
    )


def test_a_pallet_that_is_observed_again_does_not_hold_twice_as_much() -> None:
    counted = [{"epcClass": "urn:epc:idpat:sgtin:9506000.013435.*", "quantity": 10}]
    packed = packing(childEPCs=[], childQuantityList=counted)
    [one] = read(body(packed, packing(action="OBSERVE", childQuantityList=counted), shipping()))
    assert ([line.units for line in one.lines], len(one.cases)) == ([12], 2)
    [told] = mistakes(body(packed, packing(action="DELETE", childQuantityList=counted), shipping()))
    assert told.startswith("epcisBody.eventList[1]: units that are only counted are taken off a pallet")


def test_units_that_are_only_counted_are_lines_which_count_the_named_cases_too() -> None:
    counted = [
        {"epcClass": "urn:epc:class:lgtin:9506000.013435.L1", "quantity": 10.0},
        {"epcClass": "urn:epc:idpat:sgtin:9506000.013436.*", "quantity": 4},
        {"epcClass": "https://id.gs1.org/01/9506000134369", "quantity": 2, "uom": "EA"},
    ]
    [one] = read(body(shipping(epcList=[LEMON + "1"], quantityList=counted)))
    assert [(line.sku, line.units, line.lot) for line in one.lines] == [
        ("lemon-4kg", 11, "L1"),
        ("tomato-tray", 6, None),
    ]
    assert [case.epc for case in one.cases] == [LEMON_1]
    [stacked] = read(body(packing(childEPCs=[], childQuantityList=counted[:1]), shipping()))
    assert [(line.sku, line.units) for line in stacked.lines] == [("lemon-4kg", 10)]


@pytest.mark.parametrize(
    "step",
    ["departing", "urn:epcglobal:cbv:bizstep:shipping", "https://ref.gs1.org/cbv/BizStep-shipping"],
)
def test_a_word_may_be_written_in_any_way_that_the_standard_knows(step: str) -> None:
    advice = ADVICE | {"type": "cbv:BTT-desadv"}
    [one] = read(body(packing(), shipping(bizStep=step, bizTransactionList=[advice])))
    assert (one.id, one.order, len(one.cases)) == ("9506000111117:4711", None, 2)


def test_several_events_of_one_despatch_advice_are_one_shipment_and_the_same_goods_count_once() -> None:
    goods = {
        "epcList": [LEMON + "1"],
        "quantityList": [{"epcClass": "urn:epc:idpat:sgtin:9506000.013436.*", "quantity": 4}],
    }
    [one] = read(body(shipping(**goods), shipping(bizStep="departing", **goods), shipping(epcList=[LEMON + "2"])))
    assert [case.epc for case in one.cases] == [LEMON_1, LEMON_2]
    assert [(line.sku, line.units) for line in one.lines] == [("tomato-tray", 4)]
    other = {"bizTransaction": "urn:epcglobal:cbv:bt:9506000111117:4712", "type": "desadv"}
    two = read(body(shipping(epcList=[LEMON + "1"]), shipping(epcList=[LEMON + "2"], bizTransactionList=[other])))
    assert [one.id for one in two] == ["9506000111117:4711", "9506000111117:4712"]


def test_digital_links_are_tags_of_the_form_that_the_partner_uses() -> None:
    event = shipping(epcList=["https://example.com/01/9506000134352/21/1?linkType=all"])
    assert read(body(event))[0].cases[0].epc == write_sgtin("09506000134352", "1")
    form = TagForm(case_filter=1, prefix_digits=7)
    assert read(body(event), form)[0].cases[0].epc == write_sgtin("09506000134352", "1", 7, filter_value=1)


def test_what_we_export_of_a_shipment_is_read_as_the_same_shipment() -> None:
    for direction in ("inbound", "outbound"):
        cases = (records.AsnCase(epc=LEMON_1, sscc=PALLET), records.AsnCase(epc=LEMON_2))
        lines = (records.AsnLine(sku="lemon-4kg", units=5), records.AsnLine(sku="tomato-tray", units=2, lot="L/1"))
        said = {
            "direction": direction,
            "partner": "Hongda Fruit 鸿达",
            "order": "PO 1:2",
            "cases": cases,
            "lines": lines,
        }
        told = AsnReceived(at_us=NOW, id="ASN 4711", **said)  # type: ignore[arg-type]
        row = records.LogRow(
            id=1,
            agent="gateway",
            epoch="e",
            seq=1,
            kind="asn_received",
            at_us=NOW,
            decided_us=NOW,
            recorded_us=NOW,
            body=b"",
        )
        events = map(encoded, events_of(Names(SITE), row, told))
        assert read(b"".join(document(events, NOW))) == (told,)


@pytest.mark.parametrize(
    ("sent", "says"),
    [
        (b"<epcis:EPCISDocument/>", "body: this is XML: expected an EPCIS 2.0 document in JSON-LD"),
        (b"\xff\xfe", "body: not JSON"),
        (b"[" * 5000, "body: not JSON: recursion limit"),
        ([], "body: expected the type 'EPCISDocument', not 'nothing'"),
        (body(type="EPCISQueryDocument"), "type: expected the type 'EPCISDocument', not 'EPCISQueryDocument'"),
        (body(schemaVersion="1.2"), "schemaVersion: expected schemaVersion 2.0, not '1.2'"),
        (body(**{"@context": {"bizStep": "https://evil.example/"}}), "@context: expected the EPCIS context"),
        (body(epcisBody=[]), "epcisBody: expected an object with an eventList"),
        (body(epcisBody={"eventList": {}}), "epcisBody.eventList: expected a list"),
        (body(7), "epcisBody.eventList[0]: expected an event, which is an object"),
        (body(), "epcisBody.eventList: no event of shipping or departing names a despatch advice"),
        (body(packing()), "epcisBody.eventList: no event of shipping or departing names a despatch advice"),
    ],
)
def test_what_is_no_epcis_document_is_refused_in_words(sent: object, says: str) -> None:
    [told] = mistakes(sent)
    assert told.startswith(says)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"epcList": ["urn:epc:id:sgtin:9506000.013499.1"]}, ".epcList[0]: * has GTIN 09506000134994, which is"),
        ({"epcList": [7]}, ".epcList[0]: expected the SGTIN of a case or the SSCC of a pallet, not 7"),
        ({"epcList": ["urn:epc:id:sgtin:9506000.1.1"]}, ".epcList[0]: 'urn:epc:id:sgtin:9506000.1.1' is malformed"),
        ({"epcList": [LEMON + "%00"]}, ".epcList[0]: '\\x00' is not allowed"),
        ({"epcList": ["https://id.gs1.org/01/09506000134353/21/1"]}, ".epcList[0]: the check digit"),
        ({"epcList": "all"}, ".epcList: expected a list"),
        ({"epcList": [SSCC]}, ".epcList[0]: no aggregation event says what stands on this pallet"),
        ({"bizTransactionList": [ORDER]}, ": expected one despatch advice (bizTransaction of type desadv), not 0"),
        ({"bizTransactionList": [ADVICE, ADVICE | {"bizTransaction": "urn:x:2"}]}, ": expected one despatch advice"),
        ({"bizTransactionList": [{"bizTransaction": 7}]}, ".bizTransactionList[0].bizTransaction: expected a text"),
        ({"sourceList": None}, ".sourceList: field required"),
        ({"sourceList": [{"type": "location", "source": "x" * 101}]}, ".sourceList[0].source: string should have"),
        ({"bizStep": ["shipping"]}, ".bizStep: expected a text"),
        ({"bizStep": "void_shipping"}, ": a shipment is taken back"),
        ({"errorDeclaration": {"declarationTime": "2026-11-22T10:00:00Z"}}, ": declares an error"),
    ],
)  # fmt: skip
def test_every_mistake_of_an_event_is_told_with_its_place(changes: Json, says: str) -> None:
    place, _, text = says.partition(" * ")
    told = mistakes(body(shipping(**({"epcList": [LEMON + "1"]} | changes))))
    assert any(one.startswith(f"epcisBody.eventList[0]{place}") and text in one for one in told), told


@pytest.mark.parametrize(
    ("quantity", "says"),
    [
        ({"quantity": 10**9}, "input should be less than or equal to 1000000"),
        ({"quantity": 1e300}, "input should be less than or equal to 1000000"),
        ({"quantity": 1.5}, "expected a whole number above 0, not 1.5"),
        ({"quantity": -1}, "expected a whole number above 0, not -1"),
        ({"quantity": True}, "expected a whole number above 0, not True"),
        ({"quantity": None}, "expected an epcClass and a quantity"),
        ({"uom": "KGM", "quantity": 2}, "expected pieces, not 'KGM'"),
        ({"epcClass": "urn:epc:idpat:sgtin:9506000.013499.*", "quantity": 1}, "GTIN 09506000134994 is no item of"),
        ({"epcClass": LEMON + "1", "quantity": 1}, "expected the class of a product"),
    ],
)  # fmt: skip
def test_a_quantity_is_of_pieces_of_known_products(quantity: Json, says: str) -> None:
    element = {"epcClass": "urn:epc:idpat:sgtin:9506000.013435.*", **quantity}
    [told] = mistakes(body(shipping(epcList=[], quantityList=[element])))
    assert told.startswith("epcisBody.eventList[0].quantityList[0]")
    assert says in told


def test_events_of_one_shipment_may_not_contradict_each_other() -> None:
    other = [{"type": "possessing_party", "source": "urn:epc:id:pgln:9506000.22222"}]
    told = mistakes(body(shipping(epcList=[LEMON + "1"]), shipping(epcList=[LEMON + "2"], sourceList=other)))
    assert told == [
        "epcisBody.eventList[1].sourceList[0].source: partner 'urn:epc:id:pgln:9506000.22222', "
        "but an earlier event of the same shipment says 'urn:epc:id:pgln:9506000.11111'"
    ]


def test_pallets_on_themselves_and_towers_of_pallets_end() -> None:
    def at(serial: int) -> str:
        return f"urn:epc:id:sscc:9506000.{serial:010d}"

    tower = [packing(parentID=at(n), childEPCs=[at(n + 1)]) for n in range(5000)]
    [high] = read(body(*tower, packing(parentID=at(5000)), shipping(epcList=[at(0)])))
    [top] = {case.sscc for case in high.cases}
    assert top is not None
    assert identify(top).uri == at(5000)
    [round_] = read(body(packing(childEPCs=[SSCC, LEMON + "1"]), shipping()))
    assert [case.epc for case in round_.cases] == [LEMON_1]


def test_more_cases_than_a_shipment_may_have_are_refused() -> None:
    many = [f"{LEMON}{serial}" for serial in range(asn.MAX_CASES + 1)]
    [told] = mistakes(body(shipping(epcList=many)))
    assert "at most 10000" in told


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8)
    | st.sampled_from([SSCC, LEMON + "1", "urn:epc:id:sgtin:", "https://id.gs1.org/01/", "shipping", "ObjectEvent"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["id", "type"]), inner, max_size=2),
    max_leaves=6,
)  # fmt: skip


@settings(max_examples=300)
@given(st.data())
def test_any_spoilt_document_is_read_or_refused_with_places(data: st.DataObject) -> None:
    spoilt = copy.deepcopy(body(packing(), shipping(), shipping(epcList=[LEMON + "9"])))
    for _ in range(data.draw(st.integers(1, 3))):
        node: typing.Any = spoilt
        while isinstance(node, dict | list) and node:
            key = data.draw(st.sampled_from(sorted(node) if isinstance(node, dict) else range(len(node))))
            if not isinstance(node[key], dict | list) or data.draw(st.booleans()):
                node[key] = data.draw(VALUES)
                break
            node = node[key]
    try:
        for record in read(spoilt):
            assert msgspec.json.decode(msgspec.json.encode(record), type=AsnReceived) == record
    except BadBody as error:
        refused = error.mistakes
    else:
        return
    assert refused
    assert all(mistake.place and mistake.text for mistake in refused)
