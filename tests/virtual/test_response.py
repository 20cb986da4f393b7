"""From a treatment to what is measured: shapes, signs, the tables, and single computations."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from remyelin.biology.sheaths import Axons, Cover, myelin_state
from remyelin.conduction import NerveBundle
from remyelin.errors import InputError
from remyelin.signal import mtr_pu, vep_response, white_matter
from remyelin.virtual.assumptions import central, draw_worlds
from remyelin.virtual.reading import (
    N_AXONS,
    NERVE_MM,
    bare_delay_ms,
    delay_ratio,
    lesion_mm,
    mtr_of_myelin,
)
from remyelin.virtual.repair import Exposure
from remyelin.virtual.response import Response, changes, response


@pytest.mark.parametrize(
    ("nav", "short", "thickness", "covered"),
    [(0.01, 3, 0.6, 0.6), (0.006, 2, 0.4, 0.35), (0.015, 4, 0.8, 0.85)],
)
def test_the_table_reads_what_the_nerve_gives(nav, short, thickness, covered):
    axons = Axons.drawn(N_AXONS, 1e3 * lesion_mm(), np.random.default_rng(0))

    def latency(part):
        state = myelin_state(
            axons, Cover(0.0, part, thickness, 1.0), day=0.0, n_short=short, cells=(0.0, 0.0, 0.0)
        )
        nerve = NerveBundle.from_state(state, nav_fraction=nav, length_mm=NERVE_MM)
        return vep_response(nerve.arrive()).latency_ms, vep_response(nerve.intact().arrive()).latency_ms

    (bare, healthy), (found, _) = latency(0.0), latency(covered)
    ratio = delay_ratio(
        np.array([covered]), np.array([thickness]), nav_fraction=np.array([nav]),
        short_internodes=np.array([float(short)]),
    )  # fmt: skip
    assert float(ratio[0]) == pytest.approx((found - healthy) / (bare - healthy), abs=0.06)
    assert float(bare_delay_ms(np.array(nav))) == pytest.approx(bare - healthy, rel=0.08)


@pytest.mark.parametrize("myelin", [0.0, 0.33, 0.71, 1.0])
def test_the_table_of_mtr_is_that_of_the_two_pools(myelin):
    assert float(mtr_of_myelin(np.array(myelin))) == pytest.approx(
        float(mtr_pu(white_matter(myelin))), abs=0.02
    )


def test_a_treatment_has_done_nothing_on_the_day_of_baseline():
    found = response("clemastine", age_years=[30, 50], day=[0, 182], assumptions=central(lesion_years=2.0))
    assert found.latency_ms[:, 0] == pytest.approx(0, abs=1e-9)
    assert found.mtr_pu[:, 0] == pytest.approx(0, abs=1e-9)


def test_placebo_changes_nothing():
    found = response(None, age_years=40, day=[0, 182], assumptions=central(lesion_years=2.0))
    assert not found.latency_ms.any()
    assert not found.mtr_pu.any()


def test_more_of_the_effect_is_more_of_the_answer():
    world = {**central(lesion_years=2.0), "treatment_effect": np.array([2.0])}
    weak, strong = (
        response("gsk239512", age_years=40, day=[0, 182], assumptions=each)
        for each in (central(lesion_years=2.0), world)
    )
    assert strong.latency_ms[0, 1] < weak.latency_ms[0, 1] < 0
    assert strong.mtr_pu[0, 1] > weak.mtr_pu[0, 1] > 0


def test_a_world_that_has_healed_the_delayed_eye_is_told():
    healed = central(lesion_years=8.0, severity=0.5, smouldering=0.0)
    found = changes(healed, [Exposure("clemastine")], days=[0, 90], age_years=30.0, lesions="chronic")[0]
    assert not found.possible[0]
    assert found.lesion_mm[0] > NERVE_MM


def test_untreated_eyes_get_faster_and_never_slower_without_smouldering():
    worlds = {**draw_worlds(16, np.random.default_rng(2)), "smouldering": np.zeros(16)}
    found = changes(worlds, [Exposure(None)], days=[0, 182], age_years=40.0, lesions="chronic")[0]
    assert (found.untreated_latency_ms[:, 1] <= 1e-6).all()


@given(st.floats(-20, 20), st.floats(-2, 2), st.floats(18, 70), st.floats(1, 1000))
def test_a_given_truth_is_the_same_for_all(latency, mtr, age, day):
    known = Response.constant(latency, mtr)
    assert known.latency_at(age, day) == latency
    assert known.mtr_at(age, day) == mtr
    assert known.latency_at(age, 0.0) == 0


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"day": [90, 0]}, "day"),
        ({"latency_ms": [[0.0, np.nan]]}, "latency_ms"),
        ({"mtr_pu": [[0.0, 0.1, 0.2]]}, "mtr_pu"),
        ({"age_years": [[40.0]]}, "age_years"),
    ],
)
def test_a_response_that_cannot_be_is_refused(change, words):
    given = {"age_years": [40.0], "day": [0, 90], "latency_ms": [[0.0, -1.0]], "mtr_pu": [[0.0, 0.1]]}
    with pytest.raises(InputError, match=words):
        Response(**{**given, **change})


@pytest.mark.parametrize("day", [-14, 0.5, 4000, float("nan")])
def test_a_day_that_is_not_after_baseline_is_named(day):
    with pytest.raises(InputError, match="whole days from 0, the baseline"):
        response("clemastine", day=[day], assumptions=central())


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"latency_ms": -1200}, "latency_ms is -1200, expected a finite number, -30 to 30"),
        ({"latency_ms": "-1.2"}, "latency_ms is '-1.2'"),
        ({"mtr_pu": 20.0}, "mtr_pu is 20, expected a finite number, -10 to 10"),
        ({"mtr_pu": None}, "mtr_pu is not given"),
    ],
)
def test_a_given_truth_that_cannot_be_is_refused(given, words):
    with pytest.raises(InputError, match=words):
        Response.constant(**given)


@pytest.mark.parametrize("latency", [[["a"]], [[None]], [[1.0], [1.0, 2.0]], [[-31.0]]])
def test_a_grid_that_cannot_be_is_refused(latency):
    with pytest.raises(InputError, match="latency_ms"):
        Response(np.zeros(1), np.zeros(1), latency, np.zeros((1, 1)))
