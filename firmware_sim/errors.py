"""Errors of the simulated world.

SimError
+-- BadRecording   a file of recorded reads that cannot be played; the text names file and line
+-- BadFrame       bytes that are no LLRP message, or a message whose content is wrong (it carries the status code)
+-- DemoError      the demo cannot go on; the text says why and what to do
+-- Refused        the gateway or the cloud will not have a document; the text says which and why
"""


class SimError(Exception):
    """Base of every error that firmware_sim raises."""


class BadRecording(SimError):
    """A file of recorded reads that cannot be played; the text names file and line."""


class BadFrame(SimError):
    """A frame that the reader does not accept; `status` is the code of its LLRPStatus (LLRP 1.0.1 section 14.2)."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


class DemoError(SimError):
    """The demo cannot go on; the text says why and what to do."""


class Refused(SimError):
    """The gateway or the cloud will not have a document, and trying again would not help."""

    def __init__(self, url: str, status: int, text: str) -> None:
        super().__init__(f"{url} refused with status {status}: {text[:500]}")
        self.status = status
