"""Tags that are carried through a door, without a radio model: reads and beams made by hand for the tests of the rules.

y = +3 m outside, y = -3 m inside; the antennas 2 and 3 hang at +1.5 m, 1 and 4 at -1.5 m.
"""

import math
import random
from collections.abc import Iterable, Sequence
from itertools import groupby

from contract.events import DoorPass, EmptyPass
from contract.portals import Door, EyesGate, GpiGate, LlrpReader, PassRules, PhotoEyes
from contract.sitepart import Title
from edge.llrp.read import Read
from edge.portal.beams import Beam
from edge.portal.door import DoorTracker
from edge.portal.neighbours import Neighbours

NOW_US = 1_800_000_000_000_000
EPC = "303435fc8803d056d15b963f"
SSCC = "31d644334004c1dc{:02x}000000"
"""An SSCC-96 for each number."""
READER = LlrpReader(name="reader-1", inside=[1, 4], outside=[2, 3])
SECOND = LlrpReader(name="reader-2", port=5085, inside=[1], outside=[2])
RULES = PassRules()

Edge = tuple[float, Beam, bool]


def door(
    *readers: LlrpReader,
    rules: PassRules = RULES,
    name: str = "dock-1",
    gate: GpiGate | EyesGate | None = None,
    beside: Sequence[str] = (),
    static: Sequence[str] = (),
) -> Door:
    """A door with photo-eyes."""
    return Door(
        name=name,
        title=Title(en="Door 1", zh="1 号门"),
        agent="edge-1",
        inside="receiving",
        readers=list(readers or (READER,)),
        photo_eyes=PhotoEyes(outer="outer", inner="inner"),
        gate=gate,
        beside=list(beside),
        static_tags=list(static),
        rules=rules,
    )


def walk(
    begin_s: float = 0.0,
    *,
    epc: str = EPC,
    inbound: bool = True,
    length_s: float = 4.0,
    seed: int = 1,
    every_s: float = 0.04,
    ahead_m: float = 0.0,
    fainter_db: float = 0.0,
    reader: str = "reader-1",
) -> list[Read]:
    """A tag carried through at a steady pace, read by one antenna after another; `ahead_m` before the load's middle."""
    chance = random.Random(f"{seed} {epc}")
    reads = []
    for step in range(int(length_s / every_s)):
        antenna = (1, 2, 3, 4)[step % 4]
        place_m = 3.0 - 6.0 * step * every_s / length_s - ahead_m
        place_m = place_m if inbound else -place_m
        distance_m = math.hypot(1.5, place_m - (1.5 if antenna in (2, 3) else -1.5))
        rssi_dbm = round(-45 - 40 * math.log10(distance_m) - fainter_db + chance.gauss(0, 3))
        reads.append(Read(NOW_US + round((begin_s + step * every_s) * 1e6), epc, antenna, float(rssi_dbm), reader))
    return reads


def epcs_of(load: int, tags: int) -> list[str]:
    """The tags of one load: so many cases, and its SSCC last."""
    return [*(f"30{load:02x}00000000000000{case:04x}" for case in range(tags)), SSCC.format(load)]


def pallet(
    begin_s: float = 0.0, *, load: int = 1, tags: int = 8, inbound: bool = True, length_s: float = 4.0, seed: int = 1
) -> list[Read]:
    """A pallet of 1.2 m with its SSCC, each tag read every 0.1 s."""
    chance = random.Random(f"{seed} {load}")
    return [
        read
        for epc in epcs_of(load, tags)
        for read in walk(
            begin_s,
            epc=epc,
            inbound=inbound,
            length_s=length_s,
            seed=seed,
            every_s=0.1,
            ahead_m=chance.uniform(-0.6, 0.6),
            fainter_db=chance.uniform(0, 6),
        )
    ]


def shelf(epc: str, begin_s: float, end_s: float, *, every_s: float = 0.3, rssi_dbm: float = -60.0) -> list[Read]:
    """A tag that stands inside and is read all the time, its level fluttering."""
    chance = random.Random(epc)
    steps = range(int((end_s - begin_s) / every_s))
    return [
        Read(at(begin_s + step * every_s), epc, (1, 4)[step % 2], rssi_dbm + chance.randint(-2, 2), "reader-1")
        for step in steps
    ]


def at(after_s: float) -> int:
    """A moment of the story."""
    return NOW_US + round(after_s * 1e6)


def by_time(*stories: Iterable[Read]) -> list[Read]:
    """Reads as a reader would send them."""
    return sorted((read for story in stories for read in story), key=lambda read: (read.at_us, read.epc, read.antenna))


def beams(tracker: DoorTracker, *edges: Edge, after_s: float = 0.0) -> None:
    """Break and clear the photo-eyes."""
    for at_s, which, broken in edges:
        tracker.beam(at(at_s + after_s), which, broken)


IN_EDGES: list[Edge] = [
    (1.6, "outer", True), (2.0, "inner", True), (2.4, "outer", False), (2.8, "inner", False),
]  # fmt: skip
OUT_EDGES: list[Edge] = [(at_s, "inner" if beam == "outer" else "outer", broken) for at_s, beam, broken in IN_EDGES]
TURN_EDGES: list[Edge] = [
    (1.6, "outer", True), (2.0, "inner", True), (2.4, "inner", False), (2.8, "outer", False),
]  # fmt: skip


def all_told(tracker: DoorTracker | Neighbours, until_s: float = 3600.0) -> list[DoorPass | EmptyPass]:
    """What is decided until then, each at the moment at which it falls due."""
    found: list[DoorPass | EmptyPass] = []
    while (due_us := tracker.next_due_us()) is not None and due_us <= at(until_s):
        found += tracker.due(due_us)
    return found


def passes(tracker: DoorTracker | Neighbours, until_s: float = 3600.0) -> list[DoorPass]:
    """The passes among them."""
    return [told for told in all_told(tracker, until_s) if isinstance(told, DoorPass)]


def live(tracker: DoorTracker | Neighbours, reads: Sequence[Read], until_s: float = 3600.0) -> list[DoorPass]:
    """Reads as they come, a tenth of a second at a time, and what is decided meanwhile and afterwards."""
    found: list[DoorPass] = []
    for _, batch in groupby(reads, key=lambda read: read.at_us // 100_000):
        heard = list(batch)
        found += passes(tracker, (heard[0].at_us - 1 - NOW_US) / 1e6)
        tracker.feed(heard)
    return found + passes(tracker, until_s)
