"""A survey of one door: its readers are borrowed, driven by a few settings in turn, and given back as they were found.

    powers     highest, and 1.5, 3, 6 dB less  in session S1      each a tenth of the time
    sessions   S0 and S2                       at the best power  each a tenth
    proposed   both as chosen                                     the rest; here the test tag is walked through

All readers of the door are on air at the same time, as they will be later.
"""

import asyncio
from collections import Counter
from collections.abc import Coroutine, Iterator, Sequence
from contextlib import AsyncExitStack, contextmanager
from typing import Final, NamedTuple

from contract.portals import Door, LlrpReader
from edge.errors import Blinded, Held, LlrpError, Unreachable
from edge.llrp import settings
from edge.llrp.answers import below
from edge.llrp.clock import ReaderClock
from edge.llrp.errand import Errand
from edge.llrp.frames import Frame
from edge.llrp.link import wall_us
from edge.llrp.loan import DEFAULT_PATIENCE, borrowed
from edge.llrp.patience import Patience
from edge.llrp.powers import Power, meant
from edge.llrp.read import Read
from edge.llrp.rospec import rospec
from edge.llrp.tagreads import TagReads
from edge.siting.findings import Course, Findings, carried, findings
from edge.siting.measured import Measured, Setting
from edge.siting.proposal import choose_power, choose_session
from edge.siting.settings import FINAL_SHARE, OTHER_SESSIONS, power_settings, step_s
from edge.surveyscreen import Screen

MAX_READS: Final = 100_000
"""Of one reader under one setting; what comes after is not kept, and its time does not count."""


class Surveyed(NamedTuple):
    """What came of a survey."""

    found: Findings
    last: Measured
    """The reads under the proposed settings."""


async def survey(
    door: Door, seconds: float, screen: Screen, *, test_tag: str | None = None, patience: Patience = DEFAULT_PATIENCE
) -> Surveyed:
    """Measure a door. No tag may move there meanwhile but the test tag, at the end. Raises `LlrpError`."""
    async with AsyncExitStack() as stack:
        ears = [await _borrow(stack, reader, patience) for reader in door.readers]
        tries = power_settings(door, {ear.name: ear.table for ear in ears})
        each_s = step_s(seconds, len(tries))
        screen.begin_all()
        powers = [await _measure(ears, setting, each_s, screen) for setting in tries]
        power = choose_power(door, powers, carried(powers, door, test_tag))
        at_power = power.chosen.setting
        others = [
            await _measure(ears, at_power._replace(session=session), each_s, screen) for session in OTHER_SESSIONS
        ]
        session = choose_session([power.chosen, *others])
        if test_tag:
            screen.say(f"now walk tag {test_tag} through the door, in and out, several times, a few seconds apart")
        final = await _measure(ears, at_power._replace(session=session.session), seconds * FINAL_SHARE, screen)
        connected = {(ear.name, antenna): there for ear in ears for antenna, there in ear.connected.items()}
    return Surveyed(findings(door, Course(powers, power, others, session, final), connected, test_tag), final)


class _Ear:
    """One borrowed reader of the door."""

    def __init__(self, reader: LlrpReader, ours: Errand) -> None:
        self.name = reader.name
        self.connected: dict[int, bool] = {}
        """By antenna, as the reader says."""
        self.reads: list[Read] = []
        """Under the present setting."""
        self._reader, self._ours = reader, ours
        self._tags = TagReads(reader.name, ReaderClock(), Counter())

    @property
    def table(self) -> Sequence[Power]:
        """Its powers."""
        return self._ours.able.powers

    async def ask(self) -> None:
        """What hangs on it."""
        self.connected = settings.antennas((await self._ours.tell("GET_READER_CONFIG", settings.EVERYTHING)).fields())

    async def set_to(self, setting: Setting) -> None:
        """Read as the agent would with these settings."""
        power = setting.powers.get(self.name)
        driven = self._reader.model_copy(update={"session": setting.session})
        index = power.index if power else meant(self.table, self._reader.transmit_power)
        with _about(self.name):
            await self._ours.read_by(rospec(driven, index, extended=self._ours.extended).body)
        self.reads = []

    async def listen(self, since_us: int, seconds: float, screen: Screen) -> None:
        """Gather the reads from a moment on; what a reader had buffered is older."""

        def take(frame: Frame) -> None:
            for read in self._heard(frame):
                if read.at_us >= since_us and read.antenna in self._reader.antennas and len(self.reads) < MAX_READS:
                    self.reads.append(read)
                    screen.heard(read.epc)

        with _about(self.name):
            await self._ours.listen(seconds, take)

    def _heard(self, frame: Frame) -> list[Read]:
        if frame.name == "READER_EVENT_NOTIFICATION":  # whatever it says, it tells the reader's time
            self._tags.date(below(frame.fields(), "ReaderEventNotificationData"), wall_us())
        return self._tags.report(frame, wall_us())[0] if frame.name == "RO_ACCESS_REPORT" else []

    def full_s(self, since_us: int, seconds: float) -> float:
        """For how long all reads were kept."""
        return seconds if len(self.reads) < MAX_READS else (self.reads[-1].at_us - since_us) / 1e6


async def _borrow(stack: AsyncExitStack, reader: LlrpReader, patience: Patience) -> _Ear:
    with _about(reader.name):
        ear = _Ear(reader, await stack.enter_async_context(borrowed(reader, reader.antennas, patience)))
        await ear.ask()
        return ear


async def _measure(ears: Sequence[_Ear], setting: Setting, seconds: float, screen: Screen) -> Measured:
    await _at_once([ear.set_to(setting) for ear in ears])
    screen.begin(str(setting), seconds)
    begun_us = wall_us()
    await _at_once([ear.listen(begun_us, seconds, screen) for ear in ears])
    lasted_s = min(seconds, *(ear.full_s(begun_us, seconds) for ear in ears))
    until_us = begun_us + round(lasted_s * 1e6)
    reads = [read for ear in ears for read in ear.reads if read.at_us <= until_us]
    return Measured(setting, begun_us, lasted_s, reads)


async def _at_once(work: Sequence[Coroutine[None, None, None]]) -> None:
    """All of it; the first thing that goes wrong ends the rest, and is raised."""
    try:
        async with asyncio.TaskGroup() as group:
            for one in work:
                group.create_task(one)
    except* LlrpError as troubles:
        first: BaseException = troubles
        while isinstance(first, BaseExceptionGroup):
            first = first.exceptions[0]
    else:
        return
    raise first


@contextmanager
def _about(name: str) -> Iterator[None]:
    """Say which reader it was."""
    try:
        yield
    except Held as error:
        words = "a survey needs it for itself: stop the agent for the time of the survey"
        raise Held(f"{name}: another client holds the reader, and {words}") from error
    except Blinded as error:
        raise Blinded(f"{name}: {error}") from error
    except (LlrpError, OSError) as error:
        raise Unreachable(f"{name}: {error}") from error
