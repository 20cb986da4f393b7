"""Intercurrent events with a day: what was measured after a hypothetical one is missing, and is told."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from remyelin.errors import RefuseRun
from remyelin.protocol import Protocol
from remyelin.tables import Measurements
from remyelin.trial.analyse import Analysis, analyse
from remyelin.trial.events import before_events

from .test_analyse_visits import NAME, allocation, protocol, rows

ESTIMAND = {
    "population": "p", "treatment": "t", "variable": "v", "summary": "s",
    "intercurrent": {"stopped the drug": "hypothetical"}, "event_days": {"stopped the drug": "stop_day"},
}  # fmt: skip


def plan(strategy: str = "hypothetical", **changes: Any) -> Protocol:
    return protocol(estimand={**ESTIMAND, "intercurrent": {"stopped the drug": strategy}}, **changes)


def people(**days: Any) -> pd.DataFrame:
    ids = allocation()["participant_id"]
    return pd.DataFrame(
        {"participant_id": ids, "stop_day": [days.get(each.replace("-", "_"), np.nan) for each in ids]}
    )


def run(table: list[dict[str, Any]], which: Protocol, covariates: pd.DataFrame) -> Analysis:
    return analyse(Measurements.from_rows(table), which, allocation(), covariates)


def test_values_after_the_day_are_missing_and_those_before_stay():
    table, stopped = rows(drop=0.0), people(sub_03=100.0, sub_04=182.0)
    kept = before_events(Measurements.from_rows(table), plan(), plan().primary, stopped)
    frame = kept.measurements.frame.set_index(["participant_id", "visit"])
    assert kept.after == {"stopped the drug": 2}
    for who, lost in (("sub-03", {"M06", "M12"}), ("sub-04", {"M12"}), ("sub-05", set())):
        own = frame.loc[who]
        assert set(own.index[own["value"].isna()]) == lost
    assert frame.loc[("sub-03", "M06"), "reason"].eq("after the event: stopped the drug").all()


def test_the_answer_is_that_without_these_values_and_the_other_stands_beside_it():
    table, stopped = rows(drop=0.0), people(sub_03=100.0, sub_05=100.0, sub_07=100.0)
    analysis = run(table, plan(), stopped)
    without = [
        row for row in table
        if row["participant_id"] not in ("sub-03", "sub-05", "sub-07") or row["visit"] in ("M00", "M03")
    ]  # fmt: skip
    found = analysis.results.frame.query("estimator == 'mmrm' and analysis_set == 'itt'").set_index(
        "endpoint"
    )
    direct = run(without, protocol(), stopped).results.frame.query("prespecified").iloc[0]
    assert found.loc[NAME, "estimate"] == pytest.approx(direct["estimate"], rel=1e-9)
    whole = run(table, protocol(), stopped).results.frame.query("prespecified").iloc[0]
    beside = found.loc[f"{NAME} (values after events kept)"]
    assert beside["estimate"] == pytest.approx(whole["estimate"], rel=1e-9)
    assert not beside["prespecified"]
    assert "Values measured after stopped the drug were taken as missing" in analysis.methods
    assert "in 3 participants" in analysis.methods


def test_a_treatment_policy_keeps_them():
    table, stopped = rows(drop=0.0), people(sub_03=100.0)
    one, other = run(table, plan("treatment-policy"), stopped), run(table, protocol(), stopped)
    assert one.results == other.results


def test_a_visit_without_a_day_has_that_of_the_protocol():
    table = [{**row, "day": None} for row in rows(drop=0.0)]
    kept = before_events(Measurements.from_rows(table), plan(), plan().primary, people(sub_03=100.0))
    frame = kept.measurements.frame.set_index("participant_id")
    own = frame.loc["sub-03"]
    assert set(own.loc[own["value"].isna(), "visit"]) == {"M06", "M12"}


@pytest.mark.parametrize(
    ("covariates", "words"),
    [
        (None, "add stop_day to participants.tsv"),
        (people().rename(columns={"stop_day": "stopday"}), "did you mean 'stopday'"),
        (people(sub_03="June").astype(object), "'June' for sub-03"),
    ],
)
def test_a_column_that_is_not_one_of_days_is_named(covariates, words):
    with pytest.raises(RefuseRun, match=words):
        analyse(Measurements.from_rows(rows()), plan(), allocation(), covariates)
