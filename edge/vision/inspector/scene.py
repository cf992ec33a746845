"""Everything that is known of the belt under one camera, frame by frame: found, followed, looked at.

picture --> Finder --> Tracker --> turns.chosen --> Judges --> medians: FrameSeen
                                       '----------> Crops, DriftWatch, the belt's picture
"""

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from statistics import median
from typing import Final, NamedTuple

from contract.events import Verdict
from contract.sortingline import SortingLine
from edge.vision import verdict
from edge.vision.clarity import Unclear, unclear
from edge.vision.inspector import beltpicture, turns
from edge.vision.inspector.crops import Crops
from edge.vision.inspector.matching import Seen
from edge.vision.inspector.tracker import Standing, Tracker, Way
from edge.vision.messages import BeltPicture, Crop, Drift, FrameSeen, TrackSeen
from edge.vision.models.drift import DriftWatch
from edge.vision.models.finder import Found
from edge.vision.models.judges import Judges
from edge.vision.models.statistics import Measured, measure
from edge.vision.verdict import Thresholds
from edge.vision.views import Image

SURE_SIGHTINGS: Final = 2
"""A fruit is told of once it was found in so many frames: a flicker is none."""
_EDGE: Final = 1
"""Pixels."""


class _Known(NamedTuple):
    """What is known of one fruit."""

    scores: dict[str, list[float | None]]
    """By model, one for each look; None of a view that must not count."""
    measured: list[Measured]
    unclear: list[Unclear]
    """Why a look shows too little of it; as many as `measured`."""

    def counted(self, model: str | None) -> list[float]:
        return [score for score in self.scores.get(model or "", ()) if score is not None]

    def not_clear(self, model: str | None) -> int:
        """Of the looks that count, so many."""
        latest = zip(reversed(self.unclear), reversed(self.scores.get(model or "", [])), strict=False)
        return sum(bool(why) and score is not None for why, score in latest)


class Scene:
    """One line's belt. Not for several threads at once."""

    def __init__(self, line: SortingLine, judges: Judges) -> None:
        self._line = line
        self._judges = judges
        self._tracker = Tracker()
        self._crops = Crops()
        self._known: dict[int, _Known] = {}
        self._drift: DriftWatch | None = None
        self._drifted = False
        self._watch_anew()
        self._shown: tuple[int, Image, Sequence[Found], Sequence[Standing]] | None = None
        self._drawn = False
        """People have seen it."""
        self._counts = Counter[str](worked=0, views=0, strange=0, unclear=0)

    def frame(self, at_us: int, image: Image) -> FrameSeen:
        """One more frame, taken at `at_us`."""
        with self._timed("us_find"):
            finder = self._judges.bench.finder
            found = finder.find(image) if finder else []
        with self._timed("us_follow"):
            standings = self._tracker.step(at_us, [seen(one.box, image, self._line.moves) for one in found])
        with self._timed("us_judge"):
            self._look(at_us, image, found, standings)
        self._crops.forget(at_us)
        self._shown, self._drawn = (at_us, image, found, standings), False
        self._counts["worked"] += 1
        return self._told(at_us, standings)

    def gone(self, at_us: int) -> Iterator[Drift]:
        """Forget the fruit that stand in the last frame no more; what the drift watch makes of them."""
        standing = {one.track for one in self._shown[3]} if self._shown else set()
        for track in [track for track in self._known if track not in standing]:
            known = self._known.pop(track)
            words = self._watched(known, at_us)
            if words is not None:
                self._drifted = bool(words)
                yield Drift(at_us, words)

    def settle(self, at_us: int) -> tuple[bool, Drift | None]:
        """Between two frames: let models take over that are ready.

        Whether something has changed with them or was refused, and the end of a drift by it.
        """
        before = self._judges.bench.active
        changed = self._judges.settle(at_us, self._knows_all)
        if self._judges.bench.active is before:
            return changed, None
        ended = Drift(at_us, "") if self._drifted else None
        self._watch_anew()
        return changed, ended

    def crop(self, track: int) -> Crop | None:
        """The best picture of a fruit of the last seconds; None where there is none."""
        return self._crops.crop(track)

    def belt(self, thresholds: Thresholds) -> BeltPicture | None:
        """The last frame, with what is known of its fruit drawn in; None where this one was given before."""
        if self._shown is None or self._drawn:
            return None
        self._drawn = True
        at_us, image, found, standings = self._shown
        with self._timed("us_draw"):
            drawn = [
                beltpicture.Drawn(found[one.seen].mask, found[one.seen].box, *self._so_far(one.track, thresholds))
                for one in standings
                if one.seen is not None
            ]
            return BeltPicture(at_us, beltpicture.picture(image, drawn))

    def counts(self) -> dict[str, int]:
        """Since the start: frames worked through, fruit, views, those in strange colours and unclear, us by stage."""
        return dict(self._counts) | {"fruit": self._tracker.born}

    def _look(self, at_us: int, image: Image, found: Sequence[Found], standings: Sequence[Standing]) -> None:
        """At the fruit whose turn it is."""
        for one in standings:
            self._crops.seen(one.track, at_us)
            self._known.setdefault(one.track, _Known({}, [], []))
        if self._judges.bench.active is None:
            return
        where = {
            one.track: found[one.seen] for one in standings if one.seen is not None and not found[one.seen].cut_off
        }
        able = [
            turns.Candidate(one.track, one.along, one.length, len(self._known[one.track].measured))
            for one in standings
            if one.track in where
        ]
        tracks = turns.chosen(able, self._line.views, self._line.eye_at)
        if tracks:
            self._judge(at_us, image, {track: where[track] for track in tracks})

    def _judge(self, at_us: int, image: Image, fruit: dict[int, Found]) -> None:
        boxed = [(image[part], one.mask[part]) for one in fruit.values() for part in [_box(one)]]
        told = self._judges.scores(boxed)
        active = self._judges.bench.active
        assert active is not None
        for place, (track, one) in enumerate(fruit.items()):
            known = self._known[track]
            known.measured.append(measure(*boxed[place]))
            known.unclear.append(why := unclear(image, one.mask, one.box))
            for model, scores in told.items():
                said = scores[place]
                voted = None if said is None else verdict.vote(said, unclear=bool(why))
                known.scores.setdefault(model, []).append(voted)
            score = told[active.model][place]
            self._counts["unclear"] += bool(why)
            self._counts["strange"] += score is None
            self._crops.keep(track, image, one.mask, one.box, -1.0 if score is None else score, at_us)
        self._counts["views"] += len(fruit)

    def _told(self, at_us: int, standings: Sequence[Standing]) -> FrameSeen:
        bench = self._judges.bench
        active, shadow = (one.model if one else None for one in (bench.active, bench.shadow))
        tracks = []
        for one in standings:
            if one.sightings < SURE_SIGHTINGS:
                continue
            known = self._known[one.track]
            scores, beside = known.counted(active), known.counted(shadow)
            # A shadow that came while the fruit was here has seen less of it, which would be no comparison.
            second = verdict.median(beside) if self._complete(known, shadow) else None
            first, unsure = verdict.median(scores), known.not_clear(active)
            tracks.append(TrackSeen(one.track, one.along, one.length, len(scores), first, second, unsure))
        return FrameSeen(at_us, tuple(tracks), active or "", shadow, self._tracker.speed)

    def _so_far(self, track: int, thresholds: Thresholds) -> tuple[Verdict, float | None]:
        active, known = self._judges.bench.active, self._known[track]
        model = active.model if active else None
        scores = known.counted(model)
        score = verdict.median(scores)
        return verdict.judge(score, len(scores), 1, thresholds, known.not_clear(model)), score

    def _complete(self, known: _Known, model: str | None) -> bool:
        return len(known.scores.get(model or "", ())) == len(known.measured)

    def _knows_all(self, model: str) -> bool:
        return all(self._complete(known, model) for known in self._known.values())

    def _watch_anew(self) -> None:
        active = self._judges.bench.active
        self._drift, self._drifted = (DriftWatch(active.manifest.statistics) if active else None), False

    def _watched(self, known: _Known, at_us: int) -> str | None:
        active = self._judges.bench.active
        if self._drift is None or active is None or not known.measured:
            return None
        scores = known.counted(active.model)
        brightness, mask_area, warmth = (median(figures) for figures in zip(*known.measured, strict=True))
        blurred = known.unclear.count("blurred") / len(known.unclear)
        return self._drift.add(median(scores) if scores else 0.5, brightness, mask_area, at_us, warmth, blurred)

    @contextmanager
    def _timed(self, stage: str) -> Iterator[None]:
        begun_ns = time.perf_counter_ns()
        yield
        self._counts[stage] += (time.perf_counter_ns() - begun_ns) // 1000


def seen(box: tuple[int, int, int, int], image: Image, way: Way) -> Seen:
    """What was found in a box (left, top, width, height in pixels) of a picture, in lengths of the belt's way."""
    x, y, width, height = box
    start, size, whole, side, breadth = x, width, image.shape[1], y, height
    if way in ("down", "up"):
        start, size, whole, side, breadth = y, height, image.shape[0], x, width
    if way in ("left", "up"):
        start = whole - start - size
    back, front = start / whole, (start + size) / whole
    return Seen(front, back, (side + breadth / 2) / whole, breadth / whole, start < _EDGE, start + size > whole - _EDGE)


def _box(found: Found) -> tuple[slice, slice]:
    x, y, width, height = found.box
    return slice(y, y + height), slice(x, x + width)
