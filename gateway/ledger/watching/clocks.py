"""Agents' clocks, judged by their heartbeats.

A heartbeat is late by its way, so that its clock seems to be behind: of the last ones the greatest is the truest (a
minimum filter over the delay, as in RFC 5905, section 10). What the log knows is told anew when the clock was set, or
when it is off by another time than before.
"""

from typing import Final

from contract.wire import Status
from gateway.ledger.pulse import Pulse
from gateway.records import ClockJudged

HEARTBEATS: Final = 6
TOLERATED_US: Final = 2_000_000
"""Clocks that differ by less are taken as the same: nothing goes from one door to another so fast."""


def judge(pulse: Pulse, status: Status, now_us: int) -> ClockJudged | None:
    """What is to be recorded after a heartbeat; it is then noted as said."""
    if pulse.clock_offset_us is None or not status.epoch:
        return None
    epoch, began, said_us = pulse.judged or ("", 0, 0)
    same = (epoch, began) == (status.epoch, status.began)
    pulse.offsets = [*(pulse.offsets[1 - HEARTBEATS :] if same else ()), pulse.clock_offset_us]
    ahead_us = max(pulse.offsets)
    if abs(ahead_us) < TOLERATED_US:
        ahead_us = 0
    if same and abs(ahead_us - said_us) < TOLERATED_US:
        return None
    pulse.judged = (status.epoch, status.began, ahead_us)
    if not same and ahead_us == said_us == 0:
        return None
    return ClockJudged(at_us=now_us, agent=status.agent, epoch=status.epoch, began=status.began, ahead_us=ahead_us)
