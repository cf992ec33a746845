"""A recording: everything that the rules of a door, or of doors side by side, were told, in the order in which it came.

One JSON value a line, gzip around it. The first line of a file says whose it is and by which settings it was decided;
so each file can be decided again on its own, by the same rules, to the same passes, or by others.

    {"kind":"doors","doors":[{"name":"dock-1", ...}]}                             the doors as in the site file
    ["reads",1790000000012000,[[1790000000003000,"3034...",1,-61.5,"reader-1"]]]  heard, each with its own time
    ["beam",1790000000200000,"eye-dock-1-outer",true,1790000000199000]            a photo-eye broke
    ["sight",1790000003000000,"reader-1",false,1790000003000000]                  a reader is lost or blind
    ["due",1790000003100000]                                                      the doors decided what was due by then

The second place is always the moment at which it reached the rules, by the agent's clock. A file may end anywhere, in
the middle of a line: an agent that is killed loses the last second of it.
"""

import gzip
import zlib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Annotated, Final

import msgspec
from msgspec import Meta, Struct
from pydantic import TypeAdapter, ValidationError

from contract.events import EpcHex, Micros
from contract.portals import Door
from edge.errors import BadReads
from edge.llrp.read import Read

MAX_LINE: Final = 16 << 20
"""Octets of a line: a reader sends 1.5 MB at once at most, some 60,000 reads."""
_MAGIC: Final = b"\x1f\x8b"

Heard = tuple[
    Micros,
    EpcHex,
    int,
    Annotated[float, Meta(ge=-128, le=127)],
    str,
    Annotated[int, Meta(ge=0, le=65535)] | None,
    Annotated[int, Meta(ge=0, le=4095)] | None,
]
"""Time, EPC, antenna, dBm, reader, channel and phase of one read; the last two if the reader told them."""


class ReadsEntry(Struct, frozen=True, array_like=True, tag="reads"):
    """Reads that came at once."""

    arrived_us: Micros
    heard: tuple[Heard, ...]

    @property
    def reads(self) -> list[Read]:
        """As the rules take them."""
        return [Read(*one) for one in self.heard]


def reads_entry(arrived_us: int, reads: Sequence[Read]) -> ReadsEntry:
    """Reads as they are recorded."""
    heard = tuple((r.at_us, r.epc, r.antenna, r.rssi_dbm, r.reader, r.channel, r.phase) for r in reads)
    return ReadsEntry(arrived_us, heard)


class BeamEntry(Struct, frozen=True, array_like=True, tag="beam"):
    """A photo-eye, by the name of its register, broke or became clear."""

    arrived_us: Micros
    register: str
    broken: bool
    at_us: Micros


class EyesEntry(Struct, frozen=True, array_like=True, tag="eyes"):
    """Of the photo-eyes of a PLC, by the names of their registers, `lost` can be read no more, and the others can."""

    arrived_us: Micros
    watched: tuple[str, ...]
    lost: tuple[str, ...]
    at_us: Micros


class GpiEntry(Struct, frozen=True, array_like=True, tag="gpi"):
    """An input of a reader became high or low."""

    arrived_us: Micros
    reader: str
    port: int
    high: bool
    at_us: Micros


class SightEntry(Struct, frozen=True, array_like=True, tag="sight"):
    """A reader sees again, or no more."""

    arrived_us: Micros
    reader: str
    sees: bool
    at_us: Micros


class DueEntry(Struct, frozen=True, array_like=True, tag="due"):
    """The doors were asked for what was due. Of what comes late, it matters whether that was before or after."""

    arrived_us: Micros


Entry = ReadsEntry | BeamEntry | EyesEntry | GpiEntry | SightEntry | DueEntry

_encoder = msgspec.json.Encoder()
_entries: msgspec.json.Decoder[Entry] = msgspec.json.Decoder(Entry)
_doors: Final = TypeAdapter(list[Door])


class _Head(Struct, frozen=True, tag_field="kind", tag="doors"):
    doors: msgspec.Raw


_heads = msgspec.json.Decoder(_Head)


def head_line(doors: Sequence[Door]) -> bytes:
    """The first line of a file."""
    settings = [door.model_dump(mode="json") for door in doors]
    return _encoder.encode({"kind": "doors", "doors": settings}) + b"\n"


def entry_line(entry: Entry) -> bytes:
    """One line of a file."""
    return _encoder.encode(entry) + b"\n"


def is_recording(path: Path) -> bool:
    """Whether a file is one of ours, by its first octets; raises OSError."""
    with path.open("rb") as file:
        start = file.read(16)
    return start.startswith(_MAGIC) or start.lstrip().startswith(b'{"kind":"doors"')


def read_recording(path: Path) -> tuple[tuple[Door, ...], Iterator[Entry]]:
    """The doors of a recording and its entries, in the order of the file.

    Raises `BadReads` that names the file and the line, at once for the first line, and while the entries are taken for
    the others. What a killed agent left half written is the end.
    """
    lines = _lines(path)
    number, line = next(lines, (1, b""))
    try:
        doors = tuple(_doors.validate_json(bytes(_heads.decode(line).doors)))
    except (msgspec.DecodeError, ValidationError) as error:
        raise BadReads(f"{path}:{number}: no recording of doors: {_first_line(error)}") from error
    return doors, _read_entries(path, lines)


def _read_entries(path: Path, lines: Iterator[tuple[int, bytes]]) -> Iterator[Entry]:
    for number, line in lines:
        if line.startswith(b"{"):
            continue  # several files in one: the settings of the first count
        try:
            yield _entries.decode(line)
        except msgspec.DecodeError as error:
            raise BadReads(f"{path}:{number}: {error}") from error


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """Whole lines and their numbers, up to where the file is cut off."""
    number = 0
    try:
        with _open(path) as file:
            while line := file.readline(MAX_LINE):
                if not line.endswith(b"\n"):
                    if len(line) == MAX_LINE:
                        raise BadReads(f"{path}:{number + 1}: a line of more than {MAX_LINE} octets")
                    return
                number += 1
                yield number, line
    except (EOFError, zlib.error):
        return  # cut off within the compressed data
    except gzip.BadGzipFile as error:
        raise BadReads(f"{path}:{number + 1}: {error}") from error
    except OSError as error:
        raise BadReads(f"{path}: {error.strerror or error}") from error


def _open(path: Path) -> gzip.GzipFile:
    with path.open("rb") as file:
        packed = file.read(2) == _MAGIC
    return gzip.open(path, "rb") if packed else path.open("rb")  # type: ignore[return-value]  # both read lines


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0]


def write_recording(path: Path, doors: Sequence[Door], entries: Iterable[Entry]) -> int:
    """Write a file (packed if its name ends in .gz) and give the number of its reads; raises OSError."""
    reads = 0
    with gzip.open(path, "wb") if path.suffix == ".gz" else path.open("wb") as file:
        file.write(head_line(doors))
        for entry in entries:
            file.write(entry_line(entry))
            if isinstance(entry, ReadsEntry):
                reads += len(entry.heard)
    return reads
