"""What staff see and do on the page, in a real browser, from a real gateway behind a real broker."""

import itertools
import time
from collections.abc import Callable

import psutil
import pytest
from browserhouse import ROOT, House, OpenPage, device, health, temperature, unread_load
from cable import Cable
from ledgersite import case, door_pass, load_pass, pallet
from playwright.sync_api import Locator, Page, expect

from contract.events import ZoneLeft, ZoneSeen

pytestmark = pytest.mark.browser

AXE = ROOT / "gateway" / "dashboard" / "node_modules" / "axe-core" / "axe.min.js"
NOTICED_MS = 3_000
"""Old figures are marked within this time."""
_serials = itertools.count(10_000)
SLACK_MS = 1_000
"""For a machine that runs other tests at the same time."""


def count(page: Page, door: str, name: str) -> Locator:
    return page.locator(f"#door-{door} [data-count={name}] dd")


def shown(page: Page, door: str, name: str) -> int:
    return int(count(page, door, name).inner_text())


def fresh_case() -> str:
    """A case that no test has used yet."""
    return case(0, next(_serials))


def alarm(page: Page) -> Locator:
    return page.locator(".silence")


def test_a_truck_unloads_and_the_page_shows_it_case_by_case(house: House, visit: OpenPage) -> None:
    page = visit(house)
    cases = [case(0, serial) for serial in range(12)]
    house.announce("ASN-1", cases)
    expect(page.locator("#door-dock-1 .state")).to_have_text("truck expected")
    expect(page.locator("#door-dock-1 .of")).to_have_text("0 / 12")

    for seen, epc in enumerate(cases[:5], start=1):
        house.agent.tell(door_pass(epc, door="dock-1"))
        expect(page.locator("#door-dock-1 .of")).to_have_text(f"{seen} / 12")
    expect(page.locator("#door-dock-1 .state")).to_have_text("receiving")
    expect(page.locator("#door-dock-1")).to_contain_text("7 to come")

    house.agent.tell(*(door_pass(epc, door="dock-1") for epc in cases[5:]))
    expect(count(page, "dock-1", "in")).to_have_text("12")
    expect(page.locator("#door-dock-1")).to_contain_text("12 of 12 seen")
    expect(page.locator("[data-sku=lemon-4kg] td[data-zone=receiving]")).to_have_text("12")
    expect(page.locator("#passes li").first).to_contain_text("Door 1")


def test_a_shipment_short_by_two_is_found_and_dealt_with_on_a_phone(house: House, visit: OpenPage) -> None:
    page = visit(house, width=360, height=740, touch=True)
    cases = [case(1, serial) for serial in range(6)]
    house.announce("ASN-2", cases, door="dock-2")
    house.agent.tell(*(door_pass(epc, door="dock-2") for epc in cases[:4]))

    task = page.locator("[data-kind=missing]", has_text="ASN-2")
    expect(task).to_contain_text("2 cases missing from ASN-2", timeout=10_000)
    expect(task).to_contain_text("4 of 6 were seen.")
    expect(page.locator(".unseen[role=alert]")).to_contain_text("2 cases missing")

    task.get_by_role("button", name="Resolve").tap()
    task.get_by_label("Who are you?").fill("Wang Li")
    task.get_by_role("button", name="Save as resolved").tap()
    expect(task).to_contain_text("Say who you are and what was done.")
    task.get_by_role("button", name="Accepted as short").tap()
    task.get_by_role("button", name="Save as resolved").tap()
    expect(task).to_have_count(0)
    expect(page.locator(".lately")).to_contain_text("Wang Li")
    resolved = {one["subject"]: one for one in house.ask("/api/v1/exceptions?state=resolved")["exceptions"]}
    assert (resolved["ASN-2"]["resolved_by"], resolved["ASN-2"]["reason"]) == ("Wang Li", "Accepted as short")


def test_what_somebody_else_resolves_leaves_every_screen(house: House, visit: OpenPage) -> None:
    one, other = visit(house), visit(house, lang="zh")
    house.agent.tell(door_pass(case(2, 1), door="cold-gate", direction="unknown"))
    expect(one.locator("[data-kind=unknown_direction]")).to_contain_text(
        "1 case went through Cold room gate with no clear direction"
    )
    task = other.locator("[data-kind=unknown_direction]")
    expect(task).to_contain_text("冷库门 有 1 箱通过但方向不明")
    task.get_by_role("button", name="处理").click()
    task.get_by_label("您是谁？").fill("李四")
    task.get_by_label("做了什么？").fill("已查看：在里侧")
    other.keyboard.press("Enter")
    expect(one.locator("[data-kind=unknown_direction]")).to_have_count(0)
    expect(one.locator(".lately")).to_contain_text("李四")


def test_a_killed_gateway_is_noticed_and_comes_back_with_the_right_numbers(house: House, visit: OpenPage) -> None:
    page = visit(house)
    before = shown(page, "dock-1", "in")
    cases = [case(0, 100 + serial) for serial in range(9)]
    house.agent.tell(*(door_pass(epc, door="dock-1") for epc in cases[:4]))
    expect(count(page, "dock-1", "in")).to_have_text(str(before + 4))
    expect(page.locator("main")).not_to_have_attribute("data-stale", "true")

    with house.gateway_killed():
        expect(page.locator("main")).to_have_attribute("data-stale", "true", timeout=NOTICED_MS + SLACK_MS)
        expect(alarm(page)).to_contain_text("No news since")
        hatch = count(page, "dock-1", "in").locator(".figure").evaluate("e => getComputedStyle(e).backgroundImage")
        assert "repeating-linear-gradient" in hatch
        expect(count(page, "dock-1", "in")).to_have_text(str(before + 4))

    house.agent.tell(*(door_pass(epc, door="dock-1") for epc in cases[4:]))
    expect(page.locator("main")).not_to_have_attribute("data-stale", "true", timeout=15_000)
    expect(alarm(page)).to_be_hidden()
    expect(count(page, "dock-1", "in")).to_have_text(str(before + 9))


def test_a_black_hole_is_noticed_and_what_was_missed_is_there_afterwards(house: House, visit: OpenPage) -> None:
    page = visit(house)
    before = shown(page, "dock-1", "in")
    with house.gateway_frozen():
        expect(page.locator("main")).to_have_attribute("data-stale", "true", timeout=NOTICED_MS + SLACK_MS)
    house.agent.tell(door_pass(case(0, 200), door="dock-1"))
    expect(page.locator("main")).not_to_have_attribute("data-stale", "true", timeout=15_000)
    expect(count(page, "dock-1", "in")).to_have_text(str(before + 1))


@pytest.mark.parametrize("way", ["pulled", "blocked", "slow"])
def test_a_broken_network_is_noticed_and_what_was_missed_is_there_afterwards(
    house: House, visit: OpenPage, cable: Cable, way: str
) -> None:
    page = visit(house, cable=cable)
    before = shown(page, "dock-1", "in")
    if way == "pulled":
        cable.pull()
    elif way == "blocked":
        cable.block()
    else:
        cable.slow(8.0)
    house.agent.tell(door_pass(fresh_case(), door="dock-1"))
    expect(page.locator("main")).to_have_attribute("data-stale", "true", timeout=NOTICED_MS + SLACK_MS)
    expect(alarm(page)).to_contain_text("No news since")
    assert shown(page, "dock-1", "in") == before, "the cut did not cut"

    cable.mend()
    expect(page.locator("main")).not_to_have_attribute("data-stale", "true", timeout=15_000)
    expect(count(page, "dock-1", "in")).to_have_text(str(before + 1))


def test_a_device_that_slept_is_right_again(
    house: House, visit: OpenPage, cable: Cable, renderers: Callable[[], list[psutil.Process]]
) -> None:
    page = visit(house, cable=cable)
    before = shown(page, "dock-1", "in")
    page.evaluate("""() => {
        window.longest = 0; let last = Date.now();
        setInterval(() => { window.longest = Math.max(window.longest, Date.now() - last); last = Date.now(); }, 50);
    }""")
    asleep = renderers()
    try:
        for process in asleep:
            process.suspend()
        cable.pull()
        house.agent.tell(*(door_pass(fresh_case(), door="dock-1") for _ in range(3)))
        time.sleep(NOTICED_MS / 1000 + 0.5)  # asleep: there is no event to wait for
    finally:
        cable.mend()
        for process in asleep:
            process.resume()

    expect(count(page, "dock-1", "in")).to_have_text(str(before + 3), timeout=15_000)
    expect(page.locator("main")).not_to_have_attribute("data-stale", "true", timeout=15_000)
    assert page.evaluate("window.longest") > NOTICED_MS, "the page did not sleep"


def test_a_new_house_says_what_to_do_next(own_house: House, visit: OpenPage) -> None:
    page = visit(own_house)
    said = (
        "Nothing to do.",
        "Nothing is counted yet.",
        "No order.",
        "Nothing has passed yet.",
        "No sensor has reported.",
    )
    for words in said:
        expect(page.locator("main")).to_contain_text(words)
    accessible(page)


def test_a_lost_reader_makes_the_figures_of_its_door_old(house: House, visit: OpenPage) -> None:
    page = visit(house)
    door = page.locator("#door-dock-1")
    house.agent.tell(device("reader-dock-1", "connected"))
    expect(door).to_contain_text("reader-dock-1 reading")
    expect(door).not_to_have_attribute("data-stale", "true")
    house.agent.tell(device("reader-dock-1", "lost"))
    expect(door).to_contain_text("reader-dock-1 lost for")
    expect(door).to_have_attribute("data-stale", "true")
    expect(page.locator("[data-kind=device_lost]")).to_contain_text("reader-dock-1 does not answer")
    expect(page.locator("#devices [data-device=reader-dock-1]")).to_contain_text("lost")


def test_a_device_that_is_back_takes_no_more_room_than_before(house: House, visit: OpenPage) -> None:
    watched = visit(house)
    place = "#devices [data-device=reader-cold-gate]"
    for state in ("connected", "lost", "connected"):
        house.agent.tell(device("reader-cold-gate", state))
        expect(watched.locator(place)).to_have_attribute("data-state", state)
    fresh = visit(house)
    heights = [page.locator(place).evaluate("row => row.offsetHeight") for page in (watched, fresh)]
    assert heights[0] == heights[1]


def test_strays_are_told_by_reason_with_the_most_frequent_first(house: House, visit: OpenPage) -> None:
    page, chinese = visit(house), visit(house, lang="zh", theme="dark", width=360)
    house.agent.tell(health("dock-1", stray_flat=41, stray_few_reads=1203, stray_late=2, stray_of_tomorrow=1))
    strays = page.locator("#door-dock-1 .strays")
    expect(strays.locator("summary")).to_have_text("1,247 strays set apart")
    expect(strays.locator("dl")).to_be_hidden()
    strays.locator("summary").click()
    expect(strays.locator("dl div")).to_have_text(
        ["hardly heard1,203", "on a shelf nearby41", "read again after its pass2", "other1"]
    )
    house.agent.tell(health("dock-1", stray_flat=42, stray_few_reads=1203))
    expect(strays.locator("[data-stray=flat] dd")).to_have_text("42")
    expect(strays.locator("dl")).to_be_visible()

    chinese.locator("#door-dock-1 .strays summary").click()
    expect(chinese.locator("#door-dock-1 .strays dl div")).to_have_text(["读到次数太少1,203", "附近货架上42"])
    accessible(chinese)


def test_a_load_that_nobody_could_read_is_counted_told_and_to_be_looked_for(house: House, visit: OpenPage) -> None:
    page, chinese = visit(house), visit(house, lang="zh")
    expect(count(page, "dock-2", "unread")).to_have_count(0)
    house.agent.tell(unread_load("dock-2"), unread_load("dock-2"))
    expect(count(page, "dock-2", "unread")).to_have_text("2")
    expect(page.locator("[data-kind=empty_pass]")).to_contain_text("2 loads went through Door 2 and no tag was read")
    expect(page.locator("#passes li").first).to_contain_text("no tag was read")
    expect(chinese.locator("[data-kind=empty_pass]")).to_contain_text("2 号门 有 2 次通过未读到任何标签")
    expect(chinese.locator("#passes li").first).to_contain_text("未读到标签")


@pytest.mark.parametrize("width", [360, 1440])
def test_a_pallet_is_one_line_of_the_feed_with_what_moved_with_it(house: House, visit: OpenPage, width: int) -> None:
    page, chinese = visit(house, width=width), visit(house, lang="zh", width=width)
    house.agent.tell(load_pass(pallet(7), [fresh_case() for _ in range(11)], late=2, door="dock-2"))
    newest = page.locator("#passes li").first
    expect(newest).to_contain_text("pallet 000007 with 11 more, 2 late")
    expect(chinese.locator("#passes li").first).to_contain_text("托盘标签 000007 及另外 11 个，2 个落后")
    cut = "element => element.scrollWidth > element.clientWidth"
    assert not newest.locator(".case").evaluate(cut), "the end of the line cannot be read"


def test_a_zone_reader_tells_how_many_tags_it_has_and_the_feed_what_came_and_left(
    house: House, visit: OpenPage
) -> None:
    page, chinese = visit(house), visit(house, lang="zh")
    seen = door_pass([fresh_case() for _ in range(3)])
    came = ZoneSeen(at_us=seen.at_us, decided_us=seen.decided_us, zone="cold-room", epcs=seen.epcs)
    left = ZoneLeft(at_us=seen.at_us, decided_us=seen.decided_us, zone="cold-room", epcs=seen.epcs[:1])
    house.agent.tell(
        device("reader-cold-room", "connected"), health("reader-cold-room", **{"reads": 90, "present_cold-room": 3})
    )
    reader = page.locator("#devices [data-device=reader-cold-room]")
    expect(reader).to_contain_text("3 tags in Cold room")
    expect(chinese.locator("#devices [data-device=reader-cold-room]")).to_contain_text("冷库有 3 个标签")
    house.agent.tell(came, left)
    expect(page.locator("#passes li").nth(0)).to_contain_text("gone")
    expect(page.locator("#passes li").nth(1)).to_contain_text("seen")
    expect(page.locator("#map svg")).to_be_visible()
    house.agent.tell(device("reader-cold-room", "blind"))
    expect(reader).to_have_attribute("data-state", "blind")
    expect(reader).not_to_contain_text("3 tags")


def test_a_device_that_was_never_heard_is_not_said_to_be_away_since_1970(house: House, visit: OpenPage) -> None:
    page = visit(house)
    expect(page.locator("#devices [data-device=plc-1]")).to_contain_text("not heard yet")
    expect(page.locator("#devices")).not_to_contain_text("days")


def test_a_warm_cold_room_is_an_alarm_in_words_and_in_the_trace(house: House, visit: OpenPage) -> None:
    page = visit(house)
    house.agent.tell(temperature("cold-room-temperature", "cold-room", 4.0))
    sensor = page.locator("[data-condition=cold-room-temperature]")
    expect(sensor).to_contain_text("within limits")
    house.agent.tell(temperature("cold-room-temperature", "cold-room", 6.8))
    expect(sensor.locator(".reading")).to_have_text("6.8 °C")
    expect(sensor).to_contain_text("too high for")
    expect(sensor.locator("canvas")).to_be_visible()
    expect(page.locator("[data-kind=temperature]")).to_contain_text(
        "Cold room is too warm: 6.8\u00a0°C, at most 5.0\u00a0°C"
    )


def test_names_from_outside_are_text(house: House, visit: OpenPage) -> None:
    page = visit(house)
    hostile = '<img src=x onerror="document.title=1">\u202eهدوء'
    house.announce("ASN-3", [case(3, 1)], partner=hostile, door="dock-2")
    expect(page.locator("#door-dock-2")).to_contain_text('<img src=x onerror="document.title=1">')
    assert page.title() == "Truecount"
    assert page.locator("main img").count() == 0
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_the_choice_of_language_and_theme_is_kept(house: House, visit: OpenPage) -> None:
    page = visit(house)
    page.get_by_role("button", name="中文").click()
    page.get_by_role("button", name="深色").click()
    expect(page.locator("#todo h2")).to_have_text("当前待办")
    page.goto(house.url)
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    expect(page.locator("html")).to_have_attribute("lang", "zh-Hans")
    expect(page.locator("#stock h2")).to_have_text("库存")


def test_the_keyboard_reaches_what_is_to_do(house: House, visit: OpenPage) -> None:
    page = visit(house)
    house.agent.tell(door_pass(case(2, 2), door="cold-gate", direction="unknown"))
    expect(page.locator("[data-kind=unknown_direction]")).to_have_count(1)
    page.keyboard.press("Tab")
    expect(page.locator(":focus")).to_have_text("Skip to what is to do now")
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.locator(":focus")).to_have_text("Resolve")
    page.keyboard.press("Enter")
    expect(page.locator(":focus")).to_have_attribute("name", "who")
    page.keyboard.press("Escape")
    expect(page.locator("form.resolve")).to_have_count(0)
    expect(page.locator(":focus")).to_have_text("Resolve")

    task = page.locator("[data-kind=unknown_direction]")
    task.get_by_role("button", name="Resolve").press("Enter")
    page.keyboard.type("Wang Li")
    page.keyboard.press("Enter")
    expect(task.get_by_label("What was done?")).to_be_focused()
    page.keyboard.type("They are inside")
    task.get_by_role("button", name="Save as resolved").click()
    expect(task).to_have_count(0)
    expect(page.locator("#todo :focus")).to_have_count(1)


@pytest.mark.parametrize(
    ("width", "lang", "theme"),
    [
        (360, "en", "light"),
        (360, "zh", "dark"),
        (360, "en", "contrast"),
        (1440, "zh", "light"),
        (1440, "en", "dark"),
        (1440, "zh", "contrast"),
    ],
)
def test_everybody_can_use_it(house: House, visit: OpenPage, width: int, lang: str, theme: str) -> None:
    house.agent.tell(
        door_pass(case(2, 3), door="cold-gate", direction="unknown"),
        device("reader-dock-2", "lost"),
        temperature("receiving-temperature", "receiving", 21.0),
    )
    page = visit(house, lang=lang, theme=theme, width=width)
    expect(page.locator("[data-kind=temperature]")).not_to_have_count(0)
    page.locator(".task button").first.click()
    accessible(page)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "the page scrolls sideways"
    small = page.evaluate(
        "[...document.querySelectorAll('main button, main input, .choices button')]"
        ".map(e => [e.textContent || e.name, e.getBoundingClientRect().height]).filter(([, height]) => height < 48)"
    )
    assert small == []
    assert "undefined" not in page.locator("body").inner_text()


def accessible(page: Page) -> None:
    """No finding of axe-core, of any weight."""
    page.evaluate(AXE.read_text())
    found = page.evaluate("axe.run().then(({violations}) => violations)")
    assert [(v["id"], [node["html"] for node in v["nodes"]]) for v in found] == []
