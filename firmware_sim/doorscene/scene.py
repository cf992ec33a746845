"""One scene: some minutes of traffic at two neighbouring doors, as an edge agent would be told of it, and the truth.

The same seed gives the same scene. Nothing here knows how a pass is decided.
"""

from collections.abc import Iterator, Mapping, Sequence
from random import Random
from typing import Literal, NamedTuple

from firmware_sim.doorscene.air import Air, Track
from firmware_sim.doorscene.eyes import Beam, edges
from firmware_sim.doorscene.load import DETUNED, Printer
from firmware_sim.doorscene.outage import Outage, outages
from firmware_sim.doorscene.place import Place, SceneDoor, place
from firmware_sim.doorscene.traffic import Direction, Movement, Story, Traffic, at_door
from firmware_sim.doorscene.waves import Sticker
from firmware_sim.doorscene.way import Leg, Point, walk
from firmware_sim.radio import RadioRules, TagRead

BEGIN_US = 1_800_000_000_000_000
LISTEN_S = 4.0
"""The readers go on for so long after the last body has gone."""
_REPORT_US = 100_000
"""How long a reader gathers reads before it reports them."""
_REPLAYED_US = 150_000
"""Reads that were kept while the network was away come so long after the reader is connected again."""


class Heard(NamedTuple):
    """A reader reports reads."""

    at_us: int
    """When the agent hears of it."""
    door: str
    reader: str
    reads: tuple[TagRead, ...]


class Edge(NamedTuple):
    """A photo-eye changed."""

    at_us: int
    door: str
    beam: Beam
    broken: bool


class Lost(NamedTuple):
    """The agent notices that a reader is lost."""

    at_us: int
    door: str
    reader: str


class Back(NamedTuple):
    """The reader is connected again."""

    at_us: int
    door: str
    reader: str


Entry = Heard | Edge | Lost | Back


class Truth(NamedTuple):
    """What one tag did at one time."""

    epc: str
    door: str
    """Where it went through, or tried to, or stands."""
    direction: Direction | None
    """None: it did not go through any door."""
    kind: Literal["passed", "turned_back", "driven_past", "stray"]
    story: Story | Literal["shelf", "trailer"]
    container: str | None
    """The SSCC of its pallet."""
    from_us: int
    to_us: int
    """While its body moved; of a stray, the whole scene."""
    crossed_us: int | None
    detuned: bool
    blind: bool
    """A reader of its door was away for some of the time in which it was near."""
    reads: int = 0
    """How often the agent was told of it by its own door's readers within that time."""


class Scene(NamedTuple):
    """What the agent is told, in the order in which it is, and what is true."""

    seed: int
    place: Place
    timeline: tuple[Entry, ...]
    truth: tuple[Truth, ...]
    outages: tuple[Outage, ...]
    end_us: int

    @property
    def doors(self) -> tuple[SceneDoor, ...]:
        return self.place.doors


def scene(seed: int, busy_s: float = 60.0, longest_loiter_s: float = 90.0) -> Scene:
    """One site and its traffic; new movements begin for about `busy_s`."""
    random = Random(f"scene {seed}")
    where = place(random)
    movements = Traffic(where, random, longest_loiter_s).movements(busy_s)
    strays = _strays(where, random)
    lasts_s = max(body.way.end_s for body in movements) + LISTEN_S
    troubles = tuple(outages(where, lasts_s, random))
    tracks = [Track(body.way, body.load.stickers) for body in movements if body.load.stickers]
    tracks += [stray.track for stray in strays]
    rules = RadioRules(shadow=where.shadow)
    timeline: list[Entry] = []
    for door in where.doors:
        for reader in door.readers:
            air = Air(reader.antennas, where.walls, where.room, rules, random.randrange(1 << 32), where.clutter)
            reads = [read for read in air.listen(tracks, BEGIN_US, lasts_s) if random.random() >= where.read_loss]
            mine = [outage for outage in troubles if outage.reader == reader.name]
            timeline += _told(door.name, reader.name, reads, mine, random)
        if door.eyes is not None:
            seen = edges(door, door.eyes, movements, random)
            timeline += [Edge(_us(edge.at_s), door.name, edge.beam, edge.broken) for edge in seen]
    timeline.sort(key=lambda entry: entry.at_us)
    truth = [*_of_movements(movements, troubles), *_of_strays(strays, lasts_s)]
    heard = _heard(timeline)
    counted = [
        one._replace(reads=_between(heard.get((one.door, one.epc), ()), one.from_us, one.to_us)) for one in truth
    ]
    return Scene(seed, where, tuple(timeline), tuple(counted), troubles, _us(lasts_s))


def _us(at_s: float) -> int:
    return BEGIN_US + round(at_s * 1e6)


class Stray(NamedTuple):
    """A tag that stands near a door all the time."""

    door: SceneDoor
    where: Literal["shelf", "trailer"]
    track: Track


def _strays(where: Place, random: Random) -> list[Stray]:
    """Tags on shelves inside and in a trailer outside."""
    printer, found = Printer(random), list[Stray]()

    def put(door: SceneDoor, what: Literal["shelf", "trailer"], spot: Point) -> None:
        lean = random.gauss(0, 1), random.gauss(0, 1)
        sticker = Sticker(printer.case(), 0.0, 0.0, random.random() < DETUNED, None, lean)
        found.append(Stray(door, what, Track(walk(0.0, spot, [Leg(spot)], 1.0, random), (sticker,))))

    for door, front_m in zip(where.doors, where.trailer_m, strict=True):
        for _ in range(random.choice((0, 2, 4, 8))):
            aside_m = random.choice((1, -1)) * (door.width_m / 2 + random.uniform(0.6, 2.2))
            put(door, "shelf", (door.x_m + aside_m, random.uniform(1.6, 5.0)))
        for _ in range(random.choice((0, 4, 12)) if front_m else 0):
            put(door, "trailer", (door.x_m + random.uniform(-1.1, 1.1), -(front_m or 0.0) - random.uniform(0.3, 8.0)))
    return found


def _told(
    door: str, reader: str, reads: Sequence[TagRead], troubles: Sequence[Outage], random: Random
) -> Iterator[Entry]:
    """What reaches the agent of one reader, and when."""
    for outage in troubles:
        if outage.noticed_s is not None:
            yield Lost(_us(outage.noticed_s), door, reader)
            yield Back(_us(outage.back_s), door, reader)
    away = [(_us(outage.from_s), _us(outage.back_s), outage.kind) for outage in troubles]
    reports: dict[int, list[TagRead]] = {}
    for read in reads:
        told_us = (read.at_us // _REPORT_US + 1) * _REPORT_US
        for from_us, back_us, kind in away:
            if from_us <= read.at_us < back_us:
                told_us = back_us + _REPLAYED_US if kind == "buffered" else 0
        if told_us:
            reports.setdefault(told_us, []).append(read)
    for at_us, gathered in reports.items():
        yield Heard(at_us + random.randrange(2_000, 30_000), door, reader, tuple(gathered))


def _heard(timeline: Sequence[Entry]) -> Mapping[tuple[str, str], list[int]]:
    """When the agent heard of a tag by a door's readers, by door and EPC."""
    times: dict[tuple[str, str], list[int]] = {}
    for entry in timeline:
        if isinstance(entry, Heard):
            for read in entry.reads:
                times.setdefault((entry.door, read.epc), []).append(read.at_us)
    return times


def _between(times: Sequence[int], from_us: int, to_us: int) -> int:
    return sum(from_us <= at_us <= to_us for at_us in times)


def _of_movements(movements: Sequence[Movement], troubles: Sequence[Outage]) -> Iterator[Truth]:
    for body in movements:
        crossed_s = body.way.crossed_s() if body.outcome == "passed" else None
        came_s, went_s = at_door(body)
        away = [outage for outage in troubles if outage.door == body.door.name]
        for sticker in body.load.stickers:
            yield Truth(
                epc=sticker.epc,
                door=body.door.name,
                direction=body.direction,
                kind=body.outcome,
                story=body.story,
                container=body.load.containers.get(sticker.epc),
                from_us=_us(body.way.begin_s),
                to_us=_us(body.way.end_s),
                crossed_us=None if crossed_s is None else _us(crossed_s),
                detuned=sticker.detuned,
                blind=any(outage.from_s < went_s and outage.back_s > came_s for outage in away),
            )


def _of_strays(strays: Sequence[Stray], lasts_s: float) -> Iterator[Truth]:
    for stray in strays:
        (sticker,) = stray.track.stickers
        yield Truth(
            epc=sticker.epc,
            door=stray.door.name,
            direction=None,
            kind="stray",
            story=stray.where,
            container=None,
            from_us=BEGIN_US,
            to_us=_us(lasts_s),
            crossed_us=None,
            detuned=sticker.detuned,
            blind=False,
        )
