"""What is carried through a door, and where its tags are."""

from collections.abc import Mapping, Sequence
from random import Random
from typing import Literal, NamedTuple

from firmware_sim.doorscene.waves import Box, Sticker

Carrier = Literal["pallet", "forklift", "trolley", "hand", "nobody"]

DETUNED = 0.02
"""Share of tags on metal or behind liquid."""
MAX_CASES = 60
_USUAL_CASES = 12
_PACES: Mapping[Carrier, tuple[float, float]] = {
    "pallet": (0.6, 1.4),
    "forklift": (1.0, 2.0),
    "trolley": (0.8, 1.5),
    "hand": (0.8, 1.7),
    "nobody": (0.8, 1.8),
}


class Part(NamedTuple):
    """What breaks a beam, seen from the side: from `behind_m` to `ahead_m` of the body's middle."""

    behind_m: float
    ahead_m: float


class Load(NamedTuple):
    """A body with its tags."""

    carrier: Carrier
    stickers: tuple[Sticker, ...]
    containers: Mapping[str, str]
    """The SSCC of the pallet that a tag belongs to, itself included."""
    parts: tuple[Part, ...]
    pace_m_per_s: float


class Printer:
    """Prints SGTIN-96 and SSCC-96 tags that never repeat (TDS 1.13, sections 14.5.1 and 14.5.2)."""

    def __init__(self, random: Random) -> None:
        self._serial = random.randrange(1 << 36)
        self._prefix = random.randrange(10**7)

    def case(self) -> str:
        """The next case: filter 2 (full case), a company prefix of seven digits."""
        self._serial += 1
        return f"{(0x30 << 88) | (2 << 85) | (5 << 82) | (self._prefix << 58) | (7 << 38) | self._serial:024x}"

    def pallet(self) -> str:
        """The next pallet: filter 2 (unit load)."""
        self._serial += 1
        number = self._serial % 10**10
        return f"{(0x31 << 88) | (2 << 85) | (5 << 82) | (self._prefix << 58) | (number << 24):024x}"


def load(carrier: Carrier, printer: Printer, random: Random) -> Load:
    """A load as they come."""
    pace = random.uniform(*_PACES[carrier])
    match carrier:
        case "pallet":
            stickers, containers = _pallets(printer, random, [0.0])
            person = random.choice((Part(0.8, 1.2), Part(-1.2, -0.8)))
            return Load(carrier, stickers, containers, (Part(-0.6, 0.6), person), pace)
        case "forklift":
            places = random.choice(([0.0], [-0.65, 0.65], [-0.65, 0.65]))
            stickers, containers = _pallets(printer, random, places)
            front = max(places) + 0.6
            return Load(carrier, stickers, containers, (Part(min(places) - 2.6, front),), pace)
        case "trolley":
            box = Box(0.0, 0.3, 0.45, random.uniform(1, 6))
            stickers = _in_box([printer.case() for _ in range(random.randint(1, 10))], box, random)
            return Load(carrier, stickers, {}, (Part(-0.45, 0.45), Part(-0.95, -0.6)), pace)
        case "hand":
            epcs = [printer.case() for _ in range(random.choice((1, 1, 1, 2)))]
            stickers = tuple(
                Sticker(epc, random.uniform(-0.25, 0.25), 0.25, random.random() < DETUNED, None, _lean(random))
                for epc in epcs
            )
            return Load(carrier, stickers, {}, (Part(-0.2, 0.4),), pace)
        case "nobody":
            return Load(carrier, (), {}, (Part(-0.2, 0.2),), pace)


def _pallets(
    printer: Printer, random: Random, places: Sequence[float]
) -> tuple[tuple[Sticker, ...], Mapping[str, str]]:
    stickers: list[Sticker] = []
    containers: dict[str, str] = {}
    for forward_m in places:
        cases = min(MAX_CASES, 1 + int(random.expovariate(1 / _USUAL_CASES)))
        sscc, epcs = printer.pallet(), [printer.case() for _ in range(cases)]
        wet = random.random() < 0.4
        box = Box(forward_m, 0.5, 0.6, random.uniform(8, 25) if wet else random.uniform(1, 5))
        stickers += _in_box(epcs, box, random)
        face = random.choice(((0.5, 0.0), (-0.5, 0.0), (0.0, 0.6), (0.0, -0.6)))
        stickers.append(Sticker(sscc, face[0], forward_m + face[1], random.random() < DETUNED, box, _lean(random)))
        containers |= dict.fromkeys((*epcs, sscc), sscc)
    return tuple(stickers), containers


def _in_box(epcs: Sequence[str], box: Box, random: Random) -> tuple[Sticker, ...]:
    return tuple(
        Sticker(
            epc,
            random.uniform(-box.half_width_m, box.half_width_m),
            box.forward_m + random.uniform(-box.half_length_m, box.half_length_m),
            random.random() < DETUNED,
            box,
            _lean(random),
        )
        for epc in epcs
    )


def _lean(random: Random) -> tuple[float, float]:
    return random.gauss(0, 1), random.gauss(0, 1)
