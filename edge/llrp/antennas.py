"""Which of the antennas that shall read are unplugged.

A door whose antenna hangs loose still reads on its other side, and so reads everything as moving the wrong way: the
reader counts as blind until the antenna is back. A reader tells of its antennas in its configuration
(AntennaProperties, LLRP 1.0.1 section 12.2) and when one comes or goes (AntennaEvent, section 13.2.6). Some cannot tell
and list all of them as unplugged: so a read is better evidence than a list.
"""

from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from edge.llrp.read import Read

SETTLE_US: Final = 2_000_000
"""An antenna that is back is believed after so long: a loose plug comes and goes."""


class _Unplugged(NamedTuple):
    since_us: int
    told: bool
    """By an event; else by the reader's list."""
    back_us: int | None = None

    def counts(self, now_us: int) -> bool:
        return self.back_us is None or now_us < self.back_us + SETTLE_US


class Antennas:
    """The antennas of one connection; all times are the agent's, in microseconds."""

    def __init__(self, wanted: frozenset[int]) -> None:
        self._wanted = wanted
        self._unplugged: dict[int, _Unplugged] = {}

    def listed(self, connected: Mapping[int, bool], now_us: int) -> None:
        """The reader's list of them as it is now."""
        gone = [antenna for antenna in self._wanted if not connected.get(antenna, True)]
        self._unplugged = {antenna: _Unplugged(now_us, told=False) for antenna in gone}

    def lost(self, antenna: int, at_us: int) -> bool:
        """The reader tells that one is gone; gives whether it is ours and was there."""
        new = antenna in self._wanted and antenna not in self._unplugged
        if antenna in self._wanted:
            self._unplugged[antenna] = _Unplugged(at_us, told=True)
        return new

    def back(self, antenna: int, at_us: int) -> None:
        """The reader tells that one is there again."""
        if antenna in self._unplugged:
            self._unplugged[antenna] = self._unplugged[antenna]._replace(back_us=at_us)

    def heard(self, reads: Iterable[Read]) -> None:
        """An antenna that reads is there; and if the reader's list denied it, that list is worth nothing."""
        if not self._unplugged:
            return
        for read in reads:
            plug = self._unplugged.get(read.antenna)
            if plug is None or plug.back_us is not None or read.at_us <= plug.since_us:
                continue
            if plug.told:
                self.back(read.antenna, read.at_us)
            else:
                self._unplugged = {antenna: one for antenna, one in self._unplugged.items() if one.told}

    def trouble(self, now_us: int) -> str:
        """Which are unplugged, for people; empty if none is."""
        if not self._unplugged:
            return ""
        self._unplugged = {antenna: plug for antenna, plug in self._unplugged.items() if plug.counts(now_us)}
        names = " and ".join(str(antenna) for antenna in sorted(self._unplugged))
        match len(self._unplugged):
            case 0:
                return ""
            case 1:
                return f"antenna {names} is disconnected: check its cable"
        return f"antennas {names} are disconnected: check their cables"
