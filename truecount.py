"""The command line: one subcommand per process or tool, nothing else.

The parts are imported inside the commands, so that each process loads only its own side of the house.
"""

import asyncio
import json
import signal
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import Annotated, Any, Never

import typer

from contract.errors import BadSiteFile
from contract.site import Site
from contract.site_file import load

app = typer.Typer(
    name="truecount",
    help="A warehouse that knows what it truly holds, right now, and orders what it will lack.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
llrp = typer.Typer(help="Tools for LLRP frames.", no_args_is_help=True)
config = typer.Typer(help="Tools for site files.", no_args_is_help=True)
app.add_typer(llrp, name="llrp")
app.add_typer(config, name="config")

ConfigOption = Annotated[Path, typer.Option("--config", help="The site file.", metavar="FILE")]
SeedOption = Annotated[int, typer.Option(help="Seed of the simulated world.")]
SpeedOption = Annotated[
    float, typer.Option(help="How fast the world's schedule runs; passes stay physical.", min=0.1, max=1000)
]


@app.command()
def demo(
    config_file: ConfigOption = Path("configs/site.yaml"),
    seed: SeedOption = 7,
    speed: SpeedOption = 1.0,
    duration: Annotated[float | None, typer.Option(help="Seconds to run; without it until Ctrl-C.", min=1)] = None,
    headless: Annotated[bool, typer.Option("--headless", help="Plain lines instead of the live line.")] = False,
    report: Annotated[Path | None, typer.Option(help="Write the site's truth beside the ledger, as JSON.")] = None,
    data: Annotated[Path, typer.Option(help="Folder of the demo; what an earlier demo left there goes.")] = Path(
        "data/demo"
    ),
) -> None:
    """Everything on this machine: simulated world and devices, broker, edge, gateway, cloud, page."""
    from firmware_sim import house

    if report is not None and duration is None:
        _fail("--report compares the end of a run: say how long it is with --duration")
    site = _site(config_file)
    plan = house.Plan(
        site=site.model_dump(mode="json"),
        command=(sys.executable, str(Path(__file__).resolve())),
        agents=tuple(agent.name for agent in site.agents),
        folder=data,
        seed=seed,
        speed=speed,
        duration_s=duration,
        headless=headless or not sys.stdout.isatty(),
        report=report,
        made=_made_at_the_edge,
        version=_version(),
    )
    _serve(house.run(plan), expected=house.DemoError)


@app.command()
def edge(
    config_file: ConfigOption,
    agent: Annotated[str | None, typer.Option(help="Which agent of the site file; needed when it has several.")] = None,
) -> None:
    """One edge agent: readers, doors and fieldbus in, decided events out."""
    from edge import agent as edge_agent
    from edge.errors import EdgeError

    site = _site(config_file)
    names = [one.name for one in site.agents]
    if agent is None and len(names) > 1:
        _fail(f"{config_file} has several agents: name one with --agent ({', '.join(names)})")
    name = agent or names[0]
    if name not in names:
        _fail(f"{config_file} has no agent {name!r}: there are {', '.join(names)}")
    _serve(edge_agent.run(site, name), expected=EdgeError)


@app.command()
def gateway(config_file: ConfigOption) -> None:
    """The site's gateway: ledger, history, page, replenishment."""
    from gateway import app as gateway_app
    from gateway.errors import GatewayError

    _serve(gateway_app.run(_site(config_file)), expected=GatewayError)


@app.command()
def cloud(config_file: ConfigOption) -> None:
    """The company's cloud service: purchase orders, each exactly once."""
    from cloud import app as cloud_app
    from cloud.errors import CloudError

    _serve(cloud_app.run(_site(config_file).cloud), expected=CloudError)


@app.command()
def sim(config_file: ConfigOption, seed: SeedOption = 7, speed: SpeedOption = 1.0) -> None:
    """The simulated world with its readers and PLCs, speaking the real protocols."""
    import msgspec

    from firmware_sim import app as sim_app
    from firmware_sim.config import WorldConfig
    from firmware_sim.errors import SimError

    world = msgspec.convert(_site(config_file).model_dump(mode="json"), WorldConfig)
    _serve(sim_app.run(world, seed=seed, speed=speed), expected=SimError)


@app.command()
def broker(config_file: ConfigOption) -> None:
    """The site's MQTT broker: the embedded NATS server, or Mosquitto with a generated configuration."""
    from gateway import broker as site_broker
    from gateway.errors import GatewayError

    _serve(site_broker.run(_site(config_file).broker), expected=GatewayError)


@app.command()
def replay(
    reads: Annotated[Path, typer.Argument(help="CSV of reads: timestamp, reader, antenna, rssi, epc, ...")],
    inside: Annotated[str, typer.Option(help="Antennas on the inside, e.g. 1,4")],
    outside: Annotated[str, typer.Option(help="Antennas on the outside, e.g. 2,3")],
) -> None:
    """Recorded reads in, one wire-form JSON event a line out. Needs no broker."""
    from contract import wire
    from edge.errors import EdgeError
    from edge.replay import decide_csv

    try:
        for door_pass in decide_csv(reads, _antennas(inside, "--inside"), _antennas(outside, "--outside")):
            typer.echo(wire.encode(door_pass).decode())
    except OSError as error:
        _fail(f"{reads}: {error.strerror}")
    except EdgeError as error:
        _fail(str(error))


@llrp.command("decode")
def llrp_decode(files: Annotated[list[Path], typer.Argument(help="Files of concatenated LLRP frames.")]) -> None:
    """LLRP frames in, one JSON object a frame out; exit status 1 if any frame could not be read."""
    from edge.llrp.frames import decode_file

    failed = False
    for path in files:
        try:
            data = path.read_bytes()
        except OSError as error:
            typer.echo(f"{path}: {error.strerror}", err=True)
            failed = True
            continue
        for frame in decode_file(data):
            failed |= "error" in frame
            typer.echo(json.dumps(frame))
    raise typer.Exit(1 if failed else 0)


@config.command("check")
def config_check(file: Path) -> None:
    """Tell every mistake of a site file at once; exit status 2 if there is one."""
    site = _site(file)
    typer.echo(
        f"{file}: ok: {site.title.en}, {len(site.agents)} agents, {len(site.doors)} doors, "
        f"{len(site.zones)} zones, {len(site.items)} SKUs, {len(site.modbus)} Modbus devices"
    )


def _site(path: Path) -> Site:
    try:
        return load(path)
    except OSError as error:
        _fail(f"{path}: {error.strerror}")
    except BadSiteFile as error:
        mistakes = error.mistakes
        _fail(f"{error}\n{len(mistakes)} mistake{'s' if len(mistakes) > 1 else ''} in {path}")


def _antennas(text: str, option: str) -> set[int]:
    try:
        return {int(part) for part in text.split(",")}
    except ValueError:
        _fail(f"{option}: expected antenna numbers such as 1,4 and not {text!r}")


def _made_at_the_edge(folder: Path) -> list[tuple[str, int]]:
    """(epoch, sequence) of every event that the outbox of the agent with this data folder holds."""
    from edge.agent import outbox_file
    from edge.outbox import read_history

    return [(kept.epoch, kept.seq) for kept in read_history(outbox_file(folder))]


def _version() -> str:
    from importlib.metadata import version

    return version("truecount")


def _serve(main: Coroutine[Any, Any, None], *, expected: type[Exception]) -> None:
    """Run until it ends, or until SIGINT or SIGTERM cancels it: then it cleans up and the exit status is 0.

    An `expected` error is told in its own words, with exit status 1.
    """

    async def until_told() -> None:
        task = asyncio.ensure_future(main)
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, task.cancel)
        try:
            await task
        except asyncio.CancelledError:
            return

    try:
        asyncio.run(until_told())
    except expected as error:
        _fail(str(error), status=1)


def _fail(text: str, status: int = 2) -> Never:
    typer.echo(text, err=True)
    raise typer.Exit(status)


def main() -> None:
    """Entry point of the `truecount` command."""
    app()


if __name__ == "__main__":
    main()
