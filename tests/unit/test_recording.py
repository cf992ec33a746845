"""Raw reads on disk: what a door was told comes back as it was, after a kill, a full disk, an hour or a week."""

import asyncio
import gzip
import resource
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from random import Random

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st
from patience import until

from contract.events import DoorPass, EmptyPass
from contract.portals import Door, LlrpReader, PhotoEyes
from contract.site import Recordings
from contract.sitepart import Title
from edge.doorkeeper import Doorkeeper
from edge.errors import BadReads
from edge.llrp.link import wall_us
from edge.llrp.read import Read
from edge.recorder import A_FILE_US, FOLDER, Recorder, Tape, file_name
from edge.recording import (
    BeamEntry,
    DueEntry,
    Entry,
    EyesEntry,
    GpiEntry,
    ReadsEntry,
    SightEntry,
    is_recording,
    read_recording,
    reads_entry,
    write_recording,
)
from edge.replay import decide
from edge.tapes import collect

BEGIN_US = 1_790_000_000_000_000


class Clock:
    """The agent's clock, set by the test."""

    def __init__(self) -> None:
        self.now_us = BEGIN_US

    def __call__(self) -> int:
        return self.now_us


def door(name: str = "dock-1") -> Door:
    reader = LlrpReader(name=f"reader-{name}", inside=[1], outside=[2])
    return Door(name=name, title=Title(en="Door", zh="门"), agent="dock-edge", inside="receiving", readers=[reader])


def read(at_us: int, epc: str = "30" * 12, antenna: int = 1) -> Read:
    return Read(at_us=at_us, epc=epc, antenna=antenna, rssi_dbm=-61.5, reader="reader-dock-1")


def tape(data: Path, clock: Clock, *doors: Door) -> Tape:
    made = Recorder(data, Recordings(), clock).tape(doors or [door()])
    assert made is not None
    return made


def bring(written: Tape) -> None:
    """To the disk, as the recorder does once a second."""
    written.write(written.take())


def entries_of(path: Path) -> list[Entry]:
    return list(read_recording(path)[1])


def test_what_a_door_was_told_is_collected_as_it_was(tmp_path: Path) -> None:
    clock = Clock()
    written = tape(tmp_path, clock)
    written.reads([read(BEGIN_US - 20), read(BEGIN_US - 10, antenna=2)])
    written.beam("eye-outer", True, BEGIN_US)
    clock.now_us += 1_000_000
    written.sight("reader-dock-1", False, clock.now_us)
    bring(written)

    doors, entries = collect(tmp_path, "dock-1", BEGIN_US, clock.now_us)

    assert [one.name for one in doors] == ["dock-1"]
    heard, beam, sight = entries
    assert isinstance(heard, ReadsEntry)
    assert heard.reads == [read(BEGIN_US - 20), read(BEGIN_US - 10, antenna=2)]
    assert beam == BeamEntry(BEGIN_US, "eye-outer", True, BEGIN_US)
    assert sight == SightEntry(BEGIN_US + 1_000_000, "reader-dock-1", False, BEGIN_US + 1_000_000)


def test_a_killed_agent_loses_only_what_was_not_written(tmp_path: Path) -> None:
    written = tape(tmp_path, Clock())
    written.reads([read(BEGIN_US)])
    bring(written)
    written.reads([read(BEGIN_US + 1)])  # and never closes
    path = written.path
    assert path is not None
    assert [entry.arrived_us for entry in entries_of(path)] == [BEGIN_US]
    torn = tmp_path / "torn.jsonl.gz"
    torn.write_bytes(path.read_bytes()[:-3])
    assert len(entries_of(torn)) <= 1


def test_a_new_hour_begins_a_new_file_with_what_still_holds(tmp_path: Path) -> None:
    clock = Clock()
    written = tape(tmp_path, clock)
    written.sight("reader-dock-1", False, clock.now_us)
    bring(written)
    clock.now_us += A_FILE_US
    written.reads([read(clock.now_us)])
    bring(written)
    assert written.path is not None
    kinds = [type(entry) for entry in entries_of(written.path)]
    assert kinds == [SightEntry, ReadsEntry]
    _, entries = collect(tmp_path, "dock-1", clock.now_us, clock.now_us)
    assert [type(entry) for entry in entries] == [SightEntry, SightEntry, ReadsEntry], "told twice is told"


def test_old_files_go_first_and_the_one_being_written_stays(tmp_path: Path) -> None:
    clock = Clock()
    recorder = Recorder(tmp_path, Recordings(days=1, megabytes=1), clock)
    written = recorder.tape([door()])
    assert written is not None
    for hour in range(30):
        clock.now_us = BEGIN_US + hour * A_FILE_US
        written.reads([read(clock.now_us)])
        recorder.write()
        recorder.prune()
    files = sorted(path.name for path in (tmp_path / FOLDER).glob("*/*"))
    assert 24 <= len(files) <= 26, "a day of hours"
    assert written.path is not None
    assert written.path.name == files[-1]
    doors, entries = collect(tmp_path, "dock-1", BEGIN_US, clock.now_us)
    assert doors
    assert min(entry.arrived_us for entry in entries) > BEGIN_US, "the first hours are gone"


def test_the_agents_recorder_writes_by_itself_and_at_its_end(tmp_path: Path) -> None:
    async def story() -> None:
        recorder = Recorder(tmp_path, Recordings(), lambda: BEGIN_US)
        written = recorder.tape([door()])
        assert written is not None
        running = asyncio.create_task(recorder.run())
        await asyncio.sleep(0)
        written.reads([read(BEGIN_US)])
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        assert recorder.counts() == {"recording_dropped": 0}

    asyncio.run(story())
    _, entries = collect(tmp_path, "dock-1", BEGIN_US, BEGIN_US)
    assert len(list(entries)) == 1


def test_a_disk_that_refuses_costs_the_recording_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / FOLDER).write_text("a file where the folder should be")
    clock = Clock()
    recorder = Recorder(tmp_path, Recordings(), clock)
    written = recorder.tape([door()])
    assert written is not None
    written.sight("reader-dock-1", False, clock.now_us)
    recorder.write()
    recorder.prune()
    assert recorder.counts()["recording_dropped"] == 1

    (tmp_path / FOLDER).unlink()
    clock.now_us += 1_000_000
    written.reads([read(clock.now_us)])
    recorder.write()
    assert written.path is not None
    assert [type(entry) for entry in entries_of(written.path)] == [SightEntry, ReadsEntry], "what holds is known again"


def record_on_a_full_disk(folder: Path) -> tuple[int, int, list[int]]:
    """In a process of its own, to which the system gives 2,000 octets a file and then none: lines told and dropped."""
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())  # its lines would go to a file, too
    resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))
    random, clock = Random(5), Clock()
    recorder = Recorder(folder, Recordings(), clock)
    written = recorder.tape([door()])
    assert written is not None
    for _ in range(100):
        clock.now_us += 1_000_000
        written.reads([read(clock.now_us, random.randbytes(12).hex())])
        recorder.write()
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 2000))
    for _ in range(5):
        clock.now_us += 1_000_000
        written.reads([read(clock.now_us)])
        recorder.write()
    files = sorted((folder / FOLDER).glob("*/*"))
    return 105, recorder.counts()["recording_dropped"], [len(entries_of(path)) for path in files]


def test_a_full_disk_keeps_what_fitted_and_is_not_filled_with_empty_files(tmp_path: Path) -> None:
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:
        told, dropped, files = process.submit(record_on_a_full_disk, tmp_path).result()
    assert 0 < dropped < told
    assert told - dropped <= sum(files) < told, "every line is on disk or counted"
    assert 0 not in files


def test_a_clock_that_is_set_back_begins_a_new_file(tmp_path: Path) -> None:
    clock = Clock()
    written = tape(tmp_path, clock)
    for seconds in (0, 60, -1800, 60):
        clock.now_us += seconds * 1_000_000
        written.reads([read(clock.now_us)])
        bring(written)
    files = sorted((tmp_path / FOLDER).glob("*/*"))
    assert [len(entries_of(path)) for path in files] == [2, 2]
    _, entries = collect(tmp_path, "dock-1", BEGIN_US - 1_800_000_000, BEGIN_US)
    assert sum(isinstance(entry, ReadsEntry) for entry in entries) == 3, "what was told before, of a later time, too"


def test_a_clock_that_is_wrong_for_some_minutes_costs_some_files_at_most(tmp_path: Path) -> None:
    clock = Clock()
    recorder = Recorder(tmp_path, Recordings(), clock)
    written = recorder.tape([door()])
    assert written is not None
    for _ in range(48):
        written.reads([read(clock.now_us)])
        recorder.write()
        clock.now_us += A_FILE_US
    clock.now_us += 365 * 24 * A_FILE_US
    for _ in range(3):
        recorder.prune()
    assert len(list((tmp_path / FOLDER).glob("*/*"))) == 45


def test_the_oldest_go_when_there_is_too_much(tmp_path: Path) -> None:
    clock = Clock()
    recorder = Recorder(tmp_path, Recordings(megabytes=1), clock)
    folder = tmp_path / FOLDER / "dock-1"
    folder.mkdir(parents=True)
    for hour in range(4):
        (folder / file_name(BEGIN_US + hour * A_FILE_US)).write_bytes(bytes(400_000))
    recorder.prune()
    assert sorted(path.name for path in folder.iterdir()) == [file_name(BEGIN_US + hour * A_FILE_US) for hour in (2, 3)]


def test_what_stands_still_on_disk_beside_a_torn_file_is_collected(tmp_path: Path) -> None:
    """After a power cut the newest file is there and empty."""
    clock = Clock()
    written = tape(tmp_path, clock)
    written.reads([read(clock.now_us)])
    bring(written)
    (tmp_path / FOLDER / "dock-1" / file_name(clock.now_us + 1)).touch()
    _, entries = collect(tmp_path, "dock-1", BEGIN_US, clock.now_us)
    assert len(list(entries)) == 1


def test_a_row_that_became_longer_is_collected_by_its_newest_settings(tmp_path: Path) -> None:
    """dock-1 stood alone until yesterday; the name of the longer row is cut, as a folder's must be."""
    clock = Clock()
    alone = tape(tmp_path, clock)
    alone.reads([read(clock.now_us)])
    bring(alone)
    clock.now_us += A_FILE_US
    row = tape(tmp_path, clock, *(door(f"dock-{number:028}") for number in range(6)), door())
    row.reads([read(clock.now_us)])
    bring(row)
    doors, entries = collect(tmp_path, "dock-1", BEGIN_US, clock.now_us)
    assert len(doors) == 7
    assert len(list(entries)) == 2


def test_reads_of_a_reader_that_was_renamed_meanwhile_decide_nothing() -> None:
    foreign = read(BEGIN_US)
    foreign = Read(foreign.at_us, foreign.epc, foreign.antenna, foreign.rssi_dbm, "reader-of-last-week")
    assert list(decide([door()], [reads_entry(BEGIN_US, [foreign])])) == []


def test_reads_that_came_in_a_burst_after_an_outage_are_decided_again_as_the_live_door_did(tmp_path: Path) -> None:
    """The reader held them back, and sent them in reports a few milliseconds apart when the link was there again."""

    async def story() -> list[DoorPass | EmptyPass]:
        told: list[DoorPass | EmptyPass] = []
        recorder = Recorder(tmp_path, Recordings(), wall_us)
        keeper = Doorkeeper([door()], told.append, wall_us, recorder.tape([door()]))
        keeping = asyncio.create_task(keeper.run())
        begin_us = wall_us() - 60_000_000
        for n in range(60):
            at_us = begin_us + n * 50_000
            inside = Read(at_us, "30" * 12, 1, -75 + min(n, 40) // 2, "reader-dock-1")
            outside = Read(at_us + 20_000, "30" * 12, 2, -55 - n // 3, "reader-dock-1")
            keeper.feed([inside, outside])
            if n % 20 == 7:
                keeper.feed([Read(wall_us(), "31" * 12, 1, -60, "reader-dock-1")])
        await until(lambda: bool(told))
        keeping.cancel()
        recorder.write()
        return told

    told = asyncio.run(story())
    doors, entries = collect(tmp_path, "dock-1", 0, wall_us())
    again = list(decide(doors, entries, live=True))
    assert again[: len(told)] == told
    assert [one.direction for one in told if isinstance(one, DoorPass)] == ["inbound"]


def test_a_door_records_its_own_photo_eyes_and_no_others(tmp_path: Path) -> None:
    async def story() -> None:
        clock = Clock()
        eyes = PhotoEyes(outer="eye-1-outer", inner="eye-1-inner")
        site_door = door().model_copy(update={"photo_eyes": eyes})
        written = tape(tmp_path, clock, site_door)
        keeper = Doorkeeper([site_door], lambda event: None, clock, written)
        every_eye = {"eye-1-outer", "eye-1-inner", "eye-2-outer", "eye-2-inner"}
        keeper.eyes(every_eye, set(), clock.now_us)
        keeper.eyes({"eye-2-outer"}, {"eye-2-outer"}, clock.now_us)
        for eye in sorted(every_eye):
            keeper.beam(eye, True, clock.now_us)
        bring(written)
        assert written.path is not None
        watched, *beams = entries_of(written.path)
        assert isinstance(watched, EyesEntry)
        assert watched.watched == ("eye-1-inner", "eye-1-outer")
        assert [beam.register for beam in beams if isinstance(beam, BeamEntry)] == ["eye-1-inner", "eye-1-outer"]

    asyncio.run(story())


def test_no_recordings_where_the_site_wants_none(tmp_path: Path) -> None:
    assert Recorder(tmp_path, Recordings(days=0), Clock()).tape([door()]) is None


def test_nothing_recorded_is_said_with_the_place(tmp_path: Path) -> None:
    with pytest.raises(BadReads, match="dock-9"):
        collect(tmp_path, "dock-9", BEGIN_US, BEGIN_US)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (b"", "no recording of doors"),
        (b'{"kind":"doors","doors":[{"name":"x"}]}\n', "no recording of doors"),
        (b'{"kind":"other"}\n', "no recording of doors"),
    ],
)
def test_a_file_of_something_else_is_refused_by_its_first_line(tmp_path: Path, text: bytes, says: str) -> None:
    path = tmp_path / "x.jsonl"
    path.write_bytes(text)
    with pytest.raises(BadReads, match=says):
        read_recording(path)


def test_a_bad_line_is_named(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    write_recording(path, [door()], [])
    path.write_bytes(path.read_bytes() + b'["reads",1,[[1,"zz",1,-60.0,"r",null,null]]]\n')
    with pytest.raises(BadReads, match=r"x\.jsonl:2"):
        list(read_recording(path)[1])


_times = st.integers(BEGIN_US, BEGIN_US + 10**9)
_names = st.sampled_from(["one", "two"])
_heard = st.tuples(
    _times,
    st.binary(min_size=1, max_size=62).map(bytes.hex),
    st.integers(1, 4),
    st.floats(-120, 0),
    _names,
    st.none() | st.integers(0, 50),
    st.none() | st.integers(0, 4095),
)
_entries = st.lists(
    st.one_of(
        st.builds(ReadsEntry, _times, st.lists(_heard).map(tuple)),
        st.builds(BeamEntry, _times, _names, st.booleans(), _times),
        st.builds(EyesEntry, _times, st.lists(_names).map(tuple), st.lists(_names).map(tuple), _times),
        st.builds(GpiEntry, _times, _names, st.integers(1, 4), st.booleans(), _times),
        st.builds(SightEntry, _times, _names, st.booleans(), _times),
        st.builds(DueEntry, _times),
    ),
    max_size=20,
)


@given(entries=_entries, packed=st.booleans(), cut=st.integers(0, 40))
def test_a_recording_comes_back_as_written_and_a_cut_one_up_to_the_cut(
    tmp_path_factory: pytest.TempPathFactory, entries: list[Entry], packed: bool, cut: int
) -> None:
    path = tmp_path_factory.getbasetemp() / ("a.jsonl.gz" if packed else "a.jsonl")
    write_recording(path, [door()], entries)
    assert is_recording(path)
    assert entries_of(path) == entries
    lines = gzip.decompress(path.read_bytes()) if packed else path.read_bytes()
    whole = lines[: len(lines) - cut]
    path.write_bytes(gzip.compress(whole) if packed else whole)
    if b"\n" in whole:
        assert entries_of(path) == entries[: whole.count(b"\n") - 1]
