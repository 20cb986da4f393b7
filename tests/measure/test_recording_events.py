"""Reversals: columns, marks, file names; what contradicts, what is missing, what comes at the wrong rate."""

from __future__ import annotations

import contextlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from remyelin.errors import InputError
from remyelin.measure.recording.events import Event
from remyelin.measure.recording.label import check_size, eye, eye_in, from_acq
from remyelin.measure.recording.rate import check_rate

from .vep_files import SIDECAR, Recording, load, onsets

PLAIN = "sub-01_ses-M00_task-prvep_eeg"
TIMES = onsets()


def rows(*columns: object) -> list[list[object]]:
    """One row a reversal: onset, 0, and the columns, each a constant or a list."""
    return [
        [t, 0, *(column[k] if isinstance(column, list) else column for column in columns)]
        for k, t in enumerate(TIMES)
    ]


def read(tmp_path, **changes):
    return load(tmp_path, Recording(**changes).write(tmp_path))


def refused(tmp_path, **changes) -> InputError:
    loaded = read(tmp_path, **changes)
    assert loaded.sweeps == ()
    [failure] = loaded.failures
    return failure.error


EYE = ("onset", "duration", "eye", "check_arcmin")


@pytest.mark.parametrize(
    ("changes", "eye_", "check"),
    [
        ({"name": PLAIN, "rows": rows("reversal/L")}, "OS", None),
        ({"name": PLAIN, "rows": rows("reversal/OD")}, "OD", None),
        ({"name": PLAIN, "rows": rows("OD", 60), "columns": EYE}, "OD", 60.0),
        ({"rows": rows("OD", 60), "columns": EYE}, "OD", 60.0),
        ({"rows": rows("n/a", "n/a"), "columns": EYE, "marks": []}, None, None),
        ({"rows": [[t, 0] for t in TIMES], "columns": ("onset", "duration")}, "OD", 60.0),
        ({"rows": rows("S  1")}, "OD", 60.0),
        ({"name": PLAIN, "marks": [(t, "reversal/R") for t in TIMES]}, "OD", None),
        ({"name": PLAIN, "sidecar": {**SIDECAR, "Eye": "OS", "CheckArcmin": 15}}, "OS", 15.0),
        ({"name": "sub-01_ses-M00_task-prvep_acq-os7p5min_eeg"}, "OS", 7.5),
        ({"name": "sub-01_ses-M00_task-prvep_acq-highres_eeg", "rows": rows("reversal/R")}, "OD", None),
    ],
)
def test_eye_and_check_size_are_read_wherever_they_stand(tmp_path, changes, eye_, check):
    loaded = read(tmp_path, **changes)
    if eye_ is None:
        assert "no stimulus events" in loaded.failures[0].error.found
        return
    assert loaded.failures == ()
    [one] = loaded.sweeps
    assert (one.eye, one.check_arcmin, len(one.sweeps_uv)) == (eye_, check, len(TIMES))


def test_check_sizes_of_one_file_are_kept_apart(tmp_path):
    sizes = [15] * 12 + [60] * 12
    loaded = read(tmp_path, name=PLAIN, rows=rows("OS", sizes), columns=EYE)
    assert [one.condition for one in loaded.sweeps] == ["check=15", "check=60"]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"rows": rows("OS", 60), "columns": EYE}, "eye"),  # swapped: the name says OD
        ({"rows": rows("reversal/L")}, "eye"),
        ({"marks": [(t, "reversal/L") for t in TIMES]}, "eye"),
        ({"rows": rows("OD", 15), "columns": EYE}, "check size"),
        ({"rows": rows("OD", 1), "columns": EYE}, "check_arcmin in line 2"),
        ({"rows": rows("OX", 60), "columns": EYE}, "eye in line 2"),
        ({"rows": rows("OD", "sixty"), "columns": EYE}, "check_arcmin in line 2"),
        ({"name": PLAIN}, "eye"),
        ({"name": PLAIN, "rows": rows("OU", 60), "columns": EYE}, "eye"),
        ({"name": PLAIN, "rows": rows("reversal/R"), "marks": [(t, "reversal/L") for t in TIMES]}, "eye"),
        (
            {
                "name": PLAIN,
                "rows": rows("reversal/R", "OS"),
                "columns": ("onset", "duration", "trial_type", "eye"),
            },
            "eye",
        ),
        ({"rows": rows("reversal/R")[:20]}, "number of reversals"),
        ({"rows": [["n/a", 0, "reversal"]]}, "onset in line 2"),
        ({"rows": [["1,5", 0, "reversal"]]}, "onset in line 2"),
        ({"rows": rows("reversal"), "columns": ("time", "duration", "trial_type")}, "columns"),
        ({"rows": [[t + 0.4, 0, "reversal"] for t in TIMES]}, "onset"),
    ],
)
def test_what_contradicts_is_refused_by_its_field(tmp_path, changes, field):
    error = refused(tmp_path, **changes)
    assert error.field == field
    assert error.file.startswith("sub-01/ses-M00/eeg/")


def test_swapped_eyes_name_both_places(tmp_path):
    error = refused(tmp_path, rows=rows("OS", 60), columns=EYE)
    assert error.found == "OD in the file name, but OS in the events"
    assert error.file.endswith("_events.tsv")


@pytest.mark.parametrize("factor", [1000.0, 60000.0])
def test_onsets_in_milliseconds_are_said_to_be(tmp_path, factor):
    error = refused(tmp_path, rows=[[factor * t, 0, "reversal"] for t in TIMES])
    assert error.field == "onset"
    assert ("as if in ms" in error.found) == (factor == 1000.0)
    assert "beyond the recording" in error.found
    assert ("BIDS onset is in seconds" in error.fix) == (factor == 1000.0)


def test_onsets_in_ms_are_told_though_the_file_is_truncated(tmp_path):
    recording = Recording(rows=[[1000 * t, 0, "reversal"] for t in TIMES])
    path = recording.write(tmp_path)
    path.write_bytes(path.read_bytes()[:20000])
    assert "as if in ms" in load(tmp_path, path).failures[0].error.found


def test_a_few_onsets_outside_are_left_out_and_said(tmp_path):
    table = [*rows("reversal"), [99.0, 0, "reversal"], [99.5, 0, "reversal"]]
    loaded = read(tmp_path, rows=table)
    [flag] = loaded.flags
    assert flag.found == "outside the recording at 2 of 26 reversals"
    assert len(loaded.sweeps[0].sweeps_uv) == 24


@pytest.mark.parametrize(
    "changes",
    [
        {"marks": []},
        {"marks": [(0.0, "Recording starts"), (3.0, "Impedance check")]},
        {"rows": [], "marks": []},
        {"rows": [[1.0, 0, "blink"], [2.0, 0, "cough"]], "marks": []},
    ],
)
def test_without_reversals_there_is_nothing_to_measure(tmp_path, changes):
    error = refused(tmp_path, **changes)
    assert "no stimulus events" in error.found
    assert error.field == "reversals"


def test_marks_that_are_no_reversals_are_passed_over(tmp_path):
    marks = [(0.0, "Recording starts"), (0.2, "Impedance check"), *((t, "reversal") for t in TIMES)]
    assert len(read(tmp_path, marks=marks, rows=rows("reversal")).sweeps[0].sweeps_uv) == 24


def test_a_span_marked_bad_costs_its_sweeps(tmp_path):
    table = [*rows("reversal"), [TIMES[4] + 0.1, 1.2, "BAD_blink"]]
    [one] = read(tmp_path, rows=table).sweeps
    assert dict(one.rejected) == {"marked bad": 3}


def test_table_and_marks_apart_by_some_ms_are_doubtful_and_the_table_counts(tmp_path):
    loaded = read(tmp_path, rows=[[t + 0.010, 0, "reversal"] for t in TIMES])
    [flag] = loaded.flags
    assert flag.field == "onset"
    assert flag.found.startswith("+10.0 ms")
    rounded = read(tmp_path, rows=[[f"{t:.3f}", 0, "reversal"] for t in TIMES])
    assert rounded.flags == ()


def test_events_are_inherited_and_in_any_order(tmp_path):
    path = Recording().write(tmp_path)
    lines = [f"{t}\t0\treversal" for t in TIMES[::-1]]
    (tmp_path / "task-prvep_events.tsv").write_text("\n".join(["onset\tduration\ttrial_type", *lines]) + "\n")
    assert len(load(tmp_path, path).sweeps[0].sweeps_uv) == 24


# --- rate -------------------------------------------------------------------------------------------------


def judged(times, stated=None):
    return check_rate([Event(float(t), "OD") for t in times], "e.tsv", stated, "e.json")


def test_a_regular_train_is_not_doubted():
    train = judged(TIMES, 2.0)
    assert (train.flags, len(train.kept)) == ((), 24)
    assert train.interval_s == pytest.approx(1 / 1.98)


@pytest.mark.parametrize(
    ("stated", "quality", "word"),
    [
        (3.96, "flag", "every second"),
        (0.99, "flag", "cycles"),
        (2.3, "flag", "correct"),
        (7.0, "fail", "may not"),
    ],
)
def test_a_rate_other_than_stated_is_said_with_its_likely_cause(stated, quality, word):
    [flag] = judged(TIMES, stated).flags
    assert (flag.field, flag.quality) == ("reversal rate", quality)
    assert word in flag.fix


def test_triggers_at_every_second_reversal_only(tmp_path):
    """The classic: the stimulator gives a trigger at pattern onset, not at each reversal."""
    recording = Recording(marks=[(t, "reversal") for t in TIMES[::2]], sidecar={**SIDECAR, "ReversalRate": 2})
    loaded = load(tmp_path, recording.write(tmp_path))
    [flag] = loaded.flags
    assert "0.99 a second" in flag.found
    assert "every second one is missing" in flag.fix
    assert loaded.sweeps[0].setup.reversal_rate_hz == pytest.approx(0.99)


@pytest.mark.parametrize("doubled", [slice(3, 6), slice(0, None)])
def test_doubled_triggers_are_left_out_and_said(doubled):
    extra = TIMES[doubled] + 0.02
    train = judged(np.sort(np.concatenate([TIMES, extra])))
    assert [TIMES.tolist()] == [[np.sort(np.concatenate([TIMES, extra]))[k] for k in train.kept]]
    [flag] = train.flags
    assert flag.found == f"doubled at {len(extra)} of {len(extra) + 24} places"


def test_missing_triggers_are_counted_beyond_a_few():
    times = onsets(100)
    assert judged(np.delete(times, 40)).flags == ()
    [flag] = judged(np.delete(times, range(10, 50, 4))).flags
    assert flag.found == "missing at 10 of 100 places"


def test_a_pause_between_blocks_is_none_of_it():
    times = np.concatenate([onsets(20), onsets(20) + 40])
    assert judged(times).flags == ()


def test_irregular_triggers_are_said():
    rng = np.random.default_rng(4)
    [flag] = judged(np.cumsum(rng.uniform(0.35, 0.65, 60))).flags
    assert "irregular" in flag.found


def test_a_steady_state_rate_is_refused_and_a_slow_one_doubted():
    with pytest.raises(InputError, match="reversal rate is 8 a second"):
        judged(np.arange(60) / 8)
    assert judged(np.arange(20) * 2.5).flags[0].field == "reversal rate"


def test_a_fast_rate_shortens_the_sweeps(tmp_path):
    times = onsets(40, 4.4)
    recording = Recording(times=times)
    loaded = load(tmp_path, recording.write(tmp_path))
    [one] = loaded.sweeps
    last = one.start_ms + (one.sweeps_uv.shape[1] - 1)
    assert 220 <= last < 1000 / 4.4
    [flag] = loaded.flags
    assert flag.field == "end of the sweeps"


@given(times=st.lists(st.floats(0, 1000), min_size=1, max_size=60))
@settings(max_examples=80, deadline=None)
def test_any_train_is_judged_or_refused(times):
    train = None
    with contextlib.suppress(InputError):
        train = judged(sorted(times))
    if train is None:
        assert np.diff(sorted(times)).min() < 0.2, "only a train that is too fast is refused"
        return
    assert train.kept[0] == 0
    assert len(set(train.kept)) == len(train.kept) <= len(times)


# --- words ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("reversal/L", "OS"),
        ("reversal/R", "OD"),
        ("Reversal OD", "OD"),
        ("stim_left", "OS"),
        ("pattern:RE", "OD"),
        ("Stimulus/S  1", ""),
        ("reversal", ""),
        ("reversal/both", "OU"),
        ("reversal/left hemifield", ""),
    ],
)
def test_an_eye_is_read_from_a_word_of_its_own(text, found):
    assert eye_in(text) == found


@given(st.text(max_size=12))
def test_any_word_gives_an_eye_or_an_error(text):
    assert eye_in(text) in ("", "OD", "OS", "OU")
    assert from_acq(text).eye in ("", "OD", "OS", "OU")
    for function in (eye, check_size):
        with contextlib.suppress(InputError):
            function(text, "f", "field")
