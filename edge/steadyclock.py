"""Time that nobody sets: the order of coils, fruit and frames is by it, whatever the clock on the wall is set to."""

import time


def steady_us() -> int:
    """Microseconds of the machine's monotonic clock, which is the same in all of its processes. No date: it counts from
    some moment of its own, and not over a restart of the machine."""
    return time.monotonic_ns() // 1000
