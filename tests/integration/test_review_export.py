"""Labels out of a running gateway, as a training set that the models can be trained on."""

import asyncio
import csv
import json
import subprocess
import sys
import threading
from collections.abc import Awaitable, Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import cv2
import numpy as np
import pytest
from ledgersite import START_US, Edge, now_us
from linesite import LINED, OUTLINE, SORTER, Belt, evidence
from servedgateway import Served, served
from serverprocess import free_port

from contract import events
from edge.vision.views import Mask
from gateway.errors import ExportFailed
from gateway.evidence.pictures import Pictures
from gateway.exportorder import advice
from gateway.records import Label
from gateway.reviewexport import COLUMNS, Exported, address, export
from models.produce.data import of, photos, read
from models.produce.reviewed import Reviewed, reviewed
from models.produce.stock import Stock

ROOT = Path(__file__).parent.parent.parent
DAY_US = 86_400_000_000


def photo(seed: int) -> bytes:
    """A JPEG of noise."""
    noise = np.random.default_rng(seed).integers(0, 255, (48, 64, 3), np.uint8)
    encoded, data = cv2.imencode(".jpg", noise)
    assert encoded
    return data.tobytes()


async def labelled(gateway: Served, sorter: Edge, fruit: list[events.Inspection], *labels: Label) -> None:
    """People have looked at this fruit."""
    await sorter.tell(*fruit)
    pictures = [evidence(one, picture=photo(n)) for n, one in enumerate(fruit)]
    await asyncio.to_thread(gateway.pictures.put, pictures, {}, now_us())
    for one, label in zip(fruit, labels, strict=False):
        answer = await gateway.client.post(f"/api/v1/reviews/{one.subject}", json={"label": label, "who": "Ana"})
        assert answer.status_code == 200, answer.text


def corners(mask: Mask) -> list[tuple[int, int]]:
    """Of a triangle, in the order in which it was drawn."""
    found, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    (outline,) = found
    told = [(int(x), int(y)) for x, y in cv2.approxPolyDP(outline, 2, closed=True)[:, 0]]
    return sorted(told, key=lambda at: (at[1], at[0]))


def stocked(found: Reviewed) -> Stock:
    """What a classifier learns from, of these pictures alone."""
    return Stock(seen=[], judged=found.shots, nothing=[], drawn={}, drawn_aside={}, aside=frozenset())


def rows(out: Path) -> list[dict[str, str]]:
    with (out / "manifest.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def play(folder: Path, story: Callable[[Served, Edge, Belt], Awaitable[None]]) -> None:
    async def played() -> None:
        async with served(folder / "gateway", LINED) as gateway:
            belt = Belt(at_us=START_US)
            belt.begin("L1")
            await story(gateway, Edge(gateway.ledger, SORTER), belt)

    (folder / "gateway").mkdir(parents=True)
    asyncio.run(played())


async def exported(gateway: Served, out: Path, **wish: object) -> Exported:
    told: list[tuple[int, int]] = []

    def progress(done: int, of_all: int) -> None:
        told.append((done, of_all))

    done = await asyncio.to_thread(export, gateway.url, out, progress=progress, **wish)  # type: ignore[arg-type]
    assert told == [(n, len(told)) for n in range(1, len(told) + 1)]
    return done


def test_what_people_said_becomes_a_set_that_models_can_be_trained_on(tmp_path: Path) -> None:
    out = tmp_path / "produce" / "lemon"

    async def story(gateway: Served, sorter: Edge, belt: Belt) -> None:
        fruit = [belt.fruit("unsure") for _ in range(5)]
        await labelled(gateway, sorter, fruit, "good", "defective", "unusable", "defective")
        done = await exported(gateway, out)
        assert (dict(done.labels), done.added, done.unusable, done.gone) == ({"good": 1, "defective": 2}, 3, 1, 0)
        first = rows(out)[0]
        assert tuple(first) == COLUMNS
        assert (first["file"], first["label"], first["kind"]) == (f"images/{fruit[0].subject}.jpg", "good", "none")
        assert (first["group"], first["lot"], first["who"], first["verdict"]) == ("L1", "L1", "Ana", "unsure")
        assert json.loads(first["outline"]) == [list(corner) for corner in OUTLINE]
        assert (out / first["file"]).read_bytes() == photo(0)
        assert len(list((out / "images").iterdir())) == 3

    play(tmp_path, story)
    found = photos(tmp_path, "lemon")
    assert sorted(one.label for one in found) == ["defective", "defective", "good"]
    assert len({one.split for one in found}) == 1, "one lot is never on both sides"
    assert read(of(found, found[0].split, "good")[0]).shape == (48, 64, 3)


def test_training_takes_the_label_and_the_outline_and_names_what_it_cannot_use(tmp_path: Path) -> None:
    out = tmp_path / "reviewed"

    async def story(gateway: Served, sorter: Edge, belt: Belt) -> None:
        belt.begin("L1")
        fruit = [belt.fruit("unsure") for _ in range(5)]
        await labelled(gateway, sorter, fruit, "good", "defective", "unusable", "defective", "good")
        await exported(gateway, out)

    play(tmp_path, story)
    kept, changed, torn, outside = rows(out)
    assert kept["split"] == "train", "the lot that this story needs is one to learn from"
    picture = (out / torn["file"]).read_bytes()
    (out / torn["file"]).write_bytes(picture[: len(picture) // 2])
    manifest = out / "manifest.csv"
    lines = manifest.read_text().splitlines()
    lines[4] = lines[4].replace("0.25", "9.25")
    manifest.write_text("\n".join([*lines, "images/half-a-li", "x" * 200_000]))

    found = reviewed([out, out])
    assert [(shot.photo.path, shot.photo.label) for shot in found.shots] == [
        (out / kept["file"], "good"),
        (out / changed["file"], "defective"),
    ], "each once, though it was named in two folders"
    assert [line.partition(": ")[0].rpartition(" ")[2] for line in found.skipped[:4]] == ["4", "5", "6", "7"]
    assert "torn" in found.skipped[0]
    assert torn["file"] in found.skipped[0]
    assert "outside the picture" in found.skipped[1]
    assert outside["id"] not in {shot.photo.path.stem for shot in found.shots}
    assert "label ''" in found.skipped[2]
    for shot in found.shots:
        assert shot.image.shape == (48, 64, 3)
        assert corners(shot.mask) == [(round(x * 64), round(y * 48)) for x, y in OUTLINE]

    learned_from = stocked(found)
    assert [one.defective for one in learned_from.photographed("lemon", held=False)] == [False, True]
    assert learned_from.photographed("tomato", held=False) == []
    assert learned_from.shots(held=False) == [], "no whole photograph: there may be other fruit beside this one"


def test_it_goes_on_where_it_was_and_asks_for_nothing_twice(tmp_path: Path) -> None:
    out = tmp_path / "set"

    async def story(gateway: Served, sorter: Edge, belt: Belt) -> None:
        fruit = [belt.fruit("unsure") for _ in range(6)]
        await labelled(gateway, sorter, fruit, *["good"] * 4)
        assert (await exported(gateway, out)).added == 4
        kept = out / "images" / f"{fruit[0].subject}.jpg"
        kept.write_bytes(b"as it was fetched")
        (out / "images" / f"{fruit[1].subject}.jpg").unlink()
        for one in fruit[4:]:
            await gateway.client.post(f"/api/v1/reviews/{one.subject}", json={"label": "defective", "who": "Bo"})
        again = await exported(gateway, out)
        assert (again.added, dict(again.labels)) == (2, {"good": 4, "defective": 2})
        assert kept.read_bytes() == b"as it was fetched", "it was not asked for again"
        assert (out / "images" / f"{fruit[1].subject}.jpg").read_bytes() == photo(1)
        later = await exported(gateway, out, since_us=now_us() + DAY_US)
        assert (later.added, dict(later.labels)) == (0, dict(again.labels)), "what was exported stays"

    play(tmp_path, story)


def test_a_picture_that_had_to_make_room_is_told(tmp_path: Path) -> None:
    async def story(gateway: Served, sorter: Edge, belt: Belt) -> None:
        one = belt.fruit("unsure")
        await labelled(gateway, sorter, [one], "good")
        lost = belt.fruit("unsure")
        await sorter.tell(lost)
        await gateway.client.post(f"/api/v1/reviews/{lost.subject}", json={"label": "good", "who": "Ana"})
        done = await exported(gateway, tmp_path / "set")
        assert (done.gone, dict(done.labels)) == (1, {"good": 1})

    play(tmp_path, story)


def test_what_was_exported_can_be_learned_from_when_the_gateway_has_let_go_of_it(tmp_path: Path) -> None:
    out = tmp_path / "set"

    async def story(gateway: Served, sorter: Edge, belt: Belt) -> None:
        fruit = [belt.fruit("unsure") for _ in range(3)]
        await labelled(gateway, sorter, fruit, "good", "defective", "good")
        await exported(gateway, out)
        before = rows(out)
        assert len(reviewed([out]).shots) == 3
        out_of_room(gateway)
        again = await exported(gateway, out)
        assert (dict(again.labels), again.added, again.gone) == ({"good": 2, "defective": 1}, 0, 0)
        assert rows(out) == before
        (out / before[0]["file"]).unlink()
        (out / "manifest.csv").write_text((out / "manifest.csv").read_text().replace(",good,none,", ",defective,none,"))
        again = await exported(gateway, out)
        assert (dict(again.labels), again.gone) == ({"defective": 1, "good": 1}, 1), "what cannot be learned from"
        assert [row["label"] for row in rows(out)] == ["defective", "defective", "good"], "what the gateway says"
        (out / "manifest.csv").unlink()
        again = await exported(gateway, out)
        assert (dict(again.labels), again.added, again.gone) == ({}, 0, 3), "nobody knows their outlines any more"

    play(tmp_path, story)


def out_of_room(gateway: Served) -> None:
    """Every picture has to make room."""
    with Pictures.open(gateway.pictures.path.parent, 1) as smaller:
        smaller.mark_all({})


def test_what_somebody_found_unusable_later_leaves_the_set(tmp_path: Path) -> None:
    """Another gateway's answer, say one that was begun anew."""
    out = tmp_path / "set"
    for label in ("good", "unusable"):

        async def story(gateway: Served, sorter: Edge, belt: Belt, label: Label = label) -> None:
            await labelled(gateway, sorter, [belt.fruit("unsure")], label)
            done = await exported(gateway, out)
            assert (len(rows(out)), done.unusable) == ((1, 0) if label == "good" else (0, 1))

        play(tmp_path / label, story)


class Stranger(BaseHTTPRequestHandler):
    """Answers as a gateway does, with ids of its own choice."""

    ids = ("../../../escaped", "/escaped", "Escaped", "good-1\n")

    def do_GET(self) -> None:
        assert self.path.startswith("/api/v1/reviews"), "no picture is asked for under such a name"
        said = {"line": "a", "lot": None, "crop": "lemon", "verdict": "unsure", "score": 0.5, "model": "m", "at_us": 1}
        answered = {"state": "answered", "picture": True, "label": "good", "who": "Ana", "answered_us": 1}
        plain = said | answered | {"sampled": False, "outline": OUTLINE}
        found = [plain | {"id": key} for key in self.ids] if "after=0" in self.path else []
        body = json.dumps({"reviews": found, "after": 1, "next": None, "now_us": 1}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the name of http.server
        pass


def test_an_id_that_is_no_pictures_is_left_out_and_told(tmp_path: Path) -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), Stranger) as server:
        threading.Thread(target=server.serve_forever).start()
        try:
            at = f"http://127.0.0.1:{server.server_port}"
            done = export(at, tmp_path / "here" / "set", progress=lambda done, of_all: None)
        finally:
            server.shutdown()
    assert (done.refused, done.added, done.gone) == (list(Stranger.ids), 0, 0)
    assert "4 left out: '../../../escaped' is no picture's id" in str(advice(done))
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["manifest.csv"]
    assert rows(tmp_path / "here" / "set") == []


def test_only_one_crop_if_asked(tmp_path: Path) -> None:
    async def story(gateway: Served, sorter: Edge, belt: Belt) -> None:
        await labelled(gateway, sorter, [belt.fruit("unsure")], "good")
        assert (await exported(gateway, tmp_path / "none", crop="tomato")).labels == {}
        assert (await exported(gateway, tmp_path / "all", crop="lemon")).crops == {"lemon": 1}

    play(tmp_path, story)


def test_lots_are_shared_out_between_training_and_validation(tmp_path: Path) -> None:
    async def story(gateway: Served, sorter: Edge, belt: Belt) -> None:
        fruit = []
        for number in range(40):
            belt.begin(f"L{number}")
            fruit += [belt.fruit("unsure"), belt.fruit("unsure")]
        await labelled(gateway, sorter, fruit, *["good"] * 80)
        await exported(gateway, tmp_path / "set")

    play(tmp_path, story)
    sides: dict[str, set[str]] = {}
    for row in rows(tmp_path / "set"):
        sides.setdefault(row["group"], set()).add(row["split"])
    assert all(len(its) == 1 for its in sides.values())
    assert 2 <= sum(its == {"val"} for its in sides.values()) <= 20


def test_another_folder_is_not_written_over(tmp_path: Path) -> None:
    out = tmp_path / "set"
    out.mkdir()
    (out / "manifest.csv").write_text("file,crop,label\na.jpg,lemon,good\n")
    with pytest.raises(ExportFailed, match="choose an empty folder"):
        export("http://127.0.0.1:1", out, progress=lambda done, of_all: None)
    assert (out / "manifest.csv").read_text().startswith("file,crop,label\n")


def test_the_command_says_what_it_did_and_what_is_wrong(tmp_path: Path) -> None:
    out = tmp_path / "set"

    def command(port: int, *arguments: str) -> "subprocess.CompletedProcess[str]":
        site = LINED.model_copy(update={"gateway": LINED.gateway.model_copy(update={"port": port})})
        file = tmp_path / "site.yaml"
        file.write_text(json.dumps(site.model_dump(mode="json")))
        words = [
            sys.executable,
            str(ROOT / "truecount.py"),
            "review",
            "export",
            "--config",
            str(file),
            "--out",
            str(out),
        ]
        return subprocess.run([*words, *arguments], capture_output=True, text=True, timeout=60, check=False)

    async def story(gateway: Served, sorter: Edge, belt: Belt) -> None:
        await labelled(gateway, sorter, [belt.fruit("unsure"), belt.fruit("unsure")], "good", "defective")
        port = int(gateway.url.rpartition(":")[2])
        done = await asyncio.to_thread(command, port, "--since", "7d", "--crop", "lemon")
        assert (done.returncode, done.stderr) == (0, "")
        told = (
            f"{out / 'manifest.csv'}: 1 defective, 1 good; 2 new, 0 unusable left out, 0 without a picture any more\n"
        )
        assert done.stdout == told
        wrong = await asyncio.to_thread(command, port, "--since", "yesterday")
        assert wrong.returncode == 2
        assert "--since: expected a day such as" in wrong.stderr

    play(tmp_path, story)
    port = free_port()
    away = command(port)
    assert away.returncode == 1
    assert f"the gateway at http://127.0.0.1:{port} does not answer" in away.stderr
    assert len(rows(out)) == 2, "what was there stays"


@pytest.mark.parametrize(
    ("host", "at"),
    [("0.0.0.0", "http://127.0.0.1:8080"), ("::", "http://[::1]:8080"), ("10.0.0.7", "http://10.0.0.7:8080")],
)
def test_the_address_is_one_that_can_be_reached(host: str, at: str) -> None:
    gateway = LINED.gateway.model_copy(update={"host": host, "port": 8080})
    assert address(LINED.model_copy(update={"gateway": gateway})) == at
