"""The finder learns: where is fruit, of either crop, on any ground."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import torch
from numpy.random import Generator
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits

from models.produce.cutouts import Cutout
from models.produce.examples import Seen, belt_scene, photo_scene
from models.produce.fit import Example, Plan, fit
from models.produce.network import Finder
from models.produce.sources import Grounds, Shot

SIZE = 160
PLAN = Plan(epochs=12, examples=1600, batch=16, rate=3e-3, trunk_rate=0.2, frozen=2)


class Sources(NamedTuple):
    """What the finder's examples are made of."""

    fruit: Sequence[Cutout]
    shots: Sequence[Shot]
    empties: Sequence[Shot]
    grounds: Grounds


class _Logits(nn.Module):
    """The finder before its sigmoid, which is what a loss can be trained on."""

    def __init__(self, net: Finder) -> None:
        super().__init__()
        self.net = net

    def forward(self, image: Tensor) -> Tensor:
        return self.net.logits(image)


def scene(sources: Sources, rng: Generator) -> Seen:
    """Of twenty: twelve laid out anew, five photographs with fruit, three without."""
    chance = rng.random()
    if chance < 0.6:
        return belt_scene(sources.fruit, sources.grounds, rng, SIZE)
    stock = sources.shots if chance < 0.85 else sources.empties
    return photo_scene(stock[int(rng.integers(len(stock)))], rng, SIZE)


def disagreement(logits: Tensor, wanted: Tensor) -> Tensor:
    """Cross-entropy of pixels, and one minus Dice's overlap of pictures: small fruit counts like large fruit."""
    found = torch.sigmoid(logits)
    overlap = (2 * (found * wanted).sum((1, 2)) + 20) / (found.sum((1, 2)) + wanted.sum((1, 2)) + 20)
    return binary_cross_entropy_with_logits(logits, wanted) + 0.5 * (1 - overlap).mean()


def trained(sources: Sources, aside: Sources, seed: int, say: Callable[[str], None], plan: Plan = PLAN) -> Finder:
    """A finder; its progress is told on scenes of `aside`, whose fruit it does not learn from."""
    torch.manual_seed(seed)
    net = Finder()
    probe = [scene(aside, np.random.default_rng([seed, 1, n])) for n in range(96)]

    def make(rng: Generator) -> Example:
        return scene(sources, rng)

    learned = fit(_Logits(net), disagreement, make, plan, seed, lambda now: overlap_told(now, probe), say)
    assert isinstance(learned, _Logits)
    return learned.net


@torch.no_grad()
def overlap_told(net: nn.Module, probe: Sequence[Seen]) -> str:
    """Mean intersection over union where there is fruit, and how much is found where there is none."""
    found = torch.sigmoid(net(torch.from_numpy(np.stack([one.image for one in probe])))).numpy() > 0.5
    ratios, false = [], []
    for seen, drawn in zip(probe, found, strict=True):
        wanted = seen.mask > 0.5
        if wanted.any():
            ratios.append((drawn & wanted).sum() / (drawn | wanted).sum())
        else:
            false.append(float(drawn.mean()))
    return f"IoU {np.mean(ratios):.3f}, nothing found in {np.mean(np.array(false) < 0.002):.0%} of {len(false)} empty"
