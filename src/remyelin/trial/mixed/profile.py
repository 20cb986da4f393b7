"""Interval of a coefficient from the profile of the likelihood."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from remyelin.errors import InputError, did_you_mean
from remyelin.trial.mixed.solution import solve

if TYPE_CHECKING:
    from remyelin.trial.mixed.fit import MixedFit


def interval(fit: MixedFit, term: str) -> tuple[float, float]:
    """Where the full deviance, all else maximised, exceeds its minimum by the quantile of chi-squared."""
    from scipy.optimize import brentq
    from scipy.special import chdtri

    if term not in fit.table.index:
        raise InputError(
            "",
            "term",
            repr(term),
            f"one of {', '.join(fit.table.index)}",
            did_you_mean(term, fit.table.index),
        )
    column = list(fit.table.index).index(term)
    X, y = fit.design.X, fit.design.y
    others = np.delete(X, column, axis=1)
    best = solve(X, y, fit.known, fit.layout, reml=False)
    limit = best.deviance + float(chdtri(1, fit.spec.alpha))

    def above(value: float) -> float:
        at = solve(others, y - value * X[:, column], fit.known, fit.layout, reml=False)
        return at.deviance - limit

    centre, se = float(best.beta[column]), float(np.sqrt(best.vcov[column, column]))
    ends = []
    for side in (-1, 1):
        reach = 2 * se
        while above(centre + side * reach) < 0:
            reach *= 2
        ends.append(float(brentq(above, centre, centre + side * reach, xtol=1e-10 * reach, rtol=1e-12)))
    return ends[0], ends[1]
