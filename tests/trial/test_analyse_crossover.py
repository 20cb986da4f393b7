"""A crossover from measurements of eyes to both estimands, as ReBUILD's protocol says."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from remyelin.errors import RefuseRun
from remyelin.protocol import Protocol
from remyelin.tables import Measurements
from remyelin.trial import crossover
from remyelin.trial.allocation import check_allocation
from remyelin.trial.analyse import analyse

PROTOCOL = Protocol.read("rebuild")
NAME = "p100-latency"
VISITS = {"M00": 0.0, "M03": 90.0, "M05": 150.0}


def eyes(n: int = 24, effect: float = -3.0, left: float = 0.0, seed: int = 5) -> list[dict[str, Any]]:
    """Latencies of both eyes; `left` of the effect remains in the second period of those treated first."""
    rng = np.random.default_rng(seed)
    rows = []
    for k in range(n):
        first = k % 2 == 0
        level = rng.normal(130, 8)
        gain = {"M00": 0.0, "M03": effect * first, "M05": effect * (left if first else 1.0)}
        wander = {visit: rng.normal(0, 1.5) for visit in VISITS}
        for eye in ("OD", "OS"):
            own = level + rng.normal(0, 5)
            rows += [
                {"participant_id": f"sub-{k:02d}", "visit": visit, "day": day, "site": f"eye:{eye}",
                 "measure": "p100_latency_ms", "condition": "check=60;reader=auto", "se": 1.0, "unit": "ms",
                 "value": own + gain[visit] + wander[visit] + rng.normal(0, 1.5)}
                for visit, day in VISITS.items()
            ]  # fmt: skip
    return rows


def allocation(n: int = 24, column: str = "sequence") -> pd.DataFrame:
    ids = [f"sub-{k:02d}" for k in range(n)]
    return pd.DataFrame({"participant_id": ids, column: [PROTOCOL.arm[k % 2].id for k in range(n)]})


def run(rows: list[dict[str, Any]], protocol: Protocol = PROTOCOL, **options: Any):
    return analyse(Measurements.from_rows(rows), protocol, allocation(**options))


def with_endpoint(**changes: Any) -> Protocol:
    first = PROTOCOL.endpoint[0].model_copy(update=changes)
    return PROTOCOL.model_copy(update={"endpoint": (first,)})


def by_name(analysis) -> pd.DataFrame:
    frame = analysis.results.frame
    return frame[frame["analysis_set"] == "itt"].set_index("endpoint")


def test_the_prespecified_row_is_the_crossover_of_the_eyes():
    analysis = run(eyes())
    row = by_name(analysis).loc[NAME]
    table = analysis.rows[NAME]
    direct = (
        crossover("change ~ treatment + period", table, eye="eye", reference="placebo").contrasts().iloc[0]
    )
    for ours, theirs in (
        ("estimate", "estimate"),
        ("se", "se"),
        ("df", "df"),
        ("p", "p"),
        ("statistic", "t"),
    ):
        assert row[ours] == pytest.approx(direct[theirs], rel=1e-9)
    assert (row["contrast"], row["unit"]) == ("clemastine - placebo", "ms")
    assert (row["n_participants"], row["n_sites"], row["estimator"]) == (24, 48, "crossover")
    assert row["prespecified"]
    assert row["ci_low"] < -3.0 < row["ci_high"]


def test_both_estimands_of_rebuild_stand_there_and_only_one_is_prespecified():
    """An effect that lasts is halved by the crossover; delayed treatment shows it whole."""
    found = by_name(run(eyes(n=40, left=1.0, seed=6), n=40))
    assert found["prespecified"].sum() == 1
    names = (
        "adjusted for baseline",
        "first period",
        "delayed treatment",
        "delayed treatment, adjusted for period",
    )
    for words in names:
        assert f"{NAME} ({words})" in found.index
    assert set(found["contrast"]) == {"clemastine - placebo"}
    assert found.loc[NAME, "estimate"] == pytest.approx(-1.5, abs=0.8)
    assert found.loc[f"{NAME} (delayed treatment)", "estimate"] == pytest.approx(-3.0, abs=1.0)


def test_carry_over_is_flagged_and_told():
    analysis = run(eyes())
    assert any(flag.field == "carry-over" for flag in analysis.flags)
    for words in (
        "crossover model",
        "10.2307/2528104",
        "nothing of the first treatment is left",
        "clemastine-first 12",
    ):
        assert words in analysis.methods


def test_arm_or_sequence_names_the_order_of_treatments():
    one, other = run(eyes()), run(eyes(), column="arm")
    assert one.results == other.results
    with pytest.raises(RefuseRun, match="sequence"):
        check_allocation(pd.DataFrame({"participant_id": ["sub-01"], "sequence": ["AB"]}), PROTOCOL)


def test_who_has_one_period_counts_by_likelihood_and_not_among_completers():
    rows = [row for row in eyes() if row["participant_id"] != "sub-03" or row["visit"] != "M05"]
    analysis = run(rows)
    frame = analysis.results.frame
    own = frame[frame["endpoint"] == NAME].set_index("analysis_set")
    assert own.loc["itt", "n_participants"] == 24
    assert own.loc["completers", "n_participants"] == 23
    assert not own.loc["completers", "prespecified"]
    assert analysis.participants["analysed"].all()


def test_an_eye_without_baseline_counts_where_the_value_is_compared():
    rows = [
        row for row in eyes()
        if (row["participant_id"], row["site"], row["visit"]) != ("sub-03", "eye:OD", "M00")
    ]  # fmt: skip
    assert by_name(run(rows)).loc[NAME, "n_sites"] == 47
    values = by_name(run(rows, with_endpoint(formula="value ~ treatment + period")))
    assert values.loc[NAME, "n_sites"] == 48


def test_the_formula_may_ask_for_the_baseline():
    asked = by_name(run(eyes(), with_endpoint(formula="change ~ treatment + period + baseline")))
    plain = by_name(run(eyes()))
    both = asked.loc[NAME, "estimate"], plain.loc[f"{NAME} (adjusted for baseline)", "estimate"]
    assert both[0] == pytest.approx(both[1], rel=1e-9)
    assert f"{NAME} (crossover)" in asked.index


def test_order_of_rows_changes_nothing():
    rows = eyes()
    one, other = run(rows), run(rows[::-1])
    assert one.results == other.results
    assert one.methods == other.methods


@pytest.mark.parametrize(
    ("drop", "words"),
    [
        (lambda row: row["visit"] == "M05", "no participant was measured at M05"),
        (lambda row: int(row["participant_id"][-2:]) % 2 == 0, "sequence"),
    ],
)
def test_what_is_no_crossover_is_refused(drop, words):
    with pytest.raises(RefuseRun, match=words):
        run([row for row in eyes() if not drop(row)])


@pytest.mark.parametrize("estimator", ["mixed", "gee"])
def test_a_crossover_may_be_analysed_by_another_model(estimator):
    analysis = run(eyes(), with_endpoint(estimator=estimator))
    row = by_name(analysis) if estimator == "mixed" else analysis.results.frame.set_index("endpoint")
    found = row.loc[NAME]
    assert (found["contrast"], found["n_sites"], found["prespecified"]) == ("clemastine - placebo", 48, True)
    assert found["ci_low"] < -3.0 < found["ci_high"]
    assert "Treatments were compared with placebo" in analysis.methods
