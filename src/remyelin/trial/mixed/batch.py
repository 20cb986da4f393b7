"""Many trials at once: the same model fitted to each, compiled, on several threads."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from remyelin.errors import InputError
from remyelin.trial.mixed.basis import orthonormal
from remyelin.trial.mixed.identification import identified
from remyelin.trial.mixed.layout import Layout, check_groups, lay_out
from remyelin.trial.mixed.single import fit_one

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
CHUNK = 16  # trials that a thread takes at a time


@dataclass(frozen=True, slots=True)
class Fits:
    """One contrast of many fits; every array (trial,), NaN where the model could not be fitted.

    Attributes
    ----------
    estimate
        The contrast, in the unit of the response.
    se, df_satt
        Model-based standard error and Satterthwaite's degrees of freedom.
    se_kr, df_kr
        Standard error and degrees of freedom of Kenward and Roger.
    su2, sv2, se2
        Variances: of the groups, of the inner groups (0 without them), residual.
    """

    estimate: FloatArray
    se: FloatArray
    df_satt: FloatArray
    se_kr: FloatArray
    df_kr: FloatArray
    su2: FloatArray
    sv2: FloatArray
    se2: FloatArray

    def p(self, df: str = "kenward-roger") -> FloatArray:
        """Two-sided p values of the contrast being 0; `df` also ``"satterthwaite"`` or ``"z"``."""
        from scipy.special import ndtr, stdtr

        if df == "z":
            return np.asarray(2 * ndtr(-np.abs(self.estimate / self.se)))
        se, freedom = (self.se_kr, self.df_kr) if df == "kenward-roger" else (self.se, self.df_satt)
        return np.asarray(2 * stdtr(freedom, -np.abs(self.estimate / se)))


def fit_many(
    X: npt.ArrayLike,
    groups: npt.ArrayLike,
    Y: npt.ArrayLike,
    contrast: npt.ArrayLike,
    *,
    inner: npt.ArrayLike | None = None,
    known: npt.ArrayLike | None = None,
    threads: int = 2,
) -> Fits:
    """Fit a random intercept by REML to many trials of one design, with Satterthwaite and Kenward-Roger.

    Parameters
    ----------
    X
        (row, coefficient) design, the same in each trial.
    groups
        (row,) the patient of each row.
    Y
        (trial, row) responses.
    contrast
        (coefficient,) what is asked: its sum over the coefficients.
    inner
        (row,) eye or lesion within the patient, for a second, nested intercept.
    known
        (row,) known variance se^2 of each row.
    threads
        Threads; the result does not depend on them.

    Returns
    -------
    Fits

    Raises
    ------
    InputError
        For arrays that do not fit together, values that are not finite, a singular design, or groups that do
        not identify their variance.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> patient, arm = np.repeat(np.arange(20), 10), np.repeat([0, 1], 100)
    >>> Y = rng.normal(size=(3, 200)) + rng.normal(size=(3, 20))[:, patient]
    >>> fits = fit_many(np.column_stack([np.ones(200), arm]), patient, Y, [0, 1])
    >>> fits.df_kr.round(6)
    array([18., 18., 18.])
    """
    design, responses, code, within, k = _checked(
        X, groups, np.atleast_2d(np.asarray(Y, float)), inner, known
    )
    layout = lay_out(code, within)
    check_groups(layout, ("groups", "inner") if layout.nested else ("groups",), design)
    order = layout.order
    basis, upper = np.empty_like(design), np.empty((design.shape[1], design.shape[1]))
    if not orthonormal(np.ascontiguousarray(design[order]), basis, upper):
        raise InputError(
            "",
            "X",
            "singular: some columns determine another",
            "columns that can be told apart",
            "leave one out",
        )
    if not identified(basis, layout.ends, layout.outer, layout.free):
        raise InputError(
            "", "groups", "determined by X", "more groups in each arm, and no column for each of them",
            "leave such columns out, or use least squares",
        )  # fmt: skip
    c = np.linalg.solve(upper.T, _contrast(contrast, design.shape[1]))
    responses, k = np.ascontiguousarray(responses[:, order]), k[order]
    out = np.full((len(responses), 8), np.nan)

    def work(t: int) -> None:
        fit_one(basis, responses[t], k, layout.ends, layout.outer, layout.free, True, c, out[t])

    _in_threads(work, len(out), threads)
    return Fits(*out.T.copy())


def fit_each(
    X: npt.ArrayLike,
    groups: npt.ArrayLike,
    y: npt.ArrayLike,
    trial: npt.ArrayLike,
    contrast: npt.ArrayLike,
    *,
    inner: npt.ArrayLike | None = None,
    known: npt.ArrayLike | None = None,
    threads: int = 2,
) -> Fits:
    """`fit_many` for trials that differ in their rows: unequal numbers of lesions, dropout, other covariates.

    All arrays are those of `fit_many` with the rows of all trials below each other, and `trial` (row,) says
    whose they are; the fits come in the order of the sorted trials. A trial without a fit (an empty arm, no
    group with two rows) is NaN there.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> trial, patient = np.repeat([0, 1], [60, 80]), np.concatenate([np.arange(60) % 12, np.arange(80) % 16])
    >>> X = np.column_stack([np.ones(140), patient % 2])
    >>> fit_each(X, patient, rng.normal(size=140) + 0.2 * patient, trial, [0, 1]).df_kr.round(6)
    array([10., 14.])
    """
    design, responses, code, within, k = _checked(X, groups, np.asarray(y, float)[None], inner, known)
    _, owner = np.unique(np.asarray(trial), return_inverse=True)
    if owner.shape != code.shape:
        raise InputError(
            "", "trial", f"of shape {owner.shape}", f"{len(code)} values, one a row", "give one each"
        )
    layout = lay_out(owner * (code.max() + 1) + code, within)
    order = layout.order
    whose = owner[order][layout.ends[layout.outer[:-1]]]
    first = np.concatenate([np.searchsorted(whose, np.arange(owner.max() + 1)), [len(whose)]])
    c = _contrast(contrast, design.shape[1])
    design, values, k = np.ascontiguousarray(design[order]), responses[0, order], k[order]
    out = np.full((len(first) - 1, 8), np.nan)

    def work(t: int) -> None:
        outer = layout.outer[first[t] : first[t + 1] + 1]
        ends = layout.ends[outer[0] : outer[-1] + 1]
        rows = slice(ends[0], ends[-1])
        found = _basis(design[rows], ends - ends[0], outer - outer[0], layout)
        if found is not None:
            basis, upper = found
            own = np.linalg.solve(upper.T, c)
            fit_one(
                basis, values[rows], k[rows], ends - ends[0], outer - outer[0], layout.free, True, own, out[t]
            )

    _in_threads(work, len(out), threads)
    return Fits(*out.T.copy())


def _basis(
    X: FloatArray, ends: IntArray, outer: IntArray, layout: Layout
) -> tuple[FloatArray, FloatArray] | None:
    """Orthonormal basis and upper factor of the design of one trial; None where it cannot be fitted."""
    n, p = X.shape
    basis, upper = np.empty((n, p)), np.empty((p, p))
    if len(outer) < 3 or n <= p or not orthonormal(X, basis, upper):
        return None
    return (basis, upper) if identified(basis, ends, outer, layout.free) else None


def _in_threads(work: Callable[[int], None], count: int, threads: int) -> None:
    """Run `work` on 0 to count - 1; kernels hold no lock, and each writes its own part of the result."""

    def some(first: int) -> None:
        for item in range(first, min(first + CHUNK, count)):
            work(item)

    some(0)  # compiles, once
    with ThreadPoolExecutor(threads) as pool:
        for done in [pool.submit(some, first) for first in range(CHUNK, count, CHUNK)]:
            done.result()


def _checked(
    X: npt.ArrayLike,
    groups: npt.ArrayLike,
    Y: FloatArray,
    inner: npt.ArrayLike | None,
    known: npt.ArrayLike | None,
) -> tuple[FloatArray, FloatArray, IntArray, IntArray | None, FloatArray]:
    design = np.asarray(X, dtype=np.float64)
    rows = len(design)
    k = np.zeros(rows) if known is None else np.asarray(known, dtype=np.float64)
    codes = [
        np.unique(np.asarray(each), return_inverse=True)[1] for each in (groups, inner) if each is not None
    ]
    shapes = {"X": design.ndim == 2, "Y": Y.shape[1:] == (rows,), "known": k.shape == (rows,)}
    shapes |= {name: code.shape == (rows,) for name, code in zip(("groups", "inner"), codes, strict=False)}
    for name, fits in shapes.items():
        if not fits:
            raise InputError(
                "", name, "of another shape", f"{rows} rows, as X (row, coefficient)", "give one each"
            )
    for name, values in (("X", design), ("Y", Y), ("known", k)):
        if not np.isfinite(values).all():
            raise InputError(
                "", name, "not finite in some rows", "finite numbers",
                "leave rows that are missing out, and use fit_each where they differ between trials",
            )  # fmt: skip
    if (k < 0).any():
        raise InputError("", "known", "negative in some rows", "variances of 0 or more", "give se^2")
    return design, Y, codes[0], codes[1] if inner is not None else None, k


def _contrast(contrast: npt.ArrayLike, p: int) -> FloatArray:
    c = np.asarray(contrast, dtype=np.float64)
    if c.shape != (p,) or not np.isfinite(c).all() or not c.any():
        raise InputError(
            "", "contrast", f"of shape {c.shape}, or 0", f"{p} numbers, one a column of X", "as [0, 1, 0]"
        )
    return c
