"""The measurement's own standard error as a known part of the variance of a row."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from remyelin.errors import InputError

FloatArray = npt.NDArray[np.float64]


def known_variance(se: str | npt.ArrayLike | None, data: pd.DataFrame) -> FloatArray:
    """(row,) se^2 of a table; zeros where no standard error is given.

    Parameters
    ----------
    se
        A column of `data`, an array (row,) in the unit of the response, or None.
    data
        The rows of the analysis.

    Raises
    ------
    InputError
        For a column that is not there, another length, or values that are negative, missing or not finite.

    Examples
    --------
    >>> known_variance("se", pd.DataFrame({"se": [0.5, 2.0]}))
    array([0.25, 4.  ])
    """
    if se is None:
        return np.zeros(len(data))
    name = se if isinstance(se, str) else "se"
    if isinstance(se, str) and se not in data.columns:
        known = ", ".join(str(each) for each in data.columns)
        raise InputError(
            "", se, f"not a column of the data, which has {known}", "the standard error of each row",
            "add the column se of the measurements, or leave se out",
        )  # fmt: skip
    try:
        values = np.asarray(data[se] if isinstance(se, str) else se, dtype=np.float64)
    except (TypeError, ValueError):
        raise InputError(
            "", name, "text or categories", "numbers in the unit of the response", "give decimal numbers"
        ) from None
    if values.shape != (len(data),):
        raise InputError(
            "", name, f"of shape {values.shape}", f"{len(data)} values, one a row", "give one for each row"
        )
    wrong = np.flatnonzero(~(np.isfinite(values) & (values >= 0)))
    if wrong.size:
        where = f"{wrong.size} of {len(values)} rows (first: row {wrong[0] + 1})"
        raise InputError(
            "", name, f"negative, missing or not finite in {where}",
            "a standard error of 0 or more in every row", "complete it, or leave those rows out and say so",
        )  # fmt: skip
    return values**2
