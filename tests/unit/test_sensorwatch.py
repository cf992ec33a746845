"""What a sensor reads is a reading, or the sign of a fault: stuck, jumping, or beyond what can be."""

from hypothesis import given
from hypothesis import strategies as st

from contract.events import Quantity
from contract.fieldbus import Register
from edge.sensorwatch import CONFIRMED, SensorWatch

HOUR_S = 3600.0


def watch(meaning: Quantity = "temperature_c", scale: float = 0.1, **more: float) -> SensorWatch:
    register = {"name": "x", "table": "input", "address": 0, "meaning": meaning, "scale": scale, "every_s": 60}
    return SensorWatch(Register.model_validate(register | more), meaning)


def stands_still(sensor: SensorWatch, value: float, hours: float) -> str | None:
    """One value, every minute."""
    told = None
    for minute in range(round(hours * 60) + 1):
        told = sensor.judge(value, minute * 60.0)
    return told


def test_a_sensor_that_never_moves_is_stuck_and_recovers_with_the_first_change() -> None:
    sensor = watch()
    assert stands_still(sensor, 4.2, 5.98) is None
    assert sensor.judge(4.2, 6 * HOUR_S) == "has read 4.2 for 6.0 h without any change"
    assert sensor.judge(4.2, 6 * HOUR_S + 60) is not None
    assert sensor.judge(4.3, 6 * HOUR_S + 120) is None


def test_the_coarser_the_longer() -> None:
    assert stands_still(watch(scale=0.01), 4.2, 2) is not None
    assert stands_still(watch(scale=0.2), 4.2, 11.9) is None
    assert stands_still(watch(scale=0.2), 4.2, 12) is not None
    assert stands_still(watch(scale=1), 4, 23.9) is None
    assert stands_still(watch(scale=1), 4, 24) is not None


def test_the_site_file_may_say_how_long_a_sensor_stands_still() -> None:
    assert stands_still(watch(stuck_after_minutes=30), 4.2, 0.5) is not None
    assert stands_still(watch(stuck_after_minutes=0), 4.2, 30) is None


def test_a_door_may_stand_still_and_so_may_fog() -> None:
    assert stands_still(watch("door_open"), 0, 30) is None
    assert stands_still(watch("humidity_pct"), 100, 30) is None
    assert stands_still(watch("humidity_pct"), 85, 30) is not None


def test_a_silence_is_no_standing_still() -> None:
    sensor = watch()
    assert sensor.judge(4.2, 0) is None
    assert sensor.judge(4.2, 10 * HOUR_S) is None


def test_a_jump_is_no_reading_until_it_is_confirmed() -> None:
    sensor = watch()
    assert sensor.judge(4, 0) is None
    assert sensor.judge(60, 5) == "jumped from 4 to 60 in 5 s"
    assert sensor.judge(4.1, 10) is None, "it was noise"
    told = [sensor.judge(60 + n / 10, 15 + 5.0 * n) for n in range(CONFIRMED)]
    assert [one is None for one in told] == [False] * (CONFIRMED - 1) + [True]
    assert sensor.judge(60.5, 40) is None


def test_a_sensor_that_leaps_about_is_never_believed() -> None:
    sensor = watch()
    assert sensor.judge(4, 0) is None
    told = [sensor.judge([60.0, -30.0, 100.0][n % 3], 5.0 * n) for n in range(1, 20)]
    assert all(one is not None for one in told[:6])


def test_what_cannot_be_does_not_confirm_a_jump() -> None:
    sensor = watch()
    assert sensor.judge(4, 0) is None
    for n in range(1, 30):
        assert sensor.judge(-3276.8, n) is not None
    assert sensor.judge(4.1, 31) is None


@given(st.lists(st.floats(-60, 125, allow_nan=False), min_size=1, max_size=40), st.floats(1, 3600))
def test_a_slow_sensor_is_always_believed(values: list[float], every_s: float) -> None:
    """Steps of less than ten degrees are no jump, however often it is read."""
    sensor, value = watch(stuck_after_minutes=0), 0.0
    for n, target in enumerate(values):
        value = max(-60.0, min(125.0, value + max(-9.9, min(9.9, target - value))))
        assert sensor.judge(value, n * every_s) is None
