"""Mutated frames through framing, both decoders and connections in every state: `make bench` sends ten million."""

import gc
import sys
from random import Random

from llrpfuzz import BATCH, Mutator, Readings, seeds

from edge.llrp.frames import SEARCHED_AGAIN

FRAMES = 200_000
SEED = 20


def test_mutated_frames_crash_nothing_leak_nothing_and_hide_no_good_ones() -> None:
    """Whatever is raised that is not BadFrame, Blinded or Unreachable comes out of here."""
    print(f"seed {SEED}")
    chance = Random(SEED)
    mutator, readings = Mutator(chance, seeds(chance)), Readings()
    blocks = []
    for part in range(4):
        for _ in range(FRAMES // 4 // BATCH + 1):
            readings.batch([mutator.spoilt() for _ in range(BATCH)])
        gc.collect()
        blocks.append(sys.getallocatedblocks())
        print(f"part {part}: {blocks[-1]} blocks of memory")
    assert readings.missed == 0
    assert blocks[-1] - blocks[0] < 5000
    assert readings.most_waiting < 100_000
    assert readings.searched_again <= SEARCHED_AGAIN + 1
    assert readings.reads > 10_000
    reasons = {"version", "type", "length", "too_long", "cut_off", "bad_parameter", "tag unknown_tv", "tag no_epc"}
    assert set(readings.rejected) == reasons
    assert readings.ended.keys() <= {"Blinded", "Unreachable"}
