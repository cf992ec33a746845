"""RFID reports: tags a second from bytes to values beside sllurp, and reads a second from bytes to a door's tracker.

    python tests/bench/rfid_bench.py

The same bytes go through both decoders in turn, several rounds; the best round of each counts.
"""

import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))
sys.path.insert(0, str(Path(__file__).parent.parent.parent))
sys.path.insert(0, str(Path(__file__).parent))

from figures import Figure, show
from llrpdata import message, plain_tag, tlv
from sllurp.llrp import LLRPMessage

from contract.site import Door, LlrpReader, PassRules, Title
from edge.llrp.frames import Frames
from edge.llrp.report import ReportDecoder
from edge.llrp.session import Session
from edge.portal.door import DoorTracker

ROUNDS = 7
TAGS = 1000
"""In each report; and 20 times as many for the large one."""


def measure() -> dict[str, float]:
    """Tags a second of our decoder and of sllurp's, plain and with a vendor's parameters, and of the whole way."""
    found: dict[str, float] = {}
    for name, vendor in (("plain", False), ("vendor", True)):
        body = b"".join(plain_tag(serial, vendor=vendor) for serial in range(TAGS))
        decoder, whole = ReportDecoder(), message(61, body)
        ours_s, theirs_s = _race(_call(decoder.decode, body), _call(_sllurp, whole))
        found |= {f"{name}_tags_per_s": TAGS / ours_s, f"{name}_tags_per_s_sllurp": TAGS / theirs_s}
        ones = [plain_tag(serial, vendor=vendor) for serial in range(TAGS)]
        frames = [message(61, one) for one in ones]
        ours_s, theirs_s = _race(_each(decoder.decode, ones), _each(_sllurp, frames))
        found |= {f"{name}_single_tags_per_s": TAGS / ours_s, f"{name}_single_tags_per_s_sllurp": TAGS / theirs_s}
    large = b"".join(plain_tag(serial) for serial in range(20 * TAGS))
    (large_s,) = _race(_call(ReportDecoder().decode, large))
    return found | {"large_tags_per_s": 20 * TAGS / large_s, "door_reads_per_s": _to_the_door()}


def figures(found: dict[str, float]) -> list[Figure]:
    """The same as lines of a table."""

    def beside(what: str, key: str, target: str) -> Figure:
        return Figure(what, found[key], "tags/s", "sllurp, same bytes", found[f"{key}_sllurp"], target)

    return [
        beside(f"reports of {TAGS} plain tags", "plain_tags_per_s", ">= 20x"),
        beside(f"reports of {TAGS} tags with vendor fields", "vendor_tags_per_s", ">= 10x"),
        beside("reports of one plain tag", "plain_single_tags_per_s", ""),
        beside("reports of one tag with vendor fields", "vendor_single_tags_per_s", ""),
        Figure(
            f"one report of {20 * TAGS} plain tags",
            found["large_tags_per_s"],
            "tags/s",
            f"reports of {TAGS}",
            found["plain_tags_per_s"],
            "linear",
        ),
        Figure("bytes to a door's tracker, a report a tag", found["door_reads_per_s"], "reads/s"),
    ]


def _sllurp(data: bytes) -> object:
    return LLRPMessage(msgbytes=data).msgdict


def _call(function: Callable[[bytes], object], data: bytes) -> Callable[[], object]:
    return lambda: function(data)


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
    frames, session, tracker = Frames(), Session(reader), DoorTracker(door)
    begun_s = time.perf_counter()
    for place in range(0, len(stream), 65536):
        frames.feed(stream[place : place + 65536])
        while (frame := frames.take()) is not None:
            outcome = session.receive(frame, 1_800_000_000_000_000 + 500 * (place // 70))
            tracker.feed(outcome.reads)
    while (due_us := tracker.next_due_us()) is not None:
        tracker.due(due_us)
    return count / (time.perf_counter() - begun_s)


def _at(number: int, serial: int) -> bytes:
    """A tag read every 500 us."""
    tag = plain_tag(serial)
    moment = (1_700_000_000_000_000 + 500 * number).to_bytes(8, "big")
    own = (1_700_000_000_000_000 + serial).to_bytes(8, "big")
    return tlv(240, tag[4:].replace(own, moment))


if __name__ == "__main__":
    show("RFID", figures(measure()))
