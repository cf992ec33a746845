"""The pieces of training and judging: masks, grounds, disturbances, examples, calibration, figures, manifests."""

import tomllib
from datetime import date
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge.vision.verdict import Thresholds
from edge.vision.views import Cut, Image, Mask
from models.produce import disturb, manifest
from models.produce.calibration import calibrated, thresholds
from models.produce.cutouts import cutout, lay
from models.produce.data import photos
from models.produce.errors import ModelsError
from models.produce.examples import belt_scene, fruit_view, inexact, letterboxed
from models.produce.figures import Judged, auroc, figures, reject_at_miss
from models.produce.grounds import any_colour, belt, clouds, ground, plain, rollers, tiles, wood
from models.produce.masks import fruit_mask
from models.produce.sources import Grounds

SEED = 31
CUT = Cut(64, (127, 127, 127), 0.06)
SURE = (("good", 0.1), ("bad", 0.9))


def concrete(rng: np.random.Generator) -> Image:
    return np.asarray(np.clip(120 + 25 * rng.standard_normal((200, 240, 1)), 0, 255).repeat(3, axis=2), np.uint8)


def disc(middle: tuple[int, int], radius: int) -> Mask:
    mask = np.zeros((200, 240), np.uint8)
    cv2.circle(mask, middle, radius, 255, -1)
    return mask


def painted(image: Image, mask: Mask, colour: tuple[int, int, int]) -> Image:
    found = image.copy()
    found[mask > 0] = colour
    return found


def overlap(first: Mask, second: Mask) -> float:
    return float(((first > 0) & (second > 0)).sum() / ((first > 0) | (second > 0)).sum())


def test_a_lemon_on_concrete_is_masked_with_its_bruise() -> None:
    lemon = disc((120, 100), 60)
    image = painted(concrete(np.random.default_rng(SEED)), lemon, (215, 180, 40))
    bruised = painted(image, disc((150, 90), 22) & lemon, (128, 118, 100))
    assert overlap(fruit_mask(image, "lemon"), lemon) > 0.9
    assert overlap(fruit_mask(bruised, "lemon"), lemon) > 0.9


def test_concrete_alone_has_no_mask() -> None:
    assert cv2.countNonZero(fruit_mask(concrete(np.random.default_rng(SEED)), "lemon")) == 0


def test_a_tomato_on_white_keeps_its_white_mould_and_loses_stray_specks() -> None:
    tomato = disc((120, 100), 80)
    image = painted(np.full((200, 240, 3), 255, np.uint8), tomato, (200, 50, 30))
    image = painted(image, disc((130, 110), 15), (255, 255, 255))
    image[5:9, 5:9] = 0
    assert overlap(fruit_mask(image, "tomato"), tomato) > 0.97


@pytest.mark.parametrize("surface", [belt, rollers, wood, plain, clouds, tiles])
def test_every_surface_is_drawn_and_the_same_for_the_same_seed(surface: object) -> None:
    assert callable(surface)
    first, again, other = (surface(np.random.default_rng(seed), 96) for seed in (SEED, SEED, SEED + 1))
    assert first.shape == (96, 96, 3)
    assert np.isfinite(first).all()
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_grounds_differ_and_are_whole_pictures() -> None:
    rng = np.random.default_rng(SEED)
    drawn = [ground(rng, 64) for _ in range(30)]
    assert all(one.shape == (64, 64, 3) and one.dtype == np.uint8 for one in drawn)
    assert len({one.tobytes() for one in drawn}) == 30
    assert all(0 <= part <= 255 for _ in range(50) for part in any_colour(rng))


def test_disturbances_do_what_they_say() -> None:
    print(f"seed {SEED}")
    rng = np.random.default_rng(SEED)
    image = painted(concrete(rng), disc((120, 100), 60), (200, 160, 40))
    assert disturb.exposed(image, -1).mean() == pytest.approx(image.mean() / 2, abs=1)
    assert disturb.toned(image, (1, 1, 0))[..., 2].max() == 0
    assert np.ptp(disturb.faded(image, 0).astype(int), axis=2).max() <= 1
    for weaker in (disturb.blurred(image, 2), disturb.moved(image, 9, 30), disturb.coarser(image, 3)):
        assert weaker.shape == image.shape
        assert cv2.Laplacian(weaker, cv2.CV_64F).var() < cv2.Laplacian(image, cv2.CV_64F).var() / 2
    assert disturb.noisy(image, 8, rng).std() > image.std()
    assert 0 < np.abs(disturb.jpeg(image, 30).astype(int) - image).mean() < 20
    assert np.array_equal(
        disturb.anyhow(image, np.random.default_rng(4)), disturb.anyhow(image, np.random.default_rng(4))
    )


def test_letterboxing_keeps_the_aspect_and_pads_with_grey() -> None:
    square, scale = letterboxed(np.zeros((100, 200, 3), np.uint8), 160)
    assert scale == pytest.approx(0.8)
    assert square[:80].max() == 0
    assert (square[80:] == 127).all()


def test_fruit_laid_down_is_where_its_mask_says() -> None:
    rng = np.random.default_rng(SEED)
    fruit = cutout(painted(concrete(rng), disc((120, 100), 60), (255, 0, 0)), disc((120, 100), 60), True)
    for longest_px in (20.0, 60.0, 150.0):
        picture = np.zeros((200, 200, 3), np.uint8)
        laid = lay(picture, fruit, rng, longest_px, (100, 100))
        assert overlap(laid.mask, np.where(picture[..., 0] > 127, 255, 0).astype(np.uint8)) > 0.85
        assert laid.shown > 0.95
    beside = lay(np.zeros((200, 200, 3), np.uint8), fruit, rng, 100, (0, 100))
    assert 0.3 < beside.shown < 0.7


def test_a_mask_as_a_finder_draws_it_is_one_piece_near_the_true_one() -> None:
    print(f"seed {SEED}")
    for n in range(40):
        drawn = inexact(disc((120, 100), 60), np.random.default_rng([SEED, n]))
        assert cv2.connectedComponents(drawn)[0] == 2
        assert overlap(drawn, disc((120, 100), 60)) > 0.7


def test_examples_are_the_same_for_the_same_seed_whatever_came_before() -> None:
    rng = np.random.default_rng(SEED)
    mask = disc((120, 100), 60)
    fruit = [cutout(painted(concrete(rng), mask, colour), mask, False) for colour in ((220, 180, 40), (200, 60, 30))]
    grounds = Grounds(5, [concrete(rng)], rng)
    views = [fruit_view(fruit[0], fruit, grounds, np.random.default_rng(seed), CUT) for seed in (1, 2, 1)]
    assert np.array_equal(views[0], views[2])
    assert not np.array_equal(views[0], views[1])
    scenes = [belt_scene(fruit, grounds, np.random.default_rng(seed), 96) for seed in range(20)]
    assert all(scene.image.shape == (96, 96, 3) and scene.mask.shape == (48, 48) for scene in scenes)
    assert 0 <= min(scene.mask.min() for scene in scenes) <= max(scene.mask.max() for scene in scenes) <= 1
    assert 1 <= sum(scene.mask.max() == 0 for scene in scenes) <= 10


def test_calibration_finds_the_slope_that_the_numbers_were_made_with() -> None:
    print(f"seed {SEED}")
    rng = np.random.default_rng(SEED)
    logits = rng.normal(0, 2, 6000)
    defective = rng.random(6000) < 1 / (1 + np.exp(-(1.7 * logits)))
    found = calibrated(logits, defective)
    assert found.slope == pytest.approx(1.7, rel=0.1)
    assert found.intercept == pytest.approx(0, abs=0.15)


def test_thresholds_hold_the_middle_and_do_not_trust_few_fruit() -> None:
    apart = thresholds(np.array([0.01, 0.02, 0.98, 0.99]), np.array([False, False, True, True]), 0.01, 0.01)
    assert apart == Thresholds(0.4, 0.6)
    mixed = thresholds(np.array([0.1, 0.95, 0.05, 0.9]), np.array([False, False, True, True]), 0.01, 0.01)
    assert mixed == Thresholds(0.3, 0.7)


def test_figures_of_a_judge_that_is_known() -> None:
    said = [
        *[Judged(f"good {n}", False, 0.1, False) for n in range(8)],
        Judged("good 8", False, 0.9, False),
        Judged("good 9", False, 0.2, True),
        *[Judged(f"bad {n}", True, 0.95, False) for n in range(8)],
        Judged("bad 8", True, 0.15, False),
        Judged("bad 9", True, None, False),
    ]
    found = figures(said, Thresholds(0.4, 0.6), SEED)
    assert found.accuracy.value == pytest.approx(17 / 20)
    assert found.accuracy.low < found.accuracy.value < found.accuracy.high
    assert (found.false_reject, found.miss) == pytest.approx((0.1, 0.1))
    assert (found.unsure_good, found.unsure_defective) == pytest.approx((0.1, 0))
    assert found.not_found == pytest.approx(0.05)


def test_fruit_that_was_not_found_is_pushed_off_and_known_by_no_model() -> None:
    good, bad = ([Judged(f"{label} {n}", label == "bad", score, False) for n in range(10)] for label, score in SURE)
    plain, limits = figures([*good, *bad], Thresholds(0.4, 0.6), SEED), Thresholds(0.4, 0.6)
    assert (plain.auroc.value, plain.accuracy.value, plain.f1.value) == (1, 1, 1)

    good_lost = figures([good[0]._replace(score=None), *good[1:], *bad], limits, SEED)
    assert (good_lost.false_reject, good_lost.miss, good_lost.reject_at_miss) == pytest.approx((0.1, 0, 0.1))
    bad_lost = figures([*good, bad[0]._replace(score=None), *bad[1:]], limits, SEED)
    assert (bad_lost.false_reject, bad_lost.miss, bad_lost.reject_at_miss) == (0, 0, 0)
    for lost in (good_lost, bad_lost):
        assert lost.not_found == pytest.approx(0.05)
        assert lost.accuracy.value == pytest.approx(0.95)
        assert lost.auroc.value == pytest.approx(0.9)
        assert lost.f1.value < 1
        assert (lost.unsure_good, lost.unsure_defective) == (0, 0)
        assert sum(one.photographs for one in lost.reliability) == 19
        assert lost.ece == pytest.approx(plain.ece), "no probability was told of what was not found"


def test_ranking_figures() -> None:
    truth = np.array([False, False, True, True])
    assert auroc(np.array([0.1, 0.2, 0.8, 0.9]), truth) == 1
    assert auroc(np.array([0.9, 0.8, 0.2, 0.1]), truth) == 0
    assert auroc(np.array([0.5, 0.5, 0.5, 0.5]), truth) == 0.5
    assert reject_at_miss(np.array([0.1, 0.5, 0.3, 0.9]), truth, 0.03) == 0.5


def test_a_manifest_written_reads_back(tmp_path: Path) -> None:
    (tmp_path / "fp32.onnx").write_bytes(b"weights")
    values = np.random.default_rng(SEED).normal(100, 20, 500)
    table: manifest.Table = {
        "schema": 1,
        "made": date(2026, 11, 22),
        "output": {"size": 80},
        "statistics": {"brightness": manifest.histogram(values), "warmth": manifest.bounded(values)},
    }
    manifest.write(tmp_path, table)
    read = tomllib.loads((tmp_path / "manifest.toml").read_text())
    assert read["made"] == date(2026, 11, 22)
    assert read["files"]["fp32"] == {"file": "fp32.onnx", "sha256": manifest.sha256(tmp_path / "fp32.onnx")}
    assert read["statistics"]["brightness"]["shares"] == pytest.approx([0.1] * 10, abs=0.01)
    warmth = read["statistics"]["warmth"]
    assert (warmth["shares"][0], warmth["shares"][-1]) == (0, 0)
    assert len(warmth["shares"]) == len(warmth["edges"]) + 1


def test_missing_data_is_told_with_its_place(tmp_path: Path) -> None:
    with pytest.raises(ModelsError, match="--data must name the folder that holds produce/lemon"):
        photos(tmp_path, "lemon")
