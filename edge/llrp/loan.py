"""A reader that a person borrows for an errand, and gives back as it was found.

    READER_EVENT_NOTIFICATION    it greets, unless another client holds it
    GET_READER_CAPABILITIES      antennas and the power table; CUSTOM_MESSAGE, for the extensions of a known vendor
    GET_ROSPECS                  kept, to be put back: many readers have room for one only
    DELETE_ROSPEC 0, DELETE_ACCESSSPEC (ours, from an errand that was cut short)
    ADD_ROSPEC, ENABLE_ROSPEC, START_ROSPEC, ENABLE_EVENTS_AND_REPORTS
    ...                          the errand itself
    DELETE_ACCESSSPEC, DELETE_ROSPEC (ours), then ADD_ROSPEC, ENABLE_ROSPEC, START_ROSPEC of those that were there
    CLOSE_CONNECTION

Given back is it, too, when the errand fails or is cut short, however impatiently. The reader's configuration is not
touched. Reads that it had buffered for an agent come to us, and are lost for it.
"""

import asyncio
from collections.abc import AsyncIterator, Coroutine, Iterable
from contextlib import asynccontextmanager, suppress
from struct import pack
from typing import Final

from contract.portals import Reader
from edge.errors import Blinded, LlrpError, Unreachable
from edge.llrp.accessspec import ROSPEC_ID, rospec
from edge.llrp.answers import Abilities
from edge.llrp.body import TLV
from edge.llrp.calls import calls
from edge.llrp.errand import OURS, Errand
from edge.llrp.patience import Patience
from edge.llrp.powers import meant

DEFAULT_PATIENCE: Final = Patience(call_s=30.0)
_ROSPEC: Final = 177
_ID_AT: Final = 4
_STATE_AT: Final = 9
"""Of an ROSpec parameter: behind header, id and priority."""
_DISABLED, _ACTIVE = 0, 2


@asynccontextmanager
async def borrowed(
    reader: Reader, antennas: Iterable[int], patience: Patience = DEFAULT_PATIENCE
) -> AsyncIterator[Errand]:
    """Borrow a reader, to hear with these antennas; 0 means all. Raises `LlrpError`."""
    incoming = calls(reader, patience)
    try:
        call = await incoming.next()
        try:
            async with _in_hand(Errand(call, patience.answer_s), reader, frozenset(antennas), patience) as ours:
                yield ours
        except OSError as error:
            raise Unreachable(f"the connection broke: {error.strerror or error}") from error
        finally:
            call.writer.transport.abort()
    finally:
        await incoming.close()


@asynccontextmanager
async def _in_hand(ours: Errand, reader: Reader, antennas: frozenset[int], patience: Patience) -> AsyncIterator[Errand]:
    await ours.meet(vendor_extensions=reader.vendor_extensions)  # the ROSpec to be put back may have some
    body = _wanted(reader, ours.able, antennas)
    held = _rospecs((await ours.ask("GET_ROSPECS")).body)
    try:
        await _take_over(ours, body)
        yield ours
    finally:
        await _to_the_end(_give_back(ours, held, patience.answer_s))


async def _to_the_end(work: Coroutine[None, None, None]) -> None:
    """Do what must not be cut short, and what is short; who is cancelled meanwhile, is cancelled afterwards."""
    doing = asyncio.ensure_future(work)
    cancelled: asyncio.CancelledError | None = None
    while not doing.done():
        try:
            await asyncio.shield(doing)
        except asyncio.CancelledError as error:  # Ctrl-C, once more
            cancelled = error
    if cancelled is not None:
        raise cancelled


def _wanted(reader: Reader, able: Abilities, antennas: frozenset[int]) -> bytes:
    """Our ROSpec; raises `Blinded` for antennas that the reader does not have."""
    if missing := sorted(one for one in antennas if one > able.antennas):
        raise Blinded(f"the reader has {able.antennas} antennas, and not {', '.join(map(str, missing))}")
    return rospec(antennas, meant(able.powers, reader.transmit_power))


async def _take_over(ours: Errand, body: bytes) -> None:
    await ours.ask("DELETE_ROSPEC", pack(">I", 0))
    await ours.ask("ADD_ROSPEC", body)
    for request in ("ENABLE_ROSPEC", "START_ROSPEC"):
        await ours.ask(request, pack(">I", ROSPEC_ID))
    ours.start("ENABLE_EVENTS_AND_REPORTS")


async def _give_back(ours: Errand, held: list[bytes], seconds: float) -> None:
    """As well as it goes in so many seconds: what we cannot put back, its agent will."""
    with suppress(LlrpError, OSError):  # TimeoutError, too
        async with asyncio.timeout(seconds):
            await ours.tell("DELETE_ACCESSSPEC", OURS)
            await ours.tell("DELETE_ROSPEC", pack(">I", ROSPEC_ID))
            for spec in held:
                await _put_back(ours, spec)
            await ours.tell("CLOSE_CONNECTION")


async def _put_back(ours: Errand, spec: bytes) -> None:
    """An ROSpec is added disabled, then brought into the state that it was in (section 10.2)."""
    state, spec_id = spec[_STATE_AT], spec[_ID_AT : _ID_AT + 4]
    await ours.ask("ADD_ROSPEC", spec[:_STATE_AT] + bytes([_DISABLED]) + spec[_STATE_AT + 1 :])
    if state != _DISABLED:
        await ours.ask("ENABLE_ROSPEC", spec_id)
    if state == _ACTIVE:
        await ours.tell("START_ROSPEC", spec_id)  # refused where its own trigger was quicker


def _rospecs(body: bytes) -> list[bytes]:
    """The ROSpec parameters of a GET_ROSPECS_RESPONSE, as they came."""
    found, place = [], 0
    while place + TLV.size <= len(body):
        number, size = TLV.unpack_from(body, place)
        if number & 0x3FF == _ROSPEC and size > _STATE_AT:
            found.append(body[place : place + size])
        place += max(size, TLV.size)
    return [spec for spec in found if int.from_bytes(spec[4:8], "big") != ROSPEC_ID]
