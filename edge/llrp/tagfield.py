"""The tags before a reader, and which of them is meant."""

from collections.abc import Iterable
from typing import Final

from msgspec import Struct

from contract.epc import identify
from edge.errors import TagTrouble
from edge.llrp.accessspec import Bank, Op, Read
from edge.llrp.commission import family
from edge.llrp.sighting import SUCCESS, Result, Sighting

READ_TID: Final[tuple[Op, ...]] = (Read(Bank.TID, 0, 2), Read(Bank.TID, 0, 6))
"""Maker and model, which every tag has, then its serial number, which most have (Tag Data Standard 1.13, 16)."""


class TagSeen(Struct, frozen=True, kw_only=True):
    """A tag in the field."""

    epc: str
    """Lower-case hexadecimal."""
    uri: str
    """What it stands for (contract.epc)."""
    tid: str
    """As much of its TID as it tells, lower-case hexadecimal; nothing if it did not answer to a read."""
    antenna: int
    """That heard it loudest."""
    rssi_dbm: int
    """Loudest."""
    reads: int


def gather(sightings: Iterable[Sighting]) -> list[TagSeen]:
    """The tags of sightings with the results of `READ_TID`, the loudest first."""
    by_epc: dict[str, list[tuple[str, Sighting]]] = {}
    for sighting in sightings:
        by_epc.setdefault(sighting.epc, []).append((_tid(sighting.results), sighting))
    tags = [_tag(epc, tid, heard) for epc, heard in by_epc.items() for tid in _distinct(tid for tid, _ in heard)]
    return sorted(tags, key=lambda tag: -tag.rssi_dbm)


def chosen(tags: list[TagSeen], epc: str | None) -> TagSeen:
    """The one tag that is meant: the one with this EPC, or else the only one. Raises `TagTrouble`."""
    candidates = [tag for tag in tags if epc in (None, tag.epc)]
    if not candidates:
        raise TagTrouble(f"no tag {epc} is in the field{': ' if tags else ''}{_listed(tags)}")
    if len(candidates) > 1:
        advice = "two tags have this EPC: take one away" if epc else "take the others away, or name one with --from"
        raise TagTrouble(f"{len(candidates)} tags are in the field; {advice}: {_listed(candidates)}")
    (tag,) = candidates
    if not tag.tid:
        raise TagTrouble(f"tag {tag.epc} is heard at {tag.rssi_dbm} dBm but does not answer: bring it nearer")
    alike = [other for other in tags if other.tid.startswith(tag.tid) or not other.tid]
    if len(alike) > 1:
        raise TagTrouble(f"tag {tag.epc} cannot be told from others by its TID {tag.tid}: take away {_listed(alike)}")
    return tag


def _tid(results: dict[int, Result]) -> str:
    read = [result.data.hex() for result in results.values() if result.outcome == SUCCESS]
    return max(read, key=len, default="")


def _distinct(tids: Iterable[str]) -> list[str]:
    """Without those that are the beginning of another: a read that failed half-way."""
    known = set(tids)
    return [tid for tid in known if not any(other != tid and other.startswith(tid) for other in known)]


def _tag(epc: str, tid: str, heard: list[tuple[str, Sighting]]) -> TagSeen:
    own = [sighting for told, sighting in heard if tid.startswith(told)]
    loudest = max(own, key=lambda sighting: sighting.rssi_dbm)
    return TagSeen(
        epc=epc,
        uri=identify(epc, family(loudest.pc or 0)).uri if epc else "",
        tid=tid,
        antenna=loudest.antenna,
        rssi_dbm=loudest.rssi_dbm,
        reads=len(own),
    )


def _listed(tags: list[TagSeen]) -> str:
    words = [f"{tag.epc} at {tag.rssi_dbm} dBm, antenna {tag.antenna}, TID {tag.tid or 'unread'}" for tag in tags[:10]]
    return "; ".join([*words, "..."] if len(tags) > 10 else words)
