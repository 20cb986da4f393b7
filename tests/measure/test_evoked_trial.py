"""A trial from recordings of evoked potentials to its effect."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from remyelin.measure.group import gather
from remyelin.measure.run import measure_participants
from remyelin.protocol import Protocol
from remyelin.tables import Measurements
from remyelin.trial.analyse import analyse

from . import evoked_set as data

PROTOCOL = """
[trial]
id = "eyes"
design = "parallel"

[[arm]]
id = "placebo"
n = 3

[[arm]]
id = "treated"
n = 3
treatment = "clemastine"

[[visit]]
id = "M00"
day = 0

[[visit]]
id = "M06"
day = 182

[[endpoint]]
id = "shift"
role = "primary"
measure = "vep_shift_ms"
site = "eye"
condition = "check=60;reader=auto"
summary = "participant-mean-change"
visits = ["M00", "M06"]
estimator = "ancova"
formula = "change ~ arm + baseline"
alpha = 0.05
"""
# Latency at M00 and shift of each participant; those of even number are treated.
TRUTH = ((104.0, 0.5), (110.0, -7.0), (116.0, -0.5), (105.0, -6.5), (111.0, 0.0), (117.0, -7.5))


def test_recordings_of_a_trial_give_its_effect(tmp_path: Path) -> None:
    people = [f"sub-{k:02d}" for k in range(1, len(TRUTH) + 1)]
    root, out = tmp_path / "bids", tmp_path / "out"
    data.write_frame(root, people)
    for name, (latency_ms, shift_ms) in zip(people, TRUTH, strict=True):
        data.record_visits(root, name, "OD", (latency_ms, latency_ms + shift_ms), runs=("1",), noise_uv=2.0)
    assert measure_participants(root, out, progress=False).exit_code == 0
    gather(out)
    (tmp_path / "eyes.toml").write_text(PROTOCOL)
    arms = ["placebo", "treated"] * 3
    allocation = pd.DataFrame({"participant_id": people, "arm": arms})
    measurements = Measurements.read(out / "measurements.tsv")
    results = analyse(measurements, Protocol.read(tmp_path / "eyes.toml"), allocation).results.frame
    (effect,) = results[results["endpoint"] == "shift"].to_dict("records")
    assert (effect["n_participants"], effect["unit"]) == (6, "ms")
    assert effect["estimate"] == pytest.approx(-7, abs=1.5)
    assert effect["ci_low"] < effect["estimate"] < effect["ci_high"] < 0
