"""A fitted mixed model, and what it can be asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from remyelin.errors import InputError
from remyelin.trial.design import Design, FloatArray
from remyelin.trial.inference import check_rows, table
from remyelin.trial.means import Weights, differences, mean_rows, need_arm, rows_of
from remyelin.trial.mixed.layout import Layout
from remyelin.trial.mixed.solution import Solution
from remyelin.trial.mixed.spec import Spec
from remyelin.trial.repeated.wald import Coefficients


@dataclass(frozen=True, slots=True)
class MixedFit:
    """A fitted mixed model and what produced it.

    Attributes
    ----------
    table
        One row a coefficient; columns ``estimate, se, df, t, p, ci_low, ci_high``.
    vcov
        Covariance matrix of the coefficients, model-based.
    vcov_kr
        That of Kenward and Roger, from which the standard errors come with ``df="kenward-roger"``; None with
        maximum likelihood.
    variance_components
        Index the group and ``"Residual"``; columns ``variance, sd``. The residual variance comes on top of
        the known variances of ``se``.
    loglik
        (Restricted) log likelihood at its maximum.
    singular
        Whether a variance is estimated as zero.
    spec
        ``mixed_model(data=data, **asdict(fit.spec))`` gives the same fit again.
    """

    table: pd.DataFrame
    vcov: pd.DataFrame
    vcov_kr: pd.DataFrame | None
    variance_components: pd.DataFrame
    loglik: float
    singular: bool
    spec: Spec
    design: Design = field(repr=False)
    layout: Layout = field(repr=False)
    known: FloatArray = field(repr=False)
    solution: Solution = field(repr=False)
    coefficients: Coefficients = field(repr=False)

    @property
    def n(self) -> int:
        """Number of rows."""
        return len(self.design.y)

    @property
    def n_groups(self) -> dict[str, int]:
        """Number of groups of each random term."""
        counts = (len(self.layout.outer) - 1, len(self.layout.ends) - 1)
        return dict(zip(self.spec.names, counts, strict=False))

    @property
    def criterion(self) -> float:
        """Minus twice the log likelihood: R's deviance, or REML criterion."""
        return -2 * self.loglik

    @property
    def n_parameters(self) -> int:
        """Coefficients and variances."""
        return len(self.table) + len(self.variance_components)

    @property
    def aic(self) -> float:
        """Akaike's criterion; coefficients and variances count, as in lme4."""
        return self.criterion + 2 * self.n_parameters

    @property
    def bic(self) -> float:
        """Bayes criterion, with the number of rows as the sample size, as in lme4."""
        return float(self.criterion + np.log(self.n) * self.n_parameters)

    def lsmeans(
        self,
        by: Sequence[str] | None = None,
        weights: Weights = "equal",
        at: Mapping[str, float] | None = None,
    ) -> pd.DataFrame:
        """Least-squares means of the response, covariates at their mean over the rows.

        Parameters
        ----------
        by
            Factors of the formula; the arm if absent.
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
        return self._inference(
            *mean_rows(self.design, [*by] if by is not None else [need_arm(self.spec.arm)], weights, at)
        )

    def contrasts(self, within: Sequence[str] = (), weights: Weights = "equal") -> pd.DataFrame:
        """Difference of each arm from the reference; the p values are not adjusted for their number.

        Parameters
        ----------
        within
            Factors at each of whose levels the arms are compared, as ``["visit"]``.
        weights
            As in `lsmeans`.

        Returns
        -------
        pandas.DataFrame
            Index like ``"active - placebo"``; columns as in `lsmeans`.

        Raises
        ------
        InputError
            For a fit without an arm.
        """
        return self._inference(*differences(self.design, need_arm(self.spec.arm), within, weights))

    def contrast(self, L: npt.ArrayLike, names: Sequence[str] | None = None) -> pd.DataFrame:
        """t tests of linear combinations L (row, coefficient) of the coefficients, as in `table`."""
        rows = check_rows(L, self.table.index)
        return self._inference(
            pd.Index(names if names is not None else [f"L{k + 1}" for k in range(len(rows))]), rows
        )

    def joint(self, L: npt.ArrayLike, name: str = "L") -> pd.DataFrame:
        """F test of the hypothesis that all L (row, coefficient) @ beta are 0.

        Returns
        -------
        pandas.DataFrame
            One row; columns ``f, df1, df2, p``. By Kenward & Roger f is scaled by their lambda (as pbkrtest's
            Ftest); by Satterthwaite the denominator is that of Fai & Cornelius (as lmerTest).

        Raises
        ------
        InputError
            For rows of which some follow from the others.
        """
        rows = check_rows(L, self.table.index)
        if np.linalg.matrix_rank(rows) < len(rows):
            raise InputError(
                "",
                "L",
                "rows of which some follow from the others",
                "hypotheses of their own",
                "leave them out",
            )
        return pd.DataFrame(
            [self.coefficients.joint(rows)],
            columns=["f", "df1", "df2", "p"],
            index=pd.Index([name], name="term"),
        )

    def anova(self) -> pd.DataFrame:
        """Type III F test of each term, as SAS and lmerTest define it.

        Factors are coded to sum to zero: a main effect is the average over the levels of the factors that it
        interacts with, and stands at 0 of the covariates that it interacts with (centre them).

        Returns
        -------
        pandas.DataFrame
            Index the term; columns ``f, df1, df2, p``.
        """
        from remyelin.trial.mixed.hypotheses import type_three

        tests = [self.joint(rows, name) for name, rows in type_three(self.design).items()]
        return pd.concat(tests) if tests else self.joint(np.eye(len(self.table))).iloc[:0]

    def ranova(self) -> pd.DataFrame:
        """Likelihood ratio test of each random term.

        Returns
        -------
        pandas.DataFrame
            Index the term left out, ``<none>`` first; columns ``npar, loglik, aic, lrt, df, p, p_boundary``.
            `p` is that of chi-squared with 1 df (as lmerTest), conservative since a variance cannot be
            negative; `p_boundary` that of the even mixture with 0 (Self & Liang 1987,
            10.1080/01621459.1987.10478472).
        """
        from remyelin.trial.mixed.hypotheses import without_each_term

        return without_each_term(self)

    def robust(self) -> pd.DataFrame:
        """Coefficients with standard errors that hold if the covariance is not that of the model (CR2).

        Clusters are the outer groups. Degrees of freedom by Satterthwaite under the model (Bell & McCaffrey
        2002; Pustejovsky & Tipton 2018, 10.1080/07350015.2016.1247004), as R's clubSandwich.

        Returns
        -------
        pandas.DataFrame
            As `table`.
        """
        from remyelin.trial.mixed.sandwich import cluster_robust

        return table(self.table["estimate"], *cluster_robust(self), self.table.index, self.spec.alpha)

    def profile_interval(self, term: str) -> tuple[float, float]:
        """Interval of a coefficient from the profile of the full likelihood, as lme4's `confint`.

        It takes no account of small numbers: with fewer than some 50 groups prefer the interval of `table`.

        Raises
        ------
        InputError
            For a term that is not there.
        """
        from remyelin.trial.mixed.profile import interval

        return interval(self, term)

    def blups(self) -> pd.DataFrame:
        """Best linear unbiased predictions of the random intercepts.

        Returns
        -------
        pandas.DataFrame
            Index ``term`` and ``level`` (``"P01"``, or ``"P01:L03"`` of an inner group); column ``blup``.
        """
        from remyelin.trial.mixed.prediction import intercepts

        return intercepts(self)

    def predict(self, new_data: pd.DataFrame | None = None) -> pd.DataFrame:
        """Mean response of rows of a table, or of the rows of the analysis.

        Parameters
        ----------
        new_data
            Every column of the formula but the response; with the columns of the groups also what is
            predicted for these.

        Returns
        -------
        pandas.DataFrame
            One row each; columns as in `lsmeans` (a mean over all groups, and its interval), and
            ``predicted``: with the intercepts of its groups, 0 for a group that the fit has not seen.

        Raises
        ------
        InputError
            For a column that is missing or incomplete, or a level that the fit has not seen.
        """
        from remyelin.trial.mixed.prediction import predicted

        if new_data is None:
            frame, rows = self.design.data, self.design.X
        else:
            frame, rows = new_data, rows_of(self.design, new_data)
        means = self._inference(frame.index, rows)
        if all(name in frame.columns for name in self.spec.groups):
            means["predicted"] = means["estimate"] + predicted(self, frame)
        return means

    def to_frame(self) -> pd.DataFrame:
        """The table of coefficients with the term as a column."""
        return self.table.reset_index()

    def _inference(self, index: pd.Index[Any], rows: FloatArray) -> pd.DataFrame:
        return table(*self.coefficients.single(rows), index, self.spec.alpha)

    def __str__(self) -> str:
        from remyelin.trial.mixed.words import summary

        return summary(self)

    def _repr_html_(self) -> str:
        first, *_ = str(self).splitlines()
        effects = self.contrasts().to_html() if self.spec.arm is not None else ""
        return f"<p>{escape(first)}</p>{effects}{self.table.to_html()}{self.variance_components.to_html()}"
