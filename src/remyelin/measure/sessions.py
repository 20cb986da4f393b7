"""The days of a participant's visits, from `sessions.tsv`."""

from __future__ import annotations

import datetime as dt
import itertools
import math
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from remyelin.errors import InputError
from remyelin.files import read_tsv, relative

from .covariates import refuse_allocation

if TYPE_CHECKING:
    pass

DATE_COLUMNS = ("acq_time", "acq_date")
_MISSING = ("", "n/a")
_NUMBERED = re.compile(r"(\D*)(\d+)")
# Two clocks, or a day counted from midnight and one from noon, differ by less.
_SAME_DAY = 1.0


def read_days(path: Path, root: Path, visits: Sequence[str]) -> dict[str, float | None]:
    """The day of each visit.

    Parameters
    ----------
    path
        `sub-XX_sessions.tsv` with `session_id` and either `day` (days, taken as they stand) or a date in
        `acq_time` or `acq_date` (ISO 8601, `YYYY-MM-DD` with or without a time; days are counted from the
        first visit). It may be missing.
    visits
        The visits that have recordings.

    Returns
    -------
    Visit to day; None where no day is known.

    Raises
    ------
    InputError
        Dates that are not ISO (so that 08/07/2024 is not guessed at), a visit in two rows, a day that is not
        a number, `day` and date that disagree, numbered visits (M00, M06) out of the order of their numbers.
    RefuseRun
        If the table has a column that tells the allocation.
    """
    if not os.path.lexists(path):
        return dict.fromkeys(visits)
    file = relative(path, root)
    rows = read_tsv(path, root)
    columns = list(rows[0]) if rows else []
    refuse_allocation(columns, file)
    if rows and "session_id" not in columns:
        raise InputError(
            file, "columns", "without session_id", "a column session_id", "name the visits in it"
        )
    by_visit = _rows_of(rows, file)
    stated = {visit: _number(row.get("day", ""), file, visit) for visit, row in by_visit.items()}
    counted = _counted(by_visit, file)
    days = {v: stated[v] if stated[v] is not None else counted[v] for v in by_visit}
    _check_agreement(stated, counted, file)
    _check_order(days, file)
    return {visit: days.get(visit) for visit in visits}


def _rows_of(rows: Sequence[Mapping[str, str]], file: str) -> dict[str, Mapping[str, str]]:
    found: dict[str, Mapping[str, str]] = {}
    for line, row in enumerate(rows, start=2):
        visit = row["session_id"].strip().removeprefix("ses-")
        if visit in found:
            raise InputError(
                file, f"line {line}", f"a second row for {visit}", "one row a visit", "keep one of the two"
            )
        found[visit] = row
    return found


def _number(text: str, file: str, visit: str) -> float | None:
    if text.strip() in _MISSING:
        return None
    try:
        day = float(text)
    except ValueError:
        day = math.nan
    if not math.isfinite(day):
        raise InputError(
            file, f"day of {visit}", f"{text!r}", "a number of days", "write it with a decimal point"
        )
    return day


def _counted(rows: Mapping[str, Mapping[str, str]], file: str) -> dict[str, float | None]:
    dates = {visit: _date(row, file, visit) for visit, row in rows.items()}
    known = [date for date in dates.values() if date is not None]
    return {visit: None if date is None else float((date - min(known)).days) for visit, date in dates.items()}


def _date(row: Mapping[str, str], file: str, visit: str) -> dt.date | None:
    column = next((c for c in DATE_COLUMNS if row.get(c, "").strip() not in _MISSING), None)
    if column is None:
        return None
    text = row[column].strip()
    try:
        if not re.match(r"\d{4}-\d\d-\d\d", text):
            raise ValueError
        return dt.datetime.fromisoformat(text).date()
    except ValueError:
        found = "not an ISO date (day and month may be ambiguous)"
        expected = "a date written YYYY-MM-DD"
        fix = "write year, month, day, as in 2024-07-08"
        raise InputError(file, f"{column} of {visit}", found, expected, fix) from None


def _check_agreement(
    stated: Mapping[str, float | None], counted: Mapping[str, float | None], file: str
) -> None:
    gaps = [
        (visit, day - date)
        for visit in stated
        if (day := stated[visit]) is not None and (date := counted[visit]) is not None
    ]
    for visit, gap in gaps:
        if abs(gap - gaps[0][1]) > _SAME_DAY:
            found = f"{abs(gap - gaps[0][1]):g} days from what the dates say"
            raise InputError(
                file, f"day of {visit}", found, "the same as the dates", "correct one of the two"
            )


def _check_order(days: Mapping[str, float | None], file: str) -> None:
    """Visits that share a stem and a number (M00, M06) must follow one another as their numbers do."""
    numbered: dict[str, list[tuple[int, str, float]]] = {}
    for visit, day in days.items():
        match = _NUMBERED.fullmatch(visit)
        if match and day is not None:
            numbered.setdefault(match[1], []).append((int(match[2]), visit, day))
    for group in numbered.values():
        group.sort()
        for (_, early, first), (_, late, second) in itertools.pairwise(group):
            if second < first:
                found = f"{first - second:g} days before {early}"
                fix = "check the dates of the visits, or their names"
                raise InputError(file, f"date of {late}", found, f"{late} after {early}, in order", fix)
