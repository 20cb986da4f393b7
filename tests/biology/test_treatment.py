"""What a treatment does: nothing at no engagement, never the wrong way, the product of its parts."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from remyelin import biology
from remyelin.biology.kinetics import Kinetics
from remyelin.biology.lineage import PARAMETERS
from remyelin.errors import InputError

OLD = biology.scenario("rat-old")
FASTER = biology.Effect("differentiation_per_day", 1.5, 1.0, 2.25)


def folds(treatment, scenario=OLD, count=100):
    return treatment.folds(count, np.random.default_rng(1), scenario)


@given(
    fold=st.floats(0.2, 5),
    below=st.floats(0.3, 1),
    above=st.floats(1, 3),
    engagement=st.floats(0, 1),
)
@settings(max_examples=30, deadline=None)
def test_an_interval_on_one_side_of_one_leaves_no_draw_on_the_other(fold, below, above, engagement):
    effect = biology.Effect("clearance_per_day", fold, fold * below, fold * above)
    column = folds(biology.Treatment("t", (effect,), engagement=engagement))[
        :, PARAMETERS.index("clearance_per_day")
    ]
    assert column[0] == pytest.approx(fold**engagement)
    if effect.low >= 1:
        assert (column >= 1).all()
    if effect.high <= 1:
        assert (column <= 1).all()


def test_an_interval_that_crosses_one_is_drawn_as_it_was_given():
    effect = biology.Effect("clearance_per_day", 1.1, 0.8, 2.0)
    drawn = effect.folds(200_000, np.random.default_rng(0), OLD)[:, PARAMETERS.index("clearance_per_day")]
    assert_allclose(np.quantile(drawn, [0.025, 0.5, 0.975]), [0.8, 1.1, 2.0], rtol=0.01)


def test_no_engagement_changes_nothing():
    treatment = biology.Treatment("t", (FASTER, biology.Rejuvenation(0.5, 0.1, 0.9)), engagement=0.0)
    plain, treated = (biology.simulate(OLD, days=60, treatment=each) for each in (None, treatment))
    assert_array_equal(folds(treatment), 1.0)
    assert_array_equal(plain.states, treated.states)


def test_both_at_once_multiply():
    slower = biology.Treatment(
        "b", (biology.Effect("differentiation_per_day", 0.5, 0.5, 0.5),), engagement=0.5
    )
    both = biology.Treatment("a", (FASTER,), onset_days=4) + slower
    assert both.name == "a+b"
    assert both.onset_days == 4
    assert_allclose(folds(both)[0], folds(biology.Treatment("a", (FASTER,)))[0] * folds(slower)[0])


def test_treatments_of_different_days_do_not_add():
    with pytest.raises(InputError, match="other days than a"):
        biology.Treatment("a", (FASTER,)) + biology.Treatment("b", (FASTER,), start_day=3)


def test_what_age_took_comes_back_to_the_old_and_the_young_have_nothing_to_gain():
    rejuvenation = biology.Rejuvenation(1.0, 1.0, 1.0)
    old, young = (biology.scenario(name) for name in ("rat-old", "rat-young"))
    back = rejuvenation.folds(1, np.random.default_rng(0), old)[0]
    for name in rejuvenation.rates:
        rate = getattr(old.rates, name) * back[PARAMETERS.index(name)]
        assert rate == pytest.approx(getattr(young.rates, name))
    assert back[PARAMETERS.index("front_mm_per_week")] == 1
    assert_array_equal(rejuvenation.folds(5, np.random.default_rng(0), young), 1.0)


def test_a_stop_lets_the_effect_go():
    always = biology.Treatment("a", (FASTER,))
    early = biology.Treatment("a", (FASTER,), stop_day=5)
    late = biology.Treatment("a", (FASTER,), start_day=50)
    days = [
        biology.simulate(OLD, days=120, treatment=each).completion_day() for each in (always, early, late)
    ]
    assert days[0] < days[1] < biology.simulate(OLD, days=120).completion_day()
    assert days[0] < days[2]


def test_an_effect_comes_with_its_onset():
    soon, slow = (
        biology.simulate(OLD, days=120, treatment=biology.Treatment("a", (FASTER,), onset_days=onset))
        for onset in (0.5, 60)
    )
    assert soon.completion_day() < slow.completion_day()


def test_the_least_sure_effect_gives_the_status():
    unsure = biology.Effect("niche", 2, 1, 4, source="x", status="unverified")
    assert biology.Treatment("t", (FASTER, unsure)).status == "unverified"
    assert biology.Treatment("t", (FASTER, unsure)).sources == ("x",)
    assert biology.Treatment("t", ()).status == "given"


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: biology.Effect("diferentiation_per_day", 1, 1, 1), "did you mean 'differentiation_per_day'"),
        (lambda: biology.Effect("niche", 2, 2.5, 3), "0 < low <= fold <= high"),
        (lambda: biology.Rejuvenation(0.5, 0.1, 1.2), "0 <= low <= part <= high <= 1"),
        (lambda: biology.Rejuvenation(0.5, 0.1, 0.9, rates=("speed",)), "rejuvenation rate is 'speed'"),
        (lambda: biology.Treatment("t", (), start_day=-1), "start_day is -1"),
        (lambda: biology.Treatment("t", (), start_day=5, stop_day=5), "after the start on day 5"),
        (lambda: biology.Treatment("t", (), stop_day=math.nan), "stop_day is nan"),
        (
            lambda: biology.Treatment("t", (), stop_day=None),
            "stop_day is not given, .*math.inf for never.*leave",
        ),
        (lambda: biology.Treatment("t", (), stop_day="30"), "stop_day is '30'"),
        (lambda: biology.Treatment("t", (), stop_day=True), "stop_day is True"),
        (lambda: biology.Treatment("t", (), onset_days=0), "onset_days is 0"),
        (lambda: biology.Treatment("t", (), engagement=1.1), "engagement is 1.1"),
        (lambda: Kinetics(0, 12), "half_life_hours is 0"),
        (lambda: Kinetics(7, 24).engagement(0.5, -1), "dose is -1"),
        (lambda: Kinetics(7, 24).engagement(1.0, 2), "dose is 2"),
    ],
)
def test_what_cannot_be_is_named(make, words):
    with pytest.raises(InputError, match=words):
        make()


@given(
    occupancy=st.floats(0.01, 0.99),
    half=st.floats(1, 1000),
    every=st.floats(1, 1000),
    dose=st.floats(0.1, 10),
)
@settings(max_examples=50, deadline=None)
def test_the_mean_of_a_swinging_level_is_that_of_the_integral(occupancy, half, every, dose):
    reached = Kinetics(half, every).engagement(occupancy, dose)
    level = dose * occupancy / (1 - occupancy)
    hours = (np.arange(20_000) + 0.5) / 20_000 * every
    fall = math.log(2) / half
    c = level * fall * every / -np.expm1(-fall * every) * np.exp(-fall * hours)
    assert reached == pytest.approx(np.mean(c / (1 + c)), rel=1e-4, abs=1e-6)
    assert reached <= level / (1 + level) + 1e-12
