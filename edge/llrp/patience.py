"""How long a link waits for what."""

from typing import NamedTuple

from edge.llrp.settings import MISSED_KEEPALIVES


class Patience(NamedTuple):
    """In seconds."""

    connect_s: float = 2.0
    handshake_s: float = 5.0
    """For TLS, which takes the processors of some readers a second or two."""
    call_s: float = 5.0
    """A reader that shall connect to us, and has not for so long, is lost."""
    answer_s: float = 5.0
    """A reader that says nothing for so long while it is being armed will not answer any more."""
    arming_s: float = 30.0
    """A reader that talks for so long without getting armed never will be."""
    missed_keepalives: int = MISSED_KEEPALIVES
    check_every_s: float = 60.0
    """A reader may keep its connection alive and read no more: when nothing was read for so long, it is asked."""
    owed_s: float = 15.0
    """A reader that keeps alive but has not answered that question for so long hangs."""
    close_s: float = 1.0
