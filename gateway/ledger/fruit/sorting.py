"""What is asked of the sorting lines, and what is known of them at the moment: it is not in the log.

Pictures travel apart from the events, so whoever keeps them says here which ones are there. A review is shown once
both are there.
"""

import heapq
from collections.abc import Callable, Iterable, Mapping
from itertools import chain, islice
from typing import Final, Literal

from contract.wire import LotOrder, Outline
from gateway.ledger.fruit import lines, lots, reviews
from gateway.ledger.fruit.linerows import Review
from gateway.ledger.fruit.lots import Standing
from gateway.ledger.goods import inventory
from gateway.ledger.pulse import Pulse
from gateway.ledger.showing.shown_lines import lot_view
from gateway.ledger.state import State
from gateway.records import Record
from gateway.views import LotView, Section

SHOWN: Final = 20
"""Reviews on the page: the oldest ones, but what is there stays there, whatever older one comes late."""
PICTURE_WAIT_US: Final = 3_600_000_000
"""A picture that has not come in this time, though it could have, never will: an agent whose spool is full sends all of
it in a few minutes, over a poor line in half an hour."""

Changed = frozenset[tuple[Section, str]]


class Sorting:
    """One owner: the event loop, through `Ledger.sorting`."""

    def __init__(self, state: State, pulses: Mapping[str, Pulse], tell: Callable[[Changed], None]) -> None:
        """`tell` is called with the views that changed though the log did not."""
        self._state = state
        self._pulses = pulses
        self._tell = tell
        self._outlines: dict[str, Outline] = {}
        """Of the open reviews whose picture is there."""
        self.shown: dict[str, Outline] = {}
        """Of the reviews on the page, in their order."""
        self.belts: dict[str, int] = {}
        """When the newest picture of each line's belt came."""
        self._per_minute: dict[str, int] = {}
        self._told_of_pictures = False
        self._pictures_since_us: int | None = None

    # lots

    def orders(self, agent: str) -> dict[str, LotOrder]:
        """What somebody said shall run over the lines of an agent."""
        found: dict[str, LotOrder] = {}
        for name, line in self._state.lines.rows.items():
            site_line = self._state.house.lines.get(name)
            if line.lot is None or site_line is None or site_line.agent != agent:
                continue
            run = self._state.lots.rows[lots.key_of(name, line.lot)]
            if run.ordered:
                found[name] = LotOrder(lot=run.lot, sku=run.sku, customer=run.customer)
        return found

    def limit(self, line: str, customer: str | None) -> float:
        """The most of a lot that may be defective, by the customer's grade."""
        return self._state.house.most_defective(line, customer)

    def runs_already(self, line: str, lot: str, sku: str | None, customer: str | None) -> bool:
        """Whether somebody said so before, and nothing else since."""
        order = self.orders(self._state.house.lines[line].agent).get(line)
        return order == LotOrder(lot=lot, sku=sku, customer=customer)

    def lots(self, lot: str) -> list[tuple[str, LotView]]:
        """A lot with each line where it ran."""
        return [(run.line, lot_view(self._state, run)) for run in lots.runs_of(self._state, lot)]

    def last_lots(
        self, standing: Standing | None, limit: int, before: tuple[int, str] = (2**63 - 1, "")
    ) -> list[tuple[str, LotView]]:
        """Lots with their lines, those that stand so or all, the last begun first; of those that began before a time,
        or at it with a smaller key."""
        runs = (
            (run.begun_us, key, run)
            for key, run in self._state.lots.rows.items()
            if (run.begun_us, key) < before and standing in (None, lots.standing(self._state, run))
        )
        last = heapq.nlargest(limit, runs, key=lambda one: one[:2])
        return [(run.line, lot_view(self._state, run)) for _, _, run in last]

    def released(self, lot: str) -> tuple[str, str] | None:
        """Who has freed a lot, and why; None if nobody has."""
        for run in lots.runs_of(self._state, lot):
            if run.released_by is not None:
                return run.released_by, run.release_reason or ""
        return None

    def in_quarantine(self, lot: str | None) -> bool:
        """Whether the stock of a lot may not be sold."""
        return lot in self._state.index.held_lots

    # reviews

    def review(self, key: str) -> Review | None:
        """A review that waits or has an answer. Not to be changed."""
        return self._state.reviews.get(key)

    def reviews(self, state: Literal["open", "answered"], after: int, limit: int) -> list[tuple[int, str, Review]]:
        """The first ones behind a row of the log, with the row of their inspection, or of their answer."""
        found = (
            (review.row, key, review)
            for key, review in self._state.reviews.rows.items()
            if (review.label is None) == (state == "open") and review.row > after
        )
        return heapq.nsmallest(limit, found, key=lambda one: one[0])

    @property
    def waiting(self) -> int:
        """Reviews that wait for an answer."""
        return sum(map(len, self._state.index.open_reviews.values()))

    def all_reviews(self) -> Mapping[str, Review]:
        """Every review by its id. Not to be changed."""
        return self._state.reviews.rows

    # pictures

    def pictures_can_come(self, since_us: int | None) -> None:
        """Whoever keeps them can do so since then; None: at the moment it cannot."""
        self._pictures_since_us = since_us

    def pictured(self, outlines: Mapping[str, Outline]) -> None:
        """These pictures are there; those of no open review are of no interest here. At first it is told of all."""
        self._told_of_pictures = True
        self._outlines |= {key: outline for key, outline in outlines.items() if reviews.is_open(self._state, key)}
        self._tell(self.moved())

    def unpictured(self, keys: Iterable[str], now_us: int) -> list[Record]:
        """These pictures are gone: what is to be recorded of the reviews that wait with them."""
        return reviews.closing([key for key in keys if reviews.is_open(self._state, key)], "unpictured", now_us)

    def overdue(self, now_us: int) -> list[Record]:
        """What is to be recorded of reviews whose picture could have come, and has not."""
        late: list[str] = []
        for line, queue in self._state.index.open_reviews.items():
            since_us = self._awaited_since_us(line)
            if since_us is not None:
                lacking = [key for _, key in queue if key not in self._outlines]
                asked = {key: max(self._state.reviews.rows[key].asked_us, since_us) for key in lacking}
                late += [key for key in lacking if now_us - asked[key] > PICTURE_WAIT_US]
        return reviews.closing(late, "unpictured", now_us)

    def belt(self, line: str, now_us: int) -> None:
        """A newer picture of a line's belt is there."""
        self.belts[line] = now_us
        self._tell(frozenset({("lines", line)}))

    # what changes

    def moved(self) -> Changed:
        """Brings `shown` up to date; the reviews that came to the page or left it."""
        before = dict(self.shown)
        for key in [key for key in self._outlines if not reviews.is_open(self._state, key)]:
            del self._outlines[key]
        stay = (key for key in before if key in self._outlines)
        come = (key for key in reviews.oldest(self._state) if key in self._outlines and key not in before)
        here = islice(chain(stay, come), SHOWN)
        self.shown.clear()
        self.shown.update((key, self._outlines[key]) for key in here)
        return frozenset(("reviews", key) for key in before.keys() ^ self.shown.keys())

    def slowed(self, now_us: int) -> Changed:
        """Lines whose fruit a minute is another one by the mere passing of time."""
        here = {
            name: lines.in_last_minute(line, self.time_at(name, now_us))
            for name, line in self._state.lines.rows.items()
        }
        differ = {name for name, count in here.items() if self._per_minute.get(name, 0) != count}
        self._per_minute = here
        return frozenset(("lines", name) for name in differ)

    def time_at(self, line: str, now_us: int) -> int:
        """What the event time of a line's fruit is when the gateway's clock says `now_us`: that of its agent's clock as
        far as it is not corrected, unless this is so far ahead that it is not believed (`inventory.stamp`)."""
        site_line = self._state.house.lines.get(line)
        pulse = self._pulses.get(site_line.agent) if site_line is not None else None
        if pulse is None or pulse.clock_offset_us is None:
            return now_us
        ahead_us = pulse.clock_offset_us - (pulse.judged[2] if pulse.judged is not None else 0)
        return now_us + ahead_us if ahead_us <= inventory.CLOCK_SLACK_US else now_us

    def _awaited_since_us(self, line: str) -> int | None:
        """Since when pictures of a line can come; None while they cannot, or while nobody said which are here."""
        if self._pictures_since_us is None or not self._told_of_pictures:
            return None
        site_line = self._state.house.lines.get(line)
        if site_line is None:
            return self._pictures_since_us
        agent, pulse = self._state.agents.get(site_line.agent), self._pulses.get(site_line.agent)
        if agent is None or pulse is None or pulse.heard_us is None or not pulse.here:
            return None
        return max(self._pictures_since_us, agent.since_us)
