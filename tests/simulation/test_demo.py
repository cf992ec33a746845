"""The whole house as `truecount demo` runs it: the truth beside the ledger, over both brokers and both histories."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx
import psutil
import pytest
from influx import Influxd
from ruamel.yaml import YAML

import truecount

ROOT = Path(truecount.__file__).parent
EXAMPLE = ROOT / "configs" / "site.yaml"


def demo(*arguments: object) -> list[str]:
    return [sys.executable, truecount.__file__, "demo", "--headless", *map(str, arguments)]


def on_mosquitto_and_influx(folder: Path, influx_url: str) -> Path:
    """The example site with Debian's broker and database in the place of the embedded ones."""
    site = YAML(typ="safe").load(EXAMPLE)
    site["broker"] = {"kind": "mosquitto"}
    site["gateway"]["history"] = {"kind": "influx", "url": influx_url, "database": "demo"}
    path = folder / "site.yaml"
    path.write_text(json.dumps(site))
    return path


def started(folder: Path) -> subprocess.Popen[bytes]:
    """A demo whose page is there."""
    process = subprocess.Popen(demo("--data", folder), stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert process.stdout is not None
    assert any(b"The page is at" in line for line in process.stdout), "it ended"
    return process


def family(process: subprocess.Popen[bytes]) -> list[psutil.Process]:
    return psutil.Process(process.pid).children(recursive=True)


def assert_the_house_was_right(report: dict) -> None:
    events, passes, orders = report["events"], report["passes"], report["orders"]
    assert events["committed"] == events["made"] > 50
    assert (events["doubled"], events["lost"]) == (0, 0)
    assert passes["right"] > 30
    assert passes["wrong"] + passes["invented"] <= 0.03 * passes["right"], passes
    assert passes["unknown"] + passes["missed"] <= 0.08 * passes["right"], passes  # one tag in fifty is unreadable
    assert report["units"]["absolute_error"] <= 2 * (
        passes["wrong"] + passes["unknown"] + passes["missed"] + passes["invented"]
    )
    assert orders["requested"] == orders["placed"] >= 1
    assert orders["doubled"] == 0
    assert report["latency_ms"]["p50"] is not None
    assert report["decision_delay_ms"]["p50"] is not None
    assert report["seed"] == 11


@pytest.mark.slow
@pytest.mark.parametrize("parts", ["nats and local", "mosquitto and influx"])
def test_the_demo_ends_by_itself_and_the_ledger_equals_the_truth(parts, tmp_path, request):
    config = EXAMPLE
    if parts == "mosquitto and influx":
        influxd: Influxd = request.getfixturevalue("influxd")
        config = on_mosquitto_and_influx(tmp_path, influxd.url)
    report = tmp_path / "report.json"
    arguments = ("--config", config, "--seed", 11, "--speed", 4, "--duration", 40, "--report", report)
    result = subprocess.run(
        demo(*arguments, "--data", tmp_path / "demo"), capture_output=True, text=True, timeout=200, check=False
    )
    assert result.returncode == 0, result.stdout + result.stderr
    found = json.loads(report.read_text())
    print(json.dumps(found))
    assert_the_house_was_right(found)
    if parts == "mosquitto and influx":
        answer = httpx.get(f"{influxd.url}/query", params={"db": "demo", "q": 'SELECT COUNT("body") FROM "log"'})
        ((_, points),) = answer.json()["results"][0]["series"][0]["values"]
        assert points >= found["events"]["committed"]


@pytest.mark.slow
def test_ctrl_c_stops_everything_and_leaves_no_process(tmp_path):
    process = started(tmp_path / "demo")
    deadline = time.monotonic() + 60
    while len(family(process)) < 6 and time.monotonic() < deadline:  # five processes, and the broker's own child
        time.sleep(0.1)
    children = family(process)
    assert len(children) >= 6, [child.cmdline() for child in children]
    process.send_signal(signal.SIGINT)
    rest = process.stdout.read()
    assert process.wait(timeout=40) == 0, rest
    assert b"Traceback" not in rest
    assert [child for child in children if child.is_running()] == []


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="a child that dies with its parent needs Linux")
def test_a_killed_demo_takes_its_processes_with_it(tmp_path):
    process = started(tmp_path / "demo")
    children = family(process)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    process.stdout.close()
    gone, alive = psutil.wait_procs(children, timeout=30)
    assert alive == []
    assert len(gone) >= 5
