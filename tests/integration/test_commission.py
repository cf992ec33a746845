"""Tags written over LLRP: a person at a simulated reader, with tags that are weak, locked, too many, or gone."""

import asyncio
import contextlib
import struct
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any

import pytest
from patience import until

from contract.epc import identify
from contract.epc_writing import write_sgtin, write_sscc
from contract.portals import LlrpReader, Reader
from edge.errors import Blinded, TagTrouble, Unreachable
from edge.llrp.commission import Wish
from edge.llrp.errand import Errand
from edge.llrp.link import ReaderLink
from edge.llrp.loan import borrowed
from edge.llrp.patience import Patience
from edge.llrp.tagfield import READ_TID
from edge.tagwriting import TagWritten, read_tags, write_tag
from firmware_sim.radio import TagRead
from firmware_sim.reader import SimReader, wall_us
from firmware_sim.tagmemory import Area, Bank, Privilege, TagMemory, Tags

FACTORY = "e28011606000020912345678"
OTHER = "e28011606000020987654321"
PASSWORD = 0xC0FFEE01
CASE = bytes.fromhex(write_sgtin("09506000134352", "123", 7))
LONG_CASE = bytes.fromhex(write_sgtin("09506000134352", "lot-471", None))
PALLET = bytes.fromhex(write_sscc("106141412345678908", 7))
PATIENCE_S = 1.0


class Field:
    """Tags before a reader's antenna, by the EPC that they came with, and how loud they are."""

    def __init__(self, reader: SimReader, tags: Tags) -> None:
        self.reader, self.tags = reader, tags
        self.loud: dict[str, int] = {}
        self.on_read: Callable[[], None] = lambda: None

    async def run(self) -> None:
        while True:
            await asyncio.sleep(0.005)
            for epc, rssi_dbm in list(self.loud.items()):
                self.reader.deliver([TagRead(wall_us(), epc, 1, rssi_dbm, 0, 7, 0)])
            self.on_read()


@contextlib.asynccontextmanager
async def field(memory: Tags | None = None, **tags: int) -> AsyncIterator[Field]:
    """A reader with the tags that the story names, `e280...=-50`."""
    memory = memory or Tags()
    async with SimReader("bench", tags=memory) as reader:
        here = Field(reader, memory)
        here.loud |= tags
        running = asyncio.create_task(here.run())
        try:
            yield here
        finally:
            running.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await running


async def written(here: Field, wish: Wish, from_epc: str | None = None) -> TagWritten:
    return await write_tag(bench(here), {0}, wish, from_epc=from_epc, seconds=PATIENCE_S)


def bench(here: Field) -> Reader:
    return Reader(name="bench", port=here.reader.port)


def run(story: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(story())


@pytest.mark.parametrize("epc", [CASE, LONG_CASE, PALLET], ids=["96 bits", "128 bits", "pallet"])
def test_a_fresh_tag_is_written_and_read_back(epc: bytes) -> None:
    async def story() -> None:
        async with field(**{FACTORY: -50}) as here:
            told = await written(here, Wish(epc))
            assert (told.epc, told.before, told.done, told.locked) == (epc.hex(), FACTORY, ["epc"], False)
            assert told.uri == identify(epc.hex()).uri
            assert told.tid.startswith("e28011602000")
            assert here.tags[FACTORY].epc == epc
            again = await written(here, Wish(epc))
            assert (again.done, again.before) == ([], epc.hex())

    run(story)


def test_a_locked_tag_opens_with_its_password_only() -> None:
    async def story() -> None:
        async with field(**{FACTORY: -50}) as here:
            told = await written(here, Wish(CASE, PASSWORD, lock=True))
            assert (told.done, told.locked) == (["epc", "password", "lock"], True)
            tag = here.tags[FACTORY]
            assert tag.access(PASSWORD)
            again = await written(here, Wish(CASE, PASSWORD, lock=True))
            assert (again.done, again.locked) == ([], True)
            with pytest.raises(TagTrouble, match="locked: give its access password"):
                await written(here, Wish(PALLET))
            with pytest.raises(TagTrouble, match="access password: it is wrong"):
                await written(here, Wish(PALLET, PASSWORD + 1))
            assert tag.epc == CASE
            told = await written(here, Wish(PALLET, PASSWORD))
            assert (told.epc, told.done) == (PALLET.hex(), ["epc"])

    run(story)


def test_a_tag_that_is_locked_for_good_says_so() -> None:
    async def story() -> None:
        async with field(**{FACTORY: -50}) as here:
            here.tags[FACTORY].lock(Area.EPC, Privilege.PERMALOCK, secured=True)
            with pytest.raises(TagTrouble, match="locked for good"):
                await written(here, Wish(CASE, PASSWORD, lock=True))
            assert here.tags[FACTORY].epc.hex() == FACTORY

    run(story)


def test_somebody_elses_password_is_told() -> None:
    async def story() -> None:
        async with field(**{FACTORY: -50}) as here:
            here.tags[FACTORY].write(Bank.RESERVED, 3, 7, secured=True)
            with pytest.raises(TagTrouble, match="another access password"):
                await written(here, Wish(CASE, PASSWORD, lock=True))
            with pytest.raises(TagTrouble, match="locks nothing"):
                await written(here, Wish(CASE, lock=True))

    run(story)


def test_a_weak_tag_is_written_word_by_word_until_it_is_done() -> None:
    async def story() -> None:
        async with field(**{FACTORY: -71}) as here:
            told = await written(here, Wish(LONG_CASE, PASSWORD, lock=True))
            assert (told.epc, told.locked) == (LONG_CASE.hex(), True)
            assert told.failures > 0
            assert here.tags[FACTORY].epc == LONG_CASE

    run(story)


def test_a_tag_too_weak_to_be_written_is_given_up_with_advice() -> None:
    async def story() -> None:
        async with field(**{FACTORY: -78}) as here:
            with pytest.raises(TagTrouble, match="bring it nearer"):
                await written(here, Wish(CASE))

    run(story)


def test_a_tag_that_leaves_in_the_middle_is_told_and_finished_when_it_is_back() -> None:
    async def story() -> None:
        async with field(**{FACTORY: -72}) as here:
            tag = here.tags[FACTORY]

            def snatch() -> None:
                if tag.epc.hex() not in (FACTORY, PALLET.hex()):
                    here.loud.clear()

            here.on_read = snatch
            with pytest.raises(TagTrouble, match="left the field before it was done"):
                await written(here, Wish(PALLET))
            assert tag.epc != PALLET
            torn, here.on_read = tag.epc.hex(), lambda: None
            here.loud[FACTORY] = -50
            told = await written(here, Wish(PALLET))
            assert (told.before, told.epc) == (torn, PALLET.hex())

    run(story)


class Forgetful(TagMemory):
    """A worn-out tag: it answers that it stored a word, and keeps the old one."""

    def write(self, bank: Bank, word: int, value: int, *, secured: bool) -> None:
        pass


class WornOut(Tags):
    def __init__(self) -> None:
        super().__init__()
        self._tag = Forgetful(bytes.fromhex(FACTORY), b"worn")

    def __getitem__(self, first_epc: str) -> TagMemory:
        return self._tag


def test_a_tag_that_only_says_that_it_was_written_is_given_up() -> None:
    async def story() -> None:
        async with field(WornOut(), **{FACTORY: -50}) as here:
            with pytest.raises(TagTrouble, match="3 times that it took its epc, and did not"):
                await asyncio.wait_for(written(here, Wish(CASE)), 20)

    run(story)


def test_a_tag_without_room_is_not_touched() -> None:
    async def story() -> None:
        async with field(**{FACTORY: -50}) as here:
            too_long = bytes.fromhex(write_sgtin("09506000134352", "0123456789abcdefghij", 7))
            with pytest.raises(TagTrouble, match="no room"):
                await written(here, Wish(too_long))
            assert here.tags[FACTORY].epc.hex() == FACTORY

    run(story)


def test_of_several_tags_one_must_be_named() -> None:
    async def story() -> None:
        async with field(**{FACTORY: -50, OTHER: -62}) as here:
            with pytest.raises(TagTrouble, match=f"2 tags.*{FACTORY} at -50 dBm.*{OTHER} at -62 dBm"):
                await written(here, Wish(CASE))
            told = await written(here, Wish(CASE), from_epc=OTHER)
            assert (told.before, told.rssi_dbm) == (OTHER, -62)
            assert [here.tags[epc].epc.hex() for epc in (FACTORY, OTHER)] == [FACTORY, CASE.hex()]
            with pytest.raises(TagTrouble, match=f"no tag {PALLET.hex()}"):
                await written(here, Wish(PALLET), from_epc=PALLET.hex())

    run(story)


def test_two_tags_with_the_same_epc_are_told_apart_and_refused() -> None:
    async def story() -> None:
        async with field(**{FACTORY: -50, OTHER: -55}) as here:
            for word, value in enumerate(struct.unpack(">6H", bytes.fromhex(FACTORY))):
                here.tags[OTHER].write(Bank.EPC, 2 + word, value, secured=True)
            with pytest.raises(TagTrouble, match="two tags have this EPC"):
                await written(here, Wish(CASE), from_epc=FACTORY)

    run(story)


def test_the_tags_in_the_field_are_listed_the_loudest_first() -> None:
    async def story() -> None:
        async with field(**{FACTORY: -60, OTHER: -50}) as here:
            tags = await read_tags(bench(here), {1}, 0.3)
            assert [(tag.epc, tag.rssi_dbm, tag.antenna) for tag in tags] == [
                (OTHER, -50, 1),
                (FACTORY, -60, 1),
            ]
            assert len({tag.tid for tag in tags}) == 2
            assert all(len(tag.tid) == 24 and tag.reads > 1 for tag in tags)
            here.loud.clear()
            assert await read_tags(bench(here), {1}, 0.1) == []
            with pytest.raises(TagTrouble, match="no tag came into the field within 1 s"):
                await written(here, Wish(CASE))

    run(story)


def test_a_reader_that_an_agent_holds_is_not_taken_from_it() -> None:
    async def story() -> None:
        async with field(**{FACTORY: -50}) as here:
            reader = LlrpReader(name="bench", port=here.reader.port, inside=[1], outside=[2])
            reading = asyncio.Event()
            link = asyncio.create_task(ReaderLink(reader, lambda _: reading.set(), lambda _: None).run())
            await asyncio.wait_for(reading.wait(), 10)
            with pytest.raises(Blinded, match="another client holds the reader: stop the agent"):
                await written(here, Wish(CASE))
            reading.clear()
            await asyncio.wait_for(reading.wait(), 10)
            link.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await link
            await here.reader.vacant()
            told = await written(here, Wish(CASE))
            assert told.done == ["epc"]

    run(story)


@pytest.mark.parametrize("cut_short", [0, 1, 50], ids=["done", "cut short", "cut short impatiently"])
def test_a_reader_is_left_with_the_rospec_that_it_had(cut_short: int) -> None:
    async def story() -> None:
        async with field(**{FACTORY: -50}) as here:
            reader = LlrpReader(name="bench", port=here.reader.port, inside=[1], outside=[2])
            reading = asyncio.Event()
            link = asyncio.create_task(ReaderLink(reader, lambda _: reading.set(), lambda _: None).run())
            await asyncio.wait_for(reading.wait(), 10)
            link.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await link
            await here.reader.vacant()
            writing = asyncio.create_task(written(here, Wish(CASE)))
            if cut_short:
                await until(lambda: here.reader.on_air.keys() == {1, 2, 3, 4})
            for _ in range(cut_short):
                writing.cancel()
                await asyncio.sleep(0)
            await asyncio.wait([writing])
            assert writing.cancelled() == bool(cut_short)
            assert here.reader.on_air.keys() == {1, 2}
            await here.reader.vacant()

    run(story)


def test_no_reader_there() -> None:
    async def story() -> None:
        async with SimReader("off") as reader:
            port = reader.port
        with pytest.raises(Unreachable, match="check its power and network"):
            await read_tags(Reader(name="off", port=port), {0}, 1)

    run(story)


def test_an_antenna_that_the_reader_lacks_is_named() -> None:
    async def story() -> None:
        async with field() as here:
            with pytest.raises(Blinded, match="has 4 antennas, and not 9"):
                await read_tags(bench(here), {9}, 1)

    run(story)


async def heard_out(ours: Errand) -> None:
    """Until nothing more was on its way."""
    while await ours.hear(0.1, lambda _: False):
        pass


def test_a_reader_that_hangs_is_not_taken_for_an_empty_field() -> None:
    async def story() -> None:
        async with field(**{FACTORY: -50}) as here:
            frozen = Patience(answer_s=0.3)
            async with borrowed(bench(here), {0}, frozen) as ours:
                await ours.set_to(READ_TID, runs=0)
                here.reader.freeze()
                with pytest.raises(Unreachable, match=r"does not answer GET_ROSPECS within 0\.3 s"):
                    await heard_out(ours)

    run(story)
