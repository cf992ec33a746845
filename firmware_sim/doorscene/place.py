"""Where a scene plays: two doors side by side, their antennas, the walls around them, all drawn from a seed.

      +y inside
[1]       [4]     [1]       [4]
 |   dock-1 |      |  dock-2 |        two panels a side, or one, or one reader on each side of the door
[2]       [3]     [2]       [3]
      -y outside
"""

from random import Random
from typing import Literal, NamedTuple

from firmware_sim.antennas import PORTAL_ROOM
from firmware_sim.doorscene.waves import Clutter
from firmware_sim.room import Antenna, RoomRules, Walls

Layout = Literal["pair", "three", "four", "two_readers"]
_FITTED_ROOM = RoomRules()
_CURTAINED_DBM = -80.0
"""Level of the clutter in a portal with curtains: walls as in `PORTAL_ROOM` give back a third of what bare ones do."""
_AT_1M_DBM = -47.0
"""A little less than without clutter (waves.py), for that adds to it."""


class SceneReader(NamedTuple):
    """One reader, and on which side of its door its antennas stand."""

    name: str
    inside: tuple[int, ...]
    outside: tuple[int, ...]
    antennas: tuple[Antenna, ...]
    """In the coordinates of the place."""


class Eyes(NamedTuple):
    """The photo-eyes of a door, and what is wrong with them."""

    reach_m: float
    """The beams stand this far before and behind the plane of the door."""
    poll_s: float
    """How often their registers are read."""
    missed: float
    """Share of breaks that do not show."""
    stuck: Literal["outer", "inner"] | None
    """A beam that is dirty or out of line: broken at all times."""


class SceneDoor(NamedTuple):
    """One door, in the plane y = 0."""

    name: str
    x_m: float
    """Its middle."""
    width_m: float
    readers: tuple[SceneReader, ...]
    eyes: Eyes | None
    beside: tuple[str, ...]

    @property
    def is_wide(self) -> bool:
        """Whether two pallets can pass each other in it."""
        return self.width_m >= 3.4


class Place(NamedTuple):
    """One site, as far as a scene needs it."""

    doors: tuple[SceneDoor, ...]
    walls: Walls
    room: RoomRules
    clutter: Clutter
    shadow: float
    """Share of the time in which whoever carries a tag hides it from an antenna."""
    read_loss: float
    """Share of reads that do not arrive, whatever the reason."""
    trailer_m: tuple[float | None, ...]
    """For each door: how far outside the front of the trailer at its dock begins; None: no trailer."""


def place(random: Random) -> Place:
    """A site as they come: between a portal with curtains and the room of the recorded passes."""
    bare = random.random()
    """0 is a well-built portal, 1 the room that the radio was fitted to."""
    room = RoomRules(
        rssi_at_1m_dbm=_AT_1M_DBM + random.uniform(-2, 2),
        reflection=_between(PORTAL_ROOM.reflection, _FITTED_ROOM.reflection, bare),
        beam_exponent=_between(PORTAL_ROOM.beam_exponent, _FITTED_ROOM.beam_exponent, bare),
    )
    widths = [random.choice((random.uniform(2.3, 3.0), random.uniform(3.4, 4.2))) for _ in range(2)]
    apart_m = sum(widths) / 2 + random.uniform(0.8, 3.0)
    doors = tuple(
        _door(f"dock-{number}", f"dock-{3 - number}", side * apart_m / 2, widths[number - 1], random)
        for number, side in ((1, -1), (2, 1))
    )
    edge_m = apart_m / 2 + max(widths) / 2
    walls = {
        (1, 0): edge_m + random.uniform(1.5, 6),
        (-1, 0): edge_m + random.uniform(1.5, 6),
        (0, 1): random.uniform(4.5, 10),
        (0, -1): random.uniform(4.5, 12),
    }
    return Place(
        doors=doors,
        walls=walls,
        room=room,
        clutter=Clutter(scatter_dbm=_between(_CURTAINED_DBM, Clutter().scatter_dbm, bare)),
        shadow=random.uniform(0.08, 0.25),
        read_loss=random.choice((0.0, random.uniform(0.0, 0.3))),
        trailer_m=tuple(random.choice((None, random.uniform(2.2, 3.5))) for _ in doors),
    )


def _between(first: float, second: float, share: float) -> float:
    return first + share * (second - first)


def _door(name: str, neighbour: str, x_m: float, width_m: float, random: Random) -> SceneDoor:
    layouts: tuple[Layout, ...] = ("pair", "three", "four", "four", "two_readers")
    layout = random.choice(layouts[2:] if width_m > 3.2 else layouts)
    half_m, depth_m, splay_m = width_m / 2, random.uniform(0.8, 1.3), random.uniform(0.4, 0.9)

    def antenna(port: int, side: int, hand: int) -> Antenna:
        look = (x_m, side * (depth_m + splay_m))
        return Antenna(port, x_m + hand * half_m, side * depth_m, look)

    inner, outer = 1, -1
    left, right = -1, 1
    corners: list[list[tuple[int, int]]]
    """By reader, (side, hand) of each port."""
    match layout:
        case "pair":
            corners = [[(inner, left), (outer, random.choice((left, right)))]]
        case "three":
            lone = random.choice((inner, outer))
            corners = [[(-lone, left), (-lone, right), (lone, random.choice((left, right)))]]
        case "four":
            corners = [[(inner, left), (outer, left), (outer, right), (inner, right)]]
        case "two_readers":
            by_hand = random.random() < 0.5
            corners = (
                [[(inner, left), (outer, left)], [(inner, right), (outer, right)]]
                if by_hand
                else [[(inner, left), (inner, right)], [(outer, left), (outer, right)]]
            )
    readers = tuple(
        SceneReader(
            name=f"{name}-reader-{number}",
            inside=tuple(port for port, (side, _) in enumerate(ports, 1) if side == inner),
            outside=tuple(port for port, (side, _) in enumerate(ports, 1) if side == outer),
            antennas=tuple(antenna(port, side, hand) for port, (side, hand) in enumerate(ports, 1)),
        )
        for number, ports in enumerate(corners, 1)
    )
    return SceneDoor(name, x_m, width_m, readers, _eyes(random), (neighbour,))


def _eyes(random: Random) -> Eyes | None:
    if random.random() < 0.5:
        return None
    trouble = random.random()
    return Eyes(
        reach_m=random.uniform(0.25, 0.5),
        poll_s=random.uniform(0.02, 0.05),
        missed=random.uniform(0.05, 0.3) if trouble < 0.2 else 0.0,
        stuck=random.choice(("outer", "inner")) if trouble > 0.9 else None,
    )
