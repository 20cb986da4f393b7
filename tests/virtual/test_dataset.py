"""The virtual trial as recordings: valid BIDS, blinded, deterministic, and true to what it says."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from tests.small_trial import SMALL, protocol, write_small

from remyelin.errors import InputError, RefuseRun
from remyelin.measure.image import read_mask, read_volume
from remyelin.virtual.contrast import contrasts
from remyelin.virtual.dataset import write_trial
from remyelin.virtual.potentials import Laboratory
from remyelin.virtual.premises import Premises
from remyelin.virtual.recorded import Truth
from remyelin.virtual.response import Response
from remyelin.virtual.scanner import Scanner

VALIDATOR = Path(sys.executable).parent / "bids-validator-deno"


@pytest.fixture(scope="module")
def trial(tmp_path_factory: pytest.TempPathFactory) -> Truth:
    scanner = Scanner(voxel_mm=2, head_scale=0.65, b1_map=True)
    return write_small(tmp_path_factory.mktemp("trial"), scanner=scanner)


def contents(folder: Path) -> dict[str, bytes]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


@pytest.mark.parametrize("workers", [1, 2, pytest.param(4, marks=pytest.mark.slow)])
def test_the_same_seed_gives_the_same_bytes_for_any_number_of_workers(trial, tmp_path, monkeypatch, workers):
    monkeypatch.setenv("TZ", "Pacific/Kiritimati")
    scanner = Scanner(voxel_mm=2, head_scale=0.65, b1_map=True)
    again = write_small(tmp_path / "elsewhere" / "deep", scanner=scanner, workers=workers)
    for name in ("dataset", "folder"):
        assert contents(getattr(again, name)) == contents(getattr(trial, name))
    assert again.allocation.read_bytes() == trial.allocation.read_bytes()


def test_another_seed_gives_another_trial(trial, tmp_path):
    other = write_small(tmp_path, seed=8, eyes=False)
    assert not np.isin(other.lesions["mtr_pu"], trial.lesions["mtr_pu"]).any()


def test_nothing_in_the_dataset_tells_the_arm(trial):
    assert not trial.allocation.is_relative_to(trial.dataset)
    assert not trial.folder.is_relative_to(trial.dataset)
    columns = pd.read_csv(trial.dataset / "participants.tsv", sep="\t").columns
    assert list(columns) == ["participant_id", "age", "sex"]
    for name, data in contents(trial.dataset).items():
        if not name.endswith((".nii.gz", ".edf")):
            assert b"placebo" not in data
            assert b"treated" not in data


def test_the_pair_is_complete_and_says_what_it_is(trial):
    for participant in ("sub-01", "sub-02"):
        for visit in ("M00", "M06"):
            stem = trial.dataset / participant / f"ses-{visit}" / "anat" / f"{participant}_ses-{visit}"
            off, on = (json.loads(Path(f"{stem}_mt-{s}_MTR.json").read_text()) for s in ("off", "on"))
            assert (off["MTState"], on["MTState"]) == (False, True)
            assert (off["RepetitionTimeExcitation"], off["FlipAngle"]) == (0.03, 5.0)
            assert on["MTOffsetFrequency"] == 2000
            assert {key: on[key] for key in off} == {**off, "MTState": True}
            assert Path(f"{stem}_T1w.nii.gz").is_file()


def test_a_transmit_field_map_says_what_the_lesions_lay_in(trial):
    field, _ = read_volume(trial.dataset / "sub-01/ses-M00/fmap/sub-01_ses-M00_TB1map.nii.gz", trial.dataset)
    middle = field.data[tuple(n // 2 for n in field.data.shape)]
    assert 100 < middle < 112
    assert field.data[2].mean() < middle


def test_sessions_agree_with_the_protocol(trial):
    sessions = pd.read_csv(trial.dataset / "sub-01" / "sub-01_sessions.tsv", sep="\t")
    assert list(sessions["session_id"]) == ["ses-M00", "ses-M06"]
    assert sessions["day"][0] == 0
    assert 182 - 14 <= sessions["day"][1] <= 182 + 14
    times = pd.to_datetime(sessions["acq_time"])
    assert (times < pd.Timestamp("1925-01-01")).all()
    assert (times[1] - times[0]).days == sessions["day"][1]


def test_mtr_in_the_recorded_lesions_is_the_truth(tmp_path):
    """Without movement, fields and reader the voxels of a mask hold what the truth says of them."""
    still = replace(SMALL.clean(), scan_mm=0.0, scan_deg=0.0, noise=0.0005)
    truth = write_small(tmp_path, scanner=still, eyes=False)
    rows = truth.lesions.dropna()
    for (participant, visit), own in rows.groupby(["participant_id", "visit"]):
        stem = f"{participant}/ses-{visit}/anat/{participant}_ses-{visit}"
        off, on = (
            read_volume(truth.dataset / f"{stem}_mt-{s}_MTR.nii.gz", truth.dataset)[0] for s in ("off", "on")
        )
        drawn = truth.dataset / "derivatives" / "lesions" / f"{stem}_label-lesion_mask.nii.gz"
        mask, flags = read_mask(drawn, truth.dataset, off)
        assert flags == []
        assert 8 * mask.sum() == own["drawn_mm3"].sum()
        world = np.argwhere(mask) @ off.affine[:3, :3].T + off.affine[:3, 3]
        nearest = np.linalg.norm(
            world[:, None] - own[["x_mm", "y_mm", "z_mm"]].to_numpy()[None], axis=2
        ).argmin(1)
        for k, drawn_mtr in enumerate(own["drawn_mtr_pu"]):
            mine = nearest == k
            measured = 100 * (1 - on.data[mask][mine].sum() / off.data[mask][mine].sum())
            assert measured == pytest.approx(drawn_mtr, abs=0.4 / np.sqrt(max(mine.sum(), 1)) + 0.05)
    # In the middle of a large lesion there is nothing but lesion, 0.6 pu below its mean.
    large = rows[rows["volume_mm3"] > 200]
    assert (large["drawn_mtr_pu"] - large["mtr_pu"]).abs().median() < 1.5


def test_the_effect_is_put_where_it_is_said(tmp_path):
    without = write_small(tmp_path / "a", mtr_pu=0.0, latency_ms=0.0)
    treated = write_small(tmp_path / "b", mtr_pu=2.0, latency_ms=-3.0)
    gain = treated.lesions["mtr_pu"] - without.lesions["mtr_pu"]
    helped = (treated.lesions["arm"] == "treated") & (treated.lesions["visit"] == "M06")
    np.testing.assert_allclose(gain[helped], 2.0, atol=2e-4)
    np.testing.assert_array_equal(gain[~helped], 0.0)
    faster = treated.eyes["latency_ms"] - without.eyes["latency_ms"]
    helped = (treated.eyes["arm"] == "treated") & (treated.eyes["visit"] == "M06")
    np.testing.assert_allclose(faster[helped], -3.0, atol=2e-4)
    np.testing.assert_array_equal(faster[~helped], 0.0)


def test_a_lesion_beyond_the_sequence_is_shown_at_its_limit_and_the_truth_says_so():
    bound, seen = contrasts().bound_of(np.array([-5.0, 25.0, 90.0]))
    assert (np.diff(bound) > 0).all()
    assert seen[1] == 25.0
    assert 0 < seen[0] < 10
    assert 40 < seen[2] < 60


def test_recordings_say_eye_check_size_and_delay(trial):
    folder = trial.dataset / "sub-01" / "ses-M00" / "eeg"
    names = sorted(path.name for path in folder.glob("*_eeg.edf"))
    assert len(names) == 4
    assert names[0] == "sub-01_ses-M00_task-prvep_acq-od60min_run-1_eeg.edf"
    events = pd.read_csv(folder / names[0].replace("_eeg.edf", "_events.tsv"), sep="\t")
    assert list(events.columns) == ["onset", "duration", "trial_type", "eye", "check_arcmin"]
    assert set(events["eye"]) == {"OD"}
    assert set(events["check_arcmin"]) == {60}
    assert json.loads((trial.dataset / "task-prvep_eeg.json").read_text())["DisplayDelay"] == 8.0


def test_a_visit_that_nobody_came_to_is_not_there(tmp_path):
    leaves = Premises.read("trial", visit_missed=1.0)
    truth = write_small(tmp_path, eyes=False, premises=leaves)
    assert set(truth.lesions["visit"]) == {"M00"}
    assert not list(truth.dataset.glob("sub-*/ses-M06"))
    sessions = pd.read_csv(truth.dataset / "sub-01/sub-01_sessions.tsv", sep="\t")
    assert list(sessions["session_id"]) == ["ses-M00"]


def test_the_dataset_says_that_it_is_virtual(trial):
    for folder in (trial.dataset, trial.dataset / "derivatives" / "lesions"):
        maker = json.loads((folder / "dataset_description.json").read_text())["GeneratedBy"][0]
        assert "virtual" in maker["Name"]
        assert "no person was recorded" in maker["Description"]


@pytest.mark.parametrize(
    ("given", "error", "words"),
    [
        ({"lesions_per_participant": 4000}, InputError, ["lesions", "1 to 1000"]),
        ({"lesions_per_participant": 600}, (InputError, RefuseRun), ["lesions", "fewer"]),
        ({"participants": 0}, InputError, ["participants", "each arm"]),
        ({"response": {}}, InputError, ["treatment", "virtual", "Response"]),
        ({"premises": Premises.read(), "eyes": True}, InputError, ["laboratory"]),
    ],
)
def test_what_cannot_be_is_refused(tmp_path, given, error, words):
    with pytest.raises(error) as caught:
        write_small(tmp_path, **{"eyes": False, **given})
    assert all(word in str(caught.value) for word in words), caught.value


@pytest.mark.parametrize("voxel", [0.5, 1.5, 3, 0, -1, float("nan")])
def test_a_voxel_is_1_or_2_mm(voxel):
    with pytest.raises(InputError, match="1 or 2 mm"):
        Scanner(voxel_mm=voxel)


@pytest.mark.parametrize(
    "field", ["noise", "b1", "receive", "scan_mm", "reader_mm", "drift_sd", "head_scale"]
)
@pytest.mark.parametrize("value", [-1.0, float("nan"), 1e6])
def test_an_instrument_has_numbers_that_can_be(field, value):
    with pytest.raises(InputError, match=field):
        Scanner(**{field: value})
    with pytest.raises(InputError, match="noise"):
        Laboratory(noise=value)


def test_a_folder_with_another_trial_is_refused_and_the_same_trial_goes_on(tmp_path):
    first = write_small(tmp_path, eyes=False)
    before = contents(tmp_path)
    stamp = (first.dataset / "sub-01/ses-M00/anat/sub-01_ses-M00_mt-on_MTR.nii.gz").stat().st_mtime_ns
    write_small(tmp_path, eyes=False)
    assert contents(tmp_path) == before
    again = (first.dataset / "sub-01/ses-M00/anat/sub-01_ses-M00_mt-on_MTR.nii.gz").stat().st_mtime_ns
    assert again == stamp
    with pytest.raises(RefuseRun, match="another virtual trial"):
        write_small(tmp_path, eyes=False, seed=9)
    assert contents(tmp_path) == before


def test_a_folder_with_data_of_others_is_refused(tmp_path):
    (tmp_path / "bids").mkdir()
    (tmp_path / "bids" / "mine.txt").write_text("data of people")
    with pytest.raises(RefuseRun, match="none of ours"):
        write_small(tmp_path, eyes=False)
    assert contents(tmp_path) == {"bids/mine.txt": b"data of people"}


def test_a_protocol_that_records_nothing_is_refused(tmp_path):
    plan = protocol(eyes=False)
    other = plan.endpoint[0].model_copy(update={"measure": "lesion_volume_mm3"})
    with pytest.raises(RefuseRun, match="nothing that is recorded"):
        write_trial(
            plan.model_copy(update={"endpoint": (other,)}),
            tmp_path,
            rng=np.random.default_rng(1),
            response=Response.constant(),
            premises=Premises.read("trial"),
        )


@pytest.mark.skipif(not VALIDATOR.exists(), reason="bids-validator-deno is not installed beside this Python")
def test_the_official_validator_finds_no_error(trial, tmp_path):
    folder = tmp_path / "bids"
    shutil.copytree(trial.dataset, folder)
    for target in (folder, folder / "derivatives" / "lesions"):
        run = subprocess.run(
            [VALIDATOR, "--format", "json", target], capture_output=True, text=True, timeout=240, check=False
        )
        report = json.loads(run.stdout)
        errors = [issue for issue in report["issues"]["issues"] if issue["severity"] == "error"]
        assert errors == []
        assert sorted(report["summary"]["subjects"]) == ["01", "02"]
