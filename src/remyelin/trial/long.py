"""From measurements to the rows that a model is fitted to: participants, sites, visits or periods."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from remyelin.errors import Flag
from remyelin.protocol import Endpoint, Protocol
from remyelin.tables import Measurements
from remyelin.trial.endpoint import WEIGHTED, Changes, summarise
from remyelin.trial.regression import BoolArray, FloatArray, average, below_median
from remyelin.trial.sites import SiteValues, site_values

Layout = Literal["participant", "visit", "site", "site-visit", "period"]


@dataclass(frozen=True, slots=True)
class Long:
    """An endpoint as its estimator reads it.

    Attributes
    ----------
    layout
        What one row is.
    changes
        One row a participant, from the first visit to the last.
    rows
        `participant_id, baseline, change, value, se`, and by layout `lesion` or `eye`, `visit`, `period`;
        only rows with a value. `se` is the measurement's own standard error of the change, missing where
        it was not measured; where a participant has several rows, without the error of the baseline, which
        they share. Sites have `baseline_mean` too, the participant's. `n_used` counts the sites behind
        a participant's mean.
    baselines
        The baseline by participant, over all sites that the endpoint selects: also of those without any
        follow-up.
    steps
        How many participants and sites each step left, with one for each visit: `step, participants, sites,
        reason`.
    any_failed
        Whether a value of quality ``"fail"`` was left out.
    flags
        Visits outside their window and the like, of every visit of the endpoint.
    """

    layout: Layout
    changes: Changes
    rows: pd.DataFrame
    baselines: pd.Series
    steps: pd.DataFrame
    any_failed: bool
    flags: tuple[Flag, ...]


def layout_of(endpoint: Endpoint, design: str) -> Layout:
    """What one row of the endpoint's model is.

    Examples
    --------
    >>> protocol = Protocol.read("rebuild")
    >>> layout_of(protocol.primary, protocol.trial.design)
    'period'
    """
    if design == "crossover":
        return "period"
    if endpoint.of_sites:
        return "site-visit" if len(endpoint.visits) > 2 else "site"
    return "visit" if len(endpoint.visits) > 2 else "participant"


def long_rows(
    measurements: Measurements, protocol: Protocol, endpoint: Endpoint, *, keep_failed: bool = False
) -> Long:
    """Arrange an endpoint for its estimator.

    Parameters
    ----------
    measurements, protocol, endpoint, keep_failed
        As of `remyelin.trial.endpoint.participant_changes`.

    Raises
    ------
    RefuseRun
        Where the measurements do not have the measure, the site, the condition or a visit of the endpoint.

    Examples
    --------
    >>> rows = [{"participant_id": "sub-01", "visit": visit, "site": f"eye:{eye}", "se": 1.0,
    ...          "measure": "p100_latency_ms", "value": value, "unit": "ms"} for eye in ("OD", "OS")
    ...         for visit, value in (("M00", 130.0), ("M03", 127.0), ("M05", 128.0))]
    >>> protocol = Protocol.read("rebuild")
    >>> found = long_rows(Measurements.from_rows(rows), protocol, protocol.primary).rows
    >>> found[["eye", "period", "baseline", "change"]].to_string(index=False).splitlines()[1].split()
    ['OD', 'first', '130.0', '-3.0']
    """
    first, *later = endpoint.visits
    pairs = {
        visit: site_values(
            measurements,
            protocol,
            endpoint.model_copy(update={"visits": (first, visit)}),
            keep_failed=keep_failed,
        )
        for visit in later
    }
    changes = summarise(pairs[later[-1]], protocol, endpoint)
    layout = layout_of(endpoint, protocol.trial.design)
    if layout == "participant":
        rows = changes.frame[["participant_id", "baseline", "change", "n_used"]]
        last = pairs[later[-1]]
        rows = rows.assign(se=rows["participant_id"].map(_own_error(last, endpoint, last.variance())))
    else:
        rows = _sites(pairs, endpoint, layout) if endpoint.of_sites else _visits(pairs, protocol, endpoint)
    if "value" not in rows:
        rows = rows.assign(value=rows["baseline"] + rows["change"])
    rows = rows[rows["change"].notna() | rows["value"].notna()]
    if layout == "period":
        rows = _periods(rows, protocol)
    keys = [name for name in ("participant_id", endpoint.site, "visit", "period") if name in rows]
    flags = (*(flag for sites in pairs.values() for flag in sites.flags), *changes.flags)
    return Long(
        layout=layout,
        changes=changes,
        rows=_categories(rows.sort_values(keys, ignore_index=True), later, protocol),
        baselines=_baselines(pairs, endpoint),
        steps=_steps(pairs, changes, protocol),
        any_failed=any(bool(sites.n_failed.any()) for sites in pairs.values()),
        flags=tuple(dict.fromkeys(flags)),
    )


def _steps(pairs: Mapping[str, SiteValues], changes: Changes, protocol: Protocol) -> pd.DataFrame:
    """Those of the last visit, and before its last one what each earlier visit still had."""
    *before, last = (row for _, row in changes.steps.iterrows())
    first, endpoint = changes.endpoint.visits[0], changes.endpoint
    for visit in list(pairs)[:-1]:
        pair = endpoint.model_copy(update={"visits": (first, visit)})
        before.append(summarise(pairs[visit], protocol, pair).steps.iloc[-1])
    return pd.DataFrame([*before, last]).reset_index(drop=True)


def _visits(pairs: Mapping[str, SiteValues], protocol: Protocol, endpoint: Endpoint) -> pd.DataFrame:
    """One row a participant and visit."""
    baselines = _baselines(pairs, endpoint)
    frames = []
    for visit, sites in pairs.items():
        pair = endpoint.model_copy(update={"visits": (endpoint.visits[0], visit)})
        own = summarise(sites, protocol, pair).frame[["participant_id", "change", "n_used"]]
        se = own["participant_id"].map(_own_error(sites, endpoint, _alone(sites)))
        own = own.assign(visit=visit, se=se)
        frames.append(own.assign(baseline=own["participant_id"].map(baselines)))
    return pd.concat(frames, ignore_index=True)


def _own_error(sites: SiteValues, endpoint: Endpoint, variance: FloatArray) -> pd.Series:
    """By participant, the error of the mean over its sites; NaN where any of theirs was not measured."""
    used = _selected(sites, endpoint) & np.isfinite(sites.change)
    weight = used.astype(np.float64)
    if endpoint.summary == WEIGHTED:
        weight = np.where(used & (sites.variance() > 0), 1 / np.where(used, sites.variance(), 1.0), 0.0)
    share = weight / np.maximum(weight.sum(axis=1, keepdims=True), np.finfo(float).tiny)
    error = np.sqrt(np.sum(share**2 * np.where(used, variance, 0.0), axis=1))
    return pd.Series(np.where(used.any(axis=1), error, np.nan), index=list(sites.participants))


def _alone(sites: SiteValues) -> FloatArray:
    """Error variance of each follow-up value; the baseline's is shared by all visits of a participant."""
    return np.asarray(sites.se_follow_up**2 + (sites.floor.variance_pu2 if sites.floor else 0.0))


def _sites(pairs: Mapping[str, SiteValues], endpoint: Endpoint, layout: Layout) -> pd.DataFrame:
    """One row a site, or a site and visit."""
    frames = []
    for visit, sites in pairs.items():
        person, site = np.nonzero(
            _selected(sites, endpoint) & (np.isfinite(sites.change) | np.isfinite(sites.follow_up))
        )
        variance = sites.variance() if layout == "site" else _alone(sites)
        frames.append(
            pd.DataFrame(
                {
                    "participant_id": np.array(sites.participants, dtype=object)[person],
                    endpoint.site: np.array(sites.sites, dtype=object)[site],
                    "visit": visit,
                    "baseline": sites.baseline[person, site],
                    "change": sites.change[person, site],
                    "value": sites.follow_up[person, site],
                    "se": np.sqrt(variance[person, site]),
                    "n_used": 1,
                }
            )
        )
    rows = pd.concat(frames, ignore_index=True).astype({"participant_id": "str", endpoint.site: "str"})
    rows[endpoint.site] = rows[endpoint.site].str.removeprefix(f"{endpoint.site}:")
    rows["baseline_mean"] = rows["participant_id"].map(_baselines(pairs, endpoint))
    return rows.drop(columns="visit") if layout == "site" else rows


def _periods(rows: pd.DataFrame, protocol: Protocol) -> pd.DataFrame:
    """The visit at the end of a period is that period's."""
    ends = {period.end: period.id for period in protocol.period}
    return rows.assign(period=rows["visit"].map(ends)).drop(columns="visit")


def _selected(sites: SiteValues, endpoint: Endpoint) -> BoolArray:
    """(participant, site) whether the endpoint selects it."""
    if endpoint.select == "submedian":
        return below_median(sites.baseline)[0]
    return np.ones_like(sites.baseline, dtype=bool)


def _baselines(pairs: Mapping[str, SiteValues], endpoint: Endpoint) -> pd.Series:
    """The mean baseline over the selected sites, whatever became of them."""
    found = pd.Series(dtype=np.float64)
    for sites in pairs.values():
        known = _selected(sites, endpoint) & np.isfinite(sites.baseline)
        weight = known.astype(np.float64)
        if endpoint.summary == WEIGHTED and (sites.se_baseline[known] > 0).all():
            floor = sites.floor.variance_pu2 if sites.floor else 0.0
            weight = np.where(known, 1 / (np.where(known, sites.se_baseline, 1.0) ** 2 + floor), 0.0)
        own = pd.Series(average(sites.baseline, known, weight), index=list(sites.participants))
        found = own if found.empty else found.combine_first(own)
    return found.sort_index()


def _categories(rows: pd.DataFrame, visits: list[str], protocol: Protocol) -> pd.DataFrame:
    """Visits and periods in the order of the protocol, not of the alphabet."""
    order = {"visit": visits, "period": [period.id for period in protocol.period]}
    for name, levels in order.items():
        if name in rows:
            rows[name] = pd.Categorical(rows[name], categories=levels)
    return rows
