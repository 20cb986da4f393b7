"""The ISCEV standard: what is met, what is not, and what nobody stated."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from remyelin.errors import InputError
from remyelin.evidence import requirements
from remyelin.measure.facts import write_facts
from remyelin.measure.iscev import COLUMNS, MET, NOT_MET, NOT_STATED, check_iscev
from remyelin.measure.recording.sweeps import Setup, Sweeps

GOOD = Setup(
    montage="Oz-Fz",
    high_pass_hz=0.5,
    low_pass_hz=100.0,
    notch_hz=0.0,
    luminance_cd_per_m2=50.0,
    contrast_percent=98.0,
    field_deg=16.0,
    reversal_rate_hz=1.98,
)
READ = tuple(replace(row, status="seen") for row in requirements())


def sweeps(n: int = 60, run: str = "1", check: float | None = 60.0, setup: Setup = GOOD, **given) -> Sweeps:
    facts = {"rejected": {"amplitude": 0}, "setup": setup} | given
    return Sweeps(f"run-{run}.edf", "OD", check, run, np.zeros((n, 5)), 1000.0, 0.0, **facts)


def test_a_recording_by_the_standard_meets_all_that_can_be_seen():
    found = check_iscev([sweeps(), sweeps(run="2")])
    assert {line.requirement.id for line in found if line.verdict != MET} == {"constant-luminance"}
    assert found["constant-luminance"].verdict == NOT_STATED
    assert found["sweeps"].remark == "recalled, not read in the standard"
    assert found["check-size"].remark == ""


@pytest.mark.parametrize(
    ("name", "setup"),
    [
        ("field-size", {"field_deg": 10.0}),
        ("mean-luminance", {"luminance_cd_per_m2": 17.0}),
        ("mean-luminance", {"luminance_cd_per_m2": 110.0}),
        ("contrast", {"contrast_percent": 40.0}),
        ("reversal-rate", {"reversal_rate_hz": 4.0}),
        ("active-electrode", {"montage": "O1-Fz"}),
        ("reference-electrode", {"montage": "Oz-A1"}),
        ("high-pass", {"high_pass_hz": 5.0}),
        ("low-pass", {"low_pass_hz": 30.0}),
        ("no-notch", {"notch_hz": 50.0}),
    ],
)
def test_one_replicate_that_breaks_a_requirement_is_named(name, setup):
    second = sweeps(run="2", setup=replace(GOOD, **setup))
    line = check_iscev([sweeps(), second], standard=READ)[name]
    assert (line.verdict, line.file) == (NOT_MET, "run-2.edf")
    others = {row.requirement.id: row.verdict for row in check_iscev([sweeps(), second], standard=READ)}
    assert [key for key, verdict in others.items() if verdict == NOT_MET] == [name]


@pytest.mark.parametrize(
    ("name", "recordings"),
    [
        ("check-size", [sweeps(check=30.0), sweeps(check=30.0)]),
        ("sweeps", [sweeps(49), sweeps()]),
        ("replicates", [sweeps()]),
        ("sampling", [replace(sweeps(), sfreq_hz=250.0), sweeps()]),
    ],
)
def test_what_is_measured_and_not_stated_in_the_setup_counts_too(name, recordings):
    assert check_iscev(recordings, standard=READ)[name].verdict == NOT_MET


@pytest.mark.parametrize("name", [row.id for row in requirements() if row.status == "unverified"])
def test_what_was_not_read_is_never_not_met(name):
    bad = Setup("O1-A1", 9.0, 20.0, 50.0, "", None, 5.0, 3.0, 2.0, 9.0)
    averaged = 3 if name == "artefact-rejection" else None  # of sweeps the program rejects by itself
    one = replace(sweeps(3, setup=bad, rejected={}), sfreq_hz=100.0, averaged=averaged)
    line = check_iscev([one])[name]
    assert line.verdict == NOT_STATED
    if name != "artefact-rejection":
        assert "not read" in line.remark
        assert line.found in line.remark


def test_silence_is_not_stated_and_half_of_it_too():
    silent = sweeps(run="2", check=None, setup=Setup(), rejected={})
    found = check_iscev([silent])
    told = {line.requirement.id for line in found if line.verdict == MET}
    assert told == {"sampling", "sweeps", "artefact-rejection"}
    assert {line.verdict for line in found} == {MET, NOT_STATED}
    half = check_iscev([sweeps(), sweeps(run="2", setup=replace(GOOD, contrast_percent=None))])["contrast"]
    assert (half.verdict, half.found, half.file) == (NOT_STATED, "stated in 1 of 2", "run-2.edf")


def test_an_average_counts_the_sweeps_it_names():
    average = sweeps(1, averaged=100)
    assert check_iscev([average, average])["sweeps"].verdict == MET
    assert check_iscev([replace(average, averaged=0)])["sweeps"].verdict == NOT_STATED


def test_nothing_is_asked_of_a_multifocal_recording_and_mixed_recordings_are_refused():
    assert len(check_iscev([sweeps(sector="07")])) == 0
    with pytest.raises(InputError, match="OD check=15 and OD check=60"):
        check_iscev([sweeps(), sweeps(check=15.0)])
    with pytest.raises(InputError, match="at least one recording"):
        check_iscev([])


def test_the_lines_print_and_make_a_table(tmp_path):
    found = check_iscev([sweeps(check=30.0), sweeps(check=30.0, run="2")])
    assert str(found).splitlines()[0] == "eye:OD check=30: 13 met, 1 not met, 1 not stated"
    assert "check-size: not met (found 30 arcmin, expected 60 or 15 arcmin)" in str(found)
    frame = found.to_frame()
    assert list(frame["verdict"]).count(NOT_MET) == 1
    write_facts(tmp_path / "iscev.tsv", found.rows("sub-01", "M00"), COLUMNS)
    header, first, *_ = (tmp_path / "iscev.tsv").read_text().splitlines()
    assert header.split("\t")[:6] == ["participant_id", "visit", "site", "condition", "requirement", "area"]
    assert first.split("\t")[:5] == ["sub-01", "M00", "eye:OD", "check=30", "check-size"]


@given(
    n=st.integers(0, 200),
    values=st.lists(st.one_of(st.none(), st.floats(0, 500)), min_size=8, max_size=8),
    montage=st.sampled_from(["", "Oz", "Oz-Fz", "Fz-Oz", "OZ-FZ"]),
)
def test_no_recording_whatever_makes_the_check_fail(n, values, montage):
    high, low, notch, delay, light, contrast, field, rate = values
    setup = Setup(montage, high, low, notch, "", delay, light, contrast, field, rate)
    found = check_iscev([sweeps(n, setup=setup)])
    assert len(found) == len(requirements())
    assert {line.verdict for line in found} <= {MET, NOT_MET, NOT_STATED}
