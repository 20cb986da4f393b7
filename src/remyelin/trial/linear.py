"""Analysis of covariance: the difference between arms, adjusted for the baseline."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from remyelin.errors import InputError
from remyelin.trial.anova import drop_one, sequential
from remyelin.trial.design import Design, FloatArray, build
from remyelin.trial.inference import check_alpha, check_rows, table
from remyelin.trial.means import Weights, differences, mean_rows
from remyelin.trial.multiplicity import Adjust, adjust_contrasts
from remyelin.trial.precise import Precise, fit_precise
from remyelin.trial.precision import known_variance
from remyelin.trial.squares import COVARIANCES, Covariance, check_residue, check_weights, least_squares


@dataclass(frozen=True, slots=True)
class Ancova:
    """A fitted analysis of covariance and what produced it.

    Attributes
    ----------
    table
        One row a coefficient; columns ``estimate, se, df, t, p, ci_low, ci_high``.
    vcov
        Covariance matrix of the coefficients.
    sigma, df, r2, rss
        Residual standard deviation (unit of the response; with `se` what is left beside the known errors),
        residual degrees of freedom, share of variance explained, residual sum of squares (weighted if there
        are weights).
    precise
        With `se`: the weighted likelihood, whose degrees of freedom differ between rows of the tables.
    formula, arm, reference, covariance, alpha
        The specification: `ancova(formula, data, arm=arm, ...)` gives the same fit again.
    """

    formula: str
    arm: str
    reference: str
    covariance: Covariance
    alpha: float
    table: pd.DataFrame
    vcov: pd.DataFrame
    sigma: float
    df: int
    r2: float
    rss: float
    design: Design = field(repr=False)
    weights: FloatArray = field(repr=False)
    precise: Precise | None = field(repr=False)

    @property
    def n(self) -> int:
        """Number of rows."""
        return len(self.design.y)

    @property
    def arms(self) -> tuple[str, ...]:
        """The arms, reference first."""
        return tuple(str(each) for each in self.design.data[self.arm].cat.categories)

    def lsmeans(self, weights: Weights = "equal") -> pd.DataFrame:
        """Least-squares mean of the response in each arm, covariates at their mean.

        Parameters
        ----------
        weights
            How the levels of the other factors are averaged: ``"equal"``, or ``"proportional"`` to their
            frequency.

        Returns
        -------
        pandas.DataFrame
            Index the arm; columns ``estimate, se, df, t, p, ci_low, ci_high`` in the unit of the response.
        """
        return self._inference(*mean_rows(self.design, [self.arm], weights))

    def contrasts(self, weights: Weights = "equal", adjust: Adjust = "none") -> pd.DataFrame:
        """Difference of each arm from the reference.

        Parameters
        ----------
        weights
            As in `lsmeans`.
        adjust
            For the number of arms: ``"none"``, ``"dunnett"`` (exact, also for unequal arms and with
            covariates) or another of `remyelin.trial.multiplicity.adjust_contrasts`.

        Returns
        -------
        pandas.DataFrame
            Index like ``"active - placebo"``; columns as in `lsmeans`, with `adjust` also ``p_adjusted,
            adjusted_low, adjusted_high``.
        """
        index, rows = differences(self.design, self.arm, weights=weights)
        vcov = rows @ self.vcov.to_numpy() @ rows.T
        return adjust_contrasts(self._inference(index, rows), vcov, adjust, self.alpha)

    def contrast(self, L: npt.ArrayLike, names: Sequence[str] | None = None) -> pd.DataFrame:
        """t tests of linear combinations L (row, coefficient) of the coefficients."""
        rows = check_rows(L, self.table.index)
        return self._inference(pd.Index(names or [f"L{k + 1}" for k in range(len(rows))]), rows)

    def contrasts_of(self, response: npt.ArrayLike, weights: Weights = "equal") -> FloatArray:
        """Contrasts (arm other than the reference,) that another response of the same rows would give.

        A contrast is linear in the response: given the part of it that an error shared by all rows would
        move, this is by how much the error moves the contrasts.
        """
        root = np.sqrt(self.weights)
        y = np.asarray(response, dtype=np.float64) * root
        beta = np.linalg.lstsq(self.design.X * root[:, None], y, rcond=None)[0]
        return np.asarray(differences(self.design, self.arm, weights=weights)[1] @ beta)

    def anova(self, kind: Literal["sequential", "drop"] = "sequential") -> pd.DataFrame:
        """F tests of the terms, with classical sums of squares.

        Parameters
        ----------
        kind
            ``"sequential"`` adds the terms in the order of the formula (type I; R's `anova`);
            ``"drop"`` leaves out one at a time those that stand in no interaction (R's `drop1`).

        Returns
        -------
        pandas.DataFrame
            Index the term; columns ``df, sum_sq, mean_sq, f, p``, or ``df, sum_sq, rss, aic, f, p``.
        """
        if self.covariance != "classical" or self.precise is not None:
            raise InputError(
                "", "covariance", self.covariance if self.precise is None else "that of known errors",
                "classical: these F tests are ratios of sums of squares",
                "fit again with covariance='classical' and without se for the table of F tests",
            )  # fmt: skip
        return sequential(self) if kind == "sequential" else drop_one(self)

    def to_frame(self) -> pd.DataFrame:
        """The table of coefficients with the term as a column."""
        return self.table.reset_index()

    def _inference(self, index: pd.Index[str], rows: FloatArray) -> pd.DataFrame:
        """Estimates, t tests and intervals of linear combinations (`rows`) of the coefficients."""
        estimate = rows @ self.table["estimate"].to_numpy()
        se = np.sqrt(np.einsum("ij,jk,ik->i", rows, self.vcov.to_numpy(), rows))
        df = self.df if self.precise is None else self.precise.freedom(rows)
        return table(estimate, se, df, index, self.alpha)

    def __str__(self) -> str:
        level = f"{100 * (1 - self.alpha):g} % CI"
        errors = f"{self.covariance} covariance" if self.precise is None else "known errors"
        lines = [f"ANCOVA {self.formula}, {errors}, n = {self.n}, residual df = {self.df}"]
        for name, row in self.contrasts().iterrows():
            lines.append(
                f"  {name}: {row['estimate']:+.4g} ({level} {row['ci_low']:+.4g} to {row['ci_high']:+.4g}), "
                f"p = {row['p']:.3g}"
            )
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        caption = escape(str(self).splitlines()[0])
        return f"<p>{caption}</p>{self.contrasts().to_html()}{self.table.to_html()}"


def ancova(
    formula: str,
    data: pd.DataFrame,
    *,
    arm: str = "arm",
    reference: str | None = None,
    covariance: Covariance = "classical",
    weights: npt.ArrayLike | None = None,
    se: str | npt.ArrayLike | None = None,
    alpha: float = 0.05,
) -> Ancova:
    """Fit `response ~ arm + baseline + ...` by least squares, or with known errors by weighted likelihood.

    Parameters
    ----------
    formula
        As ``"change ~ arm + baseline"``.
    data
        One row a participant.
    arm, reference
        The column of the treatment and the arm that the others are compared with.
    covariance
        ``"classical"``, or consistent under unequal variances: ``"HC1"`` (MacKinnon & White 1985,
        10.1016/0304-4076(85)90158-7), ``"HC3"`` (better in small trials: Long & Ervin 2000,
        10.1080/00031305.2000.10474549).
        Intervals use t with the residual degrees of freedom in each case.
    weights
        Precision of each row (1/se^2, any scale); equal if absent.
    se
        Standard error of each response (column of `data` or (row,), in its unit). The variance of a row is
        then sigma^2 + se^2, sigma^2 by REML; standard errors and degrees of freedom are Kenward and Roger's,
        for each contrast its own. Not together with `weights` or a robust `covariance`.
    alpha
        Intervals cover 1 - alpha.

    Returns
    -------
    Ancova

    Raises
    ------
    InputError
        What `remyelin.trial.design.build` refuses; weights that are not positive; errors that are negative or
        missing; a response without residual variance; HC3 where one row alone determines a parameter.

    Examples
    --------
    >>> table = pd.DataFrame({"arm": ["placebo", "drug"] * 4, "baseline": [30.0, 31, 29, 33, 32, 30, 31, 29],
    ...                       "change": [0.1, 0.4, 0.0, 0.3, 0.2, 0.5, 0.1, 0.2]})
    >>> print(ancova("change ~ arm + baseline", table, reference="placebo"))
    ANCOVA change ~ arm + baseline, classical covariance, n = 8, residual df = 5
      drug - placebo: +0.2436 (95 % CI +0.04181 to +0.4455), p = 0.0268
    """
    check_alpha(alpha)
    if covariance not in COVARIANCES:
        raise InputError(
            "", "covariance", repr(covariance), f"one of {', '.join(COVARIANCES)}", "name one of these"
        )
    if se is not None and (weights is not None or covariance != "classical"):
        raise InputError(
            "", "se", "given together with weights or a robust covariance",
            "one account of unequal variances",
            "leave out weights, or covariance: with se the variance of each row is known but for one part",
        )  # fmt: skip
    design = build(formula, data, arm, reference)
    check_residue(design.X, design.y, formula)
    precise = None if se is None else fit_precise(design.X, design.y, known_variance(se, data))
    w = check_weights(weights, design) if precise is None else precise.weights
    fit = least_squares(design.X, design.y, w, covariance)
    total = float(np.sum(w * (design.y - np.average(design.y, weights=w)) ** 2))
    names = pd.Index(design.names, name="term")
    vcov = fit.vcov if precise is None else precise.vcov
    freedom = fit.df if precise is None else precise.freedom(np.eye(len(names)))
    return Ancova(
        formula=formula,
        arm=arm,
        reference=str(design.data[arm].cat.categories[0]),
        covariance=covariance,
        alpha=alpha,
        table=table(fit.beta, np.sqrt(np.diag(vcov)), freedom, names, alpha),
        vcov=pd.DataFrame(vcov, index=names, columns=names),
        sigma=float(np.sqrt(fit.rss / fit.df if precise is None else precise.variance)),
        df=fit.df,
        r2=1.0 - fit.rss / total,
        rss=fit.rss,
        design=design,
        weights=w,
        precise=precise,
    )
