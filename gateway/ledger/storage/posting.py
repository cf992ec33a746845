"""Postings: every change of a balance, with the row of the log that made it. They answer "why 42?"."""

from typing import NamedTuple


class Posting(NamedTuple):
    """Units of one SKU, lot and disposition came into a zone (above 0) or left it. Written with the row, never changed.

    A unit that goes from one zone to another, or changes its disposition, is two postings.
    """

    row: int
    """Id in the log."""
    at_us: int
    """Event time."""
    recorded_us: int
    sku: str
    zone: str
    lot: str
    """Empty: none is known."""
    disposition: str
    change: int
    level: int
    """Units of the SKU in the zone, of all lots and dispositions, after it."""
    epc: str
    """Of a tagged unit; empty for others."""
