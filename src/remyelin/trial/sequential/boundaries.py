"""Critical values and futility bounds, stage by stage."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy.optimize import brentq

from remyelin.trial.sequential.walk import START, Walk, exits

FloatArray = npt.NDArray[np.float64]

HIGHEST_Z = 38.0
"""Where the normal tail ends in double precision."""


def family(
    times: Sequence[float], error: float, delta: float, lower: FloatArray | None, sided: int
) -> FloatArray:
    """Critical z values c * t^(delta - 1/2) with which a trial without effect rejects upwards with `error`.

    Wang & Tsiatis (1987, 10.2307/2531959); delta 0 is O'Brien-Fleming (1979, 10.2307/2530245), 1/2 Pocock
    (1977, 10.1093/biomet/64.2.191). `lower` (look - 1,) are binding futility bounds.
    """
    shape = np.asarray(times, dtype=np.float64) ** (delta - 0.5)

    def excess(c: float) -> float:
        upper = c * shape
        down = -upper if sided == 2 else closed(lower, upper)
        return float(exits(down, upper, times, 0.0)[0].sum() - error)

    floor = 1e-6 if lower is None else 1e-6 + max(0.0, float(np.max(lower / shape[:-1], initial=0.0)))
    return np.asarray(brentq(excess, floor, HIGHEST_Z, xtol=1e-13, rtol=1e-14) * shape)


def closed(lower: FloatArray | None, upper: FloatArray) -> FloatArray:
    """Lower bounds of all looks: none if `lower` is None, and at the last look the critical value."""
    if lower is None:
        lower = np.full(len(upper) - 1, -np.inf)
    return np.append(lower, upper[-1])


def spending(
    times: Sequence[float],
    alpha_spent: FloatArray,
    *,
    sided: int = 1,
    beta_spent: FloatArray | None = None,
    drift: float = 0.0,
    futility: FloatArray | None = None,
    binding: bool = False,
    ends: bool = True,
) -> tuple[FloatArray, FloatArray | None]:
    """Critical values that spend `alpha_spent` (look,) of one side, and futility bounds.

    Futility bounds are `futility` (interim look,) as given, or are found: those that spend `beta_spent`
    (look,) if the score has `drift`. They count in the critical values only if `binding`. A last look has
    none; if the trial does not end there (`ends`), all looks are interim looks.
    """
    shortest = float(np.diff([0.0, *times]).min())
    null, effect = START, START
    upper, lower = np.empty(len(times)), np.full(len(times) - ends, -np.inf)
    alphas = np.diff(alpha_spent, prepend=0.0)
    betas = None if beta_spent is None else np.diff(beta_spent, prepend=0.0)
    for look, time in enumerate(times):
        upper[look] = _leaving(null, alphas[look], time, 0.0)
        if look == len(lower):
            break
        if futility is not None:
            lower[look] = futility[look]
        elif betas is not None:
            found = -_leaving(effect.mirrored(), betas[look], time, -drift * time)
            lower[look] = min(found, upper[look])
            effect = effect.on(lower[look], upper[look], time, drift * time, shortest)
        low = -upper[look] if sided == 2 else lower[look] if binding else -np.inf
        null = null.on(low, upper[look], time, 0.0, shortest)
    return upper, None if futility is None and betas is None else lower


def drift_of(lower: FloatArray, upper: FloatArray, times: Sequence[float], power: float) -> float:
    """Drift with which a trial rejects upwards with probability `power`."""

    def lack(drift: float) -> float:
        return float(exits(lower, upper, times, drift)[0].sum() - power)

    return float(brentq(lack, 0.0, HIGHEST_Z, xtol=1e-12, rtol=1e-13))


def drift_of_spent(
    times: Sequence[float], alpha_spent: FloatArray, beta_spent: FloatArray, binding: bool
) -> float:
    """Drift with which bounds that spend `beta_spent` leave a trial the power 1 - beta."""

    def lack(drift: float) -> float:
        upper, lower = spending(times, alpha_spent, beta_spent=beta_spent, drift=drift, binding=binding)
        return float(exits(closed(lower, upper), upper, times, drift)[0].sum() - (1 - beta_spent[-1]))

    high = 2.0
    while lack(high) < 0 and high < HIGHEST_Z:
        high += 1.0
    return float(brentq(lack, high - 2.0, high, xtol=1e-11, rtol=1e-12))


def _leaving(walk: Walk, share: float, time: float, mean: float) -> float:
    """The z value that `share` of all trials reaches at the next look; infinite if there is no share."""
    most = walk.above(-HIGHEST_Z, time, mean)
    if share < 1e-300:
        return np.inf
    if share >= most:
        return -HIGHEST_Z
    return float(brentq(lambda z: walk.above(z, time, mean) - share, -HIGHEST_Z, HIGHEST_Z, xtol=1e-13))
