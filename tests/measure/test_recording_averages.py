"""Averages that a clinical system exported."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from .vep_files import LATENCY_MS, Recording, index, load, peak_ms, response

NAME = "sub-01_ses-M00_task-prvep_acq-od60min_run-1_desc-average_ave.tsv"
SIDECAR = {"Sweeps": 80, "DisplayDelay": 12.0, "SamplingFrequency": 1000, "EEGReference": "Fz"}


def write(
    root: Path,
    name: str = NAME,
    *,
    times: np.ndarray | None = None,
    factor: float = 1.0,
    columns: str = "time_ms\tuV",
    digits: int = 3,
    sidecar: dict | None = None,
) -> Path:
    folder = root / "derivatives" / "clinic" / "sub-01" / "ses-M00" / "eeg"
    folder.mkdir(parents=True, exist_ok=True)
    times = np.arange(-20.0, 401.0) if times is None else times
    values = factor * response(np.linspace(-20.0, 400.0, len(times)) - 12.0)
    rows = [f"{t:.{digits}f}\t{v:.9g}" for t, v in zip(times, values, strict=True)]
    path = folder / name
    path.write_text("\n".join([columns, *rows]) + "\n")
    stated = SIDECAR if sidecar is None else sidecar
    path.with_suffix(".json").write_text(json.dumps(stated))
    return path


def error_of(root: Path, path: Path):
    loaded = load(root, path)
    assert loaded.sweeps == ()
    return loaded.failures[0].error


@pytest.mark.parametrize("columns", ["time_ms\tuV", "time_ms\tamplitude_uv"])
def test_an_average_is_one_sweep_that_says_of_how_many(tmp_path, columns):
    loaded = load(tmp_path, write(tmp_path, columns=columns))
    assert (loaded.failures, loaded.flags) == ((), ())
    [one] = loaded.sweeps
    assert (one.eye, one.check_arcmin, one.run, one.averaged) == ("OD", 60.0, "1", 80)
    assert (one.sweeps_uv.shape, one.sfreq_hz, one.start_ms) == ((1, 421), 1000.0, -32.0)
    assert peak_ms(one) == pytest.approx(LATENCY_MS, abs=0.06)


def test_eye_and_check_size_may_stand_in_the_sidecar(tmp_path):
    name = "sub-01_ses-M00_task-prvep_desc-average_ave.tsv"
    stated = {"Eye": "OS", "CheckArcmin": 15}
    loaded = load(tmp_path, write(tmp_path, name, sidecar=stated))
    [one] = loaded.sweeps
    assert (one.eye, one.check_arcmin, one.averaged, one.start_ms) == ("OS", 15.0, 0, -20.0)
    assert [flag.field for flag in loaded.flags] == ["DisplayDelay"]
    assert error_of(tmp_path, write(tmp_path, name, sidecar={})).field == "eye"
    assert error_of(tmp_path, write(tmp_path, sidecar=stated)).field == "eye"


@pytest.mark.parametrize(
    ("changes", "field", "word"),
    [
        ({"times": np.arange(-20.0, 401.0) / 1000}, "time_ms", "as if in seconds"),
        ({"factor": 1e-6}, "amplitude", "V or mV"),
        ({"factor": 1e-3}, "amplitude", "V or mV"),
        ({"factor": 1e3}, "amplitude", "nV"),
        ({"factor": 0.0}, "amplitude", "flat"),
        ({"columns": "time_s\tuV"}, "columns", "time_s"),
        ({"columns": "time_ms\tvolt"}, "columns", "volt"),
        ({"times": np.delete(np.arange(-20.0, 402.0), 100)}, "time_ms", "uneven"),
        ({"times": np.r_[np.arange(-20.0, 400.0), 399.0]}, "time_ms", "uneven"),
        ({"times": np.arange(-20.0, 401.0)[::-1]}, "time_ms", "uneven"),
        ({"times": np.arange(-20.0, 120.0)}, "times", "-32 to 107"),
        ({"times": np.full(421, np.nan)}, "time_ms in line 2", "nan"),
        ({"times": np.arange(1.0)}, "table", "1 rows"),
        ({"sidecar": {**SIDECAR, "SamplingFrequency": 500}}, "SamplingFrequency", "500"),
        ({"sidecar": {**SIDECAR, "DisplayDelay": 900}}, "DisplayDelay", "900"),
    ],
)
def test_what_cannot_be_an_average_is_refused_by_its_field(tmp_path, changes, field, word):
    error = error_of(tmp_path, write(tmp_path, **changes))
    assert error.field == field
    assert word in error.found
    assert Path(error.file).name.startswith(NAME.split(".")[0])


@given(sfreq=st.sampled_from([250.0, 512.0, 600.6, 1000.0, 2000.0]), digits=st.integers(0, 4))
@settings(max_examples=30, deadline=None)
def test_rounded_times_give_the_sampling_rate_or_an_error(tmp_path_factory, sfreq, digits):
    root = tmp_path_factory.mktemp("rounded")
    times = np.arange(round(0.4 * sfreq)) * 1000 / sfreq - 20.0
    loaded = load(root, write(root, times=times, digits=digits, sidecar={"Eye": "OD"}))
    if digits >= 1 or sfreq <= 512:
        [one] = loaded.sweeps
        assert one.sfreq_hz == pytest.approx(sfreq, rel=2e-3)
        assert one.start_ms == pytest.approx(-20.0, abs=0.6 * 10.0**-digits)
    else:
        assert loaded.sweeps or loaded.failures[0].error.field == "time_ms"


def test_averages_are_found_where_nothing_else_is(tmp_path):
    write(tmp_path)
    (tmp_path / "participants.tsv").write_text("participant_id\nsub-01\n")
    dataset = index(tmp_path)
    assert (dataset.failures, dataset.flags) == ((), ())
    [visit] = dataset.participants[0].visits
    assert (visit.participant, visit.id, visit.eeg) == ("sub-01", "M00", ())
    assert [path.name for path in visit.averages] == [NAME]


def test_averages_stand_beside_recordings_and_copies_are_found(tmp_path):
    Recording().write(tmp_path)
    write(tmp_path)
    write(tmp_path, NAME.replace("od60", "os60"))
    dataset = index(tmp_path)
    [visit] = dataset.participants[0].visits
    assert (len(visit.eeg), visit.averages) == (1, ())
    assert len(dataset.failures) == 2
