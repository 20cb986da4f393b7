"""ADEFF: the values of the endpoints, one record each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from remyelin.protocol import Endpoint, Protocol
from remyelin.protocol.parts import Arm
from remyelin.tables import MEASURES
from remyelin.trial.adam.dataset import Columns, Dataset, dataset, short_names, subject, treatment

if TYPE_CHECKING:
    from remyelin.tables import Measurements
    from remyelin.trial.analyse import Analysis


def adeff(analysis: Analysis, protocol: Protocol, measurements: Measurements | None = None) -> Dataset:
    """Efficacy dataset: one record a subject, endpoint and visit, and eye or lesion where these enter.

    Parameters
    ----------
    analysis, protocol
        What was analysed, and how.
    measurements
        For the day of each visit.

    Returns
    -------
    Dataset
        AVAL the value, BASE the baseline, CHG the change. ABLFL marks the baseline record; ANL01FL what the
        prespecified model was fitted to. ADY counts the day of the baseline as 1 (there is no day 0). Values
        that were imputed are not in it.
    """
    days = _days(measurements)
    arms = {arm.id: arm for arm in protocol.arm}
    codes = short_names([endpoint.id for endpoint in protocol.endpoint])
    frames = []
    for endpoint in protocol.endpoint:
        if endpoint.id not in analysis.rows:
            continue
        own = _records(analysis, protocol, endpoint)
        own["PARAMCD"], own["PARAM"] = codes[endpoint.id], _parameter(endpoint)
        own["AVISITN"] = own["visit"].map([visit.id for visit in protocol.visit].index).astype(float)
        frames.append(own)
    all_rows = pd.concat(frames, ignore_index=True)
    keys = ["participant_id", "PARAMCD", "focus", "AVISITN"]
    all_rows = all_rows.sort_values(keys, ignore_index=True, kind="stable")
    day = [days.get(key, np.nan) for key in zip(all_rows["participant_id"], all_rows["visit"], strict=True)]
    columns: Columns = {
        **subject(all_rows["participant_id"], protocol),
        **_treatments(all_rows, arms, protocol),
        "PARAMCD": ("Parameter Code", all_rows["PARAMCD"]),
        "PARAM": ("Parameter", all_rows["PARAM"]),
        "AVISIT": ("Analysis Visit", all_rows["visit"]),
        "AVISITN": ("Analysis Visit (N)", all_rows["AVISITN"]),
        "ADY": ("Analysis Relative Day", [each + 1 if each >= 0 else each for each in day]),
        "AVAL": ("Analysis Value", all_rows["value"]),
        "BASE": ("Baseline Value", all_rows["baseline"]),
        "CHG": ("Change from Baseline", all_rows["change"]),
        "ABLFL": ("Baseline Record Flag", np.where(all_rows["is_baseline"], "Y", "")),
        "ANL01FL": ("Analysis Flag 01", np.where(all_rows["is_used"], "Y", "")),
    }
    if (all_rows["focus"] != "").any():
        columns["FOCID"] = ("Focus of Study-Specific Interest", all_rows["focus"])
    return dataset("ADEFF", "Efficacy Analysis Dataset", columns)


def _records(analysis: Analysis, protocol: Protocol, endpoint: Endpoint) -> pd.DataFrame:
    """`participant_id, arm, focus, visit, period, value, baseline, change, is_baseline, is_used`."""
    used = analysis.rows[endpoint.id]
    ends = {period.id: period.end for period in protocol.period}
    followed = pd.DataFrame(
        {
            "participant_id": used["participant_id"],
            "focus": used[endpoint.site] if endpoint.of_sites else "",
            "visit": _visits(used, endpoint, ends),
            "period": used["period"].astype(str) if "period" in used else "",
            **{name: used[name] for name in ("value", "baseline", "change")},
            "is_used": True,
        }
    )
    people = analysis.participants[analysis.participants["endpoint"] == endpoint.id]
    people = people[people["arm"] != ""]
    if not endpoint.of_sites:
        others = people[~people["participant_id"].isin(used["participant_id"]) & people["change"].notna()]
        more = others[["participant_id", "baseline", "change"]].assign(
            value=others["baseline"] + others["change"], visit=endpoint.visits[-1], focus="", period="",
            is_used=False,
        )  # fmt: skip
        followed = pd.concat([followed, more], ignore_index=True)
    starts = followed.drop_duplicates(["participant_id", "focus"])[["participant_id", "focus", "baseline"]]
    if not endpoint.of_sites:
        lost = people[~people["participant_id"].isin(starts["participant_id"])]
        lost = lost.assign(baseline=lost["baseline_at_entry"], focus="")
        starts = pd.concat([starts, lost[["participant_id", "focus", "baseline"]]], ignore_index=True)
    starts = starts[starts["baseline"].notna()]
    starts = starts.assign(
        value=starts["baseline"], change=np.nan, visit=endpoint.visits[0], period="", is_used=False
    )
    both = pd.concat([starts.assign(is_baseline=True), followed.assign(is_baseline=False)], ignore_index=True)
    return both.assign(arm=both["participant_id"].map(people.set_index("participant_id")["arm"]))


def _visits(used: pd.DataFrame, endpoint: Endpoint, ends: Mapping[str, str]) -> pd.Series:
    if "visit" in used:
        return used["visit"].astype(str)
    if "period" in used:
        return used["period"].astype(str).map(ends)
    return pd.Series(endpoint.visits[-1], index=used.index)


def _treatments(rows: pd.DataFrame, arms: Mapping[str, Arm], protocol: Protocol) -> Columns:
    """TRTP; and the sequence and period where treatments change."""
    if protocol.trial.design == "parallel":
        return {"TRTP": ("Planned Treatment", [treatment(arms[name], 0) for name in rows["arm"]])}
    order = {period.id: k for k, period in enumerate(protocol.period)}
    number = rows["period"].map(order)
    given = [
        treatment(arms[arm], int(k)) if np.isfinite(k) else ""
        for arm, k in zip(rows["arm"], number.astype(float), strict=True)
    ]
    return {
        "TRTSEQP": ("Planned Sequence of Treatments", rows["arm"]),
        "TRTP": ("Planned Treatment", given),
        "APERIOD": ("Period", number.astype(float) + 1),
        "APERIODC": ("Period (C)", rows["period"]),
    }


def _parameter(endpoint: Endpoint) -> str:
    """The endpoint in words, with its unit, as PARAM wants it."""
    measure = MEASURES[endpoint.measure]
    place = endpoint.site if endpoint.of_sites else f"participant's {endpoint.site}s"
    chosen = " below own median" if endpoint.select == "submedian" else ""
    condition = f", {endpoint.condition}" if endpoint.condition else ""
    return f"{measure.words} ({measure.unit}), {place}{chosen}{condition}, {endpoint.id}"


def _days(measurements: Measurements | None) -> dict[tuple[str, str], float]:
    """Day of each participant's visit."""
    if measurements is None or "day" not in measurements.frame:
        return {}
    known = measurements.frame[["participant_id", "visit", "day"]].dropna()
    first = known.groupby(["participant_id", "visit"], observed=True)["day"].first()
    keys = [(str(person), str(visit)) for person, visit in first.index]
    return dict(zip(keys, first.astype(float), strict=True))
