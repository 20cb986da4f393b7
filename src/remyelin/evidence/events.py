"""What the events of two arms say: ratios with their intervals, tests, percent."""

from __future__ import annotations

import math

import numpy as np

from remyelin.number import check_number

from .arithmetic import critical
from .rounding import Span, exactly

Counts = tuple[int, int, int, int]
"""Events and n of the active arm, events and n of the control."""


def odds_ratio(counts: Counts, level: float = 0.95) -> tuple[float, float, float]:
    """Odds ratio of the active arm and its interval (Woolf 1955, 10.1111/j.1469-1809.1955.tb01348.x).

    Raises
    ------
    InputError
        For counts that are no counts. With an empty cell the interval reaches from 0 to infinity.

    Examples
    --------
    >>> [round(each, 3) for each in odds_ratio((39, 326, 29, 316))]
    [1.345, 0.809, 2.234]
    """
    a, b, c, d = cells(counts)
    if not (a and b and c and d):
        ratio = math.nan if a * d == b * c == 0 else math.inf if b * c == 0 else 0.0
        return ratio, 0.0, math.inf
    ratio = a * d / (b * c)
    half = critical(level) * math.sqrt(1 / a + 1 / b + 1 / c + 1 / d)
    return ratio, ratio * math.exp(-half), ratio * math.exp(half)


def risk_ratio(counts: Counts, level: float = 0.95) -> tuple[float, float, float]:
    """Risk ratio of the active arm and its interval (Katz et al. 1978, 10.2307/2530610).

    Raises
    ------
    InputError
        As `odds_ratio`.

    Examples
    --------
    >>> [round(each, 3) for each in risk_ratio((4, 123, 11, 139))]
    [0.411, 0.134, 1.257]
    """
    a, b, c, d = cells(counts)
    if not (a and c):
        return (math.nan if a == c == 0 else math.inf if a else 0.0), 0.0, math.inf
    ratio = a / (a + b) / (c / (c + d))
    half = critical(level) * math.sqrt(1 / a - 1 / (a + b) + 1 / c - 1 / (c + d))
    return ratio, ratio * math.exp(-half), ratio * math.exp(half)


def p_of_counts(counts: Counts) -> dict[str, float]:
    """Two-sided p of the usual tests of two groups' events: what a paper may mean by p.

    Returns
    -------
    dict
        ``Fisher`` (exact), ``chi-squared`` and ``chi-squared, corrected`` (Yates).

    Raises
    ------
    InputError
        As `odds_ratio`.

    Examples
    --------
    >>> round(p_of_counts((13, 103, 0, 51))["Fisher"], 6)
    0.005061
    """
    from scipy.special import chdtrc
    from scipy.stats import fisher_exact

    a, b, c, d = cells(counts)
    found = {"Fisher": float(fisher_exact(np.array([[a, b], [c, d]])).pvalue)}
    total = a + b + c + d
    margins = (a + b) * (c + d) * (a + c) * (b + d)
    if margins:
        difference = abs(a * d - b * c)
        for name, taken in (("chi-squared", 0.0), ("chi-squared, corrected", total / 2)):
            statistic = total * max(0.0, difference - taken) ** 2 / margins
            found[name] = float(chdtrc(1, statistic))
    return found


def cells(counts: Counts) -> Counts:
    """Events and non-events of both arms.

    Raises
    ------
    InputError
        For counts that are no counts: 0 <= events <= n.

    Examples
    --------
    >>> cells((13, 103, 0, 51))
    (13, 90, 0, 51)
    """
    events, n, events_control, n_control = counts
    for name, value, most in (("events", events, n), ("events of the control", events_control, n_control)):
        check_number(name, most, least=1, whole=True, fix="correct the n of the arm")
        check_number(name, value, least=0, most=most, whole=True, fix="correct the counts of the arm")
    return events, n - events, events_control, n_control - events_control


def percent(events: int, n: int) -> Span:
    """Events as percent of n.

    Examples
    --------
    >>> round(percent(39, 326).value), round(percent(19, 326).value)
    (12, 6)
    """
    return exactly(100 * events / n)


def events_of_percent(share: Span, n: int) -> tuple[int, ...]:
    """The numbers of events out of n that are printed as this percent.

    Examples
    --------
    >>> from remyelin.evidence.rounding import printed
    >>> events_of_percent(printed(12), 326)
    (38, 39, 40)
    """
    first, last = math.ceil(share.low * n / 100 - 1e-9), math.floor(share.high * n / 100 + 1e-9)
    return tuple(range(max(0, first), min(n, last) + 1))
