"""A sorting line of an agent: brings frames, counts and lots to its rule, and does what that decides.

inspector process --FrameSeen, ...--> rule <--eye, encoder-- fieldbus <--CoilWrite--.
     ^---- WantCrop, UseModels ------  |  `--> Inspection --> decisions             |
                picture of a fruit <---'------------------------------------------->'
                   `--> evidence link

Inside, times are those of the steady clock, which nobody sets; what is told, and kept on the disk, has the time on the
wall. Coils go out first, and nothing here waits for the disk.
"""

import asyncio
import contextlib
import os
import random
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Final, NamedTuple, NoReturn, TypeVar

import structlog
from msgspec import structs

from contract.events import Device, Inspection
from contract.sortingline import Grade, SortingLine
from contract.wire import LotOrder
from edge.backoff import Backoff
from edge.coils import CoilWrite
from edge.errors import InspectorGone
from edge.evidence.link import EvidenceLink
from edge.steadyclock import steady_us
from edge.vision.choice import ChosenModels
from edge.vision.line import inspectorprocess
from edge.vision.line.camerastate import CameraState
from edge.vision.line.exhibits import Exhibits
from edge.vision.line.gate import CoilOrder
from edge.vision.line.inspectorprocess import InspectorProcess
from edge.vision.line.line import Decided, Line, PictureOrder
from edge.vision.line.lots import LotsFile
from edge.vision.line.telling import Telling
from edge.vision.messages import (
    Begin,
    BeltPicture,
    CameraTold,
    Crop,
    Drift,
    Figures,
    FrameSeen,
    Told,
    UseModels,
    UseThresholds,
    Using,
    WantCrop,
)

CHOICE_EVERY_S: Final = 0.5
_LONGEST_SLEEP_S: Final = 1.0
_SHORTEST_SLEEP_S: Final = 0.001
_HEALTHY_S: Final = 60.0
_MAX_FIGURES: Final = 40
"""Of an inspector: an event has room for 50 in all."""
_SAME_TROUBLE_US: Final = 60_000_000
"""That fruit could not be counted is told once in so long a time."""

Event = TypeVar("Event", Inspection, Device)

log = structlog.get_logger(__name__)


class Ways(NamedTuple):
    """Where a line's words go; all are called in the event loop."""

    decided: Callable[[Inspection], None]
    device: Callable[[Device], None]
    coil: Callable[[CoilWrite], None]
    evidence: EvidenceLink


class Linekeeper:
    """The clock and the processes around a `Line`, which has none."""

    def __init__(
        self,
        line: SortingLine,
        grades: Sequence[Grade],
        agent: str,
        data: Path,
        lots: LotsFile,
        ways: Ways,
        clock: Callable[[], int],
    ) -> None:
        """`data`: the agent's data folder. `clock` gives microseconds of wall time, and may be set at any time."""
        self.line = line
        self._data, self._ways, self._clock = data, ways, clock
        record, life = lots.begin(line.name)
        self._rule = Line(line, grades, life, record.shifted(-self._ahead_us, steady_us()))
        self._inspector: InspectorProcess | None = None
        self._chosen = ChosenModels(data, line.name)
        self._choosing = asyncio.Lock()
        self._exhibits = Exhibits(agent, line.name, ways.evidence, lambda at_us: at_us + self._ahead_us)
        self._camera = CameraState(line.camera.name, lambda event: ways.device(self._on_wall(event)))
        self._backoff = Backoff(0.2, 10.0, random.Random())
        self._stirred = asyncio.Event()
        self._figures: Mapping[str, int] = {}
        self._restarts = 0
        self._slowest_us = 0
        self._uncounted_us: int | None = None
        self._telling = Telling(line.name, lots, lambda: self._rule.record.shifted(self._ahead_us), ways.decided)

    @property
    def lot(self) -> LotOrder | None:
        """What runs now."""
        return self._rule.lot

    def count(self, register: str, count: int, asked_us: int, heard_us: int) -> None:
        """A counter of the fieldbus stood so, at some moment between the two; one of another line is ignored."""
        gate = self.line.gate
        if gate is None or register not in (gate.eye_count, gate.encoder):
            return
        if register == gate.encoder:
            self._rule.encoder(count, heard_us)
            return
        lost = self._rule.eye(count, asked_us, heard_us)
        if lost:
            self._tell_uncounted(gate.modbus, lost, heard_us)
        if self._rule.next_due_us() is not None:
            self._decide()
            self._stirred.set()

    def cleared(self, register: str) -> None:
        """All coils of this gate are about to be cleared; one that is not of this line is ignored."""
        if self.line.gate and register == self.line.gate.pass_coils:
            self._do(self._rule.cleared(steady_us()))

    def begin_lot(self, order: LotOrder) -> None:
        """This lot runs from now on."""
        if order != self._rule.lot:
            log.info("lot", line=self.line.name, lot=order.lot, sku=order.sku, customer=order.customer)
            self._rule.begin_lot(order, steady_us())
            self._telling.changed()
            self._tell_thresholds()

    def figures(self) -> dict[str, int]:
        """For the health of the camera: what its inspector counts, and the fruit of the line, since the start.

        `gate_ms_max` is the longest that a fruit's coil took from the eye, since the figures were asked for last.
        """
        slowest_ms, self._slowest_us = self._slowest_us // 1000, 0
        own = {**self._rule.counts, "inspector_restarts": self._restarts, "gate_ms_max": slowest_ms}
        return own | dict(list(self._figures.items())[:_MAX_FIGURES])

    def keep_last(self) -> None:
        """Keep and tell what is decided. Call it when everything that tells this line of something has ended."""
        self._decide()
        self._telling.keep_last()

    async def run(self) -> NoReturn:
        """Watch for ever."""
        self._camera.begin()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._inspect())
            tasks.create_task(self._watch_clock())
            tasks.create_task(self._watch_choice())
            tasks.create_task(self._telling.run())
        raise AssertionError("its tasks never end")

    # The inspector

    async def _inspect(self) -> NoReturn:
        """Keep an inspector at work."""
        loop = asyncio.get_running_loop()
        self._rule.inspector_began()
        while True:
            began_s = loop.time()
            try:
                await self._one_life()
            except (InspectorGone, OSError) as error:
                self._camera.lost(f"its inspector {error}; it is started again", steady_us())
            finally:
                self._inspector = None
                self._rule.inspector_began()
                self._exhibits.give_up()
                self._decide()
            self._restarts += 1
            if loop.time() - began_s > _HEALTHY_S:
                self._backoff.reset()
            await asyncio.sleep(self._backoff.next_s())

    async def _one_life(self) -> None:
        await self._choose()
        models = self._chosen.last
        active, shadow = (models.active, models.shadow) if models else (None, None)
        begin = Begin(os.getpid(), self.line.model_dump_json(), str(self._data), active, shadow)
        async with inspectorprocess.inspector(begin) as self._inspector:
            if self._chosen.last and self._chosen.last != models:
                self._inspector.tell(self._chosen.last)  # chosen while it was being started
            while True:
                self._heard(await self._inspector.told())

    def _heard(self, told: Told) -> None:
        match told:
            case FrameSeen():
                self._rule.frame(told)
            case CameraTold():
                self._rule.camera(told)
                self._camera.told(told, steady_us())
            case Using():
                self._rule.using(told)
                self._tell_thresholds()
                if told.refused:
                    log.error("model refused", line=self.line.name, uses=told.model, reason=told.refused)
            case Crop():
                self._exhibits.crop(told)
            case BeltPicture():
                self._exhibits.belt(told)
            case Figures(counts):
                self._figures = counts
            case Drift():
                self._camera.drift(told, steady_us())
        self._decide()

    def _tell_thresholds(self) -> None:
        thresholds = self._rule.thresholds
        if self._inspector and thresholds:
            self._inspector.tell(UseThresholds(thresholds.good_below, thresholds.defective_from))

    # Time, and what is decided

    async def _watch_clock(self) -> NoReturn:
        while True:
            self._stirred.clear()
            due_us = self._rule.next_due_us()
            wait_s = _LONGEST_SLEEP_S if due_us is None else (due_us - steady_us()) / 1e6
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(min(max(wait_s, _SHORTEST_SLEEP_S), _LONGEST_SLEEP_S)):
                    await self._stirred.wait()
            self._decide()
            self._camera.due(steady_us())

    async def _watch_choice(self) -> NoReturn:
        """Models that a person chose take over in the inspector that runs."""
        while True:
            await asyncio.sleep(CHOICE_EVERY_S)
            chosen = await self._choose()
            if chosen and self._inspector:
                self._inspector.tell(chosen)

    async def _choose(self) -> UseModels | None:
        """What was chosen since the last time."""
        async with self._choosing:
            return await asyncio.to_thread(self._chosen.poll)

    def _decide(self) -> None:
        self._do(self._rule.due(steady_us()))

    def _do(self, decided: Sequence[Decided]) -> None:
        for order in decided:
            if isinstance(order, CoilOrder):
                self._ask_gate(order)
        for one in decided:
            match one:
                case PictureOrder():
                    self._ask_picture(one)
                case Inspection():
                    self._telling.put(self._on_wall(one))

    def _ask_gate(self, order: CoilOrder) -> None:
        assert self.line.gate is not None
        answered = partial(self._answered, order) if order.value else _ignore
        self._ways.coil(CoilWrite(self.line.gate.pass_coils, order.place, order.value, order.until_us, answered))

    def _answered(self, order: CoilOrder, written_us: int | None) -> None:
        now_us = steady_us()
        self._slowest_us = max(self._slowest_us, now_us - order.broken_us)
        self._do(self._rule.written(order.fruit, written_us, now_us))
        self._stirred.set()

    def _ask_picture(self, order: PictureOrder) -> None:
        if self._inspector:
            self._exhibits.want(order)
            self._inspector.tell(WantCrop(order.track))

    def _tell_uncounted(self, device: str, detail: str, at_us: int) -> None:
        if self._uncounted_us is None or at_us - self._uncounted_us > _SAME_TROUBLE_US:
            self._uncounted_us = at_us
            log.warning("eye counter", line=self.line.name, device=device, detail=detail)
            event = Device(at_us=at_us, decided_us=steady_us(), device=device, state="data_lost", detail=detail)
            self._ways.device(self._on_wall(event))

    # The clock on the wall

    @property
    def _ahead_us(self) -> int:
        """So far is the clock on the wall ahead of the steady one, as it is set now."""
        return self._clock() - steady_us()

    def _on_wall(self, event: Event) -> Event:
        ahead_us = self._ahead_us
        return structs.replace(event, at_us=event.at_us + ahead_us, decided_us=event.decided_us + ahead_us)


def _ignore(written_us: int | None) -> None:
    """The answer to a coil that is cleared: one that is not cleared is cleared with the next connection."""
