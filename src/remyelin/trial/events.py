"""Intercurrent events with a day: under a hypothetical strategy what was measured later is missing."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from remyelin.errors import RefuseRun, did_you_mean
from remyelin.protocol import Endpoint, Protocol
from remyelin.tables import Measurements


@dataclass(frozen=True, slots=True)
class Kept:
    """Measurements of an endpoint without what came after an event, and how many participants that concerns.

    `after` counts by event the participants who have values after it.
    """

    measurements: Measurements
    after: dict[str, int]


def before_events(
    measurements: Measurements, protocol: Protocol, endpoint: Endpoint, covariates: pd.DataFrame | None
) -> Kept:
    """Values of the endpoint's later visits after a hypothetical event become missing.

    The day of a visit is that of the measurements, or where there is none, that of the protocol.

    Raises
    ------
    RefuseRun
        For a column of days that is not in participants.tsv, or holds something else.
    """
    estimand = endpoint.estimand
    columns = {} if estimand is None else estimand.event_days
    columns = {
        event: column
        for event, column in columns.items()
        if estimand is not None and estimand.intercurrent[event] == "hypothetical"
    }
    if not columns:
        return Kept(measurements, {})
    frame = measurements.frame
    planned = {visit.id: visit.day for visit in protocol.visit}
    day = frame["day"].fillna(frame["visit"].map(planned)).astype(float)
    later = frame["visit"].isin(endpoint.visits[1:]) & (frame["measure"] == endpoint.measure)
    later &= frame["value"].notna()
    counts = {}
    for event, column in columns.items():
        happened = frame["participant_id"].map(_days(column, covariates))
        gone = later & (day > happened)
        counts[event] = int(frame.loc[gone, "participant_id"].nunique())
        frame = frame.assign(
            value=frame["value"].mask(gone),
            se=frame["se"].mask(gone),
            state=frame["state"].mask(gone, "missing"),
            reason=frame["reason"].mask(gone, f"after the event: {event}"),
        )
    return Kept(Measurements(frame), counts)


def _days(column: str, covariates: pd.DataFrame | None) -> pd.Series[float]:
    """(participant,) the day of the event; without those in whom it did not happen."""
    table = pd.DataFrame({"participant_id": []}, dtype=str) if covariates is None else covariates
    if column not in table:
        known = [str(each) for each in table.columns if each != "participant_id"]
        raise RefuseRun(
            "participants.tsv", column, "not a column", "the day of the event, which event_days names",
            did_you_mean(column, known) if known else f"add {column} to participants.tsv",
        )  # fmt: skip
    cells = table.set_index("participant_id")[column]
    cells = cells[cells.notna() & ~cells.isin(["n/a", ""])]
    days = pd.to_numeric(cells, errors="coerce")
    if days.isna().any():
        who = days.index[days.isna()][0]
        raise RefuseRun(
            "participants.tsv", column, f"'{cells[who]}' for {who}", "a day, counted as in sessions.tsv",
            "write a number, or n/a where it did not happen",
        )  # fmt: skip
    return days.astype(float)
