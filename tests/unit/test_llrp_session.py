"""One connection without a wire: what follows from each message."""

import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from llrpdata import message, plain_tag, tlv, tv

from contract.portals import LlrpReader
from edge.errors import BadFrame, Blinded, Unreachable
from edge.llrp.frames import Frame, Frames, decode_file
from edge.llrp.session import Outcome, Session, State
from firmware_sim.llrp.facts import Facts, capabilities

NOW_US = 1_800_000_000_000_000
READER = LlrpReader(name="reader-1", inside=[1, 4], outside=[2, 3], transmit_power=0)
SUCCESS = tlv(287, bytes(4))
ANSWERS = [
    (11, SUCCESS + capabilities(Facts(vendor="none"), 0)),
    *((number, SUCCESS) for number in (12, 36, 31, 51, 13, 30, 34, 32)),
]
"""In the order of the states that wait for them; EXTENDING and SENSING are left out."""
STATES = [
    State.CAPABILITIES, State.INSPECTING, State.COMPARING, State.CLEARING, State.FORGETTING, State.CONFIGURING,
    State.ADDING, State.ENABLING, State.STARTING,
]  # fmt: skip


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
        "GET_READER_CAPABILITIES", "GET_READER_CONFIG", "GET_ROSPECS", "DELETE_ROSPEC", "DELETE_ACCESSSPEC",
        "SET_READER_CONFIG", "ADD_ROSPEC", "ENABLE_ROSPEC", "START_ROSPEC", "ENABLE_EVENTS_AND_REPORTS",
    ]  # fmt: skip


def test_the_highest_power_is_meant_by_nought_and_other_indexes_must_exist() -> None:
    session = Session(READER)
    session.receive(greeting(), NOW_US)
    for number, body in ANSWERS[:5]:
        session.receive(frame(number, body), NOW_US)
    (one,) = decode_file(session.receive(frame(*ANSWERS[5]), NOW_US).send)
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


REFUSAL = tlv(287, struct.pack(">HH", 100, 4) + b"hmm!" + tlv(289, struct.pack(">HH", 222, 101)))
OPTIONAL = {State.INSPECTING: "GET_ROSPECS", State.COMPARING: "DELETE_ROSPEC", State.FORGETTING: "SET_READER_CONFIG"}


def session_in(state: State) -> Session:
    session = Session(READER)
    session.receive(greeting(), NOW_US)
    for number, body in ANSWERS[: STATES.index(state)]:
        session.receive(frame(number, body), NOW_US)
    assert session.state is state
    return session


@pytest.mark.parametrize("state", [state for state in STATES if state not in OPTIONAL])
def test_a_refusal_says_what_was_refused_and_why(state: State) -> None:
    words = f"while {state.name.lower()}: M_ParameterError, hmm!, parameter 222: M_FieldError"
    with pytest.raises(Blinded, match=words):
        session_in(state).receive(frame(ANSWERS[STATES.index(state)][0], REFUSAL), NOW_US)
    with pytest.raises(Blinded, match=words):
        session_in(state).receive(frame(100, REFUSAL), NOW_US)


@pytest.mark.parametrize(("state", "request_"), OPTIONAL.items())
def test_what_a_reader_cannot_tell_or_forget_is_done_without(state: State, request_: str) -> None:
    assert sent(session_in(state).receive(frame(ANSWERS[STATES.index(state)][0], REFUSAL), NOW_US)) == request_
    outcome = session_in(state).receive(frame(100, REFUSAL), NOW_US)
    assert sent(outcome) == request_
    assert "complains" in outcome.notices[0].detail


def test_a_reader_that_knows_nothing_of_its_vendors_extensions_is_armed_without_them() -> None:
    for answer in (frame(100, REFUSAL), frame(1023, struct.pack(">IB", 25882, 22) + REFUSAL)):
        session = Session(READER)
        session.receive(greeting(), NOW_US)
        assert sent(session.receive(frame(11, SUCCESS + capabilities(Facts(), 0)), NOW_US)) == "CUSTOM_MESSAGE"
        assert sent(session.receive(answer, NOW_US)) == "GET_READER_CONFIG"
        for number, body in ANSWERS[1:5]:
            session.receive(frame(number, body), NOW_US)
        assert b"\x03\xff" not in session.receive(frame(*ANSWERS[5]), NOW_US).send


def test_an_error_message_while_reading_ends_nothing() -> None:
    session = reading_session()
    outcome = session.receive(frame(100, tlv(287, struct.pack(">HH", 109, 0))), NOW_US)
    assert session.state is State.READING
    assert [notice.kind for notice in outcome.notices] == ["remark"]
    assert session.counts["complaints"] == 1


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
    assert (read.at_us, read.epc, read.antenna) == (NOW_US + 90_001_000, "30" + "00" * 11, 3)
    assert (read.rssi_dbm, read.reader) == (-56, "reader-1")


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
    assert session.counts["reports_skipped"] == 3


def test_a_stepped_clock_is_passed_on() -> None:
    session = reading_session()
    (stepped,) = session.receive(notification(tlv(250, b"\x50"), at_us=NOW_US + 60_000_000), NOW_US).notices[:1]
    assert (stepped.kind, stepped.detail[:37]) == ("clock_stepped", "the reader's clock stepped by +60.0 s")


def test_another_clients_try_is_only_counted() -> None:
    session = reading_session()
    assert session.receive(greeting(4), NOW_US).send == b""
    assert session.counts["other_clients"] == 1


def test_an_antenna_that_the_list_denies_and_that_reads_makes_the_list_worthless() -> None:
    session = session_in(State.INSPECTING)
    nowhere = b"".join(tlv(221, struct.pack(">BHh", 0, antenna, 0)) for antenna in range(1, 5))
    session.receive(frame(12, SUCCESS + nowhere), NOW_US)
    assert session.trouble(NOW_US) == "antennas 1 and 2 and 3 and 4 are disconnected: check their cables"
    tag = tv(13, bytes(12)) + tv(1, b"\0\3") + tv(6, b"\xc8")
    session.receive(frame(61, tlv(240, tag)), NOW_US + 1)
    assert session.trouble(NOW_US + 1) == ""


FRAMES = st.builds(
    lambda number, body: Frame(number, 7, body, 0, 1),
    st.sampled_from([11, 12, 13, 30, 31, 32, 34, 36, 51, 61, 63, 100, 1023, 20, 3, 62, 4]),
    st.one_of(
        st.just(SUCCESS),
        st.binary(max_size=60).map(lambda junk: SUCCESS + junk),
        st.builds(tlv, st.sampled_from([246, 240, 287, 177, 225]), st.binary(max_size=40)),
        st.builds(
            lambda number, value: tlv(246, tlv(128, bytes(8)) + tlv(number, value)),
            st.integers(247, 257),
            st.binary(max_size=12),
        ),
        st.builds(
            lambda spec_id, state: SUCCESS + tlv(177, struct.pack(">IBB", spec_id, 0, state)),
            st.integers(0, 2**32 - 1),
            st.integers(0, 255),
        ),
    ),
)


@settings(max_examples=300)
@given(st.sampled_from([*STATES, State.READING]), st.lists(FRAMES, max_size=12), st.booleans())
def test_whatever_frames_come_in_whatever_state_only_the_documented_errors_rise(
    state: State, frames: list[Frame], gpi: bool
) -> None:
    session = reading_session() if state is State.READING else session_in(state)
    for number, one in enumerate(frames):
        try:
            outcome = session.receive(one, NOW_US + number)
        except BadFrame:
            continue
        except (Blinded, Unreachable):
            return
        list(decode_file(outcome.send))
        session.trouble(NOW_US + number)
        session.check()


def test_a_reader_that_closes_is_unreachable() -> None:
    with pytest.raises(Unreachable, match="closed the connection"):
        reading_session().receive(notification(tlv(257, b"")), NOW_US)
