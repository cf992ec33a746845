"""Which model a line uses: chosen on the command line, noticed by the agent, gone back to by one command."""

import os
import shutil
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from visionmodels import edit, shipped

from contract.site import Site
from contract.site_file import load
from edge.errors import BadModel, EdgeError
from edge.vision import choice
from edge.vision.choice import Choice, ChosenModels, Running
from edge.vision.messages import UseModels
from edge.vision.models import modelorder

SITE = """
site: orchard
title: {{en: Orchard, zh: 果园}}
agents: [{{name: sorting-edge, data: {data}}}]
zones: [{{name: hall, title: {{en: Hall, zh: 大厅}}}}]
lines:
  - name: line-a
    title: {{en: Line A, zh: 甲线}}
    agent: sorting-edge
    crop: lemon
    models: {models}
    camera: {{kind: folder, name: camera-a, path: {data}}}
"""


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """One line, and three versions of the lemons' model, of which the third is cut off."""
    models = shipped(tmp_path / "models", {1: 0, 2: 0, 3: 0})
    cut_off(models, 3)
    file = tmp_path / "site.yaml"
    file.write_text(SITE.format(data=tmp_path / "edge", models=models), encoding="utf-8")
    return load(file)


def cut_off(models: Path, version: int) -> None:
    broken = models / "lemon" / str(version) / "int8.onnx"
    broken.write_bytes(broken.read_bytes()[:-1000])


def choose(site: Site, what: modelorder.Order, version: int | None = None) -> str:
    return "\n".join(modelorder.carried_out(site, "line-a", what, version))


def chosen(site: Site) -> Choice | None:
    return choice.read(choice.choice_file(site.agents[0].data, "line-a"), Choice)


def test_a_new_version_is_tried_then_decides_and_is_gone_back_from(site: Site) -> None:
    choose(site, "switch", 1)
    assert "version 2 is tried beside it" in choose(site, "shadow", 2)
    assert chosen(site) == Choice(active=1, shadow=2, previous=3)
    told = choose(site, "switch", 2)
    assert "version 2 decides, none is tried" in told
    assert "goes back to 1" in told
    assert chosen(site) == Choice(active=2, shadow=None, previous=1)
    assert "version 1 decides" in choose(site, "rollback")
    assert chosen(site) == Choice(active=1, shadow=None, previous=2)
    assert "version 2 decides" in choose(site, "rollback")


def test_the_agent_is_told_each_choice_once(site: Site) -> None:
    chooser = ChosenModels(site.agents[0].data, "line-a")
    assert chooser.poll() is None
    choose(site, "switch", 1)
    assert chooser.poll() == UseModels(1, None)
    assert chooser.poll() is None
    choose(site, "shadow", 2)
    assert chooser.poll() == UseModels(1, 2)
    choose(site, "switch", 2)
    choose(site, "rollback")
    assert chooser.poll() == UseModels(1, None)
    assert chooser.poll() is None
    assert ChosenModels(site.agents[0].data, "line-a").poll() == UseModels(1, None)


def test_a_version_that_decides_already_is_said_to_and_nothing_changes(site: Site) -> None:
    choose(site, "switch", 1)
    choose(site, "shadow", 2)
    assert "decides already; nothing changed" in choose(site, "switch", 1)
    assert "tried already; nothing changed" in choose(site, "shadow", 2)
    with pytest.raises(EdgeError, match="cannot be tried beside itself"):
        choose(site, "shadow", 1)
    assert chosen(site) == Choice(active=1, shadow=2, previous=3)
    assert "none is tried" in choose(site, "shadow", None)


def test_what_is_not_there_or_cannot_be_loaded_is_not_chosen(site: Site) -> None:
    choose(site, "switch", 1)
    with pytest.raises(BadModel, match=r"no version 9: there are 1, 2, 3"):
        choose(site, "switch", 9)
    with pytest.raises(BadModel, match=r"lemon/3/int8\.onnx.*cut off or changed"):
        choose(site, "switch", 3)
    with pytest.raises(BadModel, match=r"no version 7"):
        choose(site, "shadow", 7)
    with pytest.raises(BadModel, match=r"lemon/3/int8\.onnx"):
        choose(site, "rollback")
    assert chosen(site) == Choice(active=1, shadow=None, previous=3)


def test_a_rollback_is_one_command_whatever_became_of_the_others(site: Site, tmp_path: Path) -> None:
    choose(site, "switch", 1)
    choose(site, "switch", 2)
    shutil.copytree(tmp_path / "models" / "lemon" / "1", tmp_path / "models" / "lemon" / "4")
    edit(tmp_path / "models" / "lemon" / "4", "^version = 1$", "version = 4")
    choose(site, "shadow", 4)
    cut_off(tmp_path / "models", 4)
    cut_off(tmp_path / "models", 2)
    assert "version 1 decides" in choose(site, "rollback")
    assert chosen(site) == Choice(active=1, shadow=4, previous=2)


def test_without_a_choice_the_newest_decides_and_there_is_nothing_to_go_back_to(site: Site) -> None:
    assert "active    3 (the newest: nobody has chosen)" in choose(site, "show")
    with pytest.raises(EdgeError, match="no version to go back to"):
        choose(site, "rollback")


def test_show_tells_what_is_chosen_what_runs_and_what_there_is(site: Site) -> None:
    choose(site, "switch", 1)
    choose(site, "shadow", 2)
    assert "the line never ran here" in choose(site, "show")
    running = choice.running_file(site.agents[0].data, "line-a")
    choice.write(running, Running(model="lemon-1-int8-00000000", refused="no version 8"))
    told = choose(site, "show")
    assert "active    1" in told
    assert "shadow    2" in told
    assert "previous  3" in told
    assert "lemon-1-int8-00000000" in told
    assert "no version 8" in told
    assert told.count("made 2") == 3
    os.utime(running, (1_700_000_000, 1_700_000_000))
    assert "the line does not run (it did at 2023-11-14" in choose(site, "show")


def test_a_line_that_is_not_there_is_named_with_those_that_are(site: Site) -> None:
    with pytest.raises(EdgeError, match=r"no line is called 'line-b': there are line-a"):
        modelorder.carried_out(site, "line-b", "show")
    assert modelorder.carried_out(site, None, "show")


@given(garbage=st.binary(max_size=300))
def test_a_file_that_is_no_choice_changes_nothing_and_is_named(
    tmp_path_factory: pytest.TempPathFactory, garbage: bytes
) -> None:
    data = tmp_path_factory.mktemp("edge")
    path = choice.choice_file(data, "line-a")
    choice.write(path, Choice(active=4))
    chooser = ChosenModels(data, "line-a")
    assert chooser.poll() == UseModels(4, None)
    path.write_bytes(garbage)
    try:
        msgspec.json.decode(garbage, type=Choice)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        with pytest.raises(EdgeError, match=r"line-a\.json"):
            choice.read(path, Choice)
        assert chooser.poll() is None
    choice.write(path, Choice(active=5))
    assert chooser.poll() == UseModels(5, None)


def test_a_choice_that_could_not_be_read_is_read_again_and_known_from_then_on(tmp_path: Path) -> None:
    path = choice.choice_file(tmp_path, "line-a")
    choice.write(path, Choice(active=4, shadow=5))
    whole, written = path.read_bytes(), path.stat()
    path.write_bytes(b"?" * len(whole))
    os.utime(path, ns=(written.st_atime_ns, written.st_mtime_ns))
    chooser = ChosenModels(tmp_path, "line-a")
    assert chooser.poll() is chooser.last is None
    path.write_bytes(whole)
    os.utime(path, ns=(written.st_atime_ns, written.st_mtime_ns))
    assert chooser.poll() == UseModels(4, 5)
    assert chooser.poll() is None
    assert chooser.last == UseModels(4, 5)


def test_who_reads_while_it_is_written_sees_the_old_or_the_new(tmp_path: Path) -> None:
    path = choice.choice_file(tmp_path, "line-a")
    choice.write(path, Choice(active=1))
    with path.open("rb") as before:
        choice.write(path, Choice(active=2, previous=1))
        assert msgspec.json.decode(before.read(), type=Choice) == Choice(active=1)
    assert choice.read(path, Choice) == Choice(active=2, previous=1)
    assert [file.name for file in path.parent.iterdir()] == ["line-a.json"]
