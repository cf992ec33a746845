"""What the camera above a belt sees: belt, fruit and their shadows, in a light that wanders.

Everything is drawn as if the belt moved to the right, and turned at the end.
"""

import math
from collections import OrderedDict
from collections.abc import Callable
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from firmware_sim import rubber
from firmware_sim.belt import Belt, Piece
from firmware_sim.fruit import Picture

Image = NDArray[np.uint8]
"""(h, w, 3), RGB."""

EXPOSURE_S = 0.003
LIGHT_DRIFT = 0.07
"""How far the light wanders either way, as a share of it, over one or two minutes."""
TURN_A_LENGTH = 0.35
"""Radians by which fruit rolls over one picture length: it slides more than it rolls."""
_TURN_STEP = 0.03
_FULL, _LIGHT_STEP_US = 180, 500_000
_DRAWN = 48
_NOISE = 2.2
_TURNED = {"up": cv2.ROTATE_90_COUNTERCLOCKWISE, "left": cv2.ROTATE_180, "down": cv2.ROTATE_90_CLOCKWISE}


class Body(Protocol):
    """Fruit that can be shown: drawn (fruit.py), or cut out of a photograph (cutout.py)."""

    def view(self, turn: float, size_px: int) -> Picture:
        """It, turned by so many radians, its longer side so long."""
        ...


Draw = Callable[[bool, int], Body]
"""The fruit for (defective, seed)."""


class _Drawn:
    """A piece and its shadow. Its turn goes in steps that nobody sees, so that not every picture is drawn anew."""

    def __init__(self, piece: Piece, body: Body) -> None:
        self._body = body
        self._size_px = piece.size_px
        self._step: int | None = None
        self._picture = body.view(0.0, piece.size_px)
        reach = max(2, piece.size_px // 10)
        wide = cv2.copyMakeBorder(self._picture.alpha, reach, reach, reach, reach, cv2.BORDER_CONSTANT, value=(0,))
        self.shadow = _image(cv2.GaussianBlur(wide, (0, 0), reach / 2))

    def view(self, turn: float) -> Picture:
        """As it looks at about that turn."""
        step = round(turn / _TURN_STEP)
        if step != self._step:
            self._step, self._picture = step, self._body.view(step * _TURN_STEP, self._size_px)
        return self._picture


class Footage:
    """Pictures of one belt; the same moment of the same belt gives the same picture. For one thread at a time."""

    def __init__(self, belt: Belt, draw: Draw, seed: int, *, light_drift: float = LIGHT_DRIFT) -> None:
        track = belt.track
        self._belt = belt
        self._draw = draw
        self._drift = light_drift
        self._blur_px = round(EXPOSURE_S * track.speed * track.length_px)
        self._strip = rubber.strip(track.length_px, track.breadth_px, seed)
        if self._blur_px > 1:
            self._strip = _image(cv2.blur(self._strip, (self._blur_px, 1), borderType=cv2.BORDER_REFLECT))
        self._vignette = rubber.vignette(track.length_px, track.breadth_px)
        self._grain = rubber.grain(track.length_px, track.breadth_px, seed, _NOISE)
        self._lit: tuple[int, Image] | None = None
        self._drawn: OrderedDict[int, _Drawn] = OrderedDict()

    def frame(self, now_us: int) -> Image:
        """The belt at that moment."""
        track = self._belt.track
        length = track.length_px
        start = -round(self._belt.travelled(now_us) * length) % (self._strip.shape[1] - length)
        picture = self._strip[:, start : start + length].copy()
        for piece in self._belt.near(now_us):
            place = self._belt.place(piece, now_us)
            if place > -track.fruit_px / length:
                self._lay(picture, piece, place)
        shaken = now_us // 1000 * 7919
        x, y = shaken % (self._grain.shape[1] - length), shaken // 61 % (self._grain.shape[0] - track.breadth_px)
        picture = _image(cv2.multiply(picture, self._light(now_us), scale=1 / _FULL))
        grain = self._grain[y : y + track.breadth_px, x : x + length]
        picture = _image(cv2.add(picture, grain, dtype=cv2.CV_8U))
        turned = _TURNED.get(track.moves)
        return picture if turned is None else _image(cv2.rotate(picture, turned))

    def prepare(self, now_us: int) -> None:
        """Draw the next fruit that is coming, so that it delays no picture when it is there."""
        for piece in self._belt.near(now_us):
            if piece.number not in self._drawn:
                self._fetch(piece)
                return

    def _fetch(self, piece: Piece) -> _Drawn:
        drawn = self._drawn.get(piece.number)
        if drawn is None:
            drawn = _Drawn(piece, self._draw(piece.defective, piece.seed))
            self._drawn[piece.number] = drawn
            while len(self._drawn) > _DRAWN:
                self._drawn.popitem(last=False)
        return drawn

    def _lay(self, picture: Image, piece: Piece, place: float) -> None:
        """The piece on the belt, its middle at `place`."""
        track = self._belt.track
        drawn = self._fetch(piece)
        seen = drawn.view(piece.turn + TURN_A_LENGTH * place)
        x, y = place * track.length_px, (0.5 + piece.aside) * track.breadth_px
        _darken(picture, drawn.shadow, round(x + 0.05 * piece.size_px), round(y + 0.07 * piece.size_px))
        _paste(picture, _smeared(seen, self._blur_px), round(x), round(y))

    def _light(self, now_us: int) -> Image:
        """The light of the moment at each pixel, behind the lens, in parts of `_FULL`."""
        step = now_us // _LIGHT_STEP_US
        if self._lit is None or self._lit[0] != step:
            self._lit = (
                step,
                _image(np.clip(self._vignette * (self._gains(step * _LIGHT_STEP_US / 1e6) * _FULL), 0, 255)),
            )
        return self._lit[1]

    def _gains(self, now_s: float) -> NDArray[np.float32]:
        """How bright red, green and blue are."""
        level = 1 + self._drift * (0.7 * math.sin(now_s / 13) + 0.3 * math.sin(now_s / 3.7))
        warmth = 0.4 * self._drift * math.sin(now_s / 19)
        return np.array((level * (1 + warmth), level, level * (1 - warmth)), np.float32)


def _image(array: NDArray[np.generic]) -> Image:
    return np.asarray(array, np.uint8)


def _smeared(seen: Picture, blur_px: int) -> Picture:
    """The same, seen for as long as the shutter is open while it moves."""
    if blur_px < 2:
        return seen
    weight = seen.alpha.astype(np.float32)[..., None] / 255
    wide = cv2.copyMakeBorder(
        np.concatenate((seen.rgb * weight, weight * 255), axis=2), 0, 0, blur_px, blur_px, cv2.BORDER_CONSTANT
    )
    soft = cv2.blur(wide, (blur_px, 1))
    alpha = soft[..., 3:]
    return Picture(_image(np.clip(soft[..., :3] * 255 / np.maximum(alpha, 1), 0, 255)), _image(alpha[..., 0]))


def _window(picture: Image, over: Image, x: int, y: int) -> tuple[Image, Image] | None:
    """The parts of a picture and of what lies on it, its middle at (x, y), that cover each other; None if none do."""
    left, top = x - over.shape[1] // 2, y - over.shape[0] // 2
    right, bottom = min(left + over.shape[1], picture.shape[1]), min(top + over.shape[0], picture.shape[0])
    from_x, from_y = max(left, 0), max(top, 0)
    if right <= from_x or bottom <= from_y:
        return None
    return picture[from_y:bottom, from_x:right], over[from_y - top : bottom - top, from_x - left : right - left]


def _paste(picture: Image, seen: Picture, x: int, y: int) -> None:
    covered, alpha = _window(picture, seen.alpha, x, y), _window(picture, seen.rgb, x, y)
    if covered is None or alpha is None:
        return
    share = covered[1].astype(np.uint16)[..., None]
    covered[0][:] = (covered[0] * (255 - share) + alpha[1] * share + 127) // 255


def _darken(picture: Image, shadow: Image, x: int, y: int) -> None:
    covered = _window(picture, shadow, x, y)
    if covered is not None:
        covered[0][:] = covered[0] * (255 - (covered[1] >> 1)).astype(np.uint16)[..., None] // 255
