"""Errors of the gateway.

GatewayError
+-- BadBody        a request body with mistakes (all of them at once)
+-- BadPicture     bytes that are no JPEG which a browser may be given
+-- BrokerError    the MQTT broker cannot be started
+-- CaptureFailed  an EPCIS repository has not taken events
+-- CannotListen   the gateway's address is taken or not ours
+-- CloudDown      the cloud does not answer, or not as agreed
+-- Crowded        more streams than the gateway serves at once
+-- EvidenceDown   the pictures cannot be read or written
+-- ExportFailed   reviews cannot be exported
+-- HistoryDown    the history does not answer, or refuses us as a whole
+-- BadRecord      a record that the log could not read back
+-- NoPast         a moment of which the state cannot be told any more
+-- LedgerFailed   the ledger's file cannot be used: stop, and start from what it holds
    +-- LedgerFull its disk is full: the same may be tried again
+-- RestoreFailed  a ledger cannot be rebuilt from InfluxDB
+-- Misfit         an entry of the log that names what cannot be here
"""

from collections.abc import Sequence
from typing import NamedTuple


class GatewayError(Exception):
    """Base of every error that gateway/ raises."""


class BodyMistake(NamedTuple):
    """One mistake in a request body: `place` is a line and column of a CSV, or a path into the JSON."""

    place: str
    text: str

    def __str__(self) -> str:
        return f"{self.place}: {self.text}"


class BadBody(GatewayError):
    """A request body with mistakes: nothing of it was accepted."""

    def __init__(self, mistakes: Sequence[BodyMistake]) -> None:
        super().__init__("\n".join(str(mistake) for mistake in mistakes))
        self.mistakes = tuple(mistakes)


class CaptureFailed(GatewayError):
    """An EPCIS repository has not taken events; the text says which and why. What it took before, it has."""


class CannotListen(GatewayError):
    """The gateway's address is taken or not ours; the text names it."""


class Crowded(GatewayError):
    """More streams are open than the gateway serves at once."""


class BrokerError(GatewayError):
    """The MQTT broker cannot be started; the text says why and what to do."""


class HistoryDown(GatewayError):
    """The history does not answer, or refuses us as a whole; the text says where and why. Nothing is lost: try anew."""


class RestoreFailed(GatewayError):
    """A ledger cannot be rebuilt from what InfluxDB has; the text says why and what to do. Nothing was written."""


class EvidenceDown(GatewayError):
    """The pictures cannot be read or written; the text names the file. Their agents keep them until they are here."""


class ExportFailed(GatewayError):
    """Reviews cannot be exported; the text says why and what to do. What was written is there, and is gone on from."""


class BadPicture(GatewayError):
    """Bytes that are no JPEG which a browser may be given; the text says what is wrong."""


class BadRecord(GatewayError):
    """A record that the log could not read back; nothing of it was accepted."""


class LedgerFailed(GatewayError):
    """The ledger's file cannot be used; the text names it. What was acknowledged is on disk, what was not is not.

    After a failed write the memory is ahead of the disk, so the process must stop and begin again from the file.
    """


class LedgerFull(LedgerFailed):
    """The disk takes no more: nothing of what was to be written is stored, and the same may be tried again later."""


class NoPast(GatewayError):
    """A moment of which the state cannot be told: before the log begins, or before where it was cut."""


class Misfit(GatewayError):
    """An entry of the log is well-formed but names something that the site file does not know or could never name.

    It stays in the log, so that a refold under a corrected site file applies it; staff see `bad_message`.
    """


class CloudDown(GatewayError):
    """The cloud does not answer, or not as agreed; the text says where and what. Nothing is lost: try again."""
