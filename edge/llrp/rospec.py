"""The one ROSpec that a reader shall run for us, encoded by sllurp, and whether it is the one that a reader holds.

It never ends: all antennas in turn, every tag reported at once with antenna, channel, peak RSSI, both times and the
count. It is started by a message, not by itself, so that nothing is on air before the reader is configured (LLRP 1.0.1
sections 10.2 and 13.2).

Its id is a digest of its contents: an ROSpec cannot be changed once it was added, so a reader that holds this id holds
what we would add, and it may go on with what it buffered.
"""

from collections.abc import Mapping
from struct import pack
from typing import Any, Final, NamedTuple
from zlib import crc32

from sllurp.llrp import LLRPMessage
from sllurp.llrp_proto import LLRPROSpec

from contract.portals import Reader
from edge.llrp import impinj
from edge.llrp.answers import below
from edge.llrp.body import Fields, Value, read_message
from edge.llrp.frames import HEADER
from edge.llrp.request import message
from edge.llrp.words import NUMBERS

_DRAFT_ID: Final = 1
_HIGH_BIT: Final = 1 << 30
"""Keeps our ids away from the small ones that people choose, and below 2^31 for readers that count with a sign."""


class RoSpec(NamedTuple):
    """An ROSpec to add."""

    id: int
    body: bytes
    """Of its ADD_ROSPEC."""
    fields: Fields
    """As a reader would list it."""


def rospec(reader: Reader, power: int, *, extended: bool = False) -> RoSpec:
    """What `reader` shall run. `power` is an index into its table; `extended`: it takes Impinj's parameters.

    Session 1, the default, lets a tag fall silent for half a second to five after each read (Gen2 table 6.20), so that
    hundreds of tags on a pallet all get their turn, and yet each is read several times while it passes.
    """
    draft = _encoded(_DRAFT_ID, reader, power, extended=extended)
    digest = crc32(draft) & (_HIGH_BIT - 1) | _HIGH_BIT
    body = _encoded(digest, reader, power, extended=extended)
    return RoSpec(digest, body, below(read_message(NUMBERS["ADD_ROSPEC"], body), "ROSpec"))


def add(message_id: int, spec: RoSpec) -> bytes:
    """ADD_ROSPEC."""
    return message("ADD_ROSPEC", message_id, spec.body)


def on_spec(request: str, message_id: int, spec_id: int) -> bytes:
    """DELETE_ROSPEC, ENABLE_ROSPEC, START_ROSPEC, DELETE_ACCESSSPEC, ...; id 0 means all."""
    return message(request, message_id, pack(">I", spec_id))


def same(held: Fields, ours: RoSpec) -> bool:
    """Whether a reader that lists `held` runs what we would add.

    The digest says so already. What a reader has no reason to put in other words than ours is looked at, too: when it
    reads, with which antennas, and what it reports. Power and air protocol are left out: some list what they made of
    them.
    """
    if held.get("ROSpecID") != ours.id:
        return False
    steps, our_step = below(held, "AISpec"), below(ours.fields, "AISpec")
    report, our_report = below(held, "ROReportSpec"), below(ours.fields, "ROReportSpec")
    return (
        _within(ours.fields.get("ROBoundarySpec"), held.get("ROBoundarySpec"))
        and steps.get("AntennaIDs") == our_step.get("AntennaIDs")
        and all(_within(value, report.get(name)) for name, value in our_report.items() if name != "Custom")
    )


def _within(ours: Value | None, held: Value | None) -> bool:
    """Whether all that we said is there; a reader may list more."""
    if isinstance(ours, dict) and isinstance(held, dict):
        return all(_within(value, held.get(name)) for name, value in ours.items())
    return ours == held


def _encoded(spec_id: int, reader: Reader, power: int, *, extended: bool) -> bytes:
    spec = LLRPROSpec(
        None,
        spec_id,
        antennas=tuple(sorted(reader.antennas)),
        tx_power=power,
        session=reader.session,
        tag_population=32,
        tag_content_selector={"EnableROSpecID": False, "EnableChannelIndex": True, "EnableFirstSeenTimestamp": True},
        impinj_tag_content_selector=impinj.CONTENTS if extended else None,
    )
    spec["ROBoundarySpec"]["ROSpecStartTrigger"]["ROSpecStartTriggerType"] = "Null"
    spec["ROReportSpec"] |= {"ROReportTrigger": "Upon_N_Tags_Or_End_Of_ROSpec", "N": 1}
    fields: Mapping[str, Any] = {"Ver": 1, "ID": 0, "ROSpec": spec}
    encoded: bytes = LLRPMessage(msgdict={"ADD_ROSPEC": fields}).msgbytes
    return encoded[HEADER.size :]
