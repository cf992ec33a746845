"""The staff of a simulated week: work the exceptions, write down what they did, and do the day's count.

They know what the page and the log show, and what they see when they go somewhere (`firmware_sim.week.people`), with
the errors of people stated there. What they find goes into the books as anybody's would: through a handheld reader's
agent, and by records.
"""

from collections.abc import Sequence
from random import Random
from typing import Final

from accuracy import counting
from accuracy.books import Books
from accuracy.handheld import Handheld
from contract.site import Site
from firmware_sim.week.people import People
from firmware_sim.week.told import Said
from gateway import records
from gateway.records.stockrecords import MovedLine, MoveReason, StockMoved

HOUR_US: Final = 3_600_000_000
DAY_US: Final = 24 * HOUR_US
ROUNDS: Final = range(7, 20)
"""Hours of the day at which somebody goes through the exceptions."""
COUNT_AT: Final = 20
"""Hour of the day's count, when nothing moves any more."""
BEGINS_US: Final = 7 * 60_000_000
"""So long after the full hour they set out: what the ceilings heard of it is told by then."""
SETTLED_US: Final = 25 * 60_000_000
"""So long after a truck has gone, what the doors heard of it is told."""
PUT_AWAY_US: Final = 4 * HOUR_US
"""So long after a truck came, everything has its place, and the readers above have heard it."""
SILENT_US: Final = HOUR_US
"""So long after a ceiling reader has told that it hears a tag no more, and nobody else did, somebody goes and looks."""
MISTYPED: Final = 0.002
"""Share of the findings for which the wrong zone is entered."""


class Clerk:
    """One person at a time, with the page, a barcode scanner and a handheld reader."""

    def __init__(self, site: Site, books: Books, people: People, seed: int, *, whole_house: bool) -> None:
        self._books = books
        self._people = people
        self._handheld = Handheld(books)
        self._random = Random(f"clerk {seed}")
        self._doors = {door.name: door for door in site.doors}
        self._zones = [zone.name for zone in site.zones]
        self._halls = sorted({door.inside for door in site.doors if door.outside is None})
        """Where goods only pass."""
        self._whole_house = whole_house
        self._loaded: dict[str, int] = {}
        """Orders that went off and are not checked, and when."""
        self._checked: set[str] = set()
        """Shipments that somebody has gone after."""
        self.figures = dict.fromkeys(("looked", "scanned", "written_off", "relabelled", "counts"), 0)

    async def said(self, said: Said) -> None:
        """Somebody says at the terminal what was done."""
        match said.what:
            case "scrapped":
                await self._move("scrap", [said.subject], None)
            case "loaded":
                self._loaded[said.subject] = said.at_us

    async def minute(self, now_us: int) -> None:
        """Look at the clock on the wall."""
        if now_us % HOUR_US != BEGINS_US:
            return
        hour = now_us // HOUR_US % 24
        if hour in ROUNDS or hour == COUNT_AT:
            await self._round()
        if hour == COUNT_AT:
            await self._count(now_us // DAY_US)

    # Exceptions

    async def _round(self) -> None:
        now_us = self._books.clock()
        for order in [order for order, at_us in self._loaded.items() if now_us - at_us > SETTLED_US]:
            del self._loaded[order]
            await self._check_outbound(order)
        for name, shipment in self._books.shipments().items():
            came_us = shipment.first_seen_us
            if shipment.direction == "inbound" and came_us is not None and now_us - came_us > PUT_AWAY_US:
                await self._check_inbound(name)
        await self._look_for(self._books.silent(now_us - SILENT_US), self._zones, lost=True)
        for key, view in self._books.open_exceptions().items():
            match view.kind:
                case "unknown_direction":
                    await self._look_for(self._books.undirected.pop(view.subject, []), self._around(view.subject))
                    await self._resolve(key, "looked where they stand")
                case "missing" | "unexpected" | "short" | "over" | "wrong_pallet" | "wrong_door" | "misplaced":
                    if view.subject in self._checked:
                        await self._resolve(key, "checked on the floor")
                case "negative_stock":
                    await self._resolve(key, "the count will tell")
                case _:
                    pass

    async def _check_outbound(self, name: str) -> None:
        """What went off and was not heard: it is booked in the dispatch zone still, or where it was picked."""
        self._checked.add(name)
        view = self._books.shipments().get(name)
        if view is None or view.door is None:
            return
        here = self._doors[view.door].inside
        for line in view.lines:
            units = line.expected - line.seen
            for zone in (here, *(zone for zone in self._zones if zone != here)):
                if units > 0:
                    units -= await self._scan(zone, line.sku, gone_with=name)

    async def _check_inbound(self, name: str) -> None:
        """What of a delivery was not heard itself, though it has been put away: it stands somewhere, perhaps with
        another tag, or never came."""
        if name in self._checked:
            return
        self._checked.add(name)
        cases = self._books.ledger.cases(name)
        unseen = [case.epc for case in cases if case.state in ("missing", "inferred")]
        await self._look_for(unseen, self._zones, lost=True)
        view = self._books.shipments()[name]
        for sku in [line.sku for line in view.lines if line.seen < line.expected]:
            for zone in self._zones:
                await self._scan(zone, sku)

    async def _scan(self, zone: str, sku: str, *, gone_with: str | None = None) -> int:
        """Every case of a SKU in a zone, one by one with the barcode scanner: what is there, and what is not.

        `gone_with`: the outbound shipment that must have taken what is nowhere. Gives how many were booked there and
        are not.
        """
        booked = self._books.tags_in(zone, sku)
        there = self._people.labels(zone, sku)
        self.figures["scanned"] += len(there)
        await self._found([epc for epc in there if self._books.zone_of(epc) != zone], zone)
        for epc in there:
            if self._books.sku_of(epc) not in (None, sku):
                await self._relabel(epc, zone)
        gone = [epc for epc in booked if epc not in there and not self._people.seek(epc, zone)]
        await self._look_for(gone, [other for other in self._zones if other != zone], lost=True, gone_with=gone_with)
        return len(gone)

    async def _look_for(
        self, epcs: Sequence[str], zones: Sequence[str], *, lost: bool = False, gone_with: str | None = None
    ) -> None:
        """Go through zones until each is found; what is found nowhere is written off if `lost`."""
        gone: list[str] = []
        for epc in epcs:
            self.figures["looked"] += 1
            where = next((zone for zone in zones if self._people.seek(epc, zone)), None)
            if where is not None:
                await self._found([epc], self._typed(where))
            elif lost and self._books.zone_of(epc) is not None:
                gone.append(epc)
        await self._move("shipment" if gone_with else "lost", gone, None, shipment=gone_with)

    async def _relabel(self, epc: str, zone: str) -> None:
        """The scanner says another SKU than the case's label: it gets a new tag, and the old one is no more."""
        new = self._people.relabel(epc, zone)
        self.figures["relabelled"] += 1
        await self._move("correction", [epc], None)
        await self._found([new], zone)

    # The day's count

    async def _count(self, day: int) -> None:
        """One count a day: the halls, and one store after the other or all of them."""
        self.figures["counts"] += 1
        stores = [zone for zone in self._zones if zone not in self._halls]
        today = stores if self._whole_house else [stores[day % len(stores)]]
        for zone in (*today, *self._halls):
            name = f"count-{zone}-{day}"
            await counting.count(self._books, self._people, self._handheld, zone, name=name)
            await self._compare_labels(zone)

    async def _compare_labels(self, zone: str) -> None:
        """What stands there by its labels, against the tags: a SKU that differs is counted again, then scanned."""
        tally = self._people.tally(zone)
        for sku in sorted({*tally, *self._books.skus_in(zone)}):
            booked = len(self._books.tags_in(zone, sku))
            if tally[sku] != booked and self._people.recount(zone, sku) != booked:
                await self._scan(zone, sku)

    # The books

    async def _found(self, epcs: Sequence[str], zone: str) -> None:
        if epcs:
            await self._handheld.saw(epcs, zone)

    async def _move(
        self, reason: MoveReason, epcs: Sequence[str], target: str | None, *, shipment: str | None = None
    ) -> None:
        """Write down that cases went somewhere; None is outside."""
        if not epcs:
            return
        self.figures["written_off"] += len(epcs) if reason == "lost" else 0
        line = MovedLine(target=target, epcs=tuple(epcs))
        now_us = self._books.clock.act()
        await self._books.ledger.record(
            StockMoved(at_us=now_us, who="clerk", reason=reason, shipment=shipment, lines=(line,))
        )

    async def _resolve(self, key: str, why: str) -> None:
        now_us = self._books.clock.act()
        await self._books.ledger.record(records.ExceptionResolved(at_us=now_us, id=key, who="clerk", why=why))

    def _around(self, name: str) -> list[str]:
        door = self._doors[name]
        return [zone for zone in (door.inside, door.outside) if zone is not None]

    def _typed(self, zone: str) -> str:
        """The zone as it is entered."""
        return self._random.choice(self._zones) if self._random.random() < MISTYPED else zone
