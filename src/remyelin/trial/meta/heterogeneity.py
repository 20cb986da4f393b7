"""The variance between studies, tau2: its estimators, their standard errors, its interval.

All solve their equation to machine precision. P is the matrix that takes the weighted fit out,
P = W - W X (X'WX)^-1 X'W with W = diag(1 / (v + tau2)).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np

from remyelin.trial.design import FloatArray

Method = Literal["FE", "DL", "PM", "REML", "ML", "HE", "HS", "SJ", "EB"]
METHODS = ("FE", "DL", "PM", "REML", "ML", "HE", "HS", "SJ", "EB")


def weighted_fit(y: FloatArray, w: FloatArray, X: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Coefficients, their covariance (X'WX)^-1 and P of weighted least squares."""
    root = np.sqrt(w)
    q, r = np.linalg.qr(X * root[:, None])
    inverse = np.linalg.inv(r)
    beta = inverse @ (q.T @ (root * y))
    P = np.diag(w) - (root[:, None] * q) @ (root[:, None] * q).T
    return beta, inverse @ inverse.T, P


def generalised_q(tau2: float, y: FloatArray, v: FloatArray, X: FloatArray) -> float:
    """Weighted residual sum of squares at a given tau2; it falls as tau2 rises."""
    w = 1 / (v + tau2)
    projected, _ = _projected(y, w, X)
    return float(np.sum(projected**2 / w))


def _projected(y: FloatArray, w: FloatArray, X: FloatArray) -> tuple[FloatArray, float]:
    """P y, which is W times the residuals, and tr P, without P."""
    root = np.sqrt(w)
    q, _ = np.linalg.qr(X * root[:, None])
    scaled = root * y
    return root * (scaled - q @ (q.T @ scaled)), float(np.sum(w * (1 - np.sum(q**2, axis=1))))


def typical_variance(v: FloatArray, X: FloatArray) -> float:
    """Sampling variance of a typical study, (k - p) / tr P (Higgins & Thompson 2002, 10.1002/sim.1186)."""
    return float((len(v) - X.shape[1]) / _projected(np.zeros(len(v)), 1 / v, X)[1])


def estimate_tau2(method: Method, y: FloatArray, v: FloatArray, X: FloatArray) -> float:
    """tau2 by one of `METHODS`, 0 where the estimate would be negative.

    FE none; DL DerSimonian & Laird 1986 (10.1016/0197-2456(86)90046-2); PM Paule & Mandel 1982
    (10.6028/jres.087.022), with which EB (Morris 1983, 10.1080/01621459.1983.10477920) coincides; ML and REML
    Raudenbush 2009; HE Hedges & Olkin 1985; HS Hunter & Schmidt; SJ Sidik & Jonkman 2005
    (10.1111/j.1467-9876.2005.00489.x). All side by side: Viechtbauer 2005 (10.3102/10769986030003261).

    Examples
    --------
    >>> y, v = np.array([0.1, 0.5, 0.9]), np.array([0.04, 0.04, 0.04])
    >>> round(estimate_tau2("DL", y, v, np.ones((3, 1))), 6)
    0.12
    """
    k, p = X.shape
    if method == "FE":
        return 0.0
    if method in ("PM", "EB"):
        return tau2_at(k - p, y, v, X)
    if method in ("ML", "REML"):
        return _likelihood_tau2(method == "REML", y, v, X)
    if method == "HE":
        _, _, P = weighted_fit(y, np.ones(k), X)
        tau2 = (y @ P @ y - np.sum(np.diag(P) * v)) / (k - p)
    elif method == "SJ":
        start = float(np.var(y))
        tau2 = start * generalised_q(start, y, v, X) / (k - p)
    else:
        _, _, P = weighted_fit(y, 1 / v, X)
        excess = (k, np.sum(1 / v)) if method == "HS" else (k - p, np.trace(P))
        tau2 = (y @ P @ y - excess[0]) / excess[1]
    return float(max(0.0, tau2))


def se_of_tau2(method: Method, tau2: float, y: FloatArray, v: FloatArray, X: FloatArray) -> float:
    """Asymptotic standard error of tau2, as in Viechtbauer 2005; NaN without heterogeneity in the model."""
    k, p = X.shape
    if method == "FE":
        return float("nan")
    w = 1 / (v + tau2)
    if method in ("PM", "EB"):
        return float(np.sqrt(2 * k**2 / (k - p)) / w.sum())
    if method == "ML":
        return float(np.sqrt(2 / np.sum(w**2)))
    if method == "REML":
        _, _, P = weighted_fit(y, w, X)
        return float(np.sqrt(2 / np.sum(P * P)))
    start = float(np.var(y))
    if method == "SJ" and start == 0.0:
        return float("nan")
    first = {"HE": np.ones(k), "SJ": 1 / (v + start)}.get(method, 1 / v)
    _, _, P = weighted_fit(y, first, X)
    if method in ("HE", "SJ"):
        scale = (k - p) / (start if method == "SJ" else 1.0)
    else:
        scale = float(np.sum(1 / v) if method == "HS" else np.trace(P))
    PV = P * v
    # The variance of y'Py for y with covariance V + tau2 I.
    variance = 2 * np.sum(PV * PV.T) + 4 * tau2 * np.sum(PV * P.T) + 2 * tau2**2 * np.sum(P * P)
    return float(np.sqrt(variance) / scale)


def tau2_at(level: float, y: FloatArray, v: FloatArray, X: FloatArray) -> float:
    """The tau2 at which the generalised Q equals `level`; 0 if it is below already."""

    def excess(tau2: float) -> float:
        return generalised_q(tau2, y, v, X) - level

    if excess(0.0) <= 0:
        return 0.0
    return _root(excess, 0.0, _beyond(excess, float(np.var(y))))


def tau2_interval(alpha: float, y: FloatArray, v: FloatArray, X: FloatArray) -> tuple[float, float]:
    """Q-profile interval: the tau2 at which Q is no surprise (Viechtbauer 2007, 10.1002/sim.2514)."""
    from scipy.special import chdtri

    df = X.shape[0] - X.shape[1]
    low, high = (float(chdtri(df, tail)) for tail in (alpha / 2, 1 - alpha / 2))
    return tau2_at(low, y, v, X), tau2_at(high, y, v, X)


def log_likelihood(restricted: bool, tau2: float, y: FloatArray, v: FloatArray, X: FloatArray) -> float:
    """Log-likelihood, with all constants, at a given tau2 and the coefficients that go with it."""
    w = 1 / (v + tau2)
    beta, vcov, _ = weighted_fit(y, w, X)
    k, p = X.shape
    value = -0.5 * (k * np.log(2 * np.pi) - np.sum(np.log(w)) + np.sum(w * (y - X @ beta) ** 2))
    if restricted:
        value += 0.5 * (p * np.log(2 * np.pi) + np.linalg.slogdet(vcov)[1] + np.linalg.slogdet(X.T @ X)[1])
    return float(value)


def _likelihood_tau2(restricted: bool, y: FloatArray, v: FloatArray, X: FloatArray) -> float:
    def score(tau2: float) -> float:
        w = 1 / (v + tau2)
        projected, trace = _projected(y, w, X)
        return float(np.sum(projected**2) - (trace if restricted else w.sum()))

    top = _beyond(score, float(np.var(y)) + float(v.min()))
    # The likelihood may have more than one peak: the highest of a grid is refined, not the nearest one.
    grid = np.concatenate([[0.0], np.geomspace(1e-9 * top, top, 120)])
    best = int(np.argmax(_profile(restricted, grid, y, v, X)))
    low, high = grid[max(best - 1, 0)], grid[min(best + 1, len(grid) - 1)]
    if score(low) <= 0:
        return float(low)
    return _root(score, float(low), float(high))


def _profile(restricted: bool, tau2: FloatArray, y: FloatArray, v: FloatArray, X: FloatArray) -> FloatArray:
    """`log_likelihood` of many tau2 (point,), less its constants."""
    root = 1 / np.sqrt(v + tau2[:, None])
    scaled = X * root[:, :, None]
    q, r = np.linalg.qr(scaled)
    target = root * y
    left = target - np.einsum("gkp,gjp,gj->gk", q, q, target, optimize=True)
    value = np.sum(np.log(root), axis=1) - 0.5 * np.sum(left**2, axis=1)
    if restricted:
        value -= np.sum(np.log(np.abs(np.diagonal(r, axis1=1, axis2=2))), axis=1)
    return np.asarray(value)


def _beyond(falling: Callable[[float], float], start: float) -> float:
    """A point at which the function is negative."""
    while falling(start) > 0:
        start *= 2
    return start


def _root(function: Callable[[float], float], low: float, high: float) -> float:
    from scipy.optimize import brentq

    return float(brentq(function, low, high, xtol=1e-16 * high, rtol=1e-15))
