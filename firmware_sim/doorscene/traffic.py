"""Who moves where, when: the stories of a scene, and what is true of them."""

from collections.abc import Callable, Mapping, Sequence
from random import Random
from typing import Literal, NamedTuple

import numpy as np

from firmware_sim.doorscene.load import Carrier, Load, Printer, load
from firmware_sim.doorscene.place import Place, SceneDoor
from firmware_sim.doorscene.way import Leg, Point, Way, walk

Direction = Literal["inbound", "outbound"]
Story = Literal[
    "single", "followers", "opposite", "turn_back", "loiter", "driven_past", "past_neighbour", "parked", "waiting",
    "empty_handed",
]  # fmt: skip
Outcome = Literal["passed", "turned_back", "driven_past"]

FAR_M = 10.0
"""Ways begin and end so far away that no antenna hears."""
QUIET_S = 20.0
"""Nobody comes to a door before this, so that what stands there has been heard for a while, as at a door in use."""
_AT_DOOR_M = 2.5
_WEIGHTS: Mapping[Story, int] = {
    "single": 8,
    "followers": 3,
    "opposite": 3,
    "turn_back": 3,
    "loiter": 2,
    "driven_past": 2,
    "past_neighbour": 2,
    "parked": 2,
    "waiting": 2,
    "empty_handed": 1,
}
_CARRIERS: tuple[Carrier, ...] = ("pallet", "pallet", "pallet", "forklift", "trolley", "hand", "hand")


class Movement(NamedTuple):
    """One body on its way."""

    door: SceneDoor
    story: Story
    outcome: Outcome
    direction: Direction | None
    """None: it did not go through."""
    way: Way
    load: Load


class Traffic:
    """Draws movements for the doors of a place, each door at its own pace, now and then both at one moment."""

    def __init__(self, place: Place, random: Random, longest_loiter_s: float) -> None:
        self._place = place
        self._random = random
        self._printer = Printer(random)
        self._longest_loiter_s = longest_loiter_s
        self._free_s = [QUIET_S for _ in place.doors]
        """When the next body may come to each door."""
        self._stories: Mapping[Story, Callable[[SceneDoor], list[Movement]]] = {
            "single": lambda door: [self._through(door, "single")],
            "followers": self._followers,
            "opposite": self._opposite,
            "turn_back": self._turn_back,
            "loiter": self._loiter,
            "driven_past": self._driven_past,
            "past_neighbour": self._past_neighbour,
            "parked": self._parked,
            "waiting": self._waiting,
            "empty_handed": lambda door: [self._through(door, "empty_handed", "nobody")],
        }

    def movements(self, busy_s: float) -> list[Movement]:
        """So many that the doors are busy for so long."""
        found: list[Movement] = []
        doors = range(len(self._place.doors))
        while min(self._free_s) < QUIET_S + busy_s:
            if self._random.random() < 0.3:  # at both doors at one moment
                self._free_s = [max(self._free_s)] * len(self._free_s)
                chosen: Sequence[int] = doors
            else:
                chosen = [min(doors, key=self._free_s.__getitem__)]
            for door in chosen:
                found += self._story(door)
        return found

    def _story(self, number: int) -> list[Movement]:
        door = self._place.doors[number]
        names = [*_WEIGHTS]
        (name,) = self._random.choices(names, weights=[_WEIGHTS[story] for story in names])
        bodies = self._stories[name](door)
        came, went = zip(*(at_door(body) for body in bodies), strict=True)
        later_s = self._free_s[number] - min(came)
        pause_s = self._random.choice((0.3, 1.5, 4.0)) * self._random.uniform(0.7, 1.6)
        self._free_s[number] = max(went) + later_s + pause_s
        return [_later(body, later_s) for body in bodies]

    # Each story gives its bodies with times of their own; `_story` shifts them to when the door is free.

    def _through(
        self,
        door: SceneDoor,
        story: Story,
        carrier: Carrier | None = None,
        sign: int | None = None,
        lane_m: float | None = None,
        pace: float | None = None,
    ) -> Movement:
        """From far on one side to far on the other; `sign` +1 is inbound."""
        random = self._random
        sign = sign or random.choice((1, -1))
        cargo = self._load(carrier)
        lane = self._lane(door) if lane_m is None else door.x_m + lane_m + random.uniform(-0.1, 0.1)
        legs = [Leg((lane, -sign * _AT_DOOR_M)), Leg((lane, sign * _AT_DOOR_M)), Leg(self._far(door, sign))]
        way = walk(0.0, self._far(door, -sign), legs, pace or cargo.pace_m_per_s, random)
        return Movement(door, story, "passed", _direction(sign), way, cargo)

    def _followers(self, door: SceneDoor) -> list[Movement]:
        random, sign = self._random, self._random.choice((1, -1))
        first = self._through(door, "followers", sign=sign)
        pace, bodies = first.load.pace_m_per_s, [first]
        for _ in range(random.choice((1, 1, 2))):
            body = self._through(door, "followers", sign=sign, pace=pace)
            apart_s = at_door(bodies[-1])[0] - at_door(body)[0] + 2.4 / pace + random.uniform(1.0, 3.0)
            bodies.append(_later(body, apart_s))
        return bodies

    def _opposite(self, door: SceneDoor) -> list[Movement]:
        """Two pass each other in the door, if it is wide enough; else the second waits until the first is through."""
        random, lane_m = self._random, self._random.choice((1, -1)) * door.width_m / 4
        wide = door.is_wide
        carriers: tuple[Carrier, ...] = ("pallet", "trolley", "hand")
        first = self._through(door, "opposite", random.choice(carriers), 1, lane_m if wide else None)
        second = self._through(door, "opposite", random.choice(carriers), -1, -lane_m if wide else None)
        if wide:
            apart_s = _middle_s(first) - _middle_s(second) + random.uniform(-1.5, 1.5)
        else:
            apart_s = at_door(first)[1] - at_door(second)[0] + random.uniform(0.2, 1.5)
        return [first, _later(second, apart_s)]

    def _turn_back(self, door: SceneDoor) -> list[Movement]:
        """It comes up to the door, stands there, and goes back where it came from."""
        random, side = self._random, self._random.choice((1, -1))
        turn = (self._lane(door), side * random.uniform(0.1, 1.6))
        return [self._back_from(door, "turn_back", side, turn, random.uniform(0.3, 12.0))]

    def _loiter(self, door: SceneDoor) -> list[Movement]:
        """It stands in the door, and then goes on or back."""
        random, sign = self._random, self._random.choice((1, -1))
        stop = (self._lane(door), random.uniform(-0.7, 0.7))
        halt_s = min(self._longest_loiter_s, 5 * 18 ** random.random())
        if random.random() < 0.4:
            return [self._back_from(door, "loiter", -sign, stop, halt_s)]
        cargo = self._load()
        legs = [Leg((stop[0], -sign * _AT_DOOR_M)), Leg(stop, halt_s), Leg((stop[0], sign * _AT_DOOR_M))]
        way = walk(0.0, self._far(door, -sign), [*legs, Leg(self._far(door, sign))], cargo.pace_m_per_s, random)
        return [Movement(door, "loiter", "passed", _direction(sign), way, cargo)]

    def _back_from(self, door: SceneDoor, story: Story, side: int, turn: Point, halt_s: float) -> Movement:
        cargo, backwards = self._load(), self._random.random() < 0.6
        before = (turn[0], side * _AT_DOOR_M)
        legs = [Leg(before), Leg(turn, halt_s), Leg(before, backwards=backwards), Leg(self._far(door, side))]
        way = walk(0.0, self._far(door, side), legs, cargo.pace_m_per_s, self._random)
        return Movement(door, story, "turned_back", None, way, cargo)

    def _driven_past(self, door: SceneDoor) -> list[Movement]:
        """Along the wall, past both doors: inside, or outside where no trailer stands."""
        random, hand = self._random, self._random.choice((1, -1))
        side = 1 if any(self._place.trailer_m) else random.choice((1, -1))
        y_m = side * random.uniform(2.1, 4.5)
        cargo = self._load()
        start, end = (door.x_m - hand * (FAR_M + 5), y_m), (door.x_m + hand * (FAR_M + 5), y_m)
        way = walk(0.0, start, [Leg(end)], cargo.pace_m_per_s, random)
        return [Movement(door, "driven_past", "driven_past", None, way, cargo)]

    def _past_neighbour(self, door: SceneDoor) -> list[Movement]:
        """In by this door and then along the wall inside, past the other door; or that way round and out."""
        random, sign = self._random, self._random.choice((1, -1))
        cargo, lane = self._load(), self._lane(door)
        (other,) = (one for one in self._place.doors if one.name in door.beside)
        toward = 1 if other.x_m > door.x_m else -1
        y_m = random.uniform(2.3, 4.5)
        ends = [self._far(door, -1), (lane, -_AT_DOOR_M), (lane, y_m), (other.x_m + toward * FAR_M, y_m)]
        start, *points = ends if sign > 0 else ends[::-1]
        way = walk(0.0, start, [Leg(point) for point in points], cargo.pace_m_per_s, random)
        return [Movement(door, "past_neighbour", "passed", _direction(sign), way, cargo)]

    def _parked(self, door: SceneDoor) -> list[Movement]:
        """Put down inside near the door for a while: after it came in, or before it goes out."""
        random, sign = self._random, self._random.choice((1, -1))
        cargo, lane = self._load(), self._lane(door)
        spot, rest_s = (lane + random.uniform(-1.0, 1.0), random.uniform(2.6, 5.5)), random.uniform(3.0, 40.0)
        points = [self._far(door, -1), (lane, -_AT_DOOR_M), (lane, 1.2), spot, self._far(door, 1)]
        start, *rest = points if sign > 0 else points[::-1]
        legs = [Leg(point, rest_s if point == spot else 0.0) for point in rest]
        way = walk(0.0, start, legs, cargo.pace_m_per_s, random)
        return [Movement(door, "parked", "passed", _direction(sign), way, cargo)]

    def _waiting(self, door: SceneDoor) -> list[Movement]:
        """It stands in the trailer before it is brought in, or is left there after it went out."""
        random, sign = self._random, self._random.choice((1, -1))
        front_m = self._place.trailer_m[self._place.doors.index(door)]
        if front_m is None:
            return [self._through(door, "single", sign=sign)]
        cargo, lane = self._load(), self._lane(door)
        spot = (door.x_m + random.uniform(-0.7, 0.7), -(front_m + random.uniform(0.6, 6.0)))
        points = [spot, (lane, -1.6), (lane, _AT_DOOR_M), self._far(door, 1)]
        start, *rest = points if sign > 0 else points[::-1]
        way = walk(0.0, start, [Leg(point) for point in rest], cargo.pace_m_per_s, random)
        return [Movement(door, "waiting", "passed", _direction(sign), way, cargo)]

    def _load(self, carrier: Carrier | None = None) -> Load:
        chosen = carrier if carrier is not None else self._random.choice(_CARRIERS)
        return load(chosen, self._printer, self._random)

    def _lane(self, door: SceneDoor) -> float:
        return door.x_m + self._random.uniform(-1, 1) * max(0.1, door.width_m / 2 - 0.8)

    def _far(self, door: SceneDoor, side: int) -> Point:
        return door.x_m + self._random.uniform(-1.2, 1.2), side * FAR_M


def _direction(sign: int) -> Direction:
    return "inbound" if sign > 0 else "outbound"


def _later(body: Movement, by_s: float) -> Movement:
    way = body.way
    return body._replace(way=way._replace(at_s=way.at_s + by_s, turned_s=way.turned_s + by_s))


def at_door(body: Movement) -> tuple[float, float]:
    """When it comes to its door, and when it has left it."""
    way = body.way
    at_s = np.arange(way.begin_s, way.end_s, 0.1)
    x_m, y_m, _ = way.where(at_s)
    reach_m = abs(y_m).min() + _AT_DOOR_M if body.outcome == "driven_past" else _AT_DOOR_M
    there = at_s[(abs(y_m) <= reach_m) & (abs(x_m - body.door.x_m) <= body.door.width_m / 2 + 1.5)]
    return float(there[0]), float(there[-1])


def _middle_s(body: Movement) -> float:
    return sum(at_door(body)) / 2
