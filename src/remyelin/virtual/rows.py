"""The rows that a model of sites, visits or periods is fitted to, made from arrays and not from tables."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from remyelin.protocol import Endpoint, Protocol
from remyelin.tables import MEASURES
from remyelin.trial.formula import parse
from remyelin.trial.long import Layout, layout_of
from remyelin.trial.people import covariates_of
from remyelin.trial.regression import average, below_median

from .cohort import Cohort
from .instruments import Readings

FloatArray = npt.NDArray[np.float64]
WEIGHTED = "participant-precision-weighted-change"


def values_of(cohort: Cohort, endpoint: Endpoint) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Baseline (trial * participant, site); later values, changes and error variances (..., later visit)."""
    readings = {each.measure: each for each in cohort.readings}
    visits = [visit.id for visit in cohort.patients.protocol.visit]
    first, *later = (visits.index(name) for name in endpoint.visits)
    own = readings[endpoint.measure]
    start = readings[MEASURES[endpoint.measure].change_of or endpoint.measure]
    baseline = _flat(start, start.usable)[..., first]
    follow_up = _flat(own, own.usable)[..., later]
    variance = _flat(own, own.se)[..., later] ** 2
    if start is not own:  # the value is the change itself
        return baseline, baseline[..., None] + follow_up, follow_up, variance
    variance = variance + _flat(own, own.se)[..., [first]] ** 2
    return baseline, follow_up, follow_up - baseline[..., None], variance


def participant_means(
    cohort: Cohort, endpoint: Endpoint
) -> tuple[FloatArray, FloatArray, npt.NDArray[np.int64]]:
    """Baseline and change of each participant over the sites that count, and how many did.

    (trial, participant, later visit) each; the baseline is that of the sites whose change counts.
    """
    baseline, _, change, variance = values_of(cohort, endpoint)
    picked = _picked(baseline, endpoint)
    shape = cohort.patients.people.arm.shape
    level, mean, n = (np.full((len(baseline), change.shape[2]), np.nan) for _ in range(3))
    for k in range(change.shape[2]):
        used = picked & np.isfinite(change[..., k])
        weight = used.astype(np.float64)
        if endpoint.summary == WEIGHTED:
            known = used & (variance[..., k] > 0)
            weight = np.where(known, 1 / np.where(known, variance[..., k], 1.0), 0.0)
        mean[:, k] = average(change[..., k], used, weight)
        level[:, k] = average(baseline, used & np.isfinite(baseline), weight)
        n[:, k] = used.sum(axis=1)
    return level.reshape(*shape, -1), mean.reshape(*shape, -1), n.reshape(*shape, -1).astype(np.int64)


def all_rows(cohort: Cohort, endpoint: Endpoint) -> pd.DataFrame:
    """Rows of every trial as `remyelin.trial.case.case_of` makes them of one, with the column `trial`."""
    protocol = cohort.patients.protocol
    layout = layout_of(endpoint, protocol.trial.design)
    rows = _sites(cohort, endpoint) if endpoint.of_sites else _visits(cohort, endpoint, layout)
    rows = rows[rows["change"].notna() | rows["value"].notna()]
    if layout in ("site", "participant"):
        rows = rows.drop(columns="visit")
    rows = _with_people(rows, cohort, endpoint)
    if layout == "period":
        rows = _periods(rows, protocol)
    response, _, columns, _ = parse(endpoint.formula)
    needed = [response, *({"baseline", "baseline_mean"} & set(columns))]
    rows = rows[rows[needed].notna().all(axis=1)]
    keys = [name for name in ("trial", "participant_id", endpoint.site, "visit", "period") if name in rows]
    return rows.sort_values(keys, ignore_index=True)


def _sites(cohort: Cohort, endpoint: Endpoint) -> pd.DataFrame:
    """One row a site and later visit."""
    baseline, follow_up, change, _ = values_of(cohort, endpoint)
    picked = _picked(baseline, endpoint)
    person, site, visit = np.nonzero(picked[..., None] & (np.isfinite(change) | np.isfinite(follow_up)))
    names = next(each.sites for each in cohort.readings if each.measure == endpoint.measure)
    short = np.array([name.removeprefix(f"{endpoint.site}:") for name in names], dtype=object)
    known = picked & np.isfinite(baseline)
    return pd.DataFrame(
        {
            "person": person,
            endpoint.site: short[site],
            "visit": _category(visit, endpoint.visits[1:]),
            "baseline": baseline[person, site],
            "change": change[person, site, visit],
            "value": follow_up[person, site, visit],
            "n_used": 1,
            "baseline_mean": average(baseline, known)[person],
        }
    )


def _visits(cohort: Cohort, endpoint: Endpoint, layout: Layout) -> pd.DataFrame:
    """One row a participant and later visit."""
    baseline, *_ = values_of(cohort, endpoint)
    used, mean, n = participant_means(cohort, endpoint)
    people, visits = mean.shape[0] * mean.shape[1], mean.shape[2]
    person, visit = (each.ravel() for each in np.indices((people, visits)))
    level = average(baseline, _picked(baseline, endpoint) & np.isfinite(baseline))[person]
    if layout == "participant":  # the sites whose change counts, and not all that were there
        level = used.ravel()
    return pd.DataFrame(
        {
            "person": person,
            "visit": _category(visit, endpoint.visits[1:]),
            "baseline": level,
            "change": mean.ravel(),
            "value": level + mean.ravel(),
            "n_used": n.ravel(),
        }
    )


def _with_people(rows: pd.DataFrame, cohort: Cohort, endpoint: Endpoint) -> pd.DataFrame:
    patients, person = cohort.patients, rows["person"].to_numpy()
    n = patients.people.arm.shape[1]
    covariates = cohort.covariates()
    named = {name: covariates[name].to_numpy()[person] for name in covariates_of(endpoint)}
    return rows.drop(columns="person").assign(
        trial=person // n,
        participant_id=np.array(patients.ids, dtype=object)[person % n],
        arm=patients.arms.ravel()[person],
        **named,
    )


def _periods(rows: pd.DataFrame, protocol: Protocol) -> pd.DataFrame:
    ends = {period.end: period.id for period in protocol.period}
    rows = rows.assign(period=rows["visit"].astype(object).map(ends))
    rows = rows[rows["period"].notna()].drop(columns="visit")
    given = {
        (arm.id, period.id): treatment
        for arm in protocol.arm
        for period, treatment in zip(protocol.period, arm.sequence, strict=True)
    }
    return rows.assign(
        sequence=rows["arm"],
        treatment=[given[key] for key in zip(rows["arm"], rows["period"], strict=True)],
        period=pd.Categorical(rows["period"], categories=[period.id for period in protocol.period]),
    ).drop(columns="arm")


def _category(codes: npt.NDArray[np.int64], words: Sequence[str]) -> pd.Categorical:
    return pd.Categorical(np.array(words, dtype=object)[codes], categories=list(words))


def _picked(baseline: FloatArray, endpoint: Endpoint) -> npt.NDArray[np.bool_]:
    if endpoint.select == "submedian":
        return below_median(baseline)[0]
    return np.ones(baseline.shape, dtype=bool)


def _flat(readings: Readings, values: FloatArray) -> FloatArray:
    """(trial * participant, site, visit)."""
    return values.reshape(-1, *values.shape[2:])
