"""The proposal as YAML: the door's whole entry, to be put in the place of the one in the site file."""

from collections.abc import Callable
from io import StringIO
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.scalarstring import DoubleQuotedScalarString

from contract.portals import Door


def snippet(door: Door, remark: Callable[[str], str]) -> str:
    """A list of one door, with the keys that it was given and no defaults. `remark`: what to say of a static tag."""
    entry: dict[str, Any] = door.model_dump(mode="json", exclude_unset=True)
    entry["readers"] = [_on_one_line(reader) for reader in entry["readers"]]
    entry["title"] = _on_one_line(entry["title"])
    for key in ("rules", "photo_eyes", "gate"):
        if entry.get(key):
            entry[key] = _on_one_line(entry[key])
    if entry.get("static_tags"):
        entry["static_tags"] = _with_remarks(entry["static_tags"], remark)
    yaml = YAML()
    yaml.width = 1000
    yaml.indent(mapping=2, sequence=4, offset=2)
    text = StringIO()
    yaml.dump({"doors": [entry]}, text)
    return text.getvalue()


def _on_one_line(part: dict[str, Any]) -> CommentedMap:
    line = CommentedMap(
        {key: _on_one_line(value) if isinstance(value, dict) else _flat(value) for key, value in part.items()}
    )
    line.fa.set_flow_style()
    return line


def _flat(value: Any) -> Any:
    if not isinstance(value, list):
        return value
    items = CommentedSeq(value)
    items.fa.set_flow_style()
    return items


def _with_remarks(epcs: list[str], remark: Callable[[str], str]) -> CommentedSeq:
    """Quoted, because some EPCs would else be numbers."""
    items = CommentedSeq([DoubleQuotedScalarString(epc) for epc in epcs])
    for place, epc in enumerate(epcs):
        if said := remark(epc):
            items.yaml_add_eol_comment(said, place)
    return items
