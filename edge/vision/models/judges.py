"""The models that look at fruit: the one that decides, one that is tried beside it, one that is to take over.

    UseModels --> loaded (in a thread, while the line goes on) --> beside (it judges every fruit, and decides nothing)
                  | cannot be loaded: refused, with the reason     | until it knows every fruit in the picture
                  v                                                v
                  all stays as it is                               it decides, from one frame to the next

So the scores of a fruit are always those of one model, and no frame waits for a model.
"""

import threading
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from edge.errors import BadModel
from edge.vision.messages import UseModels
from edge.vision.models import package
from edge.vision.models.classifier import Classifier
from edge.vision.models.manifest import Backend
from edge.vision.views import Image, Mask, view

RIPE_US: Final = 5_000_000
"""So long after it began, a model takes over in any case; what is still in the picture has the fewer views."""

Scores = Mapping[str, Sequence[float | None]]
"""By model: what it says of some views, None of one that must not count."""


class Bench(NamedTuple):
    """Who judges."""

    active: Classifier | None
    shadow: Classifier | None


class Loaded(NamedTuple):
    """What came of an order."""

    wanted: UseModels | None
    bench: Bench
    refused: str
    """Why what was asked for is not there; empty when it is."""


def load(root: Path, crop: str, backend: Backend, version: int | None) -> Classifier:
    """A crop's model; None is the newest. Raises BadModel."""
    return Classifier(package.load(package.folder_of(root, crop, version), backend))


class Judges:
    """Who judges now. Use it from one thread."""

    def __init__(self, loader: Callable[[int | None], Classifier]) -> None:
        """`loader` gives the model of a version, or of the newest, and raises BadModel."""
        self._loader = loader
        self.bench = Bench(None, None)
        self._next: Bench | None = None
        self._since_us: int | None = None
        self._arrived: deque[Loaded] = deque()
        self._loading: threading.Thread | None = None
        self._waiting: UseModels | None = None

    @property
    def _present(self) -> list[Classifier]:
        """Each once, whatever it is there for."""
        seats = [*self.bench, *(self._next or ())]
        return list({one.model: one for one in seats if one is not None}.values())

    def begin(self, active: int | None, shadow: int | None) -> str:
        """Load the first models, at once; what of them cannot be had, and why."""
        self.bench, refused = _seated(self._loader, Bench(None, None), active, shadow)
        return refused

    def use(self, wanted: UseModels) -> None:
        """Load these in a thread. While one order is carried out, the newest one waits."""
        self._waiting = wanted
        self._load_waiting()

    def _load_waiting(self) -> None:
        if self._waiting is None or (self._loading is not None and self._loading.is_alive()):
            return
        wanted, self._waiting = self._waiting, None
        self._loading = threading.Thread(target=self._load, args=(wanted,), name="loads models", daemon=True)
        self._loading.start()

    def _load(self, wanted: UseModels) -> None:
        bench, refused = _seated(self._loader, self.bench, wanted.active, wanted.shadow)
        self._arrived.append(Loaded(wanted, bench, refused))

    def settle(self, at_us: int, ripe: Callable[[str], bool]) -> Loaded | None:
        """Between two frames: what has changed, or was refused. `ripe`: whether a model knows every fruit by now."""
        self._load_waiting()
        if self._arrived:
            arrived = self._arrived.popleft()
            if arrived.refused:
                return arrived._replace(bench=self.bench)
            self._next, self._since_us = arrived.bench, at_us
        coming, since_us = self._next, self._since_us
        if coming is None or since_us is None:
            return None
        if coming.active is None or ripe(coming.active.model) or not 0 <= at_us - since_us < RIPE_US:
            self.bench, self._next = coming, None
            return Loaded(None, coming, "")
        return None

    def scores(self, fruit: Iterable[tuple[Image, Mask]]) -> Scores:
        """What each model says of these views, given as pictures and masks; one run a model."""
        seen = list(fruit)
        return {
            judge.model: judge.scores([view(image, mask, judge.cut) for image, mask in seen]) if seen else []
            for judge in self._present
        }


def _seated(
    loader: Callable[[int | None], Classifier], now: Bench, active: int | None, shadow: int | None
) -> tuple[Bench, str]:
    """Who shall judge: those who do already are not loaded again. All or nothing; a first model is better than none."""
    known = {one.manifest.version: one for one in now if one is not None}
    try:
        first = known.get(active or 0) or loader(active)
    except BadModel as error:
        return now, str(error)
    try:
        second = None if shadow is None else known.get(shadow) or loader(shadow)
    except BadModel as error:
        return (now if now.active else Bench(first, None)), str(error)
    return Bench(first, second if second and second.model != first.model else None), ""
