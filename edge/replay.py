"""Recorded reads, decided again: the same rules as at a live door, without a reader, a broker or a clock.

A recording is a CSV file with the columns timestamp (seconds since 1970), antenna, rssi (dBm) and epc (hexadecimal,
also as b'..'); other columns are ignored, rows stand in any order.
"""

import csv
import re
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Final

from contract.events import DoorPass
from contract.site import Door, LlrpReader, PassRules, Title
from edge.errors import BadReads
from edge.llrp.read import Read
from edge.portal.door import DoorTracker

COLUMNS: Final = ("timestamp", "antenna", "rssi", "epc")
NAME: Final = "replay"
_EPC: Final = re.compile(r"(?:b'((?:[0-9a-f]{2}){1,62})'|((?:[0-9a-f]{2}){1,62}))", re.IGNORECASE)
_LAST_S: Final = 4_102_444_800
_MAX_LINE: Final = 1 << 20
"""Characters of a line that are read at once: what has no lines is no recording, however long it is."""


def decide_csv(path: Path, inside: set[int], outside: set[int], rules: PassRules | None = None) -> Iterator[DoorPass]:
    """The passes in a recording, in the order of their decisions; raises `BadReads`."""
    if not inside or not outside or inside & outside:
        raise BadReads(f"antennas inside {sorted(inside)}, outside {sorted(outside)}: each side needs its own")
    reader = LlrpReader(name=NAME, inside=sorted(inside), outside=sorted(outside))
    door = Door(
        name=NAME,
        title=Title(en="Replay", zh="回放"),
        agent=NAME,
        inside="inside",
        outside="outside",
        readers=[reader],
        rules=rules or PassRules(),
    )
    tracker = DoorTracker(door)
    for read in sorted(read_csv(path)):
        yield from _due(tracker, read.at_us)
        tracker.feed([read])
    yield from _due(tracker, None)


def _due(tracker: DoorTracker, until_us: int | None) -> Iterator[DoorPass]:
    """What a live door would have decided before `until_us`, at the moments at which it would have."""
    while (due_us := tracker.next_due_us()) is not None and (until_us is None or due_us < until_us):
        yield from tracker.due(due_us)


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
    )


def _antenna(row: Mapping[str | None, str | None], where: str) -> int:
    number = _number(row, "antenna", 0, 65535, where)
    if not number.is_integer():
        raise BadReads(f"{where}: antenna {row['antenna']!r:.40} is no whole number")
    return int(number)


def _number(row: Mapping[str | None, str | None], column: str, least: int, most: int, where: str) -> float:
    text = row[column] or ""
    try:
        number = float(text)
    except ValueError as error:
        raise BadReads(f"{where}: {column} {text!r:.40} is no number") from error
    if not least <= number <= most:
        raise BadReads(f"{where}: {column} {text!r:.40} is not between {least} and {most}")
    return number
