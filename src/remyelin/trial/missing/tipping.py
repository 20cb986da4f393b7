"""The tipping point: how much worse those who left must have done for the result to be lost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import numpy as np
import pandas as pd

from remyelin.errors import InputError
from remyelin.trial.missing.imputations import Imputations


@dataclass(frozen=True, slots=True)
class TippingPoint:
    """Where a conclusion turns.

    Attributes
    ----------
    delta
        Shift of the values after withdrawal (unit of the outcome) at which p equals alpha; NaN where the
        result is not significant to begin with, or where nothing can tip it.
    arm, alpha
        The arm that is shifted, and the level.
    table
        Index ``delta``; the columns of `rubin`.
    reason
        Why there is no tipping point; "" where there is one.
    """

    delta: float
    arm: str
    alpha: float
    table: pd.DataFrame
    reason: str

    def to_frame(self) -> pd.DataFrame:
        """The table with the delta as a column."""
        return self.table.reset_index()

    def __str__(self) -> str:
        if self.reason:
            return f"No tipping point: {self.reason}"
        return (
            f"Tipping point: p reaches {self.alpha:g} when values after withdrawal in {self.arm} are shifted "
            f"by {self.delta:+.4g}"
        )

    def _repr_html_(self) -> str:
        return f"<p>{escape(str(self))}</p>{self.table.to_html()}"


def tipping_point(
    imputations: Imputations,
    *,
    arm: str | None = None,
    deltas: Sequence[float] | None = None,
    visit: str | None = None,
    alpha: float = 0.05,
) -> TippingPoint:
    """Find the delta at which the difference from the reference is no longer significant.

    The estimate of the analysis of covariance moves in proportion to the delta; the search ends where it
    would be 0, since p is 1 there.

    Parameters
    ----------
    imputations
        As from `impute`; a delta that they carry for the arm is replaced.
    arm
        The arm whose leavers are shifted; the only one besides the reference if not given.
    deltas
        Rows of the table; from 0 to half again the tipping point if not given. Unit of the outcome.
    visit
        Of the analysis of covariance; the last one if not given.
    alpha
        Two-sided level.

    Returns
    -------
    TippingPoint

    Raises
    ------
    InputError
        For an arm that does not exist or is the reference, or none named among several.

    Examples
    --------
    >>> from remyelin.trial.missing import impute
    >>> rng = np.random.default_rng(1)
    >>> person, visit = np.repeat(np.arange(60), 2), np.tile(["M03", "M06"], 60)
    >>> arm = np.where(person % 2, "drug", "placebo")
    >>> latency = rng.normal(0, 2, 60)[person] + rng.normal(0, 1, 120) - 2.0 * (arm == "drug")
    >>> latency[(person % 5 == 1) & (visit == "M06")] = np.nan
    >>> table = pd.DataFrame({"id": person, "visit": visit, "arm": arm, "latency": latency})
    >>> filled = impute(table, subject="id", visit="visit", value="latency", arm="arm",
    ...                 reference="placebo", m=50, rng=2026)
    >>> print(tipping_point(filled))
    Tipping point: p reaches 0.05 when values after withdrawal in drug are shifted by +4.788
    """
    from scipy.optimize import brentq

    name = _shifted(imputations, arm)
    row = imputations.panel.arms.index(name) - 1
    others = dict(zip(imputations.panel.arms, map(float, imputations.deltas), strict=True))

    def at(delta: float) -> pd.DataFrame:
        shifted = imputations.with_delta({**others, name: delta})
        return shifted.analyse(visit=visit, alpha=alpha).iloc[[row]]

    def p_of(delta: float) -> float:
        return float(at(delta)["p"].iloc[0]) - alpha

    start = at(0.0)
    slope = float(at(1.0)["estimate"].iloc[0] - start["estimate"].iloc[0])
    tip, reason = float("nan"), ""
    if float(start["p"].iloc[0]) >= alpha:
        reason = f"p is {float(start['p'].iloc[0]):.3g} without any shift"
    elif abs(slope) < 1e-9:
        reason = f"nobody in {name} left before the visit"
    else:
        tip = float(brentq(p_of, 0.0, -float(start["estimate"].iloc[0]) / slope, xtol=1e-12, rtol=1e-12))
    if deltas is None:
        deltas = [0.0] if reason else [0.0, *(tip * np.array([0.25, 0.5, 0.75, 1.0, 1.25, 1.5]))]
    rows = pd.concat([at(float(each)) for each in deltas])
    rows.index = pd.Index([float(each) for each in deltas], name="delta")
    return TippingPoint(tip, name, alpha, rows, reason)


def _shifted(imputations: Imputations, arm: str | None) -> str:
    others = imputations.panel.arms[1:]
    if arm is None and len(others) == 1:
        return others[0]
    if arm not in others:
        raise InputError(
            "",
            "arm",
            repr(arm),
            f"one of the arms besides the reference: {', '.join(others)}",
            "name one of these",
        )
    return str(arm)
