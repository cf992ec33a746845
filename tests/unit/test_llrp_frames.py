"""LLRP framing: real frames against their XML twins, every split and every kind of garbage."""

import re
import struct
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st
from llrpdata import golden_frames, message, plain_tag, tlv

from edge.errors import BadFrame
from edge.llrp import frames as frames_module
from edge.llrp.body import Fields, Value
from edge.llrp.frames import Frame, Frames, decode_file
from edge.llrp.words import ENUMERATIONS, NUMBERS

KEEPALIVE = message(62, b"")
REPORT = message(61, plain_tag(1) + plain_tag(2))
GREETING = message(63, tlv(246, tlv(128, struct.pack(">Q", 1)) + tlv(256, b"\0\0")))
STATUS = message(30, tlv(287, struct.pack(">HH", 0, 0)))
GOOD = [KEEPALIVE, REPORT, GREETING, STATUS]


def drain(frames: Frames) -> Iterator[Frame | BadFrame]:
    """Everything that can be taken now."""
    while True:
        try:
            frame = frames.take()
        except BadFrame as error:
            yield error
            continue
        if frame is None:
            return
        yield frame


# Real frames


def test_every_real_frame_decodes_as_its_xml_twin_says() -> None:
    frames = tags = 0
    for file in golden_frames():
        decoded = list(decode_file(file.read_bytes()))
        twins = xml_messages(file.with_suffix(".xml"))
        if "dx301" in file.stem:  # the twin holds broken XML; the binary its answers: one ERROR_MESSAGE for each
            assert [frame["type"] for frame in decoded] == ["ERROR_MESSAGE"] * len(twins)
            assert all(frame["fields"] == {"LLRPStatus": SUCCESS} for frame in decoded)
            frames += len(decoded)
            continue
        assert len(decoded) == len(twins)
        for frame, twin in zip(decoded, twins, strict=True):
            assert "error" not in frame
            assert (frame["type"], frame["id"]) == (plain_name(twin.tag), int(twin.attrib["MessageID"]))
            if frame["type"] == "RO_ACCESS_REPORT":
                expected = [xml_tag(tag) for tag in twin]
                assert frame["tags"] == expected
                tags += len(expected)
            else:
                fields = xml_fields(twin)
                if file.stem == "ADD_ROSPEC2":
                    fields = swap_session_bits(fields)
                assert normal(frame["fields"]) == fields
            frames += 1
    assert frames == 24 + 78 + 13
    assert tags > 100


def swap_session_bits(value: Value) -> Value:
    """The Java toolkit wrote the two bits of Session 1 as 10; by the standard, and for every reader, that is 2."""
    if isinstance(value, list):
        return [swap_session_bits(inner) for inner in value]
    if isinstance(value, dict):
        return {name: "2" if name == "Session" else swap_session_bits(inner) for name, inner in value.items()}
    return value


SUCCESS = {"StatusCode": "M_Success", "ErrorDescription": ""}


def xml_messages(file: Path) -> list[ElementTree.Element]:
    root = ElementTree.fromstring(file.read_text(encoding="utf-8"))
    return list(root) if plain_name(root.tag) == "packetSequence" else [root]


def plain_name(tag: str) -> str:
    return tag.rsplit("}", 1)[-1]


def xml_tag(report: ElementTree.Element) -> Fields:
    """A TagReportData of the XML in the form that `decode_file` gives."""
    names = {
        "AntennaID": "antenna", "PeakRSSI": "rssi_dbm", "TagSeenCount": "count", "ChannelIndex": "channel",
        "FirstSeenTimestampUTC": "first_seen_us", "LastSeenTimestampUTC": "last_seen_us", "ROSpecID": "rospec",
        "SpecIndex": "spec_index", "InventoryParameterSpecID": "inventory_spec", "C1G2_PC": "pc", "C1G2_CRC": "crc",
    }  # fmt: skip
    tag: Fields = {}
    for parameter in report:
        (field,) = parameter
        name, text = plain_name(parameter.tag), field.text or ""
        if name in ("EPCData", "EPC_96"):
            tag["epc"] = text.lower()
            bits = int(field.attrib.get("Count", 96))
            if bits % 8:
                tag["epc_bits"] = bits
        else:
            tag[names[name]] = microseconds(text) if name.endswith("UTC") else int(text)
    return tag


def microseconds(text: str) -> int:
    moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
    return int(moment.timestamp()) * 1_000_000 + moment.microsecond


def xml_fields(element: ElementTree.Element) -> Fields:
    """Fields and parameters of an XML message, as text in lower case; what stands several times is a list."""
    out: Fields = {}
    for child in element:
        value: Value = xml_fields(child) if len(child) else normal_text(child.text or "")
        name = plain_name(child.tag)
        before = out.get(name)
        out[name] = value if before is None else [*(before if isinstance(before, list) else [before]), value]
    return out


def normal_text(text: str) -> str:
    text = text.strip().lower()
    return str(microseconds(text.upper())) if re.match(r"\d{4}-\d\d-\d\dt", text) else text


def normal(value: Value) -> Value:
    """What was decoded, in the same form."""
    if isinstance(value, dict):
        if set(value) == {"Bits", "Hex"}:
            return normal(value["Hex"])
        return {name: normal(inner) for name, inner in value.items()}
    if isinstance(value, list):
        if value and all(isinstance(inner, dict) for inner in value):
            return [normal(inner) for inner in value]
        return " ".join(f"{word:04x}" if len(value) > 2 and isinstance(word, int) else str(word) for word in value)
    return str(value).lower()


# Framing


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
    assert [frame.body for frame in found if isinstance(frame, Frame)] == [one[10:] for one in messages]
    assert len(found) == len(messages)
    assert frames.waiting == 0


@given(st.binary(min_size=1, max_size=300), st.lists(st.sampled_from(GOOD), min_size=2, max_size=5))
def test_garbage_costs_at_most_one_good_message(garbage: bytes, messages: list[bytes]) -> None:
    frames = Frames()
    frames.feed(KEEPALIVE + garbage + b"".join(messages))
    found = list(drain(frames))
    while frames.waiting:
        frames.give_up()
        found += drain(frames)
    bodies = [one[10:] for one in messages]
    assert [frame.body for frame in found if isinstance(frame, Frame)][-len(bodies) + 1 :] == bodies[1:]


@given(st.lists(st.binary(max_size=200) | st.sampled_from(GOOD), max_size=20))
def test_no_bytes_do_more_than_raise_the_one_error(pieces: list[bytes]) -> None:
    frames = Frames(max_bytes=4096)
    for piece in pieces:
        frames.feed(piece)
        for found in drain(frames):
            if isinstance(found, Frame):
                try:
                    found.fields()
                except BadFrame:
                    frames.reject()
    assert frames.waiting <= 4096 + 200


@given(st.binary(max_size=600))
def test_a_file_of_anything_decodes_to_messages_and_errors(data: bytes) -> None:
    for one in decode_file(data + REPORT + data):
        assert ("type" in one) or ("error" in one and "offset" in one)


@given(st.integers(0, len(REPORT) - 1), st.integers(1, 255))
def test_a_flipped_byte_spoils_its_own_message_and_at_most_the_next(at: int, flip: int) -> None:
    spoilt = bytearray(REPORT)
    spoilt[at] ^= flip
    decoded = list(decode_file(KEEPALIVE + bytes(spoilt) + REPORT + GREETING + KEEPALIVE))
    assert [one.get("type") for one in decoded[-2:]] == ["READER_EVENT_NOTIFICATION", "KEEPALIVE"]


def test_a_file_cut_off_in_the_middle_says_so_and_the_rest_is_read() -> None:
    decoded = list(decode_file(REPORT[:50] + GREETING + KEEPALIVE))
    assert [one.get("type") for one in decoded if "error" not in one] == ["READER_EVENT_NOTIFICATION", "KEEPALIVE"]
    assert [one["offset"] for one in decoded if "error" in one]
    (last,) = list(decode_file(KEEPALIVE[:7]))
    assert last == {"error": "7 bytes of an unfinished message", "offset": 0}


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        (struct.pack(">HII", 0x0C3E, 10, 0), "no LLRP header: reserved bits 0, version 3"),
        (struct.pack(">HII", 0x0463, 10, 0), "unknown message type 99"),
        (struct.pack(">HII", 0x043E, 9, 0), "KEEPALIVE cannot be 9 bytes long"),
        (struct.pack(">HII", 0x043D, 2**31, 0), "RO_ACCESS_REPORT cannot be 2147483648 bytes long"),
        (b"GET / HTTP/1.1\r\n", "no LLRP header: reserved bits 2, version 1"),
    ],
)
def test_what_is_no_header_is_named(header: bytes, reason: str) -> None:
    frames = Frames()
    frames.feed(KEEPALIVE + header + KEEPALIVE * 2)
    kept, bad, *rest = drain(frames)
    assert isinstance(kept, Frame)
    assert isinstance(bad, BadFrame)
    assert (bad.offset, bad.reason) == (10, reason)
    assert [frame.name for frame in rest if isinstance(frame, Frame)] == ["KEEPALIVE", "KEEPALIVE"]


def test_a_message_of_megabytes_is_one_message() -> None:
    tag = plain_tag(1)
    body = tag * (1_500_000 // len(tag))
    frames = Frames()
    stream = message(61, body) + KEEPALIVE
    found: list[Frame | BadFrame] = []
    for at in range(0, len(stream), 65536):
        frames.feed(stream[at : at + 65536])
        found += drain(frames)
    assert [len(frame.body) for frame in found if isinstance(frame, Frame)] == [len(body), 0]


def test_a_body_with_wrong_lengths_names_the_place() -> None:
    (one,) = decode_file(message(30, tlv(287, b"\0\0\0\xff")))
    assert one["type"] == "ADD_ROSPEC_RESPONSE"
    assert one["error"] == "LLRPStatus.ErrorDescription of 255 bytes where 0 are left"
    nested = b""
    for _ in range(200):
        nested = tlv(209, nested)
    (deep,) = decode_file(message(40, nested))
    assert "within each other" in str(deep["error"])


def test_unknown_parameters_are_kept_as_they_are() -> None:
    (one,) = decode_file(message(30, tlv(287, bytes(4)) + tlv(900, b"\x01\x02")))
    assert one["fields"] == {"LLRPStatus": SUCCESS, "Unknown": {"Type": 900, "Data": "0102"}}


def test_the_vocabulary_is_consistent() -> None:
    assert NUMBERS["RO_ACCESS_REPORT"] == 61
    assert ENUMERATIONS["Status"][401] == "R_DeviceError"


def test_a_file_of_messages_within_messages_is_read_in_time_that_grows_with_its_length() -> None:
    unit = struct.pack(">HII", 0x43D, frames_module.MAX_BYTES, 1) + struct.pack(">HH", 240, 16)
    nested = unit * (5 * 1024 * 1024 // len(unit))
    searched = sum("error" in found for found in decode_file(nested + REPORT))
    assert 1 <= searched < 100_000


def test_a_file_of_zeros_is_one_error() -> None:
    assert list(decode_file(bytes(5_000_000))) == [
        {"error": "no LLRP header: reserved bits 0, version 0", "offset": 0},
    ]


def test_the_keys_of_a_report_are_those_that_others_rely_on() -> None:
    (decoded,) = decode_file(message(61, plain_tag(5), message_id=9))
    assert (decoded["type"], decoded["id"]) == ("RO_ACCESS_REPORT", 9)
    (tag,) = decoded["tags"]
    assert tag["epc"] == "30" + f"{5:022x}"
    assert (tag["antenna"], tag["rssi_dbm"], tag["count"]) == (2, -55, 1)
    assert tag["first_seen_us"] == tag["last_seen_us"] == 1_700_000_000_000_005
