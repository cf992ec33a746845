"""The inspector process on pictures of a belt: every fruit judged, models changed while it runs, and a clean end."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import psutil
import pytest
import watchedline
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
from edge.vision.models import package
from edge.vision.verdict import Thresholds, judge
from firmware_sim.belt import Piece

FPS = 8
SEED = 11
ENDS_S = 10.0


@pytest.fixture(scope="module")
def belt(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Piece]]:
    """Pictures of ten fruit, and which of them are defective."""
    folder = tmp_path_factory.mktemp("belt") / "pictures"
    return folder, film(folder, fruit=10, fps=FPS, seed=SEED)


@pytest.fixture
def models(tmp_path: Path) -> Path:
    """Versions 1 and 2 of the lemons' model (1 as shipped, 2 with the other backend's file), and the finder."""
    root = tmp_path / "models"
    shutil.copytree(package.folder_of(package.SHIPPED, "finder"), root / "finder" / "1")
    for version in (1, 2):
        folder = root / "lemon" / str(version)
        shutil.copytree(package.folder_of(package.SHIPPED, "lemon"), folder)
        manifest = folder / "manifest.toml"
        lines = manifest.read_text(encoding="utf-8").splitlines()
        lines = [f"version = {version}" if one.startswith("version =") else one for one in lines]
        manifest.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return root


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
def test_a_model_is_tried_then_switched_to_while_the_belt_runs_and_no_frame_is_dropped(
    belt: tuple[Path, list[Piece]], models: Path, tmp_path: Path
) -> None:
    folder, _ = belt
    with watched(line(folder, FPS, repeat=True, models=models), tmp_path, active=1) as crew:
        first = crew.until(Using)
        seen_well(crew)
        before = crew.until(Figures)
        crew.want(UseModels(1, 2))
        tried = crew.until(Using)
        shadow_judges(crew)
        crew.want(UseModels(2, None))
        switched = crew.until(Using)
        seen_well(crew)
        after = crew.until(Figures)
    assert (first.model, first.shadow) == (tried.model, None)
    assert tried.shadow == switched.model != first.model
    assert switched.shadow is None
    names = [frame.model for frame in crew.frames()]
    assert names == sorted(names), "the model that decides changed more than once"
    assert set(names) == {first.model, switched.model}
    assert after.counts["dropped"] == before.counts["dropped"]
    assert after.counts["worked"] - before.counts["worked"] >= FPS
    one_model_a_fruit(crew)
    running = choice.read(choice.running_file(tmp_path, "line-a"), Running)
    assert running == Running(model=switched.model)


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


def test_without_a_finder_nothing_is_found_and_that_is_said(
    belt: tuple[Path, list[Piece]], models: Path, tmp_path: Path
) -> None:
    folder, _ = belt
    (models / "finder" / "1" / "manifest.toml").write_text("schema = 1\n", encoding="utf-8")
    with watched(line(folder, FPS, repeat=True, models=models), tmp_path) as crew:
        blind = crew.until(CameraTold)
        crew.until(FrameSeen, 20)
    assert blind.state == "blind"
    assert "finder/1/manifest.toml" in blind.detail
    assert not crew.last_of_each()
    assert not [told for told in crew.told if isinstance(told, CameraTold) and told.state == "connected"]


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


def shadow_judges(crew: Watched) -> None:
    """Read on until the shadow has judged a fruit; it says about the same."""
    while True:
        for one in crew.until(FrameSeen).tracks:
            if one.shadow is not None and one.score is not None and one.views >= 3:
                assert abs(one.shadow - one.score) < 0.5
                return


def one_model_a_fruit(crew: Watched) -> None:
    """Where the model changed, no fruit has lost a view: the new one had looked at it just as often."""
    for frame, later in zip(crew.frames(), crew.frames()[1:], strict=False):
        if frame.model != later.model:
            views = {one.track: one.views for one in frame.tracks}
            assert all(one.views >= views.get(one.track, 0) for one in later.tracks)
