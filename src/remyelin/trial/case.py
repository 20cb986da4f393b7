"""An endpoint of a study: its rows with arm and covariates, who is in which set, rows of the results."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from remyelin.errors import Flag
from remyelin.protocol import Endpoint, Protocol
from remyelin.tables import MEASURES, Measurements
from remyelin.trial.events import before_events
from remyelin.trial.fits import Fitted
from remyelin.trial.formula import parse
from remyelin.trial.long import Long, long_rows
from remyelin.trial.people import covariates_of, join
from remyelin.trial.sets import members
from remyelin.trial.siblings import Slope

ResultRow = dict[str, Any]
"""One row of `remyelin.tables.Results`."""


@dataclass(frozen=True, slots=True)
class Study:
    """What all endpoints of an analysis share."""

    measurements: Measurements
    protocol: Protocol
    allocation: pd.DataFrame
    covariates: pd.DataFrame | None
    slope: Slope | None


@dataclass(frozen=True, slots=True)
class Case:
    """The rows of an endpoint, who is in which set, and in how many values after an event are missing."""

    endpoint: Endpoint
    long: Long
    people: pd.DataFrame
    rows: pd.DataFrame
    members: pd.DataFrame
    after: Mapping[str, int]

    def of(self, name: str) -> pd.DataFrame:
        """The rows of an analysis set."""
        return self.rows[self.rows["participant_id"].isin(self.ids(name))].reset_index(drop=True)

    def ids(self, name: str) -> list[str]:
        """The participants of an analysis set."""
        return [str(each) for each in self.members.index[self.members[name]]]

    @property
    def own(self) -> pd.DataFrame:
        """The rows of the prespecified set."""
        return self.of(self.endpoint.own_set)


def case_of(
    study: Study, endpoint: Endpoint, *, keep_failed: bool = False, keep_events: bool = False
) -> tuple[Case, tuple[Flag, ...]]:
    """Put the rows of an endpoint together; with what is doubtful about them.

    With `keep_failed` values of quality fail stay, with `keep_events` those after a hypothetical event.
    """
    kept = before_events(study.measurements, study.protocol, endpoint, study.covariates)
    measured = study.measurements if keep_events else kept.measurements
    long = long_rows(measured, study.protocol, endpoint, keep_failed=keep_failed)
    people, flags = join(long.changes, study.allocation, study.covariates)
    rows = _usable(long, people, study.protocol)
    found, doubts = members(long, rows, people, study.protocol, study.covariates)
    return Case(endpoint, long, people, rows, found, kept.after), (*long.flags, *flags, *doubts)


def _usable(long: Long, people: pd.DataFrame, protocol: Protocol) -> pd.DataFrame:
    """The rows that have all the formula names, with arm, treatment and covariates."""
    endpoint = long.changes.endpoint
    response, _, columns, _ = parse(endpoint.formula)
    known = people.loc[people["usable"], ["participant_id", "arm", *covariates_of(endpoint)]]
    rows = long.rows.merge(known, on="participant_id", how="inner")
    rows = rows[rows[response].notna()]
    for name in {"baseline", "baseline_mean"} & set(columns):
        rows = rows[rows[name].notna()]
    if long.layout == "period":
        given = {
            (arm.id, period.id): arm.sequence[k]
            for arm in protocol.arm
            for k, period in enumerate(protocol.period)
        }
        rows = rows.assign(
            sequence=rows["arm"],
            treatment=[given[key] for key in zip(rows["arm"], rows["period"].astype(str), strict=True)],
        ).drop(columns="arm")
    return rows.reset_index(drop=True)


def result_rows(
    case: Case, name: str, fitted: Fitted, *, prespecified: bool = False, analysis_set: str | None = None
) -> list[ResultRow]:
    """One row a contrast."""
    endpoint = case.endpoint
    return [
        {
            "endpoint": name,
            "contrast": str(contrast),
            **numbers(row),
            "unit": MEASURES[endpoint.measure].unit,
            "n_participants": fitted.n_participants,
            "n_sites": fitted.n_sites,
            "analysis_set": analysis_set or endpoint.own_set,
            "estimator": fitted.estimator,
            "prespecified": prespecified,
        }
        for contrast, row in fitted.contrasts.iterrows()
    ]


def numbers(row: pd.Series[Any]) -> ResultRow:
    """A row of a t table under the names of the results."""
    kept = {column: float(row[column]) for column in ("estimate", "se", "df", "p", "ci_low", "ci_high")}
    return kept | {"statistic": float(row["t"])}
