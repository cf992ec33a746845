"""The schema that docs/influx.md tells people, as a test can ask it."""

import re
from pathlib import Path
from typing import NamedTuple

DOC = Path(__file__).parent.parent / "docs" / "influx.md"
_TYPES = {"i": int, "f": float, "s": str, "b": bool}
EVERYWHERE = {"level", "exception", "log"}
"""Measurements without `agent` and `log_id`."""


class Documented(NamedTuple):
    """One measurement."""

    tags: frozenset[str]
    fields: dict[str, type]

    def knows(self, field: str) -> bool:
        """Whether there is such a field; a count of a device is one of any name."""
        return field in self.fields or ("n_NAME" in self.fields and re.fullmatch(r"n_[a-z0-9_]+", field) is not None)


def documented() -> dict[str, Documented]:
    """Every measurement by its name."""
    found: dict[str, Documented] = {}
    table = DOC.read_text().split("## Measurements")[1].split("## Cardinality")[0]
    for line in table.splitlines():
        if not line.startswith("| `"):
            continue
        names, tags, fields = line.split("|")[1:4]
        for name in re.findall(r"`(\w+)`", names):
            own = name not in EVERYWHERE
            found[name] = Documented(
                frozenset(re.findall(r"`(\w+)`", tags)) | {"site"} | ({"agent"} if own else set()),
                {field: _TYPES[kind] for field, kind in re.findall(r"`(\w+)` ([ifsb])\b", fields)}
                | ({"log_id": int} if own else {}),
            )
    return found


def statements_of_1x() -> list[str]:
    """The commands for retention and downsampling of 1.x."""
    block = DOC.read_text().split("### 1.x")[1].split("```sql\n")[1].split("```")[0]
    return block.strip().splitlines()
