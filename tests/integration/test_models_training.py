"""Training in small, from pictures that people judged to a second package of a crop that a line can try.

torch is installed by `make train` alone; without it these stories are left out.
"""

import csv
import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from visionfruit import drawn, moving_belt

from edge.vision.inspector.crops import Crops
from edge.vision.models.classifier import Classifier
from edge.vision.models.finder import Finder
from edge.vision.models.package import folder_of, load, packages
from edge.vision.views import view
from gateway.reviewexport import COLUMNS
from models.produce.errors import ModelsError
from models.produce.reviewed import reviewed
from models.produce.sources import Grounds
from models.produce.stock import Stock
from models.produce.wanted import Wanted

torch = pytest.importorskip("torch", reason="torch is installed by make train alone")

from models.produce import classifier_training, export, finder_training  # noqa: E402
from models.produce.fit import Plan  # noqa: E402
from models.produce.learned import learned_classifier, learned_finder  # noqa: E402

SEED = 17
CUT = classifier_training.CUT


def judged_by_people(folder: Path, count: int) -> Path:
    """An export of so many drawn lemons on belts, each of a lot of its own; every second one is defective."""
    (folder / "images").mkdir(parents=True)
    rows = []
    for n in range(count):
        image, crops = moving_belt(n), Crops()
        mask = drawn(image, "lemon", n, (320, 180))
        crops.keep(n, image, mask, cv2.boundingRect(mask), 0.5, 0)  # type: ignore[arg-type]
        crop = crops.crop(n)
        assert crop is not None
        (folder / "images" / f"{n}.jpg").write_bytes(crop.picture)
        told = {"file": f"images/{n}.jpg", "crop": "lemon", "label": ("good", "defective")[n % 2], "id": str(n)}
        rows.append({**told, "group": f"L{n}", "split": "train", "outline": json.dumps(crop.outline)})
    with (folder / "manifest.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, restval="")
        writer.writeheader()
        writer.writerows(rows)
    return folder


class Contrary(torch.nn.Module):  # type: ignore[misc]
    """Calls bad what another net calls good."""

    def __init__(self, net: torch.nn.Module) -> None:
        super().__init__()
        self._net = net

    def forward(self, views: torch.Tensor) -> torch.Tensor:
        return -self._net(views)


def grounds() -> Grounds:
    return Grounds(8, [], np.random.default_rng(SEED))


@pytest.mark.slow
def test_what_people_said_becomes_a_second_package_beside_the_first(tmp_path: Path) -> None:
    print(f"seed {SEED}")
    more = reviewed([judged_by_people(tmp_path / "reviewed", 16)])
    assert (len(more.shots), more.validation, more.skipped) == (16, 0, [])
    have = Stock([], more.shots, [], {}, {}, aside=frozenset(f"review L{n}" for n in (0, 1, 2, 3)))
    assert len(have.photographed("lemon", held=True)) == 4

    told: list[str] = []
    sources = classifier_training.Sources(have.photographed("lemon", held=False), [], grounds())
    probe = classifier_training.views_of(have.photographed("lemon", held=True), grounds(), CUT, 2, SEED)
    plan = Plan(epochs=2, examples=32, batch=16, rate=1e-3, trunk_rate=0.25, frozen=3)
    net = classifier_training.trained(sources, probe, SEED, told.append, plan)
    assert [line.split()[:2] for line in told] == [["epoch", "1/2"], ["epoch", "2/2"]]
    assert told[0].endswith("s to go")

    finder = Wanted(["lemon"], 2, tmp_path / "models", SEED).finder()
    learned = learned_classifier("lemon", net, sources, have, probe, finder, 2, SEED)
    with pytest.raises(ModelsError, match="no better than chance"):
        learned_classifier("lemon", Contrary(net), sources, have, probe, finder, 2, SEED)  # type: ignore[arg-type]
    export.export(learned, tmp_path / "models")
    assert packages(tmp_path / "models") == {"lemon": [2]}
    for backend in ("fp32", "int8"):
        package = load(folder_of(tmp_path / "models", "lemon"), backend)
        assert package.identity.startswith(f"lemon-2-{backend}-")
        looks = Classifier(package).look([view(shot.image, shot.mask, CUT) for shot in more.shots])
        assert all(0 < look.score < 1 and not look.strange for look in looks), "like what it has learned from"


@pytest.mark.slow
def test_a_finder_goes_through_training_and_export(tmp_path: Path) -> None:
    print(f"seed {SEED}")
    fruit = Stock([], reviewed([judged_by_people(tmp_path / "reviewed", 6)]).shots, [], {}, {}, frozenset())
    shot = fruit.judged[0]
    sources = finder_training.Sources(fruit.photographed("lemon", held=False), [shot], [shot], grounds())
    plan = Plan(epochs=1, examples=32, batch=16, rate=1e-3, trunk_rate=0.2, frozen=2)
    net = finder_training.trained(sources, sources, SEED, str, plan)
    export.export(learned_finder(net, sources, 3, SEED), tmp_path / "models")
    found = Finder(load(folder_of(tmp_path / "models", "finder"), "fp32"))
    assert found.model.startswith("finder-3-fp32-")


def test_a_version_is_replaced_whole_and_stays_where_its_successor_cannot_take_its_place(tmp_path: Path) -> None:
    folder, new = tmp_path / "2", tmp_path / "2.new"
    for text in ("first", "second"):
        new.mkdir()
        (new / "manifest.toml").write_text(text)
        export.put_in_place(new, folder)
        assert (folder / "manifest.toml").read_text() == text
        assert [path.name for path in tmp_path.iterdir()] == ["2"]
    with pytest.raises(FileNotFoundError):
        export.put_in_place(new, folder)
    assert (folder / "manifest.toml").read_text() == "second"
    assert [path.name for path in tmp_path.iterdir()] == ["2"]


def test_the_stem_sums_exactly_in_whatever_order() -> None:
    """Torch and ONNX differ by the order of their sums; the layer that is most sensitive to it has none."""
    from models.produce.network import MEAN, SPREAD, Trunk

    stem = Trunk(1).stem[0]
    pixels = torch.from_numpy(np.random.default_rng(SEED).integers(0, 256, (4, 3, 64, 64)))
    shown = (pixels - MEAN) / SPREAD
    with torch.no_grad():
        single, double = stem(shown.float()), stem.double()(shown.double())
    assert torch.equal(single.double(), double)


def test_an_outline_read_back_is_the_mask_that_it_was_drawn_around(tmp_path: Path) -> None:
    (shot,) = reviewed([judged_by_people(tmp_path / "reviewed", 1)]).shots
    image = moving_belt(0)
    mask = drawn(image, "lemon", 0, (320, 180))
    x, y, width, height = cv2.boundingRect(mask)
    room = round(0.15 * max(width, height))
    part = slice(y - room, y + height + room), slice(x - room, x + width + room)
    assert shot.image.shape == image[part].shape
    both = np.count_nonzero((shot.mask > 0) & (mask[part] > 0))
    assert both / np.count_nonzero((shot.mask > 0) | (mask[part] > 0)) > 0.98
