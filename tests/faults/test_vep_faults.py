"""Bad recordings of evoked potentials, each with the outcome that it must have.

The faults are those of `shared/faults/faults.py`, first at the level of reading: what the recordings of every
visit give, what fails and what is flagged. Two faults are of the pipeline, which compares visits and tables:
an inverted polarity and eyes exchanged in a table. Then all of them go through the whole product, of a trial
without images and with its foreign table carried over to one of ours.
"""

from __future__ import annotations

import csv
import importlib.util
import os
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from remyelin.errors import Flag
from remyelin.measure.dataset import Dataset
from remyelin.measure.findings import Failure, Finding
from remyelin.measure.group import gather
from remyelin.measure.recording import load_recordings
from remyelin.measure.run import measure_participants
from remyelin.protocol import Measuring

TABLE = "derivatives/vep/vep_measurements.tsv"
EYES = {"L": "eye:OS", "R": "eye:OD"}
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


# The whole product, one fault of each way in which it can go, and those of the pipeline.
QUICK = {
    *OF_THE_PIPELINE,
    "vep_edf_truncated",
    "vep_eye_labels_disagree",
    "ok_vep_nrecords_minus1",
}
MEASURED = [pytest.param(name, marks=() if name in QUICK else pytest.mark.slow) for name in ALL]
Rows = list[dict[str, str]]


def rows(path: Path) -> Rows:
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream, delimiter="\t"))


def only_potentials(root: Path) -> None:
    """The trial without its images, which take longer, and its foreign table as one of ours."""
    for folder in [*root.glob("sub-*/ses-*/anat"), root / "derivatives" / "lesions"]:
        shutil.rmtree(folder)
    _, *lines = (root / "derivatives" / "vep" / "vep.tsv").read_text().splitlines()
    table = [["participant_id", "visit", "site", "measure", "value", "unit"]]
    for line in lines:
        participant, session, eye, *latency, _, _ = line.split("\t")
        table.append(
            [participant, session.removeprefix("ses-"), EYES[eye], "p100_latency_ms", *latency, "ms"]
        )
    (root / TABLE).write_text("".join("\t".join(row) + "\n" for row in table))


def measured(root: Path) -> Path:
    """`remyelin measure`, both levels, of the participant with the fault and a healthy one."""
    out = root.parent / "out"
    measure_participants(root, out, labels=("01", FAULTS.BAD), progress=False)
    gather(out)
    return out


@pytest.fixture(scope="module")
def clean_out(tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp("clean_out") / "dataset"
    FAULTS.base(root)
    only_potentials(root)
    return measured(root)


def own(out: Path, visit: str, *, recorded: bool = True) -> Rows:
    """The rows of a visit of the participant with the fault, of its recordings or of the table."""
    found = [row for row in rows(out / "measurements.tsv") if row["participant_id"] == f"sub-{FAULTS.BAD}"]
    return [row for row in found if row["visit"] == visit and row["source"].endswith(".edf") == recorded]


def same_but_for_shifts(ours: Rows, theirs: Rows) -> bool:
    """The rows that are of their own visit alone; a shift is of two, and so is the fellow difference."""
    of_two = ("vep_shift_ms", "p100_fellow_difference_ms")
    kept = [[row for row in found if row["measure"] not in of_two] for found in (ours, theirs)]
    return kept[0] == kept[1] and bool(kept[0])


def test_the_clean_trial_says_what_it_lacks_and_nothing_else(clean_out):
    assert rows(clean_out / "failures.tsv") == []
    said = [(row["participant_id"], row["visit"], row["field"]) for row in rows(clean_out / "flags.tsv")]
    assert sorted(said) == [
        (f"sub-{subject}", visit, field)
        for subject in ("01", FAULTS.BAD)
        for visit in ("M00", "M06")
        for field in ("DisplayDelay", "replicates")
    ]
    truth = {eye: FAULTS.p100_ms(FAULTS.BAD, "M06", eye) for eye in "LR"}
    for row in own(clean_out, "M06"):
        if row["measure"] == "p100_latency_ms":
            eye = "L" if row["site"] == "eye:OS" else "R"
            assert float(row["value"]) == pytest.approx(truth[eye], abs=1.5)
        if row["measure"] == "vep_shift_ms":
            assert float(row["value"]) == pytest.approx(-3, abs=3 * float(row["se"]))


@pytest.mark.parametrize("name", MEASURED)
def test_fault_in_the_whole_product(name, tmp_path, clean_out):
    root = tmp_path / "dataset"
    fault = FAULTS.FAULTS[name](root)
    only_potentials(root)
    fault["files"] = [TABLE if file.endswith("vep.tsv") else file for file in fault["files"]]
    out = measured(root)
    told = {kind: rows(out / f"{kind}.tsv") for kind in ("failures", "flags")}
    wanted = {kind: rows(clean_out / f"{kind}.tsv") for kind in ("failures", "flags")}
    visit, other = ("M00", "M06") if "ses-M00" in fault["files"][0] else ("M06", "M00")
    if fault["outcome"] == "accept":
        assert told == wanted
        assert own(out, visit) == own(clean_out, visit)
    elif fault["outcome"] == "error":
        assert any(tells(_message(row), fault) for row in told["failures"]), told
        assert own(out, visit) == []
    else:
        assert told["failures"] == []
        new = [row for row in told["flags"] if row not in wanted["flags"]]
        telling = [row for row in new if tells(_message(row), fault)]
        assert telling, told["flags"]
        assert {row["participant_id"] for row in new} == {f"sub-{FAULTS.BAD}"}
        in_table = name == "vep_eyes_swapped_in_table"
        shifts = [row for row in own(out, "M06") if row["measure"] == "vep_shift_ms" and not in_table]
        _all_doubted([*own(out, visit, recorded=not in_table), *shifts], telling)
        if name == "vep_polarity_inverted":
            assert [(row["value"], row["quality"]) for row in shifts] == [("n/a", "fail")] * 2
    assert (out / "sub-01/sub-01_measurements.tsv").read_bytes() == (
        clean_out / "sub-01/sub-01_measurements.tsv"
    ).read_bytes()
    assert same_but_for_shifts(own(out, other), own(clean_out, other)), "the other visit is finished"
    if name == "vep_eyes_swapped_in_table":
        assert own(out, "M06") == own(clean_out, "M06"), "the recording is right"
    else:
        assert own(out, "M06", recorded=False) == own(clean_out, "M06", recorded=False)


def _message(row: dict[str, str]) -> Flag:
    facts = {key: value for key, value in row.items() if key not in ("participant_id", "visit")}
    return Flag(**facts)


def _all_doubted(found: Rows, telling: Rows) -> None:
    """What is flagged travels with every value that it concerns: here both eyes are in one recording."""
    assert {row["site"] for row in found} >= {"eye:OD", "eye:OS"}
    for row in found:
        assert any(f"{flag['field']}: " in row["reason"] for flag in telling), row
        assert row["quality"] in {"flag", *(flag["quality"] for flag in telling)} - {"pass"}, row
