"""Whether a camera shows what is there: lost, blind or connected, in words for the staff. Pure; time is an argument.

A camera that shows nothing is dangerous when nobody notices: an empty belt and a covered lens look alike to a model.
"""

from typing import Final, Literal, NamedTuple

from edge.vision.messages import CameraTold

State = Literal["connected", "lost", "blind"]

DARK_HIGH: Final = 24.0
"""A picture whose brightest parts are darker than this (of 255) is black: lamp off, or a cap on the lens."""
GLARE_LOW: Final = 245.0
"""A picture whose darkest parts are brighter than this is white."""
FLAT: Final = 4.0
"""Less than this between dark and bright parts is no picture of a belt: even a clean one is not lit so evenly."""
CLEARER: Final = 1.5
"""A picture is only taken as good again when it is so much better than what made it blind."""
BLIND_S: Final = 0.5
CLEAR_S: Final = 1.0
"""A state must hold for so long before it is told: a hand before the lens is not worth an alarm."""
FIRST_US: Final = 5_000_000
"""How long the first picture may take, if nothing is known to be wrong: some cameras need seconds to answer."""
MOST_REASONS: Final = 5
"""Of one loss that are told; a new one is, each once."""
LEAST_FRAMES: Final = 3
"""And for so many pictures, however slow the camera."""


class Light(NamedTuple):
    """A picture's brightness, of 255, in parts of about a thirtieth of its width, so that noise does not matter."""

    low: float
    """Darker than this are two parts in a thousand."""
    high: float
    """Brighter than this are as many: less than the smallest fruit."""


class _Verge(NamedTuple):
    """The latest pictures say something else than the state."""

    against: str
    """What else is wrong with them, of a state that is blind anyway."""
    since_us: int
    pictures: int


class Sight:
    """What is known of one camera. Each method returns what is to be told, or None."""

    def __init__(self, stall_s: float, live: bool) -> None:
        """`live`: a sensor that has noise; pictures from a file may repeat themselves."""
        self._stall_us = round(stall_s * 1e6)
        self._live = live
        self._state: State | None = None
        self._detail = ""
        self._shown_us: int | None = None
        """The latest picture, or since when there should be one."""
        self._changed_us = 0
        self._repeats = 0
        self._trouble = ""
        self._reasons: set[str] = set()
        """Why it is lost, as told so far."""
        self._verge: _Verge | None = None
        self._size: tuple[int, int] | None = None

    @property
    def state(self) -> State | None:
        """As last told; None before the first picture."""
        return self._state

    def shown(self, now_us: int, light: Light, size: tuple[int, int], repeated: bool = False) -> CameraTold | None:
        """A picture of `size` (width, height) came; `repeated`: no pixel of it differs from the one before."""
        self._shown_us, self._trouble = now_us, ""
        if repeated and self._live:
            self._repeats += 1
        else:
            self._changed_us, self._repeats = now_us, 0
        resized = self._resized(size)
        wrong = self._wrong(now_us, light)
        if self._state in (None, "lost"):
            return self._tell("blind" if wrong else "connected", now_us, wrong or resized)
        if wrong != (self._detail if self._state == "blind" else ""):
            return self._on_the_verge(now_us, wrong, resized)
        self._verge = None
        return self._tell(self._state, now_us, resized) if resized and not wrong else None

    def began(self, now_us: int) -> None:
        """From now on there should be pictures."""
        if self._shown_us is None:
            self._shown_us = now_us

    def failed(self, now_us: int, detail: str) -> None:
        """The source says why there are no pictures; it is told once they have been missing for long enough."""
        self.began(now_us)
        self._trouble = detail

    def tick(self, now_us: int) -> CameraTold | None:
        """Time passed."""
        unknown = self._state is None and not self._trouble
        wait_us = max(self._stall_us, FIRST_US) if unknown else self._stall_us
        if self._shown_us is None or now_us - self._shown_us < wait_us:
            return None
        silent = f"no picture for {wait_us / 1e6:g} s: check the camera's power, its cable and its address"
        if self._state != "lost":
            return self._tell("lost", now_us, self._trouble or silent)
        if self._trouble in ("", *self._reasons) or len(self._reasons) == MOST_REASONS:
            return None
        return self._tell("lost", now_us, self._trouble)

    def ended(self, now_us: int) -> CameraTold | None:
        """No more pictures will come."""
        if self._state == "lost":
            return None
        return self._tell("lost", now_us, "its pictures are at their end: set repeat in the site file to begin anew")

    def _wrong(self, now_us: int, light: Light) -> str:
        """What is wrong with the picture, in words; what was wrong stays so until the picture is clearly better."""
        if fault := _fault(light, 1.0):
            return fault
        if self._frozen(now_us):
            return "the picture stands still, to the last pixel: switch the camera off and on"
        return self._detail if self._state == "blind" and _fault(light, CLEARER) else ""

    def _frozen(self, now_us: int) -> bool:
        return self._repeats >= LEAST_FRAMES and now_us - self._changed_us >= self._stall_us

    def _on_the_verge(self, now_us: int, wrong: str, resized: str) -> CameraTold | None:
        """The picture and the state disagree: once for long enough, the state follows."""
        turn = bool(wrong) != (self._state == "blind")
        against = wrong if not turn else ""
        if self._verge is None or self._verge.against != against:
            self._verge = _Verge(against, now_us, 0)
        self._verge = self._verge._replace(pictures=self._verge.pictures + 1)
        wait_us = round((BLIND_S if wrong else CLEAR_S) * 1e6)
        settled = self._verge.pictures >= LEAST_FRAMES and now_us - self._verge.since_us >= wait_us
        if not settled and not self._frozen(now_us):
            return None
        return self._tell("blind" if wrong else "connected", now_us, wrong or resized)

    def _resized(self, size: tuple[int, int]) -> str:
        before, self._size = self._size, size
        if before is None or before == size:
            return ""
        return (
            f"the picture is now {size[0]} x {size[1]}, it was {before[0]} x {before[1]}: check the camera's settings"
        )

    def _tell(self, state: State, now_us: int, detail: str) -> CameraTold:
        self._state, self._detail, self._verge = state, detail, None
        self._reasons = {*self._reasons, detail} if state == "lost" else set()
        return CameraTold(state, now_us, detail)


def _fault(light: Light, ease: float) -> str:
    if light.high < DARK_HIGH * ease:
        return "the picture is black: take the cap off the lens, or switch the lamp on"
    if light.low > 255 - (255 - GLARE_LOW) * ease:
        return "the picture is white: shade the lens, or shorten the exposure"
    if light.high - light.low < FLAT * ease:
        return "the picture shows one even colour: uncover the lens, or clean it"
    return ""
