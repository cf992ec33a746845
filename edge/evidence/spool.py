"""Pictures of fruit that wait for the gateway: one file each, under a quota, in the agent's data folder.

    evidence/1790000000120000-2-line-a-5f0c-187.json      time, worth, id; the file is the message as it is sent

When the quota is full the oldest picture of the least worth goes: good fruit that was sampled, then what is unsure,
then what was rejected. A file is written whole and put in place by one rename.
"""

import contextlib
import os
import re
import threading
from collections import OrderedDict
from collections.abc import Iterable
from pathlib import Path
from typing import Final, NamedTuple

import structlog

from contract import wire
from contract.errors import BadMessage
from contract.wire import Evidence
from edge import drafts

_NAME: Final = re.compile(r"(\d{1,16})-([0-2])-([a-z0-9-]{1,100})\.json")
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
    """The pictures of one agent. Every method may be called from any thread, and may wait for the disk and for the
    others; none takes longer for all that waits. The attributes and properties wait for nothing."""

    def __init__(self, folder: Path, quota_bytes: int) -> None:
        """Takes what an earlier life of the agent left in the folder. Raises OSError where it cannot be used."""
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._quota_bytes = quota_bytes
        self._lock = threading.Lock()
        self._waiting: dict[str, Waiting] = {}
        self._by_worth = {worth: OrderedDict[str, None]() for worth in sorted(_WORTH.values())}
        """Of each worth, the oldest first."""
        self._bytes = 0
        self.let_go = 0
        """Pictures that had to make room, since the start."""
        with self._lock:
            for found in sorted(_found(folder), key=lambda one: one.at_us):
                self._forget(found.id)
                self._add(found)
            self._make_room()

    @property
    def size(self) -> int:
        """Bytes on the disk."""
        return self._bytes

    @property
    def count(self) -> int:
        """Pictures that wait."""
        return len(self._waiting)

    def waiting(self) -> list[Waiting]:
        """What is to be sent, the oldest first."""
        with self._lock:
            return list(self._waiting.values())

    def put(self, evidence: Evidence) -> list[str]:
        """Keep a picture until the gateway has it; the ids of those that had to make room, which may be its own.

        Raises OSError where the disk will not take it, and ValueError for one too large to be sent.
        """
        body = wire.encode(evidence)
        if len(body) > wire.MAX_EVIDENCE_BYTES:
            raise ValueError(f"picture {evidence.id} has {len(body)} bytes: at most {wire.MAX_EVIDENCE_BYTES}")
        one = Waiting(evidence.id, _WORTH.get(evidence.verdict or "", 0), evidence.at_us, len(body))
        with self._lock:
            self._forget(one.id)
            drafts.replace_file(self._folder / one.file, body, durable=False)
            self._add(one)
            return self._make_room()

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

    def _make_room(self) -> list[str]:
        gone: list[str] = []
        while self._bytes > self._quota_bytes:
            least = next(alike for alike in self._by_worth.values() if alike)
            gone.append(next(iter(least)))
            self._forget(gone[-1])
        self.let_go += len(gone)
        return gone

    def _add(self, one: Waiting) -> None:
        self._waiting[one.id] = one
        self._by_worth[one.worth][one.id] = None
        self._bytes += one.size

    def _forget(self, picture: str) -> None:
        one = self._waiting.pop(picture, None)
        if one is not None:
            del self._by_worth[one.worth][picture]
            self._bytes -= one.size
            with contextlib.suppress(OSError):
                (self._folder / one.file).unlink()


def _found(folder: Path) -> Iterable[Waiting]:
    """What lies in the folder; drafts that were never finished go."""
    for entry in os.scandir(folder):
        match = _NAME.fullmatch(entry.name)
        if match:
            yield Waiting(match[3], int(match[2]), int(match[1]), entry.stat().st_size)
        elif entry.name.endswith(drafts.SUFFIX):
            with contextlib.suppress(OSError):
                os.unlink(entry.path)
