"""A survey as a picture: a bar for each antenna, and for each tag its level over time under the proposed settings.

An SVG of its own, light or dark as the viewer likes it. Sides and shapes are told by marks and words, not by colour.

    reads per second    reader/1 inside   ########## 41.2
                        reader/2 outside  ####       17.0
    [#] standing  3034...01   ..o..o.o.o....o..oo    o inside, + outside, - - the level that counts as a pass
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Final
from xml.sax.saxutils import escape

from edge.llrp.powers import named
from edge.llrp.read import Read
from edge.portal.sides import Side
from edge.siting.findings import Findings
from edge.siting.measured import AntennaHeard, Measured, by_tag
from edge.siting.standing import Shape, TagHeard

MAX_STRIPS: Final = 40
"""Tags that are drawn, the loudest; the rest are counted."""
MAX_DOTS: Final = 400
"""Reads that are drawn of each tag: the loudest in each bit of time."""
WIDTH: Final = 960
LEFT: Final = 330
RIGHT: Final = 890
BAR: Final = 22
STRIP: Final = 56
LOUD_DBM, FAINT_DBM = -35.0, -80.0

_STYLE: Final = """
  svg { --ink: #1b1f24; --dim: #5b6672; --line: #d4dae0; --back: #ffffff; --in: #0b62c4; --out: #b25000; --bar: #3f6f9f;
        background: var(--back); font: 13px system-ui, "Noto Sans", sans-serif; }
  @media (prefers-color-scheme: dark) {
    svg { --ink: #e8ecf0; --dim: #a3adb8; --line: #3a434d; --back: #14181c; --in: #6db3ff; --out: #ffb066;
          --bar: #6c9cc9; } }
  .back { fill: var(--back); } text { fill: var(--ink); } .dim { fill: var(--dim); font-size: 12px; }
  .epc { font-family: ui-monospace, "DejaVu Sans Mono", monospace; font-size: 12px; }
  h1, .title { font-size: 18px; font-weight: 600; } .head { font-size: 14px; font-weight: 600; }
  .end { text-anchor: end; } .mid { text-anchor: middle; }
  .bar { fill: var(--bar); } .deaf { fill: none; stroke: var(--ink); stroke-dasharray: 3 3; }
  .frame { fill: none; stroke: var(--line); } .limit { stroke: var(--dim); stroke-dasharray: 5 4; }
  .inside { fill: var(--in); } .outside { stroke: var(--out); stroke-width: 1.5; fill: none; }
  .neutral { fill: var(--dim); } .mark { fill: none; stroke: var(--ink); stroke-width: 1.6; }
  .solid { fill: var(--ink); }
"""
_MARKS: Final[dict[Shape, str]] = {
    "standing": '<rect class="mark solid" x="-6" y="-6" width="12" height="12"/>',
    "flat": '<rect class="mark solid" x="-7" y="-2" width="14" height="4"/>',
    "weak": '<path class="mark" d="M-6 -5 H6 L0 6 Z"/>',
    "few_reads": '<circle class="mark" r="5.5"/>',
    "moving": '<path class="mark" d="M-7 0 H6 M1 -5 L6 0 L1 5"/>',
}


def picture(found: Findings, last: Measured, side_of: Callable[[Read], Side | None]) -> str:
    """The SVG; `last` holds the reads under the proposed settings."""
    bars_at = 96
    strips_at = bars_at + BAR * len(found.antennas) + 62
    shown = [tag for tag in found.tags if tag.per_s][:MAX_STRIPS]
    height = strips_at + STRIP * max(1, len(shown)) + 64
    reads = by_tag(last.reads)
    lines = [
        *_head(found, last, height),
        *_bars(found.antennas, bars_at),
        *_strips_head(found, strips_at),
    ]
    for place, tag in enumerate(shown):
        lines += _strip(tag, reads.get(tag.epc, []), last, side_of, strips_at + STRIP * place, found)
    left_out = len(found.tags) - len(shown)
    lines += _foot(last, strips_at + STRIP * len(shown), f"{left_out} further tags are not drawn" if left_out else "")
    return "\n".join([*lines, "</svg>", ""])


def _head(found: Findings, last: Measured, height: int) -> Iterator[str]:
    title = f"Survey of {found.door}"
    said = f"proposed: {named(last.setting.powers)}, session S{found.proposal.session}, {_rules(found)}"
    yield (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}"'
        ' role="img" aria-labelledby="t d">'
    )
    yield f'<title id="t">{escape(title)}</title><desc id="d">{escape(said)}</desc>'
    yield f"<style>{_STYLE}</style>"
    yield f'<rect class="back" width="{WIDTH}" height="{height}"/>'
    yield _text(24, 34, title, "title")
    yield _text(24, 56, said, "dim")
    yield _text(24, 84, "Reads per second of each antenna", "head")


def _rules(found: Findings) -> str:
    return f"margin {found.proposal.margin_s:g} s, least peak {found.proposal.min_peak_rssi_dbm:g} dBm"


def _bars(antennas: Sequence[AntennaHeard], top: int) -> Iterator[str]:
    most = max((one.per_s for one in antennas), default=0.0) or 1.0
    for place, one in enumerate(antennas):
        y = top + BAR * place
        yield _text(LEFT - 10, y + 15, f"{one.reader}/{one.antenna} {one.side}", "end")
        if one.per_s:
            width = max(2, round((RIGHT - LEFT - 60) * one.per_s / most))
            yield f'<rect class="bar" x="{LEFT}" y="{y + 3}" width="{width}" height="{BAR - 6}" rx="2"/>'
            yield _text(LEFT + width + 8, y + 15, f"{one.per_s:g}  ({one.tags} tags)", "dim")
        else:
            yield f'<rect class="deaf" x="{LEFT}" y="{y + 3}" width="60" height="{BAR - 6}" rx="2"/>'
            words = "not connected" if one.connected is False else "hears nothing"
            yield _text(LEFT + 70, y + 15, f"{words}: check its cable", "")


def _strips_head(found: Findings, top: int) -> Iterator[str]:
    yield _text(24, top - 30, "Level of each tag over time", "head")
    yield _text(24, top - 12, "the loudest first", "dim")
    x = LEFT
    yield f'<circle class="inside" cx="{x}" cy="{top - 16}" r="3"/>'
    yield _text(x + 9, top - 12, "inside", "dim")
    yield f'<path class="outside" d="{_cross(x + 70, top - 16)}"/>'
    yield _text(x + 79, top - 12, "outside", "dim")
    yield f'<rect class="neutral" x="{x + 142}" y="{top - 18}" width="4" height="4"/>'
    yield _text(x + 152, top - 12, "overhead", "dim")
    yield f'<path class="limit" d="M{x + 222} {top - 16} H{x + 250}"/>'
    yield _text(x + 257, top - 12, f"least peak of a pass, {found.proposal.min_peak_rssi_dbm:g} dBm", "dim")


def _strip(
    tag: TagHeard,
    reads: Sequence[Read],
    last: Measured,
    side_of: Callable[[Read], Side | None],
    top: int,
    found: Findings,
) -> Iterator[str]:
    static = ", in static_tags" if tag.epc in found.proposal.static_tags else ""
    yield f'<g transform="translate(34 {top + 16})">{_MARKS[tag.shape]}</g>'
    yield _text(52, top + 20, f"{tag.shape.replace('_', ' ')}{static}", "")
    yield _text(52, top + 38, _short(tag.epc), "epc")
    yield f'<rect class="frame" x="{LEFT}" y="{top}" width="{RIGHT - LEFT}" height="{STRIP - 8}"/>'
    limit_y = _level_y(found.proposal.min_peak_rssi_dbm, top)
    yield f'<path class="limit" d="M{LEFT} {limit_y} H{RIGHT}"/>'
    yield _text(RIGHT + 6, top + 10, f"{LOUD_DBM:g}", "dim")
    yield _text(RIGHT + 6, top + STRIP - 10, f"{FAINT_DBM:g} dBm", "dim")
    yield from _dots(reads, last, side_of, top)


def _dots(reads: Sequence[Read], last: Measured, side_of: Callable[[Read], Side | None], top: int) -> Iterator[str]:
    """The loudest read of each side in each bit of time."""
    loudest: dict[tuple[int, Side | None], float] = {}
    for read in reads:
        share = (read.at_us - last.begun_us) / (last.seconds * 1e6)
        key = (round(min(1.0, max(0.0, share)) * MAX_DOTS / 2), side_of(read))
        loudest[key] = max(loudest.get(key, FAINT_DBM), read.rssi_dbm)
    for (bit, side), level_dbm in sorted(loudest.items(), key=lambda item: item[0][0]):
        x, y = round(LEFT + 4 + bit * (RIGHT - LEFT - 8) / (MAX_DOTS / 2), 1), _level_y(level_dbm, top)
        match side:
            case "inside":
                yield f'<circle class="inside" cx="{x}" cy="{y}" r="2.4"/>'
            case "outside":
                yield f'<path class="outside" d="{_cross(x, y)}"/>'
            case None:
                yield f'<rect class="neutral" x="{x - 2}" y="{y - 2}" width="4" height="4"/>'


def _foot(last: Measured, top: int, note: str) -> Iterator[str]:
    for share in (0.0, 0.5, 1.0):
        x = LEFT + 4 + share * (RIGHT - LEFT - 8)
        yield _text(x, top + 10, f"{share * last.seconds:.1f} s", "dim mid")
    yield _text(24, top + 34, note, "dim")


def _level_y(level_dbm: float, top: int) -> float:
    share = (LOUD_DBM - min(LOUD_DBM, max(FAINT_DBM, level_dbm))) / (LOUD_DBM - FAINT_DBM)
    return round(top + 4 + share * (STRIP - 16), 1)


def _cross(x: float, y: float) -> str:
    return f"M{x - 3} {y} H{x + 3} M{x} {y - 3} V{y + 3}"


def _text(x: float, y: float, words: str, classes: str) -> str:
    return f'<text x="{x}" y="{y}" class="{classes}">{escape(words)}</text>'


def _short(epc: str) -> str:
    return epc if len(epc) <= 32 else f"{epc[:16]}…{epc[-12:]}"
