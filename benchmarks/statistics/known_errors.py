"""ANCOVA when each value has its own standard error: what `se=` buys, and whether it keeps the level.

    python benchmarks/statistics/known_errors.py

10,000 trials a row, without effect. A participant's true change has SD 1; the standard errors are lognormal
with median 1 and the spread (SD of the logarithm) of the row; `se x 2`: the errors given are twice the true
ones. `size`: rejections at .05 (Monte Carlo standard error .002). `participants needed`: variance of the
estimate with `se=` over that of plain ANCOVA, which is the share of participants that gives the same power.
`zero`: trials with sigma^2 at its boundary.
"""

from __future__ import annotations

import argparse

import numpy as np
from scipy import stats

from remyelin.trial.precise import fit_precise
from remyelin.trial.squares import least_squares

SEED = 2026
ROWS = (
    (20, 0.0, 1.0),
    (20, 0.5, 1.0),
    (20, 1.0, 1.0),
    (60, 0.5, 1.0),
    (60, 1.0, 1.0),
    (60, 1.0, 2.0),
    (60, 1.0, 0.5),
)


def row(n: int, spread: float, factor: float, trials: int) -> str:
    rng = np.random.default_rng([SEED, n, int(10 * spread), int(10 * factor)])
    contrast = np.array([[0.0, 1.0, 0.0]])
    estimates, rejected, zero = [], np.zeros(2), 0
    for _ in range(trials):
        X = np.column_stack([np.ones(n), np.arange(n) % 2, rng.normal(size=n)])
        se = np.exp(spread * rng.normal(size=n))
        y = rng.normal(size=n) * np.hypot(1.0, se)
        known = fit_precise(X, y, (factor * se) ** 2)
        plain = least_squares(X, y, np.ones(n), "classical")
        zero += known.variance == 0
        estimates.append((plain.beta[1], known.beta[1]))
        for k, (fit, df) in enumerate(((plain, n - 3), (known, known.freedom(contrast)[0]))):
            rejected[k] += 2 * stats.t.sf(abs(fit.beta[1]) / np.sqrt(fit.vcov[1, 1]), df) < 0.05
    variance = np.var(estimates, axis=0)
    size, told = rejected / trials, "true" if factor == 1 else f"se x {factor:g}"
    return (
        f"| {n} | {spread:g} | {told} | {size[0]:.4f} | {size[1]:.4f} "
        f"| {100 * variance[1] / variance[0]:.0f} % | {100 * zero / trials:.1f} % |"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=10_000)
    trials = parser.parse_args().trials
    print("| participants | spread | errors given | size, plain | size, se= | participants needed | zero |")
    print("|---|---|---|---|---|---|---|")
    for each in ROWS:
        print(row(*each, trials), flush=True)


if __name__ == "__main__":
    main()
