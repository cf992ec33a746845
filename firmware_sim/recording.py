"""Recorded reads: a CSV file read and checked, and played through a simulated reader.

Columns: timestamp (s), reader, antenna, rssi (dBm), epc (hexadecimal, also as b'..'), phase_angle (0 to 4095),
channel_index, doppler_frequency (1/16 Hz). Rows may stand in any order.
"""

import asyncio
import csv
import math
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from firmware_sim.errors import BadRecording
from firmware_sim.radio import TagRead
from firmware_sim.reader import SimReader, wall_us

COLUMNS = ("timestamp", "antenna", "rssi", "epc", "phase_angle", "channel_index", "doppler_frequency")
_LIMITS = {
    "antenna": (1, 65535),
    "rssi": (-128, 127),
    "phase_angle": (0, 4095),
    "channel_index": (0, 65535),
    "doppler_frequency": (-32768, 32767),
}
_EPC = re.compile(r"(?:b'((?:[0-9a-f]{2}){1,62})'|((?:[0-9a-f]{2}){1,62}))", re.IGNORECASE)
_LAST_S = 4_102_444_800.0
"""The year 2100."""


def load(path: Path) -> list[TagRead]:
    """The reads of a file by time; raises `BadRecording` naming file and line, or OSError."""
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            rows = csv.DictReader(file, strict=True)
            missing = [column for column in COLUMNS if column not in (rows.fieldnames or ())]
            if missing:
                raise BadRecording(f"{path}:1: missing columns: {', '.join(missing)}")
            reads = [_read(row, f"{path}:{rows.line_num}") for row in rows]
    except UnicodeDecodeError as error:
        raise BadRecording(f"{path}: not UTF-8 at byte {error.start}") from error
    except csv.Error as error:
        raise BadRecording(f"{path}: not CSV: {error}") from error
    return sorted(reads, key=lambda read: read.at_us)


async def play(
    reader: SimReader,
    reads: Sequence[TagRead],
    *,
    speed: float = 1.0,
    restamp: bool = True,
    clock: Callable[[], int] = wall_us,
) -> None:
    """Deliver reads to a reader with their gaps divided by `speed`, and return after the last.

    With `restamp` each read carries the moment at which it is played, so that its gaps shrink with the speed, too;
    without, its own time. `clock` is the reader's world clock.
    """
    if not speed > 0:
        raise ValueError(f"speed {speed}: must be above 0")
    begun_us = clock()
    loop = asyncio.get_running_loop()
    begun_s = loop.time()
    for read in reads:
        due_s = (read.at_us - reads[0].at_us) / speed / 1e6
        await asyncio.sleep(begun_s + due_s - loop.time())
        reader.deliver([read._replace(at_us=begun_us + round(due_s * 1e6)) if restamp else read])


def _read(row: Mapping[str | None, str | None], where: str) -> TagRead:
    if None in row or None in row.values():
        raise BadRecording(f"{where}: the row has another number of columns than the header")
    timestamp, epc = row["timestamp"] or "", (row["epc"] or "").strip()
    match = _EPC.fullmatch(epc)
    if match is None:
        raise BadRecording(f"{where}: epc {epc[:130]!r} is not 1 to 62 bytes in hexadecimal")
    numbers = {column: _number(row[column] or "", column, where) for column in _LIMITS}
    return TagRead(
        at_us=_microseconds(timestamp, where),
        epc=(match[1] or match[2]).lower(),
        antenna=numbers["antenna"],
        rssi_dbm=numbers["rssi"],
        phase=numbers["phase_angle"],
        channel=numbers["channel_index"],
        doppler=numbers["doppler_frequency"],
    )


def _microseconds(text: str, where: str) -> int:
    try:
        seconds = float(text)
    except ValueError as error:
        raise BadRecording(f"{where}: timestamp {text[:40]!r} is no number of seconds") from error
    if not (math.isfinite(seconds) and 0 <= seconds <= _LAST_S):
        raise BadRecording(f"{where}: timestamp {text[:40]!r} is not between 1970 and 2100")
    return round(seconds * 1e6)


def _number(text: str, column: str, where: str) -> int:
    lowest, highest = _LIMITS[column]
    try:
        number = round(float(text))
    except (ValueError, OverflowError) as error:
        raise BadRecording(f"{where}: {column} {text[:40]!r} is no number") from error
    if not lowest <= number <= highest:
        raise BadRecording(f"{where}: {column} {number} is not between {lowest} and {highest}")
    return number
