"""What people said of pictures, from a running gateway to a folder that models/produce can learn from.

    OUT/images/line-a-5f0c-187.jpg
    OUT/manifest.csv    the columns of the training sets, then what the line had said of the fruit

It may be run again at any time: pictures that are there are not asked for again, and lines of the manifest stay with
their outlines, even if the gateway has let go of their pictures since, and of the outlines with them.
"""

import csv
import hashlib
import json
import os
import re
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Literal, NamedTuple

import httpx
from pydantic import ValidationError

from contract.site import Site
from contract.wire import PICTURE_ID
from gateway.api.reviews import ReviewDetail, ReviewPage
from gateway.errors import BadPicture, ExportFailed
from gateway.evidence import jpeg

COLUMNS: Final = (
    *("file", "crop", "label", "kind", "group", "split", "capture_order"),
    *("id", "line", "lot", "verdict", "score", "model", "at_us", "answered_us", "who", "outline"),
)
VAL_SHARE: Final = 0.2
"""Of the groups. A group is never split: its fruit grew, or was photographed, together."""
PAGE: Final = 500
_TIMEOUT_S: Final = 30.0

_PICTURE_ID = re.compile(PICTURE_ID)
_NO_OUTLINE: Final = "[]"

Row = dict[str, str]
_Found = Literal["added", "held", "gone", "unusable"]


class Exported(NamedTuple):
    """What an export did."""

    labels: Counter[str]
    """Pictures in the folder now that can be learned from, by label."""
    crops: Counter[str]
    added: int
    """Of these, new since the export before."""
    gone: int
    """Labels whose picture had to make room at the gateway, with its outline, before it was exported."""
    unusable: int
    refused: list[str]
    """Ids that no picture can have, and so no file: nothing is asked for or written under them."""


def address(site: Site) -> str:
    """Where the gateway of a site answers on this machine or network."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(site.gateway.host, site.gateway.host)
    return f"http://[{host}]:{site.gateway.port}" if ":" in host else f"http://{host}:{site.gateway.port}"


def export(
    at: str, out: Path, *, since_us: int = 0, crop: str | None = None, progress: Callable[[int, int], None]
) -> Exported:
    """Write the labels given since a time, of one crop or of all; `progress` is told how many of how many are done.

    Raises `ExportFailed`, and OSError where the folder cannot be written; what was written by then stays, and counts.
    """
    (out / "images").mkdir(parents=True, exist_ok=True)
    rows = _read_manifest(out / "manifest.csv")
    found: Counter[_Found] = Counter()
    refused = []
    try:
        with httpx.Client(base_url=at, timeout=_TIMEOUT_S) as client:
            answered = [one for one in _answered(client) if (one.answered_us or 0) >= since_us]
            chosen = [one for one in answered if crop in (None, one.crop)]
            for done, one in enumerate(chosen, 1):
                if _PICTURE_ID.fullmatch(one.id) is None:
                    refused.append(one.id)
                else:
                    found[_take(client, one, out, rows)] += 1
                progress(done, len(chosen))
    except httpx.HTTPError as error:
        raise ExportFailed(f"the gateway at {at} does not answer: {error}. Start it, and run this again") from error
    finally:
        _write_manifest(out / "manifest.csv", rows)
    whole = [row for row in rows.values() if row["outline"] != _NO_OUTLINE and (out / row["file"]).exists()]
    labels, crops = (Counter(row[column] for row in whole) for column in ("label", "crop"))
    return Exported(labels, crops, found["added"], found["gone"], found["unusable"], refused)


def _take(client: httpx.Client, one: ReviewDetail, out: Path, rows: dict[str, Row]) -> _Found:
    """One label, into the rows. Once the gateway has let go of a picture, only its row here knows the outline."""
    file = f"images/{one.id}.jpg"
    held = rows.get(file)
    if one.label == "unusable":
        rows.pop(file, None)
        return "unusable"
    outline = json.dumps(one.outline) if one.outline or held is None else held["outline"]
    if outline == _NO_OUTLINE or not ((out / file).exists() or _fetch(client, one.id, out / file)):
        return "gone"
    rows[file] = _row(one, file, outline)
    return "added" if held is None else "held"


def _answered(client: httpx.Client) -> Iterator[ReviewDetail]:
    after = 0
    while True:
        answer = client.get("/api/v1/reviews", params={"state": "answered", "after": after, "limit": PAGE})
        if answer.status_code != httpx.codes.OK:
            raise ExportFailed(f"{answer.url} answers {answer.status_code}: is that a Truecount gateway?")
        try:
            page = ReviewPage.model_validate_json(answer.content)
        except ValidationError as error:
            raise ExportFailed(f"{answer.url} answers otherwise than this Truecount expects: update one") from error
        if not page.reviews:
            return
        yield from page.reviews
        after = page.after


def _fetch(client: httpx.Client, key: str, into: Path) -> bool:
    """The picture, whole or not at all; False if the gateway does not have it any more."""
    answer = client.get(f"/api/v1/evidence/{key}.jpg")
    if answer.status_code == httpx.codes.NOT_FOUND:
        return False
    if answer.status_code != httpx.codes.OK:
        raise ExportFailed(f"{answer.url} answers {answer.status_code}: run this again later")
    try:
        jpeg.check(answer.content)
    except BadPicture as error:
        raise ExportFailed(f"{answer.url}: {error}") from error
    _replace(into, answer.content)
    return True


def _row(one: ReviewDetail, file: str, outline: str) -> Row:
    day = datetime.fromtimestamp(one.at_us / 1e6, UTC).date()
    group = one.lot or f"{one.line} {day}"
    cells: dict[str, object] = {
        "file": file,
        "crop": one.crop,
        "label": one.label,
        "kind": "none" if one.label == "good" else "unknown",
        "group": group,
        "split": _split(group),
        "capture_order": one.at_us,
        "id": one.id,
        "line": one.line,
        "lot": one.lot,
        "verdict": one.verdict,
        "score": one.score,
        "model": one.model,
        "at_us": one.at_us,
        "answered_us": one.answered_us,
        "who": one.who,
        "outline": outline,
    }
    return {name: "" if cells[name] is None else str(cells[name]) for name in COLUMNS}


def _split(group: str) -> str:
    """The same group is always on the same side, in whatever export."""
    drawn = int.from_bytes(hashlib.sha256(group.encode()).digest()[:4], "big") / 2**32
    return "val" if drawn < VAL_SHARE else "train"


def _read_manifest(path: Path) -> dict[str, Row]:
    if not path.exists():
        return {}
    with path.open(newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file)
        if tuple(reader.fieldnames or ()) != COLUMNS:
            raise ExportFailed(f"{path} was not written by this command: choose an empty folder with --out")
        return {row["file"]: row for row in reader}


def _write_manifest(path: Path, rows: dict[str, Row]) -> None:
    fresh = path.with_name(path.name + ".new")
    with fresh.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(row for _, row in sorted(rows.items()))
    fresh.replace(path)


def _replace(path: Path, data: bytes) -> None:
    fresh = path.with_name(path.name + ".new")
    with fresh.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
