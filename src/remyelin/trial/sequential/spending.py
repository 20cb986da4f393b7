"""How the error that a trial may make is spent on its looks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
import numpy.typing as npt

from remyelin.errors import InputError

FloatArray = npt.NDArray[np.float64]
Spending = Literal["OF", "P", "KD", "HSD"]


def spent(kind: Spending, times: Sequence[float], error: float, gamma: float | None = None) -> FloatArray:
    """Error spent up to each information rate.

    Parameters
    ----------
    kind
        ``"OF"`` and ``"P"``: like O'Brien-Fleming and like Pocock (Lan & DeMets 1983,
        10.1093/biomet/70.3.659); ``"KD"``: error * t^gamma (Kim & DeMets 1987, 10.1093/biomet/74.1.149);
        ``"HSD"``: error * (1 - exp(-gamma t)) / (1 - exp(-gamma)) (Hwang, Shih & De Cani 1990,
        10.1002/sim.4780091207).
    times
        (look,) information as a share of the greatest; beyond 1 nothing more is spent.
    error
        All that may be spent, of one side.
    gamma
        Of KD (positive) and HSD (any number; negative spends late).

    Raises
    ------
    InputError
        For a `gamma` that is missing, superfluous or not positive.

    Examples
    --------
    >>> spent("OF", [0.5, 1.0], 0.025).round(5).tolist()
    [0.00153, 0.025]
    >>> spent("HSD", [0.5, 1.0], 0.025, gamma=-4).round(5).tolist()
    [0.00298, 0.025]
    """
    from scipy.special import ndtr, ndtri

    t = np.minimum(np.asarray(times, dtype=np.float64), 1.0)
    shape = _shape(kind, gamma)
    if kind == "OF":
        return np.asarray(2 * ndtr(ndtri(error / 2) / np.sqrt(t)))
    if kind == "P":
        return error * np.log1p((np.e - 1) * t)
    if kind == "KD":
        return np.asarray(error * t**shape)
    return np.asarray(error * (t if shape == 0 else np.expm1(-shape * t) / np.expm1(-shape)))


def _shape(kind: Spending, gamma: float | None) -> float:
    wants = kind in ("KD", "HSD")
    if wants and gamma is None:
        example = "1 spends evenly, 3 late" if kind == "KD" else "-4 spends late, 1 early"
        raise InputError("", "gamma", "not given", f"the parameter of {kind} spending", f"give it: {example}")
    if not wants and gamma is not None:
        raise InputError("", "gamma", f"{gamma:g}", f"none: {kind} spending has no parameter", "leave it out")
    if kind == "KD" and not (gamma is not None and 0 < gamma < np.inf):
        raise InputError("", "gamma", f"{gamma}", "a positive number for KD spending", "1 spends evenly")
    if gamma is not None and not np.isfinite(gamma):
        raise InputError("", "gamma", f"{gamma}", "a finite number", "-4 spends late, 1 early")
    return 0.0 if gamma is None else float(gamma)
