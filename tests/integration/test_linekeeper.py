"""A line of an agent with a real inspector over pictures of a belt, and nothing else: no gate, no broker."""

import asyncio
import shutil
import time
from pathlib import Path

import psutil
import pytest
from sortingrig import at_work, until
from watchedline import film, line

from contract import wire
from contract.events import Device, Inspection
from contract.site import Agent, Broker
from contract.sortingline import SortingLine
from contract.wire import LotOrder
from edge.evidence.link import EvidenceLink
from edge.evidence.spool import Spool
from edge.vision import choice
from edge.vision.choice import Choice
from edge.vision.line.linekeeper import Linekeeper, Ways
from edge.vision.line.lots import LotsFile
from edge.vision.models import package
from firmware_sim.belt import Piece

FPS = 8
SEED = 11
FRUIT = 8


@pytest.fixture(scope="module")
def belt(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Piece]]:
    folder = tmp_path_factory.mktemp("belt") / "pictures"
    return folder, film(folder, fruit=FRUIT, fps=FPS, seed=SEED)


class Watch:
    """A linekeeper at work and everything that it told."""

    def __init__(self, of: SortingLine, data: Path) -> None:
        self.inspections: list[Inspection] = []
        self.devices: list[Device] = []
        self.spool = Spool(data / "evidence", 10**8)
        link = EvidenceLink(Broker(port=1), "north", Agent(name="edge", data=data), self.spool)
        ways = Ways(self.inspections.append, self.devices.append, _no_gate, link)
        lots = LotsFile(data / "lots.json")
        self.keeper = Linekeeper(of, (), "edge", data, lots, ways, wall_us)
        self.link = link

    @property
    def states(self) -> list[str]:
        return [device.state for device in self.devices]

    @property
    def verdicts(self) -> list[str]:
        return [event.verdict for event in self.inspections]


def test_a_line_without_a_gate_tells_of_each_fruit_with_its_lot_and_keeps_the_pictures(
    belt: tuple[Path, list[Piece]], tmp_path: Path
) -> None:
    folder, pieces = belt
    of = line(folder, FPS).model_copy(update={"sample": 1.0})

    async def story() -> None:
        watch = Watch(of, tmp_path)
        watch.keeper.begin_lot(LotOrder(lot="L-7", sku="lemon-4kg"))
        async with at_work(watch.keeper.run, watch.link.run):
            await until(lambda: len(watch.inspections) >= FRUIT)
            await until(lambda: len(watch.spool.waiting()) >= FRUIT - 1)
            await until(lambda: watch.states[-1:] == ["lost"])  # the folder has no more pictures
        truth = ["defective" if piece.defective else "good" for piece in pieces]
        agreed = sum(told == true for told, true in zip(watch.verdicts, truth, strict=True))
        assert agreed >= FRUIT - 1, f"seed {SEED}: {watch.verdicts} and not {truth}"
        assert {event.lot for event in watch.inspections} == {"L-7"}
        assert {event.gate for event in watch.inspections} == {None}
        assert watch.states[0] == "connected"
        last = watch.inspections[-1].tally
        assert last is not None
        assert last.good + last.defective + last.unsure + last.unseen == FRUIT
        names = {event.subject for event in watch.inspections if event.evidence}
        assert {one.id for one in watch.spool.waiting()} <= names
        for one in watch.spool.waiting():
            body = watch.spool.read(one.id)
            assert body is not None
            assert wire.decode_evidence(body).picture.startswith(b"\xff\xd8")
        again = Watch(of, tmp_path)
        assert again.keeper.lot == LotOrder(lot="L-7", sku="lemon-4kg")
        assert len(again.spool.waiting()) == len(watch.spool.waiting())

    asyncio.run(story())


def test_models_are_changed_while_the_belt_runs_and_a_bad_one_changes_nothing(
    belt: tuple[Path, list[Piece]], tmp_path: Path
) -> None:
    folder, _ = belt
    root = tmp_path / "models"
    shutil.copytree(package.folder_of(package.SHIPPED, "finder"), root / "finder" / "1")
    for version in (1, 2, 3):
        copy = root / "lemon" / str(version)
        shutil.copytree(package.folder_of(package.SHIPPED, "lemon"), copy)
        manifest = copy / "manifest.toml"
        lines = [
            f"version = {version}" if text.startswith("version =") else text
            for text in manifest.read_text(encoding="utf-8").splitlines()
        ]
        manifest.write_text("\n".join(lines) + "\n", encoding="utf-8")
    broken = root / "lemon" / "3" / "int8.onnx"
    broken.write_bytes(broken.read_bytes()[:1000])
    data = tmp_path / "edge"

    def models(watch: Watch) -> set[str]:
        return {"-".join(event.model.split("-")[:2]) for event in watch.inspections[-3:]}

    async def story() -> None:
        choice.write(choice.choice_file(data, "line-a"), Choice(active=1, shadow=2))
        watch = Watch(line(folder, FPS, repeat=True, models=root), data)
        async with at_work(watch.keeper.run, watch.link.run):
            await until(lambda: models(watch) == {"lemon-1"} and watch.inspections[-1].second is not None)
            second = watch.inspections[-1].second
            assert second is not None
            assert second.model.startswith("lemon-2-")
            choice.write(choice.choice_file(data, "line-a"), Choice(active=2, previous=1))
            await until(lambda: models(watch) == {"lemon-2"})
            assert watch.inspections[-1].second is None
            told = len(watch.inspections)
            choice.write(choice.choice_file(data, "line-a"), Choice(active=3, previous=2))
            await until(lambda: len(watch.inspections) > told + 6)
            assert models(watch) == {"lemon-2"}
            assert "lost" not in watch.states

    asyncio.run(story())


def test_an_inspector_that_hangs_is_ended_and_another_one_begins(
    belt: tuple[Path, list[Piece]], tmp_path: Path
) -> None:
    folder, _ = belt

    async def story() -> None:
        watch = Watch(line(folder, FPS, repeat=True), tmp_path)
        async with at_work(watch.keeper.run, watch.link.run):
            await until(lambda: len(watch.inspections) >= 1)
            [inspector] = [
                one for one in psutil.Process().children() if "edge.vision.inspector.process" in one.cmdline()
            ]
            inspector.suspend()
            await until(lambda: "lost" in watch.states)
            assert "has told nothing" in next(one.detail for one in watch.devices if one.state == "lost")
            told = len(watch.inspections)
            await until(lambda: len(watch.inspections) > told and watch.states[-1] == "connected")
            assert not inspector.is_running() or inspector.status() == psutil.STATUS_ZOMBIE
            assert watch.keeper.figures()["inspector_restarts"] == 1

    asyncio.run(story())


def _no_gate(coil: object) -> None:
    raise AssertionError(f"a line without a gate asked for {coil}")


def wall_us() -> int:
    return time.time_ns() // 1000
