"""RO_ACCESS_REPORT at full rate: the same tags as sllurp and as the thorough decoder, in any order and length."""

import contextlib
import struct
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from llrpdata import golden_frames, message, plain_tag, tlv, tv
from sllurp.llrp import LLRPMessage

from edge.errors import BadFrame
from edge.llrp.frames import decode_file
from edge.llrp.report import BULK, BULK_BYTES, ReportDecoder, TagReport

U16 = st.integers(0, 0xFFFF).map(lambda number: struct.pack(">H", number))
U64 = st.integers(0, 2**63).map(lambda number: struct.pack(">Q", number))
EPC = st.binary(min_size=1, max_size=62).map(lambda epc: tlv(241, struct.pack(">H", 8 * len(epc)) + epc))
EPC_96 = st.binary(min_size=12, max_size=12).map(lambda epc: tv(13, epc))
OPTIONAL = [
    U16.map(lambda value: tv(1, value)),
    st.binary(min_size=1, max_size=1).map(lambda value: tv(6, value)),
    U16.map(lambda value: tv(7, value)),
    U16.map(lambda value: tv(8, value)),
    U64.map(lambda value: tv(2, value)),
    U64.map(lambda value: tv(4, value)),
    st.binary(min_size=4, max_size=4).map(lambda value: tv(9, value)),
    U16.map(lambda value: tlv(1023, struct.pack(">II", 25882, 56) + value)),
    U16.map(lambda value: tlv(1023, struct.pack(">II", 25882, 57) + value)),
    U16.map(lambda value: tlv(1023, struct.pack(">II", 25882, 68) + value)),
]
STRANGE = [
    st.binary(max_size=20).map(lambda value: tlv(1023, struct.pack(">II", 4711, 3) + value)),
    st.binary(max_size=20).map(lambda value: tlv(777, value)),
    U16.map(lambda value: tv(12, value)),
]


@st.composite
def tags(draw: st.DrawFn) -> bytes:
    """A TagReportData with any parameters, each once, in any order."""
    chosen = draw(st.lists(st.sampled_from(OPTIONAL + STRANGE), unique=True, max_size=10))
    parts = draw(st.permutations([draw(EPC | EPC_96), *(draw(part) for part in chosen)]))
    return tlv(240, b"".join(parts))


@given(st.lists(tags(), max_size=12), st.integers(1, 5))
def test_any_legal_report_gives_the_tags_that_sllurp_finds(reports: list[bytes], times: int) -> None:
    body = b"".join(report * times for report in reports)
    ours = ReportDecoder(carry=False).decode(body)
    theirs = LLRPMessage(msgbytes=message(61, body)).msgdict["RO_ACCESS_REPORT"]["TagReportData"]
    assert [as_sllurp(tag) for tag in ours] == [only_ours(tag) for tag in theirs]


@st.composite
def streaks(draw: st.DrawFn) -> list[bytes]:
    """Runs of tags, each of one layout with other values: long enough for columns, and also just too short."""
    kinds = draw(st.lists(st.sampled_from([EPC, EPC_96]), min_size=1, max_size=6))
    out: list[bytes] = []
    for kind in kinds:
        epc, antenna = draw(kind), draw(U16)
        length = draw(st.integers(1, 2 * BULK + 1))
        out += [
            tlv(240, epc[:-1] + bytes([serial]) + tv(1, antenna) + tv(6, bytes([serial]))) for serial in range(length)
        ]
    return out


@given(streaks(), st.booleans())
def test_mixed_layouts_decode_the_same_in_one_report_and_in_one_each(reports: list[bytes], carry: bool) -> None:
    alone = ReportDecoder(carry=carry)
    found = ReportDecoder(carry=carry).decode(b"".join(reports))
    assert found == [tag for report in reports for tag in alone.decode(report)]


@given(tags(), tags(), st.integers(0, 60), st.integers(0, 60))
def test_one_differing_tag_among_many_is_decoded_as_what_it_is(
    usual: bytes, other: bytes, before: int, after: int
) -> None:
    decoder = ReportDecoder(carry=False)
    (one,), (differing,) = decoder.decode(usual), ReportDecoder(carry=False).decode(other)
    found = decoder.decode(usual * before + other + usual * after)
    assert found == [one] * before + [differing] + [one] * after


@given(tags(), st.integers(1, 40), st.data())
def test_a_tail_that_is_cut_off_is_never_taken_for_a_tag(report: bytes, count: int, data: st.DataObject) -> None:
    body = report * count
    left = data.draw(st.integers(1, len(report) - 1))
    decoder = ReportDecoder()
    decoder.decode(body)
    with pytest.raises(BadFrame) as caught:
        decoder.decode(body + report[:left])
    assert caught.value.offset >= len(body)


@given(tags(), st.integers(0, 30), st.integers(1, 255), st.data())
def test_a_flipped_byte_anywhere_in_many_tags_is_noticed_or_is_a_value(
    report: bytes, count: int, flip: int, data: st.DataObject
) -> None:
    spoilt = bytearray(report * (count + 1))
    spoilt[data.draw(st.integers(0, len(spoilt) - 1))] ^= flip
    knowing, fresh = ReportDecoder(carry=False), ReportDecoder(carry=False)
    knowing.decode(report)
    assert outcome(knowing, bytes(spoilt)) == outcome(fresh, bytes(spoilt))


def outcome(decoder: ReportDecoder, body: bytes) -> list[TagReport] | tuple[int, str]:
    try:
        return decoder.decode(body)
    except BadFrame as error:
        return error.offset, error.reason


def test_a_report_longer_than_one_bulk_is_whole_and_in_order() -> None:
    count = 3 * BULK_BYTES // len(plain_tag(0))
    found = ReportDecoder().decode(b"".join(plain_tag(serial) for serial in range(count)))
    assert [int(tag.epc[2:], 16) for tag in found] == list(range(count))


def as_sllurp(tag: TagReport) -> dict[str, Any]:
    named = {
        "EPC": tag.epc.encode(), "AntennaID": tag.antenna, "ChannelIndex": tag.channel, "TagSeenCount": tag.seen,
        "FirstSeenTimestampUTC": tag.first_seen_us, "LastSeenTimestampUTC": tag.last_seen_us, "rssi": tag.rssi_dbm,
        "ImpinjRFPhaseAngle": tag.phase, "ImpinjRFDopplerFrequency": tag.doppler,
    }  # fmt: skip
    return {name: value for name, value in named.items() if value is not None}


def only_ours(tag: dict[str, Any]) -> dict[str, Any]:
    wanted = as_sllurp(TagReport("", 1, 1, 1, 1, 1, 1, False, 1, 1)).keys()
    found = {name: value for name, value in tag.items() if name in wanted}
    rssi = tag.get("PeakRSSI")
    if "ImpinjPeakRSSI" in tag:
        rssi = tag["ImpinjPeakRSSI"] / 100
    return found if rssi is None else found | {"rssi": rssi}


@pytest.mark.parametrize("vendor", [False, True])
@pytest.mark.parametrize("count", [1, 2, 3, 50, 1000])
def test_a_plain_report_decodes_the_same_one_by_one_and_in_bulk(count: int, vendor: bool) -> None:
    reports = [plain_tag(serial, vendor=vendor) for serial in range(count)]
    alone = ReportDecoder()
    assert ReportDecoder().decode(b"".join(reports)) == [tag for one in reports for tag in alone.decode(one)]


def test_real_frames_give_the_same_tags_as_the_thorough_decoder() -> None:
    tags = 0
    for file in golden_frames():
        data, position = file.read_bytes(), 0
        for frame in decode_file(data):
            length = int.from_bytes(data[position + 2 : position + 6], "big")
            body, position = data[position + 10 : position + length], position + length
            if frame["type"] != "RO_ACCESS_REPORT":
                continue
            found = ReportDecoder(carry=False).decode(body)
            names = {
                "epc": 0,
                "antenna": 1,
                "rssi_dbm": 2,
                "channel": 3,
                "count": 4,
                "first_seen_us": 5,
                "last_seen_us": 6,
            }
            expected = [tuple(tag.get(name) for name in names) for tag in frame["tags"]]  # type: ignore[union-attr]
            assert [msgspec.structs.astuple(tag)[:7] for tag in found] == expected
            tags += len(found)
    assert tags > 100


def test_a_field_that_is_left_out_because_it_is_unchanged_keeps_its_value() -> None:
    epc = tv(13, bytes(12))
    full = tlv(240, epc + tv(1, b"\0\2") + tv(6, b"\xc4") + tv(2, struct.pack(">Q", 5)) + tv(4, struct.pack(">Q", 9)))
    short = tlv(240, epc + tv(4, struct.pack(">Q", 11)))
    decoder = ReportDecoder()
    first, *rest = decoder.decode(full + short * 4)
    assert (first.antenna, first.rssi_dbm, first.first_seen_us, first.last_seen_us) == (2, -60, 5, 9)
    assert {(tag.antenna, tag.rssi_dbm, tag.first_seen_us, tag.last_seen_us) for tag in rest} == {(2, -60, 5, 11)}
    (later,) = decoder.decode(short)
    assert later.antenna == 2
    (fresh,) = ReportDecoder().decode(short)
    assert fresh.antenna is None


def test_a_reader_without_a_calendar_is_marked() -> None:
    (tag,) = ReportDecoder().decode(tlv(240, tv(13, bytes(12)) + tv(5, struct.pack(">Q", 77))))
    assert (tag.last_seen_us, tag.uptime) == (77, True)


def test_bit_counts_that_are_no_multiple_of_eight_take_whole_octets() -> None:
    (tag,) = ReportDecoder().decode(tlv(240, tlv(241, b"\0\x09\xab\x80")))
    assert tag.epc == "ab80"
    (empty,) = ReportDecoder().decode(tlv(240, tlv(241, b"\0\0")))
    assert empty.epc == ""
    assert len(ReportDecoder().decode(tlv(240, tlv(241, b"\0\0")) * 9)) == 9


@given(st.binary(max_size=200), st.lists(st.sampled_from([plain_tag(1), plain_tag(2, vendor=True)]), max_size=4))
def test_garbage_gives_the_one_error_or_tags(garbage: bytes, good: list[bytes]) -> None:
    decoder = ReportDecoder()
    with contextlib.suppress(BadFrame):
        decoder.decode(b"".join(good) + garbage)
    assert len(decoder.decode(b"".join(good))) == len(good)


@given(st.integers(0, len(plain_tag(1)) - 1), st.integers(1, 255))
def test_a_flipped_byte_in_a_known_layout_is_noticed_or_is_a_value(at: int, flip: int) -> None:
    decoder = ReportDecoder(carry=False)
    decoder.decode(plain_tag(1))
    spoilt = bytearray(plain_tag(1))
    spoilt[at] ^= flip
    try:
        found = decoder.decode(bytes(spoilt))
    except BadFrame:
        return
    assert found == ReportDecoder(carry=False).decode(bytes(spoilt))


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (tlv(240, tv(1, b"\0\1")), "tag report without an EPC"),
        (tlv(240, tv(13, bytes(5))), "TV parameter 13 is unknown or cut off"),
        (tlv(240, tv(99, b"")), "TV parameter 99 is unknown or cut off"),
        (tlv(240, tlv(241, b"\0\x20\0")), "EPC of 32 bits in a parameter of 7 bytes"),
        (struct.pack(">HH", 240, 99), "parameter 240 of 99 bytes where 4 are left"),
        (struct.pack(">HH", 240, 0), "parameter 240 of 0 bytes where 4 are left"),
        (b"\x01", "parameter header cut off"),
    ],
)
def test_what_cannot_be_read_is_named_with_its_place(body: bytes, reason: str) -> None:
    with pytest.raises(BadFrame) as caught:
        ReportDecoder().decode(plain_tag(1) + body, offset=10)
    assert caught.value.reason == reason
    assert caught.value.offset >= 10 + len(plain_tag(1))


def test_a_reader_with_ever_new_layouts_fills_no_memory() -> None:
    decoder = ReportDecoder()
    for padding in range(500):
        assert len(decoder.decode(tlv(240, tv(13, bytes(12)) + tlv(777, bytes(padding))))) == 1
    assert decoder.layouts <= 64
