"""Responders: how many in each arm pass a threshold, and what a yes or no costs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Literal

import numpy as np
import pandas as pd

from remyelin.errors import Flag, InputError
from remyelin.trial.design import FloatArray, build
from remyelin.trial.inference import check_alpha, table
from remyelin.trial.logistic import fit_logistic
from remyelin.trial.means import differences
from remyelin.trial.proportions import fisher, mantel_haenszel, newcombe, wilson

Direction = Literal["at least", "at most"]
Missing = Literal["refuse", "nonresponder"]


@dataclass(frozen=True, slots=True)
class Responders:
    """Proportions of responders and what produced them.

    Attributes
    ----------
    table
        Index the arm, reference first; columns ``n, responders, proportion, ci_low, ci_high`` (Wilson).
    comparisons
        Index like ``"active - placebo"``; columns ``risk_difference, ci_low, ci_high`` (Newcombe), ``p``
        (Fisher's exact test), ``mid_p``.
    efficiency
        Information that is left of the value, if it is normal with the same spread in each arm:
        phi(z)^2 / (p (1 - p)) at the quantile z of the pooled proportion p, 2 / pi at the median (on the
        loss: Deyi et al. 1998, 10.1080/10543409808835243). 1 / efficiency times as many participants are
        needed for the same power.
    value, threshold, direction, arm, reference, missing, alpha
        The specification: `responders(data, value=value, ...)` gives the same again.
    """

    value: str
    threshold: float
    direction: Direction
    arm: str
    reference: str
    missing: Missing
    alpha: float
    table: pd.DataFrame
    comparisons: pd.DataFrame
    efficiency: float
    data: pd.DataFrame = field(repr=False)

    @property
    def flag(self) -> Flag:
        """What the threshold costs, as a doubt that travels with the result."""
        more = f"{1 / self.efficiency:.2f} times" if self.efficiency > 0 else "endlessly"
        left = f"{100 * self.efficiency:.0f} % of its information"
        return Flag(
            "", self.value, f"cut at {self.threshold:g}, which leaves {left}",
            f"an analysis of {self.value} itself, or {more} as many participants",
            "make the difference of means the primary analysis and show responders beside it",
        )  # fmt: skip

    def odds_ratios(self, covariates: Sequence[str] = ()) -> pd.DataFrame:
        """Odds ratio of each arm to the reference by logistic regression.

        Parameters
        ----------
        covariates
            Columns that the odds ratio is adjusted for.

        Returns
        -------
        pandas.DataFrame
            Index the contrast; columns ``odds_ratio, ci_low, ci_high, p`` (Wald, normal reference).
        """
        formula = " + ".join([f"{_EVENT} ~ {self.arm}", *covariates])
        design = build(formula, self._events(self.threshold), self.arm, self.reference)
        fit = fit_logistic(design.X, design.y, design.names, "response")
        index, rows = differences(design, self.arm)
        se = np.sqrt(np.einsum("ij,jk,ik->i", rows, fit.vcov, rows))
        found = table(rows @ fit.beta, se, np.inf, index, self.alpha)
        ratios = found.rename(columns={"estimate": "odds_ratio"})[["odds_ratio", "ci_low", "ci_high", "p"]]
        ratios.iloc[:, :3] = np.exp(ratios.iloc[:, :3])
        return ratios

    def stratified(self, stratum: str) -> pd.DataFrame:
        """Common odds ratio over the strata of a column (Mantel & Haenszel).

        Returns
        -------
        pandas.DataFrame
            Index the contrast; columns ``odds_ratio, ci_low, ci_high, p``.
        """
        from scipy.special import ndtri

        data = build(
            f"{_EVENT} ~ {self.arm}", self._events(self.threshold), self.arm, self.reference, keep=(stratum,)
        ).data
        counts = data.groupby([stratum, self.arm], observed=False)[_EVENT].agg(["sum", "count"])
        rows, z = {}, float(ndtri(1 - self.alpha / 2))
        for arm in list(self.table.index)[1:]:
            both = [counts.xs(each, level=1) for each in (arm, self.reference)]
            use = (both[0]["count"] > 0) & (both[1]["count"] > 0)
            cells = [column for each in both for column in (each["sum"], each["count"] - each["sum"])]
            tables = np.column_stack([column[use] for column in cells]).astype(np.float64)
            if not ((tables[:, 0] * tables[:, 3]).any() and (tables[:, 1] * tables[:, 2]).any()):
                raise InputError(
                    "", stratum, f"without a stratum that has both outcomes in {arm} and {self.reference}",
                    "both outcomes beside each other", "join strata, or report the counts",
                )  # fmt: skip
            log, se, p = mantel_haenszel(tables)
            rows[f"{arm} - {self.reference}"] = [*np.exp([log, log - z * se, log + z * se]), p]
        columns = ["odds_ratio", "ci_low", "ci_high", "p"]
        return pd.DataFrame.from_dict(rows, orient="index", columns=columns).rename_axis("contrast")

    def sensitivity(self, thresholds: Sequence[float] | None = None) -> pd.DataFrame:
        """The comparisons at other thresholds.

        Parameters
        ----------
        thresholds
            In the unit of the value; if None the nine deciles of the pooled values and the threshold itself.

        Returns
        -------
        pandas.DataFrame
            Index ``threshold, contrast``; columns of `comparisons` and ``efficiency``.
        """
        if thresholds is None:
            deciles = self.data[self.value].dropna().quantile(np.arange(1, 10) / 10)
            thresholds = sorted({self.threshold, *(float(each) for each in deciles)})
        parts = {}
        for each in thresholds:
            counts = _counts(self._events(each), self.arm, self.alpha)
            found = _compare(counts, self.alpha)
            parts[float(each)] = found.assign(efficiency=_efficiency(counts))
        return pd.concat(parts, names=["threshold"])

    def to_frame(self) -> pd.DataFrame:
        """The comparisons with the contrast as a column."""
        return self.comparisons.reset_index()

    def _events(self, threshold: float) -> pd.DataFrame:
        return self.data.assign(**{_EVENT: _responds(self.data[self.value], threshold, self.direction)})

    def __str__(self) -> str:
        lines = [f"Responders: {self.value} {self.direction} {self.threshold:g}"]
        for arm, row in self.table.iterrows():
            lines.append(
                f"  {arm}: {row['responders']:.0f} of {row['n']:.0f} ({100 * row['proportion']:.1f} %)"
            )
        level = f"{100 * (1 - self.alpha):g} % CI"
        for name, row in self.comparisons.iterrows():
            points, low, high = (100 * row[each] for each in ("risk_difference", "ci_low", "ci_high"))
            lines.append(
                f"  {name}: {points:+.1f} percentage points ({level} {low:+.1f} to {high:+.1f}), "
                f"p = {row['p']:.3g}, mid-p = {row['mid_p']:.3g}"
            )
        return "\n".join([*lines, f"  doubt: {self.flag}"])

    def _repr_html_(self) -> str:
        return f"{self.table.to_html()}{self.comparisons.to_html()}<p>{escape(str(self.flag))}</p>"


def responders(
    data: pd.DataFrame,
    *,
    value: str,
    threshold: float,
    direction: Direction,
    arm: str = "arm",
    reference: str | None = None,
    missing: Missing = "refuse",
    alpha: float = 0.05,
) -> Responders:
    """Compare the proportions of participants whose value passes a threshold.

    Parameters
    ----------
    data
        One row a participant.
    value, threshold, direction
        A participant responds if the column `value` is ``"at least"`` or ``"at most"`` the threshold (in its
        unit).
    arm, reference
        The column of the treatment and the arm that the others are compared with.
    missing
        ``"refuse"``, or ``"nonresponder"``: a participant without a value did not respond (composite strategy
        of ICH E9(R1)).
    alpha
        Intervals cover 1 - alpha.

    Returns
    -------
    Responders

    Raises
    ------
    InputError
        For a column that is not there or holds no numbers, missing values unless `missing` says what they
        are, one arm, a participant twice (column ``participant_id``), or another direction.

    Examples
    --------
    >>> table = pd.DataFrame({"arm": np.repeat(["placebo", "drug"], 20),
    ...                       "change": [*np.linspace(-4, 2, 20), *np.linspace(-7, 1, 20)]})
    >>> print(responders(table, value="change", threshold=-3, direction="at most", reference="placebo"))
    Responders: change at most -3
      placebo: 4 of 20 (20.0 %)
      drug: 10 of 20 (50.0 %)
      drug - placebo: +30.0 percentage points (95 % CI ...), p = ..., mid-p = ...
      doubt: change is cut at -3, which leaves 60 % of its information, expected an analysis of change ...
    """
    check_alpha(alpha)
    if direction not in ("at least", "at most"):
        raise InputError("", "direction", repr(direction), "'at least' or 'at most'", "name one of the two")
    if missing not in ("refuse", "nonresponder"):
        raise InputError("", "missing", repr(missing), "'refuse' or 'nonresponder'", "name one of the two")
    if not np.isfinite(threshold):
        raise InputError("", "threshold", f"{threshold}", "a number in the unit of the value", "give one")
    _check_values(data, value, missing)
    events = data.assign(**{_EVENT: _responds(data[value], threshold, direction)})
    design = build(f"{_EVENT} ~ {arm}", events, arm, reference)
    kept = data.reset_index(drop=True).assign(**{arm: design.data[arm]})
    counts = _counts(design.data, arm, alpha)
    return Responders(
        value=value,
        threshold=float(threshold),
        direction=direction,
        arm=arm,
        reference=str(counts.index[0]),
        missing=missing,
        alpha=alpha,
        table=counts,
        comparisons=_compare(counts, alpha),
        efficiency=_efficiency(counts),
        data=kept,
    )


_EVENT = "responds_"


def _check_values(data: pd.DataFrame, value: str, missing: Missing) -> None:
    if value not in data.columns or not pd.api.types.is_numeric_dtype(data[value].dtype):
        found = "text or categories" if value in data.columns else "not a column of the data"
        raise InputError("", value, found, "a column of numbers", "name the column of the value")
    empty = np.flatnonzero(data[value].isna())
    if empty.size and missing == "refuse":
        raise InputError(
            "", value, f"missing in {empty.size} of {len(data)} rows (first: row {empty[0] + 1})",
            "a value in every row", "say missing='nonresponder', or leave them out and report the attrition",
        )  # fmt: skip
    if np.isinf(data[value].to_numpy(dtype=np.float64)).any():
        raise InputError("", value, "infinite in some rows", "finite values", "correct the value")
    if "participant_id" in data.columns and data["participant_id"].duplicated().any():
        again = data.loc[data["participant_id"].duplicated(), "participant_id"].iloc[0]
        raise InputError("", "participant_id", f"{again} twice", "one row a participant", "keep one row")


def _responds(values: pd.Series[float], threshold: float, direction: Direction) -> FloatArray:
    x = values.to_numpy(dtype=np.float64)
    return np.asarray(x >= threshold if direction == "at least" else x <= threshold, dtype=np.float64)


def _counts(data: pd.DataFrame, arm: str, alpha: float) -> pd.DataFrame:
    found = data.groupby(arm, observed=True)[_EVENT].agg(["count", "sum"])
    found.columns = ["n", "responders"]
    found["proportion"] = found["responders"] / found["n"]
    limits = [wilson(row["responders"], row["n"], alpha) for _, row in found.iterrows()]
    found["ci_low"], found["ci_high"] = zip(*limits, strict=True)
    found["responders"] = found["responders"].astype(int)
    found.index = pd.Index([str(each) for each in found.index], name=arm)
    return found


def _compare(counts: pd.DataFrame, alpha: float) -> pd.DataFrame:
    first, *others = counts.index
    events_0, n_0 = (int(counts.loc[first, name]) for name in ("responders", "n"))
    rows = {}
    for arm in others:
        events, n = (int(counts.loc[arm, name]) for name in ("responders", "n"))
        limits = newcombe(events, n, events_0, n_0, alpha)
        rows[f"{arm} - {first}"] = [events / n - events_0 / n_0, *limits, *fisher(events, n, events_0, n_0)]
    columns = ["risk_difference", "ci_low", "ci_high", "p", "mid_p"]
    return pd.DataFrame.from_dict(rows, orient="index", columns=columns).rename_axis("contrast")


def _efficiency(counts: pd.DataFrame) -> float:
    from scipy.special import ndtri

    p = float(counts["responders"].sum() / counts["n"].sum())
    if p in (0.0, 1.0):
        return 0.0
    return float(np.exp(-(ndtri(p) ** 2)) / (2 * np.pi) / (p * (1 - p)))
