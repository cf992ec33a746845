"""Tags written and read by a person, at one reader."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Final

from msgspec import Struct

from contract.epc import identify
from contract.portals import Reader
from edge.errors import TagTrouble
from edge.llrp.accessspec import Op
from edge.llrp.commission import Kind, TagState, Wish, after, family, look, next_step, state, trouble
from edge.llrp.errand import Errand
from edge.llrp.loan import borrowed
from edge.llrp.sighting import Result, Sighting
from edge.llrp.tagfield import READ_TID, TagSeen, chosen, gather

MAX_TRIES: Final = 20
"""Failures one after the other, with nothing written in between."""
MAX_FAILURES: Final = 200
"""Failures in all: a long EPC has 31 words, and each may fail a few times."""
MAX_REPEATS: Final = 3
"""So often the same may be done, with success, and yet be still to do."""
WINDOW_S: Final = 0.5
"""So long is listened before it is believed that all tags in the field were heard."""


class TagWritten(Struct, frozen=True, kw_only=True):
    """What was done to a tag, read back from the tag."""

    epc: str
    uri: str
    tid: str
    antenna: int
    rssi_dbm: int
    before: str
    """The EPC that it had."""
    done: list[Kind]
    """`epc`, `password`, `lock`, as far as they were needed; empty for a tag that was as it should be."""
    locked: bool
    """Seen from a write without password that was refused; False where no lock was asked for."""
    failures: int
    """Tries that failed on the way."""


async def read_tags(reader: Reader, antennas: Iterable[int], seconds: float) -> list[TagSeen]:
    """The tags in the field, the loudest first. Raises `LlrpError`."""
    async with borrowed(reader, antennas) as ours:
        await ours.set_to(READ_TID, runs=0)
        return gather(await ours.hear(seconds, _never))


async def write_tag(
    reader: Reader, antennas: Iterable[int], wish: Wish, *, from_epc: str | None = None, seconds: float = 10.0
) -> TagWritten:
    """Make the one tag in the field, or the one with `from_epc`, what it shall be, and read it back.

    Waits `seconds` for a tag to come, or to come back. Raises `LlrpError`.
    """
    async with _found(reader, antennas, from_epc, seconds) as (ours, tag):
        return await _commission(ours, tag, wish, seconds)


@asynccontextmanager
async def _found(
    reader: Reader, antennas: Iterable[int], epc: str | None, seconds: float
) -> AsyncIterator[tuple[Errand, TagSeen]]:
    async with borrowed(reader, antennas) as ours:
        await ours.set_to(READ_TID, runs=0)
        heard = await ours.hear(seconds, lambda sighting: epc in (None, sighting.epc))
        heard += await ours.hear(WINDOW_S, _never)
        if not heard:
            raise TagTrouble(f"no tag came into the field within {seconds:g} s")
        yield ours, chosen(gather(heard), epc)


async def _commission(ours: Errand, seen: TagSeen, wish: Wish, seconds: float) -> TagWritten:
    """Look, do what is still to be done, and look again."""
    tag: TagState | None = None
    before, done, tries = "", list[Kind](), _Tries()
    looks = look(wish, len(seen.epc) // 4)
    while True:
        if tag is None:
            tag = state(looks, await _do(ours, seen, looks, seconds))
            if tag is None:
                tries.failed("the tag does not answer: bring it nearer to the antenna")
                continue
            before = before or tag.epc
        step = next_step(tag, wish)
        if step is None:
            return _written(seen, tag, wish, before, done, tries.failures)
        results = await _do(ours, seen, step.ops, seconds)
        tag = after(tag, step, results)
        if tag is None and (why := trouble(step, results, wish)):
            tries.failed(why, progress=any(result.written for result in results.values()))
        elif tag is None:
            if done.count(step.kind) == MAX_REPEATS:
                raise TagTrouble(
                    f"the tag says {MAX_REPEATS} times that it took its {step.kind}, and did not: discard it"
                )
            done.append(step.kind)
            tries.succeeded()


class _Tries:
    """Failures, and how many came one after the other."""

    def __init__(self) -> None:
        self.failures = 0
        self._in_a_row = 0

    def succeeded(self) -> None:
        """What failed before is forgiven."""
        self._in_a_row = 0

    def failed(self, why: str, *, progress: bool = False) -> None:
        """Count one; raises `TagTrouble` when it is too many."""
        self.failures += 1
        self._in_a_row = 1 if progress else self._in_a_row + 1
        if self._in_a_row >= MAX_TRIES or self.failures >= MAX_FAILURES:
            raise TagTrouble(f"{why} (tried {self.failures} times; the tag may be half done: run this again)")


async def _do(ours: Errand, seen: TagSeen, ops: tuple[Op, ...], seconds: float) -> dict[int, Result]:
    await ours.set_to(ops, bytes.fromhex(seen.tid), runs=1)
    heard = await ours.hear(seconds, _answered)
    if not heard or not heard[-1].results:
        raise TagTrouble(f"the tag left the field before it was done: nothing was heard of it for {seconds:g} s")
    return heard[-1].results


def _answered(sighting: Sighting) -> bool:
    return bool(sighting.results)


def _never(_: Sighting) -> bool:
    return False


def _written(seen: TagSeen, tag: TagState, wish: Wish, before: str, done: list[Kind], failures: int) -> TagWritten:
    return TagWritten(
        epc=tag.epc,
        uri=identify(tag.epc, family(tag.pc)).uri,
        tid=seen.tid,
        antenna=seen.antenna,
        rssi_dbm=seen.rssi_dbm,
        before=before,
        done=done,
        locked=wish.lock and bool(tag.epc_locked),
        failures=failures,
    )
