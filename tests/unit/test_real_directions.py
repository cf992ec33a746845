"""The recorded passes: the direction is right for passes that nothing was fitted to, or honestly unknown."""

import pytest
from directionfit import Pass, fitted, leave_one_out, passes, score, table

from edge.portal.levels import MARGIN_ODDS


@pytest.fixture(scope="module")
def recorded() -> list[Pass]:
    return passes()


def test_none_is_wrong_and_thirty_are_right(recorded: list[Pass]) -> None:
    print("\n" + table(recorded))
    found = score([one.inbound(MARGIN_ODDS) for one in recorded])
    assert found.wrong == 0
    assert found.right >= 30


def test_none_is_wrong_that_its_figure_was_not_fitted_to(recorded: list[Pass]) -> None:
    for same in (lambda one, other: one is other, lambda one, other: one.session == other.session):
        figures = leave_one_out(recorded, same)
        found = score([one.inbound(figure) for one, figure in zip(recorded, figures, strict=True)])
        assert found.wrong == 0
        assert found.right >= 28


def test_without_phases_most_are_right_and_one_may_be_wrong(recorded: list[Pass]) -> None:
    found = score([one.inbound(MARGIN_ODDS, phases=False) for one in recorded])
    assert found.wrong <= 1
    assert found.right >= 28


def test_recorded_and_simulated_passes_want_about_the_same_figure(recorded: list[Pass]) -> None:
    assert fitted(recorded) == pytest.approx(MARGIN_ODDS, rel=0.3)
