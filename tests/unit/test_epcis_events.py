"""Rows of the log as EPCIS events: what partners read of a day at the site."""

import typing
from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest
from epcisrules import event_mistakes
from hypothesis import given, settings
from hypothesis import strategies as st
from ledgersite import LEMON, SECOND, SITE, START_US, STRAY, TOMATO, case, door_pass, load_pass, pallet
from logentries import entries

from contract import events
from contract.epc_writing import write_sgtin
from gateway import records
from gateway.epcis.document import encoded
from gateway.epcis.events import EpcisEvent
from gateway.epcis.hashid import hash_id, pre_hash
from gateway.epcis.mapping import RULES, UNTOLD, events_of
from gateway.epcis.names import Names
from gateway.records import LogEntry, LogRow, countrecords, stockrecords

NAMES = Names(SITE, {"melon": "09506000134390"})
A, B = case(LEMON, 1), case(TOMATO, 2)
A_URI, B_URI = "urn:epc:id:sgtin:9506000.013435.1", "urn:epc:id:sgtin:9506000.013436.2"
ROOT = "urn:x-truecount:north"
EXAMPLES = Path(__file__).parent.parent / "epcis_ids.json"


def row(entry: LogEntry, id_: int = 1, recorded_us: int = START_US + 9 * SECOND) -> LogRow:
    return LogRow(
        id=id_,
        agent="dock-edge",
        epoch="first",
        seq=id_,
        kind=msgspec.to_builtins(entry)["kind"],
        at_us=entry.at_us,
        decided_us=entry.at_us,
        recorded_us=recorded_us,
        body=msgspec.json.encode(entry),
    )


def as_json(event: EpcisEvent) -> dict[str, typing.Any]:
    return msgspec.json.decode(encoded(event))  # type: ignore[no-any-return]


def told(entry: LogEntry, names: Names = NAMES) -> list[dict[str, typing.Any]]:
    return [as_json(event) for event in events_of(names, row(entry), entry)]


def the(entry: LogEntry) -> dict[str, typing.Any]:
    [event] = told(entry)
    assert event_mistakes(event) == []
    return event


def test_what_comes_in_by_a_dock_door_is_received_and_what_goes_out_is_shipped() -> None:
    came = the(door_pass([A, B], START_US))
    assert came["type"] == "ObjectEvent"
    assert (came["action"], came["bizStep"], came["disposition"]) == ("OBSERVE", "receiving", "in_progress")
    assert came["epcList"] == [A_URI, B_URI]
    assert came["readPoint"] == {"id": f"{ROOT}:door:dock-1"}
    assert came["bizLocation"] == {"id": f"{ROOT}:zone:receiving"}
    assert (came["eventTime"], came["eventTimeZoneOffset"]) == ("2026-09-21T14:13:20.000Z", "+00:00")
    assert came["recordTime"] == "2026-09-21T14:13:29.000Z"
    went = the(door_pass(A, START_US, direction="outbound"))
    assert (went["bizStep"], went["disposition"]) == ("shipping", "in_transit")
    assert "bizLocation" not in went  # it is on its way: nobody expects it anywhere


def test_through_a_door_between_two_zones_it_is_stored_where_it_ends() -> None:
    inward = the(door_pass(A, START_US, door="cold-gate"))
    outward = the(door_pass(A, START_US, door="cold-gate", direction="outbound"))
    assert inward["bizStep"] == outward["bizStep"] == "storing"
    assert inward["bizLocation"] == {"id": f"{ROOT}:zone:cold-room"}
    assert outward["bizLocation"] == {"id": f"{ROOT}:zone:receiving"}


@pytest.mark.parametrize("seen", [door_pass(A, START_US, direction="unknown"), door_pass(A, START_US, door="gone")])
def test_a_pass_of_which_nobody_knows_what_it_means_is_a_sighting_and_no_more(seen: events.DoorPass) -> None:
    event = the(seen)
    assert event["epcList"] == [A_URI]
    assert not {"bizStep", "disposition", "bizLocation"} & event.keys()


def test_a_pallet_that_passes_with_its_cases_is_one_aggregation_event() -> None:
    event = the(load_pass(pallet(1), [A, B], at_us=START_US))
    assert event["type"] == "AggregationEvent"
    assert event["parentID"] == "urn:epc:id:sscc:9506000.0000000001"
    assert event["childEPCs"] == [A_URI, B_URI]
    alone = the(load_pass(pallet(1), [], at_us=START_US))
    assert (alone["type"], alone["epcList"]) == ("ObjectEvent", ["urn:epc:id:sscc:9506000.0000000001"])


def test_a_tag_that_is_no_epc_names_no_object_and_two_tags_of_one_object_name_it_once() -> None:
    other_filter = write_sgtin(SITE.items[LEMON].gtin, "1", 7, filter_value=3)
    assert other_filter != A
    assert the(door_pass([STRAY, A, other_filter], START_US))["epcList"] == [A_URI]
    assert told(door_pass(STRAY, START_US)) == []


def test_a_plus_tag_is_called_by_its_digital_link() -> None:
    event = the(door_pass(write_sgtin("09506000134352", "A/1"), START_US))
    assert event["epcList"] == ["https://id.gs1.org/01/09506000134352/21/A%2F1"]


def condition(quantity: typing.Any, value: float) -> events.Condition:
    return events.Condition(
        at_us=START_US, decided_us=START_US, device="probe 1", zone="cold-room", quantity=quantity, value=value
    )


def test_temperature_and_humidity_are_sensor_reports_with_units() -> None:
    event = the(condition("temperature_c", 3.5))
    assert (event["bizStep"], event["readPoint"]) == ("sensor_reporting", {"id": f"{ROOT}:zone:cold-room"})
    [element] = event["sensorElementList"]
    assert element["sensorMetadata"] == {"deviceID": f"{ROOT}:device:probe%201"}
    assert element["sensorReport"] == [{"type": "Temperature", "value": 3.5, "uom": "CEL"}]
    [humid] = the(condition("humidity_pct", 70))["sensorElementList"][0]["sensorReport"]
    assert (humid["type"], humid["uom"]) == ("RelativeHumidity", "P1")
    assert told(condition("door_open", 1)) == []


def asn(**changes: typing.Any) -> records.AsnReceived:
    said = {
        "at_us": START_US,
        "id": "4711",
        "direction": "inbound",
        "partner": "Hongda Fruit 鸿达",
        "order": "PO-188",
        "cases": (records.AsnCase(epc=A, sscc=pallet(1)), records.AsnCase(epc=B)),
        "lines": (records.AsnLine(sku="lemon-4kg", units=5), records.AsnLine(sku="nuts", units=2)),
    }
    return records.AsnReceived(**(said | changes))


def test_an_asn_links_its_goods_to_despatch_advice_and_order_and_its_cases_to_their_pallet() -> None:
    linked, stacked = told(asn())
    assert event_mistakes(linked) == event_mistakes(stacked) == []
    assert (linked["type"], linked["action"], linked["epcList"]) == ("TransactionEvent", "ADD", [A_URI, B_URI])
    assert linked["bizTransactionList"] == [
        {"type": "desadv", "bizTransaction": f"{ROOT}:doc:4711"},
        {"type": "po", "bizTransaction": f"{ROOT}:doc:PO-188"},
    ]
    assert linked["quantityList"] == [  # five lemons, one of which is named
        {"epcClass": "https://id.gs1.org/01/09506000134352", "quantity": 4},
        {"epcClass": f"{ROOT}:class:nuts", "quantity": 2},
    ]
    party = f"{ROOT}:party:Hongda%20Fruit%20%E9%B8%BF%E8%BE%BE"
    assert linked["sourceList"] == [{"type": "possessing_party", "source": party}]
    assert (stacked["type"], stacked["childEPCs"]) == ("AggregationEvent", [A_URI])
    [linked, _] = told(asn(direction="outbound", id="9506000111117:47/11", order=None))
    assert linked["destinationList"] == [{"type": "possessing_party", "destination": party}]
    assert linked["bizTransactionList"][0]["bizTransaction"] == "urn:epcglobal:cbv:bt:9506000111117:47%2F11"


def test_an_opening_balance_is_told_zone_by_zone() -> None:
    items = tuple(records.ImportedItem(epc=epc, zone=zone) for epc, zone in ((A, "receiving"), (B, "cold-room")))
    units = (records.ImportedUnits(sku="melon", zone="receiving", units=3, lot="L 1"),)
    first, second = told(records.ItemsImported(at_us=START_US, who="Ana", items=items, units=units))
    assert event_mistakes(first) == event_mistakes(second) == []
    assert (first["bizStep"], first["epcList"]) == ("stock_taking", [A_URI])
    assert first["quantityList"] == [{"epcClass": f"{ROOT}:class:melon:L%201", "quantity": 3}]  # no lot of GS1's
    assert second["bizLocation"] == {"id": f"{ROOT}:zone:cold-room"}


def test_what_people_move_is_told_by_its_reason() -> None:
    def moved(reason: typing.Any, target: str | None, origin: str | None = None) -> stockrecords.StockMoved:
        line = stockrecords.MovedLine(target=target, origin=origin, sku="melon", units=3, lot="L1")
        case_ = stockrecords.MovedLine(target=target, origin=origin, epcs=(A,))
        return stockrecords.StockMoved(
            at_us=START_US, who="Ana", reason=reason, shipment="4711", lines=(line, case_, line)
        )

    pick = the(moved("pick", "receiving", "cold-room"))
    assert (pick["bizStep"], pick["readPoint"]["id"]) == ("picking", f"{ROOT}:zone:cold-room")
    assert pick["quantityList"] == [{"epcClass": "https://id.gs1.org/01/09506000134390/10/L1", "quantity": 6}]
    assert (pick["epcList"], pick["bizLocation"]["id"]) == ([A_URI], f"{ROOT}:zone:receiving")
    scrap = the(moved("scrap", None, "cold-room"))
    assert (scrap["action"], scrap["disposition"], "bizLocation" in scrap) == ("DELETE", "destroyed", False)
    assert told(moved("correction", "receiving")) == []


def test_inspections_and_dispositions_are_of_what_has_a_name() -> None:
    def inspected(subject: str, verdict: typing.Any) -> events.Inspection:
        at = {"at_us": START_US, "decided_us": START_US, "line": "line-a", "score": 0.5, "model": "m"}
        return events.Inspection(subject=subject, verdict=verdict, **at)  # type: ignore[arg-type]

    item = the(inspected(A.upper(), "defective"))
    assert (item["bizStep"], item["disposition"], item["epcList"]) == ("inspecting", "non_conformant", [A_URI])
    assert told(inspected("line-a-5f0c-187", "defective")) == []
    lot = the(records.LotBegun(at_us=START_US, line="line-a", lot="L1", sku="lemon-4kg", who="Ana"))
    assert lot["quantityList"] == [{"epcClass": "https://id.gs1.org/01/09506000134352/10/L1"}]
    held = stockrecords.DispositionSet(at_us=START_US, who="Ana", why="wet", disposition="damaged", epcs=(A,))
    assert the(held)["disposition"] == "damaged"
    expired = the(stockrecords.LotExpired(at_us=START_US, sku="melon", lot="L1", expires="2026-11-22"))
    assert expired["disposition"] == "expired"


def test_a_count_is_told_once_it_is_accepted_and_as_of_its_moment() -> None:
    line = countrecords.Expected(sku="melon", counted=2, expected=3)
    none = countrecords.Expected(sku="lemon-4kg", counted=0, expected=1)
    said = {"at_us": START_US, "id": "C1", "as_of_us": START_US - SECOND, "lines": (line, none)}
    assert told(countrecords.CountSubmitted(at_us=START_US, id="C1", counter="Bo")) == []
    event = the(countrecords.CountCompleted(**said))
    assert (event["bizStep"], event["eventTime"]) == ("cycle_counting", "2026-09-21T14:13:19.000Z")
    assert event["quantityList"] == [{"epcClass": "https://id.gs1.org/01/09506000134390", "quantity": 2}]


def test_every_kind_of_the_log_is_told_or_left_out_on_purpose() -> None:
    kinds = set(typing.get_args(LogEntry))
    assert RULES.keys() | UNTOLD.keys() == kinds
    assert not RULES.keys() & UNTOLD.keys()
    assert all(UNTOLD.values())


def test_the_ids_are_those_that_two_other_implementations_give() -> None:
    for example in msgspec.json.decode(EXAMPLES.read_bytes()):
        assert hash_id(example["event"]) == example["id"], pre_hash(example["event"])


def test_the_id_follows_from_what_the_event_says_and_from_nothing_else() -> None:
    entry = door_pass([A, B], START_US)
    [one] = events_of(NAMES, row(entry), entry)
    later = row(entry, 77, START_US + 99 * SECOND)
    [again] = events_of(NAMES, later, entry)
    assert (one.event_id, one.record_time != again.record_time) == (again.event_id, True)
    json = as_json(one)
    assert hash_id(json | {"epcList": [B_URI, A_URI]}) == one.event_id
    assert hash_id(json | {"epcList": [B_URI, "https://example.com/01/9506000134352/21/1?17=260101"]}) == one.event_id
    assert hash_id(json | {"eventTime": "2026-09-21T22:13:20+08:00"}) == one.event_id
    assert hash_id(json | {"action": "ADD"}) != one.event_id


@settings(max_examples=300)
@given(entries(), st.integers(0, 4_102_444_800_000_000))
def test_any_row_gives_valid_events_or_none(entry: LogEntry, recorded_us: int) -> None:
    made = events_of(NAMES, row(entry, recorded_us=recorded_us), entry)
    json = [as_json(event) for event in made]
    assert [event_mistakes(event) for event in json] == [[]] * len(json)
    assert [event["eventID"] for event in json] == [hash_id(event) for event in json]
    assert made == events_of(
        NAMES, row(entry, recorded_us=recorded_us), msgspec.json.decode(msgspec.json.encode(entry), type=LogEntry)
    )
    if type(entry) in UNTOLD:
        assert not made


@settings(max_examples=50)
@given(st.lists(entries(tuple(RULES)), max_size=12))
def test_two_events_differ_in_their_ids_exactly_if_they_differ(all_entries: Sequence[LogEntry]) -> None:
    made = [event for entry in all_entries for event in events_of(NAMES, row(entry), entry)]

    def said(event: EpcisEvent) -> str:
        return pre_hash(as_json(event))

    assert len({event.event_id for event in made}) == len({said(event) for event in made})
    plain = {msgspec.json.encode(msgspec.structs.replace(event, record_time=None)) for event in made}
    assert len(plain) >= len({event.event_id for event in made})
