"""Lesions from visit to visit, as a page tells them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from remyelin.report.lesions import LesionChanges, visit_order
from remyelin.tables import Measurements

DAYS = {"M00": 0, "M03": 90, "M06": 180}


def table(values: dict[tuple[str, str, str], float | None], reason: str = "") -> Measurements:
    rows = []
    for (participant, visit, lesion), value in values.items():
        row = {"participant_id": participant, "visit": visit, "day": DAYS[visit], "site": f"lesion:{lesion}"}
        state = {"state": "present" if value is not None else "absent", "quality": "pass", "reason": reason}
        rows.append(
            {**row, "measure": "mtr_pu", "value": value, "se": 0.3 if value else None, "unit": "pu", **state}
        )
    return Measurements.from_rows(rows)


def test_change_state_and_error_of_each_lesion():
    frame = LesionChanges.of(
        table(
            {
                ("sub-01", "M00", "001"): 30.0,
                ("sub-01", "M06", "001"): 31.0,
                ("sub-01", "M00", "002"): 28.0,
                ("sub-01", "M06", "002"): None,
                ("sub-01", "M06", "003"): 25.0,
            },
            reason="seen",
        ).frame
    ).frame.set_index("lesion")
    assert frame["state"].to_dict() == {"001": "followed", "002": "vanished", "003": "new"}
    assert frame["change"]["001"] == pytest.approx(1.0)
    assert frame["se"]["001"] == pytest.approx(0.3 * np.sqrt(2))
    assert np.isnan(frame["change"]["002"])
    assert frame["reason"]["001"] == "seen"


def test_submedian_is_strictly_below_the_participants_own_median():
    values = {("sub-01", "M00", f"{k:03d}"): 30.0 + k for k in range(5)}
    values |= {("sub-02", "M00", "000"): 50.0, ("sub-02", "M00", "001"): 60.0, ("sub-03", "M00", "000"): 20.0}
    values |= {(p, "M06", lesion): value for (p, _, lesion), value in values.items()}
    frame = LesionChanges.of(table(values).frame).frame
    chosen = frame[frame["submedian"]]
    assert list(zip(chosen["participant_id"], chosen["lesion"], strict=True)) == [
        ("sub-01", "000"),
        ("sub-01", "001"),
        ("sub-02", "000"),
    ]


def test_a_lesion_without_baseline_does_not_move_the_median():
    values = {("sub-01", "M00", "000"): 30.0, ("sub-01", "M00", "001"): 32.0}
    values |= {("sub-01", "M06", "000"): 30.0, ("sub-01", "M06", "001"): 32.0, ("sub-01", "M06", "002"): 10.0}
    frame = LesionChanges.of(table(values).frame).frame.set_index("lesion")
    assert frame["submedian"].to_dict() == {"000": True, "001": False, "002": False}


def with_volumes(
    values: dict[tuple[str, str, str], float | None], absent: tuple[str, str, str]
) -> pd.DataFrame:
    mtr = table(values).frame
    volume = mtr.assign(measure="lesion_volume_mm3", unit="mm3", value=50.0, se=np.nan)
    own = volume["site"].str.endswith(absent[2])
    gone = (volume["participant_id"] == absent[0]) & (volume["visit"] == absent[1]) & own
    volume.loc[gone, ["state", "value"]] = ["absent", 0.0]
    volume.loc[(volume["visit"] == "M06") & own, "reason"] = "seen at M06"
    return Measurements(pd.concat([mtr, volume])).frame


def test_tissue_before_it_became_a_lesion_is_no_baseline():
    values = {("sub-01", visit, lesion): 30.0 + int(lesion) for visit in ("M00", "M06") for lesion in "1239"}
    frame = LesionChanges.of(with_volumes(values, ("sub-01", "M00", "9"))).frame.set_index("lesion")
    assert frame["state"]["9"] == "new"
    assert np.isnan(frame["baseline"]["9"])
    assert np.isnan(frame["change"]["9"])
    assert frame["reason"]["9"] == "seen at M06"
    assert frame["submedian"].to_dict() == {"1": True, "2": False, "3": False, "9": False}


def test_the_place_of_a_vanished_lesion_is_still_followed():
    values = {("sub-01", visit, lesion): 30.0 for visit in ("M00", "M06") for lesion in "12"}
    frame = LesionChanges.of(with_volumes(values, ("sub-01", "M06", "2"))).frame.set_index("lesion")
    assert frame["state"]["2"] == "followed"
    assert frame["reason"]["2"] == "seen at M06"


def test_parts_of_lesions_and_halves_are_not_lesions():
    whole = table({("sub-01", "M00", "001"): 30.0, ("sub-01", "M06", "001"): 31.0}).frame
    halves = whole.assign(condition="half=a")
    both = Measurements.concat([Measurements(whole), Measurements(halves)])
    assert len(LesionChanges.of(both.frame).frame) == 1


def test_first_and_last_visit_are_compared_by_default():
    values = {("sub-01", visit, "001"): 30.0 + k for k, visit in enumerate(DAYS)}
    frame = table(values).frame
    assert visit_order(frame) == ["M00", "M03", "M06"]
    assert LesionChanges.of(frame).frame["change"][0] == pytest.approx(2.0)
    assert LesionChanges.of(frame, last="M03").frame["change"][0] == pytest.approx(1.0)


def test_a_flag_of_either_visit_stays_with_the_change():
    frame = table({("sub-01", "M00", "001"): 30.0, ("sub-01", "M06", "001"): 31.0}).frame
    frame.loc[frame["visit"] == "M06", ["quality", "reason"]] = ["flag", "moved"]
    row = LesionChanges.of(Measurements(frame).frame).frame.iloc[0]
    assert (row["quality"], row["reason"]) == ("flag", "moved")
