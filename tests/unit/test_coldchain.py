"""The cold chain's arithmetic: kinetics, sums that do not care for the order of their readings, and what goods bore."""

from decimal import Decimal, localcontext
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from contract.coldchain import PRODUCE, HumidityLimits, ShelfLife, TemperatureLimits
from contract.site import Item
from gateway.coldchain import cells, kinetics
from gateway.coldchain.cells import DAY_US, MINUTE_US, QUARTER_US, Quarter
from gateway.coldchain.exposure import Stay, apart, borne, exposure, presence

DAY = 20_700
"""2026-09-04."""
NOON_US = DAY * DAY_US + 12 * 3600 * 1_000_000
ICH_EXAMPLE = [(1.0, 20.0), (1.0, 30.0)]

warmth = st.floats(-40, 60).map(lambda value: round(value, 2))
moments = st.integers(0, 4 * 3600).map(lambda second: NOON_US + second * 1_000_000)
readings = st.lists(st.tuples(moments, warmth), min_size=1, max_size=60)
lives = st.one_of(
    st.builds(ShelfLife, days=st.floats(1, 100), at_c=st.floats(-5, 20), q10=st.floats(1, 5)),
    st.builds(ShelfLife, days=st.floats(1, 100), at_c=st.floats(-5, 20), activation_kj=st.floats(1, 150)),
)


def day_of(told: list[tuple[int, float]], limit: float = 5.0) -> bytearray:
    day = cells.empty_day()
    for at_us, value in told:
        assert cells.add(day, at_us, value, outside=value > limit, kinetic=True)
    return day


def quarters(told: list[tuple[int, float]]) -> list[Quarter]:
    return list(cells.quarters(day_of(told), DAY, 0, 2**60))


def every_minute(*values: float, since_us: int = NOON_US) -> list[tuple[int, float]]:
    return [(since_us + n * MINUTE_US, value) for n, value in enumerate(values)]


def in_decimals(readings: list[tuple[float, float]]) -> float:
    """The formula of USP <1079.2>, written down plainly: 10,000 K over -ln of the mean of exp(-10,000 K / T)."""
    with localcontext() as context:
        context.prec = 50
        k = [(Decimal(weight), Decimal(celsius) + Decimal("273.15")) for weight, celsius in readings]
        mean = sum(w * (Decimal(-10_000) / t).exp() for w, t in k) / sum(w for w, _ in k)
        return float(Decimal(10_000) / -mean.ln() - Decimal("273.15"))


@pytest.mark.parametrize(
    "told",
    [
        ICH_EXAMPLE,
        [(23.0, 4.0), (1.0, 25.0)],
        [(1.0, -20.0), (1.0, 40.0)],
        [(10.0, 5.0), (0.5, 30.0), (13.5, 3.3)],
    ],
)
def test_the_mean_kinetic_temperature_is_that_of_the_formula(told: list[tuple[float, float]]) -> None:
    assert kinetics.mean_kinetic(told) == pytest.approx(in_decimals(told), abs=1e-9)


def test_an_example_that_others_have_computed() -> None:
    """Equal times at 2 and 25 degrees, to 50 digits by somebody else: 19.4659466054827."""
    assert kinetics.mean_kinetic([(1.0, 2.0), (1.0, 25.0)]) == pytest.approx(19.4659466054827, abs=1e-9)


def test_warm_hours_weigh_more_than_cold_ones() -> None:
    found = kinetics.mean_kinetic(ICH_EXAMPLE)
    assert found == pytest.approx(26.26, abs=0.005), "their mean is 25: a day at 20 does not undo one at 30"
    assert kinetics.mean_kinetic([]) is None


@given(st.lists(st.tuples(st.floats(0.1, 100), warmth), min_size=1, max_size=30))
def test_the_mean_kinetic_temperature_is_between_the_mean_and_the_highest(told: list[tuple[float, float]]) -> None:
    found = kinetics.mean_kinetic(told)
    assert found is not None
    values = [celsius for _, celsius in told]
    mean = sum(weight * celsius for weight, celsius in told) / sum(weight for weight, _ in told)
    assert min(values) - 1e-6 <= found <= max(values) + 1e-6
    assert found >= mean - 0.4, "above 100 degrees the rate bends the other way; here it hardly does"


@given(readings, st.randoms(use_true_random=False))
def test_a_day_is_the_same_whatever_order_its_readings_came_in(told, random) -> None:
    shuffled = random.sample(told, len(told))
    assert day_of(told) == day_of(shuffled)


@given(readings)
def test_no_figure_leaves_the_range_of_its_readings(told: list[tuple[int, float]]) -> None:
    values = [value for _, value in told]
    found = exposure(quarters(told), NOON_US, NOON_US + 5 * 3600 * 1_000_000)
    assert found.low == min(values)
    assert found.high == max(values)
    assert min(values) <= found.mean <= max(values)
    assert min(values) <= found.kinetic_c <= max(values)
    assert 0 <= found.out_minutes <= found.minutes
    assert found.minutes + found.unknown_minutes == pytest.approx(300)


@given(readings)
def test_the_minutes_are_those_that_one_counts_by_hand(told: list[tuple[int, float]]) -> None:
    """A minute is as its last readings say, else as the minute before, as far as the quarter or the next one goes."""
    outside: dict[int, bool] = {}
    for at_us, value in told:
        outside[at_us // MINUTE_US] = outside.get(at_us // MINUTE_US, False) or value > 5
    spoken = {minute // 15 for minute in outside}
    known: dict[int, bool] = {}
    for minute in range(NOON_US // MINUTE_US, NOON_US // MINUTE_US + 300):
        if minute in outside:
            known[minute] = outside[minute]
        elif minute // 15 in spoken and minute - 1 in known:
            known[minute] = known[minute - 1]
    found = exposure(quarters(told), NOON_US, NOON_US + 300 * MINUTE_US)
    assert found.minutes == pytest.approx(len(known))
    assert found.out_minutes == pytest.approx(sum(known.values()))


@given(readings, readings)
def test_a_zone_is_as_warm_as_its_warmest_sensor(first, second) -> None:
    both = list(cells.worst(iter(quarters(first) + quarters(second))))
    alone = {one.start_us: one for one in quarters(first)}
    assert [one.start_us for one in both] == sorted({at_us // QUARTER_US * QUARTER_US for at_us, _ in first + second})
    for one in both:
        if one.start_us in alone:
            assert one.kinetic_c >= alone[one.start_us].kinetic_c - 1e-6
            assert one.out & alone[one.start_us].out == alone[one.start_us].out


def test_minutes_outside_are_counted_by_event_time() -> None:
    told = every_minute(*[4.0] * 20, *[7.0] * 5, *[4.0] * 5)
    found = exposure(quarters(told), NOON_US, NOON_US + 30 * MINUTE_US)
    assert (found.minutes, found.unknown_minutes, found.out_minutes) == (30, 0, 5)
    assert exposure(quarters(told), NOON_US, NOON_US + 22 * MINUTE_US).out_minutes == 2
    assert exposure(quarters(told), NOON_US, NOON_US + 45 * MINUTE_US).unknown_minutes == 15
    assert exposure([], NOON_US, NOON_US + MINUTE_US).kinetic_c is None


def test_a_sensor_that_tells_seldom_counts_as_much_as_one_that_tells_often() -> None:
    seldom = [(NOON_US + n * 5 * MINUTE_US, 7.0 if n == 1 else 4.0) for n in range(3)]
    assert exposure(quarters(seldom), NOON_US, NOON_US + 15 * MINUTE_US).out_minutes == 5


def test_a_full_cell_takes_no_more() -> None:
    day = cells.empty_day()
    assert all(cells.add(day, NOON_US, 125.0, outside=False, kinetic=True) for _ in range(cells.MAX_READINGS))
    assert not cells.add(day, NOON_US, 125.0, outside=False, kinetic=True)
    (full,) = cells.quarters(day, DAY, 0, 2**60)
    assert (full.low, full.high, full.mean, full.kinetic_c) == (125.0, 125.0, 125.0, 125.0)


@given(lives, warmth, warmth)
def test_goods_age_no_slower_where_it_is_warmer(life: ShelfLife, a: float, b: float) -> None:
    cold, warm = sorted((a, b))
    assert kinetics.ageing(life, cold) <= kinetics.ageing(life, warm)
    assert kinetics.ageing(life, life.at_c) == pytest.approx(1)


@given(readings, lives)
def test_life_only_ends(told: list[tuple[int, float]], life: ShelfLife) -> None:
    found = quarters(told)
    ends = [NOON_US + n * 20 * MINUTE_US for n in range(1, 14)]
    kept = [borne([Stay("cold", NOON_US, end)], lambda *_: found, life)[1] for end in ends]
    assert all(after.used >= before.used - 1e-12 for before, after in pairwise(kept))
    assert all(after.remaining_days <= before.remaining_days + 1e-12 for before, after in pairwise(kept))
    assert all(0 <= one.remaining_days <= life.days for one in kept)


@given(readings, lives, st.integers(1, 299))
def test_a_way_in_two_stays_is_as_long_as_one(told: list[tuple[int, float]], life: ShelfLife, cut: int) -> None:
    found = quarters(told)
    end_us, cut_us = NOON_US + 300 * MINUTE_US, NOON_US + cut * MINUTE_US
    whole, kept = borne([Stay("cold", NOON_US, end_us)], lambda *_: found, life)
    parts, kept_in_parts = borne([Stay("cold", cut_us, end_us), Stay("cold", NOON_US, cut_us)], lambda *_: found, life)
    assert parts.minutes == pytest.approx(whole.minutes)
    assert parts.kinetic_c == pytest.approx(whole.kinetic_c)
    assert kept_in_parts.used == pytest.approx(kept.used)


def test_goods_in_two_zones_at_once_bore_the_worst_of_them() -> None:
    rooms = {"cold": quarters(every_minute(*[3.0] * 60)), "dock": quarters(every_minute(*[12.0] * 60))}
    stays = [Stay("cold", NOON_US, NOON_US + 60 * MINUTE_US), Stay("dock", NOON_US, NOON_US + 15 * MINUTE_US)]
    told, _ = borne(stays, lambda zone, *_: rooms[zone], None)
    assert (told.minutes, told.out_minutes, told.mean) == (60, 15, pytest.approx((12 + 3 * 3) / 4))


def test_a_lot_is_where_its_postings_say_whatever_order_they_came_in() -> None:
    """Twelve cases come to the dock, go to the cold room in two parts, and leave; one is counted twice for a while."""
    changes = [(0, "dock", 12), (10, "dock", -5), (10, "cold", 5), (20, "dock", -7), (20, "cold", 7), (30, "cold", -12)]
    twice = [(15, "cold", 1), (15, "cold", -1)]
    assert presence([*reversed(changes), *twice], 99) == [Stay("dock", 0, 20), Stay("cold", 10, 30)]
    assert presence(changes, 15) == [Stay("dock", 0, 15), Stay("cold", 10, 15)]
    assert apart(presence(changes, 99)) == [(("dock",), 0, 10), (("cold", "dock"), 10, 20), (("cold",), 20, 30)]
    assert presence([(5, "cold", -3), (7, "cold", 2)], 99) == [], "below zero is nowhere"


spans = st.lists(
    st.builds(lambda zone, a, b: Stay(zone, min(a, b), max(a, b)), st.sampled_from("abc"), *[st.integers(0, 30)] * 2),
    max_size=8,
)


@given(spans)
def test_the_pieces_are_the_same_time(stays: list[Stay]) -> None:
    pieces = apart(stays)
    for minute in range(31):
        zones = {stay.zone for stay in stays if stay.since_us <= minute < stay.until_us}
        found = [piece for piece in pieces if piece[1] <= minute < piece[2]]
        assert [set(zones) for zones, _, _ in found] == ([zones] if zones else [])


def test_lettuce_at_five_degrees_keeps_as_long_as_is_published() -> None:
    """21 to 28 days at 0 degrees, 14 at 5 (UC Davis Postharvest Center, Produce Facts: Lettuce, crisphead)."""
    lettuce = PRODUCE["lettuce"]
    assert lettuce.days / kinetics.ageing(lettuce, 5) == pytest.approx(14, rel=0.1)


def test_two_days_at_the_dock_take_more_of_a_lettuce_than_three_in_the_cold_room() -> None:
    cold, dock = every_minute(*[0.0] * 600), every_minute(*[10.0] * 600)
    _, at_cold = borne(
        [Stay("cold", NOON_US, NOON_US + 600 * MINUTE_US)], lambda *_: quarters(cold), PRODUCE["lettuce"]
    )
    _, at_dock = borne(
        [Stay("dock", NOON_US, NOON_US + 600 * MINUTE_US)], lambda *_: quarters(dock), PRODUCE["lettuce"]
    )
    assert at_cold.used == pytest.approx(600 / 1440 / 21)
    assert at_dock.used == pytest.approx(2.5 * at_cold.used)


def test_the_cold_hurts_a_tomato_and_does_not_make_it_keep_longer() -> None:
    tomato = PRODUCE["tomato"]
    _, kept = borne(
        [Stay("cold", NOON_US, NOON_US + 60 * MINUTE_US)], lambda *_: quarters(every_minute(*[2.0] * 60)), tomato
    )
    assert kept.chilled_minutes == 60
    assert kinetics.ageing(tomato, 2) == kinetics.ageing(tomato, 7)


def test_what_is_not_known_ages_goods_as_their_own_temperature_would() -> None:
    told, kept = borne([Stay("cold", NOON_US, NOON_US + DAY_US)], lambda *_: [], PRODUCE["lettuce"])
    assert (told.minutes, told.unknown_minutes, told.kinetic_c) == (0, 1440, None)
    assert kept.remaining_days == pytest.approx(20)


def test_the_site_file_names_a_produce_or_tells_figures() -> None:
    item = {"sku": "x", "gtin": "09506000134352", "title": {"en": "x", "zh": "x"}}
    assert Item.model_validate({**item, "keeps": "lettuce"}).keeps == PRODUCE["lettuce"]
    assert Item.model_validate({**item, "keeps": {"days": 5, "at_c": 4, "q10": 3}}).keeps.q10 == 3
    with pytest.raises(ValidationError, match="no produce is called 'letuce': lemon, tomato, lettuce"):
        Item.model_validate({**item, "keeps": "letuce"})
    with pytest.raises(ValidationError, match="say either q10 or activation_kj"):
        Item.model_validate({**item, "keeps": {"days": 5, "at_c": 4}})


def test_limits_that_nothing_can_keep_are_refused() -> None:
    with pytest.raises(ValidationError, match="min_c is above max_c"):
        TemperatureLimits(min_c=5, max_c=1)
    with pytest.raises(ValidationError, match="min_pct is above max_pct"):
        HumidityLimits(min_pct=90, max_pct=80)
