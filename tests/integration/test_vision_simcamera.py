"""The simulator's camera over a belt with lemons, as the edge sees it: every trouble that it can make."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial

import pytest
from camerawatch import Watch

from contract.sortingline import MjpegCamera
from edge.vision.camera.capture import Capture
from firmware_sim.belt import Belt, Track
from firmware_sim.camera import Camera, CameraTrouble, plan_of
from firmware_sim.clock import WorldClock
from firmware_sim.footage import Footage
from firmware_sim.fruit import Fruit

CLOCK = WorldClock(1.0)
SEED = 7


def run(story: Callable[[Camera, Watch], Awaitable[None]]) -> None:
    """A camera, and an edge that watches it."""

    async def both() -> None:
        planned = plan_of("http://127.0.0.1:0/belt.mjpg?width=320&height=240&fps=20")
        belt = Belt(Track(width_px=320, height_px=240, fruit_per_s=4), SEED, CLOCK.wall_us())
        belt.begin("a", 0.3, 500, CLOCK.wall_us())
        shot = Footage(belt, partial(Fruit, "lemon"), SEED).frame
        async with Camera(planned, shot, CLOCK.wall_us, seed=SEED) as camera:
            running = asyncio.create_task(camera.run())
            with Capture(MjpegCamera(name="camera-a", kind="mjpeg", url=camera.url, stall_s=1.0)) as capture:
                await story(camera, await _state(Watch(capture), "connected"))
            running.cancel()

    asyncio.run(both())


async def _state(watch: Watch, state: str) -> Watch:
    return await asyncio.to_thread(watch.state, state)


@pytest.mark.parametrize(
    ("trouble", "state", "words"),
    [
        ("freeze", "blind", "stands still"),
        ("black", "blind", "is black"),
        ("cap", "blind", "the lens"),
        ("cut", "lost", ""),
        ("stall", "lost", ""),
    ],
)
def test_a_camera_that_shows_nothing_is_told_and_so_is_its_recovery(
    trouble: CameraTrouble, state: str, words: str
) -> None:
    async def story(camera: Camera, watch: Watch) -> None:
        camera.suffer(trouble)
        await _state(watch, state)
        assert words in watch.detail
        camera.recover()
        await _state(watch, "connected")
        await asyncio.to_thread(watch.pictures, 5)

    run(story)


def test_torn_pictures_are_left_out_and_all_others_shown() -> None:
    async def story(camera: Camera, watch: Watch) -> None:
        camera.suffer("torn")
        await asyncio.to_thread(watch.until, lambda watch: watch.capture.counts()["torn"] > 10)
        await asyncio.to_thread(watch.pictures, 10)
        assert "blind" not in watch.states

    run(story)


@pytest.mark.parametrize("trouble", ["blur", "swapped", "dim", "dropping"])
def test_what_can_still_be_seen_is_shown(trouble: CameraTrouble) -> None:
    """Whether such a picture is good enough is for the drift watch to say."""

    async def story(camera: Camera, watch: Watch) -> None:
        camera.suffer(trouble)
        await asyncio.to_thread(watch.pictures, 20)
        assert "blind" not in watch.states

    run(story)
