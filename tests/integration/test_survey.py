"""A site survey over real sockets: a shelf that is a little too loud, a tag in the door frame, a cable that is off."""

import asyncio
import contextlib
import io
import json
import xml.etree.ElementTree as ElementTree
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from pathlib import Path
from random import Random
from typing import Any

import pytest
from linkedreader import linked, reading
from rich.console import Console

from contract.portals import Door, LlrpReader
from contract.site import Site
from contract.site_file import parse
from contract.sitepart import Title
from edge.errors import Held, Unreachable
from edge.siting.measured import side_of
from edge.siting.picture import picture
from edge.siting.proposal import proposed_door
from edge.siting.settings import FINAL_SHARE
from edge.siting.table import tables
from edge.survey import Surveyed, survey
from edge.surveyorder import entry, run
from edge.surveyscreen import Screen
from firmware_sim.antennas import PORTAL_ROOM, portal_antennas
from firmware_sim.radio import RadioModel, TagAt
from firmware_sim.reader import SimReader, wall_us

FRAME = TagAt("3034257bf7194e4000000fff", 0.9, 0.9)
"""On the frame beside an antenna."""
TRAILER = TagAt("3034257bf7194e4000000ddd", 0.3, -3.4)
"""Outside, and far enough off."""
WALKED = "3034257bf7194e4000000eee"
INSIDE, OUTSIDE, DEAD = (1, 4), (2, 3), 3
SURVEY_S = 5.0
SITE = """
site: north
title: {en: North, zh: 北}
agents: [{name: edge}]
zones: [{name: hall, title: {en: Hall, zh: 大厅}}]
doors:
"""


STILL_AIR = PORTAL_ROOM._replace(reflection=0.0)
"""Levels that do not depend on the channel: a short survey hears what a long one would."""


def radio() -> RadioModel:
    return RadioModel(portal_antennas(INSIDE, OUTSIDE), 7, room=STILL_AIR)


def shelf(count: int) -> list[TagAt]:
    """Tags near inside that at full power are a little too loud, and at half of it are not."""
    random, found = Random("shelf"), list[TagAt]()
    while len(found) < count:
        tag = TagAt(f"e2801160600002090000{len(found):04x}", random.uniform(0.3, 2.2), random.uniform(1.2, 3.4))
        alone, levels = radio(), dict[int, list[int]]()
        for read in (read for step in range(50) for read in alone.sense(10**15 + step * 20_000, [tag])):
            levels.setdefault(read.antenna, []).append(read.level_cdbm)
        if -6240 <= max((sum(own) / len(own) for own in levels.values()), default=-9900) <= -6180:
            found.append(tag)
    return found


class Doorway:
    """What stands in the field of one simulated reader, in real time."""

    def __init__(self, reader: SimReader, still: Sequence[TagAt]) -> None:
        self.reader, self.still = reader, still
        self.walker: Callable[[float], float | None] = lambda _: None
        """Where along the door's axis the test tag is, by the seconds since it began to walk."""
        self._radio = radio()

    async def run(self) -> None:
        loop = asyncio.get_running_loop()
        began_s = loop.time()
        while True:
            await asyncio.sleep(0.02)
            y_m = self.walker(loop.time() - began_s)
            tags = [*self.still, *([] if y_m is None else [TagAt(WALKED, 0.2, y_m)])]
            self.reader.deliver(self._radio.sense(wall_us(), tags, self.reader.on_air))


@contextlib.asynccontextmanager
async def doorway(*still: TagAt) -> AsyncIterator[Doorway]:
    async with SimReader("reader-1") as reader:
        here = Doorway(reader, still)
        running = asyncio.create_task(here.run())
        try:
            yield here
        finally:
            running.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await running


def door(here: Doorway, **reader: Any) -> Door:
    given = LlrpReader(name="reader-1", port=here.reader.port, inside=[*INSIDE], outside=[*OUTSIDE], **reader)
    return Door(name="dock-1", title=Title(en="One", zh="一"), agent="edge", inside="hall", readers=[given])


async def surveyed(at: Door, seconds: float, test_tag: str | None = None, told: io.StringIO | None = None) -> Surveyed:
    with Screen(Console(file=told or io.StringIO()), seconds) as screen:
        return await survey(at, seconds, screen, test_tag=test_tag)


def play(story: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(story())


def test_an_installer_gets_power_static_tags_and_the_dead_antenna() -> None:
    async def story() -> None:
        async with doorway(*shelf(6), FRAME, TRAILER) as here:
            here.reader.set_antenna(DEAD, connected=False)
            at, told = door(here), io.StringIO()
            result = await surveyed(at, SURVEY_S, told=told)
            found, proposal = result.found, result.found.proposal

            assert proposal.static_tags[0] == FRAME.epc
            assert len(proposal.static_tags) <= 4, "less power quietens most of the shelf"
            top_dbm, used_dbm = found.steps[0].power_dbm["reader-1"], found.steps[-1].power_dbm["reader-1"]
            assert top_dbm - 3 <= used_dbm < top_dbm, "the shelf is too loud at full power"
            assert found.steps[0].loud >= 6, found.steps
            assert found.steps[0].loud > found.steps[-1].loud
            assert {tag.shape for tag in found.tags} == {"standing"}
            assert proposal.session == 1
            assert "nothing can be said" in proposal.reasons["margin_s"], "shorter than a pass"
            assert [f"antenna {DEAD} of reader-1" in warning for warning in found.warnings] == [True]
            heard = {one.antenna: one.per_s > 0 for one in found.antennas}
            assert heard[1]
            assert heard[4]
            assert not heard[DEAD]
            assert "session S1" in told.getvalue()

            _is_pasted(at, result)
            _is_drawn(at, result)
            _is_told(result)

    play(story)


def _is_pasted(at: Door, result: Surveyed) -> None:
    site = Site.model_construct(items=[])
    text = entry(site, at, result)
    whole = parse((SITE + text.removeprefix("doors:\n")).encode(), "pasted.yaml")
    (pasted,) = whole.doors
    assert pasted == proposed_door(at, result.found.proposal)
    assert pasted.static_tags[0] == FRAME.epc


def _is_drawn(at: Door, result: Surveyed) -> None:
    drawn = ElementTree.fromstring(picture(result.found, result.last, side_of(at)))
    words = [element.text for element in drawn.iter("{http://www.w3.org/2000/svg}text")]
    assert FRAME.epc in words
    assert "standing, in static_tags" in words
    assert "not connected: check its cable" in words


def _is_told(result: Surveyed) -> None:
    console = Console(file=io.StringIO(), width=200)
    console.print(tables(result.found))
    text = console.file.getvalue()  # type: ignore[attr-defined]
    assert FRAME.epc in text
    assert "transmit_power" in text


def test_a_tag_that_is_walked_through_is_decided_by_the_proposal() -> None:
    async def story() -> None:
        async with doorway() as here:
            final_s = SURVEY_S * (1 - FINAL_SHARE) + 0.3
            here.walker = lambda after_s: 3.0 * (after_s - final_s) - 2.5 if after_s > final_s else None
            result = await surveyed(door(here), SURVEY_S, WALKED)
            walked = result.found.walked
            assert walked is not None
            assert [one.direction for one in walked.passes] == ["inbound"], walked
            assert sum(walked.passes[0].antennas.values()) > 3
            assert result.found.tags == []
            assert not result.found.proposal.static_tags

    play(story)


def test_a_reader_that_an_agent_holds_is_left_to_it() -> None:
    async def story() -> None:
        async with doorway(FRAME) as here, linked(here.reader.port) as agent:
            await reading(agent, here.reader)
            with pytest.raises(Held, match=r"reader-1: .*stop the agent for the time of the survey"):
                await surveyed(door(here), SURVEY_S)
            await reading(agent, here.reader)

    play(story)


def test_an_agent_that_knocks_in_the_middle_does_not_end_the_survey() -> None:
    async def story() -> None:
        async with doorway(FRAME) as here:
            async with linked(here.reader.port) as agent:
                await reading(agent, here.reader)  # so the reader tells of its events
            await here.reader.vacant()
            running = asyncio.create_task(surveyed(door(here), 2.0))
            await asyncio.sleep(0.7)
            async with linked(here.reader.port) as agent:
                await agent.until(lambda: agent.states == ["blind"])
                assert (await running).found.proposal.static_tags == [FRAME.epc]

    play(story)


def test_a_survey_that_is_stopped_gives_the_reader_back() -> None:
    async def story() -> None:
        async with doorway(FRAME) as here:
            async with linked(here.reader.port) as agent:
                await reading(agent, here.reader)
            await here.reader.vacant()
            told = io.StringIO()
            running = asyncio.create_task(surveyed(door(here, keepalive_s=0.3), SURVEY_S, told=told))
            await asyncio.sleep(1.0)
            running.cancel()
            with pytest.raises(asyncio.CancelledError):
                await running
            assert "given back" in told.getvalue()
            await here.reader.vacant()
            async with linked(here.reader.port) as agent:
                await reading(agent, here.reader)
                assert agent.link.counts["rospecs_kept"] == 1, "the agent finds what it had left"

    play(story)


def test_a_reader_that_is_lost_ends_the_survey_by_name() -> None:
    async def story() -> None:
        async with doorway(FRAME) as here:
            running = asyncio.create_task(surveyed(door(here), SURVEY_S))
            await asyncio.sleep(0.8)
            await here.reader.power_off()
            with pytest.raises(Unreachable, match="reader-1: the reader hung up"):
                await running

    play(story)


def test_the_readers_of_one_door_are_measured_together() -> None:
    async def story() -> None:
        async with doorway(FRAME) as here, doorway(TRAILER) as there:
            ours = LlrpReader(name="reader-2", port=there.reader.port, inside=[1, 4], outside=[2, 3])
            at = door(here).model_copy(update={"readers": [*door(here).readers, ours]})
            found = (await surveyed(at, 1.5)).found
            heard = {one.reader for one in found.antennas if one.per_s}
            assert heard == {"reader-1", "reader-2"}
            assert set(found.proposal.transmit_power) == {"reader-1", "reader-2"}
            running = asyncio.create_task(surveyed(at, SURVEY_S))
            await asyncio.sleep(0.8)
            await there.reader.power_off()
            with pytest.raises(Unreachable, match="reader-2"):
                await running
            await here.reader.vacant()

    play(story)


def test_one_json_object_for_programs(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    async def story() -> None:
        async with doorway(FRAME) as here:
            at = door(here)
            site = parse((SITE + entry_of(at)).encode(), "site.yaml")
            await run(site, at, 1.5, drawn_to=tmp_path / "door.svg", as_json=True, test_tag=None)

    play(story)
    told = json.loads(capsys.readouterr().out)
    assert told["door"] == "dock-1"
    assert set(told["proposal"]["reasons"]) >= {"transmit_power", "session", "margin_s", "static_tags"}
    assert told["tags"][0]["epc"] == FRAME.epc
    assert "transmit_power" in told["site_file"]
    assert (tmp_path / "door.svg").read_text(encoding="utf-8").startswith("<svg")


def entry_of(at: Door) -> str:
    reader = at.readers[0]
    return (
        f"  - {{name: dock-1, title: {{en: One, zh: 一}}, agent: edge, inside: hall, readers: "
        f"[{{name: reader-1, port: {reader.port}, inside: [1, 4], outside: [2, 3]}}]}}\n"
    )
