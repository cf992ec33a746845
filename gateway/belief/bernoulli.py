"""The filter: how likely an item is still where the books say.

A Bernoulli filter (Mahler 2007, section 14.7; Ristic, Vo, Vo, Farina: A tutorial on Bernoulli filters, IEEE Trans.
Signal Processing 61, 2013) holds one number for each thing that may be there or not, r, and two steps:

    predict   r' = p_B (1 - r) + p_S r              it may come and go unseen             (their equation 28)
    update    r' : 1 - r'  =  r L1 : (1 - r) L0     L1, L0: how likely the look says what it says if it is there, or not

The gateway hears no single looks: an edge tells when a tag appears and when it is silent for longer than its own rate
explains (edge/portal/presence.py). So the missed detections of one silence are taken together. Of silences that nobody
explains a share q is of tags that are there, a Beta posterior, and their return takes an exponential time whose rate
has a Gamma posterior: the limit of a detection probability in each of many short looks with a Beta posterior. Neither
is known but from returns, the tag's own and, counting as `SILENCES` of them, those of its zone; averaged over what is
not known,

    L1 = q S(T)     S(T) = (b / (b + T))^a     a = SILENCES + returns, b = SILENCES x the zone's mean + their lengths
    L0 = 1 - q                                 T: the time since then in which the zone was looked at

Time in which nobody looked is prediction only. Unnoticed ways out and back are equally likely, so what nobody looks at
tends to one half, unknown, and never to absent.
"""

import math
from typing import Final, Literal, NamedTuple

from gateway.belief.trace import FULL, HOUR_S, SILENCES, Place, Silences, Trace, Watched

MOST: Final = 0.999
"""Nothing is surer: the EPC may be on the wrong case."""
LEAST: Final = 0.001
SETTLE_S: Final = 600.0
"""A weak read that is a stray is told to have left within this (`max_window_s`): each such time in which a tag is
looked at and not told so makes its presence e times as likely."""
DOOR: Final = 0.5
"""Of items that were at a door and perhaps went through it, the share that stayed."""

Word = Literal["certain", "likely", "doubtful", "probably_gone"]
_WORDS: Final[tuple[tuple[float, Word], ...]] = (
    (0.98, "certain"),
    (0.8, "likely"),
    (0.2, "doubtful"),
    (0.0, "probably_gone"),
)
State = Literal["seen", "silent", "unseen", "deaf"]
"""Its zone's reader sees it; saw it and does not any more; has not seen it since something else placed it there; or
fell silent about what was then found there: what that reader does not hear says nothing until it is heard again."""


class Belief(NamedTuple):
    """How likely an item is where the books say, and why. Seconds; times in microseconds of event time."""

    r: float
    state: State
    seen_us: int
    """The last moment at which it was known to be there."""
    looked_s: float
    """Since then, how long its zone was looked at in vain."""
    dark_s: float
    """Since then, how long nobody looked."""
    missed: float
    """So often it should have been seen meanwhile, were it there: looked_s over its mean time to return."""

    @property
    def word(self) -> Word:
        """The number in a word."""
        return next(word for least, word in _WORDS if self.r >= least)


def believe(
    place: Place, watched: Watched | None, now_us: int, told_us: int | None = None, odds: float = 1.0
) -> Belief:
    """The belief in one place of the books at a moment.

    `watched`: the place's zone, None if no fixed reader looks at it. `told_us`: its agents have told all until then;
    what they have not yet delivered is not silence. `odds`: what else speaks for it (siblings.py).
    """
    trace, silences = place.trace, watched.silences if watched is not None else Silences()
    until_us = now_us if told_us is None else min(told_us, now_us)
    state, seen_us = _last(place, watched, until_us)
    unseen_s, looked_s = max(0.0, (now_us - seen_us) / 1e6), 0.0
    r = min(trace.trust / FULL, MOST)
    if watched is not None and trace.home == place.zone:
        r = update(r, math.exp(min(watched.lookout.looked_s(trace.told_us, seen_us) / SETTLE_S, 50.0)))
    if watched is not None and state in ("silent", "unseen"):
        looked_s = watched.lookout.looked_s(seen_us, until_us)
    r = predict(r, silences.hazard_h, unseen_s)
    if place.door_us is not None and place.door_us > seen_us:
        r *= DOOR
    if state == "silent":
        r *= return_share(trace, silences, looked_s if trace.left_us == 0 else math.inf)
    likelihood = unheard(trace, silences, looked_s)
    if state == "unseen":
        likelihood = 1 - silences.cover + silences.cover * likelihood
    if trace.searched_us > place.placed_us:
        odds *= 1 - trace.found_pct / FULL
    r = min(max(update(r, likelihood * odds), LEAST), MOST)
    return Belief(r, state, seen_us, looked_s, unseen_s - looked_s, looked_s / return_s(trace, silences))


def _last(place: Place, watched: Watched | None, until_us: int) -> tuple[State, int]:
    """Whether its reader sees it, and the last moment at which it was known to be there."""
    trace = place.trace
    if watched is None or trace.home != place.zone:
        return "unseen", place.placed_us
    if trace.left_us:
        return ("silent", trace.left_us) if place.silent else ("deaf", place.placed_us)
    begun_us = watched.lookout.begun_us
    if begun_us > trace.told_us:
        return ("silent", begun_us) if begun_us >= place.placed_us else ("unseen", place.placed_us)
    dark_us = watched.lookout.dark_since_us
    known_us = until_us if dark_us is None else min(until_us, dark_us)
    return "seen", max(place.placed_us, known_us)


def predict(r: float, hazard_h: float, seconds: float) -> float:
    """Time passes unseen: it may go, at a rate an hour, and come back at the same. What is gone stays gone."""
    if r <= 0.5:
        return r
    return 0.5 + (r - 0.5) * math.exp(-2 * hazard_h * seconds / HOUR_S)


def update(r: float, likelihood: float) -> float:
    """A look told something, so many times as likely if it is there as if it is not."""
    return r * likelihood / (r * likelihood + 1 - r)


def return_share(trace: Trace, silences: Silences, looked_s: float) -> float:
    """q: that a silence of this tag does not mean that it went.

    `looked_s` is infinite if its agent decided that it is silent. After an agent began anew it has not: then it is none
    before the agent has had the time to tell all that it sees.
    """
    q = (SILENCES * silences.return_share + trace.lapses) / (SILENCES + trace.lapses)
    return q + (1 - q) * math.exp(-looked_s / SETTLE_S)


def unheard(trace: Trace, silences: Silences, looked_s: float) -> float:
    """S: that a tag which is there, and hidden, stays so for as long as this."""
    shape = SILENCES + trace.lapses
    known_s = SILENCES * silences.return_s + trace.lapsed_s
    return math.pow(known_s / (known_s + looked_s), shape)


def return_s(trace: Trace, silences: Silences) -> float:
    """Mean seconds until a hidden tag like this is seen again."""
    return (SILENCES * silences.return_s + trace.lapsed_s) / (SILENCES + trace.lapses)
