"""Recordings from disk to sweeps: what is read, and what is doubted or refused."""

from __future__ import annotations

import json
import shutil
import struct
import warnings
from pathlib import Path

import edfio
import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from remyelin.errors import InputError
from remyelin.measure.recording import recording_files
from remyelin.measure.recording.edf import read_edf
from remyelin.measure.recording.filters import from_sidecar
from remyelin.measure.recording.identity import edf_identity
from remyelin.protocol import Measuring

from .vep_files import LATENCY_MS, SIDECAR, Recording, index, load, onsets, peak_ms, signal


def flags_of(loaded, field: str) -> list:
    return [flag for flag in loaded.flags if field in flag.field]


def only_error(loaded) -> InputError:
    assert loaded.sweeps == ()
    [failure] = loaded.failures
    assert (failure.participant, failure.visit) == ("sub-01", "M00")
    assert "\n" not in str(failure.error)
    assert all(failure.error.facts().values())
    return failure.error


def test_a_good_recording_is_read_without_a_word(tmp_path):
    path = Recording().write(tmp_path)
    loaded = load(tmp_path, path)
    assert (loaded.failures, loaded.flags) == ((), ())
    [one] = loaded.sweeps
    assert (one.eye, one.check_arcmin, one.run, one.sector, one.averaged) == ("OD", 60.0, "", "", None)
    assert one.sweeps_uv.shape == (24, 451)
    assert (one.sfreq_hz, one.start_ms, dict(one.rejected)) == (1000.0, -50.0, {})
    assert one.setup.montage == "Oz-Fz"
    assert (one.setup.high_pass_hz, one.setup.low_pass_hz, one.setup.notch_hz) == (0.5, 100.0, None)
    assert one.setup.reversal_rate_hz == pytest.approx(1.98, abs=1e-3)
    # The delay of the display is taken off.
    assert one.setup.display_delay_ms == 12.0
    assert peak_ms(one) == pytest.approx(LATENCY_MS, abs=1.5)


@pytest.mark.parametrize("delay", [0.0, 7.3, 12.0, 41.6])
def test_latency_counts_from_the_light_not_from_the_trigger(tmp_path, delay):
    recording = Recording(sidecar={**SIDECAR, "DisplayDelay": delay})
    recording.channels = {"Oz-Fz": signal(recording.times, delay_ms=delay, noise_uv=0.5)}
    [one] = load(tmp_path, recording.write(tmp_path)).sweeps
    assert one.start_ms == -50.0
    assert peak_ms(one) == pytest.approx(LATENCY_MS, abs=0.15)


def test_annotations_count_from_the_first_sample_though_the_clock_does_not(tmp_path):
    """EDF+ gives the fraction of the starting second as the onset of the first record."""
    path = Recording(start=0.25).write(tmp_path)
    ours = read_edf(path, tmp_path)
    theirs = edfio.read_edf(path)
    assert [m.onset_s for m in ours.marks] == pytest.approx([a.onset for a in theirs.annotations], abs=1e-9)
    assert ours.marks[0].onset_s == pytest.approx(0.5)
    np.testing.assert_array_equal(ours.read(0), theirs.signals[0].data)
    [one] = load(tmp_path, path).sweeps
    assert peak_ms(one) == pytest.approx(LATENCY_MS, abs=1.5)


def test_one_file_may_hold_both_eyes(tmp_path):
    times = onsets(24)
    eyes = ["L"] * 12 + ["R"] * 12
    name = "sub-01_ses-M00_task-prvep_eeg"
    x = signal(times[:12], length_s=14, latency_ms=120) + signal(times[12:], length_s=14, latency_ms=104)
    rows = [(t, 0, f"reversal/{eye}") for t, eye in zip(times, eyes, strict=True)]
    loaded = load(tmp_path, Recording(name, channels={"Oz": x}, rows=rows).write(tmp_path))
    assert [(one.eye, len(one.sweeps_uv), one.condition) for one in loaded.sweeps] == [
        ("OS", 12, ""),
        ("OD", 12, ""),
    ]
    assert [peak_ms(one) for one in loaded.sweeps] == pytest.approx([120, 104], abs=2.0)


def test_files_of_a_visit_are_told_for_hashing(tmp_path):
    recording = Recording(
        rows=[(t, 0, "reversal/R") for t in onsets()], channels_tsv="name\ttype\nOz-Fz\tEEG\n"
    )
    path = recording.write(tmp_path)
    (tmp_path / "task-prvep_eeg.json").write_text('{"Luminance": 50}')
    shutil.copy(path, path.with_name("sub-01_ses-M00_task-prvep_acq-os60min_eeg.edf"))
    [person] = index(tmp_path).participants
    names = {file.name for file in recording_files(person.visits[0], tmp_path)}
    assert names == set()  # both are copies of one recording, so nothing is read
    path.with_name("sub-01_ses-M00_task-prvep_acq-os60min_eeg.edf").unlink()
    [person] = index(tmp_path).participants
    stem = "sub-01_ses-M00_task-prvep_acq-od60min"
    assert {file.name for file in recording_files(person.visits[0], tmp_path)} == {
        f"{stem}_eeg.edf",
        f"{stem}_eeg.json",
        f"{stem}_events.tsv",
        f"{stem}_channels.tsv",
        "task-prvep_eeg.json",
    }
    assert load(tmp_path, path).sweeps[0].setup.luminance_cd_per_m2 == 50


def test_one_bad_recording_costs_no_other(tmp_path):
    good = Recording().write(tmp_path)
    bad = Recording("sub-01_ses-M00_task-prvep_acq-os60min_eeg").write(tmp_path)
    bad.write_bytes(bad.read_bytes()[:700])
    loaded = load(tmp_path, bad, good)
    assert [one.eye for one in loaded.sweeps] == ["OD"]
    assert [failure.error.file for failure in loaded.failures] == [
        "sub-01/ses-M00/eeg/sub-01_ses-M00_task-prvep_acq-os60min_eeg.edf"
    ]


# --- the header -------------------------------------------------------------------------------------------


def patched(path: Path, at: int, text: bytes, width: int) -> Path:
    data = bytearray(path.read_bytes())
    data[at : at + width] = text.ljust(width)
    path.write_bytes(bytes(data))
    return path


# Two signals: Oz-Fz and the annotations. Label 256, unit 448, physical 464 and 480, digital 496 and 512.
HEADER = {
    "version": (0, b"EDF?", 8, "header"),
    "no signals": (252, b"0", 4, "header size"),
    "more signals": (252, b"3", 4, "header size"),
    "lies about its size": (184, b"512", 8, "header size"),
    "no duration": (244, b"0", 8, "duration of a data record"),
    "negative duration": (244, b"-1", 8, "duration of a data record"),
    "comma": (244, b"1,0", 8, "duration of a data record"),
    "no records": (236, b"0", 8, "number of data records"),
    "records of -2": (236, b"-2", 8, "number of data records"),
    "not a number": (236, b"many", 8, "number of data records"),
    "no range": (464, b"150", 8, "physical range of channel Oz-Fz"),
    "infinite": (464, b"-1e999", 8, "physical range of channel Oz-Fz"),
    "nan": (464, b"nan", 8, "physical range of channel Oz-Fz"),
    "digital range": (496, b"32767", 8, "digital range of channel Oz-Fz"),
    "no samples": (688, b"0", 8, "number of samples of channel Oz-Fz"),
}


@pytest.mark.parametrize("name", HEADER)
def test_a_header_that_cannot_be_is_refused_by_its_field(tmp_path, name):
    at, text, width, field = HEADER[name]
    recording = Recording()
    path = recording.write(tmp_path)
    high = path.read_bytes()[480:488].strip()
    patched(path, at, high if name == "no range" else text, width)
    assert only_error(load(tmp_path, path)).field == field


def test_minus_one_records_is_legal_and_changes_nothing(tmp_path):
    path = Recording().write(tmp_path)
    before = load(tmp_path, path)
    after = load(tmp_path, patched(path, 236, b"-1", 8))
    assert (after.flags, after.failures) == ((), ())
    np.testing.assert_array_equal(before.sweeps[0].sweeps_uv, after.sweeps[0].sweeps_uv)


def test_more_data_than_the_header_tells_of_is_doubtful(tmp_path):
    path = Recording().write(tmp_path)
    loaded = load(tmp_path, patched(path, 236, b"10", 8))
    assert flags_of(loaded, "number of data records")
    assert len(loaded.sweeps[0].sweeps_uv) < 24


def test_units_are_read_however_they_are_spelled(tmp_path):
    path = Recording().write(tmp_path)
    reference = load(tmp_path, path).sweeps[0].sweeps_uv
    for unit in (b"\xb5V", "µV".encode(), "μV".encode(), b"microV", b"UV"):
        loaded = load(tmp_path, patched(path, 448, unit, 8))
        if unit == b"microV":
            assert "unit" in only_error(loaded).field
            continue
        assert loaded.flags == ()
        np.testing.assert_array_equal(loaded.sweeps[0].sweeps_uv, reference)


def test_latin_1_and_utf_8_headers_and_marks_are_read(tmp_path):
    recording = Recording("sub-01_ses-M00_task-prvep_eeg")
    recording.marks = [(t, "reversal/R xx") for t in recording.times]
    path = recording.write(tmp_path)
    data = path.read_bytes().replace(b"reversal/R xx", b"reversal/R \xe9\xe8")
    path.write_bytes(data)
    patched(path, 88, b"Startdate X X M\xfcller X", 80)
    [one] = load(tmp_path, path).sweeps
    assert (one.eye, len(one.sweeps_uv)) == ("OD", 24)


def test_a_duplicate_channel_is_refused(tmp_path):
    path = Recording(channels={"Oz-Fz": signal(onsets()), "Fz": signal(onsets(), seed=2)}).write(tmp_path)
    error = only_error(load(tmp_path, patched(path, 256 + 16, b"OZ-Fz", 16)))
    assert (error.field, error.found) == ("channel name", "duplicate ('Oz-Fz')")


def test_an_interrupted_recording_is_refused_but_the_word_alone_is_not(tmp_path):
    path = Recording().write(tmp_path)
    gap = path.read_bytes().replace(b"+5\x14\x14", b"+9\x14\x14")
    patched(path, 192, b"EDF+D", 44)
    assert load(tmp_path, path).failures == ()
    path.write_bytes(gap)  # which says that it is continuous
    assert only_error(load(tmp_path, path)).found == "interrupted (first gap after 5 s)"
    patched(path, 192, b"EDF+D", 44)
    assert only_error(load(tmp_path, path)).found == "interrupted (first gap after 5 s)"


def test_a_record_without_its_clock_moves_no_mark(tmp_path):
    """Taken for the first, the clock of the second record would put every mark a second too early."""
    path = Recording().write(tmp_path)
    before = read_edf(path, tmp_path).marks
    data = path.read_bytes()
    at = data.index(b"+0\x14\x14")
    width = data.index(b"+1\x14\x14") - at
    end = at + data[at:].index(b"\0\0")
    assert end < at + width
    path.write_bytes(data[:at] + bytes(end - at) + data[end:])
    after = read_edf(path, tmp_path).marks
    assert after == tuple(mark for mark in before if mark.onset_s >= 1)


def test_a_broken_annotation_is_an_error_not_a_lost_reversal(tmp_path):
    path = Recording().write(tmp_path)
    path.write_bytes(path.read_bytes().replace(b"+5.5505", b"*5.5505"))
    assert b"*5.55" in path.read_bytes()
    assert only_error(load(tmp_path, path)).field == "annotations"


@pytest.mark.parametrize(
    ("patient", "telling"),
    [
        ("X X X X", False),
        ("sub-01 F X X", False),
        ("0042 M X X", False),
        ("", False),
        ("0042 F 03-FEB-1981 X", True),
        ("X X X Jane_Doe", True),
        ("Doe", True),
        ("DOE^JANE", True),
    ],
)
def test_a_patient_field_that_identifies_is_flagged_and_never_repeated(patient, telling):
    flags = edf_identity(patient, "Startdate 01-JAN-2024 X X X", "a.edf")
    assert bool(flags) == telling
    for word in patient.split():
        assert len(word) < 3 or word not in str(flags)


# --- truncation -------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    root = tmp_path_factory.mktemp("whole")
    path = Recording(times=onsets(16)).write(root)
    return root, path, path.read_bytes(), load(root, path).sweeps[0]


@given(part=st.floats(0, 1))
@example(part=0.0)
@example(part=1.0)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_truncated_file_gives_fewer_sweeps_and_says_so_or_fails_by_name(whole, part):
    root, path, data, complete = whole
    size = round(part * len(data))
    path.write_bytes(data[:size])
    loaded = load(root, path)
    path.write_bytes(data)
    for failure in loaded.failures:
        assert failure.error.file.endswith("_eeg.edf")
    if not loaded.sweeps:
        assert loaded.failures
        return
    [one] = loaded.sweeps
    if size < len(data):
        [flag] = loaded.flags
        assert "truncated" in flag.found
        assert "reversals remain" in flag.found
        told = int(flag.found.split("; ")[1].split()[0])
        assert len(one.sweeps_uv) + sum(one.rejected.values()) == told
    # What is left is what it was, but for a constant and the drift of the last sweep.
    n = len(one.sweeps_uv) - 2
    kept, wanted = one.sweeps_uv[:n], complete.sweeps_uv[:n]
    gap = kept - wanted
    assert n <= 0 or np.abs(gap - gap.mean(axis=1, keepdims=True)).max() < 1e-9


@given(data=st.data())
@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_bytes_that_are_wrong_give_an_error_or_a_result_never_a_traceback(whole, data):
    root, path, content, _ = whole
    at = data.draw(st.integers(0, 767))
    new = data.draw(st.binary(min_size=1, max_size=8))
    path.write_bytes(content[:at] + new + content[at + len(new) :])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        loaded = load(root, path)
    path.write_bytes(content)
    assert loaded.sweeps or loaded.failures


# --- signal -----------------------------------------------------------------------------------------------


def test_volts_named_microvolts_are_refused_by_unit(tmp_path):
    recording = Recording()
    recording.channels = {"Oz-Fz": 1e-6 * signal(recording.times)}
    error = only_error(load(tmp_path, recording.write(tmp_path)))
    assert error.field == "unit of channel Oz-Fz"
    assert "1e-05 uV" in error.found or "e-06 uV" in error.found


@pytest.mark.parametrize(("unit", "factor"), [("V", 1e-6), ("mV", 1e-3), ("nV", 1e3)])
def test_other_units_of_the_header_are_microvolts_in_the_end(tmp_path, unit, factor):
    recording = Recording(unit=unit)
    x = signal(recording.times)
    recording.channels = {"Oz-Fz": factor * x}
    loaded = load(tmp_path, recording.write(tmp_path))
    assert loaded.flags == ()
    assert np.ptp(loaded.sweeps[0].sweeps_uv.mean(0)) == pytest.approx(15, abs=3)


@pytest.mark.parametrize(("header", "table"), [("mV", "uV"), ("uV", "mV"), ("uV", "V")])
def test_units_that_disagree_fail_and_the_possible_one_is_used(tmp_path, header, table):
    recording = Recording(unit=header, channels_tsv=f"name\ttype\tunits\nOz-Fz\tEEG\t{table}\n")
    loaded = load(tmp_path, recording.write(tmp_path))
    [flag] = loaded.flags
    assert flag.quality == "fail"
    assert "unit" in flag.field
    assert flag.found.endswith("read as uV")
    assert np.ptp(loaded.sweeps[0].sweeps_uv.mean(0)) == pytest.approx(15, abs=3)


def test_a_flat_channel_is_refused(tmp_path):
    recording = Recording()
    recording.channels = {"Oz-Fz": np.zeros(14000), "Pz": signal(recording.times)[:14000]}
    assert only_error(load(tmp_path, recording.write(tmp_path))).found == "flat (no signal)"


def test_all_sweeps_rejected_says_how_many_and_why(tmp_path):
    recording = Recording()
    recording.channels = {"Oz-Fz": signal(recording.times, noise_uv=120.0)}
    error = only_error(load(tmp_path, recording.write(tmp_path)))
    assert error.field == "sweeps of OD at 60 arcmin"
    assert error.found == "all of 24 rejected (peak-to-peak 24)"


def test_many_rejected_sweeps_are_doubtful(tmp_path):
    recording = Recording()
    x = signal(recording.times)
    for onset in recording.times[:14]:
        x[round(1000 * onset) + 100 : round(1000 * onset) + 300] += 400 * np.hanning(200)
    recording.channels = {"Oz-Fz": x}
    loaded = load(tmp_path, recording.write(tmp_path))
    assert [flag.found for flag in flags_of(loaded, "sweeps of OD")] == [
        "14 of 24 rejected (peak-to-peak 14)"
    ]
    assert dict(loaded.sweeps[0].rejected) == {"peak-to-peak": 14}


@pytest.mark.parametrize("limited", [1.0, 0.1])
def test_a_full_converter_is_flagged_or_costs_its_sweeps(tmp_path, limited):
    recording = Recording()
    x = signal(recording.times)
    part = slice(0, round(limited * len(x)))
    x[part] = np.clip(x[part], -6, 6)
    x[-1], x[-2] = -6, 6  # the extremes are those of the clipped part
    x = np.clip(x, -6, 6) if limited == 1.0 else x
    recording.channels = {"Oz-Fz": x}
    loaded = load(tmp_path, recording.write(tmp_path))
    if limited == 1.0:
        [flag] = loaded.flags
        assert "clipped" in flag.found
        assert flag.quality == "fail"
    else:
        assert loaded.flags == ()


@pytest.mark.parametrize(
    ("size", "frequency", "rate", "told"),
    [
        (15.0, 50, 2.0, "fail"),  # in step with the reversals
        (8.0, 60, 1.98, "flag"),
        (2.0, 50, 2.0, "flag"),  # little, but in step: enough to move a peak
        (2.0, 50, 1.98, None),  # averages out
        (0.0, 50, 2.0, None),
    ],
)
def test_mains_are_named_with_what_is_in_step(tmp_path, size, frequency, rate, told):
    recording = Recording(
        times=onsets(60, rate), sidecar={k: v for k, v in SIDECAR.items() if "Line" not in k}
    )
    x = signal(recording.times, noise_uv=8.0)
    recording.channels = {"Oz-Fz": x + size * np.sin(2 * np.pi * frequency * np.arange(len(x)) / 1000)}
    flags = flags_of(load(tmp_path, recording.write(tmp_path)), "mains")
    assert [flag.quality for flag in flags] == ([told] if told else [])
    assert all(f"at {frequency} Hz" in flag.found for flag in flags)


# --- channels ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("labels", "wanted", "montage"),
    [
        (("Oz", "Fz"), "", "Oz-Fz"),
        (("EEG Oz-Ref", "EEG Fz-Ref"), "", "Oz-Fz"),
        (("O z", "F z", "ECG"), "", "Oz-Fz"),
        (("Oz-A1", "Oz-Fz"), "", "Oz-Fz"),
        (("MO", "MF"), "", "Oz-Fz"),
        (("EEG Oz",), "", "Oz"),
        (("O1", "Oz"), "O1", "O1"),
        (("Fz-Oz",), "Oz-Fz", "Oz-Fz"),
        (("Ch1", "ECG"), "", "Ch1"),
        (("O1", "O2"), "", None),
        (("Oz", "Cz"), "Oz-Fz", None),
    ],
)
def test_the_channel_is_midline_occipital_or_the_one_named(tmp_path, labels, wanted, montage):
    recording = Recording()
    x = signal(recording.times, noise_uv=3.0)
    recording.channels = {
        label: (x if k == 0 else 3 * np.random.default_rng(k).normal(size=len(x)))
        for k, label in enumerate(labels)
    }
    if labels == ("Fz-Oz",):
        recording.channels = {"Fz-Oz": -x}
    loaded = load(tmp_path, recording.write(tmp_path), settings=Measuring(vep_channel=wanted))
    if montage is None:
        error = only_error(loaded)
        assert error.found == ", ".join(labels)
        assert "vep_channel" in error.fix
        return
    [one] = loaded.sweeps
    assert one.setup.montage == montage
    if labels[0] not in ("O1", "Oz-A1"):
        assert peak_ms(one) == pytest.approx(LATENCY_MS, abs=3.0)


def test_a_channel_called_bad_is_refused_and_a_type_chooses(tmp_path):
    recording = Recording(channels_tsv="name\ttype\tunits\tstatus\nOz-Fz\tEEG\tuV\tbad\n")
    error = only_error(load(tmp_path, recording.write(tmp_path)))
    assert (error.field, error.found) == ("status of channel Oz-Fz", "bad")
    x = signal(onsets())
    recording = Recording(
        channels={"A": x, "B": x[::-1].copy()}, channels_tsv="name\ttype\nA\tEEG\nB\tMISC\n"
    )
    assert load(tmp_path, recording.write(tmp_path)).sweeps[0].setup.montage == "A"


# --- the sidecar ------------------------------------------------------------------------------------------


def test_a_display_delay_that_nobody_states_is_a_flag(tmp_path):
    recording = Recording(sidecar=None)
    recording.channels = {"Oz-Fz": signal(recording.times, delay_ms=0.0)}
    loaded = load(tmp_path, recording.write(tmp_path))
    [flag] = loaded.flags
    assert (flag.field, flag.found, flag.quality) == ("DisplayDelay", "not stated", "flag")
    assert flag.file.endswith("_eeg.edf")
    assert loaded.sweeps[0].setup.display_delay_ms is None


@pytest.mark.parametrize(
    ("key", "value", "outcome"),
    [
        ("DisplayDelay", 0.012, "fail"),
        ("DisplayDelay", 0, None),
        ("DisplayDelay", 250, "error"),
        ("DisplayDelay", -3, "error"),
        ("DisplayDelay", "12 ms", "error"),
        ("SamplingFrequency", 500, "error"),
        ("SamplingFrequency", 1000.4, None),
        ("Contrast", 150, "flag"),
        ("Luminance", "n/a", None),
        ("Luminance", float("nan"), "error"),
        ("Eye", "OS", "error"),
        ("Eye", "left", "error"),
        ("Eye", "OD", None),
        ("CheckSize", 15, "error"),
        ("CheckSize", 1, "error"),
        ("CheckSize", 60, None),
        ("PatientName", "x", "flag"),
    ],
)
def test_what_the_sidecar_states_is_checked(tmp_path, key, value, outcome):
    loaded = load(tmp_path, Recording(sidecar={**SIDECAR, key: value}).write(tmp_path))
    if outcome == "error":
        error = only_error(loaded)
        assert key in error.field or error.field in ("eye", "check size")
    else:
        assert loaded.failures == ()
        assert [flag.quality for flag in loaded.flags] == ([outcome] if outcome else [])
        assert all(key in flag.field for flag in loaded.flags)


def test_the_setup_is_what_header_and_sidecar_state(tmp_path):
    stated = {
        "Luminance": 50,
        "Contrast": 0.97,
        "Field": [22, 17.5],
        "Display": "CRT",
        "EEGReference": "Fz",
        "HardwareFilters": {"High-pass": {"Cutoff (Hz)": 1.0, "Roll-off": "6 dB"}},
        "SoftwareFilters": {
            "Anti-aliasing filter": {"half-amplitude cutoff (Hz)": 80},
            "Notch": {"freq": 50},
        },
    }
    recording = Recording(sidecar={**SIDECAR, **stated})
    recording.channels = {"Oz": signal(recording.times)}
    setup = load(tmp_path, recording.write(tmp_path)).sweeps[0].setup
    assert (setup.luminance_cd_per_m2, setup.contrast_percent, setup.field_deg) == (50, 97.0, 17.5)
    assert (setup.high_pass_hz, setup.low_pass_hz, setup.notch_hz) == (1.0, 80.0, 50.0)
    assert (setup.display, setup.montage) == ("CRT", "Oz-Fz")


@pytest.mark.parametrize(
    ("stated", "wanted"),
    [
        ({"LowCut": {"cutoff": 1}}, (1.0, None, None)),
        ({"High cut": {"cutoff (Hz)": 70}}, (None, 70.0, None)),
        ({"Bandpass": {"Low cutoff (Hz)": 1, "High cutoff (Hz)": 100}}, (1.0, 100.0, None)),
        ({"HP": 0.5, "LP": 100, "Notch": 60}, (0.5, 100.0, 60.0)),
        ("HP:1Hz LP:100Hz N:50Hz", (1.0, 100.0, 50.0)),
        ({"FIR": {"Order": 100, "Roll-off": 6}}, (None, None, None)),
        ("n/a", (None, None, None)),
        ([1, 2], (None, None, None)),
    ],
)
def test_filters_are_read_as_bids_writes_them(stated, wanted):
    assert tuple(from_sidecar({"SoftwareFilters": stated})) == wanted


# --- copies, other tasks, other formats -------------------------------------------------------------------


def eeg_set(root: Path) -> dict[str, Path]:
    """Two participants, two visits, two eyes, two replicates; every recording has noise of its own."""
    paths = {}
    for k, (person, visit, eye, run) in enumerate(
        (p, v, e, r) for p in ("01", "02") for v in ("M00", "M06") for e in ("od", "os") for r in ("1", "2")
    ):
        name = f"sub-{person}_ses-{visit}_task-prvep_acq-{eye}60min_run-{run}_eeg"
        recording = Recording(name, times=onsets(6))
        recording.channels = {"Oz-Fz": signal(recording.times, seed=k)}
        paths[f"{person}{visit}{eye}{run}"] = recording.write(root)
    return paths


def test_recordings_of_their_own_are_no_copies(tmp_path):
    eeg_set(tmp_path)
    assert index(tmp_path).failures == ()


@pytest.mark.parametrize(
    ("first", "second", "lost"),
    [
        ("01M00od1", "01M00od2", 1),  # a replicate that is a copy: the first is that eye's all the same
        ("01M00od1", "01M00os1", 2),
        ("01M00od1", "01M06od1", 2),
        ("01M00od1", "02M00od1", 2),
    ],
)
@pytest.mark.parametrize("renamed", [False, True])
def test_a_copy_is_found_under_any_name_and_costs_only_itself(tmp_path, first, second, lost, renamed):
    paths = eeg_set(tmp_path)
    shutil.copy(paths[first], paths[second])
    if renamed:  # another patient and date in the header, the same samples
        patched(paths[second], 8, b"other", 80)
        patched(paths[second], 168, b"02.02.22", 8)
    dataset = index(tmp_path)
    left = [path for person in dataset.participants for visit in person.visits for path in visit.eeg]
    assert len(left) == 16 - lost
    assert len(dataset.failures) == lost
    assert all("duplicate of sub-0" in failure.error.found for failure in dataset.failures)
    assert (paths[first] in left) == (lost == 1)
    assert sum(len(person.visits) for person in dataset.participants) == 4


def test_files_of_one_length_with_like_stretches_are_compared_whole(tmp_path):
    paths = eeg_set(tmp_path)
    data = bytearray(paths["01M00od1"].read_bytes())
    data[900] ^= 1
    paths["01M00os1"].write_bytes(bytes(data))
    assert index(tmp_path).failures == ()


def test_a_recording_of_another_task_is_left_out_and_said(tmp_path):
    rest = Recording("sub-01_ses-M00_task-rest_eeg").write(tmp_path)
    loaded = load(tmp_path, rest, Recording().write(tmp_path))
    assert [one.eye for one in loaded.sweeps] == ["OD"]
    assert [(flag.field, flag.found) for flag in loaded.flags] == [("task", "rest")]


def test_a_recording_in_a_format_that_is_not_read_is_said(tmp_path):
    path = Recording().write(tmp_path)
    path.with_name("sub-01_ses-M00_task-prvep_acq-os60min_eeg.cnt").write_bytes(b"x")
    [finding] = index(tmp_path).flags
    assert finding.flag.field == "format of the recording"


def test_a_link_out_of_the_dataset_and_a_pipe_are_refused(tmp_path):
    import os

    path = Recording().write(tmp_path / "elsewhere")
    folder = tmp_path / "bids" / "sub-01" / "ses-M00" / "eeg"
    folder.mkdir(parents=True)
    link, pipe = folder / path.name, folder / path.name.replace("od60", "os60")
    link.symlink_to(path)
    os.mkfifo(pipe)
    loaded = load(tmp_path / "bids", link, pipe)
    assert ["outside" in str(f.error) or "pipe" in str(f.error) for f in loaded.failures] == [True, True]
    assert index(tmp_path / "bids").participants[0].visits[0].eeg == (link, pipe)


# --- multifocal -------------------------------------------------------------------------------------------


def test_a_multifocal_recording_gives_a_sweep_set_for_each_sector(tmp_path):
    times = 0.5 + 0.6 * np.arange(20)
    name = "sub-01_ses-M00_task-mfvep_acq-od_eeg"
    channels = {f"S{k:02d}": signal(times, latency_ms=100.0 + 2 * k, seed=k, noise_uv=2.0) for k in (1, 2, 3)}
    channels["sector12"] = np.zeros_like(channels["S01"])
    channels["ECG"] = signal(times)
    rows = [(t, 0, "segment", "OD") for t in times]
    recording = Recording(
        name, times, channels, rows=rows, columns=("onset", "duration", "trial_type", "eye")
    )
    loaded = load(tmp_path, recording.write(tmp_path))
    assert [(one.sector, one.eye, one.condition) for one in loaded.sweeps] == [
        (f"{k:02d}", "OD", f"sector={k:02d}") for k in (1, 2, 3)
    ]
    assert [peak_ms(one) for one in loaded.sweeps] == pytest.approx([102, 104, 106], abs=1.0)
    assert all((one.start_ms, one.sweeps_uv.shape) == (0.0, (20, 501)) for one in loaded.sweeps)
    [failure] = loaded.failures
    assert failure.error.field == "channel sector12"


def test_a_bdf_header_is_that_of_edf_with_three_bytes_a_sample():
    from remyelin.measure.recording.edf_header import parse_header

    head = b"\xffBIOSEMI".ljust(184) + b"512".ljust(8) + b"BDF+C".ljust(44) + b"2".ljust(8) + b"1".ljust(8)
    head += b"1".ljust(4) + b"Oz".ljust(16) + b"".ljust(80) + b"uV".ljust(8) + b"-1".ljust(8) + b"1".ljust(8)
    head += b"-8388608" + b"8388607 " + b"".ljust(80) + b"10".ljust(8) + b"".ljust(32)
    header = parse_header(head + struct.pack("<60s", b""), "a.bdf")
    assert (header.record_bytes, header.n_records, header.lost) == (30, 2, "")
    assert json.dumps(header.patient) == '""'
