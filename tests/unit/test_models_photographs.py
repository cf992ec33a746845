"""The shipped models on photographs of the validation split, where the data is; a sample, so that it takes seconds."""

import os
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge.vision.models.package import SHIPPED
from models.produce.data import CROPS, Crop, held_out, of, photos, read
from models.produce.figures import Figures
from models.produce.judge import TRIALS, judge
from models.produce.sources import Shot, shots

DATA = Path(os.environ.get("TRUECOUNT_DATA", Path(__file__).resolve().parents[3] / "shared" / "data"))
SEED = 5

pytestmark = pytest.mark.skipif(
    not (DATA / "produce" / "lemon" / "manifest.csv").exists(), reason=f"no photographs in {DATA}: set TRUECOUNT_DATA"
)


@pytest.fixture(scope="module", params=CROPS)
def seen(request: pytest.FixtureRequest) -> Sequence[Shot]:
    """Every second photograph of the validation split."""
    return shots(of(photos(DATA, request.param), "val", "good", "defective")[::2])


def figures(seen: Sequence[Shot], condition: str, backend: str = "int8") -> Figures:
    return TRIALS[condition](judge(SHIPPED, seen[0].photo.crop, backend), seen, SEED)  # type: ignore[arg-type]


def test_no_fruit_is_in_training_and_in_validation() -> None:
    for crop in CROPS:
        groups = [{photo.group for photo in photos(DATA, crop) if photo.split == split} for split in ("train", "val")]
        assert groups[0].isdisjoint(groups[1])


@pytest.mark.parametrize("crop", CROPS)
def test_fruit_held_out_for_calibration_is_whole_and_of_both_labels(crop: Crop) -> None:
    training = [photo for photo in photos(DATA, crop) if photo.split == "train"]
    aside = held_out(training, 0.15, SEED)
    held = [photo for photo in training if photo.group in aside]
    assert {"good", "defective"} <= {photo.label for photo in held}
    assert 0.08 < len(held) / len(training) < 0.25
    assert aside == held_out(reversed(training), 0.15, SEED)


def test_photographs_as_they_are(seen: Sequence[Shot]) -> None:
    found = figures(seen, "as photographed")
    assert found.auroc.value >= 0.99
    assert found.accuracy.value >= 0.96
    assert found.not_found == 0


def test_int8_is_as_good_as_fp32(seen: Sequence[Shot]) -> None:
    whole, small = (figures(seen, "as photographed", backend) for backend in ("fp32", "int8"))
    assert abs(whole.accuracy.value - small.accuracy.value) <= 0.015
    assert abs(whole.auroc.value - small.auroc.value) <= 0.005


def test_another_ground_changes_little(seen: Sequence[Shot]) -> None:
    assert figures(seen, "other ground").accuracy.value >= figures(seen, "as photographed").accuracy.value - 0.04


def test_the_ground_alone_tells_nothing_of_lemons() -> None:
    """Background pixels alone separate lemons with AUROC 0.93; what the classifier sees of them must not."""
    lemons = shots(of(photos(DATA, "lemon"), "val", "good", "defective"))
    assert 0.35 < figures(lemons, "fruit painted over").auroc.value < 0.65


def test_empty_photographs_are_empty() -> None:
    finder = judge(SHIPPED, "lemon", "int8").finder
    empty = of(photos(DATA, "lemon"), "val", "empty")
    assert not any(finder.find(read(photo)) for photo in empty)


def test_a_photograph_mirrored_or_turned_is_judged_alike(seen: Sequence[Shot]) -> None:
    judging = judge(SHIPPED, seen[0].photo.crop, "int8")
    differs = []
    for shot in seen[::4]:
        ways = (shot.image, cv2.flip(shot.image, 1), cv2.rotate(shot.image, cv2.ROTATE_180))
        scores = [look.score for way in ways if (look := judging.look(np.asarray(way, np.uint8)))]
        differs.append(max(scores) - min(scores) > 0.5)
    assert np.mean(differs) <= 0.05
