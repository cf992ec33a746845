"""What the sweeps of a count found, what they did not, and how sure that is."""

from collections.abc import Iterator

from gateway.ledger.counting import findrate
from gateway.ledger.counting.countrows import Count, FindRate
from gateway.ledger.counting.findrate import Pass, Sweep
from gateway.ledger.goods import looks
from gateway.ledger.state import State


def missing(state: State, count: Count) -> Iterator[str]:
    """EPCs of the cases that the books have in its zone and that nothing saw there since its sweep began: nor does the
    zone's own reader go on hearing them, which tells of a tag once."""
    zone, begun_us = count.zone, count.swept_us
    here = [(epc, item) for epc, item in state.items.rows.items() if item.zone == zone]  # a tenth of a second a million
    finds = state.index.finds.get(count.id, {})
    for epc, item in here:
        if epc in finds or not count.covers(item.sku) or looks.heard(state, item):
            continue
        if item.placed is None or item.placed_in != zone or item.placed[0] < begun_us:
            yield epc


def done(state: State, count: Count) -> list[Pass]:
    """The passes of its sweeps; of a sweep that found nothing at all, one."""
    number = findrate.passes(count.steps)
    epcs: dict[int, set[str]] = {n: set() for n in number}
    agents = {n: agent for n, (_, agent) in zip(number, count.steps, strict=True)}
    for epc, found in state.index.finds.get(count.id, {}).items():
        for step in found.steps:
            epcs[number[step]].add(epc)
    return [Pass(agents[n], frozenset(epcs[n])) for n in sorted(epcs)] or [Pass("", frozenset())]


def confidence(state: State, count: Count) -> float:
    """How likely its sweeps found what is there."""
    walks = done(state, count)
    pairs = findrate.recaptured(walks)
    rates = []
    for one, (found, of) in zip(walks, pairs, strict=True):
        method = method_of(state, count.zone, one.agent)
        known = state.findrates.get(f"{count.zone}\x1f{method}") or FindRate()
        rates.append(findrate.rate(method, known.found + found, known.of + of))
    return findrate.confidence(rates)


def method_of(state: State, zone: str, agent: str) -> Sweep:
    """An agent that runs readers of the zone sweeps with these, any other with a handheld."""
    fixed = any(device.agent == agent and zone in device.zones for device in state.house.devices.values())
    return "fixed" if fixed else "handheld"
