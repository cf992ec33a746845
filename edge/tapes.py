"""What a running agent has recorded of its doors: found, cut to a time, and written to a file to be given away."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from contract.portals import Door
from edge.errors import BadReads
from edge.recorder import A_FILE_US, FOLDER, SUFFIX, again, file_name
from edge.recording import (
    BeamEntry,
    Entry,
    EyesEntry,
    GpiEntry,
    ReadsEntry,
    SightEntry,
    read_recording,
    write_recording,
)

_WRITTEN_US: Final = 2_000_000
"""A file bears the time of its first write, and what is in it came before that."""


class Recorded(NamedTuple):
    """What is in a file."""

    doors: tuple[str, ...]
    reads: int
    tags: int


def record(data: Path, door: str, since_us: int, until_us: int, out: Path) -> Recorded:
    """Write what a door, and those beside it, were told in a time to a file (packed if its name ends in .gz).

    `data` is the agent's folder. Raises `BadReads` where nothing was recorded, and OSError.
    """
    doors, entries = collect(data, door, since_us, until_us)
    tags: set[str] = set()

    def counted() -> Iterator[Entry]:
        for entry in entries:
            if isinstance(entry, ReadsEntry):
                tags.update(one[1] for one in entry.heard)
            yield entry

    reads = write_recording(out, doors, counted())
    return Recorded(tuple(one.name for one in doors), reads, len(tags))


def collect(data: Path, door: str, since_us: int, until_us: int) -> tuple[tuple[Door, ...], Iterator[Entry]]:
    """What the door, and those beside it, were told in a time, from the recordings of the agent with this data folder.

    With the settings of the newest file. Raises `BadReads` where nothing was recorded.
    """
    first, last = file_name(since_us - A_FILE_US), file_name(until_us + _WRITTEN_US)
    paths = sorted((data / FOLDER).glob(f"*/*{SUFFIX}"), key=lambda path: path.name)
    found = [(path, _doors_of(path)) for path in paths if first <= path.name <= last]
    found = [(path, doors) for path, doors in found if any(one.name == door for one in doors)]
    if not found:
        raise BadReads(f"{data / FOLDER}: nothing was recorded of door {door!r} in that time; is the agent running?")
    return found[-1][1], _within([path for path, _ in found], since_us, until_us)


def _doors_of(path: Path) -> tuple[Door, ...]:
    """None of a file without a first line: the power went off before it was on the disk."""
    try:
        return read_recording(path)[0]
    except BadReads:
        return ()


def _within(files: Sequence[Path], since_us: int, until_us: int) -> Iterator[Entry]:
    """Entries of a time, after what still held when it began."""
    state: dict[tuple[str, ...], Entry] = {}
    begun = False
    for path in files:
        for entry in read_recording(path)[1]:
            if entry.arrived_us < since_us:
                _hold(state, entry)
                continue
            if not begun:
                begun = True
                yield from (again(held, since_us) for held in state.values())
            if entry.arrived_us > until_us:
                break
            yield entry


def _hold(state: dict[tuple[str, ...], Entry], entry: Entry) -> None:
    match entry:
        case BeamEntry():
            state["beam", entry.register] = entry
        case EyesEntry():
            state["eyes", *entry.watched] = entry
        case GpiEntry():
            state["gpi", entry.reader, str(entry.port)] = entry
        case SightEntry():
            state["sight", entry.reader] = entry
