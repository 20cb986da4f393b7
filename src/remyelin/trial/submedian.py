"""The endpoint of CCMR One: change in the lesions whose baseline lies below the participant's median.

Picking lesions by a noisy baseline makes their mean rise by itself, in every arm (regression to the mean).
The plain endpoint is given as it was published; the rise is estimated beside it and can be removed in three
ways.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from html import escape
from typing import Any, get_args

import numpy as np
import numpy.typing as npt
import pandas as pd

from remyelin.errors import InputError
from remyelin.trial.corrections import Correction, Lesions, regression
from remyelin.trial.floor import ErrorFloor
from remyelin.trial.regression import BoolArray, FloatArray, Prior, average, below_median

ASSUMED = {
    "expected": (
        "the expected rise of the picked lesions is subtracted; it stands on the error of each lesion (its "
        "own se and the lesion-wide floor) being right, normal, and independent between the visits"
    ),
    "second-baseline": (
        "one baseline scan picks the lesions and the other is their baseline, then exchanged; the errors of "
        "the two scans must be independent"
    ),
    "cross-fit": (
        "one half of the voxels of a lesion picks it and the other half is its baseline, then exchanged; "
        "this removes only noise that is independent between voxels: what all voxels of a lesion share stays"
    ),
}


@dataclass(frozen=True, slots=True)
class SubmedianChange:
    """The submedian endpoint of each participant, plain and with regression to the mean removed.

    Attributes
    ----------
    frame
        One row a participant. `n_lesions` with a baseline, `n_selected` below the median, `n_at_median` equal
        to it, `n_used` (selected and measured again), `median_pu`; `baseline_pu` of the used lesions.
        `plain_pu` is the mean change, every lesion counting alike, as published; `weighted_pu` weights by
        precision (1/se^2), another estimand in which large lesions count more. `rtm_pu` is the estimated rise
        by selection alone, `corrected_pu` the change without it; `weighted_rtm_pu`, `weighted_corrected_pu`
        alike. `floor_se_pu` and `shape_se_pu` are errors of the correction that all participants share:
        averaging over participants does not make them smaller. `left_pu` is the regression that the
        correction is known to leave. `reason` says why a value is missing.
    correction, prior
        How the regression to the mean was removed.
    floor
        The lesion-wide error that was allowed for.
    between_sd_pu, shape, shape_se
        SD of the true baseline between lesions (median over participants) and the factor for its shape (1 is
        normal).
    """

    frame: pd.DataFrame
    correction: Correction
    prior: Prior
    floor: ErrorFloor | None
    between_sd_pu: float
    shape: float
    shape_se: float

    @property
    def assumes(self) -> str:
        """What the correction assumes, in words."""
        words = ASSUMED[self.correction]
        if self.correction == "expected":
            prior = {
                "participant": "normally distributed lesions, with a variance from the participant's own",
                "pooled": "normally distributed lesions, with one variance for all participants",
                "any": "any distribution of lesions, its shape common to all participants"
                if self.shape_se > 0
                else "normally distributed lesions, too few here to show another shape",
            }
            words += f"; {prior[self.prior]}"
        return words

    def to_frame(self) -> pd.DataFrame:
        """One row a participant."""
        return self.frame.copy()

    def __str__(self) -> str:
        seen = self.frame["plain_pu"].notna()
        mean = self.frame.loc[seen, ["plain_pu", "rtm_pu", "corrected_pu"]].mean()
        return (
            f"{int(seen.sum())} of {len(seen)} participants have lesions below their own median. Mean change "
            f"{mean['plain_pu']:+.3f} pu as published; regression to the mean {mean['rtm_pu']:+.3f} pu; "
            f"{mean['corrected_pu']:+.3f} pu without it ({self.assumes})."
        )

    def _repr_html_(self) -> str:
        return f"<p>{escape(str(self))}</p>{self.frame.to_html(max_rows=20)}"


def submedian_change(
    baseline: npt.ArrayLike,
    follow_up: npt.ArrayLike,
    *,
    se_baseline: npt.ArrayLike | None = None,
    se_follow_up: npt.ArrayLike | None = None,
    floor: ErrorFloor | None = None,
    correction: Correction = "expected",
    prior: Prior = "any",
    second_baseline: npt.ArrayLike | None = None,
    half_a: npt.ArrayLike | None = None,
    half_b: npt.ArrayLike | None = None,
) -> SubmedianChange:
    """Mean change of the lesions below each participant's median baseline.

    Parameters
    ----------
    baseline, follow_up
        (lesion,) of one participant or (participant, lesion), in pu; NaN where there is no lesion, or no
        value.
    se_baseline, se_follow_up
        Standard errors of those values from noise, registration and partial volume, without the floor.
    floor
        Error that all voxels of a lesion share, from scan and rescan (`remyelin.trial.floor.error_floor`).
    correction
        ``"expected"`` subtracts the expected rise (needs `se_baseline` or `floor`); ``"second-baseline"``
        needs `second_baseline`; ``"cross-fit"`` needs `half_a` and `half_b`.
    prior
        Of ``"expected"``: see `remyelin.trial.regression.expected_regression`.
    second_baseline
        A second scan before treatment.
    half_a, half_b
        Baseline means of two halves of each lesion's voxels.

    Raises
    ------
    InputError
        For arrays of unequal shape, standard errors that are not positive, an unknown option, or a correction
        without what it needs.

    Notes
    -----
    The published endpoint: Brown et al. 2021, 10.1016/S1474-4422(21)00179-4.

    Examples
    --------
    >>> rng = np.random.default_rng(7)
    >>> truth = rng.normal(31, 3, (50, 40))
    >>> before, after = rng.normal(truth, 1.0), rng.normal(truth, 1.0)
    >>> change = submedian_change(before, after, floor=ErrorFloor.given(1.0))
    >>> change.frame[["plain_pu", "rtm_pu", "corrected_pu"]].mean().round(2).tolist()
    [0.23, 0.25, -0.02]
    """
    _option("correction", correction, get_args(Correction))
    _option("prior", prior, get_args(Prior))
    if correction == "second-baseline" and second_baseline is None:
        raise _needs("second_baseline", correction)
    if correction == "cross-fit" and (half_a is None or half_b is None):
        raise _needs("half_a and half_b", correction)
    values = np.atleast_2d(np.asarray(baseline, dtype=np.float64))
    grid = partial(_grid, shape=values.shape)
    lesions = Lesions(
        baseline=values,
        follow_up=grid("follow_up", follow_up),
        baseline_variance=_variance(values.shape, "se_baseline", se_baseline, floor),
        follow_up_variance=_variance(values.shape, "se_follow_up", se_follow_up, floor),
        floor=floor,
        second=grid("second_baseline", second_baseline),
        half_a=grid("half_a", half_a),
        half_b=grid("half_b", half_b),
    )
    return _estimate(lesions, correction, prior)


def _estimate(lesions: Lesions, correction: Correction, prior: Prior) -> SubmedianChange:
    picked, median, _ = below_median(lesions.baseline)
    lesion = np.isfinite(lesions.baseline)
    measured_again = lesion & np.isfinite(lesions.follow_up)
    used = picked & measured_again
    change = lesions.follow_up - lesions.baseline
    variance = lesions.baseline_variance + lesions.follow_up_variance
    columns: dict[str, npt.NDArray[Any]] = {
        "n_lesions": lesion.sum(axis=1),
        "n_selected": picked.sum(axis=1),
        "n_at_median": (lesions.baseline == median[:, None]).sum(axis=1),
        "n_used": used.sum(axis=1),
        "median_pu": median,
    }
    found = []
    for name, weight in (("plain", measured_again.astype(np.float64)), ("weighted", lesions.precision())):
        weight = np.where(measured_again, weight, 0.0)
        mean = average(change, used, weight)
        rise = regression(lesions, correction, prior, mean, weight)
        prefix = "" if name == "plain" else "weighted_"
        columns |= {
            f"{name}_pu": mean,
            f"{name}_se_pu": mean_error(change, variance, used, weight),
            f"{prefix}baseline_pu": average(lesions.baseline, used, weight),
            f"{prefix}rtm_pu": rise.rtm_pu,
            f"{prefix}corrected_pu": mean - rise.rtm_pu,
            f"{prefix}floor_se_pu": rise.floor_se_pu,
            f"{prefix}shape_se_pu": rise.shape_se_pu,
            f"{prefix}left_pu": rise.left_pu,
        }
        found.append(rise.expected)
    frame = pd.DataFrame(columns)
    frame["reason"] = [_reason(row, correction, prior) for row in frame.to_dict("records")]
    expected = found[0]
    return SubmedianChange(
        frame=frame,
        correction=correction,
        prior=prior,
        floor=lesions.floor,
        between_sd_pu=_middle(expected.between_sd_pu) if expected else float("nan"),
        shape=expected.shape if expected else 1.0,
        shape_se=expected.shape_se if expected else 0.0,
    )


def mean_error(change: FloatArray, variance: FloatArray, use: BoolArray, weight: FloatArray) -> FloatArray:
    """(participant,) standard error of a weighted mean change over the lesions in `use`.

    From the lesions' own errors where all of them have one, else from the spread of the changes between
    lesions, which also holds their true differences and needs 2 lesions.
    """
    w = np.where(use, weight, 0.0)
    total = np.sum(w, axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        own = np.sqrt(np.sum(w**2 * variance, axis=1, where=use)) / total
        n = use.sum(axis=1)
        centred = change - average(change, use, weight)[:, None]
        enough = np.where(n > 1, n / (n - 1), np.nan)
        spread = np.sqrt(np.sum(w**2 * centred**2, axis=1, where=use) * enough) / total
    return np.asarray(np.where(np.isfinite(own), own, spread))


def _middle(values: FloatArray) -> float:
    finite = values[np.isfinite(values)]
    return float(np.median(finite)) if finite.size else float("nan")


def _grid(name: str, values: npt.ArrayLike | None, shape: tuple[int, ...]) -> FloatArray:
    """The values as (participant, lesion); NaN where there are none."""
    if values is None:
        return np.full(shape, np.nan)
    array = np.asarray(values, dtype=np.float64)
    if array.ndim == 0 and name.startswith("se_"):
        return np.full(shape, float(array))
    array = np.atleast_2d(array)
    if array.shape != shape:
        raise InputError(
            "", name, f"of shape {array.shape}", f"the shape of baseline, {shape}", "give one a lesion"
        )
    return array


def _variance(
    shape: tuple[int, ...], name: str, values: npt.ArrayLike | None, floor: ErrorFloor | None
) -> FloatArray:
    """Error variances; without se the floor alone stands for the whole error."""
    se = _grid(name, values, shape)
    if (se < 0).any():
        raise InputError("", name, "negative", "standard errors of 0 or more", "give standard errors in pu")
    own = np.zeros_like(se) if values is None and floor is not None else se**2
    return np.asarray(own + (floor.variance_pu2 if floor else 0.0))


def _option(name: str, value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        raise InputError("", name, repr(value), f"one of {', '.join(known)}", "name one of these")


def _needs(what: str, correction: str) -> InputError:
    return InputError("", what, "not given", f"needed by {correction!r}", "give it, or choose 'expected'")


def _reason(row: dict[Any, Any], correction: str, prior: str) -> str:
    """Why a participant has no value, in words; empty if it has one."""
    n, picked = row["n_lesions"], row["n_selected"]
    if n == 0:
        return "no lesion with a baseline"
    if n == 1:
        return "one lesion: it cannot lie below the median of one"
    if picked == 0:
        return f"all {n} lesions at the median: none lies below it"
    if row["n_used"] == 0:
        return f"none of the {picked} lesions below the median was measured at follow-up"
    if np.isfinite(row["corrected_pu"]):
        return ""
    if correction == "expected" and prior == "participant" and n == 2:
        return "regression to the mean not estimated: two lesions do not show their own variance"
    lack = {
        "expected": "the error of its lesions",
        "second-baseline": "a second baseline",
        "cross-fit": "a half-sample of its lesions",
    }
    return f"regression to the mean not estimated: {lack[correction]} is not known"
