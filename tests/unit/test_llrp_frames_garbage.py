"""LLRP framing: every split of a stream, every kind of garbage in it, and how it goes on behind it."""

import struct
from collections.abc import Iterator
from random import Random

import llrplegal
import pytest
from hypothesis import given
from hypothesis import strategies as st
from llrpdata import message, plain_tag, tlv, tv

from edge.errors import BadFrame
from edge.llrp.frames import MAX_MAYBE, SEARCHED_AGAIN, Frame, Frames, decode_file
from edge.llrp.header import MAX_BYTES, MAX_OTHER_BYTES
from edge.llrp.report import ReportDecoder

KEEPALIVE = message(62, b"")
REPORT = message(61, plain_tag(1) + plain_tag(2))
GREETING = message(63, tlv(246, tlv(128, struct.pack(">Q", 1)) + tlv(256, b"\0\0")))
STATUS = message(30, tlv(287, struct.pack(">HH", 0, 0)))
VENDOR = message(1023, struct.pack(">IB", 25882, 22) + tlv(287, bytes(4)))
EMPTY = message(61, b"")
VERSION = b"\x08" + message(56, b"\1\2" + tlv(287, bytes(4)))[1:]
GOOD = [KEEPALIVE, REPORT, GREETING, STATUS, VENDOR, EMPTY, VERSION]


def drain(frames: Frames) -> Iterator[Frame | BadFrame]:
    """Everything that can be taken now, as a link takes it: a message that cannot be read is given back."""
    while True:
        try:
            frame = frames.take()
            if frame is None:
                return
            read(frame)
        except BadFrame as error:
            frames.reject(error)
            yield error
            continue
        yield frame


def read(frame: Frame) -> None:
    """Both ways to read a report agree on which hide other messages."""
    frame.fields()
    if frame.name == "RO_ACCESS_REPORT":
        ReportDecoder().decode(frame.body)


def keepalives(count: int) -> bytes:
    return b"".join(message(62, b"", message_id=number) for number in range(count))


def bodies(found: list[Frame | BadFrame]) -> list[bytes]:
    return [frame.body for frame in found if isinstance(frame, Frame)]


@st.composite
def lies(draw: st.DrawFn) -> bytes:
    """A good message that claims another length."""
    good = draw(st.sampled_from(GOOD))
    return good[:2] + struct.pack(">I", draw(st.integers(0, 400) | st.integers(0, 5_000_000))) + good[6:]


@st.composite
def cut_short(draw: st.DrawFn) -> bytes:
    good = draw(st.sampled_from(GOOD))
    return good[: draw(st.integers(1, len(good)))]


@st.composite
def spoilt(draw: st.DrawFn) -> bytes:
    good = bytearray(draw(st.sampled_from(GOOD)))
    good[draw(st.integers(0, len(good) - 1))] ^= draw(st.integers(1, 255))
    return bytes(good)


GARBAGE = st.lists(st.binary(max_size=300) | lies() | cut_short() | spoilt(), min_size=1, max_size=3).map(b"".join)


@given(st.lists(st.sampled_from(GOOD), min_size=1, max_size=8), st.data())
def test_messages_come_out_whole_however_the_stream_is_cut(messages: list[bytes], data: st.DataObject) -> None:
    stream = b"".join(messages)
    frames = Frames()
    found: list[Frame | BadFrame] = []
    while stream:
        cut = data.draw(st.integers(1, len(stream)))
        frames.feed(stream[:cut])
        found += drain(frames)
        stream = stream[cut:]
    assert bodies(found) == [one[10:] for one in messages]
    assert len(found) == len(messages)
    assert frames.waiting == 0
    assert not frames.rejected


@given(GARBAGE, st.lists(st.sampled_from(GOOD), min_size=2, max_size=9), st.integers(1, 400))
def test_garbage_costs_at_most_the_first_good_message_behind_it(
    garbage: bytes, messages: list[bytes], step: int
) -> None:
    frames = Frames()
    found: list[Frame | BadFrame] = []
    stream = KEEPALIVE + garbage + b"".join(messages)
    for at in range(0, len(stream), step):
        frames.feed(stream[at : at + step])
        found += drain(frames)
    while frames.waiting:
        frames.give_up()
        found += drain(frames)
    expected = [one[10:] for one in messages[1:]]
    assert bodies(found)[-len(expected) :] == expected


@given(st.integers(0, 2**32 - 1))
def test_a_spoilt_legal_report_costs_at_most_the_first_good_message_behind_it(seed: int) -> None:
    chance = Random(seed)
    spoilt = bytearray(message(61, llrplegal.report(chance)))
    for _ in range(chance.randint(1, 3)):
        spoilt[chance.randrange(len(spoilt))] = chance.choice((0, 4, 255, chance.randrange(256)))
    good = [message(62, b"", message_id=number) for number in range(6)] + [message(61, llrplegal.report(chance))]
    frames = Frames()
    frames.feed(bytes(spoilt[: chance.randint(1, len(spoilt))]) + b"".join(good))
    found = list(drain(frames))
    while frames.waiting:
        frames.give_up()
        found += drain(frames)
    assert bodies(found)[-6:] == [one[10:] for one in good[1:]]


@given(st.lists(st.binary(max_size=200) | st.sampled_from(GOOD), max_size=20))
def test_no_bytes_do_more_than_raise_the_one_error(pieces: list[bytes]) -> None:
    frames = Frames(max_bytes=4096)
    for piece in pieces:
        frames.feed(piece)
        for _ in drain(frames):
            pass
    assert frames.waiting <= 4096 + 200


@pytest.mark.parametrize(
    ("header", "reason", "why"),
    [
        (struct.pack(">HII", 0x0C3E, 10, 0), "no LLRP header: reserved bits 0, version 3", "version"),
        (b"GET / HTTP/1.1\r\n", "no LLRP header: reserved bits 2, version 1", "version"),
        (struct.pack(">HII", 0x0463, 10, 0), "unknown message type 99", "type"),
        (struct.pack(">HII", 0x043E, 9, 0), "KEEPALIVE cannot be 9 bytes long", "length"),
        (struct.pack(">HII", 0x043E, 11, 0), "KEEPALIVE cannot be 11 bytes long", "length"),
        (struct.pack(">HII", 0x043D, 2**31, 0), "RO_ACCESS_REPORT cannot be 2147483648 bytes long", "too_long"),
        (struct.pack(">HII", 0x041E, 300_000, 0), "ADD_ROSPEC_RESPONSE cannot be 300000 bytes long", "too_long"),
        (struct.pack(">HII", 0x041E, 50, 0), "ADD_ROSPEC_RESPONSE: no parameter: type 62, length 0", "bad_parameter"),
        (message(30, tlv(287, bytes(4)) + b"\1\1"), "ADD_ROSPEC_RESPONSE: parameter header cut off", "bad_parameter"),
        (message(30, tlv(287, b"\0\0\0\5")), "LLRPStatus.ErrorDescription of 5 bytes where 0 are left", "cut_off"),
        (message(61, tlv(240, tv(13, bytes(5)))), "parameter 13 of 13 bytes where 6 are left", "cut_off"),
        (message(61, tv(99, b"")), "TV parameter 99 outside of any other", "bad_parameter"),
    ],
)
def test_what_is_no_message_is_named_and_counted(header: bytes, reason: str, why: str) -> None:
    frames = Frames()
    frames.feed(KEEPALIVE + header + KEEPALIVE * 3)
    kept, bad, *rest = drain(frames)
    assert isinstance(kept, Frame)
    assert isinstance(bad, BadFrame)
    assert bad.offset >= 10
    assert (bad.reason, bad.why) == (reason, why)
    assert [frame.name for frame in rest if isinstance(frame, Frame)] == ["KEEPALIVE"] * 3
    assert frames.rejected == {why: 1}


@pytest.mark.parametrize("length", [5000, 300_000, MAX_BYTES])
@pytest.mark.parametrize("good", GOOD)
def test_a_length_that_lies_is_not_waited_for(good: bytes, length: int) -> None:
    """The parameters behind the header are followed, and those of another message are none."""
    frames = Frames()
    frames.feed(REPORT[:2] + struct.pack(">I", length) + REPORT[6:] + good + KEEPALIVE * 2)
    assert [frame.name for frame in drain(frames) if isinstance(frame, Frame)][-2:] == ["KEEPALIVE"] * 2


def test_messages_that_a_lying_length_has_swallowed_are_found_again() -> None:
    liar = REPORT[:2] + struct.pack(">I", len(REPORT) + 45) + REPORT[6:]
    frames = Frames()
    frames.feed(liar + keepalives(5))
    frame = frames.take()
    assert isinstance(frame, Frame)
    assert len(frame.body) == len(REPORT) + 35
    with pytest.raises(BadFrame) as caught:
        ReportDecoder().decode(frame.body, frame.offset + 10)
    frames.reject(caught.value)
    assert [frame.id for frame in drain(frames) if isinstance(frame, Frame)] == [0, 1, 2, 3, 4]
    assert frames.rejected == {"bad_parameter": 1}


@pytest.mark.parametrize("missing", [10, 20, 50])
def test_a_message_cut_short_whose_end_others_have_become_is_found_out(missing: int) -> None:
    """An EPC may be any octets, so the parameters do not show it."""
    tag = tlv(240, tlv(241, struct.pack(">H", 496) + bytes(62)))
    frames = Frames()
    frames.feed(KEEPALIVE + message(61, tag)[:-missing] + keepalives(5))
    decoder = ReportDecoder()
    decoder.decode(tag)
    with pytest.raises(BadFrame):
        decoder.decode(tag[:-missing] + keepalives(missing // 10))
    good, bad, *found = drain(frames)
    assert isinstance(good, Frame)
    assert isinstance(bad, BadFrame)
    assert (bad.offset, bad.reason) == (10, "another message stands within this one")
    assert [frame.id for frame in found if isinstance(frame, Frame)] == [0, 1, 2, 3, 4]
    assert frames.rejected == {"length": 1}


def test_a_vendors_message_that_lies_is_found_out_by_the_header_behind_it() -> None:
    """Its body may be anything: it is taken in good faith, but what it swallowed is found again."""
    liar = VENDOR[:2] + struct.pack(">I", len(VENDOR) + 5) + VENDOR[6:]
    frames = Frames()
    frames.feed(liar + keepalives(5))
    taken, bad, *found = drain(frames)
    assert isinstance(taken, Frame)
    assert isinstance(bad, BadFrame)
    assert [frame.id for frame in found if isinstance(frame, Frame)] == [0, 1, 2, 3, 4]


def test_a_message_behind_garbage_is_taken_though_an_unfinished_one_stands_before_it() -> None:
    garbage = b"\0" + message(61, tlv(240, bytes(60_000)))[:100]
    frames = Frames()
    frames.feed(garbage + KEEPALIVE)
    bad, found = drain(frames)
    assert isinstance(bad, BadFrame)
    assert isinstance(found, Frame)
    assert (found.name, frames.waiting) == ("KEEPALIVE", 0)


def test_an_unfinished_message_behind_garbage_is_taken_when_it_is_whole() -> None:
    frames = Frames()
    for octet in b"\0" * 5 + REPORT + GREETING:
        frames.feed(bytes([octet]))
        found = [one for one in drain(frames) if isinstance(one, Frame)]
        if found:
            assert found[0].name in ("RO_ACCESS_REPORT", "READER_EVENT_NOTIFICATION")
    assert (frames.lost, frames.waiting, frames.rejected) == (False, 0, {"version": 1})


def test_a_message_of_megabytes_is_one_message() -> None:
    tag = plain_tag(1)
    body = tag * (1_500_000 // len(tag))
    frames = Frames()
    stream = message(61, body) + KEEPALIVE
    found: list[Frame | BadFrame] = []
    for at in range(0, len(stream), 65536):
        frames.feed(stream[at : at + 65536])
        try:
            while (frame := frames.take()) is not None:
                found.append(frame)
        except BadFrame as error:
            found.append(error)
    assert [len(frame.body) for frame in found if isinstance(frame, Frame)] == [len(body), 0]


# Bounds


def nested(total: int, parameter: int = 240) -> bytes:
    """Parameters each of which holds a message of megabytes, whose own parameters hold up to the very end."""
    unit = struct.pack(">HHHHII", parameter, 16, 0, 0x43D, total, 1)
    return unit * (total // len(unit))


@pytest.mark.parametrize("step", [1000, 65536, 5_000_000])
def test_messages_within_messages_cost_time_that_grows_with_their_length_only(step: int) -> None:
    frames = Frames()
    stream = b"\0" + nested(3_000_000) + b"\xff" * 20
    for at in range(0, len(stream), step):
        frames.feed(stream[at : at + step])
        for _ in drain(frames):
            pass
    assert frames.searched <= (SEARCHED_AGAIN + 1 + MAX_MAYBE) * len(stream)
    assert frames.waiting <= MAX_BYTES


def test_a_file_of_messages_within_messages_is_read_in_time_that_grows_with_its_length() -> None:
    unit = struct.pack(">HII", 0x43D, MAX_BYTES, 1) + struct.pack(">HH", 240, 16)
    searched = sum("error" in found for found in decode_file(unit * (2 * 1024 * 1024 // len(unit)) + REPORT))
    assert 1 <= searched < 100_000


def test_a_report_full_of_what_seems_to_be_messages_is_decoded_in_time_that_grows_with_its_length() -> None:
    assert len(ReportDecoder().decode(plain_tag(1) + nested(1_500_000, 700))) == 1


def test_what_is_held_is_bounded_whatever_is_claimed() -> None:
    frames = Frames()
    for number, longest in ((61, MAX_BYTES), (1023, MAX_OTHER_BYTES)):
        frames.feed(struct.pack(">HII", 0x400 | number, longest, 1) + struct.pack(">HH", 240, 65535))
        for _ in range(100):
            frames.feed(struct.pack(">HH", 240, 65535) + bytes(65531))
            for _ in drain(frames):
                pass
            assert frames.waiting <= MAX_BYTES + 65535
