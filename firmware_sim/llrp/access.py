"""AccessSpecs: what is done to which tags when they are singulated (LLRP 1.0.1 section 11).

Of the active AccessSpecs that fit a tag the first that was added is carried out, one at each singulation. Its OpSpecs
run in order until one fails. An operation count counts such runs; at its end the AccessSpec is deleted.
"""

import struct
from random import Random
from typing import NamedTuple

from firmware_sim.errors import BadFrame
from firmware_sim.llrp.frames import Parameter, fields, parameters
from firmware_sim.llrp.mask import Pattern, matches, read_pattern
from firmware_sim.llrp.opspec import Held, Op, read_op
from firmware_sim.llrp.reportrule import AccessReportWhen, read_access_report_rule
from firmware_sim.llrp.words import Param, Status
from firmware_sim.tagmemory import TagMemory

MAX_ACCESSSPECS = 16
MAX_OPSPECS = 8
_MAX_PATTERNS = 2
_HEAD = struct.Struct(">IHBBI")
_STOP = struct.Struct(">BH")
_STATE_AT = 11
"""Offset of the state's byte in the parameter, after header, id, antenna and protocol."""
_GEN2 = 1


class AccessSpec(NamedTuple):
    """An AccessSpec; `raw` is the parameter as it came, with its present state."""

    id: int
    antenna: int
    """0 for all."""
    rospec: int
    """0 for all."""
    patterns: tuple[Pattern, ...]
    ops: tuple[Op, ...]
    runs: int
    """How often it is still carried out; 0 for always."""
    report: AccessReportWhen | None
    """None where the reader's configuration says when."""
    raw: bytes

    @property
    def active(self) -> bool:
        """Whether it is enabled."""
        return bool(self.raw[_STATE_AT] & 0x80)

    def fits(self, rospec: int, antenna: int, memory: TagMemory) -> bool:
        """Whether a tag singulated there is one of its targets."""
        return (
            self.active
            and self.rospec in (0, rospec)
            and self.antenna in (0, antenna)
            and matches(self.patterns, memory)
        )


class Accessed(NamedTuple):
    """What was done to one tag."""

    accessspec: int
    results: bytes
    """OpSpecResult parameters of the OpSpecs that ran."""
    report: AccessReportWhen | None


class AccessSpecs:
    """The reader's AccessSpecs by id, in the order in which they were added."""

    def __init__(self, chance: Random) -> None:
        self._specs: dict[int, AccessSpec] = {}
        self._chance = chance

    def __bool__(self) -> bool:
        return bool(self._specs)

    def add(self, body: bytes) -> None:
        """Take the one of an ADD_ACCESSSPEC; raises `BadFrame`."""
        found = list(parameters(body, "ADD_ACCESSSPEC"))
        if len(found) != 1 or found[0].type != Param.ACCESSSPEC:
            raise BadFrame(Status.MISSING_PARAMETER, "ADD_ACCESSSPEC: one AccessSpec is needed")
        spec = read_accessspec(found[0])
        if spec.id in self._specs:
            raise BadFrame(Status.FIELD_ERROR, f"AccessSpec {spec.id} exists already")
        if len(self._specs) == MAX_ACCESSSPECS:
            raise BadFrame(Status.OVERFLOW_PARAMETER, f"this reader holds {MAX_ACCESSSPECS} AccessSpecs")
        self._specs[spec.id] = spec

    def delete(self, spec_id: int) -> None:
        """Forget one, or all with 0; raises `BadFrame` for an unknown id, as do the next two."""
        for known in self._named(spec_id):
            del self._specs[known]

    def enable(self, spec_id: int) -> None:
        """Let one, or all with 0, be carried out."""
        self._mark(spec_id, 0x80)

    def disable(self, spec_id: int) -> None:
        """Let one, or all with 0, rest."""
        self._mark(spec_id, 0)

    def as_parameters(self) -> bytes:
        """All of them, for GET_ACCESSSPECS_RESPONSE."""
        return b"".join(spec.raw for spec in self._specs.values())

    def perform(self, memory: TagMemory, rospec: int, antenna: int, rssi_dbm: float) -> Accessed | None:
        """A tag was singulated: do to it what the first AccessSpec that fits says. None where none fits."""
        spec = next((spec for spec in self._specs.values() if spec.fits(rospec, antenna, memory)), None)
        if spec is None:
            return None
        tag, results = Held(memory, rssi_dbm, self._chance), []
        for op in spec.ops:
            done = op.run(tag)
            results.append(done.result)
            if not done.success:
                break
        if spec.runs == 1:
            del self._specs[spec.id]
        elif spec.runs:
            self._specs[spec.id] = spec._replace(runs=spec.runs - 1)
        return Accessed(spec.id, b"".join(results), spec.report)

    def _mark(self, spec_id: int, state: int) -> None:
        for known in self._named(spec_id):
            spec = self._specs[known]
            raw = spec.raw[:_STATE_AT] + bytes([state]) + spec.raw[_STATE_AT + 1 :]
            self._specs[known] = spec._replace(raw=raw)

    def _named(self, spec_id: int) -> list[int]:
        if spec_id and spec_id not in self._specs:
            raise BadFrame(Status.FIELD_ERROR, f"there is no AccessSpec {spec_id}")
        return [spec_id] if spec_id else list(self._specs)


def read_accessspec(parameter: Parameter) -> AccessSpec:
    """An AccessSpec; raises `BadFrame`."""
    spec_id, antenna, protocol, state, rospec = fields(_HEAD, parameter.value, "AccessSpec")
    if spec_id == 0 or state & 0x80:
        raise BadFrame(Status.FIELD_ERROR, f"AccessSpec {spec_id}: id 0 and an active state are not allowed")
    if protocol != _GEN2:
        raise BadFrame(
            Status.PARAMETER_ERROR, f"AccessSpec {spec_id}: this reader speaks Gen2, not protocol {protocol}"
        )
    inner = {one.type: one for one in parameters(parameter.value[_HEAD.size :], f"AccessSpec {spec_id}")}
    for needed in (Param.ACCESSSPEC_STOP_TRIGGER, Param.ACCESS_COMMAND):
        if needed not in inner:
            raise BadFrame(Status.MISSING_PARAMETER, f"AccessSpec {spec_id}: {needed.name} is missing")
    kind, count = fields(_STOP, inner[Param.ACCESSSPEC_STOP_TRIGGER].value, "AccessSpecStopTrigger")
    if kind > 1:
        raise BadFrame(Status.PARAMETER_ERROR, f"AccessSpecStopTrigger: type {kind}")
    patterns, ops = _read_command(inner[Param.ACCESS_COMMAND])
    report = inner.get(Param.ACCESS_REPORT_SPEC)
    return AccessSpec(
        id=spec_id,
        antenna=antenna,
        rospec=rospec,
        patterns=patterns,
        ops=ops,
        runs=count if kind else 0,
        report=read_access_report_rule(report) if report else None,
        raw=parameter.raw,
    )


def _read_command(parameter: Parameter) -> tuple[tuple[Pattern, ...], tuple[Op, ...]]:
    patterns: list[Pattern] = []
    ops: list[Op] = []
    for one in parameters(parameter.value, "AccessCommand"):
        if one.type == Param.C1G2_TAG_SPEC:
            targets = parameters(one.value, "C1G2TagSpec")
            patterns += [read_pattern(target) for target in targets if target.type == Param.C1G2_TARGET_TAG]
        elif one.type != Param.CUSTOM:
            ops.append(read_op(one))
    if not 1 <= len(patterns) <= _MAX_PATTERNS or not 1 <= len(ops) <= MAX_OPSPECS:
        raise BadFrame(
            Status.PARAMETER_ERROR,
            f"AccessCommand: {len(patterns)} C1G2TargetTag (1 or 2), {len(ops)} OpSpecs (1 to {MAX_OPSPECS})",
        )
    return tuple(patterns), tuple(ops)
