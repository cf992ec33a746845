"""The disk under the gateway's data: an alarm long before it is full, and what is given up first.

    free      ample ........ low: staff is told ........ scarce: pictures, local history and snapshots
                                                         wait ........ full: stock events wait, too
    bytes                    ALARM x reserve             reserve       0

Stock events are the last thing that is refused: what else would take the last of the disk stops before them. While
the disk is full they wait (`Ledger.full`), their agents keep them, and nothing is lost.
"""

import asyncio
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Final

from gateway.errors import LedgerFull
from gateway.ledger.ledger import Ledger
from gateway.records import Ceased, Noticed

ALARM: Final = 4
"""Staff is told when this many reserves are left."""
LOOK_S: Final = 2.0


class Disk:
    """Looks every few seconds. `free` gives the bytes that are left."""

    def __init__(self, folder: Path, reserve_bytes: int, free: Callable[[Path], int] | None = None) -> None:
        self._folder = folder
        self._reserve = reserve_bytes
        self._free = free or (lambda path: shutil.disk_usage(path).free)
        self.left_bytes = self._free(folder)
        """When it was looked last."""

    @property
    def scarce(self) -> bool:
        """Whether what is left is for stock events only."""
        return self.left_bytes < self._reserve

    @property
    def low(self) -> bool:
        """Whether staff should make room."""
        return self.left_bytes < ALARM * self._reserve

    async def run(self, ledger: Ledger, clock: Callable[[], int]) -> None:
        """Look for ever, and tell when it becomes low and when there is room again."""
        told = ledger.is_open("disk_low", "gateway")
        while True:
            self.left_bytes = await asyncio.to_thread(self._free, self._folder)
            if self.low != told:
                told = await self._tell(ledger, clock())
            await asyncio.sleep(LOOK_S)

    async def _tell(self, ledger: Ledger, now_us: int) -> bool:
        """Whether it is told now that the disk is low."""
        free_mb = self.left_bytes // 1_000_000
        try:
            if self.low:
                params: dict[str, str | int | float] = {"free_mb": free_mb, "reserve_mb": self._reserve // 1_000_000}
                await ledger.record(Noticed(at_us=now_us, what="disk_low", subject="gateway", params=params))
            else:
                await ledger.record(Ceased(at_us=now_us, what="disk_low", subject="gateway", why=f"{free_mb} MB free"))
        except LedgerFull:
            return not self.low  # it is told once there is room for it
        return self.low
