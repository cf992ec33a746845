"""What an installer sees while a survey runs: the setting, the seconds that are left, the tags heard. On stderr."""

import asyncio
import time
from types import TracebackType

from rich.console import Console
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table


class Screen:
    """A live line on a terminal; elsewhere one line for each setting."""

    def __init__(self, console: Console, total_s: float) -> None:
        self._console = console
        self._total_s = total_s
        self._began_s = self._until_s = time.monotonic()
        self._words = "borrowing the readers"
        self._epcs: set[str] = set()
        self._live = Live(get_renderable=self._line, console=console, refresh_per_second=4, transient=True)

    def __enter__(self) -> "Screen":
        if self._console.is_terminal:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.stop()
        if kind is asyncio.CancelledError:
            self._console.print("survey stopped: the readers were given back as they were found")

    def say(self, words: str) -> None:
        """Something that stays on the screen."""
        self._console.print(words, highlight=False)

    def begin(self, words: str, seconds: float) -> None:
        """Another setting is measured from now on."""
        self._words = words
        self._until_s = time.monotonic() + seconds
        self._epcs.clear()
        if not self._console.is_terminal:
            self.say(f"{words}: {seconds:.0f} s")

    def begin_all(self) -> None:
        """The readers are ours: the time runs."""
        self._began_s = time.monotonic()

    def heard(self, epc: str) -> None:
        """A read."""
        self._epcs.add(epc)

    def _line(self) -> Table:
        now_s = time.monotonic()
        gone_s, left_s = now_s - self._began_s, max(0.0, self._until_s - now_s)
        line = Table.grid(padding=(0, 2))
        line.add_row(
            self._words,
            f"{left_s:.0f} s",
            f"{len(self._epcs)} tags",
            ProgressBar(total=self._total_s, completed=min(gone_s, self._total_s), width=30),
            f"{max(0.0, self._total_s - gone_s):.0f} s left in all",
        )
        return line
