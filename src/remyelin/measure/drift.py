"""Scanner drift: scaling the values of each visit by a reference that is assumed not to change."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from remyelin.errors import InputError

FloatArray = NDArray[np.float64]
Normalisation = Literal["none", "nawm", "phantom"]

_ASSUMES: dict[str, str] = {
    "none": "Values are as measured: a drift of the scanner between visits is part of every change.",
    "nawm": (
        "Values of each visit are multiplied so that normal-appearing white matter keeps the MTR of {first}. "
        "This assumes that it did not change between the visits: a treatment or disease that changes it is "
        "removed together with the drift, and that drift acts as one factor on all tissue."
    ),
    "phantom": (
        "Values of each visit are multiplied so that the phantom keeps the MTR of {first}. This assumes that "
        "the phantom is stable (its temperature too), and that drift acts on tissue by the same factor."
    ),
}


@dataclass(frozen=True, slots=True)
class Normalised:
    """Values after normalisation, with what was done to them.

    Parameters
    ----------
    values, se
        (lesion, visit), with the uncertainty of the factors in `se`. The error of a factor is shared by all
        lesions of a visit, so it does not average out over lesions: `factor_se` says how large it is.
    factor, factor_se
        (visit,); 1 and 0 at the first visit.
    method
        ``"none"``, ``"nawm"`` or ``"phantom"``.
    assumes
        What the result rests on, for the report.
    """

    values: FloatArray
    se: FloatArray
    factor: FloatArray
    factor_se: FloatArray
    method: str
    assumes: str


def normalise(
    values: ArrayLike,
    se: ArrayLike,
    *,
    method: Normalisation,
    visits: Sequence[str],
    reference: ArrayLike | None = None,
    reference_se: ArrayLike | None = None,
) -> Normalised:
    """Scale lesion values by a reference region or a phantom.

    The factor of visit v is reference(first) / reference(v). Its error holds that of both references, so the
    variance of a change from the first visit is the sum of the two variances given.

    Parameters
    ----------
    values, se
        (lesion, visit) pu, visits in time order, the first being the one that keeps its values; NaN allowed.
    method
        ``"none"`` returns the values as they are.
    visits
        Their names.
    reference, reference_se
        (visit,) MTR of the reference and its standard error; needed unless the method is ``"none"``.

    Returns
    -------
    Normalised

    Raises
    ------
    InputError
        An unknown method; a reference that is missing, not positive or of another length. A visit whose
        reference is missing is never left unscaled among scaled ones.

    Examples
    --------
    >>> result = normalise([[28, 30]], [[.5, .5]], method="nawm", visits=["M00", "M06"],
    ...                    reference=[40, 41], reference_se=[.05, .05])
    >>> result.values.round(2), result.se.round(3)
    (array([[28.  , 29.27]]), array([[0.5 , 0.49]]))
    """
    value, error = np.array(values, np.float64), np.array(se, np.float64)
    if method not in get_args(Normalisation):
        raise InputError("", "normalise", repr(method), "none, nawm or phantom", "choose one in the protocol")
    if value.shape != error.shape or value.ndim != 2 or value.shape[1] != len(visits):
        found = f"shapes {value.shape} and {error.shape}"
        raise InputError("", "values", found, f"(lesion, {len(visits)}) both", "give one value a visit")
    factor, factor_se = np.ones(len(visits)), np.zeros(len(visits))
    if method != "none":
        mean = _reference(reference, method, visits)
        relative = _reference_se(reference_se, method, visits) / mean
        factor = mean[0] / mean
        factor_se[1:] = factor[1:] * np.hypot(relative[0], relative[1:])
    return Normalised(
        values=value * factor,
        se=np.hypot(error * factor, value * factor_se),
        factor=factor,
        factor_se=factor_se,
        method=method,
        assumes=_ASSUMES[method].format(first=visits[0]),
    )


def _reference(reference: ArrayLike | None, method: str, visits: Sequence[str]) -> FloatArray:
    mean = _per_visit(reference, f"MTR of the {method} reference", visits)
    for visit, value in zip(visits, mean, strict=True):
        if not 0 < value < np.inf:
            raise InputError(
                "", f"MTR of the {method} reference at {visit}", f"{value:g}", "a value above 0 pu",
                f"give the reference at {visit}, leave this visit out, or choose normalise = 'none'",
            )  # fmt: skip
    return mean


def _reference_se(reference_se: ArrayLike | None, method: str, visits: Sequence[str]) -> FloatArray:
    error = _per_visit(reference_se, f"standard error of the {method} reference", visits)
    if not ((error >= 0) & np.isfinite(error)).all():
        found = ", ".join(f"{value:g}" for value in error)
        raise InputError(
            "", f"standard error of the {method} reference", found, "0 or more", "give one a visit"
        )
    return error


def _per_visit(values: ArrayLike | None, name: str, visits: Sequence[str]) -> FloatArray:
    array = np.array([] if values is None else values, np.float64)
    if array.shape != (len(visits),):
        found = "missing" if values is None else f"{array.size} values"
        raise InputError("", name, found, f"one for each of {len(visits)} visits", "give it at every visit")
    return array
