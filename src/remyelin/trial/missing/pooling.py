"""Rubin's rules: the analyses of several completed tables become one."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from remyelin.errors import InputError
from remyelin.trial.inference import check_alpha, table


def rubin(
    estimates: npt.ArrayLike,
    variances: npt.ArrayLike,
    df_complete: npt.ArrayLike,
    *,
    names: Sequence[str] = ("estimate",),
    alpha: float = 0.05,
) -> pd.DataFrame:
    """Pool the analyses of m completed tables (Rubin 1987, 10.1002/9780470316696).

    With the mean W of the variances and the variance B of the estimates, the total is T = W + (1 + 1/m) B and
    the degrees of freedom are those of Barnard & Rubin 1999 (10.1093/biomet/86.4.948). Where B is 0 nothing
    was uncertain, and they are those of the complete data.

    Parameters
    ----------
    estimates, variances
        (imputation,) or (imputation, row): estimates and their squared standard errors.
    df_complete
        Degrees of freedom that the analysis has without missing data; one number or (row,).
    names
        Of the rows.
    alpha
        Intervals cover 1 - alpha.

    Returns
    -------
    pandas.DataFrame
        Index ``term``; columns of every estimator, then ``within`` (W), ``between`` (B), ``fmi`` (fraction of
        missing information) and ``mc_se`` (standard error of the estimate from m being finite, sqrt(B/m)).

    Raises
    ------
    InputError
        For fewer than 2 imputations, shapes that differ, numbers that are not finite, negative variances.

    Examples
    --------
    >>> rubin([1.0, 1.4, 1.2, 1.6], [0.25, 0.25, 0.24, 0.26], 48).round(3).iloc[0].to_dict()
    {'estimate': 1.3, 'se': 0.577, 'df': 20.103, 't': 2.252, 'p': 0.036, 'ci_low': 0.096, ...}
    """
    check_alpha(alpha)
    q, u = np.asarray(estimates, dtype=np.float64), np.asarray(variances, dtype=np.float64)
    if q.ndim == 1:
        q, u = q[:, None], u[:, None] if u.ndim == 1 else u
    if q.ndim != 2 or q.shape != u.shape or q.shape[1] != len(names) or len(q) < 2:
        raise InputError(
            "", "estimates", f"of shape {np.shape(estimates)} with variances {np.shape(variances)}",
            f"at least 2 imputations of {len(names)} rows, and as many variances", "impute more than once",
        )  # fmt: skip
    if not (np.isfinite(q).all() and np.isfinite(u).all() and (u >= 0).all()):
        raise InputError(
            "", "estimates", "not finite, or with a negative variance, in some imputation",
            "an estimate and a standard error from every completed table",
            "look at the analysis: it must not fail in any of them",
        )  # fmt: skip
    m = len(q)
    within, between = u.mean(axis=0), q.var(axis=0, ddof=1)
    # Equal estimates differ by rounding only.
    between = np.where(between <= 1e-24 * (within + q.mean(axis=0) ** 2), 0.0, between)
    total = within + (1 + 1 / m) * between
    complete = np.broadcast_to(np.asarray(df_complete, dtype=np.float64), within.shape)
    df = _barnard_rubin(m, between, total, complete)
    ratio = (1 + 1 / m) * between / np.where(within > 0, within, np.inf)
    rows = table(q.mean(axis=0), np.sqrt(total), df, pd.Index(list(names), name="term"), alpha)
    fmi = np.where(between > 0, (ratio + 2 / (df + 3)) / (ratio + 1), 0.0)
    return rows.assign(within=within, between=between, fmi=fmi, mc_se=np.sqrt(between / m))


def _barnard_rubin(
    m: int,
    between: npt.NDArray[np.float64],
    total: npt.NDArray[np.float64],
    complete: npt.NDArray[np.float64],
) -> npt.NDArray[np.float64]:
    df = complete.copy()
    for i in np.flatnonzero(between > 0):
        share = (1 + 1 / m) * between[i] / total[i]
        old = (m - 1) / share**2
        nu = complete[i]
        observed = nu * (1 - share) * ((nu + 1) / (nu + 3) if np.isfinite(nu) else 1.0)
        df[i] = old if np.isinf(nu) else 1 / (1 / old + 1 / observed)
    return df
