"""What a reader link gives: reads, on the agent's clock."""

from typing import NamedTuple


class Read(NamedTuple):
    """One tag, read once (or a few times in a row, if the reader says so) by one antenna."""

    at_us: int
    """By the agent's clock, mapped from the reader's."""
    epc: str
    """EPC memory bank, lower-case hexadecimal."""
    antenna: int
    rssi_dbm: float
    reader: str
    channel: int | None = None
    """As the reader numbers them; None: it did not say."""
    phase: int | None = None
    """0 to 4095 for a full turn, half a turn ambiguous (Impinj); None: the reader does not send it."""
