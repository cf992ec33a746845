"""What the radio remembers of a tag between two looks at it."""

S1_PERSISTENCE_S = (0.5, 5.0)
S2_PERSISTENCE_US = 2_000_000
"""How long the inventoried flag of a session outlasts: S1's its setting, powered or not; S2's and S3's the loss of
power, at least (Gen2 table 6.20). S0's does not outlast the turn of an antenna."""


class Carried:
    """What the model remembers of a tag: its own gain, the antennas that it is hidden from just now, its movement."""

    __slots__ = ("at_us", "gain_db", "hidden", "powered_us", "read_us", "s1_us", "speed", "x_m", "y_m")

    def __init__(self, gain_db: float, hidden: set[int], x_m: float, y_m: float, at_us: int, s1_us: int) -> None:
        self.gain_db, self.hidden = gain_db, hidden
        self.x_m, self.y_m, self.at_us = x_m, y_m, at_us
        self.speed = (0.0, 0.0)
        """In m/s along x and y."""
        self.s1_us = s1_us
        """How long its flag of session 1 lasts."""
        self.read_us: int | None = None
        """When its inventoried flag was last set, by a reader that minds it."""
        self.powered_us = at_us

    def is_silent(self, session: int, now_us: int) -> bool:
        """Whether its inventoried flag keeps it from answering."""
        if self.read_us is None or session == 0:
            return False
        if session == 1:
            return now_us - self.read_us < self.s1_us
        return now_us - self.powered_us < S2_PERSISTENCE_US
