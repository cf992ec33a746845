"""Recorded reads decided again: the real passes, and files that are wrong."""

from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from llrpdata import recorded_walks

from contract import wire
from contract.portals import PassRules
from edge.errors import BadReads
from edge.replay import decide_csv

HEADER = "timestamp,reader,antenna,rssi,epc,phase_angle,channel_index,doppler_frequency\n"
GOOD = "1747163180.129075,192.168.0.219:5084,1,-63,b'303435fc8803d056d15b963f',2988,38,-703\n"


def test_the_real_passes_get_the_right_direction_or_an_honest_unknown() -> None:
    answers: Counter[str] = Counter()
    for file, inside, outside in recorded_walks():
        passes = list(decide_csv(file, inside, outside))
        assert len(passes) == 1, file.name
        answers[passes[0].direction] += 1
        assert wire.decode_event(wire.encode(passes[0])) == passes[0]
    assert answers["inbound"] >= 30
    assert answers["outbound"] == 0


def test_sides_exchanged_give_the_opposite_answers() -> None:
    opposite = {"inbound": "outbound", "outbound": "inbound", "unknown": "unknown"}
    for file, inside, outside in recorded_walks():
        (one,), (other,) = decide_csv(file, inside, outside), decide_csv(file, outside, inside)
        assert other.direction == opposite[one.direction]
        assert other.confidence == pytest.approx(one.confidence)


def test_rules_can_be_tried_on_a_recording() -> None:
    file, inside, outside = recorded_walks()[0]
    (decided,) = decide_csv(file, inside, outside, PassRules(margin_s=1000))
    assert decided.direction == "unknown"


def test_rows_stand_in_any_order_and_epcs_in_either_form(tmp_path: Path) -> None:
    rows = [GOOD.replace("180.129075", f"{180 + step / 20}").replace(",1,", f",{step % 4 + 1},") for step in range(40)]
    file = tmp_path / "reads.csv"
    file.write_text(HEADER + "".join(rows))
    shuffled = tmp_path / "shuffled.csv"
    shuffled.write_text(HEADER + "".join(reversed(rows)).replace("b'", "").replace("f',", "F,"))
    assert list(decide_csv(file, {1, 4}, {2, 3})) == list(decide_csv(shuffled, {1, 4}, {2, 3}))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "reads.csv:1: missing columns: timestamp, antenna, rssi, epc"),
        ("timestamp,epc\n", "reads.csv:1: missing columns: antenna, rssi"),
        (HEADER + GOOD + "soon,r,1,-63,b'00',0,0,0\n", "reads.csv:3: timestamp 'soon' is no number"),
        (HEADER + "nan,r,1,-63,b'00',0,0,0\n", "reads.csv:2: timestamp 'nan' is not between 0 and 4102444800"),
        (HEADER + "1,r,inf,-63,b'00',0,0,0\n", "reads.csv:2: antenna 'inf' is not between 0 and 65535"),
        (HEADER + "1,r,1,-630,b'00',0,0,0\n", "reads.csv:2: rssi '-630' is not between -128 and 127"),
        (HEADER + "1,r,1,-63,b'0',0,0,0\n", "reads.csv:2: epc \"b'0'\" is not 1 to 62 octets in hexadecimal"),
        (HEADER + "1,r,1.5,-63,b'00',0,0,0\n", "reads.csv:2: antenna '1.5' is no whole number"),
        (HEADER + "1,r,1,1e9,b'00',0,0,0\n", "reads.csv:2: rssi '1e9' is not between -128 and 127"),
        (HEADER + GOOD + "1,r,1,-63," + "0" * 200_000, "reads.csv:3: not CSV: field larger than field limit"),
        (HEADER + "1,r,1\n", "reads.csv:2: the row has more or fewer columns than the header"),
        (HEADER + GOOD.rstrip() + ",9,9\n", "reads.csv:2: the row has more or fewer columns than the header"),
        (HEADER + '1,r,1,-63,"b', "reads.csv:2: not CSV: unexpected end of data"),
    ],
)
def test_a_bad_file_is_told_with_its_line(tmp_path: Path, text: str, words: str) -> None:
    file = tmp_path / "reads.csv"
    file.write_text(text)
    with pytest.raises(BadReads) as caught:
        list(decide_csv(file, {1}, {2}))
    assert words in str(caught.value)


def test_a_file_that_is_not_text_or_not_there_is_told(tmp_path: Path) -> None:
    file = tmp_path / "reads.csv"
    with pytest.raises(BadReads, match="No such file"):
        list(decide_csv(file, {1}, {2}))
    file.write_bytes(HEADER.encode() + b"\xff\xfe")
    with pytest.raises(BadReads, match=r"reads\.csv:\d: not UTF-8"):
        list(decide_csv(file, {1}, {2}))
    with pytest.raises(BadReads, match="Is a directory"):
        list(decide_csv(tmp_path, {1}, {2}))
    with pytest.raises(BadReads, match="zero:1: "):
        list(decide_csv(Path("/dev/zero"), {1}, {2}))


@given(data=st.binary(max_size=300) | st.text(max_size=300).map(lambda text: (HEADER + text).encode()))
def test_garbage_is_a_recording_or_told_with_its_file(data: bytes, tmp_path_factory: pytest.TempPathFactory) -> None:
    file = tmp_path_factory.getbasetemp() / "garbage.csv"
    file.write_bytes(data)
    said = str(file)
    try:
        list(decide_csv(file, {1}, {2}))
    except BadReads as error:
        said = str(error)
    assert said.startswith(str(file))


def test_a_recording_without_reads_has_no_passes(tmp_path: Path) -> None:
    file = tmp_path / "reads.csv"
    file.write_text(HEADER)
    assert list(decide_csv(file, {1}, {2})) == []


@pytest.mark.parametrize(("inside", "outside"), [({1, 4}, {4}), (set(), {1}), ({1}, set())])
def test_sides_that_share_an_antenna_or_have_none_are_refused(
    tmp_path: Path, inside: set[int], outside: set[int]
) -> None:
    with pytest.raises(BadReads, match="each side needs its own"):
        list(decide_csv(tmp_path / "reads.csv", inside, outside))
