"""`truecount inspect`: photographs in, one JSON verdict a line out, whatever the photographs are."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
import pytest
from visionfruit import drawn, moving_belt, photographs
from visionmodels import belt, jpeg, lay, packages

from edge.vision.models import package
from edge.vision.views import Image

HERE = Path(__file__).parents[2]
KEYS = {"file", "verdict", "score", "model", "ms"}


class Told(NamedTuple):
    """What the command came to."""

    lines: list[dict[str, Any]]
    complaints: str
    status: int


def inspect(*arguments: object, cwd: Path = HERE, home: Path | None = None) -> Told:
    """Runs the command as a person does."""
    command = [sys.executable, str(HERE / "truecount.py"), "inspect", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=cwd, env=at_home(home or Path.home()))
    return Told([json.loads(line) for line in done.stdout.splitlines()], done.stderr, done.returncode)


def at_home(home: Path) -> dict[str, str]:
    """The environment of somebody who lives there."""
    ours = {"ORT_DISABLE_TELEMETRY", "XDG_CACHE_HOME"}
    there = {name: value for name, value in os.environ.items() if name not in ours}
    return there | {"PYTHONPATH": str(HERE), "HOME": str(home)}


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return packages(tmp_path_factory.mktemp("models"), versions=(1, 2))


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """A folder with a good, a spotted, a doubtful and no fruit, and a good beside a spotted one."""
    for name, fruit in {"good": [0], "spotted": [6], "doubtful": [3], "empty": [], "two": [0, 6]}.items():
        save(tmp_path / "photos" / f"{name}.jpg", laid(fruit))
    return tmp_path / "photos"


def laid(spots: list[int]) -> Image:
    """Fruit with so many spots each, side by side."""
    image = belt()
    for n, count in enumerate(spots):
        lay(image, (170 + 300 * n, 180), (100, 80), spots=count)
    return image


def save(path: Path, image: Image) -> None:
    """As a camera does."""
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(jpeg(image))


def test_one_line_an_image_with_exactly_what_was_promised(models: Path, photos: Path) -> None:
    told = inspect(photos, "--crop", "lemon", "--models", models)
    assert told.status == 0
    assert told.complaints == ""
    assert [set(line) for line in told.lines] == [KEYS] * 5
    verdicts = {Path(line["file"]).stem: line["verdict"] for line in told.lines}
    assert verdicts == {
        "doubtful": "unsure",
        "empty": "empty",
        "good": "good",
        "spotted": "defective",
        "two": "defective",
    }
    for line in told.lines:
        assert line["score"] is None if line["verdict"] == "empty" else 0 <= line["score"] <= 1
        assert line["model"].startswith("lemon-2-int8-")
        assert line["ms"] > 0


def test_files_folders_and_patterns_are_taken_in_their_order(models: Path, photos: Path) -> None:
    told = inspect(photos / "two.jpg", photos / "*o*d.jpg", photos, "--crop", "lemon", "--models", models)
    names = [Path(line["file"]).stem for line in told.lines]
    assert names == ["two", "good", "spotted", "doubtful", "empty", "good", "spotted", "two"]


def test_what_cannot_be_seen_has_an_error_and_the_others_go_on(models: Path, photos: Path) -> None:
    good = (photos / "good.jpg").read_bytes()
    noisy = (laid([0]) + np.random.default_rng(1).integers(0, 40, (360, 640, 3))).clip(0, 255).astype(np.uint8)
    full = jpeg(noisy)
    bad = {
        "a-empty.jpg": b"",
        "b-half.jpg": good[: len(good) // 2],
        "c-torn.jpg": full[: len(full) // 2] + full[-2:],
        "d-gap.jpg": full[: len(full) // 2] + full[len(full) // 2 + 300 :],
        "e-text.jpg": b"no picture",
    }
    for name, data in bad.items():
        (photos / name).write_bytes(data)
    names = [*sorted(bad), "missing.jpg", "good.jpg"]
    told = inspect(*(photos / name for name in names), "--crop", "lemon", "--models", models)
    assert told.status == 1
    assert [set(line) for line in told.lines[:-1]] == [{"file", "error"}] * 6
    assert told.lines[-1]["verdict"] == "good"
    assert len(told.complaints.splitlines()) == 6
    for line, name in zip(told.lines, names, strict=True):
        assert line["file"] == str(photos / name)
        if "error" in line:
            assert line["error"] in told.complaints
            assert name in line["error"]


def test_a_folder_or_pattern_with_nothing_in_it_is_told(models: Path, tmp_path: Path) -> None:
    told = inspect(tmp_path, tmp_path / "*.jpg", "--crop", "lemon", "--models", models)
    assert told.status == 1
    assert "no images in this folder" in told.lines[0]["error"]
    assert "no file has such a name" in told.lines[1]["error"]


def test_no_name_ends_the_run_and_each_is_told_as_it_was_said(models: Path, photos: Path) -> None:
    torn = (photos / "good.jpg").read_bytes()[:3000]
    (photos / "torn\udcff.jpg").write_bytes(torn)  # a name that is no UTF-8
    words = {
        "torn\udcff.jpg": "torn: the end of the JPEG is missing",
        f"./{'long' * 100}.jpg": "cannot be read: File name too long",
        "": "an empty name: name a file, a folder or a pattern",
        "good.jpg/in-a-file.jpg": "cannot be read: Not a directory",
        "/dev/zero": "a pipe or device: write the picture to a file, and name that",
    }
    told = inspect(*words, ".//good.jpg", "--crop", "lemon", "--models", models, cwd=photos)
    assert told.status == 1
    assert "Traceback" not in told.complaints
    assert [line["file"] for line in told.lines] == [*words, ".//good.jpg"]
    for line, said in zip(told.lines[:-1], words.values(), strict=True):
        assert line["error"].endswith(said)
        assert said in told.complaints
    assert told.lines[-1]["verdict"] == "good"


def test_nothing_in_a_folder_is_left_out_without_a_word(models: Path, photos: Path) -> None:
    (photos / "bought").mkdir()
    (photos / "good.jpg").rename(photos / "bought" / "good.jpg")
    (photos / "bought" / "fruit.TIFF").write_bytes(cv2.imencode(".tif", laid([0]))[1].tobytes())
    for name in ("notes.txt", "more.txt", "LICENCE"):
        (photos / "bought" / name).write_text("no picture")
    (photos / "link").symlink_to("bought")
    told = inspect("./photos/", "--crop", "lemon", "--models", models, cwd=photos.parent)
    names = ["doubtful.jpg", "empty.jpg", "spotted.jpg", "two.jpg", "bought/fruit.TIFF", "bought/good.jpg"]
    assert [line["file"] for line in told.lines] == [f"./photos/{name}" for name in names]
    assert told.status == 1
    assert told.complaints.splitlines() == [
        "./photos/link: a link to a folder, left out: name it to have it judged",
        "./photos/bought/fruit.TIFF: neither JPEG nor PNG, WebP or BMP: convert it, for example to JPEG",
        "./photos/: left out as no images: 2 .txt, 1 without a suffix",
    ]


def test_a_folder_that_cannot_be_read_is_told_and_those_beside_it_are_judged(models: Path, photos: Path) -> None:
    closed = photos / "a"
    closed.mkdir()
    at, name = os.open(closed, os.O_RDONLY), "deep" * 60
    for _ in range(18):  # no rights keep out root, but no path may be so long
        os.mkdir(name, dir_fd=at)
        at, above = os.open(name, os.O_RDONLY, dir_fd=at), at
        os.close(above)
    os.close(at)
    told = inspect(photos, "--crop", "lemon", "--models", models)
    assert told.status == 1
    assert [line["verdict"] for line in told.lines[:-1]] == ["unsure", "empty", "good", "defective", "defective"]
    assert told.lines[-1]["error"].endswith("deep: this folder cannot be read: File name too long")
    assert told.lines[-1]["error"] in told.complaints


def test_nothing_is_recorded_of_the_work_nor_said_where_it_cannot_be(models: Path, photos: Path) -> None:
    home = photos.parent / "home"
    home.mkdir()
    for lived_in in (home, Path("/dev/null/nowhere")):
        told = inspect(photos, "--crop", "lemon", "--models", models, home=lived_in)
        assert (told.status, told.complaints) == (0, "")
    assert list(home.iterdir()) == []


@pytest.mark.parametrize("part", ["edge.vision.models", "models.produce"])
def test_no_process_that_loads_models_records_it(part: str, models: Path, tmp_path: Path) -> None:
    """The inspector of a line is of the one, training and export of the other."""
    load = f"import {part}, onnxruntime; onnxruntime.InferenceSession({str(models / 'lemon/1/int8.onnx')!r})"
    subprocess.run([sys.executable, "-c", load], check=True, cwd=HERE, env=at_home(tmp_path))
    assert list(tmp_path.iterdir()) == []


def test_backend_and_version_are_those_that_were_asked_for(models: Path, photos: Path) -> None:
    told = inspect(photos / "good.jpg", "--crop", "lemon", "--models", models, "--backend", "fp32", "--version", "1")
    assert told.lines[0]["model"] == package.load(models / "lemon" / "1", "fp32").identity


def test_a_crop_or_version_that_is_not_there_is_told_with_those_that_are(models: Path, photos: Path) -> None:
    for arguments, words in (
        (("--crop", "pear"), "no crop 'pear': one of lemon\n"),
        (("--crop", "lemon", "--version", "7"), "no version 7: there are 1, 2"),
        (("--crop", "finder"), "no crop 'finder': one of lemon\n"),
    ):
        told = inspect(photos / "good.jpg", "--models", models, *arguments)
        assert told.status == 2
        assert told.lines == []
        assert words in told.complaints
        assert "Traceback" not in told.complaints


def test_a_changed_model_judges_nothing(tmp_path: Path, photos: Path) -> None:
    models = packages(tmp_path / "models")
    path = models / "lemon" / "1" / "int8.onnx"
    path.write_bytes(path.read_bytes()[:-1] + b"!")
    told = inspect(photos / "good.jpg", "--crop", "lemon", "--models", models)
    assert told.status == 2
    assert told.lines == []
    assert "cut off or changed" in told.complaints


def test_the_site_files_grade_counts(models: Path, photos: Path, tmp_path: Path) -> None:
    site = tmp_path / "site.yaml"
    site.write_text(
        "site: test\ntitle: {en: Test, zh: 测试}\nagents: [{name: edge}]\n"
        "zones: [{name: cold, title: {en: Cold, zh: 冷库}}]\n"
        "grades:\n- {crop: lemon, good_below: 0.999999, defective_from: 0.9999995}\n"
        "- {crop: lemon, customer: kiosk, good_below: 0.0}\n"
    )
    told = inspect(photos / "spotted.jpg", "--crop", "lemon", "--models", models, "--config", site)
    assert told.complaints == ""
    assert told.lines[0]["verdict"] == "good"


def test_colours_in_the_wrong_order_are_never_good(models: Path, photos: Path) -> None:
    for name in ("good", "spotted"):
        save(photos / "swapped" / f"{name}.jpg", laid([0 if name == "good" else 6])[..., ::-1])
    told = inspect(photos / "swapped", "--crop", "lemon", "--models", models)
    assert {line["verdict"] for line in told.lines} <= {"empty", "unsure", "defective"}


def test_fruit_that_the_picture_shows_too_badly_is_not_good(models: Path, photos: Path) -> None:
    fruit = laid([0])
    bright = (fruit.astype(np.uint16) * 2).clip(0, 255)
    shown = {"blurred": cv2.GaussianBlur(fruit, (0, 0), 14), "half": fruit[:, 170:], "bright": bright}
    for how, image in shown.items():
        save(photos / "badly" / f"{how}.jpg", np.asarray(image, np.uint8))
    told = inspect(photos / "badly", photos / "good.jpg", "--crop", "lemon", "--models", models)
    assert [line["verdict"] for line in told.lines] == ["unsure"] * 3 + ["good"]
    assert max(line["score"] for line in told.lines) < 0.3, "the score is the model's own"


def test_a_small_soft_stain_beside_clear_fruit_makes_no_doubt(models: Path, photos: Path) -> None:
    def beside_a_blurred_one(half_px: int) -> Image:
        ground = belt()
        lay(ground, (470, 180), (half_px, half_px * 4 // 5), spots=0)
        ground = cv2.GaussianBlur(ground, (0, 0), half_px / 6)
        lay(ground, (170, 180), (100, 80), spots=0)
        return ground

    save(photos / "one.jpg", beside_a_blurred_one(100))
    save(photos / "stain.jpg", beside_a_blurred_one(32))
    told = inspect(photos / "one.jpg", photos / "stain.jpg", "--crop", "lemon", "--models", models)
    assert [line["verdict"] for line in told.lines] == ["unsure", "good"]


@pytest.mark.parametrize("crop", ["lemon", "tomato"])
def test_the_shipped_models_are_found_from_anywhere(crop: str, tmp_path: Path) -> None:
    image = moving_belt(1)
    drawn(image, crop, 4, (320, 180), 160)
    cv2.imwrite(str(tmp_path / "good.png"), image[..., ::-1])
    cv2.imwrite(str(tmp_path / "nothing.png"), moving_belt(2)[..., ::-1])
    told = inspect("good.png", "nothing.png", "--crop", crop, cwd=tmp_path)
    assert told.complaints == ""
    assert [line["verdict"] for line in told.lines] == ["good", "empty"]


@pytest.mark.parametrize("crop", ["lemon", "tomato"])
def test_photographs_that_no_model_has_learned_from_are_judged_right(crop: str) -> None:
    photos = photographs(crop)[::5]
    told = inspect(*(path for path, _ in photos), "--crop", crop)
    assert told.status == 0
    pairs = [(label, line["verdict"]) for (_, label), line in zip(photos, told.lines, strict=True)]
    print({pair: pairs.count(pair) for pair in sorted(set(pairs))})
    assert sum(label == verdict for label, verdict in pairs) >= 0.9 * len(pairs)


def test_a_picture_that_ends_in_the_grey_of_missing_data_is_not_taken_for_torn(tmp_path: Path) -> None:
    for grey in (127, 128, 129):
        ground = np.full((300, 300, 3), grey, np.uint8)
        save(tmp_path / f"{grey}.jpg", ground)
    told = inspect(tmp_path, "--crop", "lemon")
    assert (told.complaints, told.status) == ("", 0)
    assert [line["verdict"] for line in told.lines] == ["empty"] * 3
