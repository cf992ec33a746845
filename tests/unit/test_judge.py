"""The judge tells right from wrong, and what the house left out from what it made up."""

from firmware_sim import judge
from firmware_sim.judge import DecidedPass, Evidence, Order, TrueItem, TruePass, Truth

S = 1_000_000


def true_pass(epc: str, direction: str = "inbound", entered_s: float = 10, door: str = "dock-1") -> TruePass:
    return TruePass(epc, door, direction, int(entered_s * S), int((entered_s + 3) * S))


def decided(epc: str, direction: str = "inbound", at_s: float = 11, door: str = "dock-1") -> DecidedPass:
    return DecidedPass(epc, door, direction, int(at_s * S), int((at_s + 3) * S), int((at_s + 2) * S))


def test_each_pass_is_right_wrong_unknown_or_missed():
    truth = [true_pass("a"), true_pass("b"), true_pass("c"), true_pass("d")]
    told = [decided("a"), decided("b", "outbound"), decided("c", "unknown")]
    assert judge.match_passes(truth, told) == {"right": 1, "wrong": 1, "unknown": 1, "missed": 1, "invented": 0}


def test_a_direction_for_a_tag_that_stayed_is_invented_and_an_unknown_is_not():
    told = [decided("shelf"), decided("turned-back", "unknown")]
    assert judge.match_passes([], told)["invented"] == 1


def test_a_decision_at_another_door_or_another_time_is_no_answer():
    truth = [true_pass("a")]
    told = [decided("a", door="dock-2"), decided("a", at_s=100)]
    tally = judge.match_passes(truth, told)
    assert (tally["missed"], tally["invented"]) == (1, 2)


def test_two_passes_of_one_tag_need_two_decisions():
    truth = [true_pass("a", entered_s=10), true_pass("a", "outbound", entered_s=20)]
    assert judge.match_passes(truth, [decided("a", at_s=11), decided("a", "outbound", at_s=21)])["right"] == 2
    assert judge.match_passes(truth, [decided("a", at_s=11)])["missed"] == 1


def test_stock_is_compared_by_sku_and_zone_and_errors_do_not_cancel():
    items = [TrueItem("1", "lemon", "cold"), TrueItem("2", "lemon", "cold"), TrueItem("3", "tomato", None)]
    assert judge.compare_stock(items, {"lemon": {"cold": 1, "dock": 1}}) == {
        "units": {"truth": 2, "absolute_error": 2},
        "sku_zones": {"total": 2, "exact": 0},
    }
    assert judge.compare_stock(items, {"lemon": {"cold": 2}, "tomato": {"cold": 0}})["sku_zones"] == {
        "total": 1,
        "exact": 1,
    }


def test_the_report_counts_doubles_and_losses():
    evidence = Evidence(
        truth=Truth(seed=7, quiet=True, items=(), passes=()),
        made=4,
        sequences=[("edge", "e", 1), ("edge", "e", 2), ("edge", "e", 2)],
        passes=[decided("a")],
        stock={},
        requested=[Order("k1", None)],
        placed=[Order("k1", "PO-1"), Order("k1", "PO-2")],
        latencies_us=[1000, 3000, 200_000],
        version="0.1.0",
    )
    report = judge.report(evidence)
    assert report["events"] == {"made": 4, "committed": 3, "doubled": 1, "lost": 2}
    assert report["orders"] == {"requested": 1, "placed": 2, "doubled": 1}
    assert report["latency_ms"] == {"p50": 3.0, "p99": 3.0}
    assert report["decision_delay_ms"] == {"p50": 1000.0, "p99": 1000.0}


def test_nothing_measured_is_told_as_nothing():
    assert judge._quantiles_ms([]) == {"p50": None, "p99": None}
