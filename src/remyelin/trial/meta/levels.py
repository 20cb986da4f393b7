"""Several effects from each study, site or district: random effects on two levels above the errors."""

from __future__ import annotations

from dataclasses import dataclass, field
from html import escape
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from remyelin.errors import InputError
from remyelin.trial.design import FloatArray
from remyelin.trial.inference import table
from remyelin.trial.meta.heterogeneity import weighted_fit
from remyelin.trial.meta.studies import Studies, read_studies


@dataclass(frozen=True, slots=True)
class ThreeLevel:
    """A fitted three-level meta-analysis and what produced it.

    Attributes
    ----------
    table, vcov
        As in `MetaAnalysis`.
    between, within
        Variance between clusters, and between the effects of one cluster (squared unit of the effects).
    log_likelihood
        Restricted log-likelihood, with its constants.
    studies, clusters, test, alpha
        The specification.
    """

    table: pd.DataFrame
    vcov: pd.DataFrame
    between: float
    within: float
    log_likelihood: float
    studies: Studies = field(repr=False)
    clusters: tuple[str, ...] = field(repr=False)
    test: Literal["t", "z"]
    alpha: float

    def to_frame(self) -> pd.DataFrame:
        """The table of coefficients with the term as a column."""
        return self.table.reset_index()

    def __str__(self) -> str:
        level = f"{100 * (1 - self.alpha):g} % CI"
        sizes = f"{len(self.studies)} effects in {len(set(self.clusters))} clusters"
        lines = [f"Three-level meta-analysis: {sizes}, REML"]
        lines += [
            f"  {'pooled effect' if self.studies.plain else name}: {row['estimate']:+.4g} "
            f"({level} {row['ci_low']:+.4g} to {row['ci_high']:+.4g}), p = {row['p']:.3g}"
            for name, row in self.table.iterrows()
        ]
        return "\n".join(
            [*lines, f"  variance between clusters {self.between:.4g}, within {self.within:.4g}"]
        )

    def _repr_html_(self) -> str:
        lines = "".join(f"<p>{escape(line.strip())}</p>" for line in str(self).splitlines())
        return f"{lines}{self.table.to_html()}"


def three_level(
    effects: str | npt.ArrayLike,
    variances: str | npt.ArrayLike,
    cluster: Any,
    *,
    data: pd.DataFrame | None = None,
    test: Literal["t", "z"] = "t",
    units: Any = None,
    estimands: Any = None,
    mixed: bool = False,
    moderators: str | pd.DataFrame | None = None,
    alpha: float = 0.05,
) -> ThreeLevel:
    """Pool effects of which several come from one study (Konstantopoulos 2011, 10.1002/jrsm.35).

    y = X beta + u(cluster) + w(effect) + e, with independent normal u, w and known var(e); the variances of u
    and w by REML.

    Parameters
    ----------
    effects, variances, data, units, estimands, mixed, moderators, alpha
        As in `meta_analysis`.
    cluster
        (effect,) the study, site or district of each effect, or a column of `data`.
    test
        ``"t"`` with as many degrees of freedom as clusters less coefficients, or ``"z"``.

    Returns
    -------
    ThreeLevel

    Raises
    ------
    InputError
        What `meta_analysis` refuses; clusters of one effect each, or fewer clusters than coefficients.

    Examples
    --------
    >>> fit = three_level([0.1, 0.3, 0.5, 0.8, -0.1, 0.1], [0.01] * 6, ["a", "a", "b", "b", "c", "c"])
    >>> print(fit)
    Three-level meta-analysis: 6 effects in 3 clusters, REML
      pooled effect: +0.2833 (95 % CI -0.5437 to +1.11), p = 0.278
      variance between clusters 0.09667, within 0.01833
    """
    studies = read_studies(effects, variances, data, None, units, estimands, mixed, moderators)
    if isinstance(cluster, str) and data is not None and cluster in data.columns:
        cluster = data[cluster]
    names = tuple(str(each) for each in cluster)
    k, p = studies.X.shape
    if len(names) != k:
        raise InputError(
            "", "cluster", f"{len(names)} values for {k} effects", "one each", "name the cluster of each"
        )
    codes, groups = np.unique(np.array(names), return_inverse=True)[::-1]
    if len(groups) == k or len(groups) <= p:
        raise InputError(
            "", "cluster", f"{len(groups)} clusters of {k} effects",
            f"more than {p}, some with several effects",
            "use `meta_analysis` for one effect a study",
        )  # fmt: skip
    if test not in ("t", "z"):
        raise InputError("", "test", repr(test), "'t' or 'z'", "name one of the two")
    same = (codes[:, None] == codes[None, :]).astype(np.float64)
    (between, within), likelihood = _reml(studies, same)
    beta, vcov, _, _ = _gls(studies, same, between, within)
    index = pd.Index(studies.names, name="term")
    return ThreeLevel(
        table=table(beta, np.sqrt(np.diag(vcov)), len(groups) - p if test == "t" else np.inf, index, alpha),
        vcov=pd.DataFrame(vcov, index=index, columns=index),
        between=between,
        within=within,
        log_likelihood=likelihood,
        studies=studies,
        clusters=names,
        test=test,
        alpha=alpha,
    )


def _gls(
    studies: Studies, same: FloatArray, between: float, within: float
) -> tuple[FloatArray, FloatArray, FloatArray, float]:
    """Coefficients, their covariance, P, and the restricted log-likelihood with its constants."""
    root = np.linalg.cholesky(np.diag(studies.variances + within) + between * same)
    inverse = np.linalg.inv(root)
    X, y = inverse @ studies.X, inverse @ studies.effects
    beta, vcov, P = weighted_fit(y, np.ones(len(y)), X)
    k, p = X.shape
    value = -0.5 * ((k - p) * np.log(2 * np.pi) + float(y @ P @ y)) - float(np.log(np.diag(root)).sum())
    value += 0.5 * (np.linalg.slogdet(vcov)[1] + np.linalg.slogdet(studies.X.T @ studies.X)[1])
    return beta, vcov, inverse.T @ P @ inverse, float(value)


def _reml(studies: Studies, same: FloatArray) -> tuple[tuple[float, float], float]:
    """Fisher scoring with halved steps; a variance that is 0 stays so while its score is negative."""
    parts = (same, np.eye(len(same)))
    now = np.full(2, 0.5 * float(np.var(studies.effects)))
    value = _gls(studies, same, *now)[3]
    for _ in range(500):
        P = _gls(studies, same, *now)[2]
        Py = P @ studies.effects
        PZ = [P @ Z for Z in parts]
        score = 0.5 * np.array([Py @ Z @ Py - np.trace(each) for Z, each in zip(parts, PZ, strict=True)])
        information = 0.5 * np.array([[np.sum(a * b.T) for b in PZ] for a in PZ])
        free = (now > 0) | (score > 0)
        step = np.zeros(2)
        if free.any():
            step[free] = np.linalg.solve(information[np.ix_(free, free)], score[free])
        if np.all(np.abs(step) <= 1e-13 * now.sum()):
            break
        for _ in range(40):
            new = np.maximum(now + step, 0.0)
            found = _gls(studies, same, *new)[3]
            if found >= value - 1e-12 * abs(value):
                break
            step = step / 2
        now, value = new, found
    return (float(now[0]), float(now[1])), value
