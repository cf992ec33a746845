"""LLRP framing without I/O: bytes in, whole messages out.

Two promises, whatever is fed and however it is cut:

1. `take` gives a message, asks for more bytes, or raises `BadFrame`, and nothing else.
2. Of the good messages behind garbage at most the first is lost, if who takes them says by `reject` which could not be
   read. Garbage is anything: a message cut short, lengths that lie, octets of no meaning. It is not waited for: the
   search goes on within whatever claims to be a message and is not yet whole.

The promise has a price, and a bound: `SEARCHED_AGAIN`. An adversary who nests messages within messages beyond it can
hide some, but cannot cost time that grows faster than what he sends.
"""

from collections import Counter
from collections.abc import Iterator
from itertools import chain
from typing import Final, NamedTuple

from edge.errors import BadFrame, Why
from edge.llrp.body import Fields, read_message
from edge.llrp.described import described
from edge.llrp.header import BEGINNING, HEADER, MAX_BYTES, MAX_OTHER_BYTES, REPORT, SHORTEST, Message, hidden
from edge.llrp.words import BARE, MESSAGES

__all__ = ["HEADER", "MAX_BYTES", "Frame", "Frames", "decode_file"]

SEARCHED_AGAIN: Final = 8
"""How often, on average, an octet received may be searched again as part of something else."""
_PLAIN: Final = {
    version << 10 | number: MAX_BYTES if number == REPORT else HEADER.size
    for version in (1, 2)
    for number in (REPORT, *(number for number in BARE if SHORTEST[number] == HEADER.size))
}
"""By the first two octets: the longest message."""
MAX_MAYBE: Final = 16
"""Unfinished messages behind garbage that are remembered; of more, the later ones are searched as garbage."""


class Frame(NamedTuple):
    """One whole message."""

    number: int
    """Message type, a key of `words.MESSAGES`."""
    id: int
    body: bytes
    offset: int
    """Place of its header, counted from the first byte received."""
    version: int
    said: Fields | None = None
    """Its fields, read already, if it is no report."""

    @property
    def name(self) -> str:
        """Name of the message type in the standard."""
        return MESSAGES[self.number].name

    def fields(self) -> Fields:
        """The body as plain values; raises `BadFrame` if it is a report that cannot be read."""
        if self.said is not None:
            return self.said
        if trouble := hidden(self.body, 0, len(self.body), self.offset):
            raise trouble
        return read_message(self.number, self.body, self.offset + HEADER.size, self.version)


class Frames:
    """Cuts a stream into messages and finds its way back after garbage.

    Feed, then `take` until None: so the buffer never holds more than the message taken last, one unfinished message
    and what was fed last. Places are counted from the first byte received.
    """

    def __init__(self, max_bytes: int = MAX_BYTES, max_other_bytes: int = MAX_OTHER_BYTES) -> None:
        self.rejected: Counter[Why] = Counter()
        """Stretches of garbage, and messages that could not be read, by reason."""
        self.lost = False
        """Garbage was met, and no whole message has been found behind it yet."""
        self.searched = 0
        """Octets that were looked at again, as part of something else."""
        self._longest = max_bytes, min(max_bytes, max_other_bytes)
        self._buffer = bytearray()
        self._dropped = 0
        """Place of the buffer's first byte."""
        self._position = 0
        """Place where the next message should begin; when lost, before which there is none."""
        self._message: Message | None = None
        """The one at `_position`, if its header has come; not when lost."""
        self._taken: int | None = None
        """Where the message taken last begins, until the header behind it has shown that its length was right."""
        self._maybe: list[Message] = []
        """When lost: headers whose messages are not yet whole."""
        self._scanned = 0
        """When lost: place up to which all headers are found."""

    @property
    def offset(self) -> int:
        """Place of the next byte to be looked at, counted from the first byte received."""
        return self._position

    @property
    def waiting(self) -> int:
        """Bytes held that are not yet a whole message."""
        return self._dropped + len(self._buffer) - self._position

    @property
    def _received(self) -> int:
        return self._dropped + len(self._buffer)

    def feed(self, data: bytes) -> None:
        """Take in what was received."""
        done = self._position if self._taken is None else self._taken
        del self._buffer[: done - self._dropped]
        self._dropped = done
        self._buffer += data

    def take(self) -> Frame | None:
        """The next whole message, or None when more bytes are needed; raises `BadFrame` once a stretch of garbage."""
        if self.lost:
            return self._find()
        waiting = self.waiting
        if waiting < HEADER.size:
            return None
        return self._plain(waiting) or self._next()

    def reject(self, error: BadFrame) -> None:
        """The body of the message just taken contradicts itself: its length may be wrong, so others may hide in it."""
        if self._taken is not None:
            self._count(error, self._taken)

    def give_up(self) -> None:
        """No more bytes will come for the unfinished message: search within it, or in the one before it."""
        if not self.lost:
            trouble = BadFrame(self._position, f"{self.waiting} bytes of an unfinished message", "cut_off")
            self._count(trouble, self._position if self._taken is None else self._taken)
        else:
            self._maybe = self._maybe[1:]
            self._position = self._maybe[0].start if self._maybe else self._received

    def _plain(self, waiting: int) -> Frame | None:
        """The short way for nearly all that comes: reports, whose reader will see for itself, and empty messages."""
        begin = self._position - self._dropped
        head, length, message_id = HEADER.unpack_from(self._buffer, begin)
        most = _PLAIN.get(head, 0)
        if not HEADER.size <= length <= min(most, waiting, self._longest[0]):
            return None
        body = bytes(memoryview(self._buffer)[begin + HEADER.size : begin + length])
        self._taken, self._message = self._position, None
        self._position += length
        return Frame(head & 0x3FF, message_id, body, self._taken, head >> 10, {} if most == HEADER.size else None)

    def _next(self) -> Frame | None:
        """The message at `_position`, once it is whole; raises `BadFrame` when it cannot be one."""
        message = self._message
        try:
            if message is None:
                message = self._header(self._position)
                message.check_header(*self._longest)
                self._message, self._taken = message, None
            message.follow(self._buffer, message.start - self._dropped)
            return self._step(self._read(message)) if message.end <= self._received else None
        except BadFrame as trouble:
            if self._message is not None:
                trouble.within = MESSAGES[self._message.number].name, self._message.id
            self._count(trouble, self._position if self._taken is None else self._taken)
            raise

    def _read(self, message: Message) -> Frame:
        """The whole message there; raises `BadFrame` if it is no report and contradicts itself."""
        begin, end = message.start - self._dropped + HEADER.size, message.end - self._dropped
        body = bytes(memoryview(self._buffer)[begin:end])
        frame = Frame(message.number, message.id, body, message.start, message.version)
        return frame if message.number == REPORT else frame._replace(said=frame.fields())

    def _step(self, frame: Frame) -> Frame:
        """Go on behind it."""
        self._taken, self._message, self._maybe = frame.offset, None, []
        self._position = frame.offset + HEADER.size + len(frame.body)
        self.lost = False
        return frame

    def _count(self, trouble: BadFrame, start: int) -> None:
        """Go on searching right behind `start`, or behind the trouble if that has been done too often."""
        reached = min(max(trouble.offset, self._position), self._received)
        self.rejected[trouble.why] += 1
        self.searched += reached - start
        self._lose(start + 1 if self._affordable else reached)

    @property
    def _affordable(self) -> bool:
        return self.searched <= SEARCHED_AGAIN * self._received

    def _lose(self, place: int) -> None:
        """No message begins before `place`."""
        self.lost = True
        self._message = self._taken = None
        self._maybe = []
        self._position = self._scanned = place

    def _find(self) -> Frame | None:
        """The first whole message behind garbage that can be believed."""
        maybe, self._maybe = self._maybe, []
        for message in chain(maybe, self._headers()):
            try:
                if frame := self._judge(message):
                    return self._step(frame)
                if len(self._maybe) < MAX_MAYBE:
                    self._maybe.append(message)
            except BadFrame:
                pass  # of the garbage that was counted already
            if not self._affordable:
                self._scanned = max(self._scanned, min(message.followed, self._received))
        self._position = self._maybe[0].start if self._maybe else self._scanned
        return None

    def _headers(self) -> Iterator[Message]:
        """What looks like a header, from `_scanned` on."""
        while match := BEGINNING.search(self._buffer, self._scanned - self._dropped):
            start = self._dropped + match.start()
            if start + HEADER.size > self._received:
                self._scanned = start
                return
            self._scanned = start + 1
            yield Message(self._buffer, match.start(), start)
        self._scanned = max(self._scanned, self._received - 2)

    def _judge(self, message: Message) -> Frame | None:
        """The message, if all of it is there and can be believed; raises `BadFrame` if it cannot."""
        message.check_header(*self._longest)
        at, before = message.start - self._dropped, min(message.followed, self._received)
        if len(self._buffer) - at < message.sure:
            return None
        try:
            message.check_first(self._buffer, at)
            message.follow(self._buffer, at)
        finally:
            self.searched += min(message.followed, self._received) - before
        return self._read(message) if message.end <= self._received else None

    def _header(self, place: int) -> Message:
        return Message(self._buffer, place - self._dropped, place)


def decode_file(data: bytes) -> Iterator[Fields]:
    """One JSON-able mapping for each message: `type`, `id`, and `tags` for a report or `fields` for any other.

    `error` and `offset` stand where something could not be read; the search goes on behind it.
    """
    frames = Frames(MAX_BYTES, MAX_BYTES)
    frames.feed(data)
    while frames.waiting:
        try:
            frame = frames.take()
        except BadFrame as error:
            yield _mistake(error, error.within)
            continue
        if frame is None:
            if frames.waiting and not frames.lost:
                yield {"error": f"{frames.waiting} bytes of an unfinished message", "offset": frames.offset}
            frames.give_up()
            continue
        try:
            yield described(frame.name, frame.id, frame.fields())
        except BadFrame as error:
            frames.reject(error)
            yield _mistake(error, (frame.name, frame.id))


def _mistake(error: BadFrame, within: tuple[str, int] | None) -> Fields:
    known: Fields = {"type": within[0], "id": within[1]} if within else {}
    return known | {"error": error.reason, "offset": error.offset}
