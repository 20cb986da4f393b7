"""Who is who in a crossover: the columns, and what makes a table unfit for one."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from remyelin.errors import InputError


@dataclass(frozen=True, slots=True)
class Roles:
    """The columns of a crossover; `sequence` is derived from the treatments where the table has none."""

    treatment: str
    period: str
    sequence: str
    participant: str
    eye: str | None

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that the table must have."""
        named = (self.treatment, self.period, self.participant, self.eye)
        return tuple(name for name in named if name is not None)


def check_rows(data: pd.DataFrame, roles: Roles, *, first_only: bool = False) -> pd.DataFrame:
    """A copy with the period and the sequence as categories, in order; what cannot be a crossover is refused.

    With `first_only` the second period may be missing.

    Raises
    ------
    InputError
        For a column that is missing or incomplete, differing units, other than two treatments, periods,
        sequences or eyes, a participant with one treatment in both periods or two in one, a sequence that
        contradicts the treatments, and a row that is there twice.
    """
    _check_columns(data, roles)
    frame = data.reset_index(drop=True).copy()
    frame[roles.period] = ordered(frame[roles.period])
    _check_levels(frame, roles, first_only)
    _check_twice(frame, roles)
    first = _first_treatment(frame, roles)
    frame[roles.sequence] = _sequence(frame, roles, first)
    if not first_only and not _both_periods(frame, roles):
        raise InputError(
            "", roles.period, "never seen twice in one participant", "participants with both periods",
            "link the two periods of a participant by one identifier, or take estimand='first-period'",
        )  # fmt: skip
    return frame


def ordered(column: pd.Series[Any]) -> Any:
    """Categories as text in the order of the numbers, of the categories, or of the alphabet."""
    if isinstance(column.dtype, pd.CategoricalDtype):
        used = set(column)
        levels: list[Any] = [each for each in column.cat.categories if each in used]
    else:
        levels = sorted(set(column))
    names = {each: f"{each:g}" if isinstance(each, float) else str(each) for each in levels}
    return pd.Categorical([names[each] for each in column], categories=[names[each] for each in levels])


def _check_columns(data: pd.DataFrame, roles: Roles) -> None:
    known = ", ".join(str(each) for each in data.columns)
    for name in roles.columns:
        if name not in data.columns:
            raise InputError(
                "", name, f"not a column of the data, which has {known}",
                "columns of treatment, period, participant and, where both are measured, eye",
                "add the column, or name another",
            )  # fmt: skip
    for name in (*roles.columns, *({roles.sequence} & set(data.columns))):
        missing = data[name].isna().to_numpy()
        if missing.any():
            where = f"missing in {int(missing.sum())} of {len(data)} rows (first: row {missing.argmax() + 1})"
            raise InputError(
                "", name, where, "a value in every row",
                "complete the column, or leave those rows out and say so",
            )  # fmt: skip
    if "unit" in data.columns and data["unit"].nunique() > 1:
        found = " and ".join(sorted(str(each) for each in data["unit"].unique()))
        raise InputError("", "unit", found, "one unit in every row", "convert the values to one unit first")


def _check_levels(frame: pd.DataFrame, roles: Roles, first_only: bool) -> None:
    treatments = _named(frame[roles.treatment])
    if len(treatments) != 2:
        raise InputError(
            "", roles.treatment, f"{len(treatments)} treatments ({', '.join(treatments)})",
            "exactly two in a 2 x 2 crossover", "correct unknown treatments, or compare two at a time",
        )  # fmt: skip
    periods = _named(frame[roles.period])
    if len(periods) == 1 and not first_only:
        raise InputError(
            "", roles.period, f"only {periods[0]}: the second period is missing", "two periods",
            "measure the second period, or take estimand='first-period', which compares participants",
        )  # fmt: skip
    if len(periods) > 2:
        raise InputError(
            "", roles.period, f"{len(periods)} periods ({', '.join(periods)})", "exactly two",
            "keep one visit of each of the two periods, as the last",
        )  # fmt: skip
    if roles.eye is not None:
        eyes = _named(frame[roles.eye])
        if len(eyes) > 2:
            raise InputError(
                "", roles.eye, f"{len(eyes)} values ({', '.join(eyes[:6])})", "two: one for each eye",
                "name the side, as OD and OS, not the eye of a participant",
            )  # fmt: skip


def _check_twice(frame: pd.DataFrame, roles: Roles) -> None:
    keys = [name for name in (roles.participant, roles.eye, roles.period) if name is not None]
    again = frame.duplicated(keys)
    if again.any():
        row = frame[again].iloc[0]
        fix = "keep one row" if roles.eye else "name the column of the eye (eye=...), or keep one row"
        raise InputError(
            "", ", ".join(keys), f"{', '.join(str(row[key]) for key in keys)} more than once",
            "each combination once", fix,
        )  # fmt: skip


def _first_treatment(frame: pd.DataFrame, roles: Roles) -> pd.Series[Any]:
    """(row,) the treatment that the participant has, or would have had, in the first period."""
    treatments = _named(frame[roles.treatment])
    other = dict(zip(treatments, reversed(treatments), strict=True))
    begins = frame[roles.period].cat.codes == 0
    given = frame[roles.treatment].astype(str)
    first = given.where(begins, given.map(other))
    people = frame[roles.participant]
    mixed = first.groupby(people).nunique() > 1
    if mixed.any():
        who = mixed.idxmax()
        rows = frame[people == who]
        per_period = rows.groupby(roles.period, observed=True)[roles.treatment].nunique()
        one = (
            "two treatments in one period" if (per_period > 1).any() else "the same treatment in both periods"
        )
        raise InputError(
            "", roles.treatment, f"{one} for participant {who}", "one treatment a period, and both",
            "correct the treatment, or leave the participant out and say so",
        )  # fmt: skip
    return first


def _sequence(frame: pd.DataFrame, roles: Roles, first: pd.Series[Any]) -> Any:
    started = _named(first)
    if len(started) < 2:
        raise InputError(
            "", roles.sequence, f"only {started[0]} first", "both sequences",
            "add the participants of the other sequence: treatment and period cannot be told apart without",
        )  # fmt: skip
    if roles.sequence not in frame.columns:
        return pd.Categorical(first + "-first", categories=[f"{each}-first" for each in started])
    pairs = pd.DataFrame(
        {"label": frame[roles.sequence].astype(str), "first": first, "who": frame[roles.participant]}
    )
    usual = pairs.groupby("label")["first"].agg(lambda each: each.mode().iloc[0])
    odd = pairs["label"].map(usual) != pairs["first"]
    if odd.any() or usual.nunique() != len(usual):
        who = (pairs[odd] if odd.any() else pairs)["who"].iloc[0]
        raise InputError(
            "", roles.sequence, f"in contradiction to the treatments of participant {who}",
            "one name for each order of the treatments", "correct the sequence, the period or the treatment",
        )  # fmt: skip
    return ordered(frame[roles.sequence])


def _both_periods(frame: pd.DataFrame, roles: Roles) -> bool:
    return bool((frame.groupby(roles.participant)[roles.period].nunique() == 2).any())


def _named(values: Sequence[Hashable] | pd.Series[Any]) -> list[str]:
    return sorted({str(each) for each in values})
