"""What other rules would have decided: which pass became what, and the rules as they are typed."""

from collections import Counter
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ledgersite import START_US, case, door_pass

from contract.events import EmptyPass
from contract.portals import Door, LlrpReader, PassRules
from contract.sitepart import Title
from edge.errors import BadReads
from edge.whatif import OUTCOMES, Judged, compare, judged, summary, with_rules

TAG, OTHER = case(0, 1), case(0, 2)


def passed(first_us: int, direction: str, tag: str = TAG, door: str = "dock-1", length_us: int = 3) -> Judged:
    return Judged(door, tag, first_us, first_us + length_us, direction, 0.9)  # type: ignore[arg-type]


@dataclass(frozen=True)
class Case:
    """One pass by the rules of that day, and by others."""

    before: Judged | None
    after: Judged | None
    outcome: str


CASES = [
    Case(passed(10, "inbound"), passed(11, "inbound"), "same"),
    Case(passed(10, "unknown"), passed(10, "unknown"), "same"),
    Case(passed(10, "inbound"), passed(13, "outbound"), "turned"),
    Case(passed(10, "unknown"), passed(10, "outbound"), "decided"),
    Case(passed(10, "outbound"), passed(10, "unknown"), "undecided"),
    Case(passed(10, "outbound"), None, "gone"),
    Case(None, passed(10, "outbound"), "appeared"),
]


@pytest.mark.parametrize("one", CASES, ids=lambda one: one.outcome)
def test_each_pass_becomes_one_thing(one: Case) -> None:
    before, after = ([side] if side else [] for side in (one.before, one.after))
    (found,) = compare(before, after)
    assert found == (one.outcome, one.before, one.after)


def test_only_what_happened_at_the_same_time_and_door_with_the_same_tag_is_the_same_pass() -> None:
    before = [passed(10, "inbound")]
    after = [passed(14, "inbound"), passed(10, "inbound", OTHER), passed(10, "inbound", door="dock-2")]
    assert summary(compare(before, after)) == Counter(gone=1, appeared=3)


def test_a_pass_that_falls_apart_is_one_as_before_and_one_that_appeared() -> None:
    whole = passed(10, "inbound", length_us=20)
    parts = [passed(10, "inbound", length_us=5), passed(20, "outbound", length_us=5)]
    assert [found.outcome for found in compare([whole], parts)] == ["same", "appeared"]
    assert [found.outcome for found in compare(parts, [whole])] == ["same", "gone"]


def test_a_load_is_judged_tag_by_tag_and_what_passed_unread_is_nobodys() -> None:
    load = door_pass([TAG, OTHER], START_US)
    unread = EmptyPass(
        at_us=START_US, decided_us=START_US, door="dock-1", direction="unknown", opened_us=START_US, closed_us=START_US
    )
    assert [(one.epc, one.direction, one.first_us) for one in judged([unread, load])] == [
        (TAG, "inbound", START_US),
        (OTHER, "inbound", START_US),
    ]


_passes = st.lists(
    st.builds(
        passed,
        st.integers(0, 60),
        st.sampled_from(["inbound", "outbound", "unknown"]),
        st.sampled_from([TAG, OTHER]),
        st.sampled_from(["dock-1", "dock-2"]),
        st.integers(0, 8),
    ),
    max_size=12,
)


@given(before=_passes, after=_passes)
def test_every_pass_of_either_is_told_once_in_the_order_of_time(before: list[Judged], after: list[Judged]) -> None:
    found = compare(before, after)
    assert Counter(one.before for one in found if one.before) == Counter(before)
    assert Counter(one.after for one in found if one.after) == Counter(after)
    times = [(one.before or one.after).first_us for one in found]  # type: ignore[union-attr]  # never neither
    assert times == sorted(times)
    assert summary(found).total() == len(found)
    assert summary(found).keys() <= OUTCOMES.keys()
    for one in found:
        if one.before and one.after:
            assert one.before.first_us <= one.after.last_us
            assert one.after.first_us <= one.before.last_us


@given(_passes)
def test_the_same_rules_change_nothing(passes: list[Judged]) -> None:
    distinct = list({(one.door, one.epc, one.first_us // 10): one for one in passes}.values())
    apart = [one._replace(last_us=one.first_us) for one in distinct]
    assert {found.outcome for found in compare(apart, apart)} <= {"same"}


def door(**rules: float) -> Door:
    reader = LlrpReader(name="reader", inside=[1], outside=[2])
    return Door(
        name="dock-1",
        title=Title(en="Door", zh="门"),
        agent="edge",
        inside="cold",
        readers=[reader],
        rules=PassRules(**rules),  # type: ignore[arg-type]
    )


def test_rules_are_set_by_name_with_or_without_the_unit_and_the_others_stay() -> None:
    doors = [door(gap_s=2), door()]
    found = with_rules(doors, ["margin=0.4", "min_peak_rssi = -70", "min_reads=5"])
    assert [one.rules.gap_s for one in found] == [2, 1.2]
    assert {(one.rules.margin_s, one.rules.min_peak_rssi_dbm, one.rules.min_reads) for one in found} == {(0.4, -70, 5)}
    assert with_rules(doors, []) == tuple(doors)
    assert [one.rules for one in doors] == [PassRules(gap_s=2), PassRules()], "these are as they were"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("margn=0.4", "did you mean margin_s?"),
        ("margin", "expected name=value"),
        ("=3", "expected name=value"),
        ("min=3", "expected name=value"),
        ("colour=blue", "there are: gap_s"),
        ("margin=wide", "margin_s=wide: input should be a valid number"),
        ("min_confidence=2", "min_confidence=2: input should be less than or equal to 0.99"),
        ("gap=nan", "gap_s=nan"),
    ],
)
def test_a_rule_that_is_none_is_refused_with_the_nearest(text: str, says: str) -> None:
    with pytest.raises(BadReads) as caught:
        with_rules([door()], [text])
    assert says in str(caught.value)


@given(name=st.sampled_from([*PassRules.model_fields]), value=st.floats(-1e6, 1e6) | st.text(max_size=10))
def test_a_setting_is_taken_or_refused_in_words(name: str, value: float | str) -> None:
    said = f"--set {name}"
    try:
        (found,) = with_rules([door()], [f"{name}={value}"])
        assert getattr(found.rules, name) == pytest.approx(float(value))
    except BadReads as error:
        said = str(error)
    assert said.startswith(f"--set {name}")
