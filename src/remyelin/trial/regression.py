"""Regression to the mean: how much lesions picked for a low baseline rise although nothing happened.

Below, y is the measured baseline of a lesion, s^2 the variance of its error, m the cut below which lesions
are picked.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
Prior = Literal["any", "pooled", "participant"]
PRIORS = ("any", "pooled", "participant")

# Kernel width in SDs of the measured baseline. A fourth-order kernel of this width misses the density of a
# normal distribution at its centre by 1 %, an exponential's at its median by 2 % (benchmarks/mtr/rtm.py).
WIDTH = 0.4
# Its relative error is about 2.5 / sqrt(lesions): with fewer than these, more than 12 %, the shape factor
# stays 1.
LESIONS_FOR_SHAPE = 400


@dataclass(frozen=True, slots=True)
class Expected:
    """The expected rise of each participant's mean, and what it stands on.

    Attributes
    ----------
    rtm_pu
        (participant,) the rise; NaN where it cannot be estimated.
    between_sd_pu
        (participant,) SD of the true baseline between lesions.
    shape, shape_se
        Factor by which the rise departs from that of normally distributed lesions, and its standard error;
        1 and 0 if it was not estimated.
    """

    rtm_pu: FloatArray
    between_sd_pu: FloatArray
    shape: float
    shape_se: float


def normal_regression_pu(error_sd_pu: float, between_sd_pu: float) -> float:
    """Rise of the mean of all lesions below the median, for many normally distributed lesions.

    Both SDs in pu. Equals sqrt(2 / pi) s^2 / sqrt(sb^2 + s^2), the selection intercept of a truncated normal.

    Examples
    --------
    >>> round(normal_regression_pu(1.0, 3.0), 3)
    0.252
    """
    total = np.hypot(error_sd_pu, between_sd_pu)
    return float(np.sqrt(2 / np.pi) * error_sd_pu**2 / total) if total > 0 else 0.0


def below_median(baseline: FloatArray) -> tuple[BoolArray, FloatArray, FloatArray]:
    """Which lesions lie below their participant's median, the median, and each lesion's own cut.

    Parameters
    ----------
    baseline
        (participant, lesion), NaN where there is no lesion.

    Returns
    -------
    picked, median, cut
        `picked` (participant, lesion): strictly below the median. `cut` (participant, lesion): the value
        below which this lesion would be picked given the others, which does not depend on its own error.
    """
    n = np.isfinite(baseline).sum(axis=1)
    ordered = np.sort(np.where(np.isfinite(baseline), baseline, np.inf), axis=1)
    below = np.maximum(n // 2, 1)[:, None] - 1  # position of the highest lesion that is picked
    above = np.minimum(below + 1, baseline.shape[1] - 1)
    last, first = (np.take_along_axis(ordered, at, axis=1)[:, 0] for at in (below, above))
    median = np.where(n % 2 == 1, np.where(n == 1, last, first), (last + first) / 2)
    median[n == 0] = np.nan
    picked = baseline < median[:, None]
    return picked, median, np.where(picked, first[:, None], last[:, None])


def expected_regression(
    baseline: FloatArray, variance: FloatArray, weight: FloatArray, shared: FloatArray, prior: Prior
) -> Expected:
    """Expected rise of the weighted mean of the lesions below the median.

    Given a normal distribution of the true values, an error of variance s^2 regresses on its measured value
    with slope s^2 / (sb^2 + s^2) (empirical Bayes; Efron 2011, 10.1198/jasa.2011.tm11181). Without that
    assumption the expected error of the picked lesions is still known: it is the sum of s^2 f(m), f the
    density of the measured baseline at the cut (Stein 1981, 10.1214/aos/1176345632). `prior` "any" gives each
    participant the normal value times one factor, for all participants together, that makes their sum the
    distribution-free one.

    Parameters
    ----------
    baseline, variance
        (participant, lesion) measured values and variances of their errors, NaN where there is no lesion.
    weight
        Weight of each lesion in the mean of the change; 0 for a lesion without follow-up.
    shared
        The part of `variance` that the change will carry too. All of it (`variance`), except under
        cross-fitting, where the half that picks and the half that is measured share only the lesion-wide
        part.
    prior
        Between-lesion variance from the participant's own lesions (``"participant"``), or from those of all
        (``"pooled"``), or the latter with any shape of distribution (``"any"``).
    """
    picked, _, cut = below_median(baseline)
    lesion = np.isfinite(baseline)
    n = lesion.sum(axis=1)
    ready = (n >= 2) & np.isfinite(np.where(lesion, variance, 0.0)).all(axis=1)
    total = np.sum(weight, axis=1, where=picked)
    between = _between_variance(baseline, variance, ready, prior)[:, None]
    spread2 = between + np.where(lesion, variance, np.nan)
    with np.errstate(divide="ignore", invalid="ignore"):
        slope = np.where(spread2 > 0, shared / spread2, 0.0)
        deviation = average(baseline, lesion)[:, None] - baseline
        normal = np.sum(weight * slope * deviation, axis=1, where=picked) / total
        normal = np.where(ready & np.isfinite(between[:, 0]), normal, np.nan)
        shape, se = 1.0, 0.0
        if prior == "any" and n[ready].sum() >= LESIONS_FOR_SHAPE:
            width = WIDTH * np.sqrt(spread2)
            u = (cut - baseline) / width
            density = (3 - u**2) / 2 * np.exp(-(u**2) / 2) / (np.sqrt(2 * np.pi) * width)
            free = np.nansum(weight * shared * density, axis=1) / total
            shape, se = _ratio(free, normal)
    return Expected(shape * normal, np.sqrt(between[:, 0]), shape, se)


def average(values: FloatArray, use: BoolArray, weight: FloatArray | None = None) -> FloatArray:
    """(participant,) weighted mean over the lesions in `use`; NaN where there is none."""
    w = use.astype(np.float64) if weight is None else np.where(use, weight, 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.sum(w * values, axis=1, where=use) / np.sum(w, axis=1))


def _between_variance(
    baseline: FloatArray, variance: FloatArray, ready: BoolArray, prior: Prior
) -> FloatArray:
    """(participant,) variance of the true values between lesions."""
    lesion = np.isfinite(baseline)
    n = lesion.sum(axis=1)
    centred = baseline - average(baseline, lesion)[:, None]
    squares = np.sum(centred**2, axis=1, where=lesion)
    own = average(variance, lesion)
    if prior == "participant":
        # Divided by n - 2: the slope, which divides by it, is then unbiased (Basu: it is independent of the
        # shape).
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(ready & (n >= 3), np.maximum(squares / (n - 2) - own, 0.0), np.nan)
    if not ready.any():
        return np.full(len(n), np.nan)
    pooled = np.sum(squares - (n - 1) * own, where=ready) / np.sum(n - 1, where=ready)
    return np.full(len(n), max(float(pooled), 0.0))


def _ratio(top: FloatArray, bottom: FloatArray) -> tuple[float, float]:
    """Ratio of the sums over participants and its linearised standard error; 1 and 0 without a rise."""
    use = np.isfinite(top) & np.isfinite(bottom)
    top, bottom = top[use], bottom[use]
    if len(top) < 2 or bottom.sum() <= 0:
        return 1.0, 0.0
    ratio = float(top.sum() / bottom.sum())
    if ratio <= 0:
        return 1.0, 0.0
    left = top - ratio * bottom
    n = len(top)
    return ratio, float(np.sqrt(n / (n - 1) * np.sum(left**2)) / bottom.sum())
