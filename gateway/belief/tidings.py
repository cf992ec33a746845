"""Tidings: what the fold of the log calls when something was heard of an item or of a reader.

Pure but for the zone's row (`Watched`), which they change. Each costs the same whatever the house holds. Of two tidings
of one item the newer by event time counts, whatever came in first, so the place that is believed in is the same in
every order; what was learned on the way (trust, lapses, a zone's silences) is that of the order in the log.
"""

import math
from collections.abc import Iterable, Mapping

from msgspec.structs import replace

from gateway.belief.bernoulli import LEAST, MOST, believe, update
from gateway.belief.lookout import Lookout
from gateway.belief.trace import FULL, HOUR_S, UNTOUCHED, Place, Silences, Trace, Watched, lapsed, shared

Zones = Mapping[str, Watched]
"""The zones that fixed readers look at, by name."""
WEAK_READS = 2.0
"""Reads of a tag where its agent does not say how many (`min_reads`)."""


def watch(readers: Iterable[str], agents: Iterable[str]) -> Watched:
    """A zone that was never looked at: dark until each of its readers has been connected."""
    return Watched(sorted(agents), Lookout(causes=dict.fromkeys(readers, 0)), Silences())


def reader(zone: Watched, name: str, at_us: int, *, sees: bool) -> None:
    """A reader of a zone is connected (`sees`), or lost or blind. Connected twice running is an agent begun anew."""
    if not sees:
        zone.lookout.darken(name, at_us)
    elif name in zone.lookout.causes:
        zone.lookout.lighten(name, at_us)
    else:
        zone.lookout.begin_anew(at_us)


def agent(zone: Watched, name: str, at_us: int, *, heard: bool) -> None:
    """An agent of a zone is heard, or silent: `at_us` is then when it was last heard."""
    (zone.lookout.lighten if heard else zone.lookout.darken)(f"agent {name}", at_us)


def seen(
    zones: Zones, before: Place | None, zone: str, by: str, at_us: int, reads: float | None, *, appeared: bool
) -> Trace:
    """A zone's reader told that a tag is there; `before` is where the books had it until now, None for a new one.

    `by`: its agent. `reads`: of each tag, on average. `appeared`: the agent had not told of it in another zone.
    """
    n = WEAK_READS if reads is None else max(reads, 1.0)
    worth = n / (n + 1)
    watched = zones.get(zone)
    if watched is None or by not in watched.agents:
        return put(zones, before, zone, at_us, worth, explained=False)
    trace = before.trace if before is not None else UNTOUCHED
    if at_us <= max(trace.told_us, trace.left_us):
        return trace
    if before is not None and at_us > before.placed_us:
        trace = _moved(zones, before, zone, at_us, worth, explained=False)
        _learn(watched, before, zone, by, at_us, appeared=appeared)
    elif before is None:
        trace = replace(trace, trust=_percent(worth))
    return shared(replace(trace, home=zone, by=by, told_us=at_us, left_us=0))


def left(zones: Zones, before: Place | None, zone: str, by: str, at_us: int) -> Trace:
    """A zone's reader told that it does not see a tag any more, since `at_us`."""
    trace = before.trace if before is not None else UNTOUCHED
    if trace.home != zone or trace.by != by or trace.left_us or at_us < trace.told_us:
        return trace
    trace = shared(replace(trace, left_us=max(at_us, 1)))
    watched = zones.get(zone)
    if watched is not None and before is not None and before._replace(trace=trace).silent:
        watched.silences.open += 1
    return trace


def put(
    zones: Zones, before: Place | None, zone: str | None, at_us: int, worth: float, *, explained: bool = True
) -> Trace:
    """A door, a person or an import says where an item came to: `worth`, how sure, is 0 to 1.

    Not `explained`: it was found there, by a count or a handheld, and nobody knows how it came there.
    """
    if before is None:
        trace = replace(UNTOUCHED, trust=_percent(worth))
    elif at_us <= before.placed_us:
        return before.trace
    else:
        trace = _moved(zones, before, zone, at_us, worth, explained=explained)
    watched = zones.get(zone or "")
    if watched is not None and (before is None or before.zone != zone):
        watched.silences.came += 1
        watched.silences.fade()
    return shared(trace)


def searched(before: Place, at_us: int, find_rate: float) -> Trace:
    """Somebody looked for an item and did not find it; such a search finds that share (0 to 1) of what is there.

    The newest search counts, not the number of them: a dead tag is missed by every sweep.
    """
    trace = before.trace
    found_pct = min(_percent(find_rate), FULL - 1)
    if (at_us, found_pct) <= (trace.searched_us, trace.found_pct):
        return trace
    return replace(trace, searched_us=at_us, found_pct=found_pct)


def _moved(zones: Zones, before: Place, zone: str | None, at_us: int, worth: float, *, explained: bool) -> Trace:
    """An item is placed by a newer sighting, in its own zone or another; `explained`: it is told how it came there."""
    trace, old = before.trace, zones.get(before.zone or "")
    silent = before.silent
    returned = silent and zone == before.zone and at_us > trace.left_us
    if zone == before.zone:
        was = believe(before, old, at_us).r
        trace = replace(trace, trust=_percent(update(was, worth / (1 - worth)) if worth < 1 else worth))
    else:
        trace = replace(trace, trust=_percent(worth), lapses=trace.lapses // 2, lapsed_s=trace.lapsed_s // 2)
        if 0 < trace.left_us < at_us:  # what that reader hears says nothing of a later stay
            trace = replace(trace, home="", by="")
    if old is None:
        return trace
    silences = old.silences
    silences.stayed_h += (at_us - before.placed_us) / 1e6 / HOUR_S
    if returned or (silent and zone != before.zone):
        silences.open = max(0, silences.open - 1)
    if returned:
        looked_s = old.lookout.looked_s(before.trace.left_us, at_us)
        silences.returned += 1
        silences.looked_s += looked_s
        trace = lapsed(trace, looked_s)
    elif zone != before.zone and not explained and (silent or before.trace.home != before.zone):
        silences.gone += 1
    silences.fade()
    return trace


def _learn(watched: Watched, before: Place, zone: str, by: str, at_us: int, *, appeared: bool) -> None:
    """What it says of the zone's readers that they tell of this tag."""
    trace = before.trace
    if before.zone == zone and trace.home != zone:
        watched.silences.heard += 1
    retold = appeared and trace.home == zone == before.zone and trace.by == by and not trace.left_us
    if retold and trace.told_us > watched.lookout.begun_us:
        watched.lookout.tell_again(at_us)


def _percent(share: float) -> int:
    """Rounded up, so that what was confirmed is never believed less."""
    return math.ceil(min(max(share, LEAST), MOST) * FULL)
