"""Rows of a table as subjects and visits: their order, and what makes them unfit."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from remyelin.errors import InputError
from remyelin.trial.formula import parse

IntArray = npt.NDArray[np.int64]


def observed(formula: str, data: pd.DataFrame, subject: str, visit: str) -> tuple[pd.DataFrame, int]:
    """The rows that have a response, the visit as ordered categories; how many had none.

    Raises
    ------
    InputError
        For columns that are not there, a visit that a subject has twice, a response that nobody has.
    """
    response = parse(formula)[0]
    for name in (response, subject, visit):
        if name not in data.columns:
            known = ", ".join(str(each) for each in data.columns)
            raise InputError(
                "", name, f"not a column of the data, which has {known}", "the column of the analysis",
                "add the column, or name another",
            )  # fmt: skip
    for name in (subject, visit):
        if data[name].isna().any():
            row = int(np.flatnonzero(data[name].isna())[0]) + 1
            raise InputError("", name, f"missing in row {row}", "a value in every row", "complete the column")
    _once(data, subject, visit)
    kept = data[~data[response].isna()].copy()
    if kept.empty:
        raise InputError(
            "",
            response,
            "missing in every row",
            "responses",
            "measure a follow-up visit first: nobody has one",
        )
    kept[visit] = _ordered(kept[visit])
    if len(kept[visit].cat.categories) < 2:
        raise InputError(
            "", visit, f"the same in all rows with a response ({kept[visit].iloc[0]})", "two visits or more",
            "use ancova: with one visit there is no covariance between visits",
        )  # fmt: skip
    return kept, len(data) - len(kept)


def _once(data: pd.DataFrame, subject: str, visit: str) -> None:
    again = data.duplicated([subject, visit]).to_numpy()
    if again.any():
        row = int(np.flatnonzero(again)[0])
        who, when = data[subject].iloc[row], data[visit].iloc[row]
        raise InputError(
            "", visit, f"{when} a second time for subject {who} (row {row + 1})",
            f"one row for each {subject} and {visit}",
            "leave out or average the repeated rows; give subjects of different sites different names",
        )  # fmt: skip


def check_arm(data: pd.DataFrame, subject: str, arm: str) -> None:
    """Refuse a subject who is in two arms.

    Raises
    ------
    InputError
        Naming the subject and the arms.
    """
    several = data.groupby(subject, observed=True)[arm].nunique() > 1
    if several.any():
        who = several.index[several.to_numpy()][0]
        arms = " and ".join(sorted({str(each) for each in data.loc[data[subject] == who, arm]}))
        raise InputError(
            "", arm, f"{arms} for the same subject {who}", "one arm for each subject",
            "correct the allocation, give subjects of different sites different names, or use crossover",
        )  # fmt: skip


def _ordered(column: pd.Series[Any]) -> Any:
    """In the order of the categories, else sorted; visits without a response are no level."""
    if isinstance(column.dtype, pd.CategoricalDtype):
        levels = list(pd.Categorical(column).remove_unused_categories().categories)
    else:
        levels = sorted(column.unique())
    return pd.Categorical(column.astype(str), categories=[str(each) for each in levels])


def check_pairs(person: IntArray, visit: IntArray, names: list[str], lags: bool) -> None:
    """Refuse visits whose covariance no subject shows.

    Parameters
    ----------
    person, visit
        (row,) codes.
    names
        Of the visits.
    lags
        Whether only the distance of two visits matters.

    Raises
    ------
    InputError
        Naming the two visits that fewer than two subjects have both.
    """
    seen = np.zeros((person.max() + 1, len(names)))
    seen[person, visit] = 1
    both = seen.T @ seen
    for a in range(len(names)):
        for b in range(a + 1, len(names)):
            count = np.trace(both, offset=b - a) if lags else both[a, b]
            if count < 2:
                raise InputError(
                    "", "visit", f"without subjects that have both {names[a]} and {names[b]} ({count:g})",
                    "enough subjects with both to estimate their covariance",
                    f"leave {names[b]} out, join it with another visit, or choose a simpler covariance "
                    "(compound-symmetry, ar1)",
                )  # fmt: skip


def fewest(person: IntArray, visit: IntArray, names: list[str]) -> str:
    """The pair of visits that fewest subjects have both, in words."""
    seen = np.zeros((person.max() + 1, len(names)))
    seen[person, visit] = 1
    both = seen.T @ seen + np.where(np.eye(len(names)) > 0, np.inf, 0)
    a, b = np.unravel_index(int(np.argmin(both)), both.shape)
    return f"{names[a]} and {names[b]} ({both[a, b]:g} subjects have both)"
