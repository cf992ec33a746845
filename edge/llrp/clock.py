"""A reader's clock, seen from the agent's.

A message arrives after the moment it speaks of: arrival = reader time + offset + delay, with a delay that is never
negative. So the smallest (arrival - reader time) seen is the best guess of the offset, whatever the reader counts from:
1970, the year 2000 or its own start (Paxson, "On calibrating measurements of packet transit times", 1998, section 4).
Clocks drift apart, so only the last two windows count: a guess is 10 to 20 minutes old at most.

Two promises. What was said of a moment of the reader's clock is never taken back: a better guess bends the map only for
times later than all those mapped so far, so that the order by reader time is kept. And a clock that is set begins a new
run: times that cannot belong to it (they would lie in the future, or before it began) are mapped by the run before,
which may be that of the connection before. So what a reader held back while NTP set its clock keeps its true times.

    agent's time
      |                        ,-'   the guess became smaller: half the reader's pace until the new line is met
      |                 ,_--''
      |              ,-'
      |           ,-'                slope 1: reader time + offset
      '--------------------------- reader's time
"""

from typing import Final, NamedTuple

WINDOW_US: Final = 600_000_000
STEP_US: Final = 2_000_000
"""A change of the offset by more than this is a step of the reader's clock, not a delay."""
SETTLE_US: Final = 5_000_000
"""For so long every message must look equally late before a step backwards is believed: a replayed buffer looks late,
too, but less and less so."""
MAX_RUNS: Final = 3
"""Runs of a clock that are remembered."""
MAX_BENDS: Final = 16
"""Bends of the map that are remembered: reads come at most seconds late, and bends are rare."""


class ReaderClock:
    """Maps one connection's reader times to the agent's clock. A reader may use two clocks: UTC and its uptime."""

    def __init__(self, before: "ReaderClock | None" = None) -> None:
        """`before`: the clock of the same reader's last connection."""
        self._clocks: dict[bool, _Clock] = {
            uptime: _Clock(before._clocks[uptime].run if before else None) for uptime in (False, True)
        }

    def observe(self, reader_us: int, arrived_us: int, *, uptime: bool = False, report: bool = False) -> int:
        """A message that speaks of `reader_us` has arrived; gives by how much the reader's clock stepped, mostly 0.

        `report`: reports come in the order of their reads, so one that goes back by far tells of a step at once.
        """
        return self._clocks[uptime].observe(reader_us, arrived_us, report=report)

    def at(self, reader_us: int, arrived_us: int, *, uptime: bool = False) -> int:
        """A reader time that just arrived, by the agent's clock: never after its arrival."""
        return self._clocks[uptime].at(reader_us, arrived_us)

    def offset_us(self, *, uptime: bool = False) -> int | None:
        """What to add to the reader's time to get the agent's; None before anything was observed."""
        run = self._clocks[uptime].run
        return run.offset_us if run.known else None


class _Clock:
    """One of a reader's two clocks: guesses its offset, notices steps, and keeps the runs between them."""

    def __init__(self, before: "_Run | None") -> None:
        self.run = _Run(before if before and before.known else None)
        self._window: int | None = None
        self._before: int | None = None
        self._began_us = 0
        self._newest_report_us = 0
        self._late: _Late | None = None

    def observe(self, reader_us: int, arrived_us: int, *, report: bool) -> int:
        sample, run = arrived_us - reader_us, self.run
        late_us = sample - run.offset_us
        back = report and reader_us < self._newest_report_us - STEP_US
        if (
            self._window is not None
            and 0 <= late_us <= STEP_US
            and self._window <= sample
            and not back
            and self._late is None
            and 0 <= arrived_us - self._began_us < WINDOW_US
        ):  # nothing new, as nearly always
            self._newest_report_us = max(reader_us, self._newest_report_us) if report else self._newest_report_us
            run.seen_us = max(run.seen_us, reader_us + run.offset_us)
            return 0
        if report and (back or reader_us > self._newest_report_us):
            self._newest_report_us = reader_us
        if not run.known:
            return self._begin(sample, arrived_us, report=report)
        settled_us = self._all_late(late_us, arrived_us)
        if settled_us is not None:
            return self._step(settled_us, arrived_us)
        if self._older(reader_us, arrived_us):
            return 0
        if late_us < -STEP_US or (back and late_us > STEP_US):
            return self._step(late_us, arrived_us)
        self._guess(sample, arrived_us)
        run.seen_us = max(run.seen_us, reader_us + run.offset_us)
        return 0

    def at(self, reader_us: int, arrived_us: int) -> int:
        run: _Run | None = self.run
        if not self.run.known:
            return arrived_us
        while run is not None:  # the latest that may have stamped it
            at_us = run.at(reader_us)
            if run.floor_us <= at_us <= arrived_us + STEP_US:
                return run.note(reader_us, at_us, arrived_us)
            run = run.before
        return min(max(0, reader_us + self.run.offset_us), arrived_us)

    def _older(self, reader_us: int, arrived_us: int) -> bool:
        """Whether this was stamped by a run before this one, and cannot have been by this one."""
        run: _Run | None = self.run
        while run is not None:
            if run.may_have(reader_us, arrived_us):
                return run is not self.run
            run = run.before
        return False

    def _begin(self, sample: int, now_us: int, *, report: bool) -> int:
        """The first message of a connection; only an event tells of now, a report may be old."""
        before = self.run.before
        self._guess(sample, now_us)
        self.run.seen_us = now_us
        return _stepped(before.offset_us - sample) if before and not report else 0

    def _step(self, by_us: int, now_us: int) -> int:
        """The offset is now greater by so much: the reader's clock was set back; or less: it was set forward."""
        offset_us = self.run.offset_us + by_us
        self.run = _Run(self.run)
        self._window = self._before = self._late = None
        self._guess(offset_us, now_us)
        self.run.seen_us = now_us
        return _stepped(-by_us)

    def _guess(self, sample: int, now_us: int) -> None:
        """The smallest sample of this window and the one before."""
        if self._window is None or not 0 <= now_us - self._began_us < WINDOW_US:
            self._began_us, self._before, self._window = now_us, self._window, sample
        else:
            self._window = min(self._window, sample)
        self.run.bend(self._window if self._before is None else min(self._window, self._before))

    def _all_late(self, late_us: int, now_us: int) -> int | None:
        """By how much every message of the last `SETTLE_US` was late at least, if all were, and all alike."""
        if late_us <= STEP_US:
            self._late = None
            return None
        late = self._late or _Late(now_us, late_us, late_us)
        least, most = min(late.least, late_us), max(late.most, late_us)
        self._late = _Late(late.since_us, least, most) if most - least <= STEP_US else _Late(now_us, late_us, late_us)
        return self._late.least if now_us - self._late.since_us >= SETTLE_US else None


class _Late(NamedTuple):
    """Since when every message has been late, and by how much."""

    since_us: int
    least: int
    most: int


class _Bend(NamedTuple):
    """From this reader time on, the map follows this offset, but never slower than half the reader's pace."""

    reader_us: int
    agent_us: int
    offset_us: int


class _Run:
    """A clock between two steps: a map from its times to the agent's that never goes back."""

    def __init__(self, before: "_Run | None") -> None:
        self.before = before
        self.seen_us = _LONG_AGO
        """The latest moment that a message spoke of, by the agent's clock."""
        self.floor_us = before.seen_us - SETTLE_US if before else _LONG_AGO
        """What this run stamped was not before."""
        self._newest = _LONG_AGO, _LONG_AGO
        """The latest reader time mapped so far, and what it became."""
        self.known = False
        """Whether anything was observed yet."""
        self.offset_us = 0
        """What to add to the reader's time, as is known now."""
        self._bends: list[_Bend] = []
        self._forget(MAX_RUNS)

    def may_have(self, reader_us: int, arrived_us: int) -> bool:
        """Whether this run may have stamped what arrived now."""
        return self.floor_us <= self.at(reader_us) <= arrived_us + STEP_US

    def bend(self, offset_us: int) -> None:
        """Follow another offset from here on."""
        if self._newest[0] == _LONG_AGO:
            self._bends = [_Bend(0, offset_us, offset_us)]
        elif offset_us != self.offset_us:
            self._add(_Bend(*self._newest, offset_us))
        self.known, self.offset_us = True, offset_us

    def at(self, reader_us: int) -> int:
        """By the agent's clock; may lie in the future, which `note` rules out."""
        last = self._bends[-1]
        if reader_us >= last.reader_us:
            return max(reader_us + last.offset_us, last.agent_us + (reader_us - last.reader_us) // 2)
        for bend, later in zip(self._bends[-2::-1], self._bends[::-1], strict=False):
            if reader_us >= bend.reader_us:
                at_us = max(reader_us + bend.offset_us, bend.agent_us + (reader_us - bend.reader_us) // 2)
                return min(at_us, later.agent_us)
        first = self._bends[0]
        return min(reader_us + first.offset_us, first.agent_us)

    def note(self, reader_us: int, at_us: int, arrived_us: int) -> int:
        """`at_us` is given away: from now on it stands. Gives it, or the arrival if that was before."""
        newest_reader_us, newest_us = self._newest
        if reader_us <= newest_reader_us:
            return min(max(0, at_us), arrived_us)
        if not 0 <= at_us <= arrived_us:
            at_us = min(max(0, newest_us, at_us), arrived_us)
            self._add(_Bend(reader_us, at_us, self.offset_us))
        self._newest = reader_us, at_us
        return at_us

    def _add(self, bend: _Bend) -> None:
        self._bends.append(bend)
        del self._bends[:-MAX_BENDS]

    def _forget(self, keep: int) -> None:
        """Runs beyond so many."""
        oldest: _Run | None = self
        for _ in range(keep - 1):
            oldest = oldest.before if oldest else None
        if oldest:
            oldest.before = None


_LONG_AGO: Final = -(2**70)


def _stepped(by_us: int) -> int:
    return by_us if abs(by_us) > STEP_US else 0
