"""What the agent wants of an inspector, taken off their socket by a thread."""

import threading
from collections import deque
from multiprocessing.connection import Connection
from typing import Final

import msgspec

from edge.vision.messages import Wanted

MAX_WANTED: Final = 1_000
"""Orders that wait; the oldest go first."""


class Inbox:
    """Orders in their sequence. `take` from one thread."""

    def __init__(self, link: Connection) -> None:
        self.ended = threading.Event()
        """The agent is gone, or we were told to end."""
        self._link = link
        self._wanted: deque[Wanted] = deque(maxlen=MAX_WANTED)
        self._thread = threading.Thread(target=self._run, name="inbox", daemon=True)

    def start(self) -> None:
        """Begin to listen."""
        self._thread.start()

    def take(self) -> Wanted | None:
        """The next order, if there is one."""
        return self._wanted.popleft() if self._wanted else None

    def _run(self) -> None:
        decoder: msgspec.msgpack.Decoder[Wanted] = msgspec.msgpack.Decoder(Wanted)
        try:
            while True:
                self._wanted.append(decoder.decode(self._link.recv_bytes()))
        except (OSError, EOFError):
            pass
        finally:
            self.ended.set()
