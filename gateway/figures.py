"""Figures of the gateway for Prometheus."""

import collections
from collections.abc import Callable, Iterable, Iterator

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.core import CounterMetricFamily
from prometheus_client.registry import Collector

from contract import events
from gateway import records
from gateway.evidence.pictures import Pictures
from gateway.ledger.ledger import Commit, Ledger
from gateway.live import Live
from gateway.views import LinkView, SiteView

COMMIT_BUCKETS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5)


class Figures:
    """Counts what the ledger commits, and reads the rest when Prometheus asks. Has a registry of its own."""

    def __init__(
        self,
        ledger: Ledger,
        live: Live,
        pictures: Pictures,
        site_view: Callable[[], SiteView],
        clock: Callable[[], int],
    ) -> None:
        self.registry = CollectorRegistry()
        self._clock = clock
        self._lines = frozenset(ledger.views("lines"))
        self._review = ledger.sorting.review
        self._events = Counter(
            "truecount_events", "Rows committed to the log since the start", ["kind"], registry=self.registry
        )
        self._dead = Counter(
            "truecount_dead_letters", "Messages that could not be read, since the start", registry=self.registry
        )
        self._commits = Histogram(
            "truecount_commit_seconds",
            "From the record time of a group to the disk",
            buckets=COMMIT_BUCKETS_S,
            registry=self.registry,
        )
        self._inspections = Counter(
            "truecount_inspections",
            "Fruit judged, since the start",
            ["line", "verdict", "gate"],
            registry=self.registry,
        )
        self._closed = Counter(
            "truecount_reviews_closed",
            "Verdicts that nobody will answer, since the start",
            ["why"],
            registry=self.registry,
        )
        self._gauge("truecount_evidence_pictures", "Pictures of fruit on disk", lambda: pictures.count)
        self._gauge("truecount_evidence_bytes", "What they take of their quota", lambda: pictures.bytes)
        self._gauge(
            "truecount_evidence_up", "1 while pictures of fruit can be stored", lambda: site_view().pictures_kept
        )
        self._gauge("truecount_reviews_open", "Verdicts that wait for a person", lambda: ledger.sorting.waiting)
        self._gauge("truecount_log_rows", "Rows in the log", lambda: ledger.last_id)
        self._gauge("truecount_live_clients", "Open live streams", lambda: live.clients)
        self._link("broker", lambda: site_view().broker)
        self._link("history", lambda: site_view().history)
        self._link("cloud", lambda: site_view().cloud)
        self.registry.register(_Deliveries(ledger))
        ledger.subscribe(self._count)

    def _count(self, commit: Commit) -> None:
        if not commit.rows:
            return
        self._commits.observe(max(0, self._clock() - commit.rows[0].recorded_us) / 1e6)
        kinds = collections.Counter(row.kind for row in commit.rows)
        for kind, count in kinds.items():
            self._events.labels(kind).inc(count)
        if "bad_messages" in kinds:
            entries = (records.decode(row.body) for row in commit.rows if row.kind == "bad_messages")
            self._dead.inc(sum(entry.count for entry in entries if isinstance(entry, records.BadMessages)))

        if "inspection" in kinds:
            self._count_fruit(records.decode(row.body) for row in commit.rows if row.kind == "inspection")

        if "reviews_closed" in kinds:
            self._count_closed(commit)

    def _count_fruit(self, entries: Iterable[records.LogEntry]) -> None:
        for entry in entries:
            if isinstance(entry, events.Inspection) and entry.line in self._lines:
                self._inspections.labels(entry.line, entry.verdict, entry.gate or "none").inc()

    def _count_closed(self, commit: Commit) -> None:
        """Those that a record names but that were answered, or closed before, are not closed by it."""
        gone = {key for key in commit.reviews if self._review(key) is None}
        for entry in (records.decode(row.body) for row in commit.rows if row.kind == "reviews_closed"):
            if isinstance(entry, records.ReviewsClosed):
                closed = gone.intersection(entry.ids)
                gone -= closed
                self._closed.labels(entry.why).inc(len(closed))

    def _gauge(self, name: str, text: str, read: Callable[[], float]) -> None:
        Gauge(name, text, registry=self.registry).set_function(read)

    def _link(self, name: str, read: Callable[[], LinkView]) -> None:
        self._gauge(f"truecount_{name}_up", "1 unless it is down", lambda: read().state != "down")
        self._gauge(f"truecount_{name}_waiting", "What has not yet arrived there", lambda: read().waiting)


class _Deliveries(Collector):
    """What the delivery protocol (docs/delivery.md) had to do for each agent."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def collect(self) -> Iterator[CounterMetricFamily]:
        """The ledger's own counts, read when Prometheus asks."""
        batches = CounterMetricFamily("truecount_batches", "Batches of agents since the start", labels=["agent"])
        gaps = CounterMetricFamily("truecount_gaps", "Batches answered with `resend`", labels=["agent"])
        anew = CounterMetricFamily("truecount_renumberings", "Batches answered with `renumber`", labels=["agent"])
        cut = CounterMetricFamily("truecount_duplicates", "Events cut off: the log held them", labels=["agent"])
        for agent, pulse in self._ledger.pulses.items():
            batches.add_metric([agent], pulse.batches)
            gaps.add_metric([agent], pulse.gaps)
            anew.add_metric([agent], pulse.renumberings)
            cut.add_metric([agent], pulse.duplicates)
        yield from (batches, gaps, anew, cut)
