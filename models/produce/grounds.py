"""What fruit may lie on: belts, rollers, wood, plain and noisy surfaces, and clutter that is no fruit.

Drawn, not photographed, so that there is no end to them; RGB, shape (size, size, 3).
"""

import colorsys
from collections.abc import Callable

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from edge.vision.views import Image

BELTS = [(28, 84, 60), (30, 70, 130), (32, 32, 34), (215, 215, 210), (60, 130, 80), (90, 92, 95), (40, 110, 160)]
"""RGB of food belts: greens, blues, black, white, grey."""

Colour = NDArray[np.float32]
Surface = Callable[[Generator, int], NDArray[np.float32]]
Place = NDArray[np.int64]
Paint = tuple[float, ...]


def ground(rng: Generator, size: int) -> Image:
    """Any surface, with or without clutter on it."""
    surfaces: list[Surface] = [belt, belt, rollers, wood, plain, clouds, clouds, tiles]
    surface = surfaces[rng.integers(len(surfaces))](rng, size)
    drawn = np.clip(surface, 0, 255).astype(np.uint8)
    if rng.random() < 0.45:
        clutter(drawn, rng)
    return drawn


def any_colour(rng: Generator) -> Colour:
    """Fruit's own colours (yellow to red) come up often, so that colour alone is not taken for fruit."""
    hue = rng.uniform(0.0, 0.18) if rng.random() < 0.35 else rng.random()
    return np.array(colorsys.hsv_to_rgb(hue, rng.random() ** 0.8, rng.uniform(0.08, 1)), np.float32) * 255


def grain(rng: Generator, size: int, coarse_px: float) -> NDArray[np.float32]:
    """Smooth noise of mean 0 and spread 1, with lumps of about `coarse_px`; shape (size, size, 1)."""
    cells = max(2, round(size / coarse_px))
    noise = rng.standard_normal((cells, cells), dtype=np.float32)
    return np.asarray(cv2.resize(noise, (size, size), interpolation=cv2.INTER_CUBIC), np.float32)[..., None]


def belt(rng: Generator, size: int) -> NDArray[np.float32]:
    """Rubber or plastic: one colour, fine texture, perhaps ribs or links, a seam, stains, a rail at the side."""
    colour = np.array(BELTS[rng.integers(len(BELTS))], np.float32) * rng.uniform(0.6, 1.3) + rng.normal(0, 8, 3)
    surface = colour + rng.uniform(1, 8) * grain(rng, size, 1) + rng.uniform(2, 12) * grain(rng, size, size / 3)
    across = np.arange(size, dtype=np.float32)
    if rng.random() < 0.5:
        ribs = np.sin(across * 2 * np.pi / rng.uniform(5, size / 4))[:, None, None]
        surface = surface + rng.uniform(4, 25) * (ribs if rng.random() < 0.5 else np.sign(ribs))
    if rng.random() < 0.4:
        at, wide = int(rng.integers(size)), int(rng.integers(1, 5))
        surface[at : at + wide] = surface[at : at + wide] * rng.uniform(0.4, 1.5)
    if rng.random() < 0.5:
        stains = np.clip(grain(rng, size, size / rng.uniform(4, 14)) - 1.0, 0, 1)
        surface = surface + stains * (any_colour(rng) - surface) * 0.6
    if rng.random() < 0.3:
        wide = int(rng.integers(size // 16, size // 5))
        surface[:wide] = any_colour(rng) + 6 * grain(rng, size, 2)[:wide]
    return _turned(surface.astype(np.float32), rng)


def rollers(rng: Generator, size: int) -> NDArray[np.float32]:
    """Steel or coloured rollers with their highlights and gaps."""
    pitch = rng.uniform(size / 14, size / 3)
    phase = (np.arange(size, dtype=np.float32) / pitch + rng.random()) % 1
    height = np.sqrt(np.clip(1 - (2 * phase - 1) ** 2 / rng.uniform(0.6, 1.0), 0, 1))
    colour = any_colour(rng) if rng.random() < 0.5 else np.full(3, rng.uniform(90, 220), np.float32)
    surface = colour * (0.15 + 0.85 * height[:, None, None]) + 4 * grain(rng, size, 2)
    return _turned(surface.astype(np.float32), rng)


def wood(rng: Generator, size: int) -> NDArray[np.float32]:
    """Boards: long grain in browns, with joints."""
    colour = np.array([165, 120, 75], np.float32) * rng.uniform(0.5, 1.4) + rng.normal(0, 10, 3)
    lines = cv2.resize(rng.standard_normal((size, 4), dtype=np.float32), (size, size), interpolation=cv2.INTER_CUBIC)
    surface = colour * (1 + 0.12 * lines[..., None] + 0.06 * grain(rng, size, size / 4))
    board = int(rng.integers(size // 6, size))
    surface[board // 2 :: board] *= 0.4
    return _turned(surface.astype(np.float32), rng)


def plain(rng: Generator, size: int) -> NDArray[np.float32]:
    """A colour, or two that run into each other; little texture."""
    corners = np.stack([any_colour(rng)] * 4).reshape(2, 2, 3)
    if rng.random() < 0.6:
        corners[0, 1] = corners[1, 1] = any_colour(rng)
    if rng.random() < 0.3:
        corners[:] = rng.uniform(225, 255)
    smooth = cv2.resize(corners, (size, size))
    return np.asarray(smooth + rng.uniform(0, 5) * grain(rng, size, 1), np.float32)


def clouds(rng: Generator, size: int) -> NDArray[np.float32]:
    """Noise at every scale between two or three colours: stone, soil, cloth, leaves, whatever it may be."""
    weight = sum(
        (rng.uniform(0.2, 1) * grain(rng, size, coarse) for coarse in (1.5, 4, 12, 40, 120)), np.zeros((size, size, 1))
    )
    share = 1 / (1 + np.exp(-weight * rng.uniform(0.5, 3)))
    first, second = any_colour(rng), any_colour(rng)
    if rng.random() < 0.5:
        second = first * rng.uniform(0.4, 1.6)
    surface = first * share + second * (1 - share) + rng.uniform(0, 12) * grain(rng, size, 1)
    return np.asarray(surface, np.float32)


def tiles(rng: Generator, size: int) -> NDArray[np.float32]:
    """A grid: tiles, modular plastic belt, crate bottoms with holes."""
    step = int(rng.integers(max(6, size // 30), size // 3))
    surface = np.empty((size, size, 3), np.float32)
    surface[:] = any_colour(rng)
    surface += rng.uniform(1, 10) * grain(rng, size, 1.5)
    line = any_colour(rng)
    wide = int(rng.integers(1, max(2, step // 3)))
    for n in range(wide):
        surface[n::step] = line
        surface[:, n::step] = line
    return _turned(surface, rng)


def clutter(drawn: Image, rng: Generator) -> None:
    """Things that are no fruit, drawn into the picture."""
    for _ in range(int(rng.integers(1, 7))):
        colour = tuple(float(part) for part in any_colour(rng))
        THINGS[rng.integers(len(THINGS))](drawn, rng, rng.integers(0, drawn.shape[0], 2), colour)


def _shard(drawn: Image, rng: Generator, at: Place, colour: Paint) -> None:
    size = drawn.shape[0]
    reach = rng.integers(size // 20, size // 2)
    corners = at + rng.integers(-reach, reach, (int(rng.integers(3, 7)), 2))
    cv2.fillPoly(drawn, [corners.astype(np.int32)], colour, cv2.LINE_AA)


def _box(drawn: Image, rng: Generator, at: Place, colour: Paint) -> None:
    size = drawn.shape[0]
    far = at + rng.integers(size // 20, size // 2, 2)
    cv2.rectangle(drawn, at.tolist(), far.tolist(), colour, -1 if rng.random() < 0.6 else int(rng.integers(1, 6)))


def _bar(drawn: Image, rng: Generator, at: Place, colour: Paint) -> None:
    size = drawn.shape[0]
    far = rng.integers(0, size, 2)
    cv2.line(drawn, at.tolist(), far.tolist(), colour, int(rng.integers(1, size // 12)), cv2.LINE_AA)


def _writing(drawn: Image, rng: Generator, at: Place, colour: Paint) -> None:
    words = "".join(chr(int(letter)) for letter in rng.integers(48, 90, int(rng.integers(2, 9))))
    scale, width = float(rng.uniform(0.4, 2)), int(rng.integers(1, 5))
    cv2.putText(drawn, words, at.tolist(), cv2.FONT_HERSHEY_SIMPLEX, scale, colour, width)


def _ring(drawn: Image, rng: Generator, at: Place, colour: Paint) -> None:
    size = drawn.shape[0]
    radius = int(rng.integers(size // 20, size // 4))
    cv2.circle(drawn, at.tolist(), radius, colour, int(rng.integers(1, max(2, radius // 4))), cv2.LINE_AA)


def _leaf(drawn: Image, rng: Generator, at: Place, colour: Paint) -> None:
    size = drawn.shape[0]
    axes = int(rng.integers(size // 20, size // 5)), int(rng.integers(2, max(3, size // 40)))
    cv2.ellipse(drawn, at.tolist(), axes, float(rng.uniform(0, 180)), 0, 360, colour, -1, cv2.LINE_AA)


THINGS = (_shard, _box, _bar, _writing, _ring, _leaf)


def _turned(surface: NDArray[np.float32], rng: Generator) -> NDArray[np.float32]:
    if rng.random() < 0.5:
        surface = np.ascontiguousarray(surface.transpose(1, 0, 2))
    if rng.random() < 0.25:
        size = surface.shape[0]
        turn = cv2.getRotationMatrix2D((size / 2, size / 2), float(rng.uniform(0, 90)), 1.45)
        surface = np.asarray(cv2.warpAffine(surface, turn, (size, size), borderMode=cv2.BORDER_REFLECT), np.float32)
    return surface
