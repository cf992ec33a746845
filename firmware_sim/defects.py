"""What is wrong with bad fruit, drawn on its peel: scars, streaks, rot, mould, spots, wrinkles, dents, cracks."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import cv2
import numpy as np

from firmware_sim.peel import Defect, Draft, Field, Spot, fray, within


class Kind(NamedTuple):
    """One kind of defect: how it is drawn, how long its half-axis is in radii, how slim it is, how often it comes."""

    draw: Defect
    smallest: float
    largest: float
    slim: float
    weight: float


def scar(draft: Draft, spot: Spot) -> None:
    """Healed rubbing of wind and twigs: tan to grey-brown cork, rough and dull, with a ragged outline."""
    distance = fray(draft, spot, 0.24, 0.45)
    speckled = np.clip(0.82 + 0.25 * draft.cloud(0.14), 0.25, 1)
    share = within(distance, 1.15, 0.35) * speckled
    tone = draft.random.uniform(0, 1)
    draft.tint((166 - 58 * tone, 126 - 46 * tone, 78 - 26 * tone), share * np.float32(0.92))
    draft.tint((92, 62, 34), within(distance, 0.6, 0.6) * np.clip(draft.cloud(0.15) - 0.4, 0, 1) * np.float32(0.8))
    draft.relief += share * draft.grain(7.0) * np.float32(9)
    draft.wet(0.12, share)


def streak(draft: Draft, spot: Spot) -> None:
    """Dark, narrow scratches, several beside each other."""
    for _ in range(int(draft.random.integers(2, 5))):
        aside = draft.random.normal(0, 0.09, 2)
        one = spot._replace(x=spot.x + aside[0], y=spot.y + aside[1], turn=spot.turn + draft.random.normal(0, 0.12))
        distance = fray(draft, one, 0.4, 0.16)
        share = within(distance, 1.25, 0.8)
        draft.tint((52, 34, 20), share * np.float32(0.92))
        draft.relief -= share * np.float32(14)
        draft.wet(0.2, share)


def rot(draft: Draft, spot: Spot) -> None:
    """A soft, sunken brown patch, darker in its middle, with a watery rim."""
    distance = fray(draft, spot, 0.14, 0.6)
    share = within(distance, soft=0.3)
    tone = draft.random.uniform(0.55, 1.15)
    draft.tint((150 * tone, 98 * tone, 46 * tone), within(distance, 1.2, 0.4) * np.float32(0.5))
    draft.tint((118 * tone, 72 * tone, 34 * tone), share * np.float32(0.93))
    draft.tint((58, 38, 24), within(distance, 0.62, 0.6) * np.float32(draft.random.uniform(0.2, 0.85)))
    draft.relief -= share * np.float32(55) - share * draft.cloud(0.2) * np.float32(9)
    draft.wet(0.35, share)


def mould(draft: Draft, spot: Spot) -> None:
    """White down around green or grey spores, on a patch of rot."""
    rot(draft, spot._replace(length=spot.length * 1.35, width=spot.width * 1.35))
    distance = fray(draft, spot, 0.2, 0.3)
    share = within(distance, soft=0.45) * np.clip(0.8 + 0.25 * draft.cloud(0.09), 0, 1)
    draft.tint((226, 224, 214), share * np.float32(0.95))
    spores = ((104, 122, 96), (92, 120, 124), (150, 146, 132), (222, 220, 210))[draft.random.integers(0, 4)]
    draft.tint(spores, within(distance, 0.62, 0.4) * np.float32(0.85))
    draft.relief += share * (np.float32(16) + draft.grain(5.0) * np.float32(9))
    draft.wet(0.02, share)


def pox(draft: Draft, spot: Spot) -> None:
    """A scatter of small dark, sunken spots."""
    for _ in range(int(draft.random.integers(6, 16))):
        aside = draft.random.normal(0, 0.5, 2) * (spot.length, spot.width)
        size = draft.random.uniform(0.05, 0.13)
        one = Spot(spot.x + aside[0], spot.y + aside[1], size, size * draft.random.uniform(0.6, 1), spot.turn)
        distance = fray(draft, one, 0.15, 0.12)
        draft.tint((138, 96, 40), within(distance, 1.5, 0.8) * np.float32(0.5))
        draft.tint((74, 48, 26), within(distance, 1.0, 0.5) * np.float32(0.9))
        draft.relief -= within(distance, 1.0, 0.8) * np.float32(16)


def wrinkles(draft: Draft, spot: Spot) -> None:
    """Folds of a skin that has dried out; near the spot the most."""
    share = within(spot.distance(), 1.25, 0.9)
    fold = _folds(draft, spot.turn)
    draft.relief += share * fold * np.float32(30)
    draft.colour *= (1 - share * np.clip(-fold, 0, 1.5) * np.float32(0.22))[..., None]
    draft.colour *= (1 - share * np.float32(0.1))[..., None]


def dent(draft: Draft, spot: Spot) -> None:
    """The skin has fallen in: a hollow with folds at its rim and a dull bottom."""
    distance = fray(draft, spot, 0.12, 0.7)
    hollow = within(distance, 1.1, 0.8)
    draft.relief -= hollow * np.float32(190)
    draft.relief += within(np.abs(distance - 1), 0.35, 0.3) * _folds(draft, spot.turn) * np.float32(22)
    draft.colour *= (1 - hollow * np.float32(0.3))[..., None]
    draft.tint((120, 80, 44), hollow * np.float32(draft.random.uniform(0.15, 0.5)))


def crack(draft: Draft, spot: Spot) -> None:
    """A burst skin: a thin, wandering line with pale, corky lips."""
    bend = spot._replace(width=spot.width * 0.5)
    distance = np.maximum(bend.distance() + np.abs(draft.cloud(0.35)) * np.float32(0.8) - np.float32(0.35), 0)
    draft.tint((206, 168, 112), within(distance, 1.5, 0.5) * np.float32(0.85))
    draft.tint((66, 34, 20), within(distance, 0.8, 0.5) * np.float32(0.9))
    draft.relief -= within(distance, 1.1, 0.8) * np.float32(45)
    draft.wet(0.1, within(distance, 1.5, 0.5))


KINDS: Mapping[str, Sequence[Kind]] = {
    "lemon": (
        Kind(scar, 0.38, 1.0, 0.6, 4),
        Kind(streak, 0.35, 0.8, 0.16, 2),
        Kind(rot, 0.22, 0.8, 0.8, 2),
        Kind(mould, 0.2, 0.6, 0.85, 1.5),
        Kind(pox, 0.4, 0.8, 0.8, 1.5),
        Kind(dent, 0.35, 0.6, 0.7, 0.6),
    ),
    "tomato": (
        Kind(wrinkles, 0.8, 1.5, 0.8, 4),
        Kind(rot, 0.28, 0.75, 0.8, 2),
        Kind(mould, 0.2, 0.65, 0.85, 2),
        Kind(crack, 0.5, 0.9, 0.2, 1.5),
        Kind(dent, 0.35, 0.7, 0.7, 1),
        Kind(pox, 0.4, 0.7, 0.8, 0.8),
        Kind(scar, 0.32, 0.7, 0.6, 0.8),
    ),
}


def spoil(draft: Draft, crop: str) -> None:
    """One defect that faces the camera, and sometimes a second one anywhere."""
    _draw(draft, crop, spread=0.3)
    if draft.random.random() < 0.45:
        _draw(draft, crop, spread=0.75)


def _draw(draft: Draft, crop: str, spread: float) -> None:
    kinds = KINDS[crop]
    weights = np.array([kind.weight for kind in kinds])
    kind = kinds[int(draft.random.choice(len(kinds), p=weights / weights.sum()))]
    length = kind.smallest + (kind.largest - kind.smallest) * draft.random.beta(1.2, 1.8)
    away, side = draft.random.uniform(0, spread), draft.random.uniform(0, 2 * np.pi)
    width = length * kind.slim * draft.random.uniform(0.8, 1.15)
    turn = draft.random.uniform(0, np.pi)
    kind.draw(draft, Spot(away * np.cos(side), away * np.sin(side), length, width, turn))


def _folds(draft: Draft, turn: float) -> Field:
    """Ridges that run along `turn`, wander and branch; spread about 1."""
    x = np.linspace(0, 1, draft.relief.shape[0], dtype=np.float32)
    across = x[None, :] * np.float32(-np.sin(turn)) + x[:, None] * np.float32(np.cos(turn))
    pitch = np.float32(draft.random.uniform(55, 110))
    phase = across * pitch + draft.cloud(0.5) * np.float32(2.6)
    ridges = np.sin(phase) * np.clip(0.7 + 0.5 * draft.cloud(0.3), 0.1, 1.6)
    return np.asarray(cv2.GaussianBlur(ridges, (0, 0), 0.8), np.float32)
