"""The settings that a survey tries, and for how long."""

from collections.abc import Mapping, Sequence
from typing import Final

from contract.portals import Door
from edge.llrp.powers import Power, lowered
from edge.siting.measured import Setting

DOWN_DB: Final = (0.0, 1.5, 3.0, 6.0)
"""Powers, below the configured one: all of it, 70 %, a half, a quarter."""
OTHER_SESSIONS: Final = (0, 2)
"""Beside S1. S3 keeps its flag as S2 does."""
USUAL_SESSION: Final = 1
FINAL_SHARE: Final = 0.4
"""Of the time, for the proposed settings: there the margin is measured and the test tag walked."""


def power_settings(door: Door, tables: Mapping[str, Sequence[Power]]) -> list[Setting]:
    """The highest power first; fewer where the readers do not offer so many. `tables` by reader."""
    found: list[Setting] = []
    for down_db in DOWN_DB:
        entries = {
            reader.name: lowered(tables.get(reader.name, ()), reader.transmit_power, down_db) for reader in door.readers
        }
        powers = {name: power for name, power in entries.items() if power is not None}
        if not found or powers != found[-1].powers:
            top = found[0].powers if found else powers
            by_db = max((top[name].dbm - power.dbm for name, power in powers.items()), default=0.0)
            found.append(Setting(by_db, powers, USUAL_SESSION))
    return found


def step_s(total_s: float, powers: int) -> float:
    """For how long each setting but the last is measured."""
    return total_s * (1 - FINAL_SHARE) / (powers + len(OTHER_SESSIONS))
