"""`remyelin measure` killed or starved at any moment: the same command then finishes, as if nothing had been.

`tests/test_crash.py` does so to the machinery alone, at every call; here it is the whole command, pages
included.
"""

from __future__ import annotations

import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from remyelin import files
from remyelin.run import read_records
from remyelin.run.lock import LOCK_NAME

CALLS = ("write", "pwrite64", "fsync", "rename", "unlink", "mkdir", "ftruncate", "flock")
Tree = dict[str, bytes]
Point = tuple[str, int]  # a call by which a file or folder changes, and its number among its like


def _strace_works() -> bool:
    if not shutil.which("strace"):
        return False
    probe = ["strace", "-f", "--seccomp-bpf", "-qq", "-e", "trace=write", "-o", "/dev/null", "true"]
    return subprocess.run(probe, check=False, capture_output=True).returncode == 0


needs_strace = pytest.mark.skipif(
    not _strace_works(), reason="strace 5.3 or newer is not here, or may not trace (apt install strace)"
)


def tree(out: Path) -> Tree:
    return {p.relative_to(out).as_posix(): p.read_bytes() for p in sorted(out.rglob("*")) if p.is_file()}


@dataclass
class Stage:
    """One command: on what, from which folder, and what an undisturbed run makes of it."""

    line: list[str]
    start: Path | None
    environment: dict[str, str]
    reference: Tree
    points: list[Point]

    def folder(self, path: Path) -> Path:
        """The output folder as it is before the command."""
        return shutil.copytree(self.start, path / "out") if self.start else path / "out"

    def call(self, out: Path, *options: str, strace: Sequence[str] = ()) -> subprocess.CompletedProcess[str]:
        trace = ["strace", "-f", "--seccomp-bpf", "-qq", *strace] if strace else []
        return subprocess.run(
            [*trace, *self.arguments(out), *options],
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
            env=self.environment,
        )

    def arguments(self, out: Path) -> list[str]:
        return [sys.executable, "-m", "remyelin.cli", *(word.format(out=out) for word in self.line)]

    def kill_at(self, out: Path, point: Point, *options: str) -> None:
        """Run the command and kill it when it enters a call."""
        call, number = point
        inject = f"inject={call}:signal=SIGKILL:when={number}"
        self.call(out, *options, strace=["-o", "/dev/null", "-e", f"trace={call}", "-e", inject])

    def check_nothing_is_half(self, out: Path) -> None:
        """Under its final name a file is as before or as after; or a record tells why it is not."""
        before = tree(self.start) if self.start else {}
        for name, data in tree(out).items():
            if name == LOCK_NAME or files.is_leftover(name.rpartition("/")[2]):
                continue
            if data not in (before.get(name), self.reference.get(name)):
                assert name.startswith("records/"), name
                assert json.loads(data)["failures"], name

    def check_resumes(self, out: Path, *options: str) -> None:
        """The same command finishes, repeats nothing that was finished, and leaves what it should."""
        kept = set(read_records(out / "records").results) - {"dataset"}
        done = self.call(out, "--json", *options)
        assert (done.returncode, done.stderr.count("Traceback")) == (0, 0), done.stderr
        if not self.start:
            assert set(json.loads(done.stdout)["skipped"]) == kept
        found = tree(out)
        assert found.keys() == self.reference.keys()
        assert [name for name, data in found.items() if data != self.reference[name]] == []


def stage(
    line: Sequence[str], start: Path | None, folder: Path, environment: dict[str, str], *, points: bool
) -> tuple[Stage, Path]:
    """Run a command undisturbed, once more to count its calls, and tell where it left its results."""
    made = Stage(list(line), start, environment, {}, [])
    out = made.folder(folder / "undisturbed")
    done = made.call(out)
    assert done.returncode == 0, done.stderr
    made.reference = tree(out)
    if points:
        traced = made.folder(folder / "traced")
        made.call(traced, strace=["-e", "trace=" + ",".join(CALLS), "-o", str(folder / "log")])
        assert tree(traced) == made.reference
        made.points = _points((folder / "log").read_text().splitlines())
    return made, out


def _points(log: Iterable[str]) -> list[Point]:
    """The calls of the main thread, which is the first to appear."""
    matches = [match for line in log if (match := re.match(r"(\d*)\s*(\w+)\(", line))]
    names = [match.group(2) for match in matches if match.group(1) == matches[0].group(1)]
    return [(name, names[: i + 1].count(name)) for i, name in enumerate(names) if name in CALLS]


@pytest.fixture(scope="session")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Compiled once for all these runs, whatever the environment says: it halves their time."""
    if not sys.dont_write_bytecode:
        return dict(os.environ)  # where every process keeps its bytecode; a new place would be filled first
    cache = tmp_path_factory.mktemp("compiled")
    return {**os.environ, "PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": str(cache)}


def both_levels(
    bids: Path, labels: Sequence[str], folder: Path, environment: dict[str, str], *, points: bool
) -> dict[str, Stage]:
    one = ["measure", str(bids), "{out}", "participant", "--participant-label", *labels]
    first, out = stage(one, None, folder / "participant", environment, points=points)
    line = ["measure", str(bids), "{out}", "group"]
    second, _ = stage(line, out, folder / "group", environment, points=points)
    return {"participant": first, "group": second}


@pytest.fixture(scope="module")
def one(
    tiny: Path, environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Stage]:
    """Both levels with one participant."""
    return both_levels(tiny, ["01"], tmp_path_factory.mktemp("one"), environment, points=False)


@pytest.fixture(scope="module")
def two(
    tiny: Path, environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Stage]:
    """Both levels with two participants, and the calls that they make."""
    folder = tmp_path_factory.mktemp("two")
    return both_levels(tiny, ["01", "02"], folder, environment, points=_strace_works())


@pytest.fixture(scope="module")
def again(
    tiny: Path, environment: dict[str, str], two: dict[str, Stage], tmp_path_factory: pytest.TempPathFactory
) -> Stage:
    """The participants are measured again, in another way, in the folder that holds them already."""
    folder = tmp_path_factory.mktemp("again")
    line = [*two["participant"].line, "--interpolation", "halfway"]
    start = two["group"].start
    assert start is not None
    return stage(line, start, folder, environment, points=_strace_works())[0]


def spread(points: list[Point], count: int) -> list[Point]:
    return [points[round((i + 0.5) * len(points) / count)] for i in range(count)]


def kill_and_resume(stage: Stage, points: Iterable[Point], folder: Path, *options: str) -> None:
    for call, number in points:
        out = stage.folder(folder / f"{call}-{number}")
        stage.kill_at(out, (call, number), *options)
        stage.check_nothing_is_half(out)
        stage.check_resumes(out, *options)
        shutil.rmtree(out)


@pytest.mark.parametrize(
    ("level", "seen"),
    [
        ("participant", "sub-01/ses-M06/anat/sub-01_ses-M06_MTRmap.nii.gz"),  # before the table
        # Measured, without its page.
        pytest.param("participant", "records/sub-01.json", marks=pytest.mark.slow),
        ("group", "measurements.parquet"),  # before the same as TSV
    ],
)
def test_killed_as_soon_as_a_file_is_there(
    one: dict[str, Stage], tmp_path: Path, level: str, seen: str
) -> None:
    stage = one[level]
    out = stage.folder(tmp_path)
    with subprocess.Popen(stage.arguments(out), stderr=subprocess.DEVNULL, env=stage.environment) as main:
        while not (out / seen).exists() and main.poll() is None:
            time.sleep(0.001)
        main.kill()
    assert main.returncode == -signal.SIGKILL
    assert tree(out).keys() != stage.reference.keys()
    stage.check_nothing_is_half(out)
    stage.check_resumes(out)


@needs_strace
@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize(("level", "count"), [("participant", 36), ("group", 14)])
def test_killed_at_50_points(two: dict[str, Stage], tmp_path: Path, level: str, count: int) -> None:
    points = spread(two[level].points, count)
    assert len(set(points)) == count
    kill_and_resume(two[level], points, tmp_path)


@needs_strace
@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_killed_at_12_points_with_2_workers(two: dict[str, Stage], tmp_path: Path) -> None:
    # Each process counts its own calls, so either the main process or a worker dies first.
    points = [("rename", n) for n in (1, 3, 6, 11)] + [("fsync", n) for n in (2, 9, 17, 25)]
    points += [("write", n) for n in (2, 7, 12, 20)]
    kill_and_resume(two["participant"], points, tmp_path, "--jobs", "2")


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("jobs", ["1", "2"])
def test_killed_at_8_random_times(two: dict[str, Stage], tmp_path: Path, jobs: str) -> None:
    rng = random.Random(2026)
    stage = two["participant"]
    started = time.monotonic()
    stage.call(tmp_path / "timed", "--jobs", jobs)
    lasts = time.monotonic() - started
    for i in range(8):
        out = stage.folder(tmp_path / str(i))
        command = [*stage.arguments(out), "--jobs", jobs]
        with subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=stage.environment
        ) as main:
            time.sleep(rng.uniform(0.1, 1.0) * lasts)
            main.send_signal(signal.SIGKILL)
        stage.check_nothing_is_half(out)
        stage.check_resumes(out, "--jobs", jobs)


@needs_strace
@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_killed_at_10_points_while_measuring_again(again: Stage, tmp_path: Path) -> None:
    fresh = tmp_path / "fresh"
    assert again.call(fresh).returncode == 0
    assert tree(fresh) == again.reference  # nothing of the earlier measurement is left
    kill_and_resume(again, spread(again.points, 10), tmp_path)


def starve(stage: Stage, point: Point, error: str, folder: Path, *, forever: bool = False) -> None:
    """A call fails: the command says so or has not needed it; afterwards it finishes."""
    call, number = point
    out = stage.folder(folder / f"{error}-{call}-{number}")
    inject = f"inject={call}:error={error}:when={number}{'+' if forever else ''}"
    done = stage.call(out, strace=["-o", "/dev/null", "-e", f"trace={call}", "-e", inject])
    assert "Traceback" not in done.stderr, (point, done.stderr)
    if done.returncode == 0:
        assert tree(out) == stage.reference, point
    if out.exists():
        stage.check_nothing_is_half(out)
    stage.check_resumes(out)
    shutil.rmtree(out)


@needs_strace
def test_a_disk_that_is_full_from_the_third_write_on(one: dict[str, Stage], tmp_path: Path) -> None:
    starve(one["participant"], ("write", 3), "ENOSPC", tmp_path, forever=True)


@needs_strace
@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("level", ["participant", "group"])
def test_a_full_disk_at_8_points(two: dict[str, Stage], tmp_path: Path, level: str) -> None:
    stage = two[level]
    wanted = [point for point in stage.points if point[0] in ("write", "pwrite64", "fsync", "mkdir")]
    for point in spread(wanted, 8):
        starve(stage, point, "ENOSPC", tmp_path)


@needs_strace
@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("level", ["participant", "group"])
def test_a_disk_that_stays_full(two: dict[str, Stage], tmp_path: Path, level: str) -> None:
    for number in (2, 5, 9):
        starve(two[level], ("write", number), "ENOSPC", tmp_path, forever=True)
