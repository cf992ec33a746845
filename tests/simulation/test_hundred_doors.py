"""A hundred sites of two doors each: directions are right, few are unknown, and blindness makes no pass.

One seed again, in detail: python tests/doorjudge.py SEED [EPC]
"""

import os
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import pytest
from doorjudge import BUSY_S, LONGEST_LOITER_S, Verdicts, decide, judge, shares, table, tally

from firmware_sim.doorscene.scene import scene

SEEDS = range(100)


def verdicts_of(seed: int) -> Verdicts:
    played = scene(seed, BUSY_S, LONGEST_LOITER_S)
    return judge(played, decide(played))


@pytest.mark.slow
def test_a_hundred_doors_get_their_directions_right() -> None:
    with ProcessPoolExecutor(os.cpu_count(), mp_context=get_context("spawn")) as processes:
        verdicts = [*processes.map(verdicts_of, SEEDS, chunksize=5)]
    counted = tally(verdicts)
    print("\n".join(["", *counted.notes, table(counted)]))
    verdict_of = Counter(one.verdict for each in verdicts for one in each.judged)
    assert verdict_of["right"] > 2_000, "too few passes to say anything"
    came = shares(counted)
    assert came.right >= 0.99
    assert came.unknown <= 0.03
    assert came.invented <= 0.02
    assert came.doubled <= 0.005
    assert shares(counted.sighted).missed <= 0.06
    assert not [event for one in verdicts for event in one.by_blindness]
