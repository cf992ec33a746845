"""One group commit: what came in together, and what it becomes in the log and in the state."""

import asyncio
from collections import Counter
from collections.abc import Callable, Collection, Sequence

import msgspec
import structlog
from msgspec import Struct

from contract import events, wire
from contract.errors import BadMessage
from contract.wire import Ack
from gateway import records, replenish
from gateway.ledger.counting import countbooks
from gateway.ledger.fold import fold
from gateway.ledger.fruit import lines, lots, reviews
from gateway.ledger.state import State
from gateway.ledger.storage import deeds, exceptionlog
from gateway.ledger.storage.deeds import Deed, Done
from gateway.ledger.storage.reader import DeadLetter
from gateway.ledger.storage.store import DEAD_LETTER_BYTES, Writing
from gateway.records import GATEWAY, LogEntry, LogRow, Record

log = structlog.get_logger(__name__)

_REASON_CHARACTERS = 300
_KINDS: dict[type, str] = {
    kind: str(kind.__struct_config__.tag) for union in (events.Event, records.Record) for kind in union.__args__
}
_encode = msgspec.json.Encoder().encode


class Taken(Struct):
    """A batch: the part of it that is new (perhaps nothing), and who waits for the acknowledgement."""

    agent: str
    epoch: str
    first: int
    last: int
    """Last number of the whole batch: nothing beyond it is acknowledged, because nothing beyond it was compared."""
    bodies: Sequence[msgspec.Raw]
    answer: asyncio.Future[Ack]
    lost: str | None = None
    resend: bool = False
    renumber: bool = False


class Recorded(Struct):
    """Records of the gateway, and who (if anybody) waits for them to be on disk."""

    records: Sequence[Record]
    answer: asyncio.Future[None] | None = None
    deed: Deed | None = None
    refusal: Callable[[], Exception | None] | None = None
    """Asked when it is their turn to be folded: why they are not recorded after all."""
    patient: bool = True
    """Whoever waits does so for as long as the disk is full."""


Entry = Taken | Recorded


class Group:
    """Folds entries into the state, in order, and gathers the rows and the dead letters."""

    def __init__(self, state: State, last_id: int, epoch: str, now_us: int) -> None:
        """`epoch` is that of the gateway's own rows."""
        self.rows: list[LogRow] = []
        self.dead_letters: list[DeadLetter] = []
        self.deeds: list[Done] = []
        self._state = state
        self._id = last_id
        self._epoch = epoch
        self._now_us = now_us
        self._strangers: Counter[str] = Counter()
        """Fruit of lines that the site file does not name, in the entry at hand."""
        own = state.agents.get(GATEWAY)
        self._seq = own.through.get(epoch, 0) if own is not None else 0

    def add(self, entry: Entry) -> None:
        """Fold one entry."""
        if isinstance(entry, Recorded):
            first = self._id + 1
            for record in entry.records:
                self._record(record)
            if entry.deed is not None and self._id >= first:
                self.deeds.append(Done(entry.deed, self._now_us, first, self._id))
            return
        if entry.lost is not None:
            lost = records.DataLost(at_us=self._now_us, agent=entry.agent, epoch=entry.epoch, detail=entry.lost)
            self._record(lost)
        self._strangers.clear()
        for seq, raw in enumerate(entry.bodies, entry.first):
            self._event(entry.agent, entry.epoch, seq, bytes(raw))
        for line, count in self._strangers.items():
            self._record(records.UnknownLine(at_us=self._now_us, agent=entry.agent, line=line, count=count))

    def close(self, shown: Collection[str]) -> None:
        """After all that: book the counts that were accepted, ask for what is lacking, and let go of the reviews that
        are too many, `shown` ones last."""
        for completion in list(countbooks.completing(self._state, self._now_us)):
            self._record(completion)
        self._replenish()
        for record in reviews.closing(reviews.surplus(self._state, shown), "let_go", self._now_us):
            self._record(record)

    def _replenish(self) -> None:
        due = sorted(self._state.due)
        self._state.due.clear()
        for sku in due:
            if record := replenish.need(self._state, sku, self._now_us):
                self._record(record)
        self._state.due.clear()

    def _record(self, record: Record) -> None:
        self._seq += 1
        at_us = record.at_us
        self._append(GATEWAY, self._epoch, self._seq, record, at_us, at_us, _encode(record))

    def _event(self, agent: str, epoch: str, seq: int, body: bytes) -> None:
        """One event. One that cannot be read goes to the dead letters; a `bad_messages` row takes its number.

        So the numbers of an agent have no hole, and every row of the log can be decoded.
        """
        try:
            event = wire.decode_event(body)
        except BadMessage as error:
            reason = str(error)[:_REASON_CHARACTERS]
            self._bury(f"{agent} {epoch} {seq}", reason, body)
            bad = records.BadMessages(at_us=self._now_us, agent=agent, count=1, reason=reason)
            self._append(agent, epoch, seq, bad, self._now_us, self._now_us, _encode(bad))
        else:
            if isinstance(event, events.Inspection):
                self._fruit(event)
            self._append(agent, epoch, seq, event, event.at_us, event.decided_us, body)

    def _fruit(self, event: events.Inspection) -> None:
        """What the site file says of its line today goes into the log: the fold does not ask it."""
        named = event.line in self._state.house.lines
        if lines.unfit(self._state, event.line) is not None:
            if not named:
                return
            self._record(records.LineFound(at_us=self._now_us, line=event.line))
        if not named:
            self._strangers[event.line] += 1
        found = lots.news(self._state, event, self._now_us)
        if found is not None:
            self._record(found)

    def _append(
        self, agent: str, epoch: str, seq: int, entry: LogEntry, at_us: int, decided_us: int, body: bytes
    ) -> None:
        self._id += 1
        row = LogRow(
            id=self._id,
            agent=agent,
            epoch=epoch,
            seq=seq,
            kind=_KINDS[type(entry)],
            at_us=at_us,
            decided_us=decided_us,
            recorded_us=self._now_us,
            body=body,
        )
        self.rows.append(row)
        if not apply(self._state, row, entry):
            self._bury(f"{agent} {epoch} {seq}", "a rule failed: see the gateway's log", body)

    def _bury(self, place: str, reason: str, data: bytes) -> None:
        self.dead_letters.append(DeadLetter(self._now_us, place, reason, len(data), data[:DEAD_LETTER_BYTES]))


def written(
    state: State, rows: Sequence[LogRow], dead_letters: Sequence[DeadLetter] = (), done: Sequence[deeds.Done] = ()
) -> Writing:
    """All that these rows changed, to be put on disk with them; from now on it counts as written."""
    told = tuple(exceptionlog.changes(state, rows[-1].recorded_us)) if rows else ()
    tables = [(table.name, *table.written()) for table in state.tables if table.changed or table.gone]
    swept_us, state.swept_us = state.swept_us, None
    return Writing(rows, tables, dead_letters, state.take_postings(), done, told, swept_us)


def apply(state: State, row: LogRow, entry: LogEntry) -> bool:
    """Fold one row; False if a rule failed on it. The per-event guard: our mistake in one rule must not stop a site.

    What the rule did until then stays, in this process as in any refold by the same code.
    """
    try:
        fold(state, row, entry)
    except Exception:
        log.exception("a rule failed", row=row.id, kind=row.kind, agent=row.agent, seq=row.seq)
        return False
    return True
