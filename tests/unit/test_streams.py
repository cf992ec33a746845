"""Delivery as the gateway sees it: what is next, what is known, what is a gap, what is lost for good."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ledgersite import LEMON, QUICK, START_US, STRAY, Clock, batch, case, pass_bytes

from contract import events, wire
from contract.wire import Ack, Batch
from gateway.ledger.ledger import MAX_QUEUED, Ledger
from gateway.ledger.streams import Verdict, judge
from gateway.records import DataLost, decode

AGENT = "dock-edge"


def body(seq: int, marker: int = 0) -> bytes:
    return pass_bytes(case(LEMON, seq), START_US - 1_000_000 + seq + marker)


def told(first: int, last: int, epoch: str = "first", floor: int = 1, marker: int = 0) -> Batch:
    return batch(AGENT, first, [body(seq, marker) for seq in range(first, last + 1)], epoch, floor)


def play(folder: Path, story: Callable[[Ledger], Awaitable[None]]) -> None:
    async def run() -> None:
        with Ledger.open(folder / "ledger.db", QUICK, Clock()) as ledger:
            await story(ledger)

    asyncio.run(run())


def sequences(ledger: Ledger, epoch: str = "first") -> list[int]:
    return [row.seq for row in ledger.rows(0, 1000) if (row.agent, row.epoch) == (AGENT, epoch)]


def losses(ledger: Ledger) -> list[str]:
    entries = [decode(row.body) for row in ledger.rows(0, 1000)]
    return [entry.detail for entry in entries if isinstance(entry, DataLost)]


def test_a_batch_is_committed_once_however_often_it_comes(tmp_path: Path) -> None:
    async def story(ledger: Ledger) -> None:
        answers = await asyncio.gather(*(ledger.take(AGENT, told(1, 5)) for _ in range(4)))
        assert answers == [Ack(epoch="first", through=5)] * 4
        assert await ledger.take(AGENT, told(3, 8)) == Ack(epoch="first", through=8)
        assert await ledger.take(AGENT, told(2, 4)) == Ack(epoch="first", through=4)  # no more than was compared
        assert sequences(ledger) == [1, 2, 3, 4, 5, 6, 7, 8]
        assert losses(ledger) == []

    play(tmp_path, story)


def test_a_gap_is_asked_for_and_nothing_behind_it_is_taken(tmp_path: Path) -> None:
    async def story(ledger: Ledger) -> None:
        one, three = await asyncio.gather(ledger.take(AGENT, told(1, 5)), ledger.take(AGENT, told(11, 15)))
        assert (one, three) == (Ack(epoch="first", through=5), Ack(epoch="first", through=5, resend=True))
        assert await ledger.take(AGENT, told(6, 10)) == Ack(epoch="first", through=10)
        assert sequences(ledger) == list(range(1, 11))

    play(tmp_path, story)


def test_a_gap_that_nobody_can_fill_is_data_lost(tmp_path: Path) -> None:
    async def story(ledger: Ledger) -> None:
        await ledger.take(AGENT, told(1, 5))
        assert await ledger.take(AGENT, told(9, 10, floor=9)) == Ack(epoch="first", through=10)
        assert losses(ledger) == ["events 6 to 8 are gone from the agent's outbox"]
        [found] = ledger.views("exceptions").values()
        assert (found.kind, found.subject, found.count) == ("data_lost", AGENT, 1)

    play(tmp_path, story)


def test_a_first_batch_begins_at_one_or_at_its_floor(tmp_path: Path) -> None:
    async def story(ledger: Ledger) -> None:
        assert await ledger.take(AGENT, told(4, 6, floor=2)) == Ack(epoch="first", through=0, resend=True)
        assert losses(ledger) == []
        assert await ledger.take(AGENT, told(2, 6, floor=2)) == Ack(epoch="first", through=6)
        assert losses(ledger) == ["events 1 to 1 are gone from the agent's outbox"]

    play(tmp_path, story)


def test_the_very_first_epoch_is_no_loss_and_every_later_one_is(tmp_path: Path) -> None:
    async def story(ledger: Ledger) -> None:
        await ledger.take(AGENT, told(1, 5))
        assert losses(ledger) == []
        assert await ledger.take(AGENT, told(1, 2, epoch="second")) == Ack(epoch="second", through=2)
        assert len(losses(ledger)) == 1
        assert await ledger.take(AGENT, told(6, 6)) == Ack(epoch="first", through=6), "what was under way still counts"
        assert ledger.streams() == {AGENT: Ack(epoch="second", through=2, resend=True)}
        assert len(losses(ledger)) == 1

    play(tmp_path, story)


def test_other_events_under_known_numbers_ask_for_a_new_epoch(tmp_path: Path) -> None:
    async def story(ledger: Ledger) -> None:
        await ledger.take(AGENT, told(1, 5))
        assert await ledger.take(AGENT, told(4, 7, marker=1)) == Ack(epoch="first", through=5, renumber=True)
        assert await ledger.take(AGENT, told(5, 5, marker=1)) == Ack(epoch="first", through=5, renumber=True)
        assert sequences(ledger) == [1, 2, 3, 4, 5]
        assert await ledger.take(AGENT, told(1, 4, epoch="second", marker=1)) == Ack(epoch="second", through=4)

    play(tmp_path, story)


def test_a_bad_event_told_again_is_known(tmp_path: Path) -> None:
    async def story(ledger: Ledger) -> None:
        bad = batch(AGENT, 1, [b'{"kind":"nothing"}', body(2)])
        assert await ledger.take(AGENT, bad) == Ack(epoch="first", through=2)
        assert await ledger.take(AGENT, bad) == Ack(epoch="first", through=2)
        assert sequences(ledger) == [1, 2]

    play(tmp_path, story)


def test_numbers_go_on_after_a_restart(tmp_path: Path) -> None:
    async def before(ledger: Ledger) -> None:
        await ledger.take(AGENT, told(1, 5))

    async def after(ledger: Ledger) -> None:
        assert ledger.streams() == {AGENT: Ack(epoch="first", through=5, resend=True)}
        assert await ledger.take(AGENT, told(4, 8)) == Ack(epoch="first", through=8)
        assert losses(ledger) == []

    play(tmp_path, before)
    play(tmp_path, after)


def test_whoever_would_overfill_the_queue_waits(tmp_path: Path) -> None:
    async def story(ledger: Ledger) -> None:
        left = events.ZoneLeft(at_us=START_US, decided_us=START_US, zone="receiving", epcs=(STRAY,))
        bodies = [wire.encode(left)] * 400
        batches = [batch(AGENT, n * 400 + 1, bodies) for n in range(60)]
        waiting = [asyncio.create_task(ledger.take(AGENT, each)) for each in batches]
        await asyncio.sleep(0)
        assert MAX_QUEUED <= ledger._queued_rows < MAX_QUEUED + 400
        for answer in waiting:
            await answer
        assert sequences(ledger)[-1] == 998, "and the row that tells of the site"
        assert ledger.last_id == 24_002

    play(tmp_path, story)


@pytest.mark.parametrize(
    ("through", "first", "last", "floor", "verdict"),
    [
        (None, 1, 3, 1, Verdict("take")),
        (5, 6, 8, 1, Verdict("take")),
        (5, 4, 8, 1, Verdict("take", 2)),
        (5, 1, 5, 1, Verdict("known", 5)),
        (5, 7, 8, 6, Verdict("resend")),
        (None, 2, 3, 1, Verdict("resend")),
    ],
)
def test_the_table_of_verdicts(through: int | None, first: int, last: int, floor: int, verdict: Verdict) -> None:
    assert judge(told(first, last, floor=floor), through, had_epochs=through is not None) == verdict


@given(st.integers(0, 40), st.integers(1, 30), st.integers(1, 30), st.integers(1, 30))
def test_what_is_taken_always_follows_what_is_held(through: int, first: int, count: int, floor: int) -> None:
    batch_ = told(first, first + count - 1, floor=min(floor, first))
    verdict = judge(batch_, through, had_epochs=True)
    if verdict.act == "take":
        begins = batch_.first + verdict.known
        assert begins == through + 1 or (verdict.lost is not None and begins == batch_.floor > through + 1)
        assert verdict.known < count
    elif verdict.act == "known":
        assert batch_.first + count - 1 <= through
    else:
        assert batch_.first > max(through + 1, batch_.floor)
