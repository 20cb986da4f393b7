"""Several visits: one row a participant and visit, missing ones by likelihood."""

from __future__ import annotations

import copy
import tomllib
from importlib import resources
from typing import Any

import numpy as np
import pandas as pd
import pytest

from remyelin.protocol import Protocol
from remyelin.tables import Measurements
from remyelin.trial import mmrm
from remyelin.trial.analyse import Analysis, analyse

NAME = "edss"
DAYS = {"M00": 0.0, "M03": 91.0, "M06": 182.0, "M12": 364.0}
DEMO = tomllib.loads((resources.files("remyelin") / "protocols" / "demo.toml").read_text("utf-8"))


def protocol(*, sets: dict[str, Any] | None = None, **changes: Any) -> Protocol:
    content = copy.deepcopy(DEMO)
    content["visit"] = [{"id": visit, "day": day, "window_days": [-20, 20]} for visit, day in DAYS.items()]
    endpoint = {
        "id": NAME, "role": "primary", "measure": "rnfl_um", "site": "eye", "visits": list(DAYS),
        "estimator": "mmrm", "formula": "change ~ arm * visit + baseline * visit",
    }  # fmt: skip
    content["endpoint"] = [{**endpoint, **changes}]
    if sets:
        content["sets"] = sets
    return Protocol.from_tables(content)


def rows(n: int = 40, effect: float = 2.0, seed: int = 3, drop: float = 0.15) -> list[dict[str, Any]]:
    rng = np.random.default_rng(seed)
    out = []
    for k in range(n):
        level, slope = rng.normal(80, 8), rng.normal(0, 1)
        last = 1 + int(rng.integers(1, 4)) if rng.random() < drop else 4
        for j, (visit, day) in enumerate(DAYS.items()):
            gain = effect * (k % 2) * j / 3 + slope * j
            out += [
                {"participant_id": f"sub-{k:02d}", "visit": visit, "day": day, "site": f"eye:{eye}",
                 "measure": "rnfl_um", "value": level + gain + rng.normal(0, 1.5), "se": 1.0, "unit": "um"}
                for eye in ("OD", "OS") if j < last
            ]  # fmt: skip
    return out


def allocation(n: int = 40) -> pd.DataFrame:
    ids = [f"sub-{k:02d}" for k in range(n)]
    return pd.DataFrame({"participant_id": ids, "arm": [("placebo", "treated")[k % 2] for k in range(n)]})


def run(table: list[dict[str, Any]], plan: Protocol, covariates: pd.DataFrame | None = None) -> Analysis:
    return analyse(Measurements.from_rows(table), plan, allocation(), covariates)


def test_the_prespecified_row_is_the_mmrm_at_the_last_visit():
    analysis = run(rows(), protocol())
    frame = analysis.results.frame
    row = frame[frame["prespecified"]].iloc[0]
    table = analysis.rows[NAME]
    direct = mmrm(
        "change ~ arm * visit + baseline * visit", table, subject="participant_id", visit="visit",
        arm="arm", reference="placebo",
    ).contrasts().xs("M12", level="visit").iloc[0]  # fmt: skip
    for ours, theirs in (
        ("estimate", "estimate"),
        ("se", "se"),
        ("df", "df"),
        ("p", "p"),
        ("ci_low", "ci_low"),
    ):
        assert row[ours] == pytest.approx(direct[theirs], rel=1e-9)
    assert (row["analysis_set"], row["estimator"], row["n_participants"]) == ("itt", "mmrm", 40)
    assert row["ci_low"] < 2.0 < row["ci_high"]


def test_visits_before_completers_and_means_stand_beside_it():
    frame = run(rows(), protocol()).results.frame
    found = frame.set_index(["endpoint", "analysis_set", "estimator"])
    assert (f"{NAME} (at M03)", "itt", "mmrm") in found.index
    assert (f"{NAME} (at M06)", "itt", "mmrm") in found.index
    completers = found.loc[(NAME, "completers", "mmrm")]
    assert completers["n_participants"] < 40
    assert (
        found.loc[(f"{NAME} (means of participants)", "completers", "ancova")]["n_participants"]
        == (completers["n_participants"])
    )
    assert frame["prespecified"].sum() == 1


def test_the_methods_name_visits_covariance_and_degrees_of_freedom():
    text = run(rows(), protocol()).methods
    for words in (
        "M03, M06, M12",
        "unstructured covariance",
        "10.2307/2533558",
        "intention to treat",
        "at random",
    ):
        assert words in text


def test_options_reach_the_estimator():
    analysis = run(rows(), protocol(covariance="ar1", df="satterthwaite"))
    assert analysis.fits[NAME].spec.covariance == "ar1"
    assert "Satterthwaite" in analysis.methods


def test_who_did_not_keep_to_the_protocol_leaves_the_set_per_protocol():
    covariates = pd.DataFrame(
        {"participant_id": allocation()["participant_id"], "kept": ["yes"] * 39 + ["no"]}
    )
    table = [
        row | {"day": 130.0} if (row["participant_id"], row["visit"]) == ("sub-02", "M03") else row
        for row in rows()
    ]
    both = protocol(sets={"per_protocol": "kept", "windows": True})
    frame = run(table, both, covariates).results.frame
    kept = frame[frame["analysis_set"] == "per-protocol"]
    assert kept["n_participants"].tolist() == [38]
    assert not kept["prespecified"].any()
    own = run(table, protocol(sets={"per_protocol": "kept"}, analysis_set="per-protocol"), covariates)
    row = own.results.frame.query("prespecified").iloc[0]
    assert (row["analysis_set"], row["n_participants"]) == ("per-protocol", 39)
    people = own.participants.set_index("participant_id")
    assert people.loc["sub-39", "reason"] == "not in the analysis set per-protocol"


def test_an_answer_that_is_neither_yes_nor_no_is_named():
    from remyelin.errors import RefuseRun

    covariates = pd.DataFrame(
        {"participant_id": allocation()["participant_id"], "kept": ["yes"] * 39 + ["maybe"]}
    )
    with pytest.raises(RefuseRun, match="'maybe' for sub-39"):
        run(rows(), protocol(sets={"per_protocol": "kept"}), covariates)
    with pytest.raises(RefuseRun, match="did you mean 'kept'"):
        run(rows(), protocol(sets={"per_protocol": "keptt"}), covariates)


def test_order_of_rows_changes_nothing():
    table = rows()
    one, other = run(table, protocol()), run(table[::-1], protocol())
    assert one.results == other.results
    assert one.methods == other.methods
    pd.testing.assert_frame_equal(one.rows[NAME], other.rows[NAME])


@pytest.mark.parametrize("estimator", ["gee", "mixed"])
def test_noise_within_participants_does_not_decide_between_them(estimator):
    """Both eyes are alike but for noise: the slope within is -1, between 0; one for both misleads."""
    analysis = run(rows(effect=4.0), protocol(estimator=estimator, summary="site-change"))
    found = (
        analysis.results.frame.query("estimator == @estimator")
        .drop_duplicates("endpoint")
        .set_index("endpoint")
    )
    both = found.loc[f"{NAME} (mean baseline of the participant added)"]
    assert both["estimate"] == pytest.approx(4.0, abs=0.5)
    assert abs(found.loc[NAME, "estimate"] - 4.0) > abs(both["estimate"] - 4.0)
