"""Recorded reads: read, checked, and played through a simulated reader."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from llrpdata import DATA
from sllurp.llrp import LLRPMessage
from sllurp.llrp_proto import LLRPROSpec

from firmware_sim.errors import BadRecording
from firmware_sim.radio import TagRead
from firmware_sim.reader import SimReader, wall_us
from firmware_sim.recording import load, play

PASSES = DATA / "passes"

HEADER = "timestamp,reader,antenna,rssi,epc,phase_angle,channel_index,doppler_frequency\n"
ROWS = (
    "1747163180.176906,10.0.0.1:5084,2,-70,b'303435fc8803d056d15b963f',3180,38,-8\n"
    "1747163180.129075,10.0.0.1:5084,1,-63,303435FC8803D056D15B963F,2988,38,-703\n"
)


def recording(folder: Path, text: str) -> Path:
    path = folder / "reads.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_rows_come_by_time_whatever_their_order(tmp_path: Path) -> None:
    epc = "303435fc8803d056d15b963f"
    assert load(recording(tmp_path, HEADER + ROWS)) == [
        TagRead(1747163180129075, epc, 1, -63, 2988, 38, -703),
        TagRead(1747163180176906, epc, 2, -70, 3180, 38, -8),
    ]


@pytest.mark.parametrize(
    ("text", "place", "reason"),
    [
        ("", ":1", "missing columns: timestamp"),
        (HEADER.replace("rssi", "level") + ROWS, ":1", "missing columns: rssi"),
        (HEADER + ROWS + "1,x,1,-60,zz,0,1,0\n", ":4", "epc 'zz'"),
        (HEADER + ROWS + "soon,x,1,-60,aa,0,1,0\n", ":4", "timestamp 'soon'"),
        (HEADER + ROWS + "nan,x,1,-60,aa,0,1,0\n", ":4", "timestamp 'nan'"),
        (HEADER + ROWS + "1,x,0,-60,aa,0,1,0\n", ":4", "antenna 0"),
        (HEADER + ROWS + "1,x,1,-600,aa,0,1,0\n", ":4", "rssi -600"),
        (HEADER + ROWS + "1,x,1,-60,aa,inf,1,0\n", ":4", "phase_angle 'inf'"),
        (HEADER + ROWS + "1,x,1,-60\n", ":4", "number of columns"),
        (HEADER + ROWS + "1,x,1,-60,aa,0,1,0,0\n", ":4", "number of columns"),
    ],
)
def test_a_bad_row_is_named_by_file_and_line(tmp_path: Path, text: str, place: str, reason: str) -> None:
    path = recording(tmp_path, text)
    with pytest.raises(BadRecording) as caught:
        load(path)
    assert str(caught.value).startswith(f"{path}{place}: ")
    assert reason in str(caught.value)


@given(st.binary(max_size=300))
def test_garbage_is_reads_or_one_clear_error(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "garbage.csv"
    path.write_bytes(data)
    try:
        load(path)
    except BadRecording as error:
        reason = str(error)
    else:
        return
    assert reason.startswith(str(path))


def test_a_recording_is_played_with_its_gaps_and_stamped_with_the_present(tmp_path: Path) -> None:
    reads = load(recording(tmp_path, HEADER + ROWS))
    begun_us = wall_us()
    tags = asyncio.run(played(reads, speed=1.0, restamp=True))
    times = [tag["FirstSeenTimestampUTC"] for tag in tags]
    assert times[1] - times[0] == reads[1].at_us - reads[0].at_us
    assert begun_us <= times[0] <= wall_us()


async def played(reads: list[TagRead], *, speed: float, restamp: bool) -> list[dict[str, Any]]:
    """What a client gets that asked for one report at the end."""
    async with SimReader("reader-1") as reader:
        stream, writer = await asyncio.open_connection("127.0.0.1", reader.port)
        spec = LLRPROSpec(None, 1, antennas=(1, 2, 3, 4), tag_content_selector={"EnableFirstSeenTimestamp": True})
        for request in ({"ADD_ROSPEC": {"ROSpecID": 1, "ROSpec": dict(spec)}}, {"ENABLE_ROSPEC": {"ROSpecID": 1}}):
            writer.write(LLRPMessage(msgdict=request).msgbytes)
        await message(stream, "ENABLE_ROSPEC_RESPONSE")
        await play(reader, reads, speed=speed, restamp=restamp)
        writer.write(LLRPMessage(msgdict={"STOP_ROSPEC": {"ROSpecID": 1}}).msgbytes)
        report = await message(stream, "RO_ACCESS_REPORT")
        writer.close()
        return list(report["TagReportData"])


async def message(stream: asyncio.StreamReader, name: str) -> dict[str, Any]:
    while True:
        head = await stream.readexactly(10)
        came = LLRPMessage(msgbytes=head + await stream.readexactly(int.from_bytes(head[2:6], "big") - 10))
        if came.msgname == name:
            return dict(came.msgdict[name])


@pytest.mark.skipif(not PASSES.is_dir(), reason=f"no recorded passes at {PASSES}")
def test_every_real_pass_comes_out_of_the_reader_as_it_went_in() -> None:
    paths = sorted(PASSES.glob("MoveTest*.csv"))
    assert paths
    for path in paths:
        reads = load(path)
        tags = asyncio.run(played(reads, speed=1000.0, restamp=False))
        came = [(tag["FirstSeenTimestampUTC"], tag["EPC"], tag["AntennaID"], tag["PeakRSSI"]) for tag in tags]
        assert came == [(read.at_us, read.epc.encode(), read.antenna, read.rssi_dbm) for read in reads]


def test_a_speed_of_nothing_is_refused() -> None:
    async def story() -> None:
        async with SimReader("reader-1") as reader:
            with pytest.raises(ValueError, match="speed 0"):
                await play(reader, [], speed=0)

    asyncio.run(story())
