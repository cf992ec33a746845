"""The brokers we start: they answer MQTT, keep their secret, come back after a kill, and never outlive us."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Literal

import psutil
import pytest
from aiomqtt import Client, MqttError
from serverprocess import free_port

from contract.site import Broker
from gateway import broker as brokers
from gateway.errors import BrokerError

KINDS: tuple[Literal["nats", "mosquitto"], ...] = ("nats", "mosquitto")


@pytest.fixture(params=KINDS)
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> Broker:
    return Broker(kind=request.param, data=tmp_path / "broker of a site")


def test_a_message_of_the_largest_size_goes_through(settings: Broker) -> None:
    async def story() -> int:
        async with (
            brokers.running(settings, free_port=True) as child,
            Client("127.0.0.1", child.broker.port) as gateway,
            Client("127.0.0.1", child.broker.port) as agent,
        ):
            await gateway.subscribe("tc/v1/north/+/evidence", qos=1)
            await agent.publish("tc/v1/north/line/evidence", bytes(512 * 1024), qos=1)
            async with asyncio.timeout(10):
                message = await anext(gateway.messages)
            assert isinstance(message.payload, bytes)
            return len(message.payload)

    assert asyncio.run(story()) == 512 * 1024


def test_it_listens_on_loopback_only(settings: Broker) -> None:
    async def story() -> set[str]:
        async with brokers.running(settings, free_port=True) as child:
            sockets = psutil.Process(child.pid).net_connections(kind="inet")
            return {str(one.laddr[0]) for one in sockets if one.status == psutil.CONN_LISTEN}

    assert asyncio.run(story()) == {"127.0.0.1"}


def test_with_a_password_only_those_who_know_it_come_in(settings: Broker) -> None:
    guarded = settings.model_copy(update={"username": "site", "password": 'p"\\ä $7$'})

    async def story() -> None:
        async with brokers.running(guarded, free_port=True) as child:
            port = child.broker.port
            async with Client("127.0.0.1", port, username="site", password=guarded.password):
                pass
            with pytest.raises(MqttError):
                async with Client("127.0.0.1", port, username="site", password="wrong"):
                    pass
            with pytest.raises(MqttError):
                async with Client("127.0.0.1", port):
                    pass

    asyncio.run(story())


def test_a_killed_broker_is_started_again(settings: Broker) -> None:
    settings = settings.model_copy(update={"port": free_port()})

    async def story() -> None:
        keeper = asyncio.create_task(brokers.run(settings))
        first = await _connected(settings)
        os.kill(first, signal.SIGKILL)
        assert await _connected(settings) != first
        keeper.cancel()
        with pytest.raises(asyncio.CancelledError):
            await keeper
        assert _brokers() == []

    asyncio.run(story())


def test_it_dies_with_a_parent_that_is_killed(settings: Broker) -> None:
    program = f"""
        import asyncio
        from pathlib import Path
        from contract.site import Broker
        from gateway.broker import running

        async def main():
            broker = Broker(kind={settings.kind!r}, data=Path({str(settings.data)!r}))
            async with running(broker, free_port=True) as child:
                print("pid:", child.pid, flush=True)
                await asyncio.Event().wait()

        asyncio.run(main())
    """
    with subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(program)], stdout=subprocess.PIPE, text=True
    ) as parent:
        try:
            assert parent.stdout is not None
            line = next(line for line in parent.stdout if line.startswith("pid:"))
            broker = psutil.Process(int(line.removeprefix("pid:")))
        finally:
            parent.kill()
    psutil.wait_procs([broker], timeout=10)
    assert not broker.is_running() or broker.status() == psutil.STATUS_ZOMBIE


def test_a_taken_port_is_said_so(settings: Broker) -> None:
    async def story(port: int) -> None:
        async with brokers.running(settings.model_copy(update={"port": port})):
            pass

    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(BrokerError, match=rf"port {port} on 127.0.0.1 cannot be had .*: stop what uses it"):
            asyncio.run(story(port))


def test_a_broker_that_is_not_installed_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(BrokerError, match=r"mosquitto is not installed: run apt-get install mosquitto"):
        brokers.find_program("mosquitto", search=str(tmp_path))


def test_an_external_broker_is_not_ours_to_start(tmp_path: Path) -> None:
    with pytest.raises(BrokerError, match="external"):
        asyncio.run(brokers.run(Broker(kind="external", data=tmp_path)))


async def _connected(settings: Broker) -> int:
    """Wait until it answers; its process id."""
    async with asyncio.timeout(20):
        while True:
            try:
                async with Client("127.0.0.1", settings.port, timeout=2):
                    return _brokers()[0]
            except (MqttError, IndexError):
                await asyncio.sleep(0.02)


def _brokers() -> list[int]:
    """Process ids of our own brokers; a test run has other children too."""
    children = (child for child in psutil.Process().children() if child.status() != psutil.STATUS_ZOMBIE)
    return [child.pid for child in children if child.name() in ("nats-server", "mosquitto")]
