"""From what each method read of people to the SD that decides how many a trial needs."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).parents[1] / "vep"))
import bench
from vep_eyes import EFFECT_MS

from remyelin.trial.precise import fit_precise

OUTLIER_MS = 15.0


@dataclass(frozen=True)
class Method:
    """A way from recordings to a patient's change: the columns it takes, and how eyes and patients weigh."""

    words: str
    change: str
    baseline: str = "lp30"
    weighted: bool = False
    limit_ms: float = np.inf
    ours: bool = False


METHODS = {
    "raw": Method("raw get_peak", "raw", "raw"),
    "lp30": Method("get_peak after 30 Hz, replicates averaged", "lp30"),
    "each": Method("the same of each replicate, their mean", "lp30_each", "lp30_each"),
    "nearest": Method("30 Hz, the top within 15 ms of the baseline's", "nearest"),
    "trimmed": Method("30 Hz, changes beyond 15 ms left out", "lp30", limit_ms=OUTLIER_MS),
    "p100": Method("remyelin, difference of P100", "p100", "ours", ours=True),
    "p100_se": Method("the same, weighted by its se", "p100", "ours", weighted=True, ours=True),
    "shift": Method("remyelin, latency_shift", "shift", "ours", ours=True),
    "shift_se": Method("the same, weighted by its se", "shift", "ours", weighted=True, ours=True),
}
CONVENTIONAL = tuple(name for name, method in METHODS.items() if not method.ours)


@dataclass(frozen=True, eq=False)
class Read:
    """Of one method: the `people` it gives a value for, by row, and the part of all that they are (`kept`).

    `error` is (arm, person): the measured change less `slope` times the true one.
    """

    people: np.ndarray
    error: np.ndarray
    baseline: np.ndarray
    se: np.ndarray
    slope: float
    slope_half: float
    kept: float

    @property
    def seen(self) -> float:
        """What n allows for: the slope where its interval lies below 1, else 1 (above, outliers make it)."""
        return self.slope if self.slope + self.slope_half < 1 else 1.0


def read(done: pd.DataFrame, method: Method) -> Read:
    """Patients: the mean of their eyes, by precision where the analysis weighs."""
    arms = []
    for arm in (0, 1):
        change = by_eye(done, f"{method.change}_{arm}")
        change = np.where(np.abs(change) <= method.limit_ms, change, np.nan)
        se = by_eye(done, f"{method.change}_se_{arm}") if method.ours else np.ones_like(change)
        weight = np.where(np.isfinite(change), 1 / se**2 if method.weighted else 1.0, 0.0)
        total = weight.sum(axis=1)
        with np.errstate(invalid="ignore", divide="ignore"):
            mean = np.nansum(weight * np.nan_to_num(change), axis=1) / total
            known = np.sqrt(np.nansum((weight * np.nan_to_num(se)) ** 2, axis=1)) / total
            level = np.nansum(weight * np.nan_to_num(by_eye(done, method.baseline)), axis=1) / total
        arms.append((mean, known, level))
    given = np.isfinite(arms[0][0]) & np.isfinite(arms[1][0])
    change = np.stack([mean[given] for mean, _, _ in arms])
    truth = done["change"].to_numpy()[given] + np.array([[0.0], [EFFECT_MS]])
    slope, half = _slope(truth, change)
    return Read(
        people=np.flatnonzero(given),
        error=change - slope * truth,
        baseline=np.stack([level[given] for _, _, level in arms]),
        se=np.stack([known[given] for _, known, _ in arms]),
        slope=slope,
        slope_half=half,
        kept=float(np.isfinite(arms[0][0]).mean()),
    )


def by_eye(done: pd.DataFrame, name: str) -> np.ndarray:
    """(person, eye) of a column."""
    return np.column_stack(
        [done[column].to_numpy(float) for column in (f"{name}_0", f"{name}_1") if column in done]
    )


def _slope(truth: np.ndarray, measured: np.ndarray) -> tuple[float, float]:
    """Of the measured on the true change of people, arms averaged, and half its 95 % interval."""
    x, y = truth.mean(axis=0), measured.mean(axis=0)
    x, y = x - x.mean(), y - y.mean()
    slope = float(x @ y / (x @ x))
    left = y - slope * x
    return slope, float(1.96 * np.sqrt(left @ left / (len(x) - 2) / (x @ x)))


def spread(read: Read, weighted: bool, true_sd_ms: float, rows: np.ndarray | None = None) -> float:
    """The SD of change with which a plain comparison of means needs as many patients as this analysis.

    It holds what weighing saves, the part of the effect that the method shows, and patients without a value.
    """
    rows = np.arange(len(read.people)) if rows is None else rows
    sigma2 = _sigma2(read, true_sd_ms) if weighted else 0.0
    variances = []
    for arm in (0, 1):
        error, level, se = (values[arm][rows] for values in (read.error, read.baseline, read.se))
        weight = 1 / (sigma2 + se**2) if weighted else np.ones_like(error)
        left = _residual(error, level, weight)
        square = left**2 + (read.seen * true_sd_ms) ** 2
        variances.append((weight**2 * square).mean() / weight.mean() ** 2)
    return float(np.sqrt(np.mean(variances) / read.kept) / read.seen)


def _residual(error: np.ndarray, level: np.ndarray, weight: np.ndarray) -> np.ndarray:
    middle, mean = np.average(level, weights=weight), np.average(error, weights=weight)
    slope = (weight * (level - middle)) @ error / (weight @ (level - middle) ** 2)
    return error - mean - slope * (level - middle)


@cache
def _sigma2(read: Read, true_sd_ms: float) -> float:
    """Variance between patients by REML, as an analysis would find it: mean of four draws of true changes."""
    found = []
    for seed in range(4):
        true = np.random.default_rng([bench.SEED, seed]).standard_normal(len(read.people))
        X = np.column_stack([np.ones(len(true)), read.baseline[0]])
        y = read.error[0] + read.slope * true_sd_ms * true
        found.append(fit_precise(X, y, read.se[0] ** 2).variance)
    return float(np.mean(found))
