"""Power of a t test, exactly, and the number or effect that reaches a power."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from remyelin.errors import InputError

FloatArray = npt.NDArray[np.float64]
MOST = 1_000_000


def t_power(ncp: npt.ArrayLike, df: npt.ArrayLike, alpha: float = 0.05, sided: int = 2) -> FloatArray:
    """Probability of a significant result in the direction of the effect.

    P(T > t(1 - alpha/sided, df)), T noncentral t with noncentrality ``ncp`` = effect / standard error
    (Johnson, Kotz & Balakrishnan 1995, Continuous Univariate Distributions 2, chapter 31). A significant
    result in the wrong direction is no success and is not counted; R's `power.t.test` counts alike.

    Parameters
    ----------
    ncp
        Any shape; positive in the direction of the effect that is looked for.
    df
        Degrees of freedom, of the same shape or one for all.
    alpha, sided
        Type I error, two-sided or one-sided.

    Examples
    --------
    >>> t_power(2.9, 126).round(3).item()
    0.821
    """
    from scipy.special import nctdtr, ndtr, stdtrit

    shift = np.asarray(ncp, dtype=np.float64)
    freedom = np.asarray(df, dtype=np.float64)
    critical = stdtrit(freedom, 1 - alpha / sided)
    power = 1 - nctdtr(freedom, np.clip(shift, -30.0, 30.0), critical)
    # Where the series of the distribution gives up (many thousand participants), the normal one is exact to
    # 1e-5.
    return np.asarray(np.where(np.isfinite(power), power, ndtr(shift - critical)), dtype=np.float64)


def smallest(power_at: Callable[[float], float], power: float, least: float) -> float:
    """The smallest number, not rounded, whose power is at least `power`.

    Parameters
    ----------
    power_at
        Power as a function of the number; it rises.
    power
        Between 0 and 1.
    least
        The smallest number that can be analysed.

    Raises
    ------
    InputError
        If a million are not enough.
    """
    if power_at(least) >= power:
        return least
    low, high = least, 2 * least
    while power_at(high) < power:
        if high >= MOST:
            raise InputError(
                "", "effect", f"so small that {MOST:,} participants do not reach a power of {power:g}",
                "an effect that a trial can find", "give a larger effect, in the unit of the SD",
            )  # fmt: skip
        low, high = high, min(2 * high, MOST)
    return root(lambda n: power_at(n) - power, low, high)


def root(rising: Callable[[float], float], low: float, high: float) -> float:
    """Where a rising function is 0, by bisection to 1e-12 of `high`; to import SciPy's takes longer.

    Examples
    --------
    >>> round(root(lambda x: x * x - 2, 0.0, 2.0), 9)
    1.414213562
    """
    while high - low > 1e-12 * max(abs(high), 1.0):
        middle = (low + high) / 2
        low, high = (low, middle) if rising(middle) >= 0 else (middle, high)
    return (low + high) / 2


def check_power(power: float, alpha: float) -> None:
    """Refuse a power that is none, or that the type I error reaches by itself."""
    if not alpha < power < 1:
        raise InputError("", "power", f"{power:g}", f"between alpha ({alpha:g}) and 1", "write 0.8 or 0.9")
