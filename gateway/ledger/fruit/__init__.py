"""Sorting lines: verdicts on fruit, lots and their limits, reviews by people."""
