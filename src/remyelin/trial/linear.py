"""Analysis of covariance: the difference between arms, adjusted for the baseline."""

from __future__ import annotations

from dataclasses import dataclass, field
from html import escape
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from remyelin.errors import InputError
from remyelin.trial.anova import drop_one, sequential
from remyelin.trial.design import Design, FloatArray, build
from remyelin.trial.inference import table
from remyelin.trial.means import Weights, differences, mean_rows

Covariance = Literal["classical", "HC1", "HC3"]
COVARIANCES = ("classical", "HC1", "HC3")


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
        Residual standard deviation (unit of the response), residual degrees of freedom, share of variance
        explained, residual sum of squares (weighted if there are weights).
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

    def contrasts(self, weights: Weights = "equal") -> pd.DataFrame:
        """Difference of each arm from the reference; the p values are not adjusted for the number of arms.

        Returns
        -------
        pandas.DataFrame
            Index like ``"active - placebo"``; columns as in `lsmeans`.
        """
        return self._inference(*differences(self.design, self.arm, weights=weights))

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
        if self.covariance != "classical":
            raise InputError(
                "", "covariance", self.covariance, "classical: these F tests are ratios of sums of squares",
                "fit again with covariance='classical' for the table of F tests",
            )  # fmt: skip
        return sequential(self) if kind == "sequential" else drop_one(self)

    def to_frame(self) -> pd.DataFrame:
        """The table of coefficients with the term as a column."""
        return self.table.reset_index()

    def _inference(self, index: pd.Index[str], rows: FloatArray) -> pd.DataFrame:
        """Estimates, t tests and intervals of linear combinations (`rows`) of the coefficients."""
        estimate = rows @ self.table["estimate"].to_numpy()
        se = np.sqrt(np.einsum("ij,jk,ik->i", rows, self.vcov.to_numpy(), rows))
        return table(estimate, se, self.df, index, self.alpha)

    def __str__(self) -> str:
        level = f"{100 * (1 - self.alpha):g} % CI"
        lines = [
            f"ANCOVA {self.formula}, {self.covariance} covariance, n = {self.n}, residual df = {self.df}"
        ]
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
    alpha: float = 0.05,
) -> Ancova:
    """Fit `response ~ arm + baseline + ...` by least squares.

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
    alpha
        Intervals cover 1 - alpha.

    Returns
    -------
    Ancova

    Raises
    ------
    InputError
        What `remyelin.trial.design.build` refuses; weights that are not positive; a response without residual
        variance; HC3 where one row alone determines a parameter.

    Examples
    --------
    >>> table = pd.DataFrame({"arm": ["placebo", "drug"] * 4, "baseline": [30.0, 31, 29, 33, 32, 30, 31, 29],
    ...                       "change": [0.1, 0.4, 0.0, 0.3, 0.2, 0.5, 0.1, 0.2]})
    >>> print(ancova("change ~ arm + baseline", table, reference="placebo"))
    ANCOVA change ~ arm + baseline, classical covariance, n = 8, residual df = 5
      drug - placebo: +0.2436 (95 % CI +0.04181 to +0.4455), p = 0.0268
    """
    if covariance not in COVARIANCES:
        raise InputError(
            "", "covariance", repr(covariance), f"one of {', '.join(COVARIANCES)}", "name one of these"
        )
    design = build(formula, data, arm, reference)
    w = _weights(weights, len(design.y))
    root = np.sqrt(w)
    X, y = design.X * root[:, None], design.y * root
    q, r = np.linalg.qr(X)
    beta = np.linalg.solve(r, q.T @ y)
    residual = y - X @ beta
    rss, df = float(residual @ residual), len(y) - X.shape[1]
    total = float(np.sum(w * (design.y - np.average(design.y, weights=w)) ** 2))
    if rss <= 1e-20 * float(y @ y):
        raise InputError(
            "", str(formula.split("~")[0].strip()), "explained by the terms without any residue",
            "a measured response, which always leaves one",
            "look for a response that is constant, or copied from a covariate",
        )  # fmt: skip
    inverse = np.linalg.inv(r)
    vcov = _vcov(q, inverse, residual, df, covariance)
    names = pd.Index(design.names, name="term")
    return Ancova(
        formula=formula,
        arm=arm,
        reference=str(design.data[arm].cat.categories[0]),
        covariance=covariance,
        alpha=alpha,
        table=table(beta, np.sqrt(np.diag(vcov)), df, names, alpha),
        vcov=pd.DataFrame(vcov, index=names, columns=names),
        sigma=float(np.sqrt(rss / df)),
        df=df,
        r2=1.0 - rss / total,
        rss=rss,
        design=design,
        weights=w,
    )


def _weights(weights: npt.ArrayLike | None, n: int) -> FloatArray:
    if weights is None:
        return np.ones(n)
    w = np.asarray(weights, dtype=np.float64)
    if w.shape != (n,) or not np.isfinite(w).all() or not (w > 0).all():
        raise InputError(
            "", "weights", f"an array of shape {w.shape} or with values that are not positive",
            f"{n} positive finite numbers", "give 1/se^2 of each row",
        )  # fmt: skip
    return w


def _vcov(
    q: FloatArray, inverse: FloatArray, residual: FloatArray, df: int, covariance: Covariance
) -> FloatArray:
    """Covariance of the coefficients from X = QR: R^-1 (Q' diag(omega) Q) R^-T."""
    if covariance == "classical":
        return np.asarray(inverse @ inverse.T * (residual @ residual / df))
    if covariance == "HC1":
        omega = residual**2 * (len(residual) / df)
    else:
        leverage = np.sum(q**2, axis=1)
        alone = np.flatnonzero(leverage > 1 - 1e-10)
        if alone.size:
            raise InputError(
                "", "covariance", f"HC3 with row {int(alone[0]) + 1} the only one at its level (leverage 1)",
                "at least two rows at every level", "use HC1 or classical, or join the level with another",
            )  # fmt: skip
        omega = (residual / (1 - leverage)) ** 2
    return np.asarray(inverse @ ((q * omega[:, None]).T @ q) @ inverse.T)
