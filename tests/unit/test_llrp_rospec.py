"""What we ask of a reader, read back by the vocabulary, by sllurp and by the simulated reader."""

from typing import Any

import pytest
from sllurp.llrp_proto import Message_struct, Param_struct

from contract.portals import LlrpReader
from edge.llrp import impinj, rospec, settings
from edge.llrp.answers import Abilities
from edge.llrp.body import Fields, read_message
from edge.llrp.frames import decode_file
from edge.llrp.powers import Power
from edge.llrp.request import message
from firmware_sim.llrp.frames import parameters
from firmware_sim.llrp.rospec import Start, Stop, read_rospec

READER = LlrpReader(name="reader-1", inside=[4, 1], outside=[3])
ABLE = Abilities(4, (Power(1, 10.0), Power(81, 30.0)), holds_reports=True, warns=True, inputs=2, vendor=impinj.VENDOR)


def decoded(data: bytes) -> Any:
    (one,) = decode_file(data)
    assert "error" not in one
    return one


def test_the_rospec_runs_for_ever_on_our_antennas_and_reports_every_tag() -> None:
    ours = rospec.rospec(READER, 81)
    fields = decoded(rospec.add(5, ours))["fields"]["ROSpec"]
    assert fields["AISpec"]["AntennaIDs"] == [1, 3, 4]
    assert fields["ROBoundarySpec"]["ROSpecStartTrigger"] == {"ROSpecStartTriggerType": "Null"}
    configurations = fields["AISpec"]["InventoryParameterSpec"]["AntennaConfiguration"]
    assert {one["RFTransmitter"]["TransmitPower"] for one in configurations} == {81}
    assert {one["C1G2InventoryCommand"]["C1G2SingulationControl"]["Session"] for one in configurations} == {1}
    (parameter,) = parameters(ours.body, "ADD_ROSPEC")
    spec = read_rospec(parameter, ports=4)
    assert (spec.id, spec.start, spec.stop_ms) == (ours.id, Start.NULL, 0)
    assert [(step.antennas, step.stop.kind) for step in spec.steps] == [(frozenset({1, 3, 4}), Stop.NULL)]
    report = fields["ROReportSpec"]
    assert (report["ROReportTrigger"], report["N"]) == ("Upon_N_Tags_Or_End_Of_ROSpec", 1)
    wanted = {name for name, on in report["TagReportContentSelector"].items() if on == 1}
    assert wanted == {
        "EnableAntennaID", "EnableChannelIndex", "EnablePeakRSSI", "EnableFirstSeenTimestamp",
        "EnableLastSeenTimestamp", "EnableTagSeenCount",
    }  # fmt: skip


def test_sllurp_reads_back_the_rospec_that_it_wrote() -> None:
    ours = rospec.rospec(READER, 10, extended=True)
    spec, _ = Param_struct["ROSpec"]["decode"](ours.body[4:], "ROSpec")
    assert spec["ROSpecID"] == ours.id
    assert spec["ROReportSpec"]["TagReportContentSelector"]["EnableLastSeenTimestamp"]
    assert spec["ROReportSpec"]["ImpinjTagReportContentSelector"] == {
        "ImpinjEnableRFPhaseAngle": {"RFPhaseAngleMode": 1},
        "ImpinjEnablePeakRSSI": {"PeakRSSIMode": 1},
        "ImpinjEnableRFDopplerFrequency": {"RFDopplerFrequencyMode": 1},
    }


@pytest.mark.parametrize("changes", [{"inside": [1]}, {"session": 2}, {"outside": [2]}])
def test_what_differs_has_another_id(changes: dict[str, Any]) -> None:
    other = rospec.rospec(READER.model_copy(update=changes), 81)
    ours = rospec.rospec(READER, 81)
    assert other.id != ours.id
    assert not rospec.same(other.fields, ours)
    assert not rospec.same(other.fields | {"ROSpecID": ours.id}, ours) or changes == {"session": 2}


def test_the_same_wish_has_the_same_id_and_power_and_extensions_make_another() -> None:
    ours = rospec.rospec(READER, 81)
    assert rospec.rospec(READER.model_copy(update={"name": "another", "keepalive_s": 1.0}), 81) == ours
    assert 2**30 <= ours.id < 2**31
    assert len({ours.id, rospec.rospec(READER, 80).id, rospec.rospec(READER, 81, extended=True).id}) == 3


def test_a_reader_may_list_more_than_we_said_and_power_in_its_own_words() -> None:
    ours = rospec.rospec(READER, 81)
    held: Any = read_message(20, ours.body)["ROSpec"]
    held["CurrentState"] = "Active"
    held["AISpec"]["InventoryParameterSpec"] = {}
    held["ROReportSpec"]["TagReportContentSelector"]["C1G2EPCMemorySelector"]["EnableXPCBits"] = 0
    assert rospec.same(held, ours)
    held["ROReportSpec"]["N"] = 2
    assert not rospec.same(held, ours)


def answer_of(request: bytes) -> Fields:
    """What a reader that took a SET_READER_CONFIG would list."""
    fields: Fields = decoded(request)["fields"]
    return fields


@pytest.mark.parametrize("gpi", [False, True])
@pytest.mark.parametrize("extended", [False, True])
def test_the_settings_that_we_ask_for_are_those_that_serve(gpi: bool, extended: bool) -> None:
    wanted = settings.wanted(ABLE, 5.0, gpi=gpi, extended=extended)
    found = settings.settings(answer_of(settings.set_settings(3, wanted)))
    assert found == wanted
    assert found.serve(wanted)
    for changes in ({"keepalive_ms": 4000}, {"holds": False}, {"events": frozenset({"GPI_Event"})}, {"missed": 9}):
        assert not found._replace(**changes).serve(wanted)
    assert found._replace(inputs=frozenset({1, 2, 3})).serve(wanted)


def test_the_configuration_asks_for_keepalives_and_only_the_events_we_act_on() -> None:
    fields = decoded(settings.set_settings(3, settings.wanted(ABLE, 5.0, gpi=True, extended=True)))["fields"]
    assert fields["KeepaliveSpec"] == {"KeepaliveTriggerType": "Periodic", "PeriodicTriggerValue": 5000}
    assert fields["EventsAndReports"] == {"HoldEventsAndReportsUponReconnect": 1}
    assert [(one["GPIPortNum"], one["Config"]) for one in fields["GPIPortCurrentState"]] == [(1, 1), (2, 1)]
    states = fields["ReaderEventNotificationSpec"]["EventNotificationState"]
    wanted = {one["EventType"] for one in states if one["NotificationState"]}
    assert wanted == {
        "GPI_Event", "ROSpec_Event", "Report_Buffer_Fill_Warning", "Reader_Exception_Event", "Antenna_Event"
    }  # fmt: skip


def test_a_reader_that_cannot_hold_or_warn_is_not_asked_to() -> None:
    able = ABLE._replace(holds_reports=False, warns=False)
    fields = decoded(settings.set_settings(3, settings.wanted(able, 0.5, gpi=False, extended=False)))["fields"]
    assert "EventsAndReports" not in fields
    assert "Custom" not in fields
    states = fields["ReaderEventNotificationSpec"]["EventNotificationState"]
    assert "Report_Buffer_Fill_Warning" not in {one["EventType"] for one in states}


def test_short_requests_carry_their_numbers() -> None:
    assert decoded(rospec.on_spec("DELETE_ROSPEC", 9, 0)) == {
        "type": "DELETE_ROSPEC", "id": 9, "fields": {"ROSpecID": 0},
    }  # fmt: skip
    for name in ("KEEPALIVE_ACK", "ENABLE_EVENTS_AND_REPORTS", "CLOSE_CONNECTION"):
        assert decoded(message(name, 11)) == {"type": name, "id": 11, "fields": {}}
        assert Message_struct[name]["type"] == message(name, 11)[1]
    fields = decoded(settings.get_inputs(2))["fields"]
    assert fields == {"AntennaID": 0, "RequestedData": "GPIPortCurrentState", "GPIPortNum": 0, "GPOPortNum": 0}
