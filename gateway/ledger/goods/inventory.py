"""Items: one EPC is in one place, and the newest sighting by event time says where, whatever came in first.

Sightings are compared as (at_us, agent, epoch, seq), so the state of an item is the greatest of a set: the order and
the repetition of events across agents cannot matter. What its container (`containers`) tells counts as a sighting of
its own as long as they travel together.
"""

from sys import intern
from typing import cast

from gateway.belief.trace import shared
from gateway.ledger.goods import looks, stock
from gateway.ledger.goods.looks import Look
from gateway.ledger.goods.stock import OUTSIDE, Place
from gateway.ledger.rows import Item, Stamp
from gateway.ledger.state import State
from gateway.ledger.troubles import exceptions
from gateway.records import LogRow
from gateway.records.stockrecords import Disposition

HORIZON = "horizon"
"""Counter whose number is a time: what ended before it has left the books (`trimming`)."""
CLOCK_SLACK_US = 60_000_000
"""An agent's clock may be this far ahead of the gateway's. Beyond it an event counts as having happened when it was
recorded: else one clock set to next year would win over every true sighting until then."""


def too_late(state: State, epc: str, by: Stamp) -> bool:
    """Whether a sighting is of a time of which the books know nothing of this tag any more."""
    horizon = state.counters.get(HORIZON)
    if horizon is None or by[0] >= horizon.n or epc in state.items.rows:
        return False
    assert state.row is not None
    reason = {"reason": f"{epc} was seen before the books were trimmed"}
    exceptions.add(state, "bad_message", by[1], state.row.recorded_us, 1, reason)
    return True


def stamp(row: LogRow) -> Stamp:
    """When and by whom something was seen."""
    return (believed(row.at_us, row.recorded_us), intern(row.agent), intern(row.epoch), row.seq)


def believed(at_us: int, recorded_us: int) -> int:
    """An event time, unless it is too far ahead of when it was recorded."""
    return at_us if at_us <= recorded_us + CLOCK_SLACK_US else recorded_us


def place(state: State, epc: str, zone: str | None, by: Stamp, where: str, look: Look = looks.TOLD) -> Item:
    """A sighting of its own tag that tells where an item is: in a zone, or (None) outside the house."""
    item = of(state, epc)
    looks.placed(state, item, zone, by, look)
    state.items.changed.add(epc)
    if item.seen is None or by > item.seen:
        item.observed, item.seen_at = None, where
    if zone is not None and (item.entered_us is None or by[0] < item.entered_us):
        item.entered_us = by[0]
    if item.placed is None or by > item.placed:
        before = _place(item)
        item.placed, item.placed_in = by, zone
        if item.inferred is None or by >= item.inferred:
            item.zone, item.inferred = told(state, item), None
            _book(state, epc, item, before)
        else:
            looks.heed(state, epc, item)
    elif epc in state.index.sought:
        for key in state.index.sought[epc]:
            state.index.finds[key][epc].heard_before(by[0], zone)
            state.finds.touch(f"{epc} {key}")
    return item


def infer(state: State, epc: str, item: Item, zone: str | None, by: Stamp) -> None:
    """A sighting of its container tells where it is."""
    looks.inferred(state, item, zone, by)
    before = _place(item)
    item.zone, item.inferred = (None if not_found(state, zone, item.sku, by[0]) else zone), by
    _book(state, epc, item, before)


def see_again(state: State, epc: str, item: Item) -> None:
    """Its container tells nothing of it any more: it is where its own tag was seen last."""
    before = _place(item)
    item.zone, item.inferred = told(state, item), None
    _book(state, epc, item, before)


def overrule(state: State, epc: str, item: Item) -> None:
    """A count looked for it where the books have it, in vain."""
    before = _place(item)
    item.zone, item.inferred = told(state, item), None
    _book(state, epc, item, before)


def told(state: State, item: Item) -> str | None:
    """Where its own tag was seen last; None is outside, or nowhere since a sweep did not find it there."""
    if item.placed is None or not_found(state, item.placed_in, item.sku, item.placed[0]):
        return None
    return item.placed_in


def not_found(state: State, zone: str | None, sku: str | None, at_us: int) -> bool:
    """Whether a count swept a zone for a SKU later than this, so that what was seen then and no more since is gone."""
    swept = state.index.swept.get(zone) if zone is not None else None
    return swept is not None and sku is not None and at_us < max(swept.get(sku, 0), swept.get("", 0))


def observe(state: State, epc: str, by: Stamp, where: str) -> Item:
    """A sighting of any kind: the item is there, which does not yet say in which zone."""
    item = of(state, epc)
    if item.seen is None or by > item.seen:
        item.observed, item.seen_at = by, where
    state.items.changed.add(epc)
    return item


def miss(state: State, epc: str, zone: str, by: Stamp) -> None:
    """A reader that is not blind no longer sees it. Only another sighting moves an item: not seen is not gone."""
    item = of(state, epc)
    looks.left(state, item, zone, by)
    looks.heed(state, epc, item)
    state.items.touch(epc)
    if item.missed is None or by > item.missed:
        item.missed = by
        state.items.touch(epc)


def labelled(
    state: State, epc: str, *, lot: str | None = None, disposition: Disposition | None = None, sku: str | None = None
) -> Item:
    """Somebody says of which lot, disposition or SKU it is. Nothing said changes nothing."""
    item = of(state, epc)
    before, sku_before = _place(item), item.sku
    item.lot = lot or item.lot
    item.disposition = disposition or item.disposition
    item.sku = sku or item.sku
    state.items.touch(epc)
    if sku_before != item.sku:
        if sku_before is not None:
            stock.move(state, sku_before, before, None, epc)
        before = None
    if item.sku is not None:
        stock.move(state, item.sku, before, _place(item), epc)
    return item


def of(state: State, epc: str) -> Item:
    """What is known of a tag; nothing yet of a new one."""
    item = state.items.rows.get(epc)
    if item is None:
        item = state.items.rows[epc] = Item(state.house.tag(epc).sku)
    return item


def _book(state: State, epc: str, item: Item, before: Place | None) -> None:
    state.items.changed.add(epc)
    looks.heed(state, epc, item)
    if item.sku is not None:
        stock.move(state, item.sku, before, _place(item), epc)


def _place(item: Item) -> Place | None:
    if not item.known:
        return None
    return Place(OUTSIDE if item.zone is None else item.zone, item.lot or "", item.disposition)


def compact(item: Item) -> None:
    """Make a row that was read from a file share its words with the others: a million of them fill the memory."""
    for name in ("sku", "zone", "placed_in", "seen_at", "dock", "shipment", "lot", "container"):
        value = getattr(item, name)
        if value is not None:
            setattr(item, name, intern(value))
    item.disposition = cast(Disposition, intern(item.disposition))
    item.placed = _shared(item.placed)
    item.observed, item.missed = _shared(item.observed), _shared(item.missed)
    item.joined, item.inferred = _shared(item.joined), _shared(item.inferred)
    item.trace = shared(item.trace)
    if item.placed is not None and item.entered_us == item.placed[0]:
        item.entered_us = item.placed[0]


def _shared(by: Stamp | None) -> Stamp | None:
    return by and (by[0], intern(by[1]), intern(by[2]), by[3])
