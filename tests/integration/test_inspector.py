"""The inspector process on pictures of a belt: every fruit judged, models changed while it runs, and a clean end."""

import os
import shutil
import signal
import subprocess
import sys
from itertools import groupby
from pathlib import Path

import cv2
import numpy as np
import psutil
import pytest
import watchedline
from visionmodels import edit, shipped
from watchedline import Watched, film, line, watched

from edge.vision import choice
from edge.vision.choice import Running
from edge.vision.messages import (
    BeltPicture,
    CameraTold,
    Crop,
    Figures,
    FrameSeen,
    UseModels,
    UseThresholds,
    Using,
    WantCrop,
)
from edge.vision.verdict import Thresholds, judge
from firmware_sim.belt import Piece

FPS = 8
SEED = 11
ENDS_S = 10.0
STRICT = 30.0
"""Logits moved by so much make every fruit defective."""


@pytest.fixture(scope="module")
def belt(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Piece]]:
    """Pictures of ten fruit, and which of them are defective."""
    folder = tmp_path_factory.mktemp("belt") / "pictures"
    return folder, film(folder, fruit=10, fps=FPS, seed=SEED)


@pytest.fixture
def models(tmp_path: Path) -> Path:
    """Version 1 of the lemons' model as it comes, version 2, which calls every fruit defective, and the finder."""
    return shipped(tmp_path / "models", {1: 0, 2: STRICT})


@pytest.mark.slow
def test_each_fruit_is_told_with_its_views_and_judged_as_it_is(belt: tuple[Path, list[Piece]], tmp_path: Path) -> None:
    folder, pieces = belt
    with watched(line(folder, FPS), tmp_path) as crew:
        using = crew.until(Using)
        crew.until_gone(len(pieces))
    fruit = crew.last_of_each()
    assert len(fruit) == len(pieces), f"seed {SEED}"
    thresholds = Thresholds(using.good_below, using.defective_from)
    verdicts = [judge(fruit[track].score, fruit[track].views, 3, thresholds) for track in sorted(fruit)]
    truth = ["defective" if piece.defective else "good" for piece in pieces]
    agreed = sum(one == other for one, other in zip(verdicts, truth, strict=True))
    assert agreed >= len(pieces) - 1, f"seed {SEED}: {verdicts} and not {truth}"
    assert {frame.model for frame in crew.frames()} == {using.model}
    assert crew.frames()[-1].speed == pytest.approx(0.35, rel=0.2)
    for frame, later in zip(crew.frames(), crew.frames()[1:], strict=False):
        views = {one.track: one.views for one in frame.tracks}
        assert all(views.get(one.track, 0) <= one.views <= 5 for one in later.tracks)
    assert next(told.state for told in crew.told if isinstance(told, CameraTold)) == "connected"


def test_crop_and_belt_are_pictures_with_the_fruit_in_them(belt: tuple[Path, list[Piece]], tmp_path: Path) -> None:
    folder, _ = belt
    with watched(line(folder, FPS, repeat=True), tmp_path) as crew:
        crew.want(UseThresholds(0.5, 0.5))
        track = seen_well(crew)
        crew.want(WantCrop(999_999))
        crew.want(WantCrop(track))
        crop = crew.until(Crop)
        shown = crew.until(BeltPicture)
        figures = crew.until(Figures)
    assert crop.track == track
    assert len(crop.picture) <= 100_000
    picture = cv2.imdecode(np.frombuffer(crop.picture, np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None
    assert 60 < max(picture.shape[:2]) <= 480
    assert 8 <= len(crop.outline) <= 64
    assert all(0 <= x <= 1 and 0 <= y <= 1 for x, y in crop.outline)
    height, width = picture.shape[:2]
    corners = np.array([(x * width, y * height) for x, y in crop.outline], np.float32)
    assert 0.3 < cv2.contourArea(corners) / (width * height) < 0.8
    assert len(shown.picture) <= 100_000
    belt_picture = cv2.imdecode(np.frombuffer(shown.picture, np.uint8), cv2.IMREAD_COLOR)
    assert belt_picture is not None
    assert belt_picture.shape == (360, 640, 3)
    for name in ("frames", "dropped", "torn", "worked", "fruit", "views", "us_find", "us_follow", "us_judge"):
        assert figures.counts[name] >= 0
    assert figures.counts["views"] >= 1
    assert not [told for told in crew.told if isinstance(told, Crop) and told.track != track]


@pytest.mark.slow
def test_a_model_is_tried_switched_to_and_gone_back_from_while_the_belt_runs_and_no_frame_is_dropped(
    belt: tuple[Path, list[Piece]], models: Path, tmp_path: Path
) -> None:
    folder, _ = belt
    with watched(line(folder, FPS, repeat=True, models=models), tmp_path, active=1) as crew:
        first = crew.until(Using)
        good_fruit(crew)
        before = crew.until(Figures)
        crew.want(UseModels(1, 2))
        tried = crew.until(Using)
        good_fruit(crew, shadow_says_so=False)
        crew.want(UseModels(2, None))
        switched = crew.until(Using)
        seen_well(crew)
        crew.want(UseModels(1, None))
        back = crew.until(Using)
        good_fruit(crew)
        after = crew.until(Figures)
    assert [(one.model, one.shadow) for one in (tried, switched, back)] == [
        (first.model, switched.model),
        (switched.model, None),
        (first.model, None),
    ]
    assert [name for name, _ in groupby(frame.model for frame in crew.frames())] == [
        first.model,
        switched.model,
        first.model,
    ]
    strict = [one for frame in crew.frames() if frame.model == switched.model for one in frame.tracks]
    assert all(one.score > 0.9 for one in strict if one.score is not None)
    assert any(one.views >= 3 for one in strict)
    assert after.counts["dropped"] == before.counts["dropped"]
    assert after.counts["worked"] - before.counts["worked"] >= FPS
    one_model_a_fruit(crew)
    running = choice.read(choice.running_file(tmp_path, "line-a"), Running)
    assert running == Running(model=first.model)


def test_a_rollback_works_while_the_model_that_is_tried_cannot_be_loaded(
    belt: tuple[Path, list[Piece]], models: Path, tmp_path: Path
) -> None:
    folder, _ = belt
    shutil.copytree(models / "lemon" / "2", models / "lemon" / "3")
    with watched(line(folder, FPS, repeat=True, models=models), tmp_path, active=2) as crew:
        strict = crew.until(Using)
        crew.want(UseModels(2, 3))
        refused = crew.until(Using)
        crew.want(UseModels(1, 3))
        back = crew.until(Using)
        good_fruit(crew)
        camera = [one for one in crew.told if isinstance(one, CameraTold)][-1]
        edit(models / "lemon" / "3", "^version = 2$", "version = 3")
        mended = crew.until(Using)
        after = crew.until(CameraTold)
    assert strict.model == refused.model != back.model
    assert back.model.startswith("lemon-1-")
    for told in (refused, back):
        assert told.shadow is None
        assert "lemon/3/manifest.toml: is of lemon 2, and lies in lemon/3" in told.refused
    assert camera.state == "connected"
    assert back.refused in camera.detail
    assert (mended.model, (mended.shadow or "")[:8], mended.refused) == (back.model, "lemon-3-", "")
    assert (after.state, after.detail) == ("connected", "")
    assert after.at_us > camera.at_us


def test_a_model_that_was_not_tried_takes_over_when_it_knows_every_fruit(
    belt: tuple[Path, list[Piece]], models: Path, tmp_path: Path
) -> None:
    folder, _ = belt
    with watched(line(folder, FPS, repeat=True, models=models), tmp_path, active=1) as crew:
        crew.until(Using)
        seen_well(crew)
        crew.want(UseModels(2, 1))
        switched = crew.until(Using)
        seen_well(crew)
    assert switched.model.startswith("lemon-2-")
    assert (switched.shadow or "").startswith("lemon-1-")
    one_model_a_fruit(crew)


def test_a_model_that_cannot_be_loaded_is_refused_and_the_one_before_goes_on(
    belt: tuple[Path, list[Piece]], models: Path, tmp_path: Path
) -> None:
    folder, _ = belt
    file = models / "lemon" / "2" / "int8.onnx"
    file.write_bytes(file.read_bytes()[:-5000])
    with watched(line(folder, FPS, repeat=True, models=models), tmp_path, active=1) as crew:
        first = crew.until(Using)
        seen_well(crew)
        crew.want(UseModels(2, None))
        cut_off = crew.until(Using)
        crew.want(UseModels(9, None))
        unknown = crew.until(Using)
        crew.want(UseModels(1, None))
        well = crew.until(Using)
        seen_well(crew)
    assert {one.model for one in (first, cut_off, unknown, well)} == {first.model}
    assert "lemon/2/int8.onnx" in cut_off.refused
    assert "no version 9: there are 1, 2" in unknown.refused
    assert (first.refused, well.refused) == ("", "")
    assert {frame.model for frame in crew.frames()} == {first.model}


def test_without_any_model_the_line_runs_on_and_says_that_it_is_blind_until_there_is_one(
    belt: tuple[Path, list[Piece]], models: Path, tmp_path: Path
) -> None:
    folder, _ = belt
    with watched(line(folder, FPS, repeat=True, models=models), tmp_path, active=8) as crew:
        helpless = crew.until(Using)
        blind = crew.until(CameraTold)
        while not crew.until(FrameSeen).tracks:
            pass
        crew.want(UseModels(1, None))
        found = crew.until(Using)
        seeing = crew.until(CameraTold)
        seen_well(crew)
    assert helpless.model == ""
    assert "no version 8" in helpless.refused
    assert blind.state == "blind"
    assert "every one is pushed off" in blind.detail
    assert "no version 8" in blind.detail
    assert found.model.startswith("lemon-1-")
    assert seeing.state == "connected"
    unjudged = [one for frame in crew.frames() if not frame.model for one in frame.tracks]
    assert unjudged
    assert all(one.score is None and one.views == 0 for one in unjudged)


@pytest.mark.parametrize("broken", ["finder", "lemon"])
def test_without_a_finder_or_a_model_that_is_said_and_it_sees_as_soon_as_the_package_is_put_right(
    belt: tuple[Path, list[Piece]], models: Path, tmp_path: Path, broken: str
) -> None:
    folder, _ = belt
    manifest = models / broken / "1" / "manifest.toml"
    whole = manifest.read_text(encoding="utf-8")
    manifest.write_text("schema = 1\n", encoding="utf-8")
    with watched(line(folder, FPS, repeat=True, models=models), tmp_path, active=1) as crew:
        blind = crew.until(CameraTold)
        crew.until(FrameSeen, 20)
        helpless = crew.last_of_each().values()
        told = [one for one in crew.told if isinstance(one, CameraTold)]
        running = choice.read(choice.running_file(tmp_path, "line-a"), Running)
        manifest.write_text(whole, encoding="utf-8")
        using = crew.until(Using)
        seeing = crew.until(CameraTold)
        good_fruit(crew)
    assert {one.state for one in told} == {"blind"}
    assert f"{broken}/1/manifest.toml" in blind.detail
    assert running is not None
    assert f"{broken}/1/manifest.toml" in running.refused
    assert all(one.score is None for one in helpless)
    assert bool(helpless) == (broken == "lemon")
    assert using.model.startswith("lemon-1-")
    assert using.refused == ""
    assert seeing.state == "connected"


@pytest.mark.parametrize("how", ["closed", "terminated"])
def test_it_ends_with_its_camera_when_it_is_told_to(belt: tuple[Path, list[Piece]], tmp_path: Path, how: str) -> None:
    folder, _ = belt
    with watched(line(folder, FPS, repeat=True), tmp_path) as crew:
        crew.until(FrameSeen)
        children = psutil.Process(crew.process.pid).children(recursive=True)
        assert children
        if how == "closed":
            crew.close()
        else:
            crew.process.send_signal(signal.SIGTERM)
        assert crew.process.wait(ENDS_S) == 0
        assert not psutil.wait_procs(children, ENDS_S)[1]


def test_nothing_is_left_of_it_when_its_agent_is_killed(belt: tuple[Path, list[Piece]], tmp_path: Path) -> None:
    folder, _ = belt
    agent = subprocess.Popen(
        [sys.executable, watchedline.__file__, str(folder), str(tmp_path)],
        stdout=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
    )
    try:
        assert agent.stdout is not None
        assert any(words == watchedline.SEEN for words in agent.stdout)
        children = psutil.Process(agent.pid).children(recursive=True)
        assert len(children) == 2
    finally:
        agent.kill()
        agent.wait()
    assert not psutil.wait_procs(children, ENDS_S)[1]


def seen_well(crew: Watched) -> int:
    """Read on until a fruit that was not told of yet has three views."""
    begun = max(crew.last_of_each(), default=0)
    while True:
        for one in crew.until(FrameSeen).tracks:
            if one.track > begun and one.views >= 3:
                return one.track


def good_fruit(crew: Watched, *, shadow_says_so: bool | None = None) -> None:
    """Read on until a fruit that has three views is good; and the shadow, if there is one, says so, or does not."""
    while True:
        for one in crew.until(FrameSeen).tracks:
            if one.score is None or one.score >= 0.4 or one.views < 3:
                continue
            if (None if one.shadow is None else one.shadow < 0.4) is shadow_says_so:
                return


def one_model_a_fruit(crew: Watched) -> None:
    """Where the model changed, no fruit has lost a view: the new one had looked at it just as often."""
    for frame, later in zip(crew.frames(), crew.frames()[1:], strict=False):
        if frame.model != later.model:
            views = {one.track: one.views for one in frame.tracks}
            assert all(one.views >= views.get(one.track, 0) for one in later.tracks)
