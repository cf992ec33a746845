"""Points that a history can never keep, put aside for people. The log still has the rows that they came from."""

from collections.abc import Sequence
from pathlib import Path

import msgspec
import structlog

from gateway.history.line import Lines
from gateway.history.words import Refused

MAX_BYTES = 16 * 1024 * 1024
"""The file stops growing there; what comes after is only counted and logged."""

_log = structlog.get_logger("gateway.history")


class RefusedPoints:
    """A file of JSON lines: {"reason", "line", "point"}, with the line as it was sent."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.count = 0

    def put(self, refused: Sequence[Refused]) -> None:
        """Put points aside."""
        self.count += len(refused)
        _log.error("the history refuses points", count=len(refused), reason=refused[0].reason, kept_in=str(self._path))
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._path.open("ab") as file:
            for point, reason in refused:
                if file.tell() < MAX_BYTES:
                    line = Lines().encode([point]).decode()
                    file.write(msgspec.json.encode({"reason": reason, "line": line, "point": point}) + b"\n")
