"""Which settings follow from a survey, and why, in words.

Nothing but what was measured speaks: a setting that the survey cannot judge stays as it is, and the reason says so.
"""

import math
from collections.abc import Mapping, Sequence, Set
from typing import Final, NamedTuple

from msgspec import Struct

from contract.portals import Door, PassRules
from edge.llrp.powers import named
from edge.siting.measured import Measured, by_tag, duty, quantile, side_of
from edge.siting.standing import PASS_S, Peaks, null_margins, peaks_of

MOST_DOWN_DB: Final = 3.0
"""More is measured and told, but not proposed: at simulated doors 6 dB less costs every fifth pass, 3 dB one in 20."""
MOST_UP_DB: Final = 6.0
"""By so much the least peak of a pass may be raised: carried tags come near enough to be louder than that."""
WORTH: Final = 0.5
"""Less power must quieten this share of the loud strays. The others cost less as static tags."""
SPARE_DB: Final = 3.0
"""A stray shall stay this far below the level from which on a tag is taken for a pass: people move, levels change."""
BRISK: Final = 0.9
"""The reads per second of the best-placed tenth of the tags say what a setting can do; the rest stand too far off."""
NEEDED_PER_S: Final = 4.0
"""Reads of a tag per second that a direction needs: eight in a quick pass of two seconds, both sides together."""
QUICKER: Final = 1.5
"""Another session must read so many times as often to be worth it."""
BUSY: Final = 0.5
"""Share of the air time from which on standing tags leave too little for those that pass."""
SURE: Final = 0.99
"""Of a hundred standing tags one may get a direction by chance, if nothing else finds out that it stands."""
LEAST_WINDOWS: Final = 30
MOST_MARGIN_S: Final = 1.0
"""A larger margin would cost the directions of many real passes."""
NAMED_TAGS: Final = 5
"""More are not named in a sentence."""


class Proposal(Struct, frozen=True, kw_only=True):
    """Settings of a door."""

    transmit_power: dict[str, int]
    """By reader, an index into its power table; readers that tell no powers are left out."""
    session: int
    margin_s: float
    min_peak_rssi_dbm: float
    static_tags: list[str]
    """Those of the site file, and those that belong there besides."""
    reasons: dict[str, str]
    """By setting: why."""


class PowerChoice(NamedTuple):
    """The power to use."""

    chosen: Measured
    loud: Mapping[str, Peaks]
    """Strays that are too loud all the same."""
    reason: str


class SessionChoice(NamedTuple):
    """The session to use."""

    session: int
    reason: str


def choose_power(door: Door, steps: Sequence[Measured], ignored: Set[str]) -> PowerChoice:
    """The highest power, or as little less as quietens most of the strays that are too loud.

    `steps`: the highest power first. `ignored`: tags that are carried about.
    """
    loud = [_loud(door, step, ignored) for step in steps]
    highest, limit = steps[0], f"{_limit_dbm(door.rules):g} dBm"
    at_highest = f"at {named(highest.setting.powers)}"
    if not highest.reads:
        return PowerChoice(highest, {}, f"no tag is heard even {at_highest}: there is nothing to turn it down for")
    if not loud[0]:
        return PowerChoice(highest, {}, f"no standing tag is louder than {limit} {at_highest}: less gains nothing")
    few = min(len(loud[0]) - 1, (1 - WORTH) * len(loud[0]))
    possible = [place for place, step in enumerate(steps) if step.setting.down_db <= MOST_DOWN_DB]
    place = next((place for place in possible if len(loud[place]) <= few), 0)
    said = f"{at_highest} {_listed(loud[0], limit)}"
    trend = ", ".join(f"{len(one)} at {named(step.setting.powers)}" for one, step in zip(loud, steps, strict=True))
    if place:
        words = (
            f"{said}; {MOST_DOWN_DB:g} dB less at most, for each costs reads of those that pass; too loud are {trend}"
        )
    else:
        words = f"{said}; up to {MOST_DOWN_DB:g} dB less quietens too few of them to be worth the reads: {trend}"
    return PowerChoice(steps[place], loud[place], words)


def choose_session(sessions: Sequence[Measured]) -> SessionChoice:
    """The session to use, of those that were measured at the same power; one of them is S1."""
    by_session = {one.setting.session: one for one in sessions}
    usual = by_session[1]
    if not usual.reads:
        return SessionChoice(1, "no tag is heard, so nothing says more than that S1 suits most doors")
    rates = {session: brisk_per_s(one) for session, one in by_session.items()}
    air, population = duty(usual) or 0.0, len({read.epc for read in usual.reads})
    said = ", ".join(f"S{session} {rates[session]:.1f}" for session in sorted(rates))
    seen = f"reads per second of the best-heard of {population} tags: {said}"
    if air > BUSY:
        quiet = by_session.get(2)
        if quiet is not None and (duty(quiet) or 0.0) < air / 2 and rates[2] >= NEEDED_PER_S:
            words = f"standing tags take {air:.0%} of the air time in S1, and less than half of that in S2"
            return SessionChoice(2, f"{words}; {seen}")
        words = f"standing tags take {air:.0%} of the air time, and S2 would not help: it quietens them too little, or"
        return SessionChoice(1, f"{words} reads a tag too seldom for a direction; move or shield them; {seen}")
    if rates[1] < NEEDED_PER_S and rates.get(0, 0.0) >= QUICKER * max(rates[1], 0.1):
        return SessionChoice(0, f"S1 reads a tag too seldom for a direction, and the air is free; {seen}")
    return SessionChoice(1, f"the usual one: no other does better by much; {seen}")


def choose_margin(door: Door, measured: Sequence[Measured]) -> tuple[float, str]:
    """The margin that standing tags do not reach by chance. `measured` under the proposed setting."""
    kept = door.rules.margin_s
    margins = null_margins(measured, side_of(door), door.rules)
    if not margins:
        return kept, f"unchanged: no tag stands here, or not for {PASS_S:g} s, so nothing can be said of chance margins"
    told = f"{sum(map(bool, margins))} of {len(margins)} windows of {PASS_S:g} s with a standing tag look like a pass"
    if not any(margins) and len(margins) >= LEAST_WINDOWS:
        return kept, f"unchanged: {told}"
    if len(margins) < LEAST_WINDOWS:
        return kept, f"unchanged: {told}, too few to say more; {LEAST_WINDOWS} are needed, so measure for longer"
    wanted_s = quantile(margins, SURE)
    share = f"{SURE:.0%} of them stay below {wanted_s:.2f} s"
    if wanted_s > MOST_MARGIN_S:
        return MOST_MARGIN_S, f"{told}; {share}, but more than {MOST_MARGIN_S:g} s costs real passes"
    if wanted_s <= kept:
        return kept, f"unchanged: {told}; {share}"
    return min(MOST_MARGIN_S, 0.05 * -(-wanted_s // 0.05)), f"{told}; {share}"


def choose_min_peak(door: Door, at_power: Measured, left_out: Set[str]) -> tuple[float, str]:
    """The level that the strays stay below. It follows the power down as far as they allow. `left_out`: no strays."""
    kept, down_db = door.rules.min_peak_rssi_dbm, at_power.setting.down_db
    peaks = peaks_of(at_power.but(left_out).reads, side_of(door))
    loudest = max((one.any for one in peaks.values()), default=None)
    follows = f"; with {down_db:g} dB less power all tags are so much weaker" if down_db else ""
    if loudest is None:
        return kept - down_db, f"no stray is heard that is not in static_tags{follows}"
    level = min(kept + MOST_UP_DB, max(kept - down_db, float(math.ceil(loudest + SPARE_DB))))
    told = f"the loudest stray that is not in static_tags peaks at {loudest:.1f} dBm{follows}"
    return level, told if level != kept else f"unchanged: {told}"


def choose_static(door: Door, power: PowerChoice, at_power: Measured, ignored: Set[str]) -> tuple[list[str], str]:
    """The tags that no other setting keeps quiet, and those that were heard only later, but louder than it can be."""
    most_dbm = door.rules.min_peak_rssi_dbm + MOST_UP_DB
    later = {epc: peaks for epc, peaks in _loud(door, at_power, ignored).items() if peaks.any > most_dbm}
    loud = {epc: peaks for epc, peaks in (later | dict(power.loud)).items() if epc not in ignored}
    new = sorted(loud, key=lambda epc: (-loud[epc].any, epc))
    listed = [*door.static_tags, *new]
    if not new:
        return listed, "no further tag stands here that is too loud"
    said = "; ".join(f"{epc} peaks at {loud[epc]}" for epc in new[:NAMED_TAGS])
    more = f"; and {len(new) - NAMED_TAGS} more" if len(new) > NAMED_TAGS else ""
    advice = "What is fixed here belongs into the list; stock is better moved away or shielded, and left out"
    return listed, f"too loud at the proposed power: {said}{more}. {advice}"


def propose(door: Door, power: PowerChoice, session: SessionChoice, final: Measured, ignored: Set[str]) -> Proposal:
    """All settings. `final` was measured with the power and the session that were chosen."""
    at_power = [one for one in (power.chosen, final) if one.setting == final.setting]
    louder = Measured(final.setting, final.begun_us, final.seconds, [*power.chosen.reads, *final.reads])
    static, why_static = choose_static(door, power, louder, ignored)
    min_peak_dbm, why_peak = choose_min_peak(door, louder, {*static, *ignored})
    rules: PassRules = door.rules.model_copy(update={"min_peak_rssi_dbm": min_peak_dbm})
    as_proposed = door.model_copy(update={"rules": rules})
    margin_s, why_margin = choose_margin(as_proposed, [one.but(ignored) for one in at_power])
    return Proposal(
        transmit_power=_indexes(door, final),
        session=session.session,
        margin_s=round(margin_s, 2),
        min_peak_rssi_dbm=min_peak_dbm,
        static_tags=static,
        reasons={
            "transmit_power": power.reason,
            "session": session.reason,
            "margin_s": why_margin,
            "min_peak_rssi_dbm": why_peak,
            "static_tags": why_static,
        },
    )


def _indexes(door: Door, final: Measured) -> dict[str, int]:
    """0 stays 0: the highest, whatever reader stands here one day."""
    if not final.setting.down_db:
        return {reader.name: reader.transmit_power for reader in door.readers}
    return {reader: one.index for reader, one in final.setting.powers.items()}


def proposed_door(door: Door, proposal: Proposal) -> Door:
    """The door with the proposed settings."""
    readers = [
        reader.model_copy(
            update={
                "transmit_power": proposal.transmit_power.get(reader.name, reader.transmit_power),
                "session": proposal.session,
            }
        )
        for reader in door.readers
    ]
    rules = door.rules.model_copy(
        update={"margin_s": proposal.margin_s, "min_peak_rssi_dbm": proposal.min_peak_rssi_dbm}
    )
    return door.model_copy(update={"readers": readers, "rules": rules, "static_tags": proposal.static_tags})


def brisk_per_s(measured: Measured) -> float:
    """Reads per second of the tags that are heard best."""
    rates = [len(reads) / measured.seconds for reads in by_tag(measured.reads).values()]
    return quantile(rates, BRISK) if rates else 0.0


def loud_tags(door: Door, measured: Measured, ignored: Set[str]) -> int:
    """How many strays are too loud."""
    return len(_loud(door, measured, ignored))


def _loud(door: Door, measured: Measured, ignored: Set[str]) -> dict[str, Peaks]:
    """The strays that no level keeps apart from passes, the loudest first."""
    peaks = peaks_of(measured.but({*ignored, *door.static_tags}).reads, side_of(door))
    found = [(epc, one) for epc, one in peaks.items() if one.any > _limit_dbm(door.rules)]
    return dict(sorted(found, key=lambda item: (-item[1].any, item[0])))


def _limit_dbm(rules: PassRules) -> float:
    return rules.min_peak_rssi_dbm + MOST_UP_DB - SPARE_DB


def _listed(tags: Mapping[str, Peaks], limit: str) -> str:
    said = ", ".join(f"{epc} at {peaks}" for epc, peaks in list(tags.items())[:2])
    more = f" and {len(tags) - 2} more" if len(tags) > 2 else ""
    return f"{len(tags)} standing tag{'s peak' if len(tags) > 1 else ' peaks'} above {limit} ({said}{more})"
