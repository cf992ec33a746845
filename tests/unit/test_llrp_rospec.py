"""What we ask of a reader, read back by the vocabulary, by sllurp and by the simulated reader."""

from typing import Any

from sllurp.llrp_proto import Message_struct, Param_struct

from edge.llrp import rospec
from edge.llrp.frames import decode_file
from firmware_sim.llrp.frames import parameters
from firmware_sim.llrp.rospec import ReportWhen, Start, Stop, read_rospec


def decoded(message: bytes) -> Any:
    (one,) = decode_file(message)
    assert "error" not in one
    return one


def test_the_rospec_runs_for_ever_on_our_antennas_and_reports_every_tag() -> None:
    message = rospec.add_rospec(5, {4, 1, 3}, transmit_power=81)
    fields = decoded(message)["fields"]["ROSpec"]
    assert fields["AISpec"]["AntennaIDs"] == [1, 3, 4]
    assert fields["ROBoundarySpec"]["ROSpecStartTrigger"] == {"ROSpecStartTriggerType": "Null"}
    configurations = fields["AISpec"]["InventoryParameterSpec"]["AntennaConfiguration"]
    assert {one["RFTransmitter"]["TransmitPower"] for one in configurations} == {81}
    (parameter,) = parameters(message[10:], "ADD_ROSPEC")
    spec = read_rospec(parameter, ports=4)
    assert (spec.id, spec.start, spec.stop_ms) == (rospec.ROSPEC_ID, Start.NULL, 0)
    assert [(step.antennas, step.stop.kind) for step in spec.steps] == [(frozenset({1, 3, 4}), Stop.NULL)]
    assert spec.report is not None
    assert (spec.report.when, spec.report.n) == (ReportWhen.N_OR_END_OF_ROSPEC, 1)
    contents = spec.report.contents
    assert contents.antenna and contents.channel and contents.rssi  # noqa: PT018
    assert contents.first_seen and contents.last_seen and contents.seen_count  # noqa: PT018


def test_sllurp_reads_back_the_rospec_that_it_wrote() -> None:
    message = rospec.add_rospec(5, {1, 2}, transmit_power=10)
    spec, _ = Param_struct["ROSpec"]["decode"](message[14:], "ROSpec")
    assert spec["ROSpecID"] == rospec.ROSPEC_ID
    assert spec["ROReportSpec"]["TagReportContentSelector"]["EnableLastSeenTimestamp"]


def test_the_configuration_asks_for_keepalives_and_only_the_events_we_act_on() -> None:
    fields = decoded(rospec.set_config(3, 5.0, hold=True, warn=True))["fields"]
    assert fields["KeepaliveSpec"] == {"KeepaliveTriggerType": "Periodic", "PeriodicTriggerValue": 5000}
    assert fields["EventsAndReports"] == {"HoldEventsAndReportsUponReconnect": 1}
    states = fields["ReaderEventNotificationSpec"]["EventNotificationState"]
    wanted = {one["EventType"] for one in states if one["NotificationState"]}
    assert wanted == {"Report_Buffer_Fill_Warning", "Reader_Exception_Event"}


def test_a_reader_that_cannot_hold_or_warn_is_not_asked_to() -> None:
    fields = decoded(rospec.set_config(3, 0.5, hold=False, warn=False))["fields"]
    assert "EventsAndReports" not in fields
    states = fields["ReaderEventNotificationSpec"]["EventNotificationState"]
    assert "Report_Buffer_Fill_Warning" not in {one["EventType"] for one in states}


def test_short_requests_carry_their_numbers() -> None:
    assert decoded(rospec.on_rospec("DELETE_ROSPEC", 9, 0)) == {
        "type": "DELETE_ROSPEC", "id": 9, "fields": {"ROSpecID": 0},
    }  # fmt: skip
    for name in ("KEEPALIVE_ACK", "ENABLE_EVENTS_AND_REPORTS", "CLOSE_CONNECTION"):
        assert decoded(rospec.bare(name, 11)) == {"type": name, "id": 11, "fields": {}}
        assert Message_struct[name]["type"] in (72, 64, 14)
    assert decoded(rospec.get_capabilities(2))["fields"] == {"RequestedData": "All"}
