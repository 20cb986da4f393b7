"""The hypothesis that each term of a formula stands for."""

from __future__ import annotations

from itertools import product

import numpy as np
import pandas as pd

from remyelin.trial.design import Design, FloatArray


def term_rows(design: Design) -> dict[str, FloatArray]:
    """Rows L (row, coefficient) of full rank of each term but the intercept; L beta = 0 is its hypothesis.

    A grid of all levels, equally weighted, is coded as the data were. Along a factor of the term its levels
    are compared, along a covariate its quartiles; all else is averaged, other covariates at their mean. This
    gives type III hypotheses for any coding of the factors.
    """
    found = {}
    for term in design.spec.formula:
        if str(term) == "1":
            continue
        used = {name for factor in term.factors for name in _columns(design, factor.expr)}
        found[str(term)] = _full_rank(_compared(design, used), design.X)
    return found


def _columns(design: Design, expression: str) -> list[str]:
    import re

    words = set(re.findall(r"\w+", expression))
    return [name for name in (*design.factors, *design.covariates) if name in words]


def _compared(design: Design, used: set[str]) -> FloatArray:
    names = [*design.factors, *(name for name in design.covariates if name in used)]
    axes = []
    for name in names:
        column = design.data[name]
        axes.append(
            list(column.cat.categories)
            if name in design.factors
            else sorted(set(np.quantile(column, [0, 0.25, 0.5, 0.75, 1])))
        )
    grid = pd.DataFrame(list(product(*axes)), columns=names)
    for name in design.factors:
        grid[name] = pd.Categorical(grid[name], categories=design.data[name].cat.categories)
    for name in design.covariates:
        if name not in used:
            grid[name] = float(design.data[name].mean())
    cube = design.rows(grid).reshape(*(len(axis) for axis in axes), -1)
    for k, name in enumerate(names):
        cube = np.diff(cube, axis=k) if name in used else cube.mean(axis=k, keepdims=True)
    return np.asarray(cube.reshape(-1, cube.shape[-1]))


def _full_rank(rows: FloatArray, X: FloatArray) -> FloatArray:
    """A basis of the rows that is orthonormal in (X'X)^-1, so that it does not depend on the coding."""
    triangle = np.linalg.qr(X)[1]
    _, size, axes = np.linalg.svd(np.linalg.solve(triangle.T, rows.T).T, full_matrices=False)
    return np.asarray(axes[size > 1e-9 * size[0]] @ triangle)
