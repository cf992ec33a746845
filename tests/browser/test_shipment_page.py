"""A shipment on the page: what came of it, case by case and with its evidence, and how people end it."""

import pytest
from browserhouse import House, OpenPage
from ledgersite import LEMON, TOMATO, case, load_pass, now_us, pallet
from playwright.sync_api import expect
from test_page import accessible

pytestmark = pytest.mark.browser


def cases_of(shipment: int) -> list[str]:
    return [case(LEMON, 100 * shipment + n) for n in range(1, 13)]


def announced(house: House, shipment: int) -> None:
    """Two pallets of six; from the first all but two are read, with a case of the second and one that nobody named."""
    cases = cases_of(shipment)
    pallets = [pallet(10 * shipment), pallet(10 * shipment + 1)]
    named = [{"epc": epc, "sscc": pallets[n // 6], "lot": "L7"} for n, epc in enumerate(cases)]
    lines = [{"sku": "lettuce-12", "units": 4}]
    body = {"id": f"ASN {shipment}", "direction": "inbound", "partner": "Hongda Fruit", "door": "dock-2"}
    house.ask("/api/v1/shipments", body | {"cases": named, "lines": lines})
    came = [*cases[:4], cases[6], case(TOMATO, shipment)]
    house.agent.tell(load_pass(pallets[0], came, at_us=now_us() - 1_000_000, door="dock-1"))


def test_every_case_of_a_shipment_and_how_it_ends(house: House, visit: OpenPage) -> None:
    announced(house, 90)
    page = visit(house)
    page.locator(".truck a", has_text="ASN 90").press("Enter")
    card = page.locator("#shipment")
    expect(card.get_by_role("heading")).to_be_focused()
    for name, value in {"expected": "16", "seen": "5", "inferred": "2", "wrong_pallet": "1", "unexpected": "1"}.items():
        expect(card.locator(f"[data-count={name}] dd")).to_have_text(value)
    stray = card.locator(f"[data-case='{cases_of(90)[6]}']")
    expect(stray).to_contain_text("came on")
    stray.get_by_role("button", name="Why ").press("Enter")
    expect(stray).to_contain_text("in, 95% sure, by the times of its reads")
    expect(stray).to_contain_text("Read 6 times inside and 5 times outside")
    accessible(page)

    end = card.get_by_role("button", name="Close it as it is")
    end.click()
    card.get_by_label("Who are you?").fill("Ana")
    card.get_by_label("What was done?").fill("the driver signed for seven")
    card.get_by_role("button", name="Close it as it is").last.click()
    expect(card).to_contain_text("Closed by Ana")
    expect(card.locator("[data-count=missing] dd")).to_have_text("9")
    expect(card.get_by_role("button", name="Wait for it again")).to_be_visible()
    page.keyboard.press("Escape")
    expect(card).to_have_count(0)
    assert "#" not in page.url


def test_its_address_opens_it_in_chinese_on_a_telephone(house: House, visit: OpenPage) -> None:
    announced(house, 91)
    page = visit(house, lang="zh", theme="dark", width=390)
    page.evaluate("location.hash = '#shipment/ASN%2091'")
    card = page.locator("#shipment")
    expect(card).to_contain_text("货单")
    expect(card.locator("[data-count=wrong_pallet]")).to_contain_text("托盘不符")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "nothing stands beside the screen"
    accessible(page)
    page.evaluate("location.hash = '#shipment/none'")
    expect(card).to_contain_text("没有预报过这个货单")
    page.go_back()
    expect(card).to_contain_text("ASN 91")


def test_a_task_is_taken_put_off_and_a_resolution_taken_back(house: House, visit: OpenPage) -> None:
    announced(house, 92)
    page = visit(house)
    task = page.locator("[data-kind=wrong_pallet]", has_text="ASN 92")

    def act(button: str, who: str | None = None) -> None:
        if page.get_by_role("button", name="more").count():
            page.get_by_role("button", name="more").click()
        task.get_by_role("button", name="Resolve").click()
        if who is not None:
            task.get_by_label("Who are you?").fill(who)
        task.get_by_role("button", name=button).click()

    expect(page.locator(".tasks")).to_contain_text("ASN 92")
    act("I take care of it", who="Ana")
    expect(task).to_contain_text("Ana takes care of it")
    act("In an hour")
    expect(task).to_contain_text("Put off until")
    expect(page.locator(".task").last).to_contain_text("Put off until")
    act("Put on its own pallet")
    task.get_by_role("button", name="Save as resolved").click()
    expect(task).to_have_count(0)
    page.get_by_role("button", name="Undo the resolution of").filter(visible=True).first.click()
    expect(task).to_contain_text("It was resolved before, and opened again")
