"""A sorting line at ten fruit a second: how soon after the photo-eye the gate knows, and what the edge needs for it.

The belt, its camera (Motion JPEG, 30 pictures a second of 640 x 360) and its PLC (Modbus) run in a process of their
own, and the edge agent in its own, as on a real line; the PLC writes down when each coil was set. There is no broker,
as in an outage. The film is drawn beforehand, so that nothing but sending it takes processor time from the edge.
"""

import asyncio
import multiprocessing
import os
import subprocess
import sys
import tempfile
import time
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection
from pathlib import Path
from statistics import fmean, median, quantiles
from typing import NamedTuple

import cv2
import psutil
from figures import Figure, show

from contract import wire
from contract.events import Device, Inspection
from edge.agent import outbox_file
from edge.outbox import read_history
from firmware_sim.belt import Belt, Track
from firmware_sim.footage import Footage
from firmware_sim.fruit import Fruit
from firmware_sim.gate import Gate, GateWiring
from firmware_sim.plc import Plc
from firmware_sim.wentby import TrueFruit

FRUIT_PER_S = 10.0
FPS = 30.0
LEAD_S = 6.0
"""Before the first fruit, so that everything is up."""
SECONDS = float(os.environ.get("TRUECOUNT_LINE_S", "60"))
SEED = 7
PLACES = 16
ROOT = Path(__file__).resolve().parents[2]

SITE = """
site: bench
title: {{en: Bench, zh: 测试}}
broker: {{kind: external, port: 1}}
agents: [{{name: sorting-edge, data: {data}}}]
zones: [{{name: hall, title: {{en: Hall, zh: 大厅}}}}]
modbus:
  - name: plc-line-a
    agent: sorting-edge
    port: {plc}
    poll_s: 0.01
    registers:
      - {{name: line-a-eyes, table: input, address: 0, meaning: eye_count}}
      - {{name: line-a-encoder, table: input, address: 1, meaning: encoder}}
      - {{name: line-a-pass, table: coil, address: 0, meaning: pass_coils}}
lines:
  - name: line-a
    title: {{en: Line A, zh: 甲线}}
    agent: sorting-edge
    crop: lemon
    camera: {{kind: mjpeg, name: camera-a, url: "{camera}"}}
    gate: {{modbus: plc-line-a, eye_count: line-a-eyes, encoder: line-a-encoder, pass_coils: line-a-pass}}
"""


class Seen(NamedTuple):
    """What the belt's own process saw."""

    went: list[TrueFruit]
    written_us: dict[int, int]
    """By the fruit's count: when its coil was set."""
    taken: int
    """Pictures sent."""


class Needs(NamedTuple):
    """Of the agent and all that it started."""

    core: float
    """Share of one."""
    early_mib: float
    late_mib: float


def measure() -> list[Figure]:
    """One run."""
    with _hall() as (hall, ports), tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "edge"
        site = Path(folder) / "site.yaml"
        site.write_text(SITE.format(data=data, plc=ports[0], camera=ports[1]), encoding="utf-8")
        with _edge(site) as agent:
            time.sleep(2 * LEAD_S)
            busy_s, begun_s, held_mib = _busy_s(agent), time.monotonic(), _held_mib(agent)
            time.sleep(SECONDS - LEAD_S)
            needs = Needs((_busy_s(agent) - busy_s) / (time.monotonic() - begun_s), held_mib, _held_mib(agent))
            hall.send("end")
            seen: Seen = hall.recv()
        return _figures(seen, data, needs)


def _figures(seen: Seen, data: Path, needs: Needs) -> list[Figure]:
    events = [wire.decode_event(kept.body) for kept in read_history(outbox_file(data))]
    inspections = [event for event in events if isinstance(event, Inspection)]
    camera = _health(events, "camera-a")
    took_ms = [(seen.written_us[one.count] - one.eye_us) / 1000 for one in seen.went if one.count in seen.written_us]
    outcomes = Counter(one.outcome for one in seen.went)
    right = (outcomes["true_pass"] + outcomes["true_reject"]) / len(seen.went)
    there = {one.count for one in seen.went}
    gates = Counter(one.gate for one in inspections if int(one.subject.rpartition("-")[2]) in there)
    worked = camera["worked"]
    print(f"{len(seen.went)} fruit, {dict(outcomes)}, {dict(gates)}, {seen.taken} pictures sent; camera: {camera}")
    return [
        Figure("photo-eye to coil, median", median(took_ms), "ms"),
        Figure("photo-eye to coil, 99 %", quantiles(took_ms, n=100)[98], "ms", target="< 150"),
        Figure("photo-eye to coil, the slowest", max(took_ms), "ms"),
        Figure("verdicts too late for the gate", gates["missed"], "fruit", target="0"),
        Figure("frames dropped", camera["dropped"], "frames", f"of {worked} worked through", target="0"),
        Figure("views a fruit", fmean(one.views for one in inspections), "views", target=">= 3"),
        Figure("right at the gate", 100 * right, "% of fruit"),
        Figure("find the fruit in a frame", camera["us_find"] / worked / 1000, "ms"),
        Figure("follow it", camera["us_follow"] / worked / 1000, "ms"),
        Figure("judge the views of a frame", camera["us_judge"] / worked / 1000, "ms"),
        Figure("agent, inspector and camera process", 100 * needs.core, "% of a core"),
        Figure("memory of the three", needs.late_mib, "MiB", "when the first fruit came", needs.early_mib),
    ]


def _health(events: list[object], device: str) -> dict[str, int]:
    """The last figures of a device."""
    told = [event for event in events if isinstance(event, Device) and event.device == device]
    return [dict(event.counts) for event in told if event.state == "health"][-1]


@contextmanager
def _edge(site: Path) -> Iterator[psutil.Process]:
    with (site.parent / "edge.log").open("wb") as log:
        agent = subprocess.Popen(
            [sys.executable, ROOT / "truecount.py", "edge", "--config", site], stdout=log, stderr=log
        )
        try:
            yield psutil.Process(agent.pid)
        finally:
            agent.terminate()
            agent.wait()


def _busy_s(agent: psutil.Process) -> float:
    """Processor seconds of the agent and all that it started."""
    times = [one.cpu_times() for one in (agent, *agent.children(recursive=True))]
    return sum(one.user + one.system for one in times)


def _held_mib(agent: psutil.Process) -> float:
    return sum(one.memory_info().rss for one in (agent, *agent.children(recursive=True))) / 2**20


@contextmanager
def _hall() -> Iterator[tuple[Connection, tuple[int, str]]]:
    """The belt's process: the way to it, the PLC's port, and the camera's address."""
    ours, theirs = multiprocessing.Pipe()
    hall = multiprocessing.get_context("spawn").Process(target=_run_hall, args=(theirs,), daemon=True)
    hall.start()
    try:
        yield ours, ours.recv()
    finally:
        hall.kill()
        hall.join()


def _run_hall(link: Connection) -> None:
    asyncio.run(_belt(link))


async def _belt(link: Connection) -> None:
    belt = Belt(Track(fruit_per_s=FRUIT_PER_S), SEED, 0)
    belt.begin("bench", 0.2, round(FRUIT_PER_S * SECONDS), round(LEAD_S * 1e6))
    film = _drawn(belt)
    began_us: list[int] = []
    written_us: dict[int, int] = {}

    def clock_us() -> int:
        return _wall_us() - began_us[0] if began_us else 0

    def on_coil(address: int, value: bool) -> None:
        """The newest fruit that broke the eye and has this coil."""
        if value:
            now_us = clock_us()
            counted = bisect_right(belt.pieces, now_us, key=lambda piece: piece.eye_us)
            count = next(n for n in range(counted, counted - PLACES, -1) if n % PLACES == address)
            written_us.setdefault(count, now_us)

    async def send(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: multipart/x-mixed-replace; boundary=frame\r\n\r\n")
        began_us.append(_wall_us())
        with suppress(asyncio.CancelledError):  # the run is over
            for number, jpeg in enumerate(film):
                await asyncio.sleep((number / FPS) - clock_us() / 1e6)
                writer.write(b"--frame\r\nContent-Length: %d\r\n\r\n%b\r\n" % (len(jpeg), jpeg))
                await writer.drain()

    plc = Plc("127.0.0.1", 0, 1, on_coil=on_coil)
    gate = Gate(belt, plc, GateWiring(0, 1, 0, PLACES), clock_us)
    async with plc, await asyncio.start_server(send, "127.0.0.1", 0) as camera:
        link.send((plc.port, f"http://127.0.0.1:{camera.sockets[0].getsockname()[1]}/"))
        await asyncio.to_thread(link.recv)
        gate.catch_up()
        link.send(Seen(list(gate.went.latest), written_us, min(len(film), round(clock_us() / 1e6 * FPS))))


def _drawn(belt: Belt) -> list[bytes]:
    """Every picture of the run as a JPEG."""
    footage = Footage(belt, lambda defective, seed: Fruit("lemon", defective, seed), SEED)
    film = []
    for number in range(round((LEAD_S + SECONDS + LEAD_S) * FPS)):
        picture = footage.frame(round(number / FPS * 1e6))
        film.append(cv2.imencode(".jpg", picture[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 85])[1].tobytes())
    return film


def _wall_us() -> int:
    return time.time_ns() // 1000


if __name__ == "__main__":
    show(f"Sorting line, {FRUIT_PER_S:g} fruit/s, {FPS:g} pictures/s", measure())
