"""Many simulated trials of one layout: arrays in, arrays out, for power and type I error."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from remyelin.errors import InputError
from remyelin.trial.repeated.arrange import _arrange
from remyelin.trial.repeated.information import TERMS, added
from remyelin.trial.repeated.newton import CONVERGED, _maximise
from remyelin.trial.repeated.smallsample import _single
from remyelin.trial.repeated.spec import Information, check_information
from remyelin.trial.repeated.structures import canonical, coded

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
ScalarDf = Literal["satterthwaite", "kenward-roger", "kenward-roger-linear"]


@dataclass(frozen=True, slots=True)
class Layout:
    """Rows sorted by subject and visit, with the design in orthogonal coordinates.

    `order` takes the rows of the caller into those here; ``X = Q R``.
    """

    Q: FloatArray
    R: FloatArray
    order: IntArray
    visit: IntArray
    start: IntArray
    visits: int


@dataclass(frozen=True, slots=True)
class TrialFits:
    """Contrasts of many fits, (trial, contrast) each; NaN where `converged` (trial,) is False."""

    estimate: FloatArray
    se: FloatArray
    df: FloatArray
    converged: npt.NDArray[np.bool_]


def lay_out(X: npt.ArrayLike, subject: npt.ArrayLike, visit: npt.ArrayLike) -> Layout:
    """Prepare rows for fits.

    Parameters
    ----------
    X
        (row, coefficient) of full rank.
    subject
        (row,) any labels.
    visit
        (row,) 0, 1, ... in the order of time; each at most once in a subject.
    """
    design, people = np.asarray(X, dtype=np.float64), np.unique(np.asarray(subject), return_inverse=True)[1]
    time = np.asarray(visit, dtype=np.int64)
    order = np.lexsort((time, people))
    people, time = people[order], time[order]
    again = np.flatnonzero((people[1:] == people[:-1]) & (time[1:] == time[:-1]))
    if again.size:
        row = int(order[again[0] + 1]) + 1
        raise InputError(
            "", "visit", f"{time[again[0]]} a second time for the same subject (row {row})",
            "one row for each subject and visit", "leave out or average the repeated rows",
        )  # fmt: skip
    q, r = np.linalg.qr(design[order])
    size = np.sqrt(len(order))
    start = np.flatnonzero(np.concatenate([[True], people[1:] != people[:-1], [True]]))
    return Layout(np.ascontiguousarray(q * size), r / size, order, time, start, int(time.max()) + 1)


def fit_trials(
    Y: npt.ArrayLike,
    X: npt.ArrayLike,
    subject: npt.ArrayLike,
    visit: npt.ArrayLike,
    contrasts: npt.ArrayLike,
    *,
    covariance: str = "unstructured",
    df: ScalarDf = "kenward-roger-linear",
    method: Literal["REML", "ML"] = "REML",
    se: npt.ArrayLike | None = None,
    information: Information = "expected",
) -> TrialFits:
    """Fit the same MMRM to many simulated trials; what `mmrm` gives for single contrasts, without its tables.

    Releases the interpreter lock, so that threads may share the trials.

    Parameters
    ----------
    Y
        (trial, row) responses; NaN where a visit was missed, which may differ between trials.
    X, subject, visit
        As `lay_out` takes them: (row, coefficient) of full rank, (row,) labels, (row,) 0, 1, ...
    contrasts
        (contrast, coefficient) or (coefficient,).
    covariance, df, method
        As in `mmrm`; degrees of freedom of ``"between-within"`` are not offered here.
    se
        (row,) known standard error of each row.
    information
        As in `mmrm`.

    Raises
    ------
    InputError
        For shapes that do not fit together, names that are not known, or a visit that a subject has twice. A
        trial whose data do not determine the covariance is no error: its row is NaN and `converged` False.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> subject, visit = np.repeat(np.arange(30), 2), np.tile([0, 1], 30)
    >>> active = (subject % 2).astype(float)
    >>> X = np.column_stack([visit == 0, visit == 1, active * (visit == 0), active * (visit == 1)])
    >>> Y = rng.normal(size=(3, 30))[:, subject] + rng.normal(size=(3, 60))
    >>> fits = fit_trials(Y, X, subject, visit, [0, 0, 0, 1])
    >>> fits.df.ravel().round(6).tolist(), fits.converged.all()
    ([28.0, 28.0, 28.0], np.True_)
    """
    responses, design = np.atleast_2d(np.asarray(Y, dtype=np.float64)), np.asarray(X, dtype=np.float64)
    rows = np.atleast_2d(np.asarray(contrasts, dtype=np.float64))
    if responses.shape[1] != len(design) or rows.shape[1] != design.shape[1]:
        raise InputError(
            "", "Y", f"of shape {responses.shape} with X of {design.shape} and contrasts of {rows.shape}",
            "(trial, row), (row, coefficient), (contrast, coefficient)", "bring the shapes together",
        )  # fmt: skip
    if df not in TERMS:
        raise InputError("", "df", repr(df), f"one of {', '.join(get_args(ScalarDf))}", "name one of these")
    check_information(information)
    layout = lay_out(design, subject, visit)
    known = np.zeros(len(design)) if se is None else np.asarray(se, dtype=np.float64)[layout.order] ** 2
    turned = np.ascontiguousarray(np.linalg.solve(layout.R.T, rows.T).T)
    found = np.full((3, len(responses), len(rows)), np.nan)
    converged = np.zeros(len(responses), bool)
    options = (*coded(canonical(covariance)), method == "REML", df, information)
    for k, y in enumerate(responses[:, layout.order]):
        one = _fit_one(y, layout, known, turned, *options)
        if one is not None:
            converged[k] = True
            found[:, k] = one
    return TrialFits(found[0], found[1], found[2], converged)


def _fit_one(
    y: FloatArray,
    layout: Layout,
    known: FloatArray,
    turned: FloatArray,
    shape: int,
    heterogeneous: bool,
    reml: bool,
    df: str,
    information: str,
) -> tuple[FloatArray, FloatArray, FloatArray] | None:
    """Estimate, se and df of contrasts, `turned` into the coordinates of the layout; None without a fit."""
    ok, Z, var, seen, start, run, offset, scale = _arrange(layout.Q, y, known, layout.visit, layout.start)
    if not ok:
        return None
    status, _, theta, _, beta, root, P, q, W, A = _maximise(
        shape, heterogeneous, Z, seen, start, run, var, layout.visits, reml
    )
    if status != CONVERGED:
        return None
    contrasts = turned @ root.T
    v, freedom = np.array([_single(c, P, W) for c in contrasts]).T
    more = added(df, information, q, shape, heterogeneous, theta, Z, seen, start, run, beta, root, P, W, A)
    v = v + np.einsum("ra,ab,rb->r", contrasts, more, contrasts)
    return turned @ (offset + scale * beta), scale * np.sqrt(v), freedom
