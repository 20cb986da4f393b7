"""Two proportions: participants, and power."""

from __future__ import annotations

import math

from remyelin.errors import InputError
from remyelin.trial.power.noncentral import check_power, smallest


def sample_size_proportions(
    p1: float, p2: float, *, power: float = 0.8, alpha: float = 0.05, sided: int = 2
) -> float:
    """Participants an arm, not rounded.

    Normal approximation without continuity correction (Fleiss 1981, 3.18), as R's `power.prop.test`.

    Parameters
    ----------
    p1, p2
        Probability of a response in each arm.

    Examples
    --------
    >>> round(sample_size_proportions(0.35, 0.55), 2)
    95.94
    """
    check_power(power, alpha)
    power_proportions(2, p1, p2, alpha=alpha, sided=sided)
    return smallest(lambda n: power_proportions(n, p1, p2, alpha=alpha, sided=sided), power, 1.0)


def power_proportions(n: float, p1: float, p2: float, *, alpha: float = 0.05, sided: int = 2) -> float:
    """Power of `n` participants an arm, by the normal approximation without continuity correction.

    Examples
    --------
    >>> round(power_proportions(96, 0.35, 0.55), 3)
    0.8
    """
    from scipy.special import ndtr, ndtri

    for name, p in (("p1", p1), ("p2", p2)):
        if not 0 < p < 1:
            raise InputError("", name, f"{p:g}", "between 0 and 1", "write 0.35 for 35 %")
    if p1 == p2:
        raise InputError(
            "", "p2", f"{p2:g}, the same as p1", "another probability", "give the effect to be found"
        )
    if n <= 0 or sided not in (1, 2) or not 0 < alpha < 1:
        raise InputError(
            "", "n, alpha, sided", f"{n:g}, {alpha:g}, {sided}", "n > 0, 0 < alpha < 1", "correct it"
        )
    mean = (p1 + p2) / 2
    null = ndtri(1 - alpha / sided) * math.sqrt(2 * mean * (1 - mean))
    return float(ndtr((math.sqrt(n) * abs(p1 - p2) - null) / math.sqrt(p1 * (1 - p1) + p2 * (1 - p2))))
