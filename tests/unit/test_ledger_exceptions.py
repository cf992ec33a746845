"""Given something that staff should look at, when people say what they like, then the truth has the last word."""

import re
from pathlib import Path
from typing import get_args

import msgspec
from ledgerhouse import LEMONS, House, cases_of, play
from ledgersite import SECOND, TOMATO, case

from gateway import records
from gateway.ledger.rows import ExceptionKind, Incident
from gateway.ledger.troubles import exceptionkinds
from gateway.ledger.troubles.exceptionwatch import STILL_AFTER_US
from gateway.records.stockrecords import LotExpired, MovedLine, StockMoved
from gateway.views import ExceptionView

MINUTE = 60


async def resolve(house: House, id_: str, why: str = "dealt with") -> None:
    await house.ledger.record(records.ExceptionResolved(at_us=house.clock(), id=id_, who="Ana", why=why))


async def snooze(house: House, id_: str, minutes: float) -> None:
    until_us = house.clock() + round(minutes * MINUTE * SECOND)
    await house.ledger.record(records.ExceptionSnoozed(at_us=house.clock(), id=id_, who="Ana", until_us=until_us))


async def reopen(house: House, id_: str) -> None:
    await house.ledger.record(records.ExceptionReopened(at_us=house.clock(), id=id_, who="Ben", why="not so"))


async def later(house: House, minutes: float) -> None:
    """Nothing happens for so long, while the agent is heard."""
    house.clock.turn(minutes * MINUTE)
    await house.beat()
    await house.ledger.tick(house.clock())


def view(house: House, id_: str) -> ExceptionView:
    return house.ledger.views("exceptions")[id_]


async def lacks(house: House, units: int = 1) -> None:
    """More went out of a zone than was known to be there."""
    line = MovedLine(target=None, origin="receiving", sku="lemon-4kg", units=units)
    await house.ledger.record(StockMoved(at_us=house.clock.turn(1), who="Ana", reason="sale", lines=(line,)))


def test_somebody_takes_care_of_it_or_lets_it_go(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        await house.device("reader-dock-1", "lost")
        (id_,) = (one.id for one in house.open().values())
        claim = records.ExceptionClaimed(at_us=house.clock(), id=id_, who="Ana")
        await house.ledger.record(claim)
        assert view(house, id_).claimed_by == "Ana"
        await house.ledger.record(records.ExceptionClaimed(at_us=house.clock(), id=id_, who="Ana", let_go=True))
        assert view(house, id_).claimed_by is None
        await resolve(house, id_)
        await house.ledger.record(claim)
        assert view(house, id_).claimed_by is None, "what is resolved needs nobody"

    play(tmp_path, story)


def test_snoozed_it_is_quiet_until_then_or_until_it_gets_worse(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        await house.passes(LEMONS[0], direction="unknown")
        (one,) = house.open().values()
        await snooze(house, one.id, 30)
        assert view(house, one.id).snoozed_until_us == house.clock() + 30 * MINUTE * SECOND
        await later(house, 29)
        assert view(house, one.id).snoozed_until_us is not None
        await later(house, 1)
        assert view(house, one.id).snoozed_until_us is None
        await snooze(house, one.id, 30)
        await house.passes(LEMONS[1], direction="unknown")
        assert (view(house, one.id).count, view(house, one.id).snoozed_until_us) == (2, None)
        await snooze(house, one.id, -1)
        assert view(house, one.id).snoozed_until_us is None, "a moment that is over is none"

    play(tmp_path, story)


def test_an_earlier_end_of_a_snooze_does_not_wake_a_later_one(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        await house.device("reader-dock-1", "lost")
        (one,) = house.open().values()
        await snooze(house, one.id, 10)
        ends = records.SnoozeEnded(at_us=house.clock() + 10 * MINUTE * SECOND, id=one.id)
        await snooze(house, one.id, 60)
        await house.ledger.record(ends)
        assert view(house, one.id).snoozed_until_us is not None

    play(tmp_path, story)


def test_what_is_still_so_opens_again_by_itself(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        await lacks(house)
        (one,) = house.open().values()
        await resolve(house, one.id, "counted")
        await later(house, 14)
        assert not house.open()
        await later(house, 2)
        again = house.open()["negative_stock", "lemon-4kg"]
        assert (again.id, again.reopened, again.resolved_by, len(again.rows)) == (one.id, 1, None, 2)
        await resolve(house, one.id, "counted")
        await lacks(house)
        again = house.open()["negative_stock", "lemon-4kg"]
        assert (again.id, again.reopened, again.count) == (one.id, 2, 2), "told again, it is open at once"
        await resolve(house, one.id, "counted")
        found = MovedLine(target="receiving", sku="lemon-4kg", units=2)
        await house.ledger.record(StockMoved(at_us=house.clock.turn(1), who="Ana", reason="found", lines=(found,)))
        await later(house, 60)
        assert not house.open(), "it has ended"
        assert STILL_AFTER_US == 15 * MINUTE * SECOND

    play(tmp_path, story)


def test_a_device_that_stays_away_is_no_resolved_matter(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        await house.device("reader-dock-1", "lost")
        (one,) = house.open().values()
        await resolve(house, one.id, "plugged in")
        await house.device("reader-dock-1", "connected")
        await later(house, 60)
        assert not house.open()
        await house.device("reader-dock-1", "lost")
        (new,) = house.open().values()
        assert (new.id, new.reopened) == ("device_lost-reader-dock-1-2", 0), "lost anew is another one"

    play(tmp_path, story)


def test_what_happened_once_is_over_when_somebody_says_so(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        await house.announce(cases=cases_of(*LEMONS[:3]))
        await house.passes(LEMONS[0])
        await house.settle()
        await resolve(house, "missing-S1-1", "accepted as short")
        await later(house, 60)
        assert not house.open()

    play(tmp_path, story)


def test_a_resolution_is_taken_back(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        await house.announce(cases=cases_of(*LEMONS[:3]))
        await house.passes(LEMONS[0], case(TOMATO, 1))
        await house.settle()
        await resolve(house, "missing-S1-1", "accepted as short")
        await resolve(house, "unexpected-S1-1", "a gift")
        await house.passes(LEMONS[1])
        await reopen(house, "missing-S1-1")
        assert house.open()["missing", "S1"].count == 1, "as it is now"
        assert (view(house, "missing-S1-1").reopened, view(house, "missing-S1-1").reason) == (1, None)
        await house.passes(case(TOMATO, 2))
        assert house.open()["unexpected", "S1"].id == "unexpected-S1-2"
        await reopen(house, "unexpected-S1-1")
        assert view(house, "unexpected-S1-1").state == "resolved", "there is an open one about the same"
        await resolve(house, "missing-S1-1", "accepted as short")
        await house.passes(LEMONS[2])
        await reopen(house, "missing-S1-1")
        assert ("missing", "S1") not in house.open(), "nothing is missing any more"

    play(tmp_path, story)


def test_what_ended_by_itself_is_not_opened_by_hand(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        await house.device("reader-dock-1", "lost")
        (one,) = house.open().values()
        await house.device("reader-dock-1", "connected")
        await reopen(house, one.id)
        await reopen(house, "no-such-exception-1")
        assert not house.open()

    play(tmp_path, story)


def test_what_the_gateway_notices_begins_and_ends(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        noticed = records.Noticed(
            at_us=house.clock(), what="probably_gone", subject="receiving", count=3, params={"epcs": LEMONS[0]}
        )
        await house.ledger.record(noticed, noticed)
        one = house.open()["probably_gone", "receiving"]
        assert (one.count, one.severity, one.fix, one.params) == (3, "attention", "look-for-it", {"epcs": LEMONS[0]})
        await resolve(house, one.id)
        await house.ledger.record(noticed)
        assert not house.open(), "it may yet end"
        await house.ledger.record(msgspec.structs.replace(noticed, count=4))
        assert house.open()["probably_gone", "receiving"].reopened == 1
        await house.ledger.record(
            records.Ceased(at_us=house.clock(), what="probably_gone", subject="receiving", why="seen")
        )
        assert not house.open()

    play(tmp_path, story)


def test_an_expired_lot_is_told_until_none_of_it_is_left(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        held = MovedLine(target="receiving", sku="lemon-4kg", units=2, lot="L1")
        await house.ledger.record(
            StockMoved(at_us=house.clock(), who="Ana", reason="found", lines=(held,)),
            records.AsnReceived(
                at_us=house.clock(), id="S1", direction="inbound", partner="P",
                lines=(records.AsnLine(sku="lemon-4kg", units=1, lot="L1", expires="2026-11-01"),),
            ),
            LotExpired(at_us=house.clock(), sku="lemon-4kg", lot="L1", expires="2026-11-01"),
        )  # fmt: skip
        one = house.open()["expired", "lemon-4kg L1"]
        assert (one.count, one.fix) == (2, "take-off-sale")
        await resolve(house, one.id)
        await later(house, 16)
        assert house.open()["expired", "lemon-4kg L1"].reopened == 1
        gone = MovedLine(target=None, origin="receiving", sku="lemon-4kg", units=2, lot="L1")
        await house.ledger.record(StockMoved(at_us=house.clock.turn(1), who="Ana", reason="scrap", lines=(gone,)))
        await later(house, 1)
        assert not house.open()

    play(tmp_path, story)


def test_it_names_the_rows_that_it_rests_on(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        for _ in range(30):
            await house.passes(LEMONS[0], direction="unknown")
        (one,) = house.open().values()
        passes = [row.id for row in house.ledger.rows(0, 100) if row.kind == "door_pass"]
        assert one.rows == [passes[0], *passes[-19:]]

    play(tmp_path, story)


def test_what_may_open_again_is_kept_however_much_is_resolved_after_it(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        await lacks(house)
        (one,) = house.open().values()
        await resolve(house, one.id)
        for _ in range(25):
            await house.device("reader-dock-1", "lost")
            await house.device("reader-dock-1", "connected")
        assert one.id in house.ledger.views("exceptions")
        await later(house, 16)
        assert house.open().keys() == {("negative_stock", "lemon-4kg")}

    play(tmp_path, story)


def test_every_kind_is_documented_as_it_is() -> None:
    text = Path("docs/api.md").read_text(encoding="utf-8")
    told = re.findall(r"^\| `(\w+)` \| (wrong|attention) \| (yes)? ?\| `([a-z-]+)` \|$", text, re.MULTILINE)
    plain = {kind: Incident(kind, "s", 1, {}, opened_us=0, updated_us=0) for kind in get_args(ExceptionKind)}
    assert {kind: (loud, lasts == "yes", fix) for kind, loud, lasts, fix in told} == {
        kind: (exceptionkinds.severity(one), kind in exceptionkinds.LASTING, exceptionkinds.fix(one))
        for kind, one in plain.items()
    }
