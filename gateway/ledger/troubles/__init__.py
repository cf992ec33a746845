"""Exceptions: what staff should look at, from its beginning to its end."""
