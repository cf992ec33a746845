"""The exceptions' own log: how each was at the end of every commit that changed it. It follows from the rows, and is
kept for those who read the log behind the gateway: the history draws it."""

from collections.abc import Iterator
from typing import Literal

from msgspec import Struct

from gateway.ledger.rows import Incident
from gateway.ledger.state import State
from gateway.ledger.troubles import exceptionkinds

ExceptionState = Literal["opened", "changed", "snoozed", "resolved", "reopened"]


class ExceptionChange(Struct, frozen=True, kw_only=True):
    """What became of one exception in one commit: how it is at the commit's end."""

    key: str
    kind: str
    subject: str
    severity: str
    state: ExceptionState
    count: int
    opened_us: int
    recorded_us: int
    """Of the commit."""
    claimed_by: str | None = None
    resolved_by: str | None = None
    """None for one that is open, or that ended by itself."""
    reason: str | None = None
    decision: str | None = None


def changes(state: State, recorded_us: int) -> Iterator[ExceptionChange]:
    """Of the exceptions that differ since the tables were last written, in order of their ids."""
    for key in sorted(state.exceptions.changed):
        incident = state.exceptions.rows[key]
        yield ExceptionChange(
            key=key,
            kind=incident.kind,
            subject=incident.subject,
            severity=exceptionkinds.severity(incident),
            state=_state(incident, recorded_us),
            count=incident.count,
            opened_us=incident.opened_us,
            recorded_us=recorded_us,
            claimed_by=incident.claimed_by,
            resolved_by=incident.resolved_by,
            reason=incident.reason,
            decision=incident.decision,
        )


def _state(incident: Incident, recorded_us: int) -> ExceptionState:
    if not incident.open:
        return "resolved"
    if incident.opened_us == recorded_us:
        return "opened"
    if incident.snoozed_until_us is not None:
        return "snoozed"
    return "reopened" if incident.reopened and incident.updated_us == recorded_us else "changed"
