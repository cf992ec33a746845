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
from collections.abc import Callable

from firmware_sim.errors import BadFrame
from firmware_sim.llrp.report import Seen, tag_report
from firmware_sim.llrp.rospec import AiSpec, Observe, ReportRule, ReportWhen, RoSpec, Start, State, Stop
from firmware_sim.llrp.words import Notice, Param, Status
from firmware_sim.radio import TagRead

MAX_PENDING = 10_000
"""Entries gathered for one report; what comes after is lost."""


class Inventory:
    """The reader's ROSpec and the tag reports it gathers. Lives in one event loop; `close` when done.

    `report` gets finished TagReportData parameters, `notice` what happened (whether a client wants it is the
    receiver's business), `lost` is called for a read that found `MAX_PENDING` entries before it. With `gather` the
    reads of one tag at one antenna within one report become one entry with a count, as the standard allows; without
    it each read is an entry.
    """

    def __init__(
        self,
        report: Callable[[list[bytes]], None],
        notice: Callable[[Notice, Param, bytes], None],
        lost: Callable[[], None],
        *,
        utc: bool,
        gather: bool,
    ) -> None:
        self._report, self._notice, self._lost = report, notice, lost
        self._utc, self._gather = utc, gather
        self.default_rule = ReportRule()
        self.spec: RoSpec | None = None
        self.state = State.DISABLED
        self._step = 0
        self._reads = 0
        self._epcs: set[str] = set()
        self._pending: list[Seen] = []
        self._places: dict[tuple[bytes, int], int] = {}
        self._schedule: asyncio.TimerHandle | None = None
        self._timers: list[asyncio.TimerHandle] = []
        self._silence: asyncio.TimerHandle | None = None

    def add(self, spec: RoSpec) -> None:
        """Take an ROSpec; raises `BadFrame` for a known id or where there is one already."""
        if self.spec is not None and self.spec.id == spec.id:
            raise BadFrame(Status.FIELD_ERROR, f"ROSpec {spec.id} exists already")
        if self.spec is not None:
            raise BadFrame(Status.OVERFLOW_PARAMETER, "this reader holds one ROSpec: delete the other first")
        self.spec, self.state = spec, State.DISABLED

    def delete(self, spec_id: int) -> None:
        """Forget it; 0 stands for all. Raises `BadFrame` for an unknown id, as do all that follow."""
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

    def hear(self, read: TagRead, at_us: int) -> None:
        """A tag answered; `at_us` is by the reader's clock. Dropped while no AISpec has that antenna on air."""
        if self.spec is None or self.state != State.ACTIVE:
            return
        step = self.spec.steps[self._step]
        if step.antennas and read.antenna not in step.antennas:
            return
        self._note(self.spec, step, read, at_us)
        self._observe(self.spec, step, read.epc)

    def flush(self) -> None:
        """Send what is gathered now (GET_REPORT), even if that is nothing."""
        entries, self._pending = self._pending, []
        self._places.clear()
        contents = self._rule().contents
        self._report([tag_report(seen, contents, utc=self._utc) for seen in entries])

    def close(self) -> None:
        """Power is gone: forget everything and send nothing."""
        for timer in (*self._timers, self._schedule, self._silence):
            if timer:
                timer.cancel()
        self.spec, self.state, self._pending = None, State.DISABLED, []
        self._places.clear()

    def _named(self, spec_id: int) -> RoSpec | None:
        """The ROSpec of an id; None where 0 stands for all and there is none."""
        if spec_id == 0 or (self.spec and self.spec.id == spec_id):
            return self.spec
        raise BadFrame(Status.FIELD_ERROR, f"there is no ROSpec {spec_id}")

    def _rule(self) -> ReportRule:
        return self.spec.report if self.spec and self.spec.report else self.default_rule

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

    def _open(self, spec: RoSpec, step: int) -> None:
        """Begin the AISpec number `step`, from 0."""
        self._step, self._reads = step, 0
        self._epcs.clear()
        stop = spec.steps[step].stop
        if stop.kind != Stop.NULL and stop.timeout_ms:
            loop = asyncio.get_running_loop()
            self._timers.append(loop.call_later(stop.timeout_ms / 1000, self._close_step, spec, step))

    def _close_step(self, spec: RoSpec, step: int) -> None:
        """End an AISpec, and go on to the next; after the last the ROSpec is over."""
        if self.state != State.ACTIVE or self.spec is not spec or step != self._step:
            return
        self._step_over(spec)
        if step + 1 < len(spec.steps):
            self._open(spec, step + 1)
        else:
            self._end(spec, True, step_over=True)

    def _step_over(self, spec: RoSpec) -> None:
        self._notice(Notice.AISPEC, Param.AISPEC_EVENT, struct.pack(">BIH", 0, spec.id, self._step + 1))
        if self._silence:
            self._silence.cancel()
        if self._pending and self._rule().when == ReportWhen.N_OR_END_OF_AISPEC:
            self.flush()

    def _end(self, spec: RoSpec, by_itself: bool = False, *, step_over: bool = False) -> None:
        if self.state != State.ACTIVE or self.spec is not spec:
            return
        if not step_over:
            self._step_over(spec)
        for timer in self._timers:
            timer.cancel()
        self._timers.clear()
        self.state = State.INACTIVE
        if self._pending and self._rule().when != ReportWhen.NONE:
            self.flush()
        self._notice(Notice.ROSPEC, Param.ROSPEC_EVENT, struct.pack(">BII", 1, spec.id, 0))
        if by_itself and spec.start == Start.IMMEDIATE:
            self._begin(spec)

    def _note(self, spec: RoSpec, step: AiSpec, read: TagRead, at_us: int) -> None:
        """Put a read into the report that is being gathered, and send it when it is full."""
        rule = self._rule()
        epc = bytes.fromhex(read.epc)
        place = self._places.get((epc, read.antenna)) if self._gather else None
        if place is not None:
            seen = self._pending[place]
            rssi = max(seen.rssi_dbm, read.rssi_dbm)
            self._pending[place] = seen._replace(rssi_dbm=rssi, last_us=at_us, times=seen.times + 1)
            return
        if len(self._pending) >= MAX_PENDING:
            self._lost()
            return
        self._places[epc, read.antenna] = len(self._pending)
        self._pending.append(
            Seen(epc, spec.id, self._step + 1, step.inventory_id, read.antenna, read.rssi_dbm, read.channel,
                 at_us, at_us, 1, read.phase, read.doppler)
        )  # fmt: skip
        if rule.when != ReportWhen.NONE and rule.n and len(self._pending) >= rule.n:
            self.flush()

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
