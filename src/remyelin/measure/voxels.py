"""Voxels that gained or lost myelin: the part of a lesion that changed more than stable tissue does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from remyelin.errors import Flag, InputError

FloatArray = NDArray[np.float64]
Source = Literal["nawm", "rescan"]

# A tail of the stable tissue that holds fewer voxels gives its rate with an error of more than a fifth.
_TAIL_VOXELS = 25


@dataclass(frozen=True, slots=True)
class Threshold:
    """Limits of the change of stable tissue.

    Parameters
    ----------
    low_pu, high_pu
        A voxel below is demyelinated, above remyelinated; at the median noise of the stable tissue.
    centre_pu, sd_pu
        Median of the stable change, and its robust standard deviation (1.4826 median absolute deviation).
    z
        Half width in standard deviations.
    rate_low, rate_high
        Fraction of the stable voxels beyond each limit: the false positives that are subtracted. Heavy tails
        make it more than the normal distribution says.
    n_voxels
        Stable voxels.
    source
        ``"nawm"`` or ``"rescan"``.
    noise
        Median of `stable_noise`, to which the noise of a lesion voxel is compared; 1 if it was not given.
    flags
        What is doubtful.
    """

    low_pu: float
    high_pu: float
    centre_pu: float
    sd_pu: float
    z: float
    rate_low: float
    rate_high: float
    n_voxels: int
    source: str
    noise: float = 1.0
    flags: tuple[Flag, ...] = ()

    def __str__(self) -> str:
        tissue = "normal-appearing white matter" if self.source == "nawm" else "scan-rescan"
        return (
            f"below {self.low_pu:+.2f} or above {self.high_pu:+.2f} pu: {self.z:.2f} SD of {self.n_voxels} "
            f"voxels of {tissue}, where {self.rate_low:.1%} and {self.rate_high:.1%} lie beyond"
        )


@dataclass(frozen=True, slots=True)
class ChangedFractions:
    """Per lesion the fraction of voxels that changed, false positives subtracted.

    Not cut at 0: a lesion without change scatters about 0, and only so is the mean over lesions unbiased. A
    voxel that changed by less than the limit may be missed, so a true fraction is estimated from below.

    Parameters
    ----------
    remyelinated, demyelinated
        (lesion,); NaN without voxels.
    remyelinated_se, demyelinated_se
        Binomial standard errors.
    n_voxels
        Voxels with a defined change.
    """

    remyelinated: FloatArray
    remyelinated_se: FloatArray
    demyelinated: FloatArray
    demyelinated_se: FloatArray
    n_voxels: NDArray[np.intp]


def relative_noise(mt_off: ArrayLike, mt_on: ArrayLike) -> FloatArray:
    """Noise of MTR relative to that of a voxel with MT-off 1 and MT-on 0, for images of equal noise.

    First order: ``sqrt(1 + (on/off)^2) / off``. It tells how much noisier a lesion is than white matter; the
    noise of a change is the root of the sum of squares of two visits. NaN where MT-off is not positive.

    Examples
    --------
    >>> white, lesion = relative_noise([100, 100], [60, 72])
    >>> print(f"{lesion / white:.3f}")
    1.057
    """
    off, on = np.asarray(mt_off, np.float64), np.asarray(mt_on, np.float64)
    noise = np.full(np.broadcast_shapes(off.shape, on.shape), np.nan)
    np.divide(np.hypot(off, on), off**2, out=noise, where=off > 0)
    return noise


def change_threshold(
    stable_change_pu: ArrayLike,
    *,
    false_positive_rate: float,
    source: Source,
    stable_noise: ArrayLike | None = None,
) -> Threshold:
    """Limits beyond which a change is not noise, from tissue that did not change.

    Parameters
    ----------
    stable_change_pu
        Changes of single voxels of stable tissue, made exactly as those of the lesions are: same visits, same
        interpolation. Either normal-appearing white matter between the two visits, or any tissue between two
        scans of one day. A drift of the scanner shifts both limits with the median.
    false_positive_rate
        Fraction of stable voxels to lie beyond the two limits together, if the noise is normal.
    source
        Which of the two it was, for the report.
    stable_noise
        Relative noise of each voxel (`relative_noise` of both visits); the limits then follow the noise of
        each lesion voxel. None: all alike.

    Returns
    -------
    Threshold

    Raises
    ------
    InputError
        Too few voxels to hold one false positive a side; no change at all (a copied image); a rate outside
        0 to 0.5.

    Examples
    --------
    >>> stable = np.random.default_rng(1).normal(0, 3, 20000)
    >>> limits = change_threshold(stable, false_positive_rate=.05, source="nawm")
    >>> print(f"{limits.low_pu:.1f} {limits.high_pu:.1f} pu, {limits.rate_low + limits.rate_high:.3f} beyond")
    -5.9 5.8 pu, 0.049 beyond
    """
    from scipy.special import ndtri

    if source not in get_args(Source):
        raise InputError("", "source", repr(source), "nawm or rescan", "name the stable tissue")
    if not 0 < false_positive_rate < 0.5:
        raise InputError(
            "", "false_positive_rate", f"{false_positive_rate:g}", "between 0 and 0.5", "5 percent is 0.05"
        )
    change, noise = _stable(stable_change_pu, stable_noise)
    expected = len(change) * false_positive_rate / 2
    if expected < 1:
        raise InputError(
            "", "stable tissue", f"{len(change)} voxels", f"{2 / false_positive_rate:.0f} or more",
            "use a larger region, or a higher false positive rate",
        )  # fmt: skip
    typical = float(np.median(noise))
    scaled = change * typical / noise
    centre = float(np.median(scaled))
    sd = 1.4826 * float(np.median(np.abs(scaled - centre)))
    if sd == 0:
        raise InputError(
            "",
            "stable tissue",
            "without any change",
            "noise",
            "check that the follow-up is no copy of the baseline",
        )
    z = float(ndtri(1 - false_positive_rate / 2))
    few = Flag("", "stable tissue", f"{len(change)} voxels", f"{_TAIL_VOXELS} beyond each limit",
               "read the changed fractions with care")  # fmt: skip
    return Threshold(
        low_pu=centre - z * sd,
        high_pu=centre + z * sd,
        centre_pu=centre,
        sd_pu=sd,
        z=z,
        rate_low=float((scaled < centre - z * sd).mean()),
        rate_high=float((scaled > centre + z * sd).mean()),
        n_voxels=len(change),
        source=source,
        noise=typical,
        flags=(few,) if expected < _TAIL_VOXELS else (),
    )


def changed_fractions(
    change_pu: ArrayLike,
    labels: ArrayLike,
    threshold: Threshold,
    *,
    n_lesions: int,
    noise: ArrayLike | None = None,
    voxels_per_independent: float = 1.0,
) -> ChangedFractions:
    """Fraction of each lesion that remyelinated and that demyelinated.

    ``(observed - rate) / (1 - rate)``, where `rate` is what stable tissue shows beyond the same limit.

    Parameters
    ----------
    change_pu, labels
        Change of each voxel and its lesion (k + 1, 0 for none), of one shape; NaN changes do not count.
    threshold
        Of `change_threshold`.
    n_lesions
        How many values to give.
    noise
        Relative noise of each voxel, if and only if the threshold was made with `stable_noise`.
    voxels_per_independent
        How many voxels share one noise (more than 1 after interpolation); widens the standard errors.

    Returns
    -------
    ChangedFractions

    Notes
    -----
    Two indices a lesion, demyelination and remyelination, were proposed for PET by Bodini and others (2016)
    with limits from controls; here the limits come from stable tissue of the same pair of images.
    """
    change, lesion = np.asarray(change_pu, np.float64).ravel(), np.asarray(labels).ravel()
    ratio = np.ones(len(change)) if noise is None else np.asarray(noise, np.float64).ravel() / threshold.noise
    if not len(change) == len(lesion) == len(ratio):
        found = f"{len(change)}, {len(lesion)} and {len(ratio)} voxels"
        raise InputError("", "change, labels and noise", found, "the same number", "use one grid")
    used = np.isfinite(change) & np.isfinite(ratio) & (lesion > 0)
    change, lesion, ratio = change[used], lesion[used], ratio[used]
    count = np.bincount(lesion, minlength=n_lesions + 1)[1:]

    def corrected(beyond: NDArray[np.bool_], rate: float) -> tuple[FloatArray, FloatArray]:
        hits = np.bincount(lesion[beyond], minlength=n_lesions + 1)[1:]
        fraction = np.where(count > 0, hits / np.maximum(count, 1), np.nan)
        # Spread of the Jeffreys posterior: 5 voxels without a hit are not known to be free of them.
        n = count / voxels_per_independent
        a, b = fraction * n + 0.5, (1 - fraction) * n + 0.5
        se = np.sqrt(a * b / ((a + b) ** 2 * (a + b + 1)))
        return (fraction - rate) / (1 - rate), se / (1 - rate)

    up, up_se = corrected(change > threshold.high_pu * ratio, threshold.rate_high)
    down, down_se = corrected(change < threshold.low_pu * ratio, threshold.rate_low)
    return ChangedFractions(up, up_se, down, down_se, count)


def _stable(change_pu: ArrayLike, noise: ArrayLike | None) -> tuple[FloatArray, FloatArray]:
    change = np.asarray(change_pu, np.float64).ravel()
    sd = np.ones(len(change)) if noise is None else np.asarray(noise, np.float64).ravel()
    if len(sd) != len(change):
        raise InputError("", "stable_noise", f"{len(sd)} voxels", f"{len(change)}", "give one value a voxel")
    used = np.isfinite(change) & np.isfinite(sd) & (sd > 0)
    return change[used], sd[used]
