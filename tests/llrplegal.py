"""Legal LLRP, made at random: all that LLRP 1.0.1 and 1.1 allow in an RO_ACCESS_REPORT, in any order."""

import struct
from collections.abc import Callable, Iterator
from random import Random

from llrpdata import message, tlv, tv

Part = Callable[[Random], bytes]
"""A parameter: always of the same length and header, with other values each time."""

OPTIONAL_TVS = {
    1: 2, 6: 1, 7: 2, 8: 2, 9: 4, 10: 2, 11: 2, 12: 2, 14: 2, 15: 2, 16: 4, 17: 2, 18: 4, 19: 2, 20: 2,
}  # fmt: skip
"""Octets of the values of a tag's optional parameters without the times; 19 and 20 came with LLRP 1.1."""
RESULTS = {349: "words", 350: 2, 351: 0, 352: 0, 353: 0, 354: 2, 360: 0, 361: 0, 362: "words"}
"""OpSpec results of LLRP 1.0.1 and (from 360 on) 1.1: what follows result and OpSpecID."""
IMPINJ = 25882


def report(chance: Random, most_shapes: int = 5, most_tags: int = 20) -> bytes:
    """Body of an RO_ACCESS_REPORT: runs of tags, each run of one shape, and what else may stand there."""
    out: list[bytes] = []
    for _ in range(chance.randint(0, most_shapes)):
        shape = tag_shape(chance)
        out += [tag(chance, shape) for _ in range(chance.randint(1, most_tags))]
        if chance.random() < 0.3:
            out.append(chance.choice((survey, custom, unknown))(chance))
    if chance.random() < 0.3:
        chance.shuffle(out)
    return b"".join(out)


def tag(chance: Random, shape: list[Part] | None = None) -> bytes:
    """A TagReportData."""
    return tlv(240, b"".join(part(chance) for part in shape or tag_shape(chance)))


def tag_shape(chance: Random) -> list[Part]:
    """An EPC and anything else that a tag may have, in any order; sometimes something twice."""
    parts = [_epc(chance), *_times(chance)]
    parts += [_tv(number, size) for number, size in OPTIONAL_TVS.items() if chance.random() < 0.4]
    parts += [_result(chance, number) for number in RESULTS if chance.random() < 0.1]
    parts += [_impinj(subtype) for subtype in (56, 57, 68) if chance.random() < 0.2]
    parts += [_fixed(chance, chance.choice((custom, unknown))) for _ in range(chance.choice((0, 0, 0, 1, 2)))]
    if chance.random() < 0.1:
        parts.append(chance.choice(parts))
    chance.shuffle(parts)
    return parts


def survey(chance: Random) -> bytes:
    """An RFSurveyReportData."""
    entries = (
        tlv(243, octets(chance, 10) + tlv(chance.choice((128, 129)), octets(chance, 8)))
        for _ in range(chance.randint(1, 4))
    )
    ids = chance.choice((b"", tv(9, octets(chance, 4)), tv(9, octets(chance, 4)) + tv(14, octets(chance, 2))))
    return tlv(242, ids + b"".join(entries) + chance.choice((b"", custom(chance))))


def custom(chance: Random) -> bytes:
    """A vendor's parameter that is none of those we read."""
    return tlv(1023, struct.pack(">II", chance.choice((IMPINJ, 161, 4711)), 900) + octets(chance, chance.randint(0, 9)))


def unknown(chance: Random) -> bytes:
    """A parameter of a standard to come."""
    return tlv(chance.randint(400, 1022), octets(chance, chance.randint(0, 9)))


def octets(chance: Random, count: int) -> bytes:
    """Random ones."""
    return chance.getrandbits(8 * count).to_bytes(count, "big") if count else b""


def others(chance: Random) -> Iterator[bytes]:
    """Whole messages of other kinds, as readers send them."""
    moment = tlv(128, octets(chance, 8))
    for event, fixed, size in (
        (256, b"", 2), (247, b"", 4), (248, b"", 3), (249, b"\0", 8), (250, b"", 1), (251, b"", 0), (254, b"\0", 6),
        (255, b"\1", 2), (356, b"", 8), (252, b"\0\3bad\x89", 4),
    ):  # fmt: skip
        yield message(63, tlv(246, moment + tlv(event, fixed + octets(chance, size))), chance.getrandbits(32))
    bad = tlv(287, struct.pack(">HH", 101, 3) + b"no!" + tlv(288, octets(chance, 4)))
    good = tlv(287, bytes(4))
    for number in (4, 12, 13, 30, 31, 32, 33, 34, 35, 36, 50, 51, 52, 54, 57, 100):
        yield message(number, chance.choice((good, bad)), chance.getrandbits(32))
    yield message(62, b"", chance.getrandbits(32))
    yield message(1023, struct.pack(">IB", IMPINJ, 22) + good, chance.getrandbits(32))


def _epc(chance: Random) -> Part:
    if chance.random() < 0.5:
        return _tv(13, 12)
    bits = chance.choice((chance.randint(0, 600), 8 * chance.randint(1, 62), 96, 496))
    return lambda chance: tlv(241, struct.pack(">H", bits) + octets(chance, (bits + 7) // 8))


def _times(chance: Random) -> Iterator[Part]:
    """First and last seen, by one clock."""
    uptime = chance.random() < 0.3
    for number in (2, 4):
        if chance.random() < 0.6:
            yield _tv(number + uptime, 8)


def _tv(number: int, size: int) -> Part:
    return lambda chance: tv(number, octets(chance, size))


def _result(chance: Random, number: int) -> Part:
    rest = RESULTS[number]
    words = chance.randint(0, 8)
    count, size = (struct.pack(">H", words), 2 * words) if rest == "words" else (b"", int(rest))
    return lambda chance: tlv(number, octets(chance, 3) + count + octets(chance, size))


def _impinj(subtype: int) -> Part:
    return lambda chance: tlv(1023, struct.pack(">II", IMPINJ, subtype) + octets(chance, 2))


def _fixed(chance: Random, make: Part) -> Part:
    """Always the same octets: their length is drawn once."""
    made = make(chance)
    return lambda _: made
