"""Recordings that MNE reads give the same sweeps as the EDF of the same signal."""

from __future__ import annotations

import json
import sys
import warnings
from pathlib import Path

import edfio
import numpy as np
import pytest
from scipy.io import savemat

from remyelin.measure.recording import recording_files
from remyelin.measure.recording.formats import extension

from .vep_files import LATENCY_MS, SIDECAR, Recording, index, load, onsets, peak_ms, signal

TIMES = onsets()
STEM = "sub-01_ses-M00_task-prvep_acq-od60min_eeg"


@pytest.fixture
def mne():
    return pytest.importorskip("mne", reason="MNE is not installed: pip install 'remyelin[vep]'")


def folder(root: Path) -> Path:
    path = root / "sub-01" / "ses-M00" / "eeg"
    path.mkdir(parents=True, exist_ok=True)
    (path / f"{STEM}.json").write_text(json.dumps(SIDECAR))
    return path


def channels() -> np.ndarray:
    """(2, sample) Oz and Fz in uV."""
    return np.stack([signal(TIMES), signal(TIMES, seed=9, size_uv=0.0)])


def write_brainvision(root: Path, *, unit: str = "µV", encoding: str = "utf-8") -> Path:
    stem = folder(root) / STEM
    x = channels()
    (x.T / 0.01).round().astype("<i2").tofile(f"{stem}.eeg")
    head = [
        "Brain Vision Data Exchange Header File Version 1.0",
        "[Common Infos]",
        f"Codepage={encoding.upper()}",
        f"DataFile={STEM}.eeg",
        f"MarkerFile={STEM}.vmrk",
        "DataFormat=BINARY",
        "DataOrientation=MULTIPLEXED",
        "NumberOfChannels=2",
        "SamplingInterval=1000",
        "[Binary Infos]",
        "BinaryFormat=INT_16",
        "[Channel Infos]",
        f"Ch1=Oz,,0.01,{unit}",
        f"Ch2=Fz,,0.01,{unit}",
    ]
    Path(f"{stem}.vhdr").write_text("\n".join(head) + "\n", encoding=encoding)
    marks = [f"Mk{k + 2}=Stimulus,S  1,{round(1000 * t) + 1},1,0" for k, t in enumerate(TIMES)]
    text = [
        "Brain Vision Data Exchange Marker File, Version 1.0",
        "[Common Infos]",
        f"DataFile={STEM}.eeg",
        "[Marker Infos]",
        "Mk1=New Segment,,1,1,0,20240101093000000000",
        *marks,
    ]
    Path(f"{stem}.vmrk").write_text("\n".join(text) + "\n")
    return Path(f"{stem}.vhdr")


def write_eeglab(root: Path) -> Path:
    x = channels()
    names = np.array([("Oz",), ("Fz",)], dtype=[("labels", object)])
    events = np.array(
        [(1000 * t + 1, "reversal", 1) for t in TIMES],
        dtype=[("latency", float), ("type", object), ("duration", float)],
    )
    content = {
        "data": x,
        "srate": 1000.0,
        "nbchan": 2.0,
        "pnts": float(x.shape[1]),
        "trials": 1.0,
        "xmin": 0.0,
        "xmax": (x.shape[1] - 1) / 1000,
        "chanlocs": names,
        "event": events,
        "epoch": [],
        "ref": "common",
    }
    path = folder(root) / f"{STEM}.set"
    savemat(path, {"EEG": content}, appendmat=False)
    return path


def write_bdf(root: Path) -> Path:
    path = folder(root) / f"{STEM}.bdf"
    edfio.Bdf(
        [
            edfio.BdfSignal(x, 1000, label=name, physical_dimension="uV", physical_range=(-3000, 3000))
            for name, x in zip(("Oz", "Fz"), channels(), strict=True)
        ],
        annotations=[edfio.EdfAnnotation(float(t), None, "reversal") for t in TIMES],
    ).write(path)
    return path


def write_fif(root: Path, mne, *, stim: bool = False, cropped: bool = False) -> Path:
    names, kinds, data = ["Oz", "Fz"], ["eeg", "eeg"], channels() * 1e-6
    times = TIMES
    if cropped:  # the file then begins at a first sample that is not 0
        data = np.concatenate([np.zeros((2, 2000)), data], axis=1)
        times = TIMES + 2.0
    if stim:
        code = np.zeros(data.shape[1])
        for t in times:
            code[round(1000 * t) : round(1000 * t) + 5] = 1
        names, kinds, data = [*names, "STI 014"], [*kinds, "stim"], np.vstack([data, code])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        raw = mne.io.RawArray(data, mne.create_info(names, 1000.0, kinds), verbose="ERROR")
        if cropped:
            raw.set_meas_date(1_700_000_000)
        if not stim:
            raw.set_annotations(mne.Annotations(times, 0, ["reversal"] * len(times)), verbose="ERROR")
        if cropped:
            raw = raw.crop(2.0, verbose="ERROR")
        path = folder(root) / f"{STEM}.fif"
        raw.save(path, fmt="double", verbose="ERROR")
    return path


@pytest.fixture
def reference(tmp_path):
    x = channels()
    return load(tmp_path / "edf", Recording(channels={"Oz": x[0], "Fz": x[1]}).write(tmp_path / "edf"))


@pytest.mark.parametrize(
    "kind", ["brainvision", "latin-1", "eeglab", "bdf", "fif", "fif-stim", "fif-cropped"]
)
def test_every_format_gives_the_sweeps_of_the_edf(tmp_path, mne, reference, kind, capfd):
    path = {
        "brainvision": write_brainvision,
        "latin-1": lambda root: write_brainvision(root, encoding="latin-1"),
        "eeglab": write_eeglab,
        "bdf": write_bdf,
        "fif": lambda root: write_fif(root, mne),
        "fif-stim": lambda root: write_fif(root, mne, stim=True),
        "fif-cropped": lambda root: write_fif(root, mne, cropped=True),
    }[kind](tmp_path)
    capfd.readouterr()
    loaded = load(tmp_path, path)
    assert capfd.readouterr() == ("", "")
    assert (loaded.failures, loaded.flags) == ((), ())
    [one], [wanted] = loaded.sweeps, reference.sweeps
    assert (one.eye, one.check_arcmin, one.setup.montage) == ("OD", 60.0, "Oz-Fz")
    assert one.sfreq_hz == 1000.0
    # Marks on whole samples move a sweep by half a sample at most, beside those between samples.
    assert peak_ms(one) == pytest.approx(peak_ms(wanted), abs=0.3)
    assert peak_ms(one) == pytest.approx(LATENCY_MS, abs=1.5)
    assert one.sweeps_uv.std() == pytest.approx(wanted.sweeps_uv.std(), rel=0.02)
    assert recording_files(index(tmp_path).participants[0].visits[0], tmp_path)[0].parent == path.parent


def test_units_of_brainvision_are_those_of_its_header(tmp_path, mne):
    path = write_brainvision(tmp_path, unit="V")
    [failure] = load(tmp_path, path).failures
    assert failure.error.field == "unit of channel Oz"
    path = write_brainvision(tmp_path, unit="V")
    path.with_name(STEM.replace("_eeg", "_channels.tsv")).write_text(
        "name\ttype\tunits\nOz\tEEG\tuV\nFz\tEEG\tuV\n"
    )
    loaded = load(tmp_path, path)
    assert {flag.quality for flag in loaded.flags} == {"fail"}
    assert peak_ms(loaded.sweeps[0]) == pytest.approx(LATENCY_MS, abs=1.5)


def test_a_truncated_bdf_says_so(tmp_path, mne):
    path = write_bdf(tmp_path)
    path.write_bytes(path.read_bytes()[:50000])
    loaded = load(tmp_path, path)
    assert any("truncated" in flag.found for flag in loaded.flags)
    assert len(loaded.sweeps[0].sweeps_uv) < len(TIMES)


@pytest.mark.parametrize("missing", [".eeg", ".vmrk"])
def test_a_part_of_a_brainvision_recording_that_is_missing_is_named(tmp_path, mne, missing):
    path = write_brainvision(tmp_path)
    path.with_suffix(missing).unlink()
    [failure] = load(tmp_path, path).failures
    assert failure.error.file.endswith(missing)
    assert failure.error.found == "missing"


def test_the_parts_of_a_recording_are_told_for_hashing(tmp_path, mne):
    write_brainvision(tmp_path)
    [visit] = index(tmp_path).participants[0].visits
    suffixes = {path.suffix for path in recording_files(visit, tmp_path)}
    assert suffixes == {".vhdr", ".vmrk", ".eeg", ".json"}
    assert index(tmp_path).flags == ()


def test_a_header_cannot_lead_out_of_its_folder(tmp_path, mne):
    path = write_brainvision(tmp_path)
    (tmp_path / "secret.eeg").write_bytes(b"x" * 100)
    path.write_text(path.read_text().replace(f"DataFile={STEM}.eeg", "DataFile=../../../secret.eeg"))
    [failure] = load(tmp_path, path).failures
    assert failure.error.found == "missing"


@pytest.mark.parametrize("kind", [".vhdr", ".set", ".fif", ".bdf"])
def test_a_file_that_is_nothing_of_the_kind_is_refused_by_name(tmp_path, mne, kind):
    path = folder(tmp_path) / f"{STEM}{kind}"
    path.write_bytes(b"nothing of the kind" * 100)
    [failure] = load(tmp_path, path).failures
    assert failure.error.file.endswith(kind)
    assert str(tmp_path) not in str(failure.error)


def test_a_truncated_fif_is_refused_or_says_so(tmp_path, mne):
    path = write_fif(tmp_path, mne)
    data = path.read_bytes()
    for part in (0.1, 0.5, 0.9):
        path.write_bytes(data[: round(part * len(data))])
        loaded = load(tmp_path, path)
        assert loaded.failures or loaded.flags


def test_a_name_in_a_fif_file_is_flagged_and_not_repeated(tmp_path, mne):
    path = write_fif(tmp_path, mne)
    raw = mne.io.read_raw_fif(path, preload=True, verbose="ERROR")
    raw.info["subject_info"] = {"last_name": "Smith", "first_name": "Jane"}
    raw.save(path, overwrite=True, fmt="double", verbose="ERROR")
    [flag] = load(tmp_path, path).flags
    assert "privacy" in str(flag)
    assert "Smith" not in str(flag)


def test_without_mne_the_way_out_is_told(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "mne", None)
    loaded = load(tmp_path, write_bdf(tmp_path), Recording().write(tmp_path))
    [failure] = loaded.failures
    assert "pip install 'remyelin[vep]'" in failure.error.fix
    assert len(loaded.sweeps) == 1


def test_extensions_are_read_whatever_their_case():
    assert [extension(Path(name)) for name in ("a.EDF", "a_ave.fif.gz", "a.b.vhdr")] == [
        ".edf",
        ".fif.gz",
        ".vhdr",
    ]
