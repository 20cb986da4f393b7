"""Logistic regression against statsmodels, and separation against what it means."""

from __future__ import annotations

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from remyelin.errors import InputError
from remyelin.trial.logistic import fit_logistic, separating_column

NAMES = ("Intercept", "a", "b")


def sample(seed: int, n: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    X = np.column_stack([np.ones(n), rng.integers(0, 2, n), rng.normal(0, 1, n)])
    y = (rng.uniform(size=n) < 1 / (1 + np.exp(-X @ [0.2, 0.8, -0.5]))).astype(float)
    return X, y


def test_agrees_with_statsmodels():
    X, y = sample(1, 120)
    ours, theirs = fit_logistic(X, y, NAMES, "y"), sm.Logit(y, X).fit(disp=0, tol=1e-13)
    assert_allclose(ours.beta, theirs.params, rtol=1e-9)
    assert_allclose(ours.vcov, theirs.cov_params(), rtol=1e-6)
    assert ours.deviance == pytest.approx(-2 * theirs.llf, rel=1e-12)


def test_a_covariate_on_any_scale():
    X, y = sample(2, 80)
    one = fit_logistic(X, y, NAMES, "y")
    scale = np.array([1, 1, 1e-6])
    other = fit_logistic(X / scale, y, NAMES, "y")
    assert_allclose(other.beta, one.beta * scale, rtol=1e-7)


@settings(deadline=None, max_examples=60)
@given(seed=st.integers(0, 100_000), n=st.integers(6, 14))
@example(seed=65535, n=12)
def test_fits_or_names_a_column_never_a_false_number(seed, n):
    """Small samples: a fit whose score is zero, or a combination of columns that separates, never both."""
    X, y = sample(seed, n)
    if np.linalg.matrix_rank(X) < 3:
        return
    column = separating_column(X, y, NAMES)
    if column is not None or y.min() == y.max():
        with pytest.raises(InputError) as caught:
            fit_logistic(X, y, NAMES, "y")
        assert caught.value.field == ("y" if y.min() == y.max() else column)
        return
    try:
        fit = fit_logistic(X, y, NAMES, "y")
    except InputError as error:  # all but separated: seed 65535 with n = 12
        assert "did not settle" in error.found  # noqa: PT017
    else:
        mu = 1 / (1 + np.exp(-X @ fit.beta))
        assert_allclose(X.T @ (y - mu), 0, atol=1e-6)


def test_the_column_that_separates_is_named():
    X, y = sample(3, 40)
    X[:, 2] = np.where(y == 1, 2.0, 1.0)
    with pytest.raises(InputError) as caught:
        fit_logistic(X, y, NAMES, "improved")
    assert caught.value.field == "b"
    assert "improved" in caught.value.found


@pytest.mark.parametrize("y", [np.zeros(40), np.ones(40), np.full(40, 0.5)])
def test_a_response_that_is_not_two_outcomes_is_refused(y):
    with pytest.raises(InputError, match="y is"):
        fit_logistic(sample(4, 40)[0], y, NAMES, "y")
