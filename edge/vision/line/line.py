"""What a sorting line decides: which fruit broke the eye, what it is, and whether the gate may let it pass. Pure.

    frames ------> paths ---.                          .--> CoilOrder     let it pass: the good ones, and in time
                            |-- eye broken: by whom? --|--> Inspection    each fruit once, whatever was seen of it
    eye, encoder -> Broken -'                          '--> PictureOrder  of what a person may want to look at

The gate pushes off whatever it is not told to let pass: a dead camera, a late verdict and a fruit that nobody knows
cost fruit, and never pass it. That one has passed is said when it is past the gate: until then its coil may be cleared.
Fruit is told in the order in which it broke the eye, so that one number says how far a life of the line has come.
A line without a gate tells of each fruit as it comes to where the eye would be.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final, Literal, NamedTuple

from contract.events import Inspection
from contract.sortingline import Grade, SortingLine
from contract.wire import LotOrder
from edge.vision.line.eye import WORD, Encoder, Eye, EyeSeen
from edge.vision.line.fruit import PATIENCE_US, AtGate, Fruit
from edge.vision.line.gate import CoilOrder, Gate
from edge.vision.line.judging import Judged, Judging
from edge.vision.line.lots import LineRecord, Lots
from edge.vision.line.path import Path
from edge.vision.line.paths import Paths
from edge.vision.messages import CameraTold, FrameSeen, Using
from edge.vision.verdict import Thresholds

_EARLY: Final = 0.5
"""An eye before the middle of the picture breaks before a fruit has been seen: its verdict takes what time there is."""


class PictureOrder(NamedTuple):
    """A picture of this fruit is wanted."""

    track: int
    subject: str
    at_us: int
    judged: Judged


Decided = CoilOrder | Inspection | PictureOrder


class Line:
    """The rule of one line. `due` gives what is decided; everything else is told to it."""

    def __init__(self, line: SortingLine, grades: Sequence[Grade], life: int, record: LineRecord) -> None:
        """`life`: a number that no earlier life of the line had; `record` is of the one before."""
        self._line = line
        self._gate = Gate(line.gate) if line.gate else None
        self._life = life % 0x10000
        self._subjects = f"{line.name}-{self._life:04x}-"
        self._eye, self._encoder = Eye(record.eye), Encoder()
        self._lots = Lots(record.runs)
        self._judging = Judging(line, grades)
        self._paths = Paths(line.eye_at, self._encoder, has_eye=line.gate is not None)
        self._camera: Literal["connected", "lost", "blind"] = "lost"
        self._waiting: list[Fruit] = []
        self._made = 0
        self.counts = Counter[str]()
        """Fruit told, by verdict; `missed`, `ghosts`; since the start."""

    @property
    def record(self) -> LineRecord:
        """What has to outlive the agent. Fruit that waits is not told yet: the next life counts from before it."""
        seen = self._eye.seen
        if self._waiting:
            first = self._waiting[0].broken
            seen = EyeSeen((first.number - 1) % WORD, first.early_us)
        return LineRecord(self._lots.runs, seen, self._life)

    @property
    def lot(self) -> LotOrder | None:
        """What runs now."""
        return self._lots.runs[-1].order

    @property
    def thresholds(self) -> Thresholds | None:
        """What counts now, of the model that judges now."""
        return self._judging.thresholds(self._judging.model, self.lot)

    # What is told to it

    def frame(self, frame: FrameSeen) -> None:
        """One frame was worked through; frames come in the order of their times."""
        self._paths.frame(frame)

    def camera(self, told: CameraTold) -> None:
        """The camera is there, lost or blind."""
        self._camera = told.state

    def using(self, told: Using) -> None:
        """These models judge."""
        self._judging.using(told)

    def inspector_began(self) -> None:
        """A new inspector, which has seen nothing yet, counts its tracks from 1."""
        self._paths.begin()
        self._camera = "lost"

    def begin_lot(self, order: LotOrder, now_us: int) -> None:
        """This lot runs from now on; what has been seen before belongs to the lot before."""
        self._lots.begin(order, now_us)

    def encoder(self, count: int, heard_us: int) -> None:
        """A reading of the belt's encoder. It is told before that of the eye which was heard with it."""
        self._encoder.read(count, heard_us)

    def eye(self, count: int, asked_us: int, heard_us: int) -> str:
        """A reading of the eye's counter; words for staff where fruit passed that cannot be counted.

        The PLC was restarted then: what it counted before has lost its place at the gate, which is for others now.
        """
        assert self._gate is not None
        self._paths.eye_read(asked_us)
        fruit, lost = self._eye.read(count, asked_us, heard_us)
        if lost:
            self._encoder.begin()
            for waiting in self._waiting:
                waiting.forgotten = True
        for broken in fruit:
            self._made += 1
            self._waiting.append(Fruit(self._made, broken, self._gate.times(broken)))
        return lost

    def written(self, number: int, at_us: int | None, now_us: int) -> list[Decided]:
        """The answer to a `CoilOrder` with True: when the coil was written; None: it was not, and will not be."""
        fruit = next((one for one in self._waiting if one.number == number and one.asked), None)
        if fruit is None:
            return []
        if at_us is None or at_us > fruit.times.gone_us:
            return [self._missed(fruit, now_us), *self._tell()]
        fruit.written_us = at_us
        return []

    def cleared(self, now_us: int) -> list[Decided]:
        """All coils of the gate are about to be cleared: what is not past it by now will be pushed off."""
        for fruit in self._waiting:
            if fruit.asked and fruit.written_us is not None and now_us < fruit.times.past_us:
                fruit.end("missed", now_us)
        return self._tell()

    # What it decides

    def next_due_us(self) -> int | None:
        """When `due` has to be asked though nothing was told; None: never."""
        return min((fruit.alarm_us for fruit in self._waiting if fruit.alarm_us is not None), default=None)

    def due(self, now_us: int) -> list[Decided]:
        """What is decided by now: call it after each frame, each broken eye, and at `next_due_us`."""
        decided = list(self._due_at_gate(now_us) if self._gate else self._due_without_gate(now_us))
        self.counts["ghosts"] += self._paths.forget()
        return decided

    def _due_without_gate(self, now_us: int) -> Iterator[Decided]:
        for path in self._paths.crossed():
            self._made += 1
            judged = self._judge(path, path.born_us)
            picture = self._wanted(self._made, path.last_us, path, judged)
            yield from picture
            yield self._inspection(self._made, path.last_us, path, judged, bool(picture), None, now_us)

    def _due_at_gate(self, now_us: int) -> Iterator[Decided]:
        for fruit in [fruit for fruit in self._waiting if fruit.asked]:
            if fruit.forgotten or (fruit.written_us is None and fruit.times.gone_us < now_us):
                yield self._missed(fruit, now_us)
            elif fruit.written_us is not None and fruit.times.past_us <= now_us:
                fruit.end("passed", fruit.written_us)
        unjudged = [fruit for fruit in self._waiting if not fruit.judged]
        found = self._paths.breakers([fruit.broken for fruit in unjudged])
        for fruit, path in zip(unjudged, found, strict=True):
            if self._ripe(fruit, path, now_us):
                yield from self._decide(fruit, path, now_us)
            fruit.called |= now_us >= fruit.times.last_call_us
        yield from self._tell()

    def _ripe(self, fruit: Fruit, path: Path | None, now_us: int) -> bool:
        """Whether waiting longer would gain nothing, or nothing that is worth it."""
        at_us, times = fruit.broken.at_us, fruit.times
        enough = path is not None and path.seen.views >= self._line.views.least
        if fruit.forgotten or now_us >= times.deadline_us + PATIENCE_US:
            return True
        if self._camera != "connected":
            return enough or now_us >= times.last_call_us or self._line.eye_at >= _EARLY
        if now_us >= times.last_call_us:
            return enough or self._paths.complete(at_us)
        if self._line.eye_at < _EARLY:
            return path is not None and (path.seen.views >= self._line.views.most or not self._paths.stands(path))
        if path is None or not self._paths.complete(at_us):
            return False
        return not self._paths.stands(path) or (enough and self._paths.is_sure(path, fruit.broken))

    def _born_us(self, path: Path | None, at_us: int) -> int:
        """When a fruit that broke the eye then was first in the picture."""
        return path.born_us if path else at_us - self._paths.transit_us

    def _judge(self, path: Path | None, born_us: int) -> Judged:
        return self._judging.judge(path, self._lots.of(born_us), blind=self._camera == "blind")

    def _decide(self, fruit: Fruit, path: Path | None, now_us: int) -> Iterator[Decided]:
        times, at_us = fruit.times, fruit.broken.at_us
        judged = self._judge(path, self._born_us(path, at_us))
        if path is not None:
            self._paths.take(path, at_us)
        fruit.path, fruit.judged = path, judged
        late = fruit.forgotten or now_us > times.deadline_us
        sure = path is not None and self._paths.is_sure(path, fruit.broken)
        if judged.verdict == "good" and sure and not late and now_us >= times.free_us:
            yield CoilOrder(times.place, True, times.deadline_us, fruit.number, at_us)
        elif judged.verdict != "unseen" and (late or judged.verdict == "good"):
            fruit.end("missed", now_us)
        else:
            fruit.end("pushed", now_us)
        picture = self._wanted(fruit.number, at_us, path, judged)
        fruit.picture = bool(picture)
        yield from picture

    def _missed(self, fruit: Fruit, now_us: int) -> CoilOrder:
        """A coil that was written late, or perhaps will be, is cleared: it would let the fruit `places` later pass."""
        fruit.end("missed", now_us)
        return CoilOrder(fruit.times.place, False, now_us + PATIENCE_US, fruit.number, fruit.broken.at_us)

    def _wanted(self, number: int, at_us: int, path: Path | None, judged: Judged) -> list[PictureOrder]:
        """The picture that a person may want to look at, if there is one."""
        subject = self._subject(number)
        if path is None or not self._paths.current(path):
            return []
        if judged.verdict not in ("defective", "unsure") and not self._judging.sampled(subject, judged):
            return []
        return [PictureOrder(path.track, subject, at_us, judged)]

    def _tell(self) -> list[Decided]:
        """What has ended, and nothing before it has not."""
        told: list[Decided] = []
        while self._waiting and (first := self._waiting[0]).judged and first.gate:
            del self._waiting[0]
            at_us, decided_us = first.broken.at_us, first.decided_us
            told.append(
                self._inspection(first.number, at_us, first.path, first.judged, first.picture, first.gate, decided_us)
            )
        return told

    def _inspection(
        self,
        number: int,
        at_us: int,
        path: Path | None,
        judged: Judged,
        picture: bool,
        gate: AtGate | None,
        decided_us: int,
    ) -> Inspection:
        subject = self._subject(number)
        lot = self._lots.of(self._born_us(path, at_us))
        self.counts[judged.verdict] += 1
        self.counts["missed"] += gate == "missed"
        return Inspection(
            at_us=at_us,
            decided_us=decided_us,
            line=self._line.name,
            subject=subject,
            verdict=judged.verdict,
            score=judged.score,
            model=judged.model,
            evidence=subject if picture else None,
            lot=lot.lot if lot else None,
            crop=self._line.crop,
            views=judged.views,
            gate=gate,
            sampled=self._judging.sampled(subject, judged),
            second=judged.second,
            tally=self._lots.count(lot, judged.verdict, gate == "missed"),
        )

    def _subject(self, number: int) -> str:
        return f"{self._subjects}{number}"
