"""Measurements to one row a participant: nobody and nothing vanishes without a word."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from remyelin.errors import RefuseRun
from remyelin.protocol import Protocol
from remyelin.tables import Measurements
from remyelin.trial.endpoint import participant_changes
from remyelin.trial.submedian import submedian_change


def changed(rows, **where):
    """The rows with `set` applied to those whose columns equal `where`."""
    new = where.pop("set")
    return [row | new if all(row[name] == value for name, value in where.items()) else row for row in rows]


def row_of(changes, person: str) -> pd.Series:
    return changes.frame.set_index("participant_id").loc[person]


def test_is_the_submedian_endpoint_of_the_arrays(rows, protocol):
    table = rows()
    changes = participant_changes(Measurements.from_rows(table), protocol)
    frame = pd.DataFrame(table).pivot(index="participant_id", columns=["visit", "site"], values="value")
    direct = submedian_change(frame["M00"], frame["M06"], se_baseline=1.0, se_follow_up=1.0).frame
    np.testing.assert_allclose(changes.frame["change"], direct["plain_pu"])
    np.testing.assert_allclose(changes.frame["change_rtm_removed"], direct["corrected_pu"])
    np.testing.assert_allclose(changes.frame["se"], np.sqrt(2 / 6))
    assert (changes.frame["quality"] == "pass").all()
    assert "20 of 20" in str(changes)
    assert changes._repr_html_().count("<table") == 1
    assert list(changes.to_frame()["n_selected"]) == [6] * 20


def test_the_order_of_rows_does_not_matter(rows, protocol):
    table = rows()
    one = participant_changes(Measurements.from_rows(table), protocol).frame
    other = participant_changes(Measurements.from_rows(table[::-1]), protocol).frame
    pd.testing.assert_frame_equal(one, other)


def test_the_weighted_endpoint_uses_every_lesion_by_its_precision(rows, protocol):
    table = rows(n=3)
    table = changed(table, site="lesion:000", set={"se": 0.1})
    endpoint = protocol.endpoint[1]
    row = participant_changes(Measurements.from_rows(table), protocol, endpoint).frame.iloc[0]
    frame = (
        pd.DataFrame(table)
        .query("participant_id == 'sub-00'")
        .pivot(index="site", columns="visit", values="value")
    )
    change, weight = frame["M06"] - frame["M00"], np.r_[100.0, np.ones(11)]
    assert row["change"] == pytest.approx(np.average(change, weights=weight))
    assert row["change_mean"] == pytest.approx(change.mean())
    assert row["rtm"] == 0
    assert row["follow_up"] - row["baseline"] == pytest.approx(row["change"])


def test_failed_values_leave_but_are_counted_and_listed(rows, protocol):
    table = changed(
        rows(), participant_id="sub-03", visit="M06", set={"quality": "fail", "reason": "3 mm off"}
    )
    table = changed(
        table, participant_id="sub-04", site="lesion:002", set={"quality": "fail", "reason": "edge"}
    )
    table = changed(
        table, participant_id="sub-05", site="lesion:001", set={"quality": "flag", "reason": "small"}
    )
    measurements = Measurements.from_rows(table)
    changes = participant_changes(measurements, protocol)
    lost, part, doubtful = (row_of(changes, f"sub-0{k}") for k in (3, 4, 5))
    assert np.isnan(lost["change"])
    assert (lost["quality"], lost["n_failed"]) == ("fail", 12)
    assert "3 mm off" in lost["reason"]
    assert (part["quality"], part["n_failed"], part["n_sites"]) == ("pass", 2, 11)
    assert (doubtful["quality"], doubtful["reason"]) == ("flag", "small")
    assert "12 of quality fail" in changes.steps["reason"].iloc[-1]
    kept = participant_changes(measurements, protocol, keep_failed=True)
    assert row_of(kept, "sub-03")["n_used"] == 6
    assert row_of(kept, "sub-03")["quality"] == "fail"


def test_one_lesion_and_no_lesion_at_follow_up_are_said(rows, protocol):
    table = [r for r in rows() if r["participant_id"] != "sub-01" or r["site"] == "lesion:000"]
    gone = {"value": np.nan, "state": "absent", "reason": "vanished"}
    table = changed(table, participant_id="sub-02", visit="M06", set=gone)
    table = [r for r in table if r["participant_id"] != "sub-03" or r["visit"] == "M00"]
    changes = participant_changes(Measurements.from_rows(table), protocol)
    assert "median of one" in row_of(changes, "sub-01")["reason"]
    assert "measured at follow-up" in row_of(changes, "sub-02")["reason"]
    assert len(changes.frame) == 20
    last = changes.steps.iloc[-1]
    assert last["participants"] == 17
    assert "12 vanished" in last["reason"]
    assert "12 without a row" in last["reason"]
    assert "1 participants with a single lesion" in changes.steps["reason"].iloc[2]
    assert changes.steps["sites"].is_monotonic_decreasing


def test_a_new_lesion_has_no_baseline_and_does_not_count(rows, protocol):
    new = {"value": np.nan, "state": "absent", "reason": "new at M06"}
    table = changed(rows(), participant_id="sub-02", visit="M00", site="lesion:004", set=new)
    assert row_of(participant_changes(Measurements.from_rows(table), protocol), "sub-02")["n_sites"] == 11


def test_a_visit_outside_its_window_is_flagged_and_used(rows, protocol):
    table = changed(rows(), participant_id="sub-07", visit="M06", set={"day": 240.0})
    changes = participant_changes(Measurements.from_rows(table), protocol)
    late = row_of(changes, "sub-07")
    assert late["quality"] == "flag"
    assert "240" in late["reason"]
    assert np.isfinite(late["change"])
    flag = next(flag for flag in changes.flags if "sub-07" in flag.found)
    assert "168 to 196" in flag.expected


def test_a_window_counts_from_the_participants_own_baseline(rows, protocol):
    table = [row | {"day": row["day"] + 30} for row in rows()]
    changes = participant_changes(Measurements.from_rows(table), protocol)
    assert not [flag for flag in changes.flags if "day" in flag.field]


def test_missing_days_are_flagged_where_there_is_a_window(rows, protocol):
    table = changed(rows(n=4), participant_id="sub-01", set={"day": np.nan})
    flags = participant_changes(Measurements.from_rows(table), protocol).flags
    assert sum("no day" in flag.found for flag in flags) == 1


def test_a_follow_up_before_the_baseline_is_not_analysed(rows, protocol):
    table = changed(rows(), participant_id="sub-06", visit="M06", set={"day": -3.0})
    changes = participant_changes(Measurements.from_rows(table), protocol)
    wrong = row_of(changes, "sub-06")
    assert np.isnan(wrong["change"])
    assert wrong["quality"] == "fail"
    assert "not after" in wrong["reason"]
    assert any(flag.quality == "fail" for flag in changes.flags)


def test_a_second_baseline_is_found_and_used(rows, protocol):
    table = rows(n=200, visits=("SCR", "M00", "M06"))
    table = changed(table, visit="SCR", set={"day": 0.0})  # the same day: scan and rescan
    changes = participant_changes(Measurements.from_rows(table), protocol)
    assert changes.submedian is not None
    assert changes.submedian.correction == "second-baseline"
    assert changes.frame["change_rtm_removed"].mean() == pytest.approx(0, abs=0.08)
    assert changes.frame["change"].mean() > 0.15


def test_a_few_rescans_give_the_floor_that_the_others_need(rows, protocol):
    table = rows(n=100, lesions=40, visits=("SCR", "M00", "M06"))
    table = [row | {"se": 0.6} for row in table if row["visit"] != "SCR" or row["participant_id"] < "sub-10"]
    changes = participant_changes(Measurements.from_rows(table), protocol)
    assert changes.submedian is not None
    assert changes.submedian.correction == "expected"
    assert changes.submedian.floor is not None
    floor = changes.submedian.floor
    assert floor.variance_pu2 == pytest.approx(0.64, abs=0.2)
    assert floor.n_participants == 10
    assert (changes.frame["rtm_floor_se"] > 0).all()


def test_an_error_known_from_one_image_only_is_flagged(measurements, protocol):
    assert any("single image" in flag.found for flag in participant_changes(measurements, protocol).flags)
    known = protocol.model_copy(update={"measure": protocol.measure.model_copy(update={"rescan_sd_pu": 0.5})})
    assert not participant_changes(measurements, known).flags


def test_halves_are_used_where_no_error_is_known(rows, protocol):
    table = [row | {"se": np.nan} for row in rows(n=6)]
    halves = [
        row | {"condition": f"half={half}", "value": row["value"] + step}
        for row in table if row["visit"] == "M00" for half, step in (("a", 0.3), ("b", -0.3))
    ]  # fmt: skip
    changes = participant_changes(Measurements.from_rows(table + halves), protocol)
    assert changes.submedian is not None
    assert changes.submedian.correction == "cross-fit"
    assert changes.frame["rtm_left"].isna().all()
    alone = participant_changes(Measurements.from_rows(table), protocol)
    assert alone.frame["rtm"].isna().all()
    assert alone.frame["change"].notna().all()
    assert alone.frame["reason"].str.contains("not estimated").all()


def test_conditions_do_not_leak_into_the_endpoint(rows, protocol):
    table = rows(n=4)
    other = [row | {"condition": "part=core", "value": 5.0} for row in table]
    one = participant_changes(Measurements.from_rows(table), protocol).frame
    pd.testing.assert_frame_equal(
        participant_changes(Measurements.from_rows(table + other), protocol).frame, one
    )


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"measure": "mtsat_pu", "value": 3.0}, "mtr_pu, which was not measured"),
        ({"site": "tissue:nawm"}, "not measured at any lesion"),
        ({"condition": "part=core"}, "only under the conditions"),
    ],
)
def test_an_endpoint_that_was_not_measured_is_refused(rows, protocol, change, word):
    table = [row | change for row in rows(n=2, lesions=1)]
    with pytest.raises(RefuseRun, match=word):
        participant_changes(Measurements.from_rows(table), protocol)


def test_a_visit_that_nobody_had_is_refused(rows, protocol):
    table = [row | {"visit": "M6"} if row["visit"] == "M06" else row for row in rows(n=2)]
    with pytest.raises(RefuseRun, match="did you mean 'M6'"):
        participant_changes(Measurements.from_rows(table), protocol)


def test_eyes_are_averaged_like_lesions_without_a_selection(protocol):
    tables = protocol.model_dump(exclude_none=True)
    tables["endpoint"] = [
        {"id": "latency", "role": "primary", "measure": "p100_latency_ms", "site": "eye",
         "visits": ["M00", "M06"], "estimator": "ancova", "formula": "change ~ arm + baseline"}
    ]  # fmt: skip
    tables["arm"] = list(tables["arm"])
    eyes = Protocol.from_tables(tables)
    rows = [
        {"participant_id": "sub-01", "visit": visit, "day": day, "site": f"eye:{eye}",
         "measure": "p100_latency_ms", "value": value, "unit": "ms"}
        for visit, day, eye, value in (
            ("M00", 0, "OD", 120.0), ("M06", 182, "OD", 117.0),
            ("M00", 0, "OS", 110.0), ("M06", 182, "OS", 109.0),
        )
    ]  # fmt: skip
    row = participant_changes(Measurements.from_rows(rows), eyes).frame.iloc[0]
    assert (row["change"], row["unit"], row["n_sites"]) == (-2.0, "ms", 2)
