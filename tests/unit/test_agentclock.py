"""The agent's clock: it goes on when nobody sets it, follows when somebody does, and says so."""

from edge.agentclock import STEP_US, AgentClock
from edge.steadyclock import steady_us


def test_it_follows_a_clock_that_is_set_and_says_by_how_much() -> None:
    set_by = [0]
    clock = AgentClock(lambda: steady_us() + 1_790_000_000_000_000 + set_by[0])
    told: list[int] = []
    clock.on_step = told.append
    before = clock()
    set_by[0] = STEP_US // 2  # a slow correction, of many
    assert 0 <= clock() - before < STEP_US // 2
    assert told == []
    set_by[0] = -3_600_000_000
    assert clock() < before - 3_500_000_000
    set_by[0] = 0
    assert clock() >= before
    assert [round(by / 1e6) for by in told] == [-3600, 3600]
