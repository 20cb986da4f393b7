"""What the targets tell of the rates, and what they cannot.

    python benchmarks/biology/identifiability.py      # a minute

Reads the shipped posterior; nothing is drawn by lot, but for the run without experiments (fixed seed). Prints
tables of docs/theory/lineage.md.
"""

from __future__ import annotations

import argparse

import numpy as np

from remyelin.biology.calibrate import Calibration, calibration, fit
from remyelin.biology.draws import posterior
from remyelin.biology.experiments import control_days, controls, experiments, log_ratios
from remyelin.biology.lineage import FloatArray

DIFFERENCE = 1e-3
PROFILED = ("ageing.differentiation_per_day", "niche", "clearance_per_day", "coverage")
GRID = (-2, -1, 0, 1, 2)
STEPS_WITHOUT = 800


def standardised(problem: Calibration) -> FloatArray:
    """(draw, name) of the shipped posterior."""
    known = posterior()
    every = (np.log(known.draws) - problem.prior.centre) / problem.prior.spread
    return every[:, list(problem.read)]


def told(problem: Calibration, z: FloatArray) -> None:
    """How much narrower the posterior is than the prior."""
    print("| rate | posterior SD / prior SD | its strongest correlation |\n|---|---|---|")
    together = np.corrcoef(z[1:].T)
    np.fill_diagonal(together, 0)
    shares = z[1:].std(axis=0)
    for i in np.argsort(shares):
        j = int(np.abs(together[i]).argmax())
        print(f"| `{problem.names[i]}` | {shares[i]:.2f} | {together[i, j]:+.2f} with `{problem.names[j]}` |")


def directions(problem: Calibration, z: FloatArray) -> None:
    """Singular values of the logarithms of the targets by the standardised logarithms of the rates."""
    chosen = problem.experiments
    step = DIFFERENCE * np.eye(z.shape[1])
    known = problem.known(np.concatenate([z[0] + step, z[0] - step]))
    days = control_days(known)
    seen = np.concatenate(
        [np.log(np.stack(list(days.values()), axis=1)), log_ratios(known, days, chosen)], axis=1
    )
    ahead, behind = np.split(seen, 2)
    left, values, right = np.linalg.svd(((ahead - behind) / (2 * DIFFERENCE)).T, full_matrices=False)
    targets = [*controls(), *(each.name for each in chosen)]
    print("\n| singular value | target that weighs most | rates that move it most |\n|---|---|---|")
    for k, value in enumerate(values):
        most = np.argsort(-np.abs(right[k]))[:3]
        rates = ", ".join(f"`{problem.names[i]}` {right[k, i]:+.2f}" for i in most)
        print(f"| {value:.3f} | {targets[int(np.abs(left[:, k]).argmax())]} | {rates} |")
    print(f"\nDirections without any effect on a target: {z.shape[1] - len(values)} of {z.shape[1]}.")


def profiles(problem: Calibration, z: FloatArray) -> None:
    """How much log density it costs to hold a rate away from its prior, the others following."""
    print(f"\n| held at, prior SD | {' | '.join(f'{at:+d}' for at in GRID)} | of it by targets, at +-2 |")
    print("|---|" + "---|" * (len(GRID) + 1))
    _, best = problem.mode(z[0])
    for name in PROFILED:
        i = problem.names.index(name)
        cells, missed = [], []
        for at in GRID:
            if at > problem.bounds()[1][i]:
                cells.append("")
                continue
            where, density = problem.mode(z[0], held={i: float(at)})
            cells.append(f"{best - density:.1f}")
            if abs(at) == 2:
                missed.append(f"{0.5 * (problem.residuals(where[None]) ** 2).sum():.1f}")
        print(f"| `{name}` | {' | '.join(cells)} | {', '.join(missed)} |")


def without_experiments() -> None:
    """What rates that meet the two days alone would say of the experiments."""
    found = fit(
        calibration(()),
        ensembles=2,
        walkers=40,
        steps=STEPS_WITHOUT,
        forget=STEPS_WITHOUT // 2,
        draws=400,
        seed=6,
    )
    known = found.posterior.known()
    chosen = [each for each in experiments().values() if each.expected]
    ratios = log_ratios(known, control_days(known), chosen)
    right = np.stack([each.agrees(column) for each, column in zip(chosen, ratios.T, strict=True)], axis=1)
    print("\n| calibrated on the two days alone | draws with the right sign |\n|---|---|")
    for each, column in zip(chosen, right.T, strict=True):
        print(f"| {each.words}, {each.animals}: {each.expected} | {column.mean():.0%} |")
    print(f"| all of them | {right.all(axis=1).mean():.0%} |")


def main() -> None:
    argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    ).parse_args()
    problem = calibration()
    z = standardised(problem)
    told(problem, z)
    directions(problem, z)
    profiles(problem, z)
    without_experiments()


if __name__ == "__main__":
    main()
