"""The way from an agent's outbox to one ledger, in virtual time: `edge.window` over a broker that loses and doubles."""

from collections.abc import Awaitable, Callable, Sequence
from random import Random
from typing import Final

from contract import wire
from contract.wire import Ack, Batch
from edge.window import Window

LOST, DOUBLED = 0.02, 0.03
"""Shares of the batches that do not arrive, and that arrive twice."""
MAX_EVENTS: Final = 100
WINDOW: Final = 8
TIMEOUT_S: Final = 2.0


class Line:
    """Sends what an agent has made, in order, as often as it takes."""

    def __init__(self, agent: str, deliver: Callable[[Batch], Awaitable[Ack]], seed: int) -> None:
        self.agent = agent
        self.epoch = f"week-{seed}"
        self._deliver = deliver
        self._random = Random(f"line {seed} {agent}")
        self._bodies: list[bytes] = []
        self._window = Window(self.epoch, 0, WINDOW, TIMEOUT_S)

    @property
    def made(self) -> int:
        """The last number given out."""
        return len(self._bodies)

    @property
    def waiting(self) -> int:
        """Events that are not acknowledged."""
        return self.made - self._window.through

    def put(self, bodies: Sequence[bytes]) -> None:
        """Into the outbox."""
        self._bodies += bodies

    async def send(self, now_s: float) -> None:
        """What can be sent now. What gets lost is sent again at a later call, when the window's patience is over."""
        self._window.lapse(now_s)
        while (first := self._window.wanted(self.made)) is not None:
            last = self._last(first)
            told = wire.encode_batch(self.agent, self.epoch, first, 1, tuple(self._bodies[first - 1 : last]))
            self._window.sent(first, last - first + 1, now_s)
            chance = self._random.random()
            if chance < LOST:
                continue
            for _ in range(2 if chance < LOST + DOUBLED else 1):
                self._window.heard(await self._deliver(wire.decode_batch(told)), self.made, now_s)

    def _last(self, first: int) -> int:
        """As many as a batch holds."""
        size, last = 1_000, first
        while last <= self.made and last < first + MAX_EVENTS:
            size += len(self._bodies[last - 1]) + 1
            if size > wire.MAX_BATCH_BYTES:
                break
            last += 1
        return max(first, last - 1)
