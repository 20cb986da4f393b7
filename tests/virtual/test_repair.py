"""Lesions of many worlds against single simulations of `biology`."""

from __future__ import annotations

import numpy as np
import pytest

from remyelin import biology
from remyelin.biology.draws import posterior
from remyelin.biology.lineage import PARAMETERS
from remyelin.errors import InputError
from remyelin.virtual import repair
from remyelin.virtual.assumptions import central, draw_worlds
from remyelin.virtual.repair import Exposure, drugs_of, follow

DAYS = (0, 90, 182)
AGE = 40.0


def alone(mode: str, world, *, treatment=None, age=AGE, begin=0):
    """The same lesion by the public functions of biology."""
    lesion = biology.scenario(
        "human", age_years=age - begin / 365.25, lesion_radius_mm=world["lesion_radius_mm"][0]
    )
    if mode == repair.MODES[0]:
        lesion = lesion.changed(smouldering=world["smouldering"][0])
    if mode != repair.HEALING:
        lesion = biology.fail(lesion, mode, severity=world["severity"][0])
    return biology.simulate(lesion, days=begin + DAYS[-1], treatment=treatment)


@pytest.mark.parametrize("k", range(2))
def test_one_untreated_world_is_that_of_biology(k):
    world = central(lesion_years=2.0)
    (course,) = follow(world, [Exposure(None)], days=DAYS, age_years=AGE, lesions="chronic")
    expected = alone(repair.MODES[k], world, begin=730)
    at = [730 + day for day in DAYS]
    assert course.covered[k, 0] == pytest.approx(expected.remyelinated[at], abs=1e-6)
    assert course.axons[k, 0] == pytest.approx(expected.of("axons")[0][at], abs=1e-6)
    assert course.thickness[k, 0] == pytest.approx(expected.of("thickness")[0][at], abs=1e-6)


def test_a_treated_world_is_that_of_biology():
    world = central(lesion_years=2.0, dose_taken=1.0)
    exposure = Exposure("gsk239512", start_day=0.0, stop_day=90.0)
    (course,) = follow(world, [exposure], days=DAYS, age_years=AGE, lesions="chronic")
    drug = biology.treat("gsk239512", effect=1.5, onset_days=3.0, start_day=730, stop_day=820)
    expected = alone(repair.MODES[1], world, treatment=drug, begin=730)
    assert course.covered[1, 0] == pytest.approx(expected.remyelinated[[730, 820, 912]], abs=1e-6)


def test_a_rejuvenating_drug_gives_back_what_biology_says():
    world = central(dose_taken=1.0, age_part=0.5)
    plain = repair._parameters(world, np.array([AGE]))
    folds, _ = repair._treated(plain, world, Exposure("metformin"))
    own = biology.treat("metformin", effect={"age": 0.5})
    expected = own.folds(1, np.random.default_rng(0), biology.scenario("human", age_years=AGE))
    assert folds[0] == pytest.approx(expected[0], rel=1e-9)


def test_a_larger_dose_engages_more_but_never_more_than_all():
    world = central(dose_taken=1.0)
    plain = repair._parameters(world, np.array([AGE]))
    column = PARAMETERS.index("differentiation_per_day")
    one, ten = (repair._treated(plain, world, Exposure("opicinumab", dose=d))[0][0, column] for d in (1, 10))
    assert one == pytest.approx(1.5**0.9)
    assert one < ten < 1.5


def test_a_contested_drug_hinders_in_some_worlds():
    plain = repair._parameters(central(), np.array([AGE]))
    column = PARAMETERS.index("differentiation_per_day")
    helps, hinders = (
        repair._treated(plain, central(contested_helps=side), Exposure("simvastatin"))[0][0, column]
        for side in (1.0, 0.0)
    )
    assert helps > 1 > hinders
    assert helps * hinders == pytest.approx(1)


def test_parts_of_lesions_add_up():
    worlds = draw_worlds(8, np.random.default_rng(1))
    for lesions in ("chronic", "acute"):
        (course,) = follow(worlds, [Exposure(None)], days=(0, 30), age_years=AGE, lesions=lesions)
        assert course.part.sum(axis=0) == pytest.approx(1.0)
        assert ((course.myelin >= 0) & (course.myelin <= 1)).all()


def test_the_longer_step_costs_nothing(monkeypatch):
    worlds = draw_worlds(24, np.random.default_rng(4))
    asked = {"days": DAYS, "age_years": AGE, "lesions": "acute"}
    found = follow(worlds, [Exposure("clemastine")], **asked)[0].covered
    monkeypatch.setattr(repair, "STEP_DAYS", 0.1)
    exact = follow(worlds, [Exposure("clemastine")], **asked)[0].covered
    assert np.abs(found - exact).max() < 1e-5


def test_other_worlds_change_nothing():
    worlds = draw_worlds(12, np.random.default_rng(5))
    some = {name: values[:3] for name, values in worlds.items()}
    asked = {"days": DAYS, "age_years": AGE, "lesions": "chronic"}
    whole, part = (follow(w, [Exposure("clemastine")], **asked)[0].covered for w in (worlds, some))
    assert (whole[:, :3] == part).all()


def test_each_draw_of_the_posterior_is_used():
    worlds = {**central(), "lineage": np.array([0.0, 0.5, 1.0])}
    last = len(posterior().draws) - 1
    assert repair._draws(worlds).tolist() == [0, (last + 1) // 2, last]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("clemastin", "did you mean 'clemastine'"),
        ("cnm-au8", "whose target is not known"),
        ("virtual", "target"),
    ],
)
def test_a_treatment_without_a_known_target_is_named(name, words):
    with pytest.raises(InputError, match=words):
        drugs_of(name)
