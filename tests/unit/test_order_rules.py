"""The rules of purchase orders: which step is legal, what is the same request, what a cursor is."""

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud.errors import BadCursor, BadText, IllegalStep, KeyMismatch
from cloud.orders import Cursor, check, fingerprint, is_step, parse_cursor
from contract.replenishment import OrderState, ReplenishmentRequest

STATES: tuple[OrderState, ...] = get_args(OrderState)


def request(**changes: object) -> ReplenishmentRequest:
    body = {"key": "k1", "site": "north", "sku": "lemon", "units": 12, "on_hand": -3, "reorder_point": 20}
    return ReplenishmentRequest.model_validate({**body, "requested_us": 1_790_000_000_000_000, **changes})


@pytest.mark.parametrize(
    ("present", "then"),
    [
        ("placed", {"shipped", "received", "cancelled"}),
        ("shipped", {"received"}),
        ("received", set()),
        ("cancelled", set()),
    ],
)
def test_an_order_goes_forward_only(present: OrderState, then: set[OrderState]) -> None:
    for wanted in STATES:
        if wanted in then:
            assert is_step("PO-1", present, wanted)
        elif wanted == present:
            assert not is_step("PO-1", present, wanted)
        else:
            with pytest.raises(IllegalStep, match=f"PO-1 is {present}.*not {wanted}"):
                is_step("PO-1", present, wanted)


def test_every_field_counts_for_being_the_same_request() -> None:
    same = fingerprint(request())
    assert fingerprint(request()) == same
    changes = {
        "site": "south",
        "sku": "x",
        "units": 13,
        "on_hand": 0,
        "reorder_point": 1,
        "requested_us": 2,
        "key": "b",
    }
    assert len({fingerprint(request(**{name: value})) for name, value in changes.items()} | {same}) == 8


@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]), min_size=1, max_size=50))
def test_a_key_may_be_any_text_and_comes_as_utf8_in_the_header(key: str) -> None:
    check(request(key=key), key.encode().decode("latin-1"))
    with pytest.raises(KeyMismatch):
        check(request(key=key), "another " + key)


@pytest.mark.parametrize("field", ["key", "sku"])
def test_control_characters_are_refused_because_postgresql_cannot_keep_them(field: str) -> None:
    with pytest.raises(BadText, match=field):
        check(request(**{field: "a\x00b"}), "a\x00b" if field == "key" else "k1")


@given(st.from_regex("[0-9a-f]{16}", fullmatch=True), st.integers(0, 2**63 - 1))
def test_a_cursor_comes_back_as_it_went(epoch: str, change: int) -> None:
    cursor = Cursor(epoch, change)
    assert parse_cursor(str(cursor)) == cursor


@given(
    st.one_of(st.text(max_size=200), st.integers().map(lambda n: str(Cursor("e", n))), st.just(str(Cursor("a.b", 1))))
)
def test_other_text_is_no_cursor(text: str) -> None:
    try:
        cursor = parse_cursor(text)
    except BadCursor:
        return
    assert str(cursor) == text
    assert 0 <= cursor.change < 2**63
