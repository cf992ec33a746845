"""The kinds of exceptions: how loud each is, whether it lasts, and what to do about it.

Some kinds last: they are about a state of things (a device is away, a level is below zero) whose end the ledger is
told of, by `exceptions.end`. When somebody closes one and its end does not come, it was not dealt with: it opens again,
as soon as the same is told once more, or at the next look (`exceptionwatch`). The others happened once (a case came
unannounced, a load was not read, a shipment was settled with cases missing): the word of whoever closes one is the end
of it, and when it happens again it is another exception.

    last      device_lost agent_silent temperature excursion door_open sensor_fault drift negative_stock expired
              probably_gone disk_low
    happened  missing unexpected short over wrong_door wrong_pallet misplaced unknown_direction empty_pass data_lost
              clock_stepped bad_message unknown_line gate_missed quarantine_shipped count_variance
    decided   quality: whoever closes it decides what becomes of the lot, and that stands
"""

from collections.abc import Mapping
from typing import Final, Literal

from gateway.ledger.rows import ExceptionKind, Incident, Param

LASTING: Final[frozenset[ExceptionKind]] = frozenset(
    {
        "device_lost",
        "agent_silent",
        "temperature",
        "excursion",
        "door_open",
        "sensor_fault",
        "drift",
        "negative_stock",
        "expired",
        "probably_gone",
        "disk_low",
    }
)
_QUIET: Final[frozenset[ExceptionKind]] = frozenset(
    {
        "unknown_direction",
        "empty_pass",
        "clock_stepped",
        "bad_message",
        "unknown_line",
        "drift",
        "gate_missed",
        "wrong_door",
        "wrong_pallet",
        "over",
        "misplaced",
        "probably_gone",
        "count_variance",
    }
)
"""Somebody should look; the others are wrong already."""

Fix = Literal[
    "look-in-truck",
    "count-pallet",
    "read-labels",
    "count-lines",
    "return-or-keep-surplus",
    "restack-pallet",
    "move-to-announced-door",
    "look-and-move",
    "find-load-and-tag",
    "check-power-and-cable",
    "check-agent",
    "count-watched-zones",
    "look-at-lots",
    "close-doors-check-cooling",
    "close-door",
    "check-sensor",
    "synchronise-clock",
    "compare-versions",
    "add-line-to-site-file",
    "count-and-find-passes",
    "sort-again-or-downgrade",
    "call-receivers-and-sort-again",
    "clean-lens",
    "slow-belt",
    "call-back",
    "take-off-sale",
    "look-for-it",
    "carry-to-its-place",
    "count-again",
    "free-disk-space",
]
_FIXES: Final[dict[ExceptionKind, Fix]] = {
    "missing": "look-in-truck",
    "unexpected": "read-labels",
    "short": "count-lines",
    "over": "return-or-keep-surplus",
    "wrong_pallet": "restack-pallet",
    "wrong_door": "move-to-announced-door",
    "unknown_direction": "look-and-move",
    "empty_pass": "find-load-and-tag",
    "device_lost": "check-power-and-cable",
    "agent_silent": "check-agent",
    "data_lost": "count-watched-zones",
    "temperature": "close-doors-check-cooling",
    "excursion": "close-doors-check-cooling",
    "door_open": "close-door",
    "sensor_fault": "check-sensor",
    "clock_stepped": "synchronise-clock",
    "bad_message": "compare-versions",
    "unknown_line": "add-line-to-site-file",
    "negative_stock": "count-and-find-passes",
    "quality": "sort-again-or-downgrade",
    "drift": "clean-lens",
    "gate_missed": "slow-belt",
    "quarantine_shipped": "call-back",
    "expired": "take-off-sale",
    "misplaced": "carry-to-its-place",
    "probably_gone": "look-for-it",
    "count_variance": "count-again",
    "disk_low": "free-disk-space",
}


def severity(incident: Incident) -> Literal["wrong", "attention"]:
    """How loud it is: something is wrong, or somebody should look."""
    return _loudness(incident.kind, incident.count, incident.params)


def worse(incident: Incident, count: int, params: Mapping[str, Param]) -> bool:
    """Whether it would be more, or louder, than it is."""
    louder = severity(incident) == "attention" and _loudness(incident.kind, count, params) == "wrong"
    return count > incident.count or louder


def fix(incident: Incident) -> Fix:
    """What to do about it: a name that never changes, for each kind and situation."""
    match incident.kind:
        case "missing" if _only_doubtful(incident.count, incident.params):
            return "count-pallet"
        case "data_lost" if "lots" in incident.params:
            return "look-at-lots"
        case "quality" if incident.params.get("shipped"):
            return "call-receivers-and-sort-again"
    return _FIXES[incident.kind]


def _loudness(kind: ExceptionKind, count: int, params: Mapping[str, Param]) -> Literal["wrong", "attention"]:
    if kind in _QUIET or (kind == "missing" and _only_doubtful(count, params)):
        return "attention"
    return "wrong"


def _only_doubtful(count: int, params: Mapping[str, Param]) -> bool:
    """Nothing is known to be missing: too few cases of a pallet were read to believe in the others."""
    return count > 0 and params.get("doubtful") == count
