"""Other designs and sites: a delayed start, a measure of the participant, and tissue."""

from __future__ import annotations

import copy
import tomllib
from importlib import resources
from typing import Any

import numpy as np
import pandas as pd
import pytest

from remyelin.protocol import Protocol
from remyelin.tables import MEASURES, Measurements
from remyelin.trial.analyse import analyse

DAYS = {"M00": 0.0, "M03": 90.0, "M05": 150.0}


def tables(name: str) -> dict[str, Any]:
    text = (resources.files("remyelin") / "protocols" / f"{name}.toml").read_text("utf-8")
    return copy.deepcopy(tomllib.loads(text))


def rows(
    measure: str, sites: tuple[str, ...], gain: dict[str, tuple[float, float]], n: int = 30
) -> list[dict]:
    """Values of odd and even participants, who gain differently at each visit."""
    rng = np.random.default_rng(6)
    unit, middle = MEASURES[measure].unit, {"edss": 3.0, "mtr_pu": 35.0}.get(measure, 130.0)
    out = []
    for k in range(n):
        level = middle + rng.normal(0, 0.5)
        out += [
            {"participant_id": f"sub-{k:02d}", "visit": visit, "day": day, "site": site, "measure": measure,
             "value": level + gain[visit][k % 2] + rng.normal(0, 0.3), "unit": unit}
            for site in sites for visit, day in DAYS.items()
        ]  # fmt: skip
    return out


def allocation(protocol: Protocol, n: int = 30) -> pd.DataFrame:
    ids = [f"sub-{k:02d}" for k in range(n)]
    return pd.DataFrame({"participant_id": ids, "arm": [protocol.arm[k % 2].id for k in range(n)]})


def test_a_delayed_start_is_compared_with_the_delayed_arm_at_each_visit():
    content = tables("rebuild")
    content.pop("plan", None)
    content["trial"] |= {"id": "delayed", "design": "delayed-start"}
    content["arm"][0] |= {"id": "early", "sequence": ["clemastine", "clemastine"]}
    content["arm"][1] |= {"id": "delayed"}
    content["endpoint"][0] |= {
        "summary": "participant-mean-change", "estimator": "mmrm",
        "formula": "change ~ arm * visit + baseline * visit",
    }  # fmt: skip
    protocol = Protocol.from_tables(content)
    gain = {"M00": (0.0, 0.0), "M03": (-2.0, 0.0), "M05": (-2.0, -1.0)}
    table = rows("p100_latency_ms", ("eye:OD", "eye:OS"), gain)
    given = allocation(protocol).rename(columns={"arm": "sequence"})
    frame = analyse(Measurements.from_rows(table), protocol, given).results.frame
    found = frame[frame["estimator"] == "mmrm"].set_index("endpoint")
    assert set(found["contrast"]) == {"early - delayed"}
    assert found.loc["p100-latency", "estimate"] == pytest.approx(-1.0, abs=0.3)
    assert found.loc["p100-latency (at M03)", "estimate"] == pytest.approx(-2.0, abs=0.3)


@pytest.mark.parametrize(
    ("measure", "site", "sites"),
    [
        ("edss", "participant", ("participant",)),
        ("mtr_pu", "tissue:nawm", ("tissue:nawm",)),
    ],
)
@pytest.mark.parametrize("estimator", ["ancova", "mmrm", "mixed", "gee"])
def test_one_site_a_participant(measure, site, sites, estimator):
    content = tables("demo")
    content["visit"] = [{"id": visit, "day": day} for visit, day in DAYS.items()]
    several = estimator != "ancova"
    content["endpoint"] = [
        {"id": "one", "role": "primary", "measure": measure, "site": site, "estimator": estimator,
         "visits": list(DAYS) if several else ["M00", "M05"],
         "formula": "change ~ arm * visit + baseline" if several else "change ~ arm + baseline"}
    ]  # fmt: skip
    protocol = Protocol.from_tables(content)
    gain = {"M00": (0.0, 0.0), "M03": (0.5, 0.0), "M05": (1.0, 0.0)}
    table = Measurements.from_rows(rows(measure, sites, gain))
    analysis = analyse(table, protocol, allocation(protocol))
    row = analysis.results.frame.query("prespecified").iloc[0]
    assert row["ci_low"] < 1.0 < row["ci_high"]
    assert row["p"] < 1e-4
    assert (row["n_participants"], row["n_sites"]) == (30, 30)
    assert row["analysis_set"] == ("itt" if estimator in ("mmrm", "mixed") else "completers")
