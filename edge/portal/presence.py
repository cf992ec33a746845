"""Which tags are in which zone: from the reads of shelf, ceiling and cold room readers to arrivals and departures.

A tag that is heard `min_reads` times is in the zone. It has left when it is silent for longer than its own read rate
there explains (edge/portal/hearing.py). All times are those of the reads, so late and shuffled ones do no harm.

- All antennas of all readers that look at a zone add up. A tag that several zones hear is in one of them: the first,
  until another surely hears it better by `move_db`, or the first falls silent. A move is one `ZoneSeen` in the new
  zone, with the rule `moved`, and no `ZoneLeft`.
- Silence counts only while every reader of the zone is known to listen: not while one is blind (afterwards each tag
  has its whole window again), and not while one has said nothing at all, for it might have frozen: then it counts
  when the link would have found that out.
- A door knows better. What is to be told waits for `HOLD_US`, so that a door that the tag is just going through
  speaks first. A tag that a door let out of its zone must be heard there again, as loud as before, to be told anew.
- A tag that left is remembered for `max_window_s`: when it comes back, that silence is among its gaps.

Bounds: `MAX_TAGS` tags, some 700 bytes each; reads of further ones are refused and counted as `overflow`. One call of
`due` looks at `MAX_LOOKS` tags: it is called again for the rest.
"""

from collections import Counter, deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, Literal

from contract.events import ZoneLeft, ZoneSeen
from contract.portals import PresenceRules, ZoneReader
from edge.llrp.read import Read
from edge.portal import zone_events
from edge.portal.doubts import Doubts
from edge.portal.hearing import Hearing
from edge.portal.zone import Ear, Zone
from edge.portal.zone_events import Told

MAX_TAGS: Final = 200_000
MAX_LOOKS: Final = 5_000
LOOK_US: Final = 10_000_000
"""A tag is looked at so often at least, because its window may become shorter meanwhile."""
MUTE_LOOK_US: Final = 1_000_000
"""The same while a sign of life of a reader is waited for."""
HOLD_US: Final = 3_000_000
BATCH_US: Final = 2_000_000
"""What could be told waits so long for others of the same moment."""
MOVED_READS: Final = 8
"""Another zone must hear a tag so often, besides better, until it has moved there."""

State = Literal["new", "here", "gone"]


class _Tag:
    __slots__ = ("home", "look_us", "others", "state", "told")

    def __init__(self, home: Hearing) -> None:
        self.home = home
        """In the zone where it is, was, or may be."""
        self.others: tuple[Hearing, ...] = ()
        self.state: State = "new"
        self.told = ""
        """The zone in which it was told to be."""
        self.look_us = 0
        """When its turn comes; a turn at another moment is one that was given up."""


class ZoneTracker:
    """The tags in the zones of one agent. Reads in, arrivals and departures out; never reads a clock."""

    def __init__(self, readers: Sequence[ZoneReader], rules: PresenceRules) -> None:
        self.strays: Counter[str] = Counter()
        """`few_reads`: tags that were never in a zone; `overflow`, `unplaced` (an antenna without a zone): reads."""
        self._rules = rules
        self._least_us, self._most_us = round(rules.min_window_s * 1e6), round(rules.max_window_s * 1e6)
        self._zones: dict[str, Zone] = {}
        self._places: dict[tuple[str, int], tuple[Zone, Ear]] = {}
        """By reader and antenna."""
        for reader in readers:
            ear = Ear(reader)
            for antenna, name in reader.zones.items():
                zone = self._zones.setdefault(name, Zone(name))
                zone.add(ear)
                self._places[reader.name, antenna] = (zone, ear)
        self._tags: dict[str, _Tag] = {}
        self._doubts = Doubts(rules.move_db)
        self._arrivals: deque[tuple[int, str]] = deque()
        self._departures: deque[tuple[int, _Tag, Told]] = deque()

    @property
    def present(self) -> Mapping[str, int]:
        """How many tags are in each zone."""
        return {zone.name: zone.tags for zone in self._zones.values()}

    def feed(self, reads: Iterable[Read]) -> None:
        """Take in reads, in any order."""
        for read in reads:
            place = self._places.get((read.reader, read.antenna))
            if place is None:
                self.strays["unplaced"] += 1
                continue
            zone, ear = place
            ear.heard_us = max(ear.heard_us, read.at_us)
            tag = self._tags.get(read.epc) or self._new(read, zone)
            if tag is None:
                self.strays["overflow"] += 1
                continue
            hearing = tag.home if tag.home.zone == zone.name else self._other(tag, zone, read.at_us)
            if hearing.is_gap(read.at_us):
                everybody_listened = not zone.blind and hearing.counted_us >= zone.sighted_us
                (hearing.end_gap if everybody_listened else hearing.skip_gap)(read.at_us)
            hearing.add(read.at_us, read.rssi_dbm)
            if hearing is not tag.home:
                self._heard_elsewhere(read.epc, tag, hearing)
            elif tag.state != "here" or self._doubts:
                self._heard_at_home(read, tag)

    def passed(self, at_us: int, epcs: Iterable[str], to: str | None) -> None:
        """A door decided that tags went to a zone, or (None) out of the house."""
        for epc in epcs:
            tag = self._tags.get(epc)
            if tag is None or tag.home.zone == to:
                self._doubts.end(epc)
                continue
            self._doubts.begin(epc, at_us, tag.home.level_dbm)
            for hearing in tag.others:
                hearing.begin_anew()

    def blind(self, now_us: int, reader: str) -> None:
        """A reader is lost or blind. Departures that are not told yet may be its doing: they are taken back."""
        darkened = {zone.name for zone in self._zones.values() if zone.lose(reader)}
        for _, tag, told in self._departures:
            if tag.state == "gone" and tag.home.zone in darkened:
                tag.state = "here"
                zone = self._zones[tag.home.zone]
                zone.tags += 1
                self._look_later(zone, told.epc, tag, now_us + self._least_us)

    def sighted(self, now_us: int, reader: str) -> None:
        """A reader sees again."""
        for zone in self._zones.values():
            zone.regain(reader, now_us)

    def blinked(self, now_us: int) -> None:
        """Nobody took in what the readers said for a while: that silence counts for nothing."""
        for zone in self._zones.values():
            zone.sighted_us = now_us

    def next_due_us(self) -> int | None:
        """When `due` should be called next; it may find nothing then."""
        looks = (zone.next_look_us() for zone in self._zones.values())
        moments = [moment_us for moment_us in looks if moment_us is not None]
        if self._arrivals:
            moments.append(self._arrivals[0][0] + HOLD_US + BATCH_US)
        if self._departures:
            moments.append(self._departures[0][0] + BATCH_US)
        return min(moments, default=None)

    def due(self, now_us: int) -> list[ZoneSeen | ZoneLeft]:
        """What is to be told by now."""
        looks = 0
        for zone in self._zones.values():
            while looks < MAX_LOOKS and (turn := zone.look(now_us)) is not None:
                self._look(zone, *turn, now_us)
                looks += 1
        seen = zone_events.seen(self._arrived(now_us), now_us)
        return [*seen, *zone_events.left(self._departed(now_us), now_us)]

    # Hearing

    def _new(self, read: Read, zone: Zone) -> _Tag | None:
        if len(self._tags) >= MAX_TAGS:
            return None
        tag = self._tags[read.epc] = _Tag(Hearing(zone.name, read.at_us))
        self._look_later(zone, read.epc, tag, read.at_us + LOOK_US)
        return tag

    def _other(self, tag: _Tag, zone: Zone, at_us: int) -> Hearing:
        """How a tag is heard in a zone that is not its home."""
        for hearing in tag.others:
            if hearing.zone == zone.name:
                if at_us - hearing.last_us > self._most_us:
                    hearing.begin_anew()
                return hearing
        hearing = Hearing(zone.name, at_us)
        tag.others = (*tag.others, hearing)
        return hearing

    def _heard_at_home(self, read: Read, tag: _Tag) -> None:
        if read.epc in self._doubts:
            if self._doubts.overcome(read.epc, read.at_us, read.rssi_dbm):
                tag.told = ""
                self._arrive(read.epc, tag, tag.home)
        elif tag.state != "here" and tag.home.reads >= self._rules.min_reads:
            self._arrive(read.epc, tag, tag.home)

    def _heard_elsewhere(self, epc: str, tag: _Tag, hearing: Hearing) -> None:
        if tag.state != "here":
            if hearing.reads >= self._rules.min_reads:
                self._arrive(epc, tag, hearing)
        elif hearing.reads >= max(MOVED_READS, self._rules.min_reads):
            louder_db = hearing.level_dbm - hearing.level_error_db - tag.home.level_dbm
            if louder_db > self._rules.move_db or epc in self._doubts:
                self._arrive(epc, tag, hearing)

    def _arrive(self, epc: str, tag: _Tag, hearing: Hearing) -> None:
        """A tag is in a zone from now on."""
        if tag.state == "here":
            self._zones[tag.home.zone].tags -= 1
        if hearing is not tag.home:
            tag.home.begin_anew()
            tag.others = (*(one for one in tag.others if one is not hearing), tag.home)
            tag.home = hearing
            self._doubts.end(epc)
        zone = self._zones[hearing.zone]
        zone.tags += 1
        tag.state = "here"
        self._look_later(zone, epc, tag, hearing.last_us + self._least_us)
        self._arrivals.append((hearing.last_us, epc))

    # Silence

    def _look_later(self, zone: Zone, epc: str, tag: _Tag, moment_us: int) -> None:
        tag.look_us = moment_us
        zone.look_later(moment_us, epc)

    def _look(self, zone: Zone, moment_us: int, epc: str, now_us: int) -> None:
        """See whether the tag whose turn it is has been silent for too long."""
        tag = self._tags.get(epc)
        if tag is None or tag.home.zone != zone.name or tag.look_us != moment_us:
            return
        window_us = self._window_us(tag)
        since_us = max(tag.home.last_us, zone.sighted_us)
        end_us = since_us + window_us
        if end_us > now_us:
            self._look_later(zone, epc, tag, min(end_us, now_us + LOOK_US))
        elif zone.may_be_frozen(since_us, end_us, now_us):
            self._look_later(zone, epc, tag, now_us + MUTE_LOOK_US)
        elif tag.state == "here":
            self._miss(zone, epc, tag, window_us, now_us)
        else:
            self._forget(epc, tag, now_us)

    def _window_us(self, tag: _Tag) -> int:
        """How long a tag may be silent."""
        if tag.state == "here":
            return self._own_window_us(tag.home)
        return self._most_us if tag.state == "new" else 2 * self._most_us

    def _own_window_us(self, hearing: Hearing) -> int:
        window_s = min(hearing.window_s(1 - self._rules.sure), self._rules.max_window_s)
        return max(self._least_us, round(window_s * 1e6))

    def _miss(self, zone: Zone, epc: str, tag: _Tag, window_us: int, now_us: int) -> None:
        """A tag is silent: it is where else it is heard, or it has left."""
        elsewhere = [one for one in tag.others if self._is_heard(one, now_us)]
        if elsewhere:
            self._arrive(epc, tag, max(elsewhere, key=lambda one: one.level_dbm))
            return
        zone.tags -= 1
        tag.state = "gone"
        if tag.told:  # until that is taken back, a single read is enough to make it stay
            self._departures.append((now_us, tag, _told(epc, tag, "silent", window_us)))
        else:
            tag.home.begin_anew()
        self._doubts.end(epc)
        self._look_later(zone, epc, tag, now_us + self._most_us)

    def _is_heard(self, hearing: Hearing, now_us: int) -> bool:
        recently = now_us - hearing.last_us <= self._own_window_us(hearing)
        return recently and hearing.reads >= self._rules.min_reads

    def _forget(self, epc: str, tag: _Tag, now_us: int) -> None:
        """A tag was hardly heard, or left long ago; if another zone has heard it since, it is new there."""
        others = tuple(one for one in tag.others if now_us - one.last_us <= self._most_us)
        self._doubts.end(epc)
        if others:
            tag.home, *rest = others
            tag.others, tag.state = tuple(rest), "new"
            self._look_later(self._zones[tag.home.zone], epc, tag, now_us + LOOK_US)
            return
        if tag.state == "new":
            self.strays["few_reads"] += 1
        del self._tags[epc]

    # Telling

    def _arrived(self, now_us: int) -> Iterator[Told]:
        if not self._arrivals or self._arrivals[0][0] + HOLD_US + BATCH_US > now_us:
            return
        while self._arrivals and self._arrivals[0][0] + HOLD_US <= now_us:
            _, epc = self._arrivals.popleft()
            tag = self._tags.get(epc)
            if tag is None or tag.state != "here" or tag.told == tag.home.zone or epc in self._doubts:
                continue
            rule: zone_events.Rule = "moved" if tag.told else "appeared"
            tag.told = tag.home.zone
            yield _told(epc, tag, rule, None)

    def _departed(self, now_us: int) -> Iterator[Told]:
        if not self._departures or self._departures[0][0] + BATCH_US > now_us:
            return
        for _, tag, told in self._departures:
            if tag.state == "gone" and tag.told:
                tag.told = ""
                tag.home.begin_anew()
                yield told
        self._departures.clear()


def _told(epc: str, tag: _Tag, rule: zone_events.Rule, window_us: int | None) -> Told:
    hearing = tag.home
    return Told(
        epc=epc,
        zone=tag.told,
        rule=rule,
        first_us=hearing.first_us,
        last_us=hearing.last_us,
        reads=hearing.reads,
        power_mw=hearing.power_mw,
        peak_dbm=hearing.peak_dbm,
        rate_hz=hearing.rate_hz,
        window_s=None if window_us is None else window_us / 1e6,
    )
