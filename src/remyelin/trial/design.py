"""From a formula and a table to a design matrix, and what makes a table unfit for one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from remyelin.errors import InputError
from remyelin.trial.formula import formula_error, parse

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Design:
    """A response `y` (row,), a full-rank matrix `X` (row, coefficient) and the recipe that made them.

    `spec` is formulaic's model specification: it codes new rows exactly as the old ones, so that means can be
    predicted at chosen values of the covariates. `factors` are the columns that enter as categories.
    """

    formula: str
    y: FloatArray
    X: FloatArray
    names: tuple[str, ...]
    spec: Any
    data: pd.DataFrame
    factors: tuple[str, ...]
    covariates: tuple[str, ...]

    def rows(self, grid: pd.DataFrame) -> FloatArray:
        """Design rows of a grid of values, coded as the data were."""
        return np.asarray(self.spec.get_model_matrix(grid, context={}), dtype=np.float64)

    def without(self, term: str) -> FloatArray:
        """The design matrix after `term` is left out of the formula, coded anew."""
        from formulaic import Formula

        kept = [each for each in self.spec.formula if str(each) != term]
        return np.asarray(Formula(kept).get_model_matrix(self.data, context={}), dtype=np.float64)


def build(
    formula: str,
    data: pd.DataFrame,
    arm: str | None,
    reference: str | None = None,
    *,
    keep: Sequence[str] = (),
    unit: str = "participants",
) -> Design:
    """Check a table against a formula and code it.

    Parameters
    ----------
    formula
        Wilkinson notation, `response ~ terms`; what may stand in it is said in `remyelin.trial.formula`.
    data
        One row a participant, or a lesion, eye or visit of one.
    arm
        The column of the treatment; it becomes categorical, with `reference` as its first level. None where
        the formula needs none.
    reference
        The arm that the others are compared with; the first level of a categorical column, else the first in
        alphabetical order.
    keep
        Further columns that must be complete and stay in the table, as the participant of each lesion.
    unit
        What a row is, for messages.

    Raises
    ------
    InputError
        For a formula that cannot be used, a column that is missing, not a number or not complete, a single
        arm, fewer rows than parameters, or terms that cannot be told apart; the column is named.

    Examples
    --------
    >>> table = pd.DataFrame({"arm": ["a", "b", "a", "b"], "change": [1.0, 2.0, 1.5, 2.5]})
    >>> build("change ~ arm", table, "arm").names
    ('Intercept', 'arm[T.b]')
    """
    _check_frame(data)
    response, terms, columns, forced = parse(formula)
    frame = _columns(formula, data, [response, *columns], arm, keep)
    if arm is not None:
        frame[arm] = _arms(frame[arm], arm, reference)
    factors = []
    for name in columns:
        if name != arm and (name in forced or not _is_number(frame[name])):
            frame[name] = _categories(frame[name], name in forced)
        if name == arm or isinstance(frame[name].dtype, pd.CategoricalDtype):
            factors.append(name)
    matrix = _matrix(formula, terms, frame)
    design = Design(
        formula=formula,
        y=frame[response].to_numpy(dtype=np.float64),
        X=np.asarray(matrix, dtype=np.float64),
        names=tuple(str(name) for name in matrix.columns),
        spec=matrix.model_spec,
        data=frame,
        factors=tuple(factors),
        covariates=tuple(name for name in columns if name not in factors),
    )
    _check_rank(design, unit)
    return design


def _check_frame(data: object) -> None:
    if not isinstance(data, pd.DataFrame):
        fix = "make one with pandas.DataFrame(...); of polars with .to_pandas()"
        raise InputError("", "data", f"a {type(data).__name__}", "a pandas DataFrame", fix)


def treatment_column(formula: str, data: pd.DataFrame, arm: str | None, reference: str | None) -> str | None:
    """The column of the treatment: `arm`, else ``"arm"`` where the formula has it and it holds words.

    Raises
    ------
    InputError
        For a reference where there is no such column.

    Examples
    --------
    >>> treatment_column("change ~ arm", pd.DataFrame({"arm": ["a", "b"]}), None, "a")
    'arm'
    """
    _check_frame(data)
    if arm is None and "arm" in data.columns and "arm" in parse(formula)[2] and not _is_number(data["arm"]):
        arm = "arm"
    if arm is None and reference is not None:
        raise InputError(
            "", "reference", repr(reference), "the column of the treatment with it", "give arm='...' too"
        )
    return arm


def _columns(
    formula: str, data: pd.DataFrame, named: list[str], arm: str | None, keep: Sequence[str]
) -> pd.DataFrame:
    response, *columns = named
    if arm is not None and arm not in columns:
        raise formula_error(formula, f"without the arm column {arm!r}", f"{formula} + {arm}")
    wanted = list(dict.fromkeys([*named, *keep]))
    for name in wanted:
        if name not in data.columns:
            known = ", ".join(str(each) for each in data.columns)
            raise InputError(
                "", name, f"not a column of the data, which has {known}",
                f"every column of {formula!r} and of the analysis", "add the column, or name another",
            )  # fmt: skip
    frame = data[wanted].reset_index(drop=True).copy()
    if not _is_number(frame[response]):
        raise InputError(
            "",
            response,
            "text or categories",
            "numbers: it is the response",
            "give the response as decimal numbers",
        )
    for name in wanted:
        _check_complete(frame[name], response)
    return frame


def _check_complete(column: pd.Series[Any], response: str) -> None:
    missing = column.isna().to_numpy()
    if _is_number(column):
        missing = missing | ~np.isfinite(column.to_numpy(dtype=np.float64))
    if not missing.any():
        return
    count, first = int(missing.sum()), int(np.flatnonzero(missing)[0]) + 1
    found = f"missing or not finite in {count} of {len(column)} rows (first: row {first})"
    fix = "complete the column, or leave those participants out and say so"
    if column.name == response:
        fix = "leave out the participants without follow-up and report them as attrition"
        if count == len(column):
            fix = "measure the follow-up visit first: no participant has one"
    raise InputError("", str(column.name), found, "a value in every row", fix)


def _arms(column: pd.Series[Any], arm: str, reference: str | None) -> Any:
    present = {str(each) for each in column}
    if isinstance(column.dtype, pd.CategoricalDtype):
        levels = [str(each) for each in column.cat.categories if str(each) in present]
    else:
        levels = sorted(present)
    if len(levels) < 2:
        raise InputError(
            "", arm, f"only {', '.join(levels) or 'nothing'}", "at least two arms with data",
            "check the allocation: participants of another arm are missing or could not be measured",
        )  # fmt: skip
    if reference is not None and reference not in levels:
        raise InputError(
            "",
            "reference",
            repr(reference),
            f"one of the arms with data: {', '.join(levels)}",
            "name one of these arms",
        )
    if reference is not None:
        levels = [reference, *(each for each in levels if each != reference)]
    return pd.Categorical(column.astype(str), categories=levels)


def _categories(column: pd.Series[Any], forced: bool) -> Any:
    """The levels that occur: in the order of a categorical column, else sorted."""
    if isinstance(column.dtype, pd.CategoricalDtype):
        return pd.Categorical(column).remove_unused_categories()
    return pd.Categorical(column if forced else column.astype(str))


def _matrix(formula: str, terms: Any, frame: pd.DataFrame) -> Any:
    from formulaic.errors import FormulaicError

    try:
        with np.errstate(all="ignore"):
            matrix = terms.get_model_matrix(frame, context={}, na_action="ignore")
    except (FormulaicError, ValueError, TypeError) as error:
        raise formula_error(
            formula, f"not applicable to these data ({error})", "terms that the data can carry"
        ) from error
    bad = [
        str(name) for name in matrix.columns if not np.isfinite(matrix[name].to_numpy(dtype=np.float64)).all()
    ]
    if bad:
        raise InputError(
            "",
            bad[0],
            "not finite in some rows",
            "finite values",
            "a logarithm or root needs positive numbers",
        )
    return matrix


def _check_rank(design: Design, unit: str) -> None:
    from scipy.linalg import qr

    n, p = design.X.shape
    if n <= p:
        raise InputError(
            "", unit, f"{n} rows for {p} parameters ({', '.join(design.names)})",
            f"at least {p + 1} rows", f"use fewer terms in the formula, or wait for more {unit}",
        )  # fmt: skip
    size = np.linalg.norm(design.X, axis=0)
    empty = np.flatnonzero(size == 0)
    _, r, _ = qr(design.X / np.where(size > 0, size, 1.0), mode="economic", pivoting=True)
    rank = int(np.sum(np.abs(np.diag(r)) > 1e-10 * abs(r[0, 0])))
    if rank < p:
        aliased = int(empty[0]) if empty.size else _first_dependent(design.X / size)
        raise InputError(
            "", design.names[aliased], "determined by the other terms of the formula",
            f"terms that can be told apart in {n} {unit}",
            "leave one of the terms out, or join the levels of a factor that coincides with the arm",
        )  # fmt: skip


def _first_dependent(X: FloatArray) -> int:
    """The first column, in the order of the formula, that the ones before it already determine."""
    for k in range(1, X.shape[1]):
        left = X[:, k] - X[:, :k] @ np.linalg.lstsq(X[:, :k], X[:, k], rcond=None)[0]
        if np.linalg.norm(left) < 1e-8:
            return k
    return int(X.shape[1]) - 1


def _is_number(column: pd.Series[Any]) -> bool:
    return bool(pd.api.types.is_numeric_dtype(column.dtype)) and not pd.api.types.is_bool_dtype(column.dtype)
