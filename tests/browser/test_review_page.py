"""The review: a person looks at fruit after fruit and says what each one is."""

import re
import sqlite3
from contextlib import closing

import pytest
from browserhouse import House, OpenPage
from cable import Cable
from playwright.sync_api import Locator, Page, Request, expect
from sortingline import SortingLine, card
from test_page import accessible, alarm

pytestmark = pytest.mark.browser


def waiting(house: House) -> list[str]:
    return [review["id"] for review in house.ask("/api/v1/reviews")["reviews"]]


def open_review(page: Page, who: str = "Wang Li") -> Locator:
    """Opens it and says who answers."""
    page.get_by_role("button", name="Review").click()
    page.get_by_label("Who are you?").fill(who)
    return page.locator("#review")


@pytest.fixture(autouse=True)
def nothing_waits(house: House) -> None:
    """Fruit that an earlier test left in the queue is none of ours."""
    for name in waiting(house):
        house.ask(f"/api/v1/reviews/{name}", {"label": "good", "who": "the test"})


def photographed(line: SortingLine, count: int) -> list[str]:
    """So many fruit that the model is unsure of, with their pictures."""
    names = line.sorts(*["unsure"] * count, evidence=True)
    line.pictures(*names)
    return names


def in_front(review: Locator, name: str) -> None:
    """This fruit stands before the person."""
    expect(review.locator(".sheet img")).to_have_attribute("src", re.compile(rf"/{name}\.jpg"))


def ready(review: Locator) -> None:
    """It stands there long enough that an answer is meant for it."""
    expect(review.locator(".answers button").first).to_have_attribute("aria-disabled", "false")


def label_of(house: House, name: str) -> str | None:
    label: str | None = house.ask(f"/api/v1/reviews/{name}")["label"]
    return label


def test_a_person_answers_the_review_with_the_keyboard(
    house: House, visit: OpenPage, line: SortingLine, lot: str
) -> None:
    names = line.sorts("unsure", "unsure", "unsure", "unsure", evidence=True)
    line.pictures(*names)
    page = visit(house)
    review = open_review(page)
    before = waiting(house)
    expect(review.locator(".state")).to_have_text(f"{len(before)} wait")
    expect(review).to_contain_text("The model says unsure, with a chance of 55% that it is defective.")
    expect(review.locator(".sheet img")).to_have_attribute("data-there", "true", timeout=15_000)
    expect(review.locator(".sheet polygon")).to_have_count(2)

    review.get_by_role("button", name="Defective").focus()
    for key, answer in (("2", "defective"), ("1", "good"), ("3", "unusable")):
        (first, *rest) = waiting(house)
        ready(review)
        page.keyboard.press(key)
        expect(review.locator(f'img[src*="{first}.jpg"]')).to_have_count(0)
        said = house.ask(f"/api/v1/reviews/{first}")
        assert (said["state"], said["label"], said["who"]) == ("answered", answer, "Wang Li")
        assert waiting(house) == rest
    expect(review.locator(".state")).to_have_text(re.compile(rf"^{len(rest)} wait"))


def test_an_answer_needs_a_name_and_says_why_it_was_not_taken(
    house: House, visit: OpenPage, line: SortingLine, cable: Cable, lot: str
) -> None:
    line.pictures(*line.sorts("unsure", evidence=True))
    page = visit(house, cable=cable)
    page.get_by_role("button", name="Review").click()
    review = page.locator("#review")
    expect(page.get_by_label("Who are you?")).to_be_focused()
    review.get_by_role("button", name="Good").click()
    expect(review).to_contain_text("Say who you are first.")
    ready(review)
    before = waiting(house)
    page.keyboard.type("1 Wang")
    assert waiting(house) == before, "a digit in a name is no answer"

    cable.pull()
    review.get_by_role("button", name="Good").click()
    expect(review).to_contain_text("Not saved: the gateway did not answer. It still waits. Try again.")
    cable.mend()
    expect(alarm(page)).to_be_hidden(timeout=15_000)
    page.keyboard.press("1")
    expect(review.locator(f'img[src*="{before[0]}.jpg"]')).to_have_count(0)
    assert before[0] not in waiting(house)


def test_the_fruit_before_a_person_stays_there_until_it_has_an_answer(
    house: House, visit: OpenPage, line: SortingLine, lot: str
) -> None:
    older, newer, newest = line.sorts("unsure", "unsure", "unsure", evidence=True)
    line.pictures(newer, newest)
    page = visit(house)
    review = open_review(page)
    in_front(review, newer)
    line.pictures(older)
    expect(review.locator(".next [data-review]")).to_have_count(2)
    in_front(review, newer)
    ready(review)
    review.get_by_role("button", name="Defective").click()
    in_front(review, older)
    assert label_of(house, newer) == "defective"
    house.ask(f"/api/v1/reviews/{older}", {"label": "good", "who": "somebody else"})
    in_front(review, newest)


def test_what_was_meant_for_the_fruit_before_is_no_answer(
    house: House, visit: OpenPage, line: SortingLine, lot: str
) -> None:
    names = photographed(line, 4)
    page = visit(house)
    review = open_review(page)
    good = review.get_by_role("button", name="Good")
    ready(review)
    page.evaluate("""() => {
        const desk = document.querySelector("#review .desk");
        const hasty = () => {
            desk.querySelector(".answers button")?.click();
            desk.dispatchEvent(new KeyboardEvent("keydown", { key: "3" }));
        };
        new MutationObserver(hasty).observe(desk, { childList: true });
    }""")
    good.dblclick()
    in_front(review, names[1])
    ready(review)
    assert waiting(house) == names[1:]

    for key, here, then in (("Enter", names[1], names[2]), ("1", names[2], names[3])):
        page.keyboard.down(key)
        in_front(review, then)
        ready(review)
        for _ in range(3):
            page.keyboard.down(key)
        page.keyboard.up(key)
        assert label_of(house, here) == "good"
    page.keyboard.press("2")
    expect(review).to_contain_text("Nothing waits.")
    assert label_of(house, names[3]) == "defective"


def test_fruit_without_its_picture_is_said_to_wait_for_it(
    house: House, visit: OpenPage, line: SortingLine, lot: str
) -> None:
    line.sorts("unsure", "unsure", evidence=True)
    page, chinese = visit(house), visit(house, lang="zh")
    review = open_review(page)
    expect(review.locator(".state")).to_have_text("2 wait")
    expect(review).to_contain_text("2 wait for their pictures.")
    expect(review).not_to_contain_text("Nothing waits")
    card(chinese).get_by_role("button", name="复核").click()
    expect(chinese.locator("#review")).to_contain_text("2 个在等待图片。")


def test_the_keyboard_goes_into_the_review_and_back_to_where_it_was(
    house: House, visit: OpenPage, line: SortingLine, lot: str
) -> None:
    (name,) = photographed(line, 1)
    page = visit(house)
    opener = card(page).get_by_role("button", name="Review")
    review = open_review(page)
    page.keyboard.press("Escape")
    expect(review).to_have_count(0)
    expect(opener).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_label("Who are you?")).to_be_focused()
    page.get_by_label("Who are you?").fill("Wang Li")
    opener.click()
    expect(review).to_have_count(1)
    expect(page.locator("#review :focus")).to_have_count(1)
    review.get_by_role("button", name="Close").click()
    expect(opener).to_be_focused()

    page.keyboard.press("Enter")
    page.keyboard.type("Wang Li")
    ready(review)
    review.get_by_role("button", name="Good").click()
    expect(opener).to_have_count(0)
    page.keyboard.press("Escape")
    expect(review).to_have_count(0)
    expect(card(page).locator("h2")).to_be_focused()
    assert label_of(house, name) == "good"


def test_a_picture_is_asked_for_anew_when_the_gateway_is_there_again(
    house: House, visit: OpenPage, line: SortingLine, cable: Cable, lot: str
) -> None:
    (name,) = line.sorts("defective", evidence=True)
    page = visit(house, cable=cable)
    with page.expect_request(lambda request: f"{name}.jpg?try=2" in request.url):
        pass  # from now on it is not asked for in 4 s
    line.pictures(name, verdict="defective")

    def asked(request: Request) -> bool:
        return name in request.url

    with page.expect_request(asked, timeout=3_900):
        cable.pull()
        cable.mend()
    expect(card(page).locator(f"[data-fruit={name}] img")).to_have_attribute("data-there", "true")


def test_a_disk_that_takes_no_pictures_is_told(house: House, visit: OpenPage, line: SortingLine, lot: str) -> None:
    photographed(line, 1)
    page, chinese = visit(house), visit(house, lang="zh", theme="dark", width=390)
    review = open_review(page)
    expect(page.locator("[data-link=pictures]")).to_have_count(0)
    expect(review).not_to_contain_text("cannot be kept")
    (late,) = line.sorts("defective", evidence=True)
    path = house.site.gateway.data / "evidence" / "evidence.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")  # as a program that copies the file may
        line.offers(late, verdict="defective")
        expect(page.locator("[data-link=pictures]")).to_contain_text("not kept", timeout=15_000)
        expect(review).to_contain_text("the gateway's disk is full")
        card(chinese).get_by_role("button", name="复核").click()
        expect(chinese.locator("#review")).to_contain_text("判定和剔除闸不受影响")
        accessible(chinese)
    line.pictures(late, verdict="defective")
    expect(page.locator("[data-link=pictures]")).to_have_count(0)
    expect(review).not_to_contain_text("cannot be kept")
