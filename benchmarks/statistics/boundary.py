"""Which degrees of freedom hold where the variance between patients is estimated as zero.

    python benchmarks/statistics/boundary.py

Null trials, `change ~ arm + (1 | patient)`: the share with p < .05 for the arm. The rule of lmerTest is rows
less coefficients where the estimate is zero, and Satterthwaite's elsewhere.
"""

from __future__ import annotations

import argparse

import numpy as np
from scipy.special import stdtr

from remyelin.trial.mixed import fit_many

# Patients, sites in each, SD between patients; that of a site is 1.
CASES = (
    *((20, 30, 0.0), (20, 30, 0.08), (20, 30, 0.15), (20, 30, 0.27)),
    *((20, 2, 0.0), (20, 2, 0.4), (20, 2, 0.7), (20, 2, 1.0)),
    *((8, 5, 0.0), (8, 5, 0.3), (8, 5, 0.6)),
)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--trials", type=int, default=10_000)
    trials = parser.parse_args().trials
    head = ("patients x sites", "SD", "zero", "Kenward-Roger", "Satterthwaite", "lmerTest")
    print(f"| {' | '.join(head)} | where zero: ours | lmerTest |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    for patients, sites, sd in CASES:
        rng = np.random.default_rng([patients, sites, int(100 * sd)])
        patient = np.repeat(np.arange(patients), sites)
        X = np.column_stack([np.ones(len(patient)), patient % 2])
        Y = sd * rng.normal(size=(trials, patients))[:, patient] + rng.normal(size=(trials, len(patient)))
        fits = fit_many(X, patient, Y, [0, 1])
        zero = fits.su2 == 0
        df = np.where(zero, X.shape[0] - X.shape[1], fits.df_satt)
        theirs = 2 * stdtr(df, -np.abs(fits.estimate / fits.se)) < 0.05
        kr, ours = fits.p() < 0.05, fits.p("satterthwaite") < 0.05
        shares = [kr.mean(), ours.mean(), theirs.mean()]
        shares += [ours[zero].mean(), theirs[zero].mean()] if zero.sum() > 200 else []
        cells = [f"{each:.4f}" for each in shares] + [""] * (5 - len(shares))
        print(f"| {patients} x {sites} | {sd:g} | {100 * zero.mean():.0f} % | {' | '.join(cells)} |")
    print(f"\n{trials:,} trials each; Monte Carlo SE of a share of all {np.sqrt(0.05 * 0.95 / trials):.4f}.")


if __name__ == "__main__":
    main()
