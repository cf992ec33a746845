"""Items: one EPC is in one place, and the newest sighting by event time says where, whatever came in first.

Sightings are compared as (at_us, agent, epoch, seq), so the state of an item is the greatest of a set: the order and
the repetition of events across agents cannot matter.
"""

from gateway.ledger import stock
from gateway.ledger.rows import Item, Stamp
from gateway.ledger.state import State
from gateway.records import LogRow

CLOCK_SLACK_US = 60_000_000
"""An agent's clock may be this far ahead of the gateway's. Beyond it an event counts as having happened when it was
recorded: else one clock set to next year would win over every true sighting until then."""


def stamp(row: LogRow) -> Stamp:
    """When and by whom something was seen."""
    return (believed(row.at_us, row.recorded_us), row.agent, row.epoch, row.seq)


def believed(at_us: int, recorded_us: int) -> int:
    """An event time, unless it is too far ahead of when it was recorded."""
    return at_us if at_us <= recorded_us + CLOCK_SLACK_US else recorded_us


def place(state: State, epc: str, zone: str | None, by: Stamp, where: str, now_us: int) -> Item:
    """A sighting that tells where an item is: in a zone, or (None) outside the house."""
    item = observe(state, epc, by, where)
    if zone is not None and (item.entered_us is None or by[0] < item.entered_us):
        item.entered_us = by[0]
    if item.placed is None or by > item.placed:
        item.placed = by
        if item.sku is not None:
            held = item.lot in state.index.held_lots
            stock.move(state, item.sku, item.zone, zone, now_us, held=held)
        item.zone = zone
    return item


def observe(state: State, epc: str, by: Stamp, where: str) -> Item:
    """A sighting of any kind: the item is there, which does not yet say in which zone."""
    item = of(state, epc)
    if item.seen is None or by > item.seen:
        item.seen = by
        item.seen_at = where
    state.items.changed.add(epc)
    return item


def miss(state: State, epc: str, by: Stamp) -> None:
    """A reader that is not blind no longer sees it. Only another sighting moves an item: not seen is not gone."""
    item = of(state, epc)
    if item.missed is None or by > item.missed:
        item.missed = by
        state.items.touch(epc)


def of(state: State, epc: str) -> Item:
    """What is known of a tag; nothing yet of a new one."""
    item = state.items.rows.get(epc)
    if item is None:
        item = state.items.rows[epc] = Item(state.house.tag(epc).sku)
    return item
