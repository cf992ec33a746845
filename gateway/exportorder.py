"""`truecount review export`: the labels that people gave, as a person orders them on the command line."""

import sys
from pathlib import Path

from rich.console import Console
from rich.progress import Progress

from contract.site import Site
from gateway.reviewexport import Exported, address, export


def carried_out(site: Site, out: Path, since_us: int, crop: str | None) -> Exported:
    """Export, with a bar on stderr where that is a screen. Raises as `export` does."""
    with Progress(console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()) as bar:
        task = bar.add_task("pictures", total=None)
        return export(
            address(site),
            out,
            since_us=since_us,
            crop=crop,
            progress=lambda count, of: bar.update(task, completed=count, total=of),
        )


def summary(out: Path, done: Exported) -> str:
    """What is in the folder now."""
    labels = ", ".join(f"{count} {label}" for label, count in sorted(done.labels.items())) or "none"
    return (
        f"{out / 'manifest.csv'}: {labels}; {done.added} new, {done.unusable} unusable left out, "
        f"{done.gone} without a picture any more"
    )


def advice(done: Exported) -> str | None:
    """What a person should do otherwise."""
    found = []
    if done.refused:
        found.append(
            f"{len(done.refused)} left out: {done.refused[0]!r} is no picture's id. Is that a Truecount gateway?"
        )
    if len(done.crops) > 1:
        found.append(f"It holds {', '.join(sorted(done.crops))}: export each with --crop to train on it.")
    return "\n".join(found) or None
