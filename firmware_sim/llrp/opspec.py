"""What an AccessSpec does to a tag: read, write, lock, kill, and how it went (LLRP 1.0.1 sections 16.3.1.3 and
16.3.1.5).
"""

import struct
from collections.abc import Callable, Mapping
from random import Random
from typing import NamedTuple

from firmware_sim.errors import BadFrame
from firmware_sim.llrp.frames import Parameter, fields, parameters, tlv
from firmware_sim.llrp.words import Param, Status
from firmware_sim.tagmemory import Area, Bank, Fault, Privilege, TagFault, TagMemory

STRONG_DBM = -60.0
"""A tag that is heard this loud has power enough to write its memory; below, each command may fail."""
_FAILURE_PER_DB = 0.05
_MOST_FAILURE = 0.9

_OP = struct.Struct(">HI")
_PLACE = struct.Struct(">HIBHH")
_PAYLOAD = struct.Struct(">BB")
_SUCCESS = 0


class Held:
    """A tag that the reader has singulated and holds, from ReqRN until it lets go (Gen2 section 6.3.2.12.3)."""

    def __init__(self, memory: TagMemory, rssi_dbm: float, chance: Random) -> None:
        self.memory = memory
        self._failure = min(_MOST_FAILURE, max(0.0, (STRONG_DBM - rssi_dbm) * _FAILURE_PER_DB))
        self._chance = chance
        self.secured = memory.access(0)

    def access(self, password: int) -> None:
        """Send the Access command where there is a password; raises `TagFault`, as do the next two."""
        if password:
            self.secured = self.memory.access(password)

    def answer(self) -> None:
        """A command that only wants an answer: half as hard as one that stores."""
        if self._chance.random() < self._failure / 2:
            raise TagFault("no response")

    def store(self) -> None:
        """A command that makes the tag write its memory."""
        if self._chance.random() < self._failure:
            raise TagFault("power")


class Done(NamedTuple):
    """How an OpSpec went."""

    success: bool
    result: bytes
    """The OpSpecResult parameter."""


class Read(NamedTuple):
    """C1G2Read."""

    id: int
    password: int
    bank: Bank
    word: int
    words: int

    def run(self, tag: Held) -> Done:
        try:
            tag.access(self.password)
            tag.answer()
            data = tag.memory.read(self.bank, self.word, self.words, secured=tag.secured)
        except TagFault as error:
            code = 2 if error.fault == "no response" else 1
            return Done(False, tlv(Param.C1G2_READ_RESULT, struct.pack(">BHH", code, self.id, 0)))
        head = struct.pack(">BHH", _SUCCESS, self.id, len(data) // 2)
        return Done(True, tlv(Param.C1G2_READ_RESULT, head + data))


class Write(NamedTuple):
    """C1G2Write, and C1G2BlockWrite, which does the same with fewer commands."""

    id: int
    password: int
    bank: Bank
    word: int
    data: tuple[int, ...]
    block: bool

    def run(self, tag: Held) -> Done:
        code, written = _SUCCESS, 0
        try:
            tag.access(self.password)
            for value in self.data:
                tag.store()
                tag.memory.write(self.bank, self.word + written, value, secured=tag.secured)
                written += 1
        except TagFault as error:
            code = _WRITE_CODES[error.fault]
        kind = Param.C1G2_BLOCK_WRITE_RESULT if self.block else Param.C1G2_WRITE_RESULT
        return Done(code == _SUCCESS, tlv(kind, struct.pack(">BHH", code, self.id, written)))


class Lock(NamedTuple):
    """C1G2Lock."""

    id: int
    password: int
    payloads: tuple[tuple[Privilege, Area], ...]

    def run(self, tag: Held) -> Done:
        code = _SUCCESS
        try:
            tag.access(self.password)
            tag.store()
            for privilege, area in self.payloads:
                tag.memory.lock(area, privilege, secured=tag.secured)
        except TagFault as error:
            code = _LOCK_CODES.get(error.fault, 2)
        return Done(code == _SUCCESS, tlv(Param.C1G2_LOCK_RESULT, struct.pack(">BH", code, self.id)))


class Kill(NamedTuple):
    """C1G2Kill."""

    id: int
    password: int

    def run(self, tag: Held) -> Done:
        code = _SUCCESS
        try:
            tag.store()
            tag.memory.kill(self.password)
        except TagFault as error:
            code = _KILL_CODES.get(error.fault, 3)
        return Done(code == _SUCCESS, tlv(Param.C1G2_KILL_RESULT, struct.pack(">BH", code, self.id)))


Op = Read | Write | Lock | Kill

_WRITE_CODES: Mapping[Fault, int] = {
    "overrun": 1, "locked": 2, "power": 3, "other": 4, "zero password": 4, "no response": 5,
}  # fmt: skip
_LOCK_CODES: Mapping[Fault, int] = {"power": 1, "no response": 3}
_KILL_CODES: Mapping[Fault, int] = {"zero password": 1, "power": 2, "no response": 4}


def read_op(parameter: Parameter) -> Op:
    """An OpSpec; raises `BadFrame` for one that this reader cannot do."""
    read = _READERS.get(parameter.type)
    if read is None:
        raise BadFrame(
            Status.UNSUPPORTED_PARAMETER, f"AccessCommand: this reader has no OpSpec of type {parameter.type}"
        )
    return read(parameter.value)


def _read_read(value: bytes) -> Op:
    op_id, password, bank, word, count = fields(_PLACE, value, "C1G2Read")
    return Read(op_id, password, Bank(bank >> 6), word, count)


def _read_write(value: bytes, *, block: bool = False) -> Op:
    op_id, password, bank, word, count = fields(_PLACE, value, "C1G2Write")
    data = fields(struct.Struct(f">{count}H"), value[_PLACE.size :], "C1G2Write")
    if not data:
        raise BadFrame(Status.PARAMETER_ERROR, "C1G2Write: no words to write")
    return Write(op_id, password, Bank(bank >> 6), word, data, block)


def _read_block_write(value: bytes) -> Op:
    return _read_write(value, block=True)


def _read_lock(value: bytes) -> Op:
    op_id, password = fields(_OP, value, "C1G2Lock")
    payloads = []
    for one in parameters(value[_OP.size :], "C1G2Lock"):
        privilege, area = fields(_PAYLOAD, one.value, "C1G2LockPayload")
        if one.type != Param.C1G2_LOCK_PAYLOAD or privilege > Privilege.UNLOCK or area > Area.USER:
            raise BadFrame(Status.PARAMETER_ERROR, f"C1G2LockPayload: privilege {privilege}, data field {area}")
        payloads.append((Privilege(privilege), Area(area)))
    if not payloads:
        raise BadFrame(Status.MISSING_PARAMETER, "C1G2Lock: a C1G2LockPayload is missing")
    return Lock(op_id, password, tuple(payloads))


def _read_kill(value: bytes) -> Op:
    return Kill(*fields(_OP, value, "C1G2Kill"))


_READERS: Mapping[int, Callable[[bytes], Op]] = {
    Param.C1G2_READ: _read_read,
    Param.C1G2_WRITE: _read_write,
    Param.C1G2_BLOCK_WRITE: _read_block_write,
    Param.C1G2_LOCK: _read_lock,
    Param.C1G2_KILL: _read_kill,
}
