"""Several tests at once: adjusted p values, and simultaneous intervals of contrasts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, TypeVar

import numpy as np
import pandas as pd

from remyelin.errors import InputError, did_you_mean
from remyelin.trial import maxt
from remyelin.trial.design import FloatArray

Method = Literal["bonferroni", "holm", "hochberg", "hommel", "bh", "by"]
Adjust = Literal["none", "dunnett", "bonferroni", "holm", "hochberg", "hommel"]
ADJUSTMENTS = ("none", "dunnett", "bonferroni", "holm", "hochberg", "hommel")
P = TypeVar("P", "pd.Series[float]", FloatArray)


def adjust_p(p: P, method: Method) -> P:
    """P values adjusted for the number of tests.

    Parameters
    ----------
    p
        An array or Series; a missing p value stays missing and is no test.
    method
        Keeps the family-wise error: ``"bonferroni"``; ``"holm"`` (1979, Scand J Stat 6:65), better and as
        general; ``"hochberg"`` (1988, 10.1093/biomet/75.4.800) and ``"hommel"`` (1988,
        10.1093/biomet/75.2.383), for tests that are not negatively dependent.
        Keeps the false discovery rate: ``"bh"`` (Benjamini & Hochberg 1995,
        10.1111/j.2517-6161.1995.tb02031.x), ``"by"`` (Benjamini & Yekutieli 2001, 10.1214/aos/1013699998).

    Returns
    -------
    numpy.ndarray or pandas.Series
        As `p`, in its order and with its index.

    Raises
    ------
    InputError
        For another method, or a value that is no probability.

    Examples
    --------
    >>> adjust_p(np.array([0.01, 0.04, np.nan, 0.03]), "holm")
    array([0.03, 0.06,  nan, 0.06])
    """
    if method not in _METHODS:
        raise InputError("", "method", repr(method), "a method", did_you_mean(str(method), _METHODS))
    values = _probabilities(p)
    known = ~np.isnan(values)
    order = np.argsort(values[known], kind="stable")
    rows = np.flatnonzero(known)[order]
    adjusted = np.full(len(values), np.nan)
    if rows.size:
        adjusted[rows] = np.minimum(1.0, _METHODS[method](values[rows]))
    if isinstance(p, pd.Series):
        return pd.Series(adjusted, index=p.index, name=p.name)
    return adjusted


def _probabilities(p: object) -> FloatArray:
    """P values as an array in one row; InputError with the first that is none."""
    fix = "give the p values themselves, not statistics or percentages"
    try:
        values = np.asarray(p, dtype=np.float64)
    except (TypeError, ValueError):
        fix = "give a list, an array or a Series of numbers"
        raise InputError("", "p", type(p).__name__, "one row of p values", fix) from None
    if values.ndim != 1:
        raise InputError("", "p", f"of shape {values.shape}", "one row of p values", fix)
    wrong = (values < 0) | (values > 1)
    if wrong.any():
        raise InputError("", "p", f"{values[wrong][0]:g}", "p values from 0 to 1", fix)
    return values


def adjust_contrasts(table: pd.DataFrame, vcov: FloatArray, adjust: Adjust, alpha: float) -> pd.DataFrame:
    """A table of contrasts with `p_adjusted` and simultaneous limits beside what each contrast gives alone.

    Parameters
    ----------
    table
        As `remyelin.trial.inference.table` makes it.
    vcov
        Covariance matrix of its rows.
    adjust
        ``"none"`` (the table as it is); ``"dunnett"``: p and limits from the joint distribution of the
        contrasts, exact for normal errors whatever the sizes of the arms and the covariates; or a method of
        `adjust_p` for the family-wise error, beside which the limits are Bonferroni's, because stepwise tests
        have none of their own: they may hold 0 where the p value is below alpha.
    alpha
        All limits together cover with probability 1 - alpha.

    Returns
    -------
    pandas.DataFrame
        Further columns ``p_adjusted, adjusted_low, adjusted_high``. Rows with different degrees of freedom
        are joined with the fewest (conservative).

    Examples
    --------
    >>> from remyelin.trial.inference import table
    >>> two = table([0.5, 0.4], [0.2, 0.2], 40, pd.Index(["low - placebo", "high - placebo"]))
    >>> vcov = np.array([[0.04, 0.02], [0.02, 0.04]])
    >>> print(adjust_contrasts(two, vcov, "dunnett", 0.05).iloc[:, 4:].round(3))
                        p  ci_low  ci_high  p_adjusted  adjusted_low  adjusted_high
    low - placebo   0.017   0.096    0.904       0.031         0.041          0.959
    high - placebo  0.052  -0.004    0.804       0.094        -0.059          0.859
    """
    if adjust not in ADJUSTMENTS:
        raise InputError("", "adjust", repr(adjust), "an adjustment", did_you_mean(str(adjust), ADJUSTMENTS))
    if adjust == "none":
        return table
    if adjust == "dunnett":
        df, se = float(table["df"].min()), np.sqrt(np.diag(vcov))
        correlation = vcov / np.outer(se, se)
        p = maxt.adjusted_p(table["t"].to_numpy(), correlation, df)
        bound = np.full(len(table), maxt.critical(correlation, df, alpha))
    else:
        from scipy.special import stdtrit

        p = adjust_p(table["p"].to_numpy(), adjust)
        bound = stdtrit(table["df"].to_numpy(), 1 - alpha / 2 / len(table))
    half = bound * table["se"]
    return table.assign(
        p_adjusted=p, adjusted_low=table["estimate"] - half, adjusted_high=table["estimate"] + half
    )


def _bonferroni(p: FloatArray) -> FloatArray:
    return len(p) * p


def _holm(p: FloatArray) -> FloatArray:
    return np.asarray(np.maximum.accumulate(np.arange(len(p), 0, -1) * p))


def _hochberg(p: FloatArray) -> FloatArray:
    return _from_the_largest(np.arange(len(p), 0, -1) * p)


def _bh(p: FloatArray) -> FloatArray:
    return _from_the_largest(len(p) / np.arange(1, len(p) + 1) * p)


def _by(p: FloatArray) -> FloatArray:
    return _bh(p) * float(np.sum(1 / np.arange(1, len(p) + 1)))


def _hommel(p: FloatArray) -> FloatArray:
    """The largest Simes p value of any intersection with the hypothesis (Wright 1992, 10.2307/2532694)."""
    n = len(p)
    adjusted = p.copy()
    for m in range(2, n + 1):
        # Of all intersections of m, the hardest to reject takes the largest; before them, the one itself.
        simes = float(np.min(m * p[n - m + 1 :] / np.arange(2, m + 1)))
        bound = np.where(np.arange(n) >= n - m + 1, simes, np.minimum(simes, m * p))
        adjusted = np.maximum(adjusted, bound)
    return adjusted


def _from_the_largest(p: FloatArray) -> FloatArray:
    return np.asarray(np.minimum.accumulate(p[::-1])[::-1])


_METHODS: dict[str, Callable[[FloatArray], FloatArray]] = {
    "bonferroni": _bonferroni,
    "holm": _holm,
    "hochberg": _hochberg,
    "hommel": _hommel,
    "bh": _bh,
    "by": _by,
}
