"""The whole way on small recordings: the same bytes whatever the circumstances, and nothing lost."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from tests.small_trial import SMALL, write_small

from remyelin.errors import InputError, RefuseRun
from remyelin.measure.group import ANALYSIS, gather
from remyelin.measure.run import measure_participants, resolve_settings
from remyelin.report import missing_pages, trial_page
from remyelin.run import output_lock


def bytes_of(out: Path) -> dict[str, str]:
    return {
        path.relative_to(out).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(out.rglob("*"))
        if path.is_file()
    }


@pytest.fixture(scope="module")
def virtual(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two virtual participants with every tissue, two visits each, images alone."""
    scanner = replace(SMALL, head_scale=0.5)
    folder = tmp_path_factory.mktemp("trial")
    return write_small(folder, seed=5, eyes=False, scanner=scanner, lesions_per_participant=6).dataset


@pytest.fixture(scope="module")
def measured_virtual(virtual: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("measured_virtual")
    assert measure_participants(virtual, folder, progress=False).exit_code == 0
    assert missing_pages(folder, ["sub-01", "sub-02"]).paths == ("sub-01/sub-01.html", "sub-02/sub-02.html")
    gather(folder)
    trial_page(folder)
    return folder


@pytest.fixture(scope="module")
def out(
    measured_tiny: tuple[Path, subprocess.CompletedProcess[str]], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """Both levels of the tiny dataset."""
    folder = shutil.copytree(measured_tiny[0], tmp_path_factory.mktemp("measured") / "out")
    gather(folder)
    trial_page(folder)
    return folder


def copy_backwards(source: Path, target: Path) -> None:
    """The same files, made in the opposite order, which many a disk lists them in."""
    for path in sorted(source.rglob("*"), reverse=True):
        if path.is_file():
            copied = target / path.relative_to(source)
            copied.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, copied)


def test_two_workers_another_path_order_and_time_zone_give_the_same_bytes(
    virtual: Path, measured_virtual: Path, tmp_path: Path
) -> None:
    moved = tmp_path / "elsewhere" / "data"
    copy_backwards(virtual, moved)
    other = tmp_path / "other"
    command = [sys.executable, "-m", "remyelin.cli", "measure", str(moved), str(other)]
    environment = {**os.environ, "TZ": "Pacific/Kiritimati", "PYTHONHASHSEED": "7", "LC_ALL": "C"}
    for rest in (["participant", "--jobs", "2"], ["group"]):
        subprocess.run([*command, *rest], check=True, capture_output=True, env=environment, cwd=tmp_path)
    ours = bytes_of(measured_virtual)
    assert {"report.html", "sub-01/sub-01.html", "sub-02/sub-02.html"} < ours.keys()
    assert bytes_of(other) == ours


def test_what_is_finished_is_skipped_and_what_changed_is_measured_again(
    tiny: Path, out: Path, tmp_path: Path
) -> None:
    data, again = tmp_path / "data", tmp_path / "again"
    shutil.copytree(tiny, data)
    shutil.copytree(out, again)
    before = bytes_of(again)
    summary = measure_participants(data, again, progress=False)
    assert (summary.measured, summary.skipped) == ((), ("sub-01", "sub-02"))
    assert bytes_of(again) == before
    sidecar = next((data / "sub-02").rglob("*mt-on_MTR.json"))
    sidecar.write_text(json.dumps({**json.loads(sidecar.read_text()), "Note": "changed"}))
    summary = measure_participants(data, again, progress=False)
    assert (summary.measured, summary.skipped) == (("sub-02",), ("sub-01",))
    kept = [path.name for path in sorted(again.glob("sub-*/*.html"))]
    assert kept == ["sub-01.html"]  # the page of sub-02 showed what was measured before


def test_a_page_is_written_again_where_it_is_missing_and_nowhere_else(out: Path, tmp_path: Path) -> None:
    again = tmp_path / "again"
    shutil.copytree(out, again)
    (again / "sub-02/sub-02.html").unlink()
    assert missing_pages(again, ["sub-01", "sub-02", "sub-09"]).paths == ("sub-02/sub-02.html",)
    assert bytes_of(again) == bytes_of(out)


def test_a_second_run_changes_nothing_while_the_first_holds_the_folder(
    tiny: Path, out: Path, tmp_path: Path
) -> None:
    again = tmp_path / "again"
    shutil.copytree(out, again)
    with output_lock(again):
        command = [sys.executable, "-m", "remyelin.cli", "measure", str(tiny), str(again), "participant"]
        done = subprocess.run(
            [*command, "--erosion-voxels", "1"], capture_output=True, text=True, check=False, timeout=120
        )
    assert done.returncode == 1
    assert "in use by process" in done.stderr
    assert bytes_of(again) == bytes_of(out)


def test_a_visit_that_cannot_be_read_costs_no_other_value(tiny: Path, out: Path, tmp_path: Path) -> None:
    data, again = tmp_path / "data", tmp_path / "again"
    shutil.copytree(tiny, data)
    broken = data / "sub-02/ses-M06/anat/sub-02_ses-M06_mt-on_MTR.nii.gz"
    broken.write_bytes(broken.read_bytes()[:-8])
    summary = measure_participants(data, again, progress=False)
    assert summary.exit_code == 1
    assert [(f["participant_id"], f["visit"], f["file"]) for f in summary.failures] == [
        ("sub-02", "M06", "sub-02/ses-M06/anat/sub-02_ses-M06_mt-on_MTR.nii.gz")
    ]
    kept = "sub-01/sub-01_measurements.tsv"
    assert (again / kept).read_bytes() == (out / kept).read_bytes()
    gather(again)
    visits = pd.read_csv(again / "sub-02/sub-02_measurements.tsv", sep="\t")["visit"].unique()
    assert list(visits) == ["M00"]
    failures = pd.read_csv(again / "failures.tsv", sep="\t")
    assert failures[["participant_id", "visit"]].to_numpy().tolist() == [["sub-02", "M06"]]


def test_participants_measured_in_two_ways_are_not_joined(tiny: Path, out: Path, tmp_path: Path) -> None:
    again = tmp_path / "again"
    shutil.copytree(out, again)
    measure_participants(
        tiny, again, resolve_settings(given={"erosion_voxels": 1}), labels=["02"], progress=False
    )
    with pytest.raises(InputError, match="other for sub-0"):
        gather(again)


def test_an_analysis_lasts_as_long_as_its_measurements(tiny: Path, out: Path, tmp_path: Path) -> None:
    again = tmp_path / "again"
    shutil.copytree(out, again)
    for name in ANALYSIS:
        (again / name).write_text("of these measurements")
    gather(again)
    assert all((again / name).exists() for name in ANALYSIS)
    table = again / "sub-02/sub-02_measurements.tsv"
    table.write_text("".join(table.read_text().splitlines(keepends=True)[:-1]))
    gather(again)
    assert not any((again / name).exists() for name in ANALYSIS)


def test_an_unknown_participant_is_named(tiny: Path, tmp_path: Path) -> None:
    summary = measure_participants(tiny, tmp_path / "out", labels=["07"], progress=False)
    assert summary.exit_code == 1
    assert "sub-07" in str(summary)


def test_an_allocation_in_the_dataset_stops_everything(tiny: Path, tmp_path: Path) -> None:
    data = tmp_path / "data"
    shutil.copytree(tiny, data)
    (data / "participants.tsv").write_text("participant_id\tarm\nsub-01\tdrug\nsub-02\tplacebo\n")
    with pytest.raises(RefuseRun, match="arm"):
        measure_participants(data, tmp_path / "out", progress=False)


def test_a_setting_that_cannot_be_is_refused() -> None:
    with pytest.raises(RefuseRun, match="erosion_voxels"):
        resolve_settings(given={"erosion_voxels": -1})


def test_nothing_measured_is_said(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="without measurements"):
        gather(tmp_path)


def test_the_output_is_valid_bids(measured_virtual: Path, tmp_path: Path) -> None:
    validator = Path(sys.executable).with_name("bids-validator-deno")
    if not validator.exists():
        pytest.skip("bids-validator-deno is not installed")
    done = subprocess.run(
        [str(validator), str(measured_virtual), "--json"], capture_output=True, text=True, check=False
    )
    issues = json.loads(done.stdout)["issues"]["issues"]
    assert [issue for issue in issues if issue.get("severity") == "error"] == []


def test_maps_say_what_they_are(measured_virtual: Path) -> None:
    import nibabel as nib

    native = nib.load(measured_virtual / "sub-01/ses-M00/anat/sub-01_ses-M00_MTRmap.nii.gz")
    values = native.get_fdata()
    assert np.isnan(values).any()
    assert 25 < np.nanmedian(values[np.isfinite(values) & (values > 10)]) < 45
    halfway = json.loads(
        (measured_virtual / "sub-01/ses-M06/anat/sub-01_ses-M06_space-halfway_MTRmap.json").read_text()
    )
    assert "halfway" in halfway["SpatialReference"]
