"""The cold chain over HTTP: what sensors and zones were like, and what goods bore that stood there, or a lot."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from ledgersite import LETTUCE, SECOND, SITE, Edge, case, now_us
from servedgateway import Served, assert_problem, served

from contract import events
from contract.coldchain import PRODUCE
from gateway import records
from gateway.ledger.watching.climate import KEPT_DAYS

MINUTE = 60 * SECOND
PATH = "/api/v1/conditions"
GROCER = SITE.model_copy(
    update={
        "items": [
            item.model_copy(update={"keeps": PRODUCE["lettuce"]}) if item.sku == "lettuce-12" else item
            for item in SITE.items
        ]
    }
)


def told(value: float, at_us: int, device: str = "cold-room-temperature") -> events.Condition:
    return events.Condition(
        at_us=at_us, decided_us=at_us, device=device, zone="cold-room", quantity="temperature_c", value=value
    )


def play(folder: Path, story: Callable[[Served, int], Awaitable[None]]) -> None:
    """An hour at 4 degrees, of which ten minutes were at 10 by a second sensor; the time of its first reading."""

    async def played() -> None:
        async with served(folder, GROCER) as gateway:
            began_us = (now_us() - 120 * MINUTE) // (15 * MINUTE) * 15 * MINUTE
            warm = [told(10 if 20 <= n < 30 else 4, began_us + n * MINUTE, "by-the-door") for n in range(60)]
            edge = Edge(gateway.ledger)
            await edge.tell(*(told(4, began_us + n * MINUTE) for n in range(60)), *warm)
            await story(gateway, began_us)

    asyncio.run(played())


def test_each_sensor_and_each_zone_has_its_extremes_and_its_time_out_of_range(tmp_path: Path) -> None:
    async def story(gateway: Served, began_us: int) -> None:
        asked = {"since_us": began_us, "until_us": began_us + 60 * MINUTE}
        found = (await gateway.client.get(PATH, params=asked)).json()
        assert [view["device"] for view in found["now"]] == ["by-the-door", "cold-room-temperature"]
        by_door, usual = found["sensors"]
        assert (by_door["out_minutes"], by_door["low"], by_door["high"], by_door["minutes"]) == (10, 4, 10, 60)
        assert (usual["out_minutes"], usual["kinetic_c"], usual["mean"]) == (0, 4, 4)
        (zone,) = found["zones"]
        assert (zone["device"], zone["out_minutes"], zone["kinetic_c"]) == (None, 10, by_door["kinetic_c"])
        assert by_door["mean"] < by_door["kinetic_c"] < 10

    play(tmp_path, story)


def test_what_goods_bore_in_a_zone(tmp_path: Path) -> None:
    async def story(gateway: Served, began_us: int) -> None:
        asked = {"since_us": began_us, "until_us": began_us + 60 * MINUTE, "sku": "lettuce-12"}
        found = (await gateway.client.get(f"{PATH}/cold-room/exposure", params=asked)).json()
        assert found["temperature"]["out_minutes"] == 10
        assert found["humidity"]["minutes"] == 0
        keeping = found["keeping"]
        assert (keeping["life_days"], keeping["life_at_c"], keeping["chilled_minutes"]) == (21, 0, 0)
        assert keeping["used"] == pytest.approx(60 / 1440 / 21 * 2.5**0.4, rel=0.2)
        later = asked | {"until_us": began_us + 90 * MINUTE}
        more = (await gateway.client.get(f"{PATH}/cold-room/exposure", params=later)).json()
        assert more["temperature"]["unknown_minutes"] == 30
        assert more["keeping"]["remaining_days"] < keeping["remaining_days"]

    play(tmp_path, story)


def test_what_cannot_be_asked_is_refused_with_the_place(tmp_path: Path) -> None:
    async def story(gateway: Served, began_us: int) -> None:
        get = gateway.client.get
        assert_problem(await get(f"{PATH}/attic/exposure"), 404, "unknown-zone")
        assert_problem(await get(PATH, params={"since_us": 5, "until_us": 5}), 422, "invalid-request")
        long_ago = began_us - (KEPT_DAYS + 1) * 1440 * MINUTE
        assert_problem(await get(PATH, params={"since_us": long_ago}), 422, "invalid-request")
        unknown = await get(f"{PATH}/cold-room/exposure", params={"sku": "orange-8kg"})
        assert_problem(unknown, 422, "invalid-request")
        assert unknown.json()["mistakes"][0]["where"] == "query.sku"
        assert (await get(f"{PATH}/cold-room/exposure")).json()["keeping"] is None

    play(tmp_path, story)


def test_what_a_lot_bore_wherever_it_stood(tmp_path: Path) -> None:
    async def story(gateway: Served, began_us: int) -> None:
        epc = case(LETTUCE, 7)
        item = records.ImportedItem(epc=epc, zone="cold-room", lot="L/7")
        await gateway.ledger.record(records.ItemsImported(at_us=began_us, who="Ana", items=(item,)))
        out_us = began_us + 45 * MINUTE
        moved = events.ZoneSeen(at_us=out_us, decided_us=out_us, zone="receiving", epcs=(epc,))
        await Edge(gateway.ledger, "gate-edge").tell(moved)
        path = "/api/v1/lots/L/7/exposure"
        asked: dict[str, str | int] = {"sku": "lettuce-12", "until_us": began_us + 60 * MINUTE}
        found = (await gateway.client.get(path, params=asked)).json()
        assert found["stays"] == [
            {"zone": "cold-room", "since_us": began_us, "until_us": out_us},
            {"zone": "receiving", "since_us": out_us, "until_us": began_us + 60 * MINUTE},
        ]
        told = found["temperature"]
        assert (told["minutes"], told["unknown_minutes"], told["out_minutes"]) == (45, 15, 10)
        assert found["complete"]
        assert 0 < found["keeping"]["used"] < 0.01
        assert_problem(await gateway.client.get(path, params={"sku": "lemon-4kg"}), 404, "unknown-lot")

    play(tmp_path, story)
