"""The outbox holds what it was given, whatever happens to the process: nothing lost, no number twice, no hole."""

import os
import sqlite3
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, rule

from contract.wire import MAX_EVENT_BYTES
from edge.errors import OutboxBusy, OutboxError, OutboxFull
from edge.outbox import Outbox
from edge.outbox_file import Kept, read_history

BIG = 10**9


def _bodies(outbox: Outbox) -> list[bytes]:
    return list(outbox.read(outbox.acknowledged + 1, BIG, BIG).bodies)


def _fill(outbox: Outbox) -> None:
    for _ in range(1000):
        outbox.append([bytes(10_000)] * 3)


def test_events_wait_until_they_are_acknowledged(tmp_path: Path) -> None:
    with Outbox(tmp_path / "new folder" / "outbox.db", retain=2) as outbox:
        assert (outbox.made, outbox.floor, outbox.waiting) == (0, 1, 0)
        assert outbox.append([b"a", b"b", b"c"]) == 1
        assert outbox.append([b"d"]) == 4
        outbox.acknowledge(outbox.epoch, 3)
        assert (outbox.made, outbox.floor, outbox.waiting) == (4, 2, 1)
        assert outbox.read(1, BIG, BIG)[1:] == (2, 2, (b"b", b"c", b"d"))
        assert outbox.read(4, BIG, BIG)[1:] == (4, 2, (b"d",))


def test_a_batch_is_bounded_in_number_and_bytes(tmp_path: Path) -> None:
    with Outbox(tmp_path / "outbox.db", retain=0) as outbox:
        outbox.append([b"xxxx"] * 10)
        assert len(outbox.read(1, 3, BIG).bodies) == 3
        assert len(outbox.read(1, BIG, 24).bodies) == 4
        assert outbox.read(11, BIG, BIG).bodies == ()
        with pytest.raises(ValueError, match="at most 32768"):
            outbox.append([b"fits", b"x" * (MAX_EVENT_BYTES + 1)])
        assert outbox.made == 10


def test_numbers_go_on_after_everything_is_deleted_and_the_file_is_reopened(tmp_path: Path) -> None:
    path = tmp_path / "outbox.db"
    with Outbox(path, retain=0) as outbox:
        epoch = outbox.epoch
        outbox.append([b"a", b"b"])
        outbox.acknowledge(epoch, 2)
        assert outbox.floor == 3
    with Outbox(path, retain=0) as outbox:
        assert (outbox.epoch, outbox.made, outbox.acknowledged, outbox.floor) == (epoch, 2, 2, 3)
        assert outbox.append([b"c"]) == 3


def test_acks_of_another_epoch_or_of_less_change_nothing_and_of_more_are_refused(tmp_path: Path) -> None:
    with Outbox(tmp_path / "outbox.db", retain=9) as outbox:
        outbox.append([b"a", b"b"])
        outbox.acknowledge(outbox.epoch, 1)
        outbox.acknowledge(outbox.epoch, 0)
        outbox.acknowledge("another", 2)
        assert outbox.acknowledged == 1
        with pytest.raises(ValueError, match="only 2 were made"):
            outbox.acknowledge(outbox.epoch, 3)


def test_renumbering_counts_what_waits_from_one_and_keeps_what_was_acknowledged(tmp_path: Path) -> None:
    path = tmp_path / "outbox.db"
    with Outbox(path, retain=9) as outbox:
        old = outbox.epoch
        outbox.append([b"a", b"b", b"c"])
        outbox.acknowledge(old, 1)
        outbox.renumber()
        outbox.renumber()
        new = outbox.epoch
        assert new != old
        assert (outbox.made, outbox.acknowledged, outbox.floor, outbox.waiting) == (2, 0, 1, 2)
        expected = [Kept(old, 1, b"a"), Kept(new, 1, b"b"), Kept(new, 2, b"c")]
        assert outbox.history() == expected
        assert read_history(path) == expected


def test_only_one_process_may_hold_it(tmp_path: Path) -> None:
    with Outbox(tmp_path / "outbox.db", retain=0), pytest.raises(OutboxBusy, match="another process"):
        Outbox(tmp_path / "outbox.db", retain=0)
    Outbox(tmp_path / "outbox.db", retain=0).close()


@pytest.mark.parametrize("damage", [b"this is no SQLite file", b"SQLite format 3\0" + bytes(200)])
def test_a_corrupt_file_is_moved_aside_and_a_new_epoch_begins(tmp_path: Path, damage: bytes) -> None:
    path = tmp_path / "outbox.db"
    for number in (1, 2):
        path.write_bytes(damage)
        with Outbox(path, retain=0) as outbox:
            assert outbox.append([b"on"]) == 1
        assert (tmp_path / f"outbox.db.corrupt-{number}").read_bytes() == damage


def test_damage_in_the_middle_of_the_file_is_found(tmp_path: Path) -> None:
    path = tmp_path / "outbox.db"
    with Outbox(path, retain=0) as outbox:
        epoch = outbox.epoch
        outbox.append([os.urandom(3000) for _ in range(50)])
    with path.open("r+b") as file:
        file.seek(os.stat(path).st_size // 2)
        file.write(b"\xff" * 8192)
    with Outbox(path, retain=0) as outbox:
        assert outbox.epoch != epoch
        assert outbox.made == 0
    assert (tmp_path / "outbox.db.corrupt-1").exists()


def test_a_file_of_a_newer_truecount_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "outbox.db"
    Outbox(path, retain=0).close()
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA user_version = 99")
    with pytest.raises(OutboxError, match="newer Truecount"):
        Outbox(path, retain=0)


def test_a_full_outbox_refuses_whole_and_has_room_again_after_an_ack(tmp_path: Path) -> None:
    with Outbox(tmp_path / "outbox.db", retain=0, max_bytes=2**20) as outbox:
        assert not outbox.crowded
        with pytest.raises(OutboxFull):
            _fill(outbox)
        made = outbox.made
        assert outbox.crowded
        assert made % 3 == 0
        assert len(_bodies(outbox)) == made
        outbox.acknowledge(outbox.epoch, made)
        assert not outbox.crowded
        assert outbox.append([b"again"]) == made + 1


WRITER = """
import sys
from pathlib import Path
from edge.outbox import Outbox
outbox = Outbox(Path(sys.argv[1]), retain=10**6)
for group in range(10**6):
    first = outbox.append([b"%d-%d" % (group, n) for n in range(7)])
    print(first, flush=True)
    if group % 5 == 4:
        outbox.acknowledge(outbox.epoch, first)
"""


def test_what_append_has_answered_survives_a_kill(tmp_path: Path) -> None:
    path = tmp_path / "outbox.db"
    epochs = set()
    for lines in (1, 3, 10, 25):
        with subprocess.Popen([sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE, text=True) as writer:
            try:
                assert writer.stdout is not None
                for _ in range(lines):
                    answered = int(writer.stdout.readline())
            finally:
                writer.kill()
        with Outbox(path, retain=10**6) as outbox:
            epochs.add(outbox.epoch)
            assert outbox.made >= answered + 6
            assert outbox.made % 7 == 0, "a group is stored whole or not at all"
            assert [kept.seq for kept in outbox.history()] == list(range(1, outbox.made + 1))
    assert len(epochs) == 1


class OutboxLife(RuleBasedStateMachine):
    """Any sequence of calls and crashes against a plain list."""

    epochs = Bundle("epochs")

    @initialize(retain=st.integers(0, 4))
    def begin(self, retain: int) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.path = Path(self.folder.name) / "outbox.db"
        self.retain = retain
        self.outbox = Outbox(self.path, retain)
        self.epoch = self.outbox.epoch
        self.events: list[bytes] = []
        self.acknowledged = self.floor = self.count = 0

    @rule(number=st.integers(0, 5), size=st.integers(0, 3000))
    def append(self, number: int, size: int) -> None:
        bodies = [b"%d:" % (self.count + n) + bytes(size) for n in range(number)]
        self.count += number
        assert self.outbox.append(bodies) == len(self.events) + 1
        self.events += bodies

    @rule(data=st.data())
    def acknowledge(self, data: st.DataObject) -> None:
        through = data.draw(st.integers(-1, len(self.events)))
        self.outbox.acknowledge(self.outbox.epoch, through)
        if through > self.acknowledged:
            self.acknowledged = through
            self.floor = max(self.floor, through - self.retain)

    @rule(target=epochs)
    def renumber(self) -> str:
        old = self.outbox.epoch
        self.outbox.renumber()
        assert self.outbox.epoch != old
        self.events = self.events[self.acknowledged :]
        self.acknowledged = self.floor = 0
        return old

    @rule(old=consumes(epochs), through=st.integers(0, 10))
    def late_ack(self, old: str, through: int) -> None:
        self.outbox.acknowledge(old, through)

    @rule()
    def crash(self) -> None:
        epoch = self.outbox.epoch
        self.outbox.close()
        self.outbox = Outbox(self.path, self.retain)
        assert self.outbox.epoch == epoch

    @rule(first=st.integers(1, 30), limit=st.integers(1, 5))
    def read(self, first: int, limit: int) -> None:
        stretch = self.outbox.read(first, limit, BIG)
        assert stretch.first == max(first, self.outbox.floor)
        assert list(stretch.bodies) == self.events[stretch.first - 1 : stretch.first - 1 + limit]

    @invariant()
    def agrees(self) -> None:
        if not hasattr(self, "outbox"):
            return
        assert self.outbox.made == len(self.events)
        assert self.outbox.acknowledged == self.acknowledged
        assert self.outbox.waiting == len(self.events) - self.acknowledged
        assert self.outbox.floor == self.floor + 1
        held = [kept.body for kept in self.outbox.history() if kept.epoch == self.outbox.epoch]
        assert held == self.events[self.floor :]

    def teardown(self) -> None:
        if hasattr(self, "outbox"):
            self.outbox.close()
            self.folder.cleanup()


TestOutboxLife = OutboxLife.TestCase
TestOutboxLife.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
