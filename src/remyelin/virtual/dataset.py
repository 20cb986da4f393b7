"""A virtual trial written as recordings: a BIDS dataset, the sealed allocation beside it, the truth apart.

The dataset holds only what a site would send. Nothing in it tells the arm of a participant.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from remyelin.errors import RefuseRun
from remyelin.provenance import settings_hash

from .bids import write_frame, write_json, write_sessions, write_tsv
from .exposure import Responses
from .imaging import write_images
from .patient import Patients, draw_patients
from .potentials import Laboratory, check_sizes, write_eeg_frame, write_potentials
from .premises import Premises
from .recorded import Truth, write_truth
from .scanner import Scanner
from .subject import Subject, subjects

if TYPE_CHECKING:
    from remyelin.protocol import Protocol

DATASET, SEALED, TRUTH, RECORDS = "bids", "sealed", "truth", "records"
_SAID = (
    "Virtual data: no person was recorded. Heads, lesions, eyes and noise are computed by remyelin. What is "
    "true in it stands in a folder beside it."
)


@dataclass(frozen=True)
class _Task:
    person: Subject
    dataset: Path
    scanner: Scanner
    laboratory: Laboratory


def write_trial(
    protocol: Protocol,
    out: Path,
    *,
    rng: np.random.Generator,
    response: Responses,
    premises: Premises,
    participants: int | None = None,
    lesions_per_participant: int | None = None,
    scanner: Scanner | None = None,
    laboratory: Laboratory | None = None,
    workers: int = 1,
    progress: bool = False,
) -> Truth:
    """Write one virtual trial as recordings.

    Parameters
    ----------
    protocol
        Its arms, visits and endpoints. Images are made where an endpoint is the MTR, potentials where one is
        of an eye.
    out
        A folder; `bids/`, `sealed/allocation.tsv`, `truth/` and `records/` (of what is finished) are written
        into it.
    rng
        Of the trial.
    response, premises
        What treatment does, and what patients are drawn from: see `draw_patients`.
    participants
        In each arm; by default those of the protocol.
    lesions_per_participant
        The same number for everyone; by default that of real people.
    scanner, laboratory
        The instruments.
    workers
        Participants at the same time; it changes no byte.
    progress
        Tell on standard error what happens.

    Returns
    -------
    Truth
        Paths and true values.

    Raises
    ------
    InputError
        As `draw_patients`; more lesions than a head holds.
    RefuseRun
        `out` holds another trial, or something else; a protocol that asks for neither MTR nor eyes.

    Notes
    -----
    Modelled: heads of individual form; lesions of real sizes; partial volume; MT-on, MT-off and T1-weighted
    signals by the two-pool model; transmit and receive field; position of the head at each visit and movement
    between images; drift; Rician noise; a reader whose borders vary; responses of each eye with jitter in EEG
    noise. Not modelled: atrophy, lesions that grow or shrink, confluent and cortical lesions, distortion,
    motion within an image, blinks.
    """
    scanner = scanner or Scanner()
    asked = check_sizes([endpoint.condition for endpoint in protocol.endpoint if endpoint.site == "eye"])
    laboratory = laboratory or Laboratory(checks_arcmin=asked)
    of_patients, of_people = rng.spawn(2)
    patients = draw_patients(
        protocol, rng=of_patients, response=response, premises=premises, participants=participants,
        lesions_per_participant=lesions_per_participant,
    )  # fmt: skip
    if patients.eyes is None and patients.lesions is None:
        expected = "an endpoint of eyes or of the MTR of lesions"
        raise RefuseRun(
            protocol.trial.id,
            "endpoints",
            "nothing that is recorded",
            expected,
            "add one, or simulate tables",
        )
    people = subjects(patients, of_people)
    tasks = [_Task(person, out / DATASET, scanner, laboratory) for person in people]
    keys = [_key(task) for task in tasks]
    _claim(out, protocol, patients, keys)
    dataset = out / DATASET
    write_frame(dataset, people, _SAID)
    if patients.eyes is not None:
        write_eeg_frame(dataset, laboratory)
    found = _write_people(tasks, keys, out, workers, progress)
    allocation = out / SEALED / "allocation.tsv"
    rows = [
        {"participant_id": name, "arm": arm} for name, arm in zip(patients.ids, patients.arms[0], strict=True)
    ]
    write_tsv(allocation, ("participant_id", "arm"), rows)
    return write_truth(dataset, allocation, out / TRUTH, patients, found)


def _write_people(
    tasks: list[_Task], keys: list[str], out: Path, workers: int, progress: bool
) -> Mapping[str, Mapping[str, Any]]:
    from remyelin.run import Job, map_jobs

    jobs = [Job(task.person.id, key, task) for task, key in zip(tasks, keys, strict=True)]
    outcome = map_jobs(
        _write_person, jobs, record=out / RECORDS, where="serial" if workers == 1 else "processes",
        workers=workers, progress=progress,
    )  # fmt: skip
    for failure in outcome.failures:
        raise RefuseRun(failure.file, failure.field, failure.found, failure.expected, failure.fix)
    return outcome.results


def _write_person(task: _Task) -> dict[str, Any]:
    person = task.person
    of_dates, of_images, of_potentials = person.rng.spawn(3)
    write_sessions(task.dataset, person, of_dates)
    found: dict[str, Any] = {"lesions": [], "poses": {}, "eyes": []}
    if person.lesions is not None:
        found |= write_images(person, task.scanner, task.dataset, of_images)
    if person.eyes is not None:
        found["eyes"] = write_potentials(person, task.laboratory, task.dataset, of_potentials)
    return found


def _key(task: _Task) -> str:
    settings = {"scanner": asdict(task.scanner), "laboratory": asdict(task.laboratory)}
    return settings_hash({"person": task.person.key(), **settings})


def _claim(out: Path, protocol: Protocol, patients: Patients, keys: list[str]) -> None:
    """Refuse a folder that holds something else than the beginning of this trial."""
    import hashlib

    mark = out / TRUTH / "trial.json"
    content = {
        "trial": protocol.trial.id,
        "participants": len(keys),
        "sha256": hashlib.sha256("\n".join(keys).encode()).hexdigest(),
    }
    try:
        known = json.loads(mark.read_text()) if mark.is_file() else None
    except ValueError:
        known = {}
    there = [name for name in (DATASET, SEALED, TRUTH) if (out / name).exists()]
    if known != content and there:
        what = "another virtual trial" if known else f"{there[0]}/, which is none of ours"
        raise RefuseRun(
            str(out), "output folder", what, "an empty folder, or the same trial", "choose another folder"
        )
    write_json(mark, content)
