"""A camera kept by its process: pictures over real HTTP, from folders and videos, and everything that goes wrong."""

import asyncio
import itertools
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import psutil
import pytest
from camerawatch import LONG_S, Watch, alike
from mjpegserver import BOUNDARY, EVERY_S, STREAM, Call, belt, jpeg, part, scene, served

from contract.sortingline import AnyCamera, FolderCamera, MjpegCamera, UsbCamera, VideoCamera
from edge.steadyclock import steady_us
from edge.vision.camera.capture import Capture


def mjpeg(url: str, stall_s: float = 1.0) -> MjpegCamera:
    return MjpegCamera(name="camera-a", kind="mjpeg", url=url, stall_s=stall_s)


# A camera that works


def test_pictures_arrive_as_they_were_taken_in_rgb_and_with_their_time() -> None:
    async def script(call: Call) -> None:
        await call.send(STREAM)
        for number in itertools.count():
            await call.show(jpeg(scene(number % 50)))

    began_us = steady_us()
    with served(script) as camera, Capture(mjpeg(camera.url(), LONG_S)) as capture:
        watch = Watch(capture).pictures(20)
        assert watch.states == ["connected"]
        for frame in watch.frames:
            assert alike(frame.image, scene((frame.seq - 1) % 50)), frame.seq
        times = [frame.at_us for frame in watch.frames]
        assert times == sorted(times)
        assert began_us < times[0] <= times[-1] <= steady_us()
        counts = capture.counts()
        assert counts["torn"] == counts["repeated"] == counts["restarts"] == 0


def test_the_time_is_that_of_the_light_when_the_delay_is_known() -> None:
    async def script(call: Call) -> None:
        await call.stream(belt())

    with served(script) as camera:
        late = mjpeg(camera.url()).model_copy(update={"delay_s": 5.0})
        with Capture(late) as capture:
            frame = Watch(capture).pictures(1).frames[0]
            assert frame.at_us <= steady_us() - 5_000_000


def test_who_is_slow_gets_the_newest_pictures_and_the_rest_is_counted() -> None:
    async def script(call: Call) -> None:
        await call.stream(belt())

    with served(script) as camera, Capture(mjpeg(camera.url()), room=2) as capture:
        watch = Watch(capture).pictures(1)
        last = watch.frames[0].seq
        before = capture.counts()["frames"]
        while capture.counts()["frames"] < before + 20:
            time.sleep(0.1)
        watch.pictures(2)
        assert watch.frames[0].seq > last + 10
        assert capture.counts()["dropped"] >= 10


# A camera that comes and goes


def test_a_connection_that_is_cut_is_made_anew() -> None:
    async def script(call: Call) -> None:
        await call.stream(itertools.islice(belt(100 * call.number), 10))

    with served(script) as camera, Capture(mjpeg(camera.url())) as capture:
        watch = Watch(capture).until(lambda watch: capture.counts()["reconnects"] >= 3)
        watch.pictures(5)
        assert set(watch.states) <= {"connected", "lost"}


def test_a_camera_that_falls_silent_is_lost_and_found_again() -> None:
    async def script(call: Call) -> None:
        await call.stream(itertools.islice(belt(), 10))
        if call.number == 1:
            await asyncio.sleep(LONG_S)
        await call.stream(belt())

    with served(script) as camera, Capture(mjpeg(camera.url())) as capture:
        watch = Watch(capture).state("connected").state("lost")
        watch.state("connected").pictures(5)
        watch.until(lambda watch: capture.counts()["stalls"] >= 1)


def test_a_camera_that_is_not_there_yet_is_found_when_it_comes() -> None:
    async def script(call: Call) -> None:
        await call.stream(belt())

    with served(script) as camera:
        port = camera.port
    with Capture(mjpeg(f"http://127.0.0.1:{port}/")) as capture:
        watch = Watch(capture).lost("no connection to")
        with served(script, port):
            watch.state("connected").pictures(5)


# A camera that shows nothing


def test_torn_pictures_are_counted_and_never_shown() -> None:
    seed = random.randrange(2**32)
    print(f"seed {seed}")

    async def script(call: Call) -> None:
        chance = random.Random(seed)
        await call.send(STREAM)
        for number in itertools.count():
            await call.show(jpeg(scene(number % 50)))
            whole = jpeg(scene(1000 + number))
            scan = whole.index(b"\xff\xda") + 14
            cut = chance.randrange(scan, len(whole) - 300)
            head, tail = whole[:cut], whole[cut:]
            await call.show((head, head + b"\xff\xd9", head + bytes(range(1, 100)) + tail)[number % 3])

    with served(script) as camera, Capture(mjpeg(camera.url(), LONG_S)) as capture:
        watch = Watch(capture).pictures(40)
        for frame in watch.frames:
            assert any(alike(frame.image, scene(number)) for number in range(50)), frame.seq
        assert capture.counts()["torn"] > 20
        assert watch.states == ["connected"]


def test_a_camera_that_sends_only_torn_pictures_is_lost_for_that_reason() -> None:
    async def script(call: Call) -> None:
        await call.send(STREAM)
        for image in belt():
            await call.show(image[: len(image) // 2] + b"\xff\xd9")

    with served(script) as camera, Capture(mjpeg(camera.url())) as capture:
        Watch(capture).lost("torn")


def test_a_frozen_camera_shows_no_picture_twice_and_is_blind_until_it_moves() -> None:
    async def script(call: Call) -> None:
        await call.send(STREAM)
        for image in itertools.islice(belt(), 20):
            await call.show(image)
        for _ in range(100):
            await call.show(image)
        for image in belt(500):
            await call.show(image)

    with served(script) as camera, Capture(mjpeg(camera.url()), room=50) as capture:
        watch = Watch(capture).state("connected").state("blind")
        assert "stands still" in watch.detail
        assert all((one.image != next_one.image).any() for one, next_one in itertools.pairwise(watch.frames))
        watch.state("connected").pictures(5)
        assert capture.counts()["repeated"] >= 50


@pytest.mark.parametrize(("level", "words"), [(2, "is black"), (45, "one even colour"), (253, "is white")])
def test_a_covered_or_blinded_camera_is_blind_and_sees_again(level: int, words: str) -> None:
    def covered() -> Iterator[bytes]:
        for number in range(60):
            noise = np.random.default_rng(number).normal(level, 3, (96, 160, 3))
            yield jpeg(np.clip(noise, 0, 255).astype(np.uint8))

    async def script(call: Call) -> None:
        await call.stream(itertools.chain(itertools.islice(belt(), 20), covered(), belt()))

    with served(script) as camera, Capture(mjpeg(camera.url())) as capture:
        watch = Watch(capture).state("connected").state("blind")
        assert words in watch.detail
        watch.state("connected")


def test_another_size_in_the_middle_is_told_and_shown() -> None:
    async def script(call: Call) -> None:
        await call.stream(itertools.chain(itertools.islice(belt(), 20), belt(20, (320, 200))))

    with served(script) as camera, Capture(mjpeg(camera.url(), LONG_S)) as capture:
        watch = Watch(capture).state("connected").state("connected")
        assert watch.detail.startswith("the picture is now 320 x 200, it was 160 x 96")
        assert watch.pictures(3).frames[-1].image.shape == (200, 320, 3)


# Addresses that are wrong

ANSWERS = {
    "/gone": ("404 Not Found", "", "it answers 404: there is no such page"),
    "/busy": ("503 Service Unavailable", "", "let fewer programs watch it"),
    "/page": ("200 OK", "Content-Type: text/html\r\n", "it answers with text/html"),
    "/snapshot": ("200 OK", "Content-Type: image/jpeg\r\n", "it answers with a single picture"),
    "/locked": ("401 Unauthorized", 'WWW-Authenticate: Basic realm="x"\r\n', "it asks for a name and a password"),
    "/round": ("302 Found", "Location: /round\r\n", "broke"),
}


@pytest.mark.parametrize("path", ANSWERS)
def test_a_wrong_address_is_told_with_what_to_do(path: str) -> None:
    status, headers, words = ANSWERS[path]

    async def script(call: Call) -> None:
        await call.answer(status, headers, jpeg(scene(0)) if "snapshot" in path else b"")

    with served(script) as camera, Capture(mjpeg(camera.url(path, "anna:secret@"))) as capture:
        watch = Watch(capture).lost(words)
        assert not any("secret" in told.detail for told in watch.told)


def test_passwords_are_sent_as_the_camera_wants_them_and_redirects_are_followed() -> None:
    basic = "Basic YW5uYTpzZWNyZXQ="

    async def script(call: Call) -> None:
        given = call.headers.get("authorization", "")
        if call.path == "/old":
            await call.answer("301 Moved Permanently", "Location: /digest\r\n")
        elif call.path == "/basic" and given != basic:
            await call.answer("401 Unauthorized", 'WWW-Authenticate: Basic realm="camera"\r\n')
        elif call.path == "/digest" and 'username="anna"' not in given:
            await call.answer("401 Unauthorized", 'WWW-Authenticate: Digest realm="camera", nonce="7", qop="auth"\r\n')
        else:
            await call.stream(belt())

    with served(script) as camera:
        for path in ("/basic", "/digest", "/old"):
            with Capture(mjpeg(camera.url(path, "anna:secret@"))) as capture:
                Watch(capture).pictures(2)


# A server that wants to harm


@pytest.mark.parametrize("kind", ["headers", "length", "part", "garbage", "http"])
def test_a_hostile_server_takes_no_memory_and_good_pictures_come_after_it(kind: str) -> None:
    async def flood(call: Call, begin: bytes, endless: bytes) -> None:
        await call.send(begin)
        for _ in range(600):
            await call.send(endless * (100_000 // len(endless)))

    async def script(call: Call) -> None:
        if call.number > 1:
            await call.stream(belt())
        whole = part(next(belt()))
        await call.send(b"" if kind == "http" else STREAM + whole)
        match kind:
            case "headers":
                await flood(call, b"--line\r\n", b"X-Header: 1\r\n")
            case "length":
                await call.send(whole.replace(b"Content-Length: ", b"Content-Length: 5368709120"))
                await flood(call, b"", b"\x55")
            case "part":
                await flood(call, whole[:-4], b"\x55")
            case "garbage":
                await flood(call, b"", random.Random(1).randbytes(10_000))
            case "http":
                await flood(call, b"HTTP/1.1 200 OK\r\n", b"X-Header: 1\r\n")

    with served(script) as camera, Capture(mjpeg(camera.url())) as capture:
        watch, most = Watch(capture), 0

        def good(_: Watch) -> bool:
            nonlocal most
            most = max(most, _memory(capture.pid))
            return len(watch.frames) > 10

        watch.until(good)
        assert most < 300e6
        assert capture.counts()["restarts"] == 0


def _memory(pid: int | None) -> int:
    try:
        return psutil.Process(pid).memory_info().rss if pid else 0
    except psutil.NoSuchProcess:
        return 0


def test_boundaries_and_lengths_that_are_wrong_do_not_matter() -> None:
    async def script(call: Call) -> None:
        await call.send(STREAM)
        for image in belt():
            await call.send(
                part(image).replace(b"--" + BOUNDARY, b"--other").replace(b"Content-Length: ", b"X-Length: -")
            )
            await asyncio.sleep(EVERY_S)

    with served(script) as camera, Capture(mjpeg(camera.url())) as capture:
        Watch(capture).pictures(10)
        assert capture.counts()["torn"] == 0


# Processes


def test_a_killed_camera_process_is_started_again() -> None:
    async def script(call: Call) -> None:
        await call.stream(belt())

    with served(script) as camera, Capture(mjpeg(camera.url())) as capture:
        watch = Watch(capture).pictures(3)
        before = capture.counts()
        assert capture.pid
        os.kill(capture.pid, signal.SIGKILL)
        watch.until(lambda watch: capture.counts()["restarts"] == 1).pictures(3)
        watch.until(lambda watch: capture.counts()["frames"] > before["frames"] + 2)


def test_a_camera_process_that_hangs_is_killed_and_started_again() -> None:
    async def script(call: Call) -> None:
        await call.stream(belt())

    with served(script) as camera, Capture(mjpeg(camera.url())) as capture:
        watch = Watch(capture).pictures(3)
        assert capture.pid
        os.kill(capture.pid, signal.SIGSTOP)
        watch.state("lost").state("connected").pictures(3)
        assert capture.counts()["restarts"] == 1


def test_the_end_leaves_no_process_even_of_one_that_hangs() -> None:
    async def script(call: Call) -> None:
        await call.stream(belt())

    with served(script) as camera:
        for signal_before in (signal.SIGCONT, signal.SIGSTOP):
            with Capture(mjpeg(camera.url())) as capture:
                pid = Watch(capture).pictures(1).capture.pid
                assert pid
                os.kill(pid, signal_before)
            assert not psutil.pid_exists(pid)
            assert capture.pid is None


PARENT = """
import sys
from contract.sortingline import MjpegCamera
from edge.vision.camera.capture import Capture, Frame
with Capture(MjpegCamera(name="c", kind="mjpeg", url=sys.argv[1])) as capture:
    while not isinstance(capture.next(1), Frame):
        pass
    print(capture.pid, flush=True)
    while True:
        capture.next(1)
"""


def test_a_killed_parent_takes_the_camera_process_with_it() -> None:
    async def script(call: Call) -> None:
        await call.stream(belt())

    with served(script) as camera:
        parent = subprocess.Popen([sys.executable, "-c", PARENT, camera.url()], stdout=subprocess.PIPE, text=True)
        assert parent.stdout is not None
        child = psutil.Process(int(parent.stdout.readline()))
        parent.kill()
        parent.wait()
        gone, _ = psutil.wait_procs([child], timeout=LONG_S)
        assert gone


# Folders, videos, cameras of this machine


def test_a_folder_is_shown_in_order_and_what_is_bad_in_it_is_passed_over(tmp_path: Path) -> None:
    for number in range(6):
        (tmp_path / f"{number}.jpg").write_bytes(jpeg(scene(number)))
    (tmp_path / "2a.jpg").write_bytes(b"no picture")
    (tmp_path / "2b.jpg").write_bytes(jpeg(scene(9))[:500])
    whole = jpeg(scene(9))
    middle = len(whole) // 2
    (tmp_path / "2c.jpg").write_bytes(whole[:middle] + random.Random(1).randbytes(40) + whole[middle + 40 :])
    (tmp_path / "2d.png").write_bytes(cv2.imencode(".png", np.zeros((60, 70_000, 3), np.uint8))[1].tobytes())
    (tmp_path / "notes.txt").write_text("not looked at")
    with Capture(
        FolderCamera(name="camera-a", kind="folder", path=tmp_path, fps=50, stall_s=LONG_S), room=10
    ) as capture:
        watch = Watch(capture).until(lambda watch: capture.ended)
        assert len(watch.frames) == 6
        assert all(alike(frame.image, scene(number)) for number, frame in enumerate(watch.frames))
        assert watch.states == ["connected", "lost"]
        assert "at their end" in watch.detail
        assert (capture.counts()["frames"], capture.counts()["bad"]) == (6, 4)


def test_a_folder_that_repeats_itself_goes_on_and_is_never_frozen(tmp_path: Path) -> None:
    (tmp_path / "one.png").write_bytes(cv2.imencode(".png", scene(1))[1].tobytes())
    again = FolderCamera(name="camera-a", kind="folder", path=tmp_path, fps=50, repeat=True, stall_s=0.5)
    with Capture(again) as capture:
        assert "blind" not in Watch(capture).pictures(80).states


def test_a_folder_that_is_missing_or_empty_says_so_and_is_taken_when_it_is_there(tmp_path: Path) -> None:
    folder = tmp_path / "images"
    with Capture(FolderCamera(name="camera-a", kind="folder", path=folder, stall_s=0.5)) as capture:
        watch = Watch(capture).lost(f"{folder} cannot be read (No such file or directory)")
        folder.mkdir()
        (folder / "one.jpg").write_bytes(jpeg(scene(0)))
        watch.state("connected")


def film(path: Path, frames: int, fps: float) -> None:
    video = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), fps, (160, 96))
    assert video.isOpened()
    for number in range(frames):
        video.write(cv2.cvtColor(scene(number), cv2.COLOR_RGB2BGR))
    video.release()


def test_a_video_is_shown_at_its_own_pace(tmp_path: Path) -> None:
    film(tmp_path / "belt.avi", 60, 20.0)
    began_us = steady_us()
    with Capture(VideoCamera(name="camera-a", kind="video", path=tmp_path / "belt.avi"), room=60) as capture:
        watch = Watch(capture).until(lambda watch: capture.ended)
        assert watch.frames
        for frame in watch.frames:
            assert alike(frame.image, scene(frame.seq - 1))
            assert frame.at_us - began_us >= (frame.seq - 1) * 50_000  # never in a hurry


@pytest.mark.parametrize(
    ("content", "words"),
    [(None, "there is no file"), (b"no video at all" * 100, "cannot be opened")],
)
def test_a_video_that_is_missing_or_none_says_so(tmp_path: Path, content: bytes | None, words: str) -> None:
    path = tmp_path / "belt.avi"
    if content is not None:
        path.write_bytes(content)
    with Capture(VideoCamera(name="camera-a", kind="video", path=path, stall_s=0.5)) as capture:
        Watch(capture).lost(words)


def test_a_camera_that_is_not_plugged_in_says_so() -> None:
    absent: AnyCamera = UsbCamera(name="camera-a", kind="usb", device=63, stall_s=0.5)
    with Capture(absent) as capture:
        Watch(capture).lost("cannot be opened")
