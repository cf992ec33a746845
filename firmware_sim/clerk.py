"""The clerk of the demo: writes down every fruit that goes by, because the simulator keeps only the latest."""

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Final

import httpx
import msgspec

from firmware_sim.errors import DemoError
from firmware_sim.linejudge import TrueLine
from firmware_sim.wentby import TrueFruit

EVERY_S: Final = 30.0
"""Far more often than the simulator needs to forget a fruit."""
_LINES: Final = msgspec.json.Decoder(list[TrueLine])
_FRUIT: Final = msgspec.json.Decoder(list[TrueFruit])


class Clerk:
    """Asks the simulator at this address for the fruit of all its lines."""

    def __init__(self, client: httpx.AsyncClient, simulator: str) -> None:
        self._client = client
        self._simulator = simulator
        self._asking = asyncio.Lock()
        self._began_us: dict[str, int] = {}
        self._written: defaultdict[str, list[TrueFruit]] = defaultdict(list)

    @property
    def written(self) -> Mapping[str, Sequence[TrueFruit]]:
        """The fruit of each line that were over when it was last asked for, from the first to the last."""
        return self._written

    async def run(self) -> None:
        """Ask again and again, until cancelled; a simulator that does not answer is asked again, too."""
        while True:
            await asyncio.sleep(EVERY_S)
            try:
                await self.catch_up()
            except httpx.HTTPError:
                continue

    async def catch_up(self) -> None:
        """Write down all that is over by now. Raises httpx.HTTPError, and `DemoError` if some can no longer be had."""
        async with self._asking:
            for line in _LINES.decode(await self._answer("lines")):
                await self._ask(line)

    async def _ask(self, line: TrueLine) -> None:
        fruit = self._written[line.line]
        if self._began_us.setdefault(line.line, line.began_us) != line.began_us:
            raise DemoError(f"line {line.line}: the simulator was started again after {len(fruit)} fruit")
        while len(fruit) < line.count:
            page = _FRUIT.decode(await self._answer(f"lines/{line.line}/fruit?after={len(fruit)}"))
            if not page or page[0].number != len(fruit) + 1:
                raise DemoError(f"line {line.line}: the simulator no longer knows fruit {len(fruit) + 1}")
            fruit += page

    async def _answer(self, path: str) -> bytes:
        return (await self._client.get(f"{self._simulator}/{path}")).raise_for_status().content
