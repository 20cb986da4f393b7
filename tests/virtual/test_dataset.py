"""The virtual trial as recordings: valid BIDS, blinded, deterministic, and true to what it says."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from remyelin.measure.image import read_mask, read_volume
from remyelin.protocol import Protocol
from remyelin.virtual.dataset import Truth, write_trial

VALIDATOR = Path(sys.executable).parent / "bids-validator-deno"


def write(out: Path, seed: int = 7, n_per_arm: int = 1, effect_pu: float = 1.5) -> Truth:
    rng = np.random.default_rng(seed)
    return write_trial(Protocol.read("demo"), out, rng=rng, n_per_arm=n_per_arm, effect_pu=effect_pu)


@pytest.fixture(scope="module")
def trial(tmp_path_factory: pytest.TempPathFactory) -> Truth:
    return write(tmp_path_factory.mktemp("trial"))


def contents(folder: Path) -> dict[str, bytes]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def test_the_same_seed_gives_the_same_bytes_anywhere(trial, tmp_path, monkeypatch):
    monkeypatch.setenv("TZ", "Pacific/Kiritimati")
    again = write(tmp_path / "elsewhere" / "deep")
    assert contents(again.dataset) == contents(trial.dataset)
    assert contents(again.folder) == contents(trial.folder)
    assert again.allocation.read_bytes() == trial.allocation.read_bytes()


def test_a_participant_does_not_depend_on_how_many_others_there_are(tmp_path):
    alone = Protocol.read("demo")
    few = write_trial(alone, tmp_path / "a", rng=np.random.default_rng(1), n_per_arm=1)
    arms = pd.read_csv(few.allocation, sep="\t").set_index("participant_id")["arm"]
    assert sorted(arms) == ["placebo", "treated"]
    # sub-01 is child 0 of the same generator in both; only the arm may differ, and with it the follow-up.
    more = write_trial(alone, tmp_path / "b", rng=np.random.default_rng(1), n_per_arm=2)
    image = "sub-01/ses-M00/anat/sub-01_ses-M00_mt-off_MTR.nii.gz"
    assert (few.dataset / image).read_bytes() == (more.dataset / image).read_bytes()


def test_nothing_in_the_dataset_tells_the_arm(trial):
    assert not trial.allocation.is_relative_to(trial.dataset)
    assert not trial.folder.is_relative_to(trial.dataset)
    columns = pd.read_csv(trial.dataset / "participants.tsv", sep="\t").columns
    assert list(columns) == ["participant_id", "age", "sex"]
    for name, data in contents(trial.dataset).items():
        if not name.endswith(".nii.gz"):
            assert b"placebo" not in data
            assert b'"treated"' not in data


def test_the_pair_is_complete_and_says_what_it_is(trial):
    for participant in ("sub-01", "sub-02"):
        for visit in ("M00", "M06"):
            stem = trial.dataset / participant / f"ses-{visit}" / "anat" / f"{participant}_ses-{visit}"
            off, on = (json.loads(Path(f"{stem}_mt-{s}_MTR.json").read_text()) for s in ("off", "on"))
            assert (off["MTState"], on["MTState"]) == (False, True)
            assert "MTOffsetFrequency" in on
            shared = ("RepetitionTimeExcitation", "EchoTime", "FlipAngle", "MagneticFieldStrength")
            assert [off[key] for key in shared] == [on[key] for key in shared]


def test_sessions_agree_with_the_protocol(trial):
    sessions = pd.read_csv(trial.dataset / "sub-01" / "sub-01_sessions.tsv", sep="\t")
    assert list(sessions["session_id"]) == ["ses-M00", "ses-M06"]
    assert sessions["day"][0] == 0
    assert 182 - 7 <= sessions["day"][1] <= 182 + 7
    times = pd.to_datetime(sessions["acq_time"])
    assert (times < pd.Timestamp("1925-01-01")).all()
    assert (times[1] - times[0]).days == sessions["day"][1]


def test_mtr_in_the_recorded_lesions_is_the_truth(trial):
    """MT-on is put on the MT-off grid by its true pose; voxels one layer inside the lesion are compared."""
    from scipy.ndimage import binary_erosion, map_coordinates

    poses = json.loads((trial.folder / "poses.json").read_text())
    pairs = []
    for participant, visits in poses.items():
        for visit, pose in visits.items():
            stem = f"{participant}/ses-{visit}/anat/{participant}_ses-{visit}"
            off = read_volume(trial.dataset / f"{stem}_mt-off_MTR.nii.gz", trial.dataset)[0]
            on = read_volume(trial.dataset / f"{stem}_mt-on_MTR.nii.gz", trial.dataset)[0]
            drawn = trial.dataset / "derivatives" / "lesions" / f"{stem}_label-lesion_mask.nii.gz"
            mask, flags = read_mask(drawn, trial.dataset, off)
            assert flags == []
            mask = binary_erosion(mask)
            voxels = np.argwhere(mask)
            world = voxels @ off.affine[:3, :3].T + off.affine[:3, 3]
            moved = np.array(pose["mt-on"]) @ np.linalg.inv(pose["mt-off"])
            to_on = np.linalg.inv(on.affine) @ moved
            there = world @ to_on[:3, :3].T + to_on[:3, 3]
            mtr = 100 * (1 - map_coordinates(on.data, there.T, order=1) / off.data[mask])
            own = trial.lesions[
                (trial.lesions["participant_id"] == participant) & (trial.lesions["visit"] == visit)
            ]
            nearest = np.linalg.norm(
                world[:, None] - own[["x_mm", "y_mm", "z_mm"]].to_numpy()[None], axis=2
            ).argmin(1)
            pairs += [
                (mtr[nearest == k].mean(), truth, (nearest == k).sum())
                for k, truth in enumerate(own["mtr_pu"])
                if (nearest == k).sum() >= 4
            ]
    measured, truth, voxels = np.array(pairs).T
    assert len(pairs) >= 15
    gap = measured - truth
    # Inside a lesion MTR is up to 0.6 pu below its mean; noise of a voxel is about 3 pu.
    assert -0.6 < np.average(gap, weights=voxels) < 0.4
    assert np.corrcoef(measured, truth)[0, 1] > 0.9


def test_the_effect_is_put_where_it_is_said(tmp_path):
    rng = np.random.default_rng
    protocol = Protocol.read("demo")
    without = write_trial(protocol, tmp_path / "a", rng=rng(4), n_per_arm=1, effect_pu=0.0).lesions
    with_effect = write_trial(protocol, tmp_path / "b", rng=rng(4), n_per_arm=1, effect_pu=2.0).lesions
    gain = with_effect["mtr_pu"] - without["mtr_pu"]
    helped = (with_effect["arm"] == "treated") & with_effect["submedian"] & (with_effect["visit"] == "M06")
    np.testing.assert_allclose(gain[helped], 2.0, atol=2e-4)
    np.testing.assert_array_equal(gain[~helped], 0.0)
    start = without[(without["visit"] == "M00")]
    for _, own in start.groupby("participant_id"):
        assert own["submedian"].sum() == len(own) // 2


def test_the_dataset_says_that_it_is_virtual(trial):
    maker = json.loads((trial.dataset / "dataset_description.json").read_text())["GeneratedBy"][0]
    assert "virtual" in maker["Name"]
    assert "no person was scanned" in maker["Description"]
    assert "+1.5 pu" in maker["Description"]


@pytest.mark.skipif(not VALIDATOR.exists(), reason="bids-validator-deno is not installed beside this Python")
def test_the_official_validator_finds_no_error(trial, tmp_path):
    folder = tmp_path / "bids"
    shutil.copytree(trial.dataset, folder)
    for target in (folder, folder / "derivatives" / "lesions"):
        run = subprocess.run(
            [VALIDATOR, "--format", "json", target], capture_output=True, text=True, timeout=120, check=False
        )
        report = json.loads(run.stdout)
        issues = report["issues"]["issues"]
        errors = [issue for issue in issues if issue["severity"] == "error"]
        assert errors == []
        assert sorted(report["summary"]["subjects"]) == ["01", "02"]
