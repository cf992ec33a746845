"""Which models a line shall use: a small file that `truecount model` writes and the running agent notices.

{agent.data}/vision/{line}.json           Choice: what a person chose; written by the command alone
{agent.data}/vision/{line}.running.json   Running: what judges now; written by the line's inspector alone

Both are replaced as a whole: who reads one sees the old or the new, never half of it. Without a choice the newest
version decides.
"""

from pathlib import Path
from typing import Final, TypeVar

import msgspec
import structlog
from msgspec import Struct

from edge.drafts import replace_file
from edge.errors import EdgeError
from edge.vision.messages import UseModels

FRESH_S: Final = 20.0
"""An inspector that has not touched its file for so long does not run; it does so every few seconds."""
MAX_BYTES: Final = 64 * 1024

T = TypeVar("T", bound=Struct)

log = structlog.get_logger(__name__)


class Choice(Struct, frozen=True, kw_only=True):
    """Versions of the line's crop."""

    active: int
    """Decides."""
    shadow: int | None = None
    """Is tried beside it."""
    previous: int | None = None
    """Decided before; a rollback goes back to it."""


class Running(Struct, frozen=True, kw_only=True):
    """What a line's inspector uses."""

    model: str
    """NAME-VERSION-BACKEND-HASH; empty when there is none."""
    shadow: str | None = None
    refused: str = ""
    """Why what was asked for last is not used."""


def choice_file(data: Path, line: str) -> Path:
    """Of a line whose agent has this data folder."""
    return data / "vision" / f"{line}.json"


def running_file(data: Path, line: str) -> Path:
    """The same, of what runs."""
    return data / "vision" / f"{line}.running.json"


def read(path: Path, kind: type[T]) -> T | None:
    """A `Choice` or `Running`; None when there is no file. Raises EdgeError, which names the file, when it is none."""
    try:
        data = path.read_bytes()
        if len(data) > MAX_BYTES:
            raise EdgeError(f"{path}: {len(data)} bytes: no file of ours; delete it")
        return msgspec.json.decode(data, type=kind)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise EdgeError(f"{path}: cannot be read: {error.strerror}") from error
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise EdgeError(f"{path}: {error}; delete it, and choose the models again") from error


def write(path: Path, what: Choice | Running, *, durable: bool = True) -> None:
    """Replace the file; `durable`: wait until it is on the disk. Raises EdgeError."""
    try:
        replace_file(path, msgspec.json.encode(what) + b"\n", durable=durable)
    except OSError as error:
        raise EdgeError(f"{path}: cannot be written: {error.strerror}") from error


def touched_s(path: Path) -> float | None:
    """When the file was last written or touched, seconds since 1970; None when there is none."""
    try:
        return path.stat().st_mtime
    except OSError:
        return None


def switched(choice: Choice, version: int) -> Choice:
    """Let this version decide; the one that did can be gone back to. A shadow that now decides is one no more."""
    if version == choice.active:
        return choice
    shadow = None if choice.shadow == version else choice.shadow
    return Choice(active=version, shadow=shadow, previous=choice.active)


def rolled_back(choice: Choice) -> Choice:
    """Let the version before decide again. Raises EdgeError when there was none."""
    if choice.previous is None:
        raise EdgeError("there is no version to go back to: none was switched since the line was set up")
    return switched(choice, choice.previous)


def shadowed(choice: Choice, version: int | None) -> Choice:
    """Try this version beside the one that decides; None: none. Raises EdgeError for the one that decides."""
    if version == choice.active:
        raise EdgeError(f"version {version} decides already: it cannot be tried beside itself")
    return Choice(active=choice.active, shadow=version, previous=choice.previous)


class ChosenModels:
    """The choice of one line, as the running agent follows it."""

    def __init__(self, data: Path, line: str) -> None:
        """`data`: the agent's data folder."""
        self._path = choice_file(data, line)
        self._line = line
        self._stamp: tuple[int, int, int] | None = None
        self._unread = ""
        self.last: UseModels | None = None
        """What was chosen, as far as it is known."""

    def poll(self) -> UseModels | None:
        """What a person has chosen, if it is something new since the last time; the first time, if there is a choice.

        Cheap, but it touches the disk. A file that cannot be read is told in the log, once, and changes nothing; it is
        read again the next time.
        """
        stamp = self._stamped()
        if stamp == self._stamp:
            return None
        try:
            choice = read(self._path, Choice)
        except EdgeError as error:
            self._tell_unread(str(error))
            return None
        self._stamp, self._unread = stamp, ""
        if choice is None:
            return None
        wanted = UseModels(choice.active, choice.shadow)
        if wanted == self.last:
            return None
        self.last = wanted
        return wanted

    def _tell_unread(self, error: str) -> None:
        if error != self._unread:
            self._unread = error
            log.warning("choice of models not read, the line goes on as it is", line=self._line, error=error)

    def _stamped(self) -> tuple[int, int, int] | None:
        try:
            found = self._path.stat()
        except OSError:
            return None
        return found.st_mtime_ns, found.st_ino, found.st_size
