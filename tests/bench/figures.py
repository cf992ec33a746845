"""What a benchmark tells: figures side by side with their alternative, from the same run."""

from collections.abc import Iterable
from typing import NamedTuple

from rich.console import Console
from rich.table import Table


class Figure(NamedTuple):
    """One line of the table."""

    what: str
    ours: float
    unit: str
    beside: str = ""
    """What the other figure is."""
    other: float | None = None
    target: str = ""
    """The number to hold, from the design."""

    @property
    def ratio(self) -> float | None:
        """How many times better than the other figure; of time, memory and processor less is better."""
        if not self.other or not self.ours:
            return None
        less_is_better = self.unit in ("ms", "s", "us", "MiB", "bytes", "% of a core", "% wrong")
        return self.other / self.ours if less_is_better else self.ours / self.other


def show(title: str, figures: Iterable[Figure]) -> None:
    """Print the figures as a table."""
    table = Table(title=title, title_justify="left", title_style="bold")
    for name in ("what", "here", "unit", "beside it", "that", "times better", "to hold"):
        table.add_column(name, justify="right" if name in ("here", "that", "times better") else "left")
    for figure in figures:
        ratio = f"{_number(figure.ratio)}x" if figure.ratio else ""
        other = "" if figure.other is None else _number(figure.other)
        table.add_row(figure.what, _number(figure.ours), figure.unit, figure.beside, other, ratio, figure.target)
    Console(width=150).print(table)


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
