"""A house and a browser for the tests of the page."""

import itertools
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from browserhouse import ROOT, House, OpenPage
from cable import Cable
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright
from sortingline import SortingLine

DIST = ROOT / "gateway" / "dashboard" / "dist" / "index.html"
CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
ARGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
_lots = itertools.count(1)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Headless Chromium. Not for the whole run: while Playwright is open, no other test can run an event loop."""
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed: apt-get install chromium")
    if not DIST.is_file():
        pytest.fail("the page is not built: make page")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGS)
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """One house for the tests of a module: each uses doors, shipments and cases of its own."""
    with House(tmp_path_factory.mktemp("house")) as house:
        yield house


@pytest.fixture(scope="module")
def line(house: House) -> SortingLine:
    return SortingLine(house)


@pytest.fixture
def lot(line: SortingLine) -> str:
    """A lot that nothing was judged of yet."""
    name = f"L-{next(_lots)}"
    line.begin(name)
    return name


@pytest.fixture
def own_house(tmp_path: Path) -> Iterator[House]:
    """A house that has seen nothing yet, and that this test alone may break."""
    with House(tmp_path) as house:
        yield house


@pytest.fixture
def cable(house: House) -> Iterator[Cable]:
    """What the browser is connected to the gateway by."""
    cable = Cable(house.site.gateway.port)
    yield cable
    cable.close()


@pytest.fixture
def renderers(browser: Browser) -> Callable[[], list[psutil.Process]]:
    """The processes of this test's own Chromium that run the scripts of pages."""

    def found() -> list[psutil.Process]:
        mine = psutil.Process().children(recursive=True)
        return [child for child in mine if "--type=renderer" in child.cmdline()]

    return found


@pytest.fixture
def visit(browser: Browser) -> Iterator[OpenPage]:
    """Opens the page of a house as a visitor would; fails the test on any error that a script of the page throws."""
    contexts: list[BrowserContext] = []
    errors: list[str] = []

    def opened(
        house: House,
        *,
        lang: str = "en",
        theme: str = "light",
        width: int = 1440,
        height: int = 1000,
        touch: bool = False,
        cable: Cable | None = None,
    ) -> Page:
        context = browser.new_context(
            viewport={"width": width, "height": height}, locale="en-GB", has_touch=touch, reduced_motion="reduce"
        )
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        base = f"http://127.0.0.1:{cable.port}" if cable else house.url
        page.goto(f"{base}/?lang={lang}&theme={theme}")
        page.wait_for_selector("#todo")
        return page

    yield opened
    for context in contexts:
        context.close()
    assert errors == []
