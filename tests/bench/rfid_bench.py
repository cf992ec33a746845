"""RFID reports: tags a second from bytes to values beside sllurp, and reads a second from bytes to a door's tracker.

The same bytes go both ways in turn, several rounds; the best round of each counts.
"""

import struct
import time
from collections.abc import Callable

from figures import Figure, show
from llrpdata import message, plain_tag, tlv, tv
from sllurp.llrp import LLRPMessage

from contract.portals import Door, LlrpReader, PassRules
from contract.sitepart import Title
from edge.llrp.frames import Frames
from edge.llrp.report import ReportDecoder, TagReport
from edge.llrp.session import Session
from edge.portal.door import DoorTracker

ROUNDS = 7
TAGS = 1000
"""In each report."""
LONGEST = 1_500_000
"""Octets of the longest reports that real readers send."""


def measure() -> list[Figure]:
    """Tags a second of our decoder and of sllurp's, plain and with a vendor's parameters, and of the whole way."""
    return [
        _beside_sllurp(f"reports of {TAGS} plain tags", TAGS, False, ">= 20x"),
        _beside_sllurp(f"reports of {TAGS} tags with vendor fields", TAGS, True, ">= 10x"),
        _beside_sllurp("reports of one plain tag", 1, False),
        _beside_sllurp("reports of one tag with vendor fields", 1, True),
        _large("plain tags", False),
        _large("tags with vendor fields", True),
        _ever_new(),
        Figure("bytes to a door's tracker, a report a tag", _to_the_door(), "reads/s", target=">= 100,000"),
    ]


def _beside_sllurp(what: str, a_report: int, vendor: bool, target: str = "") -> Figure:
    """Tags a second of both decoders on the same reports."""
    tags = [plain_tag(serial, vendor=vendor) for serial in range(TAGS)]
    bodies = [b"".join(tags[first : first + a_report]) for first in range(0, TAGS, a_report)]
    frames = [message(61, body) for body in bodies]
    ours_s, theirs_s = _race(_each(ReportDecoder().decode, bodies), _each(_sllurp, frames))
    return Figure(what, TAGS / ours_s, "tags/s", "sllurp, same bytes", TAGS / theirs_s, target)


def _large(of: str, vendor: bool) -> Figure:
    """The longest report that real readers send, beside the same tags in many; from the stream, as a link takes them,
    to values. All are kept, since memory costs time, too."""
    tags = [plain_tag(serial, vendor=vendor) for serial in range(LONGEST // len(plain_tag(0, vendor=vendor)))]
    bodies = [b"".join(tags[first : first + TAGS]) for first in range(0, len(tags), TAGS)]
    one, many = message(61, b"".join(bodies)), b"".join(message(61, body) for body in bodies)
    one_s, many_s = _race(lambda: _from_stream(one), lambda: _from_stream(many))
    what, beside = f"one report of 1.5 MB, {len(tags)} {of}", f"reports of {TAGS}"
    return Figure(what, len(tags) / one_s, "tags/s", beside, len(tags) / many_s, "linear")


def _from_stream(stream: bytes) -> list[list[TagReport]]:
    frames, decode, out = Frames(), ReportDecoder().decode, list[list[TagReport]]()
    for place in range(0, len(stream), 65536):
        frames.feed(stream[place : place + 65536])
        while (frame := frames.take()) is not None:
            out.append(decode(frame.body))
    return out


def _ever_new() -> Figure:
    """The worst that can be sent: no two tags have the same layout."""
    own = (struct.pack(">IIH", 4711, number, 0) for number in range(TAGS))
    body = b"".join(tlv(240, tv(13, bytes(12)) + tv(1, b"\0\1") + tlv(1023, vendor)) for vendor in own)
    ours_s, theirs_s = _race(_each(ReportDecoder().decode, [body]), _each(_sllurp, [message(61, body)]))
    return Figure(f"report of {TAGS} tags, no two alike", TAGS / ours_s, "tags/s", "sllurp", TAGS / theirs_s)


def _sllurp(data: bytes) -> object:
    return LLRPMessage(msgbytes=data).msgdict


def _each(function: Callable[[bytes], object], parts: list[bytes]) -> Callable[[], object]:
    return lambda: [function(part) for part in parts]


def _race(*runners: Callable[[], object]) -> list[float]:
    """Best seconds of each, taking turns."""
    best = [float("inf")] * len(runners)
    for _ in range(ROUNDS):
        for place, run in enumerate(runners):
            begun_s = time.perf_counter()
            run()
            best[place] = min(best[place], time.perf_counter() - begun_s)
    return best


def _to_the_door(count: int = 50_000, tags: int = 200) -> float:
    """Reads a second: framing, decoding, the reader's clock, grouping into passes, and the decisions."""
    reader = LlrpReader(name="reader-1", inside=[1, 4], outside=[2, 3])
    title = Title(en="Door", zh="门")
    door = Door(name="dock-1", title=title, agent="a", inside="in", readers=[reader], rules=PassRules())
    stream = b"".join(message(61, _at(number, number % tags)) for number in range(count))
    octets = len(stream) // count

    def whole_way() -> None:
        frames, session, tracker = Frames(), Session(reader), DoorTracker(door)
        for place in range(0, len(stream), 65536):
            frames.feed(stream[place : place + 65536])
            arrived_us = 1_800_000_000_000_000 + 500 * (place + 65536) // octets
            while (frame := frames.take()) is not None:
                tracker.feed(session.receive(frame, arrived_us).reads)
        while (due_us := tracker.next_due_us()) is not None:
            tracker.due(due_us)

    (whole_s,) = _race(whole_way)
    return count / whole_s


def _at(number: int, serial: int) -> bytes:
    """A tag read every 500 us."""
    tag = plain_tag(serial)
    moment = (1_700_000_000_000_000 + 500 * number).to_bytes(8, "big")
    own = (1_700_000_000_000_000 + serial).to_bytes(8, "big")
    return tlv(240, tag[4:].replace(own, moment))


if __name__ == "__main__":
    show("RFID: bytes of a reader to values", measure())
