"""Which tags are meant: Select filters and the tag patterns of AccessSpecs (LLRP 1.0.1 sections 16.3.1.2
and 16.3.1.3).

Both name a memory bank, a bit to begin at, and bits to compare there.
"""

import struct
from enum import IntEnum
from typing import NamedTuple

from firmware_sim.errors import BadFrame
from firmware_sim.llrp.frames import Parameter, fields, parameters
from firmware_sim.llrp.words import Param, Status
from firmware_sim.tagmemory import Bank, TagMemory

MAX_FILTERS = 2
_BYTE = struct.Struct(">B")
_HEAD = struct.Struct(">BHH")
_WORD = struct.Struct(">H")


class Action(IntEnum):
    """C1G2TagInventoryStateUnawareFilterAction: what becomes of tags that match, and of those that do not."""

    SELECT_UNSELECT = 0
    SELECT_NOTHING = 1
    NOTHING_UNSELECT = 2
    UNSELECT_NOTHING = 3
    UNSELECT_SELECT = 4
    NOTHING_SELECT = 5


class Mask(NamedTuple):
    """Bits of a bank."""

    bank: Bank
    pointer: int
    """In bits."""
    bits: str
    """0 and 1; a dot matches both."""

    def matches(self, memory: TagMemory) -> bool:
        """A tag whose bank ends before the mask does not match."""
        stored = memory.bits(self.bank, self.pointer, len(self.bits))
        if len(stored) < len(self.bits):
            return False
        return all(want in (".", have) for want, have in zip(self.bits, stored, strict=True))


class Filter(NamedTuple):
    """C1G2Filter: one Select command."""

    mask: Mask
    action: Action


class Pattern(NamedTuple):
    """C1G2TargetTag: a mask that must match, or must not."""

    mask: Mask
    match: bool


def selected(filters: tuple[Filter, ...], memory: TagMemory) -> bool:
    """Whether a tag takes part in the inventory after these Select commands, one after the other."""
    if not filters:
        return True
    chosen = filters[0].action in (Action.NOTHING_UNSELECT, Action.UNSELECT_NOTHING)
    for one in filters:
        effect = _ON_MATCH if one.mask.matches(memory) else _ON_MISS
        chosen = effect.get(one.action, chosen)
    return chosen


_ON_MATCH = {
    Action.SELECT_UNSELECT: True, Action.SELECT_NOTHING: True,
    Action.UNSELECT_NOTHING: False, Action.UNSELECT_SELECT: False,
}  # fmt: skip
_ON_MISS = {
    Action.SELECT_UNSELECT: False, Action.NOTHING_UNSELECT: False,
    Action.UNSELECT_SELECT: True, Action.NOTHING_SELECT: True,
}  # fmt: skip


def read_filter(parameter: Parameter) -> Filter:
    """A C1G2Filter; raises `BadFrame`. One without a state-unaware action selects what matches."""
    mask, action = None, Action.SELECT_UNSELECT
    for one in parameters(parameter.value[_BYTE.size :], "C1G2Filter"):
        if one.type == Param.C1G2_INVENTORY_MASK:
            bank, pointer, count = fields(_HEAD, one.value, "C1G2TagInventoryMask")
            if bank >> 6 == Bank.RESERVED:
                raise BadFrame(Status.PARAMETER_ERROR, "C1G2TagInventoryMask: the reserved bank cannot be selected by")
            mask = Mask(Bank(bank >> 6), pointer, _bits(one.value[_HEAD.size :], count, "C1G2TagInventoryMask"))
        elif one.type == Param.C1G2_STATE_UNAWARE_FILTER:
            (number,) = fields(_BYTE, one.value, "C1G2TagInventoryStateUnawareFilterAction")
            if number > Action.NOTHING_SELECT:
                raise BadFrame(Status.PARAMETER_ERROR, f"C1G2TagInventoryStateUnawareFilterAction: {number}")
            action = Action(number)
    if mask is None:
        raise BadFrame(Status.MISSING_PARAMETER, "C1G2Filter: its mask is missing")
    return Filter(mask, action)


def read_pattern(parameter: Parameter) -> Pattern:
    """A C1G2TargetTag; raises `BadFrame`. An empty pattern matches every tag."""
    head, pointer, mask_bits = fields(_HEAD, parameter.value, "C1G2TargetTag")
    at = _HEAD.size + (mask_bits + 7) // 8
    mask = _bits(parameter.value[_HEAD.size :], mask_bits, "C1G2TargetTag")
    (data_bits,) = fields(_WORD, parameter.value[at:], "C1G2TargetTag")
    data = _bits(parameter.value[at + _WORD.size :], data_bits, "C1G2TargetTag")
    if len(data) not in (0, len(mask)):
        raise BadFrame(Status.PARAMETER_ERROR, f"C1G2TargetTag: {len(mask)} bits of mask, {len(data)} of data")
    wanted = "".join(bit if care == "1" else "." for care, bit in zip(mask, data, strict=False))
    return Pattern(Mask(Bank(head >> 6), pointer, wanted), bool(head & 0x20))


def matches(patterns: tuple[Pattern, ...], memory: TagMemory) -> bool:
    """Whether a tag is the target: with two patterns both must hold."""
    return all(one.mask.matches(memory) == one.match for one in patterns)


def _bits(data: bytes, count: int, where: str) -> str:
    """So many bits of a bit array."""
    if len(data) < (count + 7) // 8:
        raise BadFrame(Status.PARAMETER_ERROR, f"{where}: {count} bits announced, {8 * len(data)} came")
    whole = data[: (count + 7) // 8]
    return f"{int.from_bytes(whole, 'big'):0{8 * len(whole)}b}"[:count] if count else ""
