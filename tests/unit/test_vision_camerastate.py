"""What staff are told of a camera: each change once."""

from contract.events import Device
from edge.vision.line.camerastate import REASON_EVERY_US, CameraState
from edge.vision.messages import CameraTold, Drift


class Watch:
    def __init__(self) -> None:
        self.events: list[Device] = []
        self.camera = CameraState("camera-a", self.events.append)

    def tell(self, state: str, at_us: int, detail: str = "") -> None:
        self.camera.told(CameraTold(state, at_us, detail), at_us + 10)  # type: ignore[arg-type]

    def drift(self, at_us: int, detail: str) -> None:
        self.camera.drift(Drift(at_us, detail), at_us + 10)

    def told(self) -> list[tuple[str, str]]:
        """What was told since this was asked last."""
        told = [(event.state, event.detail) for event in self.events]
        self.events.clear()
        return told


def test_a_change_is_told_once_with_its_time() -> None:
    watch = Watch()
    watch.tell("connected", 1_000)
    watch.tell("connected", 1_100)
    watch.tell("lost", 1_200, "no picture")
    watch.tell("lost", 1_300, "no picture")
    watch.tell("blind", 1_400, "black")
    assert [(event.at_us, event.decided_us) for event in watch.events] == [
        (1_000, 1_010),
        (1_200, 1_210),
        (1_400, 1_410),
    ]
    assert watch.told() == [("connected", ""), ("lost", "no picture"), ("blind", "black")]


def test_another_reason_is_told_at_once() -> None:
    watch = Watch()
    watch.tell("lost", 1_000, "no picture")
    watch.tell("lost", 1_100, "it asks for a password")
    watch.tell("blind", 1_200, "black")
    watch.tell("blind", 1_300, "covered")
    assert watch.told() == [
        ("lost", "no picture"),
        ("lost", "it asks for a password"),
        ("blind", "black"),
        ("blind", "covered"),
    ]


def test_reasons_that_take_turns_are_no_flood_and_the_last_one_is_told_in_the_end() -> None:
    watch = Watch()
    for n in range(100):
        watch.tell("lost", n * 100_000, ("refused", "no route")[n % 2])
    watch.camera.due(REASON_EVERY_US)
    assert watch.told() == [("lost", "refused"), ("lost", "no route")]
    watch.camera.lost("its inspector ended", 10_000_000)
    watch.camera.due(REASON_EVERY_US)
    assert watch.told() == []
    watch.camera.due(REASON_EVERY_US + 200_000)
    watch.camera.due(10 * REASON_EVERY_US)
    assert watch.told() == [("lost", "its inspector ended")]
    watch.tell("connected", 10 * REASON_EVERY_US)
    watch.tell("lost", 10 * REASON_EVERY_US + 1, "refused")
    watch.tell("lost", 10 * REASON_EVERY_US + 2, "no route")
    assert watch.told() == [("connected", ""), ("lost", "refused"), ("lost", "no route")]


def test_drift_is_told_while_the_camera_sees_and_again_when_it_is_back() -> None:
    watch = Watch()
    watch.drift(900, "darker")
    assert watch.told() == []
    watch.tell("connected", 1_000)
    assert watch.told() == [("connected", ""), ("drifted", "darker")]
    watch.drift(1_100, "darker")
    watch.drift(1_200, "darker still")
    watch.tell("lost", 1_300, "no picture")
    watch.tell("connected", 1_400)
    assert watch.told() == [
        ("drifted", "darker still"),
        ("lost", "no picture"),
        ("connected", ""),
        ("drifted", "darker still"),
    ]
    watch.drift(1_500, "")
    assert watch.told() == [("connected", "")]


def test_a_new_inspector_has_seen_no_drift_and_a_new_begin_tells_anew() -> None:
    watch = Watch()
    watch.tell("connected", 1_000)
    watch.drift(1_100, "darker")
    watch.camera.lost("its inspector ended", 1_150)
    watch.tell("connected", 1_200)
    assert watch.told() == [
        ("connected", ""),
        ("drifted", "darker"),
        ("lost", "its inspector ended"),
        ("connected", ""),
    ]
    watch.camera.begin()
    watch.tell("connected", 1_300)
    assert watch.told() == [("connected", "")]


def test_words_too_long_for_an_event_are_cut() -> None:
    watch = Watch()
    watch.tell("lost", 1_000, "x" * 5_000)
    assert len(watch.events[0].detail) == 1_000
