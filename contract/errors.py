"""Errors of the words between processes.

ContractError
+-- BadMessage     bytes from a broker or a file that are not a message of ours
+-- BadTopic       a topic outside tc/v1/{site}/{agent}/{channel}
+-- BadEpc         text that is no EPC, or a key that no EPC can say
+-- BadSiteFile    a site file with mistakes (all of them at once)
"""

from typing import NamedTuple


class ContractError(Exception):
    """Base of every error that contract/ raises."""


class BadMessage(ContractError):
    """Bytes that are not a message of ours; the text names the place and the reason."""


class BadTopic(ContractError):
    """A topic that is not tc/v1/{site}/{agent}/{channel}."""


class BadEpc(ContractError):
    """Text that is no EPC in hexadecimal, or a GS1 key that is wrong or cannot be said on a tag."""


class Mistake(NamedTuple):
    """One mistake in a file; line and column count from 1."""

    source: str
    line: int
    column: int
    text: str

    def __str__(self) -> str:
        return f"{self.source}:{self.line}:{self.column}: {self.text}"


class BadSiteFile(ContractError):
    """A site file with mistakes; `mistakes` holds all of them in the order of the file."""

    def __init__(self, mistakes: list[Mistake]) -> None:
        super().__init__("\n".join(str(mistake) for mistake in mistakes))
        self.mistakes = mistakes
