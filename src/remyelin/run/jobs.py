"""A job, and what becomes of it."""

from __future__ import annotations

import errno
import json
import os
import traceback
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from remyelin import files
from remyelin.errors import InputError, RefuseRun

_DISK = (
    errno.ENOSPC,
    errno.EDQUOT,
    errno.EROFS,
    errno.EIO,
    errno.EFBIG,
    errno.EMFILE,
    errno.EACCES,
    errno.EPERM,
)


@dataclass(frozen=True, slots=True)
class Job:
    """One piece of work.

    Parameters
    ----------
    id
        Names the job in messages and its record; letters, digits, ".", "_" and "-".
    key
        Hash of everything the result depends on: inputs and settings. The same key means the same result.
    payload
        What the function gets. It does not enter the record, so it may hold absolute paths.
    """

    id: str
    key: str
    payload: object


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a job has no result: its id and the five facts of `remyelin.errors`."""

    id: str
    file: str
    field: str
    found: str
    expected: str
    fix: str

    def __str__(self) -> str:
        return str(InputError(self.file, self.field, self.found, self.expected, self.fix))

    def facts(self) -> dict[str, str]:
        """The id and the five facts by name."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of the jobs, in the order of the jobs.

    Parameters
    ----------
    results
        What the function returned, by id; also of those that an earlier run had finished.
    skipped
        Ids of those that an earlier run had finished.
    failures
        Those that have no result.
    """

    results: dict[str, Any]
    skipped: tuple[str, ...] = ()
    failures: tuple[Failure, ...] = ()


@dataclass(frozen=True, slots=True)
class Attempt:
    """One call of the function: `result` as JSON, or a failure; `outputs` by name with their SHA-256."""

    result: str = ""
    outputs: Mapping[str, str] = field(default_factory=dict)
    failure: Failure | None = None
    refusal: RefuseRun | None = None
    detail: str = ""


def attempt(
    function: Callable[[Any], Mapping[str, Any]],
    job: Job,
    out: Path,
    observer: Callable[[str], None] = lambda _: None,
) -> Attempt:
    """Call the function and catch what it raises; `observer` hears of each output before it is written."""
    written: list[str] = []

    def note(path: Path) -> None:
        written.append(_inside(path, out))
        observer(written[-1])

    try:
        with files.on_write(note):
            result = json.dumps(function(job.payload))
        outputs = {name: files.sha256(out / name) for name in sorted(set(written))}
    except RefuseRun as error:
        return Attempt(refusal=error)
    except Exception as error:
        return failed(job.id, written, error)
    return Attempt(result, outputs)


def failed(job_id: str, written: list[str], error: Exception) -> Attempt:
    """The attempt that ended in an error."""
    detail = "".join(traceback.format_exception(error))
    return Attempt(outputs=dict.fromkeys(written, ""), failure=_failure(job_id, error), detail=detail)


def _inside(path: Path, out: Path) -> str:
    return Path(os.path.normpath(path.absolute())).relative_to(os.path.normpath(out.absolute())).as_posix()


def _failure(job_id: str, error: Exception) -> Failure:
    if isinstance(error, InputError):
        return Failure(job_id, **error.facts())
    if isinstance(error, MemoryError):
        fix = "use fewer workers, or a computer with more memory, and run again"
        return Failure(job_id, "", "memory", "used up", "enough for this item", fix)
    if isinstance(error, OSError) and error.errno in _DISK:
        fix = "free space or correct the permissions, and run again; what is finished is kept"
        return Failure(
            job_id, "", "disk", f"refusing ({os.strerror(error.errno)})", "readable and writable", fix
        )
    lines = str(error).strip().splitlines() or [""]
    found = f"stopped by {type(error).__name__}: {lines[0][:200]}"
    fix = "report this error with the log that --debug writes"
    return Failure(job_id, "", "program", found, "no error of its own", fix)
