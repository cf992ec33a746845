"""Simulated doors judged: a scene is decided as a live agent would, and each tag's answer is held to the truth.

python tests/doorjudge.py SEED [EPC]     one scene in detail, or one tag of it from read to read
"""

import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal, NamedTuple

if __name__ == "__main__":
    sys.path[:0] = [str(Path(__file__).parent.parent)]

from contract.events import DoorPass, EmptyPass
from contract.portals import Door, LlrpReader, PassRules, PhotoEyes
from contract.sitepart import Title
from edge.llrp.read import Read
from edge.portal.neighbours import Neighbours
from firmware_sim.doorscene.place import SceneDoor
from firmware_sim.doorscene.scene import BEGIN_US, Back, Edge, Heard, Lost, Scene, Truth, scene
from firmware_sim.radio import TagRead

BUSY_S, LONGEST_LOITER_S = 20.0, 15.0
"""How long the scenes of the tests are."""
READABLE = 5
"""A tag that its own door's readers read less often than this during its pass may be missed."""
SETTLE_US = 120_000_000
"""So long after the last read everything is decided."""

_BLIND = " (blind)"
Verdict = Literal["right", "wrong", "unknown", "missed"]


class Judged(NamedTuple):
    """What became of one tag that went through a door."""

    truth: Truth
    verdict: Verdict
    event: DoorPass | None
    doubled: int
    """Further events about the same pass."""


class Invented(NamedTuple):
    """An event about a tag that did not go through that door then."""

    epc: str
    event: DoorPass
    truth: Truth | None
    """Of what the tag really did; None: no such tag."""


class Verdicts(NamedTuple):
    """One scene, judged."""

    seed: int
    judged: list[Judged]
    invented: list[Invented]
    quiet: list[Truth]
    """Tags that did not go through, and of which nothing was said."""
    disturbed: list[Truth]
    """Tags that did not go through, and of which something was said all the same."""
    by_blindness: list[DoorPass]
    """Decided while a reader of the door was known to be lost, by a silence that nobody had watched."""


def door_of(door: SceneDoor, rules: PassRules) -> Door:
    """A simulated door as the site file would tell of it."""
    return Door(
        name=door.name,
        title=Title(en=door.name, zh=door.name),
        agent="edge",
        inside="hall",
        readers=[
            LlrpReader(name=reader.name, inside=[*reader.inside], outside=[*reader.outside]) for reader in door.readers
        ],
        photo_eyes=PhotoEyes(outer=f"{door.name}-outer", inner=f"{door.name}-inner") if door.eyes else None,
        beside=[*door.beside],
        rules=rules,
    )


def decide(played: Scene, rules: PassRules | None = None) -> list[DoorPass]:
    """What the edge decides when it is told the scene's timeline, in the order of the decisions."""
    doors = Neighbours([door_of(door, rules or PassRules()) for door in played.doors])
    events: list[DoorPass | EmptyPass] = []
    for entry in played.timeline:
        events += _due(doors, entry.at_us)
        match entry:
            case Heard():
                doors.feed([_read(read, entry.reader) for read in entry.reads])
            case Edge():
                doors.doors[entry.door].beam(entry.at_us, entry.beam, entry.broken)
            case Lost():
                doors.doors[entry.door].blind(entry.at_us, entry.reader)
            case Back():
                doors.doors[entry.door].sighted(entry.at_us, entry.reader)
    events += _due(doors, played.end_us + SETTLE_US)
    return [event for event in events if isinstance(event, DoorPass)]


def _read(read: TagRead, reader: str) -> Read:
    return Read(read.at_us, read.epc, read.antenna, read.rssi_dbm, reader, read.channel, read.phase)


def _due(doors: Neighbours, until_us: int) -> Iterator[DoorPass | EmptyPass]:
    """What falls due before a time, at the moments at which it does."""
    while (due_us := doors.next_due_us()) is not None and due_us < until_us:
        yield from doors.due(due_us)


def judge(played: Scene, events: Sequence[DoorPass], rules: PassRules | None = None) -> Verdicts:
    """Each tag's movement against what was said of it."""
    rules = rules or PassRules()
    told: dict[tuple[str, str], list[DoorPass]] = {}
    for event in events:
        for epc in event.epcs:
            told.setdefault((event.door, epc), []).append(event)
    judged: list[Judged] = []
    quiet: list[Truth] = []
    disturbed: list[Truth] = []
    for truth in played.truth:
        mine = told.pop((truth.door, truth.epc), []) if truth.kind == "passed" else []
        if truth.kind == "passed":
            judged.append(_judge(truth, mine))
        else:
            said = any((door.name, truth.epc) in told for door in played.doors)
            (disturbed if said else quiet).append(truth)
    by_epc = {truth.epc: truth for truth in played.truth}
    invented = [Invented(epc, event, by_epc.get(epc)) for (_, epc), found in told.items() for event in found]
    blind = [event for event in events if _by_blindness(played, event, rules)]
    return Verdicts(played.seed, judged, invented, quiet, disturbed, blind)


def _judge(truth: Truth, events: Sequence[DoorPass]) -> Judged:
    if not events or truth.crossed_us is None:
        return Judged(truth, "missed", None, 0)
    crossed_us = truth.crossed_us
    nearest = min(events, key=lambda event: abs(event.at_us - crossed_us))
    verdict: Verdict = "right" if nearest.direction == truth.direction else "wrong"
    return Judged(truth, "unknown" if nearest.direction == "unknown" else verdict, nearest, len(events) - 1)


def _by_blindness(played: Scene, event: DoorPass, rules: PassRules) -> bool:
    last_us = event.evidence.last_read_us
    if event.decided_us >= last_us + rules.max_pass_s * 1e6:
        return False
    for outage in played.outages:
        if outage.door != event.door or outage.noticed_s is None:
            continue
        noticed_us, back_us = (BEGIN_US + round(at_s * 1e6) for at_s in (outage.noticed_s, outage.back_s))
        unwatched = noticed_us - last_us < rules.gap_s * 1e6
        if noticed_us <= event.decided_us < back_us and unwatched:
            return True
    return False


class Tally(NamedTuple):
    """Counts over many scenes."""

    passes: Counter[tuple[str, str]]
    """By (story, verdict)."""
    others: Counter[tuple[str, str]]
    """By (story, quiet / disturbed), tags that did not go through; by (story, invented / invented unknown), events."""
    notes: list[str]
    """Everything that was not right, so that it can be played again."""

    @property
    def sighted(self) -> "Tally":
        """Without the passes for which a reader of the door was away: of these, reads are lost."""
        passes = Counter({key: count for key, count in self.passes.items() if not key[0].endswith(_BLIND)})
        return self._replace(passes=passes)


def tally(all_verdicts: Sequence[Verdicts]) -> Tally:
    passes: Counter[tuple[str, str]] = Counter()
    others: Counter[tuple[str, str]] = Counter()
    notes: list[str] = []
    for verdicts in all_verdicts:
        for one in verdicts.judged:
            story = f"{one.truth.story}{_BLIND if one.truth.blind else ''}"
            excused = one.verdict == "missed" and one.truth.reads < READABLE
            passes[story, "unreadable" if excused else one.verdict] += 1
            passes[story, "doubled"] += one.doubled
            if one.verdict in ("wrong", "unknown") or (one.verdict == "missed" and not excused) or one.doubled:
                notes.append(_note(verdicts.seed, one.verdict, one.truth, one.event, one.doubled))
        others.update((truth.story, "quiet") for truth in verdicts.quiet)
        others.update((truth.story, "disturbed") for truth in verdicts.disturbed)
        for lie in verdicts.invented:
            kind = "invented unknown" if lie.event.direction == "unknown" else "invented"
            story = lie.truth.story if lie.truth else "?"
            others[f"{story} elsewhere" if lie.truth and lie.truth.kind == "passed" else story, kind] += 1
            notes.append(_note(verdicts.seed, kind, lie.truth, lie.event, 0, lie.epc))
        notes += [f"seed {verdicts.seed}: BY BLINDNESS {event}" for event in verdicts.by_blindness]
    return Tally(passes, others, notes)


def _note(seed: int, what: str, truth: Truth | None, event: DoorPass | None, doubled: int, epc: str = "") -> str:
    said = "nothing"
    if event:
        margin = event.evidence.margin_s
        said = (
            f"{event.door} {event.direction} {event.confidence} by {event.evidence.rule} at {_s(event.at_us)}"
            f" reads {event.evidence.inside.reads}/{event.evidence.outside.reads}"
            f" peak {event.evidence.inside.peak_rssi_dbm}/{event.evidence.outside.peak_rssi_dbm} margin {margin}"
            f" beam {event.evidence.beam}"
        )
    was = "nothing"
    if truth:
        crossed = _s(truth.crossed_us) if truth.crossed_us else "-"
        flags = (" detuned" if truth.detuned else "") + (" blind" if truth.blind else "")
        was = (
            f"{truth.story} {truth.kind} {truth.door} {truth.direction} "
            f"{_s(truth.from_us)}..{_s(truth.to_us)} crossed {crossed} reads {truth.reads}{flags}"
        )
    twice = f" +{doubled} doubled" if doubled else ""
    return f"seed {seed}: {what}{twice} {epc or (truth.epc if truth else '')}: was {was}; said {said}"


def _s(at_us: int) -> str:
    return f"{(at_us - BEGIN_US) / 1e6:.1f}s"


def table(counted: Tally) -> str:
    """The counts by story, for people."""
    columns = ("right", "wrong", "unknown", "missed", "unreadable", "doubled")
    lines = [f"{'went through':28}" + "".join(f"{name:>12}" for name in columns)]
    for story in sorted({story for story, _ in counted.passes}):
        lines.append(f"{story:28}" + "".join(f"{counted.passes[story, name]:12}" for name in columns))
    columns = ("quiet", "disturbed", "invented", "invented unknown")
    lines.append(f"{'did not go through':28}" + "".join(f"{name:>18}" for name in columns))
    for story in sorted({story for story, _ in counted.others}):
        lines.append(f"{story:28}" + "".join(f"{counted.others[story, name]:18}" for name in columns))
    return "\n".join([*lines, f"all: {summary(counted)}", f"without the blind: {summary(counted.sighted)}"])


class Shares(NamedTuple):
    """The numbers to hold, as shares."""

    right: float
    """Of the passes decided."""
    unknown: float
    """Of the passes that were told."""
    missed: float
    """Of the readable ones."""
    invented: float
    """Of all tags: events about those that did not go through there and then."""
    doubled: float
    """Of the passes that were told."""
    quiet: float
    """Of the tags that did not go through, those of which nothing was said."""


def shares(counted: Tally) -> Shares:
    total: Counter[str] = Counter()
    for (_, verdict), number in [*counted.passes.items(), *counted.others.items()]:
        total[verdict] += number
    decided = total["right"] + total["wrong"]
    told = decided + total["unknown"]
    tags = told + total["missed"] + total["unreadable"] + total["quiet"] + total["disturbed"]
    return Shares(
        right=total["right"] / max(1, decided),
        unknown=total["unknown"] / max(1, told),
        missed=total["missed"] / max(1, told + total["missed"]),
        invented=(total["invented"] + total["invented unknown"]) / max(1, tags),
        doubled=total["doubled"] / max(1, told),
        quiet=total["quiet"] / max(1, total["quiet"] + total["disturbed"]),
    )


def summary(counted: Tally) -> str:
    return "  ".join(f"{name} {share:.2%}" for name, share in shares(counted)._asdict().items())


def plot(played: Scene, epc: str) -> Iterator[str]:
    """One tag second by second: what each antenna heard, in dBm of the strongest read and number of reads."""
    cells: dict[int, dict[str, list[float]]] = {}
    columns = {
        (reader.name, port): f"{door.name[-1]}.{reader.name[-1]}/{port} {side}"
        for door in played.doors
        for reader in door.readers
        for side, ports in (("in", reader.inside), ("out", reader.outside))
        for port in ports
    }
    for entry in played.timeline:
        if isinstance(entry, Heard):
            for read in entry.reads:
                if read.epc == epc:
                    cell = cells.setdefault((read.at_us - BEGIN_US) // 250_000, {})
                    cell.setdefault(columns[entry.reader, read.antenna], []).append(read.rssi_dbm)
    names = sorted(columns.values(), key=lambda name: (name[0], name.split()[1], name))
    yield f"{'s':>8}" + "".join(f"{name:>12}" for name in names)
    for place in sorted(cells):
        texts = [f"{max(heard):.0f} x{len(heard)}" if (heard := cells[place].get(name)) else "" for name in names]
        yield f"{place / 4:8.2f}" + "".join(f"{text:>12}" for text in texts)


def main(arguments: Sequence[str]) -> None:
    played = scene(int(arguments[0]), BUSY_S, LONGEST_LOITER_S)
    for door in played.doors:
        print(door)
    print(
        f"shadow {played.place.shadow:.2f} loss {played.place.read_loss:.2f} {played.place.room} {played.place.walls}"
    )
    for outage in played.outages:
        print(outage)
    verdicts = judge(played, decide(played))
    counted = tally([verdicts])
    print("\n".join([*counted.notes, table(counted)]))
    for epc in arguments[1:]:
        for truth in played.truth:
            if truth.epc.endswith(epc):
                print(truth)
                for event in decide(played):
                    if truth.epc in event.epcs:
                        print(event)
                print("\n".join(plot(played, truth.epc)))


if __name__ == "__main__":
    main(sys.argv[1:])
