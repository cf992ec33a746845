"""Of the simulated passes that are given a confidence, that share went as said."""

from random import Random

import pytest
from reliability import Said, curve, table
from simwalks import KINDS, SimWalk, thinned

from contract.portals import PassRules
from edge.portal.beams import Beams
from edge.portal.direction import decide

SEEDS = {"hall": range(200), "portal": range(50), "bare": range(50), "docks": range(5000, 5008)}
DECIDE_ALL = PassRules(min_confidence=0.5, margin_s=0.0)
"""So that low confidences can be judged, too."""


@pytest.fixture(scope="module")
def walks() -> dict[str, list[SimWalk]]:
    return {kind: [walk for seed in seeds for walk in KINDS[kind](seed)] for kind, seeds in SEEDS.items()}


def said(walks: list[SimWalk], seed: str, *, phases: bool) -> list[Said]:
    """Of whole passes and of thinned ones."""
    chance = Random(seed)
    answers = []
    for walk in [*walks, *(thinned(walk, chance) for walk in walks)]:
        reads = walk.reads if phases else [read._replace(phase=None) for read in walk.reads]
        if len(reads) < DECIDE_ALL.min_reads:
            continue
        found = decide(reads, walk.side_of, Beams(), DECIDE_ALL)
        if found.evidence.margin_s is not None and not found.turned_back:
            answers.append(Said(max(found.inbound, 1 - found.inbound), (found.inbound > 0.5) == walk.inbound))
    return answers


@pytest.mark.slow
@pytest.mark.parametrize("phases", [False, True])
def test_a_confidence_is_at_least_as_often_right_as_it_says(walks: dict[str, list[SimWalk]], phases: bool) -> None:
    """Rooms that are kinder than the recorded one do better than said; all together must not do worse."""
    everything: list[Said] = []
    for kind, mine in walks.items():
        found = said(mine, kind, phases=phases)
        print("\n" + table(f"{kind}{', phases' if phases else ''}", curve(found)))
        everything += found
    bins = curve(everything)
    print("\n" + table("all of them", bins))
    assert len(everything) > 1500
    for one in bins:
        by_chance = 2 * (one.confidence * (1 - one.confidence) / one.count) ** 0.5
        assert one.right >= one.confidence - 0.03 - by_chance, one
    assert bins[-1].right >= 0.985


@pytest.mark.slow
def test_few_whole_passes_are_unknown_and_hardly_any_is_taken_for_a_turn(walks: dict[str, list[SimWalk]]) -> None:
    for kind, mine in walks.items():
        found = [decide(walk.reads, walk.side_of, Beams(), PassRules()) for walk in mine]
        unknown = sum(one.direction == "unknown" for one in found)
        turned = sum(one.turned_back for one in found)
        print(f"{kind}: {len(found)} passes, {unknown} unknown, {turned} of them taken for a turn")
        assert turned <= 0.03 * len(found)
        assert unknown <= 0.15 * len(found)
