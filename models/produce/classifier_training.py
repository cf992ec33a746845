"""A classifier learns: is this fruit good or defective, by its skin and nothing else."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import torch
from numpy.random import Generator
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits

from edge.vision.views import Cut, Image
from models.produce.cutouts import Cutout
from models.produce.examples import fruit_view
from models.produce.fit import Example, Plan, fit
from models.produce.network import Classifier
from models.produce.sources import Grounds

CUT = Cut(size=128, ground=(127, 127, 127), margin=0.06)
PLAN = Plan(epochs=8, examples=1600, batch=32, rate=2e-3, trunk_rate=0.25, frozen=3)
DEFECTIVE_SHARE = 0.45
RENDERED_SHARE = 0.13
SOFTENED = 0.03
"""Labels are 0.03 and 0.97: a few photographs are told wrong, or show the good side of a bad fruit."""


class Sources(NamedTuple):
    """What a classifier's examples are made of; one crop."""

    photographed: Sequence[Cutout]
    rendered: Sequence[Cutout]
    grounds: Grounds


class Views(NamedTuple):
    """Views of fruit, (N, S, S, 3), and which of them are defective."""

    images: NDArray[np.uint8]
    defective: NDArray[np.bool_]


def example(sources: Sources, cut: Cut, rng: Generator) -> tuple[Image, float]:
    """A view and 1.0 for defective; fruit is drawn so that the labels come in fixed shares."""
    stock = sources.rendered if sources.rendered and rng.random() < RENDERED_SHARE else sources.photographed
    wanted = rng.random() < DEFECTIVE_SHARE
    alike = [fruit for fruit in stock if fruit.defective == wanted]
    fruit = alike[rng.integers(len(alike))]
    return fruit_view(fruit, stock, sources.grounds, rng, cut), float(wanted)


def views_of(fruit: Sequence[Cutout], grounds: Grounds, cut: Cut, times: int, seed: int) -> Views:
    """Each fruit `times` times, disturbed like training's: for calibration and for telling progress."""
    made = [
        fruit_view(one, fruit, grounds, np.random.default_rng([seed, n, time]), cut)
        for n, one in enumerate(fruit)
        for time in range(times)
    ]
    return Views(np.stack(made), np.repeat([one.defective for one in fruit], times))


def judged(logits: Tensor, wanted: Tensor) -> Tensor:
    return binary_cross_entropy_with_logits(logits, SOFTENED + (1 - 2 * SOFTENED) * wanted)


def trained(
    sources: Sources, aside: Views, seed: int, say: Callable[[str], None], plan: Plan = PLAN, cut: Cut = CUT
) -> Classifier:
    """A classifier; its progress is told on the views `aside`, whose fruit it does not learn from."""
    torch.manual_seed(seed)

    def make(rng: Generator) -> Example:
        image, defective = example(sources, cut, rng)
        return image, np.float32(defective)  # type: ignore[return-value]

    learned = fit(Classifier(), judged, make, plan, seed, lambda now: progress(now, aside), say)
    assert isinstance(learned, Classifier)
    return learned


@torch.no_grad()
def logits_of(net: nn.Module, images: NDArray[np.uint8], batch: int = 64) -> NDArray[np.float64]:
    """What the net says of each view."""
    parts = [net(torch.from_numpy(images[n : n + batch])) for n in range(0, len(images), batch)]
    return np.asarray(torch.cat(parts).numpy(), np.float64)


def progress(net: nn.Module, aside: Views) -> str:
    """Accuracy and how well good and defective are told apart, on views under training's disturbances."""
    logits = logits_of(net, aside.images)
    ranks = np.argsort(np.argsort(logits)) + 1
    bad, good = int(aside.defective.sum()), int((~aside.defective).sum())
    area = (ranks[aside.defective].sum() - bad * (bad + 1) / 2) / (bad * good)
    return f"held out: accuracy {np.mean((logits > 0) == aside.defective):.3f}, AUROC {area:.4f}"
