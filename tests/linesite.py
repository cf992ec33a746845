"""Words for stories about sorting lines: a site with two of them, fruit, lots and pictures."""

import itertools
import struct

from ledgerhouse import UNREPLENISHED
from ledgersite import START_US

from contract import events, wire
from contract.site import Agent, Site
from contract.sitepart import Title
from contract.sortingline import Grade, MjpegCamera, SortingLine
from gateway import records

SORTER, OTHER_SORTER = "sorting-edge", "second-sorting-edge"
LINE, OTHER_LINE = "line-a", "line-b"
MODEL = "lemon-1-int8-0a1b2c3d"


def line(name: str, agent: str) -> SortingLine:
    camera = MjpegCamera(kind="mjpeg", name=f"camera-{name[-1]}", url="http://127.0.0.1:1/")
    return SortingLine(name=name, title=Title(en=name, zh=name), agent=agent, crop="lemon", camera=camera)


def with_lines(site: Site, *grades: Grade, **gateway: object) -> Site:
    """A site with two sorting lines, each with an agent of its own; `gateway` are settings of its gateway."""
    others = [agent for agent in site.agents if agent.name not in (SORTER, OTHER_SORTER)]
    return site.model_copy(
        update={
            "agents": [*others, Agent(name=SORTER), Agent(name=OTHER_SORTER)],
            "lines": [line(LINE, SORTER), line(OTHER_LINE, OTHER_SORTER)],
            "grades": list(grades),
            "gateway": site.gateway.model_copy(update=gateway),
        }
    )


LINED = with_lines(UNREPLENISHED)
"""Nobody has a grade: the limit is a tenth."""


class Belt:
    """A line that judges fruit, one a tenth of a second, and counts it for its lot."""

    def __init__(self, line: str = LINE, at_us: int = START_US) -> None:
        self.line = line
        self.at_us = at_us
        self.lot: str | None = None
        self._numbers = itertools.count(1)
        self._tally: dict[str, int] = {}

    def begin(self, lot: str | None) -> None:
        """The agent has been told of another lot."""
        self.lot, self._tally = lot, {}

    def fruit(
        self,
        verdict: events.Verdict = "good",
        *,
        gate: str | None = "",
        sampled: bool = False,
        pictured: bool = False,
        second: str | None = None,
        model: str = MODEL,
        score: float | None = None,
    ) -> events.Inspection:
        """The next fruit. It passes if it is good; unless said otherwise a picture goes with what is not."""
        self.at_us += 100_000
        subject = f"{self.line}-5f0c-{next(self._numbers)}"
        told = gate if gate != "" else "passed" if verdict == "good" else "pushed"
        self._tally[verdict] = self._tally.get(verdict, 0) + 1
        self._tally["missed"] = self._tally.get("missed", 0) + (told == "missed")
        usual = {"good": 0.1, "defective": 0.9, "unsure": 0.5}.get(verdict)
        said = usual if score is None else score
        return events.Inspection(
            at_us=self.at_us,
            decided_us=self.at_us + 60_000,
            line=self.line,
            subject=subject,
            verdict=verdict,
            score=said,
            model=model,
            evidence=subject if pictured or sampled or verdict in ("defective", "unsure") else None,
            lot=self.lot,
            crop="lemon",
            views=0 if verdict == "unseen" else 4,
            gate=told,  # type: ignore[arg-type]
            sampled=sampled,
            second=events.SecondOpinion(model=second, verdict="good", score=0.2) if second else None,
            tally=events.Tally(**self._tally),
        )

    def run(self, good: int = 0, defective: int = 0) -> list[events.Inspection]:
        """So much fruit, the defective ones spread evenly among the good ones."""
        total = good + defective
        bad = {round((n + 1) * total / (defective + 1)) for n in range(defective)}
        return [self.fruit("defective" if n in bad else "good") for n in range(total)]


def begun(line: str, lot: str, at_us: int = START_US, **said: str) -> records.LotBegun:
    return records.LotBegun(at_us=at_us, line=line, lot=lot, who="Ana", **said)


def jpeg(size: int = 200, width: int = 64, height: int = 48) -> bytes:
    """A JPEG as far as its headers go, of so many bytes, with pixels that nobody decodes here.

    FF D8 | FF C0 00 0B | 08 | height | width | 01 | 01 11 00 | filling | FF D9
    """
    head = b"\xff\xd8\xff\xc0\x00\x0b\x08" + struct.pack(">HH", height, width) + b"\x01\x01\x11\x00"
    return head + b"\x00" * max(0, size - len(head) - 2) + b"\xff\xd9"


OUTLINE = ((0.25, 0.25), (0.75, 0.25), (0.5, 0.75))


def evidence(
    one: events.Inspection, agent: str = SORTER, *, picture: bytes | None = None, size: int = 200
) -> wire.Evidence:
    """The picture that goes with a verdict."""
    assert one.evidence is not None
    return wire.Evidence(
        schema=wire.SCHEMA,
        agent=agent,
        id=one.evidence,
        line=one.line,
        at_us=one.at_us,
        kind="fruit",
        picture=jpeg(size) if picture is None else picture,
        outline=OUTLINE,
        verdict=one.verdict,
        score=one.score,
        model=one.model,
    )


def belt_picture(at_us: int, line: str = LINE, agent: str = SORTER, size: int = 200) -> wire.Evidence:
    return wire.Evidence(
        schema=wire.SCHEMA, agent=agent, id=f"{line}-belt", line=line, at_us=at_us, kind="belt", picture=jpeg(size)
    )
