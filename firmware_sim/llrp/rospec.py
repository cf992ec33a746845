"""What a client asked for: ROSpec, its triggers and its AISpecs, from bytes (LLRP 1.0.1 section 10.2)."""

import struct
from enum import IntEnum
from typing import NamedTuple

from firmware_sim.errors import BadFrame
from firmware_sim.llrp.antenna import AntennaSetting, antenna_of, changed
from firmware_sim.llrp.frames import Parameter, fields, parameters
from firmware_sim.llrp.reportrule import ReportRule, ReportWhen, read_report_rule
from firmware_sim.llrp.words import Param, Status

__all__ = ["AiSpec", "AiStop", "GpiTrigger", "Observe", "ReportWhen", "RoSpec", "Start", "State", "Stop", "read_rospec"]

GPI_PORTS = 4

_ROSPEC = struct.Struct(">IBB")
_WORD = struct.Struct(">H")
_BYTE = struct.Struct(">B")
_TRIGGER = struct.Struct(">BI")
_PERIODIC = struct.Struct(">II")
_GPI = struct.Struct(">HBI")
_OBSERVATION = struct.Struct(">BBHHHI")


class State(IntEnum):
    """States of an ROSpec (section 10.2.1)."""

    DISABLED = 0
    INACTIVE = 1
    ACTIVE = 2


class Start(IntEnum):
    """ROSpecStartTrigger types."""

    NULL = 0
    IMMEDIATE = 1
    PERIODIC = 2
    GPI = 3


class Stop(IntEnum):
    """ROSpecStopTrigger and AISpecStopTrigger types; only an AISpec knows the last."""

    NULL = 0
    DURATION = 1
    GPI = 2
    OBSERVATION = 3


class Observe(IntEnum):
    """TagObservationTrigger types; the last two came with LLRP 1.1."""

    N_TAGS = 0
    SILENCE = 1
    N_ATTEMPTS = 2
    N_UNIQUE = 3
    UNIQUE_SILENCE = 4


class GpiTrigger(NamedTuple):
    """GPITriggerValue: the input that triggers when it goes to this level."""

    port: int
    high: bool


class AiStop(NamedTuple):
    """AISpecStopTrigger; times in milliseconds, 0 for none."""

    kind: Stop = Stop.NULL
    timeout_ms: int = 0
    observe: Observe = Observe.N_TAGS
    tags: int = 0
    silence_ms: int = 0
    gpi: GpiTrigger | None = None


class AiSpec(NamedTuple):
    """One step of an ROSpec: these antennas (empty for all) until its stop trigger."""

    antennas: frozenset[int]
    stop: AiStop
    inventory_id: int
    configurations: tuple[Parameter, ...] = ()
    """AntennaConfigurations, in order."""

    def setting(self, port: int, usual: AntennaSetting) -> AntennaSetting:
        """How an antenna is driven in this step: `usual` is the reader's configuration."""
        for one in self.configurations:
            if antenna_of(one) in (0, port):
                usual = changed(usual, one)
        return usual


class RoSpec(NamedTuple):
    """An ROSpec as added; `raw` is the parameter as it came."""

    id: int
    priority: int
    start: Start
    offset_ms: int
    period_ms: int
    stop_ms: int
    """Duration stop trigger, or the timeout of a GPI stop trigger; 0 for none."""
    steps: tuple[AiSpec, ...]
    report: ReportRule | None
    raw: bytes
    start_gpi: GpiTrigger | None = None
    stop_gpi: GpiTrigger | None = None

    def as_parameter(self, state: State) -> bytes:
        """The ROSpec parameter as GET_ROSPECS returns it: as added, with its present state."""
        return self.raw[:9] + bytes([state]) + self.raw[10:]


class _Boundary(NamedTuple):
    """ROBoundarySpec."""

    start: Start
    offset_ms: int
    period_ms: int
    start_gpi: GpiTrigger | None
    stop_ms: int
    stop_gpi: GpiTrigger | None


def read_rospec(parameter: Parameter, ports: int) -> RoSpec:
    """An ROSpec for a reader with so many antenna ports; raises `BadFrame`."""
    spec_id, priority, state = fields(_ROSPEC, parameter.value, "ROSpec")
    if spec_id == 0:
        raise BadFrame(Status.PARAMETER_ERROR, "ROSpec: ROSpecID 0 is not allowed")
    if priority > 7 or state != State.DISABLED:
        raise BadFrame(Status.PARAMETER_ERROR, f"ROSpec {spec_id}: priority {priority} or state {state} is not allowed")
    inner = list(parameters(parameter.value[_ROSPEC.size :], f"ROSpec {spec_id}"))
    boundary = _read_boundary(_only(inner, Param.RO_BOUNDARY_SPEC, "ROSpec"))
    steps = tuple(_read_aispec(one, ports) for one in inner if one.type == Param.AISPEC)
    if any(one.type == Param.RF_SURVEY_SPEC for one in inner):
        raise BadFrame(Status.UNSUPPORTED_PARAMETER, "ROSpec: this reader does no RF survey")
    if not steps:
        raise BadFrame(Status.MISSING_PARAMETER, "ROSpec: an AISpec is missing")
    return RoSpec(
        id=spec_id,
        priority=priority,
        start=boundary.start,
        offset_ms=boundary.offset_ms,
        period_ms=boundary.period_ms,
        stop_ms=boundary.stop_ms,
        steps=steps,
        report=next((read_report_rule(one) for one in inner if one.type == Param.RO_REPORT_SPEC), None),
        raw=parameter.raw,
        start_gpi=boundary.start_gpi,
        stop_gpi=boundary.stop_gpi,
    )


def _read_boundary(boundary: Parameter) -> _Boundary:
    inner = list(parameters(boundary.value, "ROBoundarySpec"))
    start = _only(inner, Param.ROSPEC_START_TRIGGER, "ROBoundarySpec")
    stop = _only(inner, Param.ROSPEC_STOP_TRIGGER, "ROBoundarySpec")
    (kind,) = fields(_BYTE, start.value, "ROSpecStartTrigger")
    stop_kind, stop_ms = fields(_TRIGGER, stop.value, "ROSpecStopTrigger")
    if kind > Start.GPI or stop_kind > Stop.GPI:
        raise BadFrame(Status.PARAMETER_ERROR, f"ROBoundarySpec: start trigger {kind}, stop trigger {stop_kind}")
    offset_ms = period_ms = 0
    start_gpi = stop_gpi = None
    if kind == Start.PERIODIC:
        value = _only(list(parameters(start.value[1:], "ROSpecStartTrigger")), Param.PERIODIC_TRIGGER, "start trigger")
        offset_ms, period_ms = fields(_PERIODIC, value.value, "PeriodicTriggerValue")
    elif kind == Start.GPI:
        start_gpi, _ = _read_gpi(start.value[_BYTE.size :], "ROSpecStartTrigger")
    if stop_kind == Stop.GPI:
        stop_gpi, stop_ms = _read_gpi(stop.value[_TRIGGER.size :], "ROSpecStopTrigger")
    return _Boundary(Start(kind), offset_ms, period_ms, start_gpi, stop_ms if stop_kind else 0, stop_gpi)


def _read_gpi(data: bytes, where: str) -> tuple[GpiTrigger, int]:
    """The GPITriggerValue in a trigger, and its timeout in milliseconds."""
    value = _only(list(parameters(data, where)), Param.GPI_TRIGGER, where)
    port, flags, timeout_ms = fields(_GPI, value.value, "GPITriggerValue")
    if not 1 <= port <= GPI_PORTS:
        raise BadFrame(Status.PARAMETER_ERROR, f"GPITriggerValue: GPI {port}, this reader has {GPI_PORTS}")
    return GpiTrigger(port, bool(flags & 0x80)), timeout_ms


def _read_aispec(parameter: Parameter, ports: int) -> AiSpec:
    (count,) = fields(_WORD, parameter.value, "AISpec")
    listed = fields(struct.Struct(f">{count}H"), parameter.value[2:], "AISpec")
    if any(antenna > ports for antenna in listed):
        raise BadFrame(Status.PARAMETER_ERROR, f"AISpec: antennas {list(listed)}, this reader has {ports}")
    inner = list(parameters(parameter.value[2 + 2 * count :], "AISpec"))
    stop = _read_ai_stop(_only(inner, Param.AISPEC_STOP_TRIGGER, "AISpec"))
    inventory = next((one for one in inner if one.type == Param.INVENTORY_PARAMETER_SPEC), None)
    if inventory is None:
        raise BadFrame(Status.MISSING_PARAMETER, "AISpec: an InventoryParameterSpec is missing")
    inventory_id, configurations = _read_inventory(inventory, ports)
    return AiSpec(frozenset() if 0 in listed else frozenset(listed), stop, inventory_id, configurations)


def _read_inventory(parameter: Parameter, ports: int) -> tuple[int, tuple[Parameter, ...]]:
    """The id of an InventoryParameterSpec, and its AntennaConfigurations, which make sense."""
    inventory_id, _ = fields(_INVENTORY, parameter.value, "InventoryParameterSpec")
    inner = parameters(parameter.value[_INVENTORY.size :], "InventoryParameterSpec")
    configurations = tuple(one for one in inner if one.type == Param.ANTENNA_CONFIGURATION)
    for one in configurations:
        if antenna_of(one) > ports:
            raise BadFrame(Status.PARAMETER_ERROR, f"AntennaConfiguration: antenna {antenna_of(one)} of {ports}")
        changed(AntennaSetting(), one)
    return inventory_id, configurations


_INVENTORY = struct.Struct(">HB")


def _read_ai_stop(parameter: Parameter) -> AiStop:
    kind, timeout_ms = fields(_TRIGGER, parameter.value, "AISpecStopTrigger")
    if kind > Stop.OBSERVATION:
        raise BadFrame(Status.PARAMETER_ERROR, f"AISpecStopTrigger: type {kind}")
    if kind == Stop.GPI:
        gpi, timeout_ms = _read_gpi(parameter.value[_TRIGGER.size :], "AISpecStopTrigger")
        return AiStop(Stop.GPI, timeout_ms, gpi=gpi)
    if kind != Stop.OBSERVATION:
        return AiStop(Stop(kind), timeout_ms)
    inner = list(parameters(parameter.value[_TRIGGER.size :], "AISpecStopTrigger"))
    trigger = _only(inner, Param.TAG_OBSERVATION_TRIGGER, "AISpecStopTrigger")
    observe, _, tags, _, silence_ms, timeout_ms = fields(_OBSERVATION, trigger.value, "TagObservationTrigger")
    if observe > Observe.UNIQUE_SILENCE:
        raise BadFrame(Status.PARAMETER_ERROR, f"TagObservationTrigger: type {observe}")
    return AiStop(Stop.OBSERVATION, timeout_ms, Observe(observe), tags, silence_ms)


def _only(inner: list[Parameter], kind: Param, where: str) -> Parameter:
    found = [one for one in inner if one.type == kind]
    if len(found) != 1:
        code = Status.UNEXPECTED_PARAMETER if found else Status.MISSING_PARAMETER
        raise BadFrame(code, f"{where}: {len(found)} times {kind.name}, one is needed")
    return found[0]
