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
from contract import wire
from contract.events import DoorPass, EmptyPass
from edge.agent import outbox_file
from edge.outbox import read_history
from edge.recorder import FOLDER
from edge.replay import decide
from edge.tapes import collect

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


def assert_the_recordings_decide_the_same(agent: Path) -> None:
    """What the agent recorded of its doors, decided again, is what it told: at the same moments, with all evidence.

    What it had not yet decided when it was stopped is decided only now, after all else.
    """
    told = [wire.decode_event(kept.body) for kept in read_history(outbox_file(agent))]
    live = [event for event in told if isinstance(event, DoorPass | EmptyPass)]
    assert len(live) > 10
    again = 0
    for folder in (agent / FOLDER).iterdir():
        doors, entries = collect(agent, folder.name.split("+")[0], 0, time.time_ns() // 1000)
        own = [event for event in live if event.door in {door.name for door in doors}]
        decided = list(decide(doors, entries, live=True))
        assert decided[: len(own)] == own
        again += len(own)
    assert again == len(live)


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
    assert_the_recordings_decide_the_same(tmp_path / "demo" / "edge" / "dock-edge")
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
