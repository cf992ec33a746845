"""Exceptions: one for each thing that staff should look at, from its beginning to its end.

There is at most one open exception of a kind about a subject; what happens again while it is open changes that one.
Ids are the same however often the log is folded: `{kind}-{subject}-{n}`, the n-th of its kind about its subject.

    begin --> open --> end      it is over by itself
               |  ^
      resolve  v  |  reopened: the resolution is taken back, or (`exceptionkinds.LASTING`) it is still so
             resolved

While it is open somebody may claim it, or snooze it: then nobody wants to hear of it until a moment, unless it gets
worse (more of it, or louder), which wakes it at once.
"""

import hashlib
import re
from collections.abc import Mapping

from gateway.ledger.rows import ExceptionKind, Incident, Param
from gateway.ledger.state import State
from gateway.ledger.troubles import exceptionkinds
from gateway.records import (
    Ceased,
    Decision,
    ExceptionClaimed,
    ExceptionReopened,
    ExceptionResolved,
    ExceptionSnoozed,
    LogRow,
    Noticed,
    SnoozeEnded,
)

KEPT_RESOLVED = 20
"""Resolved exceptions that stay in memory and on the page; the others stay on disk."""
KEPT_ROWS = 20
"""Rows of the log that an exception names: its first, and its last ones."""

Params = Mapping[str, Param]
_NONE: Params = {}
_PLAIN = re.compile(r"[A-Za-z0-9_.+-]{1,60}")


def begin(state: State, kind: ExceptionKind, subject: str, now_us: int, count: int = 1, params: Params = _NONE) -> None:
    """Open an exception; if it is open already, its count and params are what they are now. One that lasts and was
    closed by somebody meanwhile is the same one still."""
    closed = state.index.lasting.get((kind, subject))
    if closed is not None:
        _reopen(state, closed, now_us)
    if not update(state, kind, subject, now_us, count, params):
        incident = Incident(kind, subject, count, dict(params), opened_us=now_us, updated_us=now_us)
        n = state.number(f"exception {kind} {subject}")
        key = f"{kind}-{_plain(subject)}-{n}"
        state.exceptions.put(key, incident)
        state.index.open_exceptions[kind, subject] = key
        _rest_on(state, incident)


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
        if exceptionkinds.worse(incident, count, {**incident.params, **params}):
            incident.snoozed_until_us = None
        incident.count = count
        incident.params |= params
        incident.updated_us = now_us
        _rest_on(state, incident)
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
    closed = state.index.lasting.pop((kind, subject), None)
    if closed is not None:
        state.exceptions.rows[closed].lasting = False
        state.exceptions.touch(closed)


def resolve(state: State, row: LogRow, record: ExceptionResolved) -> None:
    """Somebody dealt with it. One that is unknown or already closed stays as it is."""
    if is_open(state, record.id):
        _close(state, record.id, row.recorded_us, record.who, record.why, record.decision)
        incident = state.exceptions.rows[record.id]
        if incident.kind in exceptionkinds.LASTING:
            incident.lasting = True
            state.index.lasting[incident.kind, incident.subject] = record.id


def claim(state: State, row: LogRow, record: ExceptionClaimed) -> None:
    """Somebody takes care of it, or does so no longer."""
    if is_open(state, record.id):
        state.exceptions.rows[record.id].claimed_by = None if record.let_go else record.who
        state.exceptions.touch(record.id)


def snooze(state: State, row: LogRow, record: ExceptionSnoozed) -> None:
    """Nobody wants to hear of it until a moment."""
    if is_open(state, record.id) and record.until_us > row.recorded_us:
        state.exceptions.rows[record.id].snoozed_until_us = record.until_us
        state.exceptions.touch(record.id)


def wake(state: State, row: LogRow, record: SnoozeEnded) -> None:
    """The moment has come, if nobody has said another one since."""
    incident = state.exceptions.get(record.id)
    if incident is not None and incident.snoozed_until_us is not None and incident.snoozed_until_us <= record.at_us:
        incident.snoozed_until_us = None
        state.exceptions.touch(record.id)


def reopen(state: State, row: LogRow, record: ExceptionReopened) -> None:
    """The resolution is taken back, or it is still so. Nothing to do where `why_closed_for_good` says so."""
    if why_closed_for_good(state, record.id) is None:
        _reopen(state, record.id, row.recorded_us)


def why_closed_for_good(state: State, key: str) -> str | None:
    """Why an exception cannot be opened again; None if it can."""
    incident = state.exceptions.get(key)
    if incident is None or not (incident.open or incident.lasting or key in _last_resolved(state)):
        return "it was resolved too long ago"
    if incident.open:
        return "it is open"
    if incident.resolved_by is None:
        return "nobody resolved it: it ended by itself"
    if incident.decision == "release":
        return "its lot was released, and its stock may have been sold"
    if (incident.kind, incident.subject) in state.index.open_exceptions:
        return "another one of its kind about the same subject is open"
    if incident.kind in exceptionkinds.LASTING and not incident.lasting:
        return "what it was about has ended since"
    return None


def _last_resolved(state: State) -> set[str]:
    """Those that the memory keeps, and no more, even where it happens to hold more: a refold must say the same."""
    resolved = sorted((row.updated_us, key) for key, row in state.exceptions.rows.items() if not row.open)
    return {key for _, key in resolved[-KEPT_RESOLVED:]}


def notice(state: State, row: LogRow, record: Noticed) -> None:
    """The gateway noticed something that no event tells. What somebody has dealt with and is no worse may yet end: it
    opens again when it does not (`exceptionwatch`)."""
    closed = state.index.lasting.get((record.what, record.subject))
    if closed is not None:
        incident = state.exceptions.rows[closed]
        if not exceptionkinds.worse(incident, record.count, {**incident.params, **record.params}):
            incident.count = record.count
            incident.params |= record.params
            state.exceptions.touch(closed)
            return
    begin(state, record.what, record.subject, row.recorded_us, record.count, record.params)


def cease(state: State, row: LogRow, record: Ceased) -> None:
    """What it had noticed is so no longer."""
    end(state, record.what, record.subject, row.recorded_us, record.why)


def is_open(state: State, key: str) -> bool:
    """Whether nobody has dealt with it yet."""
    incident = state.exceptions.get(key)
    return incident is not None and incident.open


def current(state: State, kind: ExceptionKind, subject: str) -> Incident | None:
    """The open exception of a kind about a subject."""
    key = state.index.open_exceptions.get((kind, subject))
    return None if key is None else state.exceptions.rows[key]


def reindex(state: State) -> None:
    """Derive the indexes from the table."""
    for key, incident in state.exceptions.rows.items():
        if incident.open:
            state.index.open_exceptions[incident.kind, incident.subject] = key
        elif incident.lasting:
            state.index.lasting[incident.kind, incident.subject] = key


def trim(state: State) -> list[str]:
    """Let all but the last resolved ones leave the memory, but for those that may open again by themselves; their
    keys. Call it when everything is written."""
    resolved = [(row.updated_us, key) for key, row in state.exceptions.rows.items() if not row.open]
    if len(resolved) <= KEPT_RESOLVED:
        return []
    old = [key for _, key in sorted(resolved)[:-KEPT_RESOLVED] if not state.exceptions.rows[key].lasting]
    for key in old:
        state.exceptions.forget(key)
    return old


def _close(state: State, key: str, now_us: int, who: str | None, why: str, decision: Decision | None) -> None:
    incident = state.exceptions.rows[key]
    incident.open = False
    incident.resolved_by = who
    incident.reason = why
    incident.decision = decision
    incident.snoozed_until_us = None
    incident.updated_us = now_us
    state.exceptions.touch(key)
    del state.index.open_exceptions[incident.kind, incident.subject]


def _reopen(state: State, key: str, now_us: int) -> None:
    incident = state.exceptions.rows[key]
    incident.open, incident.lasting = True, False
    incident.resolved_by = incident.reason = incident.decision = None
    incident.reopened += 1
    incident.updated_us = now_us
    state.exceptions.touch(key)
    state.index.lasting.pop((incident.kind, incident.subject), None)
    state.index.open_exceptions[incident.kind, incident.subject] = key
    _rest_on(state, incident)


def _rest_on(state: State, incident: Incident) -> None:
    """The row that is being folded is a part of its evidence."""
    assert state.row is not None, "an exception changes only while a row is folded"
    if incident.rows[-1:] != [state.row.id]:
        incident.rows = [*incident.rows[:1], *incident.rows[1:][-(KEPT_ROWS - 2) :], state.row.id]


def _plain(subject: str) -> str:
    """The subject as it may stand in an id and in a path: itself, or (long or with odd characters) its digest."""
    return subject if _PLAIN.fullmatch(subject) else hashlib.sha256(subject.encode()).hexdigest()[:16]
