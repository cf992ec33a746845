"""The demo: a whole house on one machine, each part a process of its own, and at the end the judge.

broker  cloud  gateway  sim  edge     processes, talking MQTT, HTTP, LLRP and Modbus over loopback
   \\      |       |      |     /
    `-- this file: starts them, prints a live line from the page's stream, asks the judge, stops them
"""

import asyncio
import json
import shutil
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import msgspec
from rich.console import Console
from rich.live import Live
from rich.text import Text

from firmware_sim import gathering, judge
from firmware_sim.clerk import Clerk
from firmware_sim.errors import DemoError
from firmware_sim.processes import Process, free_port

START_S = 60.0
RETAINED = 1_000_000
"""Events that each agent keeps after they are acknowledged, so that all it ever made can be counted at the end."""
LATENCIES_KEPT = 200_000
SITE_FILE = "site.yaml"


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What to run, and for how long."""

    site: dict[str, Any]
    """The site file's content, every default filled in."""
    command: Sequence[str]
    """How to start `truecount`."""
    agents: Sequence[str]
    """Names of the edge agents."""
    folder: Path
    """Everything the demo writes; emptied first."""
    seed: int
    speed: float
    duration_s: float | None
    headless: bool
    report: Path | None
    made: gathering.Made
    version: str


class Watch:
    """What the page's stream has told so far."""

    def __init__(self) -> None:
        self.latencies_us: deque[int] = deque(maxlen=LATENCIES_KEPT)
        self.state: dict[str, dict[str, Any]] = {}

    def take(self, kind: str, data: dict[str, Any]) -> None:
        """One event of the stream, as it arrived just now."""
        now_us = time.time_ns() // 1000
        if kind == "snapshot":
            sections = ("site", "doors", "lines", "shipments", "stock", "exceptions", "orders", "devices")
            self.state = {section: dict(data.get(section, {})) for section in sections}
        elif kind == "delta":
            for change in data["changes"]:
                self._apply(change)
            own = (entry for entry in data["feed"] if entry["agent"] != "gateway")
            self.latencies_us.extend(now_us - entry["decided_us"] for entry in own)

    def _apply(self, change: dict[str, Any]) -> None:
        section = self.state.setdefault(change["section"], {})
        if change["value"] is None:
            section.pop(change["key"], None)
        else:
            section[change["key"]] = change["value"]

    def line(self) -> str:
        """What is happening, in one line; p99 is of the way from the decision to the page, lately."""
        doors = self.state.get("doors", {}).values()
        stock = self.state.get("stock", {}).values()
        open_ones = sum(one["state"] == "open" for one in self.state.get("exceptions", {}).values())
        site: dict[str, Any] = next(iter(self.state.get("site", {}).values()), {})
        receiving = [one for one in self.state.get("shipments", {}).values() if one["state"] == "receiving"]
        trucks = "".join(f"  {one['id']} {one['seen']}/{one['expected']}" for one in receiving[:2])
        latest = sorted(list(self.latencies_us)[-200:])
        p99 = f"{latest[int(0.99 * (len(latest) - 1))] / 1000:.0f} ms" if latest else "–"
        fruit = sum(line["per_minute"] for line in self.state.get("lines", {}).values())
        moved = f"in {sum(door['inbound'] for door in doors)} out {sum(door['outbound'] for door in doors)}"
        return (
            f"{site.get('committed', 0)} events  {moved}  stock {sum(one['units'] for one in stock)}"
            f"  orders {len(self.state.get('orders', {}))}  fruit/min {fruit}  open {open_ones}  p99 {p99}{trucks}"
        )


async def run(plan: Plan) -> None:
    """Run the demo until its duration is over or it is cancelled; raises `DemoError`."""
    console = Console(highlight=False)
    site = prepare(plan)
    address = f"http://{site['gateway']['host']}:{site['gateway']['port']}"
    watch = Watch()
    async with processes(plan, site, console.print), httpx.AsyncClient(timeout=10) as client:
        console.print(f"\nThe page is at [bold]{address}/[/bold]   (Ctrl-C stops everything)\n")
        clerk = Clerk(client, gathering.simulator(site))
        besides = [asyncio.create_task(follow(address, watch))]
        if plan.report is not None:
            besides.append(asyncio.create_task(clerk.run()))
        try:
            async with asyncio.timeout(plan.duration_s):
                await _tell(watch, console, headless=plan.headless)
        except TimeoutError:
            if plan.report is not None:
                console.print("settling: nothing new begins, what is under way is finished")
                evidence = await gathering.gather(
                    client,
                    address,
                    site,
                    clerk,
                    made_at=plan.made,
                    latencies_us=tuple(watch.latencies_us),
                    version=plan.version,
                )
                for name, known in (("truth", evidence.truth), ("fruit", evidence.fruit)):
                    (plan.folder / f"{name}.json").write_bytes(msgspec.json.encode(known))  # for who wants to know why
                plan.report.parent.mkdir(parents=True, exist_ok=True)
                plan.report.write_text(json.dumps(judge.report(evidence), indent=2) + "\n")
                console.print(f"report written to {plan.report}")
        finally:
            for task in besides:
                task.cancel()
            await asyncio.wait(besides)
            console.print("stopping")


def prepare(plan: Plan) -> dict[str, Any]:
    """An empty folder with a site file of its own: free ports, data inside the folder."""
    if plan.folder.exists():
        if any(plan.folder.iterdir()) and not (plan.folder / SITE_FILE).exists():
            raise DemoError(f"{plan.folder} holds something that is not a demo's: name another folder with --data")
        shutil.rmtree(plan.folder)
    (plan.folder / "logs").mkdir(parents=True)
    site: dict[str, Any] = json.loads(json.dumps(plan.site))
    listeners = [site["broker"], site["gateway"], site["cloud"], *site["modbus"], *site["zone_readers"]]
    listeners += [reader for door in site["doors"] for reader in door["readers"]]
    for listener in listeners:
        listener["port"] = free_port(listener["port"], listener["host"])
    for line in site["lines"]:
        _move_camera(line["camera"])
    site["simulation"]["judge_port"] = free_port(site["simulation"]["judge_port"])
    site["cloud"]["url"] = f"http://{site['cloud']['host']}:{site['cloud']['port']}"
    site["cloud"]["database"] = f"sqlite:///{plan.folder / 'cloud' / 'cloud.db'}"
    site["broker"]["data"] = str(plan.folder / "broker")
    site["gateway"]["data"] = str(plan.folder / "gateway")
    for agent in site["agents"]:
        agent["data"] = str(plan.folder / "edge" / agent["name"])
        agent["retain"] = RETAINED
    (plan.folder / SITE_FILE).write_text(json.dumps(site, indent=2, ensure_ascii=False) + "\n")  # JSON is YAML
    return site


def _move_camera(camera: dict[str, Any]) -> None:
    """A camera of this machine, that the simulator plays, gets a free port."""
    url = urlsplit(camera.get("url", ""))
    if camera["kind"] == "mjpeg" and url.hostname in ("127.0.0.1", "localhost"):
        camera["url"] = url._replace(netloc=f"{url.hostname}:{free_port(url.port or 80, url.hostname)}").geturl()


@asynccontextmanager
async def processes(
    plan: Plan, site: dict[str, Any], say: Callable[[str], None], only: Sequence[str] | None = None
) -> AsyncIterator[dict[str, Process]]:
    """The processes by name; stopped last to first.

    Those with an address start together, since each waits for the others by itself. The edge agents follow when all of
    them answer, so that the first decisions meet a house that is there.
    """

    def process(name: str, *arguments: str) -> Process:
        argv = (*plan.command, *arguments, "--config", str(plan.folder / SITE_FILE))
        return Process(name, argv, plan.folder / "logs" / f"{name}.log")

    broker, gateway, cloud = site["broker"], site["gateway"], site["cloud"]
    world = ("--seed", str(plan.seed), "--speed", str(plan.speed))
    steps = [
        (process("broker", "broker"), (broker["host"], broker["port"])),
        (process("cloud", "cloud"), (cloud["host"], cloud["port"])),
        (process("gateway", "gateway"), (gateway["host"], gateway["port"])),
        (process("sim", "sim", *world), ("127.0.0.1", site["simulation"]["judge_port"])),
        *((process(f"edge-{name}", "edge", "--agent", name), None) for name in plan.agents),
    ]
    wanted = {part.name for part, _ in steps} if only is None else set(only)
    if broker["kind"] == "external":
        wanted.discard("broker")
    steps = [(part, address) for part, address in steps if part.name in wanted]
    running: list[asyncio.Task[None]] = []
    try:
        say(f"starting {', '.join(part.name for part, _ in steps)}")
        for wave in ([step for step in steps if step[1]], [step for step in steps if not step[1]]):
            running += [asyncio.create_task(part.run(), name=part.name) for part, _ in wave]
            for part, address in wave:
                if address is not None:
                    await _answers(part, *address)
                    say(f"  {part.name} is up")
        yield {part.name: part for part, _ in steps}
    finally:
        for task in reversed(running):
            task.cancel()
            await asyncio.wait([task])


async def _answers(part: Process, host: str, port: int) -> None:
    """Wait until a process says that it is well: over HTTP where it has a `/healthz`, else by taking a connection."""
    deadline = time.monotonic() + START_S
    async with httpx.AsyncClient(timeout=5) as client:
        while not await _is_well(client, part, host, port):
            if part.restarts >= 3 or time.monotonic() > deadline:
                raise DemoError(f"{part.name} does not start; the end of its log:\n{part.log_tail()}")
            await asyncio.sleep(0.05)  # a process that is not yet well makes no event to wait for


async def _is_well(client: httpx.AsyncClient, part: Process, host: str, port: int) -> bool:
    try:
        if part.name != "broker":
            return (await client.get(f"http://{host}:{port}/healthz")).status_code == httpx.codes.OK
        _, writer = await asyncio.open_connection(host, port)
    except (OSError, httpx.TransportError):
        return False
    writer.close()
    return True


async def follow(address: str, watch: Watch) -> None:
    """Read the page's stream as a browser does, for ever."""
    while True:
        try:
            async with (
                httpx.AsyncClient(timeout=httpx.Timeout(5, read=10)) as client,
                client.stream("GET", f"{address}/api/v1/live") as response,
            ):
                kind = ""
                async for line in response.aiter_lines():
                    if line.startswith("event:"):
                        kind = line[6:].strip()
                    elif line.startswith("data:") and kind in ("snapshot", "delta"):
                        watch.take(kind, json.loads(line[5:]))
        except httpx.HTTPError:
            await asyncio.sleep(0.5)


async def _tell(watch: Watch, console: Console, *, headless: bool) -> None:
    """The live line, until cancelled."""
    began = time.monotonic()

    def line() -> Text:
        minutes, seconds = divmod(int(time.monotonic() - began), 60)
        return Text(f"{minutes:02}:{seconds:02}  {watch.line()}", no_wrap=True, overflow="ellipsis")

    if headless:
        while True:
            await asyncio.sleep(5)
            console.print(line(), soft_wrap=True)
    with Live(line(), console=console, auto_refresh=False) as live:
        while True:
            await asyncio.sleep(0.25)
            live.update(line(), refresh=True)
