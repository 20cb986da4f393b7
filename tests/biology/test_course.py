"""The course of a repair: published times, its interval, treatment and attacks."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from remyelin import biology
from remyelin.biology.lineage import STATES
from remyelin.errors import InputError


@pytest.fixture(scope="module")
def young() -> biology.Course:
    return biology.simulate(biology.scenario("rat-young"), days=80)


@pytest.fixture(scope="module")
def old() -> biology.Course:
    return biology.simulate(biology.scenario("rat-old"), days=120)


def faster(**options: Any) -> biology.Treatment:
    return biology.Treatment("faster", (biology.Effect("differentiation_per_day", 3, 2, 5),), **options)


def test_the_times_of_shields(young: biology.Course, old: biology.Course) -> None:
    assert young.completion_day() == pytest.approx(28, abs=2)
    assert old.completion_day() == pytest.approx(63, abs=4)


def test_the_course_has_every_day_and_starts_bare(young: biology.Course) -> None:
    assert young.time_days.tolist() == list(range(81))
    assert young.remyelinated.shape == (81,)
    assert young.remyelinated[0] == 0
    assert (young.remyelinated == young.draws[0]).all()
    assert young.states.shape == (len(young.draws), 81, len(STATES))


def test_completion_is_where_the_curve_crosses(young: biology.Course) -> None:
    for level in (0.1, 0.5, 0.9):
        day = young.completion_day(level)
        assert np.interp(day, young.time_days, young.remyelinated) == pytest.approx(level)
    days = young.completion_days(0.5)
    assert days.shape == (len(young.draws),)
    assert days[0] == young.completion_day(0.5)
    assert young.completion_day(0.5) < young.completion_day(0.9)


def test_what_is_never_reached_is_infinite() -> None:
    short = biology.simulate(biology.scenario("rat-old"), days=10)
    assert short.completion_day() == math.inf
    assert "covered" in repr(short)
    assert "95 % covered on day" in repr(biology.simulate(biology.scenario("rat-young"), days=60))


def test_the_interval_holds_its_part_of_the_draws(young: biology.Course) -> None:
    low, high = young.interval(0.8)
    inside = (young.draws >= low) & (young.draws <= high)
    assert inside[:, 5:25].mean() == pytest.approx(0.8, abs=0.03)
    wide_low, wide_high = young.interval(0.95)
    assert (wide_low <= low).all()
    assert (wide_high >= high).all()
    assert (high[10:20] > low[10:20]).all()


def test_the_same_question_has_the_same_answer(young: biology.Course) -> None:
    again = biology.simulate(biology.scenario("rat-young"), days=80)
    assert again.states.tobytes() == young.states.tobytes()
    seeded = [
        biology.simulate(
            biology.scenario("rat-young"), days=30, treatment=faster(), rng=np.random.default_rng(seed)
        )
        for seed in (1, 1, 2)
    ]
    assert seeded[0].states.tobytes() == seeded[1].states.tobytes()
    assert seeded[0].states.tobytes() != seeded[2].states.tobytes()
    # The most probable course has the median effect, whatever is drawn.
    assert (seeded[0].remyelinated == seeded[2].remyelinated).all()


def test_a_longer_course_begins_like_a_shorter_one(young: biology.Course) -> None:
    short = biology.simulate(biology.scenario("rat-young"), days=20)
    assert short.states == pytest.approx(young.states[:, :21], abs=1e-12)


def test_a_treatment_acts_within_its_window(young: biology.Course) -> None:
    given_ = biology.simulate(
        biology.scenario("rat-young"), days=80, treatment=faster(start_day=12, stop_day=18, onset_days=0.5)
    )
    # Another step, for the treated rates may be faster: hence no closer.
    assert given_.states[0, :13] == pytest.approx(young.states[0, :13], abs=1e-6)
    assert given_.remyelinated[16] > young.remyelinated[16]
    late = biology.simulate(biology.scenario("rat-young"), days=80, treatment=faster(start_day=79.9))
    assert late.states[0, :80] == pytest.approx(young.states[0, :80], abs=1e-6)


@pytest.mark.parametrize("simulate", [biology.simulate, biology.simulate_lesion])
@pytest.mark.parametrize("day", [80, 400])
def test_a_treatment_of_which_no_dose_is_simulated_is_refused(simulate: Any, day: float) -> None:
    said = f"start_day is {day}, expected a day before the last of the simulation, day 80"
    with pytest.raises(InputError, match=said):
        simulate(biology.scenario("rat-young"), days=80, treatment=faster(start_day=day))


def test_a_longer_treatment_does_more() -> None:
    old = biology.scenario("rat-old")
    covered = [
        biology.simulate(old, days=50, treatment=faster(stop_day=stop)).remyelinated[50]
        for stop in (1.0, 10.0, 30.0, math.inf)
    ]
    assert covered == sorted(covered)
    assert covered[-1] > covered[0] + 0.05


def test_attacks_undo_and_repair_begins_anew(young: biology.Course) -> None:
    attacks = tuple(biology.Attack(day, 0.9) for day in (40, 70))
    struck = biology.simulate(biology.scenario("rat-young", attacks=attacks), days=80)
    assert struck.remyelinated[:40] == pytest.approx(young.remyelinated[:40], abs=1e-12)
    assert struck.remyelinated[41] < 0.15
    assert struck.remyelinated[69] > 0.8
    assert struck.remyelinated[71] < 0.15


def test_axons_are_lost_only_while_they_are_bare(young: biology.Course) -> None:
    axons = young.of("axons")[0]
    assert (np.diff(axons) <= 0).all()
    assert axons[40] - axons[80] < 0.1 * (axons[0] - axons[20])


@pytest.mark.parametrize("days", [0, -1, 1.5, "60", None, True, math.nan, math.inf, 10**6])
def test_days_that_cannot_be_are_refused(days: Any) -> None:
    with pytest.raises(InputError, match="days is"):
        biology.simulate(biology.scenario("rat-young"), days=days)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"scenario": "rat-young"}, "scenario is 'rat-young'.*biology.scenario"),
        ({"scenario": None}, "scenario is not given"),
        ({"treatment": "clemastine"}, r"make one with biology.treat\('clemastine', ...\)"),
        ({"rng": 7}, r"rng is 7.*default_rng\(7\)"),
    ],
)
def test_what_is_none_is_refused_with_how_to_make_one(options: dict[str, Any], said: str) -> None:
    given_ = {"scenario": biology.scenario("rat-young"), **options}
    with pytest.raises(InputError, match=said):
        biology.simulate(given_.pop("scenario"), days=10, **given_)


@pytest.mark.parametrize("level", [0, 1, -0.1, 1.5, "half", None, math.nan])
def test_levels_that_cannot_be_are_refused(young: biology.Course, level: Any) -> None:
    for asked in (young.completion_day, young.completion_days, young.interval):
        with pytest.raises(InputError, match="level is"):
            asked(level)


def test_an_unknown_state_is_refused_with_the_one_meant(young: biology.Course) -> None:
    with pytest.raises(InputError, match="did you mean 'axons'"):
        young.of("axon")
