"""F tests of the terms of an analysis of covariance."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from remyelin.trial.design import FloatArray

if TYPE_CHECKING:
    from remyelin.trial.linear import Ancova


def sequential(fit: Ancova) -> pd.DataFrame:
    """Type I: the terms enter in the order of the formula (R's `anova`)."""
    from scipy.special import fdtrc

    rows, columns = [], []
    before, used = float(np.sum(fit.weights * fit.design.y**2)), 0
    kept: list[int] = []
    for term, indices in fit.design.spec.term_indices.items():
        kept += list(indices)
        rss, p = _rss(fit.design.X[:, kept], fit)
        if str(term) != "1":
            rows.append(str(term))
            columns.append((p - used, before - rss))
        before, used = rss, p
    table = pd.DataFrame(columns, index=pd.Index(rows, name="term"), columns=["df", "sum_sq"])
    table["mean_sq"] = table["sum_sq"] / table["df"]
    table["f"] = table["mean_sq"] / fit.sigma**2
    table["p"] = fdtrc(table["df"].to_numpy(), fit.df, table["f"].to_numpy())
    table.loc["Residual"] = [fit.df, fit.rss, fit.sigma**2, np.nan, np.nan]
    return table


def drop_one(fit: Ancova) -> pd.DataFrame:
    """Each term that stands in no interaction is left out in turn (R's `drop1`)."""
    from scipy.special import fdtrc

    terms = [term for term in fit.design.spec.formula if str(term) != "1"]
    parts = [{str(factor) for factor in term.factors} for term in terms]
    rows = {}
    for term, part in zip(terms, parts, strict=True):
        if any(part < other for other in parts):
            continue
        rss, p = _rss(fit.design.without(str(term)), fit)
        df = fit.design.X.shape[1] - p
        f = (rss - fit.rss) / df / fit.sigma**2
        # AIC of R's extractAIC, which leaves out the constants: n log(RSS / n) - sum log w + 2 p.
        aic = fit.n * np.log(rss / fit.n) - float(np.sum(np.log(fit.weights))) + 2 * p
        rows[str(term)] = (df, rss - fit.rss, rss, aic, f, float(fdtrc(df, fit.df, f)))
    table = pd.DataFrame.from_dict(rows, orient="index", columns=["df", "sum_sq", "rss", "aic", "f", "p"])
    return table.rename_axis("term")


def _rss(X: FloatArray, fit: Ancova) -> tuple[float, int]:
    """Residual sum of squares of another design on the same response, and its number of columns."""
    root = np.sqrt(fit.weights)
    q, _ = np.linalg.qr(X * root[:, None])
    y = fit.design.y * root
    left = y - q @ (q.T @ y)
    return float(left @ left), X.shape[1]
