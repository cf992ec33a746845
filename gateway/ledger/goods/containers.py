"""Containers: what stands on a pallet goes where the pallet goes, until it is seen elsewhere.

A document or a portal says that items were put on a logistic unit (SSCC aggregation). When the tag of the unit is seen
and one of theirs is not, it is *inferred* that they are with it: their books follow, marked as inferred. A newer
sighting of an item's own tag beats an older one of its container, and an item that was seen where its container was
not has left it: from then on the container tells nothing of it, until they are seen together again.

What is inferred is a function of sets (an item's newest sighting, its newest aggregation, the places of its container),
so the order in which agents' events come in cannot matter.
"""

from bisect import bisect_left, bisect_right, insort
from typing import Final

from gateway.ledger.goods import inventory, looks
from gateway.ledger.goods.looks import Look
from gateway.ledger.rows import Container, Item, Stamp
from gateway.ledger.state import State

TRACK: Final = 50
"""Places of a container that are remembered."""
TOGETHER_US: Final = 120_000_000
"""Two sightings in one place within this time are of things that travel together: a pallet takes its seconds through a
door, and a ceiling reader its round."""
MAX_ITEMS: Final = 2_000
"""Of one container; what is more is not inferred from it."""


def join(state: State, epc: str, container: str, at: Stamp) -> None:
    """It was put on a container then. Of several the newest counts."""
    item = inventory.of(state, epc)
    if epc == container or (item.joined is not None and at <= item.joined):
        return
    unit = _of(state, container)
    if item.container != container:
        if len(unit.items) >= MAX_ITEMS:
            return
        if item.container is not None:
            take_off(state, item.container, epc)
        insort(unit.items, epc)
        state.containers.touch(container)
    item.container, item.joined = container, at
    state.items.touch(epc)
    follow(state, epc, item)


def sighted(state: State, epc: str, zone: str | None, by: Stamp, where: str, look: Look = looks.TOLD) -> list[str]:
    """A tag was seen in a zone, or (None) going out. The items of which that tells more than their own tags do."""
    if inventory.too_late(state, epc, by):
        return []
    item = inventory.place(state, epc, zone, by, where, look)
    if item.container is not None:
        follow(state, epc, item)
    if state.house.tag(epc).kind != "container":
        return []
    return _moved(state, epc, zone, by)


def _moved(state: State, container: str, zone: str | None, by: Stamp) -> list[str]:
    unit = _of(state, container)
    insort(unit.track, (by, zone), key=lambda one: one[0])
    del unit.track[:-TRACK]
    state.containers.touch(container)
    return [epc for epc in unit.items if follow(state, epc, state.items.rows[epc])]


def follow(state: State, epc: str, item: Item) -> bool:
    """Put an item where it or its container was seen last; whether that is inferred from this container's newest place.

    To be asked whenever one of the two was seen, or they were joined.
    """
    unit = state.containers.get(item.container) if item.container is not None else None
    if unit is None or not unit.track:
        return False
    by, zone = unit.track[-1]
    with_it = (item.placed is None or by > item.placed) and _together(item, unit)
    if with_it and item.inferred != by:
        inventory.infer(state, epc, item, zone, by)
        return True
    if not with_it and item.inferred is not None:
        inventory.see_again(state, epc, item)
    return False


def part(state: State, epc: str) -> None:
    """A count looked for an item, and did not find it: nothing that becomes of its container tells of it any more."""
    item = inventory.of(state, epc)
    if item.container is not None:
        take_off(state, item.container, epc)
        item.container = None
    inventory.overrule(state, epc, item)


def _together(item: Item, unit: Container) -> bool:
    """Whether nothing says that the item has left its container."""
    if item.placed is None or (item.joined is not None and item.placed < item.joined):
        return True
    at_us = item.placed[0]
    first = bisect_left(unit.track, at_us - TOGETHER_US, key=lambda one: one[0][0])
    last = bisect_right(unit.track, at_us + TOGETHER_US, key=lambda one: one[0][0])
    return any(zone == item.placed_in for _, zone in unit.track[max(0, first - 1) : last])


def _of(state: State, epc: str) -> Container:
    return state.containers.get(epc) or state.containers.put(epc, Container())


def take_off(state: State, container: str, epc: str) -> None:
    """It stands on that container no longer."""
    unit = state.containers.get(container)
    if unit is None:
        return
    place = bisect_left(unit.items, epc)
    if place < len(unit.items) and unit.items[place] == epc:
        del unit.items[place]
        state.containers.touch(container)
