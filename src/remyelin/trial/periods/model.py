"""The mixed model of a crossover: participant, eye, and what each adds in a period."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from remyelin.errors import InputError
from remyelin.trial.design import Design, FloatArray
from remyelin.trial.inference import table
from remyelin.trial.periods.components import DIRECTIONS, blocks, directions, in_words
from remyelin.trial.periods.reml import Reml, fit_reml, freedom

DfMethod = Literal["kenward-roger", "satterthwaite"]
DF_METHODS = ("kenward-roger", "satterthwaite")


@dataclass(frozen=True, slots=True)
class PeriodModel:
    """A fit by REML whose covariance is the same for both eyes and both periods, and else free.

    Attributes
    ----------
    table, vcov
        As of every estimator; with Kenward and Roger's covariance if that is the method.
    variance_components
        Index the component; columns ``variance, sd``. See `remyelin.trial.periods.components.in_words`.
    deviance
        -2 times the restricted log-likelihood.
    """

    df_method: DfMethod
    alpha: float
    table: pd.DataFrame
    vcov: pd.DataFrame
    variance_components: pd.DataFrame
    deviance: float
    design: Design = field(repr=False)
    reml: Reml = field(repr=False)

    def contrast(self, L: npt.ArrayLike, names: Sequence[str] | pd.Index[str] | None = None) -> pd.DataFrame:
        """Inference on linear combinations L (row, coefficient) of the coefficients."""
        rows = np.atleast_2d(np.asarray(L, dtype=np.float64))
        index = pd.Index(names if names is not None else [f"L{k + 1}" for k in range(len(rows))])
        se = np.sqrt(np.einsum("ra,ab,rb->r", rows, self.vcov.to_numpy(), rows))
        df = freedom(self.reml, rows, self.df_method == "satterthwaite")
        return table(rows @ self.reml.beta, se, df, index, self.alpha)


def fit_periods(
    design: Design, known: FloatArray, columns: tuple[str, str | None, str | None], df: DfMethod, alpha: float
) -> PeriodModel:
    """Fit a design; `columns` are participant, eye and period, None for what does not vary.

    Raises
    ------
    InputError
        Where a variance is exactly zero, or the data cannot tell the variances apart.
    """
    person, eye, period = (None if name is None else _codes(design.data[name]) for name in columns)
    assert person is not None
    if eye is not None and pd.Series(eye).groupby(person).nunique().max() < 2:
        eye = None
    left = design.y - design.X @ np.linalg.lstsq(design.X, design.y, rcond=None)[0]
    if left @ left <= 1e-20 * float(design.y @ design.y):
        raise InputError(
            "", design.formula.split("~")[0].strip(), "explained by the terms without any residue",
            "a measured response, which always leaves one",
            "look for a response that is constant, or copied from a covariate",
        )  # fmt: skip
    try:
        found = fit_reml(blocks(design.X, design.y, known, person, eye, period))
    except np.linalg.LinAlgError:
        raise _too_few(columns[0]) from None
    if not known.any():
        _check_free(found, design, eye is not None, period is not None)
    names = pd.Index(design.names, name="term")
    vcov = found.adjusted if df == "kenward-roger" else found.phi
    own = np.eye(len(names))
    if not (np.diag(vcov) > 0).all():
        raise _too_few(columns[0])
    return PeriodModel(
        df_method=df,
        alpha=alpha,
        table=table(
            found.beta, np.sqrt(np.diag(vcov)), freedom(found, own, df == "satterthwaite"), names, alpha
        ),
        vcov=pd.DataFrame(vcov, index=names, columns=names),
        variance_components=in_words(found.theta * found.free, eye is not None, period is not None),
        deviance=found.deviance,
        design=design,
        reml=found,
    )


def _too_few(participant: str) -> InputError:
    return InputError(
        "", participant, "too few with two eyes and two periods to tell the variances apart",
        "several complete participants for each term", "use fewer terms, or take model='grizzle'",
    )  # fmt: skip


def _codes(column: pd.Series[Any]) -> npt.NDArray[np.intp]:
    return np.asarray(pd.factorize(column)[0], dtype=np.intp)


def _check_free(found: Reml, design: Design, eyes: bool, periods: bool) -> None:
    """No variance at zero: that is a result only where the measurement's own error can explain all."""
    if not found.free.all():
        where = DIRECTIONS[directions(eyes, periods)[int(np.argmin(found.free))]]
        raise InputError(
            "", design.formula.split("~")[0].strip(), f"without any variance in {where}",
            "several participants with two eyes and two periods, whose values differ",
            "look for values copied from one eye or period to the other; if few participants are complete, "
            "take model='grizzle'",
        )  # fmt: skip
