"""Exceptions: one for each thing that staff should look at, from its beginning to its end.

There is at most one open exception of a kind about a subject; what happens again while it is open changes that one.
Ids are the same however often the log is folded: `{kind}-{subject}-{n}`, the n-th of its kind about its subject.
"""

import hashlib
import re
from collections.abc import Mapping
from typing import Literal

from gateway.ledger.rows import ExceptionKind, Incident, Param
from gateway.ledger.state import State
from gateway.records import Decision, ExceptionResolved, LogRow

_QUIET = frozenset(
    {"unknown_direction", "empty_pass", "clock_stepped", "bad_message", "unknown_line", "drift", "gate_missed"}
)
"""Somebody should look; the others are wrong already."""
KEPT_RESOLVED = 20
"""Resolved exceptions that stay in memory and on the page; the others stay on disk."""

Params = Mapping[str, Param]
_NONE: Params = {}
_PLAIN = re.compile(r"[A-Za-z0-9_.+-]{1,60}")


def begin(state: State, kind: ExceptionKind, subject: str, now_us: int, count: int = 1, params: Params = _NONE) -> None:
    """Open an exception; if it is open already, its count and params are what they are now."""
    if not update(state, kind, subject, now_us, count, params):
        incident = Incident(kind, subject, count, dict(params), opened_us=now_us, updated_us=now_us)
        n = state.number(f"exception {kind} {subject}")
        key = f"{kind}-{_plain(subject)}-{n}"
        state.exceptions.put(key, incident)
        state.index.open_exceptions[kind, subject] = key


def add(state: State, kind: ExceptionKind, subject: str, now_us: int, count: int = 1, params: Params = _NONE) -> None:
    """It happened again (or for the first time): the count grows."""
    incident = current(state, kind, subject)
    begin(state, kind, subject, now_us, count + (incident.count if incident else 0), params)


def update(
    state: State, kind: ExceptionKind, subject: str, now_us: int, count: int = 1, params: Params = _NONE
) -> bool:
    """Change an exception if it is open; says whether it is."""
    incident = current(state, kind, subject)
    if incident is None:
        return False
    if incident.count != count or any(incident.params.get(name) != value for name, value in params.items()):
        incident.count = count
        incident.params |= params
        incident.updated_us = now_us
        state.exceptions.touch(state.index.open_exceptions[kind, subject])
    return True


def end(
    state: State,
    kind: ExceptionKind,
    subject: str,
    now_us: int,
    reason: str,
    who: str | None = None,
    decision: Decision | None = None,
) -> None:
    """It is no longer so: the exception closes, if it is open, by itself or because somebody did something else."""
    key = state.index.open_exceptions.get((kind, subject))
    if key is not None:
        _close(state, key, now_us, who, reason, decision)


def resolve(state: State, row: LogRow, record: ExceptionResolved) -> None:
    """Somebody dealt with it. One that is unknown or already closed stays as it is."""
    if is_open(state, record.id):
        _close(state, record.id, row.recorded_us, record.who, record.why, record.decision)


def is_open(state: State, key: str) -> bool:
    """Whether nobody has dealt with it yet."""
    incident = state.exceptions.get(key)
    return incident is not None and incident.open


def current(state: State, kind: ExceptionKind, subject: str) -> Incident | None:
    """The open exception of a kind about a subject."""
    key = state.index.open_exceptions.get((kind, subject))
    return None if key is None else state.exceptions.rows[key]


def severity(kind: ExceptionKind) -> Literal["wrong", "attention"]:
    """How loud it is: something is wrong, or somebody should look."""
    return "attention" if kind in _QUIET else "wrong"


def reindex(state: State) -> None:
    """Derive the index from the table."""
    for key, incident in state.exceptions.rows.items():
        if incident.open:
            state.index.open_exceptions[incident.kind, incident.subject] = key


def trim(state: State) -> list[str]:
    """Let all but the last resolved ones leave the memory; their keys. Call it when everything is written."""
    resolved = [(row.updated_us, key) for key, row in state.exceptions.rows.items() if not row.open]
    if len(resolved) <= KEPT_RESOLVED:
        return []
    old = [key for _, key in sorted(resolved)[:-KEPT_RESOLVED]]
    for key in old:
        state.exceptions.forget(key)
    return old


def _close(state: State, key: str, now_us: int, who: str | None, why: str, decision: Decision | None) -> None:
    incident = state.exceptions.rows[key]
    incident.open = False
    incident.resolved_by = who
    incident.reason = why
    incident.decision = decision
    incident.updated_us = now_us
    state.exceptions.touch(key)
    del state.index.open_exceptions[incident.kind, incident.subject]


def _plain(subject: str) -> str:
    """The subject as it may stand in an id and in a path: itself, or (long or with odd characters) its digest."""
    return subject if _PLAIN.fullmatch(subject) else hashlib.sha256(subject.encode()).hexdigest()[:16]
