"""The dashboards ask only for what there is, and a real InfluxDB that holds it answers every one of their questions."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import everykind
import pytest
from influx import Influxd
from influxwords import documented, statements_of_1x
from ruamel.yaml import YAML

from contract.site import InfluxHistory
from gateway.history.influxlink import InfluxLink
from gateway.history.line import Lines

FOLDER = Path(__file__).parents[2] / "configs" / "grafana"
DASHBOARDS = sorted((FOLDER / "dashboards").glob("*.json"))
KNOWN = documented()
_FROM = re.compile(r'FROM ("\w+"(?:, "\w+")*)')


class Question(NamedTuple):
    """One query of a dashboard, and the name of its lines."""

    text: str
    alias: str = ""

    @property
    def measurements(self) -> list[str]:
        """What it asks."""
        match = _FROM.search(self.text)
        assert match, self.text
        return re.findall(r'"(\w+)"', match[1])

    def filled(self) -> str:
        """As Grafana would send it, with everything chosen."""
        since_us, until_us = everykind.AT_US - 3_600_000_000, everykind.AT_US + 3_600_000_000
        text = self.text.replace("$timeFilter", f"time >= {since_us}u AND time <= {until_us}u")
        text = text.replace("$__interval", "10m").replace("/^$site$/", "/^north$/")
        return re.sub(r"/\^\$\w+\$/", "/^.*$/", text)


def panels(path: Path) -> list[dict[str, Any]]:
    return list(json.loads(path.read_text())["panels"])


def variables(path: Path) -> dict[str, Question]:
    return {one["name"]: Question(one["query"]) for one in json.loads(path.read_text())["templating"]["list"]}


def questions(path: Path) -> Iterator[Question]:
    for panel in panels(path):
        for target in panel["targets"]:
            yield Question(target["query"], target.get("alias", ""))


@pytest.mark.parametrize("path", DASHBOARDS, ids=lambda path: path.stem)
def test_every_query_names_what_the_documentation_has(path: Path) -> None:
    for name, variable in variables(path).items():
        assert f'KEY = "{name}"' in variable.text
        assert all(name in KNOWN[one].tags for one in variable.measurements), name
    for question in questions(path):
        for measurement in question.measurements:
            known = KNOWN[measurement]
            select, rest = question.text.split(" FROM ", 1)
            where, _, group = rest.partition(" GROUP BY ")
            for column in re.findall(r'(?<!AS )"(\w+)"', select):
                assert known.knows(column) or column in known.tags, (measurement, column)
            assert set(re.findall(r'"(\w+)" =', where)) <= known.tags, question.text
            assert set(re.findall(r'"(\w+)"', group)) <= known.tags, question.text
            assert set(re.findall(r"\$tag_(\w+)", question.alias)) <= set(re.findall(r'"(\w+)"', group))
        used = set(re.findall(r"\^\$(\w+)\$", question.text))
        assert "site" in used <= set(variables(path)), question.text


@pytest.mark.parametrize("path", DASHBOARDS, ids=lambda path: path.stem)
def test_panels_have_their_place_and_their_source(path: Path) -> None:
    source = YAML(typ="safe").load(FOLDER / "provisioning" / "datasources" / "truecount.yaml")["datasources"][0]
    taken: set[tuple[int, int]] = set()
    for panel in panels(path):
        place = panel["gridPos"]
        cells = {(place["x"] + x, place["y"] + y) for x in range(place["w"]) for y in range(place["h"])}
        assert not cells & taken, panel["title"]
        assert max(x for x, _ in cells) < 24
        taken |= cells
        assert {panel["datasource"]["uid"], *(one["datasource"]["uid"] for one in panel["targets"])} == {source["uid"]}
        assert {panel["datasource"]["type"]} == {source["type"]}
    assert len({panel["id"] for panel in panels(path)}) == len(panels(path))


@pytest.fixture(scope="module")
def full(influxd: Influxd) -> Iterator[InfluxLink]:
    """A database that holds a point of every kind, with every word that it may have."""
    link = InfluxLink(InfluxHistory(kind="influx", url=influxd.url, database="dashboards"))
    assert link.order("CREATE DATABASE dashboards") is None
    link.write(Lines().encode(everykind.points()))
    yield link
    link.close()


@pytest.mark.parametrize("path", DASHBOARDS, ids=lambda path: path.stem)
def test_influx_answers_every_query(full: InfluxLink, path: Path) -> None:
    for question in (*variables(path).values(), *questions(path)):
        found = full.ask(question.filled())
        # one point of a counter is no rate yet
        assert found or "derivative" in question.text, question.filled()


def test_the_commands_of_the_documentation_work(influxd: Influxd) -> None:
    """Retention and downsampling of 1.x, as docs/influx.md tells them."""
    link = InfluxLink(InfluxHistory(kind="influx", url=influxd.url, database="truecount"))
    assert link.order("CREATE DATABASE truecount") is None
    assert link.order("CREATE RETENTION POLICY charts ON truecount DURATION 3650d REPLICATION 1 DEFAULT") is None
    link.write(Lines().encode(everykind.points()))
    for statement in statements_of_1x():
        assert link.order(statement) is None, statement
    thinned = [re.search(r"BEGIN (.*) END", one) for one in statements_of_1x()]
    queries = [match[1] for match in thinned if match]
    assert len(queries) == 5
    for query in queries:
        day = f"time >= {everykind.AT_US - 3_600_000_000}u AND time < {everykind.AT_US + 86_400_000_000}u"
        assert link.order(query.replace("GROUP BY", f"WHERE {day} GROUP BY")) is None
        match = re.search(r'"long"\."(\w+)" FROM', query)
        assert match
        assert link.ask(f'SELECT * FROM "long"."{match[1]}"'), query
    kept = [series.values for series in link.ask("SHOW CONTINUOUS QUERIES") if series.name == "truecount"]
    assert len(kept[0]) == 5
    link.close()
