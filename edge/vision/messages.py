"""What the processes of a line tell each other, over pipes, as msgspec's MessagePack.

    camera process --Frame--> inspector process --FrameSeen, Crop, BeltPicture, Figures, Drift, Using--> agent
                   --CameraTold-------------------------------------------------------------------------> (passed on)
                              <--Begin, WantCrop, UseModels, UseThresholds-- agent

The camera process does nothing but have the newest picture; the inspector finds, follows and classifies; the agent
knows the photo-eye, the gate, the lot and what to tell. All times are of the steady clock, which the three share.
"""

from typing import Literal

from msgspec import Struct


class TrackSeen(Struct, frozen=True, array_like=True):
    """One fruit as it stands in one frame."""

    track: int
    """Counts from 1 in each inspector process."""
    along: float
    """Its middle on the belt's way through the picture: 0 where fruit enters, 1 where it leaves."""
    length: float
    """Its own length in the same measure."""
    views: int
    """Classified so far."""
    score: float | None
    """Median of the calibrated scores so far, by the model that decides."""
    shadow: float | None
    """The same by the model that is tried."""
    unclear: int = 0
    """Of the views, those that show too little of it to call it good."""


class FrameSeen(Struct, frozen=True, tag="frame", array_like=True):
    """One frame was worked through: every fruit that stands in it."""

    at_us: int
    """When the camera took it."""
    tracks: tuple[TrackSeen, ...]
    model: str
    """Which model the scores are of: NAME-VERSION-BACKEND-HASH."""
    shadow: str | None
    speed: float
    """Of the belt, in pictures' lengths a second, as measured from the tracks; 0 when not yet known."""


class CameraTold(Struct, frozen=True, tag="camera", array_like=True):
    """The camera is there, or lost, or blind (black, frozen, covered)."""

    state: Literal["connected", "lost", "blind"]
    at_us: int
    detail: str


class Crop(Struct, frozen=True, tag="crop", array_like=True):
    """The picture that was asked for with `WantCrop`."""

    track: int
    picture: bytes
    """JPEG, the fruit with some belt around it, at most 100 kB."""
    outline: tuple[tuple[float, float], ...]
    """At most 64 corners, as shares of the picture's width and height."""


class BeltPicture(Struct, frozen=True, tag="belt", array_like=True):
    """The belt as it is now, outlines drawn in, about once a second: a JPEG of at most 100 kB."""

    at_us: int
    picture: bytes


class Figures(Struct, frozen=True, tag="figures", array_like=True):
    """Counts since the start of the process, by name: frames, dropped, torn, reconnects, fruit, views, ..."""

    counts: dict[str, int]


class Drift(Struct, frozen=True, tag="drift", array_like=True):
    """What the camera sees has moved away from what the model learned from, or is as it was (empty detail)."""

    at_us: int
    detail: str


class Using(Struct, frozen=True, tag="using", array_like=True):
    """These models judge from the next `FrameSeen` on; told at the begin, at each change, and when one is refused."""

    model: str
    """NAME-VERSION-BACKEND-HASH."""
    good_below: float
    defective_from: float
    """As its manifest says."""
    shadow: str | None = None
    shadow_good_below: float | None = None
    shadow_defective_from: float | None = None
    refused: str = ""
    """Why not every model that was asked for is used: the one before decides, or none is tried. It is tried again."""


class Begin(Struct, frozen=True, tag="begin", array_like=True):
    """The first message to the inspector."""

    parent: int
    """Process id of the agent: when it is gone, so is the inspector."""
    line: str
    """The `SortingLine` of the site file, as JSON."""
    data: str
    """Data folder of the agent."""
    active: int | None
    """Version to begin with; None: the newest."""
    shadow: int | None


class WantCrop(Struct, frozen=True, tag="want", array_like=True):
    """Send the best picture of this fruit."""

    track: int


class UseModels(Struct, frozen=True, tag="models", array_like=True):
    """From the next frame on decide with `active`, and let `shadow` judge beside it. Versions of the line's crop."""

    active: int
    shadow: int | None


class UseThresholds(Struct, frozen=True, tag="thresholds", array_like=True):
    """What the customer of the lot takes as good: colours of the belt picture, nothing else. None: the manifest's."""

    good_below: float | None
    defective_from: float | None


Told = FrameSeen | CameraTold | Crop | BeltPicture | Figures | Drift | Using
Wanted = Begin | WantCrop | UseModels | UseThresholds
