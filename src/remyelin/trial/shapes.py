"""Candidate shapes of a dose-response, tested together: also one that rises and falls."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from remyelin.errors import InputError, did_you_mean
from remyelin.trial import maxt
from remyelin.trial.design import FloatArray

Shapes = Sequence[str] | Mapping[str, npt.ArrayLike]
Alternative = Literal["two-sided", "greater", "less"]
SHAPES = ("linear", "emax", "umbrella")
ALTERNATIVES = ("two-sided", "greater", "less")


def named_shape(name: str, scores: FloatArray) -> FloatArray:
    """(dose,) a shape over the scores of the doses, 0 at the lowest.

    ``"linear"``: s. ``"emax"``: s / (s_1 + s), half of the largest effect at the lowest active dose.
    ``"umbrella"``: s (s_max - s), the peak in the middle. None of them has a number that was chosen.

    Examples
    --------
    >>> named_shape("umbrella", np.arange(5.0))
    array([0., 3., 4., 3., 0.])
    """
    if name not in SHAPES:
        raise InputError("", "shapes", repr(name), "a shape", did_you_mean(name, SHAPES))
    s = scores - scores[0]
    if name == "linear":
        return np.asarray(s)
    return np.asarray(s / (s[1] + s) if name == "emax" else s * (s[-1] - s))


def compare_shapes(
    means: FloatArray,
    vcov: FloatArray,
    df: float,
    scores: FloatArray,
    doses: Sequence[str],
    shapes: Shapes,
    alternative: Alternative,
) -> pd.DataFrame:
    """Each shape's optimal contrast of the means, and p values adjusted for all of them.

    The contrast is the one with the most power if its shape is true (Bretz et al. 2005,
    10.1111/j.1541-0420.2005.00344.x), for means of any covariance as Pinheiro et al. 2014
    (10.1002/sim.6052): c = S^-1 (m - (1'S^-1 m / 1'S^-1 1) 1). The largest statistic is compared with the
    exact joint t (or normal) distribution of all.

    Parameters
    ----------
    means, vcov, df
        Of the doses; degrees of freedom infinite for a normal reference.
    scores, doses
        (dose,) rising; their names.
    shapes
        Names of `SHAPES`, or a mapping of a name to (dose,) values of any scale.
    alternative
        ``"two-sided"``; or ``"greater"`` or ``"less"`` than at the lowest dose.

    Returns
    -------
    pandas.DataFrame
        Index ``shape``; columns ``t, df, p, p_adjusted`` and the contrast, a column a dose, of length 1.

    Examples
    --------
    >>> found = compare_shapes(np.array([0.0, 1, 0]), np.eye(3) / 4, np.inf, np.arange(3.0),
    ...                        ["0", "3", "10"], ("linear", "umbrella"), "two-sided")
    >>> print(found.round(3).to_string())
                  t   df      p  p_adjusted      0      3     10
    shape
    linear    0.000  inf  1.000       1.000 -0.707  0.000  0.707
    umbrella  1.633  inf  0.102       0.194 -0.408  0.816 -0.408
    """
    from scipy.special import stdtr

    if alternative not in ALTERNATIVES:
        raise InputError("", "alternative", repr(alternative), "an alternative", "use one of the three")
    table = _candidates(shapes, scores)
    weights = np.linalg.inv(vcov)
    total = weights.sum()
    rows = []
    for values in table.values():
        row = weights @ (values - (weights.sum(axis=0) @ values) / total)
        rows.append(row / np.linalg.norm(row))
    L = np.array(rows)
    joint = L @ vcov @ L.T
    se = np.sqrt(np.diag(joint))
    t = L @ means / se
    two_sided = alternative == "two-sided"
    toward = np.abs(t) if two_sided else t if alternative == "greater" else -t
    columns = {
        "t": t,
        "df": np.full(len(t), df),
        "p": (2 if two_sided else 1) * stdtr(df, -toward),
        "p_adjusted": maxt.adjusted_p(toward, joint / np.outer(se, se), df, two_sided=two_sided),
    }
    columns |= {dose: L[:, k] for k, dose in enumerate(doses)}
    return pd.DataFrame(columns, index=pd.Index(list(table), name="shape"))


def _candidates(shapes: Shapes, scores: FloatArray) -> dict[str, FloatArray]:
    if isinstance(shapes, Mapping):
        table = {name: np.asarray(values, dtype=np.float64) for name, values in shapes.items()}
    else:
        table = {name: named_shape(name, scores) for name in shapes}
    if not table:
        raise InputError(
            "", "shapes", "none", "one shape or more", "name the shapes that are thought possible"
        )
    for name, values in table.items():
        if values.shape != scores.shape or not np.isfinite(values).all() or np.ptp(values) == 0:
            raise InputError(
                "", f"shape {name}", f"{values.tolist()}", f"{len(scores)} finite values, not all the same",
                "give the mean that is thought possible at each dose",
            )  # fmt: skip
    return table
