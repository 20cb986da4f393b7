"""Type I error of estimating equations with few patients, by covariance and degrees of freedom.

    python benchmarks/statistics/few_clusters.py

10,000 trials without effect: lesions in patients (SD 0.35 pu between patients, 1.3 pu between lesions), equal
arms; the value itself (gaussian), or whether it is above 0.5 (binomial, about 36 %). Equal: 30 lesions in
each patient; unequal: 5 to 70. Two-sided at .05; the Monte Carlo standard error of .05 is .002. The same
trials for every row of a column.
"""

from __future__ import annotations

import argparse
from dataclasses import replace

import numpy as np
import pandas as pd
from scipy import stats

from remyelin.errors import InputError
from remyelin.trial.design import build
from remyelin.trial.equations.fit import solve
from remyelin.trial.equations.moments import Clusters
from remyelin.trial.equations.sandwich import sandwich

SEED = 2026
WAYS = (
    ("robust", "z"),
    ("robust", "t"),
    ("cr1s", "t"),
    ("fay-graubard", "t"),
    ("kauermann-carroll", "t"),
    ("kauermann-carroll", "satterthwaite"),
    ("mancl-derouen", "t"),
    ("mancl-derouen", "satterthwaite"),
)
COLUMNS = (
    ("gaussian", 10, "equal"),
    ("gaussian", 20, "equal"),
    ("gaussian", 20, "unequal"),
    ("gaussian", 40, "unequal"),
    ("binomial", 20, "unequal"),
    ("binomial", 40, "unequal"),
)


def rejected(family: str, patients: int, sizes: str, trials: int) -> tuple[np.ndarray, int]:
    """(way,) share of trials rejected, and how many had no answer."""
    rng = np.random.default_rng([SEED, patients, len(sizes), len(family)])
    n = np.resize([30] if sizes == "equal" else [5, 5, 10, 10, 20, 60, 60, 70], patients)
    codes = np.repeat(np.arange(patients), n)
    frame = pd.DataFrame({"arm": np.array(["a", "b"])[codes % 2], "y": 0.0})
    frame.loc[0, "y"] = 1.0
    design = build("y ~ arm", frame, "arm")
    clusters = Clusters(codes, n.astype(float), tuple(str(k) for k in range(patients)))
    known, contrast = np.zeros(len(codes)), np.array([[0.0, 1.0]])
    counts, without = np.zeros(len(WAYS)), 0
    for _ in range(trials):
        y = 0.35 * rng.normal(size=patients)[codes] + 1.3 * rng.normal(size=len(codes))
        drawn = replace(design, y=(y > 0.5).astype(float) if family == "binomial" else y)
        try:
            model, beta = solve(drawn, clusters, known, family, "exchangeable")
            found = [sandwich(drawn.X, drawn.y, model, kind) for kind, _ in WAYS]
        except InputError:
            without += 1
            continue
        for k, ((_, how), parts) in enumerate(zip(WAYS, found, strict=True)):
            df = {"z": np.inf, "t": patients - 2}.get(how)
            df = float(parts.satterthwaite(contrast)[0]) if df is None else df
            counts[k] += 2 * stats.t.sf(abs(beta[1]) / np.sqrt(parts.vcov[1, 1]), df) < 0.05
    return counts / (trials - without), without


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=10_000)
    trials = parser.parse_args().trials
    columns, heads = [], []
    for family, patients, sizes in COLUMNS:
        share, without = rejected(family, patients, sizes, trials)
        columns.append(share)
        lost = f", {without} without answer" if without else ""
        heads.append(f"{family}, {patients} patients, {sizes}{lost}")
    print("| covariance, reference | " + " | ".join(heads) + " |\n|---|" + "---|" * len(heads))
    for k, (kind, how) in enumerate(WAYS):
        print(f"| {kind}, {how} | " + " | ".join(f"{column[k]:.4f}" for column in columns) + " |")


if __name__ == "__main__":
    main()
