"""The small rules of the simulated world: walks, faults, climate, tags, routes."""

from itertools import islice
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st
from simhouse import config

from contract.epc import identify
from firmware_sim.climate import Sensor, register_value, weather_of
from firmware_sim.faults import Faults, plan
from firmware_sim.movement import Movement
from firmware_sim.routes import Routes, Step
from firmware_sim.tags import TagPrinter
from firmware_sim.walk import BEAM_M, REACH_M, load_of, walk_of

bodies = st.sampled_from(["pallet", "trolley", "person"])
directions = st.sampled_from(["inbound", "outbound"])


def movement(body: str, direction: str, kind: str = "unload") -> Movement:
    return Movement(number=1, door="dock-1", kind=kind, body=body, direction=direction, to=None, cases=("a", "b"))  # type: ignore[arg-type]


@given(body=bodies, direction=directions, seed=st.integers())
def test_a_body_that_goes_through_breaks_both_beams_in_its_order(body: str, direction: str, seed: int) -> None:
    walk = walk_of(movement(body, direction), Random(seed))
    times = [step * 0.01 for step in range(int(walk.duration_s * 100) + 1)]
    assert abs(walk.y_m(0.0) + walk.sign * REACH_M) < 1e-9
    assert abs(walk.y_m(walk.duration_s) - walk.sign * REACH_M) < 1e-9
    near, far = -walk.sign * BEAM_M, walk.sign * BEAM_M
    first_near = next(at for at in times if walk.breaks(near, at))
    first_far = next(at for at in times if walk.breaks(far, at))
    crossing = next(at for at in times if walk.is_through(at))
    assert first_near < crossing
    assert first_near < first_far
    assert not walk.breaks(near, walk.duration_s)
    assert not walk.breaks(far, walk.duration_s)
    assert 1.0 <= walk.pace_m_per_s <= 1.5


@given(direction=directions, seed=st.integers())
def test_a_body_that_turns_back_never_reaches_the_plane(direction: str, seed: int) -> None:
    walk = walk_of(movement("person", direction, "turn_back"), Random(seed))
    times = [step * 0.01 for step in range(int(walk.duration_s * 100) + 1)]
    assert all(walk.sign * walk.y_m(at) < 0 for at in times)
    assert not any(walk.is_through(at) for at in times)
    assert not any(walk.breaks(walk.sign * BEAM_M, at) for at in times)
    assert abs(walk.y_m(walk.duration_s) - walk.y_m(0.0)) < 1e-9


@given(body=bodies, seed=st.integers())
def test_tags_sit_on_their_body(body: str, seed: int) -> None:
    load = load_of(movement(body, "inbound"), frozenset({"b"}), Random(seed))
    assert [(tag.epc, tag.detuned) for tag in load] == [("a", False), ("b", True)]
    assert all(abs(tag.x_m) <= 0.5 and abs(tag.y_m) <= 0.6 for tag in load)


def test_nothing_breaks_unless_it_is_ordered() -> None:
    assert list(plan(Faults(), {"reader-1": (1, 2)}, ["plc-1"], 7)) == []


@settings(max_examples=30)
@given(seed=st.integers())
def test_faults_come_in_order_at_about_the_rate_that_was_ordered(seed: int) -> None:
    faults = Faults(reader_off_every_s=20, connection_reset_every_s=10, plc_silent_every_s=40)
    drawn = list(islice(plan(faults, {"reader-1": (1, 4), "reader-2": (2,)}, ["plc-1"], seed), 400))
    again = list(islice(plan(faults, {"reader-1": (1, 4), "reader-2": (2,)}, ["plc-1"], seed), 400))
    assert drawn == again
    assert drawn == sorted(drawn, key=lambda fault: fault.at_s)
    assert {fault.device for fault in drawn if fault.trouble == "plc_silent"} == {"plc-1"}
    assert {fault.trouble for fault in drawn} == {"reader_off", "connection_reset", "plc_silent"}
    assert 1500 < drawn[-1].at_s < 3500


@settings(max_examples=15, deadline=None)
@given(seed=st.integers())
def test_a_zone_stays_in_its_limits_until_a_door_is_left_open(seed: int) -> None:
    site = config()
    zones = {zone.name: zone for zone in site.zones}
    register = next(one for plc in site.modbus for one in plc.registers if one.name == "cold-room-temperature")
    sensor = Sensor(weather_of(register, zones), Random(seed))
    assert all(1 <= sensor.step(1.0, warm=False) <= 5 for _ in range(300))
    assert all(1 <= sensor.step(10.0, warm=False) <= 5 for _ in range(30))
    assert max(sensor.step(1.0, warm=True) for _ in range(75)) > 5
    assert [1 <= sensor.step(1.0, warm=False) <= 5 for _ in range(120)][-1]


def test_a_register_holds_a_value_in_its_scale() -> None:
    assert [register_value(value, 0.1) for value in (2.34, -18.06, 9e9, -9e9)] == [23, -181, 32767, -32768]
    assert register_value(21.0, 0.0) == 21


@settings(max_examples=30)
@given(seed=st.integers())
def test_tags_are_printed_once_and_mean_what_they_say(seed: int) -> None:
    printer = TagPrinter(seed)
    cases = [printer.case("09506000134352") for _ in range(50)]
    pallets = [printer.pallet("09506000134352") for _ in range(50)]
    assert len({*cases, *pallets}) == 100
    assert {identify(epc).gtin for epc in cases} == {"09506000134352"}
    assert all((identify(epc).sscc or "").startswith("09506000") for epc in pallets)
    assert all(len(epc) == 24 and epc == epc.lower() for epc in [*cases, *pallets])


def test_trucks_come_to_the_first_docks_and_customers_to_the_last() -> None:
    routes = Routes(config().doors)
    assert (routes.receiving, routes.serving, routes.store) == (("dock-1",), {"dock-2"}, "cold-room")
    assert routes.toward_store == {"receiving": Step("cold-gate", "inbound", "cold-room")}
    assert routes.beyond("cold-gate", "outbound") == "receiving"
    assert routes.before("dock-1", "inbound") is None


def test_one_dock_does_everything_and_a_dock_that_is_cut_off_serves_its_own_zone() -> None:
    alone = Routes(config(1).doors)
    assert (alone.receiving, alone.serving, alone.store) == (("dock-1",), {"dock-1"}, "receiving")
    cut_off = Routes(config(2).doors)
    assert (cut_off.receiving, cut_off.serving, cut_off.store) == (("dock-1",), {"dock-1", "dock-2"}, "cold-room")
