"""When to order and how much: the level-triggered reorder point."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ledgersite import SITE

from gateway.replenish import MAX_UNITS, units_to_order

LEMON = SITE.items[0]
"""Reorder point 20, order-up-to level 48, packs of 12."""


@pytest.mark.parametrize(
    ("on_hand", "on_order", "units"),
    [(21, 0, 0), (20, 0, 36), (0, 0, 48), (1, 0, 48), (-5, 0, 60), (10, 10, 36), (10, 11, 0), (0, 48, 0)],
)
def test_the_position_decides_and_whole_packs_are_ordered(on_hand: int, on_order: int, units: int) -> None:
    assert units_to_order(LEMON, on_hand, on_order) == units


levels = st.integers(-2_000_000, 2_000_000)
masters = st.builds(
    lambda point, level, pack: LEMON.model_copy(update={"reorder_point": point, "order_up_to": level, "pack": pack}),
    st.integers(0, 10_000),
    st.integers(0, 10_000),
    st.integers(1, 500),
)


@given(masters, levels, st.integers(0, 10_000))
def test_one_order_is_enough_and_none_is_needless(item, on_hand: int, on_order: int) -> None:  # type: ignore[no-untyped-def]
    units = units_to_order(item, on_hand, on_order)
    position = on_hand + on_order
    assert 0 <= units <= MAX_UNITS
    assert units % item.pack == 0
    if units and units < MAX_UNITS - item.pack:
        assert position <= item.reorder_point
        assert item.order_up_to <= position + units < item.order_up_to + item.pack
        assert units_to_order(item, on_hand, on_order + units) == 0, "the same deficit is ordered once"
    elif not units:
        assert position > item.reorder_point or position >= item.order_up_to
