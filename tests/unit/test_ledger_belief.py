"""The ledger feeds belief: what a zone's reader tells, what a door books, and when nobody looked."""

from ledgerhouse import AGENT, LEMONS, House, play

from contract import events
from gateway import records
from gateway.belief.bernoulli import Belief, believe
from gateway.ledger.goods import looks

HOUR_US = 3_600_000_000
READER, COLD = "reader-cold-room", "cold-room"


async def zone(house: House, kind: type[events.ZoneSeen] | type[events.ZoneLeft], *epcs: str) -> None:
    now_us = house.clock.turn(1)
    await house.edge.tell(kind(at_us=now_us, decided_us=now_us, zone=COLD, epcs=epcs))


def belief(house: House, epc: str, later_us: int) -> Belief:
    state = house.ledger._state
    place = looks.place(state, state.items.rows[epc])
    assert place is not None
    return believe(place, state.watched.get(COLD), house.clock() + later_us)


def test_a_case_in_the_cold_room_is_certain_while_its_reader_sees_it_and_probably_gone_hours_after(tmp_path):
    async def story(house: House) -> None:
        await house.device(READER, "connected")
        await house.holds(*LEMONS[:3], zone=COLD)
        await zone(house, events.ZoneSeen, *LEMONS[:3])
        assert belief(house, LEMONS[0], 24 * HOUR_US).word in ("likely", "certain")
        await zone(house, events.ZoneLeft, LEMONS[0])
        gone, there = belief(house, LEMONS[0], 12 * HOUR_US), belief(house, LEMONS[1], 12 * HOUR_US)
        assert (gone.state, gone.word) == ("silent", "probably_gone")
        assert (there.state, there.word) == ("seen", "certain")
        assert house.ledger._state.items.rows[LEMONS[0]].zone == COLD, "the books change by events only"

    play(tmp_path, story)


def test_nothing_is_missed_while_the_reader_is_lost_or_its_agent_silent(tmp_path):
    async def story(house: House) -> None:
        await house.device(READER, "connected")
        await zone(house, events.ZoneSeen, LEMONS[0])
        await zone(house, events.ZoneLeft, LEMONS[0])
        await house.device(READER, "lost")
        assert belief(house, LEMONS[0], 12 * HOUR_US).looked_s < 5
        await house.device(READER, "connected")
        await house.ledger.record(records.AgentSilent(at_us=house.clock(), agent=AGENT))
        assert belief(house, LEMONS[0], 12 * HOUR_US).looked_s < 5
        assert belief(house, LEMONS[0], 12 * HOUR_US).word == "doubtful"

    play(tmp_path, story)
