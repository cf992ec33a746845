"""Words for stories about zones: readers, rounds of reads at a known rate, and a clock that the story turns."""

from collections.abc import Callable, Iterable, Sequence
from random import Random

from contract.events import ZoneLeft, ZoneSeen
from contract.portals import PresenceRules, ZoneReader
from edge.llrp.read import Read
from edge.portal.presence import ZoneTracker

START_US = 1_790_000_000_000_000
SECOND = 1_000_000
COLD, SHELF = "cold-room", "shelf"


def zone_reader(name: str = "ceiling", **zones: str) -> ZoneReader:
    """A reader; `a1="cold-room"` is the zone of its antenna 1."""
    return ZoneReader(name=name, agent="edge", zones={int(key[1:]): zone for key, zone in zones.items()})


def epc(serial: int) -> str:
    """An EPC."""
    return f"30395dfa834d8b80{serial:08x}"


def heard(serial: int, after_s: float, rssi_dbm: float = -60.0, antenna: int = 1, reader: str = "ceiling") -> Read:
    """One read, so many seconds after the beginning."""
    return Read(START_US + round(after_s * SECOND), epc(serial), antenna, rssi_dbm, reader)


class Cold:
    """A tracker, and the story's clock: feeds reads and collects what is told, second by second."""

    def __init__(self, *readers: ZoneReader, rules: PresenceRules | None = None, seed: int = 1) -> None:
        self.tracker = ZoneTracker(readers or [zone_reader(a1=COLD, a2=COLD)], rules or PresenceRules())
        self.told: list[ZoneSeen | ZoneLeft] = []
        self.now_s = 0.0
        self.random = Random(seed)

    def until(self, end_s: float, reads_of: Callable[[float], Iterable[Read]]) -> "Cold":
        """Go on, a second a step, with the reads of each second."""
        while self.now_s < end_s:
            self.tracker.feed(sorted(reads_of(self.now_s), key=lambda read: read.at_us))
            self.now_s += 1
            self.told += self.due()
        return self

    def silent(self, end_s: float) -> "Cold":
        """Go on without a read."""
        return self.until(end_s, lambda _: ())

    def due(self) -> list[ZoneSeen | ZoneLeft]:
        """What falls due now, all of it."""
        told = self.tracker.due(self.now_us)
        while (due_us := self.tracker.next_due_us()) is not None and due_us <= self.now_us:
            told += self.tracker.due(self.now_us)
        return told

    @property
    def now_us(self) -> int:
        return START_US + round(self.now_s * SECOND)

    def rounds(self, chances: dict[int, float], rssi_dbm: float = -60.0, **where: int | str) -> Callable:
        """A round each second, in which each tag (by serial) is heard with its chance, at some moment."""

        def reads(now_s: float) -> Sequence[Read]:
            return [
                heard(serial, now_s + self.random.random(), self.random.gauss(rssi_dbm, 3), **where)
                for serial, chance in chances.items()
                if self.random.random() < chance
            ]

        return reads

    def of(self, kind: type) -> list:
        """The events of a kind."""
        return [event for event in self.told if isinstance(event, kind)]

    def epcs(self, kind: type) -> set[str]:
        """The tags that they tell of."""
        return {epc for event in self.of(kind) for epc in event.epcs}

    def said(self) -> list[tuple[str, str]]:
        """Zone and rule of every event."""
        return [(event.zone, event.evidence.rule) for event in self.told]


def both(*parts: Callable[[float], Iterable[Read]]) -> Callable[[float], list[Read]]:
    """The reads of several sources."""
    return lambda now_s: [read for part in parts for read in part(now_s)]
