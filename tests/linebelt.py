"""A belt under a camera, its photo-eye and its gate, with fruit whose truth is known: the judge of edge/vision/line.

Time is simulated: the camera takes frames, the inspector tells of them later, the PLC is read every few milliseconds,
and coils are written a moment after they were ordered.
"""

import heapq
import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

from contract.events import Inspection
from contract.sortingline import Grade, SortingLine
from edge.vision.line.gate import CoilOrder
from edge.vision.line.line import Decided, Line, PictureOrder
from edge.vision.line.lots import LineRecord
from edge.vision.messages import CameraTold, FrameSeen, TrackSeen, Using

BEGAN_US = 1_790_000_000_000_000
MODEL = "lemon-1-int8-0a1b2c3d"
LENGTH = 0.15
REGISTERS = {"modbus": "plc", "eye_count": "eye", "encoder": "turns", "pass_coils": "pass"}


def sorting_line(**more: object) -> SortingLine:
    gate = REGISTERS | {"travel_s": 0.5}
    plain = {"name": "line-a", "title": {"en": "A", "zh": "A"}, "agent": "edge", "crop": "lemon", "sample": 0.0}
    camera = {"name": "camera-a", "kind": "mjpeg", "url": "http://127.0.0.1:1/"}
    return SortingLine.model_validate(plain | {"camera": camera, "gate": gate} | more)


def using(model: str = MODEL, **more: object) -> Using:
    return Using(model, 0.35, 0.65, **more)  # type: ignore[arg-type]


@dataclass
class Fruit:
    """One fruit, as it truly is."""

    enters_s: float
    """When its middle is at the begin of the picture, on a belt that does not stop."""
    score: float = 0.1
    seen: bool = True
    """By the camera."""
    counted: bool = True
    """By the eye."""
    found_at: float = 0.1
    """Where the inspector finds it first."""


@dataclass
class Faults:
    """What goes wrong, in seconds since the begin."""

    dropped: frozenset[int] = frozenset()
    """Frames, by their number."""
    lag_s: Callable[[int], float] = lambda number: 0.03
    """How long the inspector takes for a frame."""
    camera_lost_s: tuple[float, float] | None = None
    held_s: tuple[float, float] = (1e9, 1e9)
    """Frames of this time all come at its end, and are taken for new."""
    camera_told_s: float = 0.3
    """How long it takes until the loss is told."""
    stops_s: tuple[float, float] = (1e9, 1e9)
    """The belt stands still."""
    plc_away_s: tuple[float, float] | None = None
    plc_slow_s: tuple[float, float] | None = None
    """It answers nothing meanwhile, and its connection lives: no coil is cleared."""
    answer_s: Callable[[float], float] = lambda at_s: 0.0
    """So long is the answer to a read under way that was asked then; the PLC looks at its counters as it is asked."""
    inspector_away_s: tuple[float, float] | None = None
    """It ends, and another one is at work, which has seen nothing yet."""
    restart_s: tuple[float, float] | None = None
    """The agent ends in order, and begins again: its PLC gets a new connection."""
    clock_step_us: int = 0
    """So far the clock on the wall was set meanwhile."""
    writes_lost: bool = False
    write_s: float = 0.004


@dataclass
class Outcome:
    """What came of it."""

    events: list[Inspection] = field(default_factory=list)
    pictures: list[PictureOrder] = field(default_factory=list)
    passed: list[int] = field(default_factory=list)
    """Fruit that the gate let pass, by their index."""
    pushed: list[int] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)

    def verdicts(self) -> list[str]:
        return [event.verdict for event in sorted(self.events, key=lambda event: event.at_us)]

    def gates(self) -> list[str | None]:
        return [event.gate for event in sorted(self.events, key=lambda event: event.at_us)]


class Belt:
    """One run over a belt at a constant speed."""

    def __init__(
        self,
        line: SortingLine,
        fruit: Sequence[Fruit],
        *,
        speed: float = 0.35,
        fps: float = 12.0,
        poll_s: float = 0.01,
        first_count: int = 0,
        faults: Faults | None = None,
        grades: Sequence[Grade] = (),
        record: LineRecord | None = None,
    ) -> None:
        self.site = line
        self._grades = grades
        self.rule = Line(line, grades, 0x5F0C, record or LineRecord())
        self.fruit, self.speed, self.fps, self.poll_s = list(fruit), speed, fps, poll_s
        self.count = first_count
        self.turned = 0
        """What the encoder counts from."""
        self.faults = faults or Faults()
        self.out = Outcome()
        self.orders: list[tuple[float, Callable[[int], None]]] = []
        """What else happens, and when."""
        self._coils = dict.fromkeys(range(line.gate.places if line.gate else 0), False)
        self._agenda: list[tuple[float, int, Callable[[float], None]]] = []
        self._ids = itertools.count()
        self._views = [0] * len(self.fruit)
        self._life = 0
        self._asking_until_s = 0.0
        self._plc_began = 0
        self._ended = False
        """No agent is at work."""
        self._inspect(BEGAN_US)

    def run(self) -> Outcome:
        stops_s, goes_s = self.faults.stops_s
        end_s = max((one.enters_s for one in self.fruit), default=0.0) + 2.2 / self.speed + 6 + goes_s - stops_s
        for number in range(round(end_s * self.fps)):
            self._at(number / self.fps, lambda at_s, number=number: self._photograph(at_s, number))
        for number in range(round(end_s / self.poll_s)):
            self._at(number * self.poll_s, self._poll)
        if lost := self.faults.camera_lost_s:
            told_s = lost[0] + self.faults.camera_told_s
            self._at(told_s, lambda at_s: self._told(CameraTold("lost", _us(at_s), "")))
            self._at(lost[1], lambda at_s: self._told(CameraTold("connected", _us(at_s), "")))
        if away := self.faults.plc_away_s:
            self._at(away[1], self._reconnect)
        if away := self.faults.inspector_away_s:
            self._at(away[0], self._end_inspector)
            self._at(away[1], lambda at_s: self._inspect(_us(at_s)))
        if self.faults.restart_s is not None:
            self._at(self.faults.restart_s[0], self._end)
            self._at(self.faults.restart_s[1], self._restart)
        for at_s, order in self.orders:
            self._at(at_s, lambda at_s, order=order: order(_us(at_s)))
        for index, one in enumerate(self.fruit):
            if one.counted and self.site.gate:
                self._at(self.eye_s(one), lambda at_s, index=index: self._break(at_s, index))
        self._go(end_s)
        return self.out

    def eye_s(self, fruit: Fruit) -> float:
        return self._when(fruit.enters_s * self.speed + self.site.eye_at)

    def pulses(self, at_s: float) -> int:
        """Of the encoder since the begin."""
        return round(self._way(at_s) * 2000)

    def _way(self, at_s: float) -> float:
        """How far the belt has gone."""
        stops_s, goes_s = self.faults.stops_s
        return self.speed * (at_s - max(0.0, min(at_s, goes_s) - stops_s))

    def _when(self, way: float) -> float:
        stops_s, goes_s = self.faults.stops_s
        at_s = way / self.speed
        return at_s if at_s <= stops_s else at_s + goes_s - stops_s

    # The world

    def _at(self, at_s: float, what: Callable[[float], None]) -> None:
        heapq.heappush(self._agenda, (at_s, next(self._ids), what))

    def _go(self, end_s: float) -> None:
        while self._agenda and self._agenda[0][0] <= end_s:
            at_s, _, what = heapq.heappop(self._agenda)
            what(at_s)

    def restart_plc(self, at_us: int, *, keeps_coils: bool) -> None:
        """Its program begins anew: it counts from 0, and what is on the way to the gate will be pushed."""
        self.count, self.turned = 0, -self.pulses((at_us - BEGAN_US) / 1e6)
        self._plc_began += 1
        if not keeps_coils:
            self._coils.update(dict.fromkeys(self._coils, False))

    def _break(self, at_s: float, index: int) -> None:
        self.count = (self.count + 1) % 65536
        gate = self.site.gate
        assert gate is not None
        place, began = self.count % gate.places, self._plc_began
        gate_s = self._when(self._way(at_s) + gate.travel_s * self.speed)
        self._at(gate_s, lambda at_s: self._at_gate(index, place, began))

    def _at_gate(self, index: int, place: int, began: int) -> None:
        if began != self._plc_began:
            self.out.pushed.append(index)
            return
        (self.out.passed if self._coils[place] else self.out.pushed).append(index)
        self._coils[place] = False

    def _photograph(self, at_s: float, number: int) -> None:
        lost = (self.faults.camera_lost_s, self.faults.inspector_away_s)
        if self._ended or number in self.faults.dropped or any(gap and gap[0] <= at_s < gap[1] for gap in lost):
            return
        tracks = []
        for index, one in enumerate(self.fruit):
            along = self._way(at_s) - one.enters_s * self.speed
            if one.seen and one.found_at <= along <= 1:
                self._views[index] += self._views[index] < self.site.views.most
                tracks.append(TrackSeen(index + 1, along, LENGTH, self._views[index], one.score, None))
        speed = (self._way(at_s) - self._way(at_s - 0.3)) / 0.3
        held_s, end_s = self.faults.held_s
        if held_s <= at_s < end_s:
            at_s = end_s + (at_s - held_s) / 100
        frame, life = FrameSeen(_us(at_s), tuple(tracks), MODEL, None, speed), self._life
        self._at(at_s + self.faults.lag_s(number), lambda at_s: self._seen(at_s, frame, life))

    # The agent

    def _inspect(self, at_us: int) -> None:
        """An inspector is at work."""
        self.rule.using(using())
        self.rule.camera(CameraTold("connected", at_us, ""))

    def _end_inspector(self, at_s: float) -> None:
        self._life += 1
        self._views = [0] * len(self.fruit)
        self.rule.inspector_began()
        self._due(at_s)

    def _end(self, at_s: float) -> None:
        """In order: nothing is left standing in the PLC, and what can be told is."""
        self._reconnect(at_s)
        self._end_inspector(at_s)
        self._ended = True

    def _restart(self, at_s: float) -> None:
        """Another life, with what the one before has left on the disk."""
        self._ended = False
        kept = self.rule.record.shifted(self.faults.clock_step_us)
        assert kept.life is not None
        self.rule = Line(self.site, self._grades, kept.life + 1, kept.shifted(0, _us(at_s)))
        self._end_inspector(at_s)
        self._inspect(_us(at_s))
        self._reconnect(at_s)

    def _reconnect(self, at_s: float) -> None:
        """Nobody knows whose the coils are that an earlier connection has left."""
        self._take(at_s, self.rule.cleared(_us(at_s)))
        self._coils.update(dict.fromkeys(self._coils, False))

    def _seen(self, at_s: float, frame: FrameSeen, life: int) -> None:
        if life != self._life:
            return  # its inspector has ended before it could tell
        self.rule.frame(frame)
        self._due(at_s)

    def _told(self, told: CameraTold) -> None:
        self.rule.camera(told)
        self._take((told.at_us - BEGAN_US) / 1e6, self.rule.due(told.at_us))

    def _poll(self, at_s: float) -> None:
        if self._ended or at_s < self._asking_until_s:
            return
        away = self.faults.plc_away_s
        slow = self.faults.plc_slow_s
        if self.site.gate and not any(gap and gap[0] <= at_s < gap[1] for gap in (away, slow)):
            self._asking_until_s = at_s + self.faults.answer_s(at_s)
            counts = self.count, (self.turned + self.pulses(at_s)) % 65536
            self._at(self._asking_until_s, partial(self._heard, self.rule, counts, at_s))
        else:
            self._look_again(at_s)

    def _heard(self, asker: Line, counts: tuple[int, int], asked_s: float, heard_s: float) -> None:
        if self._ended or asker is not self.rule:
            return  # its connection is gone
        eye, encoder = counts
        if self.site.gate and self.site.gate.encoder:
            self.rule.encoder(encoder, _us(heard_s))
        lost = self.rule.eye(eye, _us(asked_s), _us(heard_s))
        if lost:
            self.out.lost.append(lost)
        self._look_again(heard_s)

    def _look_again(self, at_s: float) -> None:
        due_us = self.rule.next_due_us()
        if due_us is not None:
            self._at(max(at_s, (due_us - BEGAN_US) / 1e6), self._due)
        self._due(at_s)

    def _due(self, at_s: float) -> None:
        if self._ended:
            return
        self._take(at_s, self.rule.due(_us(at_s)))

    def _take(self, at_s: float, decided: list[Decided]) -> None:
        for one in decided:
            if isinstance(one, CoilOrder):
                asked = partial(self._write, self.rule, one)
                self._at(at_s + self.faults.write_s, asked)
            elif isinstance(one, Inspection):
                self.out.events.append(one)
            else:
                self.out.pictures.append(one)

    def _write(self, asker: Line, order: CoilOrder, at_s: float) -> None:
        if asker is not self.rule:
            return  # its connection is gone
        away = self.faults.plc_away_s
        lost = self.faults.writes_lost or _us(at_s) > order.until_us or bool(away and away[0] <= at_s < away[1])
        lost |= self._ended
        if not lost:
            self._coils[order.place] = order.value
        if order.value:
            self._take(at_s, self.rule.written(order.fruit, None if lost else _us(at_s), _us(at_s)))


def _us(at_s: float) -> int:
    return BEGAN_US + round(at_s * 1e6)
