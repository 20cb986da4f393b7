"""Logistic regression, and the data for which it has no finite answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from remyelin.errors import InputError
from remyelin.trial.design import FloatArray

STEPS = 30  # 4 to 8 are needed; where the outcomes are separated, the odds grow at each step without end


@dataclass(frozen=True, slots=True)
class Logistic:
    """A fitted logistic regression.

    Attributes
    ----------
    beta, vcov
        (coefficient,) log odds ratios and their covariance matrix (inverse information).
    deviance
        Minus twice the log-likelihood.
    """

    beta: FloatArray
    vcov: FloatArray
    deviance: float


def check_binary(y: FloatArray, response: str) -> None:
    """InputError unless the response is 0 and 1, and both occur.

    Examples
    --------
    >>> check_binary(np.array([0.0, 1.0, 2.0]), "improved")
    Traceback (most recent call last):
    remyelin.errors.InputError: improved is 2 in row 3, expected 0 or 1. Fix: code no event 0 and event 1.
    """
    wrong = np.flatnonzero((y != 0) & (y != 1))
    if wrong.size:
        raise InputError(
            "", response, f"{y[wrong[0]]:g} in row {wrong[0] + 1}", "0 or 1", "code no event 0 and event 1"
        )
    if y.min() == y.max():
        raise InputError(
            "", response, f"{y[0]:g} in every row", "rows with 0 and rows with 1",
            "odds of nothing or of everything are not finite: report the counts",
        )  # fmt: skip


def fit_logistic(X: FloatArray, y: FloatArray, names: Sequence[str], response: str) -> Logistic:
    """Maximum likelihood by iteratively reweighted least squares (McCullagh & Nelder 1989, section 2.5).

    Start, rule for the end and weights of the covariance (those of the last step) are those of R's `glm` with
    `epsilon = 1e-14`, so that the numbers are too.

    Parameters
    ----------
    X
        (row, coefficient), of full rank.
    y
        (row,) 0 or 1.
    names, response
        Of the columns of `X` and of `y`, for messages.

    Raises
    ------
    InputError
        For a response that is not 0 and 1, and for columns that predict it perfectly (complete or
        quasi-complete separation: Albert & Anderson 1984, 10.1093/biomet/71.1.1).

    Examples
    --------
    >>> X = np.array([[1.0, 0], [1, 0], [1, 0], [1, 1], [1, 1], [1, 1]])
    >>> fit = fit_logistic(X, np.array([0.0, 0, 1, 0, 1, 1]), ("Intercept", "arm"), "improved")
    >>> fit.beta.round(4)
    array([-0.6931,  1.3863])
    """
    from scipy.special import expit

    check_binary(y, response)
    eta = np.where(y == 1, 1.0, -1.0) * np.log(3.0)  # fitted values (y + 1/2) / 2
    deviance = _deviance(eta, y)
    for _ in range(STEPS):
        mu = expit(eta)
        w = mu * (1 - mu)
        try:
            vcov = np.linalg.inv((X.T * w) @ X)
        except np.linalg.LinAlgError:
            break
        beta = vcov @ (X.T @ (w * eta + y - mu))
        moved, eta = float(np.abs(X @ beta - eta).max()), X @ beta
        before, deviance = deviance, _deviance(eta, y)
        settled = abs(deviance - before) < 1e-14 * (deviance + 0.1) and moved < 0.1
        if settled or moved < 1e-9:
            return Logistic(beta, vcov, deviance)
    raise _without_answer(X, y, names, response)


def _deviance(eta: FloatArray, y: FloatArray) -> float:
    return float(2 * np.sum(np.logaddexp(0.0, eta) - y * eta))


def _without_answer(X: FloatArray, y: FloatArray, names: Sequence[str], response: str) -> InputError:
    column = separating_column(X, y, names)
    if column is None:
        return InputError(
            "", response, "not fitted: the iterations did not settle", "a fit that settles",
            "use fewer terms, and look for a covariate on a very large scale",
        )  # fmt: skip
    return InputError(
        "", column, f"a perfect predictor of {response} (all rows on one side of it have the same outcome)",
        "both outcomes on either side: the odds ratio is not finite otherwise",
        "leave the term out, join its level with another, or report an exact test of the counts",
    )  # fmt: skip


def separating_column(X: FloatArray, y: FloatArray, names: Sequence[str]) -> str | None:
    """The column that most separates the two outcomes; None where no combination of columns does.

    A combination b separates where no row lies on the wrong side of X b = 0 and some row off it; the linear
    programme that looks for one is exact.

    Examples
    --------
    >>> X = np.array([[1.0, 0.0], [1, 1], [1, 2], [1, 3]])
    >>> separating_column(X, np.array([0.0, 0, 1, 1]), ("Intercept", "edss"))
    'edss'
    """
    from scipy.optimize import linprog

    signed = X / np.linalg.norm(X, axis=0) * np.where(y == 1, 1.0, -1.0)[:, None]
    found = linprog(-signed.sum(axis=0), A_ub=-signed, b_ub=np.zeros(len(y)), bounds=(-1, 1))
    if found.x is None or float(signed.sum(axis=0) @ found.x) < 1e-7:
        return None
    size = np.abs(found.x) * np.ptp(X, axis=0)  # the intercept separates nothing by itself
    return str(names[int(np.argmax(size))])
