"""Modbus servers that answer with ill will: the fieldbus calls them lost or blind, and tells nothing that cannot be."""

import asyncio
import contextlib
import random
import struct
import time
from collections.abc import Callable

import pytest

from contract import events, wire
from contract.fieldbus import ModbusDevice
from edge import fieldbus
from edge.fieldbus import Fieldbus
from edge.stack_light import Lamps

REGISTERS = [
    {"name": "eye", "table": "discrete", "address": 0, "meaning": "photo_eye"},
    {"name": "warmth", "table": "input", "address": 0, "meaning": "temperature_c", "scale": 1e300, "every_s": 0.01},
    {"name": "damp", "table": "holding", "address": 3, "meaning": "humidity_pct", "every_s": 0.01},
    {"name": "green", "table": "coil", "address": 0, "meaning": "stack_green"},
]

Answer = Callable[[int, int, bytes], bytes]
"""From a request's transaction, unit and PDU to the bytes of an answer."""


def mbap(transaction: int, unit: int, pdu: bytes, *, protocol: int = 0, length: int | None = None) -> bytes:
    """An answer with any header."""
    return struct.pack(">HHHB", transaction, protocol, 1 + len(pdu) if length is None else length, unit) + pdu


def chance(seed: int) -> Answer:
    """Random bytes, mostly in the frame of an answer."""
    dice = random.Random(seed)

    def answer(transaction: int, unit: int, pdu: bytes) -> bytes:
        body = bytes([pdu[0] if dice.random() < 0.5 else dice.randrange(256)]) + dice.randbytes(dice.randrange(12))
        return dice.randbytes(20) if dice.random() < 0.2 else mbap(transaction, unit, body)

    return answer


ANSWERS: dict[str, Answer] = {
    "random 1": chance(1),
    "random 2": chance(2),
    "another transaction": lambda transaction, unit, pdu: mbap(transaction ^ 0x5555, unit, b"\x02\x01\x00"),
    "another unit": lambda transaction, unit, pdu: mbap(transaction, unit ^ 0x55, b"\x02\x01\x00"),
    "another function": lambda transaction, unit, pdu: mbap(transaction, unit, bytes([pdu[0] % 4 + 1]) + b"\x02\0\0"),
    "another protocol": lambda transaction, unit, pdu: mbap(transaction, unit, b"\x02\x01\x00", protocol=9),
    "every exception": lambda transaction, unit, pdu: mbap(
        transaction, unit, bytes([pdu[0] | 0x80, transaction % 256])
    ),
    "no exception code": lambda transaction, unit, pdu: mbap(transaction, unit, bytes([pdu[0] | 0x80])),
    "no data": lambda transaction, unit, pdu: mbap(transaction, unit, bytes([pdu[0], 0])),
    "empty": lambda transaction, unit, pdu: mbap(transaction, unit, b""),
    "length 0": lambda transaction, unit, pdu: mbap(transaction, unit, b"\x02\x01\x00", length=0),
    "length 65535": lambda transaction, unit, pdu: mbap(transaction, unit, b"\x02\x01\x00", length=65535),
    "a flood": lambda transaction, unit, pdu: mbap(transaction, unit, b"\x02\x01\x00") * 5000,
    "ends of the scale": lambda transaction, unit, pdu: mbap(
        transaction, unit, {2: b"\x02\x01\x01", 5: pdu}.get(pdu[0], bytes([pdu[0], 2]) + b"\x7f\xff")
    ),
}


@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS.keys())
def test_a_server_of_ill_will_is_never_believed_too_much(answer: Answer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fieldbus, "ANSWER_S", 0.1)
    told: list[events.Device] = []
    conditions: list[events.Condition] = []

    async def serve(stream: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            while True:
                transaction, _, length, unit = struct.unpack(">HHHB", await stream.readexactly(7))
                pdu = await stream.readexactly(length - 1)
                writer.write(answer(transaction, unit, pdu))
                await writer.drain()
        writer.transport.abort()

    async def story() -> None:
        async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            device = {"name": "plc", "agent": "a", "port": port, "poll_s": 0.005, "registers": REGISTERS}
            bus = Fieldbus(
                ModbusDevice.model_validate(device),
                lambda *_: None,
                conditions.append,
                told.append,
                lambda: Lamps(green=True, amber=False, red=False),
                lambda: time.time_ns() // 1000,
            )
            running = asyncio.create_task(bus.run())
            async with asyncio.timeout(10):
                while not told:  # noqa: ASYNC110  # the test looks from outside
                    await asyncio.sleep(0.01)
            await asyncio.sleep(0.2)
            assert not running.done()
            running.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await running

    asyncio.run(story())
    assert {event.state for event in told} <= {"lost", "blind", "connected"}
    assert told[0].state != "connected"
    for event in [*told, *conditions]:
        assert wire.decode_event(wire.encode(event)) == event


def test_an_answer_that_comes_byte_by_byte_and_never_ends_is_silence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fieldbus, "ANSWER_S", 0.2)
    told: list[events.Device] = []

    async def drip(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            for byte in mbap(1, 1, bytes(200)):
                writer.write(bytes([byte]))
                await writer.drain()
                await asyncio.sleep(0.02)
        writer.transport.abort()

    async def story() -> None:
        async with await asyncio.start_server(drip, "127.0.0.1", 0) as server:
            device = {"name": "plc", "agent": "a", "port": server.sockets[0].getsockname()[1], "registers": REGISTERS}
            lamps = Lamps(green=True, amber=False, red=False)
            bus = Fieldbus(
                ModbusDevice.model_validate(device),
                lambda *_: None,
                lambda _: None,
                told.append,
                lambda: lamps,
                lambda: time.time_ns() // 1000,
            )
            running = asyncio.create_task(bus.run())
            async with asyncio.timeout(10):
                while not told:  # noqa: ASYNC110  # the test looks from outside
                    await asyncio.sleep(0.01)
            running.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await running

    asyncio.run(story())
    assert [event.state for event in told] == ["lost"]
