"""The page of a trial of eyes: it speaks of eyes, and shows those that the analysis used."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from remyelin.protocol import Protocol
from remyelin.report import trial_page
from remyelin.report.eyes import eye_changes
from remyelin.report.save import save_analysis
from remyelin.tables import Measurements
from remyelin.trial.analyse import analyse

from .conftest import Folder
from .eyes import Eye, recorded, table_of, write_eyes
from .test_page import Page


@pytest.fixture(scope="module")
def trial(tmp_path_factory) -> Path:
    folder = Folder(tmp_path_factory.mktemp("trial"))
    folder.describe(virtual=False)
    rng = np.random.default_rng(3)
    people = {}
    for k in range(1, 13):
        absent = ("W26",) if k == 4 else ()
        eyes = {"OD": Eye(rng.normal(122, 9), rng.normal(-1.5 * (k % 2), 1)),
                "OS": Eye(rng.normal(122, 9), rng.normal(-1.5 * (k % 2), 1), absent=absent)}  # fmt: skip
        people[f"sub-{k:02d}"] = (recorded(f"sub-{k:02d}", eyes)[0], [])
    write_eyes(folder, people)
    return folder.root


def allocated(trial: Path, out: Path) -> tuple[Page, pd.DataFrame]:
    shutil.copytree(trial, out)
    protocol = Protocol.read("ccmr-two")
    ids = sorted(path.name for path in out.glob("sub-*"))
    arms = [("placebo", "clemastine-metformin")[int(name[-2:]) % 2] for name in ids]
    table = Measurements.read(out / "measurements.parquet")
    analysis = analyse(table, protocol, pd.DataFrame({"participant_id": ids, "arm": arms}))
    save_analysis(analysis, protocol, out)
    return Page(trial_page(out).read_text()), analysis.participants


def test_a_trial_of_eyes_speaks_of_eyes(trial, tmp_path):
    page, people = allocated(trial, tmp_path / "out")
    assert page.panels == ["participants", "eyes", "siblings", "quality", "attrition", "failures", "methods"]
    for word in ("lesion", " pu", "MTR"):
        assert word not in page.text
    assert "The change of the P100 latency was" in page.text
    assert "in 12 participants with 23 eyes" in page.text
    assert "23 eyes of 12 participants could be followed" in page.text
    assert "1 had no response at W26." in page.text
    assert "1 with an absent response" in page.text
    assert "The endpoint uses 23 of 24 eyes." in page.text
    assert "48 responses measured: 1 absent" in page.text
    for name in ("vep-shift", "precision-weighted mean of eyes", "difference in change, ms"):
        assert name in page.text
    # The eyes of the page are those of the analysis.
    own = people[people["endpoint"] == "vep-shift"].set_index("participant_id")
    table = Measurements.read(tmp_path / "out" / "measurements.parquet").frame
    shown = eye_changes(table, "vep_shift_ms", "check=60;reader=auto", ("W00", "W26"))
    mean = shown.groupby("participant_id")[["change"]].mean()["change"]
    np.testing.assert_allclose(mean.reindex(own.index), own["change"])


def test_a_blinded_trial_of_eyes_tells_the_shift_of_all(trial):
    page = Page(trial_page(trial).read_text())
    assert "Blinded" in page.text
    table = Measurements.read(trial / "measurements.parquet").select(measure="vep_shift_ms").frame
    mean = table.groupby("participant_id")["value"].mean().mean()
    assert f"the response came {abs(mean):.2f} ms earlier on average, all arms together" in page.text
    assert "placebo" not in page.html


def test_the_largest_checks_count_where_no_condition_is_named():
    rows = [row for check, shift in ((15, -9.0), (60, -2.0))
            for row in recorded("sub-01", {"OD": Eye(shift_ms=shift)}, check=check)[0]]  # fmt: skip
    found = eye_changes(table_of(rows).frame, "vep_shift_ms", "", ("W00", "W26"))
    assert found["change"].tolist() == [-2.0]
    assert found["follow_up"].tolist() == [found["baseline"].iloc[0] - 2.0]
    latency = eye_changes(table_of(rows).frame, "p100_latency_ms", "reader=auto;check=15", ("W00", "W26"))
    assert latency["change"].tolist() == pytest.approx([-9.0])
