"""Agents: how far each one's numbers are in the log, whether it is heard, and what of it was lost."""

from gateway.ledger import exceptions
from gateway.ledger.rows import Agent
from gateway.ledger.state import State
from gateway.records import AgentHeard, AgentSilent, BadMessages, DataLost, LogRow


def advance(state: State, row: LogRow) -> None:
    """A row of an agent is in the log."""
    agent = state.agents.rows.get(row.agent)
    if agent is None:
        agent = state.agents.put(row.agent, Agent(since_us=row.recorded_us))
    if row.epoch not in agent.through:
        agent.epoch = row.epoch
    agent.through[row.epoch] = row.seq
    state.agents.changed.add(row.agent)


def silent(state: State, row: LogRow, record: AgentSilent) -> None:
    """What the agent watches is unknown from now on, not absent: its items stay where they are."""
    agent = _of(state, record.agent, row.recorded_us)
    if agent.silent:
        return
    agent.silent, agent.since_us = True, row.recorded_us
    exceptions.begin(state, "agent_silent", record.agent, row.recorded_us)
    _show_all(state, record.agent)


def heard(state: State, row: LogRow, record: AgentHeard) -> None:
    """The agent is there."""
    agent = _of(state, record.agent, row.recorded_us)
    if agent.heard and not agent.silent:
        return
    agent.heard, agent.silent, agent.since_us = True, False, row.recorded_us
    exceptions.end(state, "agent_silent", record.agent, row.recorded_us, "heard again")
    _show_all(state, record.agent)


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
