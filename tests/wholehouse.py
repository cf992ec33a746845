"""What `truecount demo` would run, made smaller or larger for a test: the whole house as processes of their own."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ledgersite import SITE

import truecount
from firmware_sim.house import Plan


def plan(
    folder: Path,
    *,
    seed: int,
    speed: float = 1.0,
    site: dict[str, Any] | None = None,
    agents: Sequence[str] = tuple(agent.name for agent in SITE.agents),
) -> Plan:
    """The example site, or the given content of a site file, with everything that is written in a folder."""
    return Plan(
        site=SITE.model_dump(mode="json") if site is None else site,
        command=(sys.executable, str(Path(truecount.__file__))),
        agents=agents,
        folder=folder,
        seed=seed,
        speed=speed,
        duration_s=None,
        headless=True,
        report=None,
        made=lambda _: (),
        version="test",
    )
