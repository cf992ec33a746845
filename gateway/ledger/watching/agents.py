"""Agents: how far each one's numbers are in the log, whether it is heard, and what of it was lost."""

from typing import Final

from msgspec.structs import replace

from gateway.ledger.goods import looks
from gateway.ledger.rows import Agent
from gateway.ledger.state import State
from gateway.ledger.troubles import exceptions
from gateway.records import AgentHeard, AgentSilent, BadMessages, ClockJudged, DataLost, LogRow

CLOCKS: Final = 8
"""Times that an agent's clock began to go otherwise which are remembered: its outbox may be behind by days."""
ODD_CLOCK_US: Final = 60_000_000
"""So far off, staff should see to a clock."""


def advance(state: State, row: LogRow) -> None:
    """A row of an agent is in the log."""
    agent = state.agents.rows.get(row.agent)
    if agent is None:
        agent = state.agents.put(row.agent, Agent(since_us=row.recorded_us))
    if row.epoch not in agent.through:
        agent.epoch = row.epoch
    agent.through[row.epoch], agent.last_us = row.seq, row.at_us
    state.agents.changed.add(row.agent)


def silent(state: State, row: LogRow, record: AgentSilent) -> None:
    """What the agent watches is unknown from now on, not absent: its items stay where they are."""
    agent = _of(state, record.agent, row.recorded_us)
    if agent.silent:
        return
    agent.silent, agent.since_us = True, row.recorded_us
    looks.agent(state, record.agent, row.recorded_us - state.house.silent_us, heard=False)
    exceptions.begin(state, "agent_silent", record.agent, row.recorded_us)
    _show_all(state, record.agent)


def heard(state: State, row: LogRow, record: AgentHeard) -> None:
    """The agent is there."""
    agent = _of(state, record.agent, row.recorded_us)
    if agent.heard and not agent.silent:
        return
    agent.heard, agent.silent, agent.since_us = True, False, row.recorded_us
    looks.agent(state, record.agent, row.recorded_us, heard=True)
    exceptions.end(state, "agent_silent", record.agent, row.recorded_us, "heard again")
    _show_all(state, record.agent)


def clock_judged(state: State, row: LogRow, record: ClockJudged) -> None:
    """Its clock is another one than the gateway's. An odd clock is for staff to see to; its events are corrected."""
    agent = _of(state, record.agent, row.recorded_us)
    agent.clocks = [*agent.clocks[1 - CLOCKS :], (record.epoch, record.began, record.ahead_us)]
    ahead_s = round(record.ahead_us / 1e6, 1)
    if abs(record.ahead_us) > ODD_CLOCK_US:
        exceptions.begin(state, "clock_stepped", record.agent, row.recorded_us, 1, {"ahead_s": ahead_s})
    else:
        exceptions.end(state, "clock_stepped", record.agent, row.recorded_us, "as the gateway's")


def corrected(state: State, row: LogRow) -> LogRow:
    """The row with its event time by the gateway's clock."""
    agent = state.agents.rows.get(row.agent)
    if agent is None or not agent.clocks:
        return row
    for epoch, began, ahead_us in reversed(agent.clocks):
        if row.epoch == epoch and row.seq > began:
            return replace(row, at_us=max(0, row.at_us - ahead_us)) if ahead_us else row
    return row


def lost_data(state: State, row: LogRow, record: DataLost) -> None:
    """Events of an agent are gone, or may be."""
    exceptions.add(state, "data_lost", record.agent, row.recorded_us, 1, {"detail": record.detail})


def bad_messages(state: State, row: LogRow, record: BadMessages) -> None:
    """Messages that could not be read stand in the dead-letter table."""
    exceptions.add(state, "bad_message", record.agent, row.recorded_us, record.count, {"reason": record.reason})


def _of(state: State, name: str, now_us: int) -> Agent:
    agent = state.agents.get(name) or Agent(since_us=now_us)
    return state.agents.put(name, agent)


def _show_all(state: State, name: str) -> None:
    for device, known in state.house.devices.items():
        if known.agent == name:
            state.shown.add(("devices", device))
            if known.door is not None:
                state.shown.add(("doors", known.door))
