"""What is told of a camera, and when: stories of what it shows."""

import random

from hypothesis import given, note
from hypothesis import strategies as st

from edge.vision.camera.sight import LEAST_FRAMES, MOST_REASONS, Light, Sight
from edge.vision.messages import CameraTold

SIZE = (640, 360)
BELT = Light(40.0, 160.0)
BLACK = Light(0.0, 5.0)
CAP = Light(30.0, 32.5)
WHITE = Light(251.0, 255.0)


class Story:
    """A camera that shows ten pictures a second, and what was told of it."""

    def __init__(self, stall_s: float = 2.0, live: bool = True) -> None:
        self.now_us = 0
        self.sight = Sight(stall_s, live)
        self.sight.began(0)
        self.told: list[tuple[float, str, str]] = []

    def shows(
        self,
        light: Light,
        seconds: float,
        size: tuple[int, int] = SIZE,
        a_second: int = 10,
        repeated: bool = False,
    ) -> "Story":
        for _ in range(round(seconds * a_second)):
            self.now_us += 1_000_000 // a_second
            self._note(self.sight.shown(self.now_us, light, size, repeated))
            self._note(self.sight.tick(self.now_us))
        return self

    def nothing(self, seconds: float) -> "Story":
        for _ in range(round(seconds * 10)):
            self.now_us += 100_000
            self._note(self.sight.tick(self.now_us))
        return self

    def says(self, detail: str) -> "Story":
        self.sight.failed(self.now_us, detail)
        return self

    @property
    def states(self) -> list[str]:
        return [state for _, state, _ in self.told]

    def _note(self, told: CameraTold | None) -> None:
        if told is not None:
            self.told.append((told.at_us / 1e6, told.state, told.detail))


def test_a_good_camera_is_told_once() -> None:
    assert Story().shows(BELT, 60).told == [(0.1, "connected", "")]


def test_without_pictures_it_is_lost_and_then_it_is_back() -> None:
    story = Story().shows(BELT, 5).nothing(10).shows(BELT, 5)
    assert story.states == ["connected", "lost", "connected"]
    lost_s, _, detail = story.told[1]
    assert lost_s == 7.0
    assert detail == "no picture for 2 s: check the camera's power, its cable and its address"


def test_what_the_source_says_is_told_with_the_loss_and_forgotten_with_the_next_picture() -> None:
    story = Story().shows(BELT, 1).says("it answers 404: look the path up").nothing(5).shows(BELT, 1).nothing(5)
    assert story.states == ["connected", "lost", "connected", "lost"]
    assert story.told[1][2] == "it answers 404: look the path up"
    assert story.told[3][2].startswith("no picture for 2 s")


def test_a_better_reason_is_told_when_it_is_known_and_each_only_once() -> None:
    story = Story().shows(BELT, 1).nothing(3)
    for _ in range(5):
        story.says("it answers 404").nothing(1).says("it answers 503").nothing(1)
    assert [detail for _, state, detail in story.told if state == "lost"] == [
        "no picture for 2 s: check the camera's power, its cable and its address",
        "it answers 404",
        "it answers 503",
    ]
    for number in range(100):
        story.says(f"reason {number}").nothing(1)
    assert story.states.count("lost") == MOST_REASONS


def test_nothing_is_missed_before_it_has_begun() -> None:
    sight = Sight(2.0, True)
    assert sight.tick(10**9) is None
    sight.began(10**9)
    assert sight.tick(10**9 + 4_900_000) is None
    told = sight.tick(10**9 + 5_000_000)
    assert told is not None
    assert told.state == "lost"


def test_the_first_picture_may_take_a_while_unless_it_is_known_why_it_does_not_come() -> None:
    silent = "no picture for 5 s: check the camera's power, its cable and its address"
    assert Story().nothing(20).told == [(5.0, "lost", silent)]
    assert Story(stall_s=7.0).nothing(20).told[0][0] == 7.0
    assert Story().says("it answers 404").nothing(20).told == [(2.0, "lost", "it answers 404")]


def test_a_picture_that_repeats_itself_to_the_last_pixel_is_blind_and_moves_again() -> None:
    story = Story().shows(BELT, 5).shows(BELT, 5, repeated=True).shows(BELT, 5)
    assert story.states == ["connected", "blind", "connected"]
    assert story.told[1][0] == 7.0
    assert story.told[1][2] == "the picture stands still, to the last pixel: switch the camera off and on"


def test_a_few_repeated_pictures_or_those_of_a_file_are_no_trouble() -> None:
    assert Story().shows(BELT, 1).shows(BELT, 1.5, repeated=True).shows(BELT, 1).states == ["connected"]
    assert Story(live=False).shows(BELT, 1).shows(BELT, 100, repeated=True).states == ["connected"]


def test_a_slow_camera_needs_more_than_one_repeated_picture() -> None:
    story = Story(stall_s=3.0).shows(BELT, 4, a_second=1).shows(BELT, LEAST_FRAMES, a_second=1, repeated=True)
    assert story.states == ["connected", "blind"]
    assert Story(stall_s=1.5).shows(BELT, 4, a_second=1).shows(
        BELT, LEAST_FRAMES - 1, a_second=1, repeated=True
    ).states == ["connected"]


def test_black_covered_and_white_pictures_are_blind_with_what_to_do() -> None:
    expected = {
        BLACK: "the picture is black: take the cap off the lens, or switch the lamp on",
        CAP: "the picture shows one even colour: uncover the lens, or clean it",
        WHITE: "the picture is white: shade the lens, or shorten the exposure",
    }
    for light, words in expected.items():
        story = Story().shows(BELT, 5).shows(light, 5).shows(BELT, 5)
        assert story.states == ["connected", "blind", "connected"]
        assert story.told[1][2] == words
        assert Story().shows(light, 1).told == [(0.1, "blind", words)]


def test_a_hand_before_the_lens_is_no_alarm_and_a_glimpse_no_all_clear() -> None:
    story = Story().shows(BELT, 5).shows(BLACK, 0.3).shows(BELT, 5)
    assert story.states == ["connected"]
    story = Story().shows(BELT, 5).shows(BLACK, 5).shows(BELT, 0.5).shows(BLACK, 5)
    assert story.states == ["connected", "blind"]


def test_a_lamp_on_the_verge_does_not_flicker() -> None:
    chance, story = random.Random(3), Story().shows(BELT, 1)
    for _ in range(600):
        story.shows(Light(4.0, chance.uniform(20, 30)), 0.1)
    assert story.states in (["connected"], ["connected", "blind"])


def test_one_blindness_after_the_other_is_told_anew() -> None:
    story = Story().shows(BELT, 1).shows(BLACK, 2).shows(WHITE, 2)
    assert story.states == ["connected", "blind", "blind"]


def test_dark_belts_and_plain_belts_are_not_blind() -> None:
    for light in (Light(8.0, 40.0), Light(55.0, 66.0), Light(200.0, 254.0)):
        assert Story().shows(light, 20).states == ["connected"]


def test_another_size_is_told_and_taken() -> None:
    story = Story().shows(BELT, 1).shows(BELT, 5, size=(1280, 720))
    assert story.states == ["connected", "connected"]
    assert story.told[1][2] == "the picture is now 1280 x 720, it was 640 x 360: check the camera's settings"


def test_the_end_of_a_file_is_a_loss_and_what_comes_later_is_nothing_new() -> None:
    sight = Sight(2.0, False)
    assert sight.shown(1, BELT, SIZE) == CameraTold("connected", 1, "")
    told = sight.ended(5)
    assert told is not None
    assert told.state == "lost"
    assert sight.tick(10**9) is None


@given(st.integers(0, 2**32))
def test_no_state_is_told_twice_and_blind_pictures_never_count_as_seen_for_long(seed: int) -> None:
    """However the looks follow each other: after a second and a half of bad ones the state is not `connected`."""
    note(f"seed {seed}")
    chance, story = random.Random(seed), Story()
    for _ in range(chance.randint(1, 20)):
        if chance.random() < 0.2:
            story.nothing(chance.uniform(0, 4))
            continue
        light = chance.choice([BELT, BLACK, CAP, WHITE])
        story.shows(light, seconds := chance.uniform(0.1, 4))
        if light is not BELT and seconds > 1.5:
            assert story.sight.state == "blind"
        if light is BELT and seconds > 1.5:
            assert story.sight.state == "connected"
    for before, after in zip(story.told, story.told[1:], strict=False):
        assert before[1:] != after[1:]
