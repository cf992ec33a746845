"""A disk that fills: staff is told long before, pictures, history and snapshots stop first, stock events go on."""

import asyncio
from pathlib import Path

import pytest
from ledgerhouse import LEMONS, UNREPLENISHED, House
from ledgersite import Clock

from gateway import disk
from gateway.disk import Disk
from gateway.errors import HistoryDown
from gateway.history.local import LocalHistory
from gateway.history.words import Point
from gateway.keeping import Keeper
from gateway.ledger.ledger import Ledger

MB = 1_000_000


async def until_scarce(watch: Disk) -> None:
    while not watch.scarce:  # noqa: ASYNC110
        await asyncio.sleep(0.01)


def test_what_is_given_up_first_when_the_disk_fills(tmp_path: Path) -> None:
    free = [100 * MB]

    async def story(house: House) -> None:
        watch = Disk(tmp_path, 10 * MB, lambda _: free[0])
        history = LocalHistory(tmp_path / "history.db", scarce=lambda: watch.scarce)
        keeper = Keeper(UNREPLENISHED, house.ledger, house.clock, lambda: watch.scarce)
        looking = asyncio.create_task(watch.run(house.ledger, house.clock))

        async def until(*, told: bool) -> None:
            while house.ledger.is_open("disk_low", "gateway") != told:  # noqa: ASYNC110
                await asyncio.sleep(0.01)

        free[0] = 39 * MB
        await until(told=True)
        assert house.open()["disk_low", "gateway"].params == {"free_mb": 39, "reserve_mb": 10}
        assert await history.write([Point("level", (), {"units": 1}, 1)]) == []
        free[0] = 9 * MB
        await until_scarce(watch)
        with pytest.raises(HistoryDown, match="make room"):
            await history.write([Point("level", (), {"units": 2}, 2)])
        await house.passes(LEMONS[0])
        await keeper.look()
        assert not house.ledger.snapshots.all()
        assert house.stock().units == 1, "stock events are the last thing that waits"
        free[0] = 200 * MB
        await until(told=False)
        await keeper.look()
        assert house.ledger.snapshots.all()
        looking.cancel()
        await history.close()

    async def run() -> None:
        clock = Clock()
        with Ledger.open(tmp_path / "ledger.db", UNREPLENISHED, clock) as ledger:
            await story(House(ledger, clock))

    asyncio.run(run())


def test_the_real_disk_is_asked(tmp_path: Path) -> None:
    assert Disk(tmp_path, MB).left_bytes > 0
    assert Disk(tmp_path, 2**62).low
    assert disk.ALARM > 1
