"""Records about the cold chain: what only time tells of its sensors (gateway/ledger/watching/coldwatch.py notices it).

`gateway.records` lists every record of the log.
"""

from msgspec import Struct

from contract.events import Micros, Name


class SensorSilent(Struct, frozen=True, kw_only=True, tag_field="kind", tag="sensor_silent"):
    """A sensor tells nothing any more though its agent is heard and its Modbus device answers."""

    at_us: Micros
    device: Name
    """The sensor."""
    quiet_s: float


class DoorLeftOpen(Struct, frozen=True, kw_only=True, tag_field="kind", tag="door_left_open"):
    """A door has stood open for longer than it may."""

    at_us: Micros
    device: Name
    """The door's contact."""
    zone: Name
    since_us: Micros
    """By the agent's clock."""
    limit_s: float
