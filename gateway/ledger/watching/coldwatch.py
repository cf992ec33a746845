"""What only time tells of the cold chain: sensors that tell nothing any more, doors that stand open."""

from collections.abc import Callable, Iterator, Mapping

from gateway.ledger.pulse import Pulse
from gateway.ledger.rows import Condition
from gateway.ledger.state import State
from gateway.ledger.watching import devices, sensors
from gateway.records.coldrecords import DoorLeftOpen, SensorSilent
from gateway.records.stockrecords import SensorOf

MIN_QUIET_S = 60.0
QUIET_READINGS = 5
"""A sensor that lacks so many readings is silent, but not sooner than after `MIN_QUIET_S`."""


def due(
    state: State,
    pulses: Mapping[str, Pulse],
    behind: Callable[[str, Pulse], bool],
    started_us: int,
    now_us: int,
) -> Iterator[SensorSilent | DoorLeftOpen]:
    """What is to be recorded now. Where the agent or the Modbus device is away, or has not told all, it is they that
    are missed: nothing is known of their sensors."""
    for name, condition in state.conditions.rows.items():
        sensor = state.house.sensors.get(name)
        pulse = pulses.get(sensor.agent) if sensor else None
        if sensor is None or pulse is None or pulse.heard_us is None or not pulse.here:
            continue
        if devices.unreachable(state, sensor.device) or behind(sensor.agent, pulse):
            continue
        quiet_s = (now_us - _since_us(state, sensor, condition, started_us)) / 1e6
        if quiet_s > max(MIN_QUIET_S, QUIET_READINGS * sensor.every_s):
            if not condition.silent and not sensors.blind(state, name):
                yield SensorSilent(at_us=now_us, device=name, quiet_s=quiet_s)
        elif _left_open(sensor, condition, now_us + (pulse.clock_offset_us or 0)):
            assert condition.since_us is not None
            assert sensor.open_s is not None
            zone, since_us = condition.zone, condition.since_us
            yield DoorLeftOpen(at_us=now_us, device=name, zone=zone, since_us=since_us, limit_s=sensor.open_s)


def _since_us(state: State, sensor: SensorOf, condition: Condition, started_us: int) -> int:
    """Since when it could have told something: we run, its agent is heard, its device answers."""
    agent, device = state.agents.get(sensor.agent), state.devices.get(sensor.device)
    return max(started_us, condition.recorded_us, agent.since_us if agent else 0, device.since_us if device else 0)


def _left_open(sensor: SensorOf, condition: Condition, agents_now_us: int) -> bool:
    if condition.quantity != "door_open" or sensor.open_s is None or condition.since_us is None or condition.alarm:
        return False
    return agents_now_us - condition.since_us > sensor.open_s * 1e6
