"""Whatever is missing: an answer with finite numbers, or a refusal with its fix; never another error."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from remyelin.errors import RefuseRun
from remyelin.protocol import Protocol
from remyelin.tables import Measurements
from remyelin.trial.analyse import analyse

PARALLEL, CROSSED = Protocol.read("ccmr-two"), Protocol.read("rebuild")
DAYS = {"M00": 0.0, "M03": 90.0, "M05": 150.0}
ENDPOINTS: dict[str, dict[str, Any]] = {
    "ancova": {"visits": ("M00", "M05"), "formula": "change ~ arm + baseline"},
    "mixed": {"visits": ("M00", "M05"), "formula": "change ~ arm + baseline", "summary": "site-change"},
    "gee": {"visits": ("M00", "M05"), "formula": "change ~ arm + baseline", "summary": "site-change"},
    "mmrm": {"visits": tuple(DAYS), "formula": "change ~ arm * visit + baseline", "missing": "none"},
    "crossover": {"visits": tuple(DAYS), "formula": "change ~ treatment + period", "summary": "site-change"},
}


def plan(estimator: str, **changes: Any) -> Protocol:
    base = CROSSED if estimator == "crossover" else PARALLEL
    endpoint = base.endpoint[0].model_copy(
        update={"condition": "", "estimator": estimator, **ENDPOINTS[estimator], **changes}
    )
    return base.model_copy(update={"endpoint": (endpoint,), "visit": CROSSED.visit})


def rows(n: int, seed: int, lost: float) -> list[dict[str, Any]]:
    """Eyes of which some have no value, no row, no standard error, or an absent response."""
    rng = np.random.default_rng(seed)
    out = []
    for k in range(n):
        level = rng.normal(130, 8)
        for eye in ("OD", "OS"):
            for visit, day in DAYS.items():
                fate = rng.choice(
                    ["fine", "row", "value", "absent", "failed", "se"], p=[1 - lost, *(lost / 5,) * 5]
                )
                if fate == "row":
                    continue
                gone = fate in ("value", "absent")
                out.append(
                    {"participant_id": f"sub-{k:02d}", "visit": visit, "day": day, "site": f"eye:{eye}",
                     "measure": "p100_latency_ms", "unit": "ms", "reason": "odd" if fate == "failed" else "",
                     "value": None if gone else level + rng.normal(0, 2),
                     "se": None if gone or fate == "se" else float(rng.uniform(0.5, 2)),
                     "state": {"value": "missing", "absent": "absent"}.get(fate, "present"),
                     "quality": "fail" if fate == "failed" else "pass"}
                )  # fmt: skip
    return out


@pytest.mark.parametrize("estimator", ENDPOINTS)
@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(n=st.integers(0, 14), seed=st.integers(0, 999), lost=st.floats(0, 0.9), arms=st.integers(1, 3))
def test_gaps_give_finite_numbers_or_a_refusal(
    estimator: str, n: int, seed: int, lost: float, arms: int
) -> None:
    protocol = plan(estimator)
    table = rows(n, seed, lost)
    names = [arm.id for arm in protocol.arm]
    given_arms = [names[(k // arms) % 2] for k in range(max(n, 1))]
    allocation = pd.DataFrame(
        {"participant_id": [f"sub-{k:02d}" for k in range(max(n, 1))], "arm": given_arms}
    )
    measurements = Measurements.from_rows(table)
    try:
        analysis = analyse(measurements, protocol, allocation)
    except RefuseRun:
        return
    frame = analysis.results.frame
    own = frame[frame["prespecified"]]
    assert np.isfinite(own[["estimate", "se", "df", "p", "ci_low", "ci_high"]].to_numpy()).all()
    assert (own["se"] > 0).all()
    assert (frame["n_participants"] <= n).all()
    analysed = analysis.participants["analysed"]
    assert own["n_participants"].iloc[0] == analysed.sum()
    assert (analysis.participants.loc[~analysed, "reason"] != "").all()


@pytest.mark.parametrize("estimator", ENDPOINTS)
def test_a_weight_that_was_prespecified_needs_every_standard_error(estimator: str) -> None:
    protocol = plan(estimator, weighting="measurement-error")
    table = rows(16, 1, 0.0)
    table[4]["se"] = table[5]["se"] = None
    ids = [f"sub-{k:02d}" for k in range(16)]
    allocation = pd.DataFrame({"participant_id": ids, "arm": [protocol.arm[k % 2].id for k in range(16)]})
    with pytest.raises(RefuseRun, match=r"se is (negative, )?missing or not finite"):
        analyse(Measurements.from_rows(table), protocol, allocation)
