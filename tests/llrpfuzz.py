"""Mutated LLRP: what readers really send, spoilt at random, through all that reads it."""

import struct
from collections import Counter
from collections.abc import Sequence
from random import Random

import llrplegal
from fakewire import READER, Wire, story
from llrpdata import golden_files, message

from edge.errors import BadFrame, Blinded, Unreachable
from edge.llrp.frames import Frame, Frames
from edge.llrp.report import ReportDecoder
from edge.llrp.session import Session, State

BATCH = 64
"""After so many frames the stream ends, and a new one begins."""
FIRST_WITNESS = 0x5EED_0000
"""Ids of the good messages between the spoilt ones."""
NOW_US = 1_800_000_000_000_000


def seeds(chance: Random, reports: int = 200) -> list[bytes]:
    """Whole messages to begin with: the real ones (where they are at hand), legal ones, and all that arms a reader."""
    out = [frame for file in golden_files() for frame in cut(file.read_bytes())]
    out += [message(61, llrplegal.report(chance, 2, 3), chance.getrandbits(32)) for _ in range(reports)]
    out += [frame for _ in range(3) for frame in llrplegal.others(chance)]
    return out + arming()


def cut(stream: bytes) -> list[bytes]:
    """The messages of a good stream."""
    return [stream[frame.offset : frame.offset + 10 + len(frame.body)] for frame in _frames(stream)]


def _frames(stream: bytes) -> list[Frame]:
    frames = Frames()
    frames.feed(stream)
    return list(iter(frames.take, None))


def arming() -> list[bytes]:
    """What the simulated reader says from its greeting until it reads."""
    said = bytearray()

    class Overheard(Wire):
        def _transmit(self, message: bytes) -> bool:
            said.extend(message)
            return super()._transmit(message)

    async def play() -> None:
        wire = Overheard(gpi=True)
        wire.connect()
        await wire.run(0.1)
        assert wire.state is State.READING

    story(play())
    return cut(bytes(said))


class Mutator:
    """Spoils whole messages: flipped bits, octets, lengths that lie, cuts, insertions, duplicates and splices."""

    def __init__(self, chance: Random, seeds: Sequence[bytes]) -> None:
        self._chance = chance
        self._seeds = seeds
        self._ways = (
            self._flip, self._flip, self._octet, self._octet, self._length, self._inner_length, self._cut_short,
            self._cut_out, self._insert, self._repeat, self._splice, self._header,
        )  # fmt: skip

    def spoilt(self) -> bytes:
        """One message with one to three things wrong; sometimes nothing is."""
        octets = bytearray(self._chance.choice(self._seeds))
        for _ in range(self._chance.choice((0, 1, 1, 1, 1, 2, 3))):
            if octets:
                octets = self._chance.choice(self._ways)(octets)
        return bytes(octets)

    def _place(self, octets: bytearray) -> int:
        return int(self._chance.random() * len(octets))

    def _flip(self, octets: bytearray) -> bytearray:
        octets[self._place(octets)] ^= 1 << self._chance.getrandbits(3)
        return octets

    def _octet(self, octets: bytearray) -> bytearray:
        octets[self._place(octets)] = self._chance.getrandbits(8)
        return octets

    def _length(self, octets: bytearray) -> bytearray:
        """The message lies about its length: a little, or a lot."""
        lie = self._chance.choice((len(octets) + self._chance.randint(-30, 30), self._chance.getrandbits(22), 0))
        octets[2:6] = struct.pack(">I", max(0, lie))
        return octets

    def _inner_length(self, octets: bytearray) -> bytearray:
        place = self._place(octets)
        lie = self._chance.choice((0, 3, 4, 5, len(octets) - place, 0xFFFF, self._chance.getrandbits(16)))
        octets[place : place + 2] = struct.pack(">H", lie & 0xFFFF)
        return octets

    def _cut_short(self, octets: bytearray) -> bytearray:
        return octets[: self._place(octets)]

    def _cut_out(self, octets: bytearray) -> bytearray:
        place = self._place(octets)
        del octets[place : place + self._chance.randint(1, 20)]
        return octets

    def _insert(self, octets: bytearray) -> bytearray:
        place = self._place(octets)
        octets[place:place] = llrplegal.octets(self._chance, self._chance.randint(1, 20))
        return octets

    def _repeat(self, octets: bytearray) -> bytearray:
        begin, place = self._place(octets), self._place(octets)
        octets[place:place] = octets[begin : begin + self._chance.randint(1, 60)]
        return octets

    def _splice(self, octets: bytearray) -> bytearray:
        other = self._chance.choice(self._seeds)
        return octets[: self._place(octets)] + other[int(self._chance.random() * len(other)) :]

    def _header(self, octets: bytearray) -> bytearray:
        octets[:2] = struct.pack(">H", self._chance.choice((0x43D, 0x83D, 0x43F, 0x7FF, self._chance.getrandbits(16))))
        return octets


class Readings:
    """All that reads what a reader sends, in every state of a connection, and what became of it."""

    def __init__(self) -> None:
        self.rejected: Counter[str] = Counter()
        """Messages and tags, by reason."""
        self.ended: Counter[str] = Counter()
        """Connections that were ended as the standard or good sense wants it."""
        self.frames = 0
        """Messages that came through the framing."""
        self.reads = 0
        self.missed = 0
        """Good messages that did not come through, though another good one stood before them."""
        self.most_waiting = 0
        """Octets of unfinished messages, at most."""
        self.searched_again = 0.0
        """How often an octet was searched again, on average of the worst batch."""
        self._arming = _frames(b"".join(arming()))
        self._sessions = [self._session(state) for state in State]
        self._turn = 0
        self._begin()

    def batch(self, spoilt: Sequence[bytes]) -> None:
        """Send those, after each of them two good messages; the second must come through."""
        expected = set(range(FIRST_WITNESS + 1, FIRST_WITNESS + 2 * len(spoilt), 2))
        for number, octets in enumerate(spoilt):
            witness = FIRST_WITNESS + 2 * number
            self._stream.feed(octets + message(62, b"", witness) + message(62, b"", witness + 1))
            self._take()
            self.most_waiting = max(self.most_waiting, self._stream.waiting)
        while self._stream.waiting:
            self._stream.give_up()
            self._take()
        self.missed += len(expected - self._witnesses)
        self.searched_again = max(self.searched_again, self._stream.searched / self._stream.offset)
        self.rejected.update({str(why): count for why, count in self._stream.rejected.items()})
        self.rejected.update({f"tag {why}": count for why, count in self._decoder.rejected.items()})
        self._begin()

    def _begin(self) -> None:
        self._stream, self._decoder, self._witnesses = Frames(), ReportDecoder(), set[int]()

    def _take(self) -> None:
        while True:
            try:
                frame = self._stream.take()
                if frame is None:
                    return
                self._read(frame)
            except BadFrame as error:
                self._stream.reject(error)

    def _read(self, frame: Frame) -> None:
        self.frames += 1
        if frame.number == 62:
            self._witnesses.add(frame.id)
            return
        self._turn += 1
        if self._turn % 2:
            self._converse(frame, self._turn // 2 % len(self._sessions))
            return
        if frame.number == 61:
            self._decoder.decode(frame.body, frame.offset + 10)
        frame.fields()

    def _converse(self, frame: Frame, place: int) -> None:
        try:
            self.reads += len(self._sessions[place].receive(frame, NOW_US).reads)
        except (Blinded, Unreachable) as end:
            self.ended[type(end).__name__] += 1
            self._sessions[place] = self._session(State(place))

    def _session(self, state: State) -> Session:
        """A connection in that state, or in the next one that this reader's answers lead to."""
        session = Session(READER, gpi=True)
        for frame in self._arming:
            if session.state >= state:
                break
            session.receive(frame, NOW_US)
        return session
