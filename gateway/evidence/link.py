"""What the gateway and the agents of the lines tell each other besides events, on a connection of its own, so that
pictures never stand before events.

    evidence ---> read (thread) ---> on disk (thread) ---> command: EvidenceKept
                    |     `--> belts: the newest in memory          |
                    `--> dead letters, refused ---------------------'
    status: online, a lot begins, the broker is back ----> command: LineOrders

An agent keeps a picture, and sends it again, until it is told that it is kept; so what is lost on the way, or dropped
by the client's bounded queue, costs time only. `LineOrders` is a state and not a deed: it is told at every heartbeat,
so that whatever was lost is mended by the next one.
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Sequence
from itertools import islice
from typing import Final

import structlog
from aiomqtt import Client, Message

from contract import topics, wire
from contract.errors import BadMessage, BadTopic
from contract.site import Site
from contract.topics import Topic
from contract.wire import Command, Evidence, EvidenceKept, LineOrders
from gateway.connection import Connection, heed_cancellation
from gateway.errors import EvidenceDown
from gateway.evidence.belts import Belts
from gateway.evidence.pictures import Pictures
from gateway.evidence.ranks import Ranks
from gateway.evidence.reading import Refused, read
from gateway.intake import UNLISTED
from gateway.ledger.ledger import Commit, Ledger

MAX_MESSAGES: Final = 64
"""Messages that wait in the MQTT client; at 512 KiB each, 32 MiB."""
AT_ONCE_BYTES: Final = 4 * 1024 * 1024
"""Of messages that are kept with one fsync."""
MAX_IDS: Final = 500
"""Of one `EvidenceKept`."""
MAX_REFUSED: Final = 30
"""The same, with their reasons: at most 1,200 bytes each."""
RETRY_S: Final = 1.0
"""After the disk refused."""

log = structlog.get_logger(__name__)


class EvidenceLink:
    """Takes pictures, and tells the agents of the lines what is kept and what to run."""

    def __init__(
        self,
        site: Site,
        ledger: Ledger,
        pictures: Pictures,
        belts: Belts,
        clock: Callable[[], int],
        scarce: Callable[[], bool] = lambda: False,
    ) -> None:
        """`clock` gives microseconds of wall time; `scarce` says that what is left of the disk is for stock events."""
        self._site = site.site
        self._ledger = ledger
        self._pictures = pictures
        self._belts = belts
        self._ranks = Ranks(ledger, pictures, clock)
        self._clock = clock
        self._scarce = scarce
        self._connection = Connection(site, "gateway-evidence", MAX_MESSAGES, clock)
        self._lines_of = {
            agent.name: frozenset(line.name for line in site.lines if line.agent == agent.name) for agent in site.agents
        }
        self._to_order: set[str] = set()
        """Agents that are to be told what runs over their lines."""
        self._kept: dict[str, list[str]] = defaultdict(list)
        """Ids to be told, by agent; no more than came since the last telling."""
        self._refused: dict[str, dict[str, str]] = defaultdict(dict)
        """The same of what is refused, with the reasons."""
        self._to_tell = asyncio.Event()
        self._failing = False

    @property
    def up(self) -> bool:
        """Whether the broker is there."""
        return self._connection.up

    @property
    def keeps(self) -> bool:
        """Whether the disk took the last picture that came."""
        return not self._failing

    async def run(self) -> None:
        """Connect and take what comes, until cancelled; raises `LedgerFailed` when the ledger cannot go on."""
        unsubscribe = self._ledger.subscribe(self._committed)
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._connection.run(("evidence", "status"), self._talk))
                group.create_task(self._ranks.run())
        finally:
            unsubscribe()

    def _committed(self, commit: Commit) -> None:
        if any(row.kind == "lot_begun" for row in commit.rows):
            self._order(*self._lines_of)

    def _order(self, *agents: str) -> None:
        self._to_order.update(agents)
        self._to_tell.set()

    async def _talk(self, client: Client) -> None:
        """One connection; leaves it only by an exception."""
        self._kept.clear()  # of a session that is over: its agents ask again
        self._refused.clear()
        self._order(*self._lines_of)
        if not self._failing:
            self._ledger.sorting.pictures_can_come(self._clock())
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._listen(client))
                group.create_task(self._tell(client))
        finally:
            self._ledger.sorting.pictures_can_come(None)

    # what comes

    async def _listen(self, client: Client) -> None:
        async for first in client.messages:
            messages, size = [first], _size(first)
            while len(client.messages) and size < AT_ONCE_BYTES:
                messages.append(await anext(client.messages))
                size += _size(messages[-1])
            heed_cancellation()
            pictures = [message for message in messages if not self._heartbeat(message)]
            if pictures:
                await self._take(pictures)

    def _heartbeat(self, message: Message) -> bool:
        """Whether it is one. Those that cannot be read are the intake's to bury."""
        try:
            topic = topics.parse(str(message.topic))
            if topic.channel != "status":
                return False
            status = wire.decode_status(_payload(message))
        except BadTopic:
            return False
        except BadMessage:
            return True
        if status.state == "online" and topic.agent in self._lines_of:
            self._order(topic.agent)
        return True

    async def _take(self, messages: list[Message]) -> None:
        found = await asyncio.to_thread(
            read, [(str(message.topic), _payload(message)) for message in messages], self._lines_of
        )
        for belt in found.belts:
            if self._belts.put(belt.line, belt.at_us, belt.picture):
                self._ledger.sorting.belt(belt.line, self._clock())
        for refused in found.refused:
            self._refuse(refused)
        if found.fruit:
            await self._keep(found.fruit)
        self._to_tell.set()

    def _refuse(self, refused: Refused) -> None:
        self._ledger.bury(refused.agent or UNLISTED, refused.topic, refused.data, refused.reason)
        if refused.agent is not None and refused.picture is not None:
            self._refused[refused.agent][refused.picture] = refused.reason[: wire.MAX_REASON]

    async def _keep(self, fruit: Sequence[Evidence]) -> None:
        """Onto the disk. If that cannot be, nothing is told, and their agents send them again."""
        ids = [one.id for one in fruit]
        try:
            if self._scarce():
                raise EvidenceDown("what is left of the disk is for stock events: make room, and pictures are taken")
            lost = await asyncio.to_thread(self._pictures.put, fruit, self._ranks.of(ids), self._clock())
        except EvidenceDown as error:
            self._trouble(error)
            await asyncio.sleep(RETRY_S)
            return
        self._well()
        for one in fruit:
            self._kept[one.agent].append(one.id)
        await self._ranks.lost(lost)
        self._ranks.look_again(self._ranks.of(ids))

    # what is told

    async def _tell(self, client: Client) -> None:
        while True:
            await self._to_tell.wait()
            self._to_tell.clear()
            agents, self._to_order = self._to_order, set()
            for agent in sorted(agents):
                if orders := self._ledger.sorting.orders(agent):
                    await self._command(client, agent, LineOrders(lines=orders))
            kept, self._kept = self._kept, defaultdict(list)
            for agent, ids in kept.items():
                for start in range(0, len(ids), MAX_IDS):
                    some = tuple(ids[start : start + MAX_IDS])
                    await self._command(client, agent, EvidenceKept(ids=some))
            refused, self._refused = self._refused, defaultdict(dict)
            for agent, reasons in refused.items():
                for start in range(0, len(reasons), MAX_REFUSED):
                    why = dict(islice(reasons.items(), start, start + MAX_REFUSED))
                    await self._command(client, agent, EvidenceKept(ids=tuple(why), refused=why))

    async def _command(self, client: Client, agent: str, command: Command) -> None:
        await client.publish(str(Topic(self._site, agent, "command")), wire.encode(command), qos=1)
        heed_cancellation()

    def _trouble(self, error: EvidenceDown) -> None:
        if not self._failing:
            log.error("pictures cannot be kept", error=str(error))
            self._ledger.sorting.pictures_can_come(None)
        self._failing = True

    def _well(self) -> None:
        if self._failing:
            log.info("pictures are kept again")
            self._ledger.sorting.pictures_can_come(self._clock())
        self._failing = False


def _payload(message: Message) -> bytes:
    return message.payload if isinstance(message.payload, bytes) else b""


def _size(message: Message) -> int:
    return len(_payload(message))
