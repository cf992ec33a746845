"""The pictures of a line that people shall see: asked of the inspector, and handed to the evidence link."""

from collections.abc import Callable
from typing import Final, Literal

import msgspec

from contract import wire
from contract.wire import Evidence
from edge.evidence.link import EvidenceLink
from edge.vision.line.line import PictureOrder
from edge.vision.messages import BeltPicture, Crop

_MAX_WANTED: Final = 100
"""Asked for and not yet there; the oldest are given up."""


class Exhibits:
    """What was asked for, until it comes."""

    def __init__(self, agent: str, line: str, link: EvidenceLink, wall_us: Callable[[int], int]) -> None:
        """`wall_us` gives the time on the wall for one of the steady clock."""
        self._agent, self._line, self._link, self._wall_us = agent, line, link, wall_us
        self._wanted: dict[int, PictureOrder] = {}

    def want(self, order: PictureOrder) -> None:
        """The inspector has been asked for the crop of this track."""
        self._wanted[order.track] = order
        if len(self._wanted) > _MAX_WANTED:
            del self._wanted[next(iter(self._wanted))]

    def give_up(self) -> None:
        """The inspector is gone, and with it the pictures that it had."""
        self._wanted.clear()

    def crop(self, crop: Crop) -> None:
        """Here is one; what nobody asked for is not sent."""
        order = self._wanted.pop(crop.track, None)
        if order is not None:
            plain = self._evidence(order.subject, order.at_us, "fruit", crop.picture)
            outline = tuple((_share(x), _share(y)) for x, y in crop.outline[:64])
            verdict, score, model = order.judged.verdict, order.judged.score, order.judged.model
            self._link.put(msgspec.structs.replace(plain, outline=outline, verdict=verdict, score=score, model=model))

    def belt(self, belt: BeltPicture) -> None:
        """The belt as it is now."""
        self._link.belt(self._evidence(f"{self._line}-belt", belt.at_us, "belt", belt.picture))

    def _evidence(self, name: str, at_us: int, kind: Literal["fruit", "belt"], picture: bytes) -> Evidence:
        return Evidence(
            schema=wire.SCHEMA,
            agent=self._agent,
            id=name,
            line=self._line,
            at_us=self._wall_us(at_us),
            kind=kind,
            picture=picture,
        )


def _share(value: float) -> float:
    return min(max(value, 0.0), 1.0)
