"""From measurements to one number a participant, as the protocol's endpoint says."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from remyelin.errors import Flag
from remyelin.protocol import Endpoint, Protocol
from remyelin.tables import MEASURES, Measurements
from remyelin.trial.corrections import Correction
from remyelin.trial.regression import FloatArray, average
from remyelin.trial.sites import SiteValues, site_values
from remyelin.trial.submedian import SubmedianChange, mean_error, submedian_change

WEIGHTED = "participant-precision-weighted-change"


@dataclass(frozen=True, slots=True)
class Changes:
    """An endpoint of every participant.

    Attributes
    ----------
    endpoint
        What it is the endpoint of.
    frame
        One row a participant who was measured at all. `baseline, follow_up, change, se` by the endpoint's
        summary; `change_mean` and `change_precision_weighted`, the two estimands, each with its `se_`; `rtm`
        and `change_rtm_removed` of the endpoint's summary, with `rtm_floor_se`, `rtm_shape_se` and
        `rtm_left`; `n_sites` (sites with a usable baseline, or with a measured change), `n_selected`,
        `n_at_median`, `n_used`, `n_missing_follow_up`, `n_failed`; `quality`, `reason`. A change is missing
        where nothing could be used, and `reason` says why. The baseline of a measured change may be missing.
    steps
        How many participants and sites each step left: `step, participants, sites, reason`.
    flags
        Visits outside their window and the like.
    submedian
        The selection and its correction; None if all sites count.
    """

    endpoint: Endpoint
    frame: pd.DataFrame
    steps: pd.DataFrame
    flags: tuple[Flag, ...]
    submedian: SubmedianChange | None

    def to_frame(self) -> pd.DataFrame:
        """One row a participant."""
        return self.frame.copy()

    def __str__(self) -> str:
        n = int(self.frame["change"].notna().sum())
        mean = f", mean change {self.frame['change'].mean():+.3g} {self.frame['unit'].iloc[0]}" if n else ""
        return f"{self.endpoint.id}: {n} of {len(self.frame)} participants have a change{mean}"

    def _repr_html_(self) -> str:
        return f"<p>{self}</p>{self.frame.to_html(index=False, max_rows=20, na_rep='n/a')}"


def participant_changes(
    measurements: Measurements,
    protocol: Protocol,
    endpoint: Endpoint | None = None,
    *,
    keep_failed: bool = False,
) -> Changes:
    """Summarise an endpoint for each participant.

    Parameters
    ----------
    measurements
        What was measured; rows of one condition enter (see `remyelin.trial.rows`), and the halves of
        cross-fitting. The standard errors hold the protocol's `rescan_sd_pu`, if it gives one.
    protocol
        Its visits, and their windows, are checked against the days of the measurements.
    endpoint
        By default the primary one.
    keep_failed
        Use also values of quality ``"fail"``, as a sensitivity analysis. Otherwise they leave and are
        counted.

    Raises
    ------
    RefuseRun
        Where the measurements do not have the measure, the site, the condition or a visit of the endpoint.

    Examples
    --------
    >>> sites = [("M00", 0, 0), ("M06", 180, 0.5)]
    >>> rows = [{"participant_id": "sub-01", "visit": visit, "day": day, "site": f"lesion:{k}",
    ...          "measure": "mtr_pu", "value": 28.0 + k + gain, "se": 0.4, "unit": "pu"}
    ...         for visit, day, gain in sites for k in range(1, 6)]
    >>> print(participant_changes(Measurements.from_rows(rows), Protocol.read("ccmr-one")))
    submedian-lesion-mtr: 1 of 1 participants have a change, mean change +0.5 pu
    """
    endpoint = endpoint or protocol.primary
    return summarise(
        site_values(measurements, protocol, endpoint, keep_failed=keep_failed), protocol, endpoint
    )


def summarise(sites: SiteValues, protocol: Protocol, endpoint: Endpoint) -> Changes:
    """One row a participant from the values of its sites."""
    submedian = _submedian(sites) if endpoint.select == "submedian" else None
    columns = _picked(submedian) if submedian else _all(sites)
    summary = "weighted" if endpoint.summary == WEIGHTED else "mean"
    frame = pd.DataFrame(
        {
            "endpoint": endpoint.id,
            "participant_id": list(sites.participants),
            "baseline": columns[f"baseline_{summary}"],
            "follow_up": columns[f"baseline_{summary}"] + columns[summary],
            "change": columns[summary],
            "se": columns[f"se_{summary}"],
            "unit": MEASURES[endpoint.measure].unit,
            "n_sites": columns["n_lesions"],
            "n_selected": columns["n_selected"],
            "n_at_median": columns["n_at_median"],
            "n_used": columns["n_used"],
            "n_missing_follow_up": columns["n_selected"] - columns["n_used"],
            "n_failed": sites.n_failed,
            "rtm": columns[f"rtm_{summary}"],
            "change_rtm_removed": columns[f"corrected_{summary}"],
            "rtm_floor_se": columns[f"floor_se_{summary}"],
            "rtm_shape_se": columns[f"shape_se_{summary}"],
            "rtm_left": columns[f"left_{summary}"],
            "change_mean": columns["mean"],
            "se_mean": columns["se_mean"],
            "change_precision_weighted": columns["weighted"],
            "se_precision_weighted": columns["se_weighted"],
        }
    )
    frame["quality"], frame["reason"] = _quality(frame, sites, columns["reason"])
    flags = [*sites.flags, *_unknown_floor(submedian, protocol, endpoint)]
    return Changes(endpoint, frame, _steps(frame, sites, endpoint), tuple(flags), submedian)


def _unknown_floor(
    submedian: SubmedianChange | None, protocol: Protocol, endpoint: Endpoint
) -> Iterator[Flag]:
    """A correction that rests on standard errors into which no second scan has entered."""
    if submedian is None or submedian.correction != "expected" or submedian.floor is not None:
        return
    if protocol.measure.rescan_sd_pu is None:
        yield Flag(
            "", f"endpoint '{endpoint.id}' regression to the mean",
            "estimated from what a single image shows",
            "the scan-rescan error too: what all voxels of a lesion share would leave part of it",
            "give rescan_sd_pu, or scan the baseline twice",
        )  # fmt: skip


def _submedian(sites: SiteValues) -> SubmedianChange:
    """With the correction of fewest assumptions that the data allow: second baseline, expected, halves."""
    options: dict[str, Any] = {}
    correction: Correction = "expected"
    has_error = bool(np.isfinite(sites.se_baseline).any()) or sites.floor is not None
    paired = np.isfinite(sites.second).sum(axis=1) >= 2
    if sites.second_visit and paired[np.isfinite(sites.baseline).sum(axis=1) >= 2].all():
        correction, options = "second-baseline", {"second_baseline": sites.second}
    elif not has_error and np.isfinite(sites.half_a + sites.half_b).any():
        correction, options = "cross-fit", {"half_a": sites.half_a, "half_b": sites.half_b}
    return submedian_change(
        sites.baseline,
        sites.follow_up,
        se_baseline=sites.se_baseline if np.isfinite(sites.se_baseline).any() else None,
        se_follow_up=sites.se_follow_up if np.isfinite(sites.se_follow_up).any() else None,
        floor=sites.floor,
        correction=correction,
        **options,
    )


def _picked(change: SubmedianChange) -> dict[str, Any]:
    frame = change.frame
    columns = {
        name: frame[name].to_numpy()
        for name in ("n_lesions", "n_selected", "n_at_median", "n_used", "reason")
    }
    for summary, plain, prefix in (("mean", "plain", ""), ("weighted", "weighted", "weighted_")):
        columns[summary] = frame[f"{plain}_pu"].to_numpy()
        columns[f"se_{summary}"] = frame[f"{plain}_se_pu"].to_numpy()
        for name in ("baseline", "rtm", "corrected", "floor_se", "shape_se", "left"):
            columns[f"{name}_{summary}"] = frame[f"{prefix}{name}_pu"].to_numpy()
    return columns


def _all(sites: SiteValues) -> dict[str, Any]:
    """Without a selection nothing regresses: the corrected change is the change."""
    change, variance = sites.change, sites.variance()
    known, used = np.isfinite(sites.baseline), np.isfinite(change)
    n, n_used, n_based = ((known | used).sum(axis=1), used.sum(axis=1), (known & used).sum(axis=1))
    zero = np.zeros(len(n))
    columns: dict[str, Any] = {
        "n_lesions": n,
        "n_selected": n,
        "n_at_median": zero.astype(int),
        "n_used": n_used,
        "reason": np.array([_reason(*each) for each in zip(n, n_used, n_based, strict=True)], dtype=object),
    }
    precision: FloatArray = 1 / np.where(variance > 0, variance, np.nan)
    for summary, weight in (("mean", used.astype(np.float64)), ("weighted", np.where(used, precision, 0.0))):
        mean = average(change, used, weight)
        columns |= {summary: mean, f"se_{summary}": mean_error(change, variance, used, weight)}
        columns |= {f"{name}_{summary}": zero for name in ("rtm", "floor_se", "shape_se", "left")}
        columns[f"corrected_{summary}"] = mean
        columns[f"baseline_{summary}"] = average(sites.baseline, used & known, weight)
    return columns


def _reason(n: int, used: int, based: int) -> str:
    if used:
        # Only a change that was measured as such can stand without a baseline.
        return "" if based == used else f"baseline of {based} of the {used} sites with a change"
    return f"none of {n} sites with a baseline was measured at follow-up" if n else "no site with a baseline"


def _quality(frame: pd.DataFrame, sites: SiteValues, reasons: Any) -> tuple[list[str], list[str]]:
    """Fail if failed values left nothing, else the worst of what was used and of the visits."""
    quality, words = [], []
    for k, (missing, failed, said) in enumerate(
        zip(frame["change"].isna(), sites.n_failed, reasons, strict=True)
    ):
        own = [said] if said else []
        if missing and failed:
            own.insert(0, f"{failed} values of quality fail left out ({sites.fail_reasons[k]})")
        worst = "fail" if missing and failed else sites.quality[k]
        quality.append("flag" if worst == "pass" and own else worst)
        words.append("; ".join(dict.fromkeys([*own, *sites.doubts[k]])))
    return quality, words


def _steps(frame: pd.DataFrame, sites: SiteValues, endpoint: Endpoint) -> pd.DataFrame:
    kind = endpoint.site.partition(":")[0]
    rows: list[tuple[str, int, int, str]] = []

    def step(words: str, counts: Any, reason: str = "") -> None:
        rows.append((words, int((np.asarray(counts) > 0).sum()), int(np.sum(counts)), reason))

    first, last = endpoint.visits[0], endpoint.visits[-1]
    step(f"{kind} measured at {first} or {last}", sites.n_listed)
    failed = int(sites.n_failed.sum())
    out = [f"{failed} values of quality fail left out"] if failed else []
    if kind == "eye":
        missing = ", ".join(f"{n} {word}" for word, n in sites.lost_baseline.items() if n)
        out += [f"without a baseline: {missing}"] if missing else []
    changing = MEASURES[endpoint.measure].change_of
    step(f"baseline at {first}{' or a change since' if changing else ''}", frame["n_sites"], "; ".join(out))
    if endpoint.select == "submedian":
        alone = int((frame["n_sites"] == 1).sum())
        reason = f"{alone} participants with a single lesion" if alone else ""
        step("below the participant's median", frame["n_selected"], reason)
    gone = ", ".join(f"{n} {word}" for word, n in sites.lost.items() if n)
    step(f"measured again at {last}", frame["n_used"], f"without a value there: {gone}" if gone else "")
    return pd.DataFrame(rows, columns=["step", "participants", "sites", "reason"])
