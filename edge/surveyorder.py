"""A survey as a person orders it on the command line, and what is shown of it."""

from pathlib import Path
from typing import Any

import msgspec
from rich.console import Console

from contract.epc import identify
from contract.portals import Door
from contract.site import Site
from edge.siting.measured import side_of
from edge.siting.picture import picture
from edge.siting.proposal import proposed_door
from edge.siting.snippet import snippet
from edge.siting.table import tables
from edge.survey import Surveyed, survey
from edge.surveyscreen import Screen

QUIET = "Nothing that has a tag may move at the door meanwhile"
PASTE = "For the site file, in the place of the door's present entry:"


async def run(
    site: Site, door: Door, seconds: float, *, drawn_to: Path | None = None, as_json: bool = False, test_tag: str | None
) -> None:
    """Measure, then show tables and the snippet, or one JSON object; progress goes to stderr. Raises `LlrpError`."""
    with Screen(Console(stderr=True), seconds) as screen:
        screen.say(f"{QUIET}: {seconds:.0f} s. Ctrl-C stops; the readers are given back as they were found.")
        surveyed = await survey(door, seconds, screen, test_tag=test_tag)
    _show(site, door, surveyed, drawn_to, as_json=as_json)


def _show(site: Site, door: Door, surveyed: Surveyed, drawn_to: Path | None, *, as_json: bool) -> None:
    if drawn_to is not None:
        drawn_to.write_text(picture(surveyed.found, surveyed.last, side_of(door)), encoding="utf-8")
    text = entry(site, door, surveyed)
    if as_json:
        told: dict[str, Any] = msgspec.to_builtins(surveyed.found) | {"site_file": text}
        print(msgspec.json.encode(told).decode())
        return
    console = Console()
    console.print(tables(surveyed.found))
    console.print(f"\n{PASTE}\n")
    print(text)


def entry(site: Site, door: Door, surveyed: Surveyed) -> str:
    """The door's entry in the site file with the proposed settings, as YAML; it says what its static tags stand for."""

    def remark(epc: str) -> str:
        identity = identify(epc)
        sku = next((item.sku for item in site.items if item.gtin == identity.gtin), None)
        if sku is not None:
            return f"{sku}: leave it out if it is stock"
        return identity.uri if identity.scheme else ""

    return snippet(proposed_door(door, surveyed.found.proposal), remark)
