"""A house for the page: a real broker and a real gateway as processes of their own, and an agent that speaks."""

import json
import socket
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import Any, Literal

import paho.mqtt.client as mqtt
from ledgersite import SITE, now_us
from paho.mqtt.enums import CallbackAPIVersion
from playwright.sync_api import Page
from serverprocess import ServerProcess, free_port

from contract import events, wire
from contract.site import Site
from contract.topics import Topic

ROOT = Path(__file__).parent.parent.parent
AGENT = "dock-edge"
SORTER = "sorting-edge"
LINE: dict[str, Any] = {
    "name": "line-a",
    "title": {"en": "Line A", "zh": "A 线"},
    "agent": SORTER,
    "crop": "lemon",
    "camera": {"kind": "mjpeg", "name": "camera-a", "url": "http://127.0.0.1:8060/line-a.mjpeg"},
}
"""A sorting line. Its agent here is a test that speaks for it."""
PATIENCE_S = 20.0
BEAT_S = 2.0

OpenPage = Callable[..., Page]
"""Opens the page of a house as a visitor does: `conftest.visit`."""

_RUN = """
import asyncio, pathlib, sys
from contract.site import Site
from {module} import run
site = Site.model_validate_json(pathlib.Path(sys.argv[1]).read_text())
try:
    asyncio.run(run({argument}))
except KeyboardInterrupt:
    pass
"""


def device(name: str, state: events.DeviceState) -> events.Device:
    at = now_us()
    return events.Device(at_us=at, decided_us=at, device=name, state=state)


def health(name: str, **counts: int) -> events.Device:
    at = now_us()
    return events.Device(at_us=at, decided_us=at, device=name, state="health", counts=counts)


def unread_load(door: str, direction: events.Direction = "inbound") -> events.EmptyPass:
    at = now_us()
    return events.EmptyPass(
        at_us=at - 2_000_000,
        decided_us=at,
        door=door,
        direction=direction,
        opened_us=at - 3_000_000,
        closed_us=at - 1_000_000,
    )


def temperature(sensor: str, zone: str, value: float) -> events.Condition:
    at = now_us()
    return events.Condition(at_us=at, decided_us=at, device=sensor, zone=zone, quantity="temperature_c", value=value)


def site_in(folder: Path) -> Site:
    """The example site with one sorting line, on free ports, its data in a folder, a short wait for the last case."""
    body = SITE.model_dump(mode="json")
    body["lines"] = [LINE]
    if SORTER not in [agent["name"] for agent in body["agents"]]:
        body["agents"].append({"name": SORTER})
    body["broker"] |= {"port": free_port(), "data": str(folder / "broker")}
    body["gateway"] |= {"port": free_port(), "data": str(folder / "gateway"), "shipment_settle_s": 2.5}
    body["cloud"] |= {"url": f"http://127.0.0.1:{free_port()}"}
    return Site.model_validate(body)


class House:
    """Broker and gateway; the cloud is away, as it may be for hours."""

    def __init__(self, folder: Path) -> None:
        self.site = site_in(folder)
        (folder / "site.json").write_text(self.site.model_dump_json())
        broker_port = self.site.broker.port
        self._broker = _part(folder, "gateway.broker", "site.broker", lambda: _listens(broker_port))
        self._gateway = _part(folder, "gateway.app", "site", self._serves)
        self._ends = ExitStack()
        """Undoes what was begun, also where a later part could not begin."""

    def __enter__(self) -> "House":
        with ExitStack() as begun:
            for part in (self._broker, self._gateway):
                begun.callback(part.stop)
                part.start()
            self.agent = Agent(self.site)
            begun.callback(self.agent.close)
            self.sorter = Agent(self.site, SORTER)
            begun.callback(self.sorter.close)
            self._ends = begun.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._ends.close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.site.gateway.port}"

    @contextmanager
    def gateway_killed(self) -> Iterator[None]:
        """kill -9; it is started again at the end, whatever happens."""
        self._gateway.kill()
        try:
            yield
        finally:
            self._gateway.start()

    def gateway_frozen(self) -> AbstractContextManager[None]:
        """The process stands still, its connections stay: a black hole."""
        return self._gateway.frozen()

    def announce(
        self, shipment: str, cases: Sequence[str], partner: str = "Hongda Fruit", door: str = "dock-1"
    ) -> None:
        body = {"id": shipment, "direction": "inbound", "partner": partner, "door": door}
        self.ask("/api/v1/shipments", body | {"cases": [{"epc": epc} for epc in cases]})

    def ask(self, path: str, body: object = None) -> Any:
        """The JSON answer of the gateway."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)

    def _serves(self) -> bool:
        try:
            self.ask("/api/v1/snapshot")
        except OSError:
            return False
        return True


class Agent:
    """An agent with the shortest of outboxes: it publishes a batch again until the gateway says that it holds it. It
    says that it is there as long as it is, as agents do; of one that does not the page would soon tell a person."""

    def __init__(self, site: Site, name: str = AGENT) -> None:
        self.name = name
        self._site = site.site
        self._epoch = f"browser-{now_us()}"
        self._next = 1
        self._through = 0
        self._kept: set[str] = set()
        self._lots: dict[str, str] = {}
        self._news = threading.Condition()
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2)
        self._client.on_connect = lambda client, *_: client.subscribe(
            [(self._topic("ack"), 1), (self._topic("command"), 1)]
        )
        self._client.message_callback_add(self._topic("ack"), self._on_ack)
        self._client.message_callback_add(self._topic("command"), self._on_command)
        self._client.connect_async("127.0.0.1", site.broker.port)
        self._client.loop_start()
        self._speaking = threading.Lock()
        self._away = False
        self._gone = threading.Event()
        self._heart = threading.Thread(target=self._beats, daemon=True)
        self._heart.start()

    def tell(self, *told: events.Event) -> None:
        """Returns when the gateway has committed them."""
        batch = wire.encode_batch(self.name, self._epoch, self._next, self._next, tuple(map(wire.encode, told)))
        last = self._next + len(told) - 1
        self._next = last + 1
        deadline = time.monotonic() + PATIENCE_S
        with self._news:
            while self._through < last:
                assert time.monotonic() < deadline, f"the gateway did not acknowledge event {last}"
                self._client.publish(self._topic("events"), batch, qos=1)
                self._news.wait(0.5)

    def show(self, *pictures: wire.Evidence) -> None:
        """Send pictures; returns when the gateway has those of fruit on disk. One of a belt is shown, not kept."""
        wanted = {picture.id for picture in pictures if picture.kind == "fruit"}
        self.offer(*pictures)
        with self._news:
            assert self._news.wait_for(lambda: wanted <= self._kept, PATIENCE_S), f"not kept: {wanted - self._kept}"

    def offer(self, *pictures: wire.Evidence) -> None:
        """Send pictures, and wait for nothing."""
        for picture in pictures:
            self._client.publish(self._topic("evidence"), wire.encode(picture), qos=1)

    @contextmanager
    def silent(self) -> Iterator[None]:
        """Its connection breaks, of which its last will tells; at the end it is heard again."""
        with self._speaking:
            self._away = True
            self._say("offline")
        try:
            yield
        finally:
            with self._speaking:
                self._away = False
            self._beat()

    def runs(self, line: str, lot: str) -> None:
        """Returns when the gateway has said that this lot runs over the line."""
        with self._news:
            told = self._news.wait_for(lambda: self._lots.get(line) == lot, PATIENCE_S)
            assert told, f"{self.name} was not told of {lot}"

    def _beats(self) -> None:
        while True:
            self._beat()
            if self._gone.wait(BEAT_S):
                return

    def _beat(self) -> None:
        with self._speaking:
            if not self._away:
                self._say("online")

    def _say(self, state: Literal["online", "offline"]) -> None:
        status = wire.Status(
            agent=self.name, state=state, at_us=now_us(), epoch=self._epoch, made=self._next - 1, interval_s=BEAT_S
        )
        self._client.publish(self._topic("status"), wire.encode(status), qos=1, retain=True)

    def close(self) -> None:
        self._gone.set()
        self._heart.join()
        self._client.disconnect()
        self._client.loop_stop()

    def _topic(self, channel: Any) -> str:
        return str(Topic(self._site, self.name, channel))

    def _on_ack(self, _client: object, _userdata: object, message: mqtt.MQTTMessage) -> None:
        ack = wire.decode_ack(bytes(message.payload))
        with self._news:
            if ack.epoch == self._epoch:
                self._through = max(self._through, ack.through)
                self._news.notify_all()

    def _on_command(self, _client: object, _userdata: object, message: mqtt.MQTTMessage) -> None:
        command = wire.decode_command(bytes(message.payload))
        with self._news:
            match command:
                case wire.EvidenceKept(ids=ids):
                    self._kept.update(ids)
                case wire.LineOrders(lines=lines):
                    self._lots |= {line: order.lot for line, order in lines.items()}
            self._news.notify_all()


def _part(folder: Path, module: str, argument: str, answers: Callable[[], bool]) -> ServerProcess:
    command = [sys.executable, "-c", _RUN.format(module=module, argument=argument), str(folder / "site.json")]
    return ServerProcess(command, folder / f"{module}.log", answers)


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True
