"""Where the antennas of a door hang, and what the room around them is like.

     inside
[1]         [4]     y = +1.2 m, looking across and a little inwards
 |  |-----|  |      y =  0, the plane of the door
[2]         [3]     y = -1.2 m, looking across and a little outwards
     outside
"""

from collections.abc import Sequence

from firmware_sim.radio import Antenna, RoomRules

WIDTH_M, DEPTH_M = 2.6, 2.4
SPLAY_M = 0.6
"""How far away from the plane of the door a panel looks, in the middle of the way."""
PORTAL_ROOM = RoomRules(reflection=0.15, beam_exponent=2.0)
"""Panels with a beam, and curtains that swallow most of what walls and floor throw back."""


def portal_antennas(inside: Sequence[int], outside: Sequence[int]) -> tuple[Antenna, ...]:
    """The antennas of one reader: each side's ports go left, right, left, ... with the door's inside ahead."""
    sides = ((inside, 1), (outside, -1))
    return tuple(
        Antenna(
            port,
            (WIDTH_M / 2) * (-1 if place % 2 == 0 else 1),
            sign * DEPTH_M / 2,
            toward=(0.0, sign * (DEPTH_M / 2 + SPLAY_M)),
        )
        for ports, sign in sides
        for place, port in enumerate(ports)
    )
