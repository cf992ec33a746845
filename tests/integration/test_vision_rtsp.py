"""RTSP cameras through OpenCV's FFmpeg: over a real connection, and what goes wrong with it."""

import asyncio
import itertools
import time

import pytest
from camerawatch import LONG_S, Watch, alike
from mjpegserver import belt, listening, scene
from rtspserver import Play, RtspCamera

from contract import sortingline
from edge.vision.camera.capture import Capture


def rtsp(port: int, stall_s: float = 2.0) -> sortingline.RtspCamera:
    url = f"rtsp://anna:secret@127.0.0.1:{port}/stream"
    return sortingline.RtspCamera(name="camera-a", kind="rtsp", url=url, stall_s=stall_s)


def test_pictures_arrive_as_they_were_taken() -> None:
    async def script(play: Play) -> None:
        await play.stream(belt())

    with listening(RtspCamera(script).answer) as port, Capture(rtsp(port, LONG_S)) as capture:
        watch = Watch(capture).pictures(10)
        first = next(number for number in range(1000) if alike(watch.frames[0].image, scene(number)))
        for frame in watch.frames:
            assert alike(frame.image, scene(first + frame.seq - watch.frames[0].seq)), frame.seq
        assert watch.states == ["connected"]


def test_who_comes_late_gets_the_newest_pictures_and_none_out_of_a_queue() -> None:
    sent = 60

    async def script(play: Play) -> None:
        if play.number == 1:
            await play.stream(itertools.islice(belt(), sent))
        await asyncio.sleep(LONG_S)

    with listening(RtspCamera(script).answer) as port, Capture(rtsp(port), room=2) as capture:
        ends_s = time.monotonic() + LONG_S
        while not capture.counts()["stalls"]:  # everything that was sent has come through by then
            assert time.monotonic() < ends_s
            time.sleep(0.1)
        watch = Watch(capture).state("lost")
        assert len(watch.frames) == 2
        for frame, number in zip(watch.frames, (sent - 2, sent - 1), strict=True):
            assert alike(frame.image, scene(number)), number
        assert capture.counts()["dropped"] >= sent // 2


def test_a_camera_that_falls_silent_or_hangs_up_is_lost_and_found_again() -> None:
    async def script(play: Play) -> None:
        if play.number > 2:
            await play.stream(belt())
        await play.stream(itertools.islice(belt(), 40))
        if play.number == 1:
            await asyncio.sleep(LONG_S)

    with listening(RtspCamera(script).answer) as port, Capture(rtsp(port)) as capture:
        watch = Watch(capture).state("connected").state("lost").state("connected").pictures(5)
        watch.until(lambda watch: capture.counts()["reconnects"] >= 2).pictures(5)
        assert capture.counts()["restarts"] == 0
        assert capture.counts()["stalls"] >= 1


@pytest.mark.parametrize("what", ["forbidden", "refused", "silent", "nonsense"])
def test_a_camera_that_gives_no_stream_is_lost_with_what_to_do(what: str) -> None:
    words = {
        "forbidden": "write them into the url, rtsp://NAME:PASSWORD@...",
        "refused": "nothing listens there",
        "silent": "it does not answer",
        "nonsense": "it cannot be opened",
    }[what]

    async def never(_: Play) -> None:
        raise AssertionError

    async def silent(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while what == "nonsense":
                writer.write(b"\x00\xff\x55\r\n" * 1000)
                await writer.drain()
            await asyncio.sleep(LONG_S)
        except (OSError, asyncio.CancelledError):
            writer.close()

    answer = RtspCamera(never, forbidden=True).answer if what == "forbidden" else silent
    with listening(answer) as port:
        if what != "refused":
            with Capture(rtsp(port)) as capture:
                watch = Watch(capture).lost(words)
    if what == "refused":
        with Capture(rtsp(port)) as capture:
            watch = Watch(capture).lost(words)
    assert not any("secret" in told.detail for told in watch.told)
