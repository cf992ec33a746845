"""Commissioning a tag: what is still to be done, from what the tag says of itself. Rules only, no I/O.

A tag is never believed to be as we left it: it is read, compared with what it shall be, and the first difference is
dealt with; then it is read again. So a write that was torn (the tag left the field between two words) is found and
completed, and a tag that is as it should be is left alone.

    what the tag says                                   next
    its password is locked, and ours not tried          read it with ours
    EPC or PC word differ                               write the words that differ, the PC word last
    nothing differs, no lock wanted                     done
    its password is zero, or half ours                  write ours
    its password is ours, and not locked                lock EPC, access and kill password
    its password is locked, the EPC's lock not tried    try to write the PC word as it is, without password
        and it was written                                lock
        and it was refused                                done

Whether an EPC is locked cannot be read (Gen2 2.0, section 6.3.2.12.3.5), so it is tried.
"""

from typing import Final, Literal, NamedTuple

from edge.errors import TagTrouble
from edge.llrp.accessspec import Area, Bank, Lock, Op, Read, Write
from edge.llrp.sighting import SUCCESS, Result

PASSWORD_WORD: Final = 2
"""Of the access password in the reserved bank."""
LOCKED_AREAS: Final = (Area.EPC, Area.ACCESS_PASSWORD, Area.KILL_PASSWORD)
_UMI_XI: Final = 0x0600
"""Bits 15h and 16h of the PC word, which the tag sets by itself; 17h (toggle) and the attributes are zero for an EPC
(Tag Data Standard 1.13, table 15-1)."""
_TOGGLE: Final = 0x0100

Kind = Literal["epc", "password", "lock", "check", "probe"]


class Wish(NamedTuple):
    """What a tag shall be."""

    epc: bytes
    """Whole words."""
    password: int | None = None
    """Access password: of a tag that has one; or, with `lock`, for a tag that has none."""
    lock: bool = False


class TagState(NamedTuple):
    """What a tag says of itself."""

    pc: int
    memory: bytes
    """Its EPC bank behind the PC word, as far as `look` reads it."""
    password: int | None
    """Access password; None: it is locked."""
    opened: bool = False
    """Ours is right."""
    epc_locked: bool | None = None
    """None: not tried yet."""

    @property
    def epc(self) -> str:
        """What it answers with, lower-case hexadecimal."""
        return self.memory[: 2 * (self.pc >> 11)].hex()


def family(pc: int) -> int | None:
    """The Application Family Identifier in a PC word, if its toggle says that the bits behind it are no EPC."""
    return pc & 0xFF if pc & _TOGGLE else None


class Step(NamedTuple):
    """Something to do to the tag."""

    kind: Kind
    ops: tuple[Op, ...]


def look(wish: Wish, epc_words: int) -> tuple[Op, ...]:
    """What is read for a `TagState`; beyond its present EPC, too, to know whether there is room for a longer one."""
    bank = [Read(Bank.EPC, 1, 1 + epc_words)]
    if (more := len(wish.epc) // 2 - epc_words) > 0:
        bank.append(Read(Bank.EPC, 2 + epc_words, more))
    return (*bank, Read(Bank.RESERVED, PASSWORD_WORD, 2))


def state(ops: tuple[Op, ...], results: dict[int, Result]) -> TagState | None:
    """The state in the results of `look`; None: the tag did not answer, look again. Raises `TagTrouble`.

    LLRP 1.0.1 has one word for all that a tag itself refuses to have read; 1.1 tells memory that is not there from
    memory that is locked.
    """
    *bank, password = [results.get(place, _SILENCE) for place in range(len(ops))]
    if len(bank) == 2 and bank[1].outcome in ("Memory_Overrun_Error", _REFUSED):
        raise TagTrouble("the tag has no room for such a long EPC")
    if any(part.outcome != SUCCESS for part in bank):
        return None
    if password.outcome not in (SUCCESS, "Memory_Locked_Error", "Incorrect_Password_Error", _REFUSED):
        return None
    data = b"".join(part.data for part in bank)
    known = int.from_bytes(password.data, "big") if password.outcome == SUCCESS else None
    return TagState(int.from_bytes(data[:2], "big"), data[2:], known)


def next_step(tag: TagState, wish: Wish) -> Step | None:
    """What to do next; None when all is as it should be. Raises `TagTrouble` where that cannot be."""
    torn = _torn(tag.password, wish)
    if tag.password and wish.password not in (None, tag.password) and not torn:
        raise TagTrouble("the tag has another access password than the one given")
    if tag.password is None and wish.password and not tag.opened:
        return Step("check", (Read(Bank.RESERVED, PASSWORD_WORD, 2, wish.password),))
    key = 0 if torn else wish.password or 0
    if ops := _differing(tag, wish.epc, key):
        return Step("epc", ops)
    if not wish.lock:
        return None
    if not wish.password:
        raise TagTrouble("a lock without an access password locks nothing: give one that is not zero")
    if torn:
        return Step("password", (Write(Bank.RESERVED, PASSWORD_WORD, wish.password.to_bytes(4, "big")),))
    if tag.password is None and tag.epc_locked is None:
        return Step("probe", (Write(Bank.EPC, 1, tag.pc.to_bytes(2, "big")),))
    if tag.password is None and tag.epc_locked:
        return None
    return Step("lock", (Lock(LOCKED_AREAS, wish.password),))


def _torn(password: int | None, wish: Wish) -> bool:
    """The password is zero, or of its two words one is ours and the other still zero: its write was torn."""
    wanted = wish.password or 0
    half = password != wanted and password in (wanted & 0xFFFF0000, wanted & 0xFFFF)
    return password == 0 or (wish.lock and half)


def _differing(tag: TagState, epc: bytes, key: int) -> tuple[Op, ...]:
    ops: list[Op] = []
    differ = [place for place in range(0, len(epc), 2) if epc[place : place + 2] != tag.memory[place : place + 2]]
    if differ:
        ops.append(Write(Bank.EPC, 2 + differ[0] // 2, epc[differ[0] : differ[-1] + 2], key))
    pc = len(epc) // 2 << 11
    if tag.pc & ~_UMI_XI != pc:
        ops.append(Write(Bank.EPC, 1, (pc | tag.pc & _UMI_XI).to_bytes(2, "big"), key))
    return tuple(ops)


def after(tag: TagState, step: Step, results: dict[int, Result]) -> TagState | None:
    """The tag after a check or a probe; None: it did not answer, or after other steps: look again.

    Raises `TagTrouble` for a wrong password. A password that may not be read even so is locked for good, not wrong.
    """
    outcome = results.get(0, _SILENCE).outcome
    if step.kind == "check" and outcome in (SUCCESS, "Memory_Locked_Error", _REFUSED):
        return tag._replace(opened=True)
    if step.kind == "probe" and outcome in (SUCCESS, "Tag_Memory_Locked_Error", _REFUSED):
        return tag._replace(epc_locked=outcome != SUCCESS)
    return None


def trouble(step: Step, results: dict[int, Result], wish: Wish) -> str:
    """Why a step failed, in words, if trying again may help; empty if it went well.

    Raises `TagTrouble` where it is in vain.
    """
    failed = next((result.outcome for result in results.values() if result.outcome != SUCCESS), SUCCESS)
    if failed == SUCCESS:
        return "" if len(results) == len(step.ops) else "the tag is no longer heard"
    if failed == "Tag_Memory_Locked_Error" and not wish.password:
        raise TagTrouble("the tag is locked: give its access password")
    if failed in _IN_VAIN:
        raise TagTrouble(_IN_VAIN[failed])
    if step.kind == "check":
        return "the tag does not answer to this access password: it is wrong, or the tag is too far away"
    return _AGAIN.get(failed, failed)


_REFUSED: Final = "Nonspecific_Tag_Error"
_SILENCE: Final = Result("")
_IN_VAIN: Final = {
    "Tag_Memory_Locked_Error": "the tag is locked, and its access password does not open it: it is locked for good",
    "Tag_Memory_Overrun_Error": "the tag has no such memory",
    "Incorrect_Password_Error": "the access password is wrong",
}
_AGAIN: Final = {
    "Insufficient_Power": "too little power reaches the tag to write it: bring it nearer to the antenna",
    "No_Response_From_Tag": "the tag does not answer: bring it nearer to the antenna",
    "Nonspecific_Tag_Error": "the tag refuses and does not say why",
    "Nonspecific_Reader_Error": "the reader fails and does not say why",
}
