"""A tag in a report, and what was done to it."""

from typing import Final, NamedTuple

from edge.llrp.accessspec import ACCESSSPEC_ID, ROSPEC_ID
from edge.llrp.answers import below, each, number
from edge.llrp.body import Fields

SUCCESS: Final = "Success"
_RESULTS: Final = ("C1G2ReadOpSpecResult", "C1G2WriteOpSpecResult", "C1G2LockOpSpecResult")


class Result(NamedTuple):
    """How one operation went."""

    outcome: str
    """`Success`, or the name of LLRP 1.0.1 sections 15.2.1.5.1 to 15.2.1.5.4, e.g. Tag_Memory_Locked_Error."""
    data: bytes = b""
    """What was read."""
    written: int = 0
    """Words, of a write."""


class Sighting(NamedTuple):
    """One report of one tag to our own ROSpec."""

    epc: str
    """Lower-case hexadecimal."""
    pc: int | None
    """The PC word, if the reader tells it."""
    antenna: int
    rssi_dbm: int
    results: dict[int, Result]
    """By the operation's place in the AccessSpec; empty where it was not carried out."""


def sightings(report: Fields, first: int) -> list[Sighting]:
    """The tags of an RO_ACCESS_REPORT that our ROSpec heard; reads that an agent's left behind are passed over.

    `first`: number of the first operation; results of an earlier AccessSpec's are passed over, too.
    """
    tags = each(report, "TagReportData")
    return [_sighting(tag, first) for tag in tags if number(below(tag, "ROSpecID"), "ROSpecID") == ROSPEC_ID]


def _sighting(tag: Fields, first: int) -> Sighting:
    pc = below(tag, "C1G2_PC").get("PC_Bits")
    ours = number(below(tag, "AccessSpecID"), "AccessSpecID") == ACCESSSPEC_ID
    return Sighting(
        epc=_epc(tag),
        pc=pc if isinstance(pc, int) else None,
        antenna=number(below(tag, "AntennaID"), "AntennaID"),
        rssi_dbm=number(below(tag, "PeakRSSI"), "PeakRSSI"),
        results=_results(tag, first) if ours else {},
    )


def _epc(tag: Fields) -> str:
    data = below(tag, "EPCData").get("EPC")
    if isinstance(data, dict):
        return str(data.get("Hex", ""))
    return str(below(tag, "EPC_96").get("EPC", ""))


def _results(tag: Fields, first: int) -> dict[int, Result]:
    found = [(number(result, "OpSpecID") - first, result) for name in _RESULTS for result in each(tag, name)]
    return {place: _result(result) for place, result in found if place >= 0}


def _result(result: Fields) -> Result:
    words = result.get("ReadData")
    data = (
        b"".join(word.to_bytes(2, "big") for word in words if isinstance(word, int)) if isinstance(words, list) else b""
    )
    return Result(str(result.get("Result")), data, number(result, "NumWordsWritten"))
