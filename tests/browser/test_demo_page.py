"""What a person sees after `make run`: the page over the whole demo, while the simulated warehouse lives."""

import json
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import httpx
import psutil
import pytest
from browserhouse import OpenPage
from playwright.sync_api import Page, expect
from ruamel.yaml import YAML

import truecount

EXAMPLE = Path(truecount.__file__).parent / "configs" / "site.yaml"
VERDICTS = ("good", "unsure", "defective", "unseen")
LIVE_MS = 90_000
NOTICED_MS = 10_000


class Demo(NamedTuple):
    """A running demo; `url` is the address that it told."""

    url: str
    process: subprocess.Popen[str]

    @contextmanager
    def without(self, part: str) -> Iterator[None]:
        """SIGKILL to one process of the house, and nobody to start it again until the block ends."""
        (victim,) = [child for child in psutil.Process(self.process.pid).children() if part in child.cmdline()]
        self.process.send_signal(signal.SIGSTOP)
        try:
            victim.kill()
            yield
        finally:
            self.process.send_signal(signal.SIGCONT)


@contextmanager
def running(folder: Path, *arguments: object) -> Iterator[Demo]:
    """A demo whose page is there; stopped at the end of the block if it did not end by itself."""
    argv = [sys.executable, truecount.__file__, "demo", "--headless", "--data", str(folder), *map(str, arguments)]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        assert process.stdout is not None
        told = ""
        for line in process.stdout:
            told += line
            if address := re.search(r"The page is at (http://\S+)/", line):
                break
        else:
            pytest.fail(f"the demo did not start:\n{told}")
        yield Demo(address[1], process)
        process.send_signal(signal.SIGINT)
        process.stdout.read()


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[Demo]:
    with running(tmp_path / "demo", "--speed", 2) as demo:
        yield demo


def figure(page: Page, door: str, which: str) -> int:
    return int(page.locator(f"#door-{door} [data-count={which}] .figure").inner_text())


@pytest.mark.browser
@pytest.mark.slow
def test_a_truck_unloads_live_the_gateway_dies_and_the_page_is_right_again(demo: Demo, visit: OpenPage) -> None:
    page = visit(demo)
    dock = page.locator("#door-dock-1")
    expect(dock).to_contain_text("ASN-START-1", timeout=LIVE_MS)
    expect(dock.get_by_role("progressbar")).to_be_visible(timeout=LIVE_MS)
    page.wait_for_function(
        "() => Number(document.querySelector('#door-dock-1 [data-count=in] .figure').textContent) >= 12",
        timeout=LIVE_MS,
    )

    with demo.without("gateway"):
        expect(page.locator("main")).to_have_attribute("data-stale", "true", timeout=NOTICED_MS)
    expect(page.locator("main")).not_to_have_attribute("data-stale", "true", timeout=LIVE_MS)
    page.wait_for_function(
        "() => Number(document.querySelector('#door-dock-1 [data-count=in] .figure').textContent) >= 24",
        timeout=LIVE_MS,
    )

    # Between two passes the page and the gateway say the same.
    for _ in range(50):
        doors = httpx.get(f"{demo.url}/api/v1/snapshot").json()["doors"]
        if figure(page, "dock-1", "in") == doors["dock-1"]["inbound"]:
            return
        page.wait_for_timeout(200)
    pytest.fail("the page and the gateway do not come to the same count")


@pytest.mark.browser
@pytest.mark.slow
def test_the_gate_sorts_as_the_truth_says_and_the_page_counts_every_fruit(tmp_path: Path, visit: OpenPage) -> None:
    """Camera, edge, gate, MQTT, gateway, page: everything over its own protocol, and the world's truth beside it."""
    site = YAML(typ="safe").load(EXAMPLE)
    site["simulation"] |= {"fruit_per_s": 2, "defective_share": 0.35, "lot_fruit": 2_000}
    config, report = tmp_path / "site.yaml", tmp_path / "report.json"
    config.write_text(json.dumps(site))
    arguments = ("--config", config, "--seed", 5, "--duration", 60, "--report", report)
    with running(tmp_path / "demo", *arguments) as demo:
        page = visit(demo)
        line = page.locator("#line-line-a")
        expect(line.locator(".belt img[data-there=true]")).to_be_visible(timeout=LIVE_MS)
        expect(line.locator("[data-fruit][data-verdict=defective] img").first).to_be_visible(timeout=LIVE_MS)
        assert demo.process.stdout is not None
        print(demo.process.stdout.read())  # until it ends by itself, the belt run empty
        shown = {name: int(line.locator(f"[data-count={name}] .figure").inner_text()) for name in VERDICTS}

    found = json.loads(report.read_text())["lines"]["line-a"]
    print(found)
    gate = found["gate"]
    good, bad = gate["true_pass"] + gate["false_reject"], gate["true_reject"] + gate["miss"]
    assert good > 40
    assert bad > 25
    assert gate["miss"] <= 0.03 * bad + 1, gate
    assert gate["false_reject"] <= 0.05 * good + 2, gate
    assert (found["untold"], found["invented"], found["differing"], found["misplaced"]) == (0, 0, 0, 0)
    assert found["unseen"] + found["missed_deadlines"] <= 0.05 * found["fruit"], found
    assert sum(shown.values()) == found["fruit"] == good + bad
    assert shown["good"] >= gate["true_pass"] + gate["miss"]  # the gate lets nothing pass that was not judged good
