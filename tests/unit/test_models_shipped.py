"""The models that come with Truecount: manifests fit the files, int8 agrees with fp32, drawn fruit is judged right."""

from pathlib import Path

import numpy as np
import pytest

from edge.errors import BadModel
from edge.vision.models import manifest
from edge.vision.models.finder import Finder
from edge.vision.models.manifest import ClassifierManifest, FinderManifest
from edge.vision.models.package import SHIPPED, folder_of, load
from edge.vision.verdict import Thresholds
from edge.vision.views import Image, view
from models.produce.data import CROPS, Crop
from models.produce.errors import ModelsError
from models.produce.grounds import belt
from models.produce.judge import TRIALS, judge
from models.produce.manifest import sha256
from models.produce.sources import rendered
from models.produce.wanted import Wanted

NAMES = ("finder", *CROPS)
SEED = 2026


@pytest.fixture(scope="module", params=CROPS)
def crop(request: pytest.FixtureRequest) -> Crop:
    found: Crop = request.param
    return found


@pytest.mark.parametrize("name", NAMES)
def test_the_manifest_is_of_the_files_that_lie_beside_it(name: str) -> None:
    folder = folder_of(SHIPPED, name)
    told = manifest.read(folder / "manifest.toml")
    assert told.name == name
    assert {one.file: one.sha256 for one in told.files.values()} == {
        path.name: sha256(path) for path in folder.glob("*.onnx")
    }


@pytest.mark.parametrize("name", NAMES)
def test_both_backends_load_and_take_any_number_of_images(name: str) -> None:
    for backend in ("fp32", "int8"):
        package = load(folder_of(SHIPPED, name), backend)
        size = package.manifest.input.size
        for count in (1, 3):
            found = package.run(np.full((count, size, size, 3), 90, np.uint8))
            assert found.shape[0] == count
            if isinstance(package.manifest, FinderManifest):
                assert found.min() >= 0
                assert found.max() <= 1


def test_the_files_are_small() -> None:
    assert sum(path.stat().st_size for path in Path(SHIPPED).glob("*/*/*.onnx")) < 15e6


def test_what_the_drift_watch_compares_with_sums_to_one_and_thresholds_leave_room(crop: Crop) -> None:
    told = manifest.read(folder_of(SHIPPED, crop) / "manifest.toml")
    assert isinstance(told, ClassifierManifest)
    for one in (told.statistics.score, told.statistics.brightness, told.statistics.mask_area):
        assert sum(one.shares) == pytest.approx(1, abs=1e-3)
        assert list(one.edges) == sorted(set(one.edges))
    assert 0.2 <= told.thresholds.good_below <= 0.5 <= told.thresholds.defective_from <= 0.8


def test_int8_says_of_drawn_fruit_what_fp32_says(crop: Crop) -> None:
    print(f"seed {SEED}")
    fruit = rendered(crop, 12, SEED, views=1)
    scores = []
    for backend in ("fp32", "int8"):
        judging = judge(SHIPPED, crop, backend)
        views = [
            view(one.image, np.where(one.mask > 127, 255, 0).astype(np.uint8), judging.classifier.cut) for one in fruit
        ]
        scores.append(np.array([look.score for look in judging.classifier.look(views)]))
    assert np.mean(np.abs(scores[0] - scores[1])) < 0.03
    assert np.mean((scores[0] > 0.5) == (scores[1] > 0.5)) >= 0.95


@pytest.mark.slow
def test_drawn_fruit_on_drawn_belts_is_found_and_judged_right(crop: Crop) -> None:
    print(f"seed {SEED}")
    found = TRIALS["rendered fruit"](judge(SHIPPED, crop, "int8"), [], SEED)
    assert found.accuracy.value > 0.97
    assert found.not_found == 0


def test_an_empty_belt_is_empty_but_for_round_stains() -> None:
    """Some drawn belts have soft round stains in fruit's colours, which pass for small fruit now and then."""
    print(f"seed {SEED}")
    finder = judge(SHIPPED, "lemon", "int8").finder
    found = [finder.find(_belt(n)) for n in range(60)]
    assert sum(bool(one) for one in found) <= 5


def test_thresholds_are_read_as_shipped(crop: Crop) -> None:
    told = manifest.read(folder_of(SHIPPED, crop) / "manifest.toml")
    assert isinstance(told, ClassifierManifest)
    assert judge(SHIPPED, crop, "fp32").classifier.thresholds == Thresholds(
        told.thresholds.good_below, told.thresholds.defective_from
    )


def test_a_later_version_is_not_written_over_unless_asked_and_lines_find_their_finder(tmp_path: Path) -> None:
    (tmp_path / "lemon" / "2").mkdir(parents=True)
    second, first, third = (Wanted(["lemon"], version, tmp_path, SEED) for version in (2, 1, 3))
    with pytest.raises(ModelsError, match=r"lemon/2 is there already: take another --version, or --replace"):
        second.check(replace=False)
    second.check(replace=True)
    third.check(replace=False)
    (tmp_path / "lemon" / "1").mkdir()
    first.check(replace=False)
    shipped = Finder(load(folder_of(SHIPPED, "finder"), "fp32"))
    assert third.finder().model == shipped.model, "there is none beside these lemons"
    (tmp_path / "finder" / "4").mkdir(parents=True)
    (tmp_path / "finder" / "4" / "manifest.toml").write_text("no finder")
    with pytest.raises(BadModel, match=r"finder/4"):
        third.check(replace=False)


def _belt(seed: int) -> Image:
    return np.clip(belt(np.random.default_rng([SEED, seed]), 320), 0, 255).astype(np.uint8)
