"""What is stored in a tag, and who may change it (EPC UHF Gen2 v2, sections 6.3.2.1 and 6.3.2.12.3).

RESERVED 00   | kill password (2 words) | access password (2 words) |
EPC      01   | StoredCRC | StoredPC | EPC ...                      |
TID      10   | E2h, mask designer, model | XTID | serial (3 words) |
USER     11   | 32 words                                            |
"""

import hashlib
import struct
from enum import IntEnum
from typing import Literal

EPC_WORDS = 8
"""Room for the EPC in a usual tag: 128 bits. A tag that comes with a longer EPC has room for that one."""
USER_WORDS = 32
MAX_EPC_WORDS = 31
"""The length field of the PC word has five bits (section 6.3.2.1.2.2)."""

Fault = Literal["overrun", "locked", "no response", "power", "zero password", "other"]


class Bank(IntEnum):
    """Memory banks (section 6.3.2.1)."""

    RESERVED = 0
    EPC = 1
    TID = 2
    USER = 3


class Area(IntEnum):
    """What the Lock command locks on its own (section 6.3.2.12.3.5), numbered as LLRP's DataField."""

    KILL_PASSWORD = 0
    ACCESS_PASSWORD = 1
    EPC = 2
    TID = 3
    USER = 4


class Privilege(IntEnum):
    """LLRP's C1G2LockPrivilege; LOCK stands there as Read_Write."""

    LOCK = 0
    PERMALOCK = 1
    PERMAUNLOCK = 2
    UNLOCK = 3


class TagFault(Exception):
    """The tag will not do what it was told, or does not answer."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault)
        self.fault: Fault = fault


class TagMemory:
    """One tag, and the commands that it obeys. A reader gets it into its secured state with `access`, and it stays
    there until the reader lets go of it: so each command is told whether it is `secured`."""

    def __init__(self, epc: bytes, serial: bytes) -> None:
        padded = epc + bytes(len(epc) % 2)
        room = max(EPC_WORDS, len(padded) // 2)
        self._banks = {
            Bank.RESERVED: bytearray(8),
            Bank.EPC: bytearray(2) + struct.pack(">H", len(padded) // 2 << 11) + padded.ljust(2 * room, b"\0"),
            Bank.TID: bytearray.fromhex("e28011602000") + serial[:6].rjust(6, b"\0"),
            Bank.USER: bytearray(2 * USER_WORDS),
        }
        self._locked: dict[Area, bool] = dict.fromkeys(Area, False)
        self._settled: dict[Area, bool] = {area: area == Area.TID for area in Area}
        """Locked or unlocked for good."""
        self._locked[Area.TID] = True
        self._odd_epc = epc if len(epc) % 2 else None
        self.killed = False

    @property
    def epc(self) -> bytes:
        """What it answers with: as many words of its EPC bank as its PC word says."""
        if self._odd_epc is not None:
            return self._odd_epc
        bank = self._banks[Bank.EPC]
        return bytes(bank[4 : 4 + 2 * (bank[2] >> 3)])

    @property
    def pc(self) -> int:
        """The StoredPC word."""
        return int.from_bytes(self._banks[Bank.EPC][2:4], "big")

    def bits(self, bank: Bank, pointer: int, count: int) -> str:
        """Bits of a bank as a tag compares them with a Select mask; fewer where the bank ends before."""
        data = self._stored(bank)
        return f"{int.from_bytes(data, 'big'):0{8 * len(data)}b}"[pointer : pointer + count] if data else ""

    def access(self, password: int) -> bool:
        """The Access command; 0 stands for not sending it. Whether the tag is secured then, which one without a
        password always is. Raises `TagFault` for a wrong password: the tag does not answer it."""
        stored = int.from_bytes(self._banks[Bank.RESERVED][4:8], "big")
        if password not in (0, stored):
            raise TagFault("no response")
        return password == stored

    def read(self, bank: Bank, word: int, count: int, *, secured: bool) -> bytes:
        """The Read command; a count of 0 means to the end of the bank. Raises `TagFault`."""
        data = self._stored(bank)
        if bank == Bank.EPC and count == 0:
            data = data[: 4 + 2 * (data[2] >> 3)]
        end = 2 * (word + count) if count else len(data)
        if 2 * word >= len(data) or end > len(data):
            raise TagFault("overrun")
        for area in self._areas(bank, word, (end - 2 * word) // 2):
            if bank == Bank.RESERVED and self._locked[area] and (not secured or self._settled[area]):
                raise TagFault("locked")
        return data[2 * word : end]

    def write(self, bank: Bank, word: int, value: int, *, secured: bool) -> None:
        """The Write command for one word; raises `TagFault`."""
        stored = self._banks[bank]
        if 2 * word + 2 > len(stored):
            raise TagFault("overrun")
        for area in self._areas(bank, word, 1):
            if self._locked[area] and (not secured or self._settled[area]):
                raise TagFault("locked")
        if bank == Bank.EPC and (word == 0 or (word == 1 and value >> 11 > (len(stored) - 4) // 2)):
            raise TagFault("other")  # the tag computes its CRC itself, and has no more room than it has
        stored[2 * word : 2 * word + 2] = value.to_bytes(2, "big")
        if bank == Bank.EPC:
            self._odd_epc = None

    def lock(self, area: Area, privilege: Privilege, *, secured: bool) -> None:
        """The Lock command for one area; raises `TagFault`. A tag hears it in the secured state only."""
        if not secured:
            raise TagFault("no response")
        locked = privilege in (Privilege.LOCK, Privilege.PERMALOCK)
        settled = privilege in (Privilege.PERMALOCK, Privilege.PERMAUNLOCK)
        if self._settled[area] and (locked, settled) != (self._locked[area], True):
            raise TagFault("locked")
        self._locked[area], self._settled[area] = locked, settled or self._settled[area]

    def kill(self, password: int) -> None:
        """The Kill command; raises `TagFault`. A tag whose kill password is zero cannot be killed."""
        stored = int.from_bytes(self._banks[Bank.RESERVED][:4], "big")
        if stored == 0:
            raise TagFault("zero password")
        if password != stored:
            raise TagFault("no response")
        self.killed = True

    def _stored(self, bank: Bank) -> bytes:
        data = self._banks[bank]
        if bank == Bank.EPC:
            return crc16(bytes(data[2 : 4 + 2 * (data[2] >> 3)])).to_bytes(2, "big") + data[2:]
        return bytes(data)

    def _areas(self, bank: Bank, word: int, count: int) -> set[Area]:
        """The areas that words of a bank lie in."""
        if bank != Bank.RESERVED:
            return {(Area.EPC, Area.TID, Area.USER)[bank - 1]}
        return {Area.KILL_PASSWORD if one < 2 else Area.ACCESS_PASSWORD for one in range(word, word + count)}


class Tags:
    """The tags of a world by the EPC that they came with; every reader of the world shares them.

    A tag is known by that first EPC (`TagAt.epc`) for good, whatever is written to it: two tags may well send the
    same EPC. Tags exist from the moment somebody asks for them.
    """

    def __init__(self) -> None:
        self._memories: dict[str, TagMemory] = {}

    def __getitem__(self, first_epc: str) -> TagMemory:
        """The tag that came with an EPC in lower-case hexadecimal."""
        memory = self._memories.get(first_epc)
        if memory is None:
            serial = hashlib.sha256(first_epc.encode()).digest()[:6]
            memory = self._memories[first_epc] = TagMemory(bytes.fromhex(first_epc), serial)
        return memory

    def epc(self, first_epc: str) -> bytes | None:
        """What the tag sends now; None if it is dead."""
        memory = self._memories.get(first_epc)
        if memory is None:
            return bytes.fromhex(first_epc)
        return None if memory.killed else memory.epc


def crc16(data: bytes) -> int:
    """CRC-16 of Gen2 annex F: polynomial 0x1021, preset 0xFFFF, ones' complement."""
    value = 0xFFFF
    for byte in data:
        value ^= byte << 8
        for _ in range(8):
            value = (value << 1 ^ (0x1021 if value & 0x8000 else 0)) & 0xFFFF
    return value ^ 0xFFFF
