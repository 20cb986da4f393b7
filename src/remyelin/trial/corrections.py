"""The three ways to take regression to the mean out of the change of picked lesions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from remyelin.trial.floor import ErrorFloor
from remyelin.trial.regression import Expected, Prior, average, below_median, expected_regression

FloatArray = npt.NDArray[np.float64]
Correction = Literal["expected", "second-baseline", "cross-fit"]


@dataclass(frozen=True, slots=True)
class Lesions:
    """What is known of the lesions: arrays (participant, lesion), NaN where there is no lesion or no value.

    `baseline_variance` and `follow_up_variance` are those of the errors, with the lesion-wide floor.
    """

    baseline: FloatArray
    follow_up: FloatArray
    baseline_variance: FloatArray
    follow_up_variance: FloatArray
    floor: ErrorFloor | None
    second: FloatArray
    half_a: FloatArray
    half_b: FloatArray

    def precision(self) -> FloatArray:
        """Weight 1/variance of each lesion's change; NaN where the error is not known or 0."""
        variance = self.baseline_variance + self.follow_up_variance
        return np.asarray(1 / np.where(variance > 0, variance, np.nan))


@dataclass(frozen=True, slots=True)
class Regression:
    """The rise of each participant, what a correction leaves of it, and its errors shared by all of them."""

    rtm_pu: FloatArray
    left_pu: FloatArray
    floor_se_pu: FloatArray
    shape_se_pu: FloatArray
    expected: Expected | None


def regression(
    lesions: Lesions, correction: Correction, prior: Prior, plain: FloatArray, weight: FloatArray
) -> Regression:
    """Estimate the rise by selection in the mean change `plain`, so that `plain - rtm_pu` is without it.

    Parameters
    ----------
    lesions
        What was measured.
    correction, prior
        See `remyelin.trial.submedian.submedian_change`.
    plain
        (participant,) the mean change as published.
    weight
        (participant, lesion) weight of each lesion in it; 0 for a lesion without follow-up.
    """
    none = np.zeros(len(plain))
    if correction == "expected":
        return _expected(lesions, prior, weight)
    if correction == "second-baseline":
        crossed = _exchanged(lesions.baseline, lesions.second, lesions.follow_up, weight)
        return Regression(plain - crossed, none, none, none, None)
    crossed = _exchanged(lesions.half_a, lesions.half_b, lesions.follow_up, weight)
    return Regression(plain - crossed, _left_by_halves(lesions, prior, weight), none, none, None)


def _expected(lesions: Lesions, prior: Prior, weight: FloatArray) -> Regression:
    variance, floor = lesions.baseline_variance, lesions.floor
    found = expected_regression(lesions.baseline, variance, weight, variance, prior)
    rtm = found.rtm_pu
    floor_se = np.zeros(len(rtm))
    if floor is not None and floor.variance_se_pu2 > 0:
        up, down = floor.variance_se_pu2, min(floor.variance_se_pu2, floor.variance_pu2)
        high, low = (
            expected_regression(lesions.baseline, variance + step, weight, variance + step, prior).rtm_pu
            for step in (up, -down)
        )
        floor_se = (high - low) * floor.variance_se_pu2 / (up + down)
    return Regression(rtm, np.zeros(len(rtm)), floor_se, rtm * found.shape_se / found.shape, found)


def _exchanged(one: FloatArray, other: FloatArray, follow_up: FloatArray, weight: FloatArray) -> FloatArray:
    """One measurement picks and the other is the baseline, then the reverse; the mean of the two changes."""
    both = np.isfinite(one) & np.isfinite(other)
    changes = []
    for picks, measures in ((one, other), (other, one)):
        picked, _, _ = below_median(np.where(both, picks, np.nan))
        use = picked & np.isfinite(follow_up)
        changes.append(average(follow_up - measures, use, weight))
    return np.asarray((changes[0] + changes[1]) / 2)


def _left_by_halves(lesions: Lesions, prior: Prior, weight: FloatArray) -> FloatArray:
    """The regression of the lesion-wide error, which both halves carry; NaN if no floor is known."""
    if lesions.floor is None:
        return np.full(len(weight), np.nan)
    shared = np.full_like(weight, lesions.floor.variance_pu2)
    # Half of the voxels have twice the variance of voxel noise.
    variance = 2 * (lesions.baseline_variance - lesions.floor.variance_pu2) + lesions.floor.variance_pu2
    left = [
        expected_regression(half, variance, np.where(np.isfinite(half), weight, 0.0), shared, prior).rtm_pu
        for half in (lesions.half_a, lesions.half_b)
    ]
    return np.asarray((left[0] + left[1]) / 2)
