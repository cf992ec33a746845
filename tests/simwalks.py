"""Passes of simulated tags in many rooms, with the way each tag really went: for reliability curves.

Four kinds: the hall of the recorded passes with antennas in its corners and one tag carried by hand, a portal with two
to four panels and a pallet of many tags, a bare portal whose antennas nearly face each other, and docks where pallets
shield their own tags and everything happens that happens at docks.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import pairwise
from random import Random
from typing import Final, NamedTuple

from edge.llrp.read import Read
from edge.portal.sides import Side, Sides
from firmware_sim.antennas import PORTAL_ROOM, portal_antennas
from firmware_sim.doorscene.scene import Heard, Truth, scene
from firmware_sim.radio import Antenna, RadioModel, TagAt, TagRead
from firmware_sim.room import RoomRules

BEGIN_US: Final = 1_700_000_000_000_000
STEP_US: Final = 20_000
HALL_M: Final = 2.29
"""From the middle of the hall to its walls: 7.5 ft."""
TAGS_EACH: Final = 6
"""Of one pallet so many count."""
GAP_US: Final = 1_200_000
"""As a door has it."""


class SimWalk(NamedTuple):
    """The reads of one tag that went through."""

    reads: list[Read]
    sides: Mapping[str, Sides]
    """By reader."""
    inbound: bool

    def side_of(self, read: Read) -> Side | None:
        return self.sides[read.reader].of(read.antenna)


def hall(seed: int) -> Iterator[SimWalk]:
    """One tag by hand, straight through the hall from wall to wall."""
    chance = Random(f"hall {seed}")
    corners = tuple(Antenna(port, x * HALL_M, y * HALL_M) for port, (x, y) in enumerate(_CORNERS, 1))
    sign = chance.choice((-1, 1))
    length_s = chance.choice((chance.uniform(6.5, 8.5), chance.uniform(10.5, 14.0)))
    radio = RadioModel(corners, seed)
    reads = _listen(radio, length_s, lambda at_s: [TagAt("aa", 0.0, sign * 2.0 * (2 * at_s / length_s - 1))])
    yield SimWalk(reads, {"reader-1": Sides(frozenset({2, 3}), frozenset({1, 4}))}, sign > 0)


def portal(seed: int) -> Iterator[SimWalk]:
    """A pallet through a portal with curtains, on two, three or four antennas."""
    inside, outside = Random(f"layout {seed}").choice((([1], [2]), ([1, 4], [2]), ([1, 4], [2, 3])))
    yield from _pallet(seed, portal_antennas(inside, outside), PORTAL_ROOM)


def bare(seed: int) -> Iterator[SimWalk]:
    """A pallet between antennas half a metre before and behind the plane of the door, in a room that echoes."""
    antennas = tuple(Antenna(port, 1.3 * x, 0.5 * y, (0.0, 0.6 * y)) for port, (x, y) in enumerate(_CORNERS, 1))
    yield from _pallet(seed, antennas, RoomRules(reflection=0.3, beam_exponent=1.5))


def docks(seed: int) -> Iterator[SimWalk]:
    """Everything that went through one of two docks that could see all the time."""
    played = scene(seed, 20.0, 10.0)
    sides = {
        reader.name: Sides(frozenset(reader.inside), frozenset(reader.outside))
        for door in played.doors
        for reader in door.readers
    }
    heard: dict[tuple[str, str], list[Read]] = {}
    for entry in played.timeline:
        if isinstance(entry, Heard):
            for read in entry.reads:
                heard.setdefault((entry.door, read.epc), []).append(_read(read, entry.reader))
    for truth in played.truth:
        reads = _longest_stay(truth, heard.get((truth.door, truth.epc), []))
        if truth.kind == "passed" and not truth.blind and reads:
            yield SimWalk(reads, sides, truth.direction == "inbound")


KINDS: Final[Mapping[str, Callable[[int], Iterator[SimWalk]]]] = {
    "hall": hall,
    "portal": portal,
    "bare": bare,
    "docks": docks,
}
_CORNERS = ((-1, -1), (-1, 1), (1, 1), (1, -1))


def thinned(walk: SimWalk, chance: Random) -> SimWalk:
    """As if the air had been busy: 4 to 100 of the reads, few as often as many."""
    count = min(len(walk.reads), round(4 * 25 ** chance.random()))
    return walk._replace(reads=chance.sample(walk.reads, count))


def _longest_stay(truth: Truth, reads: Sequence[Read]) -> list[Read]:
    mine = sorted((read for read in reads if truth.from_us <= read.at_us <= truth.to_us), key=lambda read: read.at_us)
    stays = [mine[:1]]
    for before, read in pairwise(mine):
        if read.at_us - before.at_us > GAP_US:
            stays.append([])
        stays[-1].append(read)
    return max(stays, key=len)


def _pallet(seed: int, antennas: Sequence[Antenna], room: RoomRules) -> Iterator[SimWalk]:
    chance = Random(f"pallet {seed}")
    sign, pace, count = chance.choice((-1, 1)), chance.uniform(0.7, 1.6), chance.choice((1, 6, 12, 30))
    places = [(f"{tag:02x}", chance.uniform(-0.5, 0.5), chance.uniform(-0.6, 0.6)) for tag in range(count)]
    reads = _listen(
        RadioModel(antennas, seed, room=room),
        6.0 / pace,
        lambda at_s: [TagAt(epc, x_m, sign * (pace * at_s - 3.0) + y_m) for epc, x_m, y_m in places],
    )
    inside = frozenset(antenna.port for antenna in antennas if antenna.y_m > 0)
    sides = Sides(inside, frozenset(antenna.port for antenna in antennas) - inside)
    by_epc: dict[str, list[Read]] = {}
    for read in reads:
        by_epc.setdefault(read.epc, []).append(read)
    for epc in sorted(by_epc)[:TAGS_EACH]:
        yield SimWalk(by_epc[epc], {"reader-1": sides}, sign > 0)


def _listen(radio: RadioModel, length_s: float, tags: Callable[[float], Sequence[TagAt]]) -> list[Read]:
    return [
        _read(read)
        for after_us in range(0, round(length_s * 1e6), STEP_US)
        for read in radio.sense(BEGIN_US + after_us, tags(after_us / 1e6))
    ]


def _read(read: TagRead, reader: str = "reader-1") -> Read:
    return Read(read.at_us, read.epc, read.antenna, float(read.rssi_dbm), reader, read.channel, read.phase)
