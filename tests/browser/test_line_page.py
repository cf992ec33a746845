"""The sorting line on the page: what a person beside the belt sees of it, and what they answer."""

import re

import pytest
from browserhouse import House, OpenPage, temperature
from playwright.sync_api import Locator, Page, Route, expect
from sortingline import MODEL, SortingLine, card, count
from test_page import accessible

from contract.events import SecondOpinion

pytestmark = pytest.mark.browser


def label(locator: Locator, name: str = "aria-label") -> str:
    """What a screen reader is told, without the marks that isolate names."""
    return re.sub("[\u2068\u2069]", "", locator.get_attribute(name) or "")


def fruit(page: Page, name: str) -> Locator:
    return card(page).locator(f"[data-fruit={name}]")


def test_a_lot_runs_and_the_line_shows_its_counts_and_how_sure_its_rate_is(
    house: House, visit: OpenPage, line: SortingLine, lot: str
) -> None:
    page, chinese = visit(house), visit(house, lang="zh")
    expect(card(page)).to_contain_text(f"Lot {lot} Lemon 4 kg")
    expect(card(page)).to_contain_text("nothing judged yet")
    line.sorts(*["good"] * 36, *["defective"] * 4, "unsure", "unseen", "unseen")
    for verdict, shown in {"good": 36, "defective": 4, "unsure": 1, "unseen": 2}.items():
        expect(count(page, verdict)).to_have_text(str(shown))
    expect(card(page).locator("[data-count=missed]")).to_have_count(0)
    # Wilson score interval of 4 in 40 at 95 %, from a table.
    words = "10% defective, with 95 % confidence from 4% to 23.1%; the limit is 10%"
    assert label(card(page).locator("svg.interval")) == words
    expect(card(page)).to_contain_text("95\u00a0% sure: 4% to 23.1%")
    expect(card(page)).to_contain_text(re.compile(r"\d+ fruit a minute"))
    expect(card(page)).to_contain_text(f"Model {MODEL}")
    expect(card(chinese)).to_contain_text(f"批次 {lot} 柠檬 4 千克")
    expect(card(chinese)).to_contain_text("95% 把握：4% 至 23.1%")
    expect(chinese.locator("#passes")).not_to_contain_text("A 线")


def test_a_verdict_that_is_too_late_is_counted_and_somebody_is_told(
    house: House, visit: OpenPage, line: SortingLine, lot: str
) -> None:
    page = visit(house)
    line.sorts("good", gate="missed")
    expect(card(page).locator("[data-count=missed]")).to_have_text(re.compile("too late.*1"))
    expect(card(page).locator("[data-fruit]").first).to_contain_text("too late")
    expect(page.locator("[data-kind=gate_missed]")).to_contain_text("too late for the gate of Line A")


def test_the_last_fruit_stand_in_a_row_the_newest_first_and_pictures_follow(
    house: House, visit: OpenPage, line: SortingLine, lot: str
) -> None:
    page = visit(house)
    (bad,) = line.sorts("defective", evidence=True)
    line.sorts("good")
    row = card(page).locator("[data-fruit]")
    expect(row.nth(0)).to_have_text("good2%")
    expect(row.nth(1)).to_have_text("defective97%")
    picture = fruit(page, bad).locator("img")
    expect(picture).not_to_have_attribute("data-there", "true")
    line.pictures(bad, verdict="defective")
    expect(picture).to_have_attribute("data-there", "true", timeout=15_000)
    assert label(picture, "alt") == f"Picture of fruit {bad.rsplit('-', 1)[1]}"
    line.sorts(*["good"] * 12)
    expect(row).to_have_count(12)
    expect(picture).to_have_count(0)


def test_the_belt_is_shown_live_and_said_to_be_old_when_it_is(house: House, visit: OpenPage, line: SortingLine) -> None:
    line.camera("connected")
    page = visit(house)
    belt = card(page).locator(".belt")
    for _ in range(3):
        shows(page, line.belt())
    assert re.fullmatch(r"The belt of Line A at \d\d:\d\d:\d\d", label(belt.locator("img"), "alt"))
    expect(belt).not_to_have_attribute("data-stale", "true")
    expect(belt).to_contain_text("picture from", timeout=15_000)
    expect(belt).to_have_attribute("data-stale", "true")


def shows(page: Page, belt_us: int) -> None:
    """The picture of the belt of that moment is there."""
    picture = card(page).locator(".belt img")
    expect(picture).to_have_attribute("src", re.compile(f"t={belt_us}$"))
    expect(picture).to_have_attribute("data-there", "true")


def test_while_nobody_looks_no_picture_is_asked_for(house: House, visit: OpenPage, line: SortingLine) -> None:
    page = visit(house)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "belt.jpg" in request.url else None)
    shows(page, line.belt())
    look(page, "hidden")
    asked.clear()
    for _ in range(3):
        newest = line.belt()
        page.wait_for_timeout(300)
    assert asked == []
    look(page, "visible")
    shows(page, newest)
    assert len(asked) == 1


def look(page: Page, state: str) -> None:
    """The tab goes behind another one, or comes back."""
    page.evaluate(
        """state => {
            Object.defineProperty(document, "visibilityState", { value: state, configurable: true });
            document.dispatchEvent(new Event("visibilitychange"));
        }""",
        state,
    )


def test_pictures_that_come_move_nothing(house: House, visit: OpenPage, line: SortingLine, lot: str) -> None:
    page = visit(house)
    (unsure,) = line.sorts("unsure", evidence=True)
    expect(fruit(page, unsure)).to_be_visible()
    expect(page.get_by_role("button", name="Review")).to_be_visible()  # the verdict's own doing, and not its picture's
    page.evaluate("""() => {
        window.moved = [];
        const told = entry => [entry.value, ...entry.sources.map(({ node }) => node?.outerHTML?.slice(0, 200))];
        new PerformanceObserver(list => window.moved.push(...list.getEntries().map(told)))
            .observe({ type: "layout-shift" });
    }""")
    line.pictures(unsure)
    line.belt()
    expect(fruit(page, unsure).locator("img")).to_have_attribute("data-there", "true", timeout=15_000)
    expect(card(page).locator(".belt img")).to_have_attribute("data-there", "true")
    page.wait_for_timeout(300)
    assert page.evaluate("window.moved") == []


def test_earlier_lots_stay_with_their_rates(house: House, visit: OpenPage, line: SortingLine, lot: str) -> None:
    line.sorts(*["good"] * 19, "defective")
    line.begin(f"{lot}-next")
    page = visit(house)
    earlier = card(page).locator(f"[data-lot={lot}]")
    expect(earlier).to_be_hidden()
    card(page).locator(".lots summary").click()
    expect(earlier).to_contain_text("5%")
    expect(earlier).to_contain_text("within its limit")


def test_a_camera_that_sees_nothing_makes_the_figures_old_and_says_what_that_means(
    house: House, visit: OpenPage, line: SortingLine
) -> None:
    page, chinese = visit(house), visit(house, lang="zh")
    line.camera("connected")
    expect(card(page)).not_to_have_attribute("data-stale", "true")
    expect(card(page).locator(".state")).to_have_text(re.compile("idle|a minute"))
    line.camera("blind")
    expect(card(page)).to_have_attribute("data-stale", "true")
    expect(card(page)).not_to_contain_text("idle")
    expect(card(page)).to_contain_text("camera-a blind for")
    expect(card(page)).to_contain_text("no fruit is taken as good")
    expect(card(chinese)).to_contain_text("任何水果都不会被当作合格")
    expect(page.locator("#devices [data-device=camera-a]")).to_contain_text("camera")
    line.camera("drifted", "the lamps are darker")
    expect(card(page)).to_contain_text("The picture of camera-a has not looked like what its model learned for")
    expect(card(page)).not_to_have_attribute("data-stale", "true")
    expect(page.locator("[data-kind=drift]")).to_contain_text("Clean the lens and check the lamps.")
    expect(page.locator("#devices [data-device=camera-a]")).to_contain_text("drifted")
    expect(chinese.locator("#devices [data-device=camera-a]")).to_contain_text("画面异常")
    line.camera("connected")
    expect(page.locator("[data-kind=drift]")).to_have_count(0)


def test_the_camera_of_a_silent_agent_is_not_said_never_to_have_been_heard(
    house: House, visit: OpenPage, line: SortingLine
) -> None:
    line.camera("connected")
    page, chinese = visit(house), visit(house, lang="zh")
    expect(page.locator("#devices [data-device=camera-a]")).to_contain_text("connected")
    with house.sorter.silent():
        expect(card(page)).to_have_attribute("data-stale", "true")
        expect(card(page)).to_contain_text(re.compile(r"camera-a not heard since \d\d:\d\d:\d\d"))
        expect(card(page)).not_to_contain_text("idle")
        expect(card(chinese)).to_contain_text(re.compile(r"camera-a 自 \d\d:\d\d:\d\d 起无消息"))
        expect(page.locator("#devices [data-device=camera-a]")).to_contain_text("silent")
    expect(card(page)).not_to_have_attribute("data-stale", "true")


def test_a_model_on_trial_is_compared_with_the_one_that_decides(
    house: House, visit: OpenPage, line: SortingLine, lot: str
) -> None:
    page, chinese = visit(house), visit(house, lang="zh")
    other = "lemon-2-int8-99aa77ff"
    line.sorts("good", "good", second=SecondOpinion(model=other, verdict="good", score=0.1))
    line.sorts("good", second=SecondOpinion(model=other, verdict="defective", score=0.9))
    shadow = card(page).locator(f"[data-shadow={other}]")
    expect(shadow).to_have_text(f"Beside it on trial {other}: 1 of 3 judged differently")
    expect(card(chinese).locator(f"[data-shadow={other}]")).to_have_text(f"并行试用 {other}：3 个中有 1 个判定不同")


@pytest.mark.parametrize(("part", "block", "there"), [("sorting", "#line-line-a", "h3"), ("plot", ".trace", "canvas")])
def test_a_part_of_the_page_that_does_not_come_is_asked_for_again(
    house: House, visit: OpenPage, part: str, block: str, there: str
) -> None:
    house.agent.tell(temperature("cold-room-temperature", "cold-room", 4.0))
    page = visit(house)
    expect(page.locator(block).locator(there)).to_be_visible()

    def lose(route: Route) -> None:
        route.abort()

    page.context.route(f"**/assets/{part}*.js", lose)
    page.reload()
    expect(page.locator(block)).to_contain_text("could not be loaded")
    page.context.unroute(f"**/assets/{part}*.js")
    page.locator(block).get_by_role("button", name="Try again").click()
    expect(page.locator(block).locator(there)).to_be_visible()


@pytest.mark.parametrize("width", [390, 1440])
def test_a_chart_that_comes_late_moves_nothing(house: House, visit: OpenPage, width: int) -> None:
    house.agent.tell(temperature("cold-room-temperature", "cold-room", 4.0))
    page = visit(house, width=width)
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.context.route("**/assets/plot*.js", hold)
    page.reload()
    trace = page.locator("[data-condition=cold-room-temperature] .trace")
    expect(trace).to_be_visible()
    expect(card(page).locator("h3")).to_be_visible()
    before = trace.bounding_box(), page.locator("#conditions").bounding_box()
    assert trace.locator("canvas").count() == 0
    for route in held:
        route.continue_()
    expect(trace.locator("canvas")).to_be_visible()
    assert (trace.bounding_box(), page.locator("#conditions").bounding_box()) == before


@pytest.mark.parametrize(
    ("width", "lang", "theme"),
    [(360, "en", "light"), (360, "zh", "dark"), (1440, "en", "dark"), (1440, "zh", "contrast")],
)
def test_everybody_can_read_the_line_and_answer(
    house: House, visit: OpenPage, line: SortingLine, lot: str, width: int, lang: str, theme: str
) -> None:
    line.camera("drifted")
    line.pictures(*line.sorts("unsure", "defective", evidence=True))
    line.sorts("good", "unseen")
    line.belt()
    page = visit(house, lang=lang, theme=theme, width=width)
    card(page).locator(".line-acts button").last.click()
    expect(page.locator("#review .sheet img")).to_have_attribute("data-there", "true", timeout=15_000)
    card(page).locator(".lots summary").click()
    card(page).locator(".line-acts button").first.click()
    card(page).locator("form [name=lot]").press("Enter")
    expect(card(page).locator("form [aria-invalid=true]")).not_to_have_count(0)
    accessible(page)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "the page scrolls sideways"
    small = page.evaluate(
        "[...document.querySelectorAll('main button, main input, main select, main summary')]"
        ".map(e => [e.textContent || e.name, e.getBoundingClientRect().height]).filter(([, height]) => height < 48)"
    )
    assert small == []
    assert "undefined" not in page.locator("body").inner_text()
    line.camera("connected")
