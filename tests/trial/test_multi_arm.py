"""Multi-arm multi-stage trials: probabilities, OCTOPUS's sizes, bad input."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import multivariate_normal

from remyelin.errors import InputError
from remyelin.trial.sequential import multi_arm
from remyelin.trial.sequential.arms import all_pass, any_passes, pass_all

OCTOPUS = {"arms": 2, "n_per_arm": [125, 600], "alpha": [0.3, 0.025], "outcome_correlation": 0.5}


def correlation(steps):
    stages = len(steps) + 1
    matrix = np.eye(stages)
    for i in range(stages):
        for j in range(i + 1, stages):
            matrix[i, j] = matrix[j, i] = np.prod(steps[i:j])
    return matrix


@given(
    lower=st.lists(st.floats(-2, 2.5), min_size=2, max_size=3),
    steps=st.lists(st.floats(0, 0.95), min_size=2, max_size=2),
)
@settings(max_examples=20, deadline=None)
def test_orthants_agree_with_scipy(lower, steps):
    steps = steps[: len(lower) - 1]
    expected = multivariate_normal.cdf(-np.array(lower), cov=correlation(steps), abseps=1e-9, maxpts=10**6)
    assert pass_all([lower], steps)[0] == pytest.approx(expected, abs=2e-6)


@pytest.mark.parametrize("arms", [2, 3, 5])
def test_one_stage_is_dunnett(arms):
    cov = np.full((arms, arms), 0.5) + 0.5 * np.eye(arms)
    expected = 1 - multivariate_normal.cdf(np.full(arms, 2.0), cov=cov, abseps=1e-10, maxpts=10**6)
    assert any_passes([2.0], (), arms, 0.5) == pytest.approx(expected, abs=1e-6)


def test_two_stages_two_arms_agree_with_scipy():
    """The union of two events of two stages each, from orthants of four dimensions."""
    steps, lower = (0.6,), [0.5, 1.96]
    cov = np.kron(np.array([[1, 1 / 3], [1 / 3, 1]]), correlation(steps))
    both = multivariate_normal.cdf(-np.array(lower * 2), cov=cov, abseps=1e-9, maxpts=4 * 10**6)
    one = pass_all([lower], steps)[0]
    assert all_pass(lower, steps, 2, 1 / 3) == pytest.approx(both, abs=2e-6)
    assert any_passes(lower, steps, 2, 1 / 3) == pytest.approx(2 * one - both, abs=2e-6)


@pytest.mark.slow
def test_simulated_trials_agree():
    """Participants with two outcomes are simulated, not z values; Monte Carlo SE 0.004 or less."""
    design = multi_arm(arms=2, n_per_arm=[25, 120], alpha=[0.3, 0.025], effect=[0.4, 0.3],
                       outcome_correlation=0.5, control_ratio=2.0)  # fmt: skip
    rng, trials = np.random.default_rng(4), 20_000
    cov = [[1, 0.5], [0.5, 1]]
    passed, z_first, z_last = np.zeros((trials, 2), bool), np.zeros((trials, 2)), np.zeros((trials, 2))
    for trial in range(trials):
        control = rng.multivariate_normal([0, 0], cov, 240)
        for arm in range(2):
            treated = rng.multivariate_normal([0.4, 0.3], cov, 120)
            early = (treated[:25, 0].mean() - control[:50, 0].mean()) / np.sqrt(1 / 25 + 1 / 50)
            late = (treated[:, 1].mean() - control[:, 1].mean()) / np.sqrt(1 / 120 + 1 / 240)
            z_first[trial, arm], z_last[trial, arm] = early, late
            passed[trial, arm] = early >= design.critical_z[0] and late >= design.critical_z[1]
    assert np.corrcoef(z_first[:, 0], z_last[:, 0])[0, 1] == pytest.approx(design.steps[0], abs=0.02)
    assert np.corrcoef(z_last.T)[0, 1] == pytest.approx(design.between, abs=0.02)
    assert passed[:, 0].mean() == pytest.approx(design.pairwise_power, abs=0.012)
    assert passed.any(axis=1).mean() == pytest.approx(design.any_power, abs=0.012)
    assert passed.all(axis=1).mean() == pytest.approx(design.all_power, abs=0.012)


def test_power_and_effect_say_the_same():
    by_power = multi_arm(**OCTOPUS, power=[0.95, 0.9])
    again = multi_arm(**by_power.spec)
    assert again.mean_z == pytest.approx(by_power.mean_z, rel=1e-12)
    assert list(by_power.table["stage_power"]) == pytest.approx([0.95, 0.9])
    assert by_power.pairwise_power < 0.9


def test_error_rates_are_ordered():
    design = multi_arm(**OCTOPUS, effect=[0.3, 0.2])
    assert design.pairwise_alpha < 0.025
    assert design.pairwise_alpha < design.familywise < design.familywise_most
    # Dunnett: two arms, one-sided 0.025, shared control of the same size.
    assert design.familywise_most == pytest.approx(0.04537, abs=1e-5)
    same = multi_arm(**OCTOPUS | {"outcome_correlation": 1.0}, effect=[0.2, 0.2])
    assert same.familywise_most == same.familywise
    assert same.pairwise_alpha > design.pairwise_alpha
    assert design.all_power < design.pairwise_power < design.any_power


def test_independent_outcomes_multiply():
    design = multi_arm(**OCTOPUS | {"outcome_correlation": 0.0}, effect=[0.3, 0.2])
    assert design.pairwise_alpha == pytest.approx(0.3 * 0.025, rel=1e-9)


def test_one_stage_is_the_usual_test():
    design = multi_arm(arms=1, n_per_arm=[64], alpha=[0.025], effect=[0.5], outcome_correlation=1)
    assert design.pairwise_power == pytest.approx(0.8074304, abs=1e-6)
    assert design.expected_n() == 128


def test_expected_size_lies_between_the_stages():
    design = multi_arm(**OCTOPUS, effect=[0.3, 0.2])
    assert 375 < design.expected_n() < design.expected_n(works=True) < 1800


def test_prints_itself():
    design = multi_arm(**OCTOPUS, effect=[0.3, 0.2])
    assert "stage 2, 600 an arm" in str(design)
    assert "<table" in design._repr_html_()
    assert design.to_frame().columns[0] == "stage"


@pytest.mark.parametrize(("change", "field"), [
    ({"arms": None}, "arms"), ({"arms": 0}, "arms"), ({"arms": True}, "arms"),
    ({"alpha": None}, "alpha"), ({"alpha": [0.3, 1.2]}, "alpha"), ({"alpha": [0.4] * 5}, "n_per_arm"),
    ({"n_per_arm": None}, "n_per_arm"), ({"n_per_arm": [600, 125]}, "n_per_arm"),
    ({"n_per_arm": [599, 600], "outcome_correlation": 1.0}, "n_per_arm"),
    ({"outcome_correlation": None}, "outcome_correlation"),
    ({"outcome_correlation": 1.5}, "outcome_correlation"),
    ({"control_ratio": 0}, "control_ratio"), ({"effect": None}, "effect, power"),
    ({"power": [0.9, 0.9]}, "effect, power"), ({"effect": [0.3]}, "effect"),
    ({"effect": [0.3, float("nan")]}, "effect"),
    ({"alpha": [0.4] * 5, "n_per_arm": [10, 20, 30, 40, 50]}, "alpha"),
])  # fmt: skip
def test_asks_for_what_is_missing(change, field):
    with pytest.raises(InputError) as caught:
        multi_arm(**OCTOPUS | {"effect": [0.3, 0.2]} | change)
    assert caught.value.field == field
