"""The largest of several t statistics: its exact distribution, by deterministic integration."""

from __future__ import annotations

from functools import cache

import numpy as np

from remyelin.errors import InputError
from remyelin.trial.design import FloatArray

MOST = 6  # independent comparisons: each one more multiplies the work by ten
POINTS = 2_000_000  # of the finest grid; reached only with six comparisons
NODES = 200  # of one variable; reached only where some statistics follow from others (about 1e-5)
TOLERANCE = 1e-8
_FAR = 8.3  # standard deviations: 1e-16 lies beyond


def at_most(c: float, correlation: FloatArray, df: float, *, two_sided: bool = True) -> float:
    """Probability that the largest of jointly t distributed statistics is at most `c`.

    The statistics are `z_i / s` with z jointly normal and df s^2 chi-square. The integral over s is a
    Gauss-Legendre sum; within it the normal variables are taken one after the other, conditional on the ones
    before (Genz 1992, 10.1080/10618600.1992.10477010), each on Gauss-Legendre nodes, the last in closed form.
    Nodes are added until two grids agree to 1e-8; six statistics, and statistics that follow from others,
    stop at about 1e-5. No random number enters.

    Parameters
    ----------
    c
        The bound; of the absolute values if `two_sided`.
    correlation
        (statistic, statistic), of any rank.
    df
        Degrees of freedom that they share; infinite for normal statistics.

    Raises
    ------
    InputError
        For more than `MOST` statistics of which none follows from the others.

    Examples
    --------
    Three treatments against one control (Dunnett 1964, 10.2307/2528490, prints 2.35):

    >>> three = np.full((3, 3), 0.5) + 0.5 * np.eye(3)
    >>> round(at_most(2.349, three, np.inf), 4)
    0.95
    """
    rows = _echelon(correlation)
    if rows.shape[1] > MOST:
        raise InputError(
            "", "adjust", f"a joint test of {rows.shape[1]} comparisons", f"at most {MOST}",
            "use holm or hochberg, which need no joint distribution",
        )  # fmt: skip
    scale, weight = _scale(df)
    before, nodes = np.nan, 8
    while True:
        now = _sum(c * scale, weight, rows, nodes, two_sided)
        finer = int(nodes * 1.5)
        size = len(scale) * finer ** (rows.shape[1] - 1)
        if abs(now - before) < TOLERANCE or size > POINTS or finer > NODES:
            return float(np.clip(now, 0.0, 1.0))
        before, nodes = now, finer


def adjusted_p(t: FloatArray, correlation: FloatArray, df: float, *, two_sided: bool = True) -> FloatArray:
    """(statistic,) p values adjusted for all statistics together (single step).

    They lie between the p value of one test and its Bonferroni multiple; in the far tail, where a difference
    from 1 has few digits left, that is what holds them.

    Examples
    --------
    >>> adjusted_p(np.array([2.349, 1.0]), np.array([[1, 0.5], [0.5, 1]]), np.inf).round(4)
    array([0.0353, 0.502 ])
    """
    from scipy.special import stdtr

    size = np.abs(t) if two_sided else t
    one = np.asarray((2 if two_sided else 1) * stdtr(df, -size))
    joint = [1 - at_most(float(each), correlation, df, two_sided=two_sided) for each in size]
    return np.asarray(np.clip(joint, one, np.minimum(1.0, len(t) * one)))


def critical(correlation: FloatArray, df: float, alpha: float, *, two_sided: bool = True) -> float:
    """The bound that the largest statistic keeps with probability 1 - alpha.

    Examples
    --------
    >>> round(critical(np.array([[1, 0.5], [0.5, 1]]), 20, 0.05), 3)
    2.379
    """
    from scipy.optimize import brentq
    from scipy.special import stdtrit

    tail = alpha / 2 if two_sided else alpha
    low, high = float(stdtrit(df, 1 - tail)), float(stdtrit(df, 1 - tail / len(correlation)))
    if high - low < 1e-12:
        return low

    def gap(c: float) -> float:
        return at_most(c, correlation, df, two_sided=two_sided) - (1 - alpha)

    if gap(low) >= 0 or gap(high) <= 0:  # all statistics the same, or as good as independent in the far tail
        return low if gap(low) >= 0 else high
    return float(brentq(gap, low, high, xtol=1e-8))


def _echelon(correlation: FloatArray) -> FloatArray:
    """L (statistic, rank) with L L' the correlation and column j absent from the rows before its pivot."""
    left = np.array(correlation, dtype=np.float64)
    columns = []
    for k in range(len(left)):
        if left[k, k] > 1e-10:
            column = left[:, k] / np.sqrt(left[k, k])
            left -= np.outer(column, column)
            columns.append(column)
    found = np.column_stack(columns)
    found[np.abs(found) < 1e-9] = 0.0
    return found


def _scale(df: float) -> tuple[FloatArray, FloatArray]:
    """Nodes and weights of s, where df s^2 is chi-square."""
    from scipy.special import gammaincinv, gammaln

    if not np.isfinite(df):
        return np.ones(1), np.ones(1)
    low, high = (np.sqrt(2 * gammaincinv(df / 2, q) / df) for q in (1e-13, 1 - 1e-13))
    x, w = _legendre(24)
    s = low + (high - low) * (x + 1) / 2
    log = np.log(2) + df / 2 * np.log(df / 2) - gammaln(df / 2) + (df - 1) * np.log(s) - df * s**2 / 2
    weight = w * np.exp(log)
    return s, weight / weight.sum()


def _sum(bound: FloatArray, weight: FloatArray, rows: FloatArray, nodes: int, two_sided: bool) -> float:
    from scipy.special import ndtr

    x, w = _legendre(nodes)
    rank = rows.shape[1]
    last = np.array([np.flatnonzero(row)[-1] for row in rows])
    z = np.empty((len(bound), 0))
    for j in range(rank):
        low, high = np.full(len(bound), -_FAR), np.full(len(bound), _FAR)
        for row in rows[last == j]:
            centre = z @ row[:j]
            near = (bound - centre) / row[j]
            far = (-bound - centre) / row[j] if two_sided else np.full(len(bound), -np.sign(row[j]) * _FAR)
            low = np.maximum(low, np.minimum(near, far) if two_sided or row[j] > 0 else near)
            high = np.minimum(high, np.maximum(near, far) if two_sided or row[j] < 0 else near)
        high = np.maximum(low, high)
        if j == rank - 1:
            return float(weight @ (ndtr(high) - ndtr(low)))
        half = (high - low)[:, None] / 2
        here = low[:, None] + half * (x + 1)
        inner = weight[:, None] * half * w * np.exp(-(here**2) / 2) / np.sqrt(2 * np.pi)
        weight, bound = inner.ravel(), np.repeat(bound, nodes)
        z = np.column_stack([np.repeat(z, nodes, axis=0), here.ravel()])
    raise AssertionError("a correlation matrix has rank 1 at least")


@cache
def _legendre(nodes: int) -> tuple[FloatArray, FloatArray]:
    x, w = np.polynomial.legendre.leggauss(nodes)
    return np.asarray(x), np.asarray(w)
