"""The values of an endpoint's sites: long measurements turned into arrays (participant, site)."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from remyelin.errors import Flag, InputError
from remyelin.protocol import Endpoint, Protocol
from remyelin.tables import Measurements
from remyelin.trial.floor import ErrorFloor, error_floor
from remyelin.trial.regression import FloatArray
from remyelin.trial.rows import endpoint_rows
from remyelin.trial.visits import second_baseline, visit_doubts

RANK = ("pass", "flag", "fail")


@dataclass(frozen=True, slots=True)
class SiteValues:
    """What the participants' sites showed.

    Attributes
    ----------
    participants, sites
        In alphabetical order; the rows and columns of the arrays below.
    baseline, follow_up, change, se_baseline, se_follow_up, second, half_a, half_b
        (participant, site), NaN where there is no usable value. `second` is a second scan before treatment.
        Where the measure is itself a change, it is `change`, with its error in `se_follow_up` and none in
        `se_baseline`; it stays where its baseline is missing.
    second_visit
        The visit of that scan; empty if there is none.
    floor
        Error that two scans before treatment show beyond `se_baseline`; None without such scans.
    n_listed, n_failed
        (participant,) sites with any row at either visit, and values left out for their quality.
    lost, lost_baseline
        How often a follow-up value is missing although there is a baseline, by state; and how often an eye
        has no baseline.
    quality, doubts, fail_reasons
        Per participant: the worst quality of what was used and of the visits, with the reasons.
    flags
        Visits that do not fit the protocol.
    """

    participants: tuple[str, ...]
    sites: tuple[str, ...]
    baseline: FloatArray
    follow_up: FloatArray
    change: FloatArray
    se_baseline: FloatArray
    se_follow_up: FloatArray
    second: FloatArray
    second_visit: str
    half_a: FloatArray
    half_b: FloatArray
    floor: ErrorFloor | None
    n_listed: npt.NDArray[np.intp]
    n_failed: npt.NDArray[np.intp]
    lost: dict[str, int]
    lost_baseline: dict[str, int]
    quality: tuple[str, ...]
    doubts: tuple[tuple[str, ...], ...]
    fail_reasons: tuple[str, ...]
    flags: tuple[Flag, ...]

    def variance(self) -> FloatArray:
        """Error variance of each change, with the floor; NaN where a standard error is missing."""
        extra = 2 * self.floor.variance_pu2 if self.floor else 0.0
        return np.asarray(self.se_baseline**2 + self.se_follow_up**2 + extra)


def site_values(
    measurements: Measurements, protocol: Protocol, endpoint: Endpoint, *, keep_failed: bool = False
) -> SiteValues:
    """Arrange the rows of an endpoint; values of quality ``"fail"`` are left out unless `keep_failed`."""
    rows = endpoint_rows(measurements, endpoint)
    first, last = endpoint.visits[0], endpoint.visits[-1]
    plain = rows.plain
    own = plain[plain["visit"].isin([first, last])]
    people = tuple(sorted(set(own["participant_id"])))
    flags, outside, reversed_days = visit_doubts(plain, protocol, (first, last))
    failed = (own["quality"] == "fail") & own["value"].notna() & (not keep_failed)
    own = own.assign(value=own["value"].where(~failed))
    own.loc[own["participant_id"].isin(list(reversed_days)), "value"] = np.nan
    if endpoint.site == "eye":  # a number beside "absent" or "indeterminate" is the noise's, not the eye's
        own.loc[own["state"] != "present", "value"] = np.nan
    grid = _Grid(people, tuple(sorted(set(own["site"]))))
    second_visit = second_baseline(plain, protocol, first)
    second = plain[(plain["visit"] == second_visit) & ((plain["quality"] != "fail") | keep_failed)]
    start, end = own[own["visit"] == first], own[own["visit"] == last]
    half_a, half_b = (
        half[(half["visit"] == first) & ((half["quality"] != "fail") | keep_failed)] for half in rows.halves
    )
    baseline, follow_up, se_baseline = grid.of(start, "value"), grid.of(end, "value"), grid.of(start, "se")
    change, elsewhere = follow_up - baseline, np.zeros_like(baseline, dtype=bool)
    se_follow_up = grid.of(end, "se")
    if rows.offset is not None:
        shift, elsewhere = _since_first(grid, start, rows.offset)
        change, se_follow_up = follow_up - shift[0], np.hypot(se_follow_up, shift[1])
        elsewhere &= np.isfinite(follow_up)
        follow_up, se_baseline = baseline + change, np.zeros_like(baseline)
    used = own[own["value"].notna()]
    other = _elsewhere(people, elsewhere, first)
    doubts = _doubts(people, used, outside, reversed_days, other)
    worst, why = _worst(used, {**outside, **other}, reversed_days), _reasons(own[failed])
    lost = _lost(grid, np.isfinite(baseline) & ~np.isfinite(change), end, own[failed])
    no_baseline = grid.listed(own) & ~np.isfinite(baseline)
    return SiteValues(
        participants=people,
        sites=grid.sites,
        baseline=baseline,
        follow_up=follow_up,
        change=change,
        se_baseline=se_baseline,
        se_follow_up=se_follow_up,
        second=grid.of(second, "value"),
        second_visit=second_visit,
        half_a=grid.of(half_a, "value"),
        half_b=grid.of(half_b, "value"),
        floor=None if rows.offset is not None else _floor(grid, start, second),
        n_listed=grid.count(own.drop_duplicates(["participant_id", "site"])),
        n_failed=grid.count(own[failed]),
        lost=_in_words(lost, endpoint.site),
        lost_baseline=_in_words(_lost(grid, no_baseline, start, own[failed]), endpoint.site),
        quality=tuple(worst.get(person, "pass") for person in people),
        doubts=doubts,
        fail_reasons=tuple("; ".join(why.get(person, [])) for person in people),
        flags=flags,
    )


@dataclass(frozen=True, slots=True)
class _Grid:
    people: tuple[str, ...]
    sites: tuple[str, ...]

    def of(self, rows: pd.DataFrame, column: str) -> FloatArray:
        """(participant, site) values of a column; NaN where there is no row."""
        out = np.full((len(self.people), len(self.sites)), np.nan)
        person = pd.Index(self.people).get_indexer(pd.Index(rows["participant_id"]))
        site = pd.Index(self.sites).get_indexer(pd.Index(rows["site"]))
        known = (person >= 0) & (site >= 0)
        out[person[known], site[known]] = rows[column].to_numpy(dtype=np.float64)[known]
        return out

    def listed(self, rows: pd.DataFrame) -> npt.NDArray[np.bool_]:
        """(participant, site) whether there is any row."""
        return np.isfinite(self.of(rows.assign(one=1.0), "one"))

    def count(self, rows: pd.DataFrame) -> npt.NDArray[np.intp]:
        person = pd.Index(self.people).get_indexer(pd.Index(rows["participant_id"]))
        return np.bincount(person, minlength=len(self.people))


def _floor(grid: _Grid, start: pd.DataFrame, second: pd.DataFrame) -> ErrorFloor | None:
    """The floor from two scans before treatment; None where fewer than 3 participants have them."""
    values = (grid.of(start, "value"), grid.of(second, "value"), grid.of(start, "se"), grid.of(second, "se"))
    try:
        return error_floor(*values)
    except InputError:
        return None


def _lost(
    grid: _Grid, gone: npt.NDArray[np.bool_], rows: pd.DataFrame, failed: pd.DataFrame
) -> dict[str, int]:
    """Why sites that are `gone` have no value in the `rows` of one visit, counted."""
    states = {
        word: grid.listed(rows[rows["state"] == word]) for word in ("absent", "indeterminate", "missing")
    }
    lost = {word: int((gone & where).sum()) for word, where in states.items()}
    visit = rows["visit"].iloc[0] if len(rows) else ""
    failed = failed[(failed["visit"] == visit) & ~failed["state"].isin(list(states))]
    lost["of quality fail"] = int((gone & grid.listed(failed)).sum())
    lost["without a row"] = int((gone & ~grid.listed(rows)).sum())
    lost["that cannot be used"] = int(gone.sum()) - sum(lost.values())
    return lost


def _in_words(lost: dict[str, int], site: str) -> dict[str, int]:
    """The states by the words that fit the site: a lesion vanishes, an eye does not."""
    words = {"absent": "vanished"}
    if site == "eye":
        words = {"absent": "with an absent response", "indeterminate": "with an indeterminate response"}
    return {words.get(word, word): n for word, n in lost.items()}


def _since_first(
    grid: _Grid, start: pd.DataFrame, offset: pd.DataFrame
) -> tuple[tuple[FloatArray, FloatArray], npt.NDArray[np.bool_]]:
    """What to take off a measured change so that it starts at the first visit, with its error; and whether
    it starts elsewhere.

    Nothing is taken off where the first visit was the reference. Where an earlier one was, the first visit
    has a change of its own. Without any row there the change starts at a later visit and is not used.
    """
    known = grid.listed(offset)
    elsewhere = ~known & ~grid.listed(start)
    usable = offset[(offset["quality"] != "fail") & (offset["state"] == "present")]
    nothing = np.where(elsewhere, np.nan, 0.0)
    value = np.where(known, grid.of(usable, "value"), nothing)
    return (value, np.where(known, grid.of(usable, "se"), nothing)), elsewhere


def _elsewhere(people: tuple[str, ...], where: npt.NDArray[np.bool_], first: str) -> dict[str, str]:
    """Participants with a change that does not start at the first visit of the endpoint."""
    said = f"no recording at {first}: a change since another visit was left out"
    return {person: said for person, sites in zip(people, where, strict=True) if sites.any()}


def _worst(used: pd.DataFrame, flagged: Collection[str], impossible: Collection[str]) -> dict[str, str]:
    """The worst quality of each participant's used values and visits; without any value, pass."""
    worst = dict.fromkeys(flagged, "flag") | dict.fromkeys(impossible, "fail")
    seen = used.loc[used["quality"] != "pass", ["participant_id", "quality"]].drop_duplicates()
    for person, quality in seen.itertuples(index=False):
        worst[person] = max(worst.get(person, "pass"), quality, key=RANK.index)
    return worst


def _reasons(rows: pd.DataFrame) -> dict[str, list[str]]:
    """The first three different reasons of each participant's rows."""
    said = rows.loc[rows["reason"] != "", ["participant_id", "reason"]].drop_duplicates()
    return {str(person): list(own)[:3] for person, own in said.groupby("participant_id")["reason"]}


def _doubts(
    people: tuple[str, ...], used: pd.DataFrame, *found: dict[str, str]
) -> tuple[tuple[str, ...], ...]:
    reasons = _reasons(used[used["quality"] != "pass"])
    return tuple(
        (*(faults[person] for faults in found if person in faults), *reasons.get(person, []))
        for person in people
    )
