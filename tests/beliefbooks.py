"""The smallest books that feed belief as the fold does: items by EPC, one watched zone, events in."""

from collections import defaultdict
from dataclasses import dataclass, field

from zonewords import COLD, SECOND, START_US, epc

from contract.events import TagCount, ZoneEvidence, ZoneLeft, ZoneSeen
from gateway.belief import tidings
from gateway.belief.bernoulli import Belief, believe
from gateway.belief.siblings import Siblings
from gateway.belief.trace import Place, Watched

AGENT, READER = "edge", "ceiling"
CASE = epc(1)
HOUR = 3600.0


def watched_zone(since_us: int = START_US) -> Watched:
    """A zone whose only reader looks since then."""
    zone = tidings.watch([READER], [AGENT])
    tidings.reader(zone, READER, since_us, sees=True)
    return zone


@dataclass
class Books:
    """What the fold keeps for belief. The cold room is watched, nothing else is."""

    zones: dict[str, Watched] = field(default_factory=lambda: {COLD: watched_zone()})
    places: dict[str, Place] = field(default_factory=dict)
    container: dict[str, str] = field(default_factory=dict)

    def tell(self, event: ZoneSeen | ZoneLeft | TagCount, agent: str = AGENT) -> None:
        for tag in event.epcs:
            before = self.places.get(tag)
            match event:
                case ZoneSeen():
                    evidence = event.evidence
                    reads = evidence.reads / len(event.epcs) if evidence else None
                    appeared = evidence is not None and evidence.rule == "appeared"
                    trace = tidings.seen(self.zones, before, event.zone, agent, event.at_us, reads, appeared=appeared)
                    self._place(tag, event.zone, event.at_us, trace)
                case ZoneLeft():
                    trace = tidings.left(self.zones, before, event.zone, agent, event.at_us)
                    if before is not None:
                        self.places[tag] = before._replace(trace=trace)
                case TagCount():
                    self.put(tag, event.zone, event.at_us, 0.99, explained=False)

    def put(self, epc: str, zone: str | None, at_us: int, worth: float = 1.0, *, explained: bool = True) -> None:
        """By a door, or (not explained) found there."""
        trace = tidings.put(self.zones, self.places.get(epc), zone, at_us, worth, explained=explained)
        self._place(epc, zone, at_us, trace)

    def search(self, epc: str, at_us: int, find_rate: float = 0.99) -> None:
        place = self.places[epc]
        self.places[epc] = place._replace(trace=tidings.searched(place, at_us, find_rate))

    def belief(self, epc: str, now_us: int, told_us: int | None = None) -> Belief:
        """Of the item by itself."""
        place = self.places[epc]
        return believe(place, self.zones.get(place.zone or ""), now_us, told_us)

    def beliefs(self, now_us: int) -> dict[str, Belief]:
        """Of every item, with what its siblings say."""
        alone = {tag: self.belief(tag, now_us) for tag in self.places}
        pallets: dict[str, list[str]] = defaultdict(list)
        for tag, container in self.container.items():
            pallets[container].append(tag)
        beliefs = dict(alone)
        for tags in pallets.values():
            siblings = Siblings((self.places[tag], alone[tag]) for tag in tags)
            for tag in tags:
                place = self.places[tag]
                odds = siblings.odds(place, alone[tag])
                beliefs[tag] = believe(place, self.zones.get(place.zone or ""), now_us, odds=odds)
        return beliefs

    def _place(self, epc: str, zone: str | None, at_us: int, trace: tidings.Trace) -> None:
        before = self.places.get(epc)
        if before is None or at_us > before.placed_us:
            self.places[epc] = Place(zone, at_us, trace)
        else:
            self.places[epc] = before._replace(trace=trace)


def us(after_s: float) -> int:
    return START_US + round(after_s * SECOND)


def seen(after_s: float, *epcs: str, zone: str = COLD, reads: int = 30, rule: str = "appeared") -> ZoneSeen:
    epcs = epcs or (CASE,)
    evidence = ZoneEvidence(reads=reads * len(epcs), rule=rule)
    return ZoneSeen(at_us=us(after_s), decided_us=us(after_s), zone=zone, epcs=epcs, evidence=evidence)


def left(after_s: float, *epcs: str, zone: str = COLD) -> ZoneLeft:
    return ZoneLeft(at_us=us(after_s), decided_us=us(after_s + 20), zone=zone, epcs=epcs or (CASE,))


def told(*events: ZoneSeen | ZoneLeft) -> Books:
    books = Books()
    for event in events:
        books.tell(event)
    return books


def lapses(share_seen: float, times: int, cycle_s: float) -> list[ZoneSeen | ZoneLeft]:
    """A tag that is seen for this share of the time, and hidden for the rest of each cycle."""
    events: list[ZoneSeen | ZoneLeft] = []
    for n in range(times):
        events += [seen(n * cycle_s), left((n + share_seen) * cycle_s)]
    return [*events, seen(times * cycle_s)]
