"""The hypotheses that the terms of a mixed model stand for."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from remyelin.trial.design import Design, FloatArray
from remyelin.trial.mixed.solution import solve

if TYPE_CHECKING:
    from remyelin.trial.mixed.fit import MixedFit


def type_three(design: Design) -> dict[str, FloatArray]:
    """Rows L (row, coefficient) of each term but the intercept; L beta = 0 is its type III hypothesis.

    The design coded anew with factors that sum to zero spans the same space, X = X_sum T, so T beta are the
    coefficients under that coding, and a term's hypothesis is that its own are zero.
    """
    from formulaic import Formula

    terms = [
        ":".join(_sum_to_zero(design, each.expr) for each in term.factors) for term in design.spec.formula
    ]
    matrix = Formula(terms).get_model_matrix(design.data, context={})
    change = np.linalg.lstsq(np.asarray(matrix, dtype=np.float64), design.X, rcond=None)[0]
    own = list(matrix.model_spec.term_indices.values())
    names = [str(term) for term in design.spec.formula]
    return {
        name: np.asarray(change[list(columns)], np.float64)
        for name, columns in zip(names, own, strict=True)
        if name != "1"
    }


def without_each_term(fit: MixedFit) -> pd.DataFrame:
    """The fit beside those without one of its random terms."""
    from scipy.special import chdtrc

    free, reml = fit.layout.free, fit.spec.method == "REML"
    rows = {"<none>": (fit.n_parameters, fit.loglik, fit.aic, np.nan, np.nan, np.nan, np.nan)}
    for k, name in enumerate(fit.spec.names):
        kept = free.copy()
        kept[k] = False
        left = solve(fit.design.X, fit.design.y, fit.known, fit.layout, reml, kept)
        npar = fit.n_parameters - 1
        ratio = max(left.deviance - fit.criterion, 0.0)
        p = float(chdtrc(1, ratio))
        rows[f"(1 | {name})"] = (
            npar, -left.deviance / 2, left.deviance + 2 * npar, ratio, 1, p, p / 2 if ratio > 0 else 1.0,
        )  # fmt: skip
    columns = ["npar", "loglik", "aic", "lrt", "df", "p", "p_boundary"]
    return pd.DataFrame.from_dict(rows, orient="index", columns=columns).rename_axis("term")


def _sum_to_zero(design: Design, expression: str) -> str:
    """A factor, by its name or inside C(), coded to sum to zero; anything else as it is."""
    name = re.sub(r"^C\(\s*(\w+).*\)$", r"\1", expression)
    return f"C({name}, contr.sum)" if name in design.factors else expression
