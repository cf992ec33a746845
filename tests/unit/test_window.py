"""The delivery protocol from end to end without a network: a real outbox, its window, any channel, a gateway."""

import copy
import shutil
import tempfile
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from modelgateway import ModelGateway

from contract import wire
from contract.wire import Ack, Batch
from edge.outbox import Outbox
from edge.window import LONGEST_PATIENCE_S, Window

TIMEOUT_S = 2.0
SIZE = 4
BATCH_EVENTS = 3


class AgentSide:
    """An outbox and its window, wired as edge/uplink.py does it."""

    def __init__(self, path: Path, retain: int) -> None:
        self.outbox = Outbox(path, retain)
        self.window = Window(self.outbox.epoch, self.outbox.acknowledged, SIZE, TIMEOUT_S)

    def batch(self, now_s: float) -> Batch | None:
        first = self.window.wanted(self.outbox.made)
        if first is None:
            return None
        stretch = self.outbox.read(first, BATCH_EVENTS, wire.MAX_BATCH_BYTES)
        self.window.sent(stretch.first, len(stretch.bodies), now_s)
        return wire.decode_batch(wire.encode_batch("dock", stretch.epoch, stretch.first, stretch.floor, stretch.bodies))

    def hear(self, ack: Ack, now_s: float) -> str:
        verdict = self.window.heard(ack, self.outbox.made, now_s)
        if verdict == "renumber":
            self.note()
            self.outbox.renumber()
            self.window = Window(self.outbox.epoch, 0, SIZE, TIMEOUT_S)
        return verdict

    def note(self) -> None:
        self.outbox.acknowledge(self.window.epoch, self.window.through)


def opened(agent: AgentSide, gateway: ModelGateway) -> None:
    """The first batch goes alone; when it is answered the window opens."""
    batch = agent.batch(0.0)
    assert batch is not None
    agent.hear(gateway.take(batch), 0.0)


def firsts(agent: AgentSide, now_s: float) -> list[int]:
    """Send all that the window lets go; the first sequence number of each batch."""
    return [batch.first for _ in range(10) if (batch := agent.batch(now_s))]


def converge(agent: AgentSide, gateway: ModelGateway, now_s: float, rounds: int = 500) -> None:
    """A channel without faults, until nothing waits; gives up after so many rounds."""
    for _ in range(rounds):
        now_s += TIMEOUT_S / 4
        agent.window.lapse(now_s)
        while (batch := agent.batch(now_s)) is not None:
            agent.hear(gateway.take(batch), now_s)
        agent.note()
        if agent.outbox.waiting == 0:
            return
    raise AssertionError(f"{agent.outbox.waiting} events still wait after {rounds} rounds")


def test_an_ack_says_no_more_than_was_compared(tmp_path: Path) -> None:
    """An outbox restored from a copy: the gateway's event 2 is not the agent's, and must not acknowledge it."""
    gateway = ModelGateway()
    agent = AgentSide(tmp_path / "outbox.db", 0)
    agent.outbox.append([b"1"])
    gateway.log[agent.outbox.epoch] = {1: b"1", 2: b"20"}
    first = agent.batch(0.0)
    agent.outbox.close()  # the agent dies, its batch is still under way
    agent = AgentSide(tmp_path / "outbox.db", 0)
    agent.outbox.append([b"21"])
    second = agent.batch(0.0)
    for batch in (first, second):
        assert batch is not None
        agent.hear(gateway.take(batch), 0.0)
    converge(agent, gateway, 1.0)
    assert b"21" in gateway.events
    agent.outbox.close()


class Channel(RuleBasedStateMachine):
    """Batches and acks are lost, doubled and put out of order; agent and gateway die and come back."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.path = Path(self.folder.name) / "outbox.db"
        self.gateway = ModelGateway()
        self.batches: list[Batch] = []
        self.acks: list[Ack] = []
        self.events: list[bytes] = []
        self.now_s = 100.0

    @initialize(retain=st.integers(0, 6), shared=st.integers(0, 7), foreign=st.just(0) | st.integers(1, 12))
    def begin(self, retain: int, shared: int, foreign: int) -> None:
        """With `foreign` events at the gateway, the outbox was restored from a copy that knows only the `shared`."""
        self.retain = retain
        self.agent = AgentSide(self.path, retain)
        self.events = [b"%d" % n for n in range(shared)]
        self.agent.outbox.append(self.events)
        self.foreign = [b"%d" % (1000 + n) for n in range(foreign)]
        self.shared = shared
        if foreign:
            self.gateway.log[self.agent.outbox.epoch] = dict(enumerate(self.events + self.foreign, 1))

    @rule(number=st.integers(1, 8))
    def decide(self, number: int) -> None:
        bodies = [b"%d" % (len(self.events) + n) for n in range(number)]
        self.agent.outbox.append(bodies)
        self.events += bodies

    @rule(times=st.integers(1, SIZE + 1))
    def send(self, times: int) -> None:
        for _ in range(times):
            batch = self.agent.batch(self.now_s)
            if batch is not None:
                self.batches.append(batch)

    @precondition(lambda self: self.batches)
    @rule(data=st.data(), twice=st.booleans())
    def deliver(self, data: st.DataObject, twice: bool) -> None:
        batch = self.batches.pop(data.draw(st.integers(0, len(self.batches) - 1)))
        self.acks.append(self.gateway.take(batch))
        if twice:
            self.batches.append(batch)

    @precondition(lambda self: self.batches)
    @rule(data=st.data())
    def lose_batch(self, data: st.DataObject) -> None:
        self.batches.pop(data.draw(st.integers(0, len(self.batches) - 1)))

    @precondition(lambda self: self.acks)
    @rule(data=st.data(), twice=st.booleans())
    def hear(self, data: st.DataObject, twice: bool) -> None:
        at = data.draw(st.integers(0, len(self.acks) - 1))
        verdict = self.agent.hear(self.acks[at], self.now_s)
        assert self.foreign or verdict != "renumber"
        if not twice:
            self.acks.pop(at)

    @precondition(lambda self: self.acks)
    @rule(data=st.data())
    def lose_ack(self, data: st.DataObject) -> None:
        self.acks.pop(data.draw(st.integers(0, len(self.acks) - 1)))

    @rule(seconds=st.floats(0, 3))
    def wait(self, seconds: float) -> None:
        self.now_s += seconds
        self.agent.window.lapse(self.now_s)

    @rule()
    def note(self) -> None:
        self.agent.note()

    @rule(lost=st.booleans())
    def reconnect(self, lost: bool) -> None:
        if lost:
            self.batches.clear()
            self.acks.clear()
        self.agent.window.restart()

    @rule()
    def agent_dies(self) -> None:
        self.agent.outbox.close()
        self.agent = AgentSide(self.path, self.retain)

    @rule()
    def gateway_restarts(self) -> None:
        self.acks.append(self.gateway.greeting(self.agent.outbox.epoch))

    @property
    def taken(self) -> list[bytes]:
        """What the gateway holds of this outbox.

        In a batch with an event that differs from the gateway's, all are renumbered: the shared ones that a restored
        outbox does not know to be acknowledged may arrive twice, under both epochs, with a `data_lost` beside them.
        """
        if not self.foreign:
            return self.gateway.events
        known = self.events[: self.shared]
        return known + [event for event in self.gateway.events if event not in (*self.foreign, *known)]

    @invariant()
    def every_event_was_taken_once_and_in_order(self) -> None:
        assert self.taken == self.events[: len(self.taken)]
        assert self.gateway.losses == []

    @invariant()
    def what_the_agent_forgets_the_gateway_holds(self) -> None:
        if hasattr(self, "agent"):
            assert len(self.events) - self.agent.outbox.waiting <= len(self.taken)

    @invariant()
    def the_window_bounds_what_is_under_way(self) -> None:
        if hasattr(self, "agent") and self.agent.window.wanted(self.agent.outbox.made) is None:
            assert self.agent.window.through == self.agent.outbox.made or self.agent.window.deadline_s() is not None

    def teardown(self) -> None:
        try:
            if hasattr(self, "agent"):
                converge(self.agent, self.gateway, self.now_s)
                assert self.taken == self.events
        finally:
            if hasattr(self, "agent"):
                self.agent.outbox.close()
            self.folder.cleanup()


TestChannel = Channel.TestCase
TestChannel.settings = settings(max_examples=120, stateful_step_count=40, deadline=None)


def test_a_window_of_batches_goes_out_and_no_more(tmp_path: Path) -> None:
    agent = AgentSide(tmp_path / "outbox.db", retain=0)
    agent.outbox.append([b"%d" % n for n in range(100)])
    assert firsts(agent, 0.0) == [1], "one, until the gateway has answered"
    agent.hear(Ack(epoch=agent.outbox.epoch, through=3), 0.1)
    assert firsts(agent, 0.1) == [4, 7, 10, 13]
    agent.hear(Ack(epoch=agent.outbox.epoch, through=9), 0.1)
    assert firsts(agent, 0.1) == [16, 19]


def test_a_gap_rewinds_once_however_many_batches_report_it(tmp_path: Path) -> None:
    agent, gateway = AgentSide(tmp_path / "outbox.db", retain=0), ModelGateway()
    agent.outbox.append([b"%d" % n for n in range(15)])
    opened(agent, gateway)
    _lost, *rest = [batch for _ in range(SIZE) if (batch := agent.batch(0.0))]
    pleas = [gateway.take(batch) for batch in rest]
    sent = []
    for plea in pleas:
        agent.hear(plea, 0.1)
        sent += firsts(agent, 0.1)
    assert sent == [4, 7, 10, 13]


def test_a_silent_gateway_is_probed_with_one_batch_ever_more_patiently(tmp_path: Path) -> None:
    agent, gateway = AgentSide(tmp_path / "outbox.db", retain=0), ModelGateway()
    agent.outbox.append([b"%d" % n for n in range(100)])
    opened(agent, gateway)
    now_s, waits = 0.0, []
    for _ in range(4):
        sent = firsts(agent, now_s)
        deadline_s = agent.window.deadline_s()
        assert deadline_s is not None
        waits.append((sent, deadline_s - now_s))
        now_s = deadline_s
        assert agent.window.lapse(now_s)
    assert waits == [([4, 7, 10, 13], 2.0), ([4], 4.0), ([4], LONGEST_PATIENCE_S), ([4], LONGEST_PATIENCE_S)]
    agent.hear(gateway.greeting(agent.outbox.epoch), now_s)
    opened(agent, gateway)
    assert firsts(agent, now_s) == [7, 10, 13, 16]


def test_a_gateway_that_lost_its_ledger_gets_what_is_retained_and_is_told_of_the_rest(tmp_path: Path) -> None:
    agent, gateway = AgentSide(tmp_path / "outbox.db", retain=4), ModelGateway()
    agent.outbox.append([b"%d" % n for n in range(1, 11)])
    converge(agent, gateway, 0.0)
    empty = ModelGateway()
    agent.outbox.append([b"11"])
    converge(agent, empty, 10.0)
    assert empty.events == [b"7", b"8", b"9", b"10", b"11"]
    assert empty.losses == [(agent.outbox.epoch, 7)]


def test_an_outbox_restored_from_a_copy_loses_nothing_that_it_holds(tmp_path: Path) -> None:
    """Its numbers run backwards: the gateway holds other events under those that it gives out now."""
    path, backup = tmp_path / "outbox.db", tmp_path / "backup.db"
    gateway = ModelGateway()
    agent = AgentSide(path, retain=0)
    agent.outbox.append([b'"a1"', b'"a2"', b'"a3"'])
    agent.outbox.close()
    shutil.copy(path, backup)
    agent = AgentSide(path, retain=0)
    agent.outbox.append([b'"a4"', b'"a5"'])
    converge(agent, gateway, 0.0)
    old = agent.outbox.epoch
    agent.outbox.close()
    for new in ([b'"b4"'], [b'"b4"', b'"b5"', b'"b6"', b'"b7"']):
        shutil.copy(backup, path)
        judge = copy.deepcopy(gateway)
        agent = AgentSide(path, retain=0)
        agent.outbox.append(new)
        for greetings in range(3):  # a gateway that greets in between has compared nothing yet
            agent.hear(judge.greeting(old), 0.0)
            if greetings and (batch := agent.batch(0.0)):
                agent.hear(judge.greeting(old), 0.0)
                agent.hear(judge.take(batch), 0.0)
        converge(agent, judge, 0.0)
        assert agent.outbox.epoch != old
        assert judge.events == [b'"a1"', b'"a2"', b'"a3"', b'"a4"', b'"a5"', *new]
        agent.outbox.close()


def test_acks_of_another_epoch_are_ignored(tmp_path: Path) -> None:
    agent = AgentSide(tmp_path / "outbox.db", retain=0)
    agent.outbox.append([b'"a"'])
    agent.batch(0.0)
    for ack in (Ack(epoch="x", through=1), Ack(epoch="x", through=99), Ack(epoch="x", through=0, renumber=True)):
        assert agent.hear(ack, 0.0) == "foreign"
    assert agent.window.through == 0


def test_while_the_gateway_is_ahead_batches_go_one_at_a_time(tmp_path: Path) -> None:
    """Otherwise one that begins where the gateway ends could be taken before those in front of it were compared."""
    agent = AgentSide(tmp_path / "outbox.db", retain=0)
    agent.outbox.append([b"%d" % n for n in range(30)])
    for through in (7, 8):
        assert len(firsts(agent, 0.0)) == 1
        agent.hear(Ack(epoch=agent.outbox.epoch, through=through), 0.0)
    assert agent.window.through == 6
    assert firsts(agent, 0.0) == [7]
    agent.hear(Ack(epoch=agent.outbox.epoch, through=9), 0.0)
    assert firsts(agent, 0.0) == [10, 13, 16, 19]


def test_an_outbox_restored_from_a_copy_tells_even_when_nothing_waits(tmp_path: Path) -> None:
    agent = AgentSide(tmp_path / "outbox.db", retain=0)
    old = agent.outbox.epoch
    assert agent.hear(Ack(epoch=old, through=5, resend=True), 0.0) == "renumber"
    assert agent.outbox.epoch != old
