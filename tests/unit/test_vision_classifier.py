"""Good or defective by a view: calibrated, the same alone and among others, and never good by mistaken colours."""

import math
from pathlib import Path

import numpy as np
import pytest
from visionfruit import drawn, moving_belt, photographs
from visionmodels import CLASSIFIER, belt, lay, packages, spotted, write

from edge.vision import images
from edge.vision.models import package
from edge.vision.models.classifier import Classifier
from edge.vision.models.finder import Finder
from edge.vision.models.manifest import Backend
from edge.vision.verdict import judge
from edge.vision.views import Image, view


@pytest.fixture(scope="module")
def classifier(tmp_path_factory: pytest.TempPathFactory) -> Classifier:
    return Classifier(package.load(packages(tmp_path_factory.mktemp("models")) / "lemon" / "1"))


def seen(classifier: Classifier, spots: int, *, swapped: bool = False) -> Image:
    """A view of a fruit, with its colours as they are or in the wrong order."""
    image = belt(200, 200)
    mask = lay(image, (100, 100), (80, 60), spots=spots)
    return view(image[..., ::-1] if swapped else image, mask, classifier.cut)


def test_spots_are_defective_and_clean_fruit_is_good(classifier: Classifier) -> None:
    clean, spotted_one = classifier.scores([seen(classifier, 0), seen(classifier, 6)])
    assert clean is not None
    assert clean < classifier.thresholds.good_below
    assert spotted_one is not None
    assert spotted_one >= classifier.thresholds.defective_from


def test_no_views_have_no_scores(classifier: Classifier) -> None:
    assert classifier.scores([]) == []


def test_a_view_is_judged_the_same_alone_and_among_others(classifier: Classifier) -> None:
    views = [seen(classifier, spots) for spots in range(7)]
    together = classifier.scores(views)
    assert together == [classifier.scores([one])[0] for one in views]
    assert classifier.scores(views[::-1]) == together[::-1]


def test_the_manifests_calibration_makes_the_probability(tmp_path: Path, classifier: Classifier) -> None:
    told = CLASSIFIER.replace("slope = 1.0", "slope = 0.5").replace("intercept = 0.0", "intercept = -1.0")
    flatter = Classifier(package.load(write(tmp_path / "lemon" / "1", told, spotted())))
    for spots in (2, 3, 4):
        (before,), (after,) = (one.look([seen(classifier, spots)]) for one in (classifier, flatter))
        logit = math.log(before.score / (1 - before.score))
        assert after.score == pytest.approx(1 / (1 + math.exp(-(0.5 * logit - 1))), abs=1e-6)


def test_an_enormous_logit_is_still_a_probability(tmp_path: Path) -> None:
    told = CLASSIFIER.replace("slope = 1.0", "slope = 1e6")
    steep = Classifier(package.load(write(tmp_path / "lemon" / "1", told, spotted())))
    assert steep.scores([seen(steep, 0), seen(steep, 6)]) == [pytest.approx(0), pytest.approx(1)]


def test_colours_in_the_wrong_order_are_strange_and_no_view_of_a_good_fruit(classifier: Classifier) -> None:
    right, wrong = classifier.look([seen(classifier, 0), seen(classifier, 0, swapped=True)])
    assert not right.strange
    assert wrong.strange
    assert classifier.scores([seen(classifier, 0, swapped=True)]) == [None]
    (defective,) = classifier.scores([seen(classifier, 6, swapped=True)])
    assert defective is not None
    assert defective >= classifier.thresholds.defective_from


def test_a_grey_camera_sees_nothing_good(classifier: Classifier) -> None:
    grey = np.repeat(seen(classifier, 0).mean(axis=2, keepdims=True), 3, axis=2).astype(np.uint8)
    assert classifier.scores([grey]) == [None]


CROPS = ["lemon", "tomato"]


def shipped(name: str, backend: Backend = "int8") -> package.Package:
    return package.load(package.folder_of(package.SHIPPED, name), backend)


@pytest.fixture(scope="module", params=CROPS)
def drawn_views(request: pytest.FixtureRequest) -> tuple[str, list[Image]]:
    """A crop, and views of drawn fruit on belts, cut out by the truth; the odd ones are defective."""
    cut, views = Classifier(shipped(request.param)).cut, []
    for seed in range(40):
        image = moving_belt(seed)
        views.append(view(image, drawn(image, request.param, seed, (320, 180), 110), cut))
    return request.param, views


def test_the_shipped_models_judge_drawn_fruit(drawn_views: tuple[str, list[Image]]) -> None:
    crop, views = drawn_views
    classifier = Classifier(shipped(crop))
    found = [judge(score, 1, 1, classifier.thresholds) for score in classifier.scores(views)]
    print(f"{crop}: of {len(views)} drawn fruit unsure {found.count('unsure')}, unseen {found.count('unseen')}")
    right = sum(said == ("defective" if seed % 2 else "good") for seed, said in enumerate(found))
    assert right >= 0.9 * len(views)


def test_the_two_files_of_a_shipped_model_agree(drawn_views: tuple[str, list[Image]]) -> None:
    crop, views = drawn_views
    int8, fp32 = ([look.score for look in Classifier(shipped(crop, one)).look(views)] for one in package.BACKENDS)
    assert np.mean(np.abs(np.subtract(int8, fp32)) > 0.3) <= 0.05


@pytest.mark.parametrize("crop", CROPS)
def test_the_shipped_models_call_no_photograph_good_whose_colours_are_swapped_or_gone(crop: str) -> None:
    photos = photographs(crop)[::10]
    finder, classifier = Finder(shipped("finder")), Classifier(shipped(crop))
    verdicts = []
    for path, _ in photos:
        image = images.read(path)
        grey = np.repeat(image.mean(axis=2, keepdims=True), 3, axis=2).astype(np.uint8)
        for wrong in (np.ascontiguousarray(image[..., ::-1]), grey):
            views = [view(wrong, found.mask, classifier.cut) for found in finder.find(wrong)]
            verdicts += [judge(score, 1, 1, classifier.thresholds) for score in classifier.scores(views)]
    print(f"{len(photos)} photographs twice: { ({word: verdicts.count(word) for word in set(verdicts)}) }")
    assert "good" not in verdicts
