"""The manifest of a model's package: what the model takes and gives, and what is known of it. TOML, read strictly."""

import datetime
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from edge.errors import BadModel

Backend = Literal["int8", "fp32"]
Share = Annotated[float, Meta(ge=0, le=1)]
Colour = Annotated[int, Meta(ge=0, le=255)]
Size = Annotated[int, Meta(ge=16, le=1024)]
Version = Annotated[int, Meta(ge=1)]
Text = Annotated[str, Meta(min_length=1, max_length=100)]

MAX_BYTES = 1024 * 1024


class File(Struct, frozen=True, forbid_unknown_fields=True):
    """One ONNX file of the package."""

    file: Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
    sha256: Annotated[str, Meta(pattern=r"^[0-9a-f]{64}$")]


class ImageInput(Struct, frozen=True, forbid_unknown_fields=True):
    """uint8 [N,size,size,3] RGB: the whole picture, its aspect kept, padded at the bottom or right with grey 127."""

    name: Text
    size: Size


class ViewInput(Struct, frozen=True, forbid_unknown_fields=True):
    """uint8 [N,size,size,3] RGB as made by `views.view`; the fields are those of `views.Cut`."""

    name: Text
    size: Size
    ground: tuple[Colour, Colour, Colour]
    margin: Annotated[float, Meta(ge=0, le=1)]


class MaskOutput(Struct, frozen=True, forbid_unknown_fields=True):
    """float32 [N,size,size]: the probability of fruit at each place."""

    name: Text
    size: Size


class LogitOutput(Struct, frozen=True, forbid_unknown_fields=True):
    """float32 [N]."""

    name: Text


class FruitThresholds(Struct, frozen=True, forbid_unknown_fields=True):
    """Of a finder."""

    mask_from: Annotated[float, Meta(gt=0, lt=1)]
    min_area: Share
    """The smallest fruit, as a share of the picture."""


class GradeThresholds(Struct, frozen=True, forbid_unknown_fields=True):
    """Of a classifier: probabilities of defective, good below, defective from, unsure between."""

    good_below: Share
    defective_from: Share

    def __post_init__(self) -> None:
        if self.good_below > self.defective_from:
            raise ValueError(f"good_below ({self.good_below}) is above defective_from ({self.defective_from})")


class Calibration(Struct, frozen=True, forbid_unknown_fields=True):
    """Score = 1 / (1 + exp(-(slope * logit + intercept))) (Platt 1999): the probability of defective."""

    slope: Annotated[float, Meta(gt=0)]
    intercept: float


class Statistic(Struct, frozen=True, forbid_unknown_fields=True):
    """How a figure was spread in training: the share of fruit below the first edge, between edges, above the last."""

    edges: Annotated[tuple[float, ...], Meta(min_length=1, max_length=100)]
    shares: Annotated[tuple[Share, ...], Meta(min_length=2, max_length=101)]

    def __post_init__(self) -> None:
        if len(self.shares) != len(self.edges) + 1:
            raise ValueError(f"{len(self.edges)} edges make {len(self.edges) + 1} bins, not {len(self.shares)}")
        if any(low > high for low, high in zip(self.edges, self.edges[1:], strict=False)):
            raise ValueError("the edges do not rise")
        if abs(sum(self.shares) - 1) > 0.01:
            raise ValueError(f"the shares sum to {sum(self.shares):.3f}, not to 1")


class Statistics(Struct, frozen=True, forbid_unknown_fields=True):
    """What the model learned from, as `statistics.measure` measures it."""

    score: Statistic
    brightness: Statistic
    mask_area: Statistic
    warmth: Statistic | None = None
    """None: not known, and colours in the wrong order are not noticed."""


class _Manifest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind"):
    schema: Literal[1]
    name: Annotated[str, Meta(pattern=r"^[a-z][a-z0-9-]{0,39}$")]
    version: Version
    made: datetime.date
    files: dict[Backend, File]
    measured: dict[str, Any] = {}
    """Figures for people."""


class FinderManifest(_Manifest, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="finder"):
    """Of a model that finds fruit in a picture."""

    input: ImageInput
    output: MaskOutput
    thresholds: FruitThresholds


class ClassifierManifest(_Manifest, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="classifier"):
    """Of a model that tells good fruit of one crop from defective fruit."""

    input: ViewInput
    output: LogitOutput
    calibration: Calibration
    thresholds: GradeThresholds
    statistics: Statistics


Manifest = FinderManifest | ClassifierManifest


def read(path: Path) -> Manifest:
    """The manifest in a file. Raises BadModel, which names the file and the key."""
    try:
        with path.open("rb") as file:
            found: Manifest = msgspec.toml.decode(file.read(MAX_BYTES), type=Manifest)
    except OSError as error:
        raise BadModel(f"{path}: cannot be read: {error.strerror}; a package needs its manifest") from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadModel(f"{path}: {error}; put the package there again") from error
    return found
