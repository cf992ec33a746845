"""The ledger's file over restarts, kills, full disks and random lives: what was acknowledged is there, explained."""

import asyncio
import contextlib
import json
import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
from pathlib import Path

import msgspec
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from ledgersite import LEMON, QUICK, START_US, TOMATO, Clock, Edge, batch, case, door_pass, dump, pallet, pass_bytes

from contract import events, wire
from gateway import records
from gateway.errors import LedgerFailed
from gateway.ledger.ledger import Ledger
from gateway.ledger.storage.opening import refold

TAGS = [*(case(LEMON, n) for n in range(6)), *(case(TOMATO, n) for n in range(3)), pallet(1)]


class LedgerLives(RuleBasedStateMachine):
    """A ledger lives through anything; at any moment the log explains the state, and the file holds both."""

    def __init__(self) -> None:
        super().__init__()
        self._folder = tempfile.TemporaryDirectory()
        self._runner = asyncio.Runner()
        self._clock = Clock()
        self._open()

    @initialize()
    def begin(self) -> None:
        self._edges = {name: Edge(self._ledger, name) for name in ("dock-edge", "gate-edge")}
        self._places: dict[str, tuple[tuple[int, str, str, int], str | None]] = {}

    def teardown(self) -> None:
        self._context.close()
        self._runner.close()
        self._folder.cleanup()

    def _open(self) -> None:
        self._context = contextlib.ExitStack()
        path = Path(self._folder.name) / "ledger.db"
        self._ledger = self._context.enter_context(Ledger.open(path, QUICK, self._clock))

    @rule(
        who=st.sampled_from(["dock-edge", "gate-edge"]),
        tags=st.lists(st.sampled_from(TAGS), min_size=1, max_size=4, unique=True),
        door=st.sampled_from(["dock-1", "dock-2", "cold-gate"]),
        direction=st.sampled_from(["inbound", "outbound", "unknown"]),
        late_s=st.integers(0, 30),
        garbage=st.booleans(),
    )
    def tell(self, who: str, tags: list[str], door: str, direction: str, late_s: int, garbage: bool) -> None:
        at_us = self._clock.turn(1) - late_s * 1_000_000
        edge = self._edges[who]
        told = [door_pass(tag, at_us + i, door, direction) for i, tag in enumerate(tags)]  # type: ignore[arg-type]
        bad = [b'{"kind":"door_pass","at_us":-1}'] if garbage else []
        ack = self._runner.run(edge.tell(*bad, *told))
        assert ack == wire.Ack(epoch=edge.epoch, through=edge.made)
        if direction != "unknown":
            for seq, event in enumerate(told, edge.made - len(told) + 1):
                self._place(event.epcs[0], (event.at_us, who, edge.epoch, seq), door, inside=direction == "inbound")

    def _place(self, epc: str, by: tuple[int, str, str, int], door: str, *, inside: bool) -> None:
        here = next(each for each in QUICK.doors if each.name == door)
        if epc not in self._places or by > self._places[epc][0]:
            self._places[epc] = (by, here.inside if inside else here.outside)

    @rule(
        id_=st.sampled_from(["A", "B"]),
        tags=st.lists(st.sampled_from(TAGS), min_size=1, max_size=5, unique=True),
        direction=st.sampled_from(["inbound", "inbound", "outbound"]),
        door=st.sampled_from(["dock-1", "dock-2", None]),
    )
    def announce(self, id_: str, tags: list[str], direction: str, door: str | None) -> None:
        cases = tuple(records.AsnCase(epc=tag) for tag in tags)
        self._record(
            records.AsnReceived(
                at_us=self._clock(),
                id=id_,
                direction=direction,
                partner="P",
                door=door,
                order="PO-1",
                cases=cases,  # type: ignore[arg-type]
            )
        )

    @rule(seconds=st.sampled_from([1, 5, 21, 100]))
    def wait(self, seconds: int) -> None:
        self._clock.turn(seconds)
        self._runner.run(self._ledger.tick(self._clock()))

    @rule(state=st.sampled_from(["placed", "shipped", "cancelled"]))
    def report(self, state: str) -> None:
        for key in self._ledger.views("orders"):
            self._record(
                records.OrderReported(
                    at_us=self._clock(),
                    key=key,
                    number=f"PO-{key[-1]}",
                    supplier="S",
                    units=12,
                    state=state,  # type: ignore[arg-type]
                )
            )

    @rule()
    def resolve_all(self) -> None:
        for key in self._ledger.views("exceptions"):
            self._record(records.ExceptionResolved(at_us=self._clock(), id=key, who="Ana", why="looked"))

    @rule()
    def lose_an_outbox(self) -> None:
        edge = self._edges["gate-edge"]
        edge.epoch, edge.made = f"{edge.epoch}+", 0

    @rule()
    def reopen(self) -> None:
        before = dump(self._ledger)
        self._context.close()
        self._open()
        assert dump(self._ledger) == before
        for name, edge in self._edges.items():
            self._edges[name] = again = Edge(self._ledger, name, edge.epoch)
            again.made = edge.made

    @invariant()
    def the_log_explains_the_state(self) -> None:
        again = refold(self._ledger._store, QUICK)
        for table in again.tables:
            held = dict(self._ledger._store.stored(table.name))
            assert {key: msgspec.json.encode(row).decode() for key, row in table.rows.items()} == held, table.name

    @invariant()
    def every_tag_is_where_its_newest_sighting_says(self) -> None:
        for epc, (_, zone) in self._places.items():
            item = self._ledger.item(epc)
            assert item is not None
            assert item.zone == zone

    @precondition(lambda self: self._ledger.last_id > 0)
    @invariant()
    def ids_have_no_hole(self) -> None:
        rows = self._ledger.rows(0, 10_000)
        assert [row.id for row in rows] == list(range(1, self._ledger.last_id + 1))
        open_needs = [view.sku for view in self._ledger.views("orders").values() if view.state == "requested"]
        assert len(set(open_needs)) == len(open_needs), "never two open needs of one SKU that nobody has answered"

    def _record(self, *news: records.Record) -> None:
        self._runner.run(self._ledger.record(*news))


TestLedgerLives = pytest.mark.filterwarnings("ignore")(LedgerLives.TestCase)
LedgerLives.TestCase.settings = settings(max_examples=25, stateful_step_count=20, deadline=None)

WRITER = """
import asyncio, sys
from pathlib import Path
from ledgersite import LEMON, QUICK, batch, case, now_us, pass_bytes
from gateway.ledger.ledger import Ledger

async def main():
    with Ledger.open(Path(sys.argv[1]), QUICK, now_us) as ledger:
        async def edge(name, number):
            first = next((ack.through for agent, ack in ledger.streams().items() if agent == name), 0) + 1
            while True:
                bodies = [pass_bytes(case(LEMON, number * 10**6 + first + i), now_us()) for i in range(20)]
                ack = await ledger.take(name, batch(name, first, bodies))
                first = ack.through + 1
                print(name, ack.through, flush=True)
        async with asyncio.TaskGroup() as group:
            for number in range(5):
                group.create_task(edge(f"edge-{number}", number))

asyncio.run(main())
"""


def test_what_was_acknowledged_survives_kill_9(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    root = Path(__file__).parent.parent
    env = os.environ | {"PYTHONPATH": os.pathsep.join([str(root), str(root.parent)])}
    told: dict[str, int] = {}
    for _ in range(3):
        writer = subprocess.Popen([sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE, text=True, env=env)
        assert writer.stdout is not None
        for _ in range(37):
            name, through = writer.stdout.readline().split()
            told[name] = int(through)
        writer.send_signal(signal.SIGKILL)
        for line in writer.stdout:
            if line.endswith("\n"):
                name, through = line.split()
                told[name] = int(through)
        writer.wait()
    with Ledger.open(path, QUICK, Clock()) as ledger:
        rows = ledger.rows(0, 1_000_000)
        assert [row.id for row in rows] == list(range(1, len(rows) + 1))
        for agent, held in told.items():
            seqs = [row.seq for row in rows if row.agent == agent]
            assert seqs == list(range(1, len(seqs) + 1))
            assert len(seqs) >= held
        assert ledger.views("stock")["lemon-4kg"].units == sum(row.kind == "door_pass" for row in rows)
        assert (
            dump(ledger)["items"]
            == {
                table.name: {key: msgspec.json.encode(row) for key, row in sorted(table.rows.items())}
                for table in refold(ledger._store, QUICK).tables
            }["items"]
        )


FULL_DISK = """
import asyncio, resource, signal, sys
from pathlib import Path
from ledgersite import LEMON, QUICK, batch, case, now_us, pass_bytes
from gateway import records
from gateway.errors import LedgerFull
from gateway.ledger.ledger import Ledger

def room(size):
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))

async def main():
    through = 0
    with Ledger.open(Path(sys.argv[1]), QUICK, now_us) as ledger:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        room(900_000)
        while True:
            bodies = [pass_bytes(case(LEMON, through + i), now_us()) for i in range(50)]
            waiting = asyncio.ensure_future(ledger.take("dock-edge", batch("dock-edge", through + 1, bodies)))
            while not waiting.done() and ledger.full is None:
                await asyncio.sleep(0.01)
            if ledger.full is not None:
                break
            through = waiting.result().through
        print(through, ledger.full, file=sys.stderr)
        try:
            await ledger.record(records.ShipmentSettled(at_us=now_us(), id="S1"))
        except LedgerFull as error:
            print("refused", error, file=sys.stderr)
        room(resource.RLIM_INFINITY)
        through = (await waiting).through
        last = batch("dock-edge", through + 1, [pass_bytes(case(LEMON, through), now_us())])
        print((await ledger.take("dock-edge", last)).through, ledger.full, file=sys.stderr)

asyncio.run(main())
"""


def test_a_full_disk_stops_the_ledger_until_there_is_room_and_loses_nothing(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    root = Path(__file__).parent.parent
    env = os.environ | {"PYTHONPATH": os.pathsep.join([str(root), str(root.parent)])}
    done = subprocess.run(
        [sys.executable, "-c", FULL_DISK, str(path)], capture_output=True, text=True, env=env, check=True, timeout=60
    )
    full, refused, went_on = done.stderr.splitlines()
    through = int(full.split()[0])
    assert str(path) in full
    assert through >= 50
    assert refused.startswith("refused")
    assert went_on == f"{through + 51} None"
    with Ledger.open(path, QUICK, Clock()) as ledger:
        assert sum(row.kind == "door_pass" for row in ledger.rows(0, 10_000)) == through + 51
        assert ledger.views("stock")["lemon-4kg"].units == through + 51


def test_two_gateways_cannot_have_one_ledger(tmp_path: Path) -> None:
    with (
        Ledger.open(tmp_path / "ledger.db", QUICK, Clock()),
        pytest.raises(LedgerFailed, match="another process"),
        Ledger.open(tmp_path / "ledger.db", QUICK, Clock()),
    ):
        pass


def test_a_ledger_of_another_schema_or_no_ledger_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    with Ledger.open(path, QUICK, Clock()):
        pass
    with contextlib.closing(sqlite3.connect(path)) as db, db:
        db.execute("UPDATE meta SET value = '99' WHERE name = 'schema'")
    with pytest.raises(LedgerFailed, match="schema 99"), Ledger.open(path, QUICK, Clock()):
        pass
    (tmp_path / "other.db").write_bytes(b"this is no database" * 100)
    with pytest.raises(LedgerFailed, match=r"other\.db"), Ledger.open(tmp_path / "other.db", QUICK, Clock()):
        pass


def test_a_ledger_from_before_strays_had_reasons_and_loads_were_unread_opens(tmp_path: Path) -> None:
    """Its doors have a number of strays, and no word of what passed unread."""
    path = tmp_path / "ledger.db"

    async def live() -> None:
        with Ledger.open(path, QUICK, Clock()) as ledger:
            await Edge(ledger).tell(door_pass(case(LEMON, 1), START_US))

    asyncio.run(live())
    with contextlib.closing(sqlite3.connect(path)) as db, db:
        (body,) = db.execute("SELECT body FROM doors WHERE key = 'dock-1'").fetchone()
        old = {name: value for name, value in json.loads(body).items() if name != "unread"} | {"strays": 41}
        db.execute("UPDATE doors SET body = ? WHERE key = 'dock-1'", [json.dumps(old)])

    async def go_on() -> None:
        with Ledger.open(path, QUICK, Clock()) as ledger:
            view = ledger.views("doors")["dock-1"]
            assert (view.inbound, view.unread, view.strays) == (1, 0, {})
            edge = Edge(ledger, epoch="second")
            counts = {"stray_flat": 2}
            told = events.Device(at_us=START_US, decided_us=START_US, device="dock-1", state="health", counts=counts)
            await edge.tell(told, door_pass(case(LEMON, 2), START_US))
            view = ledger.views("doors")["dock-1"]
            assert (view.inbound, view.strays) == (2, {"flat": 2})

    asyncio.run(go_on())
    with Ledger.open(path, QUICK, Clock()) as ledger:
        assert ledger.views("doors")["dock-1"].strays == {"flat": 2}


def test_cursors_are_kept_and_moved_from_any_thread(tmp_path: Path) -> None:
    async def story() -> None:
        with Ledger.open(tmp_path / "ledger.db", QUICK, Clock()) as ledger:
            edge = Edge(ledger)

            async def tell() -> None:
                for serial in range(20):
                    await edge.tell(door_pass(case(LEMON, serial), START_US, "dock-1"))

            async def follow() -> None:
                for to in range(1, 21):
                    await asyncio.to_thread(ledger.move_cursor, "history", to)
                    assert await asyncio.to_thread(ledger.cursor, "history") == to

            await asyncio.gather(tell(), follow())
            assert (ledger.cursor("history"), ledger.cursor("cloud")) == (20, 0)

    asyncio.run(story())
    with Ledger.open(tmp_path / "ledger.db", QUICK, Clock()) as ledger:
        assert ledger.cursor("history") == 20
        assert [row.id for row in ledger.rows(-7, 3)] == [1, 2, 3]
        assert len(ledger.rows(0, 1000)) == ledger.last_id


def test_the_cost_of_an_event_does_not_grow_with_the_house(tmp_path: Path) -> None:
    """Counted in what one commit writes, not in time: the same rows, whatever the house holds."""

    async def written(items: int) -> int:
        with Ledger.open(tmp_path / f"{items}.db", QUICK, Clock()) as ledger:
            standing = tuple(records.ImportedItem(epc=case(LEMON, n), zone="receiving") for n in range(items))
            await ledger.record(records.ItemsImported(at_us=START_US, who="Ana", items=standing))
            before = ledger._store._writer.total_changes
            await ledger.take("dock-edge", batch("dock-edge", 1, [pass_bytes(case(LEMON, 1), START_US, "cold-gate")]))
            return ledger._store._writer.total_changes - before

    assert asyncio.run(written(10)) == asyncio.run(written(5000))
