"""Training, from photographs to packages:  python -m models.produce.train --data DIR [--seed 7]

Learns the finder and a classifier a crop, calibrates them on fruit held out of the training split, and exports each
(see export.py). About a quarter of an hour on two quiet cores. The validation split is never read.

    --crop lemon --version 2 --more DIR     a second lemon package beside the first, which has learned from what people
                                            said of the line's pictures, too (truecount review export --out DIR)
"""

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from edge.errors import BadModel
from edge.vision.models.package import FINDER
from models.produce.errors import ModelsError

try:
    import torch

    from models.produce import classifier_training, export, finder_training
    from models.produce.learned import Learned, learned_classifier, learned_finder
except ImportError as missing:
    sys.exit(f"{missing}: training needs more packages: make train, or pip install -r requirements/train.txt")

from models.produce.data import CROPS
from models.produce.reviewed import Reviewed, reviewed
from models.produce.stock import Stock, stock
from models.produce.wanted import Wanted

NAMES = (FINDER, *CROPS)


def learn_finder(have: Stock, wanted: Wanted, say: Callable[[str], None]) -> Learned:
    """The finder learns from all crops."""
    seed, rng = wanted.seed, np.random.default_rng(wanted.seed)
    sources, aside = (
        finder_training.Sources(have.fruit(held), have.shots(held), have.empties(held), have.grounds(held, rng))
        for held in (False, True)
    )
    return learned_finder(finder_training.trained(sources, aside, seed, say), sources, wanted.version, seed)


def learn_classifier(crop: str, have: Stock, wanted: Wanted, say: Callable[[str], None]) -> Learned:
    """A crop's classifier learns; it is calibrated on what the finder cuts out of photographs kept aside."""
    seed, cut = wanted.seed, classifier_training.CUT
    rng = np.random.default_rng(seed)
    grounds, other_grounds = have.grounds(False, rng), have.grounds(True, rng)
    sources = classifier_training.Sources(have.photographed(crop, False), have.rendered(crop, False), grounds)
    probe = classifier_training.views_of(have.photographed(crop, True), other_grounds, cut, 2, seed)
    net = classifier_training.trained(sources, probe, seed, say)
    say(f"{crop}: calibrating on fruit held aside")
    return learned_classifier(crop, net, sources, have, probe, wanted.finder(), wanted.version, seed)


def main() -> None:
    """Everything, in the order in which it depends on each other."""
    given = _options()
    wanted = Wanted(given.only or NAMES, given.version, given.out, given.seed)
    began = time.monotonic()

    def say(text: str) -> None:
        print(f"[{time.monotonic() - began:5.0f} s] {text}", flush=True)

    torch.set_num_threads(2)
    try:
        wanted.check(given.replace)
        more = reviewed(given.more)
        told(more, say)
        say("reading photographs, drawing masks and rendering fruit: about a minute")
        learn(stock(given.data, given.seed, more.shots), wanted, say)
    except (ModelsError, BadModel) as wrong:
        sys.exit(str(wrong))
    say("done; figures: python -m models.produce.evaluate")


def told(more: Reviewed, say: Callable[[str], None]) -> None:
    """What comes from lines, and what of it is left out."""
    for line in more.skipped:
        say(f"  left out: {line}")
    if more.shots or more.validation or more.skipped:
        apart = f"{more.validation} of lots that are kept to judge by, {len(more.skipped)} left out"
        say(f"{len(more.shots)} pictures from lines to learn from, {apart}")


def learn(have: Stock, wanted: Wanted, say: Callable[[str], None]) -> None:
    """One package after the other."""
    for number, name in enumerate(wanted.names, 1):
        say(f"{name}, {number} of {len(wanted.names)}: learning")
        learned = learn_finder(have, wanted, say) if name == FINDER else learn_classifier(name, have, wanted, say)
        say(f"{name}: writing version {wanted.version}, fp32 and int8: half a minute")
        say(export.export(learned, wanted.out))


def _options() -> argparse.Namespace:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--data", type=Path, default=Path("../shared/data"), help="the folder that holds produce/")
    options.add_argument("--seed", type=int, default=7)
    options.add_argument("--only", action="append", choices=NAMES, help="learn only this; may be given more than once")
    options.add_argument("--crop", action="append", dest="only", choices=CROPS, help="the same")
    options.add_argument(
        "--more", type=Path, action="append", default=[], help="an export of reviews; may be given more than once"
    )
    options.add_argument("--version", type=_version, default=1, help="of the packages; 1 replaces those shipped")
    options.add_argument("--replace", action="store_true", help="write over a later version that is there, too")
    options.add_argument("--out", type=Path, default=export.OUT, help="where the packages go")
    return options.parse_args()


def _version(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text) >= 1):
        raise argparse.ArgumentTypeError(f"{text!r} is no version: 1, 2, ...")
    return int(text)


if __name__ == "__main__":
    main()
