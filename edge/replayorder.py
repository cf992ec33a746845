"""`truecount replay`: recorded reads decided again, as a person orders it on the command line, and what is shown."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.table import Column, Table

from contract import wire
from contract.portals import Door
from edge import replay, whatif
from edge.errors import BadReads
from edge.recording import Entry, is_recording, read_recording
from edge.whatif import OUTCOMES, Difference, Judged, summary


def carried_out(reads: Path, inside: str | None, outside: str | None, settings: Sequence[str]) -> Iterator[str]:
    """Each event in the wire form. With settings by other rules, and at the end stderr is told what would change.

    `inside` and `outside` name the antennas of a CSV file, such as 1,4. Raises `BadReads`, and OSError of `reads`.
    """
    recorded = is_recording(reads)
    doors = read_recording(reads)[0] if recorded else (_door(reads, inside, outside),)

    def entries() -> Iterator[Entry]:
        return read_recording(reads)[1] if recorded else replay.entries_of_csv(reads)

    told = []
    for event in replay.decide(whatif.with_rules(doors, settings), entries(), live=recorded):
        told.append(event)
        yield wire.encode(event).decode()
    if settings:
        before = whatif.judged(replay.decide(doors, entries(), live=recorded))
        _show(Console(stderr=True), whatif.compare(before, whatif.judged(told)))


def _door(reads: Path, inside: str | None, outside: str | None) -> Door:
    if inside is None or outside is None:
        raise BadReads(f"{reads} is no recording: for CSV, name the antennas with --inside and --outside")
    return replay.door_of_csv(_antennas(inside, "--inside"), _antennas(outside, "--outside"))


def _antennas(text: str, option: str) -> set[int]:
    try:
        return {int(part) for part in text.split(",")}
    except ValueError as error:
        raise BadReads(f"{option}: expected antenna numbers such as 1,4 and not {text!r}") from error


def _show(console: Console, differences: Sequence[Difference]) -> None:
    """What other rules would change: in sum, then pass by pass."""
    counts = summary(differences)
    sums = Table("tags", "what would become of their passes", box=None)
    for outcome, words in OUTCOMES.items():
        sums.add_row(str(counts[outcome]), words)
    console.print(sums)
    changed = [one for one in differences if one.outcome != "same"]
    if changed:
        table = Table("time (UTC)", "door", Column("tag", min_width=24, overflow="fold"), "before", "after", box=None)
        for one in changed:
            known = one.after or one.before
            assert known is not None
            at = datetime.fromtimestamp(known.first_us / 1e6, UTC).strftime("%m-%d %H:%M:%S")
            table.add_row(at, known.door, known.epc, _in_words(one.before), _in_words(one.after))
        console.print(table)


def _in_words(judged: Judged | None) -> str:
    return f"{judged.direction} {judged.confidence:.2f}" if judged else "no pass"
