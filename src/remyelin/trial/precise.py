"""Regression when each response comes with its own standard error: the rest of the variance by REML."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from remyelin.errors import InputError
from remyelin.trial.design import FloatArray


@dataclass(frozen=True, slots=True)
class Precise:
    """y = X beta + e, Var(e) = sigma^2 + se^2 in each row, with se known.

    Attributes
    ----------
    beta
        (coefficient,) weighted by 1 / (sigma^2 + se^2).
    vcov
        Covariance of `beta`, with what the estimation of sigma^2 adds (Kenward & Roger 1997,
        10.2307/2533558).
    variance
        sigma^2 by REML; 0 where the known errors explain all scatter.
    weights
        (row,) 1 / (sigma^2 + se^2).
    """

    beta: FloatArray
    vcov: FloatArray
    variance: float
    weights: FloatArray
    plain: FloatArray = field(repr=False)  # covariance of beta at a known sigma^2
    slope: FloatArray = field(repr=False)  # its derivative by sigma^2
    uncertainty: float = field(repr=False)  # variance of sigma^2

    def freedom(self, rows: FloatArray) -> FloatArray:
        """(row,) degrees of freedom of L @ beta.

        For one combination of coefficients and one variance, Kenward and Roger's are 2 v^2 / Var(v), v being
        the variance of the combination: n - p where all se are equal.
        """
        v = np.einsum("ij,jk,ik->i", rows, self.plain, rows)
        gradient = np.einsum("ij,jk,ik->i", rows, self.slope, rows)
        return np.asarray(2 * v**2 / (gradient**2 * self.uncertainty))


def fit_precise(X: FloatArray, y: FloatArray, known: FloatArray) -> Precise:
    """Restricted maximum likelihood of the one unknown variance.

    Parameters
    ----------
    X, y
        (row, coefficient) and (row,).
    known
        (row,) se^2, in the squared unit of `y`.

    Raises
    ------
    InputError
        Where the known errors leave no scatter, although some of them are 0: such rows would weigh without
        end.

    Examples
    --------
    >>> y = np.array([1.0, 3.0, 2.0, 8.0])
    >>> fit = fit_precise(np.ones((4, 1)), y, np.array([0.1, 0.1, 0.1, 100.0]))
    >>> fit.beta.round(2), fit.freedom(np.eye(1)).round(1)
    (array([2.02]), array([2.]))
    """
    variance = _variance(X, y, known)
    if variance == 0 and not known.all():
        row = int(np.flatnonzero(known == 0)[0]) + 1
        raise InputError(
            "", "se", f"0 in row {row}, while the errors of the other rows explain all scatter",
            "the error of every measurement", "give its standard error, which no measurement lacks",
        )  # fmt: skip
    w = 1 / (variance + known)
    plain, beta, _ = _solve(X, y, w)
    second, third = (X.T * w**2) @ X, (X.T * w**3) @ X
    inside = plain @ second
    information = np.sum(w**2) - 2 * np.trace(plain @ third) + np.trace(inside @ inside)
    uncertainty = float(2 / information)  # expected information of sigma^2
    # Phi + 2 Phi w (Q - P Phi P) Phi; the variance is linear in sigma^2, so there is no further term.
    added = 2 * uncertainty * plain @ (third - second @ plain @ second) @ plain
    return Precise(beta, plain + added, variance, w, plain, plain @ second @ plain, uncertainty)


def _solve(X: FloatArray, y: FloatArray, w: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """(X'WX)^-1, the coefficients and the residuals."""
    root = np.sqrt(w)
    q, r = np.linalg.qr(X * root[:, None])
    inverse = np.linalg.inv(r)
    beta = inverse @ (q.T @ (y * root))
    return inverse @ inverse.T, beta, y - X @ beta


def _variance(X: FloatArray, y: FloatArray, known: FloatArray) -> float:
    """The best of the peaks that a grid of scores shows; exactly 0 where the score is negative there."""
    from scipy.optimize import brentq

    residual = _solve(X, y, np.ones_like(y))[2]
    size = float(residual @ residual) / (len(y) - X.shape[1])
    # Beside rows without error a tiny sigma^2 is rounding: those rows have all the weight there is.
    least = 1e-8 * size if known.all() else 1e-6 * max(size, float(known.max()))
    grid = np.geomspace(least, max(10 * len(y) * size, 10 * least), 41)
    if known.all():
        grid = np.insert(grid, 0, 0.0)
    scores = [_score(X, y, 1 / (each + known)) for each in grid]
    peaks = [0.0] if scores[0] <= 0 else []
    for k in range(len(grid) - 1):
        if scores[k] > 0 >= scores[k + 1]:
            ends = (grid[k], grid[k + 1])
            # Both tolerances relative: small units must not make a coarse answer.
            found = brentq(lambda v: _score(X, y, 1 / (v + known)), *ends, xtol=1e-14 * ends[1], rtol=1e-14)
            peaks.append(float(found))
    return max(peaks, key=lambda each: _likelihood(X, y, 1 / (max(each, grid[0]) + known)))


def _likelihood(X: FloatArray, y: FloatArray, w: FloatArray) -> float:
    """Twice the restricted log-likelihood, but for a constant."""
    plain, _, residual = _solve(X, y, w)
    return float(np.sum(np.log(w)) + np.linalg.slogdet(plain)[1] - w @ residual**2)


def _score(X: FloatArray, y: FloatArray, w: FloatArray) -> float:
    """Twice the derivative of the restricted log-likelihood by sigma^2."""
    plain, _, residual = _solve(X, y, w)
    return float(w**2 @ residual**2 - np.sum(w) + np.trace(plain @ ((X.T * w**2) @ X)))
