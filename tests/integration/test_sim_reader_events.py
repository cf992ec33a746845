"""What the simulated reader tells of its own accord, and what its inputs start and stop; asked for through pyllrp."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from llrpclient import connected, inventory, read
from llrpclient import rospec as spec
from otherllrp import OtherClient, llrp, part, rospec

from firmware_sim.reader import SimReader

TIMEOUT_S = 5.0


class Ear(OtherClient):
    """A client that waits for events."""

    async def config(self, *parameters: Any) -> None:
        await self.done(llrp.SET_READER_CONFIG_Message(Parameters=list(parameters)))

    async def heard(self) -> list[Any]:
        """The ReaderEventNotificationData that came so far without their timestamps, and are told once."""
        await self.settings()
        events, self.events = self.events, []
        return [event.Parameters[0].Parameters[1] for event in events]

    async def names(self) -> list[str]:
        return [event.Name for event in await self.heard()]

    async def settings(self, requested: str = "All") -> Any:
        kind = getattr(llrp.GetReaderConfigRequestedData, requested)
        return await self.done(llrp.GET_READER_CONFIG_Message(RequestedData=kind))

    async def state_value(self) -> int:
        found = part(await self.settings("LLRPConfigurationStateValue"), "LLRPConfigurationStateValue")
        return int(found.LLRPConfigurationStateValue)

    async def state(self) -> str:
        """CurrentState of the ROSpec."""
        found = part(await self.done(llrp.GET_ROSPECS_Message()), "ROSpec")
        return str(llrp.ROSpecState.getName(found.CurrentState))


Story = Callable[[SimReader, Ear], Coroutine[Any, Any, None]]


def play(story: Story, **options: Any) -> None:
    async def whole() -> None:
        async with SimReader("reader-1", **options) as reader, Ear(reader.port) as client:
            await story(reader, client)

    asyncio.run(whole())


def notices(*wanted: str) -> Any:
    kinds = [getattr(llrp.NotificationEventType, name) for name in wanted]
    states = [llrp.EventNotificationState_Parameter(EventType=kind, NotificationState=True) for kind in kinds]
    return llrp.ReaderEventNotificationSpec_Parameter(Parameters=states)


def enabled(*ports: int) -> list[Any]:
    return [llrp.GPIPortCurrentState_Parameter(GPIPortNum=port, Config=True) for port in ports]


def triggered(start: Any = None, stop: Any = None, ai_stop: Any = None) -> Any:
    """An ADD_ROSPEC with GPI triggers; each is (port, level), or (port, level, timeout in ms)."""

    def value(port: int, high: bool, timeout_ms: int = 0) -> list[Any]:
        return [llrp.GPITriggerValue_Parameter(GPIPortNum=port, GPIEvent=high, Timeout=timeout_ms)]

    message = rospec(1, 2)
    if start:
        trigger = part(message, "ROSpecStartTrigger")
        trigger.ROSpecStartTriggerType, trigger.Parameters = llrp.ROSpecStartTriggerType.GPI, value(*start)
    if stop:
        trigger = part(message, "ROSpecStopTrigger")
        trigger.ROSpecStopTriggerType, trigger.Parameters = llrp.ROSpecStopTriggerType.GPI_With_Timeout, value(*stop)
    if ai_stop:
        trigger = part(message, "AISpecStopTrigger")
        trigger.AISpecStopTriggerType = llrp.AISpecStopTriggerType.GPI_With_Timeout
        trigger.Parameters = value(*ai_stop)
    return message


async def arm(client: Ear, message: Any) -> None:
    await client.done(message)
    await client.done(llrp.ENABLE_ROSPEC_Message(ROSpecID=1))


def test_an_input_is_told_when_it_changes_if_it_is_enabled_and_the_client_wants_to_know() -> None:
    async def story(reader: SimReader, client: Ear) -> None:
        reader.set_gpi(1, True)
        await client.config(notices("GPI_Event"))
        reader.set_gpi(2, True)  # nobody has enabled it
        await client.config(*enabled(2, 3))
        reader.set_gpi(2, True)  # no change
        reader.set_gpi(2, False)
        reader.set_gpi(3, True)
        heard = await client.heard()
        assert [(event.GPIPortNumber, event.GPIEvent) for event in heard] == [(2, False), (3, True)]
        found = (await client.settings("GPIPortCurrentState")).Parameters[1:]
        levels = [(one.GPIPortNum, one.Config, llrp.GPIPortState.getName(one.State)) for one in found]
        assert levels == [(1, False, "Unknown"), (2, True, "Low"), (3, True, "High"), (4, False, "Unknown")]

    play(story)


def test_an_input_keeps_its_level_when_the_reader_loses_its_power() -> None:
    async def story() -> None:
        async with SimReader("reader-1") as reader:
            reader.set_gpi(4, True)
            await reader.power_off()
            reader.set_gpi(3, True)
            await reader.power_on()
            async with Ear(reader.port) as client:
                await client.config(*enabled(3, 4))
                found = (await client.settings("GPIPortCurrentState")).Parameters[3:]
                assert [one.State for one in found] == [1, 1]

    asyncio.run(story())


def test_an_input_starts_and_stops_the_rospec() -> None:
    async def story(reader: SimReader, client: Ear) -> None:
        await client.config(notices("ROSpec_Event"), *enabled(1))
        await arm(client, triggered(start=(1, True), stop=(1, False)))
        reader.deliver([read()])
        assert await client.state() == "Inactive"
        reader.set_gpi(1, True)
        assert await client.state() == "Active"
        reader.deliver([read(antenna=2)])
        reader.set_gpi(1, False)
        reader.deliver([read()])
        assert await client.state() == "Inactive"
        assert [part(tag, "AntennaID").AntennaID for tag in await client.tags()] == [2]
        ends = [(event.EventType, event.ROSpecID) for event in await client.heard()]
        assert ends == [(llrp.ROSpecEventType.Start_Of_ROSpec, 1), (llrp.ROSpecEventType.End_Of_ROSpec, 1)]
        reader.set_gpi(1, True)
        assert await client.state() == "Active"

    play(story)


def test_an_input_that_is_not_enabled_starts_nothing() -> None:
    async def story(reader: SimReader, client: Ear) -> None:
        await arm(client, triggered(start=(1, True)))
        reader.set_gpi(1, True)
        assert await client.state() == "Inactive"

    play(story)


def test_a_gpi_stop_trigger_stops_at_its_timeout_if_nothing_comes() -> None:
    async def story(reader: SimReader, client: Ear) -> None:
        await client.config(*enabled(1))
        await arm(client, triggered(start=(1, True), stop=(2, True, 30)))
        reader.set_gpi(1, True)
        assert await client.state() == "Active"
        async with asyncio.timeout(TIMEOUT_S):
            while await client.state() == "Active":
                pass
        assert not reader.on_air

    play(story)


def test_an_input_ends_an_aispec() -> None:
    async def story(reader: SimReader, client: Ear) -> None:
        await client.config(notices("AISpec_Event", "ROSpec_Event"), *enabled(2))
        await arm(client, triggered(ai_stop=(2, False)))
        await client.done(llrp.START_ROSPEC_Message(ROSpecID=1))
        reader.set_gpi(2, True)
        assert await client.state() == "Active"
        reader.set_gpi(2, False)
        assert await client.state() == "Inactive"
        assert await client.names() == ["ROSpecEvent", "AISpecEvent", "ROSpecEvent"]

    play(story)


def test_an_antenna_that_is_gone_is_an_exception_for_the_rospec_that_names_it() -> None:
    async def story(reader: SimReader, client: Ear) -> None:
        await client.config(notices("Reader_Exception_Event"))
        reader.set_antenna(3, connected=False)
        await client.done(rospec(2, 3))
        await client.done(llrp.ENABLE_ROSPEC_Message(ROSpecID=1))
        await client.done(llrp.START_ROSPEC_Message(ROSpecID=1))
        reader.set_antenna(2, connected=False)
        reader.set_antenna(1, connected=False)
        reader.trouble("the reader is too hot")
        heard = await client.heard()
        assert [part(event, "AntennaID").AntennaID for event in heard[:2]] == [3, 2]
        assert [part(event, "ROSpecID").ROSpecID for event in heard[:2]] == [1, 1]
        assert [event.Message for event in heard[1:]] == [
            "ROSpec 1: antenna 2 is not connected", "the reader is too hot",
        ]  # fmt: skip

    play(story)


def test_nobody_is_told_what_nobody_wanted_to_know() -> None:
    async def story(reader: SimReader, client: Ear) -> None:
        await client.config(*enabled(1))
        await arm(client, triggered(start=(1, True), stop=(1, False)))
        for high in (True, False):
            reader.set_gpi(1, high)
        reader.set_antenna(1, connected=False)
        reader.trouble("too hot")
        assert await client.heard() == []

    play(story)


def test_a_client_that_asked_for_it_is_warned_before_reports_are_lost() -> None:
    async def story(reader: SimReader) -> None:
        warn = {"EventNotificationState": {"ReportBufferFillWarning": True}}
        async with connected(reader) as client:
            await client.ask("SET_READER_CONFIG", ReaderEventNotificationSpec=warn)
            await inventory(client, spec())
        await reader.vacant()
        reader.deliver([read() for _ in range(9)])
        async with connected(reader) as client:
            event = (await client.until("READER_EVENT_NOTIFICATION"))["ReaderEventNotificationData"]
            assert event["ReportBufferLevelWarning"] == {"ReportBufferPercentageFull": 80}
            for _ in range(9):
                await client.until("RO_ACCESS_REPORT")
            assert await client.silent_for(0.05)

    async def whole() -> None:
        async with SimReader("reader-1", buffer_tags=10) as reader:
            await story(reader)

    asyncio.run(whole())


def test_the_state_value_stands_for_the_configuration_and_for_nothing_else() -> None:
    async def story(reader: SimReader, client: Ear) -> None:
        fresh = await client.state_value()
        await client.done(rospec(1))
        added = await client.state_value()
        await client.done(llrp.ENABLE_ROSPEC_Message(ROSpecID=1))
        ready = await client.state_value()
        await client.done(llrp.START_ROSPEC_Message(ROSpecID=1))
        assert await client.state_value() == ready  # it runs: that is no configuration
        await client.config(llrp.KeepaliveSpec_Parameter(KeepaliveTriggerType=1, PeriodicTriggerValue=60_000))
        patient = await client.state_value()
        assert len({fresh, added, ready, patient}) == 4
        await client.done(llrp.SET_READER_CONFIG_Message(ResetToFactoryDefault=True))
        assert await client.state_value() == fresh
        assert reader.connected

    play(story)


@pytest.mark.parametrize("extended", [False, True])
def test_an_rospec_comes_back_byte_for_byte_with_the_vendors_parameters_in_it(extended: bool) -> None:
    async def story(_: SimReader, client: Ear) -> None:
        message = triggered(start=(1, True), stop=(2, False, 500))
        if extended:
            await client.done(llrp.IMPINJ_ENABLE_EXTENSIONS_Message())
            message.Parameters[0].Parameters[2] = rospec(1, vendor=True).Parameters[0].Parameters[2]
            inventory_spec = part(message, "InventoryParameterSpec")
            search = llrp.ImpinjInventorySearchMode_Parameter(InventorySearchMode=2)
            command = llrp.C1G2InventoryCommand_Parameter(Parameters=[search])
            inventory_spec.Parameters = [llrp.AntennaConfiguration_Parameter(AntennaID=1, Parameters=[command])]
        await client.done(message)
        sent = llrp.PackMessage(message).tobytes()[10:]
        (back,) = [one for one in (await client.done(llrp.GET_ROSPECS_Message())).Parameters if one.Name == "ROSpec"]
        envelope = llrp.ADD_ROSPEC_Message(Parameters=[back])
        assert llrp.PackMessage(envelope).tobytes()[10:] == sent

    play(story)
