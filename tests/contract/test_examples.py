"""Every message kind has one golden file: what we write must be these bytes, and what we read must be these values."""

import json
from pathlib import Path
from typing import get_args

import msgspec
import pytest

from contract import wire
from contract.events import Event
from contract.replenishment import OrderPage, OrderUpdate, PurchaseOrder, ReplenishmentRequest

EXAMPLES = Path(__file__).parents[2] / "contract" / "examples"
EVENTS = {kind.__struct_config__.tag: kind for kind in get_args(Event)}
BODIES = {
    "replenishment_request": ReplenishmentRequest,
    "purchase_order": PurchaseOrder,
    "order_page": OrderPage,
    "order_update": OrderUpdate,
}
MESSAGES = {
    "batch": wire.decode_batch,
    "ack": wire.decode_ack,
    "status": wire.decode_status,
    "evidence": wire.decode_evidence,
    "evidence_kept": wire.decode_command,
    "line_orders": wire.decode_command,
}


def test_every_kind_has_its_golden_file_and_no_file_is_left_over():
    assert {path.stem for path in EXAMPLES.glob("*.json")} == {*EVENTS, *BODIES, *MESSAGES}


@pytest.mark.parametrize("kind", sorted(EVENTS))
def test_an_event_is_read_and_written_as_its_golden_file_says(kind):
    golden = (EXAMPLES / f"{kind}.json").read_bytes()
    event = wire.decode_event(golden)
    assert type(event) is EVENTS[kind]
    assert json.loads(wire.encode(event)) == json.loads(golden)


@pytest.mark.parametrize("name", sorted(MESSAGES))
def test_a_message_is_read_and_written_as_its_golden_file_says(name):
    golden = (EXAMPLES / f"{name}.json").read_bytes()
    assert json.loads(wire.encode(MESSAGES[name](golden))) == json.loads(golden)


@pytest.mark.parametrize("name", sorted(BODIES))
def test_a_replenishment_body_is_read_and_written_as_its_golden_file_says(name):
    golden = (EXAMPLES / f"{name}.json").read_bytes()
    assert json.loads(BODIES[name].model_validate_json(golden).model_dump_json()) == json.loads(golden)


def test_the_batch_in_the_golden_file_holds_the_events_of_the_other_golden_files():
    batch = wire.decode_batch((EXAMPLES / "batch.json").read_bytes())
    held = [wire.decode_event(raw) for raw in batch.events]
    assert held == [wire.decode_event((EXAMPLES / f"{kind}.json").read_bytes()) for kind in ("door_pass", "condition")]


def test_the_examples_are_pretty_and_end_with_a_newline():
    for path in EXAMPLES.glob("*.json"):
        text = path.read_bytes()
        assert text == msgspec.json.format(text.strip(), indent=2) + b"\n", path.name
