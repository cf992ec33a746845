"""Pictures of fruit: on disk under a quota, over real brokers, told to their agents only when they are kept."""

import asyncio
import contextlib
import json
import random
import signal
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Literal

import msgspec
import pytest
from aiomqtt import Client
from hypothesis import given
from hypothesis import strategies as st
from ledgersite import LEMON, START_US, Edge, case, now_us, pass_bytes
from linesite import LINE, LINED, OTHER_LINE, OUTLINE, SORTER, Belt, begun, belt_picture, evidence, jpeg
from patience import until

from contract import events, wire
from contract.site import Broker
from contract.topics import Topic
from contract.wire import Evidence, EvidenceKept, LineOrders, LotOrder, Status
from gateway import records
from gateway.broker import BrokerProcess, running
from gateway.errors import BadPicture, EvidenceDown
from gateway.evidence import jpeg as jpegs
from gateway.evidence.belts import Belts
from gateway.evidence.link import EvidenceLink
from gateway.evidence.pictures import LABELLED, ROW_BYTES, WAITING, Pictures
from gateway.evidence.reading import read
from gateway.intake import Intake
from gateway.ledger.ledger import Ledger

MANY = 100_000_000
LINES_OF = {SORTER: frozenset({LINE}), "dock-edge": frozenset[str]()}


# on disk


def fruit(belt: Belt, *verdicts: events.Verdict) -> list[Evidence]:
    """Pictures of 1000 bytes."""
    return [evidence(belt.fruit(verdict, pictured=True), size=1000) for verdict in verdicts]


def held(pictures: Pictures, among: list[Evidence]) -> list[int]:
    """Which of them are here, by their place."""
    return [n for n, one in enumerate(among) if pictures.picture(one.id) is not None]


def test_a_picture_is_there_with_what_was_said_of_it_after_a_restart(tmp_path: Path) -> None:
    [one] = fruit(Belt(), "defective")
    with Pictures.open(tmp_path, MANY) as pictures:
        assert pictures.put([one], {}, 77) == []
    with Pictures.open(tmp_path, MANY) as pictures:
        kept = pictures.get(one.id)
        assert kept is not None
        assert (kept.verdict, kept.score, kept.model) == (one.verdict, one.score, one.model)
        assert (kept.agent, kept.line, kept.at_us, kept.kept_us, kept.bytes) == (SORTER, LINE, one.at_us, 77, 1000)
        assert kept.outline == OUTLINE
        assert pictures.picture(one.id) == one.picture
        assert (pictures.count, pictures.bytes) == (1, 1000 + ROW_BYTES)
        assert (pictures.get("none"), pictures.picture("none")) == (None, None)


def test_the_same_picture_again_changes_nothing(tmp_path: Path) -> None:
    [one] = fruit(Belt(), "good")
    other = msgspec.structs.replace(one, picture=jpeg(500))
    with Pictures.open(tmp_path, MANY) as pictures:
        pictures.put([one], {}, 1)
        pictures.put([other, one], {}, 2)
        assert (pictures.picture(one.id), pictures.count, pictures.bytes) == (one.picture, 1, 1000 + ROW_BYTES)


def test_good_ones_make_room_first_and_labelled_ones_last(tmp_path: Path) -> None:
    room = 6 * (1000 + ROW_BYTES)
    belt = Belt()
    first = fruit(belt, "defective", "good", "unsure", "good", "good", "unsure")
    with Pictures.open(tmp_path, room) as pictures:
        pictures.put(first, {first[1].id: WAITING, first[5].id: LABELLED}, 1)
        assert held(pictures, first) == [0, 1, 2, 3, 4, 5]
        pictures.put(fruit(belt, "defective"), {}, 2)
        assert held(pictures, first) == [0, 1, 2, 4, 5], "the oldest good one that nobody waits for"
        pictures.put(fruit(belt, "defective", "unsure"), {}, 3)
        assert held(pictures, first) == [1, 2, 5], "then the oldest of the others"
        more = fruit(belt, *["unsure"] * 5)
        lost = pictures.put(more, dict.fromkeys([one.id for one in more], WAITING), 4)
        assert (held(pictures, first), lost) == ([5], [first[1].id]), "then what waits for a person"
        assert held(pictures, more) == [0, 1, 2, 3, 4]
        assert (pictures.count, pictures.bytes) == (6, room)


def test_what_came_first_makes_room_first_whatever_its_agents_clock_says(tmp_path: Path) -> None:
    behind = Belt(OTHER_LINE, at_us=START_US - 3_600_000_000)
    with Pictures.open(tmp_path, 3 * (1000 + ROW_BYTES)) as pictures:
        first = fruit(Belt(), "defective", "defective", "defective")
        pictures.put(first, {}, 2)
        late = fruit(behind, "defective", "good", "defective")
        pictures.put(late, {}, 1)  # the gateway's own clock was set back
        assert (held(pictures, first), held(pictures, late)) == ([2], [0, 2])


def test_labelled_ones_may_hold_half_the_quota(tmp_path: Path) -> None:
    belt = Belt()
    some = fruit(belt, *["unsure"] * 6)
    with Pictures.open(tmp_path, 6 * (1000 + ROW_BYTES)) as pictures:
        pictures.put(some, dict.fromkeys([one.id for one in some], LABELLED), 1)
        assert held(pictures, some) == [0, 1, 2, 3, 4, 5], "as long as nobody else is there"
        news = fruit(belt, "good", "unsure")
        assert pictures.put(news, {news[1].id: WAITING}, 2) == [some[0].id, some[1].id]
        assert (held(pictures, some), held(pictures, news)) == ([2, 3, 4, 5], [0, 1])
        more = fruit(belt, *["unsure"] * 4)
        pictures.put(more, dict.fromkeys([one.id for one in more], WAITING), 3)
        assert held(pictures, some) == [3, 4, 5], "half of it is theirs"
        assert held(pictures, [*news, *more]) == [3, 4, 5]


def test_ranks_change_with_the_reviews(tmp_path: Path) -> None:
    belt = Belt()
    some = fruit(belt, "good", "good", "good")
    with Pictures.open(tmp_path, 3 * (1000 + ROW_BYTES)) as pictures:
        pictures.put(some, {some[0].id: WAITING}, 1)
        assert pictures.mark({some[1].id: LABELLED, some[0].id: None, "elsewhere": WAITING}) == {
            some[0].id: OUTLINE,
            some[1].id: OUTLINE,
        }
        pictures.put(fruit(belt, "unsure"), {}, 2)
        assert held(pictures, some) == [1, 2]
        assert pictures.mark_all({some[2].id: WAITING}) == ({some[2].id: OUTLINE}, [])
        pictures.put(fruit(belt, "unsure"), {}, 2)
        assert held(pictures, some) == [2], "of the other nobody knows any more"


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_quota_holds_whatever_comes_and_so_does_the_file(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    belt = Belt()
    quota = 400_000
    with Pictures.open(tmp_path, quota) as pictures:
        for _ in range(60):
            some = [
                evidence(belt.fruit(chance.choice(["good", "unsure"]), pictured=True), size=chance.randint(100, 9000))
                for _ in range(chance.randint(1, 20))
            ]
            pictures.put(some, {one.id: chance.choice([WAITING, LABELLED]) for one in chance.sample(some, 1)}, 1)
            assert pictures.bytes <= quota, seed
        count, size = pictures.count, pictures.bytes
        assert size > quota / 2
    assert sum(file.stat().st_size for file in tmp_path.iterdir()) < 2 * quota
    with Pictures.open(tmp_path, quota // 4) as pictures:
        assert (pictures.count, pictures.bytes) == (count, size), "counted anew, the same"
        pictures.mark_all({})
        assert pictures.bytes <= quota // 4, "a smaller quota is a smaller store"
    assert sum(file.stat().st_size for file in tmp_path.iterdir()) < quota


def test_a_disk_that_was_full_leaves_the_account_right_and_nothing_gone(tmp_path: Path) -> None:
    belt = Belt()
    first, more = fruit(belt, *["defective"] * 5), fruit(belt, *["good"] * 200)
    with Pictures.open(tmp_path, MANY) as pictures:
        pictures.put(first, {}, 1)
        pages = pictures._db.execute("PRAGMA page_count").fetchone()[0]
        pictures._db.execute(f"PRAGMA max_page_count = {pages + 8}")  # SQLite's own way to be out of room
        for _ in range(3):
            with pytest.raises(EvidenceDown, match="full"):
                pictures.put(more, {}, 2)
        assert (pictures.count, pictures.bytes) == (5, 5 * (1000 + ROW_BYTES))
        pictures._db.execute("PRAGMA max_page_count = 1000000")
        assert pictures.put(more, {}, 3) == []
        assert held(pictures, first) == [0, 1, 2, 3, 4]
        account = pictures.count, pictures.bytes
    with Pictures.open(tmp_path, MANY) as pictures:
        assert (pictures.count, pictures.bytes) == account == (205, 205 * (1000 + ROW_BYTES))


def test_a_file_that_is_damaged_is_moved_aside(tmp_path: Path) -> None:
    (tmp_path / "evidence.db").write_bytes(b"no database" * 1000)
    [one] = fruit(Belt(), "good")
    with Pictures.open(tmp_path, MANY) as pictures:
        pictures.put([one], {}, 1)
        assert pictures.count == 1
    assert (tmp_path / "evidence.db.corrupt-1").read_bytes().startswith(b"no database")


def test_a_place_where_nothing_can_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "evidence").write_text("a file")
    with pytest.raises(EvidenceDown, match="evidence"), Pictures.open(tmp_path / "evidence", MANY):
        pass


KEEPER = """
import sys
from pathlib import Path
from gateway.evidence.pictures import Pictures
from linesite import Belt, evidence
belt = Belt()
with Pictures.open(Path(sys.argv[1]), 100_000_000) as pictures:
    while True:
        some = [evidence(belt.fruit(pictured=True), size=3000) for _ in range(5)]
        pictures.put(some, {}, 1)
        print(*(one.id for one in some), flush=True)
"""


def test_what_was_said_to_be_kept_is_there_after_kill_9(tmp_path: Path) -> None:
    tests = Path(__file__).parent.parent
    environment = {"PYTHONPATH": f"{tests.parent}:{tests}"}
    said: list[str] = []
    process = subprocess.Popen(
        [sys.executable, "-c", KEEPER, str(tmp_path)], stdout=subprocess.PIPE, text=True, env=environment
    )
    assert process.stdout is not None
    for line in process.stdout:
        said += line.split()
        if len(said) >= 200:
            process.send_signal(signal.SIGKILL)
            break
    said += process.stdout.read().rpartition("\n")[0].split()
    process.wait()
    with Pictures.open(tmp_path, MANY) as pictures:
        assert pictures.outlines(said).keys() == set(said)
        assert pictures.count >= len(said)


# what a JPEG is


def test_what_is_no_jpeg_is_told(tmp_path: Path) -> None:
    jpegs.check(jpeg())
    progressive = jpeg().replace(b"\xff\xc0", b"\xff\xe0\x00\x04ab\xff\xff\xc2")
    jpegs.check(progressive)
    bad = {
        b"": "does not begin",
        b"GIF89a": "does not begin",
        jpeg()[:-2]: "torn",
        b"\xff\xd8\xff\xd9": "without the header",
        b"\xff\xd8\xff\xda\x00\x02\xff\xd9": "without the header",
        jpeg(width=0): "0 x 48 pixels",
        jpeg(width=65_535, height=65_535): "65535 x 65535 pixels",
        b"\xff\xd8\xff\xe0\x00\x00" + jpeg()[2:]: "without the header",
    }
    for data, why in bad.items():
        with pytest.raises(BadPicture, match=why):
            jpegs.check(data)


@given(st.binary(max_size=80))
def test_of_any_bytes_it_is_said_whether_they_are_one(data: bytes) -> None:
    for some in (data, b"\xff\xd8\xff" + data + b"\xff\xd9"):
        with contextlib.suppress(BadPicture):
            jpegs.check(some)


TOPIC = str(Topic("north", SORTER, "evidence"))


@given(st.sampled_from([TOPIC, "tc/v1/north/stranger/evidence", "x"]), st.one_of(st.binary(max_size=200), st.text()))
def test_any_message_is_kept_shown_or_refused(topic: str, data: bytes | str) -> None:
    found = read([(topic, data if isinstance(data, bytes) else msgspec.json.encode(data))], LINES_OF)
    assert len(found.fruit) + len(found.belts) + len(found.refused) == 1


def test_who_may_send_what() -> None:
    one = evidence(Belt().fruit("unsure"))
    strange = msgspec.structs.replace(one, agent="someone")
    elsewhere = evidence(Belt(OTHER_LINE).fruit("unsure"))
    messages = [
        (TOPIC, wire.encode(one)),
        (TOPIC, wire.encode(belt_picture(1))),
        (TOPIC, wire.encode(strange)),
        (TOPIC, wire.encode(elsewhere)),
        (TOPIC, wire.encode(msgspec.structs.replace(one, picture=b"GIF89a"))),
        (str(Topic("north", "dock-edge", "evidence")), wire.encode(msgspec.structs.replace(one, agent="dock-edge"))),
        (str(Topic("north", "stranger", "evidence")), wire.encode(one)),
        (TOPIC, b" " * (wire.MAX_EVIDENCE_BYTES + 1)),
    ]
    found = read(messages, LINES_OF)
    assert (found.fruit, [belt.kind for belt in found.belts]) == ([one], ["belt"])
    assert [(refused.agent, refused.picture) for refused in found.refused] == [
        (SORTER, one.id),
        (SORTER, elsewhere.id),
        (SORTER, one.id),
        ("dock-edge", one.id),
        (None, None),
        (SORTER, None),
    ]


def test_the_id_of_what_cannot_be_read_is_found_that_it_need_not_come_again() -> None:
    one = evidence(Belt().fruit("unsure"), size=30_000)
    whole = wire.encode(one)
    spaced = json.dumps(json.loads(whole)).encode()
    unreadable = [
        whole[:-1],
        whole[:1000],
        spaced[:1000],
        wire.encode(msgspec.structs.replace(one, schema=9)),
        whole.replace(b'"score":0.5', b'"score":5.0'),
        wire.encode(msgspec.structs.replace(one, picture=b"x" * wire.MAX_EVIDENCE_BYTES)),
    ]
    assert [refused.picture for refused in read([(TOPIC, data) for data in unreadable], LINES_OF).refused] == [
        one.id
    ] * 6
    nameless = [whole.replace(one.id.encode(), b"../ledger"), b"", b'"id":""']
    assert [refused.picture for refused in read([(TOPIC, data) for data in nameless], LINES_OF).refused] == [None] * 3


# over a broker


class House:
    """A gateway's intake and pictures, a real broker, and a line's agent as a bare MQTT client."""

    def __init__(self, client: Client, ledger: Ledger, pictures: Pictures, belts: Belts) -> None:
        self.client = client
        self.ledger = ledger
        self.pictures = pictures
        self.belts = belts

    async def send(self, *pictures: Evidence, agent: str = SORTER) -> None:
        for one in pictures:
            await self.client.publish(str(Topic("north", agent, "evidence")), wire.encode(one), qos=1)

    async def beat(self) -> None:
        status = Status(agent=SORTER, state="online", at_us=now_us())
        await self.client.publish(str(Topic("north", SORTER, "status")), wire.encode(status), qos=1)

    async def told(self) -> wire.Command:
        """The next command."""
        async with asyncio.timeout(20):
            async for message in self.client.messages:
                if str(message.topic).endswith("/command"):
                    assert isinstance(message.payload, bytes)
                    return wire.decode_command(message.payload)
        raise AssertionError("the connection ended")

    async def kept(self, count: int) -> list[str]:
        """The next so many ids that are said to be kept."""
        ids: list[str] = []
        while len(ids) < count:
            command = await self.told()
            if isinstance(command, EvidenceKept):
                ids += command.ids
        return ids


@asynccontextmanager
async def gateway(folder: Path, child: BrokerProcess, room: int = MANY) -> AsyncIterator[House]:
    here = LINED.model_copy(update={"broker": child.broker})
    belts = Belts()
    with (
        Ledger.open(folder / "ledger.db", here, now_us) as ledger,
        Pictures.open(folder / "evidence", room) as pictures,
    ):
        async with Client(child.broker.host, child.broker.port) as client, asyncio.TaskGroup() as group:
            await client.subscribe([(str(Topic("north", SORTER, channel)), 1) for channel in ("command", "ack")])
            intake = Intake(here, ledger)
            link = EvidenceLink(here, ledger, pictures, belts, now_us)
            tasks = [group.create_task(intake.run()), group.create_task(link.run())]
            await until(lambda: intake.link.state == "ok" and link.up)
            yield House(client, ledger, pictures, belts)
            for task in tasks:
                task.cancel()


def play(
    folder: Path,
    story: Callable[[House], Awaitable[None]],
    kind: Literal["nats", "mosquitto"] = "nats",
    room: int = MANY,
) -> None:
    async def run() -> None:
        async with (
            running(Broker(kind=kind, data=folder / "broker"), free_port=True) as child,
            gateway(folder, child, room) as house,
        ):
            await story(house)

    asyncio.run(run())


@pytest.mark.parametrize("kind", ["nats", "mosquitto"])
def test_pictures_are_kept_and_then_told(tmp_path: Path, kind: Literal["nats", "mosquitto"]) -> None:
    async def story(house: House) -> None:
        belt = Belt()
        some = [evidence(belt.fruit("defective"), size=size) for size in (300, 20_000, 350_000)]
        await house.send(*some)
        assert set(await house.kept(3)) == {one.id for one in some}
        assert all(house.pictures.picture(one.id) == one.picture for one in some)
        await house.send(*some)
        assert set(await house.kept(3)) == {one.id for one in some}, "it had not heard it the first time"
        assert house.pictures.count == 3

    play(tmp_path, story, kind)


def test_what_is_refused_is_buried_and_never_sent_again(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        belt = Belt()
        torn = evidence(belt.fruit("unsure"), picture=jpeg()[:-9])
        elsewhere = evidence(Belt(OTHER_LINE).fruit("unsure"))
        fine = evidence(belt.fruit("unsure"))
        await house.client.publish(str(Topic("north", SORTER, "evidence")), b"{", qos=1)
        await house.send(fine, agent="stranger")
        newer = msgspec.structs.replace(evidence(belt.fruit("unsure")), schema=9)
        await house.send(torn, elsewhere, fine, newer)
        reasons: dict[str, str] = {}
        ids: set[str] = set()
        while len(ids) < 4:
            command = await house.told()
            assert isinstance(command, EvidenceKept)
            ids.update(command.ids)
            reasons |= command.refused
        assert ids == {torn.id, elsewhere.id, fine.id, newer.id}
        assert reasons.keys() == ids - {fine.id}
        assert "torn JPEG" in reasons[torn.id]
        assert "schema 9" in reasons[newer.id]
        assert house.pictures.count == 1
        await house.ledger.tick(now_us())
        counts = {view.subject: view.count for view in house.ledger.views("exceptions").values()}
        assert counts == {SORTER: 4, "unlisted": 1}
        assert len(house.ledger.dead_letters(10)) == 5

    play(tmp_path, story)


def test_a_review_is_shown_when_both_the_verdict_and_the_picture_are_there(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        belt = Belt()
        early, late = belt.fruit("unsure"), belt.fruit("unsure")
        sorter = Edge(house.ledger, SORTER)
        await house.send(evidence(early))
        await house.kept(1)
        assert house.ledger.views("reviews") == {}
        await sorter.tell(early, late)
        await until(lambda: list(house.ledger.views("reviews")) == [early.subject])
        await house.send(evidence(late))
        await until(lambda: list(house.ledger.views("reviews")) == [early.subject, late.subject])
        assert house.ledger.views("reviews")[late.subject].outline == list(OUTLINE)
        answer = records.ReviewAnswered(at_us=now_us(), id=early.subject, label="good", who="Ana")
        await house.ledger.record(answer)
        assert list(house.ledger.views("reviews")) == [late.subject]
        await until(lambda: ranks(tmp_path) == {early.subject: LABELLED, late.subject: WAITING})
        await house.ledger.record(msgspec.structs.replace(answer, id=late.subject, label="unusable"))
        await until(lambda: ranks(tmp_path) == {early.subject: LABELLED, late.subject: 1})

    play(tmp_path, story)


def test_a_review_whose_picture_had_to_make_room_is_closed(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        belt = Belt()
        fruit = [belt.fruit("unsure") for _ in range(3)]
        await Edge(house.ledger, SORTER).tell(*fruit)
        await house.send(*(evidence(one, size=1000) for one in fruit))
        await house.kept(3)
        await until(lambda: list(house.ledger.views("reviews")) == [fruit[2].subject])
        view = house.ledger.views("lines")[LINE]
        assert (view.to_review, view.unpictured) == (1, 2)

    play(tmp_path, story, room=1000 + ROW_BYTES)


def ranks(folder: Path) -> dict[str, int]:
    with sqlite3.connect(folder / "evidence" / "evidence.db") as db:
        return dict(db.execute("SELECT id, rank FROM pictures"))


def test_a_gateway_that_begins_again_knows_which_pictures_are_there(tmp_path: Path) -> None:
    async def story() -> None:
        belt = Belt()
        one, unusable = belt.fruit("unsure"), belt.fruit("unsure")
        async with running(Broker(data=tmp_path / "broker"), free_port=True) as child:
            async with gateway(tmp_path, child) as before:
                await Edge(before.ledger, SORTER).tell(one, unusable)
                await before.send(evidence(one), evidence(unusable))
                await before.kept(2)
                answer = records.ReviewAnswered(at_us=now_us(), id=unusable.subject, label="unusable", who="Ana")
                await before.ledger.record(answer)
            async with gateway(tmp_path, child) as after:
                await until(lambda: list(after.ledger.views("reviews")) == [one.subject])
                assert ranks(tmp_path) == {one.subject: WAITING, unusable.subject: 1}

    asyncio.run(story())


def test_a_gateway_that_begins_again_with_less_room_closes_what_it_lets_go(tmp_path: Path) -> None:
    async def story() -> None:
        belt = Belt()
        fruit = [belt.fruit("unsure") for _ in range(3)]
        async with running(Broker(data=tmp_path / "broker"), free_port=True) as child:
            async with gateway(tmp_path, child) as before:
                await Edge(before.ledger, SORTER).tell(*fruit)
                await before.send(*(evidence(one, size=1000) for one in fruit))
                await before.kept(3)
            async with gateway(tmp_path, child, room=1000 + ROW_BYTES) as after:
                await until(lambda: after.ledger.views("lines")[LINE].unpictured == 2)
                await until(lambda: list(after.ledger.views("reviews")) == [fruit[2].subject])

    asyncio.run(story())


def test_of_the_belt_only_the_newest_picture_is_held_and_none_on_disk(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        before_us = now_us()
        for at_us in (START_US, START_US + 2, START_US + 1):
            await house.send(belt_picture(at_us, size=200 + at_us - START_US))
        await house.send(evidence(Belt().fruit("unsure")))
        await house.kept(1)
        told_us = house.ledger.views("lines")[LINE].belt_us
        assert told_us is not None
        assert before_us <= told_us <= now_us(), "of the gateway's clock: that of the agent may be wrong"
        assert house.belts.picture(LINE) == jpeg(202)
        assert house.belts.picture(OTHER_LINE) is None
        assert house.pictures.count == 1

    play(tmp_path, story)


def test_a_belt_whose_clock_was_set_back_is_shown_all_the_same() -> None:
    belts = Belts()
    assert belts.put(LINE, START_US, jpeg(201))
    assert not belts.put(LINE, START_US - 1, jpeg(202))
    assert belts.put(LINE, START_US - 3_600_000_000, jpeg(203))
    assert belts.picture(LINE) == jpeg(203)


def test_an_agent_is_told_its_lots_when_they_begin_and_whenever_it_is_heard(tmp_path: Path) -> None:
    async def story() -> None:
        async with running(Broker(data=tmp_path / "broker"), free_port=True) as child:
            async with gateway(tmp_path, child) as house:
                await house.beat()
                await house.ledger.record(begun(OTHER_LINE, "L9"), begun(LINE, "L1", sku="lemon-4kg"))
                expected = LineOrders(lines={LINE: LotOrder(lot="L1", sku="lemon-4kg")})
                assert await house.told() == expected
                await house.beat()
                assert await house.told() == expected
            async with gateway(tmp_path, child) as again:
                assert await again.told() == expected, "as soon as the gateway is there"

    asyncio.run(story())


def test_pictures_that_cannot_be_kept_delay_no_event_and_are_kept_when_they_can(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        belt = Belt()
        some = [evidence(belt.fruit("defective")) for _ in range(5)]
        with sqlite3.connect(tmp_path / "evidence" / "evidence.db", isolation_level=None) as other:
            other.execute("BEGIN IMMEDIATE")  # as a program that copies the file may
            await house.send(*some)
            body = pass_bytes(case(LEMON, 1), START_US)
            batch = wire.encode_batch(SORTER, "first", 1, 1, (body,))
            await house.client.publish(str(Topic("north", SORTER, "events")), batch, qos=1)
            async with asyncio.timeout(20):
                async for message in house.client.messages:
                    assert not str(message.topic).endswith("/command"), "nothing is kept, so nothing may be told"
                    assert isinstance(message.payload, bytes)
                    if wire.decode_ack(message.payload).through == 1:
                        break
            other.execute("ROLLBACK")
        await house.send(*some)
        assert set(await house.kept(5)) == {one.id for one in some}
        assert house.pictures.count == 5

    play(tmp_path, story)


def test_the_broker_goes_and_comes_back(tmp_path: Path) -> None:
    async def story() -> None:
        async with running(Broker(data=tmp_path / "broker"), free_port=True) as child:
            async with gateway(tmp_path, child) as house:
                await house.ledger.record(begun(LINE, "L1"))
                assert isinstance(await house.told(), LineOrders)
                here = LINED.model_copy(update={"broker": child.broker})
            belts = Belts()
            with (
                Ledger.open(tmp_path / "ledger.db", here, now_us) as ledger,
                Pictures.open(tmp_path / "evidence", MANY) as pictures,
            ):
                link = EvidenceLink(here, ledger, pictures, belts, now_us)
                task = asyncio.create_task(link.run())
                await until(lambda: link.up)
                await child.kill()
                await until(lambda: not link.up)
                await child.start()
                async with Client(child.broker.host, child.broker.port) as client:
                    await client.subscribe(str(Topic("north", SORTER, "command")), qos=1)
                    again = House(client, ledger, pictures, belts)
                    await until(lambda: link.up)
                    one = evidence(Belt().fruit("unsure"))
                    await again.send(one)
                    assert await again.kept(1) == [one.id]
                task.cancel()
                done, _ = await asyncio.wait([task], timeout=10)
                assert done

    asyncio.run(story())
