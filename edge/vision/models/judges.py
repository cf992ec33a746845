"""The models that look at fruit: the one that finds it, the one that decides, one that is tried beside that, and those
that are to take over.

    UseModels --> loaded (in a thread, while the line goes on) --> beside (it judges every fruit, and decides nothing)
                  | cannot be loaded                               | until it knows every fruit in the picture
                  v                                                v
                  refused, with the reason, and tried again:       it decides, from one frame to the next
                  the one before decides; without the one to be
                  tried the line does as well

So the scores of a fruit are always those of one model, and no frame waits for a model.
"""

import random
import threading
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple, TypeVar

from edge.backoff import Backoff
from edge.errors import BadModel
from edge.vision.messages import UseModels
from edge.vision.models import package
from edge.vision.models.classifier import Classifier
from edge.vision.models.finder import Finder
from edge.vision.models.manifest import Backend
from edge.vision.views import Image, Mask, view

RIPE_US: Final = 5_000_000
"""So long after it began, a model takes over in any case; what is still in the picture has the fewer views."""
AGAIN_S: Final = 2.0
SELDOM_S: Final = 60.0
"""What was refused is tried again after the first of these, then less and less often, up to the second."""

Scores = Mapping[str, Sequence[float | None]]
"""By model: what it says of some views, None of one that must not count."""
T = TypeVar("T")


class Bench(NamedTuple):
    """Who looks at fruit."""

    finder: Finder | None
    active: Classifier | None
    shadow: Classifier | None

    @property
    def classifiers(self) -> list[Classifier]:
        """Those that are there."""
        return [one for one in (self.active, self.shadow) if one is not None]


class Seated(NamedTuple):
    """What came of an order."""

    bench: Bench
    refused: str
    """Why not all is there that was asked for; empty when it is."""


class Loaders(NamedTuple):
    """Where models come from. Each raises BadModel."""

    finder: Callable[[], Finder]
    classifier: Callable[[int | None], Classifier]
    """Of a version; None: the newest."""


def loaders(root: Path, crop: str, backend: Backend) -> Loaders:
    """Of a folder of packages; one without a finder borrows that which comes with Truecount."""
    return Loaders(lambda: load_finder(root, backend), lambda version: load(root, crop, backend, version))


def load(root: Path, crop: str, backend: Backend, version: int | None) -> Classifier:
    """A crop's model; None is the newest. Raises BadModel."""
    return Classifier(package.load(package.crop_folder(root, crop, version), backend))


def load_finder(root: Path, backend: Backend) -> Finder:
    """The newest finder of a folder of packages, or else the one that comes with Truecount. Raises BadModel."""
    return Finder(package.load(package.finder_folder(root), backend))


class Judges:
    """Who judges now. Use it from one thread."""

    def __init__(self, loaders: Loaders) -> None:
        self._loaders = loaders
        self.bench = Bench(None, None, None)
        self.refused = ""
        """Why not all is there that was asked for."""
        self._wanted: tuple[int | None, int | None] = None, None
        """Versions to decide and to be tried."""
        self._next: Seated | None = None
        self._since_us = 0
        self._arrived: deque[Seated] = deque(maxlen=1)
        self._loading: threading.Thread | None = None
        self._due_us: int | None = None
        """When what is wanted is to be loaded (again), if nothing else is by then."""
        self._backoff = Backoff(AGAIN_S, SELDOM_S, random.Random())

    @property
    def helpless(self) -> str:
        """Why no fruit can be judged, whatever the camera sees; empty when it can."""
        return self.refused if self.bench.finder is None or self.bench.active is None else ""

    @property
    def coming(self) -> bool:
        """A model judges beside, and will take over."""
        return self._next is not None

    def begin(self, active: int | None, shadow: int | None, at_us: int) -> None:
        """Load the first models, at once."""
        self._wanted = active, shadow
        self.bench, self.refused = _seated(self._loaders, self.bench, [], active, shadow)
        self._try_again(self.refused, at_us)

    def use(self, wanted: UseModels, at_us: int) -> None:
        """Load these in a thread, from the next `settle` on. While one order is carried out, the newest one waits."""
        self._wanted, self._due_us = (wanted.active, wanted.shadow), at_us
        self._backoff.reset()

    def settle(self, at_us: int, ripe: Callable[[str], bool]) -> bool:
        """Between two frames: whether something has changed, or was refused. `ripe`: if a model knows every fruit."""
        news = bool(self._arrived) and self._take(self._arrived.popleft(), at_us)
        self._load_due(at_us)
        if self._next is None or not self._is_ripe(self._next.bench.active, at_us, ripe):
            return news
        self.bench, self.refused = self._next
        self._next = None
        return True

    def scores(self, fruit: Iterable[tuple[Image, Mask]]) -> Scores:
        """What each model says of these views, given as pictures and masks; one run a model."""
        seen = list(fruit)
        beside = self._next.bench.classifiers if self._next else []
        return {
            judge.model: judge.scores([view(image, mask, judge.cut) for image, mask in seen]) if seen else []
            for judge in {one.model: one for one in (*self.bench.classifiers, *beside)}.values()
        }

    def _take(self, told: Seated, at_us: int) -> bool:
        """What was loaded: it shall take over, or if nobody is to be replaced, whether there is something to tell."""
        if self._due_us is None:
            self._try_again(told.refused, at_us)
        if told.bench != self.bench:
            if self._next is None or self._next.bench.active is not told.bench.active:
                self._since_us = at_us
            self._next = told
            return False
        news, self._next, self.refused = told.refused != self.refused, None, told.refused
        return news

    def _is_ripe(self, active: Classifier | None, at_us: int, ripe: Callable[[str], bool]) -> bool:
        if active is None or active is self.bench.active:
            return True
        return ripe(active.model) or at_us - self._since_us >= RIPE_US

    def _try_again(self, refused: str, at_us: int) -> None:
        """After a while, if something was refused; a package may be put right at any time."""
        self._due_us = at_us + round(self._backoff.next_s() * 1e6) if refused else None

    def _load_due(self, at_us: int) -> None:
        is_loading = self._loading is not None and (self._loading.is_alive() or self._arrived)
        if is_loading or self._due_us is None or at_us < self._due_us:
            return
        self._due_us = None
        now = self._next.bench if self._next else self.bench
        order = now, self.bench.classifiers, *self._wanted
        self._loading = threading.Thread(target=self._load, args=order, name="models", daemon=True)
        self._loading.start()

    def _load(self, now: Bench, judging: Sequence[Classifier], active: int | None, shadow: int | None) -> None:
        try:
            seated = _seated(self._loaders, now, judging, active, shadow)
        except BaseException as error:
            self._arrived.append(Seated(now, f"loading version {active}, to be tried {shadow}: {error!r}"))
            raise
        self._arrived.append(seated)


def _seated(
    loaders: Loaders, now: Bench, judging: Sequence[Classifier], active: int | None, shadow: int | None
) -> Seated:
    """Who shall judge after `now`; those who do already, `judging` or of `now`, are not loaded again.

    Where the one that decides cannot be had, it stays as it is; what cannot be tried is not, and the rest goes on.
    """
    refused: list[str] = []
    known = {one.manifest.version: one for one in (*now.classifiers, *judging)}
    finder = now.finder or _had(loaders.finder, refused)
    there = now.active if active is None else known.get(active)
    first = there or _had(lambda: loaders.classifier(active), refused)
    if first is None:
        return Seated(Bench(finder, now.active, now.shadow), "; ".join(refused))
    second = None
    if shadow is not None and shadow != first.manifest.version:
        second = known.get(shadow) or _had(lambda: loaders.classifier(shadow), refused)
    return Seated(Bench(finder, first, second), "; ".join(refused))


def _had(load: Callable[[], T], refused: list[str]) -> T | None:
    """What is loaded; None, and the reason added to `refused`, where it cannot be."""
    try:
        return load()
    except BadModel as error:
        refused.append(str(error))
        return None
