"""What a fruit is, by the model and by what its customer takes as good. Pure."""

import zlib
from collections.abc import Sequence
from typing import Final, NamedTuple

from contract.events import SecondOpinion, Verdict
from contract.sortingline import Grade, SortingLine
from contract.wire import LotOrder
from edge.vision.line.path import Path
from edge.vision.messages import TrackSeen, Using
from edge.vision.verdict import Thresholds, graded, judge

NO_MODEL: Final = "none"
_REMEMBERED: Final = 8
"""Models whose thresholds are known: fruit that the one before has judged is still on the belt after a switch."""


class Judged(NamedTuple):
    """The verdict on one fruit, and what it rests on."""

    verdict: Verdict
    score: float | None
    views: int
    model: str
    second: SecondOpinion | None = None


class Judging:
    """The models' thresholds, and the grades."""

    def __init__(self, line: SortingLine, grades: Sequence[Grade]) -> None:
        self._crop, self._least, self._sample = line.crop, line.views.least, line.sample
        self._grades = tuple(grades)
        self._learned: dict[str, Thresholds] = {}
        self.model = NO_MODEL
        """The one that judges now."""

    def using(self, told: Using) -> None:
        """These models judge from now on."""
        self.model = told.model or NO_MODEL
        if told.shadow and told.shadow_good_below is not None and told.shadow_defective_from is not None:
            self._learn(told.shadow, Thresholds(told.shadow_good_below, told.shadow_defective_from))
        if told.model:
            self._learn(told.model, Thresholds(told.good_below, told.defective_from))

    def thresholds(self, model: str, lot: LotOrder | None) -> Thresholds | None:
        """What counts for that lot's customer; None of a model that nobody has told of."""
        learned = self._learned.get(model)
        customer = lot.customer if lot else None
        return None if learned is None else graded(learned, self._grades, self._crop, customer)

    def judge(self, path: Path | None, lot: LotOrder | None, *, blind: bool) -> Judged:
        """`path`: what was seen of it, if anything. `blind`: the camera is, so that nothing can be called good."""
        if path is None or path.seen.views == 0 or path.seen.score is None:
            return Judged("unseen", None, 0, self.model)
        seen, model = path.seen, path.model or NO_MODEL
        verdict = self._verdict(seen.score, seen, model, lot)
        if blind and verdict == "good":
            verdict = "unsure"
        second = None
        if path.shadow and seen.shadow is not None:
            other = self._verdict(seen.shadow, seen, path.shadow, lot)
            second = SecondOpinion(model=path.shadow, verdict=other, score=seen.shadow)
        return Judged(verdict, seen.score, seen.views, model, second)

    def sampled(self, subject: str, judged: Judged) -> bool:
        """Chosen for a person to look at, though the verdict is sure: by its name, which is as good as chance."""
        drawn = zlib.crc32(subject.encode()) / 2**32
        return judged.verdict in ("good", "defective") and drawn < self._sample

    def _learn(self, model: str, thresholds: Thresholds) -> None:
        self._learned.pop(model, None)
        self._learned[model] = thresholds
        if len(self._learned) > _REMEMBERED:
            del self._learned[next(iter(self._learned))]

    def _verdict(self, score: float | None, seen: TrackSeen, model: str, lot: LotOrder | None) -> Verdict:
        thresholds = self.thresholds(model, lot)
        if thresholds is None:
            return "unsure"
        return judge(score, seen.views, self._least, thresholds, seen.unclear)
