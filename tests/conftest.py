"""Real servers for the tests that need one."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from cloudd import CloudProcess
from hypothesis import settings
from influx import Influxd

settings.register_profile("house", deadline=None)  # no test asserts a time: the machine may be busy
settings.load_profile("house")


@pytest.fixture(scope="session")
def influxd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Influxd]:
    """A running InfluxDB, shared by a whole run: let every test use a database of its own."""
    server = Influxd(tmp_path_factory.mktemp("influxd"))
    try:
        server.start()
        yield server
    finally:
        server.stop()


@pytest.fixture
def own_influxd(tmp_path: Path) -> Iterator[Influxd]:
    """An InfluxDB that this test alone starts, kills and wipes; it is not yet running."""
    server = Influxd(tmp_path / "influxd")
    yield server
    server.stop()


@pytest.fixture
def cloud_process(tmp_path: Path) -> Iterator[CloudProcess]:
    """A cloud service of this test alone; it is not yet running."""
    process = CloudProcess(tmp_path)
    yield process
    process.stop()
