"""What the verdicts of the sorting lines come to in the ledger: lines, lots, their limits, cameras, reviews."""

from collections.abc import Awaitable, Callable
from pathlib import Path

import msgspec
import pytest
from ledgerhouse import House, play
from ledgersite import SECOND, START_US, Edge
from linesite import LINE, LINED, MODEL, OTHER_LINE, OTHER_SORTER, OUTLINE, SORTER, Belt, begun, with_lines

from contract import events
from contract.site import Site
from contract.sortingline import Grade
from contract.wire import LotOrder, Status
from gateway import records
from gateway.ledger.fruit.lines import MAX_LINES
from gateway.ledger.fruit.lots import LEAST_DEFECTIVE, MAX_STRAYS
from gateway.ledger.fruit.sorting import PICTURE_WAIT_US, SHOWN
from gateway.ledger.storage.opening import refold
from gateway.views import LineView, LotView

Story = Callable[[House, Edge, Belt], Awaitable[None]]


def tell(folder: Path, story: Story, site: Site = LINED) -> None:
    """A story of one line, whose clock is the house's."""

    async def told(house: House) -> None:
        await story(house, Edge(house.ledger, SORTER), Belt())

    play(folder, told, site)


def line(house: House, name: str = LINE) -> LineView:
    return house.ledger.views("lines")[name]


def lot(house: House, name: str = LINE) -> LotView:
    found = line(house, name).lot
    assert found is not None
    return found


def figures(view: LotView) -> tuple[int, int, int, int, int]:
    return (view.good, view.defective, view.unsure, view.unseen, view.missed)


def test_before_anything_was_told_the_lines_of_the_site_file_are_there(tmp_path: Path) -> None:
    async def story(house: House, _: Edge, __: Belt) -> None:
        assert list(house.ledger.views("lines")) == [LINE, OTHER_LINE]
        view = line(house)
        assert (view.crop, view.camera, view.agent) == ("lemon", "camera-a", SORTER)
        assert (view.lot, view.lots, view.per_minute, view.latest, view.belt_us) == (None, [], 0, [], None)
        assert house.ledger.views("devices")["camera-a"].kind == "camera"

    tell(tmp_path, story)


def test_fruit_counts_for_its_lot_and_the_last_ones_are_shown(tmp_path: Path) -> None:
    async def story(house: House, sorter: Edge, belt: Belt) -> None:
        await house.ledger.record(begun(LINE, "L1", sku="lemon-4kg", customer="hongda"))
        belt.begin("L1")
        fruit = [*belt.run(good=18, defective=2), belt.fruit("unsure"), belt.fruit("unseen"), belt.fruit(gate="missed")]
        await sorter.tell(*fruit)
        house.clock.now_us = belt.at_us
        view = line(house)
        assert view.lot is not None
        assert figures(view.lot) == (19, 2, 1, 1, 1)
        assert (view.lot.sku, view.lot.customer, view.lot.state) == ("lemon-4kg", "hongda", "running")
        assert view.lot.rate == pytest.approx(2 / 21)
        assert view.lot.low is not None
        assert view.lot.high is not None
        assert view.lot.low < 2 / 21 < view.lot.high
        assert [one.subject for one in view.latest] == [one.subject for one in reversed(fruit[-12:])]
        assert (view.latest[0].gate, view.latest[2].evidence) == ("missed", fruit[-3].subject)
        assert (view.model, view.last_us) == (MODEL, fruit[-1].at_us)

    tell(tmp_path, story)


def test_fruit_without_a_lot_is_judged_all_the_same(tmp_path: Path) -> None:
    async def story(house: House, sorter: Edge, belt: Belt) -> None:
        await sorter.tell(*belt.run(good=3, defective=3))
        assert (line(house).lot, len(line(house).latest)) == (None, 6)

    tell(tmp_path, story)


def test_fruit_of_the_last_minute_is_counted_and_time_alone_lets_it_fall(tmp_path: Path) -> None:
    async def story(house: House, sorter: Edge, belt: Belt) -> None:
        told: list[str] = []
        house.ledger.subscribe(lambda commit: told.extend(key for section, key in commit.changed if section == "lines"))
        await sorter.tell(*belt.run(good=50))
        house.clock.now_us = START_US + 30 * SECOND
        await house.ledger.tick(house.clock())
        assert line(house).per_minute == 50
        told.clear()
        await house.ledger.tick(house.clock.turn(1))
        assert told == [], "nothing has changed"
        await house.ledger.tick(house.clock.turn(60))
        assert told == [LINE]
        assert line(house).per_minute == 0

    tell(tmp_path, story)


def test_a_backlog_of_yesterday_is_not_the_last_minute(tmp_path: Path) -> None:
    async def story(house: House, sorter: Edge, belt: Belt) -> None:
        await sorter.tell(*belt.run(good=50))
        house.clock.turn(86_400)
        assert line(house).per_minute == 0

    tell(tmp_path, story)


@pytest.mark.parametrize("ahead_s", [-3600, 30, 3600])
def test_a_line_whose_clock_is_wrong_is_as_fast_as_it_is(tmp_path: Path, ahead_s: int) -> None:
    """As its agent's heartbeat tells."""

    async def story(house: House, sorter: Edge, belt: Belt) -> None:
        house.clock.now_us = START_US - ahead_s * SECOND
        house.ledger.heard(Status(agent=SORTER, state="online", at_us=START_US, epoch=sorter.epoch))
        await sorter.tell(*belt.run(good=50))
        house.clock.turn(10)
        await house.ledger.tick(house.clock())
        assert line(house).per_minute == 50
        await house.ledger.tick(house.clock.turn(60))
        assert line(house).per_minute == 0

    tell(tmp_path, story)


def test_late_fruit_counts_for_the_lot_it_was_of(tmp_path: Path) -> None:
    async def story(house: House, sorter: Edge, belt: Belt) -> None:
        await house.ledger.record(begun(LINE, "L1"))
        belt.begin("L1")
        early, late = belt.run(good=5), belt.run(good=4, defective=1)
        await sorter.tell(*early)
        await house.ledger.record(begun(LINE, "L2", START_US + 2 * SECOND))
        belt.begin("L2")
        now = belt.run(good=2)
        await sorter.tell(*late, *now)
        view = line(house)
        assert view.lot is not None
        assert (view.lot.lot, figures(view.lot)) == ("L2", (2, 0, 0, 0, 0))
        [before] = view.lots
        assert (before.lot, before.state, before.ended_us) == ("L1", "within", START_US + 2 * SECOND)
        assert figures(before) == (9, 1, 0, 0, 0)

    tell(tmp_path, story)


def test_the_eight_lots_before_are_shown_and_one_that_comes_again_goes_on(tmp_path: Path) -> None:
    async def story(house: House, sorter: Edge, belt: Belt) -> None:
        for number in range(12):
            at_us = house.clock.turn(10)
            await house.ledger.record(begun(LINE, f"L{number}", at_us))
            belt.begin(f"L{number}")
            await sorter.tell(belt.fruit())
        assert [one.lot for one in line(house).lots] == [f"L{number}" for number in range(10, 2, -1)]
        await house.ledger.record(begun(LINE, "L3", house.clock.turn(10)))
        belt.begin("L3")
        await sorter.tell(belt.fruit())
        assert (lot(house).lot, lot(house).good, lot(house).ended_us) == ("L3", 2, None)
        assert [one.lot for one in line(house).lots] == ["L11", "L10", "L9", "L8", "L7", "L6", "L5", "L4"]

    tell(tmp_path, story)


def test_a_lot_that_nobody_announced_is_known_by_its_fruit(tmp_path: Path) -> None:
    """The agent goes on with its last order, and the gateway's ledger began anew."""

    async def story(house: House, sorter: Edge, belt: Belt) -> None:
        belt.begin("L7")
        await sorter.tell(*belt.run(good=3))
        belt.begin("L8")
        await sorter.tell(*belt.run(good=2))
        assert (lot(house).lot, lot(house).good, lot(house).limit) == ("L8", 2, 0.1)
        assert house.ledger.sorting.orders(SORTER) == {}, "nobody has said what shall run there"
        await house.ledger.record(begun(LINE, "L8", belt.at_us, customer="hongda"))
        assert (lot(house).good, lot(house).customer) == (2, "hongda")
        assert house.ledger.sorting.orders(SORTER) == {LINE: LotOrder(lot="L8", customer="hongda")}
        assert house.ledger.sorting.orders(OTHER_SORTER) == {}

    tell(tmp_path, story)


def test_a_line_that_counted_more_than_it_told_has_lost_events(tmp_path: Path) -> None:
    async def story(house: House, sorter: Edge, belt: Belt) -> None:
        belt.begin("L1")
        fruit = belt.run(good=10)
        await sorter.tell(*fruit[:4], *fruit[7:])
        [lost] = [view for view in house.open().values() if view.kind == "data_lost"]
        assert (lost.subject, lost.count) == (LINE, 3)
        assert lost.params["lots"] == "L1"
        assert "lot L1: 3 fruit" in str(lost.params["detail"])
        await sorter.tell(*belt.run(good=5))
        assert house.open()["data_lost", LINE].count == 3, "the same three"

    tell(tmp_path, story)


def test_lost_fruit_of_several_lots_names_the_first_three(tmp_path: Path) -> None:
    async def story(house: House, sorter: Edge, belt: Belt) -> None:
        async def lose_one_of(lot: str) -> object:
            belt.begin(lot)
            await sorter.tell(*belt.run(good=2)[1:])
            return house.open()["data_lost", LINE].params["lots"]

        told = [await lose_one_of(lot) for lot in ("L1", "L2, late", "L1", "L3", "L4", "L5")]
        assert told == ["L1", "L1, L2, late", "L1, L2, late", *["L1, L2, late, L3", *["L1, L2, late, L3, …"] * 2]]
        lost = house.open()["data_lost", LINE]
        assert "lot L5: 1 fruit" in str(lost.params["detail"])
        await house.ledger.record(records.ExceptionResolved(at_us=house.clock(), id=lost.id, who="Ana", why="counted"))
        assert await lose_one_of("L6") == "L6", "the others were dealt with"

    tell(tmp_path, story)


def test_lost_fruit_is_counted_once_though_its_agent_tells_of_the_loss_too(tmp_path: Path) -> None:
    async def story(house: House, sorter: Edge, belt: Belt) -> None:
        belt.begin("L1")
        fruit = belt.run(good=10)
        await sorter.tell(*fruit[:4])
        anew = Edge(house.ledger, SORTER, epoch="its-outbox-was-damaged")
        await anew.tell(*fruit[7:])
        lost = {view.subject: view.count for view in house.open().values() if view.kind == "data_lost"}
        assert lost == {SORTER: 1, LINE: 3}, "once it happened, and three fruit were lost"

    tell(tmp_path, story)


def test_a_lot_over_its_limit_on_two_lines_is_told_of_as_a_whole(tmp_path: Path) -> None:
    async def story(house: House, sorter: Edge, belt: Belt) -> None:
        other, elsewhere = Edge(house.ledger, OTHER_SORTER), Belt(OTHER_LINE)
        belt.begin("L1")
        elsewhere.begin("L1")
        await sorter.tell(*belt.run(good=20, defective=20))
        await other.tell(*elsewhere.run(good=30, defective=10))
        for edge, here in ((sorter, belt), (other, elsewhere), (sorter, belt)):
            await edge.tell(*here.run(good=1))
            told = house.open()["quality", "L1"]
            assert (told.params["line"], told.count) == (f"{LINE}, {OTHER_LINE}", 30)
        assert told.params["inspected"] == 83
        assert told.params["now"] == pytest.approx(30 / 83, abs=1e-4)

    tell(tmp_path, story)


def test_a_lot_over_its_limit_is_an_exception_until_somebody_frees_it(tmp_path: Path) -> None:
    async def story(house: House, sorter: Edge, belt: Belt) -> None:
        belt.begin("L1")
        await sorter.tell(*belt.run(good=40, defective=20))
        view = house.open()["quality", "L1"]
        assert (view.severity, view.count) == ("wrong", 20)
        assert (view.params["line"], view.params["inspected"], view.params["limit"]) == (LINE, 60, 0.1)
        assert view.params["now"] == pytest.approx(1 / 3, abs=1e-4)
        assert float(view.params["low"]) > 0.1
        assert lot(house).state == "over"
        await house.ledger.record(records.LotReleased(at_us=house.clock(), lot="L1", who="Ana", why="sold as juice"))
        assert house.open() == {}
        closed = house.ledger.views("exceptions")["quality-L1-1"]
        assert (closed.resolved_by, closed.reason) == ("Ana", "sold as juice")
        await sorter.tell(*belt.run(good=100, defective=4))
        assert (lot(house).state, house.open()) == ("released", {}), "what a person has decided stands"

    tell(tmp_path, story)


def test_a_freed_lot_is_judged_by_what_comes_after(tmp_path: Path) -> None:
    async def story(house: House, sorter: Edge, belt: Belt) -> None:
        belt.begin("L1")
        await sorter.tell(*belt.run(good=20, defective=20))
        for _ in range(5):
            await sorter.tell(*belt.run(good=100))
        house.clock.now_us = belt.at_us
        await house.ledger.record(records.LotReleased(at_us=house.clock(), lot="L1", who="Ana", why="sorted again"))
        await sorter.tell(*belt.run(good=100, defective=10))
        assert (lot(house).state, house.open()) == ("released", {}), "a tenth of that is no proof"
        await sorter.tell(*(belt.fruit("defective") for _ in range(30)))
        view = house.open()["quality", "L1"]
        assert (view.id, view.count, view.params["inspected"]) == ("quality-L1-2", 40, 140)
        assert view.params["now"] == pytest.approx(40 / 140, abs=1e-4)
        assert (lot(house).state, lot(house).defective) == ("over", 60)
        assert house.ledger.sorting.released("L1") is None
        await house.ledger.record(records.LotReleased(at_us=house.clock(), lot="L1", who="Bo", why="sold as juice"))
        assert (lot(house).state, house.open()) == ("released", {})
        assert house.ledger.sorting.released("L1") == ("Bo", "sold as juice")

    tell(tmp_path, story)


def test_an_exception_tells_the_rate_that_condemned_the_lot_and_the_one_of_now(tmp_path: Path) -> None:
    async def story(house: House, sorter: Edge, belt: Belt) -> None:
        belt.begin("L1")
        await sorter.tell(*(belt.fruit("defective") for _ in range(LEAST_DEFECTIVE)))
        for _ in range(2):
            await sorter.tell(*belt.run(good=60))
        told = house.open()["quality", "L1"].params
        assert (told["rate"], told["now"], told["limit"]) == (1.0, 0.04, 0.1)

    tell(tmp_path, story)


def test_good_fruit_afterwards_does_not_free_a_lot(tmp_path: Path) -> None:
    async def story(house: House, sorter: Edge, belt: Belt) -> None:
        belt.begin("L1")
        await sorter.tell(*belt.run(good=10, defective=10))
        for _ in range(10):
            await sorter.tell(*belt.run(good=100))
        assert lot(house).state == "over"
        assert house.open()["quality", "L1"].params["inspected"] == 1020
        await house.ledger.record(begun(LINE, "L2", belt.at_us))
        assert [(one.lot, one.state) for one in line(house).lots] == [("L1", "over")]

    tell(tmp_path, story)


def test_a_lot_whose_fruit_is_told_late_is_judged_like_any_other(tmp_path: Path) -> None:
    """The agent was away: two lots more have begun before it tells the fruit of the first."""

    async def story(house: House, sorter: Edge, belt: Belt) -> None:
        for name in ("L1", "L2", "L3"):
            await house.ledger.record(begun(LINE, name, house.clock.turn(10)))
        for name in ("L1", "L2"):
            belt.begin(name)
            await sorter.tell(belt.fruit("defective"), *belt.run(good=9))
            await sorter.tell(*belt.run(good=20))
        belt.begin("L3")
        await sorter.tell(belt.fruit("defective"))
        assert [(one.lot, one.state) for one in line(house).lots] == [("L2", "within"), ("L1", "within")]
        assert (lot(house).state, house.open()) == ("running", {})

    tell(tmp_path, story)


def test_fruit_of_two_lots_that_comes_mixed_ends_only_the_one_that_ran_before(tmp_path: Path) -> None:
    async def story(house: House, sorter: Edge, belt: Belt) -> None:
        for name in ("L1", "L2"):
            await house.ledger.record(begun(LINE, name, house.clock.turn(10)))
        fruit = [msgspec.structs.replace(belt.fruit("defective"), tally=None) for _ in range(3)]
        lots = ("L1", "L2", "L1")
        await sorter.tell(*(msgspec.structs.replace(one, lot=name) for one, name in zip(fruit, lots, strict=True)))
        assert house.open().keys() == {("quality", "L1")}, "the other one has just begun"

    tell(tmp_path, story)


def test_the_first_fruit_alone_condemn_no_lot_unless_it_ends_there(tmp_path: Path) -> None:
    """Even one defective fruit of one is above a tenth by its interval: asked at each one, that condemns too many."""

    async def story(house: House, sorter: Edge, belt: Belt) -> None:
        belt.begin("L1")
        await sorter.tell(*belt.run(defective=LEAST_DEFECTIVE - 1))
        assert (lot(house).state, house.open()) == ("running", {})
        await house.ledger.record(begun(LINE, "L2", belt.at_us))
        await sorter.tell(*belt.run(good=1))
        assert house.open() == {}, "some of it was still on its way"
        belt.begin("L2")
        await sorter.tell(belt.fruit("unsure"))
        assert house.open().keys() == {("quality", "L1")}, "there will be no more of it"
        assert [(one.lot, one.state) for one in line(house).lots] == [("L1", "over")]

    tell(tmp_path, story)


def test_a_lot_keeps_the_limit_that_held_when_it_began(tmp_path: Path) -> None:
    """Whoever changes a grade in the site file does not judge the lots of the past anew."""

    async def story(house: House, sorter: Edge, belt: Belt) -> None:
        order = records.LotBegun(at_us=START_US, line=LINE, lot="L1", limit=0.6, who="Ana")
        await house.ledger.record(order)
        belt.begin("L1")
        await sorter.tell(*belt.run(good=20, defective=20))
        assert (lot(house).limit, lot(house).state) == (0.6, "running")

    tell(tmp_path, story)


@pytest.mark.parametrize(("customer", "limit"), [("hongda", 0.5), ("fresh", 0.02), ("nobody-knows", 0.3), (None, 0.3)])
def test_each_customer_has_a_limit(tmp_path: Path, customer: str | None, limit: float) -> None:
    site = with_lines(
        LINED,
        Grade(crop="lemon", max_defective=0.3),
        Grade(crop="lemon", customer="hongda", max_defective=0.5),
        Grade(crop="lemon", customer="fresh", max_defective=0.02),
        Grade(crop="tomato", max_defective=0.01),
    )

    async def story(house: House, sorter: Edge, belt: Belt) -> None:
        await house.ledger.record(records.LotBegun(at_us=START_US, line=LINE, lot="L1", customer=customer, who="Ana"))
        belt.begin("L1")
        await sorter.tell(*belt.run(good=80, defective=20))
        assert lot(house).limit == limit
        assert (("quality", "L1") in house.open()) == (limit == 0.02)

    tell(tmp_path, story, site)


def test_a_gate_that_was_told_too_late_is_counted(tmp_path: Path) -> None:
    async def story(house: House, sorter: Edge, belt: Belt) -> None:
        await sorter.tell(*(belt.fruit(gate="missed") for _ in range(3)), belt.fruit())
        view = house.open()["gate_missed", LINE]
        assert (view.count, view.severity) == (3, "attention")

    tell(tmp_path, story)


def test_a_camera_that_drifts_is_to_be_looked_at_until_it_is_as_it_was(tmp_path: Path) -> None:
    async def story(house: House, sorter: Edge, _: Belt) -> None:
        async def camera(state: events.DeviceState, detail: str = "") -> None:
            now_us = house.clock.turn(1)
            told = events.Device(at_us=now_us, decided_us=now_us, device="camera-a", state=state, detail=detail)
            await sorter.tell(told)

        def shown() -> str:
            return house.ledger.views("devices")["camera-a"].state

        await camera("connected")
        assert (shown(), house.open()) == ("connected", {})
        await camera("drifted", "darker than what the model learned from: look at the lamp")
        view = house.open()["drift", "camera-a"]
        assert (view.severity, view.params["detail"]) == (
            "attention",
            "darker than what the model learned from: look at the lamp",
        )
        assert shown() == "drifted"
        await camera("blind", "black")
        assert house.open().keys() == {("drift", "camera-a"), ("device_lost", "camera-a")}
        await camera("drifted", "still dark")
        assert house.open().keys() == {("drift", "camera-a")}
        await camera("connected")
        assert (shown(), house.open()) == ("connected", {})

    tell(tmp_path, story)


def test_the_model_that_is_tried_is_compared_with_the_one_that_decides(tmp_path: Path) -> None:
    async def story(house: House, sorter: Edge, belt: Belt) -> None:
        await sorter.tell(belt.fruit(), belt.fruit())
        assert line(house).shadow is None
        await sorter.tell(belt.fruit(second="lemon-2"), belt.fruit("defective", second="lemon-2"), belt.fruit("unseen"))
        shadow = line(house).shadow
        assert shadow is not None
        assert (shadow.model, shadow.compared, shadow.disagreed) == ("lemon-2", 2, 1)
        await sorter.tell(belt.fruit(second=MODEL, model="lemon-2"))
        shadow = line(house).shadow
        assert shadow is not None
        assert (shadow.model, shadow.compared, line(house).model) == (MODEL, 1, "lemon-2")
        await sorter.tell(belt.fruit(model="lemon-2"))
        assert line(house).shadow is None

    tell(tmp_path, story)


def test_a_line_that_the_site_file_does_not_know_is_told(tmp_path: Path) -> None:
    async def story(house: House, sorter: Edge, _: Belt) -> None:
        await sorter.tell(Belt("line-z").fruit())
        view = house.open()["unknown_line", "line-z"]
        assert (view.severity, view.count, view.params) == ("attention", 1, {"agent": SORTER})
        await house.ledger.record(begun("line-z", "L1"))
        assert list(house.ledger.views("lines")) == [LINE, OTHER_LINE]

    tell(tmp_path, story)


@pytest.mark.parametrize("name", ["Line A", "line-a L1", "../line-a", "l" * 64])
def test_fruit_of_a_line_that_no_site_file_could_name_does_not_count(tmp_path: Path, name: str) -> None:
    async def story(house: House, sorter: Edge, _: Belt) -> None:
        odd = Belt(name)
        odd.begin("L1")
        await sorter.tell(*odd.run(good=10, defective=10))
        assert house.open().keys() == {("bad_message", SORTER)}
        assert repr(name) in str(house.open()["bad_message", SORTER].params["reason"])
        assert house.ledger.sorting.lots("L1") == []

    tell(tmp_path, story)


def test_an_agent_that_invents_lines_fills_no_memory(tmp_path: Path) -> None:
    async def story(house: House, sorter: Edge, belt: Belt) -> None:
        for number in range(MAX_LINES + 10):
            await sorter.tell(Belt(f"line-{number}").fruit("unsure"))
        open_ = house.open()
        assert sum(kind == "unknown_line" for kind, _ in open_) == MAX_LINES
        assert open_["bad_message", SORTER].count == 10
        assert house.ledger.sorting.waiting == MAX_LINES
        await sorter.tell(Belt("line-0").fruit())
        assert house.open()["unknown_line", "line-0"].count == 2

    tell(tmp_path, story)


def test_an_agent_that_invents_lots_fills_no_memory(tmp_path: Path) -> None:
    async def story(house: House, sorter: Edge, belt: Belt) -> None:
        await house.ledger.record(begun(LINE, "begun"))
        for name in ("begun", "bad"):
            belt.begin(name)
            await sorter.tell(*belt.run(good=10, defective=10 * (name == "bad")))
        for number in range(MAX_STRAYS + 10):
            belt.begin(f"L{number}")
            await sorter.tell(belt.fruit())
        known = {view.lot: view.state for _, view in house.ledger.sorting.last_lots(None, 1000)}
        assert len(known) == MAX_STRAYS + 3
        assert (known["begun"], known["bad"]) == ("running", "over")
        assert known.keys().isdisjoint({"L0", "L8"})
        assert {"L9", f"L{MAX_STRAYS + 9}"} < known.keys()
        belt.begin("L0")
        await sorter.tell(belt.fruit())
        [(_, view)] = house.ledger.sorting.lots("L0")
        assert view.good == 1
        assert house.ledger.sorting.lots("L9") == []

    tell(tmp_path, story)


@pytest.mark.parametrize("name", ["L1", None])
def test_a_line_of_the_site_file_counts_however_many_are_invented(tmp_path: Path, name: str | None) -> None:
    async def story(house: House, sorter: Edge, belt: Belt) -> None:
        for number in range(MAX_LINES):
            await sorter.tell(Belt(f"line-{number}").fruit())
        belt.begin(name)
        for _ in range(2):
            await sorter.tell(*belt.run(good=5))
        assert ("bad_message", SORTER) not in house.open()
        assert len(line(house).latest) == 10
        found = [records.decode(row.body) for row in house.ledger.rows(0, 1000) if row.kind == "line_found"]
        assert found == [records.LineFound(at_us=house.clock(), line=LINE)]
        await sorter.tell(Belt("one-more").fruit())
        assert house.open()["bad_message", SORTER].count == 1

    async def after(house: House, _: Edge, __: Belt) -> None:
        """`play` folds the log again: the site file, which does not name it any more, is not asked."""

    tell(tmp_path, story)
    tell(tmp_path, after, LINED.model_copy(update={"lines": LINED.lines[1:]}))


def test_fruit_of_a_line_that_the_site_file_names_only_later_has_counted(tmp_path: Path) -> None:
    """An agent may have read the new site file before the gateway has."""

    async def early(house: House, sorter: Edge, belt: Belt) -> None:
        belt.begin("L1")
        await sorter.tell(*belt.run(good=3))
        assert house.open()["unknown_line", LINE].count == 3
        assert LINE not in house.ledger.views("lines")

    async def later(house: House, _: Edge, __: Belt) -> None:
        assert (lot(house).lot, lot(house).good) == ("L1", 3)

    tell(tmp_path, early, LINED.model_copy(update={"lines": LINED.lines[1:]}))
    tell(tmp_path, later)


def test_the_log_gives_the_same_lines_lots_and_labels_whatever_became_of_the_site_file(tmp_path: Path) -> None:
    """Its line is gone, its grades are others, fewer reviews may wait, and another item makes the log be read anew."""

    async def before(house: House, sorter: Edge, belt: Belt) -> None:
        await house.ledger.record(begun(LINE, "L1"))
        belt.begin("L1")
        await sorter.tell(*belt.run(good=10, defective=10))
        belt.begin("L2")
        fruit = [belt.fruit("unsure") for _ in range(8)]
        await sorter.tell(*fruit)
        for one in fruit[3:6]:
            label = records.ReviewAnswered(at_us=house.clock(), id=one.subject, label="good", who="Ana")
            await house.ledger.record(label)
        elsewhere = Belt(OTHER_LINE)
        elsewhere.begin("nobody-began-it")
        await Edge(house.ledger, OTHER_SORTER).tell(*elsewhere.run(good=3))
        held.update(_sorting(house))

    async def after(house: House, _: Edge, __: Belt) -> None:
        assert _sorting(house) == held
        assert [view.count for view in house.open().values()] == [10], "no message is bad for that"

    held: dict[str, object] = {}
    tell(tmp_path, before, with_lines(LINED, max_reviews=5))
    other = [item.model_copy(update={"gtin": "09506000199990"}) for item in LINED.items[-1:]]
    site = with_lines(LINED, Grade(crop="lemon", max_defective=0.9), max_reviews=2)
    tell(tmp_path, after, site.model_copy(update={"items": [*LINED.items[:-1], *other], "lines": LINED.lines[1:]}))


def _sorting(house: House) -> dict[str, object]:
    """All that is known of the lines, their lots and reviews."""
    state = house.ledger._state
    tables = (state.lines, state.lots, state.reviews)
    return {table.name: {key: msgspec.json.encode(row) for key, row in table.rows.items()} for table in tables}


# reviews


def shown(house: House) -> list[str]:
    return list(house.ledger.views("reviews"))


def test_unsure_and_sampled_verdicts_wait_for_a_person_once_their_picture_is_there(tmp_path: Path) -> None:
    async def story(house: House, sorter: Edge, belt: Belt) -> None:
        good, bad = belt.fruit(pictured=True), belt.fruit("defective")
        unsure, sampled = belt.fruit("unsure"), belt.fruit(sampled=True)
        blank = msgspec.structs.replace(belt.fruit("unsure"), evidence=None)
        await sorter.tell(good, bad, unsure, sampled, blank)
        assert (shown(house), line(house).to_review) == ([], 2)
        house.ledger.sorting.pictured({one.subject: OUTLINE for one in (good, bad, sampled)})
        assert shown(house) == [sampled.subject]
        house.ledger.sorting.pictured({unsure.subject: OUTLINE})
        assert shown(house) == [sampled.subject, unsure.subject], "what is shown is not pushed aside"
        view = house.ledger.views("reviews")[unsure.subject]
        assert (view.verdict, view.score, view.line, view.outline) == ("unsure", 0.5, LINE, list(OUTLINE))
        answer = records.ReviewAnswered(at_us=house.clock(), id=unsure.subject, label="good", who="Ana")
        await house.ledger.record(answer, msgspec.structs.replace(answer, label="defective", who="Bo"))
        assert (shown(house), line(house).to_review) == ([sampled.subject], 1)
        review = house.ledger.sorting.review(unsure.subject)
        assert review is not None
        assert (review.label, review.who) == ("good", "Ana"), "the first answer stands"
        await sorter.tell(unsure)
        assert line(house).to_review == 1, "it was answered, and is not asked again"

    tell(tmp_path, story)


def test_the_page_has_twenty_and_is_told_who_comes_and_goes(tmp_path: Path) -> None:
    async def story(house: House, sorter: Edge, belt: Belt) -> None:
        fruit = [belt.fruit("unsure") for _ in range(25)]
        await sorter.tell(*fruit)
        keys = [one.subject for one in fruit]
        told: set[str] = set()
        house.ledger.subscribe(
            lambda commit: told.update(key for section, key in commit.changed if section == "reviews")
        )
        house.ledger.sorting.pictured(dict.fromkeys(keys[1:], OUTLINE))
        assert shown(house) == keys[1:21], "the oldest"
        assert told == set(keys[1:21])
        told.clear()
        house.ledger.sorting.pictured({keys[0]: OUTLINE})
        assert (shown(house), told) == (keys[1:21], set()), "who is there stays, though an older one came late"
        assert house.ledger.view("reviews", keys[0]) is None
        await house.ledger.record(*house.ledger.sorting.unpictured([keys[3]], house.clock()))
        assert told == {keys[3], keys[0]}
        assert shown(house) == [*keys[1:3], *keys[4:21], keys[0]]
        assert (line(house).to_review, line(house).unpictured) == (24, 1), "that one nobody can answer any more"

    tell(tmp_path, story)


def test_beyond_the_limit_the_oldest_is_let_go_and_answers_stay(tmp_path: Path) -> None:
    async def story(house: House, sorter: Edge, belt: Belt) -> None:
        fruit = [belt.fruit("unsure") for _ in range(8)]
        gone: set[str] = set()
        house.ledger.subscribe(lambda commit: gone.update(commit.reviews))
        await sorter.tell(*fruit[:2])
        await house.ledger.record(
            records.ReviewAnswered(at_us=house.clock(), id=fruit[0].subject, label="defective", who="Ana")
        )
        gone.clear()
        await sorter.tell(*fruit[2:])
        waiting = [key for _, key, _ in house.ledger.sorting.reviews("open", 0, 100)]
        assert waiting == [one.subject for one in fruit[3:]]
        assert gone == {one.subject for one in fruit[1:]}
        [(_, key, answered)] = house.ledger.sorting.reviews("answered", 0, 100)
        assert (key, answered.label) == (fruit[0].subject, "defective")
        assert house.ledger.sorting.waiting == 5

    tell(tmp_path, story, with_lines(LINED, max_reviews=5))


def test_what_a_person_looks_at_is_not_let_go(tmp_path: Path) -> None:
    """The queue is full, and fruit goes on."""

    async def story(house: House, sorter: Edge, belt: Belt) -> None:
        fruit = [belt.fruit("unsure") for _ in range(SHOWN + 6)]
        keys = [one.subject for one in fruit]
        await sorter.tell(*fruit[: SHOWN + 3])
        house.ledger.sorting.pictured(dict.fromkeys(keys[1 : SHOWN + 3], OUTLINE))
        on_page = keys[1 : SHOWN + 1]
        assert shown(house) == on_page
        for one in fruit[SHOWN + 3 :]:
            await sorter.tell(one)
            assert shown(house) == on_page
        waiting = [key for _, key, _ in house.ledger.sorting.reviews("open", 0, 100)]
        assert waiting == [*on_page, *keys[SHOWN + 3 :]], "the oldest went of those that are not shown"

    async def again(house: House, _: Edge, __: Belt) -> None:
        anew = refold(house.ledger._store, site)
        assert anew.reviews.rows == house.ledger.sorting.all_reviews()
        assert len(anew.reviews.rows) == SHOWN + 3

    site = with_lines(LINED, max_reviews=SHOWN + 3)
    tell(tmp_path, story, site)
    tell(tmp_path, again, site)


def test_where_fewer_may_wait_than_are_shown_those_in_front_stay(tmp_path: Path) -> None:
    keys: list[str] = []

    async def before(house: House, sorter: Edge, belt: Belt) -> None:
        fruit = [belt.fruit("unsure") for _ in range(5)]
        await sorter.tell(*fruit)
        keys.extend(one.subject for one in fruit)

    async def after(house: House, _: Edge, __: Belt) -> None:
        house.ledger.sorting.pictured(dict.fromkeys(keys, OUTLINE))
        assert shown(house) == keys
        for _number in range(2):
            await Edge(house.ledger, OTHER_SORTER).tell(Belt(OTHER_LINE).fruit("unsure"))
            assert shown(house) == keys[:2]
            assert house.ledger.sorting.waiting == 2

    tell(tmp_path, before)
    tell(tmp_path, after, with_lines(LINED, max_reviews=2))


def test_what_was_let_go_is_told_in_the_log(tmp_path: Path) -> None:
    async def story(house: House, sorter: Edge, belt: Belt) -> None:
        fruit = [belt.fruit("unsure") for _ in range(7)]
        await sorter.tell(*fruit)
        said = [records.decode(row.body) for row in house.ledger.rows(0, 100) if row.kind == "reviews_closed"]
        ids = tuple(one.subject for one in fruit[:2])
        assert said == [records.ReviewsClosed(at_us=house.clock(), ids=ids, why="let_go")]
        assert line(house).unpictured == 0, "their pictures may well be there"

    tell(tmp_path, story, with_lines(LINED, max_reviews=5))


def test_very_many_that_are_let_go_at_once_stand_in_records_of_a_bounded_size(tmp_path: Path) -> None:
    """Fewer may wait since the gateway began again."""
    count = 2 * records.MAX_CLOSED + 5

    async def before(house: House, sorter: Edge, belt: Belt) -> None:
        for _ in range(count // 5):
            await sorter.tell(*[belt.fruit("unsure") for _ in range(5)])

    async def after(house: House, _: Edge, __: Belt) -> None:
        await Edge(house.ledger, OTHER_SORTER).tell(Belt(OTHER_LINE).fruit("unsure"))
        rows = [row for row in house.ledger.rows(0, 2 * count) if row.kind == "reviews_closed"]
        said = [records.decode(row.body) for row in rows]
        assert [len(one.ids) for one in said if isinstance(one, records.ReviewsClosed)] == [500, 500, 5]
        assert house.ledger.sorting.waiting == 1

    tell(tmp_path, before, with_lines(LINED, max_reviews=count))
    tell(tmp_path, after, with_lines(LINED, max_reviews=1))


def test_a_review_whose_picture_does_not_come_is_closed_and_counted(tmp_path: Path) -> None:
    async def story(house: House, sorter: Edge, belt: Belt) -> None:
        house.ledger.sorting.pictures_can_come(house.clock())
        here, lacking = belt.fruit("unsure"), belt.fruit(sampled=True)
        await sorter.tell(here, lacking)
        house.ledger.sorting.pictured({here.subject: OUTLINE})
        await _wait(house, PICTURE_WAIT_US // SECOND)
        assert (line(house).to_review, line(house).unpictured) == (2, 0), "it may still come"
        await _wait(house, 1)
        assert (line(house).to_review, line(house).unpictured) == (1, 1)
        assert (shown(house), house.ledger.sorting.review(lacking.subject)) == ([here.subject], None)
        house.ledger.sorting.pictured({lacking.subject: OUTLINE})
        assert shown(house) == [here.subject], "too late"

    tell(tmp_path, story)


def test_a_picture_is_waited_for_while_it_cannot_come(tmp_path: Path) -> None:
    """The broker or the disk of the pictures is away, then the line's agent."""

    async def story(house: House, sorter: Edge, belt: Belt) -> None:
        long_s = 2 * PICTURE_WAIT_US // SECOND
        sorting = house.ledger.sorting
        await sorter.tell(belt.fruit("unsure"))
        await _wait(house, long_s)
        sorting.pictures_can_come(house.clock())
        await _wait(house, long_s)
        assert line(house).to_review == 1, "nobody has said yet which pictures are here"
        sorting.pictured({})
        sorting.pictures_can_come(None)
        await _wait(house, long_s)
        sorting.pictures_can_come(house.clock())
        await _wait(house, 1)
        await house.ledger.tick(house.clock.turn(long_s))
        await house.ledger.tick(house.clock.turn(1))
        assert ("agent_silent", SORTER) in house.open()
        await _wait(house, 1)
        assert line(house).to_review == 1, "its agent has just come back"
        await _wait(house, long_s)
        assert (line(house).to_review, line(house).unpictured) == (0, 1)

    tell(tmp_path, story)


async def _wait(house: House, seconds: float) -> None:
    """Time goes by, and the line's agent is heard all the while."""
    now_us = house.clock.turn(seconds)
    house.ledger.heard(Status(agent=SORTER, state="online", at_us=now_us))
    await house.ledger.record()
    await house.ledger.tick(now_us)


def test_reviews_are_read_page_by_page(tmp_path: Path) -> None:
    async def story(house: House, sorter: Edge, belt: Belt) -> None:
        fruit = [belt.fruit("unsure") for _ in range(7)]
        await sorter.tell(*fruit)
        for one in reversed(fruit):
            await house.ledger.record(
                records.ReviewAnswered(at_us=house.clock(), id=one.subject, label="good", who="Ana")
            )
        found: list[str] = []
        after = 0
        while page := house.ledger.sorting.reviews("answered", after, 3):
            found += [key for _, key, _ in page]
            after = page[-1][0]
        assert found == [one.subject for one in reversed(fruit)], "as they were answered"

    tell(tmp_path, story)


def test_a_picture_that_no_topic_could_carry_is_not_waited_for(tmp_path: Path) -> None:
    async def story(house: House, sorter: Edge, belt: Belt) -> None:
        await sorter.tell(msgspec.structs.replace(belt.fruit("unsure"), evidence="../../etc/passwd"))
        assert house.ledger.sorting.waiting == 0

    tell(tmp_path, story)
