"""Looks: what the fold tells `gateway.belief` of items and of those that watch them. No balance depends on it."""

from typing import Final, NamedTuple

from contract import events
from gateway.belief import tidings
from gateway.belief.siblings import LEFT_BEHIND
from gateway.belief.trace import Place
from gateway.ledger.rows import Item, Stamp
from gateway.ledger.state import State


class Look(NamedTuple):
    """What a sighting of an item is worth."""

    worth: float = 1.0
    """How sure it is, 0 to 1."""
    explained: bool = True
    """It is told how the item came there; not so if it was only found there."""
    reads: float | None = None
    """Of a zone's reader: of each tag."""
    appeared: bool = False
    """Of a zone's reader: it did not move there from another of its zones."""


TOLD: Final = Look()
FOUND: Final = Look(0.99, explained=False)


def of_zone(event: events.ZoneSeen | events.TagCount) -> Look:
    """A zone's reader, or a step of a count."""
    if isinstance(event, events.TagCount):
        return FOUND
    evidence = event.evidence
    if evidence is None:
        return Look(reads=tidings.WEAK_READS)
    return Look(reads=evidence.reads / len(event.epcs), appeared=evidence.rule == "appeared")


def placed(state: State, item: Item, zone: str | None, by: Stamp, look: Look) -> None:
    """A sighting of its own tag; to be told before the books place the item."""
    before, watched = place(state, item), state.watched.rows
    if look.reads is not None and zone is not None:
        item.trace = tidings.seen(watched, before, zone, by[1], by[0], look.reads, appeared=look.appeared)
    else:
        item.trace = tidings.put(watched, before, zone, by[0], look.worth, explained=look.explained)
    _touch(state, zone, item.zone)


def inferred(state: State, item: Item, zone: str | None, by: Stamp) -> None:
    """A sighting of its container; to be told before the books let the item follow."""
    item.trace = tidings.put(state.watched.rows, place(state, item), zone, by[0], 1 - LEFT_BEHIND)
    _touch(state, zone, item.zone)


def left(state: State, item: Item, zone: str, by: Stamp) -> None:
    """A zone's reader does not see it any more."""
    item.trace = tidings.left(state.watched.rows, place(state, item), zone, by[1], by[0])
    _touch(state, zone)


def searched(state: State, epc: str, at_us: int, find_rate: float) -> None:
    """A count did not find it."""
    item = state.items.get(epc)
    before = place(state, item) if item is not None else None
    if item is not None and before is not None:
        item.trace = tidings.searched(before, at_us, find_rate)
        state.items.touch(epc)


def place(state: State, item: Item) -> Place | None:
    """Where the books have it, as belief wants it; None while they do not know it."""
    newest, seen = item.inferred or item.placed, item.seen
    if newest is None:
        return None
    at_door = seen is not None and seen > newest and item.seen_at in state.house.portals
    return Place(item.zone, newest[0], item.trace, seen[0] if at_door and seen is not None else None)


def heard(state: State, item: Item) -> bool:
    """Whether its zone's reader goes on hearing it, as far as it can hear."""
    watched = state.watched.get(item.zone or "")
    seen = item.trace.home == item.zone and item.trace.left_us == 0
    if watched is None or not seen:
        return False
    return watched.lookout.dark_since_us is None and watched.lookout.begun_us <= item.trace.told_us


def heed(state: State, epc: str, item: Item) -> None:
    """Whether nobody hears it at the moment: to be asked after whatever was told of it."""
    trace = item.trace
    seen = trace.home == item.zone and trace.left_us == 0
    if item.zone is not None and item.zone in state.watched.rows and item.sku is not None and not seen:
        state.index.unheard.add(epc)
    else:
        state.index.unheard.discard(epc)


def reindex(state: State) -> None:
    """Derive the index from the tables."""
    for epc, item in state.items.rows.items():
        heed(state, epc, item)


def described(state: State) -> None:
    """The site file names the readers. A zone that is new to it was never looked at."""
    readers: dict[str, dict[str, str]] = {}
    for device in state.house.devices.values():
        for zone in device.zones if device.kind == "reader" else ():
            readers.setdefault(zone, {})[device.name] = device.agent
    for zone in [zone for zone in state.watched.rows if zone not in readers]:
        state.watched.drop(zone)
    for zone, agents in readers.items():
        known = state.watched.get(zone)
        if known is None:
            state.watched.put(zone, tidings.watch(agents, set(agents.values())))
        elif known.agents != sorted(set(agents.values())):
            known.agents = sorted(set(agents.values()))
            state.watched.touch(zone)


def reader(state: State, name: str, at_us: int, *, sees: bool) -> None:
    """A zone's reader is connected, or lost or blind."""
    for zone in state.house.devices[name].zones:
        if watched := state.watched.get(zone):
            tidings.reader(watched, name, at_us, sees=sees)
            state.watched.touch(zone)


def agent(state: State, name: str, at_us: int, *, heard: bool) -> None:
    """An agent is heard again, or was last heard then."""
    for zone, watched in state.watched.rows.items():
        if name in watched.agents:
            tidings.agent(watched, name, at_us, heard=heard)
            state.watched.touch(zone)


def _touch(state: State, *zones: str | None) -> None:
    for zone in zones:
        if zone is not None and zone in state.watched.rows:
            state.watched.touch(zone)
