"""Whose turn it is to be looked at: pure.

A fruit's way from where it is wholly in the picture to the photo-eye is cut into as many parts as it shall have views,
and a view is due in each. One that was missed (a dropped frame, a merge, no time) is made up for later.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

from contract.sortingline import Views

MOST_A_FRAME: Final = 8
"""With more that are due, those with the fewest views go first, and of these the ones that leave first."""


class Candidate(NamedTuple):
    """One fruit that is wholly seen in this frame."""

    track: int
    along: float
    length: float
    looked: int
    """How often it was looked at so far."""


def chosen(fruit: Sequence[Candidate], views: Views, eye_at: float) -> list[int]:
    """The tracks to look at now. `eye_at`: as in the site file."""
    due = [one for one in fruit if one.looked < min(views.most, _parts(one, views.most, eye_at))]
    due.sort(key=lambda one: (one.looked, -one.along))
    return [one.track for one in due[:MOST_A_FRAME]]


def _parts(fruit: Candidate, most: int, eye_at: float) -> int:
    """In which part of its way it is, from 1. Where the eye is not ahead, the way goes to the picture's end."""
    begin, end = fruit.length / 2, 1 - fruit.length / 2
    if begin < eye_at < end:
        end = eye_at
    return most if end <= begin else max(0, int((fruit.along - begin) / (end - begin) * most)) + 1
