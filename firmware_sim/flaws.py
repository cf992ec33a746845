"""What can go wrong with a camera's picture between the lens and the wire. Pure, given its random numbers."""

from random import Random
from typing import Literal, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]
Look = Literal["clear", "black", "cap", "blur", "swapped", "dim"]
"""`cap`: a lens cap, not quite black; `swapped`: red and blue have changed places; `dim`: most of the lamps are out."""

CAP = 9
"""Brightness behind a lens cap."""
DIM = 0.35


class Part(NamedTuple):
    """A picture on the wire: how long it says it is, and what comes."""

    claimed: int
    data: bytes


def looked(picture: Image, look: Look, seed: int) -> Image:
    """The picture as the camera takes it."""
    match look:
        case "black":
            return np.zeros_like(picture)
        case "cap":
            noise = np.random.default_rng(seed).integers(-2, 3, picture.shape)
            return np.asarray(noise + CAP, np.uint8)
        case "blur":
            return np.asarray(cv2.GaussianBlur(picture, (0, 0), min(picture.shape[:2]) / 40), np.uint8)
        case "swapped":
            return np.ascontiguousarray(picture[..., ::-1])
        case "dim":
            return cv2.convertScaleAbs(picture, alpha=DIM).astype(np.uint8)
        case "clear":
            return picture


def torn(jpeg: bytes, random: Random) -> Part:
    """The picture as a bad line delivers it: cut short (said so or not), without its end, with rubbish inside."""
    middle = random.randrange(len(jpeg) // 4, len(jpeg) * 3 // 4)
    match random.randrange(4):
        case 0:
            return Part(middle, jpeg[:middle])
        case 1:
            return Part(len(jpeg), jpeg[:middle])
        case 2:
            return Part(len(jpeg) - 2, jpeg[:-2])
        case _:
            rubbish = random.randbytes(min(256, len(jpeg) - middle))
            return Part(len(jpeg), jpeg[:middle] + rubbish + jpeg[middle + len(rubbish) :])
