"""Evoked potentials all the way: from recordings of known truth to rows, tables and doubts.

One small trial holds a case in each participant; it is measured once.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from remyelin.measure.group import gather
from remyelin.measure.run import measure_participants, resolve_settings
from remyelin.tables import Measurements

from . import evoked_set as data

PLAIN, REPLICATES, SETUP, CHECKS, ABSENT = "sub-01", "sub-02", "sub-03", "sub-04", "sub-05"
BIFID, BROKEN, AVERAGES, SECTORS = "sub-06", "sub-07", "sub-08", "sub-09"
PEOPLE = (PLAIN, REPLICATES, SETUP, CHECKS, ABSENT, BIFID, BROKEN, AVERAGES, SECTORS)
POOLED = "check=60;reader=auto"
LOST = f"{BROKEN}/ses-M06/eeg/{BROKEN}_ses-M06_task-prvep_acq-od60min_run-2_eeg.edf"


def tree(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.fixture(scope="module")
def bids(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("eyes") / "bids"
    data.write_frame(root, PEOPLE)
    data.record_visits(root, PLAIN, "OD", (126.0, 120.0), sweeps=50)
    data.record_visits(root, PLAIN, "OS", (106.0, 106.0), sweeps=50)
    data.record(root, REPLICATES, "M06", "OD", "1", 110.0)
    data.record(root, REPLICATES, "M06", "OD", "2", 122.0)
    other = {
        "Display": "LCD",
        "DisplayDelay": 20.0,
        "HardwareFilters": {"High-pass": {"CutoffHz": 0.5}, "Low-pass": {"CutoffHz": 30}},
    }
    data.record(root, SETUP, "M00", "OD", "1", 110.0)
    data.record(root, SETUP, "M06", "OD", "1", 110.0, channel="Oz-Cz", sidecar=other)
    data.record(root, CHECKS, "M00", "OD", "1", 110.0)
    data.record(root, CHECKS, "M06", "OD", "1", 110.0, check=15)
    data.record(root, ABSENT, "M00", "OD", "1", 110.0)
    data.record(root, ABSENT, "M06", "OD", "1", 110.0, size_uv=0.0)
    data.record(root, ABSENT, "M06", "OD", "2", 110.0, size_uv=0.0)
    data.record(root, BIFID, "M00", "OD", "1", 108.0, also_ms=136.0)
    data.record(root, BROKEN, "M00", "OD", "1", 110.0)
    data.record(root, BROKEN, "M06", "OD", "1", 104.0)
    (root / LOST).write_bytes(data.record(root, BROKEN, "M06", "OD", "2", 104.0).read_bytes()[:300])
    for visit, latency_ms in (("M00", 118.0), ("M06", 112.0)):
        data.write_average(root, AVERAGES, visit, "OD", "1", latency_ms)
    data.record_sectors(root, SECTORS, "M00", 110.0, silent="S06")
    data.record_sectors(root, SECTORS, "M06", 105.0, silent="S06")
    data.write_table(
        root / "derivatives" / "vep" / "readers_readings.tsv",
        "participant_id visit eye check_arcmin reader peak latency_ms time reason",
        f"{PLAIN} M00 OD 60 AB P100 126.5 2026-03-09T14:05 clear",
        f"{PLAIN} M00 OD 60 CD P100 140 2026-03-10T09:00 broad",
        f"{PLAIN} M00 OS 60 AB P100 106 2026-03-09T14:07 clear",
        f"{PLAIN} M00 OS 60 CD P100 107 2026-03-10T09:02 clear",
    )
    data.write_table(
        root / "phenotype" / "oct_retina.tsv",
        "participant_id visit eye rnfl_um",
        f"{PLAIN} M00 OD 80",
        f"{PLAIN} M00 OS 95",
    )
    return root


@pytest.fixture(scope="module")
def out(bids: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("measured")
    before = tree(bids)
    summary = measure_participants(
        bids, folder, resolve_settings(given={"vep_delayed_ms": 118.0}), progress=False
    )
    assert tree(bids) == before, "the recordings are the user's"
    assert summary.exit_code == 1
    gather(folder)
    return folder


@pytest.fixture(scope="module")
def frame(out: Path) -> pd.DataFrame:
    return Measurements.read(out / "measurements.tsv").frame


def rows(frame: pd.DataFrame, person: str, visit: str, **given: str) -> pd.DataFrame:
    chosen = frame[(frame["participant_id"] == person) & (frame["visit"] == visit)]
    for column, word in given.items():
        chosen = chosen[chosen[column] == word]
    return chosen


def row(
    frame: pd.DataFrame, person: str, visit: str, measure: str, eye: str = "OD", condition: str = POOLED
) -> pd.Series:
    found = rows(frame, person, visit, measure=measure, site=f"eye:{eye}", condition=condition)
    assert len(found) == 1, found
    return found.iloc[0]


def flags(out: Path, person: str, visit: str = "M06") -> dict[str, dict[str, str]]:
    """The flags of a visit by their field."""
    found = data.lines_of(out / "flags.tsv")
    return {one["field"]: one for one in found if (one["participant_id"], one["visit"]) == (person, visit)}


# What is measured


def test_every_value_has_its_row(frame: pd.DataFrame) -> None:
    own = frame[(frame["participant_id"] == PLAIN) & frame["condition"].str.contains("reader=auto")]
    measures = ("p100_latency_ms", "p100_amplitude_uv", "n75_latency_ms", "n135_latency_ms", "vep_snr")
    runs = (POOLED, f"{POOLED};run=1", f"{POOLED};run=2")
    wanted = {
        (visit, f"eye:{eye}", measure, condition)
        for visit in data.VISITS
        for eye in ("OD", "OS")
        for measure in measures
        for condition in runs
    }
    wanted |= {("M06", f"eye:{eye}", "vep_shift_ms", POOLED) for eye in ("OD", "OS")}
    wanted |= {
        (visit, f"eye:{eye}", "p100_fellow_difference_ms", POOLED)
        for visit in data.VISITS
        for eye in ("OD", "OS")
    }
    wanted |= {(visit, "participant", "p100_asymmetry_ms", POOLED) for visit in data.VISITS}
    keys = list(own[["visit", "site", "measure", "condition"]].itertuples(index=False, name=None))
    assert len(keys) == len(set(keys))
    assert set(keys) == wanted
    assert set(own["quality"]) == {"pass"}
    assert set(own["state"]) == {"present"}
    assert (own["day"] == own["visit"].map(data.VISITS)).all()
    for run in ("1", "2"):
        sources = own.loc[own["condition"] == f"{POOLED};run={run}", "source"]
        assert sources.str.endswith(f"_run-{run}_eeg.edf").all()


@pytest.mark.parametrize(("eye", "before", "after"), [("OD", 126.0, 120.0), ("OS", 106.0, 106.0)])
def test_latency_and_shift_are_those_of_the_truth(
    frame: pd.DataFrame, eye: str, before: float, after: float
) -> None:
    for visit, truth in (("M00", before), ("M06", after)):
        found = row(frame, PLAIN, visit, "p100_latency_ms", eye)
        assert found["value"] == pytest.approx(truth, abs=3 * found["se"])
        assert found["se"] < 1.5
    shift = row(frame, PLAIN, "M06", "vep_shift_ms", eye)
    assert shift["value"] == pytest.approx(after - before, abs=3 * shift["se"])
    assert shift["se"] < 1.5


def test_averages_of_a_clinic_are_measured_too(frame: pd.DataFrame) -> None:
    latency, shift = (row(frame, AVERAGES, "M06", name) for name in ("p100_latency_ms", "vep_shift_ms"))
    assert latency["value"] == pytest.approx(112, abs=max(3 * latency["se"], 1.0))
    assert shift["value"] == pytest.approx(-6, abs=3 * shift["se"])
    assert latency["source"].endswith("_desc-average_ave.tsv")


def test_sectors_have_rows_at_both_visits(frame: pd.DataFrame) -> None:
    for visit in data.VISITS:
        snr = rows(frame, SECTORS, visit, measure="vep_snr").set_index("condition")
        assert list(snr.index) == [f"reader=auto;sector={k:02d}" for k in range(1, 7)]
        assert list(snr["state"]) == ["present"] * 5 + ["absent"]
        assert "power" in snr["reason"].iloc[5]
    shifts = rows(frame, SECTORS, "M06", measure="vep_shift_ms")
    assert len(shifts) == 6
    assert rows(frame, SECTORS, "M00", measure="vep_shift_ms").empty
    away = (shifts["value"] + 5).abs() / shifts["se"]
    assert (away.iloc[:5] < 3).all()
    assert (shifts["state"].iloc[5], np.isnan(shifts["value"].iloc[5])) == ("absent", True)


def test_an_absent_response_is_a_finding(frame: pd.DataFrame) -> None:
    for condition in (POOLED, f"{POOLED};run=1"):
        found = row(frame, ABSENT, "M06", "p100_latency_ms", condition=condition)
        assert (found["state"], np.isnan(found["value"])) == ("absent", True)
        assert "power" in found["reason"]
    shift = row(frame, ABSENT, "M06", "vep_shift_ms")
    assert (shift["state"], np.isnan(shift["value"])) == ("absent", True)
    assert "no response at M06" in shift["reason"]


def test_both_humps_of_a_bifid_response_are_told(frame: pd.DataFrame) -> None:
    humps = [
        row(frame, BIFID, "M00", "p100_latency_ms", condition=f"check=60;hump={k};reader=auto")["value"]
        for k in (1, 2)
    ]
    assert humps == pytest.approx([108, 136], abs=4)
    chosen = row(frame, BIFID, "M00", "p100_latency_ms")
    assert chosen["value"] == pytest.approx(108, abs=4)
    assert "two humps" in chosen["reason"]


# What is doubtful


def test_an_eye_recorded_twice_and_alike_is_told_nothing(out: Path) -> None:
    assert flags(out, PLAIN) == {}
    assert flags(out, AVERAGES) == {}


def test_replicates_that_disagree_are_flagged_with_all_values(out: Path, frame: pd.DataFrame) -> None:
    flag = flags(out, REPLICATES)["P100 of the replicate"]
    assert "_run-2_" in flag["file"]
    assert float(flag["found"].split()[0]) == pytest.approx(12, abs=4)
    own = rows(frame, REPLICATES, "M06")
    assert len(own) == 15
    assert set(own["quality"]) == {"flag"}


def test_a_replicate_alone_is_flagged(out: Path, frame: pd.DataFrame) -> None:
    assert flags(out, CHECKS)["replicates"]["found"] == "1 of OD"
    assert row(frame, CHECKS, "M00", "p100_latency_ms")["quality"] == "flag"
    assert "replicates" not in flags(out, REPLICATES)


@pytest.mark.parametrize(
    ("field", "found"),
    [
        ("montage", "Oz-Cz, and was Oz-Fz at M00"),
        ("low-pass filter", "30 Hz, and was 100 Hz at M00"),
        ("display", "LCD, and was CRT at M00"),
        ("display delay", "20 ms, and was 12 ms at M00"),
    ],
)
def test_another_instrument_is_flagged_at_the_later_visit(
    out: Path, frame: pd.DataFrame, field: str, found: str
) -> None:
    assert flags(out, SETUP)[field]["found"] == found
    assert field not in flags(out, SETUP, "M00")
    for measure in ("p100_latency_ms", "vep_shift_ms"):
        assert f"{field}: {found}" in row(frame, SETUP, "M06", measure)["reason"]


def test_other_checks_are_flagged_and_not_compared(out: Path, frame: pd.DataFrame) -> None:
    assert flags(out, CHECKS)["check size"]["found"] == "15', and was 60' at M00"
    assert row(frame, CHECKS, "M06", "p100_latency_ms", condition="check=15;reader=auto")["quality"] == "flag"
    assert rows(frame, CHECKS, "M06", measure="vep_shift_ms").empty


def test_a_recording_that_cannot_be_read_costs_no_other(out: Path, frame: pd.DataFrame) -> None:
    failures = data.lines_of(out / "failures.tsv")
    assert [(one["participant_id"], one["visit"], one["file"]) for one in failures] == [(BROKEN, "M06", LOST)]
    shift = row(frame, BROKEN, "M06", "vep_shift_ms")  # from the replicate that is whole
    assert shift["value"] == pytest.approx(-6, abs=3 * shift["se"])
    assert set(frame["participant_id"]) == set(PEOPLE)


# What is told beside the values


def test_waveforms_show_the_average_and_a_fit_that_follows_it(out: Path) -> None:
    table = pd.read_csv(out / PLAIN / f"{PLAIN}_waveforms.tsv", sep="\t", na_values="n/a")
    assert list(table) == ["visit", "site", "condition", "time_ms", "average_uv", "se_uv", "fit_uv"]
    groups = table.groupby(["visit", "site", "condition"])
    assert set(groups.groups) == {
        (visit, f"eye:{eye}", condition)
        for visit in data.VISITS
        for eye in ("OD", "OS")
        for condition in (POOLED, f"{POOLED};run=1", f"{POOLED};run=2")
    }
    for (visit, site, condition), one in groups:
        assert (one["time_ms"].iloc[0], one["time_ms"].iloc[-1]) == (-50, 400)
        assert (one["time_ms"].diff().dropna() == 1).all()
        near = one[one["time_ms"].between(70, 200)]
        residual = (near["average_uv"] - near["fit_uv"]).std()
        assert residual < 2.5 * near["se_uv"].mean() < near["average_uv"].std()
        if condition == POOLED and site == "eye:OD":
            top = near["time_ms"].iloc[near["fit_uv"].to_numpy().argmax()]
            assert top == pytest.approx(126 if visit == "M00" else 120, abs=3)
    lone = pd.read_csv(out / AVERAGES / f"{AVERAGES}_waveforms.tsv", sep="\t", na_values="n/a")
    assert lone["se_uv"].isna().all()


def test_an_absent_response_has_no_fit(out: Path) -> None:
    table = pd.read_csv(out / ABSENT / f"{ABSENT}_waveforms.tsv", sep="\t", na_values="n/a")
    fitted = table.groupby("visit")["fit_uv"].count()
    assert fitted["M00"] > 0
    assert fitted["M06"] == 0


def test_eligibility_holds_eyes_against_the_cut_off(out: Path) -> None:
    lines = data.lines_of(out / "eligibility.tsv")
    own = {(one["visit"], one["eye"]): one for one in lines if one["participant_id"] == PLAIN}
    assert {key: one["delayed"] for key, one in own.items()} == {
        ("M00", "OD"): "yes",
        ("M06", "OD"): "yes",
        ("M00", "OS"): "no",
        ("M06", "OS"): "no",
    }
    assert {one["cut_off_ms"] for one in lines} == {"118.00"}
    assert float(own["M00", "OD"]["asymmetry_ms"]) == pytest.approx(20, abs=2.5)
    absent = [one for one in lines if (one["participant_id"], one["visit"]) == (ABSENT, "M06")]
    assert [one["delayed"] for one in absent] == ["unknown"]


def test_readers_stand_beside_the_program(out: Path, frame: pd.DataFrame) -> None:
    found = rows(frame, PLAIN, "M00", measure="p100_latency_ms", site="eye:OD")
    assert dict(zip(found["condition"], found["value"], strict=True)) == pytest.approx(
        {"check=60;reader=AB": 126.5, "check=60;reader=CD": 140.0, POOLED: 126.0}
        | {f"{POOLED};run={k}": 126.0 for k in (1, 2)},
        abs=2.5,
    )
    (line,) = data.lines_of(out / "adjudication.tsv")
    assert (line["participant_id"], line["eye"], line["status"], line["value_a_ms"]) == (
        PLAIN,
        "OD",
        "open",
        "140",
    )
    assert "P100 of OD check=60" in flags(out, PLAIN, "M00")
    agreed = row(frame, PLAIN, "M00", "p100_latency_ms", "OS", "check=60;reader=adjudicated")
    assert agreed["value"] == 106.5


def test_retinas_have_rows_and_an_asymmetry(frame: pd.DataFrame) -> None:
    assert row(frame, PLAIN, "M00", "rnfl_um", "OD", "")["value"] == 80
    (asymmetry,) = rows(frame, PLAIN, "M00", measure="rnfl_asymmetry_um")["value"]
    assert asymmetry == -15


def test_the_standard_is_told_of_each_eye_and_visit(out: Path) -> None:
    told = {
        (one["participant_id"], one["visit"], one["site"], one["requirement"]): (one["verdict"], one["found"])
        for one in data.lines_of(out / "iscev.tsv")
    }
    for visit in data.VISITS:
        for eye in ("OD", "OS"):
            assert told[PLAIN, visit, f"eye:{eye}", "replicates"] == ("met", "2")
            assert told[PLAIN, visit, f"eye:{eye}", "contrast"] == ("not stated", "nothing")
        assert told[CHECKS, visit, "eye:OD", "replicates"][1] == "1"
    assert told[SETUP, "M00", "eye:OD", "low-pass"] == ("met", "100 Hz")
    verdict, found = told[SETUP, "M06", "eye:OD", "low-pass"]
    assert (verdict != "met", found) == (True, "30 Hz")


# The folder as a whole


def test_the_output_is_valid_bids(out: Path) -> None:
    validator = Path(sys.executable).with_name("bids-validator-deno")
    if not validator.exists():
        pytest.skip("bids-validator-deno is not installed")
    done = subprocess.run([str(validator), str(out), "--json"], capture_output=True, text=True, check=False)
    issues = json.loads(done.stdout)["issues"]["issues"]
    assert [issue for issue in issues if issue.get("severity") == "error"] == []


SOME = (REPLICATES, AVERAGES, SECTORS)


def remyelin(*arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "remyelin.cli", *map(str, arguments)],
        check=False,
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
    )


def measured_by_command(bids: Path, out: Path, *more: object, **environment: str) -> Path:
    labels = [name.removeprefix("sub-") for name in SOME]
    options = ("--vep-delayed-ms", 118, "--participant-label", *labels)
    done = remyelin("measure", bids, out, "participant", *options, *more, **environment)
    assert done.returncode == 0, done.stderr
    return out


@pytest.fixture(scope="module")
def by_command(bids: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three participants whom nothing ails, through the command line."""
    return measured_by_command(bids, tmp_path_factory.mktemp("command") / "out", OMP_NUM_THREADS="1")


@pytest.mark.slow
def test_two_workers_in_another_place_and_time_zone_give_the_same_bytes(
    bids: Path, by_command: Path, tmp_path: Path
) -> None:
    moved = shutil.copytree(bids, tmp_path / "elsewhere")
    other = {"TZ": "Pacific/Kiritimati", "PYTHONHASHSEED": "7", "LC_ALL": "C"}
    out = measured_by_command(moved, tmp_path / "other", "--jobs", 2, **other)
    assert tree(out) == tree(by_command)
    assert {f"{name}/{name}_measurements.tsv" for name in SOME} < tree(out).keys()


@pytest.mark.slow
def test_threads_of_this_process_do_not_change_the_bytes(out: Path, by_command: Path) -> None:
    for name in SOME:
        path = f"{name}/{name}_measurements.tsv"
        assert (out / path).read_bytes() == (by_command / path).read_bytes()


@pytest.mark.slow
def test_the_command_joins_and_names_the_recording_that_failed(
    bids: Path, by_command: Path, tmp_path: Path
) -> None:
    out = shutil.copytree(by_command, tmp_path / "out")
    assert remyelin("measure", bids, out, "group").returncode == 0
    assert data.lines_of(out / "failures.tsv") == []
    visits = {one["visit"] for one in data.lines_of(out / "measurements.tsv")}
    assert visits == set(data.VISITS)
    lost = ("participant", "--vep-delayed-ms", 118, "--participant-label", BROKEN.removeprefix("sub-"))
    done = remyelin("measure", bids, out, *lost)
    assert done.returncode == 1
    said = [line for line in (done.stdout + done.stderr).splitlines() if LOST in line]
    assert len(said) == 1
    assert all(word in said[0] for word in (BROKEN, "M06", "header", "truncated", "Fix: copy the file again"))
    assert "Traceback" not in done.stderr
    assert remyelin("measure", bids, out, "group").returncode == 1
    assert [one["file"] for one in data.lines_of(out / "failures.tsv")] == [LOST]


def test_what_is_finished_is_skipped_and_what_changed_is_measured_again(
    bids: Path, out: Path, tmp_path: Path
) -> None:
    root, again = tmp_path / "bids", tmp_path / "again"
    shutil.copytree(bids, root)
    shutil.copytree(out, again)
    before = tree(again)
    settings = resolve_settings(given={"vep_delayed_ms": 118.0})
    summary = measure_participants(root, again, settings, progress=False)
    assert (summary.measured, summary.skipped) == ((), PEOPLE)
    assert tree(again) == before
    recording = next((root / BIFID).rglob("*_eeg.edf"))
    content = bytearray(recording.read_bytes())
    content[-300] ^= 1  # a bit of one sample
    recording.write_bytes(content)
    summary = measure_participants(root, again, settings, progress=False)
    assert summary.measured == (BIFID,)
    kept = {path for path, code in tree(again).items() if before.get(path) == code}
    assert {path for path in before if BIFID not in path} <= kept


@pytest.mark.slow
def test_a_dataset_of_images_and_potentials_has_both_and_they_do_not_touch(
    bids: Path, tiny: Path, tmp_path: Path
) -> None:
    mixed = tmp_path / "mixed"
    shutil.copytree(tiny, mixed)
    measure_participants(tiny, tmp_path / "images", labels=["01"], progress=False)
    for visit in data.VISITS:
        data.record(mixed, "sub-01", visit, "OD", "1", 110.0, sweeps=24, sidecar={"DisplayDelay": 0.0})
    measure_participants(mixed, tmp_path / "both", labels=["01"], progress=False)
    name = "sub-01/sub-01_measurements.tsv"
    found = data.lines_of(tmp_path / "both" / name)
    of_images = [one for one in found if not one["source"].endswith(".edf")]
    of_eyes = [one for one in found if one["source"].endswith(".edf")]
    assert of_images == data.lines_of(tmp_path / "images" / name)
    assert {one["quality"] for one in of_eyes} == {"flag"}  # one replicate
    assert {"p100_latency_ms", "vep_shift_ms"} < {one["measure"] for one in of_eyes}
    assert any(one["measure"] == "mtr_pu" for one in of_images)
