"""Least-squares means: the design rows that a fitted model is asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product
from typing import Literal

import numpy as np
import pandas as pd

from remyelin.errors import InputError, did_you_mean
from remyelin.trial.design import Design, FloatArray

Weights = Literal["equal", "proportional"]


def mean_rows(
    design: Design,
    by: Sequence[str],
    weights: Weights = "equal",
    at: Mapping[str, float] | None = None,
) -> tuple[pd.Index[str] | pd.MultiIndex, FloatArray]:
    """Rows L such that L @ beta are the least-squares means of the combinations of levels of `by`.

    Covariates stand at their mean over the rows of the data. The levels of the other factors are averaged.

    Parameters
    ----------
    design
        The fitted design.
    by
        One factor or more, as ``["arm"]`` or ``["arm", "visit"]``.
    weights
        How the levels of the other factors are averaged: ``"equal"``, or ``"proportional"`` to how often each
        combination occurs.
    at
        Other values for covariates.

    Returns
    -------
    index, rows
        The levels, in the order of the categories, the last factor of `by` fastest; (mean, coefficient).

    Raises
    ------
    InputError
        For a name that is no factor of the design, or other weights.

    Examples
    --------
    >>> from remyelin.trial.design import build
    >>> table = pd.DataFrame({"arm": ["a", "b", "a", "b"], "x": [1.0, 2.0, 3.0, 6.0], "y": [1.0, 2, 4, 3]})
    >>> index, rows = mean_rows(build("y ~ arm + x", table, "arm"), ["arm"])
    >>> list(index), rows.tolist()
    (['a', 'b'], [[1.0, 0.0, 3.0], [1.0, 1.0, 3.0]])
    """
    for name in by:
        if name not in design.factors:
            raise InputError(
                "", name, "no factor of the formula", f"one of {', '.join(design.factors)}",
                did_you_mean(name, design.factors),
            )  # fmt: skip
    grid, shares = _grid(design, by, at or {})
    if weights not in shares:
        raise InputError("", "weights", repr(weights), "'equal' or 'proportional'", "name one of the two")
    levels = [design.data[name].cat.categories for name in by]
    rows = []
    for combination in product(*levels):
        for name, level, known in zip(by, combination, levels, strict=True):
            grid[name] = pd.Categorical([level] * len(grid), categories=known)
        rows.append(shares[weights] @ design.rows(grid))
    index: pd.Index[str] | pd.MultiIndex
    if len(by) == 1:
        index = pd.Index([str(level) for level in levels[0]], name=by[0])
    else:
        index = pd.MultiIndex.from_product(
            [[str(each) for each in level] for level in levels], names=list(by)
        )
    return index, np.array(rows)


def differences(
    design: Design, arm: str, within: Sequence[str] = (), weights: Weights = "equal"
) -> tuple[pd.Index[str] | pd.MultiIndex, FloatArray]:
    """Rows of the difference of each arm from the first, at each combination of levels of `within`.

    The index is like ``"active - placebo"``; with `within` it has these levels behind the contrast.

    Examples
    --------
    >>> from remyelin.trial.design import build
    >>> table = pd.DataFrame({"arm": ["a", "b", "a", "b"], "y": [1.0, 2, 4, 3]})
    >>> index, rows = differences(build("y ~ arm", table, "arm"), "arm")
    >>> list(index), rows.tolist()
    (['b - a'], [[0.0, 1.0]])
    """
    _, rows = mean_rows(design, [arm, *within], weights)
    arms = [str(level) for level in design.data[arm].cat.categories]
    each = rows.reshape(len(arms), -1, rows.shape[1])
    names = [f"{other} - {arms[0]}" for other in arms[1:]]
    found = (each[1:] - each[0]).reshape(-1, rows.shape[1])
    if not within:
        return pd.Index(names, name="contrast"), found
    levels = [[str(level) for level in design.data[name].cat.categories] for name in within]
    return pd.MultiIndex.from_product([names, *levels], names=["contrast", *within]), found


def rows_of(design: Design, frame: pd.DataFrame) -> FloatArray:
    """Design rows of a table, coded as the data were.

    Raises
    ------
    InputError
        For a column that is missing or incomplete, or a level that the fit has not seen.
    """
    coded = frame.copy()
    for name in (*design.factors, *design.covariates):
        if name not in frame.columns:
            raise InputError("", name, "not a column of the grid", "every term of the formula", "add it")
        if frame[name].isna().any():
            raise InputError("", name, "missing in some rows", "a value in every row", "complete the column")
        if name in design.factors:
            levels = design.data[name].cat.categories
            known = [str(each) for each in levels]
            new = sorted({str(each) for each in frame[name]} - set(known))
            if new:
                raise InputError(
                    "", name, f"{new[0]!r}, a level that the fit has not seen", f"one of {', '.join(known)}",
                    "leave the rows out, or fit with data of this level",
                )  # fmt: skip
            named = [levels[known.index(str(each))] for each in frame[name]]
            coded[name] = pd.Categorical(named, categories=levels)
    return design.rows(coded)


def need_arm(arm: str | None) -> str:
    """The column of the treatment; InputError for a fit that was made without one."""
    if arm is None:
        raise InputError("", "arm", "not given", "the column of the treatment", "fit again with arm='...'")
    return arm


def _grid(
    design: Design, by: Sequence[str], at: Mapping[str, float]
) -> tuple[pd.DataFrame, Mapping[str, FloatArray]]:
    """Every combination of the levels of the factors not in `by`, and weights; covariates at their mean."""
    others = [name for name in design.factors if name not in by]
    levels = [design.data[name].cat.categories for name in others]
    shape = tuple(len(each) for each in levels)
    size = int(np.prod(shape))
    grid = pd.DataFrame(index=range(size))
    counts = np.ones(size)
    if others:
        picked = np.unravel_index(np.arange(size), shape)
        for name, level, codes in zip(others, levels, picked, strict=True):
            grid[name] = pd.Categorical.from_codes(codes, categories=level)
        rows = tuple(design.data[name].cat.codes.to_numpy(dtype=np.intp) for name in others)
        counts = np.bincount(np.ravel_multi_index(rows, shape), minlength=size).astype(np.float64)
    for name in design.covariates:
        grid[name] = float(at.get(name, design.data[name].mean()))
    return grid, {"equal": np.full(size, 1.0 / size), "proportional": counts / counts.sum()}
