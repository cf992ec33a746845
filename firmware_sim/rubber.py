"""The belt itself, and what a lens and a sensor do to every picture of it."""

import cv2
import numpy as np
from numpy.typing import NDArray

_COLOURS = ((30, 66, 46), (32, 62, 100), (38, 38, 41), (52, 84, 60), (84, 88, 92))
_LENGTHS = 2
"""The belt looks the same again after so many picture lengths."""
_RAIL_SHARE = 0.05


def strip(length_px: int, breadth_px: int, seed: int) -> NDArray[np.uint8]:
    """The belt rolled out, and its beginning once more behind its end: (breadth, 3 lengths, 3), RGB."""
    random = np.random.default_rng(seed)
    width = _LENGTHS * length_px
    belt = np.zeros((breadth_px, width, 3), np.float32)
    belt += np.array(_COLOURS[int(random.integers(0, len(_COLOURS)))], np.float32)
    belt += (_weave(width, breadth_px) + random.standard_normal((breadth_px, width)).astype(np.float32) * 3)[..., None]
    for _ in range(14):
        _stain(belt, random)
    for _ in range(10):
        _scratch(belt, random)
    _seam(belt, int(random.integers(width // 4, width * 3 // 4)))
    _rails(belt, random)
    rolled = np.clip(belt, 0, 255).astype(np.uint8)
    return np.concatenate((rolled, rolled[:, :length_px]), axis=1)


def vignette(length_px: int, breadth_px: int) -> NDArray[np.float32]:
    """Share of the light that the lens lets through: (breadth, length, 1)."""
    x = np.linspace(-1, 1, length_px, dtype=np.float32)[None, :]
    y = np.linspace(-1, 1, breadth_px, dtype=np.float32)[:, None]
    return np.asarray(1 - 0.13 * (x * x + 0.7 * y * y), np.float32)[..., None]


def grain(length_px: int, breadth_px: int, seed: int, spread: float) -> NDArray[np.int16]:
    """Noise of the sensor, larger than a picture, so that each takes another part of it."""
    random = np.random.default_rng(seed + 1)
    noise = random.standard_normal((breadth_px + 61, length_px + 67, 3), np.float32) * np.float32(spread)
    return np.asarray(np.rint(noise), np.int16)


def _weave(width: int, height: int) -> NDArray[np.float32]:
    x = np.sin(np.arange(width, dtype=np.float32) * (2 * np.pi / 5))
    y = np.sin(np.arange(height, dtype=np.float32) * (2 * np.pi / 4))
    return np.asarray(2.5 * x[None, :] * y[:, None], np.float32)


def _stain(belt: NDArray[np.float32], random: np.random.Generator) -> None:
    """A patch of juice, dust or wear."""
    height, width = belt.shape[:2]
    radius = int(random.integers(max(4, height // 40), max(8, height // 6)))
    x = int(random.integers(radius, max(radius + 1, width - radius)))
    y = int(random.integers(0, height))
    patch = np.zeros((height, width), np.float32)
    axes = (radius, max(2, int(radius * random.uniform(0.4, 1))))
    cv2.ellipse(patch, (x, y), axes, float(random.uniform(0, 180)), 0, 360, 1.0, -1)
    patch = np.asarray(cv2.GaussianBlur(patch, (0, 0), max(1.0, radius / 4)), np.float32)
    belt += patch[..., None] * np.float32(random.uniform(-16, 22))


def _scratch(belt: NDArray[np.float32], random: np.random.Generator) -> None:
    """A line that something has rubbed along the belt."""
    height, width = belt.shape[:2]
    y = int(random.integers(0, height))
    begin, end = sorted(int(x) for x in random.integers(0, width, 2))
    belt[y, begin:end] += np.float32(random.uniform(4, 14))


def _seam(belt: NDArray[np.float32], x: int) -> None:
    """Where the ends of the belt are joined."""
    belt[:, x : x + 3] *= np.float32(0.55)
    belt[:, x + 3 : x + 5] += np.float32(18)
    belt[::9, x - 5 : x + 9] += np.float32(24)


def _rails(belt: NDArray[np.float32], random: np.random.Generator) -> None:
    """Steel on both sides, brushed along, so that it seems to stand still."""
    height = max(3, round(_RAIL_SHARE * belt.shape[0]))
    for side in (belt[:height], belt[-height:]):
        side[:] = (104 + random.standard_normal((height, 1, 1)) * 7 - np.linspace(0, 26, height)[:, None, None]).astype(
            np.float32
        )
