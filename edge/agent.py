"""The edge process: the only place where the parts of an agent are put together.

readers -----> doorkeepers, --.     (doorkeepers ---> recorder: raw reads, on disk for some days)
   |           zonekeeper     |
   |               ^          |
   |               | beams    v
   |           fieldbuses --> decisions ---> outbox (disk) ---> uplink ---> MQTT
   |        counts | ^ coils  ^                                   | lots
   |               v |        |                                   |
   |            linekeepers --'  <--------------------------------'
   |             ^       '--> spool (disk) ---> evidence link ---> MQTT
   |             '--> inspector processes
   '-- lost, blind, ... ------> decisions
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

import structlog

from contract.events import Device, DoorPass, EmptyPass
from contract.fieldbus import ModbusDevice
from contract.portals import Door, LlrpReader, ZoneReader
from contract.site import Agent, Site
from contract.sortingline import SortingLine
from contract.wire import Command, EvidenceKept, LineOrders
from edge.agentclock import AgentClock
from edge.board import Board
from edge.coils import CoilWrite
from edge.decisions import Decisions
from edge.doorkeeper import Doorkeeper
from edge.errors import EdgeError, OutboxFull
from edge.evidence.link import EvidenceLink
from edge.evidence.spool import Spool
from edge.fieldbus import Fieldbus
from edge.llrp.link import ReaderLink
from edge.outbox import OUTBOX_FILE, Outbox, read_history
from edge.portal.neighbours import rows_of
from edge.recorder import Recorder
from edge.supervisor import Supervisor
from edge.uplink import Uplink
from edge.vision.line.linekeeper import Linekeeper, Ways
from edge.vision.line.lots import LotsFile
from edge.zonekeeper import Zonekeeper

HEALTH_EVERY_S = 30.0
_MEGABYTE = 1_000_000

log = structlog.get_logger(__name__)


def outbox_file(data: Path) -> Path:
    """Where the agent with this data folder keeps its outbox."""
    return data / OUTBOX_FILE


def made(data: Path) -> list[tuple[str, int]]:
    """(epoch, sequence) of every event that the outbox of the agent with this data folder holds."""
    return [(kept.epoch, kept.seq) for kept in read_history(outbox_file(data))]


async def run(site: Site, name: str) -> None:
    """Run one agent of a site until cancelled. Readers, PLCs and the broker may come and go.

    Raises `EdgeError` where it cannot begin (`OutboxBusy`: another process has this agent's data), and `OutboxError`,
    in an exception group, when the outbox fails: whoever started it starts it again, and the outbox knows where it
    was. Passes that are still going on when it ends are not decided.
    """
    agent = next((agent for agent in site.agents if agent.name == name), None)
    if agent is None:
        known = ", ".join(agent.name for agent in site.agents)
        raise EdgeError(f"no agent is called {name!r} in the site file: there are {known}")
    with Outbox(outbox_file(agent.data), agent.retain) as outbox:
        log.info("agent begins", agent=name, epoch=outbox.epoch, made=outbox.made, waiting=outbox.waiting)
        clock, loop = AgentClock(), asyncio.get_running_loop()
        crew = Crew(site, agent, outbox, clock)

        def stepped(by_us: int) -> None:  # from whatever thread asks for the time
            loop.call_soon_threadsafe(crew.clock_stepped, by_us)

        clock.on_step = stepped
        await crew.run()


class Crew:
    """The parts of one agent, connected. What belongs to a device runs under a supervisor of its own."""

    def __init__(self, site: Site, agent: Agent, outbox: Outbox, clock: Callable[[], int]) -> None:
        self._agent = agent.name
        self._clock = clock
        self._board = Board()
        self._uplink = Uplink(site.broker, site.site, agent, outbox, clock, self._board.note_broker, self._on_command)
        self._decisions = Decisions(agent.name, outbox, self._uplink.wake, clock)
        self._recorder = Recorder(agent.data, agent.recordings, clock)
        self._doors: list[Doorkeeper] = []
        self._readers: dict[str, ReaderLink] = {}
        self._fieldbuses: dict[str, Fieldbus] = {}
        zone_readers = [reader for reader in site.zone_readers if reader.agent == agent.name]
        self._zones = Zonekeeper(zone_readers, site.presence, self._decisions.put, clock)
        for zone_reader in zone_readers:
            self._add_zone_reader(zone_reader)
        for row in rows_of([door for door in site.doors if door.agent == agent.name]):
            self._add_doors(row)
        self._lines: dict[str, Linekeeper] = {}
        self._evidence: EvidenceLink | None = None
        self._add_lines(site, agent, [line for line in site.lines if line.agent == agent.name])
        for device in site.modbus:
            if device.agent == agent.name:
                self._add_fieldbus(device)

    async def run(self) -> None:
        """Until cancelled; then everything that was decided is on disk, and the broker knows that we are offline."""
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._uplink.run())
                tasks.create_task(self._decisions.run())
                tasks.create_task(self._tell_health())
                tasks.create_task(self._recorder.run())
                for device, part in self._parts().items():
                    tasks.create_task(Supervisor(device, self._on_device, self._clock).run(part))
        finally:
            self._store_last()

    def _parts(self) -> dict[str, Callable[[], Awaitable[None]]]:
        """What runs for ever, by the door or device that it is about."""
        parts: dict[str, Callable[[], Awaitable[None]]] = {door.name: door.run for door in self._doors}
        parts |= {name: link.run for name, link in self._readers.items()}
        parts |= {name: bus.run for name, bus in self._fieldbuses.items()}
        parts |= {keeper.line.camera.name: keeper.run for keeper in self._lines.values()}
        if self._evidence:
            parts["pictures"] = self._evidence.run
        return parts | {"zones": self._zones.run}

    def _add_doors(self, row: Sequence[Door]) -> None:
        decided = partial(self._on_pass, {door.name: door for door in row})
        keeper = Doorkeeper(row, decided, self._clock, self._recorder.tape(row))
        self._doors.append(keeper)
        for door in row:
            for reader in door.readers:
                self._add_reader(reader, keeper)

    def _add_reader(self, reader: LlrpReader, keeper: Doorkeeper) -> None:
        on_device = partial(self._on_reader, keeper)
        ports = {door.gate.port for door in keeper.doors if door.gate and door.gate.kind == "gpi"}
        on_gpi = partial(keeper.gpi, reader.name) if ports else None
        self._readers[reader.name] = ReaderLink(reader, keeper.feed, on_device, self._clock, on_gpi=on_gpi)

    def _add_zone_reader(self, reader: ZoneReader) -> None:
        self._readers[reader.name] = ReaderLink(reader, self._zones.feed, self._on_zone_reader, self._clock)

    def _add_lines(self, site: Site, agent: Agent, lines: Sequence[SortingLine]) -> None:
        if not lines:
            return
        spool = Spool(agent.data / "evidence", agent.evidence_megabytes * _MEGABYTE)
        self._evidence = EvidenceLink(site.broker, site.site, agent, spool)
        lots = LotsFile(agent.data / "lots.json")
        for line in lines:
            ways = Ways(self._decisions.put, self._on_device, partial(self._write_coil, line), self._evidence)
            self._lines[line.name] = Linekeeper(line, site.grades, agent.name, agent.data, lots, ways, self._clock)

    def _add_fieldbus(self, device: ModbusDevice) -> None:
        gates = [keeper.line.gate for keeper in self._lines.values() if keeper.line.gate]
        self._fieldbuses[device.name] = Fieldbus(
            device,
            self._on_beam,
            self._decisions.put,
            partial(self._on_plc, device),
            self._board.lamps,
            self._clock,
            self._on_count,
            {gate.pass_coils: gate.places for gate in gates if gate.modbus == device.name},
            self._on_cleared,
        )

    def _on_reader(self, keeper: Doorkeeper, event: Device) -> None:
        keeper.reader(event)
        self._on_device(event)

    def _on_zone_reader(self, event: Device) -> None:
        self._zones.reader(event)
        self._on_device(event)

    def _on_pass(self, doors: Mapping[str, Door], event: DoorPass | EmptyPass) -> None:
        if isinstance(event, DoorPass):
            self._zones.passed(doors[event.door], event)
        self._decisions.put(event)

    def _on_device(self, event: Device) -> None:
        self._board.note_device(event)
        self._decisions.put(event)

    def _on_plc(self, device: ModbusDevice, event: Device) -> None:
        """A PLC that is blind may still see its photo-eyes; of one that is lost nobody knows what they see."""
        eyes = {register.name for register in device.registers if register.meaning == "photo_eye"}
        lost = eyes if event.state == "lost" else eyes & self._fieldbuses[device.name].faults
        for keeper in self._doors:
            keeper.eyes(eyes, lost, event.at_us)
        self._on_device(event)

    def _on_beam(self, register: str, broken: bool, at_us: int) -> None:
        for keeper in self._doors:
            keeper.beam(register, broken, at_us)

    def _on_count(self, register: str, count: int, asked_us: int, heard_us: int) -> None:
        for keeper in self._lines.values():
            keeper.count(register, count, asked_us, heard_us)

    def _on_cleared(self, register: str) -> None:
        for keeper in self._lines.values():
            keeper.cleared(register)

    def _write_coil(self, line: SortingLine, coil: CoilWrite) -> None:
        assert line.gate is not None
        self._fieldbuses[line.gate.modbus].write(coil)

    def _on_command(self, command: Command) -> None:
        match command:
            case EvidenceKept(ids=ids, refused=refused) if self._evidence:
                self._evidence.kept(ids)
                for picture, reason in refused.items():
                    log.warning("picture refused", agent=self._agent, picture=picture, reason=reason)
            case LineOrders(lines=lines):
                for name, order in lines.items():
                    if name in self._lines:
                        self._lines[name].begin_lot(order)
                    else:
                        log.warning("lot of a line that is not ours", agent=self._agent, line=name, lot=order.lot)

    async def _tell_health(self) -> None:
        """Figures of every device and door, for the devices block of the page."""
        while True:
            await asyncio.sleep(HEALTH_EVERY_S)
            counts = {name: link.counts for name, link in self._readers.items()}
            counts |= {name: {"reconnects": bus.reconnects} for name, bus in self._fieldbuses.items()}
            counts |= {door.name: keeper.strays(door.name) for keeper in self._doors for door in keeper.doors}
            counts |= {self._agent: self._recorder.counts() | (self._evidence.counts() if self._evidence else {})}
            counts |= {keeper.line.camera.name: keeper.figures() for keeper in self._lines.values()}
            counts |= {name: counts[name] | self._zones.figures(name) for name in self._zones.readers}
            now_us = self._clock()
            for name, figures in counts.items():
                self._decisions.put(
                    Device(at_us=now_us, decided_us=now_us, device=name, state="health", counts=dict(figures))
                )

    def clock_stepped(self, stepped_us: int) -> None:
        """Somebody set the clock, or the machine was asleep: the gateway must know from which event on."""
        way = "ahead" if stepped_us > 0 else "back"
        detail = f"the clock was set {way} by {abs(stepped_us) / 1e6:.1f} s: keep it right by NTP"
        log.warning("clock stepped", agent=self._agent, stepped_us=stepped_us)
        self._uplink.clock_stepped()
        now_us = self._clock()
        self._decisions.put(
            Device(at_us=now_us, decided_us=now_us, device=self._agent, state="clock_stepped", detail=detail)
        )

    def _store_last(self) -> None:
        for keeper in self._lines.values():
            keeper.keep_last()
        try:
            self._decisions.flush()
        except OutboxFull as error:
            log.error("last decisions lost", error=str(error))
