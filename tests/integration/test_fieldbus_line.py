"""The fieldbus beside the PLC of a sorting line: its counters are told, and coils are written in time or not at all."""

import asyncio
import struct
import time
from collections.abc import Callable

from patience import until

from contract import events
from contract.fieldbus import ModbusDevice
from edge.coils import MAX_WAITING, CoilWrite
from edge.fieldbus import Fieldbus
from edge.stack_light import Lamps
from edge.steadyclock import steady_us
from firmware_sim.plc import Plc

GREEN = Lamps(green=True, amber=False, red=False)
PLACES = 16


class Watch:
    """A fieldbus at work and everything that it told."""

    def __init__(
        self,
        port: int,
        *,
        encoder_address: int = 1,
        coil_address: int = 0,
        plc_coils: Callable[[], list[int]] = list,
    ) -> None:
        self.plc_coils = plc_coils
        self.cleared: list[tuple[str, list[int]]] = []
        """Gates that were about to be cleared, and what stood in the PLC's coils then."""
        registers = [
            {"name": "eyes", "table": "input", "address": 0, "meaning": "eye_count"},
            {"name": "turns", "table": "input", "address": encoder_address, "meaning": "encoder"},
            {"name": "pass", "table": "coil", "address": coil_address, "meaning": "pass_coils"},
        ]
        device = {"name": "plc", "agent": "edge", "port": port, "poll_s": 0.01, "registers": registers}
        self.counts: list[tuple[str, int, int, int]] = []
        self.devices: list[events.Device] = []
        self.answers: list[tuple[int, bool, int | None]] = []
        self.bus = Fieldbus(
            ModbusDevice.model_validate(device),
            lambda register, broken, at_us: None,
            lambda condition: None,
            self.devices.append,
            lambda: GREEN,
            wall_us,
            lambda *count: self.counts.append(count),
            {"pass": PLACES},
            lambda register: self.cleared.append((register, self.plc_coils())),
        )

    @property
    def states(self) -> list[str]:
        return [device.state for device in self.devices]

    def write(self, place: int, value: bool = True, *, within_s: float = 10.0) -> None:
        until_us = steady_us() + round(within_s * 1e6)
        answered = lambda at_us: self.answers.append((place, value, at_us))  # noqa: E731
        self.bus.write(CoilWrite("pass", place, value, until_us, answered))

    async def __aenter__(self) -> "Watch":
        self.task = asyncio.create_task(self.bus.run())
        return self

    async def __aexit__(self, *exc: object) -> None:
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)


def coils(plc: Plc) -> list[int]:
    return [n for n in range(64) if plc.coil(n)]


def test_eye_and_encoder_are_told_at_every_poll_the_encoder_first() -> None:
    async def story() -> None:
        async with Plc("127.0.0.1", 0, 1) as plc:
            plc.set_count(0, 65_535)
            plc.set_count(1, 40_000)
            async with Watch(plc.port) as watch:
                await until(lambda: len(watch.counts) >= 4)
                plc.set_count(0, 65_536)
                await until(lambda: ("eyes", 0) in [one[:2] for one in watch.counts])
            assert [one[:2] for one in watch.counts[:4]] == [("turns", 40_000), ("eyes", 65_535)] * 2
            together = zip(watch.counts[::2], watch.counts[1::2], strict=False)
            assert all(turns[2:] == eyes[2:] for turns, eyes in together)
            assert [one[2] for one in watch.counts] == sorted(one[2] for one in watch.counts)

    asyncio.run(story())


def test_the_plc_looked_at_its_counters_between_the_times_that_are_told_however_many_reads_it_took() -> None:
    async def story() -> None:
        looks_us = [0]

        def look() -> None:
            looks_us.append(steady_us())
            plc.set_count(0, len(looks_us) - 1)
            plc.set_count(40, len(looks_us) - 1)

        async with Plc("127.0.0.1", 0, 1) as plc:
            plc.attend(look)
            async with Watch(plc.port, encoder_address=40) as watch:
                await until(lambda: len(watch.counts) >= 20)
        for _, count, asked_us, heard_us in watch.counts:
            assert asked_us <= looks_us[count] <= heard_us

    asyncio.run(story())


def test_a_coil_is_written_at_once_and_its_time_is_told() -> None:
    async def story() -> None:
        async with Plc("127.0.0.1", 0, 1) as plc, Watch(plc.port, coil_address=20) as watch:
            await until(lambda: watch.states == ["connected"])
            asked_us = steady_us()
            watch.write(3)
            watch.write(5)
            watch.write(5, False)
            await until(lambda: len(watch.answers) == 3)
            assert coils(plc) == [23]
            assert [answer[:2] for answer in watch.answers] == [(3, True), (5, True), (5, False)]
            times = [at_us for _, _, at_us in watch.answers if at_us is not None]
            assert len(times) == 3
            assert asked_us <= times[0] <= times[1] <= times[2] <= steady_us()

    asyncio.run(story())


def test_what_comes_too_late_is_not_written() -> None:
    async def story() -> None:
        async with Plc("127.0.0.1", 0, 1) as plc, Watch(plc.port) as watch:
            await until(lambda: watch.states == ["connected"])
            watch.write(1, within_s=-0.001)
            watch.write(2)
            await until(lambda: len(watch.answers) == 2)
            assert watch.answers[0] == (1, True, None)
            assert coils(plc) == [2]

    asyncio.run(story())


def test_a_new_connection_clears_what_the_one_before_has_left_and_says_so_before() -> None:
    async def story() -> None:
        async with Plc("127.0.0.1", 0, 1) as plc, Watch(plc.port, plc_coils=lambda: coils(plc)) as watch:
            await until(lambda: watch.states == ["connected"])
            watch.write(4)
            watch.write(9)
            await until(lambda: coils(plc) == [4, 9])
            plc.silence()
            await until(lambda: watch.states == ["connected", "lost"])
            plc.silence(False)
            await until(lambda: watch.states[2:] == ["connected"] and coils(plc) == [])
            assert ("pass", [4, 9]) in watch.cleared

    asyncio.run(story())


def test_when_it_is_ended_nothing_is_left_to_pass_unwatched_not_even_what_waits_for_its_answer() -> None:
    async def story() -> None:
        written = asyncio.Event()
        nine = lambda place, value: written.set() if place == 9 and value else None  # noqa: E731
        async with Plc("127.0.0.1", 0, 1, on_coil=nine) as plc:
            async with Watch(plc.port, plc_coils=lambda: coils(plc)) as watch:
                await until(lambda: watch.states == ["connected"])
                watch.write(4)
                await until(lambda: len(watch.answers) == 1)
                watch.write(9)
                async with asyncio.timeout(30):
                    await written.wait()
            assert coils(plc) == []
            assert watch.cleared[-1] == ("pass", [4, 9])
            assert len(watch.answers) == 2

    asyncio.run(story())


def test_an_end_beside_a_plc_that_does_not_answer_is_no_trouble() -> None:
    async def story() -> None:
        async with Plc("127.0.0.1", 0, 1) as plc:
            async with Watch(plc.port) as watch:
                await until(lambda: watch.states == ["connected"])
                plc.silence()
            assert watch.task.cancelled()

    asyncio.run(story())


def test_without_an_answer_nothing_counts_as_written_and_nothing_is_written_later() -> None:
    async def story() -> None:
        async with Plc("127.0.0.1", 0, 1) as plc, Watch(plc.port) as watch:
            watch.write(1)
            await until(lambda: watch.answers == [(1, True, None)])
            await until(lambda: watch.states == ["connected"])
            plc.silence()
            watch.write(2)
            watch.write(3)
            await until(lambda: watch.answers[1:] == [(2, True, None), (3, True, None)])
            assert watch.states[-1] == "lost"
            watch.write(4)
            await until(lambda: watch.answers[3:] == [(4, True, None)])
            plc.silence(False)
            await until(lambda: watch.states[-1] == "connected")
            await until(lambda: coils(plc) == [])
            watch.write(5)
            await until(lambda: coils(plc) == [5])

    asyncio.run(story())


class Recorder:
    """A Modbus server that writes down what it is asked, and falls silent when a single coil is to be written: of `Plc`
    nobody sees how its connections end."""

    def __init__(self) -> None:
        self.silent = asyncio.Event()
        self.asked: list[tuple[int, bytes]] = []
        """Function and data of each request."""
        self.ends: list[str] = []
        """How each connection ended: "end" or "reset"."""

    async def serve(self, stream: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                transaction, _, length, unit = struct.unpack(">HHHB", await stream.readexactly(7))
                pdu = await stream.readexactly(length - 1)
                self.asked.append((pdu[0], pdu[1:]))
                if pdu[0] == 5:
                    self.silent.set()
                if not self.silent.is_set():
                    answer = b"\x04\x04" + bytes(4) if pdu[0] == 4 else pdu[:5]
                    writer.write(struct.pack(">HHHB", transaction, 0, 1 + len(answer), unit) + answer)
        except asyncio.IncompleteReadError:
            self.ends.append("end")
        except ConnectionResetError:
            self.ends.append("reset")
        writer.close()


def test_a_coil_that_was_given_up_is_not_sent_any_more() -> None:
    async def story() -> None:
        recorder = Recorder()
        async with (
            await asyncio.start_server(recorder.serve, "127.0.0.1", 0) as server,
            Watch(server.sockets[0].getsockname()[1]) as watch,
        ):
            await until(lambda: watch.states == ["connected"])
            watch.write(3)
            await until(lambda: watch.answers == [(3, True, None)])
            await until(lambda: recorder.ends == ["reset"])
            recorder.silent.clear()
            await until(lambda: watch.states == ["connected", "lost", "connected"])

    asyncio.run(story())


def test_what_is_cleared_in_the_end_may_arrive_late_after_what_it_clears() -> None:
    async def story() -> None:
        recorder = Recorder()
        async with await asyncio.start_server(recorder.serve, "127.0.0.1", 0) as server:
            async with Watch(server.sockets[0].getsockname()[1]) as watch:
                await until(lambda: watch.states == ["connected"])
                watch.write(3)
                await recorder.silent.wait()
            await until(lambda: recorder.ends == ["end"])
            cleared = 15, struct.pack(">HHB", 0, PLACES, PLACES // 8) + bytes(PLACES // 8)
            assert recorder.asked[-2:] == [(5, b"\x00\x03\xff\x00"), cleared]

    asyncio.run(story())


def test_coils_that_the_plc_refuses_are_told_and_its_counters_are_read_on() -> None:
    async def story() -> None:
        async with Plc("127.0.0.1", 0, 1) as plc, Watch(plc.port, coil_address=60) as watch:
            await until(lambda: watch.states == ["blind"])
            assert "pass is refused" in watch.devices[0].detail
            watch.write(10)
            await until(lambda: watch.answers == [(10, True, None)])
            read = len(watch.counts)
            await until(lambda: len(watch.counts) > read + 4)

    asyncio.run(story())


def test_a_plc_that_has_no_function_15_is_cleared_coil_by_coil() -> None:
    async def story() -> None:
        async with Plc("127.0.0.1", 0, 1) as plc:
            async with Watch(plc.port) as watch:
                await until(lambda: watch.states == ["connected"])
                for place in (0, 4, 15):
                    watch.write(place)
                await until(lambda: coils(plc) == [0, 4, 15])
                plc.silence()
                await until(lambda: watch.states[-1] == "lost")
                plc.refuse(15)
                plc.silence(False)
                await until(lambda: watch.states == ["connected", "lost", "connected"])
                assert coils(plc) == []
                watch.write(7)
                await until(lambda: coils(plc) == [7])
            assert watch.bus.faults == set()

    asyncio.run(story())


def test_a_gate_that_cannot_be_cleared_is_told_and_lets_nothing_pass_until_it_can() -> None:
    async def story() -> None:
        async with Plc("127.0.0.1", 0, 1) as plc:
            plc.refuse(5, 15)
            async with Watch(plc.port) as watch:
                await until(lambda: watch.states == ["blind"])
                assert "pass is refused (exception 1), so that its coils cannot be cleared" in watch.devices[0].detail
                watch.write(2)
                watch.write(2, False)
                await until(lambda: watch.answers == [(2, True, None), (2, False, None)])
                read = len(watch.counts)
                await until(lambda: len(watch.counts) > read + 4)
                assert watch.bus.reconnects == 0
                plc.refuse(15)
                watch.write(3)
                await until(lambda: watch.states == ["blind", "connected"])
                assert watch.answers[2:] == [(3, True, None)], "what stood there was cleared instead"
                assert coils(plc) == []
                watch.write(4)
                await until(lambda: coils(plc) == [4])

    asyncio.run(story())


def test_more_orders_than_fit_are_refused() -> None:
    async def story() -> None:
        async with Plc("127.0.0.1", 0, 1) as plc, Watch(plc.port) as watch:
            await until(lambda: watch.states == ["connected"])
            for n in range(MAX_WAITING + 5):
                watch.write(n % PLACES)
            await until(lambda: len(watch.answers) == MAX_WAITING + 5)
            refused = [answer for answer in watch.answers if answer[2] is None]
            assert 1 <= len(refused) <= 5  # one may have been under way already

    asyncio.run(story())


def wall_us() -> int:
    return time.time_ns() // 1000
