"""Standard errors from the observed information of coefficients and covariance together."""

from __future__ import annotations

from dataclasses import asdict

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from remyelin.errors import InputError
from remyelin.trial.repeated import fit_trials, mmrm

FORMULA = "y ~ arm * visit + base * visit"
ROLES = {"subject": "id", "visit": "visit", "arm": "arm", "reference": "placebo"}
METHODS = ("satterthwaite", "kenward-roger-linear", "kenward-roger", "between-within")


def close(value, rel=1e-9, of=0.0):
    return pytest.approx(value, rel=rel, abs=of)


@pytest.mark.parametrize("df", METHODS)
def test_complete_data_have_the_expected_errors(trial, df):
    data = trial(missing=0)
    expected = mmrm(FORMULA, data, df=df, **ROLES)
    observed = mmrm(FORMULA, data, df=df, information="observed", **ROLES)
    if df == "kenward-roger":  # its second derivatives stand in both
        assert not np.allclose(expected.table["se"], mmrm(FORMULA, data, df=METHODS[0], **ROLES).table["se"])
    assert observed.table.to_numpy() == close(expected.table.to_numpy(), 1e-8)
    assert observed.anova().to_numpy() == close(expected.anova().to_numpy(), 1e-6)


def test_one_effect_at_all_visits_has_the_expected_errors_on_average():
    """Complete data where least squares do not solve the model: the two differ by chance alone."""
    rng = np.random.default_rng(3)
    n, m, trials = 40, 3, 200
    subject, visit = np.repeat(np.arange(n), m), np.tile(np.arange(m), n)
    X = np.column_stack([visit[:, None] == np.arange(m), subject % 2]).astype(float)
    root = np.linalg.cholesky(0.6 ** np.abs(np.subtract.outer(range(m), range(m))))
    Y = (rng.normal(size=(trials, n, m)) @ root.T * [1, 1.3, 2]).reshape(trials, -1)
    one, other = (
        fit_trials(Y, X, subject, visit, [0, 0, 0, 1], information=each) for each in ("expected", "observed")
    )
    ratio = other.se / one.se
    assert ratio.std() > 0.005
    assert ratio.mean() == pytest.approx(1, abs=4 * ratio.std() / np.sqrt(trials))
    assert ratio.max() < 1.15


def test_nothing_but_errors_differs(trial):
    data = trial()
    one = mmrm(FORMULA, data, **ROLES)
    other = mmrm(FORMULA, data, information="observed", **ROLES)
    assert one.spec.information == "expected"
    assert other.table[["estimate", "df"]].equals(one.table[["estimate", "df"]])
    assert other.covariance.equals(one.covariance)
    assert mmrm(data=data, **asdict(other.spec)).table.equals(other.table)
    assert "observed information" in str(other)
    assert "observed information" not in str(one)


@pytest.mark.parametrize("df", METHODS[:2])
def test_visits_in_another_order_are_another_parametrisation(trial, df):
    data = trial()
    errors = [
        mmrm(
            FORMULA, data.assign(visit=pd.Categorical(data["visit"], order)),
            df=df, information="observed", **ROLES,
        ).contrasts()["se"]
        for order in (["W04", "W12", "W24"], ["W24", "W04", "W12"])
    ]  # fmt: skip
    assert errors[1][errors[0].index].to_numpy() == close(errors[0].to_numpy(), 1e-7)


def test_units_carry_through(trial):
    data = trial()
    one = mmrm(FORMULA, data, information="observed", **ROLES).contrasts()
    other = mmrm(FORMULA, data.assign(y=50 * data["y"] - 7), information="observed", **ROLES).contrasts()
    assert other["se"].to_numpy() == close(50 * one["se"].to_numpy(), 1e-7)


@pytest.mark.parametrize("df", METHODS[:3])
def test_simulated_trials_are_fitted_as_one_is(trial, df):
    data = trial()
    fit = mmrm(FORMULA, data, df=df, information="observed", **ROLES)
    X = mmrm(FORMULA, data.assign(y=0.1 * np.arange(len(data)) % 0.7), **ROLES).design.X
    codes = pd.Categorical(data["visit"]).codes
    found = fit_trials(data["y"], X, data["id"], codes, np.eye(9), df=df, information="observed")
    assert found.se[0] == close(fit.table["se"].to_numpy(), 1e-7)
    assert found.df[0] == close(fit.table["df"].to_numpy(), 1e-7)


def test_what_is_refused(trial):
    data = trial()
    with pytest.raises(InputError, match="one of expected, observed"):
        mmrm(FORMULA, data, information="fisher", **ROLES)
    with pytest.raises(InputError, match="robust"):
        mmrm(FORMULA, data, information="observed", robust=True, df="between-within", **ROLES)
    with pytest.raises(InputError, match="one of expected, observed"):
        fit_trials(np.zeros(4), np.ones((4, 1)), [0, 0, 1, 1], [0, 1, 0, 1], [1], information="fisher")
    with pytest.raises(InputError, match=r"without scatter|too poor"):
        mmrm(FORMULA, data[data["id"] < "S08"], information="observed", **ROLES)


@pytest.mark.slow
def test_dropout_that_differs_between_arms_keeps_the_level():
    """2,000 null trials, 30 an arm; those who did badly leave one arm, those who did well the other."""
    rng = np.random.default_rng(7)
    n, m, trials = 60, 3, 2000
    subject, visit = np.repeat(np.arange(n), m), np.tile(np.arange(m), n)
    arm = np.arange(n) % 2
    D = (visit[:, None] == np.arange(m)).astype(float)
    X = np.column_stack([D, D * arm[subject][:, None]])
    root = np.linalg.cholesky(0.7 ** np.abs(np.subtract.outer(range(m), range(m))))
    Y = rng.normal(size=(trials, n, m)) @ root.T
    leaves = np.where(arm[:, None], Y, -Y)[:, :, :-1] > 0.3
    gone = np.maximum.accumulate(leaves & (rng.random(leaves.shape) < 0.6), axis=2)
    Y[:, :, 1:][gone] = np.nan
    rate, spread = {}, {}
    for information in ("expected", "observed"):
        fits = fit_trials(
            Y.reshape(trials, -1), X, subject, visit, np.eye(2 * m)[-1], information=information
        )
        assert fits.converged.all()
        rate[information] = np.mean(2 * stats.t.sf(np.abs(fits.estimate / fits.se), fits.df) < 0.05)
        spread[information] = np.sqrt(np.mean(fits.se**2)) / np.std(fits.estimate)
    assert rate["observed"] == pytest.approx(0.05, abs=4 * np.sqrt(0.05 * 0.95 / trials))
    assert rate["expected"] > rate["observed"] + 0.015
    assert spread["expected"] < 0.93 < spread["observed"] < 1.07
