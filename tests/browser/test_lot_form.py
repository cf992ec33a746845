"""A person beside the belt says which lot runs."""

import re

import pytest
from browserhouse import House, OpenPage
from cable import Cable
from playwright.sync_api import Locator, Page, expect
from sortingline import SortingLine, card, count
from test_page import alarm

pytestmark = pytest.mark.browser


def lot_form(page: Page) -> Locator:
    card(page).get_by_role("button", name="Begin a lot").click()
    return card(page).locator("form")


def test_a_person_begins_a_lot_and_the_fruit_counts_for_it(
    house: House, visit: OpenPage, line: SortingLine, lot: str
) -> None:
    line.sorts("good")
    page, chinese = visit(house), visit(house, lang="zh")
    form = lot_form(page)
    expect(form.get_by_label("Which lot?")).to_be_focused()
    expect(form.get_by_label("Item")).to_have_value("lemon-4kg")
    expect(form.locator("[name=customer] option")).to_have_text([re.compile("any, .*10%"), re.compile("juicer.*25%")])
    form.get_by_label("Item").select_option("Tomato tray")
    form.get_by_label("Customer").select_option("juicer")
    form.get_by_label("Who are you?").fill("Wang Li")
    scanned = f"{lot}-next"
    form.get_by_label("Which lot?").focus()
    page.keyboard.type(scanned)
    page.keyboard.press("Enter")

    expect(form).to_have_count(0)
    expect(card(page).get_by_role("button", name="Begin a lot")).to_be_focused()
    expect(card(page).locator(".lot-head")).to_contain_text(f"Lot {scanned} Tomato tray for juicer")
    expect(card(chinese).locator(".lot-head")).to_contain_text(f"批次 {scanned} 番茄托盘 客户 juicer")
    line.learns(scanned)
    line.sorts("good", "good", "defective")
    expect(count(page, "good")).to_have_text("2")
    expect(count(page, "defective")).to_have_text("1")
    expect(card(page).locator("svg.interval")).to_contain_text(re.compile("limit .*25%"))


def test_a_lot_that_is_not_taken_says_why_beside_the_field(
    house: House, visit: OpenPage, line: SortingLine, cable: Cable, lot: str
) -> None:
    page = visit(house, cable=cable)
    form = lot_form(page)
    name, person = form.get_by_label("Which lot?"), form.get_by_label("Who are you?")
    expect(name).to_be_focused()
    page.keyboard.press("Enter")
    expect(name).to_have_accessible_description("Say which lot runs.")
    expect(person).to_have_accessible_description("Say who you are first.")
    expect(name).to_be_focused()

    name.fill("L\t1")
    expect(name).to_have_accessible_description("")
    person.fill("Wang Li")
    page.keyboard.press("Enter")
    expect(name).to_have_accessible_description(re.compile("^Not taken: .*pattern"))
    expect(form.locator("bdi[lang=en]")).to_contain_text("pattern")
    expect(name).to_be_focused()

    name.fill(f"{lot}-next")
    cable.pull()
    page.keyboard.press("Enter")
    expect(form).to_contain_text("Not begun: the gateway did not answer. Try again.")
    expect(form.locator("[lang=en]")).to_have_count(0)
    cable.mend()
    expect(alarm(page)).to_be_hidden(timeout=15_000)
    expect(card(page).locator(".lot-head")).to_contain_text(f"Lot {lot} ")
    form.get_by_role("button", name="Begin the lot").click()
    expect(card(page).locator(".lot-head")).to_contain_text(f"Lot {lot}-next ")
    lot_form(page)
    page.keyboard.press("Escape")
    expect(form).to_have_count(0)


@pytest.mark.parametrize("width", [390, 1440])
def test_the_first_fruit_of_a_lot_moves_nothing(house: House, visit: OpenPage, line: SortingLine, width: int) -> None:
    line.sorts(*["good"] * 12)
    page = visit(house, width=width)
    line.begin(f"L-{width}")
    expect(card(page)).to_contain_text("nothing judged yet")
    places = ".line-acts", ".latest", "#stock"
    before = [page.locator(place).bounding_box() for place in places]
    line.pictures(*line.sorts("unsure", evidence=True))
    line.sorts("defective", "good")
    expect(card(page)).to_contain_text("95\u00a0% sure")
    expect(page.get_by_role("button", name="Review")).to_be_visible()
    assert [page.locator(place).bounding_box() for place in places] == before
