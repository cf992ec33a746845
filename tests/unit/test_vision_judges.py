"""Who judges fruit: tried, switched to, gone back from while the line runs, whatever the packages are like."""

import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from visionmodels import belt, edit, lay, move, packages

from edge.vision.messages import UseModels
from edge.vision.models import judges
from edge.vision.models.classifier import Classifier
from edge.vision.models.judges import RIPE_US, SELDOM_S, Judges, Loaders
from edge.vision.views import Image, Mask

NOW_US = 1_000_000
LONG_US = round(SELDOM_S * 1e6)
PATIENCE_S = 60.0


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Version 2 calls every fruit defective, version 3 calls none so."""
    packages(tmp_path, versions=(1, 2, 3))
    move(tmp_path / "lemon" / "2", 50)
    move(tmp_path / "lemon" / "3", -50)
    return tmp_path


def begun(root: Path, active: int | None, shadow: int | None = None) -> Judges:
    found = Judges(judges.loaders(root, "lemon", "int8"))
    found.begin(active, shadow, NOW_US)
    return found


def fruit(spots: int = 0) -> tuple[Image, Mask]:
    image = belt()
    return image, lay(image, (300, 180), (80, 60), spots=spots)


def scores(judging: Judges, spots: int = 0) -> dict[int, float]:
    """What each version that looks says of a fruit."""
    told = judging.scores([fruit(spots)])
    return {int(model.split("-")[1]): said for model, (said,) in told.items() if said is not None}


def versions(judging: Judges) -> tuple[int | None, int | None]:
    """Of who decides and who is tried."""
    active, shadow = (one.manifest.version if one else None for one in (judging.bench.active, judging.bench.shadow))
    return active, shadow


def settled(judging: Judges, at_us: int = NOW_US, *, ripe: bool = True) -> None:
    """Frame after frame at that time, until something has changed or was refused."""
    until(lambda: judging.settle(at_us, lambda _: ripe))


def until(reached: Callable[[], object]) -> None:
    ends_s = time.monotonic() + PATIENCE_S
    while not reached():
        assert time.monotonic() < ends_s
        time.sleep(0.002)


def cut(file: Path) -> bytes:
    """Cuts a file off; what it was."""
    whole = file.read_bytes()
    file.write_bytes(whole[:-100])
    return whole


def test_the_newest_decides_unless_another_is_wanted_and_each_says_its_own(root: Path) -> None:
    assert versions(begun(root, None)) == (3, None)
    tried = begun(root, 1, 2)
    assert versions(tried) == (1, 2)
    good, spotted = scores(tried), scores(tried, spots=6)
    assert good[1] < 0.3 < 0.7 < spotted[1]
    assert min(good[2], spotted[2]) > 0.99
    assert tried.scores([]) == {model: [] for model in tried.scores([fruit()])}
    assert versions(begun(root, 1, 1)) == (1, None), "none is tried beside itself"


def test_a_model_judges_beside_until_it_knows_every_fruit_and_then_decides_and_so_back(root: Path) -> None:
    judging = begun(root, 1)
    first = judging.bench.active
    judging.use(UseModels(2, None), NOW_US)
    until(lambda: judging.settle(NOW_US, lambda _: False) or len(scores(judging)) == 2)
    assert versions(judging) == (1, None)
    settled(judging)
    assert versions(judging) == (2, None)
    assert scores(judging).keys() == {2}
    judging.use(UseModels(1, 2), NOW_US)
    settled(judging)
    assert versions(judging) == (1, 2)
    assert scores(judging)[1] == begun(root, 1).scores([fruit()])[first.model if first else ""][0]


def test_fruit_that_stands_still_holds_a_model_up_for_some_seconds_only(root: Path) -> None:
    judging = begun(root, 1)
    judging.use(UseModels(2, None), NOW_US)
    until(lambda: judging.settle(NOW_US, lambda _: False) or len(scores(judging)) == 2)
    assert not judging.settle(NOW_US + RIPE_US - 1, lambda _: False)
    assert judging.settle(NOW_US + RIPE_US, lambda _: False)
    assert versions(judging) == (2, None)


def test_of_orders_that_come_fast_the_last_one_counts(root: Path) -> None:
    judging = begun(root, 1)
    for version in (2, 3, 2, 3):
        judging.use(UseModels(version, 1), NOW_US)
        judging.settle(NOW_US, lambda _: False)
    until(lambda: judging.settle(NOW_US, lambda _: True) and versions(judging) == (3, 1))


def test_one_that_cannot_be_loaded_is_refused_once_and_taken_when_it_is_put_right(root: Path) -> None:
    finder, classifier = judges.loaders(root, "lemon", "int8")
    tries: list[int | None] = []
    judging = Judges(Loaders(finder, lambda version: tries.append(version) or classifier(version)))
    judging.begin(1, None, NOW_US)
    file = root / "lemon" / "2" / "int8.onnx"
    whole = cut(file)
    judging.use(UseModels(2, 3), NOW_US)
    settled(judging)
    assert versions(judging) == (1, None)
    assert "lemon/2/int8.onnx" in judging.refused
    assert judging.helpless == "", "the one before goes on"
    tries.clear()
    for at_us in range(NOW_US, NOW_US + LONG_US, 200_000):
        assert not judging.settle(at_us, lambda _: True), "nobody is told of it again"
        until(lambda: "models" not in [thread.name for thread in threading.enumerate()])
    assert 3 <= tries.count(2) <= 8, "less and less often"
    file.write_bytes(whole)
    settled(judging, NOW_US + 3 * LONG_US)
    assert versions(judging) == (2, 3)
    assert judging.refused == ""


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_an_error_that_nobody_expected_refuses_what_was_chosen_and_it_is_tried_again(root: Path) -> None:
    finder, classifier = judges.loaders(root, "lemon", "int8")
    errors = [MemoryError("no room for version 2")]

    def load(version: int | None) -> Classifier:
        if version == 2 and errors:
            raise errors.pop()
        return classifier(version)

    judging = Judges(Loaders(finder, load))
    judging.begin(1, None, NOW_US)
    judging.use(UseModels(2, None), NOW_US)
    settled(judging)
    assert versions(judging) == (1, None)
    assert "no room for version 2" in judging.refused
    assert judging.helpless == "", "the one before goes on"
    settled(judging, NOW_US + LONG_US)
    assert versions(judging) == (2, None)
    assert judging.refused == ""


def test_who_judges_still_is_gone_back_to_though_its_package_is_broken_by_now(root: Path) -> None:
    judging = begun(root, 1, 2)
    before = judging.bench.active
    judging.use(UseModels(3, None), NOW_US)
    until(lambda: judging.settle(NOW_US, lambda _: False) or judging.coming)
    cut(root / "lemon" / "1" / "int8.onnx")
    cut(root / "lemon" / "2" / "int8.onnx")
    judging.use(UseModels(1, 2), NOW_US)
    until(lambda: judging.settle(NOW_US, lambda _: False) or not judging.coming)
    assert versions(judging) == (1, 2)
    assert judging.bench.active is before
    assert judging.refused == ""


def test_what_cannot_be_tried_holds_up_neither_a_switch_nor_a_rollback(root: Path) -> None:
    judging = begun(root, 2, 3)
    file = root / "lemon" / "1" / "int8.onnx"
    whole = cut(file)
    judging.use(UseModels(2, 1), NOW_US)
    settled(judging)
    assert versions(judging) == (2, None)
    judging.use(UseModels(3, 1), NOW_US)
    settled(judging)
    assert versions(judging) == (3, None)
    assert "lemon/1/int8.onnx" in judging.refused
    assert scores(judging).keys() == {3}
    file.write_bytes(whole)
    settled(judging, NOW_US + 2 * LONG_US)
    assert versions(judging) == (3, 1)
    assert judging.refused == ""


def test_a_first_model_does_without_the_one_that_cannot_be_tried(root: Path) -> None:
    cut(root / "lemon" / "2" / "int8.onnx")
    judging = begun(root, 1, 2)
    assert versions(judging) == (1, None)
    assert "lemon/2/int8.onnx" in judging.refused
    assert judging.helpless == ""


@pytest.mark.parametrize("broken", ["finder/1", "lemon/3"])
def test_without_a_finder_or_a_model_it_is_helpless_until_the_package_is_put_right(root: Path, broken: str) -> None:
    file = root / broken / "int8.onnx"
    whole = cut(file)
    judging = begun(root, None)
    assert f"{broken}/int8.onnx" in judging.helpless
    file.write_bytes(whole)
    settled(judging, NOW_US + LONG_US)
    assert judging.helpless == ""
    assert versions(judging) == (3, None)
    assert judging.bench.finder is not None


def test_a_newer_version_that_comes_meanwhile_does_not_take_over_by_itself(root: Path) -> None:
    file = root / "finder" / "1" / "int8.onnx"
    whole = cut(file)
    judging = begun(root, None)
    (root / "lemon" / "3").rename(root / "lemon" / "4")
    edit(root / "lemon" / "4", "^version = 3$", "version = 4")
    file.write_bytes(whole)
    settled(judging, NOW_US + LONG_US)
    assert versions(judging) == (3, None)
