"""Where the antennas of a door hang, and what the room around them is like.

     inside
[1]         [4]     y = +1.2 m, looking across and a little inwards
 |  |-[5]-|  |      y =  0, the plane of the door; overhead, looking down
[2]         [3]     y = -1.2 m, looking across and a little outwards
     outside
"""

from collections.abc import Sequence

from firmware_sim.radio import Antenna, RoomRules

WIDTH_M, DEPTH_M = 2.6, 2.4
SPLAY_M = 0.6
"""How far away from the plane of the door a panel looks, in the middle of the way."""
ABOVE_M = 1.8
"""How far above the tags those overhead hang: under the lintel of a gate of three metres."""
PORTAL_ROOM = RoomRules(reflection=0.15, beam_exponent=2.0)
"""Panels with a beam, and curtains that swallow most of what walls and floor throw back."""


def portal_antennas(inside: Sequence[int], outside: Sequence[int], neutral: Sequence[int] = ()) -> tuple[Antenna, ...]:
    """The antennas of one reader: each side's ports go left, right, left, ... with the door's inside ahead; those of
    neither side hang overhead, evenly from left to right."""
    sides = ((inside, 1), (outside, -1))
    panels = [
        Antenna(
            port,
            (WIDTH_M / 2) * (-1 if place % 2 == 0 else 1),
            sign * DEPTH_M / 2,
            toward=(0.0, sign * (DEPTH_M / 2 + SPLAY_M)),
        )
        for ports, sign in sides
        for place, port in enumerate(ports)
    ]
    apart_m = WIDTH_M / (len(neutral) + 1)
    panels += [
        Antenna(port, place * apart_m - WIDTH_M / 2, 0.0, above_m=ABOVE_M) for place, port in enumerate(neutral, 1)
    ]
    return tuple(panels)
