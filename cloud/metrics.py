"""What /metrics tells."""

from collections.abc import Iterator

from prometheus_client import CollectorRegistry, Counter, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from cloud.book import OrderBook


class Metrics:
    """Figures of one API process, and of the order book behind it."""

    def __init__(self, book: OrderBook) -> None:
        self._registry = CollectorRegistry()
        self._registry.register(_Orders(book))
        self.requests = Counter(
            "truecount_cloud_replenishments",
            "Replenishment requests by what became of them: placed, repeated or refused",
            ["outcome"],
            registry=self._registry,
        )
        self.steps = Counter(
            "truecount_cloud_order_steps",
            "Steps of orders by the state that was reached",
            ["state"],
            registry=self._registry,
        )

    def text(self) -> bytes:
        """The Prometheus text format, version 0.0.4."""
        return generate_latest(self._registry)


class _Orders(Collector):
    def __init__(self, book: OrderBook) -> None:
        self._book = book

    def describe(self) -> list[GaugeMetricFamily]:
        return [GaugeMetricFamily("truecount_cloud_orders", "Purchase orders by state", labels=["state"])]

    def collect(self) -> Iterator[GaugeMetricFamily]:
        (family,) = self.describe()
        for state, count in self._book.counts().items():
            family.add_metric([state], count)
        yield family
