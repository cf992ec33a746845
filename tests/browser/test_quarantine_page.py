"""A lot over its limit: what the page says of it, and what people decide."""

import re

import pytest
from browserhouse import House, OpenPage
from ledgersite import LEMON, case, door_pass, now_us
from playwright.sync_api import Locator, Page, Route, expect
from sortingline import SortingLine, card
from test_page import accessible

pytestmark = pytest.mark.browser


def quality(page: Page, lot: str) -> Locator:
    return page.locator("[data-kind=quality]", has_text=f"{lot} ")


def resolving(page: Page, lot: str, who: str = "Wang Li", why: str = "Sorted again") -> Locator:
    """The form about a lot, filled in as far as the decision."""
    task = quality(page, lot)
    task.get_by_role("button", name="Resolve").click()
    task.get_by_label("Who are you?").fill(who)
    task.get_by_role("button", name=why).click()
    return task


def test_a_lot_over_its_limit_is_in_quarantine_until_somebody_releases_it(
    house: House, visit: OpenPage, line: SortingLine, lot: str
) -> None:
    cases = [{"epc": case(LEMON, 500 + n), "zone": "cold-room", "lot": lot} for n in range(3)]
    house.ask("/api/v1/items?who=test", cases)
    page, chinese = visit(house), visit(house, lang="zh", theme="dark", width=360)
    stock = page.locator("[data-sku=lemon-4kg]")
    expect(stock).not_to_contain_text("quarantine")
    line.sorts(*["good"] * 20, *["defective"] * 20)
    task = page.locator("[data-kind=quality]", has_text=f"{lot} ")
    expect(task).to_contain_text(f"Lot {lot} is over its limit: 50% defective, at most 10%")
    expect(task).not_to_contain_text("had left before")
    expect(task).to_contain_text("Its stock is in quarantine")
    expect(chinese.locator("[data-kind=quality]", has_text=lot)).to_contain_text("超限：缺陷率 50%，上限 10%")
    expect(page.locator(".unseen[role=alert]")).to_contain_text("is over its limit")
    expect(card(page).locator(".lot-head")).to_contain_text("over its limit")
    expect(stock).to_contain_text("3 in quarantine")

    resolving(page, lot).get_by_role("button", name="Release the stock").click()
    expect(task).to_have_count(0)
    expect(stock).not_to_contain_text("quarantine")
    expect(card(page).locator(".lot-head")).to_contain_text("released")
    expect(page.locator(".lately")).to_contain_text(re.compile("Released by .*Wang Li.*Sorted again"))


def test_a_lot_that_is_kept_stays_in_quarantine_and_is_released_later(
    house: House, visit: OpenPage, line: SortingLine, lot: str
) -> None:
    cases = [{"epc": case(LEMON, 600 + n), "zone": "cold-room", "lot": lot} for n in range(2)]
    house.ask("/api/v1/items?who=test", cases)
    page, chinese = visit(house), visit(house, lang="zh")
    line.sorts(*["defective"] * 10)
    later = card(page).get_by_role("button", name="Release the stock of lot")
    task = resolving(page, lot)
    expect(later).to_have_count(0)
    task.get_by_role("button", name="Keep it in quarantine").click()
    expect(task).to_have_count(0)
    expect(page.locator(".lately")).to_contain_text(re.compile("Kept in quarantine by .*Wang Li.*Sorted again"))
    expect(chinese.locator(".lately")).to_contain_text("决定继续隔离：Sorted again")
    expect(page.locator("[data-sku=lemon-4kg]")).to_contain_text("2 in quarantine")
    expect(later).to_be_visible()

    line.begin(f"{lot}-next")
    card(page).locator(".lots summary").click()
    earlier = card(page).locator(f"[data-lot={lot}]")
    expect(earlier).to_be_visible()
    later.click()
    expect(earlier.get_by_label("What was done?")).to_be_focused()
    page.keyboard.press("Escape")
    expect(later).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.type("Juice")
    accessible(page)
    page.keyboard.press("Enter")
    expect(earlier).to_contain_text("released")
    expect(later).to_have_count(0)
    expect(card(page).locator(".lots summary")).to_be_focused()
    expect(page.locator("[data-sku=lemon-4kg]")).not_to_contain_text("quarantine")


def test_who_decides_second_is_told_what_the_first_decided(
    house: House, visit: OpenPage, line: SortingLine, lot: str
) -> None:
    line.sorts(*["defective"] * 10)
    page = visit(house)
    task = resolving(page, lot)
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.route("**/resolve", hold)
    task.get_by_role("button", name="Keep it in quarantine").click()
    expect(task).to_contain_text("Saving")
    (one,) = (one for one in house.ask("/api/v1/exceptions?state=open")["exceptions"] if one["subject"] == lot)
    release = {"who": "Li Si", "why": "Downgraded", "decision": "release"}
    house.ask(f"/api/v1/exceptions/{one['id']}/resolve", release)
    expect(card(page).locator(".lot-head")).to_contain_text("released")
    for route in held:
        route.continue_()
    expect(task).to_contain_text("Not saved: it was dealt with before.")
    expect(task).to_contain_text(re.compile("Released by .*Li Si.*Downgraded"))
    expect(task.get_by_role("button", name="Keep it in quarantine")).to_have_count(0)
    task.get_by_role("button", name="Close").click()
    expect(task).to_have_count(0)


def test_a_lot_that_became_better_and_cases_that_had_left_are_told(
    house: House, visit: OpenPage, line: SortingLine, lot: str
) -> None:
    cases = [{"epc": case(LEMON, 700 + n), "zone": "cold-room", "lot": lot} for n in range(2)]
    house.ask("/api/v1/items?who=test", cases)
    house.agent.tell(door_pass([one["epc"] for one in cases], now_us(), direction="outbound"))
    page, chinese = visit(house), visit(house, lang="zh")
    line.sorts(*["defective"] * 5)
    line.sorts(*["good"] * 95)
    words = f"Lot {lot} was over its limit: 100% defective, at most 10%; 5% now"
    expect(quality(page, lot)).to_contain_text(words)
    expect(quality(page, lot)).to_contain_text("2 cases of it had left before: call who got them.")
    expect(quality(chinese, lot)).to_contain_text("曾超限：缺陷率 100%，上限 10%；现为 5%")
    expect(quality(chinese, lot)).to_contain_text("此前已有 2 箱出库")


def test_fruit_that_was_judged_and_never_told_names_its_lots(
    house: House, visit: OpenPage, line: SortingLine, lot: str
) -> None:
    page, chinese = visit(house), visit(house, lang="zh")
    line.sorts("good", untold=3)
    task = page.locator("[data-kind=data_lost]")
    expect(task).to_contain_text("3 fruit were judged by Line A and never told")
    expect(task).to_contain_text(f"The defect rate of {lot} lacks them.")
    expect(chinese.locator("[data-kind=data_lost]")).to_contain_text("A 线 已判定的 3 个水果未上报")
    task.get_by_role("button", name="Resolve").click()
    expect(task.get_by_role("button", name="Looked at the fruit")).to_be_visible()
    expect(task.get_by_role("button", name="Counted")).to_have_count(0)
