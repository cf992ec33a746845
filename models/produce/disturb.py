"""What cameras and lamps do to a picture: used to train against, and to judge under.

All take and give RGB uint8, shape (height, width, 3); the random ones are told their generator.
"""

import cv2
import numpy as np
from numpy.random import Generator

from edge.vision.views import Image


def exposed(image: Image, stops: float) -> Image:
    """Brighter by `stops` (each doubles the light), clipped as a sensor clips."""
    return np.asarray(np.clip(image * np.float32(2.0**stops), 0, 255), np.uint8)


def toned(image: Image, gains: tuple[float, float, float]) -> Image:
    """Red, green and blue multiplied: another lamp, or another white balance."""
    return np.asarray(np.clip(image * np.array(gains, np.float32), 0, 255), np.uint8)


def curved(image: Image, gamma: float) -> Image:
    """Mid tones darker (gamma above 1) or brighter; black and white stay."""
    table = np.clip((np.arange(256) / 255.0) ** gamma * 255 + 0.5, 0, 255).astype(np.uint8)
    return np.asarray(cv2.LUT(image, table), np.uint8)


def faded(image: Image, colour: float) -> Image:
    """Colour saturation multiplied by `colour`."""
    grey = image.astype(np.float32).mean(axis=2, keepdims=True)
    return np.asarray(np.clip(grey + (image - grey) * np.float32(colour), 0, 255), np.uint8)


def blurred(image: Image, sigma_px: float) -> Image:
    """Out of focus."""
    return np.asarray(cv2.GaussianBlur(image, (0, 0), sigma_px), np.uint8) if sigma_px > 0.2 else image


def moved(image: Image, length_px: int, angle_deg: float) -> Image:
    """Smeared along a line: a belt that moved while the shutter was open."""
    if length_px < 2:
        return image
    kernel = np.zeros((length_px, length_px), np.float32)
    kernel[length_px // 2] = 1
    turn = cv2.getRotationMatrix2D(((length_px - 1) / 2, (length_px - 1) / 2), angle_deg, 1)
    kernel = np.asarray(cv2.warpAffine(kernel, turn, (length_px, length_px)), np.float32)
    return np.asarray(cv2.filter2D(image, -1, kernel / kernel.sum()), np.uint8)


def noisy(image: Image, sigma: float, rng: Generator) -> Image:
    """Sensor noise of `sigma` grey levels."""
    noise = rng.standard_normal(image.shape, dtype=np.float32) * np.float32(sigma)
    return np.asarray(np.clip(image + noise, 0, 255), np.uint8)


def jpeg(image: Image, quality: int) -> Image:
    """Through JPEG at `quality` (1..100) and back."""
    coded = cv2.imencode(".jpg", image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    return np.asarray(cv2.imdecode(coded, cv2.IMREAD_COLOR_RGB), np.uint8)


def coarser(image: Image, factor: float) -> Image:
    """Made `factor` times smaller and as large as before again: a camera with fewer pixels."""
    height, width = image.shape[:2]
    small = max(4, round(width / factor)), max(4, round(height / factor))
    return np.asarray(cv2.resize(cv2.resize(image, small, interpolation=cv2.INTER_AREA), (width, height)), np.uint8)


def lit(image: Image, rng: Generator, strength: float = 0.35) -> Image:
    """Light that falls off over the picture."""
    height, width = image.shape[:2]
    corners = (1 + strength * rng.uniform(-1, 1, (2, 2))).astype(np.float32)
    light = cv2.resize(corners, (width, height), interpolation=cv2.INTER_LINEAR)
    return np.asarray(np.clip(image * light[..., None], 0, 255), np.uint8)


def anyhow(image: Image, rng: Generator) -> Image:
    """One random camera under one random lamp: what training shows."""
    if rng.random() < 0.5:
        image = lit(image, rng)
    stops, warmth, tint = rng.uniform(-0.9, 0.7), rng.normal(0, 0.09), rng.normal(0, 0.04)
    image = toned(exposed(image, stops), (float(np.exp(warmth)), float(np.exp(tint)), float(np.exp(-warmth))))
    if rng.random() < 0.5:
        image = faded(curved(image, float(np.exp(rng.normal(0, 0.22)))), float(rng.uniform(0.7, 1.3)))
    chance = rng.random()
    if chance < 0.25:
        image = blurred(image, float(rng.uniform(0.3, 2.2)))
    elif chance < 0.4:
        image = moved(image, int(rng.integers(2, 10)), float(rng.uniform(0, 180)))
    elif chance < 0.6:
        image = coarser(image, float(rng.uniform(1.2, 2.6)))
    if rng.random() < 0.4:
        image = noisy(image, float(rng.uniform(1, 11)), rng)
    if rng.random() < 0.4:
        image = jpeg(image, int(rng.integers(28, 95)))
    return image
