"""All that a survey found, as it is told."""

from collections.abc import Mapping, Sequence, Set
from typing import NamedTuple

from msgspec import Struct

from contract.portals import Door
from edge.siting.measured import AntennaHeard, Measured, antennas, duty, side_of
from edge.siting.proposal import PowerChoice, Proposal, SessionChoice, brisk_per_s, loud_tags, propose, proposed_door
from edge.siting.standing import TagHeard, heard_in, shape, tags
from edge.siting.walked import Walked, walked

Connected = Mapping[tuple[str, int], bool]
"""By reader and antenna: whether the reader says that something is connected there."""


class Course(NamedTuple):
    """A survey as it went."""

    powers: Sequence[Measured]
    """The highest first."""
    power: PowerChoice
    """What was chosen of them."""
    sessions: Sequence[Measured]
    session: SessionChoice
    final: Measured
    """With what was chosen."""

    @property
    def steps(self) -> list[Measured]:
        """In the order of time."""
        return [*self.powers, *self.sessions, self.final]


class Step(Struct, frozen=True, kw_only=True):
    """One setting that was measured."""

    power_dbm: dict[str, float]
    """By reader."""
    session: int
    seconds: float
    per_s: float
    """Reads."""
    tags: int
    brisk_per_s: float
    """Reads per second of the tags that are heard best."""
    duty: float | None
    """Share of the air time that the reads took."""
    loud: int
    """Strays that are too loud."""


class Findings(Struct, frozen=True, kw_only=True):
    """A survey of one door."""

    door: str
    begun_us: int
    steps: list[Step]
    """In the order of time; the last has the proposed settings."""
    antennas: list[AntennaHeard]
    """Under the proposed settings, as are the tags."""
    tags: list[TagHeard]
    """The loudest first; without the test tag."""
    proposal: Proposal
    warnings: list[str]
    walked: Walked | None = None


def carried(steps: Sequence[Measured], door: Door, test_tag: str | None) -> Set[str]:
    """The tags that are no strays: the test tag, and what somebody carries about."""
    moving = {epc for epc, parts in heard_in(steps).items() if shape(parts, door.rules) == "moving"}
    return moving | ({test_tag} if test_tag else set())


def findings(door: Door, course: Course, connected: Connected, test_tag: str | None = None) -> Findings:
    """What follows from all that was measured."""
    steps, final = course.steps, course.final
    ignored = carried(steps, door, test_tag)
    proposal = propose(door, course.power, course.session, final, ignored)
    still = [step.but({test_tag} if test_tag else ()) for step in steps]
    heard = antennas(door, final, connected)
    return Findings(
        door=door.name,
        begun_us=steps[0].begun_us,
        steps=[_step(door, step, ignored) for step in steps],
        antennas=heard,
        tags=tags(still, still[-1], side_of(door), door.rules),
        proposal=proposal,
        warnings=[*_deaf(heard, steps), *_traffic(ignored - {test_tag})],
        walked=walked(proposed_door(door, proposal), test_tag, final.reads, final.begun_us) if test_tag else None,
    )


def _step(door: Door, step: Measured, ignored: Set[str]) -> Step:
    return Step(
        power_dbm={reader: power.dbm for reader, power in step.setting.powers.items()},
        session=step.setting.session,
        seconds=round(step.seconds, 1),
        per_s=round(len(step.reads) / step.seconds, 1),
        tags=len({read.epc for read in step.reads}),
        brisk_per_s=round(brisk_per_s(step), 2),
        duty=duty(step),
        loud=loud_tags(door, step, ignored),
    )


def _deaf(heard: Sequence[AntennaHeard], steps: Sequence[Measured]) -> list[str]:
    """Antennas that heard nothing all the time. Where none heard anything, that means nothing."""
    alive = {(read.reader, read.antenna) for step in steps for read in step.reads}
    said = []
    for one in heard:
        name = f"antenna {one.antenna} of {one.reader} ({one.side})"
        if one.connected is False:
            said.append(f"{name}: the reader says that nothing is connected: check its cable")
        elif alive and (one.reader, one.antenna) not in alive:
            said.append(f"{name} hears nothing at any power: check its cable, and hold a tag before it")
    if not alive:
        said.append("no antenna heard any tag: hold one before each, or walk one through with --test-tag")
    return said


def _traffic(moving: Set[str | None]) -> list[str]:
    if not moving:
        return []
    which = ", ".join(sorted(epc for epc in moving if epc)[:3])
    words = f"{len(moving)} tags were carried about ({which}{', ...' if len(moving) > 3 else ''})"
    return [f"{words}: they are left out; if that was traffic, measure again without"]
