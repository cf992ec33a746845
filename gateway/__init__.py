"""One gateway per site: a ledger that is a log, and everything else as a cursor on that log."""
