"""`truecount restore --from-influx`, as a person orders it on the command line."""

from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.text import Text

from contract.site import InfluxHistory as InfluxConfig
from contract.site import Site
from gateway.errors import RestoreFailed
from gateway.history.restore import Restored, Stage, restore


class _Speed(ProgressColumn):
    """Rows a second of the last seconds, or of the whole once it is done."""

    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        return Text("" if speed is None else f"{speed:,.0f} rows/s")


def carried_out(site: Site, out: Path | None, *, cut: bool) -> tuple[Path, Restored]:
    """Restore the ledger of a site to `out` (by default where its gateway looks for it), with a bar on stderr.

    Raises as `restore` does, and `RestoreFailed` for a site without InfluxDB.
    """
    config = site.gateway.history
    if not isinstance(config, InfluxConfig):
        raise RestoreFailed("the site file names no InfluxDB: gateway.history must be {kind: influx, url: ...}")
    path = out or site.gateway.data / "ledger.db"
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), _Speed(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as bar:
        tasks = {stage: bar.add_task(stage, total=None) for stage in ("reading", "folding")}

        def told(stage: Stage, done: int, of: int) -> None:
            bar.update(tasks[stage], completed=done, total=of)

        return path, restore(site, config, path, told, cut=cut)


def summary(path: Path, done: Restored) -> str:
    """What there is now."""
    newest = datetime.fromtimestamp(done.newest_us / 1e6, UTC)
    return f"{path}: {done.rows:,} rows, the last recorded at {newest:%Y-%m-%d %H:%M:%S} UTC, epoch {done.epoch}"
