"""The drift watch tells when the camera sees something else than the model learned from, and is quiet otherwise."""

import random

import numpy as np
import pytest
from visionfruit import drawn, moving_belt, photographs

from edge.vision import images
from edge.vision.models import package
from edge.vision.models.classifier import Classifier
from edge.vision.models.drift import FORGET_US, WINDOW, DriftWatch
from edge.vision.models.finder import Finder
from edge.vision.models.manifest import Statistic, Statistics
from edge.vision.models.statistics import measure
from edge.vision.views import Image, view

DECILES = tuple([0.1] * 10)
LEARNED = Statistics(
    score=Statistic((0.003, 0.004, 0.006, 0.009, 0.02, 0.9, 0.99, 0.995, 0.999), DECILES),
    brightness=Statistic((100, 105, 110, 115, 120, 125, 130, 135, 140), DECILES),
    mask_area=Statistic((0.72, 0.74, 0.75, 0.76, 0.77, 0.78, 0.79, 0.8, 0.82), DECILES),
    warmth=Statistic(
        (40, 60, 70, 80, 90, 100, 110, 130, 180), (0.0, 0.1, 0.125, 0.125, 0.15, 0.15, 0.125, 0.125, 0.1, 0.0)
    ),
)
USUAL = {"score": 0.005, "brightness": 120.0, "mask_area": 0.77, "warmth": 90.0, "blurred": 0.0}
SECOND_US = 1_000_000


class Line:
    """A fruit a second, told to a watch; `said` is all that it has said."""

    def __init__(self) -> None:
        self.watch = DriftWatch(LEARNED)
        self.at_us = 0
        self.said: list[str] = []

    def pass_by(self, count: int, **figures: float) -> list[str]:
        """So many fruit with these figures, usual otherwise; what was said while they passed."""
        before = len(self.said)
        for _ in range(count):
            self.at_us += SECOND_US
            fruit = USUAL | figures
            told = self.watch.add(at_us=self.at_us, **fruit)
            if told is not None:
                self.said.append(told)
        return self.said[before:]


def like_learned(statistic: Statistic, draw: random.Random) -> float:
    """A figure as it was spread in training."""
    (n,) = draw.choices(range(len(statistic.shares)), statistic.shares)
    width = statistic.edges[-1] - statistic.edges[0]
    edges = (statistic.edges[0] - width / 8, *statistic.edges, statistic.edges[-1] + width / 8)
    return draw.uniform(edges[n], edges[n + 1])


def test_fruit_like_that_of_training_is_never_told() -> None:
    print("seed", seed := random.randrange(2**32))
    draw, line = random.Random(seed), Line()
    for _ in range(8_000):
        line.pass_by(
            1,
            score=min(1.0, max(0.0, like_learned(LEARNED.score, draw))),
            brightness=like_learned(LEARNED.brightness, draw),
            mask_area=like_learned(LEARNED.mask_area, draw),
            warmth=like_learned(LEARNED.warmth or LEARNED.score, draw),
        )
    assert line.said == []


def test_steadier_light_and_better_or_worse_fruit_are_no_drift() -> None:
    line = Line()
    assert line.pass_by(500) == []
    assert line.pass_by(500, score=0.0001) == []
    assert line.pass_by(500, score=0.9999) == []
    assert line.pass_by(500, brightness=60) == []
    line = Line()
    for _ in range(100):
        assert line.pass_by(1, brightness=30, mask_area=0.6) + line.pass_by(5) == []  # a sixth is shrunken and dark


@pytest.mark.parametrize(
    ("figures", "words"),
    [
        ({"brightness": 50.0}, "darker than what the model learned: clean the lamp"),
        ({"brightness": 205.0}, "brighter than what the model learned"),
        ({"mask_area": 0.5}, "more ragged"),
        ({"mask_area": 0.97}, "squarer"),
        ({"score": 0.55}, "the model doubts far more fruit"),
        ({"warmth": -90.0}, "bluer than what the model learned: check the white balance and the order of the colours"),
        ({"warmth": 220.0}, "redder"),
    ],
)
def test_what_has_moved_is_told_once_in_words_for_staff_and_its_end_once(figures: dict[str, float], words: str) -> None:
    line = Line()
    assert line.pass_by(WINDOW) == []
    (begun,) = line.pass_by(3 * WINDOW, **figures)
    assert words in begun
    assert line.pass_by(3 * WINDOW) == [""]


def test_a_lamp_that_fails_slowly_is_told_before_all_is_dark() -> None:
    line = Line()
    line.pass_by(WINDOW)
    for n in range(1000):
        if line.pass_by(1, brightness=120 - n / 10):
            break
    assert 50 < 120 - n / 10 < 55


def test_between_begin_and_end_nothing_is_told() -> None:
    line = Line()
    line.pass_by(WINDOW)
    assert len(line.pass_by(WINDOW, brightness=50)) == 1
    for _ in range(WINDOW):  # a quarter is dark: too many for an end, too few for a begin
        assert line.pass_by(1, brightness=50) + line.pass_by(3) == []
    assert line.pass_by(WINDOW) == [""]
    for _ in range(WINDOW):
        assert line.pass_by(1, brightness=50) + line.pass_by(3) == []


def test_two_that_move_are_told_together_and_end_one_by_one() -> None:
    line = Line()
    line.pass_by(WINDOW)
    said = line.pass_by(2 * WINDOW, brightness=50, score=0.5)
    assert "darker" in said[-1]
    assert "doubts" in said[-1]
    (left, end) = [*line.pass_by(2 * WINDOW, score=0.5), *line.pass_by(2 * WINDOW)]
    assert "darker" not in left
    assert "doubts" in left
    assert end == ""


def test_a_few_fruit_tell_nothing() -> None:
    assert Line().pass_by(WINDOW - 1, brightness=10, score=0.5, warmth=-100) == []


def test_yesterdays_light_is_forgotten() -> None:
    line = Line()
    line.pass_by(WINDOW - 1, brightness=50)
    line.at_us += 2 * FORGET_US
    assert line.pass_by(WINDOW) == []


def test_a_clock_that_steps_back_and_figures_that_are_none_do_no_harm() -> None:
    line = Line()
    line.pass_by(WINDOW)
    line.at_us -= 5 * FORGET_US
    assert line.pass_by(WINDOW, brightness=float("nan"), score=float("nan")) == []
    assert len(line.pass_by(WINDOW, brightness=50)) == 1


def test_a_model_that_knows_nothing_of_warmth_is_not_asked() -> None:
    watch = DriftWatch(Statistics(LEARNED.score, LEARNED.brightness, LEARNED.mask_area))
    assert [watch.add(0.01, 120, 0.77, n, warmth=-100) for n in range(2 * WINDOW)] == [None] * 2 * WINDOW
    watch = DriftWatch(LEARNED)
    assert [watch.add(0.01, 120, 0.77, n) for n in range(2 * WINDOW)] == [None] * 2 * WINDOW


CROPS = ["lemon", "tomato"]
FEW = 60


def said_of(crop: str, pictures: list[Image]) -> str:
    """The last that a watch says of the fruit in these pictures, with the shipped models; "" for nothing."""
    finder = Finder(package.load(package.folder_of(package.SHIPPED, "finder")))
    classifier = Classifier(package.load(package.folder_of(package.SHIPPED, crop)))
    watch, said = DriftWatch(classifier.manifest.statistics, window=FEW), ""
    for n, image in enumerate(pictures):
        for found in finder.find(image):
            seen = measure(image, found.mask)
            (look,) = classifier.look([view(image, found.mask, classifier.cut)])
            told = watch.add(look.score, seen.brightness, seen.mask_area, n, seen.warmth)
            said = said if told is None else told
    return said


@pytest.mark.parametrize("crop", CROPS)
def test_drawn_fruit_is_as_the_shipped_models_know_it(crop: str) -> None:
    belts = []
    for seed in range(FEW // 3 + 2):
        belts.append(moving_belt(seed))
        for n in range(3):
            drawn(belts[-1], crop, 30 * seed + 10 * n, (120 + 200 * n, 180))
    assert said_of(crop, belts) == ""
    assert "darker" in said_of(crop, [(image * 0.3).astype(np.uint8) for image in belts])


@pytest.mark.parametrize("crop", CROPS)
def test_photographs_are_as_the_shipped_models_know_them(crop: str) -> None:
    fruit = [images.read(path) for path, label in photographs(crop) if label != "empty"][::2]
    assert said_of(crop, fruit) == ""
    assert said_of(crop, [(image * 0.25).astype(np.uint8) for image in fruit]) != ""


def test_a_camera_that_goes_out_of_focus_is_told_and_so_is_its_end() -> None:
    line = Line()
    assert line.pass_by(WINDOW, blurred=0.4) == [], "of most views there is no doubt"
    (began,) = line.pass_by(WINDOW // 4, blurred=1.0)
    assert "too blurred to be called good" in began
    assert line.pass_by(WINDOW) == [""]
