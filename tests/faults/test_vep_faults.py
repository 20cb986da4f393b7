"""Bad recordings of evoked potentials, each with the outcome that it must have.

The faults are those of `shared/faults/faults.py`, at the level of reading: what the recordings of every
visit give, what fails and what is flagged. Two faults are of the pipeline, which compares visits and tables:
an inverted polarity and eyes exchanged in a table.
"""

from __future__ import annotations

import importlib.util
import os
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from remyelin.measure.dataset import Dataset
from remyelin.measure.findings import Failure, Finding
from remyelin.measure.recording import load_recordings
from remyelin.protocol import Measuring

OF_THE_PIPELINE = ("vep_polarity_inverted", "vep_eyes_swapped_in_table")


def _faults():
    shared = Path(os.environ.get("REMYELIN_SHARED", Path(__file__).parents[2].parent / "shared"))
    path = shared / "faults" / "faults.py"
    if not path.is_file():
        return None
    spec = importlib.util.spec_from_file_location("vep_faults_of_the_shared_folder", path)
    module = importlib.util.module_from_spec(spec)
    remembered, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    try:
        spec.loader.exec_module(module)
    finally:
        sys.dont_write_bytecode = remembered
    return module


FAULTS = _faults()
ALL = [
    name
    for name in (FAULTS.FAULTS if FAULTS else ())
    if name.startswith(("vep_", "ok_vep_")) or name == "priv_name_in_edf"
]
NAMES = [name for name in ALL if name not in OF_THE_PIPELINE]
pytestmark = pytest.mark.skipif(
    FAULTS is None, reason="shared/faults/faults.py is not here; set REMYELIN_SHARED"
)


@dataclass(frozen=True)
class Seen:
    """What is found in the recordings of a dataset, and the sweeps of each participant."""

    failures: tuple[Failure, ...]
    flags: tuple[Finding, ...]
    data: dict[str, list[object]]


def inspect(root: Path) -> Seen:
    dataset = Dataset.index(root)
    failures, flags = list(dataset.failures), list(dataset.flags)
    data: dict[str, list[object]] = {}
    for person in dataset.participants:
        data[person.id[4:]] = []
        for visit in person.visits:
            loaded = load_recordings(visit, dataset.root, Measuring())
            failures += loaded.failures
            flags += [Finding(person.id, visit.id, flag) for flag in loaded.flags]
            data[person.id[4:]] += [
                (visit.id, one.eye, one.sweeps_uv.tobytes(), one.start_ms, dict(one.rejected), one.setup)
                for one in loaded.sweeps
            ]
    return Seen(tuple(failures), tuple(flags), data)


def doubts(seen: Seen) -> set[tuple[str, str, str, str]]:
    """All flags but those of the whole trial, which states no display delay."""
    return {
        (f.participant, f.visit, f.flag.field, f.flag.found)
        for f in seen.flags
        if f.flag.field != "DisplayDelay"
    }


@pytest.fixture(scope="module")
def clean(tmp_path_factory) -> Seen:
    root = tmp_path_factory.mktemp("clean") / "dataset"
    FAULTS.base(root)
    return inspect(root)


def tells(message, fault: dict) -> bool:
    """Whether a message names a culprit and one of the words, in one line with a way out."""
    text = str(message)
    named = any(file in text for file in fault["files"])
    worded = any(word.casefold() in text.casefold() for word in fault["says"])
    return named and worded and "\n" not in text and all(message.facts().values())


def test_the_clean_trial_lacks_only_its_display_delay(clean):
    assert clean.failures == ()
    assert doubts(clean) == set()
    assert len(clean.flags) == 8  # four participants, two visits, one file each
    assert {flag.flag.found for flag in clean.flags} == {"not stated"}
    for sets in clean.data.values():
        assert [(visit, eye) for visit, eye, *_ in sets] == [
            ("M00", "OS"),
            ("M00", "OD"),
            ("M06", "OS"),
            ("M06", "OD"),
        ]


def test_no_fault_went_missing():
    assert len(ALL) == 17
    assert len(NAMES) == 15


@pytest.mark.parametrize("name", NAMES)
def test_fault(name, tmp_path, clean):
    root = tmp_path / "dataset"
    fault = FAULTS.FAULTS[name](root)
    seen = inspect(root)
    said = [str(item.error) for item in seen.failures] + [str(item.flag) for item in seen.flags]
    if fault["outcome"] == "error":
        assert any(tells(failure.error, fault) for failure in seen.failures), said
        assert len(seen.data[FAULTS.BAD]) == 2, "the other visit is read all the same"
    else:
        assert seen.failures == (), said
    if fault["outcome"] == "flag":
        found = [f for f in seen.flags if f.flag.field != "DisplayDelay"]
        assert any(tells(finding.flag, fault) for finding in found), said
        assert len(seen.data[FAULTS.BAD]) == 4, "a flagged recording is read all the same"
    if fault["outcome"] == "accept":
        assert seen.flags == clean.flags
    touched = {item.participant for item in seen.failures} | {doubt[0] for doubt in doubts(seen)}
    assert not touched & {f"sub-{subject}" for subject in fault["healthy"]}, said
    for subject in fault["healthy"]:
        assert seen.data[subject] == clean.data[subject]


def test_a_name_in_the_header_is_in_no_message(tmp_path):
    FAULTS.FAULTS["priv_name_in_edf"](tmp_path / "dataset")
    for finding in inspect(tmp_path / "dataset").flags:
        assert not any(word in str(finding.flag) for word in ("Smith", "Jane", "1981", "MRN0042"))


def test_a_unit_that_is_wrong_leaves_the_right_amplitude(tmp_path, clean):
    FAULTS.FAULTS["vep_unit_mV_mislabelled"](tmp_path / "dataset")
    seen = inspect(tmp_path / "dataset")
    ours, wanted = (np.frombuffer(data[FAULTS.BAD][2][2]) for data in (seen.data, clean.data))
    np.testing.assert_allclose(ours, wanted, rtol=1e-9, atol=1e-9)
