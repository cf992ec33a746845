"""AccessSpecs at the simulated reader, asked for and read by pyllrp: reading, writing, locking and killing tags."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from llrpclient import EPC, read
from otherllrp import OtherClient, inventory, llrp, part, rospec

from firmware_sim.reader import SimReader
from firmware_sim.tagmemory import Tags

OTHER = "e28011606000020987654321"
NEW = "30361fb8c8803d056d15b963"


def words(text: str) -> list[int]:
    return [int(text[at : at + 4], 16) for at in range(0, len(text), 4)]


def target(epc: str = "", match: bool = True) -> Any:
    """Tags whose EPC begins so."""
    data = bytes.fromhex(epc)
    return llrp.C1G2TargetTag_Parameter(MB=1, Match=match, Pointer=32, TagMask=b"\xff" * len(data), TagData=data)


def accessspec(
    *ops: Any, targets: tuple[Any, ...] = (), spec_id: int = 7, antenna: int = 0, count: int = 0, at_once: bool = True
) -> Any:
    stop = llrp.AccessSpecStopTrigger_Parameter(AccessSpecStopTrigger=int(count > 0), OperationCountValue=count)
    command = [llrp.C1G2TagSpec_Parameter(Parameters=list(targets or (target(),))), *ops]
    return llrp.ADD_ACCESSSPEC_Message(
        Parameters=[
            llrp.AccessSpec_Parameter(
                AccessSpecID=spec_id,
                AntennaID=antenna,
                ProtocolID=1,
                Parameters=[
                    stop,
                    llrp.AccessCommand_Parameter(Parameters=command),
                    llrp.AccessReportSpec_Parameter(AccessReportTrigger=int(at_once)),
                ],
            )
        ]
    )


def reading(bank: int, word: int, count: int, password: int = 0) -> Any:
    return llrp.C1G2Read_Parameter(OpSpecID=1, AccessPassword=password, MB=bank, WordPointer=word, WordCount=count)


def writing(bank: int, word: int, data: str, password: int = 0, op_id: int = 2) -> Any:
    place = {"MB": bank, "WordPointer": word, "WriteData": words(data)}
    return llrp.C1G2Write_Parameter(OpSpecID=op_id, AccessPassword=password, **place)


def locking(field: str, privilege: str, password: int = 0) -> Any:
    payload = llrp.C1G2LockPayload_Parameter(
        Privilege=getattr(llrp.C1G2LockPrivilege, privilege), DataField=getattr(llrp.C1G2LockDataField, field)
    )
    return llrp.C1G2Lock_Parameter(OpSpecID=3, AccessPassword=password, Parameters=[payload])


class Bench:
    """A reader that inventories, and its client."""

    def __init__(self, reader: SimReader, client: OtherClient, tags: Tags) -> None:
        self.reader, self.client, self.tags = reader, client, tags

    async def order(self, message: Any, spec_id: int = 7) -> None:
        """An AccessSpec instead of the one that was there."""
        await self.client.done(llrp.DELETE_ACCESSSPEC_Message(AccessSpecID=0))
        await self.client.done(message)
        await self.client.done(llrp.ENABLE_ACCESSSPEC_Message(AccessSpecID=spec_id))

    async def hear(self, epc: str = EPC, antenna: int = 1, rssi: int = -50) -> Any:
        """The report of one singulation."""
        self.reader.deliver([read(antenna=antenna, epc=epc, rssi=rssi)])
        (tag,) = await self.client.tags()
        return tag

    async def result(self, name: str, **read: Any) -> str:
        """How an OpSpec on the next tag went, in the standard's words."""
        found = part(await self.hear(**read), f"C1G2{name}OpSpecResult")
        return str(found.FieldDefs[0].Enum.getName(found.Result)) if found else "none"


Story = Callable[[Bench], Coroutine[Any, Any, None]]


def play(story: Story, **options: Any) -> None:
    async def whole() -> None:
        tags = Tags()
        async with SimReader("bench", tags=tags, **options) as reader, OtherClient(reader.port) as client:
            await inventory(client, rospec())
            await story(Bench(reader, client, tags))

    asyncio.run(whole())


def epc_of(tag: Any) -> str:
    """EPC of a TagReportData, lower-case hexadecimal."""
    epc = tag.Parameters[0].EPC
    return (epc.to_bytes(12, "big") if isinstance(epc, int) else epc).hex()


def test_a_tag_is_read_in_all_its_banks() -> None:
    async def story(bench: Bench) -> None:
        await bench.order(accessspec(reading(2, 0, 6)))
        tag = await bench.hear()
        assert part(tag, "AccessSpecID").AccessSpecID == 7
        tid = part(tag, "C1G2ReadOpSpecResult").ReadData
        assert tid[:3] == [0xE280, 0x1160, 0x2000]
        assert part(await bench.hear(OTHER), "C1G2ReadOpSpecResult").ReadData[3:] != tid[3:]
        await bench.order(accessspec(reading(1, 1, 7)))
        assert part(await bench.hear(), "C1G2ReadOpSpecResult").ReadData == words("3000" + EPC)
        await bench.order(accessspec(reading(3, 0, 0)))
        assert part(await bench.hear(), "C1G2ReadOpSpecResult").ReadData == [0] * 32
        await bench.order(accessspec(reading(3, 30, 3)))
        assert await bench.result("Read") == "Nonspecific_Tag_Error"

    play(story)


def test_after_a_write_the_tag_is_read_with_its_new_epc_by_every_reader() -> None:
    async def story(bench: Bench) -> None:
        await bench.order(accessspec(writing(1, 2, NEW), targets=(target(EPC),)))
        first = await bench.hear()
        assert epc_of(first) == EPC
        assert part(first, "C1G2WriteOpSpecResult").NumWordsWritten == 6
        assert epc_of(await bench.hear()) == NEW
        assert epc_of(await bench.hear(OTHER)) == OTHER
        async with SimReader("door", tags=bench.tags) as door, OtherClient(door.port) as client:
            await inventory(client, rospec())
            door.deliver([read()])
            (tag,) = await client.tags()
            assert epc_of(tag) == NEW

    play(story)


def test_a_longer_epc_is_sent_once_its_length_is_written_too() -> None:
    async def story(bench: Bench) -> None:
        longer = NEW + "cafe0001"
        await bench.order(accessspec(writing(1, 2, longer)))
        await bench.hear()
        assert epc_of(await bench.hear()) == NEW
        await bench.order(accessspec(writing(1, 1, "4000")))
        await bench.hear()
        tag = await bench.hear()
        assert (epc_of(tag), part(tag, "C1G2_PC").PC_Bits) == (longer, 0x4000)
        await bench.order(accessspec(writing(1, 1, "4800")))
        assert await bench.result("Write") == "Nonspecific_Tag_Error"  # it has no room for nine words
        await bench.order(accessspec(writing(1, 10, "0000")))
        assert await bench.result("Write") == "Tag_Memory_Overrun_Error"

    play(story)


def test_a_locked_tag_is_written_only_by_who_knows_its_password() -> None:
    async def story(bench: Bench) -> None:
        await bench.order(accessspec(writing(0, 2, "c0ffee01"), locking("EPC_Memory", "Read_Write")))
        tag = await bench.hear()
        assert part(tag, "C1G2WriteOpSpecResult").Result == part(tag, "C1G2LockOpSpecResult").Result == 0
        await bench.order(accessspec(writing(1, 2, NEW)))
        assert await bench.result("Write") == "Tag_Memory_Locked_Error"
        await bench.order(accessspec(writing(1, 2, NEW, password=0xBAD)))
        assert await bench.result("Write") == "No_Response_From_Tag"
        await bench.order(accessspec(writing(1, 2, NEW, password=0xC0FFEE01)))
        assert await bench.result("Write") == "Success"
        assert epc_of(await bench.hear()) == NEW
        await bench.order(accessspec(locking("EPC_Memory", "Unlock")))
        assert await bench.result("Lock") == "No_Response_From_Tag"

    play(story)


def test_a_permanent_lock_is_permanent() -> None:
    async def story(bench: Bench) -> None:
        await bench.order(accessspec(locking("EPC_Memory", "Perma_Lock")))
        assert await bench.result("Lock") == "Success"
        await bench.order(accessspec(writing(1, 2, NEW)))
        assert await bench.result("Write") == "Tag_Memory_Locked_Error"
        await bench.order(accessspec(locking("EPC_Memory", "Unlock")))
        assert await bench.result("Lock") == "Nonspecific_Tag_Error"
        await bench.order(accessspec(locking("User_Memory", "Perma_Unlock")))
        assert await bench.result("Lock") == "Success"
        await bench.order(accessspec(locking("User_Memory", "Read_Write")))
        assert await bench.result("Lock") == "Nonspecific_Tag_Error"

    play(story)


def test_a_tag_with_a_kill_password_dies_by_it_and_is_never_read_again() -> None:
    def killing(password: int) -> Any:
        return accessspec(llrp.C1G2Kill_Parameter(OpSpecID=9, KillPassword=password), targets=(target(EPC),))

    async def story(bench: Bench) -> None:
        await bench.order(killing(0xDEAD))
        assert await bench.result("Kill") == "Zero_Kill_Password_Error"
        await bench.order(accessspec(writing(0, 0, "0000dead")))
        assert await bench.result("Write") == "Success"
        await bench.order(killing(0xBEEF))
        assert await bench.result("Kill") == "No_Response_From_Tag"
        await bench.order(killing(0xDEAD))
        assert await bench.result("Kill") == "Success"
        bench.reader.deliver([read(), read(epc=OTHER)])
        (tag,) = await bench.client.tags()
        assert epc_of(tag) == OTHER

    play(story)


def test_only_the_tags_and_the_antenna_that_are_meant_are_touched() -> None:
    async def story(bench: Bench) -> None:
        await bench.order(accessspec(reading(1, 2, 1), targets=(target(EPC[:4]),), antenna=2))
        assert await bench.result("Read", epc=EPC, antenna=2) == "Success"
        assert await bench.result("Read", epc=EPC, antenna=1) == "none"
        assert await bench.result("Read", epc=OTHER, antenna=2) == "none"
        await bench.order(accessspec(reading(1, 2, 1), targets=(target(EPC, match=False),)))
        assert await bench.result("Read", epc=EPC) == "none"
        assert await bench.result("Read", epc=OTHER) == "Success"
        await bench.order(accessspec(reading(1, 2, 1), targets=(target(EPC), target(EPC, match=False))))
        assert await bench.result("Read", epc=EPC) == "none"

    play(story)


def test_an_operation_count_ends_the_accessspec_and_the_first_that_fits_is_carried_out() -> None:
    async def story(bench: Bench) -> None:
        await bench.order(accessspec(reading(2, 0, 1), count=2))
        await bench.client.done(accessspec(writing(3, 0, "1234"), spec_id=8))
        await bench.client.done(llrp.ENABLE_ACCESSSPEC_Message(AccessSpecID=8))
        came = [part(await bench.hear(), "AccessSpecID").AccessSpecID for _ in range(3)]
        assert came == [7, 7, 8]
        left = await bench.client.done(llrp.GET_ACCESSSPECS_Message())
        assert [one.AccessSpecID for one in left.getAllParametersByClass(llrp.AccessSpec_Parameter)] == [8]

    play(story)


def test_what_follows_a_failed_opspec_is_left_undone() -> None:
    async def story(bench: Bench) -> None:
        await bench.order(accessspec(writing(2, 0, "0000"), locking("EPC_Memory", "Perma_Lock")))
        tag = await bench.hear()
        assert part(tag, "C1G2WriteOpSpecResult").Result == llrp.C1G2WriteResultType.Tag_Memory_Locked_Error
        assert part(tag, "C1G2LockOpSpecResult") is None
        await bench.order(accessspec(writing(1, 2, NEW)))
        assert await bench.result("Write") == "Success"

    play(story)


def test_a_tag_that_is_heard_weakly_often_lacks_the_power_to_be_written() -> None:
    async def story(bench: Bench) -> None:
        await bench.order(accessspec(writing(3, 0, "1234")))
        weak = [await bench.result("Write", rssi=-72) for _ in range(40)]
        assert {"Insufficient_Power", "Success"} == set(weak)
        assert 10 < weak.count("Insufficient_Power") < 35  # 24 are expected
        assert {await bench.result("Write", rssi=-60) for _ in range(20)} == {"Success"}

    play(story)


def test_results_come_with_the_next_report_where_that_is_asked_for() -> None:
    async def story(bench: Bench) -> None:
        client = bench.client
        await client.done(llrp.DELETE_ROSPEC_Message(ROSpecID=0))
        batches = rospec()
        part(batches, "ROReportSpec").N = 3
        await inventory(client, batches)
        await bench.order(accessspec(reading(2, 0, 1), count=1, at_once=False))
        bench.reader.deliver([read(), read()])
        assert await client.tags() == []
        bench.reader.deliver([read()])
        assert [part(tag, "C1G2ReadOpSpecResult") is not None for tag in await client.tags()] == [True, False, False]

    play(story)


def test_a_count_of_reads_never_swallows_a_result() -> None:
    async def story(bench: Bench) -> None:
        client = bench.client
        await client.done(llrp.DELETE_ROSPEC_Message(ROSpecID=0))
        batches = rospec()
        part(batches, "ROReportSpec").N = 0
        await inventory(client, batches)
        await bench.order(accessspec(reading(2, 0, 1), count=2, at_once=False))
        bench.reader.deliver([read() for _ in range(5)])
        await client.done(llrp.STOP_ROSPEC_Message(ROSpecID=1))
        results = [part(tag, "C1G2ReadOpSpecResult") is not None for tag in await client.tags()]
        assert results == [True, True, False]

    play(story, gather=True)


@pytest.mark.parametrize(
    ("bad", "code"),
    [
        (accessspec(*[reading(1, 0, 1)] * 9), "M_ParameterError"),
        (accessspec(reading(1, 0, 1), targets=(target(), target(), target())), "M_ParameterError"),
        (accessspec(reading(1, 0, 1), spec_id=0), "M_FieldError"),
        (accessspec(llrp.C1G2BlockErase_Parameter(OpSpecID=1, MB=3, WordCount=1)), "M_UnsupportedParameter"),
    ],
    ids=["too many OpSpecs", "too many targets", "id 0", "an OpSpec that it has not"],
)
def test_an_accessspec_of_bad_content_is_refused(bad: Any, code: str) -> None:
    async def story(bench: Bench) -> None:
        answer = await bench.client.ask(bad)
        assert llrp.StatusCode.getName(part(answer, "LLRPStatus").StatusCode) == code

    play(story)


def test_a_disabled_accessspec_does_nothing_and_stays_as_it_was_added() -> None:
    async def story(bench: Bench) -> None:
        client = bench.client
        await client.done(accessspec(reading(2, 0, 1)))
        assert await bench.result("Read") == "none"
        await client.done(llrp.ENABLE_ACCESSSPEC_Message(AccessSpecID=0))
        assert await bench.result("Read") == "Success"
        await client.done(llrp.DISABLE_ACCESSSPEC_Message(AccessSpecID=7))
        assert await bench.result("Read") == "none"
        for unknown in (llrp.ENABLE_ACCESSSPEC_Message, llrp.DISABLE_ACCESSSPEC_Message):
            assert not (await client.ask(unknown(AccessSpecID=6))).success()
        await client.done(llrp.DELETE_ACCESSSPEC_Message(AccessSpecID=7))
        assert not (await client.ask(llrp.DELETE_ACCESSSPEC_Message(AccessSpecID=7))).success()

    play(story)
