"""The simulated camera, watched over real HTTP: its pictures, and every trouble it makes."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from functools import partial
from itertools import pairwise
from random import Random, SystemRandom

import cv2
import httpx
import numpy as np
import pytest
from numpy.typing import NDArray
from patience import until

from firmware_sim.belt import Belt, Track
from firmware_sim.camera import MAX_CLIENTS, TROUBLES, Camera, CameraTrouble, plan_of
from firmware_sim.clock import WorldClock
from firmware_sim.errors import SimError
from firmware_sim.faults import Fault, Faults, Saboteur, plan
from firmware_sim.flaws import CAP, torn
from firmware_sim.footage import Footage
from firmware_sim.fruit import Fruit

URL = "http://127.0.0.1:0/belt.mjpg?width=320&height=240&fps=25"
CLOCK = WorldClock(1.0)
Image = NDArray[np.uint8]


@asynccontextmanager
async def camera_on(url: str = URL, *, torn_share: float = 0.0, lost_share: float = 0.0) -> AsyncIterator[Camera]:
    """A camera above a belt with lemons on it."""
    planned = plan_of(url)
    track = Track(width_px=planned.width_px, height_px=planned.height_px, fruit_per_s=4)
    belt = Belt(track, 7, CLOCK.wall_us())
    belt.begin("a", 0.3, 500, CLOCK.wall_us())
    footage = Footage(belt, partial(Fruit, "lemon"), 7)
    async with (
        Camera(
            planned, footage.frame, CLOCK.wall_us, between=footage.prepare, torn_share=torn_share, lost_share=lost_share
        ) as camera,
        asyncio.TaskGroup() as tasks,
    ):
        running = tasks.create_task(camera.run())
        try:
            yield camera
        finally:
            running.cancel()


async def parts(camera: Camera, timeout_s: float = 60.0) -> AsyncIterator[bytes]:
    """What stands between the boundaries of the stream, heads included."""
    async with (
        httpx.AsyncClient(timeout=timeout_s) as client,
        client.stream("GET", camera.url) as response,
    ):
        assert response.status_code == 200
        kind, _, boundary = response.headers["content-type"].partition("; boundary=")
        assert kind == "multipart/x-mixed-replace"
        buffer = b""
        async for data in response.aiter_raw():
            *whole, buffer = (buffer + data).split(b"--" + boundary.encode() + b"\r\n")
            for part in whole:
                if part:
                    yield part


def picture(part: bytes) -> Image | None:
    """A part's picture in RGB, None if it cannot be decoded; the head must be in order."""
    head, _, body = part.partition(b"\r\n\r\n")
    lines = dict(line.split(": ") for line in head.decode().splitlines())
    assert lines["Content-Type"] == "image/jpeg"
    jpeg = body.removesuffix(b"\r\n")
    whole = len(jpeg) == int(lines["Content-Length"]) and jpeg.endswith(b"\xff\xd9")
    image = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR) if whole else None
    return None if image is None else np.asarray(image[..., ::-1], np.uint8)


async def seen(camera: Camera, count: int) -> list[Image]:
    """The next pictures."""
    pictures: list[Image] = []
    async for part in parts(camera):
        image = picture(part)
        assert image is not None
        pictures.append(image)
        if len(pictures) == count:
            break
    return pictures


def test_the_belt_is_seen_moving_in_the_size_that_was_asked_for() -> None:
    async def story() -> None:
        async with camera_on() as camera:
            pictures = await seen(camera, 8)
            assert {one.shape for one in pictures} == {(240, 320, 3)}
            assert all(np.abs(a.astype(int) - b).mean() > 1 for a, b in pairwise(pictures))

    asyncio.run(story())


def test_several_watch_at_once_and_nobody_watching_costs_no_picture() -> None:
    async def story() -> None:
        async with camera_on() as camera:
            assert (camera.sent, camera.clients) == (0, 0)
            watched = await asyncio.gather(*(seen(camera, 5) for _ in range(3)))
            assert [len(one) for one in watched] == [5, 5, 5]
            async with asyncio.timeout(10):
                while camera.clients:  # noqa: ASYNC110  # the camera announces nothing
                    await asyncio.sleep(0.01)
            await asyncio.sleep(0.1)
            before = camera.sent
            await asyncio.sleep(0.3)
            assert camera.sent == before

    asyncio.run(story())


def test_a_slow_client_misses_pictures_and_does_not_lag_behind() -> None:
    snow = np.random.default_rng(7).integers(0, 256, (480, 640, 3), np.uint8)  # makes the largest files

    async def story() -> None:
        async with (
            Camera(plan_of("http://127.0.0.1:0/snow?fps=50"), lambda _: snow, CLOCK.wall_us) as camera,
            asyncio.TaskGroup() as tasks,
        ):
            running = tasks.create_task(camera.run())
            reader, writer = await asyncio.open_connection(*_address(camera), limit=4096)
            writer.write(b"GET /snow HTTP/1.1\r\n\r\n")
            await reader.readuntil(b"--frame")
            await seen(camera, 60)  # meanwhile somebody quick watches
            woke_s, taken, got = CLOCK.wall_us() / 1e6, camera.sent, b""
            while not any(at > woke_s for at in times(got)):
                got += await reader.read(65536)
            print(f"{taken} taken by then; {len(times(got))} came, {[round(at - woke_s, 2) for at in times(got)]} s")
            assert len(times(got)) < taken / 2, "it was not made to see all that was long over"
            writer.close()
            running.cancel()

    def times(stream: bytes) -> list[float]:
        return [float(at) for at in re.findall(rb"X-Timestamp: ([0-9.]+)\r", stream)]

    asyncio.run(story())


@pytest.mark.parametrize(
    ("request_line", "status"),
    [(b"GET /other HTTP/1.1", b"404"), (b"POST /belt.mjpg HTTP/1.1", b"405"), (b"rubbish", b"405")],
)
def test_a_wrong_request_is_answered(request_line: bytes, status: bytes) -> None:
    async def story() -> None:
        async with camera_on() as camera:
            reader, writer = await asyncio.open_connection(*_address(camera))
            writer.write(request_line + b"\r\n\r\n")
            answer = await reader.read()
            assert answer.startswith(b"HTTP/1.1 " + status)
            writer.close()
            assert len(await seen(camera, 1)) == 1, "the camera goes on"

    asyncio.run(story())


def test_a_client_that_talks_nonsense_or_nothing_is_let_go() -> None:
    async def story() -> None:
        async with camera_on() as camera:
            for sent in (b"x" * 20_000, b""):
                reader, writer = await asyncio.open_connection(*_address(camera))
                writer.write(sent)
                writer.write_eof()
                assert await reader.read() == b""
                writer.close()
            assert len(await seen(camera, 1)) == 1

    asyncio.run(story())


def test_too_many_watchers_are_sent_away() -> None:
    async def story() -> None:
        async with camera_on() as camera:
            writers = []
            for _ in range(16):
                reader, writer = await asyncio.open_connection(*_address(camera))
                writer.write(b"GET /belt.mjpg HTTP/1.1\r\n\r\n")
                assert await reader.readuntil(b"\r\n\r\n")
                writers.append(writer)
            reader, writer = await asyncio.open_connection(*_address(camera))
            writer.write(b"GET /belt.mjpg HTTP/1.1\r\n\r\n")
            assert (await reader.read()).startswith(b"HTTP/1.1 503")
            for one in [*writers, writer]:
                one.close()

    asyncio.run(story())


@pytest.mark.parametrize("trouble", ["stall", None])
def test_watchers_that_leave_make_room_even_while_no_picture_comes(trouble: CameraTrouble | None) -> None:
    async def story() -> None:
        async with camera_on(lost_share=0.0 if trouble else 1.0) as camera:
            if trouble:
                camera.suffer(trouble)
            for round_ in range(3 * MAX_CLIENTS):
                reader, writer = await asyncio.open_connection(*_address(camera))
                writer.write(b"GET /belt.mjpg HTTP/1.1\r\n\r\n")
                assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200")
                if round_ % 2:
                    writer.transport.abort()
                else:
                    writer.close()
                await until(lambda: camera.clients == 0)
            camera.suffer("dropping")
            assert len(await seen(camera, 2)) == 2

    asyncio.run(story())


@pytest.mark.parametrize("trouble", ["black", "cap", "dim", "blur", "swapped"])
def test_what_the_lens_does_to_a_picture(trouble: CameraTrouble) -> None:
    def holds(before: Image, after: Image) -> bool:
        sharp, soft = (float(cv2.Laplacian(one, cv2.CV_32F).var()) for one in (before, after))
        match trouble:
            case "black":
                return int(after.max()) <= 1
            case "cap":
                return abs(float(after.mean()) - CAP) < 2 and int(after.max()) < 25
            case "dim":
                return 0.2 < after.mean() / before.mean() < 0.5
            case "blur":
                return soft < 0.1 * sharp
            case _:
                warm, cold = ((one[..., 0].astype(int) - one[..., 2]).max() for one in (before, after))
                return bool(warm > 120 and cold < 90)

    async def story() -> None:
        async with camera_on() as camera:
            await asyncio.sleep(1)  # until a lemon is in sight
            (before,) = await seen(camera, 1)
            camera.suffer(trouble)
            assert holds(before, (await seen(camera, 2))[-1])
            camera.recover()
            assert not holds(before, (await seen(camera, 2))[-1])

    asyncio.run(story())


def test_a_frozen_camera_sends_the_same_picture_again_and_again() -> None:
    async def story() -> None:
        async with camera_on() as camera:
            camera.suffer("freeze")
            first, *others = await seen(camera, 6)
            assert all(np.array_equal(first, other) for other in others)
            camera.recover()
            pictures = await seen(camera, 4)
            assert not np.array_equal(pictures[-2], pictures[-1])

    asyncio.run(story())


def test_a_stalled_camera_keeps_the_line_and_says_nothing() -> None:
    async def story() -> None:
        async with camera_on() as camera:
            camera.suffer("stall")
            with pytest.raises(httpx.ReadTimeout):
                assert not [part async for part in parts(camera, timeout_s=0.4)]
            camera.recover()
            assert len(await seen(camera, 2)) == 2

    asyncio.run(story())


def test_a_cut_connection_ends_and_none_begins_until_it_is_mended() -> None:
    async def story() -> None:
        async with camera_on() as camera:
            count = 0
            with suppress(httpx.TransportError):  # a stream without a length may end at any time
                async for _ in parts(camera):
                    count += 1
                    camera.suffer("cut")
            assert 1 <= count <= 3
            with pytest.raises(httpx.TransportError):
                await seen(camera, 1)
            camera.recover()
            assert len(await seen(camera, 1)) == 1

    asyncio.run(story())


def test_torn_pictures_are_told_apart_from_whole_ones() -> None:
    async def story() -> None:
        async with camera_on(torn_share=0.5) as camera:
            whole, damaged = 0, 0
            async for part in parts(camera):
                if picture(part) is None:
                    damaged += 1
                else:
                    whole += 1
                if whole + damaged == 60:
                    break
            print(f"{whole} whole, {damaged} torn")
            assert whole >= 15  # rubbish in the middle may still decode
            assert damaged >= 8

    asyncio.run(story())


def test_a_camera_may_lose_some_pictures_or_all() -> None:
    async def story() -> None:
        async with camera_on(lost_share=1.0) as camera:
            with pytest.raises(httpx.ReadTimeout):
                assert not [part async for part in parts(camera, timeout_s=0.6)]
            camera.suffer("dropping")
            assert len(await seen(camera, 2)) == 2

    asyncio.run(story())


def test_every_way_of_tearing_damages_a_jpeg() -> None:
    seed = SystemRandom().randrange(2**31)
    print(f"seed {seed}")
    random = Random(seed)
    jpeg = cv2.imencode(".jpg", np.full((64, 64, 3), 99, np.uint8))[1].tobytes() * 20
    made = [torn(jpeg, random) for _ in range(40)]
    assert all(part.data != jpeg for part in made)
    kinds = {(len(part.data) == part.claimed, part.data.endswith(b"\xff\xd9")) for part in made}
    assert kinds >= {(True, False), (False, False), (True, True)}, "honest and not, without an end, with rubbish inside"


@pytest.mark.parametrize("trouble", TROUBLES)
def test_a_planned_trouble_befalls_the_camera_and_is_healed(trouble: CameraTrouble) -> None:
    async def story() -> None:
        async with camera_on() as camera:
            faults = iter([Fault(0.0, "camera", "line-a", 0.2, 0, trouble)])
            saboteur = Saboteur(faults, {}, {}, CLOCK, {"line-a": camera})
            await saboteur.run()
            (outage,) = saboteur.outages
            assert (outage.trouble, outage.camera) == ("camera", trouble)
            assert outage.healed_us is not None
            pictures = await seen(camera, 2)
            assert not np.array_equal(*pictures)
            assert all(one.mean() > 2 * CAP for one in pictures)

    asyncio.run(story())


def test_camera_troubles_are_planned_as_ordered() -> None:
    faults = Faults(camera_every_s=10, camera_troubles=("freeze", "cap"))
    drawn = [fault for fault, _ in zip(plan(faults, {}, [], 7, ["line-a", "line-b"]), range(60), strict=False)]
    assert {fault.camera for fault in drawn} == {"freeze", "cap"}
    assert {fault.device for fault in drawn} == {"line-a", "line-b"}
    assert list(plan(faults, {}, [], 7)) == []


@pytest.mark.parametrize("url", ["rtsp://h/x", "http://h:8560/x?fps=0", "http://h/x?width=9", "http://h/?fps=a"])
def test_an_address_that_is_no_cameras_is_refused(url: str) -> None:
    with pytest.raises(SimError, match="camera"):
        plan_of(url)


def test_an_address_says_where_and_what() -> None:
    full = plan_of("http://127.0.0.1:8560/a/b.mjpg?width=320&height=240&fps=25&other=x")
    assert full == ("127.0.0.1", 8560, "/a/b.mjpg", 320, 240, 25.0)
    assert plan_of("http://camera") == ("camera", 80, "/", 640, 360, 12.0)
    assert plan_of("http://127.0.0.1:0/x").port == 0


def test_a_taken_port_is_told() -> None:
    async def story() -> None:
        async with camera_on() as camera:
            with pytest.raises(SimError, match="cannot listen"):
                async with camera_on(f"{camera.url}?fps=5"):
                    pytest.fail("two cameras at one address")

    asyncio.run(story())


def _address(camera: Camera) -> tuple[str, int]:
    url = httpx.URL(camera.url)
    return url.host, url.port or 80
