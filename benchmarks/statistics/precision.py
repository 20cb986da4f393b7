"""Patients an arm when the analysis knows how exact each measurement is: four analyses of the same trials.

    python benchmarks/statistics/precision.py

Lesions: 25 patients an arm, with 8 to 85 lesions or 6 each. Volumes are lognormal with the median and
quartiles of the lesions of 30 people (17, 6.5 to 47 mm3), 10 mm3 and more. The error of a change is 1 pu
in a lesion of 10 mm3 and falls with the root of the volume, as thermal noise does at an SNR of 50.
Between patients the true change has an SD of 0.35 pu, between lesions the SD of the first column. Eyes:
40 patients an arm, true SD 1.5 ms between patients and 1 ms between eyes; the error of a change is
lognormal with a median of 2 ms and the spread of the first column (1: all eyes alike; 2: two thirds of
the eyes between 1 and 4 ms).

Patients an arm: those that a normal test needs for 80 % power with the variance of the estimate that was
observed over the simulated trials, which are the same for all four. `size`: rejections without effect at
.05.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from functools import partial

import numpy as np
from scipy import stats

from remyelin.trial.mixed.batch import fit_many

SEED, Z = 2026, 1.959964 + 0.841621
SDS = (0.0, 0.3, 0.6, 1.3)
COUNTS = (8, 12, 18, 25, 30, 42, 60, 85)
ANALYSES = ("plain mean a patient", "mean weighted by 1/se^2", "mixed model", "mixed model with se")


def lesions(
    rng: np.random.Generator, n: int, per_arm: int, lesion_sd: float, counts: tuple[int, ...] = COUNTS
) -> tuple[np.ndarray, ...]:
    """Patient, arm, se and the changes (trial, row)."""
    patient = np.repeat(np.arange(2 * per_arm), np.tile(np.resize(counts, per_arm), 2))
    volume = np.exp(rng.normal(np.log(17.0), np.log(47 / 6.5) / 1.349, 8 * len(patient)))
    volume = volume[volume >= 10.0][: len(patient)]
    return _trials(rng, n, patient, per_arm, np.sqrt(10.0 / volume), 0.35, lesion_sd)


def eyes(rng: np.random.Generator, n: int, per_arm: int, spread: float) -> tuple[np.ndarray, ...]:
    patient = np.repeat(np.arange(2 * per_arm), 2)
    se = 2.0 * np.exp(np.log(spread) * rng.normal(size=len(patient)))
    return _trials(rng, n, patient, per_arm, se, 1.5, 1.0)


def _trials(
    rng: np.random.Generator,
    n: int,
    patient: np.ndarray,
    per_arm: int,
    se: np.ndarray,
    between: float,
    within: float,
) -> tuple[np.ndarray, ...]:
    Y = between * rng.normal(size=(n, 2 * per_arm))[:, patient]
    Y += np.hypot(within, se) * rng.normal(size=(n, len(patient)))
    return patient, patient >= per_arm, se, Y


def estimates(drawn: tuple[np.ndarray, ...]) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    """Each analysis: its name, the estimates and the p values."""
    patient, arm, se, Y = drawn
    for name, weight in zip(ANALYSES[:2], (np.ones(len(se)), se**-2), strict=True):
        total = np.stack([np.bincount(patient, weights=weight * y) for y in Y])
        mean = total / np.bincount(patient, weights=weight)
        second = np.bincount(patient, weights=arm) > 0
        p = stats.ttest_ind(mean[:, second], mean[:, ~second], axis=1).pvalue
        yield name, mean[:, second].mean(axis=1) - mean[:, ~second].mean(axis=1), p
    X = np.column_stack([np.ones(len(arm)), arm])
    for name, known in zip(ANALYSES[2:], (None, se**2), strict=True):
        fits = fit_many(X, patient, Y, [0, 1], known=known)
        yield name, fits.estimate, fits.p()


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--trials", type=int, default=4000)
    n = parser.parse_args().trials
    plans = (
        ("8 to 85 lesions, effect 0.3 pu", "true SD between lesions, pu", lesions, 25, 0.3, SDS),
        (
            "6 lesions, effect 0.3 pu",
            "true SD between lesions, pu",
            partial(lesions, counts=(6,)),
            25,
            0.3,
            SDS,
        ),
        ("eyes, effect 1.2 ms", "spread of the eyes' errors", eyes, 40, 1.2, (1.0, 1.5, 2.0, 3.0)),
    )
    for words, column, draw, per_arm, effect, values in plans:
        print(f"\n| {words}: {column} | {' | '.join(f'{name} (size)' for name in ANALYSES)} | saved |")
        print("|---" * (len(ANALYSES) + 2) + "|")
        for value in values:
            rng = np.random.default_rng([SEED, int(10 * value)])
            needed, cells = [], []
            for _, estimate, p in estimates(draw(rng, n, per_arm, value)):
                needed.append(per_arm * np.var(estimate) * Z**2 / effect**2)
                cells.append(f"{needed[-1]:.1f} ({np.mean(p < 0.05):.3f})")
            print(f"| {value:g} | {' | '.join(cells)} | {1 - needed[-1] / needed[0]:.0%} |", flush=True)


if __name__ == "__main__":
    main()
