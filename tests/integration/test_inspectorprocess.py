"""The agent's end of the talk with an inspector, against programs that end, babble, or will not end."""

import asyncio
import signal
import sys

import psutil
import pytest
from patience import until

from edge.errors import InspectorGone
from edge.vision.line.inspectorprocess import InspectorProcess, inspector
from edge.vision.messages import Begin, FrameSeen, Told, UseModels, UseThresholds, WantCrop

BEGIN = Begin(1, "{}", "data", None, None)
HEAD = """
import os, struct, sys, time
from multiprocessing.connection import Connection
import msgspec
from edge.vision.messages import FrameSeen, Told, Wanted
link = Connection(int(sys.argv[1]))
begin = msgspec.msgpack.decode(link.recv_bytes(), type=Wanted)
"""


def program(body: str) -> tuple[str, ...]:
    return sys.executable, "-c", HEAD + body


async def last_words(body: str) -> tuple[list[Told], str]:
    """What it tells, and why there is no more."""
    told: list[Told] = []
    async with inspector(BEGIN, program(body)) as process:
        try:
            while True:
                told.append(await process.told())
        except InspectorGone as error:
            return told, str(error)


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ("sys.exit(3)", "ended with status 3"),
        ("os.abort()", "ended with status -6"),
        ("link.send_bytes(b'nonsense'); time.sleep(60)", "told what is no message"),
        ("os.write(link.fileno(), struct.pack('!i', 2**31 - 1)); time.sleep(60)", "told a message of 2147483647 bytes"),
        ("os.write(link.fileno(), struct.pack('!i', -1) + bytes(8)); time.sleep(60)", "told a message of -1 bytes"),
        ("os.write(link.fileno(), struct.pack('!i', 100) + b'half'); sys.exit(0)", "ended with status 0"),
    ],
)
def test_an_inspector_that_is_of_no_use_is_given_up(body: str, why: str) -> None:
    frame = "link.send_bytes(msgspec.msgpack.encode(FrameSeen(7, (), begin.data, None, 0.5)))\n"
    told, words = asyncio.run(last_words(frame + body))
    assert told == [FrameSeen(7, (), "data", None, 0.5)]
    assert why in words


def test_one_that_will_not_end_is_killed() -> None:
    async def story() -> psutil.Process:
        deaf = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        ready = "link.send_bytes(msgspec.msgpack.encode(FrameSeen(1, (), '', None, 0.0)))\ntime.sleep(600)"
        async with inspector(BEGIN, program(deaf + ready)) as process:
            await process.told()
            return psutil.Process(process.pid)

    child = asyncio.run(story())
    assert not child.is_running()


def test_one_that_does_not_listen_costs_no_memory() -> None:
    async def fill(process: InspectorProcess) -> int:
        for track in range(200_000):
            process.tell(WantCrop(track))
        return process.unheard

    async def story() -> None:
        async with inspector(BEGIN, program("time.sleep(600)")) as process:
            assert await fill(process) < 1_000_000

    asyncio.run(story())


def test_one_that_listens_late_is_told_the_newest_of_what_it_shall_use() -> None:
    """It is sent more than it has read for, and then has to say which models and thresholds it was told last."""
    body = """
link.send_bytes(msgspec.msgpack.encode(FrameSeen(1, (), "", None, 0.0)))
signal.sigwait([signal.SIGUSR1])
while True:
    wanted = msgspec.msgpack.decode(link.recv_bytes(), type=Wanted)
    if isinstance(wanted, UseModels):
        link.send_bytes(msgspec.msgpack.encode(FrameSeen(2, (), f"{wanted.active}", None, 0.0)))
    elif isinstance(wanted, UseThresholds):
        link.send_bytes(msgspec.msgpack.encode(FrameSeen(3, (), "", None, wanted.good_below)))
    elif wanted.track % 1000 == 0:
        link.send_bytes(msgspec.msgpack.encode(FrameSeen(1, (), "", None, 0.0)))
"""
    head = "import signal\nfrom edge.vision.messages import UseModels, UseThresholds\n"
    mask = "signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])\n"

    async def story() -> tuple[list[str], list[float]]:
        models, thresholds = [], []
        async with inspector(BEGIN, program(head + mask + body)) as process:
            await process.told()
            for track in range(200_000):
                process.tell(WantCrop(track))
            for n in range(1000):
                process.tell(UseModels(n, None))
                process.tell(UseThresholds(n / 1000, None))
            assert process.unheard < 1_000_000
            psutil.Process(process.pid).send_signal(signal.SIGUSR1)
            while not (models and thresholds):
                told = await process.told()
                assert isinstance(told, FrameSeen)
                models += [told.model] * (told.at_us == 2)
                thresholds += [told.speed] * (told.at_us == 3)
        return models, thresholds

    assert asyncio.run(story()) == (["999"], [0.999])


def test_a_program_that_cannot_be_started_is_told() -> None:
    async def story() -> None:
        async with inspector(BEGIN, ("/nowhere/python",)):
            raise AssertionError("it was started")

    before = psutil.Process().num_fds()
    with pytest.raises(OSError, match="nowhere"):
        asyncio.run(story())
    assert psutil.Process().num_fds() == before


def test_the_end_of_the_agents_side_is_the_end_of_the_talk() -> None:
    async def story() -> None:
        body = "link.send_bytes(msgspec.msgpack.encode(FrameSeen(1, (), '', None, 0.0)))\n"
        body += "try:\n    link.recv_bytes()\nexcept EOFError:\n    pass\n"
        async with inspector(BEGIN, program(body)) as process:
            await process.told()
            child = psutil.Process(process.pid)
        await until(lambda: not child.is_running() or child.status() == psutil.STATUS_ZOMBIE)

    asyncio.run(story())
