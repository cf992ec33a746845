"""`truecount model` on the command line, while the line's agent runs: tried, switched to, gone back from."""

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from serverprocess import ServerProcess
from visionmodels import shipped
from watchedline import film

from contract import wire
from contract.events import Inspection, Verdict
from edge.outbox import OUTBOX_FILE, read_history
from edge.vision import choice

PATIENCE_S = 60.0
FPS = 8
SITE = """
site: orchard
title: {{en: Orchard, zh: 果园}}
broker: {{kind: external, port: 1}}
agents: [{{name: sorting-edge, data: {folder}/edge}}]
zones: [{{name: hall, title: {{en: Hall, zh: 大厅}}}}]
lines:
  - name: line-a
    title: {{en: Line A, zh: 甲线}}
    agent: sorting-edge
    crop: lemon
    models: {folder}/models
    camera: {{kind: folder, name: camera-a, path: {folder}/pictures, fps: {fps}, repeat: true}}
"""


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Path]:
    """A site file whose agent runs, on good fruit; there is no broker. Version 2 of the model calls all fruit bad."""
    film(tmp_path / "pictures", fruit=4, fps=FPS, seed=5, defective=0)
    shipped(tmp_path / "models", {1: 0, 2: 30})
    file = tmp_path / "site.yaml"
    file.write_text(SITE.format(folder=tmp_path, fps=FPS), encoding="utf-8")
    running = choice.running_file(tmp_path / "edge", "line-a")
    command = [sys.executable, "-m", "truecount", "edge", "--config", str(file)]
    agent = ServerProcess(command, tmp_path / "edge.log", running.exists)
    agent.start()
    yield file
    agent.stop()


@pytest.mark.slow
def test_a_model_is_tried_switched_to_and_gone_back_from_by_one_command_each(site: Path) -> None:
    assert "running     lemon-2-" in model(site, "show")
    judged(site, "lemon-2-", "defective")
    model(site, "switch", "1")
    awaited(site, "running     lemon-1-")
    judged(site, "lemon-1-", "good")
    model(site, "shadow", "2")
    awaited(site, "beside it lemon-2-")
    assert "version 2 decides" in model(site, "switch", "2")
    awaited(site, "running     lemon-2-")
    judged(site, "lemon-2-", "defective")
    assert "version 1 decides" in model(site, "rollback")
    awaited(site, "running     lemon-1-")
    judged(site, "lemon-1-", "good")
    told = model(site, "show")
    assert "active    1" in told
    assert "previous  2" in told


def test_what_is_not_there_is_told_with_what_is_and_the_line_goes_on(site: Path) -> None:
    refused = ordered(site, "switch", "7")
    assert refused.returncode == 2
    assert "no version 7: there are 1, 2" in refused.stderr
    unknown = ordered(site, "show", "--line", "line-z")
    assert unknown.returncode == 2
    assert "no line is called 'line-z': there are line-a" in unknown.stderr
    assert "running     lemon-2-" in model(site, "show")


def judged(site: Path, by: str, verdict: Verdict) -> None:
    """From now on fruit that was well seen is judged so by this model, and with a score that says so."""
    outbox = site.parent / "edge" / OUTBOX_FILE
    before, ends_s = len(read_history(outbox)), time.monotonic() + PATIENCE_S
    while True:
        events = [wire.decode_event(row.body) for row in read_history(outbox)[before:]]
        told = [event for event in events if isinstance(event, Inspection) and event.model.startswith(by)]
        told = [event for event in told if event.views >= 3]
        if told:
            break
        assert time.monotonic() < ends_s, events
        time.sleep(0.2)
    assert {one.verdict for one in told} == {verdict}
    assert all(one.score is not None and (one.score < 0.4) is (verdict == "good") for one in told)


def model(site: Path, *order: str) -> str:
    """What the command says; it must do what it was asked for."""
    done = ordered(site, *order)
    assert done.returncode == 0, done.stderr
    return done.stdout


def ordered(site: Path, *order: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "truecount", "model", *order, "--config", str(site)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def awaited(site: Path, words: str) -> None:
    """`show` says so before long."""
    ends_s = time.monotonic() + PATIENCE_S
    while words not in (told := model(site, "show")):
        assert time.monotonic() < ends_s, told
        time.sleep(0.2)
