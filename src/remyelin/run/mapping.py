"""One function on many jobs: skip what is finished, go on when one fails, say what happened."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import closing, suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

from remyelin.errors import InputError

from .cluster import in_dask
from .jobs import Attempt, Failure, Job, Outcome, failed
from .lock import output_lock
from .progress import telling
from .records import is_finished, read_record, write_record
from .threads import one_thread
from .workers import in_processes, in_this_process

Where = Literal["serial", "processes", "dask"]
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_log = logging.getLogger("remyelin.run")


def map_jobs(
    function: Callable[[Any], Mapping[str, Any]],
    jobs: Sequence[Job],
    *,
    record: Path,
    where: Where = "serial",
    workers: int = 1,
    timeout_s: float | None = None,
    progress: bool = True,
) -> Outcome:
    """Call `function` on the payload of each job, so that a stopped run can go on where it stopped.

    The folder that `record` lies in is the output folder: it is locked for the time of the run, and every
    output of a job lies in it. `record` gets one small file a job with its key, its result, and the SHA-256
    of each output. A job whose record has the same key and whose outputs are still the same is skipped. A job
    that fails loses its outputs, also those of earlier runs, since they no longer belong to its key.

    Parameters
    ----------
    function
        Payload to a dict that JSON can hold. Its outputs must be written with `files.atomic_write` or
        `files.atomic_path`: that is how they are known. In other processes it must be importable by name.
    jobs
        In the order that the outcome is to have; the result does not depend on it.
    record
        Folder of the records, directly inside the output folder.
    where
        ``"serial"`` (this process), ``"processes"`` (of this computer), ``"dask"`` (a cluster; needs
        remyelin[cluster]; a current `distributed.Client` or a configured scheduler is used).
    workers
        Jobs at the same time.
    timeout_s
        Longest time for one job; it needs a process that can be stopped, so ``"serial"`` then uses one
        worker.
    progress
        Tell on standard error what happens.

    Returns
    -------
    Outcome
        Results, skipped and failures, each in the order of `jobs`.

    Raises
    ------
    InputError
        Job ids that cannot name a file or are not unique; `where` that is not there.
    RefuseRun
        Another run holds the output folder, it cannot be written to, or a job refused the run.

    Notes
    -----
    An `InputError` in a job becomes a failure with its five facts, any other error one of field "program"
    whose traceback goes to the log "remyelin.run" at level DEBUG. The other jobs go on.
    """
    _check(jobs, where, workers, timeout_s)
    out = record.parent
    with output_lock(out), one_thread(), telling(len(jobs), progress) as tell:
        results, skipped = _finished(jobs, record)
        failures: dict[str, Failure] = {}
        if skipped:
            tell(f"skipped {len(skipped)} finished", len(skipped))
        todo = [job for job in jobs if job.id not in results]
        with closing(_runner(function, todo, out, where, workers, timeout_s)) as attempts:
            for job, attempt in attempts:
                settled = _settle(job, attempt, record)
                if settled.failure:
                    failures[job.id] = settled.failure
                    tell(f"{job.id} failed. {settled.failure}", 1)
                else:
                    results[job.id] = json.loads(settled.result)
                    tell(f"{job.id} done", 1)
    return Outcome(
        {job.id: results[job.id] for job in jobs if job.id in results},
        skipped,
        tuple(failures[job.id] for job in jobs if job.id in failures),
    )


def _check(jobs: Sequence[Job], where: Where, workers: int, timeout_s: float | None) -> None:
    seen: set[str] = set()
    for job in jobs:
        if not _ID.fullmatch(job.id):
            expected = "letters, digits, '.', '_' and '-', a letter or digit first"
            raise InputError("", "job id", repr(job.id), expected, "rename the item")
        if job.id.casefold() in seen:
            fix = "rename one of the two (capitals do not count)"
            raise InputError("", "job id", f"{job.id!r} twice", "ids that differ", fix)
        seen.add(job.id.casefold())
    if workers < 1:
        raise InputError("", "workers", str(workers), "1 or more", "ask for at least one worker")
    if where == "dask" and not (find_spec("dask") and find_spec("distributed")):
        fix = "install remyelin[cluster], or use 'processes'"
        raise InputError("", "where", "'dask', which is not installed", "a place that is there", fix)
    if where == "dask" and timeout_s:
        raise InputError(
            "", "timeout_s", f"{timeout_s:g} with dask", "none", "set the limit in the cluster's queue"
        )


def _runner(
    function: Callable[[Any], Mapping[str, Any]],
    jobs: Sequence[Job],
    out: Path,
    where: Where,
    workers: int,
    timeout_s: float | None,
) -> Generator[tuple[Job, Attempt]]:
    if where == "dask":
        return in_dask(function, jobs, out, workers)
    if where == "processes":
        return in_processes(function, jobs, out, workers, timeout_s)
    return (
        in_processes(function, jobs, out, 1, timeout_s) if timeout_s else in_this_process(function, jobs, out)
    )


def _finished(jobs: Sequence[Job], record: Path) -> tuple[dict[str, Any], tuple[str, ...]]:
    found = {}
    for job in jobs:
        known = read_record(record, job.id)
        if known and is_finished(known, job, record.parent):
            found[job.id] = known.result
    return found, tuple(found)


def _settle(job: Job, attempt: Attempt, record: Path) -> Attempt:
    """Bring the folder in line with an attempt: its outputs and no others of this job, then the record."""
    if attempt.refusal:
        raise attempt.refusal
    earlier = read_record(record, job.id)
    known = set(earlier.outputs if earlier else ()) | set(attempt.outputs)
    if not attempt.failure:
        try:
            _remove(known - set(attempt.outputs), record.parent)
            write_record(record, job, attempt)
            return attempt
        except OSError as error:
            attempt = failed(job.id, list(attempt.outputs), error)
    _log.debug("job %s\n%s", job.id, attempt.detail)
    with suppress(OSError):
        _remove(known, record.parent)
        (record / f"{job.id}.json").unlink(missing_ok=True)
        write_record(record, job, attempt)
    return attempt


def _remove(names: set[str], out: Path) -> None:
    for name in sorted(names):
        (out / name).unlink(missing_ok=True)
