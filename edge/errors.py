"""Errors of the edge.

EdgeError
+-- OutboxError        the outbox file cannot be used
|   +-- OutboxBusy     another process holds it
|   +-- OutboxFull     the disk, or the outbox's own bound, is full
|   +-- OutboxCorrupt  its bytes are not those of an outbox
+-- FieldbusError      a Modbus device does not answer, or answers with an exception
+-- InspectorGone      the process behind a line's camera has ended, or hangs
+-- LlrpError          an RFID reader, or bytes that should be LLRP
|   +-- BadFrame       bytes that are no LLRP message, or a message that cannot be read
|   +-- Unreachable    no connection, or one that fell silent
|   +-- Blinded        the reader answers but will not let us read: refused, or held by another client
|   |   +-- Held       another client holds it
|   +-- TagTrouble     a tag that cannot be made what it should be, or is not alone
+-- BadReads           a file of recorded reads that cannot be read
+-- BadImage           bytes that are no whole picture
+-- CameraTrouble      a camera, folder or video that gives no pictures
+-- BadModel           a model's package that is missing, changed or of another shape
"""

from typing import Literal

Why = Literal["version", "type", "length", "too_long", "cut_off", "bad_parameter", "unknown_tv", "no_epc"]
"""Why LLRP octets were rejected, to count them by: no LLRP header (version), a message type that is none, a length that
its type cannot have, or that nobody believes; something that ends before all of it is there; parameters that do not
fit into each other; a TV parameter whose length nobody knows; a tag report without an EPC."""


class EdgeError(Exception):
    """Base of every error that edge/ raises."""


class OutboxError(EdgeError):
    """The outbox file cannot be used; the text names it and says why."""


class OutboxBusy(OutboxError):
    """Another process holds the outbox."""


class OutboxFull(OutboxError):
    """No room for another event; what is in the outbox is untouched."""


class OutboxCorrupt(OutboxError):
    """The file's bytes are not those of an outbox. Opening moves such a file aside; raised for one damaged later."""


class FieldbusError(EdgeError):
    """A Modbus device does not answer, or answers with an exception."""


class InspectorGone(EdgeError):
    """The inspector process of a sorting line has ended, hangs, or talks nonsense: another is started."""


class LlrpError(EdgeError):
    """Base of what goes wrong with an RFID reader."""


class BadFrame(LlrpError):
    """Bytes that are no LLRP message, or one that cannot be read; `offset` counts from the first byte received."""

    def __init__(self, offset: int, reason: str, why: Why = "bad_parameter") -> None:
        super().__init__(f"at byte {offset}: {reason}")
        self.offset = offset
        self.reason = reason
        self.why: Why = why
        self.within: tuple[str, int] | None = None
        """Name and id of the message whose body it is about, if its header was good."""


class Unreachable(LlrpError):
    """No connection to the reader, or one that fell silent."""


class Blinded(LlrpError):
    """The reader answers but will not let us read: it refused a request, or another client holds it."""


class Held(Blinded):
    """Another client holds the reader."""


class TagTrouble(LlrpError):
    """A tag cannot be made what it should be, or it is not clear which one is meant; the text says why."""


class BadReads(EdgeError):
    """A file of recorded reads that cannot be read; the text names the file and the line."""


class CameraTrouble(EdgeError):
    """A camera, folder or video gives no pictures; the text says why, then what to do, and holds no password."""


class BadImage(EdgeError):
    """Bytes that are no whole picture; the text names where they came from and says what is wrong."""


class BadModel(EdgeError):
    """A model's package that is missing, changed, or not what its manifest says; the text names the file and says why
    and what to do."""
