"""Recorded reads, decided again: the same rules as at a live door, without a reader, a broker or a clock.

A recording of `truecount record` holds all that the rules were told, and the doors' settings (recording.py). A CSV file
of reads has the columns timestamp (seconds since 1970), antenna, rssi (dBm) and epc (hexadecimal, also as b'..'), and,
if the reader told them, channel_index and phase_angle (0 to 4095 for a full turn). Other columns are ignored, rows
stand in any order.
"""

import csv
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from operator import attrgetter
from pathlib import Path
from typing import Final

from contract.events import DoorPass, EmptyPass
from contract.portals import Door, LlrpReader, PassRules
from contract.sitepart import Title
from edge.errors import BadReads
from edge.llrp.read import Read
from edge.portal.neighbours import Neighbours
from edge.recording import BeamEntry, DueEntry, Entry, EyesEntry, GpiEntry, ReadsEntry, SightEntry, reads_entry

COLUMNS: Final = ("timestamp", "antenna", "rssi", "epc")
NAME: Final = "replay"
_EPC: Final = re.compile(r"(?:b'((?:[0-9a-f]{2}){1,62})'|((?:[0-9a-f]{2}){1,62}))", re.IGNORECASE)
LATE_US: Final = 5_000_000
_LAST_S: Final = 4_102_444_800
_MAX_LINE: Final = 1 << 20
"""Characters of a line that are read at once: what has no lines is no recording, however long it is."""


def decide_csv(
    path: Path, inside: set[int], outside: set[int], rules: PassRules | None = None
) -> Iterator[DoorPass | EmptyPass]:
    """The passes in a file of reads, in the order of their decisions; raises `BadReads`."""
    return decide([door_of_csv(inside, outside, rules)], entries_of_csv(path))


def door_of_csv(inside: set[int], outside: set[int], rules: PassRules | None = None) -> Door:
    """The door of a file of reads, which does not know its own; raises `BadReads`."""
    if not inside or not outside or inside & outside:
        raise BadReads(f"antennas inside {sorted(inside)}, outside {sorted(outside)}: each side needs its own")
    return Door(
        name=NAME,
        title=Title(en="Replay", zh="回放"),
        agent=NAME,
        inside="inside",
        outside="outside",
        readers=[LlrpReader(name=NAME, inside=sorted(inside), outside=sorted(outside))],
        rules=rules or PassRules(),
    )


def entries_of_csv(path: Path) -> Iterator[Entry]:
    """The reads of a file as if each had come at once; raises `BadReads`."""
    for read in sorted(read_csv(path), key=attrgetter("at_us")):
        yield reads_entry(read.at_us, [read])


def decide(doors: Sequence[Door], entries: Iterable[Entry], *, live: bool = False) -> Iterator[DoorPass | EmptyPass]:
    """What doors that are decided together make of what they were told, in the order of the decisions.

    A recording of a `live` door says when that decided, and each decision falls then, so that by the same rules it is
    the same; by other rules one may fall later than it was due, but not by more than a silence of `LATE_US`. Else each
    falls as soon as it is due. Reads of a reader that is not theirs are left out: it was another door's when a part of
    the recording was made.
    """
    row = Neighbours(doors)
    readers = {reader.name for door in doors for reader in door.readers}
    last_us = 0
    for entry in entries:
        if not live:
            yield from _due(row, entry.arrived_us)
        elif entry.arrived_us > last_us + LATE_US:
            yield from _due(row, entry.arrived_us - LATE_US)
        last_us = entry.arrived_us
        match entry:
            case DueEntry():
                yield from row.due(entry.arrived_us)
            case ReadsEntry():
                row.feed(read for read in entry.reads if read.reader in readers)
            case BeamEntry():
                row.beam(entry.register, entry.broken, entry.at_us)
            case EyesEntry():
                row.eyes({*entry.watched}, {*entry.lost}, entry.at_us)
            case GpiEntry():
                row.gpi(entry.reader, entry.port, entry.high, entry.at_us)
            case SightEntry():
                row.sight(entry.reader, entry.sees, entry.at_us)
    yield from _due(row, None)


def _due(row: Neighbours, until_us: int | None) -> Iterator[DoorPass | EmptyPass]:
    """What a live door would have decided before `until_us`, at the moments at which it would have."""
    while (due_us := row.next_due_us()) is not None and (until_us is None or due_us < until_us):
        yield from row.due(due_us)


def read_csv(path: Path) -> Iterator[Read]:
    """The reads of a recording, in the order of the file; raises `BadReads` naming the file and the line."""
    line = 1
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            rows = csv.DictReader(iter(partial(file.readline, _MAX_LINE), ""), strict=True)
            missing = [column for column in COLUMNS if column not in (rows.fieldnames or ())]
            if missing:
                raise BadReads(f"{path}:1: missing columns: {', '.join(missing)}")
            line = 2
            for row in rows:
                yield _read(row, f"{path}:{rows.line_num}")
                line = rows.line_num + 1
    except OSError as error:
        raise BadReads(f"{path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise BadReads(f"{path}:{line}: not UTF-8 from here on: {error.reason}") from error
    except csv.Error as error:
        raise BadReads(f"{path}:{line}: not CSV: {error}") from error


def _read(row: Mapping[str | None, str | None], where: str) -> Read:
    if None in row or None in row.values():
        raise BadReads(f"{where}: the row has more or fewer columns than the header")
    match = _EPC.fullmatch((row["epc"] or "").strip())
    if match is None:
        raise BadReads(f"{where}: epc {row['epc']!r:.140} is not 1 to 62 octets in hexadecimal")
    return Read(
        at_us=round(_number(row, "timestamp", 0, _LAST_S, where) * 1e6),
        epc=(match[1] or match[2]).lower(),
        antenna=_antenna(row, where),
        rssi_dbm=_number(row, "rssi", -128, 127, where),
        reader=NAME,
        channel=_whole(row, "channel_index", 65535, where),
        phase=_whole(row, "phase_angle", 4095, where),
    )


def _antenna(row: Mapping[str | None, str | None], where: str) -> int:
    number = _number(row, "antenna", 0, 65535, where)
    if not number.is_integer():
        raise BadReads(f"{where}: antenna {row['antenna']!r:.40} is no whole number")
    return int(number)


def _whole(row: Mapping[str | None, str | None], column: str, most: int, where: str) -> int | None:
    """A whole number of a column that need not be there, nor filled in."""
    if not row.get(column):
        return None
    return round(_number(row, column, 0, most, where))


def _number(row: Mapping[str | None, str | None], column: str, least: int, most: int, where: str) -> float:
    text = row[column] or ""
    try:
        number = float(text)
    except ValueError as error:
        raise BadReads(f"{where}: {column} {text!r:.40} is no number") from error
    if not least <= number <= most:
        raise BadReads(f"{where}: {column} {text!r:.40} is not between {least} and {most}")
    return number
