"""Errors of the cloud service.

CloudError
+-- KeyReused       an Idempotency-Key came again with another body
+-- KeyMismatch     the Idempotency-Key header and the body's key differ
+-- NoSuchOrder     no purchase order has this number
+-- IllegalStep     an order cannot go from its state to the one that was asked for
+-- BadCursor       a cursor that this database never gave out
+-- BadText         text with characters that no database keeps
+-- NoDatabase      the database cannot be opened, or a newer Truecount has written it
+-- NoListener      the address of the API cannot be listened on
"""


class CloudError(Exception):
    """Base of every error that cloud/ raises."""


class KeyReused(CloudError):
    """An Idempotency-Key came again with another body."""


class KeyMismatch(CloudError):
    """The Idempotency-Key header is not the key of the body."""


class NoSuchOrder(CloudError):
    """No purchase order has this number."""


class IllegalStep(CloudError):
    """An order cannot go from its state to the one that was asked for."""


class BadCursor(CloudError):
    """A cursor that this database never gave out (or has forgotten: it was restored or begun anew)."""


class BadText(CloudError):
    """Text with control characters, which PostgreSQL does not keep and no key or SKU has."""


class NoDatabase(CloudError):
    """The database cannot be opened; the text names it and the reason."""


class NoListener(CloudError):
    """The address of the API cannot be listened on."""
