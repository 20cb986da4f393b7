"""Steps and lanes: how exact the default step is, and that company changes nothing."""

from __future__ import annotations

import math

import numpy as np
import pytest

from remyelin import biology
from remyelin.biology.course import drawn_parameters
from remyelin.biology.lineage import PARAMETERS, advance, halvings
from remyelin.errors import InputError
from remyelin.evidence.load import read_data

BAR, FINE_DAYS = 1e-5, 0.01
ATTACKS = {
    "none": (),
    "whole": (biology.Attack(60.3, 1),),
    "part": (biology.Attack(40, 0.6), biology.Attack(70, 0.3)),
}


def batch(name, **changes):
    scenario = biology.scenario(name, **changes)
    parameters = drawn_parameters(scenario)
    return parameters, np.repeat([scenario.start()], len(parameters), axis=0)


@pytest.mark.parametrize("attacks", ATTACKS.values(), ids=ATTACKS)
@pytest.mark.parametrize("name", ["rat-young", "rat-aged", "human"])
def test_the_default_step_is_exact_to_five_digits(name, attacks):
    parameters, start = batch(name, smouldering=0.1)
    default = advance(parameters[:64], start[:64], days=150, attacks=attacks)
    fine = advance(parameters[:64], start[:64], days=150, attacks=attacks, step_days=FINE_DAYS)
    np.testing.assert_allclose(default, fine, rtol=0, atol=BAR)


def test_it_is_as_exact_wherever_rates_were_believed_to_be():
    rng = np.random.default_rng(3)
    parameters, start = batch("rat-young", oligodendrocytes_lost=0.8)
    for name, row in read_data("biology.toml")["rate"].items():
        if "low" in row:
            low, high = np.log([row["low"], row["high"]])
            parameters[:, PARAMETERS.index(name)] = np.exp(rng.uniform(low, high, len(parameters)))
    for name, high in {"inhibition": 3, "smouldering": 1, "demand_driven": 1}.items():
        parameters[:, PARAMETERS.index(name)] = rng.uniform(0, high, len(parameters))
    default = advance(parameters, start, days=100, attacks=ATTACKS["part"])
    fine = advance(parameters, start, days=100, attacks=ATTACKS["part"], step_days=FINE_DAYS)
    np.testing.assert_allclose(default, fine, rtol=0, atol=BAR)


@pytest.mark.parametrize("count", [1, 7, 8, 9, 150])
def test_a_lesion_is_the_same_alone_and_in_any_company(count):
    parameters, start = batch("rat-young", receptive_days=300)
    parameters[3, PARAMETERS.index("clearance_per_day")] = 40
    treated = parameters.copy()
    treated[:, PARAMETERS.index("differentiation_per_day")] *= 1.7
    options = {"days": 60, "attacks": (biology.Attack(30.5, 0.5),), "exposure": (5.25, 40, 0.3)}
    together = advance(parameters[:count], start[:count], treated=treated[:count], **options)
    for i in range(count):
        one = slice(i, i + 1)
        alone = advance(parameters[one], start[one], treated=treated[one], **options)[0]
        np.testing.assert_array_equal(together[i], alone)


def test_fading_in_another_lesion_changes_nothing():
    parameters, start = batch("rat-young")
    alone = advance(parameters[:1], start[:1], days=50)
    parameters[1, PARAMETERS.index("receptive_days")] = 20
    np.testing.assert_array_equal(advance(parameters[:2], start[:2], days=50)[0], alone[0])


def test_a_treatment_without_effect_changes_nothing():
    parameters, start = batch("rat-young")
    plain = advance(parameters[:3], start[:3], days=50)
    treated = advance(parameters[:3], start[:3], days=50, treated=parameters[:3], exposure=(0, math.inf, 1))
    np.testing.assert_allclose(treated, plain, rtol=0, atol=1e-7)


def test_what_is_fast_gets_shorter_steps():
    parameters, start = batch("rat-young")
    fast = parameters[:1].copy()
    fast[0, PARAMETERS.index("clearance_per_day")] = 60
    assert halvings(fast)[0] > halvings(parameters[:1])[0]
    found = advance(fast, start[:1], days=60)
    fine = advance(fast, start[:1], days=60, step_days=FINE_DAYS)
    np.testing.assert_allclose(found, fine, rtol=0, atol=BAR)


@pytest.mark.parametrize("value", [1e6, math.inf])
def test_what_no_step_follows_is_refused(value):
    parameters, start = batch("rat-young")
    parameters[0, PARAMETERS.index("clearance_per_day")] = value
    with pytest.raises(InputError, match="at most"):
        advance(parameters, start, days=10)
