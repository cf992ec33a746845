"""The rules of a purchase order: what is the same request, which step is legal, what a cursor is. Pure."""

import base64
import binascii
import hashlib
import unicodedata
from typing import NamedTuple

from cloud.errors import BadCursor, BadText, IllegalStep, KeyMismatch
from contract.replenishment import OrderState, ReplenishmentRequest

LEGAL_STEPS: dict[OrderState, frozenset[OrderState]] = {
    "placed": frozenset({"shipped", "received", "cancelled"}),  # goods may arrive before the supplier says so
    "shipped": frozenset({"received"}),
    "received": frozenset(),
    "cancelled": frozenset(),
}
"""From a state to those that may follow it. Saying the present state again is always legal, and changes nothing."""


def is_step(number: str, present: OrderState, wanted: OrderState) -> bool:
    """Whether `wanted` changes the order; raises `IllegalStep` where it cannot follow `present`."""
    if wanted == present:
        return False
    if wanted not in LEGAL_STEPS[present]:
        after = " or ".join(sorted(LEGAL_STEPS[present])) or "nothing"
        raise IllegalStep(f"order {number} is {present}: after that comes {after}, not {wanted}")
    return True


def fingerprint(request: ReplenishmentRequest) -> str:
    """Equal for two requests exactly when every field is equal: SHA-256 of the JSON with the fields in order."""
    return hashlib.sha256(request.model_dump_json(ensure_ascii=True).encode()).hexdigest()


def check(request: ReplenishmentRequest, header: str) -> None:
    """What the body's types cannot say; raises `KeyMismatch` or `BadText`."""
    if request.key not in (header, _as_utf8(header)):
        raise KeyMismatch(f"the Idempotency-Key header is {header[:200]!r}, the key of the body {request.key!r}")
    for name, text in (("key", request.key), ("sku", request.sku)):
        if any(unicodedata.category(character) == "Cc" for character in text):
            raise BadText(f"{name} {text!r} has control characters")


def _as_utf8(header: str) -> str | None:
    """A header's bytes read as UTF-8: the server reads them as Latin-1 (RFC 9110, section 5.5)."""
    try:
        return header.encode("latin-1").decode()
    except UnicodeError:
        return None


class Cursor(NamedTuple):
    """A place in the changes of one database. `epoch` names the database, so that a new one's numbers are not taken
    for the old one's."""

    epoch: str
    change: int

    def __str__(self) -> str:
        return base64.urlsafe_b64encode(f"{self.epoch}.{self.change}".encode()).decode().rstrip("=")


MAX_CURSOR = 100
"""Characters of the longest cursor that is looked at."""


def parse_cursor(text: str) -> Cursor:
    """Take a cursor apart; raises `BadCursor`."""
    try:
        padded = text.encode("ascii") + b"=" * (-len(text) % 4)
        epoch, change = base64.b64decode(padded, altchars=b"-_", validate=True).decode("ascii").split(".")
        cursor = Cursor(epoch, int(change))
    except (UnicodeError, binascii.Error, ValueError) as error:
        raise BadCursor(f"{text[:MAX_CURSOR]!r} is no cursor of this service: begin again without one") from error
    if len(text) > MAX_CURSOR or str(cursor) != text or not 0 <= cursor.change < 2**63:
        raise BadCursor(f"{text[:MAX_CURSOR]!r} is no cursor of this service: begin again without one")
    return cursor
