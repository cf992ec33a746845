"""The lots of a line: which fruit is whose, counted once, and remembered on the disk."""

import asyncio
import os
from pathlib import Path

import pytest
from patience import until
from sortingrig import at_work

from contract.events import Inspection, Tally
from contract.wire import LotOrder
from edge.vision.line.eye import EyeSeen
from edge.vision.line.lots import LineRecord, Lots, LotsFile, Run
from edge.vision.line.telling import Telling

A, B = LotOrder(lot="L-1", customer="keen"), LotOrder(lot="L-2")


def inspection(n: int) -> Inspection:
    return Inspection(at_us=n, decided_us=n, line="line-a", subject=f"{n}", verdict="good", score=0.1, model="m")


def test_fruit_belongs_to_the_lot_that_ran_when_it_came() -> None:
    lots = Lots(())
    assert lots.of(10) is None
    lots.begin(A, 100)
    lots.begin(B, 200)
    assert [lots.of(at_us) for at_us in (50, 100, 199, 200, 900)] == [None, A, A, B, B]


def test_each_lot_has_its_own_tally_and_one_that_comes_back_goes_on_with_it() -> None:
    lots = Lots(())
    assert lots.count(None, "unseen", missed=False) == Tally(unseen=1)
    lots.begin(A, 100)
    assert lots.count(A, "good", missed=False) == Tally(good=1)
    lots.begin(B, 200)
    assert lots.count(B, "defective", missed=True) == Tally(defective=1, missed=1)
    assert lots.count(A, "good", missed=False) == Tally(good=2)
    lots.begin(A, 300)
    assert lots.count(A, "unsure", missed=False) == Tally(good=2, unsure=1)
    assert lots.of(300) == A


def test_fruit_on_the_belt_stays_of_its_lot_though_that_is_soon_begun_again() -> None:
    lots = Lots(())
    lots.begin(A, 100)
    lots.count(A, "good", missed=False)
    lots.begin(B, 200)
    lots.begin(A, 202)
    assert [lots.of(at_us) for at_us in (50, 198, 200, 201, 202)] == [None, A, B, B, A]
    assert lots.count(lots.of(198), "good", missed=False) == Tally(good=2)
    assert lots.count(lots.of(300), "good", missed=False) == Tally(good=3)
    again = Lots(lots.runs)
    assert again.count(again.of(198), "defective", missed=False) == Tally(good=3, defective=1)


def test_two_lots_that_take_turns_push_no_other_out() -> None:
    lots = Lots(())
    lots.begin(LotOrder(lot="L-0"), 10)
    lots.count(LotOrder(lot="L-0"), "good", missed=False)
    for n in range(50):
        lots.begin(A if n % 2 else B, 100 + n)
        lots.count(A if n % 2 else B, "good", missed=False)
    assert len(lots.runs) == 8
    assert [lots.of(at_us) for at_us in (146, 147, 148, 149)] == [B, A, B, A]
    assert lots.count(LotOrder(lot="L-0"), "good", missed=False) == Tally(good=2)
    assert lots.count(A, "good", missed=False) == Tally(good=26)


def test_the_same_lot_told_again_changes_nothing_but_its_customer() -> None:
    lots = Lots(())
    lots.begin(A, 100)
    lots.count(A, "good", missed=False)
    lots.begin(LotOrder(lot="L-1", customer="easy"), 200)
    assert lots.runs[-1] == Run(LotOrder(lot="L-1", customer="easy"), 100, Tally(good=1))


def test_only_some_lots_are_remembered() -> None:
    lots = Lots(())
    for n in range(100):
        lots.begin(LotOrder(lot=f"L-{n}"), n)
    assert len(lots.runs) == 8
    assert lots.count(LotOrder(lot="L-3"), "good", missed=False) == Tally(good=1)


def test_a_restart_finds_every_line_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "lots.json"
    record = LineRecord((Run(A, 100, Tally(good=3)),), EyeSeen(7, 1000), 12)
    before = LotsFile(path)
    before.save("line-a", record)
    before.save("line-b", LineRecord())
    after = LotsFile(path)
    assert after.record("line-a") == record
    assert after.record("line-b") == after.record("unknown") == LineRecord()
    assert [file.name for file in path.parent.iterdir()] == ["lots.json"]


def test_a_record_is_taken_from_one_clock_to_another_and_nothing_in_it_is_still_to_come() -> None:
    record = LineRecord((Run(None, 50), Run(A, 100, Tally(good=3))), EyeSeen(7, 1000), 12)
    on_wall = record.shifted(5_000_000)
    assert on_wall == LineRecord((Run(None, 5_000_050), Run(A, 5_000_100, Tally(good=3))), EyeSeen(7, 5_001_000), 12)
    assert on_wall.shifted(-5_000_000) == record
    set_back = on_wall.shifted(-4_000_000, 1_500)
    assert set_back == LineRecord((Run(None, 550), Run(A, 600, Tally(good=3))), EyeSeen(7, 1_500), 12)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"line-a": 7}', b"\xff\x00", b'{"line-a":{"runs":[{}]}}'])
def test_a_damaged_file_is_set_aside_and_the_line_begins_anew(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "lots.json"
    path.write_bytes(content)
    lots = LotsFile(path)
    assert lots.record("line-a") == LineRecord()
    assert (tmp_path / "lots.json.bad").read_bytes() == content
    lots.save("line-a", LineRecord(life=1))
    assert LotsFile(path).record("line-a") == LineRecord(life=1)


def test_a_disk_that_takes_nothing_is_told_and_the_same_record_is_kept_when_it_does_again(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.write_bytes(b"no folder")
    lots = LotsFile(folder / "lots.json")
    for _ in range(2):
        with pytest.raises(OSError, match="data"):
            lots.save("line-a", LineRecord(life=1))
    folder.unlink()
    lots.save("line-a", LineRecord(life=1))
    assert LotsFile(folder / "lots.json").record("line-a") == LineRecord(life=1)


def test_each_life_has_its_own_number_though_it_ends_before_it_has_told_anything(tmp_path: Path) -> None:
    path = tmp_path / "lots.json"
    _, first = LotsFile(path).begin("line-a")
    assert [LotsFile(path).begin("line-a")[1] for _ in range(3)] == [(first + n) % 0x10000 for n in (1, 2, 3)]
    kept = LineRecord((Run(A, 100, Tally(good=3)),), EyeSeen(7, 1000), 0xFFFF)
    LotsFile(path).save("line-a", kept)
    assert LotsFile(path).begin("line-a") == (kept, 0)
    assert LotsFile(path).begin("line-b")[0] == LineRecord()


def test_lives_whose_beginning_the_disk_refuses_are_not_called_alike(tmp_path: Path) -> None:
    path = tmp_path / "lots.json"
    LotsFile(path).save("line-a", LineRecord(life=7, eye=EyeSeen(3, 1000)))
    (tmp_path / f"lots.json.{os.getpid()}.new").mkdir()  # no draft can be written there
    begun = [LotsFile(path).begin("line-a") for _ in range(4)]
    assert {record for record, _ in begun} == {LineRecord(life=7, eye=EyeSeen(3, 1000))}
    assert len({life for _, life in begun}) > 1


def test_what_is_decided_is_told_once_it_is_counted_and_a_disk_that_hangs_holds_nobody_up(tmp_path: Path) -> None:
    told: list[Inspection] = []
    counted: list[Inspection] = []
    path = tmp_path / "lots.json"
    telling = Telling("line-a", LotsFile(path), lambda: LineRecord(life=len(counted)), told.append)
    hanging = path.with_name(f"lots.json.{os.getpid()}.new")

    def decide() -> None:
        n = len(counted)
        counted.append(inspection(n))
        telling.put(counted[-1])

    async def story() -> None:
        async with at_work(telling.run):
            decide()
            await until(lambda: told == counted)
            assert LotsFile(path).record("line-a") == LineRecord(life=1)
            os.mkfifo(hanging)  # who opens it to write waits for a reader
            decide()
            await asyncio.sleep(0)
            decide()
            await asyncio.sleep(0)
            assert len(told) == 1
            assert b'"life":2' in await asyncio.to_thread(hanging.read_bytes)
            await until(lambda: told == counted)
        decide()
        assert len(told) == 3

    asyncio.run(story())
    telling.keep_last()
    assert told == counted
    assert LotsFile(path).record("line-a") == LineRecord(life=4)


def test_a_disk_that_takes_nothing_costs_no_verdict(tmp_path: Path) -> None:
    folder, told = tmp_path / "data", list[Inspection]()
    folder.write_bytes(b"no folder")
    telling = Telling("line-a", LotsFile(folder / "lots.json"), LineRecord, told.append)
    event = inspection(1)

    async def story() -> None:
        async with at_work(telling.run):
            telling.put(event)
            await until(lambda: told == [event])

    asyncio.run(story())


def test_a_disk_that_has_room_again_has_the_record_soon_though_no_fruit_comes(tmp_path: Path) -> None:
    folder, told = tmp_path / "data", list[Inspection]()
    folder.write_bytes(b"no folder")
    lots = LotsFile(folder / "lots.json")
    telling = Telling("line-a", lots, lambda: LineRecord(life=len(told)), told.append)

    async def story() -> None:
        async with at_work(telling.run):
            telling.put(inspection(1))
            await until(lambda: len(told) == 1)
            folder.unlink()
            await until(lambda: LotsFile(folder / "lots.json").record("line-a") == LineRecord(life=1))

    asyncio.run(story())
    assert told == [inspection(1)]


def test_fruit_that_comes_while_the_disk_hangs_is_told_in_its_order_and_once(tmp_path: Path) -> None:
    told: list[Inspection] = []
    early: list[int] = []
    decided = [inspection(n) for n in range(2_500)]
    path = tmp_path / "lots.json"
    telling = Telling("line-a", LotsFile(path), lambda: LineRecord(life=len(told)), told.append)
    telling.put(decided[0])
    hanging = path.with_name(f"lots.json.{os.getpid()}.new")

    async def story() -> None:
        async with at_work(telling.run):
            await until(lambda: len(told) == 1)
            os.mkfifo(hanging)  # who opens it to write waits for a reader
            for event in decided[1:11]:
                telling.put(event)
            await asyncio.sleep(0)
            for event in decided[11:]:
                telling.put(event)
            early.append(len(told))
            await asyncio.to_thread(hanging.read_bytes)
            await until(lambda: len(told) >= len(decided))

    asyncio.run(story())
    assert told == decided
    assert early == [len(decided) - 1000]
