"""From a repair to messages: what biology says of a lesion, conducted."""

from __future__ import annotations

import numpy as np
import pytest

from remyelin import biology, conduction


def arrivals(course: biology.Course, day: float, nav: float = 0.01, **options: int) -> conduction.Arrivals:
    state = course.state(day, n_axons=400, **options)
    return conduction.NerveBundle.from_state(state, nav_fraction=nav, length_mm=45).arrive()


@pytest.mark.parametrize(
    ("scenario", "days"),
    [
        (biology.scenario("rat-young"), 60),
        (biology.scenario("human"), 400),
        (biology.scenario("rat-young", oligodendrocytes_lost=0.5, debris=0.5), 60),
    ],
)
def test_repair_brings_the_messages_back(scenario: biology.Scenario, days: int) -> None:
    course = biology.simulate(scenario, days=days)
    found = [arrivals(course, day) for day in (0, days / 2, days)]
    delays = [np.nanmedian(each.delay_ms) for each in found]
    assert delays[0] > 2 * delays[-1] > 0
    assert found[0].fraction_blocked >= found[-1].fraction_blocked == 0


def test_a_lesion_that_took_nothing_adds_no_delay() -> None:
    course = biology.simulate(biology.scenario("human", oligodendrocytes_lost=0, debris=0), days=10)
    assert arrivals(course, 5).delay_ms == pytest.approx(0)


def test_repair_helps_however_short_the_new_internodes_are() -> None:
    course = biology.simulate(biology.scenario("rat-young"), days=60)
    delays = [np.nanmedian(arrivals(course, 60, n_short=n).delay_ms) for n in (1, 2, 3, 5)]
    assert max(delays) < 0.5 * np.nanmedian(arrivals(course, 0).delay_ms)
