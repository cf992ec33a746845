"""A reader's clock: any epoch, any delay, drift and steps."""

from typing import NamedTuple

from hypothesis import given, note
from hypothesis import strategies as st

from edge.llrp.clock import SETTLE_US, STEP_US, WINDOW_US, ReaderClock

NOW_US = 1_800_000_000_000_000


@given(
    st.integers(-NOW_US, NOW_US),
    st.lists(st.tuples(st.integers(0, 300_000_000), st.integers(0, STEP_US)), min_size=1, max_size=50),
)
def test_the_least_delay_gives_the_offset_whatever_the_reader_counts_from(
    offset_us: int, messages: list[tuple[int, int]]
) -> None:
    clock = ReaderClock()
    for after_us, delay_us in sorted(messages):
        assert clock.observe(NOW_US + after_us - offset_us, NOW_US + after_us + delay_us) == 0
    assert clock.offset_us() == offset_us + min(delay_us for _, delay_us in messages)


def test_uptime_and_calendar_are_two_clocks() -> None:
    clock = ReaderClock()
    clock.observe(1_000, NOW_US, uptime=True)
    clock.observe(NOW_US - 7, NOW_US)
    assert (clock.offset_us(uptime=True), clock.offset_us()) == (NOW_US - 1_000, 7)


def test_a_clock_that_runs_slow_is_followed() -> None:
    clock = ReaderClock()
    for second in range(0, 7200, 10):
        true_us = NOW_US + second * 1_000_000
        clock.observe(true_us - second * 100, true_us + 1_000)  # it loses 100 us a second
    offset_us = clock.offset_us()
    assert offset_us is not None
    lag_us = 7200 * 100 - offset_us
    assert 0 <= lag_us <= 2 * WINDOW_US // 1_000_000 * 100


def test_a_step_forward_is_believed_at_once() -> None:
    clock = ReaderClock()
    clock.observe(NOW_US, NOW_US + 5)
    assert clock.observe(NOW_US + 60_000_000, NOW_US + 5) == 60_000_000
    assert clock.offset_us() == 5 - 60_000_000


def test_a_step_back_is_believed_when_everything_stays_late() -> None:
    clock = ReaderClock()
    clock.observe(NOW_US, NOW_US)
    steps = []
    for after_us in range(0, SETTLE_US + 1, 500_000):
        steps.append(clock.observe(NOW_US + after_us - 60_000_000, NOW_US + after_us))
    assert steps == [0] * (len(steps) - 1) + [-60_000_000]
    assert clock.offset_us() == 60_000_000


def test_a_replayed_buffer_is_late_and_no_step() -> None:
    clock = ReaderClock()
    clock.observe(NOW_US, NOW_US)
    for old_us in range(60_000_000, 0, -1_000_000):  # a minute of held reports arrives within half a second
        assert clock.observe(NOW_US - old_us, NOW_US + 500_000 - old_us // 120) == 0
    assert clock.observe(NOW_US + 600_000, NOW_US + 600_100) == 0
    assert clock.offset_us() == 0


# Mapped times


class Report(NamedTuple):
    """Some reads, newest first, by the world's and by the reader's clock, and when they came together."""

    true_us: list[int]
    reader_us: list[int]
    arrived_us: int


Drafts = list[tuple[int, int, list[int]]]
"""For each report: how long after the one before its newest read was, how much it was delayed, and how old the other
reads in it are."""


def reports(drafts: Drafts, epoch_us: int, drift_ppm: int) -> list[Report]:
    """No report overtakes another."""
    sent: list[Report] = []
    newest_us = arrived_us = NOW_US
    for gap_us, delay_us, ages_us in drafts:
        newest_us += gap_us
        arrived_us = max(arrived_us, newest_us + delay_us)
        true_us = [newest_us, *(max(NOW_US, newest_us - age_us) for age_us in ages_us)]
        elapsed_us = [one - NOW_US for one in true_us]
        reader_us = [epoch_us + one + one * drift_ppm // 1_000_000 for one in elapsed_us]
        sent.append(Report(true_us, reader_us, arrived_us))
    return sent


EPOCHS = st.sampled_from([0, 1_000, NOW_US - 800_000_000_000_000, NOW_US, NOW_US + 5_000_000])
DELAYS = st.one_of(st.integers(0, 50_000), st.integers(0, STEP_US))
DRAFTS = st.lists(
    st.tuples(
        st.one_of(st.integers(0, 1_000_000), st.integers(0, 400_000_000)),
        DELAYS,
        st.lists(st.integers(0, 3_000_000), max_size=4),
    ),
    min_size=1,
    max_size=40,
)


@given(DRAFTS, DELAYS, EPOCHS, st.integers(-100, 100))
def test_reads_keep_their_order_and_nearly_their_time_whatever_the_delays_and_the_drift(
    drafts: Drafts, greeting_delay_us: int, epoch_us: int, drift_ppm: int
) -> None:
    clock = ReaderClock()
    clock.observe(epoch_us, NOW_US + greeting_delay_us)
    mapped: list[tuple[int, int]] = []
    longest_us = max([2 * WINDOW_US, *(gap_us for gap_us, _, _ in drafts)])
    drifted_us = 2 * longest_us // 1_000_000 * abs(drift_ppm) + 2
    for report in reports(drafts, epoch_us, drift_ppm):
        note(f"{report}")
        assert clock.observe(max(report.reader_us), report.arrived_us, report=True) == 0
        for true_us, reader_us in zip(report.true_us, report.reader_us, strict=True):
            at_us = clock.at(reader_us, report.arrived_us)
            assert true_us - drifted_us <= at_us <= min(true_us + STEP_US + drifted_us, report.arrived_us)
            mapped.append((reader_us, at_us))
    in_order = [at_us for _, at_us in sorted(mapped)]
    assert in_order == sorted(in_order)


def test_a_better_guess_slows_the_map_down_and_does_not_stop_it() -> None:
    """The greeting took two seconds, what follows takes none: the reads after it keep their shape."""
    clock = ReaderClock()
    clock.observe(0, NOW_US + 2_000_000)
    first_us = clock.at(0, NOW_US + 2_000_000)
    clock.observe(4_000_000, NOW_US + 4_000_000, report=True)
    mapped = [clock.at(tenth * 100_000, NOW_US + 4_000_000) - NOW_US for tenth in range(41)]
    assert first_us == NOW_US + 2_000_000
    assert mapped == [2_000_000 + tenth * 50_000 for tenth in range(41)]
    clock.observe(9_000_000, NOW_US + 9_000_000, report=True)
    assert clock.at(9_000_000, NOW_US + 9_000_000) == NOW_US + 9_000_000


def test_a_long_replay_is_no_step_however_long_it_takes() -> None:
    """Ten minutes of held reports come in twenty seconds."""
    clock = ReaderClock()
    clock.observe(600_000_000, NOW_US)
    for number in range(2000):
        old_us, arrived_us = number * 300_000, NOW_US + number * 10_000
        assert clock.observe(old_us, arrived_us, report=True) == 0
        assert clock.at(old_us, arrived_us) == NOW_US - 600_000_000 + old_us


STEPS = st.integers(-100_000_000_000, 100_000_000_000).filter(lambda by_us: abs(by_us) > 2 * STEP_US)


@given(STEPS, EPOCHS.filter(lambda epoch_us: epoch_us > 200_000_000_000), st.integers(0, 50_000))
def test_a_step_is_told_once_and_moves_no_read(by_us: int, epoch_us: int, delay_us: int) -> None:
    """A tag is read ten times a second; in the middle the reader's clock is set."""
    clock = ReaderClock()
    steps = [clock.observe(epoch_us, NOW_US)]
    errors = []
    for tenth in range(200):
        true_us = NOW_US + tenth * 100_000
        reader_us = epoch_us + tenth * 100_000 + (by_us if tenth >= 100 else 0)
        steps.append(clock.observe(reader_us, true_us + delay_us, report=True))
        errors.append(clock.at(reader_us, true_us + delay_us) - true_us)
    assert all(0 <= error <= delay_us for error in errors), (min(errors), max(errors))
    (told_us,) = [step for step in steps if step]
    assert abs(told_us - by_us) <= delay_us


@given(st.integers(10_000_000, 800_000_000_000_000), st.lists(st.booleans(), min_size=1, max_size=30))
def test_reads_of_before_and_after_a_clock_was_set_may_come_mixed(by_us: int, after: list[bool]) -> None:
    clock = ReaderClock()
    clock.observe(1_000_000, NOW_US)
    assert clock.observe(1_000_000 + 1_000_000 + by_us, NOW_US + 1_000_000) == by_us
    arrived_us = NOW_US + 1_500_000
    for number, late in enumerate(after):
        true_us = NOW_US + (1_000_000 if late else 500_000) + number
        reader_us = true_us - NOW_US + 1_000_000 + (by_us if late else 0)
        clock.observe(reader_us, arrived_us + number, report=True)
        assert clock.at(reader_us, arrived_us + number) == true_us


def test_what_a_reader_kept_from_before_its_clock_was_set_keeps_its_time_on_the_next_connection() -> None:
    first = ReaderClock()
    first.observe(0, NOW_US)
    second = ReaderClock(first)
    hour_us = 3_600_000_000
    assert second.observe(NOW_US + hour_us, NOW_US + hour_us) == NOW_US
    for minute in range(0, 60, 10):
        old_us = minute * 60_000_000
        second.observe(old_us, NOW_US + hour_us + minute, report=True)
        assert second.at(old_us, NOW_US + hour_us + minute) == NOW_US + old_us


def test_a_clock_without_a_calendar_begins_again_with_the_reader() -> None:
    first = ReaderClock()
    first.observe(900_000_000, NOW_US, uptime=True)
    second = ReaderClock(first)
    second.observe(20_000_000, NOW_US + 60_000_000, uptime=True)
    assert second.at(21_000_000, NOW_US + 70_000_000, uptime=True) == NOW_US + 61_000_000


@given(st.lists(st.tuples(st.integers(0, 2**64 - 1), st.booleans(), st.booleans()), max_size=60))
def test_nonsense_is_never_mapped_to_the_future_nor_before_1970(times: list[tuple[int, bool, bool]]) -> None:
    clock = ReaderClock()
    for number, (reader_us, uptime, report) in enumerate(times):
        arrived_us = NOW_US + number * 1000
        clock.observe(reader_us, arrived_us, uptime=uptime, report=report)
        for moment_us in (reader_us, reader_us // 2, reader_us + 10**15):
            assert 0 <= clock.at(moment_us, arrived_us, uptime=uptime) <= arrived_us
