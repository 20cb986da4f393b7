"""Effects and their variances from the numbers that papers print."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from remyelin.errors import InputError
from remyelin.trial.design import FloatArray


def risk_ratio(
    events: npt.ArrayLike,
    n: npt.ArrayLike,
    events_control: npt.ArrayLike,
    n_control: npt.ArrayLike,
    *,
    add: float = 0.0,
) -> pd.DataFrame:
    """Log risk ratios of treated to control participants.

    Parameters
    ----------
    events, n, events_control, n_control
        (study,) participants with the event, and all participants, of each arm.
    add
        What is added to the four cells of a study in which one is empty; 0 refuses such a study.

    Returns
    -------
    pandas.DataFrame
        Columns ``effect, variance``, a row a study.

    Raises
    ------
    InputError
        For counts that are no counts, or an empty cell with `add` 0.

    Examples
    --------
    >>> risk_ratio([4], [123], [11], [139]).round(4)
       effect  variance
    0 -0.8893    0.3256
    """
    a, b, c, d = _cells(events, n, events_control, n_control, add)
    effect = np.log(a / (a + b)) - np.log(c / (c + d))
    return _frame(effect, 1 / a - 1 / (a + b) + 1 / c - 1 / (c + d))


def odds_ratio(
    events: npt.ArrayLike,
    n: npt.ArrayLike,
    events_control: npt.ArrayLike,
    n_control: npt.ArrayLike,
    *,
    add: float = 0.0,
) -> pd.DataFrame:
    """Log odds ratios of treated to control participants; arguments as in `risk_ratio`.

    Raises
    ------
    InputError
        As `risk_ratio`.

    Examples
    --------
    >>> odds_ratio([4], [123], [11], [139]).round(4)
       effect  variance
    0 -0.9387    0.3571
    """
    a, b, c, d = _cells(events, n, events_control, n_control, add)
    return _frame(np.log(a * d / (b * c)), 1 / a + 1 / b + 1 / c + 1 / d)


def mean_difference(
    mean: npt.ArrayLike,
    sd: npt.ArrayLike,
    n: npt.ArrayLike,
    mean_control: npt.ArrayLike,
    sd_control: npt.ArrayLike,
    n_control: npt.ArrayLike,
) -> pd.DataFrame:
    """Differences of means, treated minus control, in the unit of the means; variances not pooled.

    Raises
    ------
    InputError
        For fewer than two participants in an arm, or a standard deviation that is not positive.

    Examples
    --------
    >>> mean_difference([55], [47], [155], [75], [64], [156]).round(3)
       effect  variance
    0   -20.0    40.508
    """
    m1, s1, n1, m2, s2, n2 = _arms(mean, sd, n, mean_control, sd_control, n_control)
    return _frame(m1 - m2, s1**2 / n1 + s2**2 / n2)


def standardised_mean_difference(
    mean: npt.ArrayLike,
    sd: npt.ArrayLike,
    n: npt.ArrayLike,
    mean_control: npt.ArrayLike,
    sd_control: npt.ArrayLike,
    n_control: npt.ArrayLike,
) -> pd.DataFrame:
    """Hedges' g: the difference over the pooled standard deviation, without its bias in small samples.

    The correction is exact, gamma(m/2) / (sqrt(m/2) gamma((m - 1)/2)) with m = n1 + n2 - 2 (Hedges 1981,
    10.3102/10769986006002107); the variance is 1/n1 + 1/n2 + g^2 / (2 (n1 + n2)). No unit.

    Raises
    ------
    InputError
        As `mean_difference`.

    Examples
    --------
    >>> standardised_mean_difference([55], [47], [155], [75], [64], [156]).round(4)
       effect  variance
    0 -0.3552    0.0131
    """
    from scipy.special import gammaln

    m1, s1, n1, m2, s2, n2 = _arms(mean, sd, n, mean_control, sd_control, n_control)
    m = n1 + n2 - 2
    pooled = np.sqrt(((n1 - 1) * s1**2 + (n2 - 1) * s2**2) / m)
    unbiased = np.exp(gammaln(m / 2) - 0.5 * np.log(m / 2) - gammaln((m - 1) / 2))
    g = unbiased * (m1 - m2) / pooled
    return _frame(g, 1 / n1 + 1 / n2 + g**2 / (2 * (n1 + n2)))


def _frame(effect: FloatArray, variance: FloatArray) -> pd.DataFrame:
    return pd.DataFrame({"effect": effect, "variance": variance})


def _cells(
    events: npt.ArrayLike,
    n: npt.ArrayLike,
    events_control: npt.ArrayLike,
    n_control: npt.ArrayLike,
    add: float,
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    a, size, c, size_control = (
        np.atleast_1d(np.asarray(each, dtype=np.float64)) for each in (events, n, events_control, n_control)
    )
    cells = np.stack([a, size - a, c, size_control - c])
    if not (np.isfinite(cells) & (cells >= 0)).all():
        raise InputError(
            "", "events", "negative, missing, or more than the participants", "0 <= events <= n in each arm",
            "check the counts of each study",
        )  # fmt: skip
    empty = (cells == 0).any(axis=0)
    if empty.any() and add <= 0:
        raise InputError(
            "", "events", f"an empty cell in study {int(np.flatnonzero(empty)[0]) + 1}",
            "events and non-events in both arms",
            "say add=0.5 for the usual correction of such studies, or use a method for rare events",
        )  # fmt: skip
    cells = cells + np.where(empty, add, 0.0)
    return cells[0], cells[1], cells[2], cells[3]


def _arms(*given: npt.ArrayLike) -> tuple[FloatArray, ...]:
    values = tuple(np.atleast_1d(np.asarray(each, dtype=np.float64)) for each in given)
    _, sd, n, _, sd_control, n_control = values
    if not all(np.isfinite(each).all() for each in values):
        raise InputError(
            "", "mean", "missing or not finite", "numbers", "leave out studies that do not report them"
        )
    for name, each, least in (("sd", sd, 0.0), ("sd", sd_control, 0.0), ("n", n, 1.0), ("n", n_control, 1.0)):
        if not (each > least).all():
            at = int(np.flatnonzero(~(each > least))[0])
            raise InputError(
                "",
                name,
                f"{each[at]:g} in study {at + 1}",
                f"more than {least:g}",
                "check the table of the paper",
            )
    return values
