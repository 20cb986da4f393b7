"""Dose and response: trend, each dose, and candidate shapes, adjusted for covariates."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from remyelin.errors import InputError
from remyelin.trial.design import Design, FloatArray, build
from remyelin.trial.formula import formula_error, parse
from remyelin.trial.inference import check_alpha, check_rows, table
from remyelin.trial.logistic import fit_logistic
from remyelin.trial.means import Weights, differences, mean_rows
from remyelin.trial.multiplicity import Adjust, adjust_contrasts
from remyelin.trial.shapes import SHAPES, Alternative, Shapes, compare_shapes
from remyelin.trial.squares import check_residue, least_squares

Family = Literal["binomial", "gaussian"]
Scores = Literal["rank", "dose"] | Mapping[Any, float]


@dataclass(frozen=True, slots=True)
class _Model:
    """One regression: of the scores, or of the doses as categories."""

    design: Design
    beta: FloatArray
    vcov: FloatArray
    df: float
    deviance: float

    def inference(self, index: pd.Index[str] | pd.MultiIndex, rows: FloatArray, alpha: float) -> pd.DataFrame:
        se = np.sqrt(np.einsum("ij,jk,ik->i", rows, self.vcov, rows))
        return table(rows @ self.beta, se, self.df, index, alpha)

    def table(self, alpha: float) -> pd.DataFrame:
        return self.inference(pd.Index(self.design.names, name="term"), np.eye(len(self.beta)), alpha)


@dataclass(frozen=True, slots=True)
class DoseTrend:
    """A dose-response and what produced it.

    Attributes
    ----------
    table
        Coefficients of the model in which the dose is its score; the row named as the dose is the trend.
        Binomial: log odds, normal reference (df infinite).
    vcov
        Covariance matrix of these coefficients.
    deviance
        Of that model (Gaussian: residual sum of squares).
    doses, score
        The doses, lowest first, and the score of each.
    formula, dose, scores, family, alpha
        The specification: `dose_trend(formula, data, dose=dose, ...)` gives the same again.
    """

    formula: str
    dose: str
    scores: Scores
    family: Family
    alpha: float
    doses: tuple[str, ...]
    score: tuple[float, ...]
    table: pd.DataFrame
    vcov: pd.DataFrame
    deviance: float
    trend: _Model = field(repr=False)
    data: pd.DataFrame = field(repr=False)

    def by_dose(self) -> pd.DataFrame:
        """Coefficients of the model in which each dose has its own effect; columns as in `table`."""
        return self._factor().table(self.alpha)

    def lsmeans(self, weights: Weights = "equal") -> pd.DataFrame:
        """Mean at each dose from that model, covariates at their mean; binomial: log odds."""
        model = self._factor()
        return model.inference(*mean_rows(model.design, [self.dose], weights), self.alpha)

    def contrasts(self, weights: Weights = "equal", adjust: Adjust = "none") -> pd.DataFrame:
        """Difference of each dose from the lowest; binomial: log odds ratio.

        Parameters
        ----------
        weights
            How the levels of other factors are averaged.
        adjust
            For the number of doses, as in `remyelin.trial.multiplicity.adjust_contrasts`.
        """
        model = self._factor()
        index, rows = differences(model.design, self.dose, weights=weights)
        found = model.inference(index, rows, self.alpha)
        return adjust_contrasts(found, rows @ model.vcov @ rows.T, adjust, self.alpha)

    def contrast(self, L: npt.ArrayLike, names: Sequence[str] | None = None) -> pd.DataFrame:
        """Tests of linear combinations L (row, coefficient) of the coefficients in `table`."""
        rows = check_rows(L, self.table.index)
        index = pd.Index(names or [f"L{k + 1}" for k in range(len(rows))])
        return self.trend.inference(index, rows, self.alpha)

    def shapes(self, shapes: Shapes = SHAPES, alternative: Alternative = "two-sided") -> pd.DataFrame:
        """Test candidate shapes together; a trend test is blind to a response that rises and falls.

        Parameters
        ----------
        shapes
            Names (``"linear"``, ``"emax"``, ``"umbrella"``) or a mapping of a name to the mean thought
            possible at each dose, lowest first.
        alternative
            ``"two-sided"``, ``"greater"`` or ``"less"``.

        Returns
        -------
        pandas.DataFrame
            As `remyelin.trial.shapes.compare_shapes`.
        """
        model = self._factor()
        _, rows = mean_rows(model.design, [self.dose])
        vcov = rows @ model.vcov @ rows.T
        score = np.array(self.score)
        return compare_shapes(rows @ model.beta, vcov, model.df, score, self.doses, shapes, alternative)

    def cochran_armitage(self) -> pd.DataFrame:
        """Trend of the proportions without covariates (Armitage 1955, 10.2307/3001775); R's prop.trend.test.

        Returns
        -------
        pandas.DataFrame
            One row; columns ``chisq, df, p``.
        """
        from scipy.special import chdtrc

        if self.family != "binomial":
            raise InputError(
                "", "family", self.family, "binomial", "read the trend of the Gaussian model in .table"
            )
        y = self.trend.design.y
        s = self.trend.design.data[self.dose].to_numpy(dtype=np.float64)
        centred = s - s.mean()
        chisq = float(centred @ y) ** 2 / float(y.mean() * (1 - y.mean()) * (centred @ centred))
        row = {"chisq": chisq, "df": 1.0, "p": float(chdtrc(1, chisq))}
        return pd.DataFrame([row], index=pd.Index(["trend"], name="test"))

    def to_frame(self) -> pd.DataFrame:
        """The table of the trend model with the term as a column."""
        return self.table.reset_index()

    def _factor(self) -> _Model:
        labels = pd.Categorical([_label(each) for each in self.data[self.dose]], categories=self.doses)
        design = build(self.formula, self.data.assign(**{self.dose: labels}), self.dose)
        return _fit(design, self.family)

    def __str__(self) -> str:
        row = self.table.loc[self.dose]
        level = f"{100 * (1 - self.alpha):g} % CI"
        scores = ", ".join(f"{each:g}" for each in self.score)
        return (
            f"Dose trend {self.formula}, {self.family}, scores {scores}: {row['estimate']:+.4g} a step "
            f"({level} {row['ci_low']:+.4g} to {row['ci_high']:+.4g}), p = {row['p']:.3g}"
        )

    def _repr_html_(self) -> str:
        return f"<p>{escape(str(self))}</p>{self.table.to_html()}"


def dose_trend(
    formula: str,
    data: pd.DataFrame,
    *,
    dose: str,
    scores: Scores = "rank",
    family: Family = "binomial",
    alpha: float = 0.05,
) -> DoseTrend:
    """Fit `response ~ dose + covariates` with the dose as a score.

    Parameters
    ----------
    formula
        As ``"improved ~ dose_mgkg + edss_baseline"``; the dose stands in it once, by itself.
    data
        One row a participant.
    dose
        The column of the dose: numbers, or names with `scores` for each.
    scores
        ``"rank"`` (0, 1, 2, ...), ``"dose"`` itself, or a mapping of each dose to its score.
    family
        ``"binomial"`` (logistic; response 0 and 1) or ``"gaussian"``.
    alpha
        Intervals cover 1 - alpha.

    Returns
    -------
    DoseTrend

    Raises
    ------
    InputError
        What `remyelin.trial.design.build` refuses; fewer than three doses; a dose without a score; a response
        that is not 0 and 1 or that a column predicts perfectly.

    Examples
    --------
    >>> table = pd.DataFrame({"dose": np.repeat([0, 10, 100], 40),
    ...                       "improved": np.repeat([0, 1, 0, 1, 0, 1], [25, 15, 20, 20, 15, 25])})
    >>> found = dose_trend("improved ~ dose", table, dose="dose")
    >>> print(found)
    Dose trend improved ~ dose, binomial, scores 0, 1, 2: +0.5108 a step (95 % CI ...), p = 0.027
    >>> found.cochran_armitage().round(4)
           chisq   df       p
    test
    trend    5.0  1.0  0.0253
    """
    check_alpha(alpha)
    if family not in ("binomial", "gaussian"):
        raise InputError("", "family", repr(family), "'binomial' or 'gaussian'", "name one of the two")
    _check_formula(formula, dose)
    if dose not in data.columns:
        raise InputError("", dose, "not a column of the data", "the dose", "name the column of the dose")
    score = _scores(data[dose], dose, scores)
    coded = data[dose].map(score).astype(np.float64)
    model = _fit(build(formula, data.assign(**{dose: coded.to_numpy()}), None), family)
    names = pd.Index(model.design.names, name="term")
    return DoseTrend(
        formula=formula,
        dose=dose,
        scores=scores,
        family=family,
        alpha=alpha,
        doses=tuple(_label(each) for each in score),
        score=tuple(score.values()),
        table=model.table(alpha),
        vcov=pd.DataFrame(model.vcov, index=names, columns=names),
        deviance=model.deviance,
        trend=model,
        data=data,
    )


def _check_formula(formula: str, dose: str) -> None:
    _, terms, _, _ = parse(formula)
    with_dose = [str(term) for term in terms if dose in {str(factor) for factor in term.factors}]
    if with_dose != [dose] or any(f"({dose}" in str(term) for term in terms):
        raise formula_error(
            formula, f"in which {dose} does not stand once and by itself", f"response ~ {dose} + covariates"
        )


def _scores(column: pd.Series[Any], dose: str, scores: Scores) -> dict[Hashable, float]:
    """Score by dose, lowest first."""
    levels = list(column.dropna().unique())
    if len(levels) < 3 or column.isna().any():
        found = (
            f"missing in {int(column.isna().sum())} rows" if column.isna().any() else f"{len(levels)} doses"
        )
        raise InputError(
            "", dose, found, "three doses or more, one in every row",
            "compare two arms with ancova, gee or responders",
        )  # fmt: skip
    if isinstance(scores, Mapping):
        absent = [each for each in levels if each not in scores]
        if absent or len({float(scores[each]) for each in levels}) < len(levels):
            raise InputError(
                "", "scores", f"without {absent[0]}" if absent else "the same for two doses",
                "a score of its own for each dose", f"give one for each of {', '.join(map(_label, levels))}",
            )  # fmt: skip
        return dict(sorted(((each, float(scores[each])) for each in levels), key=lambda pair: pair[1]))
    if scores not in ("rank", "dose") or not pd.api.types.is_numeric_dtype(column.dtype):
        raise InputError(
            "", "scores", f"{scores!r} for {column.dtype} doses", "'rank' or 'dose' of numbers, or a mapping",
            "give a mapping of each dose to its score",
        )  # fmt: skip
    levels = sorted(levels)
    return {each: float(k if scores == "rank" else each) for k, each in enumerate(levels)}


def _label(dose: Any) -> str:
    return f"{dose:g}" if isinstance(dose, (int, float, np.number)) else str(dose)


def _fit(design: Design, family: Family) -> _Model:
    X, y = design.X, design.y
    response = design.formula.split("~")[0].strip()
    if family == "binomial":
        logistic = fit_logistic(X, y, design.names, response)
        return _Model(design, logistic.beta, logistic.vcov, np.inf, logistic.deviance)
    check_residue(X, y, design.formula)
    fit = least_squares(X, y, np.ones(len(y)), "classical")
    return _Model(design, fit.beta, fit.vcov, float(fit.df), fit.rss)
