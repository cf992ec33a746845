"""Training, from photographs to packages:  python -m models.produce.train --data DIR [--seed 7] [--only lemon]

Learns the finder and a classifier a crop, calibrates them on fruit held out of the training split, and exports each
(see export.py). About a quarter of an hour on two quiet cores. The validation split is never read.
"""

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np

from models.produce.errors import ModelsError

try:
    import torch

    from models.produce import classifier_training, export, finder_training
    from models.produce.learned import Learned, learned_classifier, learned_finder
except ImportError as missing:
    sys.exit(f"{missing}: training needs more packages: make train, or pip install --no-deps -r requirements/train.txt")

from models.produce.data import CROPS
from models.produce.stock import Stock, stock

NAMES = ("finder", *CROPS)


def learn_finder(have: Stock, seed: int, say: Callable[[str], None]) -> Learned:
    """The finder learns from all crops."""
    rng = np.random.default_rng(seed)
    sources, aside = (
        finder_training.Sources(have.fruit(held), have.shots(held), have.empties(held), have.grounds(held, rng))
        for held in (False, True)
    )
    return learned_finder(finder_training.trained(sources, aside, seed, say), sources, seed)


def learn_classifier(crop: str, have: Stock, seed: int, out: Path, say: Callable[[str], None]) -> Learned:
    """A crop's classifier learns; it is calibrated on what the finder in `out` cuts out of photographs kept aside."""
    rng, cut = np.random.default_rng(seed), classifier_training.CUT
    grounds, other_grounds = have.grounds(False, rng), have.grounds(True, rng)
    sources = classifier_training.Sources(have.photographed(crop, False), have.rendered(crop, False), grounds)
    probe = classifier_training.views_of(have.photographed(crop, True), other_grounds, cut, 2, seed)
    net = classifier_training.trained(sources, probe, seed, say)
    return learned_classifier(crop, net, sources, have, probe, out, seed)


def main() -> None:
    """Everything, in the order in which it depends on each other."""
    given = _options()
    began = time.monotonic()

    def say(text: str) -> None:
        print(f"[{time.monotonic() - began:5.0f} s] {text}", flush=True)

    cv2.setNumThreads(0)  # OpenCV's threads do not outlive the fork that makes the feeding processes.
    torch.set_num_threads(2)
    try:
        say("reading photographs, drawing masks and rendering fruit")
        have = stock(given.data, given.seed)
        for name in given.only or NAMES:
            say(f"{name}:")
            if name == "finder":
                learned = learn_finder(have, given.seed, say)
            else:
                learned = learn_classifier(name, have, given.seed, given.out, say)
            say(export.export(learned, given.out))
    except ModelsError as wrong:
        sys.exit(str(wrong))
    say("done; figures: python -m models.produce.evaluate")


def _options() -> argparse.Namespace:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--data", type=Path, default=Path("../shared/data"), help="the folder that holds produce/")
    options.add_argument("--seed", type=int, default=7)
    options.add_argument("--only", action="append", choices=NAMES, help="learn only this; may be given more than once")
    options.add_argument("--crop", action="append", dest="only", choices=CROPS, help="the same")
    options.add_argument("--out", type=Path, default=export.OUT, help="where the packages go")
    return options.parse_args()


if __name__ == "__main__":
    main()
