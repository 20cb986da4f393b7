"""Many simulated trials of one layout."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from remyelin.errors import InputError
from remyelin.trial.repeated import fit_trials, mmrm

FORMULA = "y ~ arm * visit + base * visit"
ROLES = {"subject": "id", "visit": "visit", "arm": "arm", "reference": "placebo"}


def close(value, rel=1e-9, of=0.0):
    return pytest.approx(value, rel=rel, abs=of)


def test_simulated_trials_are_fitted_as_one_is(trial):
    data = trial()
    layout = {"subject": data["id"], "visit": pd.Categorical(data["visit"]).codes}
    fits = [mmrm(FORMULA, trial(seed=k), **ROLES) for k in (1, 1)]
    X = mmrm(FORMULA, data.assign(y=0.1 * np.arange(len(data)) % 0.7), **ROLES).design.X
    L = np.eye(9)[[1, 6]]
    for df, covariance in (
        ("kenward-roger-linear", "us"),
        ("satterthwaite", "toeph"),
        ("kenward-roger", "cs"),
    ):
        expected = mmrm(FORMULA, data, df=df, covariance=covariance, **ROLES)
        found = fit_trials(np.tile(data["y"], (2, 1)), X, **layout, contrasts=L, df=df, covariance=covariance)
        assert found.converged.all()
        for name in ("estimate", "se", "df"):
            values = expected.table[name].to_numpy()[[1, 6]]
            assert getattr(found, name)[1] == close(values, 1e-7)
    assert fits[0].table.equals(fits[1].table)


def test_a_trial_without_a_fit_is_not_a_number(trial):
    data = trial(missing=0)
    Y = np.tile(data["y"], (3, 1))
    Y[0, data["visit"] == "W24"] = 0.0
    Y[2, :] = np.nan
    X = mmrm(FORMULA, data, **ROLES).design.X
    found = fit_trials(Y, X, data["id"], pd.Categorical(data["visit"]).codes, np.eye(9)[1])
    assert found.converged.tolist() == [False, True, False]
    assert np.isnan(found.estimate[[0, 2]]).all()
    with pytest.raises(InputError, match="second time"):
        fit_trials(Y, X, data["id"], np.zeros(len(data), int), np.eye(9)[1])
    with pytest.raises(InputError, match="of shape"):
        fit_trials(Y[:, :5], X, data["id"], np.zeros(len(data), int), np.eye(9)[1])


@pytest.mark.slow
def test_type_one_error_and_coverage_with_dropout():
    """10,000 null trials of 2 x 10 patients, 4 visits, 10 % lost at each: four standard errors of .05."""
    rng = np.random.default_rng(11)
    n, m, trials = 20, 4, 10_000
    subject, visit = np.repeat(np.arange(n), m), np.tile(np.arange(m), n)
    D = (visit[:, None] == np.arange(m)).astype(float)
    X = np.column_stack([D, D * (subject % 2)[:, None]])
    root = np.linalg.cholesky(0.6 ** np.abs(np.subtract.outer(range(m), range(m))))
    Y = rng.normal(size=(trials, n, m)) @ root.T * np.array([1, 1.2, 1.5, 1.7])
    lost = np.maximum.accumulate(rng.random(Y.shape) < 0.1 * (np.arange(m) > 0), axis=2)
    Y[lost] = np.nan
    fits = fit_trials(Y.reshape(trials, -1), X, subject, visit, np.eye(2 * m)[-1])
    p = 2 * stats.t.sf(np.abs(fits.estimate / fits.se), fits.df)
    assert fits.converged.mean() > 0.999
    assert np.mean(p[fits.converged] < 0.05) == pytest.approx(0.05, abs=4 * np.sqrt(0.05 * 0.95 / trials))
