"""Our end of a connection and the simulated reader's firmware, joined in memory: what can happen between them."""

import struct

import pytest
from fakewire import READER, Wire, story
from hypothesis import given, settings
from hypothesis import strategies as st

from contract.portals import LlrpReader
from edge.errors import Unreachable
from edge.llrp import rospec
from edge.llrp.conversation import GRACE_S, Conversation
from edge.llrp.session import State
from firmware_sim.llrp.facts import Facts

STOP_ROSPEC, DELETE_ROSPEC, ADD_ROSPEC = 23, 21, 20
OURS = rospec.rospec(READER, 81, extended=True).id


def test_a_reader_is_armed_and_reads() -> None:
    async def play() -> None:
        wire = Wire()
        wire.connect()
        await wire.run(0.1)
        at_us = wire.hear(3)
        await wire.run(0.1)
        assert [(read.at_us, read.antenna, read.rssi_dbm) for read in wire.reads] == [(at_us, 3, -55)]
        assert wire.sent == [
            "GET_READER_CAPABILITIES", "CUSTOM_MESSAGE", "GET_READER_CONFIG", "GET_ROSPECS", "DELETE_ROSPEC",
            "DELETE_ACCESSSPEC", "SET_READER_CONFIG", "ADD_ROSPEC", "ENABLE_ROSPEC", "START_ROSPEC",
            "ENABLE_EVENTS_AND_REPORTS",
        ]  # fmt: skip

    story(play())


def test_a_quiet_reader_is_kept_for_hours_and_asked_every_minute_whether_it_reads() -> None:
    async def play() -> None:
        wire = Wire()
        wire.connect()
        await wire.run(2 * 3600)
        assert wire.over is None
        assert wire.sent.count("KEEPALIVE_ACK") == 2 * 3600 // 5
        assert wire.sent.count("GET_ROSPECS") == 1 + 2 * 60
        await wire.read_one()

    story(play())


def test_after_a_break_the_reader_goes_on_undisturbed_and_what_it_kept_comes_in_its_order() -> None:
    async def play() -> None:
        wire = Wire()
        wire.connect()
        await wire.read_one()
        wire.reads.clear()
        wire.drop()
        times = []
        for antenna in (1, 2, 3):
            await wire.sleep(7)
            times.append((wire.hear(antenna), antenna))
        wire.connect()
        await wire.run(0.1)
        assert [(read.at_us, read.antenna) for read in wire.reads] == times
        assert wire.sent == [
            "GET_READER_CAPABILITIES", "CUSTOM_MESSAGE", "GET_READER_CONFIG", "GET_ROSPECS", "ENABLE_EVENTS_AND_REPORTS"
        ]  # fmt: skip
        assert wire.counts == {"rospecs_kept": 1}

    story(play())


def test_a_reader_that_lost_power_is_armed_anew() -> None:
    async def play() -> None:
        wire = Wire()
        wire.connect()
        await wire.read_one()
        wire.drop()
        wire.power_on()
        wire.connect()
        await wire.read_one()
        assert wire.counts == {"restarts": 1}
        assert "started anew" in wire.notices[-1].detail

    story(play())


def test_a_changed_setting_replaces_the_rospec() -> None:
    async def play() -> None:
        wire = Wire()
        wire.connect()
        await wire.read_one()
        for changes in ({"session": 2}, {"transmit_power": 40}, {"inside": [1]}, {"keepalive_s": 3.0}):
            wire.reader = READER.model_copy(update=changes)
            wire.connect()
            await wire.read_one()
            assert wire.counts == {"rospecs_removed": 1}

    story(play())


def test_what_another_client_left_is_cleared_away() -> None:
    async def play() -> None:
        wire = Wire()
        wire.connect()
        await wire.read_one()
        theirs = rospec.rospec(READER.model_copy(update={"outside": [2]}), 10)
        wire.order(DELETE_ROSPEC, struct.pack(">I", 0))
        wire.order(ADD_ROSPEC, theirs.body)
        wire.connect()
        await wire.read_one()
        assert wire.counts == {"rospecs_removed": 1}

    story(play())


def test_a_rospec_that_was_stopped_is_started_again_at_once_if_the_reader_tells() -> None:
    async def play() -> None:
        wire = Wire()
        wire.connect()
        await wire.read_one()
        for order, spec_id, asked in ((STOP_ROSPEC, OURS, "START_ROSPEC"), (DELETE_ROSPEC, 0, "ADD_ROSPEC")):
            wire.sent.clear()
            wire.order(order, struct.pack(">I", spec_id))
            await wire.run(61)
            assert asked in wire.sent
            wire.reads.clear()
            await wire.read_one()
        assert wire.counts == {"re_armed": 2}

    story(play())


def test_a_reader_that_stops_without_a_word_is_found_out_within_a_minute_and_counts_as_blind_meanwhile() -> None:
    async def play() -> None:
        wire = Wire()
        wire.connect()
        await wire.read_one()
        wire.deaf_to = {"START_ROSPEC"}
        wire.order(STOP_ROSPEC, struct.pack(">I", OURS))
        wire.to_us.clear()  # the event is lost
        await wire.run(61)
        assert wire.state is State.STARTING
        assert "had stopped reading" in wire.trouble
        wire.deaf_to.clear()
        wire.connect()
        await wire.read_one()
        assert wire.trouble == ""

    story(play())


def test_a_frozen_reader_is_noticed_after_three_keepalives() -> None:
    async def play() -> None:
        wire = Wire()
        wire.connect()
        await wire.run(12)
        wire.frozen = True
        frozen_us = wire.now_us
        await wire.run(60)
        assert isinstance(wire.over, Unreachable)
        assert "fell silent: nothing came for 14.5 s" in str(wire.over)
        assert wire.now_us - frozen_us <= 15_000_000
        wire.thaw()
        wire.connect()
        await wire.read_one()

    story(play())


def test_a_cut_wire_is_noticed_by_both_ends() -> None:
    async def play() -> None:
        wire = Wire()
        wire.connect()
        await wire.read_one()
        wire.cut = True
        cut_us = wire.now_us
        await wire.run(60)
        assert isinstance(wire.over, Unreachable)
        assert wire.now_us - cut_us <= 15_000_000
        await wire.sleep(10)
        assert wire.hung_up_on, "the reader's own link monitor gives the connection up"

    story(play())


def test_a_reader_that_keeps_alive_but_answers_nothing_any_more_is_given_up() -> None:
    async def play() -> None:
        wire = Wire()
        wire.connect()
        await wire.read_one()
        wire.deaf_to = {"GET_ROSPECS"}
        await wire.run(120)
        assert "has answered nothing for 15 s" in str(wire.over)

    story(play())


def test_a_machine_that_slept_does_not_blame_the_reader() -> None:
    conversation = Conversation(READER, 0.0)
    assert conversation.tick(1000.0) == b""
    with pytest.raises(Unreachable):
        conversation.tick(conversation.due_s)
    assert conversation.due_s == 1000.0 + GRACE_S


def test_a_reader_that_stops_answering_while_it_is_armed_is_given_up() -> None:
    async def play() -> None:
        for request, words in (("GET_READER_CAPABILITIES", "fell silent: nothing came for 5 s"),
                               ("START_ROSPEC", "could not be armed within 30 s")):  # fmt: skip
            wire = Wire(READER.model_copy(update={"keepalive_s": 3.0}))
            wire.deaf_to = {request}
            wire.connect()
            await wire.run(60)
            assert words in str(wire.over)

    story(play())


@settings(max_examples=30)
@given(st.lists(st.binary(max_size=40), max_size=8))
def test_garbage_between_messages_costs_at_most_the_message_behind_it(junk: list[bytes]) -> None:
    async def play() -> None:
        wire = Wire()
        wire.connect()
        await wire.read_one()
        for octets in junk:
            wire.to_us += octets
            for _ in range(2):
                wire.hear()
                await wire.run(0.01)
        for _ in range(3):
            await wire.run(11)
        assert wire.over is None
        before = len(wire.reads)
        wire.hear(2)
        await wire.run(1)
        assert len(wire.reads) > before

    story(play())


def test_a_reader_of_another_vendor_gets_no_extensions() -> None:
    async def play() -> None:
        wire = Wire(facts=Facts(vendor="none"))
        wire.connect()
        await wire.read_one()
        assert "CUSTOM_MESSAGE" not in wire.sent
        plain = Wire(READER.model_copy(update={"vendor_extensions": False}))
        plain.connect()
        await plain.read_one()
        assert "CUSTOM_MESSAGE" not in plain.sent

    story(play())


def test_a_reader_of_llrp_1_1_takes_version_1() -> None:
    async def play() -> None:
        wire = Wire(facts=Facts(versions=2))
        wire.connect()
        await wire.read_one()
        assert wire.over is None

    story(play())


def test_inputs_are_told_when_a_connection_begins_and_when_they_change() -> None:
    async def play() -> None:
        wire = Wire(gpi=True, offset_us=-700_000_000_000_000)
        wire.firmware.set_gpi(2, True)
        wire.connect()
        await wire.run(1)
        assert [(port, high) for port, high, _ in wire.inputs] == [(1, False), (2, True), (3, False), (4, False)]
        wire.inputs.clear()
        wire.firmware.set_gpi(3, True)
        await wire.run(1)
        assert wire.inputs == [(3, True, wire.now_us - 1_000_000)]
        wire.inputs.clear()
        wire.connect()
        await wire.run(1)
        assert [(port, high) for port, high, _ in wire.inputs] == [(1, False), (2, True), (3, True), (4, False)]
        assert wire.counts == {"rospecs_kept": 1}

    story(play())


def test_nobody_who_did_not_ask_is_told_of_inputs() -> None:
    async def play() -> None:
        wire = Wire()
        wire.connect()
        await wire.run(1)
        wire.firmware.set_gpi(3, True)
        await wire.run(1)
        assert wire.inputs == []

    story(play())


def test_an_unplugged_antenna_is_named_until_it_has_been_back_for_a_while() -> None:
    async def play() -> None:
        wire = Wire()
        wire.connect()
        await wire.run(1)
        wire.firmware.set_antenna(3, False)
        await wire.run(1)
        assert wire.trouble == "antenna 3 is disconnected: check its cable"
        for _ in range(5):
            wire.firmware.set_antenna(3, True)
            await wire.run(1)
            assert wire.trouble
            wire.firmware.set_antenna(3, False)
            await wire.run(1)
        wire.firmware.set_antenna(4, False)
        await wire.run(1)
        assert wire.trouble == "antennas 3 and 4 are disconnected: check their cables"
        wire.connect()  # it lists them
        await wire.run(1)
        assert wire.trouble == "antennas 3 and 4 are disconnected: check their cables"
        wire.firmware.set_antenna(3, True)
        wire.firmware.set_antenna(4, True)
        await wire.run(3)
        assert wire.trouble == ""

    story(play())


def test_an_antenna_that_we_do_not_use_may_be_unplugged() -> None:
    async def play() -> None:
        wire = Wire(LlrpReader(name="reader-1", inside=[1], outside=[2]))
        wire.firmware.set_antenna(3, False)
        wire.connect()
        await wire.run(1)
        wire.firmware.set_antenna(4, False)
        await wire.run(1)
        assert wire.trouble == ""

    story(play())


def test_a_full_buffer_and_trouble_in_the_reader_are_passed_on_and_counted() -> None:
    async def play() -> None:
        wire = Wire()
        wire.connect()
        await wire.read_one()
        wire.drop()
        for _ in range(200):
            wire.hear()
        wire.connect()
        await wire.run(1)
        assert len(wire.reads) == 1 + 100
        assert [notice.kind for notice in wire.notices] == ["remark", "data_lost"]
        wire.firmware.trouble("PA temperature")
        await wire.run(1)
        assert wire.notices[-1] == ("remark", "the reader reports: PA temperature")
        assert wire.counts == {"rospecs_kept": 1, "buffer_warnings": 1, "overflows": 1, "exceptions": 1}

    story(play())


def test_a_reader_that_knows_no_calendar_keeps_its_order_over_a_restart() -> None:
    async def play() -> None:
        wire = Wire(facts=Facts(utc=False), offset_us=-1_799_999_999_000_000)
        for _ in range(3):
            wire.connect()
            await wire.read_one()
            wire.drop()
            await wire.sleep(100)
            wire.power_on()
            wire.offset_us -= 100_000_000
        assert [round(read.at_us - wire.reads[0].at_us, -5) for read in wire.reads] == [0, 101_100_000, 202_200_000]
        assert "clock_stepped" not in [notice.kind for notice in wire.notices]

    story(play())


def test_a_clock_set_by_ntp_in_the_middle_does_not_move_what_was_read_before() -> None:
    """The reader begins in the year 2000. While nobody listens, it reads, NTP sets its clock, and it reads again."""

    async def play() -> None:
        wire = Wire(offset_us=-800_000_000_000_000)
        wire.connect()
        await wire.read_one()
        wire.reads.clear()
        wire.drop()
        times = []
        for step in range(6):
            if step == 3:
                wire.offset_us = 0
            await wire.sleep(10)
            times.append(wire.hear())
        wire.connect()
        await wire.run(1)
        assert [read.at_us for read in wire.reads] == times
        assert [notice.detail for notice in wire.notices] == [
            "the reader's clock stepped by +800000000.0 s against ours: its times are mapped anew"
        ]

    story(play())


def test_a_reader_says_farewell() -> None:
    async def play() -> None:
        wire = Wire()
        wire.connect()
        await wire.read_one()
        wire.firmware.farewell()
        await wire.run(1)
        assert str(wire.over) == "the reader closed the connection"

    story(play())
