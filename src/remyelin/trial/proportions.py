"""Two proportions: intervals and exact tests of a two by two table."""

from __future__ import annotations

import numpy as np

from remyelin.trial.design import FloatArray


def wilson(events: float, n: float, alpha: float) -> tuple[float, float]:
    """Interval of a proportion (Wilson 1927, 10.1080/01621459.1927.10502953).

    Examples
    --------
    >>> [round(each, 4) for each in wilson(15, 20, 0.05)]
    [0.5313, 0.8881]
    """
    from scipy.special import ndtri

    z = float(ndtri(1 - alpha / 2))
    p = events / n
    centre = (p + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * np.sqrt(p * (1 - p) / n + z**2 / (4 * n**2))
    return max(0.0, float(centre - half)), min(1.0, float(centre + half))


def newcombe(events: float, n: float, events_0: float, n_0: float, alpha: float) -> tuple[float, float]:
    """Interval of the difference of two proportions, from their Wilson intervals.

    Method 10 of Newcombe 1998 (10.1002/(SICI)1097-0258(19980430)17:8<873::AID-SIM779>3.0.CO;2-I).

    Examples
    --------
    His example a, 56/70 against 48/80:

    >>> [round(each, 4) for each in newcombe(56, 70, 48, 80, 0.05)]
    [0.0524, 0.3339]
    """
    p, q = events / n, events_0 / n_0
    (low, high), (low_0, high_0) = wilson(events, n, alpha), wilson(events_0, n_0, alpha)
    return (
        float(p - q - np.hypot(p - low, high_0 - q)),
        float(p - q + np.hypot(high - p, q - low_0)),
    )


def fisher(events: int, n: int, events_0: int, n_0: int) -> tuple[float, float]:
    """Two-sided p values: Fisher's exact test, and mid-p: tables as likely as the observed one count half.

    Mid-p keeps close to alpha where Fisher's test is conservative (Lydersen et al. 2009, 10.1002/sim.3531).

    Examples
    --------
    >>> [round(each, 4) for each in fisher(8, 10, 3, 10)]
    [0.0698, 0.0376]
    """
    from scipy.stats import hypergeom

    total = events + events_0
    every = hypergeom(n + n_0, total, n)
    counts = np.arange(max(0, total - n_0), min(n, total) + 1)
    each, seen = every.pmf(counts), float(every.pmf(events))
    tied = np.abs(each - seen) <= 1e-7 * seen  # rounding must not tell tied tables apart
    p = min(1.0, float(each[tied | (each < seen)].sum()))
    return p, p - float(each[tied].sum()) / 2


def mantel_haenszel(tables: FloatArray) -> tuple[float, float, float]:
    """Common odds ratio of strata: its logarithm, the standard error, and the p value of no effect.

    Mantel & Haenszel 1959 (10.1093/jnci/22.4.719; no continuity correction); standard error by Robins,
    Breslow & Greenland 1986 (10.2307/2531052).

    Parameters
    ----------
    tables
        (stratum, 4): events and others of the arm, events and others of the reference.

    Examples
    --------
    >>> log, se, p = mantel_haenszel(np.array([[8.0, 2, 4, 6], [6, 4, 3, 7]]))
    >>> round(float(np.exp(log)), 3), round(se, 3), round(p, 3)
    (4.5, 0.69, 0.029)
    """
    from scipy.special import chdtrc

    a, b, c, d = tables.T
    n = tables.sum(axis=1)
    right, left = a * d / n, b * c / n
    R, S = right.sum(), left.sum()
    P, Q = (a + d) / n, (b + c) / n
    variance = (P @ right) / (2 * R**2) + (P @ left + Q @ right) / (2 * R * S) + (Q @ left) / (2 * S**2)
    expected = (a + b) * (a + c) / n
    spread = (a + b) * (c + d) * (a + c) * (b + d) / (n**2 * np.maximum(n - 1, 1))
    chisq = float(np.sum(a - expected)) ** 2 / float(spread.sum())
    return float(np.log(R / S)), float(np.sqrt(variance)), float(chdtrc(1, chisq))
