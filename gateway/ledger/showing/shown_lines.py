"""How sorting lines, lots and reviews are shown."""

from collections.abc import Mapping
from typing import Final

from gateway import wilson
from gateway.ledger.fruit import lines, lots
from gateway.ledger.fruit.linerows import Run, SortingLine
from gateway.ledger.state import State
from gateway.views import GradeView, LineView, LotView, ReviewView, ShadowView, TitleView, VerdictView

EARLIER_LOTS: Final = 8


def lot_view(state: State, run: Run) -> LotView:
    """The fruit of one lot on one line."""
    low, high = wilson.interval(run.defective, run.judged) if run.judged else (None, None)
    return LotView(
        lot=run.lot,
        sku=run.sku,
        customer=run.customer,
        begun_us=run.begun_us,
        ended_us=run.ended_us,
        good=run.good,
        defective=run.defective,
        unsure=run.unsure,
        unseen=run.unseen,
        missed=run.missed,
        rate=run.defective / run.judged if run.judged else None,
        low=low,
        high=high,
        limit=run.limit,
        state=lots.standing(state, run),
    )


def line_view(state: State, name: str, belt_us: int | None, now_us: int) -> LineView | None:
    """One line; None for one that the site file does not name. `now_us` is its agent's time."""
    site_line = state.house.lines.get(name)
    if site_line is None:
        return None
    line = state.lines.get(name) or SortingLine()
    present = state.lots.get(lots.key_of(name, line.lot)) if line.lot is not None else None
    return LineView(
        name=name,
        title=TitleView(en=site_line.title.en, zh=site_line.title.zh),
        agent=site_line.agent,
        crop=site_line.crop,
        camera=site_line.camera.name,
        grades=_grades(state, name, site_line.crop),
        lot=lot_view(state, present) if present is not None else None,
        lots=[lot_view(state, run) for run in _before(state, name, present)],
        per_minute=lines.in_last_minute(line, now_us),
        model=line.model,
        shadow=_shadow(line),
        latest=[
            VerdictView(
                subject=fruit.subject,
                verdict=fruit.verdict,
                score=fruit.score,
                at_us=fruit.at_us,
                gate=fruit.gate,
                evidence=fruit.evidence,
            )
            for fruit in reversed(line.latest)
        ],
        belt_us=belt_us,
        to_review=len(state.index.open_reviews.get(name, ())),
        unpictured=line.unpictured,
        last_us=line.last_us,
    )


def review_view(state: State, key: str, shown: Mapping[str, tuple[tuple[float, float], ...]]) -> ReviewView | None:
    """One of the verdicts that are shown to be looked at."""
    review = state.reviews.get(key)
    if review is None or key not in shown:
        return None
    return ReviewView(
        id=key,
        line=review.line,
        lot=review.lot,
        crop=review.crop,
        verdict=review.verdict,
        score=review.score,
        model=review.model,
        sampled=review.sampled,
        at_us=review.at_us,
        outline=list(shown[key]),
    )


def _grades(state: State, line: str, crop: str) -> list[GradeView]:
    customers = [grade.customer for grade in state.house.site.grades if grade.crop == crop]
    return [
        GradeView(customer=customer, limit=state.house.most_defective(line, customer))
        for customer in dict.fromkeys((None, *customers))
    ]


def _before(state: State, line: str, present: Run | None) -> list[Run]:
    """Newest first."""
    last = state.index.lots_of_line.get(line, [])[: -EARLIER_LOTS - 2 : -1]
    runs = (state.lots.rows[key] for _, key in last)
    return [run for run in runs if run is not present][:EARLIER_LOTS]


def _shadow(line: SortingLine) -> ShadowView | None:
    shadow = line.shadow
    if shadow is None:
        return None
    return ShadowView(model=shadow.model, compared=shadow.compared, disagreed=shadow.disagreed)
