"""A meta-analysis: one mean of several trials, how much they differ, and what explains it."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from remyelin.errors import InputError
from remyelin.trial.inference import table
from remyelin.trial.meta.heterogeneity import (
    METHODS,
    Method,
    estimate_tau2,
    generalised_q,
    se_of_tau2,
    weighted_fit,
)
from remyelin.trial.meta.result import MetaAnalysis, Test
from remyelin.trial.meta.studies import Studies, read_studies

TESTS = ("knapp-hartung", "z")


def meta_analysis(
    effects: str | npt.ArrayLike,
    variances: str | npt.ArrayLike,
    *,
    data: pd.DataFrame | None = None,
    method: Method = "REML",
    test: Test | None = None,
    labels: Any = None,
    units: Any = None,
    estimands: Any = None,
    mixed: bool = False,
    moderators: str | pd.DataFrame | None = None,
    tau2: float | None = None,
    alpha: float = 0.05,
) -> MetaAnalysis:
    """Pool the effects of several studies, or explain them.

    Parameters
    ----------
    effects, variances
        (study,) effects in one unit and their squared standard errors, or columns of `data`.
    data
        A row a study; where `labels`, `units` and `estimands` may be columns, and what a formula of
        moderators speaks of.
    method
        How the variance between studies is estimated: ``"REML"``, ``"DL"``, ``"PM"``, ``"ML"``, ``"HE"``,
        ``"HS"``, ``"SJ"``, ``"EB"``; ``"FE"`` supposes there is none.
    test
        ``"knapp-hartung"`` (Knapp & Hartung 2003, 10.1002/sim.1482: t with k - p degrees of freedom and the
        standard error from the scatter seen; the default) or ``"z"`` (the default, and the only one, for FE).
    labels
        Names of the studies.
    units, estimands
        What each effect is in, and of what: one word for all, or one a study.
    mixed
        Pool effects of several units or estimands all the same.
    moderators
        A table of them, or a formula such as ``"latitude + C(design)"``.
    tau2
        A value to use instead of an estimate, for a sensitivity analysis.
    alpha
        Intervals cover 1 - alpha.

    Returns
    -------
    MetaAnalysis

    Raises
    ------
    InputError
        For fewer than 2 studies, numbers that are missing or variances that are not positive, labels given
        twice, mixed units or estimands, moderators that cannot be told apart or as many as studies.

    Examples
    --------
    >>> fit = meta_analysis([-1.7, -3.2, -1.2], [0.36, 0.64, 0.33], units="ms",
    ...                     labels=["first", "second", "third"])
    >>> print(fit)
    Meta-analysis: 3 studies, REML, knapp-hartung
      pooled effect: -1.916 ms (95 % CI -4.369 to +0.5369), p = 0.0783
      95 % prediction interval -5.742 to +1.91
      tau2 = 0.4658, I2 = 52.5 %, Q(2) = 4.18, p = 0.124
    >>> meta_analysis([-1.7, 0.3], [0.36, 0.01], units=["ms", "pu"], labels=["first", "second"])
    Traceback (most recent call last):
    ...
    remyelin.errors.InputError: units is mixed: ms (first), pu (second), expected the same ...
    """
    test = _checked(method, test, tau2, alpha)
    studies = read_studies(effects, variances, data, labels, units, estimands, mixed, moderators)
    return fit_studies(studies, method, test, tau2, alpha)


def fit_studies(
    studies: Studies, method: Method, test: Test, given_tau2: float | None, alpha: float
) -> MetaAnalysis:
    """`meta_analysis` of studies that are checked already."""
    from scipy.special import chdtrc

    y, v, X = studies.effects, studies.variances, studies.X
    k, p = X.shape
    tau2 = estimate_tau2(method, y, v, X) if given_tau2 is None else float(given_tau2)
    se_tau2 = se_of_tau2(method, tau2, y, v, X) if given_tau2 is None else float("nan")
    w = 1 / (v + tau2)
    beta, vcov, _ = weighted_fit(y, w, X)
    df = np.inf
    if test == "knapp-hartung":
        df = k - p
        scatter = float(np.sum(w * (y - X @ beta) ** 2)) / df
        if scatter <= 1e-24 * float(np.sum(w * y**2)):
            raise InputError(
                "", "effects", "alike in all studies, or fitted without any residue", "studies that scatter",
                "choose the z test: the Knapp-Hartung standard error is that of the scatter",
            )  # fmt: skip
        vcov = vcov * scatter
    q = generalised_q(0.0, y, v, X)
    names = pd.Index(studies.names, name="term")
    return MetaAnalysis(
        table=table(beta, np.sqrt(np.diag(vcov)), df, names, alpha),
        vcov=pd.DataFrame(vcov, index=names, columns=names),
        tau2=tau2,
        se_tau2=se_tau2,
        q=q,
        q_df=k - p,
        q_p=float(chdtrc(k - p, q)),
        studies=studies,
        method=method,
        test=test,
        alpha=alpha,
        given_tau2=given_tau2,
    )


def _checked(method: str, test: str | None, tau2: float | None, alpha: float) -> Test:
    if method not in METHODS:
        raise InputError("", "method", repr(method), f"one of {', '.join(METHODS)}", "name one of these")
    if test is not None and test not in TESTS:
        raise InputError("", "test", repr(test), f"one of {', '.join(TESTS)}", "name one of these")
    if method == "FE" and (test == "knapp-hartung" or tau2 is not None):
        what = "a tau2" if tau2 is not None else "a Knapp-Hartung test"
        fix = "choose the method REML, or leave the other out"
        raise InputError("", "method", f"FE with {what}", "a random-effects method", fix)
    if tau2 is not None and not (np.isfinite(tau2) and tau2 >= 0):
        raise InputError("", "tau2", f"{tau2:g}", "0 or more, in the squared unit of the effects", "give one")
    if not 0 < alpha < 1:
        raise InputError("", "alpha", f"{alpha:g}", "between 0 and 1", "say 0.05 for 95 % intervals")
    if test == "z" or (test is None and method == "FE"):
        return "z"
    return "knapp-hartung"
