"""The real passes, played by simulated readers over LLRP and TCP, get the answers that `replay` gives."""

import asyncio
from collections import Counter

import pytest
from llrpdata import Walk, recorded_walks

from contract.events import Device, DoorPass
from contract.portals import Door, LlrpReader, PassRules
from contract.sitepart import Title
from edge.llrp.link import ReaderLink, wall_us
from edge.portal.door import DoorTracker
from edge.replay import decide_csv
from firmware_sim.reader import SimReader
from firmware_sim.recording import load, play

RULES = PassRules()


@pytest.mark.slow
def test_the_real_passes_over_the_wire_get_the_answers_of_replay() -> None:
    walks = recorded_walks()

    async def all_at_once() -> list[DoorPass]:
        return await asyncio.gather(*(over_the_wire(walk) for walk in walks))

    answers: Counter[str] = Counter()
    for walk, decided in zip(walks, asyncio.run(all_at_once()), strict=True):
        (expected,) = decide_csv(*walk)
        if decided.direction != expected.direction:  # times differ by what the wire takes: hardly sure, hardly unsure
            assert "unknown" in (decided.direction, expected.direction), walk.file.name
            assert max(decided.confidence, expected.confidence) < RULES.min_confidence + 0.05, walk.file.name
        assert decided.evidence.inside.reads == expected.evidence.inside.reads
        assert decided.evidence.outside.reads == expected.evidence.outside.reads
        assert expected.evidence.margin_s is not None
        assert decided.evidence.margin_s == pytest.approx(expected.evidence.margin_s, abs=0.05)
        answers[decided.direction] += 1
    assert answers["inbound"] >= 30
    assert answers["outbound"] == 0


async def over_the_wire(walk: Walk) -> DoorPass:
    """One recorded pass at its real pace, by a reader and a door of its own."""
    connected = asyncio.Event()

    def on_device(event: Device) -> None:
        assert event.state == "connected"
        connected.set()

    async with SimReader(walk.file.stem) as reader:
        sides = {"inside": sorted(walk.inside), "outside": sorted(walk.outside)}
        settings = LlrpReader(name="reader-1", port=reader.port, **sides)
        title = Title(en="Door", zh="门")
        tracker = DoorTracker(Door(name="dock-1", title=title, agent="a", inside="in", readers=[settings], rules=RULES))
        running = asyncio.create_task(ReaderLink(settings, tracker.feed, on_device).run())
        try:
            async with asyncio.timeout(20):
                await connected.wait()
            await play(reader, load(walk.file))
            passes: list[DoorPass] = []
            async with asyncio.timeout(10):
                while not passes:
                    await asyncio.sleep(RULES.gap_s)
                    passes = tracker.due(wall_us())
        finally:
            running.cancel()
    (decided,) = passes
    return decided
