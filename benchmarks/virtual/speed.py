"""How long virtual trials take: drawn, measured, and analysed by their protocol's own estimators.

    python benchmarks/virtual/speed.py

CCMR Two 10,000 times with 2 processes (goal: 60 s); each other packaged protocol some times with one.
"""

from __future__ import annotations

import os
import resource
import time

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")

import numpy as np  # noqa: E402

from remyelin.protocol import Protocol  # noqa: E402
from remyelin.virtual.premises import Premises  # noqa: E402
from remyelin.virtual.repeated import run_trials  # noqa: E402
from remyelin.virtual.response import Response  # noqa: E402

SEED = 2026
MANY, JOBS = 10_000, 2
TRIALS = {"ccmr-two": 2000, "rebuild": 30, "renew": 40, "ccmr-one": 200, "gsk239512": 100, "demo": 200}


def cpu() -> float:
    """CPU seconds of this process and of those that it has waited for."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)


def run(name: str, n: int, jobs: int = 1) -> tuple[float, float]:
    """CPU and wall-clock seconds of `n` trials."""
    start, clock = cpu(), time.perf_counter()
    run_trials(
        Protocol.read(name), n, rng=np.random.default_rng(SEED), premises=Premises.read("trial"),
        response=Response.constant(latency_ms=-1.2, mtr_pu=0.2), workers=jobs,
    )  # fmt: skip
    return cpu() - start, time.perf_counter() - clock


def main() -> None:
    run("ccmr-two", 1)  # imports
    spent, clock = run("ccmr-two", MANY, JOBS)
    words = f"CCMR Two, {MANY:,} trials, {JOBS} processes: {spent:.0f} CPU s"
    print(f"{words}; {clock:.0f} s by the clock at a load of {os.getloadavg()[0]:.1f}\n")
    print("| protocol | participants | endpoints | trials | CPU s per 1,000 trials |")
    print("| --- | --- | --- | --- | --- |")
    for name in Protocol.packaged():
        protocol, n = Protocol.read(name), TRIALS.get(name, 500)
        spent, _ = run(name, n)
        estimators = ", ".join(f"{each.id} ({each.estimator})" for each in protocol.endpoint)
        people = sum(arm.n for arm in protocol.arm)
        print(f"| {name} | {people} | {estimators} | {n:,} | {1000 * spent / n:.2g} |", flush=True)


if __name__ == "__main__":
    main()
