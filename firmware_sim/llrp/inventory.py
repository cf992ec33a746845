"""The one ROSpec of a reader as it lives: added, enabled, started by its trigger, stepping through its AISpecs
(LLRP 1.0.1 section 10.2).

                 ADD             ENABLE              start trigger or START
    (none) ------------> Disabled ------> Inactive -------------------------> Active
                            ^                ^                                   |
                            +---- DISABLE ---+---- stop trigger, STOP, last AISpec ended

An ROSpec with an immediate start trigger that ended by itself starts again at once, as readers in the field do.
"""

import asyncio
import struct
from collections.abc import Callable, Mapping

from firmware_sim.errors import BadFrame
from firmware_sim.llrp.antenna import AntennaSetting
from firmware_sim.llrp.harvest import Harvest, Place
from firmware_sim.llrp.mask import selected
from firmware_sim.llrp.reportrule import ReportRule
from firmware_sim.llrp.rospec import AiSpec, GpiTrigger, Observe, RoSpec, Start, State, Stop
from firmware_sim.llrp.settings import Settings
from firmware_sim.llrp.words import Notice, Param, Status
from firmware_sim.radio import TagRead
from firmware_sim.tagmemory import Tags


class Inventory:
    """The reader's ROSpec. Lives in one event loop; `close` when done.

    The tags that it hears go into `harvest`; `notice` is called with what happens, and whether a client wants to know
    is the receiver's business.
    """

    def __init__(
        self, settings: Settings, harvest: Harvest, tags: Tags, notice: Callable[[Notice, Param, bytes], None]
    ) -> None:
        self.settings = settings
        """The reader's configuration, where the ROSpec says nothing else."""
        self.spec: RoSpec | None = None
        self.state = State.DISABLED
        self.cables = frozenset(range(1, len(settings.antennas) + 1))
        """Ports with an antenna."""
        self._harvest, self._tags, self._notice = harvest, tags, notice
        self._step = 0
        self._driven: dict[int, AntennaSetting] = {}
        self._reads = 0
        self._epcs: set[str] = set()
        self._schedule: asyncio.TimerHandle | None = None
        self._timers: list[asyncio.TimerHandle] = []
        self._silence: asyncio.TimerHandle | None = None

    @property
    def on_air(self) -> Mapping[int, AntennaSetting]:
        """How each antenna of the AISpec that runs is driven, by port; empty while none does."""
        if self.state != State.ACTIVE:
            return {}
        return {port: setting for port, setting in self._driven.items() if port in self.cables}

    def selects(self, setting: AntennaSetting, first_epc: str) -> bool:
        """Whether the tag that came with an EPC takes part, by its memory."""
        return selected(setting.filters, self._tags[first_epc])

    # Requests. An id of 0 stands for all. Each raises BadFrame for an unknown id.

    def add(self, spec: RoSpec) -> None:
        """Take an ROSpec; raises `BadFrame` for a known id or where there is one already."""
        if self.spec is not None and self.spec.id == spec.id:
            raise BadFrame(Status.FIELD_ERROR, f"ROSpec {spec.id} exists already")
        if self.spec is not None:
            raise BadFrame(Status.OVERFLOW_PARAMETER, "this reader holds one ROSpec: delete the other first")
        self.spec, self.state = spec, State.DISABLED

    def delete(self, spec_id: int) -> None:
        """Forget it."""
        if self._named(spec_id):
            self.disable(spec_id)
            self.spec = None

    def enable(self, spec_id: int) -> None:
        """Let its start trigger work."""
        spec = self._named(spec_id)
        if spec and self.state == State.DISABLED:
            self.state = State.INACTIVE
            if spec.start == Start.IMMEDIATE:
                self._begin(spec)
            elif spec.start == Start.PERIODIC:
                self._wait_for(spec, spec.offset_ms)

    def disable(self, spec_id: int) -> None:
        """Stop it, and let no trigger start it."""
        if self._named(spec_id):
            self.stop(spec_id)
            self.state = State.DISABLED
            if self._schedule:
                self._schedule.cancel()

    def start(self, spec_id: int) -> None:
        """Start it now; it must be enabled."""
        spec = self._named(spec_id)
        if spec and self.state == State.DISABLED:
            raise BadFrame(Status.FIELD_ERROR, f"ROSpec {spec.id} is disabled: enable it first")
        if spec and self.state == State.INACTIVE:
            self._begin(spec)

    def stop(self, spec_id: int) -> None:
        """Stop it now, if it is active."""
        spec = self._named(spec_id)
        if spec and self.state == State.ACTIVE:
            self._end(spec)

    # What happens to the reader.

    def hear(self, read: TagRead, at_us: int) -> None:
        """A tag answered; `at_us` is by the reader's clock. Dropped while no AISpec has that antenna on air, or its
        filters leave the tag out."""
        if self.spec is None or self.state != State.ACTIVE or read.antenna not in self.cables:
            return
        setting = self._driven.get(read.antenna)
        if setting is None or (setting.filters and not self.selects(setting, read.epc)):
            return
        epc = self._tags.epc(read.epc)
        if epc is not None:
            step = self.spec.steps[self._step]
            place = Place(self.spec.id, self._step + 1, step.inventory_id)
            self._harvest.note(read, epc, at_us, place, self._rule(), self.settings.access_report)
            self._observe(self.spec, step, read.epc)

    def gpi(self, port: int, high: bool) -> None:
        """An enabled input changed: its triggers work (section 10.2.1.1)."""
        spec, event = self.spec, GpiTrigger(port, high)
        if spec is None:
            return
        if self.state == State.INACTIVE and spec.start_gpi == event:
            self._begin(spec)
        elif self.state == State.ACTIVE and spec.stop_gpi == event:
            self._end(spec, True)
        elif self.state == State.ACTIVE and spec.steps[self._step].stop.gpi == event:
            self._close_step(spec, self._step)

    def set_cable(self, port: int, connected: bool) -> None:
        """An antenna's cable is pulled or plugged in."""
        self.cables = self.cables | {port} if connected else self.cables - {port}
        if self.spec and self.state == State.ACTIVE and port in self.spec.steps[self._step].antennas:
            self._miss(self.spec, [port])

    def flush(self) -> None:
        """Send what is gathered now (GET_REPORT), even if that is nothing."""
        self._harvest.flush(self._rule())

    def close(self) -> None:
        """Power is gone: forget everything and send nothing."""
        for timer in (*self._timers, self._schedule, self._silence):
            if timer:
                timer.cancel()
        self.spec, self.state = None, State.DISABLED
        self._harvest.forget()

    def _named(self, spec_id: int) -> RoSpec | None:
        """The ROSpec of an id; None where 0 stands for all and there is none."""
        if spec_id == 0 or (self.spec and self.spec.id == spec_id):
            return self.spec
        raise BadFrame(Status.FIELD_ERROR, f"there is no ROSpec {spec_id}")

    def _rule(self) -> ReportRule:
        return self.spec.report if self.spec and self.spec.report else self.settings.report

    # The life of the ROSpec.

    def _wait_for(self, spec: RoSpec, delay_ms: int) -> None:
        self._schedule = asyncio.get_running_loop().call_later(delay_ms / 1000, self._periodic, spec)

    def _periodic(self, spec: RoSpec) -> None:
        if spec.period_ms:
            self._wait_for(spec, spec.period_ms)
        if self.state == State.INACTIVE:
            self._begin(spec)

    def _begin(self, spec: RoSpec) -> None:
        self.state = State.ACTIVE
        self._notice(Notice.ROSPEC, Param.ROSPEC_EVENT, struct.pack(">BII", 0, spec.id, 0))
        if spec.stop_ms:
            loop = asyncio.get_running_loop()
            self._timers.append(loop.call_later(spec.stop_ms / 1000, self._end, spec, True))
        self._open(spec, 0)

    def _open(self, spec: RoSpec, number: int) -> None:
        """Begin the AISpec of that number, from 0."""
        step = spec.steps[number]
        self._step, self._reads = number, 0
        self._epcs.clear()
        ports = step.antennas or range(1, len(self.settings.antennas) + 1)
        self._driven = {port: step.setting(port, self.settings.antenna(port)) for port in sorted(ports)}
        self._miss(spec, sorted(step.antennas - self.cables))
        if step.stop.kind != Stop.NULL and step.stop.timeout_ms:
            loop = asyncio.get_running_loop()
            self._timers.append(loop.call_later(step.stop.timeout_ms / 1000, self._close_step, spec, number))

    def _miss(self, spec: RoSpec, ports: list[int]) -> None:
        """The AISpec names antennas that are not there."""
        for port in ports:
            if port not in self.cables:
                text = f"ROSpec {spec.id}: antenna {port} is not connected".encode()
                place = struct.pack(">BIBHBH", 0x80 | Param.ROSPEC_ID, spec.id, 0x80 | Param.SPEC_INDEX,
                                    self._step + 1, 0x80 | Param.ANTENNA_ID, port)  # fmt: skip
                value = struct.pack(">H", len(text)) + text + place
                self._notice(Notice.EXCEPTION, Param.EXCEPTION_EVENT, value)

    def _close_step(self, spec: RoSpec, number: int) -> None:
        """End an AISpec, and go on to the next; after the last the ROSpec is over."""
        if self.state != State.ACTIVE or self.spec is not spec or number != self._step:
            return
        self._step_over(spec)
        if number + 1 < len(spec.steps):
            self._open(spec, number + 1)
        else:
            self._end(spec, True, step_over=True)

    def _step_over(self, spec: RoSpec) -> None:
        self._notice(Notice.AISPEC, Param.AISPEC_EVENT, struct.pack(">BIH", 0, spec.id, self._step + 1))
        if self._silence:
            self._silence.cancel()
        self._harvest.end(self._rule(), rospec=False)

    def _end(self, spec: RoSpec, by_itself: bool = False, *, step_over: bool = False) -> None:
        if self.state != State.ACTIVE or self.spec is not spec:
            return
        if not step_over:
            self._step_over(spec)
        for timer in self._timers:
            timer.cancel()
        self._timers.clear()
        self.state = State.INACTIVE
        self._harvest.end(self._rule(), rospec=True)
        self._notice(Notice.ROSPEC, Param.ROSPEC_EVENT, struct.pack(">BII", 1, spec.id, 0))
        if by_itself and spec.start == Start.IMMEDIATE:
            self._begin(spec)

    def _observe(self, spec: RoSpec, step: AiSpec, epc: str) -> None:
        """What a read means to a tag observation trigger (section 10.2.2.1.1)."""
        stop = step.stop
        if stop.kind != Stop.OBSERVATION:
            return
        self._reads += 1
        new = epc not in self._epcs
        self._epcs.add(epc)
        if stop.observe in (Observe.N_TAGS, Observe.N_UNIQUE):
            count = self._reads if stop.observe == Observe.N_TAGS else len(self._epcs)
            if stop.tags and count >= stop.tags:
                self._close_step(spec, self._step)
        elif stop.silence_ms and (new or stop.observe == Observe.SILENCE):
            if self._silence:
                self._silence.cancel()
            loop = asyncio.get_running_loop()
            self._silence = loop.call_later(stop.silence_ms / 1000, self._close_step, spec, self._step)
