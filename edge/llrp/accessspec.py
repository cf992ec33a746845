"""What is done to tags, as LLRP messages: one ROSpec that hears them, and AccessSpecs that act on them.

An AccessSpec names its tags by bits of their memory, and runs its operations on each as soon as it is singulated; the
results come with the tag's report (LLRP 1.0.1 sections 11, 16.2.5 and 16.3.1.3).

    207 AccessSpec  | id (32) | antenna (16), 0: all | protocol (8) | active (1), reserved (7) | ROSpec (32), 0: all |
      208 AccessSpecStopTrigger  | 1: so many runs, 0: until deleted (8) | runs (16) |
      209 AccessCommand
        338 C1G2TagSpec
          339 C1G2TargetTag  | bank (2) match (1) reserved (5) | from bit (16) | bits (16) mask | bits (16) data |
        341 C1G2Read   | operation (16) | password (32) | bank (2) reserved (6) | word (16) | words (16) |
        342 C1G2Write  | operation (16) | password (32) | bank (2) reserved (6) | word (16) | words (16) data |
        344 C1G2Lock   | operation (16) | password (32) |
          345 C1G2LockPayload  | privilege (8) | area (8) | ...
      239 AccessReportSpec  | 0: with the ROSpec's reports (8) |
"""

from collections.abc import Iterable, Sequence
from enum import IntEnum
from struct import pack
from typing import Final, NamedTuple

from edge.llrp.request import tlv

ROSPEC_ID: Final = 0x7C000001
ACCESSSPEC_ID: Final = 0x7C000001
"""Ours, while a person works with tags; far from what an agent or other clients choose."""
_GEN2: Final = 1
_CONTENTS: Final = 0x8000 | 0x1000 | 0x0400 | 0x0040
"""TagReportContentSelector: ROSpecID, AntennaID, PeakRSSI, AccessSpecID."""
_PC_BITS: Final = 0x40
_POPULATION: Final = 4
_READ_WRITE_LOCK: Final = 0
"""C1G2LockPrivilege: the password is needed, and may be used to unlock."""


class Bank(IntEnum):
    """Memory banks of a tag (Gen2 2.0, section 6.3.2.1)."""

    RESERVED = 0
    EPC = 1
    TID = 2
    USER = 3


class Area(IntEnum):
    """What can be locked on its own: LLRP's DataField (LLRP 1.0.1, section 15.2.1.3.2.4.1)."""

    KILL_PASSWORD = 0
    ACCESS_PASSWORD = 1
    EPC = 2


class Read(NamedTuple):
    """C1G2Read of `words` words from `word` on."""

    bank: Bank
    word: int
    words: int
    password: int = 0

    def encode(self, number: int) -> bytes:
        """The OpSpec with that id."""
        return tlv(341, pack(">HIBHH", number, self.password, self.bank << 6, self.word, self.words))


class Write(NamedTuple):
    """C1G2Write of whole words from `word` on."""

    bank: Bank
    word: int
    data: bytes
    password: int = 0

    def encode(self, number: int) -> bytes:
        """The OpSpec with that id."""
        head = pack(">HIBHH", number, self.password, self.bank << 6, self.word, len(self.data) // 2)
        return tlv(342, head + self.data)


class Lock(NamedTuple):
    """C1G2Lock: from now on the areas are written, and passwords read, with the password only."""

    areas: tuple[Area, ...]
    password: int

    def encode(self, number: int) -> bytes:
        """The OpSpec with that id."""
        payloads = b"".join(tlv(345, pack(">BB", _READ_WRITE_LOCK, area)) for area in self.areas)
        return tlv(344, pack(">HI", number, self.password) + payloads)


Op = Read | Write | Lock


def accessspec(ops: Sequence[Op], tid: bytes, *, first: int, runs: int) -> bytes:
    """Body of an ADD_ACCESSSPEC for the tags whose TID begins with `tid`; the operations are numbered from `first`.

    By the TID, because no write changes it; an empty one means every tag. `runs`: 0 for as often as tags are heard.
    """
    bits = 8 * len(tid)
    target = pack(">BHH", Bank.TID << 6 | 0x20, 0, bits) + b"\xff" * len(tid) + pack(">H", bits) + tid
    command = tlv(338, tlv(339, target)) + b"".join(op.encode(number) for number, op in enumerate(ops, first))
    return tlv(
        207,
        pack(">IHBBI", ACCESSSPEC_ID, 0, _GEN2, 0, ROSPEC_ID)
        + tlv(208, pack(">BH", runs > 0, runs))
        + tlv(209, command)
        + tlv(239, b"\0"),
    )


def rospec(antennas: Iterable[int], power: int) -> bytes:
    """Body of an ADD_ROSPEC that hears tags until it is stopped: antenna 0 means all, `power` is an index.

    Session 0, in which a tag answers every round: it must be met again and again while it is being written.

        177 ROSpec  | id (32) | priority (8) | state (8) |
          178 ROBoundarySpec  179 start | 0: by message (8) |   182 stop | 0: never (8) | 0 (32) |
          183 AISpec  | count (16), antenna (16) ... |
            184 AISpecStopTrigger | 0: never (8) | 0 (32) |
            186 InventoryParameterSpec | id (16) | protocol (8) |
              222 AntennaConfiguration | antenna (16) |
                224 RFTransmitter | hop table (16) | channel (16) | power (16) |
                330 C1G2InventoryCommand | state-aware (1), reserved (7) |
                  336 C1G2SingulationControl | session (2), reserved (6) | population (16) | transit time (32) |
          237 ROReportSpec  | 1: after N tags (8) | N (16) |
            238 TagReportContentSelector | contents (16) |   348 C1G2EPCMemorySelector | CRC (1), PC (1), ... |
    """
    chosen = sorted(antennas)
    command = tlv(330, b"\0" + tlv(336, pack(">BHI", 0, _POPULATION, 0)))
    setting = tlv(222, pack(">H", 0) + tlv(224, pack(">HHH", 1, 1, power)) + command)
    inventory = tlv(186, pack(">HB", 1, _GEN2) + setting)
    step = pack(">H", len(chosen)) + pack(f">{len(chosen)}H", *chosen) + tlv(184, bytes(5)) + inventory
    report = pack(">BH", 1, 1) + tlv(238, pack(">H", _CONTENTS) + tlv(348, bytes([_PC_BITS])))
    boundary = tlv(179, b"\0") + tlv(182, bytes(5))
    return tlv(177, pack(">IBB", ROSPEC_ID, 0, 0) + tlv(178, boundary) + tlv(183, step) + tlv(237, report))
