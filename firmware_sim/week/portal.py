"""One door of the week: what its readers and photo-eyes make of a body that goes through, or does not.

The radio is that of `firmware_sim.doorscene`, with a room, a power and losses of the door's own. The reader is switched
on by the photo-eyes' outer neighbour, as dock readers mostly are: it hears while something moves at the door, and what
stands beside it is heard with that.
"""

from collections.abc import Iterator, Sequence
from random import Random
from typing import Final, Literal, NamedTuple

from firmware_sim.antennas import PORTAL_ROOM, WIDTH_M, portal_antennas
from firmware_sim.config import DoorConfig, ReaderConfig
from firmware_sim.doorscene.air import Air, Track
from firmware_sim.doorscene.eyes import edges
from firmware_sim.doorscene.load import Carrier, Load, Part
from firmware_sim.doorscene.place import Eyes, SceneDoor
from firmware_sim.doorscene.traffic import Direction, Movement
from firmware_sim.doorscene.waves import Box, Clutter, Sticker
from firmware_sim.doorscene.way import Leg, Point, Way, walk
from firmware_sim.radio import RadioRules, TagRead
from firmware_sim.room import RoomRules
from firmware_sim.week.goods import Case
from firmware_sim.week.told import Beam

AWAY_M: Final = 6.0
"""Ways begin and end so far from the plane of the door."""
LISTEN_S: Final = 2.5
"""The readers go on for so long after the body has gone."""
Outcome = Literal["passed", "turned_back", "driven_past"]
_PARTS: Final[dict[str, tuple[Part, ...]]] = {
    "pallet": (Part(-0.6, 0.6), Part(-1.2, -0.8)),
    "trolley": (Part(-0.45, 0.45), Part(-0.95, -0.6)),
    "hand": (Part(-0.2, 0.4),),
}
_PACE: Final = {"pallet": (0.6, 1.4), "trolley": (0.8, 1.5), "hand": (0.8, 1.7)}


class Body(NamedTuple):
    """What goes to a door: cases on a pallet (with its own tag), a trolley, or in somebody's hands."""

    carrier: Carrier
    cases: tuple[Case, ...]
    sscc: str | None
    loss_db_per_m: float
    """Of a wave through the load: 1 to 5 for dry goods, up to 25 for wet ones."""


class Passing(NamedTuple):
    """What the devices made of it; seconds from its beginning."""

    reads: tuple[tuple[str, tuple[TagRead, ...]], ...]
    """By reader."""
    beams: tuple[Beam, ...]
    crossed_s: float | None
    lasts_s: float


class Portal:
    """One door."""

    def __init__(self, door: DoorConfig, seed: int) -> None:
        random = Random(f"portal {seed} {door.name}")
        self.door = door
        self._random = random
        self._room = RoomRules(
            rssi_at_1m_dbm=random.uniform(-53.5, -43.0),
            reflection=random.uniform(PORTAL_ROOM.reflection, 0.3),
            beam_exponent=random.uniform(1.6, PORTAL_ROOM.beam_exponent),
        )
        self._clutter = Clutter(scatter_dbm=random.uniform(-80.0, -74.0))
        self._walls = {(1, 0): random.uniform(2, 6), (-1, 0): random.uniform(2, 6), (0, 1): 9.0, (0, -1): 9.0}
        self._rules = RadioRules(shadow=random.uniform(0.08, 0.25))
        self._read_loss = random.uniform(0.0, 0.3)
        eyes = Eyes(0.35, 0.05, random.choice((0.0, 0.0, 0.05)), None) if door.photo_eyes else None
        self._scene = SceneDoor(door.name, 0.0, WIDTH_M, (), eyes, ())

    def play(
        self,
        body: Body,
        *,
        inbound: bool,
        outcome: Outcome,
        beside: Sequence[tuple[str, Point, Case | None]],
        at_us: int,
    ) -> Passing:
        """A body comes at `at_us`. `beside`: tags that stand near the door (EPC, where, the case if it is one)."""
        load, way = self._load(body), self._way(body, inbound=inbound, outcome=outcome)
        tracks = [Track(way, load.stickers)] if load.stickers else []
        tracks += [self._standing(*one) for one in beside]
        lasts_s = way.end_s + LISTEN_S
        reads = tuple(
            (reader.name, tuple(self._listen(reader, tracks, at_us, lasts_s))) for reader in self.door.readers
        )
        direction: Direction = "inbound" if inbound else "outbound"
        movement = Movement(self._scene, "single", outcome, direction, way, load)
        crossed_s = way.crossed_s() if outcome == "passed" else None
        return Passing(reads, tuple(self._beams(movement, at_us)), crossed_s, lasts_s)

    def _listen(self, reader: ReaderConfig, tracks: Sequence[Track], at_us: int, lasts_s: float) -> Iterator[TagRead]:
        antennas = portal_antennas(reader.inside, reader.outside, reader.neutral)
        seed = self._random.randrange(1 << 32)
        air = Air(antennas, self._walls, self._room, self._rules, seed, self._clutter)
        for read in air.listen(tracks, at_us, lasts_s):
            if self._random.random() >= self._read_loss:
                yield read

    def _beams(self, movement: Movement, at_us: int) -> Iterator[Beam]:
        eyes = self._scene.eyes
        if eyes is None or self.door.photo_eyes is None:
            return
        names = {"outer": self.door.photo_eyes.outer, "inner": self.door.photo_eyes.inner}
        for edge in edges(self._scene, eyes, [movement], self._random):
            yield Beam(at_us + round(edge.at_s * 1e6), names[edge.beam], edge.broken)

    def _way(self, body: Body, *, inbound: bool, outcome: Outcome) -> Way:
        random, sign = self._random, 1 if inbound else -1
        lane = random.uniform(-0.4, 0.4)
        pace = random.uniform(*_PACE[body.carrier])
        far = (lane + random.uniform(-1, 1), sign * AWAY_M)
        near = (lane + random.uniform(-1, 1), -sign * AWAY_M)
        match outcome:
            case "passed":
                return walk(0.0, near, [Leg((lane, -sign * 2.0)), Leg((lane, sign * 2.0)), Leg(far)], pace, random)
            case "turned_back":
                turn = (lane, -sign * random.uniform(0.8, 2.2))
                return walk(0.0, near, [Leg(turn, random.uniform(0, 6)), Leg(near, 0.0, backwards=True)], pace, random)
            case "driven_past":
                y_m, hand = random.uniform(2.2, 4.5), random.choice((1, -1))
                return walk(0.0, (-hand * 8.0, y_m), [Leg((hand * 8.0, y_m))], pace, random)

    def _load(self, body: Body) -> Load:
        random = self._random
        half_width_m, half_length_m = (0.5, 0.6) if body.carrier == "pallet" else (0.3, 0.45)
        box = Box(0.0, half_width_m, half_length_m, body.loss_db_per_m)
        stickers = [
            Sticker(
                case.epc,
                random.uniform(-half_width_m, half_width_m),
                random.uniform(-half_length_m, half_length_m),
                case.detuned,
                None if body.carrier == "hand" else box,
                case.lean,
            )
            for case in body.cases
        ]
        if body.sscc is not None:
            face = random.choice(((0.5, 0.0), (-0.5, 0.0), (0.0, 0.6), (0.0, -0.6)))
            stickers.append(Sticker(body.sscc, *face, detuned=False, box=box))
        pace = 1.0
        return Load(body.carrier, tuple(stickers), {}, _PARTS[body.carrier], pace)

    def _standing(self, epc: str, spot: Point, case: Case | None) -> Track:
        sticker = Sticker(epc, 0.0, 0.0, case is not None and case.detuned, None, case.lean if case else (0.0, 0.0))
        return Track(walk(0.0, spot, [Leg(spot)], 1.0, self._random), (sticker,))
