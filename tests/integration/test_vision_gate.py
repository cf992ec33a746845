"""Camera, inspector, photo-eye and gate over their real protocols: what is good passes, and nothing else does."""

import asyncio
import json
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import psutil
from sortingrig import AGENT, CAMERA, LINE, PLC, WIRING, Rig, at_work, rig, until, wall_us

from contract.events import Inspection, Tally
from contract.wire import LineOrders, LotOrder
from edge import agent
from edge.outbox import Outbox

SEED = 7
LOT = LineOrders(lines={LINE: LotOrder(lot="L-1", sku="lemon-4kg")})


def told(one: Rig) -> list[Inspection]:
    return sorted(one.listener.inspections(), key=lambda event: event.at_us)


async def run_through(one: Rig, fruit: int, defective: float = 0.3) -> None:
    """Lay a lot on the belt, and wait until all of it is past the gate and told."""
    one.lay(fruit, defective=defective)
    await until(lambda: one.gone() and len(told(one)) >= one.belt.laid)


async def until_it_passes(one: Rig, least: int) -> None:
    """Run lots until so much fruit has passed: on a machine that is busy much of it is not seen in time."""
    for _ in range(10):
        if one.gate.went.outcomes["true_pass"] >= least:
            return
        await run_through(one, 8)
    raise AssertionError(f"seed {SEED}: {one.gate.went.outcomes} {[event.verdict for event in told(one)]}")


def told_and_done_alike(one: Rig) -> None:
    """One event for every fruit, which says what the gate did; nothing that is not good has passed."""
    events = told(one)
    assert len(events) == one.gate.went.count == len({event.subject for event in events}), f"seed {SEED}"
    for event, passage in zip(events, one.gate.went.latest, strict=True):
        assert (event.gate == "passed") == passage.passed, f"seed {SEED}: {event} {passage}"
        assert event.verdict == "good" or not passage.passed
    assert one.gate.went.outcomes["miss"] == 0, f"seed {SEED}"


def sum_of(events: list[Inspection]) -> Tally:
    def many(verdict: str) -> int:
        return sum(event.verdict == verdict for event in events)

    missed = sum(event.gate == "missed" for event in events)
    return Tally(
        good=many("good"),
        defective=many("defective"),
        unsure=many("unsure"),
        unseen=many("unseen"),
        missed=missed,
    )


def test_good_fruit_passes_the_gate_and_the_rest_is_pushed_off(tmp_path: Path) -> None:
    async def story() -> None:
        async with rig(tmp_path, seed=SEED) as one, at_work(lambda: agent.run(one.site, AGENT)):
            await until(lambda: one.listener.states(CAMERA)[-1:] == ["connected"])
            await one.listener.command(LOT)
            await until_it_passes(one, 8)
            told_and_done_alike(one)
            assert {event.lot for event in told(one)} == {"L-1"}
            assert max(event.tally.good for event in told(one) if event.tally) == sum_of(told(one)).good
            wanted = {event.evidence for event in told(one) if event.evidence}
            assert wanted
            await until(lambda: wanted <= one.listener.pictures.keys())
            await until(lambda: f"{LINE}-belt" in one.listener.pictures)
            for event in told(one):
                if event.evidence:
                    picture = one.listener.pictures[event.evidence]
                    assert picture.picture.startswith(b"\xff\xd8")
                    assert len(picture.outline) >= 3
                    assert (picture.verdict, picture.score, picture.model) == (event.verdict, event.score, event.model)
            await until(lambda: not list((one.site.agents[0].data / "evidence").iterdir()))

    asyncio.run(story())


def test_with_the_lens_covered_nothing_passes_and_staff_are_told(tmp_path: Path) -> None:
    async def story() -> None:
        async with rig(tmp_path, seed=SEED) as one, at_work(lambda: agent.run(one.site, AGENT)):
            await until(lambda: one.listener.states(CAMERA)[-1:] == ["connected"])
            one.camera.suffer("cap")
            await until(lambda: one.listener.states(CAMERA)[-1] == "blind")
            await run_through(one, 6, defective=0.0)
            assert one.gate.went.outcomes["true_pass"] == 0
            assert {event.verdict for event in told(one)} == {"unseen"}
            one.camera.recover()
            await until(lambda: one.listener.states(CAMERA)[-1] == "connected")
            await until_it_passes(one, 2)
            told_and_done_alike(one)

    asyncio.run(story())


def test_an_inspector_that_is_killed_costs_fruit_and_is_started_again(tmp_path: Path) -> None:
    async def story() -> None:
        async with rig(tmp_path, seed=SEED) as one, at_work(lambda: agent.run(one.site, AGENT)):
            await until(lambda: one.listener.states(CAMERA)[-1:] == ["connected"])
            one.lay(8)
            await until(lambda: len(told(one)) >= 2)
            for child in psutil.Process().children():
                if "edge.vision.inspector.process" in child.cmdline():
                    child.kill()
            await until(lambda: "lost" in one.listener.states(CAMERA))
            await until(lambda: one.listener.states(CAMERA)[-1] == "connected")
            await until(lambda: one.gone() and len(told(one)) >= one.belt.laid)
            await until_it_passes(one, 1 + one.gate.went.outcomes["true_pass"])
            told_and_done_alike(one)

    asyncio.run(story())


def test_a_plc_without_power_passes_nothing_and_is_worked_with_again_when_it_is_back(tmp_path: Path) -> None:
    async def story() -> None:
        async with rig(tmp_path, seed=SEED) as one, at_work(lambda: agent.run(one.site, AGENT)):
            await until(lambda: one.listener.states(CAMERA)[-1:] == ["connected"])
            await until(lambda: one.listener.states(PLC) == ["connected"])
            one.lay(4, defective=0.0)
            await one.plc.power_off()
            await until(lambda: one.listener.states(PLC)[-1] == "lost")
            await until(one.gone)
            assert one.gate.went.outcomes["true_pass"] == 0
            await one.plc.power_on()
            await until(lambda: one.listener.states(PLC)[-1] == "connected" and len(told(one)) == 4)
            assert {event.gate for event in told(one)} <= {"missed", "pushed"}
            await until_it_passes(one, 2)

    asyncio.run(story())


def test_an_agent_that_is_ended_lets_nothing_pass_behind_its_back_and_tells_of_every_fruit_what_became_of_it(
    tmp_path: Path,
) -> None:
    async def story() -> None:
        async with rig(tmp_path, seed=SEED) as one:
            async with at_work(lambda: agent.run(one.site, AGENT)):
                await until(lambda: one.listener.states(CAMERA)[-1:] == ["connected"])
                await until_it_passes(one, 1)
                one.lay(8, defective=0.0)
                await until(lambda: any(one.plc.coil(place) for place in range(WIRING.places)))
            await until(one.gone)
            async with at_work(lambda: agent.run(one.site, AGENT)):
                await until(lambda: len(told(one)) >= one.belt.laid)
                told_and_done_alike(one)

    asyncio.run(story())


class SetClock:
    """The clock on the wall of the agent's machine."""

    def __init__(self) -> None:
        self.ahead_us = 0

    def __call__(self) -> int:
        return wall_us() + self.ahead_us


def test_a_clock_that_is_set_back_or_forward_under_way_changes_nothing_at_the_gate(tmp_path: Path) -> None:
    async def story() -> None:
        clock, hour_us = SetClock(), 3_600_000_000
        async with rig(tmp_path, seed=SEED) as one:
            of = one.site.agents[0]
            with Outbox(agent.outbox_file(of.data), of.retain) as outbox:
                async with at_work(agent.Crew(one.site, of, outbox, clock).run):
                    await until(lambda: one.listener.states(CAMERA)[-1:] == ["connected"])
                    for ahead_us in (-hour_us, hour_us):
                        known, passed = len(told(one)), one.gate.went.outcomes["true_pass"]
                        one.lay(6)
                        await until(lambda known=known: len(told(one)) >= known + 2)
                        clock.ahead_us = ahead_us
                        await until(lambda: one.gone() and len(told(one)) >= one.belt.laid)
                        await until_it_passes(one, passed + 4)
                        last = one.listener.inspections()[-1]
                        assert abs(last.decided_us - clock()) < hour_us / 2
                        assert 0 <= last.decided_us - last.at_us < hour_us / 2
            events = one.listener.inspections()
            assert len(events) == one.gate.went.count
            for event, passage in zip(events, one.gate.went.latest, strict=True):  # told in the order of the eye
                assert (event.gate == "passed") == passage.passed, f"seed {SEED}: {event} {passage}"
            assert one.gate.went.outcomes["miss"] == 0, f"seed {SEED}"

    asyncio.run(story())


AGENT_ALONE = """
import asyncio, sys
from pathlib import Path
from contract.site import Site
from edge import agent

asyncio.run(agent.run(Site.model_validate_json(Path(sys.argv[1]).read_text()), sys.argv[2]))
"""


@asynccontextmanager
async def agent_alone(one: Rig, folder: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    """An agent in a process of its own, which is killed in the end; nothing that it started may be left then."""
    file = folder / "site.json"
    file.write_text(json.dumps(one.site.model_dump(mode="json")))
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", AGENT_ALONE, str(file), AGENT)
    try:
        yield process
    finally:
        family = children(process.pid)
        if process.returncode is None:
            process.send_signal(signal.SIGKILL)
            await process.wait()
        await until(lambda: not any(alive(child) for child in family))


def test_an_agent_that_is_killed_leaves_nobody_behind_and_goes_on_with_lot_and_tally(tmp_path: Path) -> None:
    async def story() -> None:
        async with rig(tmp_path, seed=SEED) as one:
            async with agent_alone(one, tmp_path) as process:
                await until(lambda: one.listener.states(CAMERA)[-1:] == ["connected"])
                assert len(children(process.pid)) >= 2  # the inspector, and its camera's process
                await one.listener.command(LOT)
                await run_through(one, 4)
            one.lay(3)
            await until(one.gone)
            assert not any(passage.passed for passage in list(one.gate.went.latest)[4:])
            async with agent_alone(one, tmp_path):
                await until(lambda: len(told(one)) == 7)
                assert [event.verdict for event in told(one)[4:]] == ["unseen"] * 3
                await until(lambda: one.listener.states(CAMERA)[-1:] == ["connected"])
                await run_through(one, 4)
            events = told(one)
            assert {event.lot for event in events} == {"L-1"}
            assert len({event.subject for event in events}) == len(events)
            assert sum_of(events) in [event.tally for event in events]

    asyncio.run(story())


def test_an_agent_that_is_asked_to_end_takes_its_processes_with_it(tmp_path: Path) -> None:
    async def story() -> None:
        async with rig(tmp_path, seed=SEED) as one:
            async with at_work(lambda: agent.run(one.site, AGENT)):
                await until(lambda: one.listener.states(CAMERA)[-1:] == ["connected"])
                family = [child for child in children() if "edge.vision" in " ".join(child.cmdline())]
                assert family
            await until(lambda: not any(alive(child) for child in family))

    asyncio.run(story())


def children(parent: int | None = None) -> list[psutil.Process]:
    return psutil.Process(parent).children(recursive=True)


def alive(process: psutil.Process) -> bool:
    return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
