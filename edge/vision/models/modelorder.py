"""`truecount model`: which model a line uses, as a person asks for it on the command line."""

import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal, NamedTuple

from contract.site import Site
from contract.sortingline import SortingLine
from edge.errors import BadModel, EdgeError
from edge.vision import choice as choices
from edge.vision.choice import Choice, Running
from edge.vision.models import judges, manifest, package

Order = Literal["show", "shadow", "switch", "rollback"]


class Place(NamedTuple):
    """A line, where its agent keeps its data, and where its models lie."""

    line: SortingLine
    data: Path
    root: Path


def carried_out(site: Site, line: str | None, what: Order, version: int | None = None) -> list[str]:
    """What there is to say when it is done. `version`: to switch to, or to try (None: none). Raises EdgeError."""
    where = place(site, line)
    match what:
        case "show":
            return show(where)
        case "rollback":
            return [rollback(where)]
        case "shadow":
            return [shadow(where, version)]
        case "switch":
            assert version is not None
            return [switch(where, version)]


def place(site: Site, name: str | None) -> Place:
    """A line by its name, which may be left out where there is one only. Raises EdgeError."""
    names = [line.name for line in site.lines]
    if name is None and len(names) == 1:
        name = names[0]
    line = next((line for line in site.lines if line.name == name), None)
    if line is None:
        known = ", ".join(names) or "none"
        asked = "name a line with --line" if name is None else f"no line is called {name!r}"
        raise EdgeError(f"{asked}: there are {known}")
    agent = next(agent for agent in site.agents if agent.name == line.agent)
    return Place(line, agent.data, line.models or package.SHIPPED)


def show(where: Place) -> list[str]:
    """What is chosen, what runs, and what there is, in lines for people. Raises EdgeError."""
    versions = _versions(where)
    chosen, made = _chosen(where)
    words = [f"{where.line.name}: {where.line.crop}, models in {where.root}"]
    words.append(f"  active    {chosen.active}{'' if made else ' (the newest: nobody has chosen)'}")
    words.append(f"  shadow    {chosen.shadow or 'none'}")
    words.append(f"  previous  {chosen.previous or 'none'}")
    words += _running(where)
    words.append("versions")
    return words + [f"  {version:<9} {_described(where, version)}" for version in versions]


def switch(where: Place, version: int) -> str:
    """Let a version decide. Raises EdgeError: `BadModel` for one that is not there or cannot be loaded."""
    chosen, _ = _chosen(where)
    if version == chosen.active:
        _check(where, version)
        choices.write(choices.choice_file(where.data, where.line.name), chosen)
        return f"{where.line.name}: version {version} decides already; nothing changed"
    return _choose(where, choices.switched(chosen, version), version)


def rollback(where: Place) -> str:
    """Let the version before decide again. Raises EdgeError."""
    now = choices.rolled_back(_chosen(where)[0])
    return _choose(where, now, now.active)


def shadow(where: Place, version: int | None) -> str:
    """Try a version beside the one that decides; None: none any more. Raises EdgeError."""
    chosen, _ = _chosen(where)
    if version == chosen.shadow:
        told = "no version is tried" if version is None else f"version {version} is tried already"
        return f"{where.line.name}: {told}; nothing changed"
    return _choose(where, choices.shadowed(chosen, version), version)


def _choose(where: Place, now: Choice, version: int | None) -> str:
    if version is not None:
        _check(where, version)
    choices.write(choices.choice_file(where.data, where.line.name), now)
    beside = f"version {now.shadow} is tried beside it" if now.shadow else "none is tried beside it"
    back = f"; `truecount model rollback` goes back to {now.previous}" if now.previous else ""
    return f"{where.line.name}: version {now.active} decides, {beside}{back}"


def _check(where: Place, version: int) -> None:
    """Load it here: what cannot be loaded is not chosen."""
    judges.load(where.root, where.line.crop, where.line.backend, version)


def _chosen(where: Place) -> tuple[Choice, bool]:
    """What is chosen, and whether somebody chose it."""
    found = choices.read(choices.choice_file(where.data, where.line.name), Choice)
    return found or Choice(active=_versions(where)[-1]), found is not None


def _versions(where: Place) -> Sequence[int]:
    package.folder_of(where.root, where.line.crop)
    return package.packages(where.root)[where.line.crop]


def _running(where: Place) -> list[str]:
    path = choices.running_file(where.data, where.line.name)
    found, touched_s = choices.read(path, Running), choices.touched_s(path)
    if found is None or touched_s is None:
        return ["running     the line never ran here"]
    if abs(time.time() - touched_s) > choices.FRESH_S:
        return [f"running     the line does not run (it did at {datetime.fromtimestamp(touched_s, UTC):%F %T} UTC)"]
    beside = f", beside it {found.shadow}" if found.shadow else ""
    words = [f"running     {found.model or 'no model: every fruit is pushed off'}{beside}"]
    return words + ([f"  refused   {found.refused}"] if found.refused else [])


def _described(where: Place, version: int) -> str:
    try:
        told = manifest.read(package.folder_of(where.root, where.line.crop, version) / "manifest.toml")
    except BadModel as error:
        return f"cannot be used: {error}"
    return f"made {told.made}, {' and '.join(sorted(told.files))}"
