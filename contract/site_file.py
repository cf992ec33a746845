"""The site file: YAML in, a `Site` out, or every mistake at once.

Each mistake has its line and column, what was expected and the nearest known key.
"""

import difflib
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.reader import ReaderError

from contract.errors import BadSiteFile, Mistake
from contract.gate_registers import gate_mistakes
from contract.site import Site

Location = tuple[int | str, ...]

MAX_BYTES = 1024 * 1024
MAX_OPEN = 64
"""Brackets open at once; a site file needs four."""
MAX_NODES = 100_000
"""Values of a file with every alias replaced by what it stands for. A thousand SKUs are nine thousand."""

_NOT_YAML = (YAMLError, RecursionError, ValueError, LookupError, TypeError, AttributeError)
"""ruamel.yaml's scalar constructors answer some garbage (`.` with the tag of a float, say) with Python's own errors."""


def load(path: Path) -> Site:
    """Read and check a site file; raises `BadSiteFile` with every mistake, or OSError."""
    with path.open("rb") as file:
        return parse(file.read(MAX_BYTES + 1), str(path))


def parse(data: bytes, source: str) -> Site:
    """Check the bytes of a site file; `source` names it in errors. Raises `BadSiteFile`."""
    if len(data) > MAX_BYTES:
        raise BadSiteFile([Mistake(source, 1, 1, f"longer than {MAX_BYTES} bytes: no site file")])
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise BadSiteFile([_mistake_at(source, data[: error.start].decode(), f"not UTF-8: {error.reason}")]) from error
    _check_depth(text, source)
    tree = _tree(text, source)
    if not isinstance(tree, Mapping):
        raise BadSiteFile([Mistake(source, 1, 1, "expected a mapping with the keys of a site file")])
    if _size(tree, {}) > MAX_NODES:
        raise BadSiteFile([Mistake(source, 1, 1, f"more than {MAX_NODES} values once its aliases are replaced")])
    try:
        site = Site.model_validate(tree)
    except ValidationError as error:
        raise BadSiteFile(sorted(_mistakes(error, tree, source))) from error
    dangling = sorted(_dangling(site, tree, source))
    if dangling:
        raise BadSiteFile(dangling)
    return site


def _check_depth(text: str, source: str) -> None:
    """Refuse what nests too deeply, before the parser works on it for minutes."""
    depth = 0
    for bracket in re.finditer(r"[\[{]|[\]}]", text):
        depth = depth + 1 if bracket[0] in "[{" else max(0, depth - 1)
        if depth > MAX_OPEN:
            raise BadSiteFile([_mistake_at(source, text[: bracket.start()], f"more than {MAX_OPEN} brackets are open")])


def _mistake_at(source: str, before: str, words: str) -> Mistake:
    """A mistake that stands behind this text."""
    return Mistake(source, before.count("\n") + 1, len(before) - before.rfind("\n"), words)


def _tree(text: str, source: str) -> Any:
    try:
        return YAML(typ="rt").load(text)
    except ReaderError as error:
        words = f"not YAML: {error.reason} (#x{error.character:04x})"
        raise BadSiteFile([_mistake_at(source, text[: error.position], words)]) from error
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        raise BadSiteFile([Mistake(source, line, column, f"not YAML: {error.problem}")]) from error
    except _NOT_YAML as error:
        raise BadSiteFile([Mistake(source, 1, 1, f"not YAML: {error}")]) from error


def _size(tree: Any, known: dict[int, int]) -> int:
    """Values in a tree, those behind an alias once for each use; a tree that holds itself is larger than allowed."""
    if not isinstance(tree, Mapping | list):
        return 1
    if id(tree) not in known:
        known[id(tree)] = MAX_NODES + 1
        known[id(tree)] = 1 + sum(_size(one, known) for one in (tree.values() if isinstance(tree, Mapping) else tree))
    return known[id(tree)]


def _mistakes(error: ValidationError, tree: Any, source: str) -> Iterator[Mistake]:
    schema = Site.model_json_schema()
    for problem in error.errors(include_url=False):
        location = _present(tree, problem["loc"])
        text = _expectation(problem["type"], problem["msg"], problem["loc"], schema)
        yield Mistake(source, *_position(tree, location, at_key=problem["type"] == "extra_forbidden"), text)


def _expectation(kind: str, message: str, location: Location, schema: dict[str, Any]) -> str:
    place = ".".join(str(part) for part in location)
    known = sorted(_known_keys(schema, location[:-1]))
    if kind == "extra_forbidden":
        near = difflib.get_close_matches(str(location[-1]), known, n=1, cutoff=0.5)
        advice = f"did you mean {near[0]!r}?" if near else f"known keys: {', '.join(known)}"
        return f"unknown key {place!r}: {advice}"
    if kind == "missing":
        return f"missing key {place!r}"
    return f"{place}: {message[0].lower()}{message[1:]}"


def _known_keys(schema: dict[str, Any], location: Location) -> set[str]:
    """Property names that the JSON schema knows at a location (a union's tag is a part of the location, too)."""
    nodes = [schema]
    for part in location:
        resolved = [leaf for node in nodes for leaf in _leaves(node, schema)]
        below = [leaf["items"] for leaf in resolved if isinstance(part, int) and "items" in leaf]
        below += [leaf["properties"][part] for leaf in resolved if part in leaf.get("properties", {})]
        nodes = below or nodes
    return {key for node in nodes for leaf in _leaves(node, schema) for key in leaf.get("properties", {})}


def _leaves(node: dict[str, Any], root: dict[str, Any]) -> Iterator[dict[str, Any]]:
    if "$ref" in node:
        yield from _leaves(root["$defs"][node["$ref"].rsplit("/", 1)[1]], root)
    elif options := node.get("anyOf") or node.get("oneOf") or node.get("allOf"):
        for option in options:
            yield from _leaves(option, root)
    else:
        yield node


def _present(tree: Any, location: Location) -> Location:
    """The part of a pydantic location that the file holds (union tags and missing keys left out)."""
    held: list[int | str] = []
    for part in location:
        if isinstance(tree, Mapping) and part in tree:
            tree = tree[part]
        elif isinstance(tree, Sequence) and not isinstance(tree, str) and isinstance(part, int) and part < len(tree):
            tree = tree[part]
        else:
            continue
        held.append(part)
    return tuple(held)


def _position(tree: Any, location: Location, *, at_key: bool) -> tuple[int, int]:
    """Line and column, both from 1, of a place that the file holds."""
    line, column = tree.lc.line, tree.lc.col
    for depth, part in enumerate(location):
        last = depth == len(location) - 1
        if isinstance(tree, Mapping):
            line, column = tree.lc.key(part) if at_key and last else tree.lc.value(part)  # type: ignore[attr-defined]
        else:
            line, column = tree.lc.item(part)
        tree = tree[part]
    return line + 1, column + 1


def _dangling(site: Site, tree: Any, source: str) -> Iterator[Mistake]:
    """Names that stand for nothing, and names that stand for two things."""
    registers = [register.name for device in site.modbus for register in device.registers]
    names = {
        "zone": [zone.name for zone in site.zones],
        "agent": [agent.name for agent in site.agents],
        "photo-eye register": registers,
        "door": [door.name for door in site.doors],
        "Modbus device": [device.name for device in site.modbus],
        "register": registers,
    }
    uses: list[tuple[str, str | None, Location]] = []
    for i, door in enumerate(site.doors):
        uses += [
            ("agent", door.agent, ("doors", i, "agent")),
            ("zone", door.inside, ("doors", i, "inside")),
            ("zone", door.outside, ("doors", i, "outside")),
        ]
        if door.photo_eyes:
            uses.append(("photo-eye register", door.photo_eyes.outer, ("doors", i, "photo_eyes", "outer")))
            uses.append(("photo-eye register", door.photo_eyes.inner, ("doors", i, "photo_eyes", "inner")))
        uses += [("door", name, ("doors", i, "beside", j)) for j, name in enumerate(door.beside)]
    for i, reader in enumerate(site.zone_readers):
        uses.append(("agent", reader.agent, ("zone_readers", i, "agent")))
        uses += [("zone", zone, ("zone_readers", i, "zones", antenna)) for antenna, zone in reader.zones.items()]
    uses += [("zone", zone.parent, ("zones", i, "parent")) for i, zone in enumerate(site.zones)]
    for i, device in enumerate(site.modbus):
        uses.append(("agent", device.agent, ("modbus", i, "agent")))
        uses += [
            ("zone", register.zone, ("modbus", i, "registers", j, "zone"))
            for j, register in enumerate(device.registers)
        ]
    for i, line in enumerate(site.lines):
        uses.append(("agent", line.agent, ("lines", i, "agent")))
        if gate := line.gate:
            uses.append(("Modbus device", gate.modbus, ("lines", i, "gate", "modbus")))
            uses += [
                ("register", getattr(gate, key), ("lines", i, "gate", key))
                for key in ("eye_count", "encoder", "pass_coils")
            ]
    for what, name, location in uses:
        if name is not None and name not in names[what]:
            near = difflib.get_close_matches(name, names[what], n=1)
            advice = f"did you mean {near[0]!r}?" if near else f"there are: {', '.join(names[what]) or 'none'}"
            text = f"{'.'.join(map(str, location))}: no {what} is called {name!r}: {advice}"
            yield Mistake(source, *_position(tree, location, at_key=False), text)
    yield from _apart(site, tree, source)
    for location, text in gate_mistakes(site):
        yield Mistake(source, *_position(tree, _present(tree, location), at_key=False), text)
    yield from _doubles(site, tree, source, registers)


def _apart(site: Site, tree: Any, source: str) -> Iterator[Mistake]:
    """Doors side by side of different agents: neither would know what the other hears."""
    agents = {door.name: door.agent for door in site.doors}
    for i, door in enumerate(site.doors):
        for j, name in enumerate(door.beside):
            if name == door.name or agents.get(name, door.agent) != door.agent:
                text = f"doors.{i}.beside.{j}: {name!r} must be another door of the same agent, {door.agent!r}"
                yield Mistake(source, *_position(tree, ("doors", i, "beside", j), at_key=False), text)


def _doubles(site: Site, tree: Any, source: str, registers: list[str]) -> Iterator[Mistake]:
    readers = [reader.name for door in site.doors for reader in door.readers]
    readers += [reader.name for reader in site.zone_readers]
    groups = {
        "zones": [zone.name for zone in site.zones],
        "agents": [agent.name for agent in site.agents],
        "doors": [door.name for door in site.doors],
        "items": [item.sku for item in site.items],
        "lines": [line.name for line in site.lines] + [line.camera.name for line in site.lines],
        "modbus": [device.name for device in site.modbus] + registers,
    }
    for key, names in groups.items():
        for name in sorted({name for name in names if names.count(name) > 1}):
            yield Mistake(source, *_position(tree, (key,), at_key=True), f"{key}: {name!r} stands for two things")
    for name in sorted({name for name in readers if readers.count(name) > 1}):
        key = "doors" if "doors" in tree else "zone_readers"
        yield Mistake(source, *_position(tree, (key,), at_key=True), f"{key}: reader {name!r} stands twice")
