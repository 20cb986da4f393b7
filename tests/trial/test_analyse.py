"""Measurements and allocation to results: what is prespecified, what stands beside it, who is left out."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from remyelin.errors import RefuseRun
from remyelin.protocol import Protocol
from remyelin.tables import Measurements, Results
from remyelin.trial.analyse import analyse
from remyelin.trial.linear import ancova

NAME = "submedian-lesion-mtr"


def primary(analysis) -> pd.Series:
    frame = analysis.results.frame
    return frame[(frame["endpoint"] == NAME) & frame["prespecified"]].iloc[0]


def slopes(value: float = 0.8, n: int = 20) -> list[dict]:
    rng = np.random.default_rng(9)
    return [
        {"participant_id": f"sub-{k:02d}", "visit": "M06", "site": "participant",
         "measure": "mtr_calibration_slope", "value": value + rng.normal(0, 0.02), "se": 0.02,
         "unit": "1", "state": "present", "quality": "pass"}
        for k in range(n)
    ]  # fmt: skip


def with_formula(protocol: Protocol, formula: str, **changes: object) -> Protocol:
    first = protocol.endpoint[0].model_copy(update={"formula": formula, **changes})
    return protocol.model_copy(update={"endpoint": (first,)})


def test_the_prespecified_row_is_the_ancova_of_the_endpoint(measurements, protocol, allocation):
    analysis = analyse(measurements, protocol, allocation)
    people = analysis.participants.query("endpoint == @NAME and analysed")
    direct = ancova("change ~ arm + baseline", people, reference="placebo").contrasts().iloc[0]
    row = primary(analysis)
    assert row["contrast"] == "treated - placebo"
    for ours, theirs in (("estimate", "estimate"), ("se", "se"), ("df", "df"), ("statistic", "t"), ("p", "p"),
                         ("ci_low", "ci_low"), ("ci_high", "ci_high")):  # fmt: skip
        assert row[ours] == pytest.approx(direct[theirs], rel=1e-9)
    assert (row["n_participants"], row["n_sites"], row["unit"]) == (20, 120, "pu")
    assert analysis.results.frame["prespecified"].sum() == 2
    assert analysis.fits[NAME].n == 20


def test_siblings_are_named_and_not_prespecified(rows, protocol, allocation):
    analysis = analyse(Measurements.from_rows(rows() + slopes()), protocol, allocation)
    frame = analysis.results.frame.set_index("endpoint")
    assert set(frame.index[~frame["prespecified"]]) == {
        f"{NAME} (regression to the mean removed)",
        f"{NAME} (regression to the mean removed, calibrated)",
        f"{NAME} (precision-weighted mean of lesions)",
        f"{NAME} (weighted by measurement error)",
        "lesion-mtr-weighted (weighted by measurement error)",
        "lesion-mtr-weighted (plain mean of lesions)",
        "lesion-mtr-weighted (calibrated)",
    }
    removed, calibrated = (
        frame.loc[f"{NAME} (regression to the mean removed{words})"] for words in ("", ", calibrated")
    )
    assert calibrated["estimate"] == pytest.approx(removed["estimate"] / 0.8, rel=0.02)
    assert calibrated["se"] > removed["se"] / 0.81


def test_a_true_effect_is_found_and_none_is_not(rows, protocol, allocation):
    found = primary(analyse(Measurements.from_rows(rows(effect=3.0, lesions=40)), protocol, allocation))
    assert found["ci_low"] < 3.0 < found["ci_high"]
    assert found["p"] < 1e-6


def test_the_result_survives_the_file(measurements, protocol, allocation, tmp_path):
    analysis = analyse(measurements, protocol, allocation)
    analysis.results.write(tmp_path / "results.tsv")
    again = Results.read(tmp_path / "results.tsv")
    pd.testing.assert_frame_equal(again.frame, analysis.results.frame, rtol=1e-12)
    assert str(analysis).startswith(f"{NAME}, treated - placebo")
    assert "<table" in analysis._repr_html_()
    assert len(analysis.to_frame()) == len(analysis.results)


def test_order_of_rows_and_of_the_allocation_change_nothing(rows, protocol, allocation):
    table = rows()
    one = analyse(Measurements.from_rows(table), protocol, allocation)
    other = analyse(Measurements.from_rows(table[::-1]), protocol, allocation.iloc[::-1])
    pd.testing.assert_frame_equal(one.participants, other.participants)
    assert one.results == other.results
    assert one.methods == other.methods


def test_everybody_stands_in_the_table_with_a_reason(rows, protocol, allocation):
    table = [row for row in rows() if row["participant_id"] != "sub-04"]
    short = allocation[allocation["participant_id"] != "sub-06"]
    analysis = analyse(Measurements.from_rows(table), protocol, short)
    people = analysis.participants.query("endpoint == @NAME").set_index("participant_id")
    assert len(people) == 20
    assert "not measured" in people.loc["sub-04", "reason"]
    assert "not in the allocation" in people.loc["sub-06", "reason"]
    assert people["analysed"].sum() == primary(analysis)["n_participants"] == 18
    assert {flag.field for flag in analysis.flags} >= {"allocation"}
    words = " ".join(str(flag) for flag in analysis.flags)
    assert "sub-04" in words
    assert "sub-06" in words
    assert analysis.attrition["participants"].tolist()[:2] == [19, 18]
    assert analysis.attrition["step"].iloc[-1] == "analysed"
    assert "sub-06" in analysis.attrition["reason"].iloc[-1]


def test_a_lost_zero_is_recognised(measurements, protocol, allocation):
    allocation["participant_id"] = allocation["participant_id"].replace("sub-02", "sub-2")
    analysis = analyse(measurements, protocol, allocation)
    assert any("did you mean 'sub-2'" in flag.fix for flag in analysis.flags)


def test_failed_quality_leaves_and_stands_in_a_sensitivity_row(rows, protocol, allocation):
    table = [
        row | {"quality": "fail", "reason": "3 mm off"} if row["participant_id"] == "sub-03" else row
        for row in rows()
    ]
    analysis = analyse(Measurements.from_rows(table), protocol, allocation)
    frame = analysis.results.frame.set_index("endpoint")
    assert frame.loc[NAME, "n_participants"] == 19
    kept = frame.loc[f"{NAME} (quality fail included)"]
    assert (kept["n_participants"], kept["analysis_set"], kept["prespecified"]) == (20, "all measured", False)
    assert "24 values of quality fail" in analysis.methods


def test_covariates_enter_by_name_and_the_incomplete_leave(measurements, protocol, allocation):
    covariates = pd.DataFrame(
        {"participant_id": allocation["participant_id"], "age": [str(30 + k % 7) for k in range(20)],
         "centre": ["A", "B"] * 5 + ["B", "A"] * 5}
    )  # fmt: skip
    covariates.loc[5, "age"] = "n/a"
    adjusted = with_formula(protocol, "change ~ arm + baseline + age + C(centre)")
    analysis = analyse(measurements, adjusted, allocation, covariates)
    assert primary(analysis)["df"] == 19 - 5
    assert list(analysis.fits[NAME].table.index)[-2:] == ["age", "C(centre)[T.B]"]
    left = analysis.participants.set_index("participant_id").loc["sub-05"]
    assert not left["analysed"]
    assert "no age" in left["reason"]
    assert any(flag.field == "age" for flag in analysis.flags)
    with pytest.raises(RefuseRun, match="did you mean 'centre'"):
        analyse(measurements, with_formula(protocol, "change ~ arm + center"), allocation, covariates)
    with pytest.raises(RefuseRun, match=r"add age to participants\.tsv"):
        analyse(measurements, with_formula(protocol, "change ~ arm + age"), allocation)


def test_the_follow_up_value_gives_the_same_effect_when_adjusted_for_baseline(
    measurements, protocol, allocation
):
    one, other = (
        primary(analyse(measurements, with_formula(protocol, f"{response} ~ arm + baseline"), allocation))
        for response in ("change", "value")
    )
    assert other["estimate"] == pytest.approx(one["estimate"], rel=1e-9)


def test_three_arms_give_two_contrasts(measurements, protocol, allocation):
    high = protocol.arm[0].model_copy(update={"id": "high"})
    three = protocol.model_copy(update={"arm": (*protocol.arm, high)})
    allocation["arm"] = [["placebo", "treated", "high"][k % 3] for k in range(20)]
    analysis = analyse(measurements, three, allocation)
    frame = analysis.results.frame
    assert set(frame.loc[frame["endpoint"] == NAME, "contrast"]) == {"high - placebo", "treated - placebo"}
    assert "not adjusted for the number of arms" in analysis.methods


def test_the_methods_say_what_was_done_with_numbers(rows, protocol, allocation):
    text = analyse(Measurements.from_rows(rows() + slopes()), protocol, allocation).methods
    expected = (
        "10.1016/S1474-4422(21)00179-4",
        "placebo 10, treated 10",
        "regression to the mean",
        "M00 to M06",
        "17 degrees of freedom",
        "80 % (SE",
        "not prespecified",
        "not imputed",
    )
    for words in expected:
        assert words in text


def test_an_error_shared_by_all_widens_the_interval(rows, protocol, allocation):
    """Arms of unequal noise: the floor's error moves the corrected difference, so it is in its interval."""
    table = rows(visits=("SCR", "M00", "M06"), lesions=30)
    table = [row for row in table if row["visit"] != "SCR" or row["participant_id"] < "sub-04"]
    table = [row | {"se": 0.2 if int(row["participant_id"][-2:]) % 2 else 2.0} for row in table]
    analysis = analyse(Measurements.from_rows(table), protocol, allocation)
    people = analysis.participants.query("endpoint == @NAME")
    assert (people["rtm_floor_se"] > 0).all()
    plain = ancova("change_rtm_removed ~ arm + baseline", people, reference="placebo").contrasts().iloc[0]
    row = analysis.results.frame.set_index("endpoint").loc[f"{NAME} (regression to the mean removed)"]
    assert row["estimate"] == pytest.approx(plain["estimate"], rel=1e-9)
    assert row["se"] > plain["se"]


def test_a_primary_endpoint_that_cannot_be_analysed_refuses_the_run(rows, protocol, allocation):
    one_arm = allocation[allocation["arm"] == "treated"]
    with pytest.raises(RefuseRun, match="at least two arms"):
        analyse(Measurements.from_rows(rows()), protocol, one_arm)
    with pytest.raises(RefuseRun, match=NAME):
        analyse(Measurements.from_rows(rows(n=2)), protocol, allocation)
    single = Measurements.from_rows(rows(lesions=1))
    with pytest.raises(RefuseRun):
        analyse(single, protocol, allocation)


def test_a_secondary_endpoint_that_cannot_be_analysed_is_flagged(measurements, protocol, allocation):
    other = protocol.endpoint[1].model_copy(update={"measure": "mtsat_pu"})
    changed = protocol.model_copy(update={"endpoint": (other, protocol.endpoint[0])})
    analysis = analyse(measurements, changed, allocation)
    assert set(analysis.participants["endpoint"]) == {NAME}
    assert any(flag.quality == "fail" and "mtsat_pu" in flag.found for flag in analysis.flags)


def test_a_slope_near_zero_divides_nothing(rows, protocol, allocation):
    analysis = analyse(Measurements.from_rows(rows() + slopes(0.05)), protocol, allocation)
    assert not analysis.results.frame["endpoint"].str.contains("calibrated").any()


def test_without_known_errors_the_published_endpoint_stands_alone(rows, protocol, allocation):
    table = [row | {"se": np.nan} for row in rows()]
    only = with_formula(protocol, "change ~ arm + baseline")
    analysis = analyse(Measurements.from_rows(table), only, allocation)
    assert analysis.results.frame["endpoint"].tolist() == [NAME]
    assert "could not be estimated" in analysis.methods
    halves = [
        row | {"condition": f"half={half}", "value": row["value"] + step}
        for row in table if row["visit"] == "M00" for half, step in (("a", 0.3), ("b", -0.3))
    ]  # fmt: skip
    crossed = analyse(Measurements.from_rows(table + halves), only, allocation)
    assert "how much stays is not known" in crossed.methods
    assert crossed.results.frame["endpoint"].tolist() == [NAME, f"{NAME} (regression to the mean removed)"]


def test_a_sibling_that_cannot_be_estimated_is_flagged_alone(rows, protocol, allocation):
    """Errors are known in one arm only: its correction has nobody to be compared with."""
    table = [row | {"se": 1.0 if int(row["participant_id"][-2:]) % 2 else np.nan} for row in rows()]
    analysis = analyse(Measurements.from_rows(table), protocol, allocation)
    assert primary(analysis)["n_participants"] == 20
    assert any("regression to the mean removed" in flag.field for flag in analysis.flags)
