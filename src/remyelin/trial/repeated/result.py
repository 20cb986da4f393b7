"""A fitted MMRM, and what it can be asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from remyelin.trial.design import Design, FloatArray
from remyelin.trial.inference import check_rows, table
from remyelin.trial.means import Weights, differences, mean_rows, need_arm, rows_of
from remyelin.trial.repeated.spec import Spec
from remyelin.trial.repeated.terms import term_rows
from remyelin.trial.repeated.wald import Coefficients


@dataclass(frozen=True, slots=True)
class MmrmFit:
    """A fitted mixed model for repeated measures and what produced it.

    Attributes
    ----------
    table
        One row a coefficient; columns ``estimate, se, df, t, p, ci_low, ci_high``.
    vcov
        Covariance matrix of the coefficients, with the correction that `df` implies.
    covariance
        Of the response between visits (visit, visit), without the known variances of ``se``.
    loglik, n_parameters
        (Restricted) log likelihood at its maximum; number of parameters of `covariance`.
    n, n_subjects, n_missing
        Rows and subjects of the analysis; rows left out because they have no response.
    spec
        ``mmrm(data=data, **asdict(fit.spec))`` gives the same fit again.
    """

    table: pd.DataFrame
    vcov: pd.DataFrame
    covariance: pd.DataFrame
    loglik: float
    n_parameters: int
    n: int
    n_subjects: int
    n_missing: int
    spec: Spec
    design: Design = field(repr=False)
    coefficients: Coefficients = field(repr=False)

    @property
    def visits(self) -> tuple[str, ...]:
        """The visits, in order."""
        return tuple(str(each) for each in self.covariance.index)

    @property
    def correlation(self) -> pd.DataFrame:
        """Correlation of the response between visits."""
        sd = np.sqrt(np.diag(self.covariance))
        return self.covariance.div(sd, axis=0).div(sd, axis=1)

    @property
    def aic(self) -> float:
        """Akaike's criterion; the parameters of the covariance count, with ML the coefficients too."""
        return -2 * self.loglik + 2 * self._counted

    @property
    def bic(self) -> float:
        """Bayes criterion, with the number of subjects as the sample size (as SAS and R's mmrm)."""
        return float(-2 * self.loglik + np.log(self.n_subjects) * self._counted)

    @property
    def _counted(self) -> int:
        return self.n_parameters + (len(self.table) if self.spec.method == "ML" else 0)

    def lsmeans(
        self,
        by: Sequence[str] | None = None,
        weights: Weights = "equal",
        at: Mapping[str, float] | None = None,
    ) -> pd.DataFrame:
        """Least-squares means of the response, covariates at their mean over the rows of the analysis.

        Parameters
        ----------
        by
            Factors of the formula; the arm and the visit if absent.
        weights
            How the levels of the other factors are averaged: ``"equal"``, or ``"proportional"``.
        at
            Other values for covariates.

        Returns
        -------
        pandas.DataFrame
            Index the levels of `by`; columns ``estimate, se, df, t, p, ci_low, ci_high`` in the unit of the
            response.
        """
        usual = [name for name in (self.spec.arm, self.spec.visit) if name in self.design.factors]
        return self._inference(*mean_rows(self.design, [*by] if by is not None else usual, weights, at))

    def contrasts(self, weights: Weights = "equal") -> pd.DataFrame:
        """Difference of each arm from the reference at each visit; p values are not adjusted.

        Returns
        -------
        pandas.DataFrame
            Index like ``("active - placebo", "W24")``, or the contrast alone where the visit is no term of
            the formula; columns as in `lsmeans`.

        Raises
        ------
        InputError
            For a fit without an arm.
        """
        arm = need_arm(self.spec.arm)
        within = [self.spec.visit] if self.spec.visit in self.design.factors else []
        return self._inference(*differences(self.design, arm, within, weights))

    def contrast(self, L: npt.ArrayLike, names: Sequence[str] | None = None) -> pd.DataFrame:
        """t tests of linear combinations L (row, coefficient) of the coefficients, as in `table`."""
        rows = check_rows(L, self.table.index)
        index = pd.Index(names if names is not None else [f"L{k + 1}" for k in range(len(rows))])
        return self._inference(index, rows)

    def joint(self, L: npt.ArrayLike, name: str = "L") -> pd.DataFrame:
        """F test of the hypothesis that all L (row, coefficient) @ beta are 0.

        Returns
        -------
        pandas.DataFrame
            One row; columns ``f, df1, df2, p``. With Kenward & Roger's methods f is scaled by their lambda.
        """
        return pd.DataFrame(
            [self.coefficients.joint(check_rows(L, self.table.index))],
            columns=["f", "df1", "df2", "p"],
            index=pd.Index([name], name="term"),
        )

    def anova(self) -> pd.DataFrame:
        """F test of each term, the levels of other factors weighted equally and covariates at their mean.

        Type III: a main effect is tested as an average over the levels of what it interacts with, in whatever
        way the factors are coded.

        Returns
        -------
        pandas.DataFrame
            Index the term; columns ``f, df1, df2, p``.
        """
        return pd.concat([self.joint(rows, name) for name, rows in term_rows(self.design).items()])

    def predict(self, grid: pd.DataFrame | None = None) -> pd.DataFrame:
        """Mean response of rows of a table, or of the rows of the analysis.

        Parameters
        ----------
        grid
            Every column of the formula but the response.

        Returns
        -------
        pandas.DataFrame
            One row each; columns as in `lsmeans`. The intervals are those of the mean, not of a new subject.

        Raises
        ------
        InputError
            For a column that is missing, or a level that the fit has not seen.
        """
        if grid is None:
            return self._inference(pd.RangeIndex(self.n), self.design.X)
        return self._inference(grid.index, rows_of(self.design, grid))

    def to_frame(self) -> pd.DataFrame:
        """The table of coefficients with the term as a column."""
        return self.table.reset_index()

    def _inference(self, index: pd.Index[Any], rows: FloatArray) -> pd.DataFrame:
        return table(*self.coefficients.single(rows), index, self.spec.alpha)

    def __str__(self) -> str:
        spec = self.spec
        errors = ", bias-reduced empirical errors" if spec.robust else ""
        errors += ", observed information" if spec.information == "observed" else ""
        lines = [
            f"MMRM {spec.formula}, {spec.covariance} covariance, {spec.method}, {spec.df}{errors}",
            f"{self.n_subjects} subjects, {self.n} rows, {self.n_missing} without a response left out",
        ]
        if spec.arm is None:
            return "\n".join([*lines, self.table.to_string(float_format="{:.4g}".format)])
        for name, row in self.contrasts().iterrows():
            label = ", ".join(map(str, name)) if isinstance(name, tuple) else str(name)
            lines.append(
                f"  {label}: {row['estimate']:+.4g} ({100 * (1 - spec.alpha):g} % CI {row['ci_low']:+.4g} to "
                f"{row['ci_high']:+.4g}), df = {row['df']:.1f}, p = {row['p']:.3g}"
            )
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        caption = "<br>".join(escape(line) for line in str(self).splitlines()[:2])
        means = self.contrasts().to_html() if self.spec.arm is not None else ""
        return f"<p>{caption}</p>{means}{self.table.to_html()}"
