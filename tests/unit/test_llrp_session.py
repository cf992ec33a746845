"""One connection without a wire: what follows from each message."""

import struct

import pytest
from llrpdata import message, plain_tag, tlv, tv

from contract.site import LlrpReader
from edge.errors import Blinded, Unreachable
from edge.llrp.frames import Frame, Frames, decode_file
from edge.llrp.session import Outcome, Session, State
from firmware_sim.llrp.facts import Facts, capabilities

NOW_US = 1_800_000_000_000_000
READER = LlrpReader(name="reader-1", inside=[1, 4], outside=[2, 3], transmit_power=0)
SUCCESS = tlv(287, bytes(4))
ANSWERS = [(11, SUCCESS + capabilities(Facts(), 0)), *((number, SUCCESS) for number in (31, 13, 30, 34, 32))]


def frame(number: int, body: bytes = b"") -> Frame:
    frames = Frames()
    frames.feed(message(number, body))
    taken = frames.take()
    assert taken is not None
    return taken


def notification(*parameters: bytes, at_us: int = NOW_US) -> Frame:
    return frame(63, tlv(246, tlv(128, struct.pack(">Q", at_us)) + b"".join(parameters)))


def greeting(status: int = 0) -> Frame:
    return notification(tlv(256, struct.pack(">H", status)))


def sent(outcome: Outcome) -> str:
    (one,) = decode_file(outcome.send)
    return str(one["type"])


def reading_session() -> Session:
    session = Session(READER)
    session.receive(greeting(), NOW_US)
    for number, body in ANSWERS:
        session.receive(frame(number, body), NOW_US)
    assert session.state is State.READING
    return session


def test_a_reader_is_armed_step_by_step() -> None:
    session = Session(READER)
    requests = [sent(session.receive(greeting(), NOW_US))]
    requests += [sent(session.receive(frame(number, body), NOW_US)) for number, body in ANSWERS]
    assert requests == [
        "GET_READER_CAPABILITIES", "DELETE_ROSPEC", "SET_READER_CONFIG", "ADD_ROSPEC", "ENABLE_ROSPEC",
        "START_ROSPEC", "ENABLE_EVENTS_AND_REPORTS",
    ]  # fmt: skip


def test_the_highest_power_is_meant_by_nought_and_other_indexes_must_exist() -> None:
    session = Session(READER)
    session.receive(greeting(), NOW_US)
    for number, body in ANSWERS[:2]:
        session.receive(frame(number, body), NOW_US)
    (one,) = decode_file(session.receive(frame(*ANSWERS[2]), NOW_US).send)
    assert "'TransmitPower': 81" in str(one)
    unknown = Session(READER.model_copy(update={"transmit_power": 200}))
    unknown.receive(greeting(), NOW_US)
    with pytest.raises(Blinded, match="no index 200"):
        unknown.receive(frame(*ANSWERS[0]), NOW_US)


def test_antennas_that_the_reader_lacks_are_told_to_correct() -> None:
    session = Session(READER.model_copy(update={"inside": [7]}))
    session.receive(greeting(), NOW_US)
    with pytest.raises(Blinded, match=r"has 4 antennas: correct \[7\]"):
        session.receive(frame(*ANSWERS[0]), NOW_US)


def test_another_client_is_named_plainly() -> None:
    with pytest.raises(Blinded, match="another client holds the reader"):
        Session(READER).receive(greeting(2), NOW_US)
    with pytest.raises(Blinded, match="Failed_Reason_Other"):
        Session(READER).receive(greeting(3), NOW_US)


@pytest.mark.parametrize("state", range(1, 7))
def test_a_refusal_says_what_was_refused_and_why(state: int) -> None:
    status = struct.pack(">HH", 100, 4) + b"hmm!" + tlv(289, struct.pack(">HH", 222, 101))
    session = Session(READER)
    session.receive(greeting(), NOW_US)
    for number, body in ANSWERS[: state - 1]:
        session.receive(frame(number, body), NOW_US)
    words = f"while {State(state).name.lower()}: M_ParameterError, hmm!, parameter 222: M_FieldError"
    with pytest.raises(Blinded, match=words):
        session.receive(frame(ANSWERS[state - 1][0], tlv(287, status)), NOW_US)
    with pytest.raises(Blinded, match=words):
        session.receive(frame(100, tlv(287, status)), NOW_US)


def test_an_error_message_while_reading_ends_nothing() -> None:
    session = reading_session()
    session.receive(frame(100, tlv(287, struct.pack(">HH", 109, 0))), NOW_US)
    assert session.state is State.READING


def test_keepalives_are_acknowledged_in_every_state() -> None:
    session = Session(READER)
    assert sent(session.receive(frame(62), NOW_US)) == "KEEPALIVE_ACK"
    assert not session.kept_alive
    session = reading_session()
    assert sent(session.receive(frame(62), NOW_US)) == "KEEPALIVE_ACK"
    assert session.kept_alive


def test_reads_carry_the_agents_time() -> None:
    session = Session(READER)
    session.receive(greeting(), NOW_US + 90_000_000)  # the reader's clock is 90 s behind
    tag = tv(13, bytes.fromhex("30" + "00" * 11)) + tv(1, b"\0\3") + tv(6, b"\xc8")
    times = tv(2, struct.pack(">Q", NOW_US)) + tv(4, struct.pack(">Q", NOW_US + 2_000))
    (read,) = session.receive(frame(61, tlv(240, tag + times)), NOW_US + 90_002_000).reads
    assert read == (NOW_US + 90_001_000, "30" + "00" * 11, 3, -56, "reader-1")


def test_reports_without_times_count_as_read_when_they_arrive() -> None:
    tag = tv(13, bytes(12)) + tv(1, b"\0\3") + tv(6, b"\xc8")
    (read,) = reading_session().receive(frame(61, tlv(240, tag)), NOW_US + 5).reads
    assert read.at_us == NOW_US + 5


def test_what_cannot_be_placed_or_be_a_tag_is_skipped_and_counted() -> None:
    session = reading_session()
    nowhere = tlv(240, tv(13, bytes(12)) + tv(6, b"\xc8"))
    too_long = tlv(240, tlv(241, struct.pack(">H", 512) + bytes(64)) + tv(1, b"\0\3") + tv(6, b"\xc8"))
    empty = tlv(240, tlv(241, b"\0\0") + tv(1, b"\0\3") + tv(6, b"\xc8"))
    outcome = session.receive(frame(61, nowhere + too_long + empty + plain_tag(1)), NOW_US)
    assert len(outcome.reads) == 1
    assert session.skipped == 3


def test_a_full_buffer_and_a_stepped_clock_are_passed_on() -> None:
    session = reading_session()
    overflow = session.receive(notification(tlv(251, b"")), NOW_US).notice
    assert overflow is not None
    assert overflow.state == "data_lost"
    stepped = session.receive(notification(tlv(250, b"\x50"), at_us=NOW_US + 60_000_000), NOW_US).notice
    assert stepped is not None
    assert (stepped.state, stepped.detail[:37]) == ("clock_stepped", "the reader's clock stepped by +60.0 s")


def test_a_reader_that_closes_is_unreachable() -> None:
    with pytest.raises(Unreachable, match="closed the connection"):
        reading_session().receive(notification(tlv(257, b"")), NOW_US)
