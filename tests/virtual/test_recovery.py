"""What is measured in virtual recordings is what is true in them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from tests.small_trial import SMALL, write_small

from remyelin.measure.run import measure_participants, resolve_settings
from remyelin.virtual.potentials import Laboratory
from remyelin.virtual.recorded import Truth


def measured(truth: Truth, out: Path) -> pd.DataFrame:
    summary = measure_participants(truth.dataset, out, resolve_settings("demo"), progress=False)
    assert summary.failures == ()
    parts = [
        pd.read_csv(path, sep="\t", keep_default_na=False)
        for path in sorted(out.glob("sub-*/*_measurements.tsv"))
    ]
    rows = pd.concat(parts)
    rows["value"] = pd.to_numeric(rows["value"], errors="coerce")
    return rows


def test_latency_and_shift_of_clean_recordings_are_true(tmp_path):
    truth = write_small(tmp_path / "virtual", lesions=False, participants=2, laboratory=Laboratory().clean())
    rows = measured(truth, tmp_path / "out")
    rows = rows[rows["condition"] == "check=60;reader=auto"]
    found = rows.set_index(["participant_id", "visit", "site", "measure"])["value"]
    late, shift = [], []
    true = truth.eyes.set_index(["participant_id", "visit", "eye"])["latency_ms"]
    for (person, visit, eye), latency in true.items():
        late.append(found[person, visit, f"eye:{eye}", "p100_latency_ms"] - latency)
        if visit == "M06":
            change = latency - true[person, "M00", eye]
            shift.append(found[person, visit, f"eye:{eye}", "vep_shift_ms"] - change)
    assert len(late) == 16
    assert abs(np.mean(late)) <= 0.5
    assert abs(np.mean(shift)) <= 0.5


def test_recordings_carry_no_flag_for_faults_of_their_own(tmp_path):
    truth = write_small(tmp_path / "virtual", lesions=False)
    measured(truth, tmp_path / "out")
    for path in sorted((tmp_path / "out").glob("sub-*/*_flags.tsv")):
        # A response that is small may be missed in one of two replicates: that is no fault of the file.
        assert set(pd.read_csv(path, sep="\t")["field"]) <= {"P100"}, path.read_text()


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_mtr_of_clean_images_is_true(tmp_path):
    scanner = replace(SMALL, voxel_mm=1.0).clean()
    truth = write_small(tmp_path / "virtual", eyes=False, scanner=scanner, lesions_per_participant=30)
    rows = measured(truth, tmp_path / "out")
    lesions = rows[rows["site"].str.startswith("lesion:") & rows["condition"].isin(["", "n/a"])]
    lesions = lesions[lesions["visit"] == "M00"]
    for person, own in lesions.groupby("participant_id"):
        wide = own.pivot(index="site", columns="measure", values="value").dropna(subset=["mtr_pu"])
        found = np.average(wide["mtr_pu"], weights=wide["lesion_volume_mm3"])
        drawn = truth.lesions[
            (truth.lesions["participant_id"] == person) & (truth.lesions["visit"] == "M00")
        ].dropna()
        drawn = drawn[drawn["drawn_mm3"] >= 10]
        true = np.average(drawn["drawn_mtr_pu"], weights=drawn["drawn_mm3"])
        # 0.1 is the goal; a lesion whose MTR rises towards its border reads 0.1 too low (docs/howto).
        assert found == pytest.approx(true, abs=0.25)
