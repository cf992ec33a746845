"""What goes wrong with devices, agents and networks in a week, and when. Drawn beforehand, from the seed alone."""

from collections.abc import Sequence
from random import Random
from typing import Literal, NamedTuple

DAY_US = 86_400_000_000
HOUR_US = 3_600_000_000

OutageKind = Literal["lost", "blind", "buffered"]
"""lost: the connection breaks at once, and what would be read is not. blind: it is frozen, and found out after some
seconds. buffered: the network is away, and the reader tells it all when it is back."""


class Outage(NamedTuple):
    """A reader is away."""

    kind: OutageKind
    from_us: int
    noticed_us: int
    back_us: int


class Span(NamedTuple):
    """From one moment to another."""

    from_us: int
    to_us: int

    def holds(self, at_us: int) -> bool:
        """Whether a moment lies in it."""
        return self.from_us <= at_us < self.to_us


class Clock(NamedTuple):
    """An agent's clock: so far ahead of the true one from each moment on."""

    steps: tuple[tuple[int, int], ...]
    """(true time, microseconds ahead), by time."""

    def at(self, true_us: int) -> int:
        """What it shows."""
        ahead_us = self.steps[0][1]
        for from_us, later_us in self.steps:
            if from_us > true_us:
                break
            ahead_us = later_us
        return true_us + ahead_us


class Trouble(NamedTuple):
    """Of a whole week."""

    readers: dict[str, tuple[Outage, ...]]
    dead: dict[str, tuple[Span, ...]]
    """When an agent's computer was off: nothing is heard, and nobody says so."""
    offline: dict[str, tuple[Span, ...]]
    """When an agent cannot reach the broker: what it decides comes later."""
    clocks: dict[str, Clock]

    def away(self, reader: str, agent: str, at_us: int) -> bool:
        """Whether what a reader hears at a moment is lost."""
        if any(span.holds(at_us) for span in self.dead[agent]):
            return True
        return any(one.kind != "buffered" and one.from_us <= at_us < one.back_us for one in self.readers[reader])

    def told_us(self, reader: str, at_us: int, usually_us: int) -> int:
        """When an agent is told of what a reader heard at a moment: usually at once, or when its network is back."""
        away = (one for one in self.readers[reader] if one.kind == "buffered" and one.from_us <= at_us < one.back_us)
        return next((one.back_us + 150_000 for one in away), usually_us)


def draw(readers: Sequence[str], agents: Sequence[str], begin_us: int, days: int, seed: int) -> Trouble:
    """About two outages a reader, one dead computer and two lost networks an agent each week, and a clock that is set
    wrong for some hours."""
    random = Random(f"trouble {seed}")
    return Trouble(
        readers={name: _outages(begin_us, days, random) for name in readers},
        dead={name: tuple(_spans(begin_us, days, 1 / 7, (0.05, 0.5), random)) for name in agents},
        offline={name: tuple(_spans(begin_us, days, 2 / 7, (0.1, 6.0), random)) for name in agents},
        clocks={name: _clock(begin_us, days, random) for name in agents},
    )


def _moment(begin_us: int, day: int, random: Random) -> int:
    """In working hours: nobody would notice the others."""
    return begin_us + day * DAY_US + round(random.uniform(6, 18) * HOUR_US)


def _spans(begin_us: int, days: int, a_day: float, hours: tuple[float, float], random: Random) -> list[Span]:
    found = []
    for day in range(days):
        if random.random() < a_day:
            from_us = _moment(begin_us, day, random)
            found.append(Span(from_us, from_us + round(random.uniform(*hours) * HOUR_US)))
    return found


def _outages(begin_us: int, days: int, random: Random) -> tuple[Outage, ...]:
    kinds: tuple[OutageKind, ...] = ("lost", "blind", "buffered")
    found: list[Outage] = []
    for span in _spans(begin_us, days, 2 / 7, (0.03, 0.7), random):
        kind = random.choice(kinds)
        notice_us = round(random.uniform(5e6, 15e6)) if kind == "blind" else 200_000
        found.append(Outage(kind, span.from_us, span.from_us + notice_us, span.to_us))
    return tuple(found)


def _clock(begin_us: int, days: int, random: Random) -> Clock:
    """Some tenths of a second out, and on one day of the week by seconds to minutes, until somebody sets it right."""
    usual_us = round(random.gauss(0, 0.4) * 1e6)
    steps = [(begin_us - DAY_US, usual_us)]
    if random.random() < days / 7:
        at_us = _moment(begin_us, random.randrange(days), random)
        wrong_us = round(random.choice((-1, 1)) * 10 ** random.uniform(0.5, 2.6) * 1e6)
        steps += [(at_us, wrong_us), (at_us + round(random.uniform(1, 8) * HOUR_US), usual_us)]
    return Clock(tuple(steps))
