"""Tag memory, masks and patterns: what a tag keeps, tells, and lets itself be told."""

from collections.abc import Callable
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from firmware_sim.llrp.mask import Action, Filter, Mask, Pattern, matches, selected
from firmware_sim.tagmemory import Area, Bank, Privilege, TagFault, TagMemory, Tags, crc16

EPCS = st.binary(min_size=1, max_size=62)
EPC = bytes.fromhex("303435fc8803d056d15b963f")


@given(EPCS)
def test_a_fresh_tag_sends_the_epc_that_it_came_with(epc: bytes) -> None:
    tags = Tags()
    assert tags.epc(epc.hex()) == epc
    assert tags[epc.hex()].epc == epc
    assert tags.epc(epc.hex()) == epc


@given(st.binary(min_size=1, max_size=31).map(lambda half: half * 2), st.integers(0, 31))
def test_crc_and_length_always_belong_to_the_epc(epc: bytes, words: int) -> None:
    tag = TagMemory(epc, b"")
    try:
        tag.write(Bank.EPC, 1, words << 11, secured=True)
    except TagFault:
        words = len(epc) // 2
    assert len(tag.epc) == 2 * words
    stored = tag.read(Bank.EPC, 0, 2 + words, secured=True)
    assert stored[2:] == tag.pc.to_bytes(2, "big") + tag.epc
    assert crc16(stored[2:]).to_bytes(2, "big") == stored[:2]
    assert tag.read(Bank.EPC, 0, 0, secured=True) == stored


@given(st.data())
def test_a_mask_compares_the_bits_that_stand_there(data: st.DataObject) -> None:
    tag = TagMemory(EPC, b"")
    stored = tag.bits(Bank.EPC, 0, 10_000)
    assert int(stored, 2) >> 32 == int.from_bytes(tag.read(Bank.EPC, 0, 8, secured=True), "big")
    pointer = data.draw(st.integers(0, len(stored) - 1))
    count = data.draw(st.integers(1, len(stored) - pointer))
    minded = data.draw(st.integers(0, count - 1))
    blurred = data.draw(st.sets(st.integers(0, count - 1))) - {minded}
    bits = ["." if place in blurred else stored[pointer + place] for place in range(count)]
    assert Mask(Bank.EPC, pointer, "".join(bits)).matches(tag)
    bits[minded] = "10"[int(bits[minded])]
    assert not Mask(Bank.EPC, pointer, "".join(bits)).matches(tag)
    assert not Mask(Bank.EPC, len(stored) - count, "." * (count + 1)).matches(tag)


class Case(NamedTuple):
    """Whether tags are selected that match, or do not, by one filter alone."""

    action: Action
    match: bool
    miss: bool


@pytest.mark.parametrize(
    "case",
    [
        Case(Action.SELECT_UNSELECT, True, False),
        Case(Action.SELECT_NOTHING, True, False),
        Case(Action.NOTHING_UNSELECT, True, False),
        Case(Action.UNSELECT_NOTHING, False, True),
        Case(Action.UNSELECT_SELECT, False, True),
        Case(Action.NOTHING_SELECT, False, True),
    ],
    ids=lambda case: case.action.name,
)
def test_each_action_of_a_select_filter(case: Case) -> None:
    tag = TagMemory(EPC, b"")
    hit, miss = Mask(Bank.EPC, 32, "0011"), Mask(Bank.EPC, 32, "1100")
    assert selected((Filter(hit, case.action),), tag) is case.match
    assert selected((Filter(miss, case.action),), tag) is case.miss
    assert selected((), tag)


def test_filters_work_one_after_the_other() -> None:
    case, pallet = TagMemory(EPC, b""), TagMemory(bytes.fromhex("3174257bf7194e4000001a85"), b"")
    cases, pallets = Mask(Bank.EPC, 32, "00110000"), Mask(Bank.EPC, 32, "00110001")
    both = (Filter(cases, Action.SELECT_UNSELECT), Filter(pallets, Action.SELECT_NOTHING))
    other = TagMemory(bytes.fromhex("e28011606000020987654321"), b"")
    assert [selected(both, tag) for tag in (case, pallet, other)] == [True, True, False]
    assert matches((Pattern(cases, True), Pattern(pallets, False)), case)
    assert not matches((Pattern(cases, True), Pattern(pallets, True)), case)


def fault_of(command: Callable[[], object]) -> str | None:
    """Why the tag would not, or None."""
    try:
        command()
    except TagFault as fault:
        return fault.fault
    return None


class Locking(RuleBasedStateMachine):
    """Against a plain table: Gen2 v2 table 6.51, pwd-write and permalock."""

    def __init__(self) -> None:
        super().__init__()
        self.tag = TagMemory(EPC, b"")
        self.locked, self.settled = dict.fromkeys(Area, False), dict.fromkeys(Area, False)
        self.locked[Area.TID] = self.settled[Area.TID] = True

    @rule(area=st.sampled_from(Area), privilege=st.sampled_from(Privilege), secured=st.booleans())
    def lock(self, area: Area, privilege: Privilege, secured: bool) -> None:
        locked = privilege in (Privilege.LOCK, Privilege.PERMALOCK)
        settled = privilege in (Privilege.PERMALOCK, Privilege.PERMAUNLOCK)
        allowed = not self.settled[area] or (locked == self.locked[area] and settled)
        fault = fault_of(lambda: self.tag.lock(area, privilege, secured=secured))
        assert fault == (None if secured and allowed else "locked" if secured else "no response")
        if fault is None:
            self.locked[area], self.settled[area] = locked, settled

    @rule(area=st.sampled_from(Area), secured=st.booleans(), value=st.integers(0, 0xFFFF))
    def write(self, area: Area, secured: bool, value: int) -> None:
        bank, word = PLACES[area]
        writable = not self.locked[area] or (secured and not self.settled[area])
        fault = fault_of(lambda: self.tag.write(bank, word, value, secured=secured))
        assert fault == (None if writable else "locked")
        if writable:
            assert self.tag.read(bank, word, 1, secured=not self.settled[area]) == value.to_bytes(2, "big")

    @rule(area=st.sampled_from(Area), secured=st.booleans())
    def read(self, area: Area, secured: bool) -> None:
        bank, word = PLACES[area]
        hidden = bank == Bank.RESERVED and self.locked[area] and (not secured or self.settled[area])
        fault = fault_of(lambda: self.tag.read(bank, word, 1, secured=secured))
        assert fault == ("locked" if hidden else None)

    @invariant()
    def tid_never_changes(self) -> None:
        assert self.tag.read(Bank.TID, 0, 1, secured=False) == b"\xe2\x80"


PLACES = {
    Area.KILL_PASSWORD: (Bank.RESERVED, 0),
    Area.ACCESS_PASSWORD: (Bank.RESERVED, 2),
    Area.EPC: (Bank.EPC, 2),
    Area.TID: (Bank.TID, 3),
    Area.USER: (Bank.USER, 0),
}
TestLocking = Locking.TestCase
TestLocking.settings = settings(max_examples=30, stateful_step_count=25, deadline=None)


def test_passwords_open_a_tag_and_wrong_ones_silence_it() -> None:
    tag = TagMemory(EPC, b"")
    assert tag.access(0)
    tag.write(Bank.RESERVED, 3, 0xBEEF, secured=True)
    assert tag.access(0xBEEF)
    assert not tag.access(0)
    with pytest.raises(TagFault, match="no response"):
        tag.access(0xDEAD)


def test_a_dead_tag_sends_nothing() -> None:
    tags = Tags()
    with pytest.raises(TagFault, match="zero password"):
        tags[EPC.hex()].kill(0)
    tags[EPC.hex()].write(Bank.RESERVED, 1, 0xDEAD, secured=True)
    tags[EPC.hex()].kill(0xDEAD)
    assert tags.epc(EPC.hex()) is None
