"""A reader's clock: any epoch, any delay, drift and steps."""

from hypothesis import given
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
