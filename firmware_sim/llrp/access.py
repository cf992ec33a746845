"""AccessSpecs: kept, enabled and listed as the standard asks, never carried out (LLRP 1.0.1 section 11)."""

import struct

from firmware_sim.errors import BadFrame
from firmware_sim.llrp.frames import fields, parameters
from firmware_sim.llrp.words import Param, Status

MAX_ACCESSSPECS = 16
_HEAD = struct.Struct(">IHBBI")
_STATE_AT = 11
"""Offset of the state's byte in the parameter, after header, id, antenna and protocol."""


class AccessSpecs:
    """The reader's AccessSpecs by id, as they came."""

    def __init__(self) -> None:
        self._raw: dict[int, bytes] = {}

    def add(self, body: bytes) -> None:
        """Take the one of an ADD_ACCESSSPEC; raises `BadFrame`."""
        found = list(parameters(body, "ADD_ACCESSSPEC"))
        if len(found) != 1 or found[0].type != Param.ACCESSSPEC:
            raise BadFrame(Status.MISSING_PARAMETER, "ADD_ACCESSSPEC: one AccessSpec is needed")
        (spec_id, *_) = fields(_HEAD, found[0].value, "AccessSpec")
        if spec_id == 0 or spec_id in self._raw:
            raise BadFrame(Status.FIELD_ERROR, f"AccessSpec {spec_id} is not allowed or exists already")
        if len(self._raw) == MAX_ACCESSSPECS:
            raise BadFrame(Status.OVERFLOW_PARAMETER, f"this reader holds {MAX_ACCESSSPECS} AccessSpecs")
        self._raw[spec_id] = found[0].raw

    def delete(self, spec_id: int) -> None:
        """Forget one, or all with 0; raises `BadFrame` for an unknown id, as does `mark`."""
        for known in self._named(spec_id):
            del self._raw[known]

    def mark(self, spec_id: int, *, enabled: bool) -> None:
        """Change the state of one, or of all with 0."""
        for known in self._named(spec_id):
            raw = self._raw[known]
            self._raw[known] = raw[:_STATE_AT] + bytes([enabled << 7]) + raw[_STATE_AT + 1 :]

    def as_parameters(self) -> bytes:
        """All of them, for GET_ACCESSSPECS_RESPONSE."""
        return b"".join(self._raw.values())

    def _named(self, spec_id: int) -> list[int]:
        if spec_id and spec_id not in self._raw:
            raise BadFrame(Status.FIELD_ERROR, f"there is no AccessSpec {spec_id}")
        return [spec_id] if spec_id else list(self._raw)
