"""What a client asked for: ROSpec, AISpec, triggers, report contents, from bytes (LLRP 1.0.1 sections 10 and 13.2)."""

import struct
from enum import IntEnum
from typing import NamedTuple

from firmware_sim.errors import BadFrame
from firmware_sim.llrp.frames import Parameter, fields, parameters, tlv
from firmware_sim.llrp.words import IMPINJ, Param, Status

_ROSPEC = struct.Struct(">IBB")
_WORD = struct.Struct(">H")
_BYTE = struct.Struct(">B")
_TRIGGER = struct.Struct(">BI")
_PERIODIC = struct.Struct(">II")
_OBSERVATION = struct.Struct(">BBHHHI")
_REPORT = struct.Struct(">BH")
_CUSTOM = struct.Struct(">II")


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


class ReportWhen(IntEnum):
    """ROReportTrigger."""

    NONE = 0
    N_OR_END_OF_AISPEC = 1
    N_OR_END_OF_ROSPEC = 2


class Contents(NamedTuple):
    """TagReportContentSelector: what a tag report holds besides the EPC."""

    rospec_id: bool = True
    spec_index: bool = True
    inventory_id: bool = True
    antenna: bool = True
    channel: bool = True
    rssi: bool = True
    first_seen: bool = True
    last_seen: bool = True
    seen_count: bool = True
    access_id: bool = False
    crc: bool = False
    pc: bool = False
    phase: bool = False
    """The three of vendor 25882 (Octane LLRP, ImpinjTagReportContentSelector)."""
    fine_rssi: bool = False
    doppler: bool = False


class ReportRule(NamedTuple):
    """ROReportSpec."""

    when: ReportWhen = ReportWhen.N_OR_END_OF_ROSPEC
    n: int = 0
    """Tag reports in a message; 0 for no limit."""
    contents: Contents = Contents()


class AiStop(NamedTuple):
    """AISpecStopTrigger; times in milliseconds, 0 for none."""

    kind: Stop = Stop.NULL
    timeout_ms: int = 0
    observe: Observe = Observe.N_TAGS
    tags: int = 0
    silence_ms: int = 0


class AiSpec(NamedTuple):
    """One step of an ROSpec: these antennas (empty for all) until its stop trigger."""

    antennas: frozenset[int]
    stop: AiStop
    inventory_id: int


class RoSpec(NamedTuple):
    """An ROSpec as added; `raw` is the parameter as it came."""

    id: int
    priority: int
    start: Start
    offset_ms: int
    period_ms: int
    stop_ms: int
    """Duration stop trigger, 0 for none."""
    steps: tuple[AiSpec, ...]
    report: ReportRule | None
    raw: bytes

    def as_parameter(self, state: State) -> bytes:
        """The ROSpec parameter as GET_ROSPECS returns it: as added, with its present state."""
        return self.raw[:9] + bytes([state]) + self.raw[10:]


def read_rospec(parameter: Parameter, ports: int) -> RoSpec:
    """An ROSpec for a reader with so many antenna ports; raises `BadFrame`."""
    spec_id, priority, state = fields(_ROSPEC, parameter.value, "ROSpec")
    if spec_id == 0:
        raise BadFrame(Status.PARAMETER_ERROR, "ROSpec: ROSpecID 0 is not allowed")
    if priority > 7 or state != State.DISABLED:
        raise BadFrame(Status.PARAMETER_ERROR, f"ROSpec {spec_id}: priority {priority} or state {state} is not allowed")
    inner = list(parameters(parameter.value[_ROSPEC.size :], f"ROSpec {spec_id}"))
    start, offset_ms, period_ms, stop_ms = _read_boundary(_only(inner, Param.RO_BOUNDARY_SPEC, "ROSpec"))
    steps = tuple(_read_aispec(one, ports) for one in inner if one.type == Param.AISPEC)
    if any(one.type == Param.RF_SURVEY_SPEC for one in inner):
        raise BadFrame(Status.UNSUPPORTED_PARAMETER, "ROSpec: this reader does no RF survey")
    if not steps:
        raise BadFrame(Status.MISSING_PARAMETER, "ROSpec: an AISpec is missing")
    report = next((read_report_rule(one) for one in inner if one.type == Param.RO_REPORT_SPEC), None)
    return RoSpec(spec_id, priority, start, offset_ms, period_ms, stop_ms, steps, report, parameter.raw)


def read_report_rule(parameter: Parameter) -> ReportRule:
    """An ROReportSpec; raises `BadFrame`."""
    when, n = fields(_REPORT, parameter.value, "ROReportSpec")
    if when > ReportWhen.N_OR_END_OF_ROSPEC:
        raise BadFrame(Status.PARAMETER_ERROR, f"ROReportSpec: trigger {when} is not of LLRP 1.0.1")
    contents = Contents()
    for one in parameters(parameter.value[_REPORT.size :], "ROReportSpec"):
        if one.type == Param.TAG_REPORT_CONTENT_SELECTOR:
            contents = _read_selector(one, contents)
        elif one.type == Param.CUSTOM:
            contents = _read_vendor_selector(one, contents)
    return ReportRule(ReportWhen(when), n, contents)


def write_report_rule(rule: ReportRule) -> bytes:
    """The ROReportSpec parameter of a rule (without what a vendor added)."""
    bits = sum(flag << 15 - place for place, flag in enumerate(rule.contents[:10]))
    memory = tlv(Param.C1G2_EPC_MEMORY_SELECTOR, bytes([rule.contents.crc << 7 | rule.contents.pc << 6]))
    selector = tlv(Param.TAG_REPORT_CONTENT_SELECTOR, _WORD.pack(bits) + memory)
    return tlv(Param.RO_REPORT_SPEC, _REPORT.pack(rule.when, rule.n) + selector)


def _read_boundary(boundary: Parameter) -> tuple[Start, int, int, int]:
    inner = list(parameters(boundary.value, "ROBoundarySpec"))
    start = _only(inner, Param.ROSPEC_START_TRIGGER, "ROBoundarySpec")
    stop = _only(inner, Param.ROSPEC_STOP_TRIGGER, "ROBoundarySpec")
    (kind,) = fields(_BYTE, start.value, "ROSpecStartTrigger")
    stop_kind, stop_ms = fields(_TRIGGER, stop.value, "ROSpecStopTrigger")
    if kind > Start.GPI or stop_kind > Stop.GPI:
        raise BadFrame(Status.PARAMETER_ERROR, f"ROBoundarySpec: start trigger {kind}, stop trigger {stop_kind}")
    offset_ms = period_ms = 0
    if kind == Start.PERIODIC:
        value = _only(list(parameters(start.value[1:], "ROSpecStartTrigger")), Param.PERIODIC_TRIGGER, "start trigger")
        offset_ms, period_ms = fields(_PERIODIC, value.value, "PeriodicTriggerValue")
    return Start(kind), offset_ms, period_ms, stop_ms if stop_kind == Stop.DURATION else 0


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
    (inventory_id,) = fields(_WORD, inventory.value, "InventoryParameterSpec")
    return AiSpec(frozenset() if 0 in listed else frozenset(listed), stop, inventory_id)


def _read_ai_stop(parameter: Parameter) -> AiStop:
    kind, timeout_ms = fields(_TRIGGER, parameter.value, "AISpecStopTrigger")
    if kind > Stop.OBSERVATION:
        raise BadFrame(Status.PARAMETER_ERROR, f"AISpecStopTrigger: type {kind}")
    if kind != Stop.OBSERVATION:
        return AiStop(Stop(kind), timeout_ms)
    inner = list(parameters(parameter.value[_TRIGGER.size :], "AISpecStopTrigger"))
    trigger = _only(inner, Param.TAG_OBSERVATION_TRIGGER, "AISpecStopTrigger")
    observe, _, tags, _, silence_ms, timeout_ms = fields(_OBSERVATION, trigger.value, "TagObservationTrigger")
    if observe > Observe.UNIQUE_SILENCE:
        raise BadFrame(Status.PARAMETER_ERROR, f"TagObservationTrigger: type {observe}")
    return AiStop(Stop.OBSERVATION, timeout_ms, Observe(observe), tags, silence_ms)


def _read_selector(parameter: Parameter, before: Contents) -> Contents:
    (bits,) = fields(_WORD, parameter.value, "TagReportContentSelector")
    contents = before._replace(
        **{name: bool(bits >> 15 - place & 1) for place, name in enumerate(Contents._fields[:10])}
    )
    for one in parameters(parameter.value[2:], "TagReportContentSelector"):
        if one.type == Param.C1G2_EPC_MEMORY_SELECTOR:
            (flags,) = fields(_BYTE, one.value, "C1G2EPCMemorySelector")
            contents = contents._replace(crc=bool(flags & 0x80), pc=bool(flags & 0x40))
    return contents


_SELECTOR, _PHASE, _RSSI, _DOPPLER = 50, 52, 53, 67


def _read_vendor_selector(parameter: Parameter, contents: Contents) -> Contents:
    """ImpinjTagReportContentSelector: each inner parameter switches one vendor field."""
    if fields(_CUSTOM, parameter.value, "Custom") != (IMPINJ, _SELECTOR):
        return contents
    wanted = {}
    for one in parameters(parameter.value[_CUSTOM.size :], "ImpinjTagReportContentSelector"):
        vendor, subtype = fields(_CUSTOM, one.value, "Custom")
        if vendor == IMPINJ and subtype in (_PHASE, _RSSI, _DOPPLER):
            wanted[subtype] = fields(_WORD, one.value[_CUSTOM.size :], "Custom")[0] == 1
    return contents._replace(
        phase=wanted.get(_PHASE, False), fine_rssi=wanted.get(_RSSI, False), doppler=wanted.get(_DOPPLER, False)
    )


def _only(inner: list[Parameter], kind: Param, where: str) -> Parameter:
    found = [one for one in inner if one.type == kind]
    if len(found) != 1:
        code = Status.UNEXPECTED_PARAMETER if found else Status.MISSING_PARAMETER
        raise BadFrame(code, f"{where}: {len(found)} times {kind.name}, one is needed")
    return found[0]
