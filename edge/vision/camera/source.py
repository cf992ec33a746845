"""What all kinds of cameras share, whatever reads them: mjpeglink.py, stream.py, folder.py."""

from typing import Final, NamedTuple, Protocol

from contract.sortingline import AnyCamera, MjpegCamera, RtspCamera, UsbCamera
from edge.vision.views import Image

LIVE: Final = (MjpegCamera, RtspCamera, UsbCamera)
"""Kinds with a sensor: a picture that repeats itself to the last pixel is none. Only these are reconnected."""
OPEN_S: Final = 5.0
"""How long a camera may take to answer."""
MARGIN_S: Final = 5.0
TORN: Final = "its pictures are torn: check its cable, and let fewer programs watch it"


class Taken(NamedTuple):
    """One picture as it arrived."""

    at_us: int
    """When its first octet arrived: microseconds of the steady clock."""
    picture: bytes | Image
    """A JPEG that is yet to be decoded, or RGB."""
    seq: int = 0
    """Counts from 1, as soon as it is known."""


class Host(Protocol):
    """Who reads the pictures."""

    def pause(self, wait_s: float) -> None:
        """Sleep so long, and no driver hangs."""

    def count(self, name: str, by: int = 1) -> None:
        """Something worth a figure happened."""

    def note(self, detail: str) -> None:
        """Something worth a line in the log happened."""

    def trouble(self, detail: str) -> None:
        """This is why pictures may be missing."""

    def complaint(self) -> str:
        """What the C libraries have said on stderr since the last time."""


def patience_s(camera: AnyCamera) -> float:
    """How long its driver may be silent before it hangs: longer than every time limit of its own."""
    return OPEN_S + camera.stall_s + MARGIN_S
