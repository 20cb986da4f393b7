"""Scan-rescan: how much a value moves when nothing changed."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike, NDArray

from remyelin.errors import InputError

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Repeatability:
    """Within-subject error of one class of lesions, in the unit of the values.

    Parameters
    ----------
    low_mm3, high_mm3
        The class: low <= volume < high.
    sd, sd_low, sd_high
        Within-subject standard deviation and its 95 % interval (chi-square with `df`); NaN without repeats.
    sdc, sdc_low, sdc_high
        Smallest detectable change of one lesion, 1.96 sqrt(2) sd, and its interval.
    shift, shift_se
        Mean difference of the second from the first scan and its standard error between participants.
    df
        Effective degrees of freedom: at most the repeats, fewer where the lesions of a participant err
        together.
    n_lesions, n_participants
        Those with repeats.
    """

    low_mm3: float
    high_mm3: float
    sd: float = np.nan
    sd_low: float = np.nan
    sd_high: float = np.nan
    sdc: float = np.nan
    sdc_low: float = np.nan
    sdc_high: float = np.nan
    shift: float = np.nan
    shift_se: float = np.nan
    df: float = 0.0
    n_lesions: int = 0
    n_participants: int = 0


@dataclass(frozen=True, slots=True)
class Floor:
    """Error that remains however large a lesion is: ``sd^2 = floor^2 + slope^2 / volume``.

    `floor` with its 95 % profile-likelihood interval, `slope` in the unit of the values times sqrt(mm3).
    """

    floor: float
    floor_low: float
    floor_high: float
    slope: float

    def sd(self, volume_mm3: ArrayLike) -> FloatArray:
        """Within-subject standard deviation of a lesion of this volume."""
        volume = np.asarray(volume_mm3, np.float64)
        return np.sqrt(self.floor**2 + self.slope**2 / volume)


@dataclass(frozen=True, slots=True)
class Rescan:
    """Result of `rescan_error`; `floor` is None where the lesions are too few or too alike in volume."""

    overall: Repeatability
    by_size: tuple[Repeatability, ...]
    floor: Floor | None


def same_day(days: Sequence[float | None]) -> tuple[tuple[int, ...], ...]:
    """Groups of visits of the same day, by index: these are the repeats.

    Examples
    --------
    >>> same_day([0, 0, 182, None, 182.0])
    ((0, 1), (2, 4))
    """
    groups: dict[float, list[int]] = {}
    for visit, day in enumerate(days):
        if day is not None and np.isfinite(day):
            groups.setdefault(float(day), []).append(visit)
    return tuple(tuple(group) for _, group in sorted(groups.items()) if len(group) > 1)


def rescan_error(
    values: ArrayLike,
    participants: Sequence[Hashable],
    *,
    volume_mm3: ArrayLike | None = None,
    edges_mm3: Sequence[float] = (),
) -> Rescan:
    """Within-subject standard deviation and smallest detectable change from repeated scans.

    Parameters
    ----------
    values
        (lesion, scan), scans without change between them (`same_day`); NaN where a lesion was not measured.
        For a drift between sessions, normalise first.
    participants
        To whom each lesion belongs. The lesions of a person share registration and gain errors; the interval
        is widened by what the data show of that (with one participant nothing can show, and it is not).
    volume_mm3
        (lesion,), for `edges_mm3` and the floor.
    edges_mm3
        Borders between classes of volume, rising.

    Returns
    -------
    Rescan

    Raises
    ------
    InputError
        No lesion has two values; arrays of different length; volumes missing for classes or not positive.

    References
    ----------
    Bland JM, Altman DG. BMJ 1996;312:1654 (within-subject SD). 10.1136/bmj.312.7047.1654

    Examples
    --------
    >>> rng = np.random.default_rng(2)
    >>> scans = rng.normal(30, 3, (200, 1)) + rng.normal(0, .6, (200, 2))
    >>> error = rescan_error(scans, np.repeat(range(20), 10)).overall
    >>> print(f"sd {error.sd:.2f} ({error.sd_low:.2f} to {error.sd_high:.2f}), change of {error.sdc:.2f}")
    sd 0.57 (0.52 to 0.63), change of 1.58
    """
    scans = np.asarray(values, np.float64)
    owner = np.unique(np.array([str(p) for p in participants]), return_inverse=True)[1]
    volume = None if volume_mm3 is None else np.asarray(volume_mm3, np.float64)
    _check(scans, owner, volume, edges_mm3)
    repeated = np.isfinite(scans).sum(axis=1) > 1
    scans, owner = scans[repeated], owner[repeated]
    every = np.ones(len(scans), bool)
    overall = _repeatability(scans, owner, every, 0.0, np.inf)
    if volume is None:
        return Rescan(overall, (), None)
    volume = volume[repeated]
    edges = [0.0, *edges_mm3, np.inf]
    by_size = tuple(
        _repeatability(scans, owner, (volume >= low) & (volume < high), low, high)
        for low, high in pairwise(edges)
        if len(edges) > 2
    )
    return Rescan(overall, by_size, _floor(scans, volume, overall))


def _squares(scans: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Sum of squares about the mean of each lesion, and its degrees of freedom."""
    return np.nansum((scans - np.nanmean(scans, axis=1, keepdims=True)) ** 2, axis=1), (
        np.isfinite(scans).sum(axis=1) - 1.0
    )


def _repeatability(
    scans: FloatArray, owner: NDArray[np.intp], chosen: NDArray[np.bool_], low: float, high: float
) -> Repeatability:
    from scipy.special import chdtri

    if not chosen.any():
        return Repeatability(low_mm3=low, high_mm3=high)
    scans, owner = scans[chosen], np.unique(owner[chosen], return_inverse=True)[1]
    squares, freedom = (np.bincount(owner, part) for part in _squares(scans))
    total = float(freedom.sum())
    variance = float(squares.sum()) / total
    df = _effective_df(squares - variance * freedom, variance, total)
    sd_low, sd_high = np.sqrt(df * variance / chdtri(df, [0.025, 0.975])).tolist()
    sd, change = float(np.sqrt(variance)), float(1.96 * np.sqrt(2.0))
    shift, shift_se = _shift(scans, owner)
    return Repeatability(
        low_mm3=low,
        high_mm3=high,
        sd=sd,
        sd_low=sd_low,
        sd_high=sd_high,
        sdc=change * sd,
        sdc_low=change * sd_low,
        sdc_high=change * sd_high,
        shift=shift,
        shift_se=shift_se,
        df=df,
        n_lesions=len(scans),
        n_participants=len(squares),
    )


def _effective_df(residual: FloatArray, variance: float, total: float) -> float:
    """Satterthwaite: the degrees of freedom whose chi-square spreads as the participants do."""
    n = len(residual)
    spread = n / (n - 1) * float((residual**2).sum()) / total**2 if n > 1 else 0.0
    return total if spread <= 2 * variance**2 / total else max(2 * variance**2 / spread, 1.0)


def _shift(scans: FloatArray, owner: NDArray[np.intp]) -> tuple[float, float]:
    difference = scans[:, 1] - scans[:, 0]
    known = np.isfinite(difference)
    if not known.any():
        return np.nan, np.nan
    shift = float(difference[known].mean())
    residual = np.bincount(owner[known], difference[known] - shift)
    n = len(np.unique(owner[known]))
    if n < 2:
        return shift, np.nan
    return shift, float(np.sqrt(n / (n - 1) * (residual**2).sum())) / int(known.sum())


def _floor(scans: FloatArray, volume: FloatArray, overall: Repeatability) -> Floor | None:
    """Maximum likelihood of ``squares ~ (floor^2 + slope^2 / volume) chi-square(freedom)``."""
    from scipy.optimize import brentq
    from scipy.special import chdtri

    squares, freedom = _squares(scans)
    if len(np.unique(volume)) < 3 or overall.sd <= 0:
        return None

    smallest = 1e-6 * overall.sd**2

    def deviance(floor: float, slope: float) -> float:
        variance = np.maximum(floor**2 + slope**2 / volume, smallest)
        return float((freedom * np.log(variance) + squares / variance).sum())

    top_floor = 4.0 * float(np.sqrt((squares / freedom).max()))
    top_slope = top_floor * float(np.sqrt(volume.max()))

    def profile(floor: float) -> float:
        return _least(lambda slope: deviance(floor, slope), top_slope)[1]

    floor, best = _least(profile, top_floor)
    slope = _least(lambda s: deviance(floor, s), top_slope)[0]
    # Where lesions of a person err together there is less information than lesions: as in a quasi-likelihood.
    limit = best + float(chdtri(1, 0.05)) * float(freedom.sum()) / overall.df

    def beyond(candidate: float) -> float:
        return profile(candidate) - limit

    low = 0.0 if floor == 0 or beyond(0.0) < 0 else float(brentq(beyond, 0.0, floor, xtol=1e-6))
    high = float(brentq(beyond, floor, top_floor, xtol=1e-6)) if beyond(top_floor) > 0 else np.inf
    return Floor(floor, low, high, slope)


def _least(function: Callable[[float], float], top: float) -> tuple[float, float]:
    """Where a function of one number in [0, top] is least, and its value; 0 itself is looked at too."""
    from scipy.optimize import minimize_scalar

    found = minimize_scalar(function, bounds=(0.0, top), method="bounded", options={"xatol": 1e-7 * top})
    at_zero = function(0.0)
    return (0.0, at_zero) if at_zero <= found.fun else (float(found.x), float(found.fun))


def _check(
    scans: FloatArray, owner: NDArray[np.intp], volume: FloatArray | None, edges: Sequence[float]
) -> None:
    if scans.ndim != 2 or not (np.isfinite(scans).sum(axis=1) > 1).any():
        raise InputError(
            "", "repeated scans", "none", "two values or more of a lesion without change between them",
            "add visits of the same day, or give rescan_sd_pu in the protocol",
        )  # fmt: skip
    lengths = [len(scans), len(owner), *([] if volume is None else [len(volume)])]
    if len(set(lengths)) > 1:
        raise InputError("", "lesions", f"{lengths} entries", "the same number", "give one entry a lesion")
    if volume is not None and not (volume > 0).all():
        raise InputError("", "volume_mm3", f"{np.nanmin(volume):g}", "above 0", "leave empty lesions out")
    if edges and (volume is None or list(edges) != sorted(set(edges)) or edges[0] <= 0):
        raise InputError(
            "", "edges_mm3", f"{list(edges)}", "rising volumes, with volume_mm3", "correct the classes"
        )
