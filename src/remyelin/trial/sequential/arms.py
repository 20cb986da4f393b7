"""Several arms against one control, through stages that each arm must pass."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from itertools import product

import numpy as np
import numpy.typing as npt

from remyelin.trial.sequential.walk import FloatArray

NODES = 48
"""Gauss-Legendre points over what a z value of a stage may be."""

PATHS = {1: 48, 2: 40, 3: 16, 4: 9}
"""Gauss-Hermite points a stage for the outcome of the control arm, by the number of stages."""

REACH_SD = 8.0


def pass_all(lower: npt.ArrayLike, steps: Sequence[float]) -> FloatArray:
    """Probability that standard normal values exceed `lower` at every stage.

    Parameters
    ----------
    lower
        (case, stage).
    steps
        (stage - 1,) correlation of each stage with the next, below 1; stages further apart have the product.

    Examples
    --------
    >>> pass_all([[0.0, 0.0]], [0.5]).round(6).tolist()  # 1/4 + asin(0.5) / (2 pi)
    [0.333333]
    """
    from scipy.special import ndtr

    floor = np.asarray(lower, dtype=np.float64)
    if not len(steps):
        return np.asarray(ndtr(-floor[:, 0]))
    z, weights = _above(floor[:, 0])
    mass = weights * np.exp(-0.5 * z**2) / np.sqrt(2 * np.pi)
    for stage, r in enumerate(steps[:-1], start=1):
        spread = np.sqrt(1 - r**2)
        following, weights = _above(floor[:, stage])
        kernel = np.exp(-0.5 * ((following[:, :, None] - r * z[:, None, :]) / spread) ** 2)
        mass = weights * np.einsum("cij,cj->ci", kernel, mass) / (spread * np.sqrt(2 * np.pi))
        z = following
    r = steps[-1]
    return np.asarray(np.sum(mass * ndtr((r * z - floor[:, -1:]) / np.sqrt(1 - r**2)), axis=1))


def any_passes(lower: Sequence[float], steps: Sequence[float], arms: int, between: float) -> float:
    """Probability that at least one of `arms` exceeds `lower` (stage,) at every stage.

    The comparisons share their control: two of them correlate `between` at each stage (Dunnett 1955,
    10.2307/2281208), so that given the control they are independent.
    """
    if arms == 1:
        return float(pass_all(np.asarray(lower)[None], steps)[0])
    control, weights = _control(tuple(steps))
    given = (np.asarray(lower) - np.sqrt(between) * control) / np.sqrt(1 - between)
    return float(weights @ (1 - (1 - pass_all(given, steps)) ** arms))


def all_pass(lower: Sequence[float], steps: Sequence[float], arms: int, between: float) -> float:
    """Probability that every one of `arms` exceeds `lower` (stage,) at every stage."""
    control, weights = _control(tuple(steps))
    given = (np.asarray(lower) - np.sqrt(between) * control) / np.sqrt(1 - between)
    return float(weights @ pass_all(given, steps) ** arms)


def _above(floor: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Points and weights (case, node) from each floor to where the normal density ends."""
    x, w = _legendre()
    low = np.clip(floor, -REACH_SD, REACH_SD)[:, None]
    half = (REACH_SD - low) / 2
    return low + half * (1 + x), half * w


@lru_cache(maxsize=1)
def _legendre() -> tuple[FloatArray, FloatArray]:
    x, w = np.polynomial.legendre.leggauss(NODES)
    return x, w


@lru_cache(maxsize=4)
def _control(steps: tuple[float, ...]) -> tuple[FloatArray, FloatArray]:
    """What the control may do: standard normal values (path, stage) of correlation `steps`; weights."""
    stages = len(steps) + 1
    x, w = np.polynomial.hermite_e.hermegauss(PATHS[stages])
    free = np.array(list(product(x, repeat=stages)))
    weights = np.prod(list(product(w, repeat=stages)), axis=1) / np.sqrt(2 * np.pi) ** stages
    values = free.copy()
    for stage, r in enumerate(steps, start=1):
        values[:, stage] = r * values[:, stage - 1] + np.sqrt(1 - r**2) * free[:, stage]
    return values, weights
