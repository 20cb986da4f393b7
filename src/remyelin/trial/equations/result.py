"""What generalised estimating equations found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from remyelin.errors import InputError
from remyelin.trial.design import Design, FloatArray
from remyelin.trial.equations.moments import Correlation, Family
from remyelin.trial.equations.sandwich import Covariance, Sandwich
from remyelin.trial.inference import check_rows, table
from remyelin.trial.means import Weights, differences, mean_rows, need_arm
from remyelin.trial.multiplicity import Adjust, adjust_contrasts

Freedom = float | Literal["satterthwaite"] | None


@dataclass(frozen=True, slots=True)
class GeeFit:
    """Fitted estimating equations and what produced them.

    Attributes
    ----------
    table
        One row a coefficient, on the scale of the link (binomial: log odds); columns ``estimate, se, df, t,
        p, ci_low, ci_high``.
    vcov
        Covariance matrix of the coefficients.
    scale, rho
        Scale and correlation of the working model. Gaussian: scale is the variance of a row, with `se` that
        beyond its known part.
    n, n_clusters
        Rows and clusters.
    formula, groups, family, correlation, covariance, df, arm, reference, alpha
        The specification: `gee(formula, data, groups, ...)` gives the same fit again.
    """

    formula: str
    groups: str
    family: Family
    correlation: Correlation
    covariance: Covariance
    df: Freedom
    arm: str | None
    reference: str | None
    alpha: float
    table: pd.DataFrame
    vcov: pd.DataFrame
    scale: float
    rho: float
    n: int
    n_clusters: int
    design: Design = field(repr=False)
    parts: Sandwich = field(repr=False)

    def lsmeans(self, weights: Weights = "equal") -> pd.DataFrame:
        """Least-squares mean of each arm, covariates at their mean; binomial: log odds.

        Parameters
        ----------
        weights
            How the levels of the other factors are averaged: ``"equal"`` or ``"proportional"``.
        """
        return self._inference(*mean_rows(self.design, [need_arm(self.arm)], weights))

    def contrasts(self, weights: Weights = "equal", adjust: Adjust = "none") -> pd.DataFrame:
        """Difference of each arm from the reference; binomial: log odds ratio.

        Parameters
        ----------
        weights
            As in `lsmeans`.
        adjust
            For the number of arms, as in `remyelin.trial.multiplicity.adjust_contrasts`.
        """
        index, rows = differences(self.design, need_arm(self.arm), weights=weights)
        vcov = rows @ self.vcov.to_numpy() @ rows.T
        return adjust_contrasts(self._inference(index, rows), vcov, adjust, self.alpha)

    def contrast(self, L: npt.ArrayLike, names: Sequence[str] | None = None) -> pd.DataFrame:
        """t tests of linear combinations L (row, coefficient) of the coefficients."""
        rows = check_rows(L, self.table.index)
        return self._inference(pd.Index(names or [f"L{k + 1}" for k in range(len(rows))]), rows)

    def odds_ratios(self, weights: Weights = "equal", adjust: Adjust = "none") -> pd.DataFrame:
        """Odds ratio of each arm to the reference, adjusted for the covariates.

        Returns
        -------
        pandas.DataFrame
            Columns ``odds_ratio, ci_low, ci_high, p`` and, with `adjust`, ``p_adjusted, adjusted_low,
            adjusted_high``.
        """
        self._binomial("odds_ratios")
        found = self.contrasts(weights, adjust).rename(columns={"estimate": "odds_ratio"})
        shown = ["odds_ratio", "ci_low", "ci_high", "p"]
        if adjust != "none":
            shown += ["p_adjusted", "adjusted_low", "adjusted_high"]
        ratios = [name for name in shown if not name.startswith("p")]
        found[ratios] = np.exp(found[ratios])
        return found[shown]

    def risks(self) -> pd.DataFrame:
        """Probability of the event if all rows were in one arm: the mean over the covariates as they are.

        Standard errors by the delta method, for these covariates.
        """
        arms, value, gradient = self._standardised()
        se = _se(gradient, self.vcov.to_numpy())
        return table(value, se, self._freedom(gradient), pd.Index(arms, name=need_arm(self.arm)), self.alpha)

    def risk_differences(self) -> pd.DataFrame:
        """Difference of the `risks` of each arm from that of the reference."""
        arms, value, gradient = self._standardised()
        rows = gradient[1:] - gradient[0]
        index = pd.Index([f"{arm} - {arms[0]}" for arm in arms[1:]], name="contrast")
        se = _se(rows, self.vcov.to_numpy())
        return table(value[1:] - value[0], se, self._freedom(rows), index, self.alpha)

    def to_frame(self) -> pd.DataFrame:
        """The table of coefficients with the term as a column."""
        return self.table.reset_index()

    def _standardised(self) -> tuple[list[str], FloatArray, FloatArray]:
        from scipy.special import expit

        self._binomial("risks")
        arm, data = need_arm(self.arm), self.design.data
        levels = data[arm].cat.categories
        value, gradient = [], []
        for level in levels:
            X = self.design.rows(data.assign(**{arm: pd.Categorical([level] * len(data), categories=levels)}))
            mu = expit(X @ self.table["estimate"].to_numpy())
            value.append(mu.mean())
            gradient.append((X * (mu * (1 - mu))[:, None]).mean(axis=0))
        return [str(level) for level in levels], np.array(value), np.array(gradient)

    def _inference(self, index: pd.Index[str] | pd.MultiIndex, rows: FloatArray) -> pd.DataFrame:
        se = _se(rows, self.vcov.to_numpy())
        return table(rows @ self.table["estimate"].to_numpy(), se, self._freedom(rows), index, self.alpha)

    def _freedom(self, rows: FloatArray) -> npt.ArrayLike:
        return freedom(self.df, self.n_clusters, self.parts, rows)

    def _binomial(self, what: str) -> None:
        if self.family != "binomial":
            raise InputError(
                "", what, "asked of a gaussian fit", "family='binomial'", "use contrasts() for differences"
            )

    def __str__(self) -> str:
        level = f"{100 * (1 - self.alpha):g} % CI"
        size = f"n = {self.n} in {self.n_clusters} clusters"
        lines = [
            f"GEE {self.formula}, {self.family}, {self.correlation} within {self.groups} "
            f"(rho = {self.rho:.3g}), {self.covariance} covariance, {size}"
        ]
        shown = self.table if self.arm is None else self.contrasts()
        for name, row in shown.iterrows():
            lines.append(
                f"  {name}: {row['estimate']:+.4g} ({level} {row['ci_low']:+.4g} to {row['ci_high']:+.4g}), "
                f"p = {row['p']:.3g}"
            )
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        return f"<p>{escape(str(self).splitlines()[0])}</p>{self.table.to_html()}"


def freedom(df: Freedom, n_clusters: int, parts: Sandwich, rows: FloatArray) -> npt.ArrayLike:
    """Degrees of freedom of linear combinations of the coefficients."""
    if df == "satterthwaite":
        return parts.satterthwaite(rows)
    return float(n_clusters - rows.shape[1] if df is None else df)


def _se(rows: FloatArray, vcov: FloatArray) -> FloatArray:
    return np.asarray(np.sqrt(np.einsum("ij,jk,ik->i", rows, vcov, rows)))
