"""The t table: estimates with standard errors become tests and intervals, for every estimator."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from remyelin.errors import InputError

COLUMNS = ("estimate", "se", "df", "t", "p", "ci_low", "ci_high")


def check_alpha(alpha: float) -> None:
    """InputError unless intervals can cover 1 - `alpha`."""
    if not 0 < alpha < 1:
        raise InputError("", "alpha", f"{alpha}", "between 0 and 1", "give 0.05 for 95 % intervals")


def table(
    estimate: npt.ArrayLike, se: npt.ArrayLike, df: npt.ArrayLike, index: pd.Index[str], alpha: float = 0.05
) -> pd.DataFrame:
    """Two-sided t tests and intervals of estimates.

    Parameters
    ----------
    estimate, se
        (row,) in the unit of the response.
    df
        (row,) or one for all; infinite for a normal reference.
    index
        Names of the rows; its own name is that of the index.
    alpha
        Intervals cover 1 - alpha.

    Returns
    -------
    pandas.DataFrame
        Columns ``estimate, se, df, t, p, ci_low, ci_high``.

    Examples
    --------
    >>> table([0.5], [0.25], 46, pd.Index(["arm[T.drug]"], name="term")).round(3)
                 estimate    se    df    t      p  ci_low  ci_high
    term
    arm[T.drug]       0.5  0.25  46.0  2.0  0.051  -0.003    1.003
    """
    from scipy.special import stdtr, stdtrit

    value, error = np.asarray(estimate, dtype=np.float64), np.asarray(se, dtype=np.float64)
    freedom = np.broadcast_to(np.asarray(df, dtype=np.float64), value.shape)
    t = value / error
    half = stdtrit(freedom, 1 - alpha / 2) * error
    columns = {
        "estimate": value,
        "se": error,
        "df": freedom.copy(),
        "t": t,
        "p": 2 * stdtr(freedom, -np.abs(t)),
        "ci_low": value - half,
        "ci_high": value + half,
    }
    return pd.DataFrame(columns, index=index)


def check_rows(L: npt.ArrayLike, names: pd.Index[str]) -> npt.NDArray[np.float64]:
    """Linear combinations L (row, coefficient), or one of them, as (row, coefficient).

    Parameters
    ----------
    L
        Numbers.
    names
        Of the coefficients.

    Raises
    ------
    InputError
        For another number of columns.

    Examples
    --------
    >>> check_rows([0, 1], pd.Index(["Intercept", "arm[T.drug]"]))
    array([[0., 1.]])
    """
    rows = np.atleast_2d(np.asarray(L, dtype=np.float64))
    if rows.ndim != 2 or rows.shape[1] != len(names):
        raise InputError(
            "", "L", f"of shape {rows.shape}", f"rows of {len(names)} numbers",
            f"give one for each of {', '.join(names)}",
        )  # fmt: skip
    return rows
