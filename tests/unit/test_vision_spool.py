"""Pictures that wait on the disk: what goes first when there is no room, and what survives."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract import wire
from contract.events import Verdict
from contract.wire import Evidence
from edge.evidence.resending import LONGEST_WAIT_S, WINDOW, Resending
from edge.evidence.spool import Spool

T0 = 1_790_000_000_000_000
PICTURE = b"\xff\xd8" + bytes(3000) + b"\xff\xd9"


def picture(number: int, verdict: Verdict = "good", size: int = len(PICTURE)) -> Evidence:
    return Evidence(
        schema=wire.SCHEMA,
        agent="edge",
        id=f"line-a-5f0c-{number}",
        line="line-a",
        at_us=T0 + number,
        kind="fruit",
        picture=PICTURE[:2] + bytes(size - 4) + PICTURE[-2:],
        verdict=verdict,
    )


def size_of(evidence: Evidence) -> int:
    return len(wire.encode(evidence))


def ids(spool: Spool) -> list[str]:
    return [one.id.rsplit("-", 1)[1] for one in spool.waiting()]


def test_a_picture_is_kept_as_it_is_sent_until_the_gateway_has_it(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "evidence", 10**6)
    spool.put(picture(1, "defective"))
    body = spool.read("line-a-5f0c-1")
    assert body is not None
    assert wire.decode_evidence(body) == picture(1, "defective")
    spool.forget(["line-a-5f0c-1", "line-a-5f0c-2"])
    assert (spool.waiting(), spool.size, list((tmp_path / "evidence").iterdir())) == ([], 0, [])


def test_without_room_the_oldest_good_ones_go_first_and_rejects_last(tmp_path: Path) -> None:
    spool = Spool(tmp_path, 4 * size_of(picture(1, "defective")) + 100)
    for number, verdict in enumerate(("defective", "good", "unsure", "good"), 1):
        spool.put(picture(number, verdict))  # type: ignore[arg-type]
    assert ids(spool) == ["1", "2", "3", "4"]
    spool.put(picture(5, "unsure"))
    assert ids(spool) == ["1", "3", "4", "5"]
    spool.put(picture(6, "defective"))
    assert ids(spool) == ["1", "3", "5", "6"]
    spool.put(picture(7, "defective"))
    spool.put(picture(8, "defective"))
    assert ids(spool) == ["1", "6", "7", "8"]
    assert spool.put(picture(9, "good")) == ["line-a-5f0c-9"]
    spool.put(picture(10, "defective"))
    assert ids(spool) == ["6", "7", "8", "10"]
    assert spool.let_go == 6


def test_a_restart_finds_what_waited_and_nothing_half_written(tmp_path: Path) -> None:
    before = Spool(tmp_path, 10**6)
    for number in (3, 1, 2):
        before.put(picture(number, "unsure"))
    (tmp_path / f"{T0:016d}-0-line-a-5f0c-9.json.new").write_bytes(b"half")
    (tmp_path / "notes.txt").write_text("a person's")
    after = Spool(tmp_path, 10**6)
    assert ids(after) == ["1", "2", "3"]
    assert after.size == before.size
    assert sorted(path.suffix for path in tmp_path.iterdir()) == [".json", ".json", ".json", ".txt"]
    smaller = Spool(tmp_path, 2 * size_of(picture(1, "unsure")))
    assert ids(smaller) == ["2", "3"]


def test_a_damaged_file_is_let_go(tmp_path: Path) -> None:
    spool = Spool(tmp_path, 10**6)
    spool.put(picture(1))
    spool.put(picture(2))
    [first, second] = sorted(tmp_path.iterdir())
    first.write_bytes(first.read_bytes()[:100])
    second.unlink()
    assert spool.read("line-a-5f0c-1") is None
    assert spool.read("line-a-5f0c-2") is None
    assert (spool.waiting(), spool.size) == ([], 0)


def test_a_picture_too_large_to_be_sent_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="at most 524288"):
        Spool(tmp_path, 10**7).put(picture(1, size=wire.MAX_EVIDENCE_BYTES))
    assert list(tmp_path.iterdir()) == []


@given(
    st.lists(st.tuples(st.integers(0, 30), st.sampled_from(["good", "unsure", "defective"]), st.integers(4, 3000))),
    st.integers(1, 20_000),
)
def test_the_quota_holds_and_no_reject_goes_while_a_good_one_stays(
    tmp_path_factory: pytest.TempPathFactory, puts: list[tuple[int, Verdict, int]], quota: int
) -> None:
    folder = tmp_path_factory.mktemp("spool")
    spool = Spool(folder, quota)
    for number, verdict, size in puts:
        before = {*ids(spool), str(number)}
        gone = spool.put(picture(number, verdict, size))
        assert spool.size <= quota
        assert spool.count == len(ids(spool))
        assert before - set(ids(spool)) == {one.rsplit("-", 1)[1] for one in gone}
    files = list(folder.iterdir())
    assert sum(path.stat().st_size for path in files) == spool.size
    assert sorted(path.name for path in files) == sorted(one.file for one in spool.waiting())
    assert Spool(folder, quota).size == spool.size


def test_each_picture_is_sent_at_once_and_again_when_nobody_answers() -> None:
    resending = Resending(10, ["a"])
    resending.arrived("b")
    assert resending.choose(0) == "a"
    resending.sent("a", 0)
    assert resending.choose(1) == "b"
    resending.sent("b", 1)
    assert resending.choose(2) is None
    assert resending.wait_s(2) == 8
    resending.gone(["a"])
    assert resending.choose(10.5) is None, "it is kept"
    assert resending.choose(11) == "b"
    resending.sent("b", 11)
    assert resending.wait_s(12) == 19
    for n in range(10):
        resending.sent("b", 100 + n)
    assert resending.wait_s(109) == LONGEST_WAIT_S
    resending.gone(["b", "never there"])
    assert resending.choose(300) is None
    assert resending.wait_s(300) is None


def test_one_that_has_changed_is_sent_anew() -> None:
    resending = Resending(10, ["a", "b"])
    resending.sent("a", 0)
    resending.arrived("a")
    assert resending.choose(1) == "b"
    resending.sent("b", 1)
    assert resending.choose(2) == "a"


def test_no_more_than_a_window_is_unanswered_and_pictures_nobody_answers_for_stop_no_others() -> None:
    waiting = [str(n) for n in range(10)]
    resending = Resending(10, waiting)
    sent = []
    for now_s in range(100):
        while (chosen := resending.choose(now_s)) is not None:
            resending.sent(chosen, now_s)
            sent.append(chosen)
            assert len(sent) < 200
        wait_s = resending.wait_s(now_s)
        assert wait_s is not None
        assert wait_s > 0
    assert sent[:WINDOW] == waiting[:WINDOW]
    assert set(sent) == set(waiting)


def test_a_new_connection_sends_first_what_was_unanswered_and_as_if_for_the_first_time() -> None:
    resending = Resending(10, ["a", "b", "c"])
    for picture in ("a", "b"):
        resending.sent(picture, 0)
        resending.sent(picture, 5)
    resending.reconnected()
    assert resending.choose(6) == "a"
    resending.sent("a", 6)
    assert resending.choose(6) == "b"
    resending.sent("b", 6)
    assert resending.choose(6) == "c"
    resending.sent("c", 6)
    assert resending.wait_s(6) == 10


def test_one_that_is_due_while_it_is_asked_how_long_to_wait_is_waited_for_no_longer() -> None:
    resending = Resending(10, ["a", "b"])
    resending.sent("a", 0)
    resending.sent("b", 5)
    assert resending.choose(9.9) is None
    assert resending.wait_s(10.1) == 0
    assert resending.choose(10.1) == "a"


def test_after_a_day_without_a_gateway_each_step_takes_as_little_as_with_one_picture() -> None:
    """Where a step took the longer, the more wait, this would take minutes."""
    resending = Resending(10, map(str, range(200_000)))
    sent = []
    for now_s in range(20_000):
        picture = resending.choose(now_s)
        assert picture is not None
        resending.sent(picture, now_s)
        resending.wait_s(now_s)
        resending.gone([picture])
        sent.append(picture)
    assert sent == [str(n) for n in range(20_000)]
