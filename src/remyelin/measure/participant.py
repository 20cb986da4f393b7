"""The pipeline of one participant: recordings to rows, maps and flags."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from remyelin import files, provenance
from remyelin.errors import Flag, InputError

from .checks import check_visits
from .dataset import Participant, Visit
from .facts import FLAGS, write_facts
from .findings import Failure, Finding
from .readings import Reading
from .rows import Rows

if TYPE_CHECKING:
    from remyelin.protocol import Measuring
    from remyelin.tables import Measurements

    from .evoked import Evoked
    from .image import FloatArray
    from .visit import LoadedVisit


@dataclass(frozen=True, slots=True)
class Task:
    """What one job measures.

    Parameters
    ----------
    root, out
        The dataset and the output folder; None for the job that only records what concerns the dataset.
    participant
        With the visits that can be measured, perhaps none.
    settings
        How to measure.
    failures, flags
        What the index of the dataset found wrong.
    table
        The participant's rows of the user's own tables, those of readers and of retinas too.
    readings
        What readers read, for the comparison with one another.
    """

    root: Path | None
    out: Path | None
    participant: Participant
    settings: Measuring | None
    failures: tuple[Failure, ...] = ()
    flags: tuple[Finding, ...] = ()
    table: Measurements | None = None
    readings: tuple[Reading, ...] = ()

    def key(self) -> str:
        """Hash of all that the result depends on; a file that cannot be read counts by its message."""
        content = {
            "participant": self.participant.id,
            "visits": [[visit.id, visit.day] for visit in self.participant.visits],
            "inputs": self.inputs(),
            "settings": {} if self.settings is None else self.settings.model_dump(),
            "failures": [_row(f.participant, f.visit, f.error.facts()) for f in self.failures],
            "flags": [_row(f.participant, f.visit, f.flag.facts()) for f in self.flags],
            "table": "" if self.table is None else self.table.frame.to_csv(),
            "readings": [str(one) for one in self.readings],
        }
        return provenance.settings_hash(content)

    def inputs(self) -> dict[str, str]:
        """SHA-256 of every file that is read, by name; or why one cannot be."""
        if self.root is None:
            return {}
        hashes: dict[str, str] = {}
        for path in _files(self.participant.visits, self.root):
            name = files.relative(path, self.root)
            try:
                hashes |= provenance.input_hashes([path], self.root)
            except InputError as error:
                hashes[name] = str(error)
        return hashes


def _files(visits: Iterable[Visit], root: Path) -> list[Path]:
    """Every file that a measurement of these visits reads."""
    from .recording import recording_files
    from .sidecar import inherited

    found: set[Path] = set()
    for visit in visits:
        found.update(recording_files(visit, root))
        images = [visit.mt_off, visit.mt_on, visit.lesion_mask, visit.brain_mask, visit.tissue]
        images += [*visit.mts, visit.tb1map]
        for path in (path for path in images if path is not None):
            found.add(path)
            for suffix in (".json", ".tsv"):
                found.update(inherited(path, root, suffix))
    return sorted(found, key=os.fsencode)


def _row(participant: str, visit: str, facts: dict[str, str]) -> dict[str, str]:
    return {"participant_id": participant, "visit": visit, **facts}


def measure_participant(task: Task) -> dict[str, Any]:
    """Measure one participant and write its table, maps and flags.

    Returns
    -------
    The failures (one mapping each, with participant and visit), the number of flags, and the hash of the
    settings; everything else stands in the files.
    """
    failures, findings = list(task.failures), list(task.flags)
    before = task.inputs()
    if task.root is None:
        flags = [_row(f.participant, f.visit, f.flag.facts()) for f in findings]
        lost = [_row(f.participant, f.visit, f.error.facts()) for f in failures]
        return {"failures": lost, "flags": len(flags), "dataset_flags": flags, "settings": ""}
    if task.out is not None and task.settings is not None:
        # The page shows what was measured before. It is no output of this job: it is written afterwards.
        (task.out / task.participant.id / f"{task.participant.id}.html").unlink(missing_ok=True)
        visits = _load(task.participant, task.root, failures, findings)
        rows: list[dict[str, Any]] = []
        if visits:
            rows = _measure(visits, task, failures, findings)
        evoked, table = _measure_evoked(task, failures, findings)
        _check_unchanged(before, task.inputs())
        _write_tables(replace(task, table=table), [*rows, *evoked.rows], evoked, findings)
    return {
        "failures": [_row(f.participant, f.visit, f.error.facts()) for f in failures],
        "flags": len(findings),
        "settings": "" if task.settings is None else provenance.settings_hash(task.settings.model_dump()),
    }


def _check_unchanged(before: dict[str, str], after: dict[str, str]) -> None:
    for name in sorted(before.keys() | after.keys()):
        if before.get(name) != after.get(name):
            fix = "wait until the files are there, then run again"
            raise InputError(name, "file", "changed during the run", "the same from start to end", fix)


def _load(
    participant: Participant, root: Path, failures: list[Failure], findings: list[Finding]
) -> list[LoadedVisit]:
    """The visits that can be measured; why another cannot goes to `failures`."""
    from .visit import load_visit

    loaded = []
    for visit in participant.visits:
        if visit.mt_off is None and visit.mt_on is None:
            continue
        try:
            one = load_visit(visit, root)
        except InputError as error:
            failures.append(Failure(participant.id, visit.id, error))
            continue
        findings += [Finding(participant.id, visit.id, flag) for flag in one.flags]
        loaded.append(one)
    wrong, doubtful = check_visits(loaded)
    failures += wrong
    findings += doubtful
    lost = {failure.visit for failure in wrong}
    return [one for one in loaded if one.visit.id not in lost]


def _measure(
    visits: list[LoadedVisit], task: Task, failures: list[Failure], findings: list[Finding]
) -> list[dict[str, Any]]:
    """The rows of the visits that could be read, and their maps."""
    from . import imaging, maps
    from .lesion_rows import lesion_rows
    from .saturation import measure_saturation

    assert task.root is not None and task.out is not None and task.settings is not None  # noqa: PT018 -- for the type checker
    found, doubts = imaging.register(visits, task.settings)
    findings += doubts
    values = imaging.tissue_rows(found, rows := _rows(visits, findings))
    findings += imaging.tissue_doubts(found, values)
    imaging.registration_rows(found, rows)
    findings += lesion_rows(found, values, rows, _phantom(task, visits))
    for k, visit in enumerate(visits):
        maps.write_map(task.out, visit, found.native[k], visit.pair.off.affine)
        if len(visits) > 1:
            maps.write_map(task.out, visit, found.halfway[k], visits[0].pair.off.affine, "halfway")
    if found.lesions is not None:
        labels = maps.halfway_labels(found.lesions, visits, found.poses)
        affine = visits[0].pair.off.affine
        maps.write_labels(task.out, task.participant.id, labels, affine, found.lesions.ids)
    lost, doubts = measure_saturation(found, task.root, task.out, rows)
    failures += lost
    findings += doubts
    return rows.rows


def _measure_evoked(
    task: Task, failures: list[Failure], findings: list[Finding]
) -> tuple[Evoked, Measurements | None]:
    """The evoked potentials, with what follows from them and from the values that others read.

    Returns
    -------
    They, and the table that the user brought, with its doubtful values marked.
    """
    from .evoked import Evoked, measure_evoked
    from .evoked_tables import judge_eyes

    assert task.root is not None and task.settings is not None  # noqa: PT018 -- for the type checker
    if not any(visit.eeg or visit.averages for visit in task.participant.visits) and not task.readings:
        return Evoked(), task.table
    found = measure_evoked(task.participant, task.root, task.settings)
    table = judge_eyes(found, task.participant, task.settings, task.table, task.readings)
    failures += found.failures
    findings += found.findings
    return found, table


def _rows(visits: Sequence[LoadedVisit], findings: Sequence[Finding]) -> Rows:
    doubts: dict[str, list[Flag]] = {}
    for finding in findings:
        doubts.setdefault(finding.visit, []).append(finding.flag)
    return Rows(
        visits[0].visit.participant,
        {visit.visit.id: visit.visit.day for visit in visits},
        {visit.visit.id: visit.pair.off.file for visit in visits},
        doubts,
    )


def _phantom(task: Task, visits: Sequence[LoadedVisit]) -> FloatArray | None:
    """(visit, 2) MTR of the phantom and its standard error, from the user's own table."""
    if task.table is None:
        return None
    frame = task.table.select(site="tissue:phantom", measure="mtr_pu").frame.set_index("visit")
    if not all(visit.visit.id in frame.index for visit in visits):
        return None
    chosen = frame.loc[[visit.visit.id for visit in visits], ["value", "se"]]
    return np.asarray(chosen.fillna({"se": 0.0}), float)


def _write_tables(
    task: Task, rows: list[dict[str, Any]], evoked: Evoked, findings: Sequence[Finding]
) -> None:
    from remyelin.tables import Measurements

    from .evoked_tables import write_evoked

    assert task.out is not None
    folder, name = task.out / task.participant.id, task.participant.id
    table = Measurements.from_rows(rows)
    if task.table is not None:
        table = Measurements.concat([table, task.table])
    if len(table):
        table.write(folder / f"{name}_measurements.tsv")
    write_evoked(folder, name, evoked)
    write_facts(
        folder / f"{name}_flags.tsv", [_row(f.participant, f.visit, f.flag.facts()) for f in findings], FLAGS
    )
