"""What a client's ROSpec and configuration put on the air at the simulated reader, asked for through pyllrp."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from llrpclient import EPC, read
from otherllrp import OtherClient, inventory, llrp, part, rospec

from firmware_sim.antennas import portal_antennas
from firmware_sim.emission import Emission
from firmware_sim.radio import RadioModel, TagAt
from firmware_sim.reader import SimReader, wall_us

OTHER = "3174257bf7194e4000001a85"
STEP_US = 20_000

Story = Callable[[SimReader, OtherClient], Coroutine[Any, Any, None]]


def play(story: Story, **options: Any) -> None:
    async def whole() -> None:
        async with SimReader("reader-1", **options) as reader, OtherClient(reader.port) as client:
            await client.ask(llrp.IMPINJ_ENABLE_EXTENSIONS_Message())
            await story(reader, client)

    asyncio.run(whole())


def antenna(port: int, *command: Any, power: int = 81, sensitivity: int = 1, state_aware: bool = False) -> Any:
    return llrp.AntennaConfiguration_Parameter(
        AntennaID=port,
        Parameters=[
            llrp.RFReceiver_Parameter(ReceiverSensitivity=sensitivity),
            llrp.RFTransmitter_Parameter(HopTableID=1, ChannelIndex=1, TransmitPower=power),
            llrp.C1G2InventoryCommand_Parameter(TagInventoryStateAware=state_aware, Parameters=list(command)),
        ],
    )


def session(number: int, *more: Any) -> Any:
    return llrp.C1G2SingulationControl_Parameter(
        Session=number, TagPopulation=8, TagTransitTime=0, Parameters=list(more)
    )


def select(epc: str, action: str = "Select_Unselect") -> Any:
    mask = llrp.C1G2TagInventoryMask_Parameter(MB=1, Pointer=32, TagMask=bytes.fromhex(epc))
    then = llrp.C1G2TagInventoryStateUnawareFilterAction_Parameter(Action=getattr(llrp.C1G2StateUnawareAction, action))
    return llrp.C1G2Filter_Parameter(T=1, Parameters=[mask, then])


def driven(*configurations: Any, antennas: tuple[int, ...] = (1, 2)) -> Any:
    message = rospec(*antennas)
    part(message, "InventoryParameterSpec").Parameters = list(configurations)
    return message


def test_the_rospec_says_which_antennas_are_on_air_and_how_strong() -> None:
    async def story(reader: SimReader, client: OtherClient) -> None:
        await client.done(driven(antenna(0, power=61), antenna(2, power=41, sensitivity=12)))
        assert dict(reader.on_air) == {}
        await client.done(llrp.ENABLE_ROSPEC_Message(ROSpecID=1))
        await client.done(llrp.START_ROSPEC_Message(ROSpecID=1))
        assert reader.on_air == {1: Emission(5.0), 2: Emission(10.0, 20)}
        assert [reader.attenuation_db(port) for port in reader.antennas] == [5.0, 10.0, 0.0, 0.0]
        reader.set_antenna(1, connected=False)
        assert set(reader.on_air) == {2}
        reader.freeze()
        assert dict(reader.on_air) == {}
        reader.thaw()

    play(story)


def test_where_the_rospec_says_nothing_the_readers_configuration_holds() -> None:
    async def story(reader: SimReader, client: OtherClient) -> None:
        await client.done(llrp.SET_READER_CONFIG_Message(Parameters=[antenna(0, session(3), power=21)]))
        found = await client.done(llrp.GET_READER_CONFIG_Message(AntennaID=4))
        assert part(found, "RFTransmitter").TransmitPower == 21
        await inventory(client, driven(antenna(2, power=81)))
        assert reader.on_air == {1: Emission(15.0), 2: Emission(0.0)}

    play(story)


@pytest.mark.parametrize(("mode", "minded"), [(0, None), (1, 2), (2, None)])
def test_a_search_for_one_target_lets_the_session_silence_tags(mode: int, minded: int | None) -> None:
    async def story(reader: SimReader, client: OtherClient) -> None:
        search = llrp.ImpinjInventorySearchMode_Parameter(InventorySearchMode=mode)
        await inventory(client, driven(antenna(1, session(2), search)))
        assert reader.on_air[1].session == minded

    play(story)


def test_a_reader_of_another_vendor_does_the_same_by_the_standards_own_words() -> None:
    async def story(reader: SimReader, client: OtherClient) -> None:
        can = await client.done(llrp.GET_READER_CAPABILITIES_Message())
        assert part(can, "LLRPCapabilities").CanDoTagInventoryStateAwareSingulation
        one_state = llrp.C1G2TagInventoryStateAwareSingulationAction_Parameter()
        await inventory(client, driven(antenna(1, session(1, one_state), state_aware=True), antenna(2, session(1))))
        assert [reader.on_air[port].session for port in (1, 2)] == [1, None]

    play(story, vendor="none")


def test_a_select_filter_leaves_the_other_tags_out() -> None:
    async def story(reader: SimReader, client: OtherClient) -> None:
        await inventory(client, driven(antenna(1, select("30")), antenna(2, select("30", "Unselect_Select"))))
        for port in (1, 2):
            reader.deliver([read(antenna=port, epc=EPC), read(antenna=port, epc=OTHER)])
        came = [(part(tag, "AntennaID").AntennaID, f"{tag.Parameters[0].EPC:024x}") for tag in await client.tags()]
        assert came == [(1, EPC), (2, OTHER)]
        selects = reader.on_air[1].selects
        assert selects is not None
        assert [selects(EPC), selects(OTHER)] == [True, False]

    play(story)


@pytest.mark.parametrize(
    "bad",
    [
        antenna(1, power=82),
        antenna(1, sensitivity=43),
        antenna(5),
        antenna(1, select("30"), select("31"), select("32")),
    ],
    ids=["power", "sensitivity", "antenna", "filters"],
)
def test_what_the_reader_cannot_do_is_refused(bad: Any) -> None:
    async def story(_: SimReader, client: OtherClient) -> None:
        assert not (await client.ask(driven(bad))).success()
        assert not (await client.ask(llrp.SET_READER_CONFIG_Message(Parameters=[bad]))).success()

    play(story)


def test_a_tag_far_off_is_heard_with_full_power_and_not_with_little() -> None:
    async def story(reader: SimReader, client: OtherClient) -> None:
        counts = []
        for power in (81, 11):
            await inventory(client, driven(antenna(0, power=power)))
            radio, begun_us = RadioModel(portal_antennas(inside=[1], outside=[2]), seed=7), wall_us()
            for step in range(250):
                reader.deliver(radio.sense(begun_us + STEP_US * step, [TagAt(EPC, 0.4, 1.6)], reader.on_air))
            counts.append(len(await client.tags()))
            await client.done(llrp.DELETE_ROSPEC_Message(ROSpecID=0))
        assert counts[0] > 50
        assert counts[1] < 0.1 * counts[0]

    play(story)
