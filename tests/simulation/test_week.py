"""A simulated day through the real edge rules and the real ledger, as `truecount demo --headless --week` runs it."""

import json
from pathlib import Path

from typer.testing import CliRunner

import truecount

CONFIG = Path(truecount.__file__).parent / "configs" / "week.yaml"


def test_staff_who_work_the_exceptions_end_the_day_with_right_books(tmp_path):
    file = tmp_path / "report.json"
    options = ["--seed", "3", "--seeds", "1", "--days", "1", "--config", str(CONFIG), "--report", str(file)]
    done = CliRunner().invoke(truecount.app, ["demo", "--headless", "--week", *options])
    assert done.exit_code == 0, done.output

    report = json.loads(file.read_text())
    wrong = {name: told["wrong"] for name, told in report["figures"].items()}
    assert wrong["clerked"] <= 3
    assert wrong["clerked"] < wrong["alone"] < wrong["naive"]
    (week,) = report["weeks"]
    assert week["lost_events"] == 0
    assert all(0.4 < share <= 1 for share in week["reads"].values())
    assert report["directions"]["right"] > 20 * (report["directions"].get("wrong", 0) + 1)
    assert "Truecount with its staff" in done.output
