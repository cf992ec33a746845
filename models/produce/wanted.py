"""What a training shall make."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from edge.vision.models.finder import Finder
from edge.vision.models.package import FINDER, finder_folder, load
from models.produce.errors import ModelsError


class Wanted(NamedTuple):
    """What to learn, and where it goes."""

    names: Sequence[str]
    version: int
    out: Path
    seed: int

    def check(self, replace: bool) -> None:
        """Before a quarter of an hour is spent. Raises ModelsError, or BadModel where there is no finder to go by."""
        there = [folder for name in self.names if (folder := self.out / name / str(self.version)).exists()]
        if there and self.version > 1 and not replace:
            raise ModelsError(f"{there[0]} is there already: take another --version, or --replace to write over it")
        if FINDER not in self.names:
            self.finder()

    def finder(self) -> Finder:
        """The one that a line with these packages uses. Raises BadModel."""
        return Finder(load(finder_folder(self.out), "fp32"))
