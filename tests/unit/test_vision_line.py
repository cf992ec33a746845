"""The rule of a sorting line, as stories of fruit, and over random belts."""

from collections.abc import Sequence
from functools import partial

import pytest
from hypothesis import given, note
from hypothesis import strategies as st
from linebelt import BEGAN_US, LENGTH, MODEL, REGISTERS, Belt, Faults, Fruit, Outcome, sorting_line, using

from contract.events import Inspection, Tally
from contract.sortingline import Grade
from contract.wire import LotOrder
from edge.vision.line.eye import EyeSeen
from edge.vision.line.line import Line
from edge.vision.line.lots import LineRecord, Run
from edge.vision.messages import CameraTold

GOOD, BAD, DOUBTFUL = 0.1, 0.9, 0.5


def spaced(scores: Sequence[float], every_s: float = 1.0) -> list[Fruit]:
    return [Fruit(1.0 + every_s * n, score) for n, score in enumerate(scores)]


def told_once(belt: Belt, out: Outcome) -> None:
    """Every fruit that broke the eye is told once, and each tally is the sum of its lot."""
    counted = sum(fruit.counted for fruit in belt.fruit)
    assert len(out.events) == counted
    assert len({event.subject for event in out.events}) == counted
    sums: dict[str | None, Tally] = {}
    for event in out.events:
        before = sums.get(event.lot, Tally())
        sums[event.lot] = Tally(
            good=before.good + (event.verdict == "good"),
            defective=before.defective + (event.verdict == "defective"),
            unsure=before.unsure + (event.verdict == "unsure"),
            unseen=before.unseen + (event.verdict == "unseen"),
            missed=before.missed + (event.gate == "missed"),
        )
        assert event.tally == sums[event.lot]


def test_good_fruit_passes_and_all_other_is_pushed_off() -> None:
    belt = Belt(sorting_line(), spaced([GOOD, BAD, DOUBTFUL, GOOD]))
    out = belt.run()
    assert out.verdicts() == ["good", "defective", "unsure", "good"]
    assert out.gates() == ["passed", "pushed", "pushed", "passed"]
    assert out.passed == [0, 3]
    assert out.pushed == [1, 2]
    first = out.events[0]
    assert (first.subject, first.model, first.crop, first.views) == ("line-a-5f0c-1", MODEL, "lemon", 5)
    assert abs(first.at_us - BEGAN_US - belt.eye_s(belt.fruit[0]) * 1e6) <= 10_000
    assert [one.subject for one in out.pictures] == ["line-a-5f0c-2", "line-a-5f0c-3"]
    assert [event.evidence for event in out.events] == [None, "line-a-5f0c-2", "line-a-5f0c-3", None]
    told_once(belt, out)


def test_a_verdict_falls_as_soon_as_the_frames_before_the_eye_are_in() -> None:
    belt = Belt(sorting_line(), spaced([GOOD] * 5), fps=30, faults=Faults(lag_s=lambda n: 0.08))
    out = belt.run()
    waits_us = [event.decided_us - event.at_us for event in out.events]
    assert max(waits_us) <= 80_000 + 34_000 + 10_000 + 4_000  # a frame's lag and spacing, a poll, the wire


@pytest.mark.parametrize(
    ("story", "fruit", "faults", "verdict", "gate"),
    [
        ("the camera does not see it", Fruit(1, GOOD, seen=False), Faults(), "unseen", "pushed"),
        ("too few views", Fruit(1, GOOD, found_at=0.92), Faults(), "unsure", "pushed"),
        ("the camera is dead", Fruit(1, GOOD), Faults(camera_lost_s=(0, 60)), "unseen", "pushed"),
        ("it dies as the fruit is half way", Fruit(1, GOOD), Faults(camera_lost_s=(2, 60)), "unseen", "pushed"),
        ("it dies just before the eye", Fruit(1, GOOD), Faults(camera_lost_s=(3.4, 60)), "good", "missed"),
        ("it dies in the last moment", Fruit(1, GOOD), Faults(camera_lost_s=(3.52, 60)), "good", "passed"),
        ("the inspector is late", Fruit(1, GOOD), Faults(lag_s=lambda n: 2.0), "good", "missed"),
        ("so late that nobody waits", Fruit(1, GOOD), Faults(lag_s=lambda n: 6.0), "unseen", "pushed"),
        ("late, and it was bad", Fruit(1, BAD), Faults(lag_s=lambda n: 2.0), "defective", "missed"),
        ("the coil cannot be written", Fruit(1, GOOD), Faults(writes_lost=True), "good", "missed"),
        ("the coil is written too late", Fruit(1, GOOD), Faults(write_s=0.6), "good", "missed"),
        ("most frames are dropped", Fruit(1, GOOD), Faults(dropped=frozenset(range(0, 400, 2))), "good", "passed"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_cannot_be_seen_in_time_is_never_let_pass(
    story: str, fruit: Fruit, faults: Faults, verdict: str, gate: str
) -> None:
    line = sorting_line(views={"least": 5, "most": 8}) if story == "too few views" else sorting_line()
    belt = Belt(line, [fruit], faults=faults)
    out = belt.run()
    assert (out.verdicts(), out.gates()) == ([verdict], [gate])
    assert out.passed == ([0] if gate == "passed" else [])
    told_once(belt, out)


def test_a_blind_camera_calls_nothing_good() -> None:
    belt = Belt(sorting_line(), spaced([GOOD, GOOD]))
    belt.orders = [(0.5, lambda at_us: belt.rule.camera(CameraTold("blind", at_us, "covered")))]
    out = belt.run()
    assert out.verdicts() == ["unsure", "unsure"]
    assert out.passed == []


def test_frames_that_were_held_up_and_came_with_a_wrong_time_give_no_fruit_the_verdict_of_another() -> None:
    fruit = spaced([GOOD, BAD, GOOD, BAD, GOOD, BAD, GOOD, BAD], LENGTH / 0.35)
    faults = Faults(held_s=(4.0, 4.7))
    belt = Belt(sorting_line(gate=_gate()), fruit, faults=faults)
    out = belt.run()
    told_once(belt, out)
    assert all(fruit[index].score == GOOD for index in out.passed)
    assert 4 not in out.pushed or 6 not in out.pushed


def test_fruit_that_touches_is_told_apart() -> None:
    every_s = LENGTH / 0.35
    belt = Belt(sorting_line(), spaced([GOOD, BAD, GOOD, BAD, BAD, GOOD], every_s))
    out = belt.run()
    assert out.verdicts() == ["good", "defective", "good", "defective", "defective", "good"]
    assert out.passed == [0, 2, 5]


def test_what_passes_the_eye_uncounted_is_a_ghost_and_takes_nobodys_place() -> None:
    fruit = spaced([GOOD, BAD, GOOD])
    fruit[0].counted = False
    belt = Belt(sorting_line(), fruit)
    out = belt.run()
    assert out.verdicts() == ["defective", "good"]
    assert belt.rule.counts["ghosts"] == 1
    told_once(belt, out)


def test_the_counter_wraps_and_the_places_follow_it() -> None:
    belt = Belt(sorting_line(), spaced([GOOD, BAD] * 4, 0.6), first_count=65_532)
    out = belt.run()
    assert belt.count == 4
    assert out.passed == [0, 2, 4, 6]
    told_once(belt, out)


def test_a_plc_that_was_away_tells_of_every_fruit_later_and_each_gets_its_own_verdict() -> None:
    belt = Belt(sorting_line(), spaced([GOOD, BAD, BAD, GOOD], 0.6), faults=Faults(plc_away_s=(3.3, 5.2)))
    out = belt.run()
    assert out.verdicts() == ["good", "defective", "defective", "good"]
    assert out.gates() == ["missed", "missed", "missed", "passed"]
    assert out.passed == [3]
    told_once(belt, out)


@pytest.mark.parametrize(("back_s", "gate"), [(3.9, "missed"), (4.5, "passed")])
def test_fruit_has_passed_when_no_new_connection_has_cleared_its_coil_before_it_was_at_the_gate(
    back_s: float, gate: str
) -> None:
    belt = Belt(sorting_line(), [Fruit(1, GOOD), Fruit(3, GOOD)], faults=Faults(plc_away_s=(3.75, back_s)))
    assert belt.eye_s(belt.fruit[0]) == pytest.approx(3.57, abs=0.01)  # and half a second later it is at the gate
    out = belt.run()
    assert out.gates() == [gate, "passed"]
    assert out.passed == ([0, 1] if gate == "passed" else [1])
    told_once(belt, out)


def test_fruit_is_told_in_the_order_of_the_eye() -> None:
    belt = Belt(sorting_line(), spaced([GOOD, BAD, GOOD, DOUBTFUL, BAD], 0.5))
    out = belt.run()
    assert [event.subject.rsplit("-", 1)[1] for event in out.events] == ["1", "2", "3", "4", "5"]


@pytest.mark.parametrize("step_us", [0, -3_600_000_000, 3_600_000_000])
@pytest.mark.parametrize("away_s", [0.0, 0.1, 0.6])
@pytest.mark.parametrize("end_s", [3.5, 3.6, 3.7, 3.9, 4.1, 4.3, 4.6, 4.8, 5.2])
def test_an_agent_that_is_ended_and_begun_anew_counts_each_fruit_once_whatever_the_clock_was_set_to(
    end_s: float, away_s: float, step_us: int
) -> None:
    faults = Faults(restart_s=(end_s, end_s + away_s), clock_step_us=step_us)
    belt = Belt(sorting_line(), spaced([GOOD, BAD, GOOD, BAD, GOOD], 0.5), faults=faults)
    belt.orders = [(0.5, lambda at_us: belt.rule.begin_lot(LotOrder(lot="L-1"), at_us))]
    out = belt.run()
    assert out.lost == []
    told_once(belt, out)
    assert {event.lot for event in out.events} == {"L-1"}
    assert [belt.fruit[index].score for index in out.passed] == [GOOD] * len(out.passed)
    assert sum(event.gate == "passed" for event in out.events) == len(out.passed)
    assert belt.rule.record.runs[-1].tally == out.events[-1].tally


@pytest.mark.parametrize("eye_at", [0.5, 0.9, 1.1])
@pytest.mark.parametrize("took_s", [0.2, 1.0])
@pytest.mark.parametrize("end_s", [3.0, 3.3, 3.5, 3.7, 3.9, 4.1])
def test_another_inspector_sees_the_same_fruit_again_and_makes_no_more_of_it(
    end_s: float, took_s: float, eye_at: float
) -> None:
    faults = Faults(inspector_away_s=(end_s, end_s + took_s))
    belt = Belt(sorting_line(eye_at=eye_at), spaced([GOOD, BAD, GOOD, BAD, BAD, GOOD], 0.6), faults=faults)
    out = belt.run()
    told_once(belt, out)
    assert belt.rule.counts["ghosts"] == 0
    assert [belt.fruit[index].score for index in out.passed] == [GOOD] * len(out.passed)
    for event, fruit in zip(out.events, belt.fruit, strict=True):
        assert event.verdict in ("unseen", "unsure", "good" if fruit.score == GOOD else "defective")


@pytest.mark.parametrize("eye_at", [0.95, 1.0, 1.05])
@pytest.mark.parametrize("end_s", [3.0, 3.5, 3.55, 3.6, 3.7, 3.9])
def test_a_line_without_a_gate_tells_once_of_fruit_that_two_inspectors_saw(end_s: float, eye_at: float) -> None:
    faults = Faults(inspector_away_s=(end_s, end_s + 0.1))
    belt = Belt(sorting_line(gate=None, eye_at=eye_at), spaced([GOOD, BAD, GOOD, BAD, BAD, GOOD], 0.6), faults=faults)
    out = belt.run()
    assert len(out.events) == len(belt.fruit)
    for event, fruit in zip(out.events, belt.fruit, strict=True):
        assert event.verdict in ("unsure", "good" if fruit.score == GOOD else "defective")


def test_a_plc_that_was_restarted_is_taken_as_it_is() -> None:
    belt = Belt(sorting_line(), spaced([GOOD, BAD, GOOD, BAD]), first_count=300)
    belt.orders = [(belt.eye_s(belt.fruit[1]) + 0.2, partial(belt.restart_plc, keeps_coils=False))]
    out = belt.run()
    assert len(out.lost) == 1
    assert "from 302 to 0" in out.lost[0]
    assert out.verdicts() == ["good", "defective", "good", "defective"]
    assert out.passed == [0, 2]


@pytest.mark.parametrize("keeps_coils", [False, True])
@pytest.mark.parametrize("after_s", [0.02, 0.14, 0.156, 0.3])
@pytest.mark.parametrize("second", [Fruit(2.0, BAD), Fruit(2.0, GOOD, seen=False), Fruit(2.0, GOOD)])
def test_a_plc_that_is_restarted_under_way_gives_no_fruit_the_place_that_another_had_before(
    second: Fruit, after_s: float, keeps_coils: bool
) -> None:
    faults = Faults(lag_s=lambda number: 0.15)
    belt = Belt(sorting_line(), [Fruit(1.0, GOOD), second], first_count=16 * 19, faults=faults)
    belt.orders = [(belt.eye_s(belt.fruit[0]) + after_s, partial(belt.restart_plc, keeps_coils=keeps_coils))]
    out = belt.run()
    assert len(out.lost) == 1
    told_once(belt, out)
    assert out.gates()[0] in ("pushed", "missed")
    assert out.passed == ([1] if second.score == GOOD and second.seen else [])


def test_the_way_of_the_belt_is_not_known_over_a_restart_of_the_plc() -> None:
    every_s = LENGTH / 0.35
    good = Fruit(6.0, GOOD)
    belt = Belt(sorting_line(eye_at=1.3), [*spaced([GOOD] * 4), good, Fruit(6.0 + every_s, BAD)], first_count=300)
    restart_s = belt.eye_s(good) + 0.001  # it is not counted
    belt.turned = round(LENGTH * 2000) - belt.pulses(restart_s)  # so the encoder falls by the length of a fruit
    belt.orders = [(restart_s, partial(belt.restart_plc, keeps_coils=False))]
    out = belt.run()
    assert len(out.lost) == 1
    assert out.verdicts() == ["good"] * 4 + ["defective"]
    assert 5 not in out.passed


@pytest.mark.parametrize("answer_s", [0.002, 0.1, 0.2, 0.4])
def test_an_answer_that_comes_late_does_not_let_a_coil_be_written_for_fruit_that_is_gone(answer_s: float) -> None:
    line = sorting_line(gate=_gate() | {"places": 2})
    fruit = [Fruit(1.0, GOOD), Fruit(1.6, GOOD, seen=False), Fruit(2.2, BAD)]
    for lag_ms in range(380, 560, 6):
        belt = Belt(line, fruit, fps=30)
        asked_s = belt.eye_s(fruit[0]) - 0.005
        answers = lambda at_s, asked_s=asked_s: answer_s if abs(at_s - asked_s) < 0.006 else 0.002  # noqa: E731
        belt.faults = Faults(lag_s=lambda number, lag_ms=lag_ms: lag_ms / 1000, write_s=0.003, answer_s=answers)
        out = belt.run()
        told_once(belt, out)
        assert set(out.passed) <= {0}
        assert out.gates()[0] != "passed" or out.passed == [0]


def test_fruit_on_the_belt_belongs_to_the_lot_before() -> None:
    belt = Belt(sorting_line(), spaced([GOOD, GOOD, BAD, GOOD, GOOD]))
    first, second = LotOrder(lot="L-1"), LotOrder(lot="L-2")
    belt.orders = [
        (0.5, lambda at_us: belt.rule.begin_lot(first, at_us)),
        (3.6, lambda at_us: belt.rule.begin_lot(second, at_us)),
        (3.7, lambda at_us: belt.rule.begin_lot(second, at_us)),
    ]
    out = belt.run()
    assert [event.lot for event in out.events] == ["L-1", "L-1", "L-1", "L-2", "L-2"]
    assert [event.tally.good for event in out.events if event.tally] == [1, 2, 2, 1, 2]
    told_once(belt, out)


def test_an_unseen_fruit_belongs_to_the_lot_that_ran_when_it_must_have_come() -> None:
    fruit = spaced([GOOD, GOOD, GOOD, GOOD])
    fruit[2].seen = False
    belt = Belt(sorting_line(), fruit)
    belt.orders = [
        (0.5, lambda at_us: belt.rule.begin_lot(LotOrder(lot="L-1"), at_us)),
        (3.8, lambda at_us: belt.rule.begin_lot(LotOrder(lot="L-2"), at_us)),
    ]
    out = belt.run()
    assert [(event.lot, event.verdict) for event in out.events] == [
        ("L-1", "good"),
        ("L-1", "good"),
        ("L-1", "unseen"),
        ("L-2", "good"),
    ]


def test_a_customer_with_a_sharper_eye_gets_other_verdicts() -> None:
    grades = [Grade(crop="lemon", customer="keen", good_below=0.05, defective_from=0.08)]
    belt = Belt(sorting_line(), spaced([GOOD, GOOD]), grades=grades)
    belt.orders = [(2.0, lambda at_us: belt.rule.begin_lot(LotOrder(lot="L-1", customer="keen"), at_us))]
    out = belt.run()
    assert [(event.lot, event.verdict) for event in out.events] == [(None, "good"), ("L-1", "defective")]
    assert belt.rule.thresholds == (0.05, 0.08)


def test_the_tally_goes_on_after_a_restart_and_fruit_meanwhile_is_told_as_unseen() -> None:
    belt = Belt(sorting_line(), spaced([GOOD, BAD]))
    belt.orders = [(0.5, lambda at_us: belt.rule.begin_lot(LotOrder(lot="L-1"), at_us))]
    belt.run()
    assert belt.rule.record.runs[-1] == Run(LotOrder(lot="L-1"), BEGAN_US + 500_000, Tally(good=1, defective=1))
    assert belt.rule.record.eye is not None
    assert belt.rule.record.eye.reading == 2
    killed = Run(LotOrder(lot="L-1"), BEGAN_US - 60_000_000, Tally(good=1, defective=1))
    record = LineRecord((killed,), EyeSeen(2, BEGAN_US - 3_000_000))
    later = Belt(sorting_line(), [Fruit(1.0, GOOD)], first_count=4, record=record)
    out = later.run()
    assert out.verdicts() == ["unseen", "unseen", "good"]
    assert out.gates() == ["pushed", "pushed", "passed"]
    assert out.events[-1].tally == Tally(good=2, defective=1, unseen=2)
    assert len({event.subject for event in out.events}) == 3


def test_a_line_without_a_gate_tells_of_each_fruit_as_it_leaves() -> None:
    line = sorting_line(gate=None)
    belt = Belt(line, [*spaced([GOOD, BAD, DOUBTFUL]), Fruit(5, GOOD, found_at=0.95)])
    out = belt.run()
    assert out.verdicts() == ["good", "defective", "unsure"]
    assert out.gates() == [None, None, None]
    for event, fruit in zip(out.events, belt.fruit, strict=False):
        assert 0 <= event.at_us - BEGAN_US - belt.eye_s(fruit) * 1e6 <= 90_000


@pytest.mark.parametrize("eye_at", [0.9, 1.2])
def test_a_belt_that_stops_and_goes_on_mixes_nothing_up(eye_at: float) -> None:
    fruit = spaced([BAD, GOOD, BAD, GOOD, BAD, BAD, GOOD], 0.6)
    belt = Belt(sorting_line(eye_at=eye_at), fruit, faults=Faults(stops_s=(4.3, 6.7)))
    out = belt.run()
    assert out.verdicts() == ["defective", "good", "defective", "good", "defective", "defective", "good"]
    assert out.passed == ([1, 3, 6] if eye_at < 1 else [3, 6]), "three fruit teach the encoder"
    told_once(belt, out)


@pytest.mark.parametrize(("eye_at", "travel_s"), [(1.3, 0.5), (-0.2, 4.2)])
def test_an_eye_behind_the_picture_and_one_before_it_work_once_fruit_has_taught_the_encoder(
    eye_at: float, travel_s: float
) -> None:
    fruit, views = spaced([GOOD, BAD] * 4, 0.5), {"least": 3, "most": 50}
    gate = REGISTERS | {"travel_s": travel_s}
    out = Belt(sorting_line(eye_at=eye_at, views=views, gate=gate), fruit).run()
    assert out.verdicts() == ["good", "defective"] * 4
    assert out.passed == [2, 4, 6]
    without = Belt(sorting_line(eye_at=eye_at, views=views, gate=gate | {"encoder": None}), fruit).run()
    assert without.verdicts() == ["good", "defective"] * 4
    assert without.passed == []


@pytest.mark.parametrize("encoder", [None, "turns"])
@pytest.mark.parametrize(
    ("eye_at", "speed", "travel_s", "gap", "faults"),
    [
        (1.4, 0.35, 0.5, 1.1, Faults(stops_s=(5.1, 5.5))),
        (0.9, 0.35, 0.5, 1.1, Faults(stops_s=(4.0, 4.45), camera_lost_s=(4.05, 5.25))),
        (0.8, 0.9, 0.5, 1.05, Faults(stops_s=(2.76, 3.46), camera_lost_s=(3.52, 4.72))),
        (0.8, 0.35, 1.0, 1.05, Faults(stops_s=(5.371, 6.071), dropped=frozenset(range(63, 85)))),
    ],
    ids=["it stops behind the picture", "and the camera goes", "it starts, the camera goes", "and frames are lost"],
)
def test_a_belt_that_stops_or_starts_while_nobody_sees_it_passes_no_fruit_for_its_neighbour(
    eye_at: float, speed: float, travel_s: float, gap: float, faults: Faults, encoder: str | None
) -> None:
    line = sorting_line(eye_at=eye_at, gate=REGISTERS | {"travel_s": travel_s, "encoder": encoder})
    fruit = spaced([GOOD, BAD] * 5, gap * LENGTH / speed)
    belt = Belt(line, fruit, speed=speed, faults=faults)
    out = belt.run()
    told_once(belt, out)
    assert [index for index in out.passed if fruit[index].score != GOOD] == []


def test_a_belt_that_stopped_while_frames_were_lost_is_where_its_encoder_says() -> None:
    fruit = spaced([GOOD, BAD] * 5, 1.05 * LENGTH / 0.6)
    faults = Faults(stops_s=(3.6156, 4.5656), dropped=frozenset(range(42, 64)))
    out = Belt(sorting_line(eye_at=0.8, gate=REGISTERS | {"travel_s": 1.0}), fruit, speed=0.6, faults=faults).run()
    assert [index for index in out.passed if fruit[index].score != GOOD] == []
    assert len(out.passed) >= 4


def test_where_frames_are_far_apart_the_next_one_is_waited_for() -> None:
    fruit = spaced([GOOD] * 5, 1.2 * LENGTH)
    out = Belt(sorting_line(eye_at=0.8, gate=_gate()), fruit, speed=1.0, fps=6).run()
    assert out.passed == [0, 1, 2, 3, 4]


def test_sampled_fruit_is_sure_and_its_share_is_as_asked() -> None:
    belt = Belt(sorting_line(sample=0.3), spaced([GOOD, BAD, DOUBTFUL] * 100, 0.6), fps=6, poll_s=0.05)
    out = belt.run()
    sampled = [event for event in out.events if event.sampled]
    assert 30 < len(sampled) < 90
    assert {event.verdict for event in sampled} == {"good", "defective"}
    asked = {one.subject for one in out.pictures}
    assert asked == {event.subject for event in out.events if event.sampled or event.verdict != "good"}


def test_a_second_model_says_what_it_would_have_said() -> None:
    belt = Belt(sorting_line(), spaced([GOOD]))
    belt.rule.using(using(shadow="lemon-2-int8-ffffffff", shadow_good_below=0.05, shadow_defective_from=0.2))
    out = belt.run()
    assert out.events[0].second is None  # it has not judged this one


def test_fruit_that_waits_when_the_agent_ends_is_told_by_the_next_life() -> None:
    before = Line(sorting_line(), (), 1, LineRecord())
    before.camera(CameraTold("connected", BEGAN_US, ""))
    before.eye(7, BEGAN_US, BEGAN_US)
    before.eye(9, BEGAN_US + 10_000, BEGAN_US + 10_000)
    assert before.due(BEGAN_US + 10_000) == []  # both wait for frames that never come
    after = Line(sorting_line(), (), 2, before.record)
    after.eye(9, BEGAN_US + 5_000_000, BEGAN_US + 5_000_000)
    told = [one for one in after.due(BEGAN_US + 9_000_000) if isinstance(one, Inspection)]
    assert [one.verdict for one in told] == ["unseen", "unseen"]


@st.composite
def belts(draw: st.DrawFn) -> Belt:
    speed = draw(st.floats(0.2, 1.2))
    fruit, at_s = [], 1.0
    for _ in range(draw(st.integers(1, 12))):
        fruit.append(
            Fruit(
                at_s,
                draw(st.sampled_from([GOOD, GOOD, BAD, DOUBTFUL])),
                seen=draw(st.integers(0, 9)) > 0,
                counted=draw(st.integers(0, 14)) > 0,
                found_at=draw(st.sampled_from([0.05, 0.1, 0.1, 0.5, 0.8])),
            )
        )
        at_s += draw(st.floats(1.0, 4.0)) * LENGTH / speed
    frames = draw(st.sets(st.integers(0, 300), max_size=60))
    lost_s = draw(st.none() | st.tuples(st.floats(0, 8), st.floats(0.1, 3)).map(lambda two: (two[0], two[0] + two[1])))
    away_s = draw(st.none() | st.tuples(st.floats(1, 8), st.floats(0.05, 2)).map(lambda two: (two[0], two[0] + two[1])))
    lags_s = draw(st.lists(st.floats(0.005, draw(st.sampled_from([0.05, 0.5, 2.0]))), min_size=1, max_size=5))
    faults = Faults(
        dropped=frozenset(frames),
        lag_s=lambda number: max(lags_s[: number % len(lags_s) + 1]),
        camera_lost_s=lost_s,
        plc_away_s=away_s,
        write_s=draw(st.sampled_from([0.003, 0.02, 0.3])),
        stops_s=draw(st.sampled_from([(1e9, 1e9), (3.0, 4.5), (5.0, 5.2)])),
    )
    belt = Belt(
        sorting_line(
            eye_at=draw(st.sampled_from([0.5, 0.8, 0.9, 1.1])),
            gate={**_gate(), "encoder": draw(st.sampled_from([None, "turns"]))},
        ),
        fruit,
        speed=speed,
        fps=draw(st.sampled_from([6.0, 12.0, 30.0])),
        poll_s=draw(st.sampled_from([0.01, 0.03])),
        first_count=draw(st.sampled_from([0, 7, 65_530])),
        faults=faults,
    )
    lots = draw(st.lists(st.floats(0, 10), max_size=3))
    belt.orders = [
        (at_s, lambda at_us, n=n: belt.rule.begin_lot(LotOrder(lot=f"L-{n}"), at_us)) for n, at_s in enumerate(lots)
    ]
    note(f"speed {speed} fps {belt.fps} {belt.faults} lags {lags_s} {belt.fruit}")
    return belt


@given(belts())
def test_whatever_happens_each_fruit_is_told_once_and_only_good_fruit_passes(belt: Belt) -> None:
    out = belt.run()
    told_once(belt, out)
    for index in out.passed:
        assert belt.fruit[index].score == GOOD, f"fruit {index} passed"
        assert belt.fruit[index].seen
    if belt.faults.stops_s[0] > 1e8:  # nobody knows when fruit is at the gate on a belt that has stopped before it
        passed = sum(event.gate == "passed" for event in out.events)
        assert passed <= len(out.passed)
        assert passed == len(out.passed) or belt.faults.plc_away_s
    assert all(event.verdict == "good" for event in out.events if event.gate == "passed")


@st.composite
def restarted_belts(draw: st.DrawFn) -> Belt:
    """Its PLC begins anew under way, and is read over a slow network."""
    speed, fruit, at_s = draw(st.floats(0.3, 1.0)), [], 1.0
    for _ in range(8):
        fruit.append(Fruit(at_s, draw(st.sampled_from([GOOD, GOOD, BAD])), seen=draw(st.integers(0, 9)) > 1))
        at_s += draw(st.floats(1.0, 3.0)) * LENGTH / speed
    lag_s, restart_s = draw(st.floats(0.01, 0.5)), draw(st.floats(1.0, at_s + 2))
    answers_s = draw(st.lists(st.sampled_from([0.0, 0.002, 0.05, 0.2]), min_size=1, max_size=5))
    faults = Faults(
        lag_s=lambda number: lag_s,
        answer_s=lambda at_s: answers_s[round(at_s * 100) % len(answers_s)],
        write_s=draw(st.sampled_from([0.003, 0.3])),
    )
    gate = _gate() | {"places": 4, "encoder": draw(st.sampled_from([None, "turns"]))}
    line = sorting_line(gate=gate, eye_at=draw(st.sampled_from([0.3, 0.8, 0.9, 1.1, 1.3])))
    belt = Belt(line, fruit, speed=speed, fps=30, first_count=draw(st.integers(300, 310)), faults=faults)
    keeps_coils = draw(st.booleans())
    belt.turned = draw(st.integers(0, 65_535))
    belt.orders = [(restart_s, partial(belt.restart_plc, keeps_coils=keeps_coils))]
    note(
        f"{line.eye_at} {gate} speed {speed} lag {lag_s} answers {answers_s} restart {restart_s} {keeps_coils} {fruit}"
    )
    return belt


@given(restarted_belts())
def test_whenever_the_plc_is_restarted_only_good_fruit_passes(belt: Belt) -> None:
    out = belt.run()
    assert [index for index in out.passed if belt.fruit[index].score != GOOD or not belt.fruit[index].seen] == []
    assert len({event.subject for event in out.events}) == len(out.events) <= len(belt.fruit)


@st.composite
def crowded_belts(draw: st.DrawFn) -> Belt:
    """Fruit close together on a fast belt, much of it missed by the camera; the PLC is read seldom for a while."""
    speed, fruit, at_s = draw(st.floats(0.7, 1.2)), [], 1.0
    for _ in range(8):
        seen, counted = draw(st.integers(0, 19)) > 5, draw(st.integers(0, 9)) > 0
        fruit.append(Fruit(at_s, draw(st.sampled_from([GOOD, BAD])), seen=seen, counted=counted))
        at_s += draw(st.floats(1.05, 2.5)) * LENGTH / speed
    slow_from_s = draw(st.floats(1.0, at_s + 0.5))
    faults = Faults(plc_slow_s=(slow_from_s, slow_from_s + draw(st.sampled_from([0.0, 0.2, 0.6]))))
    gate = _gate() | {"travel_s": 0.9}
    line = sorting_line(gate=gate, eye_at=draw(st.sampled_from([0.8, 0.9, 1.1])))
    belt = Belt(line, fruit, speed=speed, fps=30, poll_s=draw(st.sampled_from([0.01, 0.09])), faults=faults)
    note(f"speed {speed} eye at {line.eye_at} poll {belt.poll_s} slow {faults.plc_slow_s} {fruit}")
    return belt


@given(crowded_belts())
def test_where_the_eye_is_read_too_seldom_no_fruit_passes_for_its_neighbour(belt: Belt) -> None:
    out = belt.run()
    told_once(belt, out)
    assert [index for index in out.passed if belt.fruit[index].score != GOOD or not belt.fruit[index].seen] == []


def test_fruit_that_the_eye_did_not_count_lends_its_verdict_to_no_unseen_one_that_touches_it() -> None:
    fruit = [Fruit(2.4545454545, BAD, seen=False), Fruit(2.6606060606, GOOD, counted=False)]
    line = sorting_line(gate=_gate() | {"travel_s": 0.9}, eye_at=1.1)
    belt = Belt(line, fruit, speed=0.7734375, fps=30, poll_s=0.09)
    assert belt.run().passed == []


@st.composite
def quiet_belts(draw: st.DrawFn) -> Belt:
    speed = draw(st.floats(0.1, 1.5))
    fruit, at_s = [], 1.0
    for _ in range(draw(st.integers(1, 12))):
        fruit.append(Fruit(at_s, draw(st.sampled_from([GOOD, BAD, DOUBTFUL]))))
        at_s += draw(st.floats(1.0, 6.0)) * LENGTH / speed
    note(f"speed {speed} {fruit}")
    line = sorting_line(gate={**_gate(), "places": 32}, eye_at=draw(st.floats(0.6, 0.9)))
    return Belt(line, fruit, speed=speed, fps=30, first_count=draw(st.integers(0, 65_535)))


@given(quiet_belts())
def test_on_a_quiet_belt_every_fruit_gets_its_own_verdict_and_no_good_one_is_lost(belt: Belt) -> None:
    out = belt.run()
    told_once(belt, out)
    words = {GOOD: "good", BAD: "defective", DOUBTFUL: "unsure"}
    assert out.verdicts() == [words[fruit.score] for fruit in belt.fruit]
    assert out.passed == [index for index, fruit in enumerate(belt.fruit) if fruit.score == GOOD]


def _gate() -> dict[str, object]:
    return {"modbus": "plc", "eye_count": "eye", "pass_coils": "pass"}
