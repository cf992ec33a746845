"""Gateway intake: events a second from the bytes of a batch to rows on disk (fsync), on a real file.

Fifty agents each send batches of a hundred door passes and wait for the acknowledgement before the next. Beside it, on
the same file system in the same run: the same fold with one transaction a batch, and with one transaction an event.
"""

import asyncio
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from figures import Figure, show
from ledgersite import SITE, case, now_us, pass_bytes

from contract import wire
from contract.site import Site
from gateway.ledger.group import Group, Taken, written
from gateway.ledger.ledger import Ledger
from gateway.ledger.storage.opening import open_store

AGENTS = 50
BATCH = 100
BATCHES = 24
"""Of each agent."""
ITEMS = 60_000
"""Tags that the passes are about: each is seen twice."""


def measure() -> list[Figure]:
    """Events a second with group commit, beside one transaction a batch and one an event; and what the process took."""
    site = SITE.model_copy(update={"agents": [SITE.agents[0].model_copy(update={"name": n}) for n in _names()]})
    batches = {name: list(_batches(i, name, BATCHES)) for i, name in enumerate(_names())}
    with tempfile.TemporaryDirectory() as folder:
        before_s = time.process_time()
        seconds = asyncio.run(_group_commit(Path(folder) / "group.db", site, batches))
        cpu_s = time.process_time() - before_s
        few = [batch for of_agent in batches.values() for batch in of_agent[:2]]
        a_batch = _alone(Path(folder) / "batch.db", site, few, BATCH)
        an_event = _alone(Path(folder) / "event.db", site, few[:4], 1)
    events = AGENTS * BATCHES * BATCH
    rate, unit = events / seconds, "events/s"
    return [
        Figure("group commit", rate, unit, "one transaction a batch", a_batch, ">= 20,000"),
        Figure("group commit", rate, unit, "one transaction an event", an_event),
        Figure("processor time an event", cpu_s / events * 1e6, "us", "the time it has at 20,000 a second", 50.0),
    ]


async def _group_commit(path: Path, site: Site, batches: dict[str, list[bytes]]) -> float:
    with Ledger.open(path, site, now_us) as ledger:

        async def send(agent: str) -> None:
            for data in batches[agent]:
                batch = wire.decode_batch(data)
                ack = await ledger.take(agent, batch)
                assert ack.through == batch.first + BATCH - 1

        began_s = time.perf_counter()
        async with asyncio.TaskGroup() as group:
            for agent in batches:
                group.create_task(send(agent))
        return time.perf_counter() - began_s


def _alone(path: Path, site: Site, batches: list[bytes], a_transaction: int) -> float:
    """The same fold without group commit: events a second with so many events a transaction."""
    store, state = open_store(path, site, now_us())
    loop = asyncio.new_event_loop()
    began_s = time.perf_counter()
    last_id, _ = store.last()
    for data in batches:
        batch = wire.decode_batch(data)
        for i in range(0, BATCH, a_transaction):
            events = batch.events[i : i + a_transaction]
            group = Group(state, last_id, store.epoch, now_us())
            group.add(
                Taken(
                    batch.agent,
                    batch.epoch,
                    batch.first + i,
                    batch.first + i + len(events) - 1,
                    events,
                    loop.create_future(),
                )
            )
            last_id += len(group.rows)
            store.write(written(state, group.rows))
    seconds = time.perf_counter() - began_s
    store.close()
    loop.close()
    return len(batches) * BATCH / seconds


def _names() -> Iterator[str]:
    return (f"edge-{i}" for i in range(AGENTS))


def _batches(number: int, agent: str, count: int) -> Iterator[bytes]:
    at_us = now_us() - 3_600_000_000
    for batch in range(count):
        first = batch * BATCH + 1
        tags = ((number * BATCHES + batch) * BATCH + i for i in range(BATCH))
        bodies = tuple(
            pass_bytes(case(tag % ITEMS % 4, tag % ITEMS), at_us + first + i, door=f"dock-{1 + tag % 2}")
            for i, tag in enumerate(tags)
        )
        yield wire.encode_batch(agent, "bench", first, 1, bodies)


if __name__ == "__main__":
    show("gateway intake: bytes in, committed with fsync", measure())
