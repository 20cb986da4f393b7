"""Minimisation: type I error of t tests and of the re-randomisation test, and what the replay costs.

    python benchmarks/statistics/rerandomisation.py            # 10,000 null trials a row, minutes

52 participants, minimised by 4 binary factors as in CCMR One (its probability was not seen: 0.8 is assumed).
The outcome depends on the factors. The band, stated before the runs: .05 and 3.29 Monte Carlo standard
errors to each side, .0428 to .0572. Seeds are fixed; 199 allocations a trial, which makes the test exact
at .05.
"""

from __future__ import annotations

import argparse
import os
import time

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")

import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402
from scipy import stats  # noqa: E402

from remyelin.trial.procedures import Minimisation  # noqa: E402
from remyelin.trial.replay import Replay  # noqa: E402
from remyelin.trial.rerandomisation import rerandomise  # noqa: E402

SEED, N, REPLICATES = 2026, 52, 199
FACTORS = ("f1", "f2", "f3", "f4")
SCENARIOS: dict[str, dict[str, float | str]] = {
    "probability 0.8": {"probability": 0.8},
    "probability 0.95": {"probability": 0.95},
    "probability 0.8, exponential outcome": {"probability": 0.8, "shape": "exponential"},
    "probability 0.8, outcome drifts by 2 SD over the recruitment": {"probability": 0.8, "trend": 2.0},
    "probability 0.8, SD 3 in one class of a factor": {"probability": 0.8, "shape": "unequal"},
}


def outcomes(rng: np.random.Generator, levels: np.ndarray, shape: str, trend: float) -> np.ndarray:
    noise = rng.exponential(size=N) - 1 if shape == "exponential" else rng.normal(size=N)
    if shape == "unequal":
        noise = noise * np.where(levels[:, 0] == 1, 3.0, 1.0)
    return noise + levels @ np.array([1.0, 0.8, 0.6, 0.4]) + trend * np.linspace(0, 1, N)


def test(
    y: np.ndarray, covariates: np.ndarray, drawn: np.ndarray, people: pd.DataFrame
) -> tuple[float, float]:
    """P of the t test, and of the re-randomisation test; the first allocation is the one observed."""
    q = np.linalg.qr(covariates)[0]
    left = y - q @ (q.T @ y)
    replay = Replay(people, ["arm"], drawn[0], left, np.ones(N), q, float(left @ left), N)
    t = np.abs(replay.refit(drawn).t[:, 0])
    p = (1 + np.sum(t[1:] >= t[0] * (1 - 1e-9))) / len(t)
    return float(2 * stats.t.sf(t[0], N - covariates.shape[1] - 1)), float(p)


def rejected(name: str, trials: int, effect: float = 0.0) -> np.ndarray:
    """Share rejected: t test and re-randomisation without covariates, then the same with the factors."""
    about = dict(SCENARIOS[name])
    procedure = Minimisation(FACTORS, float(about["probability"]))
    rng = np.random.default_rng([SEED, list(SCENARIOS).index(name)])
    found = []
    for _ in range(trials):
        levels = (rng.uniform(size=(N, 4)) < (0.5, 0.3, 0.5, 0.2)).astype(int)
        people = pd.DataFrame(levels, columns=list(FACTORS))
        drawn = procedure.allocate(people, 2, rng, REPLICATES + 1)
        y = outcomes(rng, levels, str(about.get("shape", "")), float(about.get("trend", 0.0)))
        y = y + effect * drawn[0]
        one = np.ones((N, 1))
        kept = levels[:, levels.std(axis=0) > 0]
        found.append((*test(y, one, drawn, people), *test(y, np.hstack([one, kept]), drawn, people)))
    return np.mean(np.array(found) <= 0.05, axis=0)


def cost() -> None:
    rng = np.random.default_rng(SEED)
    people = pd.DataFrame(rng.integers(0, 2, (N, 4)), columns=list(FACTORS))
    people["participant_id"] = [f"sub-{k:02d}" for k in range(N)]
    procedure = Minimisation(FACTORS, 0.8)
    people["arm"] = np.where(procedure.allocate(people, 2, rng, 1)[0] == 1, "drug", "placebo")
    lesions = people.loc[np.repeat(people.index, 31)].reset_index(drop=True)
    for rows, data in (("52 participants", people), (f"{len(lesions):,} lesions of 52", lesions)):
        data = data.assign(change=rng.normal(size=len(data)))
        formula = "change ~ arm + f1 + f2 + f3 + f4"
        run = {"participant": "participant_id", "reference": "placebo", "rng": 1}
        rerandomise(formula, data, procedure, replicates=99, **run)
        start = time.perf_counter()
        found = rerandomise(formula, data, procedure, replicates=10_000, **run)
        seconds = time.perf_counter() - start
        print(f"{rows}: 10,000 allocations in {seconds:.2f} s; p {found.table['p'].iloc[0]:.4f}")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--trials", type=int, default=10_000)
    trials = parser.parse_args().trials
    half = 3.29 * np.sqrt(0.05 * 0.95 / trials)
    print(f"Type I error, {trials:,} null trials a row; band {0.05 - half:.4f} to {0.05 + half:.4f}\n")
    print("| scenario | t test | re-randomised | ANCOVA with the factors | re-randomised ANCOVA |")
    print("|---|---|---|---|---|", flush=True)
    for name in SCENARIOS:
        cells = [
            f"{rate:.4f}" + ("" if abs(rate - 0.05) <= half else " *") for rate in rejected(name, trials)
        ]
        print(f"| {name} | {' | '.join(cells)} |", flush=True)
    for effect in (0.5, 1.0):
        power = [f"{rate:.3f}" for rate in rejected("probability 0.8", max(trials // 5, 100), effect)]
        print(f"| power, probability 0.8, effect {effect:g} SD | {' | '.join(power)} |", flush=True)
    print("\n\\* outside the band\n")
    cost()


if __name__ == "__main__":
    main()
