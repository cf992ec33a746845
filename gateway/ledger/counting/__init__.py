"""Cycle counts: their state machine, sweeps and numbers by hand against the books, and how sure a sweep is."""
