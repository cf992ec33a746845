"""Keeps the raw reads of an agent's doors on disk, an hour a file, for as long and as large as the site file allows.

    data/edge/recordings/dock-1/20261122T130000.123456Z.jsonl.gz

What the doors are told goes into memory and from there to the disk once a second, in a thread. A recording is evidence,
not stock: when the disk is slow or full it is the recording that suffers, never a decision. What is lost is counted.

Within a file the times only grow: when the clock is set back, a new file begins.
"""

import asyncio
import threading
import zlib
from collections.abc import Callable, Mapping, Sequence, Set
from contextlib import suppress
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple

import structlog

from contract.portals import Door
from contract.site import Recordings
from edge.llrp.read import Read
from edge.recording import (
    BeamEntry,
    DueEntry,
    Entry,
    EyesEntry,
    GpiEntry,
    SightEntry,
    entry_line,
    head_line,
    reads_entry,
)

FOLDER: Final = "recordings"
SUFFIX: Final = ".jsonl.gz"
WRITE_EVERY_S: Final = 1.0
A_FILE_US: Final = 3_600_000_000
SET_BACK_US: Final = 2_000_000
"""A clock that says so much less than at the last line was set back."""
MAX_PENDING: Final = 16 << 20
"""Octets that wait for the disk; beyond that the newest are dropped."""
PRUNE_EVERY: Final = 60
"""Writes between two looks at what is too old or too much."""
_GZIP: Final = 31
"""Window bits of zlib: the largest window, with the frame of a .gz file."""

log = structlog.get_logger(__name__)


State = Mapping[tuple[str, ...], Entry]
"""The newest of each thing that holds until it changes."""


class Taken(NamedTuple):
    """What a tape was told since the last time."""

    lines: list[bytes]
    changed: State


class Tape:
    """What one row of doors was told. Its methods but `write` and `close` are called in the event loop, and only put a
    line into memory."""

    def __init__(self, folder: Path, doors: Sequence[Door], clock: Callable[[], int]) -> None:
        self.dropped = 0
        """Lines, since the start."""
        self._folder, self._clock = folder, clock
        self._head = head_line(doors)
        self._lines: list[bytes] = []
        self._size = 0
        self._changed: dict[tuple[str, ...], Entry] = {}
        """What is different since lines were last taken, if they were dropped, too."""
        self._state: dict[tuple[str, ...], Entry] = {}
        """What held when they were last written: with it each file begins, so that it can be decided on its own."""
        self._file: _File | None = None

    def reads(self, reads: Sequence[Read]) -> None:
        """Reads came."""
        self._put(reads_entry(self._clock(), reads))

    def beam(self, register: str, broken: bool, at_us: int) -> None:
        """A photo-eye changed."""
        self._keep(("beam", register), BeamEntry(self._clock(), register, broken, at_us))

    def eyes(self, watched: Set[str], lost: Set[str], at_us: int) -> None:
        """Some photo-eyes can be read no more, or again."""
        eyes = tuple(sorted(watched))
        self._keep(("eyes", *eyes), EyesEntry(self._clock(), eyes, tuple(sorted(lost)), at_us))

    def gpi(self, reader: str, port: int, high: bool, at_us: int) -> None:
        """An input of a reader changed."""
        self._keep(("gpi", reader, str(port)), GpiEntry(self._clock(), reader, port, high, at_us))

    def sight(self, reader: str, sees: bool, at_us: int) -> None:
        """A reader was lost, or is back."""
        self._keep(("sight", reader), SightEntry(self._clock(), reader, sees, at_us))

    def due(self, now_us: int) -> None:
        """The doors were asked for what was due."""
        self._put(DueEntry(now_us))

    def take(self) -> Taken:
        """What waits, for `write`."""
        taken = Taken(self._lines, self._changed)
        self._lines, self._changed, self._size = [], {}, 0
        return taken

    def write(self, taken: Taken) -> None:
        """Bring it to the disk, in any thread. Raises OSError, and has then dropped it."""
        held = [*self._state.values()]
        self._state |= taken.changed
        if not taken.lines:
            return
        try:
            self._write(taken.lines, held, self._clock())
        except OSError:
            self.dropped += len(taken.lines)
            if self._file is not None:
                self._file.abandon()
                self._file = None
            raise

    def close(self) -> None:
        """End the file that is open. Raises OSError."""
        file, self._file = self._file, None
        if file is not None:
            file.close()

    @property
    def path(self) -> Path | None:
        """The file that is written now."""
        return self._file.path if self._file else None

    def _write(self, lines: Sequence[bytes], held: Sequence[Entry], now_us: int) -> None:
        if self._file is not None and self._file.is_over(now_us):
            self.close()
        if self._file is None:
            lines = [self._head, *(entry_line(again(entry, now_us)) for entry in held), *lines]
            self._file = _File(self._folder, now_us)
        self._file.write(b"".join(lines), now_us)

    def _keep(self, what: tuple[str, ...], entry: Entry) -> None:
        self._put(entry)
        self._changed[what] = entry

    def _put(self, entry: Entry) -> None:
        line = entry_line(entry)
        if self._size + len(line) > MAX_PENDING:
            self.dropped += 1
            return
        self._size += len(line)
        self._lines.append(line)


class Recorder:
    """All tapes of one agent, brought to the disk once a second and kept within their bounds."""

    def __init__(self, data: Path, rules: Recordings, clock: Callable[[], int]) -> None:
        self._folder = data / FOLDER
        self._rules = rules
        self._clock = clock
        self._tapes: list[Tape] = []
        self._writing = threading.Lock()
        """The last write may come while the one before is still at it, in its thread."""
        self._failing = False

    def tape(self, doors: Sequence[Door]) -> Tape | None:
        """A tape for doors that are decided together; None where the site file wants no recordings."""
        if not self._rules.days:
            return None
        tape = Tape(self._folder / folder_name(doors), doors, self._clock)
        self._tapes.append(tape)
        return tape

    def counts(self) -> dict[str, int]:
        """Health figures."""
        return {"recording_dropped": sum(tape.dropped for tape in self._tapes)}

    async def run(self) -> None:
        """Until cancelled; then what waits is on disk."""
        if not self._tapes:
            return
        try:
            for number in count():
                if number % PRUNE_EVERY == 0:
                    await asyncio.to_thread(self.prune)
                await asyncio.sleep(WRITE_EVERY_S)
                await asyncio.to_thread(self._write, self._take())
        finally:
            self._write(self._take())
            self._end()

    def write(self) -> None:
        """Bring to the disk what waits. What it refuses is dropped, counted and told once."""
        self._write(self._take())

    def prune(self) -> None:
        """Delete the oldest of what is too much, and one file that is too old; never one that is being written.

        One, for a clock that is set wrong for some minutes shall not cost the evidence of a week.
        """
        try:
            self._prune()
        except OSError as error:
            log.warning("old recordings stay", folder=str(self._folder), error=str(error))

    def _take(self) -> list[tuple[Tape, Taken]]:
        return [(tape, tape.take()) for tape in self._tapes]

    def _write(self, taken: Sequence[tuple[Tape, Taken]]) -> None:
        failed = ""
        with self._writing:
            for tape, what in taken:
                try:
                    tape.write(what)
                except OSError as error:
                    failed = str(error)
        if failed and not self._failing:
            log.error("recording stops: make room on the disk", folder=str(self._folder), error=failed)
        if self._failing and not failed:
            log.info("recording goes on", folder=str(self._folder), **self.counts())
        self._failing = bool(failed)

    def _end(self) -> None:
        for tape in self._tapes:
            with suppress(OSError):  # what was written can be read without the file's end
                tape.close()

    def _prune(self) -> None:
        open_files = {tape.path for tape in self._tapes}
        files = sorted(
            (path for path in self._folder.glob(f"*/*{SUFFIX}") if path not in open_files), key=lambda path: path.name
        )
        oldest = file_name(self._clock() - round(self._rules.days * 86_400e6) - A_FILE_US)
        if files and files[0].name < oldest:
            files.pop(0).unlink(missing_ok=True)
        sizes = [_size(path) for path in files]
        excess = sum(sizes) + sum(_size(path) for path in open_files if path) - (self._rules.megabytes << 20)
        for path, size in zip(files, sizes, strict=True):
            if excess <= 0:
                return
            path.unlink(missing_ok=True)
            excess -= size


class _File:
    """One file while it is written. Each `write` can be read back at once, and survives a kill."""

    def __init__(self, folder: Path, now_us: int) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.path = folder / file_name(now_us)
        self._began_us = self._last_us = now_us
        self._raw: BinaryIO = self.path.open("xb")
        self._packer = zlib.compressobj(5, zlib.DEFLATED, _GZIP)
        self._empty = True

    def is_over(self, now_us: int) -> bool:
        """Whether what comes now belongs into the next one."""
        return now_us - self._began_us >= A_FILE_US or now_us < self._last_us - SET_BACK_US

    def write(self, lines: bytes, now_us: int) -> None:
        self._raw.write(self._packer.compress(lines) + self._packer.flush(zlib.Z_SYNC_FLUSH))
        self._raw.flush()
        self._last_us, self._empty = now_us, False

    def close(self) -> None:
        with self._raw:
            self._raw.write(self._packer.flush())

    def abandon(self) -> None:
        """It could not be written: what is in it stays, but nothing is not kept."""
        with suppress(OSError):
            self._raw.close()
        if self._empty:
            with suppress(OSError):
                self.path.unlink()


def folder_name(doors: Sequence[Door]) -> str:
    """Where the recordings of doors that are decided together lie."""
    return "+".join(door.name for door in doors)[:200]


def again(entry: Entry, now_us: int) -> Entry:
    """The same, told at another moment."""
    fields = {name: getattr(entry, name) for name in entry.__struct_fields__} | {"arrived_us": now_us}
    return type(entry)(**fields)


def file_name(at_us: int) -> str:
    at = datetime.fromtimestamp(max(0, at_us) / 1e6, UTC)
    return at.strftime("%Y%m%dT%H%M%S.%fZ") + SUFFIX


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0
