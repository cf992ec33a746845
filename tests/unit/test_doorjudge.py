"""The judge of the simulated doors: it finds each kind of mistake, and none in the truth itself."""

from collections.abc import Iterator

import pytest
from doorjudge import decide, judge, shares, tally

from contract.events import Direction, DoorPass, PassEvidence, SideEvidence
from firmware_sim.doorscene.outage import Outage
from firmware_sim.doorscene.scene import BEGIN_US, Scene, Truth, scene


@pytest.fixture(scope="module")
def played() -> Scene:
    return scene(3, 25.0, 10.0)


def passed(played: Scene) -> list[Truth]:
    return [truth for truth in played.truth if truth.kind == "passed"]


def said(truth: Truth, direction: Direction | None = None, at_us: int | None = None, door: str = "") -> DoorPass:
    at_us = at_us or truth.crossed_us or (truth.from_us + truth.to_us) // 2
    return DoorPass(
        at_us=at_us,
        decided_us=at_us + 3_000_000,
        door=door or truth.door,
        direction=direction or truth.direction or "inbound",
        confidence=0.9,
        epcs=(truth.epc,),
        evidence=PassEvidence(
            first_read_us=at_us - 1_000_000,
            last_read_us=at_us + 1_000_000,
            inside=SideEvidence(reads=5),
            outside=SideEvidence(reads=5),
        ),
    )


def told(played: Scene) -> list[DoorPass]:
    """The truth, as an edge that knows it would tell it."""
    return [said(truth) for truth in passed(played)]


def test_the_truth_is_right(played: Scene) -> None:
    came = shares(tally([judge(played, told(played))]))
    assert came == (1.0, 0.0, 0.0, 0.0, 0.0, 1.0)


def test_every_kind_of_mistake_is_found(played: Scene) -> None:
    events, count = told(played), len(passed(played))
    wrong = [said(passed(played)[0], "outbound" if events[0].direction == "inbound" else "inbound"), *events[1:]]
    assert shares(tally([judge(played, wrong)])).right == pytest.approx(1 - 1 / count)
    unknown = [said(passed(played)[0], "unknown"), *events[1:]]
    assert shares(tally([judge(played, unknown)])).unknown == pytest.approx(1 / count)
    doubled = [*events, events[0]]
    assert shares(tally([judge(played, doubled)])).doubled == pytest.approx(1 / count)
    silent = shares(tally([judge(played, [])]))
    assert silent.missed == 1.0
    assert silent.right == 0.0


def test_a_pass_of_what_did_not_go_through_is_invented(played: Scene) -> None:
    lies = [said(truth) for truth in played.truth if truth.kind != "passed"]
    assert lies
    came = shares(tally([judge(played, [*told(played), *lies])]))
    assert came.quiet == 0.0
    assert came.invented == pytest.approx(len(lies) / len(played.truth))
    assert came.right == 1.0


def test_the_neighbouring_door_may_not_have_a_pass_too(played: Scene) -> None:
    first, *_ = passed(played)
    (other,) = (door.name for door in played.doors if door.name != first.door)
    came = judge(played, [*told(played), said(first, door=other)])
    assert [lie.event.door for lie in came.invented] == [other]


def test_what_is_decided_by_a_silence_that_nobody_watched_is_found(played: Scene) -> None:
    truth = passed(played)[0]
    event = said(truth)
    last_s = (event.evidence.last_read_us - BEGIN_US) / 1e6

    def lost(noticed_s: float, back_s: float) -> Scene:
        return played._replace(outages=(Outage(truth.door, "reader", "reset", noticed_s, noticed_s, back_s),))

    assert judge(lost(last_s + 0.5, last_s + 30), [event]).by_blindness == [event]
    assert not judge(lost(last_s + 1.5, last_s + 30), [event]).by_blindness  # its silence was watched for 1.5 s
    assert not judge(lost(last_s + 0.5, last_s + 1.0), [event]).by_blindness  # decided after the reader was back
    assert not judge(played._replace(outages=()), [event]).by_blindness


def test_a_scene_is_decided_the_same_way_each_time(played: Scene) -> None:
    def answers() -> Iterator[tuple[str, Direction, tuple[str, ...]]]:
        return ((event.door, event.direction, event.epcs) for event in decide(played))

    first = [*answers()]
    assert first
    assert first == [*answers()]
