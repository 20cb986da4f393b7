"""What one published number says of another: p, standard error, interval, SD and n.

Every function takes numbers as they are printed (`rounding.printed`) and gives the span of what they allow.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from .rounding import Span, over


def critical(level: float, df: float = math.inf) -> float:
    """Standard errors from the estimate to the end of its interval.

    Examples
    --------
    >>> round(critical(0.95), 3), round(critical(0.95, df=18), 3), round(critical(0.9), 3)
    (1.96, 2.101, 1.645)
    """
    from scipy.special import ndtri, stdtrit

    upper = (1 + level) / 2
    return float(ndtri(upper) if math.isinf(df) else stdtrit(df, upper))


def p_of_statistic(statistic: float, df: float = math.inf) -> float:
    """Two-sided p of an estimate over its standard error.

    Examples
    --------
    >>> round(p_of_statistic(-1.96), 3), round(p_of_statistic(2.101, df=18), 3), p_of_statistic(math.inf)
    (0.05, 0.05, 0.0)
    """
    from scipy.special import ndtr, stdtr

    size = abs(statistic)
    if math.isinf(size):
        return 0.0
    return float(2 * (ndtr(-size) if math.isinf(df) else stdtr(df, -size)))


def statistic_of_p(p: float, df: float = math.inf) -> float:
    """Size of the statistic with this two-sided p; a little above 0 for a p of 1.

    Examples
    --------
    >>> round(statistic_of_p(0.05), 2)
    1.96
    """
    from scipy.special import ndtri, stdtrit

    tail = min(max(p, 1e-300), 1 - 1e-12) / 2
    return float(-ndtri(tail) if math.isinf(df) else -stdtrit(df, tail))


def se_of_interval(
    low: Span, high: Span, *, level: float = 0.95, df: float = math.inf, ratio: bool = False
) -> Span:
    """Standard error from an interval; of the logarithm for a ratio.

    Parameters
    ----------
    low, high
        Ends of the interval; above 0 for a ratio.
    level
        What it covers.
    df
        Degrees of freedom of t; normal without.
    ratio
        An odds, rate or risk ratio: symmetric as a logarithm.

    Examples
    --------
    >>> from remyelin.evidence.rounding import printed
    >>> round(se_of_interval(printed(-2.4), printed(-0.1)).value, 3)
    0.587
    """
    width = critical(level, df) * 2
    return over(lambda a, b: max(0.0, _scale(ratio)(b) - _scale(ratio)(a)) / width, low, high)


def middle_of_interval(low: Span, high: Span, *, ratio: bool = False) -> Span:
    """The estimate that lies in the middle of an interval; of a ratio, the middle of the logarithms.

    Examples
    --------
    >>> from remyelin.evidence.rounding import printed
    >>> round(middle_of_interval(printed(0.97), printed(3.31), ratio=True).value, 2)
    1.79
    """
    if ratio:
        return over(lambda a, b: math.sqrt(a) * math.sqrt(b), low, high)
    return over(lambda a, b: (a + b) / 2, low, high)


def interval_of_se(
    estimate: Span, se: Span, *, level: float = 0.95, df: float = math.inf, ratio: bool = False
) -> tuple[Span, Span]:
    """The interval of an estimate with its standard error (of the logarithm for a ratio).

    Examples
    --------
    >>> from remyelin.evidence.rounding import printed
    >>> low, high = interval_of_se(printed(8.7), printed(1.88))
    >>> round(low.value, 1), round(high.value, 1)
    (5.0, 12.4)
    """
    c = critical(level, df)
    if ratio:
        return over(lambda e, s: e * math.exp(-c * s), estimate, se), over(
            lambda e, s: e * math.exp(c * s), estimate, se
        )
    return over(lambda e, s: e - c * s, estimate, se), over(lambda e, s: e + c * s, estimate, se)


def p_of_se(estimate: Span, se: Span, *, df: float = math.inf, ratio: bool = False) -> Span:
    """Two-sided p of an estimate with its standard error (of the logarithm for a ratio).

    Examples
    --------
    >>> from remyelin.evidence.rounding import printed
    >>> round(p_of_se(printed(-1.44), printed(0.424)).value, 4)
    0.0007
    """
    if ratio:
        estimate = over(math.log, estimate)
    return over(lambda e, s: p_of_statistic(e / s if s > 0 else math.inf, df), estimate, se)


def se_of_p(estimate: Span, p: Span, *, df: float = math.inf, ratio: bool = False) -> Span:
    """Standard error (of the logarithm for a ratio) of an estimate with its two-sided p.

    Examples
    --------
    >>> from remyelin.evidence.rounding import printed
    >>> round(se_of_p(printed(-4.66), printed(0.014)).value, 2)
    1.9
    """
    if ratio:
        estimate = over(math.log, estimate)
    return over(lambda e, q: abs(e) / statistic_of_p(q, df), estimate, p)


def p_of_interval(
    estimate: Span,
    low: Span,
    high: Span,
    *,
    level: float = 0.95,
    df: float = math.inf,
    ratio: bool = False,
) -> Span:
    """Two-sided p of an estimate from its interval.

    Examples
    --------
    >>> from remyelin.evidence.rounding import printed
    >>> p = p_of_interval(printed(-1.7), printed(-2.9), printed(-0.5))
    >>> round(p.value, 4), round(p.low, 4), round(p.high, 4)
    (0.0055, 0.0029, 0.0097)
    """
    return p_of_se(estimate, se_of_interval(low, high, level=level, df=df, ratio=ratio), df=df, ratio=ratio)


def se_of_sd(sd: Span, n: int) -> Span:
    """Standard error of a mean.

    Examples
    --------
    >>> from remyelin.evidence.rounding import printed
    >>> round(se_of_sd(printed(16), 41).value, 2)
    2.5
    """
    return over(lambda s: s / math.sqrt(n), sd)


def sd_of_se(se: Span, n: int) -> Span:
    """Standard deviation behind the standard error of a mean.

    Examples
    --------
    >>> from remyelin.evidence.rounding import printed
    >>> round(sd_of_se(printed(0.612), 50).value, 2), round(sd_of_se(printed(2.5), 41).value, 1)
    (4.33, 16.0)
    """
    return over(lambda s: s * math.sqrt(n), se)


def se_of_difference(sd: Span, n: int, sd_control: Span, n_control: int, *, pooled: bool = False) -> Span:
    """Standard error of a difference of two means, variances not pooled unless asked.

    Examples
    --------
    >>> from remyelin.evidence.rounding import printed
    >>> round(se_of_difference(printed(0.98), 25, printed(0.84), 24).value, 2)
    0.26
    """
    if pooled:
        return over(
            lambda a, b: (
                math.sqrt(((n - 1) * a**2 + (n_control - 1) * b**2) / (n + n_control - 2))
                * math.sqrt(1 / n + 1 / n_control)
            ),
            sd,
            sd_control,
        )
    return over(lambda a, b: math.hypot(a / math.sqrt(n), b / math.sqrt(n_control)), sd, sd_control)


def pooled_sd(se: Span, n: int, n_control: int) -> Span:
    """Pooled SD that the standard error of a difference of two means implies.

    Examples
    --------
    >>> from remyelin.evidence.rounding import printed
    >>> round(pooled_sd(se_of_interval(printed(-2.4), printed(-0.1)), 33, 34).value, 1)  # CCMR Two
    2.4
    """
    return over(lambda s: s / math.sqrt(1 / n + 1 / n_control), se)


def se_of_standardised(effect: Span, n: int, n_control: int) -> Span:
    """Standard error of a standardised mean difference of so many people (Hedges & Olkin 1985).

    Examples
    --------
    >>> from remyelin.evidence.rounding import printed
    >>> round(se_of_standardised(printed(0.344), 27, 28).value, 3)
    0.272
    """
    total = n + n_control
    return over(lambda d: math.sqrt(1 / n + 1 / n_control + d**2 / (2 * total)), effect)


def implied_effect(n_per_arm: Span, power: float, alpha: float = 0.05) -> Span:
    """Difference in SD that two arms of so many find with this power: sqrt(2 / n) (z_alpha/2 + z_power).

    The formula that most statements of a sample size rest on; with few people per arm a t test needs more.

    Examples
    --------
    >>> from remyelin.evidence.rounding import exactly
    >>> [round(implied_effect(exactly(n), 0.8).value, 3) for n in (68, 24, 47)]
    [0.48, 0.809, 0.578]
    """
    from scipy.special import ndtri

    z = float(ndtri(1 - alpha / 2) + ndtri(power))
    return over(lambda n: z * math.sqrt(2 / n), n_per_arm)


def _scale(ratio: bool) -> Callable[[float], float]:
    return math.log if ratio else float
