"""The judge: the world's truth beside what the house believes. Pure: two sets of facts in, figures out."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct

from firmware_sim import linejudge
from firmware_sim.linejudge import Inspected, TrueLine
from firmware_sim.wentby import TrueFruit

PASS_SLACK_US = 2_000_000
"""A decision belongs to a pass if its time lies within the pass, give or take this."""


class TruePass(Struct, frozen=True):
    """A tag that really went through a door."""

    epc: str
    door: str
    direction: str
    entered_us: int
    left_us: int


class TrueItem(Struct, frozen=True):
    """Where a tagged case really is; zone None is outside the site."""

    epc: str
    sku: str
    zone: str | None


class Truth(Struct, frozen=True):
    """What the simulator says of its world."""

    seed: int
    quiet: bool
    items: tuple[TrueItem, ...]
    passes: tuple[TruePass, ...]
    lines: tuple[TrueLine, ...] = ()


class DecidedPass(Struct, frozen=True):
    """One tag of a `door_pass` event in the ledger's log."""

    epc: str
    door: str
    direction: str
    at_us: int
    decided_us: int
    last_read_us: int


class Order(Struct, frozen=True):
    """A replenishment: as the gateway asked for it, or as the cloud placed it."""

    key: str
    number: str | None


class Evidence(Struct, frozen=True, kw_only=True):
    """What was gathered of a run, from both sides."""

    truth: Truth
    made: int
    """Events that the agents' outboxes have ever held."""
    sequences: Sequence[tuple[str, str, int]]
    """(agent, epoch, sequence) of every agent's event in the log."""
    passes: Sequence[DecidedPass]
    fruit: Mapping[str, Sequence[TrueFruit]] = {}
    """All that went by, by line."""
    inspections: Sequence[Inspected] = ()
    stock: Mapping[str, Mapping[str, int]]
    """Ledger units by SKU and zone."""
    requested: Sequence[Order]
    placed: Sequence[Order]
    latencies_us: Sequence[int]
    """From the decision at the edge to the arrival in the page's stream, one an event."""
    version: str


def report(evidence: Evidence) -> dict[str, object]:
    """The figures of `truecount demo --report`, ready for JSON."""
    distinct = len(set(evidence.sequences))
    return {
        "events": {
            "made": evidence.made,
            "committed": len(evidence.sequences),
            "doubled": len(evidence.sequences) - distinct,
            "lost": max(0, evidence.made - distinct),
        },
        "latency_ms": _quantiles_ms(evidence.latencies_us),
        "decision_delay_ms": _quantiles_ms([one.decided_us - one.last_read_us for one in evidence.passes]),
        "passes": match_passes(evidence.truth.passes, evidence.passes),
        **compare_stock(evidence.truth.items, evidence.stock),
        "lines": {
            line.line: linejudge.compare(
                line, evidence.fruit[line.line], [one for one in evidence.inspections if one.line == line.line]
            )
            for line in evidence.truth.lines
        },
        "orders": {
            "requested": len(evidence.requested),
            "placed": len(evidence.placed),
            "doubled": len(evidence.placed) - len({order.key for order in evidence.placed}),
        },
        "seed": evidence.truth.seed,
        "version": evidence.version,
    }


def match_passes(truth: Iterable[TruePass], decided: Iterable[DecidedPass]) -> dict[str, int]:
    """How the decisions stand to the passes that happened.

    `missed` are passes that no event tells of; `invented` are events that no pass explains, a direction given to a
    tag that did not go through (an honest `unknown` of a tag at the door is not an invention).
    """
    waiting: dict[tuple[str, str], list[DecidedPass]] = defaultdict(list)
    for one in sorted(decided, key=lambda one: one.at_us):
        waiting[one.epc, one.door].append(one)
    tally: Counter[str] = Counter(right=0, wrong=0, unknown=0, missed=0, invented=0)
    for happened in sorted(truth, key=lambda one: one.entered_us):
        candidates = waiting[happened.epc, happened.door]
        found = next((one for one in candidates if _during(one, happened)), None)
        if found is None:
            tally["missed"] += 1
            continue
        candidates.remove(found)
        right = found.direction == happened.direction
        tally["right" if right else "unknown" if found.direction == "unknown" else "wrong"] += 1
    left = [one for candidates in waiting.values() for one in candidates]
    tally["invented"] = sum(one.direction != "unknown" for one in left)
    return dict(tally)


def compare_stock(items: Iterable[TrueItem], stock: Mapping[str, Mapping[str, int]]) -> dict[str, dict[str, int]]:
    """Units and SKU-zones: the truth beside the ledger."""
    truth = Counter((item.sku, item.zone) for item in items if item.zone is not None)
    ledger = Counter({(sku, zone): units for sku, zones in stock.items() for zone, units in zones.items() if units})
    places = set(truth) | set(ledger)
    errors = [abs(truth[place] - ledger[place]) for place in places]
    return {
        "units": {"truth": truth.total(), "absolute_error": sum(errors)},
        "sku_zones": {"total": len(places), "exact": errors.count(0)},
    }


def _during(one: DecidedPass, happened: TruePass) -> bool:
    return happened.entered_us - PASS_SLACK_US <= one.at_us <= happened.left_us + PASS_SLACK_US


def _quantiles_ms(values_us: Sequence[int]) -> dict[str, float | None]:
    """Median and 99th percentile (nearest rank), in milliseconds; None when there is nothing to measure."""
    ordered = sorted(values_us)
    if not ordered:
        return {"p50": None, "p99": None}
    return {name: ordered[int(share * (len(ordered) - 1))] / 1000 for name, share in (("p50", 0.5), ("p99", 0.99))}
