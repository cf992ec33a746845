"""The sound skin of each crop: its colours, pores and gloss, and the scar where it grew on its stem."""

from collections.abc import Callable, Mapping

import numpy as np

from firmware_sim.body import Shape
from firmware_sim.peel import REACH, Draft, Field, Spot, fray, within

_LEMONS = ((232, 214, 92), (238, 206, 58), (240, 190, 26), (222, 214, 84), (206, 208, 76))
_TOMATOES = ((206, 34, 26), (216, 66, 30), (226, 106, 34), (150, 34, 28), (208, 140, 40), (150, 60, 32))


def lemon(draft: Draft, shape: Shape) -> None:
    """Yellow from pale to orange, some still green at an end; pores all over, waxy."""
    _ground(draft, _LEMONS, 9)
    if draft.random.random() < 0.4:
        share = _green(draft, shape) * np.float32(draft.random.uniform(0.3, 0.85))
        draft.tint((128, 152, 44), share)
    draft.relief += draft.grain(8.0) * np.float32(draft.random.uniform(1.2, 3.2)) + draft.cloud(0.5, 2) * np.float32(5)
    draft.gloss += np.float32(draft.random.uniform(0.35, 0.7))
    _stem(draft, shape, -1, 0.1, ((104, 92, 48), (74, 58, 34)))
    _specks(draft)


def tomato(draft: Draft, shape: Shape) -> None:
    """From yellow over orange to dark red, often not the same all over; smooth, with sharp lights."""
    _ground(draft, _TOMATOES, 5)
    shoulder = _TOMATOES[int(draft.random.integers(0, len(_TOMATOES)))]
    draft.tint(shoulder, _green(draft, shape) * np.float32(draft.random.uniform(0, 0.6)))
    draft.relief += draft.cloud(0.8, 2) * np.float32(6) + draft.grain(4.0) * np.float32(0.4)
    draft.gloss += np.float32(draft.random.uniform(0.65, 1))
    _stem(draft, shape, 1, draft.random.uniform(0.13, 0.24), ((176, 142, 82), (112, 90, 58)))
    _specks(draft)


SKINS: Mapping[str, Callable[[Draft, Shape], None]] = {"lemon": lemon, "tomato": tomato}


def _ground(draft: Draft, colours: tuple[tuple[float, float, float], ...], uneven: float) -> None:
    first, second = draft.random.integers(0, len(colours), 2)
    mix = draft.random.uniform(0, 1)
    draft.colour += np.array(colours[first], np.float32) * np.float32(mix)
    draft.colour += np.array(colours[second], np.float32) * np.float32(1 - mix)
    draft.colour += draft.cloud(0.9)[..., None] * np.array((uneven, uneven, uneven * 0.6), np.float32)


def _place(shape: Shape, end: int) -> tuple[float, float]:
    """Where an end of the long axis (1 or -1) lies on the peel; beyond it if it is behind the fruit."""
    x, y, z = (end * part for part in shape.axis)
    flat = float(np.sqrt(2 / max(1 + z, 0.02)))
    return x * flat, y * flat


def _green(draft: Draft, shape: Shape) -> Field:
    """A part of the fruit that ripens late: around an end, softly."""
    x, y = _place(shape, int(draft.random.choice((-1, 1))))
    reach = draft.random.uniform(0.6, 1.5)
    return within(fray(draft, Spot(x, y, reach, reach, 0), 0.18, 0.8), 1.0, 0.9)


def _stem(draft: Draft, shape: Shape, end: int, size: float, colours: tuple[tuple[float, float, float], ...]) -> None:
    x, y = _place(shape, end)
    if max(abs(x), abs(y)) > REACH:
        return
    spot = Spot(x, y, size, size, 0)
    draft.relief -= within(spot.distance(), 2.6, 2.4) * np.float32(700 * size * size)
    distance = fray(draft, spot, 0.14, 0.1)
    draft.tint(colours[0], within(distance) * np.float32(0.9))
    draft.tint(colours[1], within(distance, 0.55, 0.3) * np.float32(0.8))
    draft.relief += within(distance) * draft.grain(5.0) * np.float32(8)
    draft.wet(0.1, within(distance))


def _specks(draft: Draft) -> None:
    """Tiny marks such as sound fruit has, too."""
    for _ in range(int(draft.random.poisson(2.5))):
        x, y = draft.random.uniform(-1.3, 1.3, 2)
        size = draft.random.uniform(0.012, 0.035)
        draft.tint((120, 92, 48), within(Spot(x, y, size, size, 0).distance(), 1, 0.6) * np.float32(0.55))
