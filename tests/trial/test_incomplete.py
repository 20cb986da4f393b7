"""Missing follow-up as the protocol treats it: imputed, and shifted until the answer is lost."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from remyelin.protocol import Protocol
from remyelin.tables import Measurements
from remyelin.trial.analyse import Analysis, analyse
from remyelin.trial.missing import impute

from .test_analyse_visits import NAME, allocation, protocol, rows

ONE = {"estimator": "ancova", "visits": ["M00", "M12"], "formula": "change ~ arm + baseline"}


def run(plan: Protocol, table: list[dict[str, Any]] | None = None) -> Analysis:
    table = rows(drop=0.4, effect=4.0) if table is None else table
    return analyse(Measurements.from_rows(table), plan, allocation())


def by_name(analysis: Analysis) -> pd.DataFrame:
    return analysis.results.frame.set_index(["endpoint", "analysis_set", "estimator"])


def test_the_prespecified_row_pools_the_imputations_of_everyone():
    plan = protocol(**ONE, missing="mar", imputations=20, seed=7)
    analysis = run(plan)
    row = by_name(analysis).loc[(NAME, "itt", "ancova")]
    assert (row["n_participants"], row["prespecified"]) == (40, True)
    assert len(analysis.rows[NAME]) < 40
    table = analysis.rows[NAME][["participant_id", "change", "baseline"]]
    everyone = analysis.participants[["participant_id", "arm", "baseline_at_entry"]].merge(
        table, on="participant_id", how="left"
    )
    everyone["baseline"] = everyone["baseline"].fillna(everyone["baseline_at_entry"])
    direct = impute(
        everyone.assign(visit="M12"), subject="participant_id", visit="visit", value="change", arm="arm",
        covariates=["baseline"], reference="placebo", m=20, rng=7,
    ).analyse().iloc[0]  # fmt: skip
    for ours, theirs in (("estimate", "estimate"), ("se", "se"), ("df", "df"), ("p", "p")):
        assert row[ours] == pytest.approx(direct[theirs], rel=1e-9)
    completers = by_name(analysis).loc[(NAME, "completers", "ancova")]
    assert not completers["prespecified"]
    assert completers["n_participants"] == len(table)


def test_leavers_who_jump_to_reference_show_less_of_the_effect():
    found = by_name(run(protocol(missing="j2r", imputations=50)))
    jumped = found.loc[(NAME, "itt", "ancova")]
    assert jumped["n_participants"] == 40
    asked = protocol(missing="mar", imputations=50, sensitivity=["j2r", "cr", "cir"])
    frame = by_name(run(asked))
    at_random = frame.loc[(NAME, "itt", "ancova"), "estimate"]
    for words in ("jump to reference", "copy reference", "copy increments in reference"):
        row = frame.loc[(f"{NAME} ({words})", "itt", "ancova")]
        assert row["estimate"] < at_random
        assert not row["prespecified"]
    again = frame.loc[(f"{NAME} (jump to reference)", "itt", "ancova"), "estimate"]
    assert again == pytest.approx(jumped["estimate"], rel=1e-9)


def test_a_delta_worsens_those_who_left_the_other_arm():
    plain, worse = (run(protocol(missing="mar", imputations=20, **more)) for more in ({}, {"delta": -3.0}))
    key = (NAME, "itt", "ancova")
    assert by_name(worse).loc[key, "estimate"] < by_name(plain).loc[key, "estimate"]
    assert "-3 added in the other arms" in worse.methods


def test_the_tipping_point_stands_in_a_table_and_in_the_methods():
    analysis = run(protocol(sensitivity=["tipping-point"]))
    table = analysis.tipping
    assert list(table.columns[:3]) == ["endpoint", "contrast", "delta"]
    assert set(table["contrast"]) == {"treated - placebo"}
    tip = table.iloc[(table["p"] - 0.05).abs().argmin()]
    assert tip["p"] == pytest.approx(0.05, abs=1e-6)
    assert f"shifted by {tip['delta']:+.4g}" in analysis.methods


def test_sensitivity_of_complete_data_is_told_and_makes_no_rows():
    analysis = run(protocol(sensitivity=["j2r", "tipping-point"]), rows(drop=0.0))
    assert "No follow-up was missing" in analysis.methods
    assert not analysis.results.frame["endpoint"].str.contains("reference").any()
    assert analysis.tipping.empty


def test_the_methods_say_how_often_from_which_seed_and_by_whose_rules():
    text = run(protocol(missing="j2r", imputations=20, seed=11)).methods
    for words in (
        "20 times (seed 11",
        "10.1080/10543406.2013.834911",
        "10.1093/biomet/86.4.948",
        "analysis of covariance",
    ):
        assert words in text
    assert "not imputed" not in text


def test_robust_errors_and_order_of_rows():
    plan = protocol(**ONE, missing="mar", imputations=10, covariance="HC3")
    table = rows(drop=0.4)
    one, other = run(plan, table), run(plan, table[::-1])
    assert one.results == other.results
    classical = run(protocol(**ONE, missing="mar", imputations=10), table)
    key = (NAME, "itt", "ancova")
    assert by_name(one).loc[key, "estimate"] == pytest.approx(
        by_name(classical).loc[key, "estimate"], rel=1e-9
    )
    assert by_name(one).loc[key, "se"] != by_name(classical).loc[key, "se"]


def test_who_has_no_baseline_cannot_be_imputed():
    table = [row for row in rows() if (row["participant_id"], row["visit"]) != ("sub-05", "M00")]
    analysis = run(protocol(missing="mar", imputations=10), table)
    assert by_name(analysis).loc[(NAME, "itt", "ancova"), "n_participants"] == 39
    people = analysis.participants.set_index("participant_id")
    assert not people.loc["sub-05", "analysed"]
    assert np.isnan(people.loc["sub-05", "baseline"])
