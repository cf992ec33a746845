"""The hash chain of the log: each row is hashed with the hash of all rows before it, so that none can be changed, left
out or put in afterwards without every later hash being another one."""

import hashlib
from collections.abc import Iterable
from typing import Final

from gateway.records import LogRow

BEGINNING: Final = bytes(32)
"""The hash before the first row."""


def after(head: bytes, rows: Iterable[LogRow]) -> bytes:
    """SHA-256 of the log once these rows follow what `head` is the hash of."""
    sha256 = hashlib.sha256
    for row in rows:
        words = f"{row.id} {row.agent} {row.epoch} {row.seq} {row.kind} {row.at_us} {row.decided_us} {row.recorded_us} "
        head = sha256(head + words.encode() + row.body).digest()
    return head
