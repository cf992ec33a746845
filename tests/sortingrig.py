"""A simulated sorting line and a real agent beside it: belt, camera, PLC and broker speak their real protocols."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

from aiomqtt import Client
from modelgateway import ModelGateway

from contract import topics, wire
from contract.events import Device, Event, Inspection
from contract.site import Site
from contract.wire import Command, Evidence
from edge.cancellation import heed_cancellation
from firmware_sim.belt import Belt, Track
from firmware_sim.camera import Camera, plan_of
from firmware_sim.footage import Footage
from firmware_sim.fruit import Fruit
from firmware_sim.gate import Gate, GateWiring
from firmware_sim.plc import Plc
from gateway.broker import running

AGENT, LINE, CAMERA, PLC = "sorting-edge", "line-a", "camera-a", "plc-line-a"
WIRING = GateWiring(eye_count=0, encoder=1, pass_coils=0, places=16)
_TITLE = {"en": "x", "zh": "x"}


def sorting_site(folder: Path, broker_port: int, plc_port: int, camera: dict[str, object], **line: object) -> Site:
    """One agent with one line; `line` replaces its settings."""
    registers = [
        {"name": "line-a-eyes", "table": "input", "address": 0, "meaning": "eye_count"},
        {"name": "line-a-encoder", "table": "input", "address": 1, "meaning": "encoder"},
        {"name": "line-a-pass", "table": "coil", "address": 0, "meaning": "pass_coils"},
    ]
    gate = {"modbus": PLC, "eye_count": "line-a-eyes", "encoder": "line-a-encoder", "pass_coils": "line-a-pass"}
    plain = {"name": LINE, "title": _TITLE, "agent": AGENT, "crop": "lemon", "gate": gate | {"travel_s": 0.5}}
    return Site.model_validate(
        {
            "site": "north",
            "title": _TITLE,
            "broker": {"kind": "nats", "port": broker_port, "data": folder / "broker"},
            "agents": [{"name": AGENT, "data": folder / "edge"}],
            "zones": [{"name": "cold", "title": _TITLE}],
            "modbus": [{"name": PLC, "agent": AGENT, "port": plc_port, "poll_s": 0.01, "registers": registers}],
            "lines": [plain | {"camera": camera | {"name": CAMERA}} | line],
        }
    )


class Listener:
    """The gateway's side of the wire: takes events and pictures, answers them, and sends commands."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.gateway = ModelGateway()
        self.pictures: dict[str, Evidence] = {}
        self.deliveries: list[str] = []
        """Ids of pictures in the order in which they came."""
        self.keeps = True
        """It answers that it has a picture."""
        self.listening = asyncio.Event()

    @property
    def events(self) -> list[Event]:
        return [wire.decode_event(body) for body in self.gateway.events]

    def inspections(self) -> list[Inspection]:
        return [event for event in self.events if isinstance(event, Inspection)]

    def states(self, device: str) -> list[str]:
        found = [event for event in self.events if isinstance(event, Device) and event.device == device]
        return [event.state for event in found if event.state != "health"]

    async def command(self, command: Command) -> None:
        async with Client("127.0.0.1", self.port) as client:
            await client.publish(f"tc/v1/north/{AGENT}/command", wire.encode(command), qos=1)

    async def run(self) -> None:
        async with Client("127.0.0.1", self.port) as client:
            for channel in ("events", "evidence"):
                await client.subscribe(topics.of_every_agent("north", channel), qos=1)  # type: ignore[arg-type]
            self.listening.set()
            async for message in client.messages:
                assert isinstance(message.payload, bytes)
                topic = topics.parse(str(message.topic))
                if topic.channel == "events":
                    ack = self.gateway.take(wire.decode_batch(message.payload))
                    await client.publish(f"tc/v1/north/{topic.agent}/ack", wire.encode(ack), qos=1)
                else:
                    await self._picture(client, wire.decode_evidence(message.payload))
                heed_cancellation()

    async def _picture(self, client: Client, evidence: Evidence) -> None:
        self.deliveries.append(evidence.id)
        self.pictures[evidence.id] = evidence
        if self.keeps and evidence.kind == "fruit":
            kept = wire.EvidenceKept(ids=(evidence.id,))
            await client.publish(f"tc/v1/north/{AGENT}/command", wire.encode(kept), qos=1)


class Rig:
    """What the tests touch."""

    def __init__(self, site: Site, belt: Belt, camera: Camera, plc: Plc, gate: Gate, listener: Listener) -> None:
        self.site, self.belt, self.camera, self.plc, self.gate = site, belt, camera, plc, gate
        self.listener = listener

    def lay(self, fruit: int, *, defective: float = 0.3, lot: str | None = None) -> None:
        """Put fruit on the belt."""
        self.belt.begin(lot, defective, fruit, wall_us())

    def gone(self) -> bool:
        """Everything has been at the gate."""
        self.gate.catch_up()
        return self.gate.went.count == self.belt.laid


@asynccontextmanager
async def rig(
    folder: Path, *, seed: int = 7, first_count: int = 65_530, fps: int = 12, fruit_per_s: float = 1.5, **line: object
) -> AsyncIterator[Rig]:
    """A line that runs, with a broker and somebody who listens; the agent is the test's to start."""
    plan = plan_of(f"http://127.0.0.1/belt.mjpg?width=640&height=360&fps={fps}")._replace(port=0)
    belt = Belt(Track(fruit_per_s=fruit_per_s), seed, wall_us())
    footage = Footage(belt, partial(Fruit, "lemon"), seed)
    draft = sorting_site(folder, 1883, 502, {"kind": "mjpeg", "url": "http://127.0.0.1:1/"})
    async with (
        Plc("127.0.0.1", 0, 1) as plc,
        Camera(plan, footage.frame, wall_us, between=footage.prepare, seed=seed) as camera,
        running(draft.broker, free_port=True) as child,
    ):
        gate = Gate(belt, plc, WIRING, wall_us, first_count=first_count)
        listener = Listener(child.broker.port)
        site = sorting_site(folder, child.broker.port, plc.port, {"kind": "mjpeg", "url": camera.url}, **line)
        async with at_work(camera.run, listener.run):
            await listener.listening.wait()
            yield Rig(site, belt, camera, plc, gate, listener)


@asynccontextmanager
async def at_work(*parts: Callable[[], Coroutine[Any, Any, None]]) -> AsyncIterator[None]:
    """These run meanwhile, and must not end by themselves."""
    tasks = [asyncio.create_task(part()) for part in parts]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        ended = await asyncio.gather(*tasks, return_exceptions=True)
        for error in ended:
            if not isinstance(error, asyncio.CancelledError):
                raise AssertionError(f"a part ended by itself: {error!r}")


async def until(seen: Callable[[], bool], patience_s: float = 90.0) -> None:
    """As patience.until, for what takes as long as a belt does."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(patience_s):
            while not seen():  # noqa: ASYNC110  # the test looks from outside
                await asyncio.sleep(0.02)
    assert seen()


def wall_us() -> int:
    return time.time_ns() // 1000
