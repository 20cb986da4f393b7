"""A trial as a matrix: a row a participant, a column a visit, and what is missing in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from remyelin.errors import InputError, did_you_mean
from remyelin.trial.design import Design, FloatArray, build
from remyelin.trial.means import differences

IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Panel:
    """Values `Y` (participant, visit), NaN where missing, and the design of arm and covariates.

    `last` (participant,) counts the visits up to the last one with a value: missing values before it are
    intermittent, those after it follow the withdrawal. `own` and `referenced` (participant, coefficient) are
    the design rows of the participant's arm and of the reference arm; `contrasts` names and rows of the
    differences of the arms from it.
    """

    subject: str
    visit: str
    value: str
    arm: str
    covariates: tuple[str, ...]
    subjects: tuple[str, ...]
    visits: tuple[str, ...]
    arms: tuple[str, ...]
    Y: FloatArray = field(repr=False)
    last: IntArray = field(repr=False)
    arm_code: IntArray = field(repr=False)
    design: Design = field(repr=False)
    own: FloatArray = field(repr=False)
    referenced: FloatArray = field(repr=False)
    contrasts: tuple[tuple[str, ...], FloatArray] = field(repr=False)

    @property
    def after(self) -> npt.NDArray[np.bool_]:
        """(participant, visit) whether the visit lies behind the last one with a value."""
        return np.arange(len(self.visits)) >= self.last[:, None]

    @property
    def intermittent(self) -> npt.NDArray[np.bool_]:
        """(participant, visit) whether a value is missing that was followed by another."""
        return np.isnan(self.Y) & ~self.after

    def missing(self) -> pd.DataFrame:
        """How much is missing: a row an arm; ``participants, complete, intermittent, withdrawn, never_seen``.

        `intermittent` counts values, the others participants.
        """
        rows = []
        for code in range(len(self.arms)):
            own = self.arm_code == code
            last = self.last[own]
            rows.append(
                {
                    "participants": int(own.sum()),
                    "complete": int((~np.isnan(self.Y[own])).all(axis=1).sum()),
                    "intermittent": int(self.intermittent[own].sum()),
                    "withdrawn": int(((last < len(self.visits)) & (last > 0)).sum()),
                    "never_seen": int((last == 0).sum()),
                }
            )
        return pd.DataFrame(rows, index=pd.Index(self.arms, name=self.arm))

    def long(self, values: FloatArray) -> pd.DataFrame:
        """Completed values, a row a participant and visit, and whether each was imputed."""
        n, visits = self.Y.shape
        people = self.design.data.drop(columns=self.value).loc[np.repeat(np.arange(n), visits)]
        frame = people.reset_index(drop=True)
        frame.insert(0, self.subject, np.repeat(np.array(self.subjects, dtype=object), visits))
        when = pd.Categorical(list(self.visits) * n, categories=list(self.visits))
        frame.insert(1, self.visit, pd.Series(when))
        frame[self.value] = values.ravel()
        return frame.assign(imputed=np.isnan(self.Y).ravel())


def read_panel(
    data: pd.DataFrame,
    *,
    subject: str,
    visit: str,
    value: str,
    arm: str,
    covariates: Sequence[str],
    reference: str | None,
) -> Panel:
    """Check and arrange a long table; its arguments are those of `impute`.

    Raises
    ------
    InputError
        As `impute` does.
    """
    frame = data.reset_index(drop=True)
    for name in (subject, visit, value, arm, *covariates):
        if name not in frame.columns:
            known = [str(each) for each in frame.columns]
            raise InputError(
                "", name, f"not a column of the data, which has {', '.join(known)}", "a column",
                did_you_mean(name, known),
            )  # fmt: skip
    for name in (subject, visit, arm):
        if frame[name].isna().any():
            row = int(np.flatnonzero(frame[name].isna())[0]) + 1
            raise InputError("", name, f"missing in row {row}", "a value in every row", "complete the column")
    again = frame.duplicated([subject, visit]).to_numpy()
    if again.any():
        twice = frame[again].iloc[0]
        raise InputError(
            "", visit, f"{twice[visit]} a second time for {twice[subject]}",
            "one row a participant and visit",
            "leave out or average the repeated rows",
        )  # fmt: skip
    _check_constant(frame, subject, (arm, *covariates))
    visits = _levels(frame[visit])
    people = frame.drop_duplicates(subject).reset_index(drop=True)
    names = [str(each) for each in people[subject]]
    wide = _wide(frame, subject, visit, value, names, visits)
    terms = " + ".join((arm, *covariates))
    once = people[[arm, *covariates]].assign(**{value: 0.0})
    design = build(f"{value} ~ {terms}", once, arm, reference)
    arms = tuple(str(each) for each in design.data[arm].cat.categories)
    referenced = design.X.copy()
    referenced[:, [design.names.index(f"{arm}[T.{each}]") for each in arms[1:]]] = 0.0
    names_of, rows = differences(design, arm)
    seen = ~np.isnan(wide)
    last = np.where(seen.any(axis=1), len(visits) - np.argmax(seen[:, ::-1], axis=1), 0)
    return Panel(
        *(subject, visit, value, arm, tuple(covariates), tuple(names), tuple(visits), arms),
        Y=wide,
        last=last.astype(np.int64),
        arm_code=design.data[arm].cat.codes.to_numpy().astype(np.int64),
        design=design,
        own=design.X,
        referenced=referenced,
        contrasts=(tuple(str(each) for each in names_of), rows),
    )


def _check_constant(frame: pd.DataFrame, subject: str, columns: Sequence[str]) -> None:
    for name in columns:
        kinds = frame.groupby(subject, sort=False)[name].nunique(dropna=False)
        if (kinds > 1).any():
            who = kinds.index[int(np.argmax(kinds.to_numpy() > 1))]
            raise InputError(
                "", name, f"not the same in all rows of {who}", "one value a participant",
                "repeat the baseline value in every row of the participant",
            )  # fmt: skip


def _levels(column: pd.Series[Any]) -> list[str]:
    """Visits in the order of the categories, else sorted, numbers as numbers."""
    if isinstance(column.dtype, pd.CategoricalDtype):
        return [str(each) for each in pd.Categorical(column).remove_unused_categories().categories]
    return [str(each) for each in sorted(column.unique())]


def _wide(
    frame: pd.DataFrame, subject: str, visit: str, value: str, names: list[str], visits: list[str]
) -> FloatArray:
    try:
        values = frame[value].to_numpy(dtype=np.float64, na_value=np.nan)
    except (TypeError, ValueError):
        raise InputError("", value, "text or categories", "numbers", "give decimal numbers") from None
    if np.isinf(values).any():
        row = int(np.flatnonzero(np.isinf(values))[0]) + 1
        raise InputError(
            "", value, f"infinite in row {row}", "finite numbers, or nothing where missing", "correct it"
        )
    person = {name: i for i, name in enumerate(names)}
    when = {name: j for j, name in enumerate(visits)}
    wide = np.full((len(names), len(visits)), np.nan)
    rows = [person[str(each)] for each in frame[subject]]
    wide[rows, [when[str(each)] for each in frame[visit]]] = values
    empty = np.isnan(wide).all(axis=0)
    if empty.any():
        raise InputError(
            "", visit, f"{visits[int(np.argmax(empty))]} without any value", "values at every visit",
            "leave out the visit that nobody had",
        )  # fmt: skip
    return wide
