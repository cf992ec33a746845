"""A register table becomes few requests and sensible values."""

from hypothesis import given
from hypothesis import strategies as st

from contract.coldchain import implausible
from contract.fieldbus import Register
from edge.registers import LARGEST_READ, measured, spans
from edge.stack_light import Lamps, lamps

EYE = {"table": "discrete", "meaning": "photo_eye"}
TEMPERATURE = {"table": "input", "meaning": "temperature_c"}


def _register(name: str, **keys: object) -> Register:
    return Register.model_validate({"name": name, **keys})


def test_neighbours_are_read_with_one_request_and_nothing_between_is_touched() -> None:
    table = [
        _register("c", address=2, **EYE),
        _register("far", address=4, **EYE),
        _register("a", address=0, **EYE),
        _register("b", address=1, **EYE),
        _register("warmth", address=3, **TEMPERATURE),
    ]
    found = [(span.table, span.start, span.size, [one.name for one in span.registers]) for span in spans(table)]
    assert found == [
        ("discrete", 0, 3, ["a", "b", "c"]),
        ("discrete", 4, 1, ["far"]),
        ("input", 3, 1, ["warmth"]),
    ]


@given(st.lists(st.tuples(st.sampled_from([EYE, TEMPERATURE]), st.integers(0, 400)), max_size=300))
def test_every_register_is_fetched_once_within_the_limits_of_the_protocol(
    places: list[tuple[dict[str, str], int]],
) -> None:
    table = [_register(f"r-{n}", address=address, **kind) for n, (kind, address) in enumerate(places)]
    found = spans(table)
    assert sorted(one.name for span in found for one in span.registers) == sorted(one.name for one in table)
    for span in found:
        assert span.size <= LARGEST_READ[span.table]
        assert {one.address for one in span.registers} == set(range(span.start, span.start + span.size))


def test_a_value_is_a_signed_word_times_the_scale() -> None:
    register = _register("cold", address=0, scale=0.1, **TEMPERATURE)
    assert [measured(register, raw) for raw in (0, 35, 0xFFDD, 0x8000)] == [0.0, 3.5, -3.5, -3276.8]


def test_a_broken_wire_is_no_temperature() -> None:
    assert implausible("temperature_c", 3.5) is None
    assert implausible("temperature_c", -3276.8) == "reads -3276.8, outside of -60 to 125"
    assert implausible("humidity_pct", 101) == "reads 101, outside of 0 to 100"
    assert implausible("weight_kg", 1e6) is None


def test_green_means_that_everything_is_seen_and_told() -> None:
    assert lamps(True, {"reader": "connected", "plc": "connected"}) == Lamps(green=True, amber=False, red=False)
    for up, state in ((False, "connected"), (True, "lost"), (True, "blind")):
        assert lamps(up, {"reader": state}) == Lamps(green=False, amber=True, red=False)
