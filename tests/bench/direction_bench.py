"""Directions: the recorded passes by our rules beside the two usual ones, and whether a confidence is right as often as
it says; and what a decision costs.
"""

import time
from random import Random

import pytest
from directionfit import Pass, passes, score, table
from figures import Figure, show
from reliability import Said, curve
from reliability import table as curve_table
from simwalks import KINDS, SimWalk, thinned

from contract.portals import PassRules
from edge.portal.beams import Beams
from edge.portal.direction import decide
from edge.portal.levels import MARGIN_ODDS

SEEDS = {"hall": range(1000, 1600), "portal": range(1000, 1200), "bare": range(1000, 1200), "docks": range(6000, 6020)}
DECIDE_ALL = PassRules(min_confidence=0.5, margin_s=0.0)
ROUNDS = 5


def recorded(all_passes: list[Pass]) -> list[Figure]:
    """Right ones beside wrong ones, of the same passes."""
    ways = {
        "ours": [one.inbound(MARGIN_ODDS) for one in all_passes],
        "ours without phases": [one.inbound(MARGIN_ODDS, phases=False) for one in all_passes],
        "time centroids, whatever the margin": [1.0 if one.centroid_s > 0 else 0.0 for one in all_passes],
        "first antenna against last": [(one.first_last + 1) / 2 for one in all_passes],
    }
    figures = []
    for name, inbound in ways.items():
        found = score(inbound)
        target = ">= 30 right, none wrong" if name == "ours" else ""
        beside = f"wrong; and {found.unknown} unknown"
        figures.append(Figure(f"recorded passes: {name}", found.right, "right", beside, found.wrong, target))
    return figures


def simulated() -> dict[str, list[SimWalk]]:
    """Rooms that no test uses."""
    return {kind: [walk for seed in seeds for walk in KINDS[kind](seed)] for kind, seeds in SEEDS.items()}


def said(walks: list[SimWalk]) -> list[Said]:
    """Of whole passes and of thinned ones; a turn or a tag that one side heard is not said to have a direction."""
    chance = Random(1)
    answers = []
    for walk in [*walks, *(thinned(walk, chance) for walk in walks)]:
        found = decide(walk.reads, walk.side_of, Beams(), DECIDE_ALL)
        if found.evidence.margin_s is not None and not found.turned_back:
            answers.append(Said(max(found.inbound, 1 - found.inbound), (found.inbound > 0.5) == walk.inbound))
    return answers


def cost(walks: list[SimWalk]) -> float:
    """Reads a second that one core decides, of stays as they come."""
    reads, best_s = sum(len(walk.reads) for walk in walks), float("inf")
    beams, rules = Beams(), PassRules()
    for _ in range(ROUNDS):
        begun_s = time.perf_counter()
        for walk in walks:
            decide(walk.reads, walk.side_of, beams, rules)
        best_s = min(best_s, time.perf_counter() - begun_s)
    return reads / best_s


def main() -> None:
    figures = []
    try:
        all_passes = passes()
    except pytest.skip.Exception as skipped:
        print(skipped)
    else:
        print(table(all_passes) + "\n")
        figures += recorded(all_passes)
    walks = simulated()
    everything: list[Said] = []
    for kind, mine in walks.items():
        found = said(mine)
        everything += found
        print(curve_table(kind, curve(found)) + "\n")
    print(curve_table("all of them", curve(everything)) + "\n")
    figures.append(Figure("reads to a direction, simulated docks", cost(walks["docks"]), "reads/s"))
    plain = [
        walk._replace(reads=[read._replace(phase=None, channel=None) for read in walk.reads]) for walk in walks["docks"]
    ]
    figures.append(Figure("the same without phases", cost(plain), "reads/s"))
    show("Directions", figures)


if __name__ == "__main__":
    main()
