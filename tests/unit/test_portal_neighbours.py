"""Doors side by side: a tag that two doors hear goes through one of them."""

from itertools import pairwise

import pytest
from doorwalk import EPC, SSCC, at, beams, by_time, door, epcs_of, live, pallet, passes, walk
from hypothesis import given, settings
from hypothesis import strategies as st

from contract.events import DoorPass
from contract.portals import Door, GpiGate, LlrpReader
from edge.llrp.read import Read
from edge.portal.neighbours import Neighbours, rows_of

FAR = LlrpReader(name="reader-2", port=5085, inside=[1, 4], outside=[2, 3])
GATE = GpiGate(kind="gpi", reader="reader-1", port=1)


def pair() -> Neighbours:
    return Neighbours([door(name="dock-1", beside=["dock-2"]), door(FAR, name="dock-2")])


def over_there(reads: list[Read], fainter_db: float = 12.0, share: int = 2) -> list[Read]:
    """What the other door hears of it."""
    heard = [read._replace(reader="reader-2", rssi_dbm=read.rssi_dbm - fainter_db) for read in reads[::share]]
    return [read for read in heard if read.rssi_dbm > -76]


def swapped(reads: list[Read]) -> list[Read]:
    """As if both doors had changed places."""
    other = {"reader-1": "reader-2", "reader-2": "reader-1"}
    return [read._replace(reader=other[read.reader]) for read in reads]


def test_a_tag_belongs_to_the_door_that_heard_it_better() -> None:
    for here, there in (("dock-1", "dock-2"), ("dock-2", "dock-1")):
        reads = by_time(walk(), over_there(walk()))
        row = pair()
        (told,) = live(row, reads if here == "dock-1" else swapped(reads))
        assert (told.door, told.direction) == (here, "inbound")
        assert row.doors[there].strays == {"cross_read": 1}


def test_doors_that_are_not_beside_each_other_both_tell_what_they_heard() -> None:
    doors = [door(name="dock-1"), door(FAR, name="dock-2")]
    assert [len(row) for row in rows_of(doors)] == [1, 1]


def test_rows_are_doors_that_are_beside_each_other_said_at_either() -> None:
    doors: list[Door] = [
        door(LlrpReader(name=f"reader-{number}", inside=[1], outside=[2]), name=f"dock-{number}", beside=beside)
        for number, beside in enumerate([["dock-1"], [], ["dock-1"], [], ["dock-3"], []])
    ]
    assert [[one.name for one in row] for row in rows_of(doors)] == [
        ["dock-0", "dock-1", "dock-2"],
        ["dock-3", "dock-4"],
        ["dock-5"],
    ]


def test_a_pallet_goes_through_one_door_even_if_some_of_its_tags_were_heard_better_at_the_other() -> None:
    near = pallet(tags=8)
    first = epcs_of(1, 8)[0]
    there = over_there([read for read in near if read.epc != first], 12.0)
    louder = over_there([read for read in near if read.epc == first], -1.5, 1)
    row = pair()
    (told,) = live(row, by_time(near, there, louder))
    assert (told.door, set(told.epcs)) == ("dock-1", {*epcs_of(1, 8)})
    assert row.doors["dock-2"].strays.total() == 9


def test_two_pallets_go_through_both_doors_at_one_moment() -> None:
    near, far = pallet(load=1), swapped(pallet(load=2, inbound=False) + over_there([]))
    far = [read._replace(reader="reader-2") for read in pallet(load=2, inbound=False)]
    heard_near = [read._replace(reader="reader-1", rssi_dbm=read.rssi_dbm - 12) for read in far[::2]]
    told = live(pair(), by_time(near, over_there(near), far, heard_near))
    assert {(one.door, one.direction, one.container) for one in told} == {
        ("dock-1", "inbound", SSCC.format(1)),
        ("dock-2", "outbound", SSCC.format(2)),
    }


def test_a_door_waits_until_its_neighbour_has_heard_the_end_of_it() -> None:
    """The beginning is heard by both, the door itself by the second only."""
    reads = by_time(walk(), over_there(walk()))
    reads = [read for read in reads if read.reader == "reader-1" or read.at_us < at(2.0)]
    row = pair()
    (told,) = live(row, swapped(reads))
    assert told.door == "dock-2"
    assert row.doors["dock-1"].strays.total() == 1


def test_while_a_neighbour_is_blind_a_faint_tag_is_nobodys_departure() -> None:
    faint = [read._replace(rssi_dbm=read.rssi_dbm - 10) for read in walk(inbound=False)]
    for blind, directions in ((False, ["outbound"]), (True, ["unknown"])):
        row = pair()
        if blind:
            row.doors["dock-2"].blind(at(1.0), "reader-2")
        assert [one.direction for one in live(row, faint)] == directions


def test_while_a_neighbour_is_blind_what_clearly_went_through_here_did() -> None:
    row = pair()
    row.doors["dock-2"].blind(at(1.0), "reader-2")
    (told,) = live(row, walk())
    assert (told.door, told.direction) == ("dock-1", "inbound")
    assert told.decided_us - told.evidence.last_read_us <= 1_500_000


def test_while_a_neighbour_is_blind_the_own_eyes_are_believed() -> None:
    faint = [read._replace(rssi_dbm=read.rssi_dbm - 10) for read in walk()]
    row = pair()
    row.doors["dock-2"].blind(at(1.0), "reader-2")
    beams(row.doors["dock-1"], (1.6, "outer", True), (2.0, "inner", True), (2.4, "outer", False), (2.8, "inner", False))
    assert [one.direction for one in live(row, faint)] == ["inbound"]


def test_what_devices_tell_reaches_the_door_that_it_is_about() -> None:
    row = Neighbours([door(name="dock-1", beside=["dock-2"], gate=GATE), door(FAR, name="dock-2")])
    row.gpi("reader-1", 2, True, at(1.0))  # another input
    row.gpi("reader-2", 1, True, at(1.0))  # another reader
    row.gpi("reader-1", 1, True, at(1.0))
    row.gpi("reader-1", 1, False, at(3.0))
    row.beam("outer", True, at(1.6))
    row.beam("elsewhere", True, at(1.7))
    row.beam("inner", True, at(2.0))
    row.eyes({"outer", "inner"}, {"inner"}, at(2.2))
    row.beam("outer", False, at(2.4))
    row.beam("inner", False, at(2.8))
    row.sight("reader-2", False, at(10.0))
    row.sight("elsewhere", False, at(10.0))
    row.sight("reader-2", True, at(11.0))
    (told,) = live(row, walk())
    assert (told.door, told.direction, told.evidence.beam) == ("dock-1", "inbound", None)
    assert not row.doors["dock-1"].strays


@pytest.mark.parametrize("lost_s", [0.5, 2.0, 3.5])
def test_a_door_that_goes_blind_keeps_its_neighbour_from_nothing(lost_s: float) -> None:
    reads = by_time(walk(), over_there(walk()))
    row = pair()
    early = [read for read in reads if read.at_us < at(lost_s)]
    told: list[DoorPass] = live(row, early, until_s=lost_s)
    row.doors["dock-2"].blind(at(lost_s), "reader-2")
    told += live(row, [read for read in reads if read.at_us >= at(lost_s) and read.reader == "reader-1"], until_s=30.0)
    assert [(one.door, one.direction, one.epcs) for one in told] == [("dock-1", "inbound", (EPC,))]


@given(
    st.lists(
        st.tuples(
            st.integers(0, 12_000),
            st.sampled_from(["aa", "bb", "cc", "dd"]),
            st.integers(1, 4),
            st.integers(-80, -35),
            st.sampled_from(["reader-1", "reader-2"]),
        ),
        max_size=150,
    )
)
@settings(deadline=None)
def test_no_tag_goes_through_two_doors_at_once(raw: list[tuple[int, str, int, int, str]]) -> None:
    reads = by_time(
        [
            Read(at(after_ms / 1000), epc, antenna, float(rssi_dbm), reader)
            for after_ms, epc, antenna, rssi_dbm, reader in raw
        ]
    )
    row = pair()
    told = live(row, reads)
    for epc in ("aa", "bb", "cc", "dd"):
        own = sorted((one for one in told if epc in one.epcs and len(one.epcs) == 1), key=lambda one: one.at_us)
        for before, after in pairwise(own):
            apart = before.evidence.last_read_us < after.evidence.first_read_us
            same_time = (
                before.evidence.first_read_us <= after.at_us <= before.evidence.last_read_us
                and after.evidence.first_read_us <= before.at_us <= after.evidence.last_read_us
            )
            assert apart or not same_time
    assert row.next_due_us() is None
    assert passes(row) == []
