"""Decisions reach the disk in order and in groups; when room is short, what matters least goes first."""

import asyncio
import time
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract import wire
from contract.events import Condition, Device, DoorPass, Event, PassEvidence, SideEvidence, TagEvidence, ZoneSeen
from edge.decisions import MAX_PENDING, Decisions, bodies
from edge.errors import OutboxFull
from edge.outbox import Outbox
from edge.supervisor import Supervisor

BIG = 10**9


def _clock() -> int:
    return 1_700_000_000_000_000


def _reading(number: int) -> Condition:
    return Condition(at_us=number, decided_us=number, device="warmth", zone="cold", quantity="temperature_c", value=4.0)


def _pass(number: int) -> DoorPass:
    side = SideEvidence(reads=3)
    evidence = PassEvidence(first_read_us=1, last_read_us=2, inside=side, outside=side)
    return DoorPass(
        at_us=number,
        decided_us=number,
        door="dock-1",
        direction="inbound",
        confidence=0.9,
        epcs=("30" * 12,),
        evidence=evidence,
    )


def _stored(outbox: Outbox) -> list[Event]:
    return [wire.decode_event(body) for body in outbox.read(outbox.acknowledged + 1, BIG, BIG).bodies]


def _fill_to(outbox: Outbox, enough: Callable[[], bool]) -> None:
    while not enough():
        outbox.append([bytes(8000)] * 4)


def test_decisions_are_stored_in_order_and_the_uplink_is_woken(tmp_path: Path) -> None:
    async def story() -> None:
        woken = asyncio.Event()
        with Outbox(tmp_path / "outbox.db", retain=0) as outbox:
            desk = Decisions("dock", outbox, woken.set, _clock)
            task = asyncio.create_task(desk.run())
            for number in range(2500):
                desk.put(_pass(number))
            while outbox.made < 2500:
                await asyncio.wait_for(woken.wait(), 10)
                woken.clear()
            task.cancel()
            assert [event.at_us for event in _stored(outbox)] == list(range(2500))

    asyncio.run(story())


def test_what_is_decided_at_the_end_is_stored_by_the_last_flush(tmp_path: Path) -> None:
    async def story() -> None:
        with Outbox(tmp_path / "outbox.db", retain=0) as outbox:
            desk = Decisions("dock", outbox, lambda: None, _clock)
            task = asyncio.create_task(desk.run())
            desk.put(_pass(1))
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            desk.put(_pass(2))
            task.cancel()
            desk.flush()
            assert [event.at_us for event in _stored(outbox)] == [1, 2]

    asyncio.run(story())


def test_over_half_full_the_readings_are_left_out_and_that_is_told_once(tmp_path: Path) -> None:
    with Outbox(tmp_path / "outbox.db", retain=0, max_bytes=2**20) as outbox:
        desk = Decisions("dock", outbox, lambda: None, _clock)
        _fill_to(outbox, lambda: outbox.crowded)
        outbox.acknowledge(outbox.epoch, 0)
        before = outbox.made
        for number in range(3):
            desk.put(_reading(number))
            desk.put(_pass(number))
            desk.flush()
        kept = [wire.decode_event(body) for body in outbox.read(before + 1, BIG, BIG).bodies]
        assert [event.at_us for event in kept if isinstance(event, DoorPass)] == [0, 1, 2]
        [notice] = [event for event in kept if isinstance(event, Device)]
        assert (notice.device, notice.state) == ("dock", "data_lost")
        assert "readings are left out" in notice.detail
        outbox.acknowledge(outbox.epoch, outbox.made)
        desk.put(_reading(9))
        desk.flush()
        assert [event.at_us for event in _stored(outbox)] == [9]


def test_on_a_full_disk_decisions_wait_and_what_does_not_fit_any_more_is_told(tmp_path: Path) -> None:
    async def story() -> None:
        with Outbox(tmp_path / "outbox.db", retain=0, max_bytes=4 * 2**20) as outbox:
            stored = asyncio.Event()
            desk = Decisions("dock", outbox, stored.set, _clock)
            with pytest.raises(OutboxFull):
                _fill_to(outbox, lambda: False)
            outbox.acknowledge(outbox.epoch, outbox.made // 20)
            task = asyncio.create_task(desk.run())
            for number in range(MAX_PENDING + 5):
                desk.put(_pass(number))
            kept: list[Event] = []
            while sum(isinstance(event, DoorPass) for event in kept) < MAX_PENDING:
                await asyncio.wait_for(stored.wait(), 10)
                stored.clear()
                bodies_now = outbox.read(outbox.acknowledged + 1, BIG, BIG).bodies
                kept += [wire.decode_event(body) for body in bodies_now if body[0]]
                outbox.acknowledge(outbox.epoch, outbox.acknowledged + len(bodies_now))
            task.cancel()
            passes = [event.at_us for event in kept if isinstance(event, DoorPass)]
            assert passes == list(range(MAX_PENDING))
            assert any(isinstance(event, Device) and "5 decisions were dropped" in event.detail for event in kept)

    asyncio.run(story())


@given(st.integers(1, 400), st.sampled_from([2, 24, 124]))
def test_an_event_with_many_tags_is_split_to_fit(tags: int, length: int) -> None:
    epcs = tuple(f"{n:0{length}x}"[-length:] for n in range(tags))
    event = ZoneSeen(at_us=1, decided_us=2, zone="cold", epcs=epcs)
    parts = [wire.decode_event(body) for body in bodies(event)]
    assert all(len(body) <= wire.MAX_EVENT_BYTES for body in bodies(event))
    assert tuple(epc for part in parts if isinstance(part, ZoneSeen) for epc in part.epcs) == epcs


@given(st.integers(1, 400), st.sampled_from([24, 124]), st.booleans())
def test_a_large_load_is_split_with_its_tags_and_each_part_names_the_container(
    tags: int, length: int, together: bool
) -> None:
    epcs = tuple(f"{n:0{length}x}" for n in range(tags))
    heard = tuple(
        TagEvidence(inside_reads=n, outside_reads=7, margin_s=n / 3, straggler=n % 9 == 0) for n in range(tags)
    )
    container = epcs[-1] if together else None
    event = msgspec.structs.replace(_pass(1), epcs=epcs, container=container, tags=heard if together else ())
    stored = bodies(event)
    parts = [part for part in map(wire.decode_event, stored) if isinstance(part, DoorPass)]
    assert all(len(body) <= wire.MAX_EVENT_BYTES for body in stored)
    assert tuple(epc for part in parts for epc in part.epcs) == epcs
    assert tuple(tag for part in parts for tag in part.tags) == event.tags
    assert all(len(part.tags) == (len(part.epcs) if together else 0) for part in parts)
    assert {part.container for part in parts} == {container}
    assert all(part.evidence == event.evidence for part in parts)


def test_a_driver_that_fails_is_told_and_started_again() -> None:
    async def story() -> None:
        told: list[Device] = []
        third = asyncio.Event()

        async def driver() -> None:
            if len(told) == 2:
                third.set()
                await asyncio.Event().wait()
            raise ZeroDivisionError("an error of ours")

        task = asyncio.create_task(Supervisor("reader-1", told.append, lambda: time.time_ns() // 1000).run(driver))
        await asyncio.wait_for(third.wait(), 10)
        task.cancel()
        assert [(event.device, event.state) for event in told] == [("reader-1", "lost")] * 2
        assert "ZeroDivisionError: an error of ours" in told[0].detail

    asyncio.run(story())
