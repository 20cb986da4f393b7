"""Bad inputs that really occur, each with the outcome that it must have.

The faults are those of `shared/faults/faults.py`: a small trial of four participants in which one thing is
broken. What must follow is written there: an error or a flag that names the file and the way out, a refused
run, or, for look-alikes that are right, nothing at all; and healthy participants to the last bit as if
nothing had happened. The table of evoked potentials is foreign to us, so each fault of it is carried over to
a measurement table of ours.
"""

from __future__ import annotations

import csv
import importlib.util
import math
import os
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from remyelin.errors import Flag, InputError, RefuseRun
from remyelin.measure.checks import check_visits
from remyelin.measure.dataset import Dataset, Participant
from remyelin.measure.findings import Failure, Finding
from remyelin.measure.flip import check_flips
from remyelin.measure.group import gather
from remyelin.measure.poses import register_participant
from remyelin.measure.run import measure_participants
from remyelin.measure.usertables import read_tables
from remyelin.measure.visit import LoadedVisit, load_visit
from remyelin.protocol import Protocol
from remyelin.trial.visits import visit_doubts

TABLE = "derivatives/vep/vep_measurements.tsv"
EYES = {"L": "eye:OS", "R": "eye:OD"}
# Of areas that are tested where they belong: recordings of evoked potentials, protocols, the audit trail.
ELSEWHERE = ("vep_", "ok_vep_", "prot_", "aud_", "priv_name_in_edf")


def _faults():
    shared = Path(os.environ.get("REMYELIN_SHARED", Path(__file__).parents[2].parent / "shared"))
    path = shared / "faults" / "faults.py"
    if not path.is_file():
        return None
    spec = importlib.util.spec_from_file_location("faults_of_the_shared_folder", path)
    module = importlib.util.module_from_spec(spec)
    remembered, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    try:
        spec.loader.exec_module(module)
    finally:
        sys.dont_write_bytecode = remembered
    return module


FAULTS = _faults()
NAMES = [name for name in FAULTS.FAULTS if not name.startswith(ELSEWHERE)] if FAULTS else []
pytestmark = pytest.mark.skipif(
    FAULTS is None, reason="shared/faults/faults.py is not here; set REMYELIN_SHARED"
)


@dataclass(frozen=True)
class Seen:
    """What the product finds in a dataset, and what it would measure of each participant."""

    failures: tuple[Failure, ...]
    flags: tuple[Finding, ...]
    data: dict[str, list[object]]


def inspect(root: Path, *, register: bool = True) -> Seen:
    """Everything between the dataset and the measurement; `register` too, which takes most of the time."""
    dataset = Dataset.index(root)
    tables, broken = read_tables(dataset)
    failures, flags = [*dataset.failures, *broken], list(dataset.flags)
    data: dict[str, list[object]] = {}
    for person in dataset.participants:
        flags += _outside_window(person)
        visits = []
        for visit in person.visits:
            try:
                visits.append(load_visit(visit, dataset.root))
            except InputError as error:
                failures.append(Failure(person.id, visit.id, error))
        copied, changed = check_visits(visits)
        failures += copied
        flags += changed
        flags += [Finding(person.id, visit.visit.id, flag) for visit in visits for flag in visit.flags]
        flags += _flips(visits) if register and person.id == f"sub-{FAULTS.BAD}" else []
        data[person.id[4:]] = [_content(visit) for visit in visits]
        if person.id in tables:
            data[person.id[4:]].append(tables[person.id].frame.to_csv())
    return Seen(tuple(failures), tuple(flags), data)


def _outside_window(person: Participant) -> list[Finding]:
    """The analysis knows the windows: what it says of the visits' days."""
    rows = pd.DataFrame([{"participant_id": person.id, "visit": v.id, "day": v.day} for v in person.visits])
    flags, _, _ = visit_doubts(rows, Protocol.read("demo"), ("M00", "M06"))
    return [Finding(person.id, "M06", flag) for flag in flags]


def _flips(visits: list[LoadedVisit]) -> list[Finding]:
    if len(visits) < 2:
        return []
    pairs = [visit.pair for visit in visits]
    return [
        Finding(visits[k].visit.participant, visits[k].visit.id, flag)
        for k, flag in check_flips(pairs, register_participant(pairs))
    ]


def _content(visit: LoadedVisit) -> tuple[object, ...]:
    pair = visit.pair
    arrays = (pair.off.data, pair.off.affine, pair.on.data, pair.on.affine, pair.brain, visit.lesions)
    return (visit.visit.id, visit.visit.day, *(np.asarray(array).tobytes() for array in arrays))


def carry_over(root: Path) -> None:
    """The foreign table of the dataset, with whatever is broken in it, as a measurement table."""
    _, *lines = (root / "derivatives" / "vep" / "vep.tsv").read_text().splitlines()
    rows = [["participant_id", "visit", "site", "measure", "value", "unit"]]
    for line in lines:
        participant, session, eye, *latency, _, _ = line.split("\t")
        visit = session.removeprefix("ses-")
        rows.append([participant, visit, EYES[eye], "p100_latency_ms", *latency, "ms"])
    (root / TABLE).write_text("".join("\t".join(row) + "\n" for row in rows))


def broken(name: str, folder: Path) -> tuple[dict, Path]:
    fault = FAULTS.FAULTS[name](folder / "dataset")
    root = folder / "dataset"
    carry_over(root)
    if "derivatives/vep/vep.tsv" in fault["files"]:
        fault["files"] = [TABLE]
    return fault, root


@pytest.fixture(scope="module")
def clean(tmp_path_factory) -> Seen:
    root = tmp_path_factory.mktemp("clean") / "dataset"
    FAULTS.base(root)
    carry_over(root)
    return inspect(root)


def tells(message: InputError | Flag | RefuseRun, fault: dict) -> bool:
    """Whether a message names a culprit and one of the words, in one line with a way out."""
    text = str(message)
    named = any(os.fsencode(file).decode("utf-8", "backslashreplace") in text for file in fault["files"])
    worded = any(word.casefold() in text.casefold() for word in fault["says"])
    return named and worded and "\n" not in text and all(message.facts().values())


def test_the_clean_trial_is_read_without_a_word(clean):
    assert (clean.failures, clean.flags) == ((), ())
    assert sorted(clean.data) == FAULTS.SUBJECTS
    assert all(len(visits) == 3 for visits in clean.data.values())


def test_no_fault_of_these_areas_went_missing():
    counts = Counter(name.split("_", 1)[0] if not name.startswith("ok_") else name[:6] for name in NAMES)
    assert counts == {"img": 31, "ok_img": 4, "tab": 12, "ok_tab": 1, "sto": 6, "priv": 2, "blind": 1}


@pytest.mark.parametrize("name", NAMES)
def test_fault(name, tmp_path, clean):
    fault, root = broken(name, tmp_path)
    if fault["outcome"] == "refuse_run":
        with pytest.raises(RefuseRun) as caught:
            inspect(root)
        assert tells(caught.value, fault), str(caught.value)
        return
    seen = inspect(root, register=fault["area"] == "imaging")
    said = [str(failure.error) for failure in seen.failures] + [str(finding.flag) for finding in seen.flags]
    if fault["outcome"] == "error":
        assert any(tells(failure.error, fault) for failure in seen.failures), said
    else:
        assert seen.failures == (), said
    if fault["outcome"] == "flag":
        assert any(tells(finding.flag, fault) for finding in seen.flags), said
    if fault["outcome"] == "accept":
        assert seen.flags == (), said
    healthy = {f"sub-{subject}" for subject in fault["healthy"]}
    touched = {item.participant for item in (*seen.failures, *seen.flags)}
    assert not touched & healthy, said
    for subject in fault["healthy"]:
        assert seen.data[subject] == clean.data[subject]
    if fault["outcome"] == "flag":
        assert len(seen.data[FAULTS.BAD]) == 3, "a flagged visit is measured all the same"


def test_what_identifies_a_person_is_in_no_message(tmp_path):
    for name in ("priv_name_in_nifti_descrip", "priv_phi_in_sidecar"):
        _, root = broken(name, tmp_path / name)
        for finding in inspect(root, register=False).flags:
            assert not any(word in str(finding.flag) for word in ("SMITH", "JANE", "1981", "19810203"))


# The whole product, one fault of each way in which it can go; the others take minutes.
QUICK = {
    "img_gzip_bomb",
    "img_voxels_flipped_lr",
    "img_nan_inf_voxels",
    "img_subject_is_copy_of_other",
    "ok_img_las_storage",
    "tab_decimal_comma",
    "tab_visits_reversed",
    "blind_arm_leaked_in_participants",
    "sto_fifo_instead_of_file",
}
# Only a protocol plans windows; `remyelin analyse` has it.
NEEDS_PROTOCOL = {"tab_visit_out_of_window"}
MEASURED = [
    pytest.param(name, marks=() if name in QUICK else pytest.mark.slow)
    for name in NAMES
    if name not in NEEDS_PROTOCOL
]


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream, delimiter="\t"))


def measure(root: Path) -> Path:
    """`remyelin measure`, both levels, of the participant with the fault and a healthy one."""
    out = root.parent / "out"
    measure_participants(root, out, labels=("01", FAULTS.BAD), progress=False)
    gather(out)
    return out


@pytest.fixture(scope="module")
def clean_out(tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp("clean_out") / "dataset"
    FAULTS.base(root)
    carry_over(root)
    return measure(root)


def table(out: Path, subject: str) -> bytes:
    return (out / f"sub-{subject}" / f"sub-{subject}_measurements.tsv").read_bytes()


def same_values(out: Path, clean_out: Path, subject: str) -> None:
    """The same rows, values to 1e-12; the name of the recording may differ."""
    ours, theirs = (rows(o / f"sub-{subject}" / f"sub-{subject}_measurements.tsv") for o in (out, clean_out))
    assert len(ours) == len(theirs) > 0
    for mine, wanted in zip(ours, theirs, strict=True):
        for column in mine:
            if column in ("value", "se") and "n/a" not in (mine[column], wanted[column]):
                assert math.isclose(float(mine[column]), float(wanted[column]), rel_tol=1e-12), (mine, wanted)
            elif column != "source":
                assert mine[column] == wanted[column], (mine, wanted)


def told(out: Path, kind: str) -> list[dict[str, str]]:
    return rows(out / f"{kind}.tsv")


def message(row: dict[str, str]) -> Flag:
    return Flag(**{key: value for key, value in row.items() if key not in ("participant_id", "visit")})


def of_potentials(out: Path, subject: str) -> list[dict[str, str]]:
    """The rows of the recordings of evoked potentials, which no fault here touches."""
    found = rows(out / f"sub-{subject}" / f"sub-{subject}_measurements.tsv")
    return [row for row in found if row["source"].endswith(".edf")]


def test_the_clean_trial_is_told_only_what_its_potentials_lack(clean_out):
    assert told(clean_out, "failures") == []
    said = [
        (row["participant_id"], row["visit"], row["field"], row["found"], row["quality"])
        for row in told(clean_out, "flags")
    ]
    assert sorted(said) == [
        (f"sub-{subject}", visit, field, found, "flag")
        for subject in ("01", FAULTS.BAD)
        for visit in ("M00", "M06")
        for field, found in (("DisplayDelay", "not stated"), ("replicates", "1 of OD and 1 of OS"))
    ]
    of_images = [row for row in rows(clean_out / "measurements.tsv") if not row["source"].endswith(".edf")]
    assert {row["quality"] for row in of_images} == {"pass"}


@pytest.mark.parametrize("name", MEASURED)
def test_fault_in_the_whole_product(name, tmp_path, clean_out):
    fault, root = broken(name, tmp_path)
    if fault["outcome"] == "refuse_run":
        with pytest.raises(RefuseRun):
            measure(root)
        assert not (root.parent / "out" / "measurements.tsv").exists()
        return
    out = measure(root)
    lacking = told(clean_out, "flags")
    if fault["outcome"] == "accept":
        assert (told(out, "failures"), told(out, "flags")) == ([], lacking)
        same_values(out, clean_out, FAULTS.BAD)
    elif fault["outcome"] == "error":
        assert any(tells(message(row), fault) for row in told(out, "failures")), told(out, "failures")
    else:
        new = [row for row in told(out, "flags") if row not in lacking]
        assert any(tells(message(row), fault) for row in new), new
    if "01" in fault["healthy"]:
        assert table(out, "01") == table(clean_out, "01")
        own = [
            [row for row in of if row["participant_id"] == "sub-01"] for of in (told(out, "flags"), lacking)
        ]
        assert own[0] == own[1]
    if fault["outcome"] == "flag" and fault["area"] == "imaging":
        assert of_potentials(out, FAULTS.BAD) == of_potentials(clean_out, FAULTS.BAD) != []
        of_images = [row for row in rows(out / "measurements.tsv") if not row["source"].endswith(".edf")]
        doubted = [row for row in of_images if row["quality"] != "pass"]
        assert {row["participant_id"] for row in doubted} == {f"sub-{FAULTS.BAD}"}
        assert all(row["reason"] not in ("", "n/a") for row in doubted)
