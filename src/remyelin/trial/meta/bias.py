"""What small studies do to a pooled effect: asymmetry of the funnel, and studies that may be missing."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd

from remyelin.errors import InputError
from remyelin.trial.design import FloatArray
from remyelin.trial.inference import table
from remyelin.trial.meta.heterogeneity import estimate_tau2, weighted_fit

if TYPE_CHECKING:
    from remyelin.trial.meta.result import MetaAnalysis

Side = Literal["left", "right"]


@dataclass(frozen=True, slots=True)
class TrimAndFill:
    """Studies that a symmetric funnel would hold besides those seen.

    `missing` is their number, `side` where they would lie, `filled` the meta-analysis with them.
    """

    missing: int
    side: Side
    filled: MetaAnalysis

    def __str__(self) -> str:
        return f"Trim and fill: {self.missing} studies missing on the {self.side}\n{self.filled}"


def egger(fit: MetaAnalysis, model: Literal["mixed", "weighted"] = "mixed") -> pd.DataFrame:
    """Egger's test: does the effect depend on the standard error of the study?

    Parameters
    ----------
    fit
        A meta-analysis without moderators.
    model
        ``"mixed"``: the meta-regression on the standard error with the method and the test of `fit`;
        ``"weighted"``: least squares with weights 1/variance and a residual scale (Egger et al. 1997,
        10.1136/bmj.315.7109.629; Sterne & Egger 2005).

    Returns
    -------
    pandas.DataFrame
        One row, ``standard_error``: the slope, in the columns of every estimator.

    Raises
    ------
    InputError
        For moderators, fewer than 3 studies, or studies of one and the same precision.
    """
    _ = fit.estimate  # refuses moderators
    s = fit.studies
    X = _with_error(fit)
    k, p = X.shape
    random = model == "mixed"
    if model not in ("mixed", "weighted"):
        raise InputError("", "model", repr(model), "'mixed' or 'weighted'", "name one of the two")
    tau2 = estimate_tau2(fit.method, s.effects, s.variances, X) if random else 0.0
    w = 1 / (s.variances + tau2)
    beta, vcov, _ = weighted_fit(s.effects, w, X)
    df = np.inf
    if not random or fit.test == "knapp-hartung":
        df = k - p
        vcov = vcov * float(np.sum(w * (s.effects - X @ beta) ** 2)) / df
    index = pd.Index(["standard_error"], name="term")
    return table(beta[1:], np.sqrt(np.diag(vcov))[1:], df, index, fit.alpha)


def begg(fit: MetaAnalysis) -> pd.Series[float]:
    """Begg and Mazumdar's rank test (1994, 10.2307/2533446): Kendall's ``tau`` and its exact ``p``.

    The correlation of variances with effects that are centred at the equal-effects mean and scaled; with ties
    between studies p is approximate.

    Raises
    ------
    InputError
        For moderators.
    """
    from scipy.stats import kendalltau

    _ = fit.estimate
    y, v = fit.studies.effects, fit.studies.variances
    mean = np.average(y, weights=1 / v)
    scaled = (y - mean) / np.sqrt(v - 1 / np.sum(1 / v))
    tied = len(np.unique(v)) < len(v) or len(np.unique(scaled)) < len(v)
    found = kendalltau(scaled, v, method="asymptotic" if tied else "exact")
    return pd.Series({"tau": float(found.statistic), "p": float(found.pvalue)})


def trim_and_fill(fit: MetaAnalysis, side: Side | None = None) -> TrimAndFill:
    """Duval and Tweedie's trim and fill, estimator L0 (2000, 10.1111/j.0006-341x.2000.00455.x).

    The most extreme studies on one side are trimmed until the rest is symmetric about its mean; then each
    gets its mirror image on the other side. A sensitivity analysis, not an estimate of the truth.

    Parameters
    ----------
    fit
        A meta-analysis without moderators.
    side
        Where studies would be missing; without it, the side to which Egger's slope points away from.

    Returns
    -------
    TrimAndFill

    Raises
    ------
    InputError
        For moderators or fewer than 3 studies.
    """
    if side is None:
        side = "right" if float(egger(fit)["estimate"].iloc[0]) < 0 else "left"
    elif side not in ("left", "right"):
        raise InputError("", "side", repr(side), "'left' or 'right'", "name one of the two")
    s = fit.studies
    sign = -1.0 if side == "right" else 1.0  # the algorithm looks for missing studies on the left
    order = np.argsort(sign * s.effects, kind="stable")
    y, v = sign * s.effects[order], s.variances[order]
    missing, before = 0, -1
    centre = 0.0
    seen = set()
    while missing != before and missing not in seen:
        seen.add(missing)
        before = missing
        centre = _mean(fit, y[: len(y) - missing], v[: len(y) - missing])
        missing = _l0(y - centre)
    if not missing:
        return TrimAndFill(0, side, fit)
    extreme = slice(len(y) - missing, len(y))
    filled = replace(
        s,
        effects=np.concatenate([s.effects, sign * (2 * centre - y[extreme])]),
        variances=np.concatenate([s.variances, v[extreme]]),
        labels=(*s.labels, *(f"filled {i + 1}" for i in range(missing))),
        X=np.ones((len(y) + missing, 1)),
    )
    return TrimAndFill(missing, side, fit._again(filled))


def _l0(centred: FloatArray) -> int:
    k = len(centred)
    rank = np.empty(k)
    rank[np.argsort(np.abs(centred), kind="stable")] = np.arange(1, k + 1)
    positive = rank[centred > 0].sum()
    return int(np.clip(np.rint((4 * positive - k * (k + 1)) / (2 * k - 1)), 0, k - 2))


def _mean(fit: MetaAnalysis, y: FloatArray, v: FloatArray) -> float:
    X = np.ones((len(y), 1))
    tau2 = fit.given_tau2
    w = 1 / (v + (estimate_tau2(fit.method, y, v, X) if tau2 is None else tau2))
    return float(np.average(y, weights=w))


def _with_error(fit: MetaAnalysis) -> FloatArray:
    se = np.sqrt(fit.studies.variances)
    if len(se) < 3 or np.ptp(se) <= 1e-9 * se.max():
        raise InputError(
            "", "variances", "alike in all studies" if len(se) > 2 else "of 2 studies only",
            "at least 3 studies of different precision", "there is no funnel to look at: leave the test out",
        )  # fmt: skip
    return np.column_stack([np.ones(len(se)), se])
