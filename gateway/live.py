"""The live stream: a snapshot, then numbered deltas, as server-sent events (WHATWG HTML, section 9.2).

    id: 5f1c09aa-17          the run of this gateway and the number of the delta
    event: delta             snapshot | delta | beat
    data: {"n": 17, ...}

A delta is encoded once, and the same bytes go to every client. A client that does not keep up loses its queue and gets
a fresh snapshot when it takes again; it never holds up the others. A client that comes back with a Last-Event-ID of
this run gets what it missed.
"""

import asyncio
import secrets
from collections import deque
from collections.abc import AsyncGenerator, Callable, Sequence
from itertools import islice

from contract.site import Site
from gateway.errors import Crowded
from gateway.feed import Feed
from gateway.ledger.ledger import Commit, Ledger
from gateway.records import LogRow
from gateway.views import Beat, Change, Delta, Section, SiteView, Snapshot, TitleView, ZoneView

COALESCE_S = 0.025
"""At most one delta in this time; the first after a silence leaves at once. No longer than the usual group commit, or
every other commit would wait for the next delta."""
BEAT_S = 1.0
LINE_S = 0.25
"""A sorting line's view goes out at most once in this time: it holds its last fruit and lots, and changes with every
fruit, fifty times a second."""
RETRY_MS = 1000
"""How soon a browser comes back after a broken stream."""
QUEUE_FRAMES = 128
"""Frames that may wait for one client: three seconds at the full rate."""
KEPT_FRAMES = 1200
"""Deltas kept for clients that come back: half a minute at the full rate."""
KEPT_BYTES = 4 * 1024 * 1024
MAX_CLIENTS = 1000
SHOWN_FEED = 30
"""Feed entries in a snapshot."""
MAX_FEED = 200
"""Feed entries in one delta."""


class _Client:
    """The frames that wait for one client. `lagging` asks for a snapshot instead of what was dropped."""

    __slots__ = ("frames", "lagging", "news")

    def __init__(self) -> None:
        self.frames: deque[bytes] = deque()
        self.lagging = False
        self.news = asyncio.Event()

    def offer(self, frame: bytes) -> None:
        if self.lagging:
            return
        if len(self.frames) >= QUEUE_FRAMES:
            self.frames.clear()
            self.lagging = True
        else:
            self.frames.append(frame)
        self.news.set()


class Live:
    """Follows the ledger and tells every client. Belongs to one event loop."""

    def __init__(
        self,
        site: Site,
        ledger: Ledger,
        site_view: Callable[[], SiteView],
        clock: Callable[[], int],
        *,
        max_clients: int = MAX_CLIENTS,
    ) -> None:
        self._ledger = ledger
        self._max_clients = max_clients
        self._site_view = site_view
        self._clock = clock
        self._zones = [
            ZoneView(name=zone.name, title=TitleView(en=zone.title.en, zh=zone.title.zh)) for zone in site.zones
        ]
        self._feed = Feed(ledger.house)
        self._run = secrets.token_hex(4)
        self._n = 0
        self._clients: set[_Client] = set()
        self._kept: deque[bytes] = deque()
        """Frames of the last deltas, up to delta `_n`."""
        self._kept_bytes = 0
        self._shown = deque(self._feed.entries(ledger.rows(ledger.last_id - SHOWN_FEED, SHOWN_FEED)), SHOWN_FEED)
        self._told: SiteView | None = None
        self._changed: set[tuple[Section, str]] = set()
        self._lines: set[tuple[Section, str]] = set()
        """Lines that changed, and wait until it is their time."""
        self._lines_due_s = 0.0
        """That time, of the event loop's clock."""
        self._rows: deque[LogRow] = deque(maxlen=MAX_FEED)
        self._row_count = 0
        self._news = asyncio.Event()
        self._snapshot_frame: tuple[int, int, bytes] | None = None
        self._closed = False

    @property
    def clients(self) -> int:
        """Open streams."""
        return len(self._clients)

    @property
    def last_commit_us(self) -> int | None:
        """Record time of the last row that was told."""
        return self._shown[-1].recorded_us if self._shown else None

    def snapshot(self) -> Snapshot:
        """Everything as it is now. What it holds beyond delta `n` comes again with the deltas after it."""
        views = self._ledger.views
        return Snapshot(
            n=self._n,
            now_us=self._clock(),
            zones=self._zones,
            site={"site": self._site_view()},
            doors=views("doors"),
            shipments=views("shipments"),
            stock=views("stock"),
            exceptions=views("exceptions"),
            orders=views("orders"),
            devices=views("devices"),
            conditions=views("conditions"),
            lines=views("lines"),
            reviews=views("reviews"),
            counts=views("counts"),
            feed=list(self._shown),
        )

    async def run(self) -> None:
        """Follow the ledger until cancelled; then every stream ends."""
        unsubscribe = self._ledger.subscribe(self._gather)
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._tell())
                group.create_task(self._beat())
        finally:
            unsubscribe()
            self._closed = True
            for client in self._clients:
                client.news.set()

    def stream(self, last_event_id: str | None = None) -> AsyncGenerator[bytes, None]:
        """Frames for one client until the gateway stops; raises `Crowded` when there are too many clients."""
        if len(self._clients) >= self._max_clients:
            raise Crowded(f"{self._max_clients} live streams are open, which is as many as this gateway serves")
        return self._frames(last_event_id)

    async def _frames(self, last_event_id: str | None) -> AsyncGenerator[bytes, None]:
        client = _Client()
        missed = self._missed(last_event_id)
        client.lagging = missed is None
        client.frames.extend(missed or ())
        client.news.set()
        self._clients.add(client)
        try:
            yield f"retry: {RETRY_MS}\n\n".encode()
            while not self._closed:
                await client.news.wait()
                client.news.clear()
                if client.lagging:
                    client.lagging = False
                    yield self._framed_snapshot()
                elif client.frames:
                    yield _taken(client.frames)
        finally:
            self._clients.discard(client)

    def _missed(self, last_event_id: str | None) -> Sequence[bytes] | None:
        """The deltas after an event id, or None if only a snapshot helps."""
        run, _, number = (last_event_id or "").rpartition("-")
        if run != self._run or not number.isascii() or not number.isdigit() or len(number) > 18:
            return None
        missing = self._n - int(number)
        if not 0 <= missing <= len(self._kept):
            return None
        return list(islice(self._kept, len(self._kept) - missing, None))

    def _gather(self, commit: Commit) -> None:
        lines = {view for view in commit.changed if view[0] == "lines"}
        self._changed |= commit.changed - lines
        self._lines |= lines
        self._rows.extend(commit.rows)
        self._row_count += len(commit.rows)
        self._news.set()

    async def _tell(self) -> None:
        while True:
            await self._news.wait()
            self._news.clear()
            self._take_lines()
            self._tell_delta()
            await asyncio.sleep(COALESCE_S)  # what comes meanwhile goes together

    def _take_lines(self) -> None:
        """Those whose time has come change with the others; for those that must wait the way is called again."""
        loop = asyncio.get_running_loop()
        if not self._lines:
            return
        if loop.time() < self._lines_due_s:
            loop.call_at(self._lines_due_s, self._news.set)
            return
        self._changed |= self._lines
        self._lines.clear()
        self._lines_due_s = loop.time() + LINE_S

    async def _beat(self) -> None:
        while True:
            if self._site_view() != self._told:
                self._news.set()
            frame = _frame("beat", Beat(now_us=self._clock(), n=self._n).model_dump_json())
            for client in self._clients:
                if not client.frames:
                    client.offer(frame)
            await asyncio.sleep(BEAT_S)

    def _tell_delta(self) -> None:
        delta = self._delta()
        if delta is None:
            return
        self._n = delta.n
        self._shown.extend(delta.feed)
        frame = _frame("delta", delta.model_dump_json(), f"{self._run}-{delta.n}")
        self._keep(frame)
        for client in self._clients:
            client.offer(frame)

    def _delta(self) -> Delta | None:
        """What was gathered since the last one, once each; None if that is nothing."""
        changes = [
            Change(section=section, key=key, value=self._ledger.view(section, key))
            for section, key in sorted(self._changed)
        ]
        site = self._site_view()
        if site != self._told:
            changes.append(Change(section="site", key="site", value=site))
            self._told = site
        feed = self._feed.entries(self._rows)
        skipped = self._row_count - len(feed)
        self._changed.clear()
        self._rows.clear()
        self._row_count = 0
        if not changes and not feed:
            return None
        return Delta(n=self._n + 1, now_us=self._clock(), changes=changes, feed=feed, skipped=skipped)

    def _keep(self, frame: bytes) -> None:
        self._kept.append(frame)
        self._kept_bytes += len(frame)
        while len(self._kept) > KEPT_FRAMES or self._kept_bytes > KEPT_BYTES:
            self._kept_bytes -= len(self._kept.popleft())

    def _framed_snapshot(self) -> bytes:
        """The snapshot as an event, encoded once for all who come within a quarter of a second of the same delta."""
        now = self._clock()
        if self._snapshot_frame is not None:
            n, at_us, frame = self._snapshot_frame
            if n == self._n and 0 <= now - at_us < 250_000:
                return frame
        frame = _frame("snapshot", self.snapshot().model_dump_json(), f"{self._run}-{self._n}")
        self._snapshot_frame = (self._n, now, frame)
        return frame


def _taken(frames: deque[bytes]) -> bytes:
    taken = frames[0] if len(frames) == 1 else b"".join(frames)
    frames.clear()
    return taken


def _frame(event: str, data: str, event_id: str | None = None) -> bytes:
    head = f"id: {event_id}\n" if event_id else ""
    return f"{head}event: {event}\ndata: {data}\n\n".encode()
