"""How many lesions a second the lineage follows, beside libRoadRunner and LSODA of SciPy.

    python benchmarks/biology/speed.py

Lesions of four scenarios, each with the draws of its posterior: 150 days, ten states on 151 days, one thread,
CPU time; engines take turns in one process. libRoadRunner (CVODE, LLVM) reads the
SBML that `biology.to_sbml` writes, once; rates are set and states reset for each lesion. LSODA gets the
compiled right-hand side. Compilation is not counted for any. Differences are from our own solver at a step of
0.005 day.
"""

from __future__ import annotations

import os

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ.setdefault(_name, "1")

import time  # noqa: E402
from collections.abc import Callable  # noqa: E402

import numpy as np  # noqa: E402
import roadrunner  # noqa: E402
from numba import njit  # noqa: E402
from numba.np.unsafe.ndarray import to_fixed_tuple  # noqa: E402
from scipy.integrate import odeint  # noqa: E402

from remyelin import biology  # noqa: E402
from remyelin.biology.course import drawn_parameters  # noqa: E402
from remyelin.biology.equations import (  # noqa: E402
    N_PARAMETERS,
    N_STATES,
    Parameters,
    State,
    colonised,
    receptive,
    supply,
    turnover,
)
from remyelin.biology.lineage import PARAMETERS, STATES, STEP_DAYS, advance  # noqa: E402

NAMES = ("rat-young", "rat-old", "rat-aged", "human")
DAYS, ROUNDS, FINE_DAYS, GOAL, BAR = 150, 9, 0.005, 5.0, 1e-5
# Lesions of a turn: the peers take every so many of ours.
EVERY = {"lineage": 1, "libRoadRunner": 8, "finer": 8, "LSODA": 16}
TOLERANCE, FINER = 1e-6, 1e-8
Engine = Callable[[np.ndarray, np.ndarray], np.ndarray]


@njit(error_model="numpy")
def right_hand_side(y, t, p):
    of, state = Parameters(*to_fixed_tuple(p, N_PARAMETERS)), State(*to_fixed_tuple(y, N_STATES))
    change = turnover(state, of, supply(of), colonised(t, of), receptive(t, of))
    out = np.empty(N_STATES)
    for i in range(N_STATES):
        out[i] = change[i]
    return out


def lineage(parameters: np.ndarray, start: np.ndarray) -> np.ndarray:
    return advance(parameters, start, days=DAYS)


def in_roadrunner(tolerance: float) -> Engine:
    roadrunner.Logger.setLevel(roadrunner.Logger.LOG_ERROR)
    model = roadrunner.RoadRunner(biology.to_sbml(biology.scenario(NAMES[0])))
    model.integrator.relative_tolerance = tolerance
    model.timeCourseSelections = list(STATES)
    known = list(model.model.getGlobalParameterIds())
    of_parameters = [known.index(name) for name in PARAMETERS]
    ids = list(model.model.getFloatingSpeciesIds())
    of_states = [ids.index(state) for state in STATES]

    def run(parameters: np.ndarray, start: np.ndarray) -> np.ndarray:
        out = np.empty((len(parameters), DAYS + 1, len(STATES)))
        for lesion, (values, state) in enumerate(zip(parameters, start, strict=True)):
            model.reset()
            model.model.setGlobalParameterValues(of_parameters, values)
            model.model.setFloatingSpeciesAmounts(of_states, state)
            out[lesion] = model.simulate(0, DAYS, DAYS + 1)
        return out

    return run


def in_lsoda(parameters: np.ndarray, start: np.ndarray) -> np.ndarray:
    times = np.arange(DAYS + 1.0)
    return np.array(
        [
            odeint(right_hand_side, state, times, args=(values,), rtol=1e-6, atol=1e-9)
            for values, state in zip(parameters, start, strict=True)
        ]
    )


def lesions() -> tuple[np.ndarray, np.ndarray]:
    scenarios = [biology.scenario(name) for name in NAMES]
    parameters = [drawn_parameters(each) for each in scenarios]
    start = [np.repeat([each.start()], len(p), axis=0) for each, p in zip(scenarios, parameters, strict=True)]
    order = np.random.default_rng(2026).permutation(sum(map(len, parameters)))
    return np.concatenate(parameters)[order], np.concatenate(start)[order]


def main() -> int:
    parameters, start = lesions()
    exact = advance(parameters, start, days=DAYS, step_days=FINE_DAYS)
    engines: dict[str, Engine] = {
        "lineage": lineage,
        "libRoadRunner": in_roadrunner(TOLERANCE),
        "finer": in_roadrunner(FINER),
        "LSODA": in_lsoda,
    }
    error = dict.fromkeys(engines, 0.0)
    speed: dict[str, list[float]] = {name: [] for name in engines}
    for turn in range(ROUNDS + 1):
        for name, engine in engines.items():
            mine = slice(None, None, EVERY[name])
            begun = time.process_time()
            found = engine(parameters[mine], start[mine])
            spent = time.process_time() - begun
            # The first turn compiles.
            if turn:
                speed[name].append(len(found) / spent)
            error[name] = max(error[name], float(np.abs(found - exact[mine]).max()))
    words = {
        "lineage": f"lineage, step {STEP_DAYS:g} d, eight abreast",
        "libRoadRunner": f"libRoadRunner {roadrunner.__version__}, tolerance {TOLERANCE:g} (its default)",
        "finer": f"libRoadRunner, tolerance {FINER:g}",
        "LSODA": "LSODA (SciPy), compiled right-hand side",
    }
    theirs = np.median(speed["libRoadRunner"])
    load = f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"
    print(f"{len(parameters)} lesions, {ROUNDS} turns each; {load}\n")
    print("| engine | lesions a second (median, range) | to libRoadRunner | largest difference of a state |")
    print("|---|---|---|---|")
    for name, rates in speed.items():
        spread = f"{np.median(rates):,.0f} ({min(rates):,.0f} to {max(rates):,.0f})"
        print(f"| {words[name]} | {spread} | {np.median(rates) / theirs:.1f} | {error[name]:.1e} |")
    ratio = np.median(np.array(speed["lineage"]) / np.array(speed["libRoadRunner"]))
    met = ratio >= GOAL and error["lineage"] <= BAR
    print(f"\nTurn by turn {ratio:.1f} times libRoadRunner (goal {GOAL:g}): {'met' if met else 'NOT met'}.")
    return 0 if met else 1


if __name__ == "__main__":
    raise SystemExit(main())
