"""A sorting line's belt: which fruit lies on it, and where, at every moment. Pure state; pictures stand in footage.py.

    picture 0.0          picture 1.0
       |  o      o      o  |    |
       |------ camera -----|   gate       the eye may stand in the picture or behind it
    entered        eye

A place is counted in picture lengths along the way of the belt, a time in microseconds since 1970-01-01 UTC. The belt
runs in real time, whatever the speed of the world: a camera and a gate cannot be hurried.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable
from random import Random
from typing import Literal, NamedTuple

from msgspec import Struct

SLOWEST = 0.35
"""Picture lengths that the belt runs in a second, at least."""
PULSES = 1000
"""Encoder pulses a picture length."""
FRUIT_SHARE = 0.28
"""Length of a fruit as a share of the picture's shorter side."""
ROOM = 1.45
"""Mean distance between two fruit, in fruit."""
AHEAD_US = 2_000_000
"""Fruit that comes within this time is told of, so that it can be drawn before it is seen."""

Way = Literal["right", "left", "down", "up"]


class Track(Struct, frozen=True, kw_only=True):
    """The ground plan of a line."""

    width_px: int = 640
    height_px: int = 360
    moves: Way = "right"
    eye_at: float = 0.9
    """Place of the photo-eye."""
    travel_s: float = 0.5
    """From the eye to the gate."""
    fruit_per_s: float = 1.5
    """On average, while a lot runs."""
    touching: float = 0.0
    """Share of fruit that touches the one before it."""

    @property
    def length_px(self) -> int:
        """Of the picture, along the way of the belt."""
        return self.width_px if self.moves in ("right", "left") else self.height_px

    @property
    def breadth_px(self) -> int:
        """Of the picture, across it."""
        return self.height_px if self.moves in ("right", "left") else self.width_px

    @property
    def fruit_px(self) -> float:
        """The usual length of a fruit."""
        return FRUIT_SHARE * min(self.width_px, self.height_px)

    @property
    def speed(self) -> float:
        """Picture lengths a second: so fast that the fruit has room."""
        return max(SLOWEST, self.fruit_per_s * ROOM * self.fruit_px / self.length_px)


class Piece(NamedTuple):
    """One piece of fruit on its way. Times are those at which its middle is there."""

    number: int
    """1 is the first of the line."""
    seed: int
    defective: bool
    lot: str | None
    size_px: int
    aside: float
    """Off the middle of the belt, as a share of the picture's breadth."""
    turn: float
    """Its turn about its long axis when it enters, in radians."""
    entered_us: int
    eye_us: int
    gate_us: int


class Belt:
    """One belt. The same seed and the same lots give the same fruit."""

    def __init__(self, track: Track, seed: int, began_us: int) -> None:
        self.track = track
        self.pieces: list[Piece] = []
        """What is on the belt or still to come; of what is over, the last piece and what nobody has let go yet."""
        self._machines: list[Callable[[], int]] = []
        self._seed = seed
        self.began_us = began_us
        self._leaves_us = round((1 + track.fruit_px / track.length_px) / track.speed * 1e6)

    def attend(self, machine: Callable[[], int]) -> None:
        """Let no piece go that this machine may still ask for: it tells the number of the last one that it is done
        with."""
        self._machines.append(machine)

    def begin(self, lot: str | None, defective_share: float, count: int, now_us: int) -> None:
        """Lay a lot of `count` pieces on the belt, behind whatever is on it; the first is in view within moments."""
        self._clear(now_us)
        ahead = self.pieces[-1] if self.pieces else None
        for _ in range(count):
            ahead = self._next(ahead, lot, defective_share, now_us)
            self.pieces.append(ahead)

    def stop(self, now_us: int) -> None:
        """Lay no more: what has come neither into view nor to the eye never comes."""
        in_view_us = now_us + self._ride_us(self.track.fruit_px / self.track.length_px)
        self.pieces = [one for one in self.pieces if one.entered_us <= in_view_us or one.eye_us <= now_us]

    def piece(self, number: int) -> Piece | None:
        """That one, None if it was not laid."""
        place = number - self.pieces[0].number if self.pieces else 0
        assert place >= 0, f"piece {number} was let go"
        return self.pieces[place] if place < len(self.pieces) else None

    def near(self, now_us: int) -> list[Piece]:
        """What is in the picture or soon will be, the first to leave first."""
        pieces = self.pieces
        first = bisect_left(pieces, now_us - self._leaves_us, key=_entered)
        return pieces[first : bisect_right(pieces, now_us + AHEAD_US, key=_entered)]

    def place(self, piece: Piece, now_us: int) -> float:
        """Where its middle is."""
        return (now_us - piece.entered_us) / 1e6 * self.track.speed

    def travelled(self, now_us: int) -> float:
        """Picture lengths that the belt has run since it began."""
        return (now_us - self.began_us) / 1e6 * self.track.speed

    @property
    def laid(self) -> int:
        """How many pieces there were and will be; the number of the last one."""
        return self.pieces[-1].number if self.pieces else 0

    @property
    def empty_us(self) -> int:
        """When everything is past the gate and out of the picture."""
        if not self.pieces:
            return self.began_us
        return self._over_us(self.pieces[-1])

    def _over_us(self, piece: Piece) -> int:
        """When it is past the gate and out of the picture."""
        return max(piece.gate_us, piece.entered_us + self._leaves_us)

    def _clear(self, now_us: int) -> None:
        """Let go what is over, but for the last piece: the next one comes behind it."""
        over = [one for one in self.pieces[:-1] if self._over_us(one) <= now_us]
        done = min([machine() for machine in self._machines], default=self.laid)
        self.pieces = self.pieces[sum(one.number <= done for one in over) :]

    def _ride_us(self, lengths: float) -> int:
        return round(lengths / self.track.speed * 1e6)

    def _next(self, ahead: Piece | None, lot: str | None, defective_share: float, now_us: int) -> Piece:
        """The piece behind `ahead`. What it is depends on its number and the seed alone."""
        track, number = self.track, ahead.number + 1 if ahead else 1
        random = Random(f"belt {self._seed} {number}")
        defective = random.random() < defective_share
        size_px = round(track.fruit_px * random.uniform(0.88, 1.1))
        touches, spread = random.random() < track.touching, random.uniform(0.84, 1.16)
        entered_us = now_us + self._ride_us(track.fruit_px / track.length_px - min(0.0, track.eye_at))
        if ahead is not None:
            apart_px = 0.46 * (size_px + ahead.size_px) if touches else spread / (track.fruit_per_s or 1) * self._px_s
            entered_us = max(entered_us, ahead.entered_us + round(apart_px / self._px_s * 1e6))
        aside = ahead.aside if touches and ahead is not None else random.uniform(-0.1, 0.1)
        return Piece(
            number=number,
            seed=random.randrange(2**31),
            defective=defective,
            lot=lot,
            size_px=size_px,
            aside=aside,
            turn=random.uniform(-0.35, 0.0),
            entered_us=entered_us,
            eye_us=entered_us + self._ride_us(track.eye_at),
            gate_us=entered_us + self._ride_us(track.eye_at) + round(track.travel_s * 1e6),
        )

    @property
    def _px_s(self) -> float:
        return self.track.speed * self.track.length_px


def _entered(piece: Piece) -> int:
    return piece.entered_us
