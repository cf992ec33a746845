"""Training a network on examples that are made while it trains."""

import time
from collections.abc import Callable, Iterator
from typing import NamedTuple

import cv2
import numpy as np
import torch
from numpy.random import Generator
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from torch.utils.data import DataLoader, Dataset

Example = tuple[NDArray[np.uint8], NDArray[np.float32]]
"""What goes in, and what should come out."""


class Plan(NamedTuple):
    """How long and how fast a network learns."""

    epochs: int
    examples: int
    """In one epoch."""
    batch: int
    rate: float
    """The highest learning rate, of the new layers; the pretrained ones learn at `trunk_rate` of it."""
    trunk_rate: float
    frozen: int
    """So many of the trunk's first blocks stay as ImageNet left them."""


class Feed(Dataset[Example]):
    """Examples by number. Number n of a seed is always the same one, whichever process makes it."""

    def __init__(self, make: Callable[[Generator], Example], count: int, seed: int) -> None:
        self._make, self._count, self._seed = make, count, seed

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, n: int) -> Example:
        return self._make(np.random.default_rng([self._seed, n]))


def fit(
    net: nn.Module,
    judge: Callable[[Tensor, Tensor], Tensor],
    make: Callable[[Generator], Example],
    plan: Plan,
    seed: int,
    check: Callable[[nn.Module], str],
    say: Callable[[str], None],
) -> nn.Module:
    """The net after `plan`, its weights averaged over the last steps. `judge` is the loss of what came out and should.

    Blocks for minutes. Equal seeds give equal examples; sums of threads make the weights differ in the last digits.
    """
    total = plan.epochs * plan.examples
    cv2.setNumThreads(0)  # OpenCV's threads do not outlive the fork that makes the feeding processes.
    loader = DataLoader(Feed(make, total, seed), plan.batch, num_workers=2, prefetch_factor=4)
    optimiser = torch.optim.AdamW(_rates(net, plan), weight_decay=0.02)
    steps = len(loader)
    course = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: _rate(step / steps))
    averaged = AveragedModel(net, multi_avg_fn=get_ema_multi_avg_fn(0.98), use_buffers=True)
    began, losses = time.monotonic(), []
    for step, (shown, wanted) in enumerate(loader, 1):
        _train_mode(net, plan.frozen)
        loss = judge(net(shown), wanted)
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimiser.step()
        course.step()
        averaged.update_parameters(net)
        losses.append(float(loss.detach()))
        if (epoch := step * plan.epochs // steps) > (step - 1) * plan.epochs // steps:
            told = check(averaged.module.eval())
            left_s = (time.monotonic() - began) / step * (steps - step)
            say(f"  epoch {epoch}/{plan.epochs}  loss {np.mean(losses):.4f}  {told}  {left_s:.0f} s to go")
            losses.clear()
    return averaged.module.eval()


def _rate(done: float) -> float:
    """Warm up over a twentieth of the way, then down along a cosine."""
    return min(1.0, done / 0.05 + 0.02) * (0.5 + 0.5 * float(np.cos(np.pi * min(1.0, done))))


def _rates(net: nn.Module, plan: Plan) -> Iterator[dict[str, object]]:
    pretrained = [value for name, value in net.named_parameters() if name.startswith(("net.trunk.", "trunk."))]
    new = [value for name, value in net.named_parameters() if not name.startswith(("net.trunk.", "trunk."))]
    yield {"params": pretrained, "lr": plan.rate * plan.trunk_rate}
    yield {"params": new, "lr": plan.rate}


def _train_mode(net: nn.Module, frozen: int) -> None:
    """New layers learn; the trunk keeps ImageNet's means and spreads (batches are small), its first blocks entirely."""
    net.train()
    for module in net.modules():
        trunk = getattr(module, "trunk", None)
        if trunk is not None:
            trunk.eval()
            for part in (trunk.stem, *trunk.blocks[:frozen]):
                part.requires_grad_(False)
