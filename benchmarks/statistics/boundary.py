"""Which degrees of freedom hold where the variance between patients is estimated as zero.

    python benchmarks/statistics/boundary.py

Null trials of 20 patients x 30 lesions (lesion SD 1.3), `change ~ arm + (1 | patient)`; p < .05 of the arm.
The rule of lmerTest is rows less coefficients where the estimate is zero, and Satterthwaite's elsewhere.
"""

from __future__ import annotations

import argparse

import numpy as np
from scipy.special import stdtr

from remyelin.trial.mixed import fit_many

PATIENTS, LESIONS, LESION_SD = 20, 30, 1.3


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--trials", type=int, default=10_000)
    trials = parser.parse_args().trials
    patient = np.repeat(np.arange(PATIENTS), LESIONS)
    X = np.column_stack([np.ones(len(patient)), patient % 2])
    print(f"| {trials:,} null trials, patient SD | zero | Kenward-Roger | Satterthwaite | lmerTest |")
    print("| --- | --- | --- | --- | --- |")
    for sd in (0.0, 0.1, 0.2, 0.35):
        rng = np.random.default_rng([2026, int(100 * sd)])
        Y = sd * rng.normal(size=(trials, PATIENTS))[:, patient]
        Y += LESION_SD * rng.normal(size=Y.shape)
        fits = fit_many(X, patient, Y, [0, 1])
        zero = fits.su2 == 0
        df = np.where(zero, X.shape[0] - X.shape[1], fits.df_satt)
        theirs = 2 * stdtr(df, -np.abs(fits.estimate / fits.se))
        shares = [np.mean(p < 0.05) for p in (fits.p(), fits.p("satterthwaite"), theirs)]
        print(
            f"| {sd:g} | {100 * zero.mean():.0f} % | " + " | ".join(f"{each:.4f}" for each in shares) + " |"
        )
    print(f"\nMonte Carlo SE {np.sqrt(0.05 * 0.95 / trials):.4f}.")


if __name__ == "__main__":
    main()
