"""The two times of a simulated world."""

import time


class WorldClock:
    """World time runs `speed` times as fast as the wall; the physics of a door follows the wall."""

    def __init__(self, speed: float) -> None:
        self.speed = speed
        self._began_s = time.monotonic()

    def world_s(self) -> float:
        """World time in seconds since the world was made."""
        return (time.monotonic() - self._began_s) * self.speed

    def wall_us(self) -> int:
        """Microseconds since 1970-01-01 UTC."""
        return time.time_ns() // 1000
