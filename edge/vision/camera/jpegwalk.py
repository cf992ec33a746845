"""Where a JPEG ends that is still arriving, or that it is damaged (ITU-T T.81 annex B). No decoding.

FF D8 | FF xx length ... | FF DA length ... entropy-coded data | FF C4, FF DA, ... (more scans) | FF D9
SOI     segments           SOS                                                                    EOI
"""

import re
from enum import Enum
from typing import Final

_MARKER: Final = re.compile(rb"\xff+[\x01-\xcf\xd8-\xfe]")
"""In entropy-coded data FF 00 is data, and FF D0 to FF D7 restart the decoder: all others end the scan."""
_BETWEEN_SCANS: Final = frozenset({0xC4, 0xCC, 0xDA, 0xDB, 0xDC, 0xDD, 0xFE, *range(0xE0, 0xF0)})
_SEGMENTS: Final = _BETWEEN_SCANS | frozenset(range(0xC0, 0xD0)) - {0xC8}
_SCAN, _END = 0xDA, 0xD9


class Step(Enum):
    """What a walk has come to."""

    MORE = "the end of what is there"
    END = "the octet behind EOI"
    TORN = "what cannot stand there in a JPEG"


class Walk:
    """Through one picture that begins at the front of a buffer, from segment to segment."""

    def __init__(self) -> None:
        self.place = 2
        """So far everything is right, from the front of the buffer."""
        self._scanning = False

    def step(self, buffer: bytearray) -> Step:
        """As far as it goes in what has arrived; go on with the same buffer when there is more."""
        while True:
            if self._scanning:
                marker = _MARKER.search(buffer, self.place)
                if marker is None:
                    self.place = max(self.place, len(buffer) - 1)  # it may end with half a marker
                    return Step.MORE
                self.place = marker.end() - 2
            if len(buffer) < self.place + 4:
                return self._at_the_end(buffer)
            code = buffer[self.place + 1]
            if buffer[self.place] != 0xFF:
                return Step.TORN
            if code == 0xFF:
                self.place += 1
                continue
            if code == _END:
                self.place += 2
                return Step.END
            length = int.from_bytes(buffer[self.place + 2 : self.place + 4], "big")
            if code not in (_BETWEEN_SCANS if self._scanning else _SEGMENTS) or length < 2:
                return Step.TORN
            if len(buffer) < self.place + 2 + length:
                self._scanning = False
                return Step.MORE
            self.place += 2 + length
            self._scanning = code == _SCAN

    def _at_the_end(self, buffer: bytearray) -> Step:
        """Fewer than four octets are left: enough for EOI alone."""
        if buffer[self.place : self.place + 2] != bytes((0xFF, _END)):
            return Step.MORE
        self.place += 2
        return Step.END
