"""A run that is killed, or whose disk fails, at a chosen system call: nothing half, nothing lost."""

from __future__ import annotations

import errno
import json
import os
import random
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from remyelin import files
from remyelin.run import read_records
from remyelin.run.lock import LOCK_NAME

from .run_program import command, tree

CALLS = ("write", "fsync", "rename", "unlink", "mkdir", "ftruncate", "flock")
ERRORS = ("ENOSPC", "EIO", "EDQUOT", "EROFS")


def _strace_works() -> bool:
    if not shutil.which("strace"):
        return False
    return (
        subprocess.run(
            ["strace", "-qq", "-o", "/dev/null", "true"], check=False, capture_output=True
        ).returncode
        == 0
    )


needs_strace = pytest.mark.skipif(
    not _strace_works(), reason="strace is not here, or may not trace (apt install strace)"
)


def strace(arguments: list[str], args: list[str]) -> subprocess.CompletedProcess[str]:
    line = ["strace", "-f", "-qq", *arguments, *args]
    return subprocess.run(line, capture_output=True, text=True, timeout=120, check=False)


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """What an undisturbed run leaves."""
    out = tmp_path_factory.mktemp("reference") / "out"
    assert subprocess.run(command(out), capture_output=True, check=False).returncode == 0
    return tree(out)


@pytest.fixture(scope="module")
def points(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[str, int]]:
    """Every call by which an undisturbed serial run changes the disk: name, and number among its like."""
    folder = tmp_path_factory.mktemp("points")
    assert (
        strace(
            ["-e", "trace=" + ",".join(CALLS), "-o", str(folder / "log")], command(folder / "out")
        ).returncode
        == 0
    )
    names = [
        line.split(maxsplit=1)[-1].partition("(")[0] for line in (folder / "log").read_text().splitlines()
    ]
    found = [(name, names[: i + 1].count(name)) for i, name in enumerate(names) if name in CALLS]
    assert len(found) >= 50
    return found


def check_nothing_is_half(out: Path, reference: dict[str, bytes]) -> None:
    """What is seen is as it should be, a record that tells of a failure, or the table without the failed."""
    for name, data in tree(out).items():
        if name == LOCK_NAME or files.is_leftover(name.rpartition("/")[2]) or data == reference[name]:
            continue
        if name.startswith(".remyelin/"):
            assert json.loads(data)["failures"], name
        else:
            assert name == "measurements.tsv"
            assert set(data.splitlines(keepends=True)) < set(reference[name].splitlines(keepends=True))


def check_resumes(out: Path, reference: dict[str, bytes], where: str = "serial", workers: int = 1) -> None:
    kept = list(read_records(out / ".remyelin").results)
    done = subprocess.run(
        command(out, where, workers), capture_output=True, text=True, timeout=120, check=False
    )
    assert (done.returncode, done.stderr.count("Traceback")) == (0, 0)
    assert json.loads(done.stdout) == {"skipped": kept, "failures": []}
    assert tree(out) == reference


def kill_at(out: Path, call: str, number: int, where: str = "serial", workers: int = 1) -> None:
    inject = f"inject={call}:signal=SIGKILL:when={number}"
    strace(["-o", "/dev/null", "-e", f"trace={call}", "-e", inject], command(out, where, workers))


def spread(points: list[tuple[str, int]], count: int) -> list[tuple[str, int]]:
    return [points[i * (len(points) - 1) // (count - 1)] for i in range(count)]


@needs_strace
def test_killed_at_4_points(
    tmp_path: Path, points: list[tuple[str, int]], reference: dict[str, bytes]
) -> None:
    for i, (call, number) in enumerate(spread(points, 6)[1:-1]):
        out = tmp_path / str(i) / "out"
        kill_at(out, call, number)
        assert (out / LOCK_NAME).exists()  # it was killed, in the middle
        check_nothing_is_half(out, reference)
        check_resumes(out, reference)


@needs_strace
def test_killed_at_2_points_with_2_workers(tmp_path: Path, reference: dict[str, bytes]) -> None:
    for call, number in (("rename", 2), ("fsync", 7)):
        out = tmp_path / f"{call}-{number}" / "out"
        kill_at(out, call, number, "processes", 2)
        check_nothing_is_half(out, reference)
        check_resumes(out, reference, "processes", 2)


@needs_strace
@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_killed_at_every_point(
    tmp_path: Path, points: list[tuple[str, int]], reference: dict[str, bytes]
) -> None:
    for i, (call, number) in enumerate(points):
        out = tmp_path / str(i) / "out"
        kill_at(out, call, number)
        check_nothing_is_half(out, reference)
        check_resumes(out, reference)


@needs_strace
@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_killed_at_20_points_with_2_workers(tmp_path: Path, reference: dict[str, bytes]) -> None:
    for call in ("write", "fsync", "rename", "mkdir"):
        for number in (1, 2, 3, 5, 8):
            out = tmp_path / f"{call}-{number}" / "out"
            kill_at(out, call, number, "processes", 2)
            check_nothing_is_half(out, reference)
            check_resumes(out, reference, "processes", 2)


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.parametrize(("where", "workers"), [("serial", 1), ("processes", 2)])
def test_killed_at_15_random_times(
    tmp_path: Path, reference: dict[str, bytes], where: str, workers: int
) -> None:
    rng = random.Random(2026)
    for i in range(15):
        out = tmp_path / str(i) / "out"
        with subprocess.Popen(
            command(out, where, workers), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        ) as main:
            time.sleep(rng.uniform(0.0, 1.2 if where == "serial" else 2.5))
            main.send_signal(signal.SIGKILL)
        if out.exists():
            check_nothing_is_half(out, reference)
        check_resumes(out, reference, where, workers)


def failing(
    points: list[tuple[str, int]], out: Path, number: int, error: str
) -> subprocess.CompletedProcess[str]:
    call, when = points[number]
    inject = f"inject={call}:error={error}:when={when}"
    return strace(["-o", "/dev/null", "-e", f"trace={call}", "-e", inject], command(out))


def check_failing(
    numbers: Iterator[int],
    tmp_path: Path,
    points: list[tuple[str, int]],
    reference: dict[str, bytes],
    error: str,
) -> None:
    for number in numbers:
        call, when = points[number]
        out = tmp_path / f"{error}-{number}" / "out"
        done = failing(points, out, number, error)
        where = f"{error} at {call} {when}: {done.stderr}"
        assert "Traceback" not in done.stderr, where
        if done.returncode == 0:
            assert tree(out) == reference, where
        else:
            assert os.strerror(getattr(errno, error)) in done.stderr + done.stdout, where
        if out.exists():
            check_nothing_is_half(out, reference)
        check_resumes(out, reference)


@needs_strace
def test_a_full_disk_at_3_points(
    tmp_path: Path, points: list[tuple[str, int]], reference: dict[str, bytes]
) -> None:
    writes = [i for i, (call, _) in enumerate(points) if call == "write"]
    check_failing(iter(writes[1::5]), tmp_path, points, reference, "ENOSPC")


@needs_strace
@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("error", ERRORS)
def test_a_failing_disk_at_every_point(
    tmp_path: Path, points: list[tuple[str, int]], reference: dict[str, bytes], error: str
) -> None:
    check_failing(iter(range(len(points))), tmp_path, points, reference, error)


@needs_strace
def test_a_disk_that_stays_full(tmp_path: Path, reference: dict[str, bytes]) -> None:
    out = tmp_path / "out"
    inject = "inject=write:error=ENOSPC:when=5+"
    done = strace(["-o", "/dev/null", "-e", "trace=write", "-e", inject], command(out))
    assert done.returncode != 0
    check_resumes(out, reference)


@needs_strace
def test_an_input_that_cannot_be_read_is_named_and_the_others_go_on(tmp_path: Path) -> None:
    data, out = tmp_path / "data", tmp_path / "out"
    data.mkdir()
    for i in (1, 2, 3):
        (data / f"sub-0{i}").write_bytes(bytes([i]) * 1000)
    only = ["-P", str(data / "sub-02"), "-e", "trace=read", "-e", "inject=read:error=EIO"]
    done = strace(["-o", "/dev/null", *only], command(out, data=data))
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    (failure,) = json.loads(done.stdout)["failures"]
    assert (failure["id"], failure["file"]) == ("sub-02", "sub-02")
    assert "Input/output error" in failure["found"]
    assert sorted(read_records(out / ".remyelin").results) == ["sub-01", "sub-03"]
