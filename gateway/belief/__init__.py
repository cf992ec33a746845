"""Belief: how likely each item is still where the books say. The books change by events only; this reads them.

    lookout.py   whether the readers of a zone look, and for how long they looked
    trace.py     what is kept of one item's looks, and what a zone learned of silences
    bernoulli.py the filter: from that, and the moment, to a probability
    siblings.py  what the other cases of its container say
    tidings.py   what the fold calls when something was seen, missed, searched for, or dark
    words.py     a belief in a sentence
    worth.py     the units to be expected, and what to look for first

docs/decisions/belief.md says why, and how well it is calibrated.
"""
