"""Judges the shipped models on the validation split:  python -m models.produce.evaluate --data DIR [--json FILE]

It reads ONNX files and manifests only and needs no torch. Every condition is one line of the table; intervals hold 95
of 100 draws of the fruit.
"""

import argparse
import json
import sys
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import cv2

from edge.errors import BadModel
from edge.vision.models.manifest import Backend
from edge.vision.models.package import FINDER, SHIPPED, folder_of, packages
from models.produce import manifest
from models.produce.data import CROPS, Crop, of, photos, read
from models.produce.errors import ModelsError
from models.produce.figures import Figures
from models.produce.judge import EMPTY_BELTS, TRIALS, Empty, empties, judge, views_per_second
from models.produce.sources import shots

BACKENDS: tuple[Backend, ...] = ("fp32", "int8")


class Row(NamedTuple):
    """One line of the table."""

    crop: Crop
    backend: Backend
    condition: str
    figures: Figures


def rows(
    data: Path,
    root: Path,
    backends: Sequence[Backend],
    trials: Sequence[str],
    seed: int,
    crops: Sequence[Crop] = CROPS,
    version: int | None = None,
) -> Iterator[Row]:
    """All lines, each as soon as it is known; of the newest packages unless a version is named."""
    for crop in crops:
        seen = shots(of(photos(data, crop), "val", "good", "defective"))
        for backend in backends:
            judging = judge(root, crop, backend, version)
            for name in trials:
                yield Row(crop, backend, name, TRIALS[name](judging, seen, seed))


HEAD = (
    f"{'crop':7}{'':5} {'condition':23}{'accuracy':>14}{'F1':>12}{'AUROC':>16}{'false rej.':>21}{'miss':>7}"
    f"{'if unclear':>11}{'unsure good, bad':>18}{'not found':>10}{'rej. at 3% miss':>16}{'ECE':>7}"
)


def line(row: Row) -> str:
    """As text."""
    found = row.figures
    (right, low, high), auroc = found.accuracy, found.auroc
    return (
        f"{row.crop:7}{row.backend:5} {row.condition:23}{right:7.4f} [{low:.3f}, {high:.3f}]{found.f1.value:7.3f}"
        f"{auroc.value:9.4f} [{auroc.low:.4f}, {auroc.high:.4f}]{found.false_reject:9.1%}{found.miss:7.1%}"
        f"{found.miss_unclear:11.1%}{found.unsure_good:11.1%}{found.unsure_defective:7.1%}{found.not_found:10.1%}"
        f"{found.reject_at_miss:16.1%}{found.ece:7.3f}"
    )


def as_json(row: Row) -> dict[str, object]:
    """With names; intervals are [value, low, high]."""
    told = {**row.figures._asdict(), "reliability": [one._asdict() for one in row.figures.reliability]}
    return {"crop": row.crop, "backend": row.backend, "condition": row.condition, **told}


def note(root: Path, found: Sequence[Row], empty: dict[Backend, Empty], version: int | None) -> None:
    """Writes what a person wants to know at a glance into the manifests' [measured]."""
    for crop in {row.crop for row in found}:
        measured = {
            f"{row.backend}, {row.condition}": {
                "accuracy": round(row.figures.accuracy.value, 4),
                "auroc": round(row.figures.auroc.value, 4),
                "false_reject": round(row.figures.false_reject, 4),
                "miss": round(row.figures.miss, 4),
            }
            for row in found
            if row.crop == crop
        }
        _measured(folder_of(root, crop, version), {_key(name): value for name, value in measured.items()})
    shares = {
        backend: {name: round(share, 4) for name, share in told._asdict().items()} for backend, told in empty.items()
    }
    if FINDER in packages(root):
        _measured(folder_of(root, FINDER), {f"{backend}_told_empty": value for backend, value in shares.items()})


def _measured(folder: Path, measured: manifest.Table) -> None:
    content = tomllib.loads((folder / "manifest.toml").read_text())
    manifest.write(folder, {**content, "measured": measured})


def _key(name: str) -> str:
    return "".join(letter if letter.isalnum() else "_" for letter in name).replace("__", "_")


def main() -> None:
    """Prints the table; writes it as JSON, or into the manifests."""
    given = _options()
    cv2.setNumThreads(1)
    backends, found = given.backend or BACKENDS, []
    print(HEAD)
    try:
        trials, crops = given.condition or list(TRIALS), given.crop or CROPS
        for row in rows(given.data, given.models, backends, trials, given.seed, crops, given.version):
            print(line(row), flush=True)
            found.append(row)
        empty = {backend: _empty(given, backend) for backend in backends}
    except (ModelsError, BadModel) as wrong:
        sys.exit(str(wrong))
    if given.json:
        told = {
            "rows": [as_json(row) for row in found],
            "told_empty": {name: one._asdict() for name, one in empty.items()},
        }
        given.json.write_text(json.dumps(told, indent=1) + "\n")
    if given.note:
        note(given.models, found, empty, given.version)


def _empty(given: argparse.Namespace, backend: Backend) -> Empty:
    listed, judging = photos(given.data, "lemon"), judge(given.models, "lemon", backend)
    images = [read(photo) for photo in of(listed, "val", "empty")]
    told = empties(judging.finder, images, given.seed)
    speed = views_per_second(judging, [photo.path for photo in of(listed, "val", "good", "defective")])
    none = f"{told.photographs:.1%} of {len(images)} empty photographs, {told.belts:.1%} of {EMPTY_BELTS} empty belts"
    print(f"{backend}: no fruit found in {none}; from JPEG to score {speed:.0f} a second on one thread")
    return told


def _options() -> argparse.Namespace:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--data", type=Path, default=Path("../shared/data"), help="the folder that holds produce/")
    options.add_argument("--models", type=Path, default=SHIPPED, help="the folder of the packages")
    options.add_argument("--crop", action="append", choices=CROPS, help="only this; may be given more than once")
    options.add_argument("--version", type=int, help="of the crops' packages; default: the newest")
    options.add_argument("--backend", action="append", choices=BACKENDS, help="default: both")
    options.add_argument("--condition", action="append", choices=TRIALS, help="only this; may be given more than once")
    options.add_argument("--json", type=Path, help="write all figures to this file, too")
    options.add_argument("--note", action="store_true", help="write the main figures into the manifests, too")
    options.add_argument("--seed", type=int, default=11)
    return options.parse_args()


if __name__ == "__main__":
    main()
