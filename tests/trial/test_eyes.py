"""Endpoints on eyes: which condition counts, a measure that is itself a change, and what an eye can lack."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from remyelin.errors import RefuseRun
from remyelin.protocol import Protocol
from remyelin.tables import MEASURES, Measurements
from remyelin.trial.analyse import analyse
from remyelin.trial.endpoint import Changes, participant_changes
from remyelin.trial.rows import endpoint_rows

from .conftest import person

CONDITION = "check=60;reader=auto"
DAYS = {"SCR": -20.0, "W00": 0.0, "W26": 182.0}
PROTOCOL = Protocol.read("ccmr-two")
LATENCY, SHIFT = PROTOCOL.endpoint
Rows = list[dict[str, Any]]


def row(k: int, visit: str, eye: str, measure: str, value: float | None, **more: Any) -> dict[str, Any]:
    out = {"participant_id": person(k), "visit": visit, "day": DAYS[visit], "site": f"eye:{eye}"}
    out |= {"measure": measure, "condition": CONDITION, "value": value, "se": 1.0, "unit": "ms"}
    state = "missing" if value is None else "present"
    return {**out, "state": state, "quality": "pass", "reason": "", **more}


def eyes(k: int, latency: dict[str, float], shift: dict[str, float], **more: Any) -> Rows:
    """One participant: the latency of each eye at W00, its shift at W26, and the latency that follows."""
    rows = [row(k, "W00", eye, "p100_latency_ms", value, **more) for eye, value in latency.items()]
    for eye, value in shift.items():
        rows.append(row(k, "W26", eye, "vep_shift_ms", value, se=0.5, **more))
        rows.append(row(k, "W26", eye, "p100_latency_ms", latency[eye] + value, **more))
    return rows


def changes(rows: Rows, endpoint=SHIFT, **options: Any) -> Changes:
    return participant_changes(Measurements.from_rows(rows), PROTOCOL, endpoint, **options)


def only(rows: Rows, endpoint=SHIFT, **options: Any) -> pd.Series:
    frame = changes(rows, endpoint, **options).frame
    assert len(frame) == 1
    return frame.iloc[0]


ONE = eyes(1, {"OD": 120.0, "OS": 110.0}, {"OD": -3.0, "OS": 1.0})


# ---------------------------------------------------------------- which condition


def under(rows: Rows, condition: str) -> Rows:
    return [each | {"condition": condition} for each in rows]


def test_the_condition_of_the_endpoint_is_the_one_that_counts():
    other = [each | {"value": each["value"] + 20, "condition": "check=15;reader=auto"} for each in ONE]
    assert only(ONE + other, LATENCY)["baseline"] == 115.0
    fine = LATENCY.model_copy(update={"condition": "reader=auto;check=15"})  # in any order of its keys
    assert only(ONE + other, fine)["baseline"] == 135.0


def test_parts_of_a_value_never_count_by_themselves():
    named = LATENCY.model_copy(update={"condition": ""})
    parts = [*under(ONE, f"{CONDITION};run=1"), *under(ONE, "check=60;hump=2;reader=auto")]
    parts += under(ONE, "reader=auto;sector=07")
    parts = [each | {"value": each["value"] + 9} for each in parts]
    found = endpoint_rows(Measurements.from_rows(ONE + parts), named)
    assert found.condition == CONDITION
    assert only(ONE + parts, named)["baseline"] == 115.0
    with pytest.raises(RefuseRun, match=r"only under the conditions.*run=1"):
        changes(parts, named)


def test_rows_without_a_condition_come_first():
    named = LATENCY.model_copy(update={"condition": ""})
    plain = [each | {"condition": "", "value": each["value"] + 7} for each in ONE]
    assert only(ONE + plain, named)["baseline"] == 122.0


def test_two_wholes_are_not_chosen_between():
    named = LATENCY.model_copy(update={"condition": ""})
    with pytest.raises(RefuseRun) as caught:
        changes(ONE + under(ONE, "check=60;reader=AB"), named)
    text = str(caught.value)
    for word in (
        "check=60;reader=AB, check=60;reader=auto",
        "endpoint 'p100-latency' condition",
        'condition = "',
    ):
        assert word in text


def test_a_condition_that_was_not_measured_is_told_the_nearest():
    with pytest.raises(RefuseRun, match="did you mean 'check=15;reader=auto'"):
        changes(under(ONE, "check=15;reader=auto"))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"condition": "check 60"}, ["condition", "check=60;reader=auto"]),
        ({"condition": "check=60;check=15"}, ["'check' twice"]),
        ({"condition": "half=a"}, ["a whole value"]),
        ({"measure": "vep_shift_ms", "visits": ["W04", "W26"]}, ["'W04' first", "'W00' first"]),
    ],
)
def test_a_protocol_that_cannot_be_is_refused(change, words):
    tables = PROTOCOL.model_dump(exclude_none=True)
    tables["visit"] = [tables["visit"][0], {"id": "W04", "day": 28.0}, tables["visit"][1]]
    tables["endpoint"] = [{**tables["endpoint"][0], **change}]
    with pytest.raises(RefuseRun) as caught:
        Protocol.from_tables(tables)
    assert [word for word in words if word not in str(caught.value)] == []


# ---------------------------------------------------------------- a measure that is a change


def test_a_change_is_of_a_measure_with_the_same_unit_and_sites():
    changing = [measure for measure in MEASURES.values() if measure.change_of]
    assert "vep_shift_ms" in [measure.name for measure in changing]
    for measure in changing:
        of = MEASURES[measure.change_of]
        assert (of.unit, of.sites, of.change_of) == (measure.unit, measure.sites, "")


def test_a_measured_change_is_not_subtracted_again():
    found = only(ONE)
    assert (found["baseline"], found["change"], found["follow_up"]) == (115.0, -1.0, 114.0)
    assert found["se"] == pytest.approx(np.hypot(0.5, 0.5) / 2)  # its own error only
    assert (found["n_sites"], found["n_used"], found["n_missing_follow_up"]) == (2, 2, 0)
    weighted = SHIFT.model_copy(update={"summary": "participant-precision-weighted-change"})
    rows = [each | {"se": 0.1} if each["site"] == "eye:OS" else each for each in ONE]
    weight = np.array([1 / 0.5**2, 1 / 0.1**2])
    assert only(rows, weighted)["change"] == pytest.approx(np.average([-3.0, 1.0], weights=weight))


shifts = st.floats(-20, 20).map(lambda x: round(x, 3))


@settings(max_examples=25, deadline=None)
@given(od=shifts, os=shifts, start=st.floats(95, 140).map(lambda x: round(x, 3)))
def test_exchanging_the_visits_changes_the_sign_and_nothing_else(od, os, start):
    there = {"OD": start, "OS": start - 5}
    back = {"OD": start + od, "OS": start - 5 + os}
    for endpoint in (LATENCY, SHIFT):
        one, other = (
            only(eyes(1, *each), endpoint)
            for each in ((there, {"OD": od, "OS": os}), (back, {"OD": -od, "OS": -os}))
        )
        assert one["change"] == pytest.approx(-other["change"], abs=1e-9)
        assert one["follow_up"] == pytest.approx(other["baseline"])
        assert one["se"] == other["se"]


@settings(max_examples=15, deadline=None)
@given(offset=shifts, since_scr=shifts)
def test_a_shift_against_an_earlier_visit_is_carried_to_the_first_one(offset, since_scr):
    rows = [
        row(1, "W00", "OD", "p100_latency_ms", 120.0),
        row(1, "W00", "OD", "vep_shift_ms", offset, se=0.3),
        row(1, "W26", "OD", "vep_shift_ms", since_scr, se=0.4),
    ]
    found = only(rows)
    assert found["change"] == pytest.approx(since_scr - offset)
    assert found["se"] == pytest.approx(0.5)


def test_a_change_since_another_visit_is_left_out_with_the_reason():
    late = [each for each in ONE if each["visit"] != "W00" or each["site"] != "eye:OS"]
    found = only(late)
    assert (found["change"], found["n_used"], found["quality"]) == (-3.0, 1, "flag")
    assert "no recording at W00" in found["reason"]


@pytest.mark.parametrize("state", ["absent", "indeterminate", "missing", "fail"])
def test_a_missing_baseline_does_not_lose_the_change(state):
    lacking = {"value": None, "state": state} if state != "fail" else {"quality": "fail", "reason": "moved"}
    rows = [each | lacking if (each["visit"], each["site"]) == ("W00", "eye:OD") else each for each in ONE]
    found = only(rows)
    assert (found["change"], found["baseline"], found["quality"]) == (-1.0, 110.0, "flag")
    assert "baseline of 1 of the 2 sites" in found["reason"]
    none = [each | lacking if each["visit"] == "W00" else each for each in ONE]
    found = only(none)
    assert found["change"] == -1.0
    assert np.isnan(found["baseline"])
    words = {"absent": "2 with an absent response", "indeterminate": "2 with an indeterminate response",
             "missing": "2 missing", "fail": "2 of quality fail"}  # fmt: skip
    assert words[state] in changes(none).steps["reason"].iloc[1]
    kept = only(none, keep_failed=True)["baseline"]
    assert kept == 115.0 if state == "fail" else np.isnan(kept)


@pytest.mark.parametrize("endpoint", [LATENCY, SHIFT], ids=["latency", "shift"])
def test_an_absent_response_is_counted_in_words_that_fit_an_eye(endpoint):
    # A number beside the state is what the noise gave: it must not enter.
    states = {"eye:OD": "absent", "eye:OS": "indeterminate"}
    rows = [each | {"state": states[each["site"]]} if each["visit"] == "W26" else each for each in ONE]
    found = changes(rows, endpoint)
    assert np.isnan(found.frame["change"].iloc[0])
    said = found.steps["reason"].iloc[-1]
    assert "1 with an absent response, 1 with an indeterminate response" in said
    assert "vanished" not in said
    assert found.steps["step"].iloc[0].startswith("eye measured")


def test_a_shift_without_any_latency_is_refused():
    alone = [each for each in ONE if each["measure"] == "vep_shift_ms"]
    with pytest.raises(RefuseRun, match="p100_latency_ms, which was not measured"):
        changes(alone)
    later = [each for each in ONE if each["visit"] == "W26"]
    with pytest.raises(RefuseRun, match="no participant was measured at W00"):
        changes(later)


# ---------------------------------------------------------------- to the effect


def trial(n: int = 10, seed: int = 5) -> tuple[Rows, pd.DataFrame]:
    rng = np.random.default_rng(seed)
    rows: Rows = []
    for k in range(n):
        latency = dict(zip(("OD", "OS"), rng.normal(120, 8, 2).round(2), strict=True))
        shift = dict(zip(("OD", "OS"), (rng.normal(0, 2, 2) - 1.2 * (k % 2)).round(2), strict=True))
        rows += eyes(k, latency, shift)
        rows += under(eyes(k, latency, dict.fromkeys(shift, 50.0)), f"{CONDITION};run=1")
    arms = ["placebo", "clemastine-metformin"]
    ids = [person(k) for k in range(n)]
    return rows, pd.DataFrame({"participant_id": ids, "arm": [arms[k % 2] for k in range(n)]})


def by_hand(rows: Rows) -> tuple[float, float]:
    """The adjusted difference and its standard error by the textbook's sums, without a design matrix."""
    frame = pd.DataFrame(rows)
    frame = frame[frame["condition"] == CONDITION]
    mean = frame.groupby(["participant_id", "measure", "visit"])["value"].mean()
    x = mean[:, "p100_latency_ms", "W00"]
    y = mean[:, "vep_shift_ms", "W26"]
    drug = np.array([int(name[-2:]) % 2 == 1 for name in x.index])
    within_x, within_y = (v - np.where(drug, v[drug].mean(), v[~drug].mean()) for v in (x, y))
    slope = (within_x * within_y).sum() / (within_x**2).sum()
    gap = x[drug].mean() - x[~drug].mean()
    residual = ((within_y - slope * within_x) ** 2).sum() / (len(x) - 3)
    se = np.sqrt(residual * (1 / drug.sum() + 1 / (~drug).sum() + gap**2 / (within_x**2).sum()))
    return float(y[drug].mean() - y[~drug].mean() - slope * gap), float(se)


def test_the_effect_on_the_shift_is_the_ancova_by_hand():
    rows, allocation = trial()
    analysis = analyse(Measurements.from_rows(rows), PROTOCOL, allocation)
    frame = analysis.results.frame.set_index("endpoint")
    estimate, se = by_hand(rows)
    own = frame.loc["vep-shift"]
    assert own["estimate"] == pytest.approx(estimate, rel=1e-10)
    assert own["se"] == pytest.approx(se, rel=1e-10)
    assert (own["df"], own["unit"], own["n_participants"], own["n_sites"]) == (7, "ms", 10, 20)
    # The latency was made to follow the shift, so both endpoints tell the same.
    assert frame.loc["p100-latency", "estimate"] == pytest.approx(estimate, rel=1e-10)
    assert "vep-shift (precision-weighted mean of eyes)" in frame.index
    assert not any("lesion" in name for name in frame.index)
    assert "lesion" not in analysis.methods
    for words in ("in eyes, measured as a change", "check=60;reader=auto", "20 eyes"):
        assert words in analysis.methods


def test_who_has_no_baseline_leaves_the_model_with_the_reason():
    rows, allocation = trial()
    gone = [
        each | {"value": None, "state": "absent"}
        if each["participant_id"] == "sub-03" and each["visit"] == "W00" else each
        for each in rows
    ]  # fmt: skip
    analysis = analyse(Measurements.from_rows(gone), PROTOCOL, allocation)
    own = analysis.participants.query("endpoint == 'vep-shift'").set_index("participant_id").loc["sub-03"]
    assert not own["analysed"]
    assert np.isfinite(own["change"])
    assert "no baseline at W00, which the model needs" in own["reason"]
    frame = analysis.results.frame.set_index("endpoint")
    estimate, _ = by_hand([each for each in rows if each["participant_id"] != "sub-03"])
    assert frame.loc["vep-shift", "estimate"] == pytest.approx(estimate)
    assert frame.loc["vep-shift", "n_participants"] == 9
    bare = PROTOCOL.endpoint[1].model_copy(update={"formula": "change ~ arm", "role": "primary"})
    without = PROTOCOL.model_copy(update={"endpoint": (bare,)})
    again = analyse(Measurements.from_rows(gone), without, allocation)
    assert again.results.frame["n_participants"].iloc[0] == 10  # a model without a baseline keeps the change


def test_the_calibration_of_mtr_is_not_that_of_an_eye():
    rows, allocation = trial()
    rows += [
        {"participant_id": person(k), "visit": "W26", "day": 182.0, "site": "participant", "se": 0.02,
         "measure": "mtr_calibration_slope", "value": 0.8 + 0.01 * (k % 3), "unit": "1",
         "state": "present", "quality": "pass"} for k in range(10)
    ]  # fmt: skip
    analysis = analyse(Measurements.from_rows(rows), PROTOCOL, allocation)
    assert not any("calibrated" in name for name in analysis.results.frame["endpoint"])
    assert "calibration" not in analysis.methods
