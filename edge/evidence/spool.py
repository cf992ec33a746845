"""Pictures of fruit that wait for the gateway: one file each, under a quota, in the agent's data folder.

    evidence/1790000000120000-2-line-a-5f0c-187.json      time, worth, id; the file is the message as it is sent

When the quota is full the oldest picture of the least worth goes: good fruit that was sampled, then what is unsure,
then what was rejected. A file is written whole and put in place by one rename.
"""

import contextlib
import os
import re
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import Final, NamedTuple

import structlog

from contract import wire
from contract.errors import BadMessage
from contract.wire import Evidence

_NAME: Final = re.compile(r"(\d{1,16})-(\d)-([a-z0-9-]{1,100})\.json")
_WORTH: Final = {"good": 0, "unsure": 1, "defective": 2}

log = structlog.get_logger(__name__)


class Waiting(NamedTuple):
    """One picture on the disk."""

    id: str
    worth: int
    """The higher, the later it goes."""
    at_us: int
    size: int

    @property
    def file(self) -> str:
        """Its name in the folder."""
        return f"{self.at_us:016d}-{self.worth}-{self.id}.json"


class Spool:
    """The pictures of one agent. Every method may be called from any thread; each may wait for the disk."""

    def __init__(self, folder: Path, quota_bytes: int) -> None:
        """Takes what an earlier life of the agent left in the folder. Raises OSError where it cannot be used."""
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._quota_bytes = quota_bytes
        self._lock = threading.Lock()
        self._waiting: dict[str, Waiting] = {}
        self._bytes = 0
        self.let_go = 0
        """Pictures that had to make room, since the start."""
        for found in sorted(_found(folder), key=lambda one: one.at_us):
            self._waiting[found.id] = found
            self._bytes += found.size
        with self._lock:
            self._make_room()

    @property
    def size(self) -> int:
        """Bytes on the disk."""
        return self._bytes

    @property
    def waiting(self) -> list[Waiting]:
        """What is to be sent, the oldest first."""
        with self._lock:
            return list(self._waiting.values())

    def put(self, evidence: Evidence) -> bool:
        """Keep a picture until the gateway has it; False where the quota has no room for one of so little worth.

        Raises OSError where the disk will not take it, and ValueError for one too large to be sent.
        """
        body = wire.encode(evidence)
        if len(body) > wire.MAX_EVIDENCE_BYTES:
            raise ValueError(f"picture {evidence.id} has {len(body)} bytes: at most {wire.MAX_EVIDENCE_BYTES}")
        one = Waiting(evidence.id, _WORTH.get(evidence.verdict or "", 0), evidence.at_us, len(body))
        draft = self._folder / f"{one.file}.new"
        with self._lock:
            self._forget(one.id)
            draft.write_bytes(body)
            os.replace(draft, self._folder / one.file)
            self._waiting[one.id] = one
            self._bytes += one.size
            self._make_room()
            return one.id in self._waiting

    def read(self, picture: str) -> bytes | None:
        """The message as it is sent; None where there is none, or its file has been damaged (then it goes)."""
        with self._lock:
            one = self._waiting.get(picture)
            if one is None:
                return None
            try:
                body = (self._folder / one.file).read_bytes()
                wire.decode_evidence(body)
            except (OSError, BadMessage) as error:
                log.warning("picture let go", picture=picture, error=str(error)[:200])
                self._forget(picture)
                return None
            return body

    def forget(self, pictures: Iterable[str]) -> None:
        """The gateway has these."""
        with self._lock:
            for picture in pictures:
                self._forget(picture)

    def _make_room(self) -> None:
        while self._bytes > self._quota_bytes:
            least = min(self._waiting.values(), key=lambda one: (one.worth, one.at_us))
            self._forget(least.id)
            self.let_go += 1

    def _forget(self, picture: str) -> None:
        one = self._waiting.pop(picture, None)
        if one is not None:
            self._bytes -= one.size
            with contextlib.suppress(OSError):
                (self._folder / one.file).unlink()


def _found(folder: Path) -> Iterable[Waiting]:
    """What lies in the folder; drafts that were never finished go."""
    for entry in os.scandir(folder):
        match = _NAME.fullmatch(entry.name)
        if match:
            yield Waiting(match[3], int(match[2]), int(match[1]), entry.stat().st_size)
        elif entry.name.endswith(".json.new"):
            with contextlib.suppress(OSError):
                os.unlink(entry.path)
