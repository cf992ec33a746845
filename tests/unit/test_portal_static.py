"""Tags that belong to a door's surroundings are learned, and forgotten when they go."""

import pytest

from edge.portal.static import FORGET_S, LEARN_S, LEARN_TIMES, MAX_NOTED, Static

START_US = 1_790_000_000_000_000
LABEL, CASE = "30395dfa834d8b8000000001", "30395dfa834d8b8000000002"


def at(seconds: float) -> int:
    return START_US + round(seconds * 1e6)


def stands(
    static: Static, epc: str, *, times: int = LEARN_TIMES, over_s: float = LEARN_S, reason: str = "flat"
) -> float:
    """A tag is found to stand here, again and again; the time of the last."""
    for n in range(times):
        static.note(epc, reason, at(n * over_s / (times - 1)))
    return over_s


@pytest.mark.parametrize("reason", ["flat", "standing", "weak"])
def test_a_tag_that_stands_here_again_and_again_is_learned(reason):
    static = Static()
    stands(static, LABEL, reason=reason)
    assert LABEL in static.known
    assert CASE not in static.known


def test_what_waits_at_the_door_for_a_moment_is_not_learned():
    static = Static()
    stands(static, CASE, times=3 * LEARN_TIMES, over_s=LEARN_S / 2)
    assert CASE not in static.known


def test_a_pass_or_a_turn_back_begins_anew_even_for_one_that_was_learned():
    for reason in ("passed", "turned_back"):
        static = Static()
        last_s = stands(static, CASE)
        static.note(CASE, reason, at(last_s + 1))
        assert CASE not in static.known
        static.note(CASE, "flat", at(last_s + 2))
        assert CASE not in static.known


def test_reasons_that_say_neither_change_nothing():
    static = Static()
    stands(static, CASE, reason="few_reads", times=50)
    stands(static, CASE, reason="cross_read", times=50)
    assert CASE not in static.known
    last_s = stands(static, LABEL)
    static.note(LABEL, "cross_read", at(last_s + 1))
    assert LABEL in static.known


def test_one_that_was_taken_away_is_forgotten_and_one_that_is_heard_is_not():
    static = Static()
    stands(static, LABEL)
    last_s = stands(static, CASE)
    for minute in range(1, int(FORGET_S // 60) + 2):
        static.note(LABEL, "static", at(last_s + 60 * minute))
    assert static.known == {LABEL}


def test_those_of_the_site_file_are_known_from_the_start_and_for_good():
    static = Static([LABEL])
    assert LABEL in static.known
    static.note(LABEL, "passed", at(0))
    static.note(CASE, "flat", at(2 * FORGET_S))
    assert LABEL in static.known


def test_memory_is_bounded():
    static = Static()
    stands(static, LABEL)
    for n in range(MAX_NOTED):
        static.note(f"{n:024x}", "flat", at(LEARN_S + 1))
    assert LABEL not in static.known
    assert len(static.known) == 0
