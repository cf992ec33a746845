"""Real servers for the tests that need one."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from cloudd import CloudProcess
from influx import Influxd, installed


@pytest.fixture(scope="session")
def influxd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Influxd]:
    """A running InfluxDB, shared by a whole run: let every test use a database of its own."""
    if not installed():
        pytest.skip("influxd is not installed: apt-get install influxdb")
    server = Influxd(tmp_path_factory.mktemp("influxd"))
    try:
        server.start()
        yield server
    finally:
        server.stop()


@pytest.fixture
def own_influxd(tmp_path: Path) -> Iterator[Influxd]:
    """An InfluxDB that this test alone starts, kills and wipes; it is not yet running."""
    if not installed():
        pytest.skip("influxd is not installed: apt-get install influxdb")
    server = Influxd(tmp_path / "influxd")
    yield server
    server.stop()


@pytest.fixture
def cloud_process(tmp_path: Path) -> Iterator[CloudProcess]:
    """A cloud service of this test alone; it is not yet running."""
    process = CloudProcess(tmp_path)
    yield process
    process.stop()
