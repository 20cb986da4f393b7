"""A small program on `map_jobs`, for tests that kill it, starve it or run it twice.

Arguments: OUT WHERE WORKERS [option=value ...]. Options: n (jobs), order (forward, backward), key, timeout_s,
data (folder of inputs), all=behaviour (of every job), sub-02=behaviour (of one).
"""

from __future__ import annotations

import hashlib
import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

from remyelin import files
from remyelin.errors import InputError, RefuseRun, RemyelinError
from remyelin.run import Job, map_jobs, output_lock


def work(payload: dict[str, Any]) -> dict[str, Any]:
    out, job_id = Path(payload["out"]), payload["id"]
    content = hashlib.sha256(job_id.encode()).digest() * 3000
    if "data" in payload:
        content = files.read_bytes(Path(payload["data"]) / job_id, Path(payload["data"]))
    files.atomic_write(out / job_id / "map.bin", content)
    BEHAVIOURS[payload["behaviour"]](payload)
    with files.atomic_path(out / job_id / f"{job_id}_measurements.tsv") as temporary:
        temporary.write_text(f"participant_id\tvalue\n{job_id}\t{sum(content) / 7}\n")
    return {"value": sum(content) / 7, "threads": os.environ["OMP_NUM_THREADS"]}


def bad_input(payload: dict[str, Any]) -> None:
    raise InputError(f"{payload['id']}/scan.nii", "size", "0", "more", "copy it again")


def refuse(payload: dict[str, Any]) -> None:
    raise RefuseRun("participants.tsv", "arm", "there", "absent", "seal it")


def bug(payload: dict[str, Any]) -> None:
    {}["gone"]


def no_memory(payload: dict[str, Any]) -> None:
    raise MemoryError


def die(payload: dict[str, Any]) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def die_once(payload: dict[str, Any]) -> None:
    mark = Path(payload["out"]).parent / "died-once"
    if not mark.exists():
        mark.touch()
        die(payload)


def sleep(payload: dict[str, Any]) -> None:
    (Path(payload["out"]).parent / f"pid-{payload['id']}").write_text(str(os.getpid()))
    time.sleep(60)


def multiply(payload: dict[str, Any]) -> None:
    import numpy as np

    matrix = np.random.default_rng(7).normal(size=(400, 400))
    for _ in range(3):
        matrix = matrix @ matrix / 100
    files.atomic_write(Path(payload["out"]) / payload["id"] / "product.bin", matrix.tobytes())


BEHAVIOURS = {f.__name__: f for f in (bad_input, refuse, bug, no_memory, die, die_once, sleep, multiply)}
BEHAVIOURS["good"] = lambda payload: None


def tree(out: Path) -> dict[str, bytes]:
    return {p.relative_to(out).as_posix(): p.read_bytes() for p in sorted(out.rglob("*")) if p.is_file()}


def command(out: Path, where: str = "serial", workers: int = 1, **options: object) -> list[str]:
    given = [f"{name.replace('_', '-', name.startswith('sub'))}={value}" for name, value in options.items()]
    return [sys.executable, __file__, str(out), where, str(workers), *given]


def jobs(out: Path, options: dict[str, str]) -> list[Job]:
    ids = [f"sub-{i:02d}" for i in range(1, int(options.get("n", "3")) + 1)]
    if options.get("order") == "backward":
        ids.reverse()
    given = {"out": str(out)} | {k: v for k, v in options.items() if k == "data"}
    every = options.get("all", "good")
    return [
        Job(i, options.get("key", "k"), given | {"id": i, "behaviour": options.get(i, every)}) for i in ids
    ]


def main(out: Path, where: str, workers: int, options: dict[str, str]) -> int:
    timeout_s = float(options["timeout_s"]) if "timeout_s" in options else None
    with output_lock(out):
        outcome = map_jobs(
            work,
            jobs(out, options),
            record=out / ".remyelin",
            where=where,
            workers=workers,
            timeout_s=timeout_s,
        )
        rows = "".join(f"{i}\t{r['value']}\n" for i, r in sorted(outcome.results.items()))
        files.atomic_write(out / "measurements.tsv", rows.encode())
    print(json.dumps({"skipped": outcome.skipped, "failures": [f.facts() for f in outcome.failures]}))
    return 1 if outcome.failures else 0


if __name__ == "__main__":
    try:
        sys.exit(
            main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), dict(a.split("=") for a in sys.argv[4:]))
        )
    except RemyelinError as error:
        sys.exit(str(error))
    except OSError as error:
        sys.exit(f"disk: {error.strerror}")
