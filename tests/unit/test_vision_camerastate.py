"""What staff are told of a camera: each change once."""

from contract.events import Device
from edge.vision.line.camerastate import CameraState
from edge.vision.messages import CameraTold, Drift


class Watch:
    def __init__(self) -> None:
        self.events: list[Device] = []
        self.camera = CameraState("camera-a", self.events.append, lambda: 2_000)

    def told(self) -> list[tuple[str, str]]:
        """What was told since this was asked last."""
        told = [(event.state, event.detail) for event in self.events]
        self.events.clear()
        return told


def test_a_change_is_told_once_and_a_lost_camera_is_lost_whatever_is_tried() -> None:
    watch = Watch()
    watch.camera.told(CameraTold("connected", 1_000, ""))
    watch.camera.told(CameraTold("connected", 1_100, ""))
    watch.camera.told(CameraTold("lost", 1_200, "no picture"))
    watch.camera.told(CameraTold("lost", 1_300, "refused"))
    watch.camera.lost("its inspector ended")
    watch.camera.told(CameraTold("blind", 1_400, "black"))
    watch.camera.told(CameraTold("blind", 1_500, "black"))
    watch.camera.told(CameraTold("blind", 1_600, "covered"))
    assert watch.told() == [("connected", ""), ("lost", "no picture"), ("blind", "black"), ("blind", "covered")]


def test_drift_is_told_while_the_camera_sees_and_again_when_it_is_back() -> None:
    watch = Watch()
    watch.camera.drift(Drift(900, "darker"))
    assert watch.told() == []
    watch.camera.told(CameraTold("connected", 1_000, ""))
    assert watch.told() == [("connected", ""), ("drifted", "darker")]
    watch.camera.drift(Drift(1_100, "darker"))
    watch.camera.drift(Drift(1_200, "darker still"))
    watch.camera.told(CameraTold("lost", 1_300, "no picture"))
    watch.camera.told(CameraTold("connected", 1_400, ""))
    assert watch.told() == [
        ("drifted", "darker still"),
        ("lost", "no picture"),
        ("connected", ""),
        ("drifted", "darker still"),
    ]
    watch.camera.drift(Drift(1_500, ""))
    assert watch.told() == [("connected", "")]


def test_a_new_inspector_has_seen_no_drift_and_a_new_begin_tells_anew() -> None:
    watch = Watch()
    watch.camera.told(CameraTold("connected", 1_000, ""))
    watch.camera.drift(Drift(1_100, "darker"))
    watch.camera.lost("its inspector ended")
    watch.camera.told(CameraTold("connected", 1_200, ""))
    assert watch.told() == [
        ("connected", ""),
        ("drifted", "darker"),
        ("lost", "its inspector ended"),
        ("connected", ""),
    ]
    watch.camera.begin()
    watch.camera.told(CameraTold("connected", 1_300, ""))
    assert watch.told() == [("connected", "")]


def test_words_too_long_for_an_event_are_cut() -> None:
    watch = Watch()
    watch.camera.told(CameraTold("lost", 1_000, "x" * 5_000))
    assert len(watch.events[0].detail) == 1_000
