"""The pictures' ranks, in step with the reviews: what a person shall look at, or has, makes room last. In return the
ledger learns which pictures are here."""

import asyncio
from collections.abc import Callable, Iterable
from typing import Final

import structlog

from contract.wire import Outline
from gateway.errors import EvidenceDown
from gateway.evidence.pictures import LABELLED, WAITING, Pictures, Rank
from gateway.ledger.fruit.linerows import Review
from gateway.ledger.ledger import Commit, Ledger

RETRY_S: Final = 1.0
"""After the disk refused."""

log = structlog.get_logger(__name__)


class Ranks:
    """Follows the reviews of one ledger."""

    def __init__(self, ledger: Ledger, pictures: Pictures, clock: Callable[[], int]) -> None:
        """`clock` gives microseconds of wall time."""
        self._clock = clock
        self._ledger = ledger
        self._pictures = pictures
        self._stale: set[str] = set()
        """Reviews of which the pictures do not know yet how they stand."""
        self._news = asyncio.Event()

    def of(self, keys: Iterable[str]) -> dict[str, Rank | None]:
        """The ranks of those of these pictures that have a review."""
        reviews = ((key, self._ledger.sorting.review(key)) for key in keys)
        return {key: _rank(review) for key, review in reviews if review is not None}

    def look_again(self, keys: Iterable[str]) -> None:
        """How these stand may be another than was told: a review may have begun while its picture was written."""
        self._stale.update(keys)
        self._news.set()

    async def lost(self, keys: Iterable[str]) -> None:
        """These pictures made room: on disk when this returns that nobody can answer for them."""
        if news := self._ledger.sorting.unpictured(keys, self._clock()):
            await self._ledger.record_patiently(*news)

    async def run(self) -> None:
        """Follow until cancelled."""
        unsubscribe = self._ledger.subscribe(self._committed)
        try:
            work, failing = self._all, False
            while True:
                try:
                    await work()
                except EvidenceDown as error:
                    if not failing:
                        log.error("the ranks of pictures cannot be kept", error=str(error))
                    failing = True
                    await asyncio.sleep(RETRY_S)
                else:
                    work, failing = self._some, False
        finally:
            unsubscribe()

    def _committed(self, commit: Commit) -> None:
        if commit.reviews:
            self.look_again(commit.reviews)

    async def _all(self) -> None:
        """At the start: how every review stands."""
        ranks = {key: _rank(review) for key, review in self._ledger.sorting.all_reviews().items()}
        found, lost = await asyncio.to_thread(self._pictures.mark_all, ranks)
        self._told(found)
        await self.lost(lost)

    async def _some(self) -> None:
        """Once reviews have moved: how these stand. On failure they count as not yet told."""
        await self._news.wait()
        self._news.clear()
        stale, self._stale = self._stale, set()
        known = self.of(stale)
        try:
            self._told(await asyncio.to_thread(self._pictures.mark, {key: known.get(key) for key in stale}))
        except EvidenceDown:
            self.look_again(stale)
            raise

    def _told(self, outlines: dict[str, Outline]) -> None:
        self._ledger.sorting.pictured(outlines)


def _rank(review: Review) -> Rank | None:
    """None: that of its verdict, as no training takes a picture that is unusable."""
    match review.label:
        case None:
            return WAITING
        case "unusable":
            return None
        case _:
            return LABELLED
