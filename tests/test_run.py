"""Jobs: resume, failures that stay alone, the lock, time limits, the same bytes everywhere."""

from __future__ import annotations

import json
import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from remyelin import files
from remyelin.errors import InputError, RefuseRun
from remyelin.run import Job, Outcome, map_jobs, one_thread, output_lock, read_records
from remyelin.run.lock import LOCK_NAME

from .run_program import command, tree


def run_program(
    *args: Any, env: dict[str, str] | None = None, **options: Any
) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        command(*args, **options), capture_output=True, text=True, timeout=120, env=os.environ | (env or {})
    )
    assert "Traceback" not in done.stderr
    return done


def wait_for(path: Path, seconds: float = 20.0) -> str:
    end = time.monotonic() + seconds
    while not (path.exists() and path.read_text()):
        assert time.monotonic() < end, f"{path} did not come"
        time.sleep(0.02)
    return path.read_text()


@dataclass
class Worker:
    """A function with a memory of what it was called with; serial only."""

    out: Path
    calls: list[str]

    def __call__(self, payload: Any) -> dict[str, Any]:
        name, act = payload
        self.calls.append(name)
        files.atomic_write(self.out / name / "map", name.encode())
        extra = act() if act else None
        files.atomic_write(self.out / name / "table", name.encode() * 2)
        return {"name": name, "pair": (1, 2), "extra": extra}


@pytest.fixture
def worker(tmp_path: Path) -> Worker:
    return Worker(tmp_path / "out", [])


def run(worker: Worker, names: str = "abc", keys: str = "kkk", **acts: Callable[[], Any]) -> Outcome:
    jobs = [Job(n, k, (n, acts.get(n))) for n, k in zip(names, keys, strict=True)]
    return map_jobs(worker, jobs, record=worker.out / ".records", progress=False)


def raising(error: BaseException) -> Callable[[], Any]:
    def act() -> None:
        raise error

    return act


# ---- resume


def test_what_is_finished_is_skipped_and_gives_the_same_outcome(worker: Worker) -> None:
    first, second = run(worker), run(worker)
    assert worker.calls == ["a", "b", "c"]
    assert first.results == second.results
    assert first.results["a"]["pair"] == [1, 2]  # as JSON has it, also at first
    assert (first.skipped, second.skipped) == ((), ("a", "b", "c"))


def test_skipping_is_said(worker: Worker, capsys: pytest.CaptureFixture[str]) -> None:
    run(worker)
    jobs = [Job(n, "k", (n, None)) for n in "abc"]
    map_jobs(worker, jobs, record=worker.out / ".records")
    assert capsys.readouterr().err == "[3 of 3] skipped 3 finished\n"


def test_another_key_is_done_again(worker: Worker) -> None:
    run(worker)
    assert run(worker, keys="kKk").skipped == ("a", "c")
    assert worker.calls == ["a", "b", "c", "b"]


SPOILS = {
    "output gone": lambda out: (out / "b" / "map").unlink(),
    "output changed": lambda out: (out / "b" / "map").write_bytes(b"B"),
    "output cut": lambda out: (out / "b" / "table").write_bytes(b"b"),
    "record gone": lambda out: (out / ".records" / "b.json").unlink(),
    "record cut": lambda out: (out / ".records" / "b.json").write_bytes(b'{"key": "k"'),
    "record of zeros": lambda out: (out / ".records" / "b.json").write_bytes(bytes(200)),
    "record of other shape": lambda out: (out / ".records" / "b.json").write_text('{"key": "k"}'),
}


@pytest.mark.parametrize("spoil", SPOILS)
def test_what_is_spoilt_is_done_again(worker: Worker, spoil: str) -> None:
    run(worker)
    before = tree(worker.out)
    SPOILS[spoil](worker.out)
    assert run(worker).skipped == ("a", "c")
    assert tree(worker.out) == before


def test_any_changed_byte_of_a_record_is_noticed(worker: Worker) -> None:
    run(worker, "b", "k")
    path = worker.out / ".records" / "b.json"
    record = path.read_bytes()
    for place in range(0, len(record), 7):
        bad = bytearray(record)
        bad[place] ^= 1
        path.write_bytes(bytes(bad))
        assert "b" not in read_records(path.parent).results or json.loads(bad) == json.loads(record)
    path.write_bytes(record)
    assert read_records(path.parent).results["b"]["name"] == "b"


def test_a_moved_folder_is_still_finished(worker: Worker, tmp_path: Path) -> None:
    run(worker)
    worker.out.rename(tmp_path / "moved")
    worker.out = tmp_path / "moved"
    assert run(worker).skipped == ("a", "b", "c")


def test_outputs_that_are_no_longer_made_go(worker: Worker) -> None:
    run(worker, b=lambda: files.atomic_write(worker.out / "b" / "more", b"x"))
    assert (worker.out / "b" / "more").exists()
    run(worker, keys="kKk")
    assert not (worker.out / "b" / "more").exists()


def test_records_hold_no_time_and_no_place(worker: Worker, tmp_path: Path) -> None:
    run(worker)
    text = (worker.out / ".records" / "a.json").read_text()
    assert str(tmp_path) not in text
    assert sorted(json.loads(text)) == ["failures", "key", "outputs", "result", "sha256"]


# ---- failures


def test_a_failure_has_five_facts_and_the_others_go_on(worker: Worker) -> None:
    error = InputError("b/scan.nii", "size", "0", "more", "copy it")
    outcome = run(worker, b=raising(error))
    assert list(outcome.results) == ["a", "c"]
    assert [f.facts() for f in outcome.failures] == [{"id": "b"} | error.facts()]


FAILURES = {
    "program": (ZeroDivisionError("one\ntwo"), "stopped by ZeroDivisionError: one"),
    "memory": (MemoryError(), "used up"),
    "disk": (OSError(28, "No space left on device"), "No space left on device"),
}


@pytest.mark.parametrize("field", FAILURES)
def test_other_errors_become_one_line(
    worker: Worker, field: str, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    error, found = FAILURES[field]
    with caplog.at_level(logging.DEBUG, "remyelin.run"):
        outcome = run(worker, b=raising(error))
    (failure,) = outcome.failures
    assert (failure.id, failure.field) == ("b", field)
    assert found in failure.found
    assert "\n" not in str(failure)
    assert "Traceback" in caplog.text  # for --debug
    assert capsys.readouterr() == ("", "")


def test_a_failed_job_leaves_no_outputs_and_is_tried_again(worker: Worker) -> None:
    run(worker)
    outcome = run(worker, keys="kKk", b=raising(InputError("b", "x", "y", "z", "w")))
    assert outcome.skipped == ("a", "c")
    assert not [name for name in tree(worker.out) if name.startswith("b/")]
    assert run(worker, keys="kKk").results["b"]["name"] == "b"


def test_a_result_that_json_cannot_hold_is_a_failure(worker: Worker) -> None:
    (failure,) = run(worker, b=lambda: {1, 2}).failures
    assert "not JSON serializable" in failure.found


def test_an_output_outside_the_folder_is_a_failure(worker: Worker) -> None:
    outcome = run(worker, b=lambda: files.atomic_write(worker.out.parent / "elsewhere", b""))
    assert [f.id for f in outcome.failures] == ["b"]
    assert not (worker.out.parent / "elsewhere").exists()


def test_a_refusal_stops_the_run(worker: Worker) -> None:
    with pytest.raises(RefuseRun, match="arm"):
        run(worker, b=raising(RefuseRun("participants.tsv", "arm", "there", "absent", "seal it")))
    assert worker.calls == ["a", "b"]
    assert not (worker.out / LOCK_NAME).exists()


def test_read_records_gathers_what_several_runs_did(worker: Worker) -> None:
    run(worker, "cb", "kk", b=raising(InputError("b", "x", "y", "z", "w")))
    run(worker, "a", "k")
    outcome = read_records(worker.out / ".records")
    assert list(outcome.results) == ["a", "c"]
    assert [f.id for f in outcome.failures] == ["b"]


@pytest.mark.parametrize("ids", [["../a"], ["a/b"], [""], [".a"], ["a", "a"], ["a", "A"]])
def test_ids_that_cannot_name_a_record_are_refused(worker: Worker, ids: list[str]) -> None:
    with pytest.raises(InputError, match="job id"):
        map_jobs(worker, [Job(i, "k", (i, None)) for i in ids], record=worker.out / ".records")
    assert worker.calls == []


def test_no_jobs_no_trouble(worker: Worker) -> None:
    assert run(worker, "", "") == Outcome({})


@pytest.mark.parametrize(("where", "says"), [("processes", "workers"), ("dask", "timeout_s")])
def test_wrong_arguments_are_named(worker: Worker, where: Any, says: str) -> None:
    given = {"workers": 0} if where == "processes" else {"timeout_s": 1.0}
    with pytest.raises(InputError, match=says):
        map_jobs(worker, [], record=worker.out / ".records", where=where, **given)


def test_dask_that_is_not_installed_is_said(worker: Worker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("remyelin.run.mapping.find_spec", lambda name: None)
    with pytest.raises(InputError, match=r"not installed.*remyelin\[cluster\]"):
        map_jobs(worker, [], record=worker.out / ".records", where="dask")


def test_a_folder_that_cannot_be_written_to_is_refused(tmp_path: Path, worker: Worker) -> None:
    (tmp_path / "out").write_text("a file")
    with pytest.raises(RefuseRun, match="output folder is not writable"):
        run(worker)


def test_libraries_are_asked_for_one_thread_and_then_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "8")
    monkeypatch.delenv("OPENBLAS_NUM_THREADS", raising=False)
    with one_thread():
        assert os.environ["OMP_NUM_THREADS"] == os.environ["OPENBLAS_NUM_THREADS"] == "1"
    assert os.environ["OMP_NUM_THREADS"] == "8"
    assert "OPENBLAS_NUM_THREADS" not in os.environ


# ---- the lock


def test_a_second_run_refuses_and_names_the_first(tmp_path: Path) -> None:
    out = tmp_path / "out"
    with subprocess.Popen(command(out, n=1, sub_01="sleep"), stderr=subprocess.DEVNULL) as first:
        try:
            wait_for(out / LOCK_NAME)
            second = run_program(out, n=1)
            assert second.returncode == 1
            assert f"in use by process {first.pid} on" in second.stderr
            assert first.poll() is None
        finally:
            first.kill()
    third = run_program(out, n=1)
    assert third.returncode == 0
    assert not (out / LOCK_NAME).exists()


@pytest.mark.parametrize(
    "content",
    ["999999 gone\n", f"{os.getpid()} another-container\n", "pid 1 host\n", ""],
    ids=["gone", "own-number-elsewhere", "no-number", "empty"],
)
def test_the_lock_of_a_process_that_is_gone_is_taken_over(tmp_path: Path, content: str) -> None:
    (tmp_path / LOCK_NAME).write_text(content)
    with output_lock(tmp_path):
        assert (tmp_path / LOCK_NAME).read_text().split()[0] == str(os.getpid())
        with output_lock(tmp_path):
            pass
        assert (tmp_path / LOCK_NAME).exists()
    assert not (tmp_path / LOCK_NAME).exists()


@pytest.mark.parametrize(("pid", "free"), [(999999, True), (1, False)])
def test_without_kernel_locks_the_number_decides(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pid: int, free: bool
) -> None:
    def no_locks(*_: object) -> None:
        raise OSError(37, "No locks available")

    monkeypatch.setattr("remyelin.run.lock.fcntl.flock", no_locks)
    (tmp_path / LOCK_NAME).write_text(f"{pid} {os.uname().nodename}\n")
    if free:
        with output_lock(tmp_path):
            pass
    else:
        with pytest.raises(RefuseRun, match="process 1 on"), output_lock(tmp_path):
            pass


COUNT = """
import sys, time
from pathlib import Path
from remyelin.errors import RefuseRun
from remyelin.run import output_lock
folder, done = Path(sys.argv[1]), 0
while done < 40:
    try:
        with output_lock(folder / "out"):
            value = int((folder / "count").read_text())
            time.sleep(0.0005)
            (folder / "count").write_text(str(value + 1))
            done += 1
    except RefuseRun:
        pass
"""


def test_never_two_in_one_folder(tmp_path: Path) -> None:
    (tmp_path / "count").write_text("0")
    crowd = [subprocess.Popen([sys.executable, "-c", COUNT, str(tmp_path)]) for _ in range(3)]
    assert [p.wait(60) for p in crowd] == [0, 0, 0]
    assert (tmp_path / "count").read_text() == "120"


# ---- processes


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    out = tmp_path_factory.mktemp("reference") / "out"
    assert run_program(out, all="multiply").returncode == 0
    return tree(out)


VARIANTS = {
    "1 worker": ("processes", 1, {}, {}),
    "2 workers": ("processes", 2, {}, {"OMP_NUM_THREADS": "2", "OPENBLAS_NUM_THREADS": "2"}),
    "backward": ("processes", 2, {"order": "backward"}, {}),
    "far away": ("serial", 1, {}, {"TZ": "Pacific/Kiritimati", "LC_ALL": "C", "PYTHONHASHSEED": "7"}),
}


@pytest.mark.parametrize("variant", VARIANTS)
def test_the_same_bytes_everywhere(tmp_path: Path, reference: dict[str, bytes], variant: str) -> None:
    where, workers, options, env = VARIANTS[variant]
    out = tmp_path / "a longer path, with ümlauts" / "out"
    assert run_program(out, where, workers, all="multiply", env=env, **options).returncode == 0
    assert tree(out) == reference


@pytest.mark.slow
def test_the_same_bytes_on_dask(tmp_path: Path, reference: dict[str, bytes]) -> None:
    pytest.importorskip("distributed")
    assert run_program(tmp_path / "out", "dask", 2, all="multiply").returncode == 0
    assert tree(tmp_path / "out") == reference


def test_everything_that_can_happen_to_a_worker(tmp_path: Path) -> None:
    out = tmp_path / "out"
    bad = {"sub_02": "die", "sub_03": "sleep", "sub_04": "bad_input", "sub_05": "die_once", "sub_06": "bug"}
    done = run_program(out, "processes", 2, n=7, timeout_s=2, **bad)
    assert done.returncode == 1
    failures = {f["id"]: (f["field"], f["found"]) for f in json.loads(done.stdout)["failures"]}
    assert failures == {
        "sub-02": ("worker", "ended twice by SIGKILL"),
        "sub-03": ("time", "over 2 s"),
        "sub-04": ("size", "0"),
        "sub-06": ("program", "stopped by KeyError: 'gone'"),
    }
    whole = {"sub-01", "sub-05", "sub-07"}
    assert {name.split("/")[0] for name in tree(out) if name.startswith("sub-")} == whole
    again = run_program(out, "processes", 2, n=7)
    assert json.loads(again.stdout) == {"skipped": sorted(whole), "failures": []}
    run_program(tmp_path / "clean", n=7)
    assert tree(out) == tree(tmp_path / "clean")


def test_a_refusal_in_a_worker_stops_the_run(tmp_path: Path) -> None:
    done = run_program(tmp_path / "out", "processes", 2, n=3, sub_01="refuse", sub_02="sleep")
    assert (done.returncode, done.stdout) == (1, "")
    assert "participants.tsv: arm is there, expected absent" in done.stderr
    assert not (tmp_path / "out" / LOCK_NAME).exists()


def test_a_time_limit_holds_without_asking_for_processes(tmp_path: Path) -> None:
    done = run_program(tmp_path / "out", "serial", 1, n=2, sub_01="sleep", timeout_s=1)
    assert [f["field"] for f in json.loads(done.stdout)["failures"]] == ["time"]


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_no_worker_outlives_the_run(tmp_path: Path, number: signal.Signals) -> None:
    out = tmp_path / "out"
    args = command(out, "processes", 2, n=2, all="sleep")
    with subprocess.Popen(args, stderr=subprocess.PIPE, text=True) as main:
        pids = [int(wait_for(tmp_path / f"pid-sub-0{i}")) for i in (1, 2)]
        main.send_signal(number)
        main.communicate(timeout=20)
    assert main.returncode == -number
    end = time.monotonic() + 5
    while any(Path(f"/proc/{pid}/comm").exists() for pid in pids) and time.monotonic() < end:
        time.sleep(0.02)
    assert not [pid for pid in pids if Path(f"/proc/{pid}/comm").exists()]
    assert run_program(out, "processes", 2, n=2).returncode == 0
    assert not (out / LOCK_NAME).exists()


def test_a_payload_that_cannot_travel_is_a_failure_of_its_job_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(Path(__file__).parent))  # a new process must be able to import it by name
    program = import_module("run_program")

    good = {"out": str(tmp_path / "out"), "id": "b", "behaviour": "good"}
    jobs = [Job("a", "k", lambda: None), Job("b", "k", good)]
    outcome = map_jobs(
        program.work, jobs, record=tmp_path / "out" / ".records", where="processes", progress=False
    )
    assert list(outcome.results) == ["b"]
    assert [(f.id, f.field) for f in outcome.failures] == [("a", "program")]


def test_a_bar_on_a_terminal(tmp_path: Path) -> None:
    import pty

    ours, theirs = pty.openpty()
    with subprocess.Popen(command(tmp_path / "out", n=2), stdout=subprocess.DEVNULL, stderr=theirs) as main:
        os.close(theirs)
        shown = b""
        while True:
            try:
                shown += os.read(ours, 4096)
            except OSError:
                break
    os.close(ours)
    assert main.returncode == 0
    assert b"sub-01 done" in shown
    assert "━".encode() in shown
