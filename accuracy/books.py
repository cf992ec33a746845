"""A real ledger on a file of its own, on the world's clock, with a line from each agent."""

from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from accuracy.line import Line
from contract import events, wire
from contract.site import Site
from contract.wire import Ack, Batch
from firmware_sim.week.told import Notice
from gateway import records
from gateway.ledger.ledger import Commit, Ledger
from gateway.views import ExceptionView, ShipmentView

QUICK_S = 0.0005
"""Between two commits: the clock that the ledger waits by is the real one, and here nothing waits in real time."""


class Clock:
    """Stands until somebody sets it."""

    def __init__(self) -> None:
        self.now_us = 0

    def __call__(self) -> int:
        return self.now_us

    def reach(self, now_us: int) -> None:
        """It is so late now; a clock does not go back."""
        self.now_us = max(self.now_us, now_us)

    def act(self) -> int:
        """The moment of something that a person does: no two are done in one."""
        self.pass_us(1_000)
        return self.now_us

    def pass_us(self, by_us: int) -> None:
        """So long goes by."""
        self.now_us += by_us


class Books:
    """One ledger and what comes in to it."""

    def __init__(self, ledger: Ledger, clock: Clock, agents: Sequence[str], seed: int) -> None:
        self.ledger = ledger
        self.clock = clock
        self.lines = {agent: Line(agent, self._deliver(agent), seed) for agent in agents}
        self.undirected: dict[str, list[str]] = {}
        """By door, tags that passed it, nobody knows which way."""
        self._tags_of: dict[str, dict[str, None]] = {}
        """By SKU, every tag in the log."""
        self._silent_us: dict[str, int] = {}
        """Tags that a ceiling reader hears no more, since when, and of which nobody has told since."""
        self.overheard: Callable[[Batch], None] = lambda batch: None
        """Is given each batch that arrives, as often as it does."""
        ledger.subscribe(self._read)

    @classmethod
    @contextmanager
    def open(cls, folder: Path, site: Site, agents: Sequence[str], seed: int) -> Iterator["Books"]:
        """A new ledger in a folder; `agents`: those that tell it anything."""
        quick = site.model_copy(update={"gateway": site.gateway.model_copy(update={"group_commit_s": QUICK_S})})
        clock = Clock()
        with Ledger.open(folder / "ledger.db", quick, clock) as ledger:
            yield cls(ledger, clock, agents, seed)

    def _deliver(self, agent: str) -> Callable[[Batch], Awaitable[Ack]]:
        async def deliver(batch: Batch) -> Ack:
            self.overheard(batch)
            return await self.ledger.take(agent, batch)

        return deliver

    async def open_balance(self, standing: Sequence[tuple[str, str]], who: str = "opening") -> None:
        """What is there at the beginning."""
        for first in range(0, len(standing), 500):
            items = tuple(records.ImportedItem(epc=epc, zone=zone) for epc, zone in standing[first : first + 500])
            await self.ledger.record(records.ItemsImported(at_us=self.clock(), who=who, items=items))

    async def announce(self, notice: Notice) -> None:
        """A despatch advice or an order."""
        await self.ledger.record(
            records.AsnReceived(
                at_us=self.clock(),
                id=notice.id,
                direction=notice.direction,
                partner=notice.partner,
                door=notice.door,
                lines=tuple(records.AsnLine(sku=line.sku, units=line.units) for line in notice.lines),
                cases=tuple(records.AsnCase(epc=case.epc, sscc=case.sscc) for case in notice.cases),
            )
        )

    async def minute(self, clocks_us: dict[str, int], offline: dict[str, bool]) -> None:
        """A minute is over: agents send and are heard, unless they cannot; then the gateway looks around.

        `clocks_us`: what each agent's clock shows.
        """
        now_us = self.clock()
        for name, line in self.lines.items():
            if offline.get(name):
                continue
            if line.waiting:
                await line.send(now_us / 1e6)
            status = wire.Status(
                agent=name,
                state="online",
                at_us=clocks_us.get(name, now_us),
                epoch=line.epoch,
                made=line.made,
                waiting=line.waiting,
            )
            self.ledger.heard(status)
        await self.ledger.tick(now_us)

    def stock(self) -> Counter[tuple[str, str]]:
        """Units by SKU and zone."""
        views = self.ledger.views("stock")
        return Counter(
            {(sku, zone): units for sku, view in views.items() for zone, units in view.zones.items() if units}
        )

    def shipments(self) -> dict[str, ShipmentView]:
        """As the page shows them."""
        return dict(sorted(self.ledger.views("shipments").items()))

    def open_exceptions(self) -> dict[str, ExceptionView]:
        """As the page shows them."""
        views = sorted(self.ledger.views("exceptions").items())
        return {key: view for key, view in views if view.state == "open"}

    def sku_of(self, epc: str) -> str | None:
        """Of which SKU the books have a tag."""
        item = self.ledger.item(epc)
        return None if item is None else item.sku

    def tags_in(self, zone: str, sku: str | None = None) -> list[str]:
        """The tags that they have in a zone, of one SKU or of all."""
        skus = self._tags_of if sku is None else [sku]
        return [epc for one in skus for epc in self._tags_of.get(one, ()) if self.zone_of(epc) == zone]

    def skus_in(self, zone: str) -> list[str]:
        """Of which they have anything in a zone."""
        return [sku for sku, view in self.ledger.views("stock").items() if view.zones.get(zone)]

    def silent(self, before_us: int) -> list[str]:
        """Tags in the house that are not heard any more since before a moment; each is given once."""
        found = [epc for epc, at_us in self._silent_us.items() if at_us < before_us]
        for epc in found:
            del self._silent_us[epc]
        return [epc for epc in found if self.zone_of(epc) is not None and self.sku_of(epc) is not None]

    def _read(self, commit: Commit) -> None:
        """What was written into the log."""
        for row in commit.rows:
            match records.decode(row.body):
                case events.ZoneLeft(epcs=epcs):
                    self._silent_us.update(dict.fromkeys(epcs, row.at_us))
                case events.DoorPass(epcs=epcs, door=door, direction=direction):
                    self._listed(epcs)
                    if direction == "unknown":
                        self.undirected.setdefault(door, []).extend(epcs)
                case events.ZoneSeen(epcs=epcs) | events.TagCount(epcs=epcs):
                    self._listed(epcs)
                case records.ItemsImported(items=items):
                    self._listed([item.epc for item in items])
                case records.AsnReceived(cases=cases):
                    self._listed([case.epc for case in cases])
                case _:
                    pass

    def _listed(self, epcs: Iterable[str]) -> None:
        for epc in epcs:
            self._silent_us.pop(epc, None)
            if (sku := self.sku_of(epc)) is not None:
                self._tags_of.setdefault(sku, {})[epc] = None

    def zone_of(self, epc: str) -> str | None:
        """Where the books have a tagged case."""
        item = self.ledger.item(epc)
        return None if item is None else item.zone
