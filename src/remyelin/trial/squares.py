"""Least squares with standard errors that may not trust equal variances."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from remyelin.errors import InputError
from remyelin.trial.design import Design, FloatArray

Covariance = Literal["classical", "HC1", "HC3"]
COVARIANCES = ("classical", "HC1", "HC3")


@dataclass(frozen=True, slots=True)
class Squares:
    """A least-squares fit.

    Attributes
    ----------
    beta, vcov
        Coefficients and their covariance.
    rss, df
        Residual sum of squares (weighted if there are weights) and residual degrees of freedom.
    """

    beta: FloatArray
    vcov: FloatArray
    rss: float
    df: int


def least_squares(X: FloatArray, y: FloatArray, w: FloatArray, covariance: Covariance) -> Squares:
    """Fit `y` (row,) on `X` (row, coefficient) with weights `w` (row,).

    Raises
    ------
    InputError
        For HC3 where one row alone determines a coefficient.

    Examples
    --------
    >>> fit = least_squares(np.ones((3, 1)), np.array([1.0, 2.0, 6.0]), np.ones(3), "classical")
    >>> fit.beta, fit.rss
    (array([3.]), 14.0)
    """
    root = np.sqrt(w)
    q, r = np.linalg.qr(X * root[:, None])
    beta = np.linalg.solve(r, q.T @ (y * root))
    residual = (y - X @ beta) * root
    df = len(y) - X.shape[1]
    vcov = _vcov(q, np.linalg.inv(r), residual, df, covariance)
    return Squares(beta, vcov, float(residual @ residual), df)


@dataclass(frozen=True, slots=True)
class ManySquares:
    """Least-squares fits of many trials at once: `estimate` and `se` (trial, contrast), `df` (trial,).

    All are NaN in a trial that has no fit.
    """

    estimate: FloatArray
    se: FloatArray
    df: FloatArray


def many_least_squares(
    X: FloatArray, Y: FloatArray, use: npt.NDArray[np.bool_], L: FloatArray
) -> ManySquares:
    """Fit each trial's outcomes on its own design.

    Parameters
    ----------
    X, Y, use
        (trial, participant, coefficient), (trial, participant), and which participants have an outcome.
    L
        (contrast, coefficient) linear combinations that are asked for.

    Examples
    --------
    >>> X, Y = np.ones((2, 3, 1)), np.array([[1.0, 2.0, 6.0], [0.0, 0.0, np.nan]])
    >>> found = many_least_squares(X, Y, np.isfinite(Y), np.eye(1))
    >>> found.estimate.tolist(), found.df.tolist()
    ([[3.0], [0.0]], [2.0, 1.0])
    """
    own, y = X * use[..., None], np.where(use, Y, 0.0)
    normal = np.einsum("tni,tnj->tij", own, X)
    # A trial that lost a whole arm has no fit; the others must not suffer.
    fine = np.linalg.cond(normal) < 1e12
    df = use.sum(axis=1) - float(X.shape[2])
    fine &= df > 0
    inverse = np.linalg.inv(np.where(fine[:, None, None], normal, np.eye(X.shape[2])))
    beta = np.einsum("tij,tnj,tn->ti", inverse, own, y)
    residual = (y - np.einsum("tni,ti->tn", X, beta)) * use
    with np.errstate(invalid="ignore", divide="ignore"):
        spread = np.einsum("ci,tij,cj->tc", L, inverse, L)
        se = np.sqrt((residual**2).sum(axis=1) / df)[:, None] * np.sqrt(spread)
    gone = np.where(fine, 1.0, np.nan)
    return ManySquares(beta @ L.T * gone[:, None], se * gone[:, None], df * gone)


def check_residue(X: FloatArray, y: FloatArray, formula: str) -> None:
    """InputError for a response that its terms explain completely."""
    left = y - X @ np.linalg.lstsq(X, y, rcond=None)[0]
    if float(left @ left) <= 1e-20 * float(y @ y):
        raise InputError(
            "", str(formula.split("~")[0].strip()), "explained by the terms without any residue",
            "a measured response, which always leaves one",
            "look for a response that is constant, or copied from a covariate",
        )  # fmt: skip


def check_weights(weights: npt.ArrayLike | None, design: Design) -> FloatArray:
    """(row,) weights, equal where none are given; InputError unless they are positive."""
    n = len(design.y)
    if weights is None:
        return np.ones(n)
    w = np.asarray(weights, dtype=np.float64)
    if w.shape != (n,) or not np.isfinite(w).all() or not (w > 0).all():
        raise InputError(
            "", "weights", f"an array of shape {w.shape} or with values that are not positive",
            f"{n} positive finite numbers", "give 1/se^2 of each row",
        )  # fmt: skip
    return w


def _vcov(
    q: FloatArray, inverse: FloatArray, residual: FloatArray, df: int, covariance: Covariance
) -> FloatArray:
    """Covariance of the coefficients from X = QR: R^-1 (Q' diag(omega) Q) R^-T."""
    if covariance == "classical":
        return np.asarray(inverse @ inverse.T * (residual @ residual / df))
    if covariance == "HC1":
        omega = residual**2 * (len(residual) / df)
    else:
        leverage = np.sum(q**2, axis=1)
        alone = np.flatnonzero(leverage > 1 - 1e-10)
        if alone.size:
            raise InputError(
                "", "covariance", f"HC3 with row {int(alone[0]) + 1} the only one at its level (leverage 1)",
                "at least two rows at every level", "use HC1 or classical, or join the level with another",
            )  # fmt: skip
        omega = (residual / (1 - leverage)) ** 2
    return np.asarray(inverse @ ((q * omega[:, None]).T @ q) @ inverse.T)
