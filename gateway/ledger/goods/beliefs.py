"""Beliefs, asked: how likely each item still is where the books have it, and what is worth looking for.

Only items that nobody hears at the moment are asked about all together (`Index.unheard`): what its zone's reader sees
is there, and costs nothing. The books change by events only; what is believed is for people, and for planning counts.
"""

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Final, NamedTuple

from gateway.belief import worth
from gateway.belief.bernoulli import Belief, believe
from gateway.belief.siblings import Siblings
from gateway.ledger.goods import looks
from gateway.ledger.pulse import Pulse
from gateway.ledger.rows import Item
from gateway.ledger.state import State
from gateway.records import Ceased, Noticed

AT_ONCE: Final = 500
"""Items that are judged in one look of the watch."""
FIND_RATE: Final = 0.99
"""How often a person who looks for a case finds it."""
TOLD: Final = 5
"""EPCs that an exception names."""


class Doubt(NamedTuple):
    """An item that may not be where the books have it."""

    epc: str
    item: Item
    belief: Belief
    gain: float
    """Units of error that the books lose, as is to be expected, when somebody looks for it."""


class Beliefs:
    """One ledger's. For the event loop."""

    def __init__(self, state: State, pulses: Mapping[str, Pulse]) -> None:
        self._state = state
        self._pulses = pulses
        self._round: Iterator[str] = iter(())
        self._found: dict[str, list[str]] = {}
        """Probably gone, by zone, in the round that is under way."""

    def of(self, epc: str, now_us: int) -> Belief | None:
        """The belief in the place of one item; None of one that is not in the house."""
        return self._of(epc, now_us, {})

    def _of(self, epc: str, now_us: int, known: dict[str, Siblings]) -> Belief | None:
        """`known`: the siblings by container, of the same moment; what is lacking is added."""
        item = self._state.items.get(epc)
        if item is None or item.zone is None:
            return None
        alone = self._alone(item, now_us)
        if alone is None or item.container is None:
            return alone
        place = looks.place(self._state, item)
        assert place is not None
        if item.container not in known:
            known[item.container] = self._siblings(item.container, now_us)
        odds = known[item.container].odds(place, alone)
        return believe(place, self._state.watched.get(item.zone), now_us, self._told_us(item.zone, now_us), odds)

    def doubts(self, now_us: int, zone: str | None = None, sku: str | None = None) -> list[Doubt]:
        """Items that are worth looking for, those first whose finding or missing tells most."""
        found: list[Doubt] = []
        known: dict[str, Siblings] = {}
        for epc in self._state.index.unheard:
            item = self._state.items.rows[epc]
            if zone not in (None, item.zone) or sku not in (None, item.sku):
                continue
            belief = self._of(epc, now_us, known)
            if belief is not None and (gain := worth.gain(belief.r, FIND_RATE)) > 0:
                found.append(Doubt(epc, item, belief, gain))
        return sorted(found, key=lambda doubt: (-doubt.gain, doubt.epc))

    def lacking(self, sku: str, now_us: int) -> dict[str, float]:
        """Units of a SKU that the books have and that are not there, as is to be expected, by zone."""
        units: dict[str, float] = {}
        for doubt in self.doubts(now_us, sku=sku):
            zone = doubt.item.zone or ""
            units[zone] = units.get(zone, 0.0) + 1 - doubt.belief.r
        return units

    def due(self, now_us: int) -> Iterator[Noticed | Ceased]:
        """Some more of the unheard items are judged; at the end of a round, what is to be recorded of it."""
        judged, known = 0, dict[str, Siblings]()
        for epc in islice(self._round, AT_ONCE):
            judged += 1
            item = self._state.items.get(epc)
            belief = self._of(epc, now_us, known) if epc in self._state.index.unheard else None
            if item is not None and item.zone is not None and belief is not None and belief.word == "probably_gone":
                self._found.setdefault(item.zone, []).append(epc)
        if judged < AT_ONCE:
            yield from self._told(now_us)
            self._round, self._found = iter(list(self._state.index.unheard)), {}

    def _told(self, now_us: int) -> Iterator[Noticed | Ceased]:
        told = {**self._state.index.lasting, **self._state.index.open_exceptions}
        open_zones = {subject for kind, subject in told if kind == "probably_gone"}
        for zone, epcs in sorted(self._found.items()):
            key = told.get(("probably_gone", zone))
            if key is None or self._state.exceptions.rows[key].count != len(epcs):
                named = " ".join(sorted(epcs)[:TOLD])
                yield Noticed(at_us=now_us, what="probably_gone", subject=zone, count=len(epcs), params={"epcs": named})
        for zone in sorted(open_zones - self._found.keys()):
            yield Ceased(at_us=now_us, what="probably_gone", subject=zone, why="seen again, or booked out")

    def _alone(self, item: Item, now_us: int) -> Belief | None:
        place = looks.place(self._state, item)
        if place is None or item.zone is None:
            return None
        return believe(place, self._state.watched.get(item.zone), now_us, self._told_us(item.zone, now_us))

    def _siblings(self, container: str, now_us: int) -> Siblings:
        unit = self._state.containers.rows[container]
        items = (self._state.items.rows[epc] for epc in unit.items)
        told = ((looks.place(self._state, item), self._alone(item, now_us)) for item in items)
        return Siblings((place, belief) for place, belief in told if place is not None and belief is not None)

    def _told_us(self, zone: str, now_us: int) -> int:
        """Until when the agents of a zone have told all that they know."""
        watched = self._state.watched.get(zone)
        told_us = now_us
        for name in watched.agents if watched is not None else ():
            pulse, agent = self._pulses.get(name), self._state.agents.get(name)
            if pulse is None or pulse.heard_us is None or agent is None:
                told_us = min(told_us, agent.since_us if agent is not None else 0)
            elif pulse.made > agent.through.get(pulse.epoch, 0):
                told_us = min(told_us, agent.last_us)
        return told_us
