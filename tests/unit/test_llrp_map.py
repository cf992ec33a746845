"""The map of edge/llrp, in its docstring, is that of its files, and reads from the top down."""

import ast
import re
from pathlib import Path

import edge.llrp

FOLDER = Path(edge.llrp.__file__).parent
FILES = {file.stem for file in FOLDER.glob("*.py")} - {"__init__"}
_ENTRY = re.compile(r"(?:^ {6}|  )([a-z]+)(?=  )")


def places() -> dict[str, int]:
    """The line of each file's name on the map; entries stand in columns, two spaces and more apart."""
    lines = (edge.llrp.__doc__ or "").splitlines()
    entries = [(name, number) for number, line in enumerate(lines) for name in _ENTRY.findall(line)]
    return dict(reversed(entries))


def imported(file: str) -> set[str]:
    tree = ast.parse((FOLDER / f"{file}.py").read_text(encoding="utf-8"))
    froms = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    named = {node.module.removeprefix("edge.llrp.") for node in froms if node.module and "edge.llrp." in node.module}
    return named | {name.name for node in froms if node.module == "edge.llrp" for name in node.names}


def test_every_file_is_on_the_map_and_nothing_else() -> None:
    assert places().keys() == FILES


def test_each_file_imports_only_from_below() -> None:
    line = places()
    upward = [(file, other) for file in sorted(FILES) for other in imported(file) if line[other] <= line[file]]
    assert upward == []
