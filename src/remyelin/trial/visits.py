"""The days of the visits, against the protocol."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from remyelin.errors import Flag
from remyelin.protocol import Protocol


def visit_doubts(
    rows: pd.DataFrame, protocol: Protocol, visits: Sequence[str]
) -> tuple[tuple[Flag, ...], dict[str, str], dict[str, str]]:
    """Check the days of each participant's visits.

    Parameters
    ----------
    rows
        Measurements of one measure: `participant_id, visit, day`.
    protocol
        Planned days and windows; days are counted from the participant's own baseline.
    visits
        Baseline first.

    Returns
    -------
    flags, outside, impossible
        A flag each; and by participant what is wrong: a visit outside its window, or a follow-up that does
        not come after the baseline, so that the sign of a change would be reversed.
    """
    days = rows.drop_duplicates(["participant_id", "visit"]).pivot(
        index="participant_id", columns="visit", values="day"
    )
    measured = set(rows[["participant_id", "visit"]].itertuples(index=False, name=None))
    planned = {visit.id: visit for visit in protocol.visit}
    flags: list[Flag] = []
    outside: dict[str, str] = {}
    impossible: dict[str, str] = {}
    first = planned[visits[0]]
    for name in visits[1:]:
        if name not in days or visits[0] not in days:
            continue
        window = planned[name].window_days
        for person, start, day in days[[visits[0], name]].itertuples():
            elapsed, wanted = day - start, planned[name].day - first.day
            if elapsed <= 0:
                found = f"{person}: {name} on day {day:g}, not after {visits[0]} on day {start:g}"
                flags.append(
                    _flag(
                        person,
                        f"{name} day",
                        found,
                        "a follow-up after the baseline",
                        "check the dates",
                        "fail",
                    )
                )
                impossible[person] = f"{name} not after {visits[0]}: check the visit dates"
            elif window is None or not {(person, visits[0]), (person, name)} <= measured:
                continue
            elif np.isnan(elapsed):
                found = f"{person}: no day for {visits[0]} or {name}"
                fix = "give the days in sessions.tsv, so that the window can be checked"
                flags.append(_flag(person, f"{name} day", found, "the day of each visit", fix))
            elif not window[0] <= elapsed - wanted <= window[1]:
                found = f"{person}: {name} on day {elapsed:g} after {visits[0]}"
                expected = f"the window, day {wanted + window[0]:g} to {wanted + window[1]:g}"
                flags.append(
                    _flag(
                        person,
                        f"{name} day",
                        found,
                        expected,
                        "check the date; if it is right, a protocol deviation",
                    )
                )
                outside[person] = (
                    f"{name} on day {elapsed:g}, outside its window ({expected.partition(', ')[2]})"
                )
    return tuple(flags), outside, impossible


def second_baseline(rows: pd.DataFrame, protocol: Protocol, first: str) -> str:
    """The visit that measured the baseline a second time before treatment; empty if there is none.

    A visit of the protocol before `first`, or one that is not in it on the days of `first` or before:
    whichever most participants have.
    """
    days = rows.groupby("visit")["day"].median()
    start = days.get(first, np.nan)
    planned = {visit.id: visit.day for visit in protocol.visit}
    before = [
        str(visit)
        for visit, day in days.items()
        if visit != first and (planned[str(visit)] < planned[first] if visit in planned else day <= start)
    ]
    count = rows.groupby("visit")["participant_id"].nunique()
    return max(before, key=lambda visit: (count[visit], visit), default="")


def _flag(person: str, field: str, found: str, expected: str, fix: str, quality: str = "flag") -> Flag:
    return Flag(f"{person}/{person}_sessions.tsv", field, found, expected, fix, quality)
