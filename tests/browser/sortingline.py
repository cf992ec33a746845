"""A sorting line for the page: its agent's words, with pictures of drawn fruit, and no camera."""

import itertools
import secrets
import time

import cv2
import numpy as np
from browserhouse import LINE, PATIENCE_S, SORTER, House
from ledgersite import now_us
from msgspec import structs
from numpy.typing import NDArray
from playwright.sync_api import Locator, Page

from contract import events, wire
from firmware_sim.fruit import Fruit, Picture

MODEL = "lemon-1-int8-0a1b2c3d"
BELT_RGB = (38, 74, 60)
MARGIN_PX = 12
SCORES: dict[events.Verdict, float | None] = {"good": 0.02, "unsure": 0.55, "defective": 0.97, "unseen": None}

Rgb = NDArray[np.uint8]


def card(page: Page) -> Locator:
    return page.locator("#line-line-a")


def count(page: Page, verdict: str) -> Locator:
    return card(page).locator(f"[data-count={verdict}] .figure")


class SortingLine:
    """Speaks for the line of a house. It gives every fruit a number that no fruit of this house had."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._numbers = itertools.count(1)
        self._epoch = secrets.token_hex(2)
        self._lot: str | None = None

    def begin(self, lot: str, sku: str | None = "lemon-4kg", customer: str | None = None) -> None:
        """Somebody says which lot runs from now on."""
        body = {"lot": lot, "sku": sku, "customer": customer, "who": "the crew"}
        self._house.ask(f"/api/v1/lines/{LINE['name']}/lot", body)
        self._lot = lot

    def learns(self, lot: str) -> None:
        """The gateway tells the line's agent that this lot runs."""
        self._house.sorter.runs(LINE["name"], lot)
        self._lot = lot

    def sorts(
        self,
        *verdicts: events.Verdict,
        evidence: bool = False,
        gate: str | None = None,
        second: events.SecondOpinion | None = None,
        untold: int = 0,
    ) -> list[str]:
        """So many fruit go by, and are judged so; the names of them. Their pictures, if there are any, come apart.

        `untold`: of a lot of which nothing was told yet, so many more have gone by, and nobody hears of them.
        """
        told = [self._inspection(verdict, evidence, gate, second) for verdict in verdicts]
        if untold:
            told = [structs.replace(one, tally=events.Tally(good=untold + n)) for n, one in enumerate(told, 1)]
        self._house.sorter.tell(*told)
        return [one.subject for one in told]

    def pictures(self, *names: str, verdict: events.Verdict = "unsure") -> None:
        """The pictures of these fruit arrive."""
        self._house.sorter.show(*(self._evidence(name, verdict) for name in names))

    def offers(self, name: str, verdict: events.Verdict = "unsure") -> None:
        """The picture of a fruit is sent; whether it arrives is another matter."""
        self._house.sorter.offer(self._evidence(name, verdict))

    def belt(self) -> int:
        """A picture of the belt as it is now; when it came, once the gateway shows it."""
        rgb = np.full((360, 640, 3), BELT_RGB, np.uint8)
        for place in range(3):
            _lay(rgb, Fruit("lemon", place == 1, place).view(0.1, 110), 60 + 200 * place, 120)
        now = now_us()
        before = self._belt_us()
        picture = wire.Evidence(
            schema=wire.SCHEMA,
            agent=SORTER,
            id=f"{LINE['name']}-belt-{now}",
            line=LINE["name"],
            at_us=now,
            kind="belt",
            picture=_jpeg(rgb),
        )
        self._house.sorter.show(picture)
        ends = time.monotonic() + PATIENCE_S
        while (came := self._belt_us()) == before:
            assert time.monotonic() < ends, "the gateway does not show the picture of the belt"
            time.sleep(0.05)
        assert came is not None
        return came

    def _belt_us(self) -> int | None:
        told: int | None = self._house.ask("/api/v1/snapshot")["lines"][LINE["name"]]["belt_us"]
        return told

    def camera(self, state: events.DeviceState, detail: str = "") -> None:
        """Something happens to the camera."""
        now = now_us()
        name = LINE["camera"]["name"]
        self._house.sorter.tell(events.Device(at_us=now, decided_us=now, device=name, state=state, detail=detail))

    def _inspection(
        self, verdict: events.Verdict, evidence: bool, gate: str | None, second: events.SecondOpinion | None
    ) -> events.Inspection:
        now = now_us()
        name = f"{LINE['name']}-{self._epoch}-{next(self._numbers)}"
        told = gate or ("passed" if verdict == "good" else "pushed")
        return events.Inspection(
            at_us=now,
            decided_us=now,
            line=LINE["name"],
            subject=name,
            verdict=verdict,
            score=SCORES[verdict],
            model=MODEL,
            evidence=name if evidence else None,
            lot=self._lot,
            crop=LINE["crop"],
            views=0 if verdict == "unseen" else 4,
            gate=told,  # type: ignore[arg-type]  # one of its words
            second=second,
        )

    def _evidence(self, name: str, verdict: events.Verdict) -> wire.Evidence:
        drawn = Fruit("lemon", verdict == "defective", int(name.rsplit("-", 1)[1])).view(0.1, 160)
        height, width = (side + 2 * MARGIN_PX for side in drawn.alpha.shape)
        rgb = np.full((height, width, 3), BELT_RGB, np.uint8)
        _lay(rgb, drawn, MARGIN_PX, MARGIN_PX)
        return wire.Evidence(
            schema=wire.SCHEMA,
            agent=SORTER,
            id=name,
            line=LINE["name"],
            at_us=now_us(),
            kind="fruit",
            picture=_jpeg(rgb),
            outline=_outline(drawn, width, height),
            verdict=verdict,
            score=SCORES[verdict],
            model=MODEL,
        )


def _lay(rgb: Rgb, fruit: Picture, x: int, y: int) -> None:
    height, width = fruit.alpha.shape
    under = rgb[y : y + height, x : x + width]
    share = fruit.alpha[..., None] / 255
    under[:] = (fruit.rgb * share + under * (1 - share)).astype(np.uint8)


def _outline(fruit: Picture, width: int, height: int) -> tuple[tuple[float, float], ...]:
    """At most 40 corners, as shares of a picture with a margin around the fruit."""
    found, _ = cv2.findContours((fruit.alpha > 127).astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    (corners,) = max(found, key=cv2.contourArea).transpose(1, 0, 2) + MARGIN_PX
    chosen = corners[:: -(-len(corners) // 40)]
    return tuple((float(x) / width, float(y) / height) for x, y in chosen)


def _jpeg(rgb: Rgb) -> bytes:
    done, data = cv2.imencode(".jpg", rgb[..., ::-1])
    assert done
    return data.tobytes()
