"""Sorting lines in the site file: belt, camera and reject gate, and what a customer takes as good."""

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator

from contract.sitepart import Part, Seconds, Share, Slug, Title


class _Camera(Part):
    name: Slug
    stall_s: Seconds = 2.0
    """Without a new picture for this long it is lost; with the same picture for this long it is blind."""
    delay_s: Annotated[float, Field(ge=0, le=5)] = 0.0
    """From the light to our having the picture."""


class MjpegCamera(_Camera):
    """Motion JPEG over HTTP (multipart/x-mixed-replace)."""

    kind: Literal["mjpeg"]
    url: str


class RtspCamera(_Camera):
    """RTSP, by the decoders that OpenCV brings."""

    kind: Literal["rtsp"]
    url: str


class UsbCamera(_Camera):
    """A camera of this machine, by its number."""

    kind: Literal["usb"]
    device: int = Field(default=0, ge=0, le=63)
    width: int = Field(default=640, ge=64, le=4096)
    height: int = Field(default=360, ge=64, le=4096)
    fps: Annotated[float, Field(gt=0, le=240)] = 30.0


class FolderCamera(_Camera):
    """The images of a folder in the order of their names, as if they were a camera's."""

    kind: Literal["folder"]
    path: Path
    fps: Annotated[float, Field(gt=0, le=240)] = 10.0
    repeat: bool = False


class VideoCamera(_Camera):
    """A video file, as fast as it was taken."""

    kind: Literal["video"]
    path: Path
    repeat: bool = False


AnyCamera = Annotated[MjpegCamera | RtspCamera | UsbCamera | FolderCamera | VideoCamera, Field(discriminator="kind")]


class Gate(Part):
    """The reject gate of a line, behind its photo-eye. It pushes off every fruit that it is not told to let pass, so
    that what could not be seen is never sold as good.

    The n-th fruit that breaks the eye (as `eye_count` counts) has the coil `pass_coils` + n mod `places`. Written true
    before the fruit is at the gate, it lets it pass; the gate clears it as the fruit goes by.
    """

    modbus: Slug
    """The Modbus device with the registers below, by its name."""
    eye_count: Slug
    encoder: Slug | None = None
    """Counts the way of the belt, through its stops. Without it fruit is pushed off whose way to the eye the camera did
    not see to within half its length."""
    pass_coils: Slug
    places: int = Field(default=16, ge=2, le=256)
    travel_s: Seconds = 0.5
    """From the eye to the gate: a verdict is due so long after the eye, less `margin_s`."""
    margin_s: Annotated[float, Field(ge=0, le=5)] = 0.02

    @field_validator("places")
    @classmethod
    def _power_of_two(cls, places: int) -> int:
        """The count of the eye wraps at 65,536: with another number the first fruit after it would share coils."""
        if places & (places - 1):
            raise ValueError(f"{places} is no power of two")
        return places


class Views(Part):
    """How often a fruit is looked at."""

    least: int = Field(default=3, ge=1, le=50)
    """Fewer views than this make it `unsure`, none at all `unseen`."""
    most: int = Field(default=5, ge=1, le=50)

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.most < self.least:
            raise ValueError(f"most ({self.most}) is less than least ({self.least})")
        return self


Crop = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,39}$", description="a crop with a model, such as lemon")]


class SortingLine(Part):
    """A belt with fruit under a camera."""

    name: Slug
    title: Title
    agent: Slug
    crop: Crop
    camera: AnyCamera
    moves: Literal["right", "left", "down", "up"] = "right"
    """The way of the belt in the picture."""
    eye_at: Annotated[float, Field(ge=-1, le=2)] = 0.9
    """Where the photo-eye crosses the belt: 0 where fruit enters the picture, 1 where it leaves; beyond 1 behind it.
    Outside of the picture a gate needs the belt's encoder."""
    gate: Gate | None = None
    views: Views = Views()
    models: Path | None = None
    """Folder with the model packages; None: those that come with Truecount."""
    backend: Literal["int8", "fp32"] = "int8"
    sample: Annotated[float, Field(ge=0, le=1)] = 0.02
    """Share of the sure verdicts that a person is asked about, besides all that are unsure."""


class Grade(Part):
    """What a customer takes as good, of one crop."""

    crop: Crop
    customer: Slug | None = None
    """None: every customer that has no grade of its own."""
    good_below: Share | None = None
    defective_from: Share | None = None
    """Probabilities of defective; between them a fruit is unsure. None: as the model's manifest says."""
    max_defective: Share = 0.1
    """A lot with more than this share of defective fruit is over its limit."""

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.good_below is not None and self.defective_from is not None and self.good_below > self.defective_from:
            raise ValueError(f"good_below ({self.good_below}) is above defective_from ({self.defective_from})")
        return self
