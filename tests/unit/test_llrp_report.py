"""RO_ACCESS_REPORT at full rate: columns, layouts, what is carried over, and what is wrong with a report."""

import contextlib
import struct

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from llrpdata import golden_frames, plain_tag, tlv, tv

from edge.errors import BadFrame
from edge.llrp.frames import decode_file
from edge.llrp.report import BULK, BULK_BYTES, MAX_ALIKE, MAX_LAYOUTS, ReportDecoder, TagReport

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
    ("body", "reason", "why"),
    [
        (tlv(240, tv(13, bytes(5))), "TV parameter 13 cut off", "cut_off"),
        (tlv(240, tlv(241, b"\0\x20\0")), "EPC of 32 bits in a parameter of 7 bytes", "cut_off"),
        (tlv(240, tlv(1023, bytes(7))), "custom parameter of 11 bytes", "cut_off"),
        (tlv(240, tlv(61, b"")), "parameter 61 with length 4", "bad_parameter"),
        (struct.pack(">HH", 240, 99), "parameter 240 of 99 bytes where 4 are left", "cut_off"),
        (struct.pack(">HH", 240, 0), "parameter 240 with length 0", "bad_parameter"),
        (tv(13, bytes(12)), "TV parameter 13 where a TagReportData should stand", "bad_parameter"),
        (b"\x01", "parameter header cut off", "cut_off"),
    ],
)
def test_what_contradicts_itself_is_named_with_its_place_and_nothing_of_it_is_kept(
    body: bytes, reason: str, why: str
) -> None:
    decoder = ReportDecoder()
    decoder.decode(plain_tag(1))
    with pytest.raises(BadFrame) as caught:
        decoder.decode(plain_tag(2) * 20 + body, offset=10)
    assert (caught.value.reason, caught.value.why) == (reason, why)
    assert caught.value.offset >= 10 + 20 * len(plain_tag(1))
    (bare,) = decoder.decode(tlv(240, tv(13, bytes(12))))
    assert bare.antenna == 2  # of tag 1: tag 2 was of antenna 3


@pytest.mark.parametrize("count", [1, 3, 50])
def test_an_unknown_tv_parameter_costs_what_stands_behind_it_in_its_tag(count: int) -> None:
    strange = tlv(240, tv(13, bytes(12)) + tv(1, b"\0\2") + tv(99, b"\1\2\3") + tv(6, b"\xc4"))
    decoder = ReportDecoder()
    found = decoder.decode(plain_tag(1) + strange * count + plain_tag(1))
    assert [tag.antenna for tag in found] == [2] * (count + 2)
    assert [tag.rssi_dbm for tag in found] == [-51] * (count + 2)
    assert decoder.rejected == {"unknown_tv": count}


@pytest.mark.parametrize("count", [1, 3, 50])
def test_a_tag_without_an_epc_costs_itself(count: int) -> None:
    decoder = ReportDecoder()
    found = decoder.decode(plain_tag(1) + tlv(240, tv(1, b"\0\7")) * count + tlv(240, tv(13, bytes(12))))
    assert [tag.antenna for tag in found] == [2, 2]
    assert decoder.rejected == {"no_epc": count}


@pytest.mark.parametrize("count", [1, 50])
def test_what_stands_several_times_counts_where_it_stands_last(count: int) -> None:
    twice = tlv(240, tv(13, bytes(12)) + tv(1, b"\0\1") + tlv(241, b"\0\x08\xab") + tv(1, b"\0\2"))
    found = ReportDecoder().decode(twice * count)
    assert {(tag.epc, tag.antenna) for tag in found} == {("ab", 2)}
    assert len(found) == count


def test_an_epc_of_any_length_is_whole() -> None:
    for bits in range(600):
        octets = bytes((number * 37 + 1) % 256 for number in range((bits + 7) // 8))
        (tag,) = ReportDecoder().decode(tlv(240, tlv(241, struct.pack(">H", bits) + octets)))
        assert tag.epc == octets.hex()


# Bounds


def test_one_report_of_1_5_mb_is_decoded_by_one_layout() -> None:
    """By structure, not by the clock: two tags are walked, however long the report is."""
    for vendor in (False, True):
        tag = plain_tag(1, vendor=vendor)
        decoder = ReportDecoder()
        assert len(decoder.decode(tag * (1_500_000 // len(tag)))) == 1_500_000 // len(tag)
        assert (decoder.walked, decoder.layouts) == (2, 1)


def test_a_report_of_ever_new_layouts_is_read_tag_by_tag() -> None:
    """Each tag of the same length, each with a vendor's parameter that no other has: the worst that can be sent."""
    decoder = ReportDecoder()
    body = b"".join(
        tlv(240, tv(13, bytes(12)) + tlv(1023, struct.pack(">IIH", 4711, number, number % 7)))
        for number in range(20_000)
    )
    assert len(decoder.decode(body)) == 20_000
    assert decoder.walked == 20_000
    assert decoder.layouts == 0


def test_layouts_that_alternate_are_learned() -> None:
    tags = [tlv(240, tv(13, bytes(12)) + tlv(777 + number, bytes(4))) for number in range(MAX_ALIKE)]
    decoder = ReportDecoder()
    assert len(decoder.decode(b"".join(tags) * 500)) == 500 * MAX_ALIKE
    assert decoder.walked == 2 * MAX_ALIKE


def test_a_reader_with_ever_new_layouts_fills_no_memory() -> None:
    decoder = ReportDecoder()
    for padding in range(500):
        assert len(decoder.decode(2 * tlv(240, tv(13, bytes(12)) + tlv(777, bytes(padding))))) == 2
        assert decoder.layouts <= MAX_LAYOUTS
    for padding in range(60_000, 60_020):
        assert len(decoder.decode(2 * tlv(240, tv(13, bytes(12)) + tlv(777, bytes(padding))))) == 2
    assert 1 <= decoder.layouts <= 5
