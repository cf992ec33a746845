"""The body of one drawn fruit: ellipsoids seen by parallel rays, and how its surface lies towards the camera."""

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from firmware_sim.peel import Field

_PROBE_PX = 96
_FINER = 2


class Bulge(NamedTuple):
    """One ellipsoid on the long axis: its middle and half-length along the axis, and its half-width; in radii."""

    middle: float
    length: float
    width: float


class Shape(NamedTuple):
    """What a fruit is before it is drawn at a size."""

    bulges: tuple[Bulge, ...]
    axis: tuple[float, float, float]
    """The long axis, a unit vector: right, down, towards the camera."""
    lumps: NDArray[np.float32]
    """How much farther out the outline stands at each of evenly spaced angles of the picture."""

    def rolled(self, turn: float) -> Field:
        """Rotation of the skin about the long axis (Rodrigues)."""
        rotation, _ = cv2.Rodrigues(np.array(self.axis, np.float64) * -turn)
        return np.asarray(rotation, np.float32)


class Body(NamedTuple):
    """A fruit at one size; every field is (h, w, ...)."""

    skin: Field
    """Where on the unit sphere each pixel lies (right, down, towards the camera), before any roll."""
    normal: Field
    alpha: NDArray[np.uint8]
    radius_px: float


def shape_of(crop: str, random: np.random.Generator) -> Shape:
    """A shape as the crop grows."""
    facing = random.uniform(0, 2 * np.pi)
    if crop == "lemon":
        width = random.uniform(0.74, 0.9)
        tips = [Bulge(0.72, random.uniform(0.36, 0.52), random.uniform(0.4, 0.52) * width)]
        tips.append(Bulge(-0.8, random.uniform(0.22, 0.32), random.uniform(0.42, 0.55) * width))
        bulges, tilt = (Bulge(0, 1, width), *tips), random.uniform(-0.45, 0.45)
    else:
        bulges, tilt = (Bulge(0, 1, random.uniform(0.75, 1.25)),), random.uniform(-1.1, 1.1)
    axis = np.cos(tilt) * np.cos(facing), np.cos(tilt) * np.sin(facing), np.sin(tilt)
    lumps = _lumps(random, 0.018)
    return Shape(bulges, (float(axis[0]), float(axis[1]), float(axis[2])), lumps)


def body_of(shape: Shape, size_px: int) -> Body:
    """Draw the shape so large that its longer side has `size_px` pixels."""
    probe = np.linspace(-1.5, 1.5, _PROBE_PX, dtype=np.float32)
    inside = _covered(shape, probe[None, :], probe[:, None])
    columns, rows = np.flatnonzero(inside.any(0)), np.flatnonzero(inside.any(1))
    step = float(probe[1] - probe[0])
    left, right = float(probe[columns[0]]) - step, float(probe[columns[-1]]) + step
    top, bottom = float(probe[rows[0]]) - step, float(probe[rows[-1]]) + step
    scale = size_px / max(right - left, bottom - top)
    width, height = max(4, round((right - left) * scale)), max(4, round((bottom - top) * scale))
    x, y = _centres(left, right, width), _centres(top, bottom, height)
    skin, normal = _hit(shape, x[None, :], y[:, None])
    fine_x, fine_y = _centres(left, right, width * _FINER), _centres(top, bottom, height * _FINER)
    cover = _covered(shape, fine_x[None, :], fine_y[:, None]).astype(np.float32)
    return Body(skin, normal, _rounded(cover, width, height), scale)


def _rounded(cover: Field, width: int, height: int) -> NDArray[np.uint8]:
    """The outline without its sharp corners, between nothing and all within about a pixel."""
    blur_px = 0.012 * max(cover.shape)
    steep = np.float32(max(1.0, 2.5 * blur_px / _FINER))
    soft = (cv2.GaussianBlur(cover, (0, 0), blur_px) - np.float32(0.5)) * steep + np.float32(0.5)
    alpha = cv2.resize(np.clip(soft, 0, 1), (width, height), interpolation=cv2.INTER_AREA)
    return np.asarray(alpha * 255, np.uint8)


def _lumps(random: np.random.Generator, spread: float) -> NDArray[np.float32]:
    """A closed outline, a little uneven."""
    angles = np.linspace(0, 2 * np.pi, 128, endpoint=False)
    waves = [random.normal(0, spread / wave) * np.cos(wave * angles + random.uniform(0, 6.3)) for wave in range(2, 7)]
    return np.asarray(np.sum(waves, axis=0), np.float32)


def _centres(first: float, last: float, count: int) -> Field:
    half = (last - first) / count / 2
    return np.linspace(first + half, last - half, count, dtype=np.float32)


def _smooth(shape: Shape, x: Field, y: Field) -> tuple[Field, Field]:
    """Where each point of the picture would be if the fruit had no lumps."""
    angle = np.arctan2(y, x) * np.float32(len(shape.lumps) / (2 * np.pi))
    out = np.float32(1) + shape.lumps[np.floor(angle).astype(np.int32) % len(shape.lumps)]
    return x / out, y / out


def _covered(shape: Shape, x: Field, y: Field) -> NDArray[np.bool_]:
    """Whether the ray through each point of the picture meets the fruit."""
    x, y = _smooth(shape, x, y)
    covered = np.zeros(x.shape, np.bool_)
    for bulge in shape.bulges:
        here = x - shape.axis[0] * bulge.middle, y - shape.axis[1] * bulge.middle
        covered |= _under_root(_form(bulge, shape), *here)[0] > 0
    return covered


def _hit(shape: Shape, x: Field, y: Field) -> tuple[Field, Field]:
    """What the ray through each point of the picture meets: the place on the unit sphere, and the outward normal."""
    x, y = _smooth(shape, x, y)
    depth = np.full(x.shape, -9, np.float32)
    normal = np.stack((x, y, np.full_like(x, 0.05)), axis=-1)
    for bulge in shape.bulges:
        there, near, towards = _ellipsoid(bulge, shape, x, y)
        front = np.clip((near - depth) / np.float32(0.3) * 0.5 + 0.5, 0, 1) * there
        normal += (towards - normal) * front[..., None]
        depth = np.where(there, np.maximum(depth, near), depth)
    normal /= np.maximum(np.linalg.norm(normal, axis=-1, keepdims=True), 1e-6)
    skin = np.stack((x, y, np.maximum(depth, -0.2)), axis=-1)
    skin /= np.maximum(np.linalg.norm(skin, axis=-1, keepdims=True), 1e-6)
    return np.asarray(skin, np.float32), np.asarray(normal, np.float32)


def _form(bulge: Bulge, shape: Shape) -> Field:
    """M of the ellipsoid p' M p = 1 about a bulge's middle: I / width^2 + (1 / length^2 - 1 / width^2) axis axis'."""
    axis = np.array(shape.axis, np.float32)
    matrix = np.eye(3, dtype=np.float32) / bulge.width**2
    return np.asarray(matrix + np.outer(axis, axis) * np.float32(1 / bulge.length**2 - 1 / bulge.width**2), np.float32)


def _under_root(matrix: Field, x: Field, y: Field) -> tuple[Field, Field]:
    """c and b of z = (-b + sqrt(c)) / M[2, 2], where the ray through (x, y) meets the ellipsoid, if c is above 0."""
    linear = matrix[0, 2] * x + matrix[1, 2] * y
    rest = matrix[0, 0] * x * x + 2 * matrix[0, 1] * x * y + matrix[1, 1] * y * y - 1
    return linear * linear - matrix[2, 2] * rest, linear


def _ellipsoid(bulge: Bulge, shape: Shape, x: Field, y: Field) -> tuple[NDArray[np.bool_], Field, Field]:
    """Nearest point of a bulge on the ray through (x, y): whether there is one, its depth, the outward normal."""
    matrix = _form(bulge, shape)
    x, y = x - shape.axis[0] * bulge.middle, y - shape.axis[1] * bulge.middle
    root, linear = _under_root(matrix, x, y)
    z = (-linear + np.sqrt(np.maximum(root, 0))) / matrix[2, 2]
    point = np.stack((x, y, z), axis=-1)
    normal = point @ matrix
    normal /= np.maximum(np.linalg.norm(normal, axis=-1, keepdims=True), 1e-6)
    return root > 0, np.asarray(z + shape.axis[2] * bulge.middle, np.float32), np.asarray(normal, np.float32)
