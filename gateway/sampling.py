"""How many records of the books to audit, and which, to prove that so many of them are right. Pure.

A record is one SKU in one zone. Of N records D are wrong; of n that are drawn at random, X. To prove an accuracy with a
confidence, allowing c wrong ones in the sample, n is the least with

    P(X <= c | D)  <=  1 - confidence      where D is the least number of wrong records that would break the promise

X is hypergeometric: with N large and c = 0 that is n = ln(1 - confidence) / ln(accuracy), 2,995 for 99.9 % at 95 %, and
few records need fewer. (E. G. Schilling, D. V. Neubauer: Acceptance Sampling in Quality Control, 3rd edition 2017,
chapters 2 and 5; C. J. Clopper, E. S. Pearson, Biometrika 26 (1934), 404-413; for the bound of a finite population,
D. G. Chapman's inversion of the same tail as in W. G. Cochran, Sampling Techniques, 3rd edition 1977, section 3.6.)

Which ones: each record has a number that follows from the seed and its name alone, and the n least are the sample
(permanent random numbers: E. Ohlsson in Business Survey Methods, 1995, chapter 9). So a record that comes or goes moves
no other one in or out by more than a place, and anybody who has the seed can draw the sample again.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from math import exp, floor, inf, lgamma, log, log1p
from typing import Final, NamedTuple

from gateway.records.stockrecords import AbcClass

MAX_ALLOWED: Final = 50
"""Wrong records that a plan may allow for."""


class Record(NamedTuple):
    """One record of the books that may be audited."""

    sku: str
    zone: str
    abc: AbcClass = "C"
    counted_us: int | None = None
    """When it was counted last."""
    belief: float = 1.0
    """How likely it is right, 0 to 1."""


class Round(NamedTuple):
    """A count to ask for."""

    zone: str
    skus: tuple[str, ...]


class Stratum(NamedTuple):
    """The records of one class."""

    abc: AbcClass
    records: int
    sampled: int


class Plan(NamedTuple):
    """A sample, and the days on which to count it."""

    records: int
    sample: tuple[Record, ...]
    """In the order in which to count: what was counted longest ago first."""
    strata: tuple[Stratum, ...]
    days: tuple[tuple[Round, ...], ...]


class Proof(NamedTuple):
    """What a random sample has shown so far."""

    audited: int
    wrong: int
    proven: float
    """With the confidence asked for, at least this share of the records is right; 0 before the first."""


def sample_size(records: int, accuracy: float, confidence: float, allowed: int = 0) -> int:
    """How many records to audit, so that with at most `allowed` wrong ones the accuracy is proven; at most all."""
    broken = floor(records * (1 - accuracy) + 1e-9) + 1
    """The least number of wrong records with which less than `accuracy` is right."""
    if broken > records or allowed >= broken:
        return records
    low, high = allowed + 1, records
    while low < high:
        middle = (low + high) // 2
        if at_most(allowed, records, broken, middle) <= 1 - confidence:
            high = middle
        else:
            low = middle + 1
    return low


def at_most(found: int, records: int, wrong: int, drawn: int) -> float:
    """P(X <= found): hypergeometric, `drawn` of `records` of which so many are wrong."""
    least = max(0, drawn - (records - wrong))
    total = _choose(records, drawn)
    terms = range(least, min(found, wrong, drawn) + 1)
    return min(1.0, sum(exp(_choose(wrong, x) + _choose(records - wrong, drawn - x) - total) for x in terms))


def proven(records: int, audited: int, wrong: int, confidence: float) -> float:
    """The share of right records that a sample proves: the most wrong ones that its result does not rule out are left.

    Of the finite house, so that auditing everything leaves no doubt."""
    if audited <= 0 or records <= 0:
        return 0.0
    audited = min(audited, records)
    low, high = wrong, records - (audited - wrong)
    while low < high:  # the greatest number of wrong ones with a likely enough result
        middle = (low + high + 1) // 2
        if at_most(wrong, records, middle, audited) > 1 - confidence:
            low = middle
        else:
            high = middle - 1
    return 1 - low / records


def clopper_pearson(audited: int, wrong: int, confidence: float) -> float:
    """The same of a house without end: the lower end of the exact one-sided binomial interval."""
    if audited <= 0 or wrong >= audited:
        return 0.0
    low, high = 0.0, 1.0
    for _ in range(60):
        share = (low + high) / 2
        logs = [_choose(audited, x) + _times(x, log(share)) + (audited - x) * log1p(-share) for x in range(wrong + 1)]
        if sum(map(exp, logs)) > 1 - confidence:
            low = share
        else:
            high = share
    return 1 - high


def draw(records: Sequence[Record], size: int, seed: str) -> list[Record]:
    """A random sample, each class by its share of the records (the largest remainders are rounded up)."""
    of_class: dict[AbcClass, list[Record]] = defaultdict(list)
    for record in records:
        of_class[record.abc].append(record)
    size = min(size, len(records))
    quota = {abc: size * len(found) / len(records) for abc, found in of_class.items()}
    sizes = {abc: floor(share) for abc, share in quota.items()}
    for abc in sorted(quota, key=lambda abc: (sizes[abc] - quota[abc], abc))[: size - sum(sizes.values())]:
        sizes[abc] += 1
    drawn: list[Record] = []
    for abc, found in sorted(of_class.items()):
        drawn += sorted(found, key=lambda one: rank(seed, one.sku, one.zone))[: sizes[abc]]
    return drawn


def rank(seed: str, sku: str, zone: str) -> bytes:
    """The number of a record, which no other record changes."""
    return hashlib.sha256("\x1f".join((seed, sku, zone)).encode()).digest()


def plan(records: Sequence[Record], size: int, seed: str, days: int, done: Iterable[tuple[str, str]] = ()) -> Plan:
    """A sample of so many records, spread over days; those that are `done` (SKU, zone) need no day.

    The order within the sample is no matter of chance: what was counted longest ago comes first, then what is believed
    least. The whole sample is counted in the end, so that it stays a random one.
    """
    sample = draw(records, size, seed)
    sample.sort(key=lambda one: (one.counted_us or 0, one.belief, one.zone, one.sku))
    over = set(done)
    left = [one for one in sample if (one.sku, one.zone) not in over]
    a_day = -(-len(left) // days) if left else 0
    in_all, drawn = (_by_class(part) for part in (records, sample))
    return Plan(
        len(records),
        tuple(sample),
        tuple(Stratum(abc, in_all[abc], drawn.get(abc, 0)) for abc in sorted(in_all)),
        tuple(_rounds(left[n : n + a_day]) for n in range(0, len(left), a_day or 1)),
    )


def _by_class(records: Iterable[Record]) -> dict[AbcClass, int]:
    found: dict[AbcClass, int] = defaultdict(int)
    for record in records:
        found[record.abc] += 1
    return dict(found)


def _rounds(records: Iterable[Record]) -> tuple[Round, ...]:
    zones: dict[str, list[str]] = defaultdict(list)
    for record in records:
        zones[record.zone].append(record.sku)
    return tuple(Round(zone, tuple(sorted(skus))) for zone, skus in sorted(zones.items()))


def _choose(n: int, k: int) -> float:
    """Natural logarithm of n over k."""
    return -inf if k < 0 or k > n else lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1)


def _times(n: int, value: float) -> float:
    """n x value, where 0 x infinity is 0."""
    return n * value if n else 0.0
