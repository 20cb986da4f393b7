"""The rows of the measurements that an endpoint reads: its measure, its sites and one condition."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import pandas as pd

from remyelin.errors import RefuseRun, did_you_mean
from remyelin.protocol import Endpoint
from remyelin.tables import MEASURES, Measurements

PARTS = ("run", "hump", "sector", "half", "part")
"""Keys of conditions that hold a part of a value: one replicate, one hump, one sector, half the voxels."""


@dataclass(frozen=True, slots=True)
class EndpointRows:
    """What an endpoint reads.

    Attributes
    ----------
    condition
        Under which its values stand; empty for none.
    plain
        One row a participant, visit and site. Where the measure is a change itself, the rows of the first
        visit are those of the measure that changes.
    halves
        The same value from each half of what was measured, where cross-fitting left them.
    offset
        Where the measure is a change itself, its rows at the endpoint's first visit: there are some where it
        was measured against an earlier one. Else None.
    """

    condition: str
    plain: pd.DataFrame
    halves: tuple[pd.DataFrame, pd.DataFrame]
    offset: pd.DataFrame | None = None


def endpoint_rows(measurements: Measurements, endpoint: Endpoint) -> EndpointRows:
    """The rows of an endpoint.

    Those under the condition that the endpoint names. If it names none: the rows without a condition; where
    there are none, those of the only condition that is a whole (no single run, hump, sector, half or part).

    Raises
    ------
    RefuseRun
        Where the measurements do not have the measure, the site, the condition or a visit of the endpoint.

    Examples
    --------
    >>> from remyelin.protocol import Protocol
    >>> rows = [{"participant_id": "sub-01", "visit": visit, "site": "eye:OD", "measure": "p100_latency_ms",
    ...          "condition": condition, "value": 120.0, "unit": "ms"} for visit in ("W00", "W26")
    ...         for condition in ("check=60;reader=auto", "check=60;reader=auto;run=1")]
    >>> found = endpoint_rows(Measurements.from_rows(rows), Protocol.read("ccmr-two").primary)
    >>> found.condition, len(found.plain)
    ('check=60;reader=auto', 2)
    """
    own = _measured(measurements, endpoint, endpoint.measure)
    condition = _condition(own, endpoint)
    plain = _under(own, condition)
    first, *later = endpoint.visits
    changing = MEASURES[endpoint.measure].change_of
    offset = None
    if changing:
        start = _under(_measured(measurements, endpoint, changing), condition)
        _check_visits(start, endpoint, changing, (first,))
        _check_visits(plain, endpoint, endpoint.measure, later)
        offset, after = plain[plain["visit"] == first], plain[plain["visit"] != first]
        plain = pd.concat([start[start["visit"] == first], after], ignore_index=True)
    else:
        _check_visits(plain, endpoint, endpoint.measure, endpoint.visits)
    halves = (_under(own, joined(condition, "half=a")), _under(own, joined(condition, "half=b")))
    return EndpointRows(condition, plain, halves, offset)


def joined(*conditions: str) -> str:
    """One condition of several, its keys in order.

    Examples
    --------
    >>> joined("reader=auto;check=60", ""), joined("", "half=a")
    ('check=60;reader=auto', 'half=a')
    """
    return ";".join(sorted(part for condition in conditions for part in condition.split(";") if part))


def _measured(measurements: Measurements, endpoint: Endpoint, measure: str) -> pd.DataFrame:
    where = f"endpoint '{endpoint.id}'"
    measured = sorted(set(measurements.frame["measure"]))
    if measure not in measured:
        raise RefuseRun(
            "", f"{where} measure", f"{measure}, which was not measured",
            "a measure of these measurements", did_you_mean(measure, measured),
        )  # fmt: skip
    own = measurements.select(measure=measure, site=endpoint.site).frame
    if own.empty:
        given = "lesion masks were given" if endpoint.site == "lesion" else "they were recorded"
        raise RefuseRun(
            "", f"{where} site", f"{measure} was not measured at any {endpoint.site}",
            "sites of that kind", f"check that {given}, or correct the site in the protocol",
        )  # fmt: skip
    return own


def _under(rows: pd.DataFrame, condition: str) -> pd.DataFrame:
    """The rows under a condition, in whichever order its keys were written."""
    alike = [word for word in rows["condition"].unique() if joined(word) == condition]
    return rows[rows["condition"].isin(alike)]


def _condition(rows: pd.DataFrame, endpoint: Endpoint) -> str:
    known = sorted({joined(word) for word in rows["condition"].unique()})
    wanted = joined(endpoint.condition)
    if wanted and wanted not in known:
        raise RefuseRun(
            "", f"endpoint '{endpoint.id}' condition", f"'{wanted}', under which nothing was measured",
            f"a condition of {endpoint.measure}: {_listed(known)}", did_you_mean(wanted, known),
        )  # fmt: skip
    if wanted or "" in known:
        return wanted
    whole = [word for word in known if not any(part.partition("=")[0] in PARTS for part in word.split(";"))]
    if len(whole) == 1:
        return whole[0]
    raise RefuseRun(
        "", f"endpoint '{endpoint.id}' condition",
        f"not given, and {endpoint.measure} stands only under the conditions {_listed(known)}",
        "one value a visit and site", f'name the one to analyse: condition = "{(whole or known)[0]}"',
    )  # fmt: skip


def _listed(conditions: list[str]) -> str:
    named = [word or "none" for word in conditions[:6]]
    return ", ".join(named) + (", ..." if len(conditions) > 6 else "")


def _check_visits(rows: pd.DataFrame, endpoint: Endpoint, measure: str, visits: Iterable[str]) -> None:
    seen = sorted(set(rows["visit"]))
    for visit in visits:
        if visit not in seen:
            found = f"{visit}, but no participant was measured at {visit}"
            raise RefuseRun(
                "", f"endpoint '{endpoint.id}' visits", found,
                f"{measure} at that visit", did_you_mean(visit, seen),
            )  # fmt: skip
