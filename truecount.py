"""The command line: one subcommand per process or tool, nothing else.

The parts are imported inside the commands, so that each process loads only its own side of the house.
"""

import asyncio
import json
import os
import re
import signal
import sys
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal, Never

import typer

from contract.errors import BadSiteFile
from contract.portals import Door
from contract.site import Site
from contract.site_file import load

app = typer.Typer(
    name="truecount",
    help="A warehouse that knows what it truly holds, right now, and orders what it will lack.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
llrp = typer.Typer(help="Tools for LLRP frames.", no_args_is_help=True)
config = typer.Typer(help="Tools for site files.", no_args_is_help=True)
app.add_typer(llrp, name="llrp")
app.add_typer(config, name="config")
tag = typer.Typer(help="RFID tags at a reader: read them, write them.", no_args_is_help=True)
app.add_typer(tag, name="tag")
model = typer.Typer(
    help="Which model a sorting line uses; the running agent follows within a second.", no_args_is_help=True
)
app.add_typer(model, name="model")

ConfigOption = Annotated[Path, typer.Option("--config", help="The site file.", metavar="FILE")]
EXAMPLE_SITE = Path("configs/site.yaml")
SeedOption = Annotated[int, typer.Option(help="Seed of the simulated world.")]
SpeedOption = Annotated[
    float, typer.Option(help="How fast the world's schedule runs; passes stay physical.", min=0.1, max=1000)
]

ReaderOption = Annotated[str | None, typer.Option("--reader", help="A reader of the site file, by its name.")]
HostOption = Annotated[str | None, typer.Option("--host", help="Any other reader, without TLS.", metavar="HOST[:PORT]")]
AntennaOption = Annotated[int | None, typer.Option(help="One antenna only.", min=1, max=65535)]
SiteOption = Annotated[Path | None, typer.Option("--config", help="The site file, for --reader.", metavar="FILE")]
SecondsOption = Annotated[float, typer.Option(help="How long to wait for tags.", min=0.1, max=300)]
LineOption = Annotated[str | None, typer.Option("--line", help="Which sorting line; needed when there are several.")]
VersionArgument = Annotated[int, typer.Argument(help="Version of the crop's model.", min=1)]


@app.command()
def demo(
    config_file: ConfigOption = EXAMPLE_SITE,
    seed: SeedOption = 7,
    speed: SpeedOption = 1.0,
    duration: Annotated[float | None, typer.Option(help="Seconds to run; without it until Ctrl-C.", min=1)] = None,
    headless: Annotated[bool, typer.Option("--headless", help="Plain lines instead of the live line.")] = False,
    report: Annotated[Path | None, typer.Option(help="Write the site's truth beside the ledger, as JSON.")] = None,
    data: Annotated[Path, typer.Option(help="Folder of the demo; what an earlier demo left there goes.")] = Path(
        "data/demo"
    ),
    week: Annotated[
        bool, typer.Option("--week", help="Weeks in virtual time instead: how right the books are. Site: week.yaml.")
    ] = False,
    seeds: Annotated[int, typer.Option(help="Of --week: so many weeks, the first from --seed.", min=1, max=1000)] = 20,
    days: Annotated[int, typer.Option(help="Of --week: days of each.", min=1, max=31)] = 7,
    count: Annotated[
        Literal["zone", "house"], typer.Option(help="Of --week: the day's count is of one zone, or of all.")
    ] = "zone",
) -> None:
    """Everything on this machine: simulated world and devices, broker, edge, gateway, cloud, page."""
    if week:
        _weeks(config_file, range(seed, seed + seeds), days, count, report)
        return
    from firmware_sim import house
    from firmware_sim.errors import DemoError

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
        made=_made,
        version=_version(),
    )
    _serve(house.run(plan), expected=DemoError)


def _weeks(config_file: Path, seeds: range, days: int, count: Literal["zone", "house"], report: Path | None) -> None:
    """Simulated weeks, each in a process of its own, judged by the simulator's truth."""
    import msgspec

    from accuracy import report as told
    from accuracy import trial

    site = _site(config_file if config_file != EXAMPLE_SITE else config_file.with_name("week.yaml"))
    results = []
    for result in trial.play_all(site, seeds, days, os.cpu_count() or 1, whole_house=count == "house"):
        results.append(result)
        typer.echo(told.week_line(result))
    for line in told.lines(results):
        typer.echo(line)
    if report is not None:
        report.write_bytes(msgspec.json.format(msgspec.json.encode(told.document(results))) + b"\n")


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
def record(
    door: Annotated[str, typer.Argument(help="A door of the site file, by its name.")],
    config_file: ConfigOption,
    last: Annotated[
        str | None, typer.Option(help="Take what its agent recorded so lately.", metavar="10m|2h|7d")
    ] = None,
    during: Annotated[
        str | None, typer.Option("--for", help="Go on for so long; without it until Ctrl-C.", metavar="60s|5m")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="The file; packed if it ends in .gz.")] = None,
) -> None:
    """Raw reads of a live door to a file, for `truecount replay`. The agent that watches the door must be running."""
    from edge import tapeorder
    from edge.errors import EdgeError

    site = _site(config_file)
    place = _door(site, door, config_file)
    last_us = _microseconds(last, "--last") if last else None
    during_s = _microseconds(during, "--for") / 1e6 if during else None
    out = out or tapeorder.file_now(door)
    with _failing(out, EdgeError):
        typer.echo(tapeorder.carried_out(site, place, out, last_us, during_s))


@app.command()
def replay(
    reads: Annotated[Path, typer.Argument(help="A recording, or CSV of reads: timestamp, reader, antenna, rssi, epc.")],
    inside: Annotated[str | None, typer.Option(help="For CSV: antennas on the inside, e.g. 1,4")] = None,
    outside: Annotated[str | None, typer.Option(help="For CSV: antennas on the outside, e.g. 2,3")] = None,
    settings: Annotated[
        list[str] | None, typer.Option("--set", help="Try another rule, e.g. margin=0.4.", metavar="RULE=VALUE")
    ] = None,
) -> None:
    """Recorded reads in, one wire-form JSON event a line out. Needs no broker.

    With --set, what would be decided by other rules, and on standard error what would change.
    """
    from edge import replayorder
    from edge.errors import EdgeError

    with _failing(reads, EdgeError):
        for line in replayorder.carried_out(reads, inside, outside, settings or []):
            typer.echo(line)


@app.command()
def survey(
    door: Annotated[str, typer.Argument(help="A door of the site file, by its name.")],
    config_file: ConfigOption,
    minutes: Annotated[float, typer.Option(help="How long to measure.", min=0.1, max=120)] = 2.0,
    picture: Annotated[Path | None, typer.Option(help="Draw it, too, as an SVG.", metavar="OUT.svg")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object instead of tables.")] = False,
    test_tag: Annotated[
        str | None, typer.Option(help="EPC of a tag that you walk through the door when told to.", metavar="EPC")
    ] = None,
) -> None:
    """Measure a door's readers while nothing moves there, and propose power, session, margin and static tags.

    Stop the door's agent first: a reader serves one client. Put the proposal into the site file, and start it again.
    """
    from edge import surveyorder
    from edge.errors import EdgeError

    site = _site(config_file)
    chosen = _door(site, door, config_file)
    if picture is not None and not picture.parent.is_dir():
        _fail(f"{picture}: there is no folder {picture.parent}")
    tag = test_tag.lower() if test_tag else None
    work = surveyorder.run(site, chosen, 60 * minutes, drawn_to=picture, as_json=as_json, test_tag=tag)
    _serve(work, expected=EdgeError)


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


@tag.command("read")
def tag_read(
    config_file: SiteOption = None,
    reader: ReaderOption = None,
    host: HostOption = None,
    antenna: AntennaOption = None,
    seconds: SecondsOption = 2.0,
) -> None:
    """The tags in the field, the loudest first, one JSON object a line: EPC, what it stands for, TID, signal."""
    import msgspec

    from edge import tagorder
    from edge.tagwriting import read_tags

    async def read() -> None:
        place, antennas = tagorder.reader(_site(config_file) if config_file else None, reader, host, antenna)
        for seen in await read_tags(place, antennas, seconds):
            typer.echo(msgspec.json.encode(seen).decode())

    _at_a_tag(read())


@tag.command("write")
def tag_write(
    config_file: SiteOption = None,
    reader: ReaderOption = None,
    host: HostOption = None,
    gtin: Annotated[str | None, typer.Option(help="GTIN of the item that the tag is for; with --serial.")] = None,
    serial: Annotated[str | None, typer.Option(help="Its serial number, up to 20 characters.")] = None,
    sscc: Annotated[str | None, typer.Option(help="SSCC of the pallet that the tag is for.")] = None,
    epc: Annotated[str | None, typer.Option(help="Any EPC, in hexadecimal.", metavar="HEX")] = None,
    prefix_digits: Annotated[
        int | None,
        typer.Option(help="Digits of the GS1 company prefix; without, the EPC is SGTIN+ or SSCC+.", min=6, max=12),
    ] = None,
    from_epc: Annotated[str | None, typer.Option("--from", help="Present EPC of the tag that is meant.")] = None,
    lock: Annotated[bool, typer.Option("--lock", help="Lock EPC and passwords; needs a password.")] = False,
    password: Annotated[
        str | None,
        typer.Option(envvar="TRUECOUNT_TAG_PASSWORD", help="Access password, 8 hexadecimal digits.", metavar="HEX8"),
    ] = None,
    antenna: AntennaOption = None,
    seconds: SecondsOption = 10.0,
) -> None:
    """Write an EPC to the one tag in the field, lock it if asked, read it back; the outcome as one JSON object."""
    import msgspec

    from edge import tagorder
    from edge.tagwriting import write_tag

    async def write() -> None:
        wish = tagorder.wish(
            gtin=gtin, serial=serial, sscc=sscc, epc=epc, prefix_digits=prefix_digits, password=password, lock=lock
        )
        place, antennas = tagorder.reader(_site(config_file) if config_file else None, reader, host, antenna)
        done = await write_tag(place, antennas, wish, from_epc=from_epc and from_epc.lower(), seconds=seconds)
        typer.echo(msgspec.json.encode(done).decode())

    _at_a_tag(write())


@app.command()
def inspect(
    images: Annotated[list[str], typer.Argument(help="Files, folders, or patterns such as '*.jpg'.", metavar="IMAGE")],
    crop: Annotated[str, typer.Option(help="Whose model judges: lemon, tomato, ...")],
    backend: Annotated[Literal["int8", "fp32"], typer.Option(help="Which of the model's two files.")] = "int8",
    config_file: Annotated[
        Path | None, typer.Option("--config", help="A site file, for the crop's grade.", metavar="FILE")
    ] = None,
    models: Annotated[Path | None, typer.Option(help="Folder of model packages, instead of those shipped.")] = None,
    version: Annotated[int | None, typer.Option(help="Of the crop's model; by default the highest.", min=1)] = None,
) -> None:
    """Photographs in, one JSON verdict a line out: good, defective, unsure, or empty (no fruit).

    A line is {"file", "verdict", "score", "model", "ms"}. The score is the
    probability of defective, and null where the image is empty. Of several
    fruit in one image the worst one decides.

    An image that cannot be judged is {"file", "error"} instead: the others
    are judged, and the exit status is 1.
    """
    from msgspec.structs import asdict

    from edge.errors import EdgeError
    from edge.vision import stills
    from edge.vision.camera.complaints import Complaints
    from edge.vision.models import package

    try:
        judge = stills.StillJudge(models or package.SHIPPED, crop, backend, version, Complaints().fetch)
    except EdgeError as error:
        _fail(str(error))
    thresholds = judge.thresholds(_site(config_file).grades if config_file else [])
    failed = False
    for path in stills.files(images, partial(typer.echo, err=True)):
        told = judge.inspect(path, thresholds)
        typer.echo(json.dumps(asdict(told)))
        if isinstance(told, stills.NotInspected):
            typer.echo(told.error, err=True)
            failed = True
    raise typer.Exit(1 if failed else 0)


@model.command("show")
def model_show(config_file: ConfigOption, line: LineOption = None) -> None:
    """What is chosen for a line, what its agent uses, and which versions there are."""
    _order_model(config_file, line, "show")


@model.command("shadow")
def model_shadow(
    config_file: ConfigOption,
    version: Annotated[int | None, typer.Argument(help="Version of the crop's model.", min=1)] = None,
    off: Annotated[bool, typer.Option("--off", help="Try none any more.")] = False,
    line: LineOption = None,
) -> None:
    """Try a version beside the one that decides: it judges the same fruit, and decides nothing."""
    if (version is None) != off:
        _fail("name a version to try, or --off")
    _order_model(config_file, line, "shadow", version)


@model.command("switch")
def model_switch(config_file: ConfigOption, version: VersionArgument, line: LineOption = None) -> None:
    """Let a version decide, from one fruit to the next."""
    _order_model(config_file, line, "switch", version)


@model.command("rollback")
def model_rollback(config_file: ConfigOption, line: LineOption = None) -> None:
    """Let the version decide that did before."""
    _order_model(config_file, line, "rollback")


@app.command("epc")
def epc_identity(epcs: Annotated[list[str], typer.Argument(help="EPCs in hexadecimal.", metavar="HEX...")]) -> None:
    """What EPCs stand for, one JSON object a line; exit status 1 if one is no EPC of GS1's."""
    import msgspec

    from contract.epc import identify
    from contract.errors import BadEpc

    failed = False
    for epc in epcs:
        try:
            found = identify(epc)
        except BadEpc as error:
            typer.echo(json.dumps({"epc": epc, "error": str(error)}))
            failed = True
            continue
        typer.echo(json.dumps({"epc": epc} | msgspec.to_builtins(found)))
        failed |= found.scheme is None
    raise typer.Exit(1 if failed else 0)


review = typer.Typer(help="What people said of the pictures of fruit.", no_args_is_help=True)
app.add_typer(review, name="review")


@review.command("export")
def review_export(
    config_file: ConfigOption,
    out: Annotated[Path, typer.Option("--out", help="Folder of the training set; it may hold an earlier export.")],
    since: Annotated[
        str | None, typer.Option(help="Only what was answered since then.", metavar="2026-11-22|7d|12h")
    ] = None,
    crop: Annotated[str | None, typer.Option(help="Only this crop: a training set is of one.")] = None,
) -> None:
    """The labels that people gave, with their pictures, as a training set. The gateway must be running.

    Run it again to go on: what is there is not asked for again.
    """
    from gateway import exportorder
    from gateway.errors import GatewayError

    site = _site(config_file)
    since_us = _moment(since, "--since") if since else 0
    with _failing(out, GatewayError, status=1):
        done = exportorder.carried_out(site, out, since_us, crop)
    typer.echo(exportorder.summary(out, done))
    if advice := exportorder.advice(done):
        typer.echo(advice, err=True)


@app.command()
def restore(
    config_file: ConfigOption,
    from_influx: Annotated[
        bool, typer.Option("--from-influx", help="From the InfluxDB of the site file: the only source there is.")
    ] = False,
    out: Annotated[
        Path | None, typer.Option(help="The new ledger; by default where the gateway looks for it.", metavar="FILE")
    ] = None,
    cut: Annotated[
        bool, typer.Option("--cut", help="If rows are missing, take those before the first missing one.")
    ] = False,
) -> None:
    """A lost ledger again, equal to what it was, from the history in InfluxDB. The gateway must not be running.

    Exit status 1, and nothing is written, if rows are missing there or the file exists already.
    """
    from gateway.errors import GatewayError
    from gateway.history import restoreorder

    if not from_influx:
        _fail("say from what: truecount restore --from-influx")
    site = _site(config_file)
    with _failing(out or site.gateway.data, GatewayError, status=1):
        path, done = restoreorder.carried_out(site, out, cut=cut)
    typer.echo(restoreorder.summary(path, done))


ledger = typer.Typer(help="The ledger's file: is it whole, and what did it hold?", no_args_is_help=True)
app.add_typer(ledger, name="ledger")
FileOption = Annotated[
    Path | None, typer.Option("--file", help="Another file than the gateway's own.", metavar="LEDGER.DB")
]


@ledger.command("verify")
def ledger_verify(config_file: ConfigOption, file: FileOption = None) -> None:
    """Hash the whole log and fold it again: does it give what the file holds? Exit status 1 if not.

    The gateway may be running. Note the SHA-256 of the log somewhere else: nobody can change what is before it unseen.
    """
    from gateway import ledgerorder
    from gateway.errors import GatewayError

    site = _site(config_file)
    with _failing(file or site.gateway.data, GatewayError, status=1):
        verdict = ledgerorder.verified(site, file, ledgerorder.progress())
    for line in ledgerorder.told(verdict):
        typer.echo(line)
    raise typer.Exit(1 if verdict.faults else 0)


@ledger.command("snapshot")
def ledger_snapshot(config_file: ConfigOption, file: FileOption = None) -> None:
    """Copy the state as it is now into the folder of snapshots. The gateway may be running."""
    from gateway import ledgerorder
    from gateway.errors import GatewayError

    site = _site(config_file)
    with _failing(file or site.gateway.data, GatewayError, status=1):
        taken = ledgerorder.snapshot(site, file)
    typer.echo(f"{taken.path}: the state after row {taken.through:,}" if taken else "the log is empty")


@ledger.command("stock")
def ledger_stock(
    config_file: ConfigOption,
    at: Annotated[str, typer.Option("--at", help="When: a day, a moment (UTC), or a time before now such as 2h.")],
    file: FileOption = None,
) -> None:
    """The stock as the books had it at a moment, one JSON object a line. The gateway may be running."""
    from gateway import ledgerorder
    from gateway.errors import GatewayError

    site = _site(config_file)
    with _failing(file or site.gateway.data, GatewayError, status=1):
        for sku, zone, units in ledgerorder.levels_at(site, file, _moment(at, "--at")):
            typer.echo(json.dumps({"sku": sku, "zone": zone, "units": units}, ensure_ascii=False))


epcis = typer.Typer(help="EPCIS 2.0 events of what happened, for trading partners.", no_args_is_help=True)
app.add_typer(epcis, name="epcis")
AfterOption = Annotated[int | None, typer.Option(help="Only what is behind this row of the log.", min=0, metavar="ROW")]


@epcis.command("export")
def epcis_export(
    config_file: ConfigOption,
    after: AfterOption = None,
    out: Annotated[Path | None, typer.Option("--out", help="The file; without it, standard output.")] = None,
) -> None:
    """The log as one EPCIS document (JSON-LD). The gateway may be running.

    Says on standard error up to which row it went: the next export may go on --after it.
    """
    from gateway.epcis import exportorder
    from gateway.errors import GatewayError

    with _failing(out or Path("standard output"), GatewayError, status=1):
        typer.echo(exportorder.export(_site(config_file), after or 0, out), err=True)


@epcis.command("capture")
def epcis_capture(
    url: Annotated[str, typer.Argument(help="Base of the EPCIS 2.0 interface, before /capture.")],
    config_file: ConfigOption,
    after: AfterOption = None,
    cursor: Annotated[
        Path | None, typer.Option("--cursor", help="Where to keep how far it got; one in the gateway's data folder.")
    ] = None,
    token: Annotated[
        str | None, typer.Option(envvar="TRUECOUNT_EPCIS_TOKEN", help="Bearer token.", metavar="TOKEN")
    ] = None,
) -> None:
    """The log to a partner's EPCIS repository, from where the last time ended. The gateway may be running."""
    from gateway.epcis import exportorder
    from gateway.errors import GatewayError

    with _failing(cursor or Path("cursor"), GatewayError, status=1):
        typer.echo(exportorder.capture(_site(config_file), url, after, cursor, token))


@config.command("check")
def config_check(file: Path) -> None:
    """Tell every mistake of a site file at once; exit status 2 if there is one."""
    site = _site(file)
    typer.echo(
        f"{file}: ok: {site.title.en}, {len(site.agents)} agents, {len(site.doors)} doors, "
        f"{len(site.zones)} zones, {len(site.items)} SKUs, {len(site.modbus)} Modbus devices"
    )


def _door(site: Site, name: str, path: Path) -> Door:
    doors = {door.name: door for door in site.doors}
    if name not in doors:
        _fail(f"{path} has no door {name!r}: there are {', '.join(doors) or 'none'}")
    return doors[name]


def _order_model(
    path: Path, line: str | None, what: Literal["show", "shadow", "switch", "rollback"], version: int | None = None
) -> None:
    from edge.errors import EdgeError
    from edge.vision.models import modelorder

    site = _site(path)
    try:
        for words in modelorder.carried_out(site, line, what, version):
            typer.echo(words)
    except EdgeError as error:
        _fail(str(error))


def _at_a_tag(work: Coroutine[Any, Any, None]) -> None:
    from contract.errors import ContractError
    from edge.errors import EdgeError

    _serve(work, expected=(EdgeError, ContractError))


def _site(path: Path) -> Site:
    try:
        return load(path)
    except OSError as error:
        _fail(f"{path}: {error.strerror}")
    except BadSiteFile as error:
        mistakes = error.mistakes
        _fail(f"{error}\n{len(mistakes)} mistake{'s' if len(mistakes) > 1 else ''} in {path}")


def _microseconds(text: str, option: str) -> int:
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([smhd])", text.strip())
    if match is None:
        _fail(f"{option}: expected a time such as 30s, 10m, 2h or 7d and not {text!r}")
    return round(float(match[1]) * {"s": 1, "m": 60, "h": 3600, "d": 86_400}[match[2]] * 1e6)


def _moment(text: str, option: str) -> int:
    """A day (UTC), a moment (UTC if it names no zone), or a time before now; in microseconds since 1970."""
    import time
    from datetime import UTC, datetime

    if re.fullmatch(r"\d+(\.\d+)?\s*[smhd]", text.strip()):
        return time.time_ns() // 1000 - _microseconds(text, option)
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        _fail(f"{option}: expected a day such as 2026-11-22 or a time such as 7d, and not {text!r}")
    return round((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1e6)


def _made(folder: Path) -> list[tuple[str, int]]:
    from edge import agent

    return agent.made(folder)


def _version() -> str:
    from importlib.metadata import version

    return version("truecount")


def _serve(main: Coroutine[Any, Any, None], *, expected: type[Exception] | tuple[type[Exception], ...]) -> None:
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


@contextmanager
def _failing(at: Path, expected: type[Exception], status: int = 2) -> Iterator[None]:
    """Tell an `expected` error in its own words; one of the system with the file's name, by default `at`."""
    try:
        yield
    except OSError as error:
        _fail(f"{error.filename or at}: {error.strerror}")
    except expected as error:
        _fail(str(error), status)


def _fail(text: str, status: int = 2) -> Never:
    typer.echo(text, err=True)
    raise typer.Exit(status)


def main() -> None:
    """Entry point of the `truecount` command. Where its output cannot be written it ends with status 1."""
    if None in (sys.stdout, sys.stderr):  # the next file that is opened would take its place, and be written to
        sys.exit("standard output or standard error is closed: lead it to a file, or to /dev/null")
    try:
        app()
    except OSError:
        _write_out("\n")  # if this fails, too, it was the output, and no fault of ours
        raise
    finally:
        _write_out("")


def _write_out(more: str) -> None:
    for stream in (sys.stderr, sys.stdout):
        try:
            stream.write(more)
            stream.flush()
        except OSError as error:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())  # Python tries again when it ends
            sys.exit(f"output cannot be written: {error.strerror}")


if __name__ == "__main__":
    main()
