"""One line's belt from picture to what is told of it: small real models, drawn fruit, no process and no clock."""

import gc
import time
import tracemalloc
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import cv2
import pytest
from visionmodels import belt, lay, move, packages
from watchedline import line

from edge.vision.inspector.crops import KEPT_US
from edge.vision.inspector.scene import Scene
from edge.vision.messages import FrameSeen, TrackSeen, UseModels
from edge.vision.models import judges
from edge.vision.models.judges import RIPE_US, Judges
from edge.vision.verdict import Thresholds, judge
from edge.vision.views import Image

FPS = 10
STEP_PX = 40
APART_PX = 200
PATIENCE_S = 60.0
THRESHOLDS = Thresholds(0.3, 0.7)


class Watched:
    """A scene, and the frames that it was given."""

    def __init__(self, root: Path, active: int | None = 1, shadow: int | None = None) -> None:
        self.judges = Judges(judges.loaders(root, "lemon", "int8"))
        self.judges.begin(active, shadow, 0)
        self.scene = Scene(line(root, FPS), self.judges)
        self.at_us = 0

    def show(self, image: Image) -> FrameSeen:
        self.at_us += round(1e6 / FPS)
        told = self.scene.frame(self.at_us, image)
        assert list(self.scene.gone(self.at_us)) == []
        return told

    def use(self, active: int, shadow: int | None) -> None:
        """Have these loaded; they take over when the scene thinks fit."""
        self.judges.use(UseModels(active, shadow), self.at_us)
        ends_s = time.monotonic() + PATIENCE_S
        while not self.scene.settle(self.at_us)[0] and not self.judges.coming:
            assert time.monotonic() < ends_s
            time.sleep(0.002)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Version 2 calls every fruit defective."""
    packages(tmp_path, versions=(1, 2))
    move(tmp_path / "lemon" / "2", 50)
    return tmp_path


def passing(spots: list[int], until_px: int | None = None) -> Iterator[Image]:
    """Fruit with so many spots each goes by, the first one first."""
    last_px = 640 + 320 + APART_PX * (len(spots) - 1) if until_px is None else until_px
    for way_px in range(0, last_px, STEP_PX):
        image = belt()
        for n, count in enumerate(spots):
            lay(image, (way_px - 80 - APART_PX * n, 180), (70, 50), spots=count)
        yield image


def standing(frame: FrameSeen) -> dict[int, TrackSeen]:
    return {one.track: one for one in frame.tracks}


def test_each_fruit_is_followed_looked_at_some_times_and_scored_by_what_it_is(root: Path) -> None:
    watched = Watched(root)
    frames = [watched.show(image) for image in passing([0, 6, 0])]
    last = {track: seen for frame in frames for track, seen in standing(frame).items()}
    scores = [last[track].score for track in (1, 2, 3)]
    assert [score is not None and score > 0.7 for score in scores] == [False, True, False]
    assert [score is not None and score < 0.3 for score in scores] == [True, False, True]
    assert all(3 <= seen.views <= 5 and seen.shadow is None for seen in last.values())
    assert {frame.model.rpartition("-")[0] for frame in frames} == {"lemon-1-int8"}
    assert frames[-1].tracks == ()
    assert frames[-1].speed == pytest.approx(STEP_PX * FPS / 640, rel=0.05)
    counts = watched.scene.counts()
    assert (counts["fruit"], counts["worked"]) == (3, len(frames))
    assert counts["views"] == sum(seen.views for seen in last.values())


def test_a_switch_changes_every_score_from_one_frame_to_the_next_and_a_rollback_changes_them_back(root: Path) -> None:
    watched = Watched(root)
    by_version: dict[int, list[dict[int, TrackSeen]]] = {1: [], 2: []}
    orders = {10: (2, None), 36: (1, None)}
    for number, image in enumerate(passing([0] * 12)):
        if number in orders:
            watched.use(*orders[number])
        watched.scene.settle(watched.at_us)
        frame = watched.show(image)
        by_version[int(frame.model.split("-")[1])].append(standing(frame))
    judged = {
        version: [one.score for frame in frames for one in frame.values() if one.score is not None]
        for version, frames in by_version.items()
    }
    assert max(judged[1]) < 0.3 < 0.9 < min(judged[2])
    assert len(judged[1]) > len(judged[2]) > 10


def test_a_model_that_was_not_tried_takes_over_only_when_it_has_seen_each_fruit_as_often(root: Path) -> None:
    watched = Watched(root)
    frames = []
    for number, image in enumerate(passing([0] * 6)):
        if number == 14:
            watched.use(2, 1)
            assert watched.judges.coming, "fruit in the picture that it has not seen yet"
        watched.scene.settle(watched.at_us)
        frames.append(watched.show(image))
    switches = [(one, two) for one, two in pairwise(frames) if one.model != two.model]
    assert len(switches) == 1
    before, after = map(standing, switches[0])
    assert before.keys() & after.keys()
    assert all(after[track].views >= before[track].views for track in before.keys() & after.keys())
    assert all(one.score is None or one.score > 0.9 for one in after.values())
    assert all(one.shadow is None or one.shadow < 0.3 for frame in frames for one in frame.tracks)


def test_a_shadow_says_its_own_of_the_same_views(root: Path) -> None:
    watched = Watched(root, 1, 2)
    seen = [one for image in passing([0, 0]) for one in watched.show(image).tracks if one.views]
    assert len(seen) > 20
    assert all(one.score is not None and one.score < 0.3 for one in seen)
    assert all(one.shadow is not None and one.shadow > 0.9 for one in seen)


@pytest.mark.parametrize("broken", ["lemon", "finder"])
def test_without_a_model_frames_are_told_and_nothing_is_judged_until_it_is_put_right(root: Path, broken: str) -> None:
    file = root / broken / "1" / "int8.onnx"
    whole = file.read_bytes()
    file.write_bytes(whole[:-9])
    watched = Watched(root)
    frames = [watched.show(image) for image in passing([0, 0], until_px=400)]
    tracks = [one for frame in frames for one in frame.tracks]
    assert bool(tracks) == (broken == "lemon")
    assert all(one.score is None and one.views == 0 for one in tracks)
    file.write_bytes(whole)
    watched.use(1, None)
    assert [one for image in passing([0, 0]) for one in watched.show(image).tracks if one.score is not None]


@pytest.mark.parametrize(("version", "verdict"), [(1, "unsure"), (2, "defective")])
def test_of_fruit_that_is_not_seen_sharply_none_is_good_and_what_looks_defective_is(
    root: Path, version: int, verdict: str
) -> None:
    watched = Watched(root, version)
    frames = [watched.show(cv2.GaussianBlur(image, (0, 0), 8)) for image in passing([0, 0])]  # type: ignore[arg-type]
    for one in {track: seen for frame in frames for track, seen in standing(frame).items()}.values():
        assert one.views == one.unclear >= 3
        assert judge(one.score, one.views, 3, THRESHOLDS, one.unclear) == verdict
    assert watched.scene.counts()["unclear"] == watched.scene.counts()["views"]


def test_two_blurred_views_of_five_do_not_outvote_the_others(root: Path) -> None:
    watched = Watched(root)
    last = TrackSeen(0, 0.0, 0.0, 0, None, None)
    for image in passing([0]):
        frame = cv2.GaussianBlur(image, (0, 0), 10) if last.views in (1, 3) else image
        last = next(iter(watched.show(frame).tracks), last)  # type: ignore[arg-type]
    assert (last.views, last.unclear) == (5, 2)
    assert judge(last.score, 5, 3, THRESHOLDS, 2) == "good"


def test_the_belts_picture_is_given_once_for_each_frame(root: Path) -> None:
    watched = Watched(root)
    assert watched.scene.belt(THRESHOLDS) is None
    watched.show(belt())
    first = watched.scene.belt(THRESHOLDS)
    assert first is not None
    assert first.at_us == watched.at_us
    assert watched.scene.belt(THRESHOLDS) is None, "the camera has shown nothing since"
    watched.show(belt())
    second = watched.scene.belt(THRESHOLDS)
    assert second is not None
    assert second.at_us == watched.at_us


def test_what_has_left_is_forgotten_and_a_day_takes_no_more_memory_than_an_hour(root: Path) -> None:
    watched = Watched(root)

    def memory_after(fruit: int) -> int:
        """When the last of so many fruit is long gone, in octets."""
        for image in passing([0] * fruit):
            watched.show(image)
        assert watched.scene.crop(watched.scene.counts()["fruit"]) is not None
        watched.at_us += KEPT_US
        watched.show(belt())
        gc.collect()
        return tracemalloc.get_traced_memory()[0]

    tracemalloc.start()
    early = memory_after(10)
    late = memory_after(40)
    tracemalloc.stop()
    assert watched.scene.counts()["fruit"] == 50
    assert all(watched.scene.crop(track) is None for track in range(1, 51))
    assert late - early < 40 * 2_000, "the drift watch's window fills; a crop or a mask of each would be 30 times that"


def test_fruit_that_stands_under_the_camera_lets_a_model_take_over_in_the_end(root: Path) -> None:
    watched = Watched(root)
    pictures = list(passing([0], until_px=400))
    for image in pictures:
        watched.show(image)
    watched.use(2, None)
    versions = []
    for _ in range(RIPE_US * FPS // 1_000_000 + 5):
        watched.scene.settle(watched.at_us)
        versions.append(watched.show(pictures[-1]).model[:8])
    assert versions == ["lemon-1-"] * (RIPE_US * FPS // 1_000_000) + ["lemon-2-"] * 5
