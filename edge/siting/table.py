"""A survey as tables and sentences for a terminal."""

from collections.abc import Iterator

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from edge.siting.findings import Findings
from edge.siting.standing import TagHeard

MAX_TAGS = 25
"""Rows; the loudest come first."""


def tables(found: Findings) -> RenderableType:
    """Everything but the snippet."""
    parts: list[RenderableType] = [_steps(found), _antennas(found), _tags(found)]
    if len(found.tags) > MAX_TAGS:
        parts.append(Text(f"and {len(found.tags) - MAX_TAGS} tags that are fainter", style="dim"))
    if found.walked is not None:
        parts.append(_walks(found))
    parts += [Text(f"! {warning}", style="bold") for warning in found.warnings]
    return Group(*parts, _proposal(found))


def _steps(found: Findings) -> Table:
    table = _table(f"Survey of {found.door}: what was measured", "power, dBm", "session", "s", "reads/s", "tags",
                   "best tag, reads/s", "air time", "too loud")  # fmt: skip
    for step in found.steps:
        powers = sorted({*step.power_dbm.values()}, reverse=True)
        table.add_row(
            " ".join(f"{one:g}" for one in powers) or "-", f"S{step.session}", f"{step.seconds:g}", f"{step.per_s:g}",
            str(step.tags), f"{step.brisk_per_s:g}", "-" if step.duty is None else f"{step.duty:.0%}", str(step.loud),
        )  # fmt: skip
    return table


def _antennas(found: Findings) -> Table:
    table = _table("Antennas, under the proposed settings", "antenna", "side", "reads/s", "tags", "median", "p90, dBm")
    for one in found.antennas:
        table.add_row(
            f"{one.reader}/{one.antenna}", one.side, f"{one.per_s:g}", str(one.tags),
            _number(one.median_rssi_dbm), _number(one.p90_rssi_dbm),
        )  # fmt: skip
    return table


def _tags(found: Findings) -> Table:
    table = _table("Tags near the door", "EPC", "shape", "peak", "inside", "outside, dBm", "noise, dB", "reads/s",
                   "gap p50", "p90", "p99, s")  # fmt: skip
    for tag in found.tags[:MAX_TAGS]:
        table.add_row(*_tag(tag, static=tag.epc in found.proposal.static_tags))
    return table


def _tag(tag: TagHeard, *, static: bool) -> Iterator[str]:
    yield tag.epc
    yield tag.shape + (", static" if static else "")
    yield f"{tag.peak_rssi_dbm:g}"
    yield from (_number(value) for value in (tag.inside_peak_dbm, tag.outside_peak_dbm, tag.noise_db))
    yield f"{tag.per_s:g}"
    yield from (_number(value) for value in (tag.gap_p50_s, tag.gap_p90_s, tag.gap_p99_s))


def _walks(found: Findings) -> Table:
    assert found.walked is not None
    strays = ", ".join(f"{count} {reason}" for reason, count in found.walked.strays.items())
    title = f"Walks of {found.walked.epc} by the proposed settings{f'; no pass: {strays}' if strays else ''}"
    table = _table(title, "after, s", "lasted", "direction", "confidence", "margin, s", "by", "reads by antenna")
    for walk in found.walked.passes:
        reads = " ".join(f"{antenna}:{count}" for antenna, count in walk.antennas.items())
        table.add_row(f"{walk.after_s:g}", f"{walk.lasted_s:g}", walk.direction, f"{walk.confidence:g}",
                      _number(walk.margin_s), walk.rule, reads)  # fmt: skip
    return table


def _proposal(found: Findings) -> Table:
    proposal = found.proposal
    power = ", ".join(str(index) for index in sorted({*proposal.transmit_power.values()})) or "0"
    power_dbm = ", ".join(f"{one:g}" for one in sorted({*found.steps[-1].power_dbm.values()}))
    values = {
        "transmit_power": f"{power} ({power_dbm} dBm)" if power_dbm else power,
        "session": str(proposal.session),
        "margin_s": f"{proposal.margin_s:g}",
        "min_peak_rssi_dbm": f"{proposal.min_peak_rssi_dbm:g}",
        "static_tags": str(len(proposal.static_tags)),
    }
    table = _table("Proposal", "setting", "value", "why")
    for setting, why in proposal.reasons.items():
        table.add_row(setting, values[setting], why)
    return table


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold", header_style="", show_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold", no_wrap=column == "EPC")
    return table


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:g}"
