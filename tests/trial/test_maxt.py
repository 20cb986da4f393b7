"""The distribution of the largest of several t statistics, by other integrals."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.special import ndtr
from scipy.stats import chi, multivariate_normal

from remyelin.errors import InputError
from remyelin.trial.maxt import adjusted_p, at_most, critical


def one_factor(c: float, loading: np.ndarray, df: float) -> float:
    """Correlations of product form: given the shared part, the statistics are independent (Dunnett 1955)."""
    z = np.linspace(-9, 9, 2001)
    weight = np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi) * (z[1] - z[0])
    rest = np.sqrt(1 - loading**2)

    def given_scale(s: float) -> float:
        each = [
            ndtr((c * s - b * z) / d) - ndtr((-c * s - b * z) / d) for b, d in zip(loading, rest, strict=True)
        ]
        return float(weight @ np.prod(each, axis=0))

    if np.isinf(df):
        return given_scale(1.0)
    s = chi(df, scale=1 / np.sqrt(df))
    return quad(lambda x: given_scale(x) * s.pdf(x), *s.ppf([1e-14, 1 - 1e-14]), epsabs=1e-11, limit=200)[0]


@pytest.mark.parametrize("df", [5, 40, np.inf])
@pytest.mark.parametrize("m", [2, 3, 4, 5])
def test_agrees_with_the_integral_of_dunnett(m, df):
    loading = np.random.default_rng(m).uniform(0.5, 0.8, m)
    correlation = np.outer(loading, loading)
    np.fill_diagonal(correlation, 1.0)
    # Five statistics with 5 degrees of freedom are the hardest: 8e-7 apart.
    assert at_most(2.4, correlation, df) == pytest.approx(one_factor(2.4, loading, df), abs=1e-6)


@pytest.mark.parametrize(
    ("m", "df", "printed"),
    # Dunnett 1964, 10.2307/2528490, two-sided, alpha .05, equal arms.
    [
        (2, 20, 2.38),
        (3, 20, 2.54),
        (4, 20, 2.65),
        (2, 60, 2.27),
        (3, 60, 2.41),
        (4, 60, 2.51),
        (2, np.inf, 2.21),
    ],
)
def test_agrees_with_the_printed_table(m, df, printed):
    half = np.full((m, m), 0.5) + 0.5 * np.eye(m)
    assert critical(half, df, 0.05) == pytest.approx(printed, abs=0.0051)


@pytest.mark.parametrize("two_sided", [True, False])
def test_agrees_with_scipy_for_any_correlation(two_sided):
    correlation = np.array([[1, 0.97, 0.3], [0.97, 1, 0.5], [0.3, 0.5, 1.0]])
    lower = [-2.0] * 3 if two_sided else None
    scipys = multivariate_normal(np.zeros(3), correlation).cdf([2.0] * 3, lower_limit=lower, rng=1)
    assert at_most(2.0, correlation, np.inf, two_sided=two_sided) == pytest.approx(scipys, abs=1e-4)


def test_negative_bounds_of_one_sided_tests():
    independent = np.eye(2)
    assert at_most(-1.0, independent, np.inf, two_sided=False) == pytest.approx(ndtr(-1.0) ** 2, abs=1e-9)


def test_statistics_that_follow_from_others():
    """Rank 1: the same statistic three times. Rank 2: the third is the difference of two."""
    same = np.ones((3, 3))
    assert at_most(1.96, same, np.inf) == pytest.approx(1 - 2 * ndtr(-1.96), abs=1e-10)
    assert critical(same, 30, 0.05) == pytest.approx(critical(np.eye(1), 30, 0.05), abs=1e-6)
    rows = np.array([[1.0, 0], [-0.5, np.sqrt(0.75)], [-0.5, -np.sqrt(0.75)]])
    # All pairs of three means: Tukey's studentised range, q(.05; 3, inf) = 3.314493 / sqrt 2.
    assert critical(rows @ rows.T, np.inf, 0.05) == pytest.approx(3.314493 / np.sqrt(2), abs=1e-4)


@settings(deadline=None, max_examples=25)
@given(seed=st.integers(0, 10_000), m=st.integers(2, 3), two_sided=st.booleans())
def test_order_does_not_matter_and_bounds_hold(seed, m, two_sided):
    rng = np.random.default_rng(seed)
    root = rng.normal(size=(m, m + 2))
    cov = root @ root.T
    sd = np.sqrt(np.diag(cov))
    correlation = cov / np.outer(sd, sd)
    t = rng.normal(0, 2, m)
    p = adjusted_p(t, correlation, 12, two_sided=two_sided)
    turn = rng.permutation(m)
    again = adjusted_p(t[turn], correlation[np.ix_(turn, turn)], 12, two_sided=two_sided)
    np.testing.assert_allclose(again, p[turn], atol=2e-6)
    size = np.abs(t) if two_sided else t
    assert (np.diff(p[np.argsort(-size)]) >= -1e-7).all()


def test_the_far_tail_is_held_by_bonferroni():
    p = adjusted_p(np.array([40.0, 1.0]), np.array([[1, 0.5], [0.5, 1]]), np.inf)
    assert 0 <= p[0] < 1e-300


def test_too_many_comparisons_are_refused():
    with pytest.raises(InputError, match="holm"):
        at_most(2.0, np.eye(7), np.inf)
