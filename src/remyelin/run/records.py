"""The record of a job: one small file that says what was done, from what, and which outputs belong to it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from remyelin import files
from remyelin.errors import InputError

from .jobs import Attempt, Failure, Job, Outcome

_LIMIT_BYTES = 2**28


@dataclass(frozen=True, slots=True)
class Record:
    """What is on the disk about a job."""

    key: str
    outputs: Mapping[str, str]
    result: Any
    failure: Failure | None


def write_record(folder: Path, job: Job, attempt: Attempt) -> None:
    """Write the record of an attempt; it holds no time, no machine and no absolute path."""
    failure = attempt.failure
    content = {
        "key": job.key,
        "outputs": {} if failure else dict(attempt.outputs),
        "result": None if failure else json.loads(attempt.result),
        "failures": [failure.facts()] if failure else [],
    }
    text = json.dumps({"sha256": _digest(content), **content}, indent=1, ensure_ascii=False)
    files.atomic_write(folder / f"{job.id}.json", (text + "\n").encode("utf-8", "surrogatepass"))


def read_record(folder: Path, job_id: str) -> Record | None:
    """The record of a job, or None if there is none or it is not as it was written."""
    path = folder / f"{job_id}.json"
    if not path.exists():
        return None
    try:
        content = files.read_json(path, folder, limit=_LIMIT_BYTES)
        if content.pop("sha256", None) != _digest(content):
            return None
        failures = [Failure(**facts) for facts in content["failures"]]
        return Record(
            content["key"], content["outputs"], content["result"], failures[0] if failures else None
        )
    except (InputError, KeyError, TypeError):
        return None


def is_finished(record: Record, job: Job, out: Path) -> bool:
    """Whether the record is of this very job, done, with every output still as it was written."""
    if record.failure or record.key != job.key:
        return False
    try:
        return all(files.sha256(out / name) == digest for name, digest in record.outputs.items())
    except OSError:
        return False


def read_records(folder: Path) -> Outcome:
    """The outcome of all jobs recorded in a folder, in the order of their ids, whichever runs did them."""
    ids = sorted(path.stem for path in folder.glob("[!.]*.json"))
    records = {job_id: record for job_id in ids if (record := read_record(folder, job_id))}
    results = {job_id: record.result for job_id, record in records.items() if not record.failure}
    failures = tuple(record.failure for record in records.values() if record.failure)
    return Outcome(results, tuple(results), failures)


def _digest(content: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()
