"""The ledger: an append-only log of what happened, and in the same transaction what follows from it.

    agents' batches --+                          +-- acks, returns of `record`
                      +-> queue -> group commit -+
    own records ------+   (bounded) (one thread) +-- subscribers: live, history, cloud

The event loop owns the state. What is queued is folded in memory and written in one transaction; only when that is on
disk is anybody told. The first after a silence is written at once, what follows at most every
`site.gateway.group_commit_s`. While a group is being written the views may be ahead of the disk by that group. If a
write fails, every call raises `LedgerFailed` from then on: the process must stop and begin again from the file, which
holds all that was ever acknowledged.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import msgspec
import structlog
from msgspec import Struct

from contract import wire
from contract.site import Site
from contract.wire import Ack, Batch
from gateway import records
from gateway.errors import BadRecord, LedgerFailed, LedgerFull
from gateway.ledger import rows, streams, watch
from gateway.ledger.fruit.sorting import Sorting
from gateway.ledger.goods import fefo
from gateway.ledger.goods.beliefs import Beliefs
from gateway.ledger.goods.books import Books
from gateway.ledger.group import Entry, Group, Recorded, Taken, written
from gateway.ledger.house import House
from gateway.ledger.pulse import Pulse
from gateway.ledger.receiving import announcements
from gateway.ledger.showing import shown_cases
from gateway.ledger.showing.shown import Shown, changed
from gateway.ledger.showing.shown_cases import CaseOf
from gateway.ledger.showing.shown_cold import Cold
from gateway.ledger.showing.shown_counts import Counts
from gateway.ledger.state import State
from gateway.ledger.storage import deeds, opening
from gateway.ledger.storage.exceptionlog import ExceptionChange
from gateway.ledger.storage.kept import Kept
from gateway.ledger.storage.past import Past
from gateway.ledger.storage.posting import Posting
from gateway.ledger.storage.reader import DeadLetter
from gateway.ledger.storage.snapshots import Snapshots
from gateway.ledger.storage.store import DEAD_LETTER_BYTES, Store, Writing
from gateway.ledger.troubles import exceptions
from gateway.ledger.watching import clocks
from gateway.records import GATEWAY, LogRow, Record
from gateway.views import AnyView, Section

MAX_QUEUED = 20_000
"""Events in the queue; `room` waits beyond it."""
GROUP_ROWS = 2_000
"""A group is closed when it holds so many rows, to bound the time that the event loop folds."""
FULL_RETRY_S = 1.0
"""While the disk is full, what could not be written is tried again this often."""
MAX_UNREADABLE = 1000
"""Unreadable messages that wait for the next commit; more are only counted."""

log = structlog.get_logger(__name__)


class Commit(Struct, frozen=True):
    """Rows that are on disk now, and the views that changed.

    Without rows: something changed that is not in the log, such as when an agent was heard.
    """

    rows: tuple[LogRow, ...]
    changed: frozenset[tuple[Section, str]]
    reviews: frozenset[str] = frozenset()
    """Reviews that were asked for, answered or let go, whether they are shown or not."""


class Ledger:
    """One site's ledger. Make it by `open`; every method is for the event loop unless it says otherwise."""

    @classmethod
    @contextmanager
    def open(cls, path: Path, site: Site, clock: Callable[[], int]) -> Iterator["Ledger"]:
        """Open or begin the ledger in a file; `clock` gives microseconds of wall time. Raises `LedgerFailed`."""
        store, state = opening.open_store(path, site, clock())
        ledger = cls(store, state, clock)
        try:
            yield ledger
        finally:
            ledger._close()

    def __init__(self, store: Store, state: State, clock: Callable[[], int]) -> None:
        self._store = store
        self._state = state
        self._clock = clock
        self._writer = ThreadPoolExecutor(max_workers=1, thread_name_prefix="ledger")
        self._queue: deque[Entry] = deque()
        self._queued_rows = 0
        self._room = asyncio.Event()
        self._room.set()
        self._timer: asyncio.TimerHandle | None = None
        self._next_commit_s = 0.0
        """Not before this time of the event loop, unless a group is full."""
        self._in_flight = False
        self._failure: LedgerFailed | None = None
        self._last_id, _ = store.last()
        self.snapshots = Snapshots(store.path, [table.name for table in state.tables])
        self.books = Books(state, store)
        """What stands where of a SKU, and why a balance is what it is."""
        self.past = Past(store, self.snapshots, state.house.site)
        self._next_id = self._last_id
        self._taken = {name: dict(agent.through) for name, agent in state.agents.rows.items()}
        """Last sequence numbers taken into the queue, by agent and epoch."""
        self._acknowledged = {name: dict(agent.through) for name, agent in state.agents.rows.items()}
        """Last sequence numbers on disk."""
        self.full: LedgerFull | None = None
        """Why nothing can be written at the moment: the disk is full."""
        self._unreadable: list[DeadLetter] = []
        self._subscribers: list[Callable[[Commit], None]] = []
        self._pulses = {agent.name: Pulse() for agent in state.house.site.agents}
        self.beliefs = Beliefs(state, self._pulses)
        """How likely items still are where the books have them."""
        self._watch = watch.Watch(state, self._pulses, clock())
        self.sorting = Sorting(state, self._pulses, self._show)
        """What the sorting lines do, and what there is to review."""
        self.counts = Counts(state)
        """What may be asked of cycle counts, and whether a step of one may be taken."""
        self.cold = Cold(state)
        """What may be asked of the cold chain."""
        self.views = Shown(state, self._pulses, self.sorting, clock)
        """`views(section)`: all views of a section (but "site") by key."""
        self.kept = Kept(store)
        """What is too much for the memory, page by page. From any thread."""
        for name, pulse in self._pulses.items():
            if agent := state.agents.get(name):
                pulse.here = not agent.silent if agent.heard or agent.silent else None
                pulse.judged = agent.clocks[-1] if agent.clocks else None
        state.due.update(state.house.products)

    # what comes in

    async def take(self, agent: str, batch: Batch) -> Ack:
        """A batch of an agent: returns when it is on disk (or was refused), with the acknowledgement to send."""
        await self.room()
        return await self.offer(agent, batch)

    async def room(self) -> None:
        """Returns when the queue has room: whoever waits here stops reading, which is the backpressure."""
        while not self._room.is_set():
            await self._room.wait()

    def offer(self, agent: str, batch: Batch) -> asyncio.Future[Ack]:
        """`take` without waiting: call `room` before. The batch's own agent is not looked at."""
        self._check()
        if agent == GATEWAY:
            raise BadRecord(f"{GATEWAY!r} is the name of the gateway's own rows: no agent may have it")
        self._felt(agent)
        answer: asyncio.Future[Ack] = asyncio.get_running_loop().create_future()
        pulse = self._pulse(agent)
        pulse.batches += 1
        taken = self._taken.setdefault(agent, {})
        verdict = streams.judge(batch, taken.get(batch.epoch), had_epochs=bool(taken))
        last = batch.first + len(batch.events) - 1
        entry = Taken(agent, batch.epoch, batch.first + verdict.known, last, (), answer)
        if verdict.known and self._differs(agent, batch, verdict.known):
            entry.renumber = True
            pulse.renumberings += 1
        elif verdict.act == "resend":
            entry.resend = True
            pulse.gaps += 1
        elif verdict.act == "take":
            pulse.duplicates += verdict.known
            entry.bodies, entry.lost = batch.events[verdict.known :], verdict.lost
            taken[batch.epoch] = last
        else:
            pulse.duplicates += verdict.known
        self._enqueue(entry, len(entry.bodies))
        return answer

    async def record(self, *news: Record, refusal: Callable[[], Exception | None] | None = None) -> None:
        """Records of the gateway: returns when they are on disk. Raises `BadRecord` or `LedgerFull`, and then none of
        them is.

        `refusal` is asked when everything that came before them is folded; what it answers is raised, and then none
        of them is recorded either. What is recorded while a deed is being done (`deeds.current`) is that deed's.
        """
        self._check()
        if self.full is not None:
            raise self.full
        for record in news:
            _check_readable(record)
        answer: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._enqueue(Recorded(news, answer, deeds.current.get(), refusal, patient=False), len(news))
        await answer

    async def record_patiently(self, *news: Record) -> None:
        """As `record`, for what has happened already: while the disk is full it waits."""
        self._check()
        await self._recorded(news)

    def heard(self, status: wire.Status) -> None:
        """An agent's heartbeat, or its last will."""
        self._check()
        pulse = self._pulse(status.agent)
        pulse.epoch, pulse.made, pulse.waiting = status.epoch, status.made, status.waiting
        if status.state == "offline":
            if pulse.here is not False:
                pulse.here = False
                self._note(records.AgentSilent(at_us=self._clock(), agent=status.agent))
            return
        pulse.clock_offset_us = status.at_us - self._clock() if status.at_us else None
        self._felt(status.agent)
        if (judged := clocks.judge(pulse, status, self._clock())) is not None:
            self._note(judged)
        self._tell(Commit((), frozenset(self._watch.devices_of(status.agent))))

    def bury(self, agent: str, topic: str, data: bytes, reason: str) -> None:
        """A message could not be read: it goes to the dead letters, and `tick` records how many there were."""
        self._watch.unreadable(agent, reason)
        if len(self._unreadable) < MAX_UNREADABLE:
            self._unreadable.append(DeadLetter(self._clock(), topic, reason, len(data), data[:DEAD_LETTER_BYTES]))

    async def tick(self, now_us: int) -> None:
        """Once a second: settle shipments, find silent agents, count bad messages, look at reorder points, close the
        reviews whose picture never came."""
        self._check()
        self._show(self._watch.doors_left(now_us) | self.sorting.slowed(now_us))
        news = [*self._watch.due(now_us), *self.sorting.overdue(now_us), *self.beliefs.due(now_us)]
        if news or self._state.due:
            await self._recorded(news)

    # what may be asked

    @property
    def last_id(self) -> int:
        """Id of the last row on disk."""
        return self._last_id

    @property
    def house(self) -> House:
        """What stands where, and what a tag stands for."""
        return self._state.house

    def view(self, section: Section, key: str) -> AnyView | None:
        """One view."""
        return self.views.one(section, key)

    @property
    def pulses(self) -> Mapping[str, Pulse]:
        """What is known of each agent at the moment, by name. Not to be changed."""
        return self._pulses

    def through(self, agent: str, epoch: str) -> int:
        """The last number of an agent and epoch that is on disk; 0 for what is not known."""
        return self._acknowledged.get(agent, {}).get(epoch, 0)

    def is_open(self, kind: rows.ExceptionKind, subject: str) -> bool:
        """Whether an exception of a kind about a subject is open."""
        return (kind, subject) in self._state.index.open_exceptions

    def item(self, epc: str) -> rows.Item | None:
        """What is known of a tag. Not to be changed."""
        return self._state.items.get(epc)

    def cases(self, shipment: str) -> list[CaseOf]:
        """Every case of a shipment: the announced ones, and what came with them."""
        return shown_cases.cases(self._state, shipment)

    def picks(self, shipment: str) -> list[fefo.Pick]:
        """What to pick for an outbound order: the lots that expire first."""
        return fefo.picks(self._state, shipment)

    def why_closed_for_good(self, exception: str) -> str | None:
        """Why a resolved exception cannot be opened again; None if it can."""
        return exceptions.why_closed_for_good(self._state, exception)

    def announced(self, asn: records.AsnReceived) -> bool:
        """Whether the same ASN is in the state already."""
        return announcements.same(self._state, asn)

    def streams(self) -> dict[str, Ack]:
        """For every known agent, an acknowledgement of its newest epoch that asks to send from there."""
        return {
            name: Ack(epoch=agent.epoch, through=self._acknowledged[name][agent.epoch], resend=True)
            for name, agent in self._state.agents.rows.items()
            if name != GATEWAY and agent.epoch in self._acknowledged.get(name, ())
        }

    def subscribe(self, callback: Callable[[Commit], None]) -> Callable[[], None]:
        """Call back on the event loop for every commit once it is on disk; the answer ends it."""
        self._subscribers.append(callback)
        return lambda: self._subscribers.remove(callback)

    def cut(self, through: int, rows: int) -> int:
        """Delete about so many rows of the log, up to one that a snapshot holds; how many are left. From any thread."""
        return self._store.cut(through, rows)

    def cut_at(self) -> int:
        """The row up to which the log was cut; 0 if it never was. From any thread."""
        return self._store.cut_at()

    def least_cursor(self) -> int:
        """The row up to which everybody has read the log. From any thread."""
        return min((int(row[0]) for row in self._store.read("SELECT id FROM cursors")), default=self._last_id)

    # cursors on the log: from any thread

    def rows(self, after: int, limit: int) -> list[LogRow]:
        """Rows of the log with an id above `after`, in order. From any thread."""
        return self._store.rows(after, limit)

    def postings(self, after: int, through: int) -> list[Posting]:
        """What the rows with an id above `after`, up to `through`, changed in the balances. From any thread."""
        return self._store.postings(after, through)

    def exception_changes(self, after: int, through: int) -> list[ExceptionChange]:
        """What became of exceptions by the rows with an id above `after`, up to `through`. From any thread."""
        return self._store.exception_changes(after, through)

    def postings_of(self, sku: str, *, lot: str, before: int, limit: int) -> list[Posting]:
        """The last changes of a lot by rows below `before`, newest first. From any thread."""
        return self._store.postings_of(sku, lot=lot, before=before, limit=limit)

    def cursor(self, name: str) -> int:
        """The last row that somebody has dealt with; 0 at first. From any thread."""
        return self._store.cursor(name)

    def move_cursor(self, name: str, to: int) -> None:
        """Note the last row that somebody has dealt with, on disk when this returns. From any thread."""
        self._store.move_cursor(name, to)

    def dead_letters(self, limit: int) -> list[DeadLetter]:
        """The last messages that could not be read, newest first. From any thread."""
        return self._store.dead_letters(limit)

    # requests with a key: from any thread

    def deed(self, key: str) -> deeds.Known | None:
        """What is known of a request's key. From any thread."""
        return self._store.deed(key)

    def deeds_full(self) -> bool:
        """Whether so many keys are known that a new one must be refused. From any thread."""
        return self._store.deeds_full(self._clock())

    def answered(self, deed: deeds.Deed, answer: deeds.Answer | None, *, done: bool) -> None:
        """Note what was said of a deed, on disk when this returns; `done` for one that is done though it made no row.
        From any thread."""
        self._store.answered(deed, answer, self._clock(), done=done)

    # the group commit

    def _recorded(self, news: Sequence[Record]) -> asyncio.Future[None]:
        """Queue records; the answer is there when they are on disk."""
        answer: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._enqueue(Recorded(news, answer), len(news))
        return answer

    def _note(self, record: Record) -> None:
        """Queue a record that nobody waits for."""
        self._enqueue(Recorded([record]), 1)

    def _enqueue(self, entry: Entry, count: int) -> None:
        self._queue.append(entry)
        self._queued_rows += count
        if self._queued_rows >= MAX_QUEUED:
            self._room.clear()
        self._schedule()

    def _schedule(self) -> None:
        if self._timer is None and not self._in_flight and self._queue:
            loop = asyncio.get_running_loop()
            at_s = loop.time() if self._queued_rows >= GROUP_ROWS else max(loop.time(), self._next_commit_s)
            self._timer = loop.call_at(at_s, self._commit)

    def _commit(self) -> None:
        """Fold what is queued and hand it to the writer."""
        self._timer = None
        self._next_commit_s = asyncio.get_running_loop().time() + self._state.house.site.gateway.group_commit_s
        group = Group(self._state, self._next_id, self._store.epoch, self._clock())
        entries: list[Entry] = []
        while self._queue and len(group.rows) < GROUP_ROWS:
            entry = self._queue.popleft()
            self._queued_rows -= len(entry.bodies if isinstance(entry, Taken) else entry.records)
            if _refused(entry):
                continue
            entries.append(entry)
            group.add(entry)
        group.close(self.sorting.shown)
        if self._queued_rows < MAX_QUEUED:
            self._room.set()
        self._next_id += len(group.rows)
        reviews = frozenset(self._state.reviews.changed | self._state.reviews.gone)
        moved = self.sorting.moved() if reviews else frozenset()
        commit = Commit(tuple(group.rows), changed(self._state) | moved, reviews)
        dead_letters = [*self._unreadable, *group.dead_letters]
        self._unreadable.clear()
        if not group.rows and not dead_letters:
            self._written(entries, commit)
            return
        writing = written(self._state, group.rows, dead_letters, group.deeds)
        trimmed: frozenset[tuple[Section, str]] = frozenset(("exceptions", key) for key in exceptions.trim(self._state))
        commit = Commit(commit.rows, commit.changed | trimmed, reviews)
        self._write(writing, entries, commit)

    def _write(self, writing: Writing, entries: list[Entry], commit: Commit) -> None:
        self._in_flight, self._timer = True, None

        def done(future: asyncio.Future[None]) -> None:
            error = future.exception()
            if isinstance(error, LedgerFull):
                self._wait_for_room(error, partial(self._write, writing, entries, commit))
                return
            self._in_flight, self.full = False, None
            if error is not None:
                self._fail(error, entries)
            else:
                self._written(entries, commit)

        asyncio.get_running_loop().run_in_executor(self._writer, self._store.write, writing).add_done_callback(done)

    def _wait_for_room(self, error: LedgerFull, again: Callable[[], None]) -> None:
        """The disk is full: nothing is lost but time. Agents keep what is not acknowledged, and people are told no."""
        if self.full is None:
            log.critical("the disk of the ledger is full", error=str(error))
        self.full = error
        for entry in [one for one in self._queue if isinstance(one, Recorded) and not one.patient]:
            self._queue.remove(entry)
            self._queued_rows -= len(entry.records)
            self._refuse([entry], error)
        self._timer = asyncio.get_running_loop().call_later(FULL_RETRY_S, again)

    def _written(self, entries: list[Entry], commit: Commit) -> None:
        """It is on disk: tell everybody."""
        if commit.rows:
            self._last_id = commit.rows[-1].id
            for row in commit.rows:
                self._acknowledged.setdefault(row.agent, {})[row.epoch] = row.seq
        for entry in entries:
            if entry.answer is None or entry.answer.done():
                continue
            if isinstance(entry, Taken):
                entry.answer.set_result(self._ack(entry))
            else:
                entry.answer.set_result(None)
        self._tell(commit)
        self._schedule()

    def _ack(self, entry: Taken) -> Ack:
        through = self.through(entry.agent, entry.epoch)
        if not entry.resend and not entry.renumber:
            through = min(through, entry.last)
        return Ack(epoch=entry.epoch, through=through, resend=entry.resend, renumber=entry.renumber)

    def _fail(self, error: BaseException, entries: list[Entry]) -> None:
        """The disk does not hold what the memory says: nobody may go on from here."""
        failure = error if isinstance(error, LedgerFailed) else LedgerFailed(f"{self._store.path}: {error!r}")
        log.critical("the ledger cannot be written", error=str(failure))
        self._failure = failure
        self._room.set()
        self._refuse(entries, failure)
        self._refuse(self._queue, failure)
        self._queue.clear()

    def _refuse(self, entries: Iterable[Entry], failure: LedgerFailed) -> None:
        for entry in entries:
            if entry.answer is not None and not entry.answer.done():
                entry.answer.set_exception(failure)

    def _check(self) -> None:
        if self._failure is not None:
            raise self._failure

    def _show(self, changed: frozenset[tuple[Section, str]]) -> None:
        """Views changed, and the log did not."""
        if changed:
            self._tell(Commit((), changed))

    def _tell(self, commit: Commit) -> None:
        self.views.stale(commit.changed)
        if commit.rows or commit.changed:
            for callback in tuple(self._subscribers):
                callback(commit)

    # agents

    def _pulse(self, agent: str) -> Pulse:
        return self._pulses.setdefault(agent, Pulse())

    def _felt(self, agent: str) -> None:
        """An agent gave a sign of life."""
        pulse = self._pulse(agent)
        first = pulse.heard_us is None
        pulse.heard_us = self._clock()
        if pulse.here is not True:
            pulse.here = True
            self._note(records.AgentHeard(at_us=pulse.heard_us, agent=agent))
        elif first:
            self._tell(Commit((), frozenset(self._watch.surroundings_of(agent))))

    def _differs(self, agent: str, batch: Batch, known: int) -> bool:
        """Whether an agent tells other events under numbers that the log holds: its outbox was restored."""
        held = self._store.bodies(agent, batch.epoch, batch.first, batch.first + known - 1)
        return any(
            seq in held and held[seq][0] != "bad_messages" and held[seq][1] != bytes(body)
            for seq, body in enumerate(batch.events[:known], batch.first)
        )

    def _close(self) -> None:
        """What was not acknowledged is forgotten: its agent sends it again."""
        if self._timer is not None:
            self._timer.cancel()
        self._failure = self._failure or LedgerFailed(f"{self._store.path}: closed")
        self._refuse(self._queue, self._failure)
        self._queue.clear()
        self._writer.shutdown(wait=True)
        self._store.close()


def _refused(entry: Entry) -> bool:
    """Whether it is not to be recorded after all; then whoever waits is told why."""
    if isinstance(entry, Taken) or entry.refusal is None:
        return False
    error = entry.refusal()
    if error is not None and entry.answer is not None and not entry.answer.done():
        entry.answer.set_exception(error)
    return error is not None


def _check_readable(record: Record) -> None:
    try:
        records.decode(msgspec.json.encode(record))
    except (msgspec.MsgspecError, UnicodeError) as error:
        raise BadRecord(f"{type(record).__name__}: {error}") from error
