"""Where jobs run on this computer: in this process or in worker processes."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing import connection, get_context, parent_process
from pathlib import Path
from typing import Any

from .jobs import Attempt, Failure, Job, attempt, failed

Function = Callable[[Any], Mapping[str, Any]]
_START_S = 120.0  # for a new process to load its libraries; a job's own time begins after that


def in_this_process(function: Function, jobs: Sequence[Job], out: Path) -> Generator[tuple[Job, Attempt]]:
    """One job after the other, here."""
    for job in jobs:
        yield job, attempt(function, job, out)


def in_processes(
    function: Function, jobs: Sequence[Job], out: Path, workers: int, timeout_s: float | None
) -> Generator[tuple[Job, Attempt]]:
    """Jobs in `workers` new processes.

    A process that dies (killed for memory, say) costs its job the first of two tries, then the job fails; a
    process that is at a job for longer than `timeout_s` is killed and the job fails.
    """
    waiting = deque(_Task(job) for job in jobs)
    idle: list[_Worker] = []
    busy: list[_Worker] = []
    try:
        while waiting or busy:
            while waiting and len(busy) < workers:
                busy.append(idle.pop() if idle else _Worker(function, out))
                busy[-1].give(waiting.popleft(), timeout_s)
            _wait(busy)
            for worker in list(busy):
                if (ended := worker.poll(timeout_s)) is None:
                    continue
                busy.remove(worker)
                if worker.alive:
                    idle.append(worker)
                if ended.failure and ended.failure.field == "worker" and worker.task.tries_left:
                    waiting.appendleft(worker.task)
                else:
                    yield worker.task.job, ended
    finally:
        for worker in idle:
            worker.dismiss()
        for worker in busy:
            worker.kill()


@dataclass
class _Task:
    job: Job
    tries_left: int = 2
    written: list[str] = field(default_factory=list)

    def lost(self, failure: Failure) -> Attempt:
        return Attempt(outputs=dict.fromkeys(self.written, ""), failure=failure)


class _Worker:
    """A process, our end of the pipe to it, and the task that it is at."""

    def __init__(self, function: Function, out: Path) -> None:
        context = get_context("spawn")
        self.pipe, theirs = context.Pipe()
        self._process = context.Process(target=_work, args=(theirs, function, out), daemon=True)
        self._process.start()
        theirs.close()  # so that the end of the process is the end of the pipe
        self.alive = True
        self.deadline = float("inf")
        self.task: _Task

    def give(self, task: _Task, timeout_s: float | None) -> None:
        """Hand over a task; what comes of it is seen by `poll`."""
        task.tries_left -= 1
        self.task, self._early = task, None
        self.deadline = time.monotonic() + timeout_s + _START_S if timeout_s else float("inf")
        try:
            self.pipe.send(task.job)
        except OSError:  # it has died; `poll` will find the pipe at its end
            self.deadline = 0.0
        except Exception as error:  # a payload that cannot be sent
            self._early = failed(task.job.id, [], error)
            self.deadline = 0.0

    def poll(self, timeout_s: float | None) -> Attempt | None:
        """The attempt, if it has ended in whatever way."""
        if self._early:
            return self._early
        try:
            while self.pipe.poll():
                message = self.pipe.recv()
                if isinstance(message, Attempt):
                    return message
                if isinstance(message, str):
                    self.task.written.append(message)
                elif timeout_s:
                    self.deadline = time.monotonic() + timeout_s
        except (EOFError, OSError):
            self.kill()
            return self.task.lost(_death(self.task.job.id, self._process.exitcode))
        if time.monotonic() < self.deadline:
            return None
        self.kill()
        fix = "allow more time, or look for what is unusual about this item"
        return self.task.lost(Failure(self.task.job.id, "", "time", f"over {timeout_s:g} s", "less", fix))

    def kill(self) -> None:
        self.alive = False
        self._process.kill()
        self._process.join()
        self.pipe.close()

    def dismiss(self) -> None:
        with suppress(OSError):
            self.pipe.send(None)
            self._process.join(5.0)
        self.kill()


def _wait(busy: Sequence[_Worker]) -> None:
    seconds = min(worker.deadline for worker in busy) - time.monotonic()
    connection.wait([worker.pipe for worker in busy], min(max(seconds, 0.0), 3600.0))


def _death(job_id: str, exit_code: int | None) -> Failure:
    how = signal.Signals(-exit_code).name if exit_code and exit_code < 0 else f"exit code {exit_code}"
    fix = "use fewer workers or a computer with more memory: SIGKILL mostly means that the memory was used up"
    return Failure(job_id, "", "worker", f"ended twice by {how}", "alive until the item is finished", fix)


def _work(pipe: connection.Connection, function: Function, out: Path) -> None:
    """A worker process: take a job, tell that it starts, tell each output, give the attempt back."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent hears Ctrl-C and ends us
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        while (job := pipe.recv()) is not None:
            pipe.send(True)
            pipe.send(attempt(function, job, out, pipe.send))
    except (EOFError, OSError):
        return  # the parent is gone


def _end_with_parent() -> None:
    # A worker that outlived a killed run would still write while the next run is at work.
    if parent := parent_process():
        parent.join()
    os._exit(1)
