"""One contrast of one trial, and of many trials of one design: compiled, without a lock."""

from __future__ import annotations

import numpy as np
from numba import njit

from remyelin.trial.mixed.basis import orthonormal
from remyelin.trial.mixed.freedom import (
    kenward_roger_covariance,
    satterthwaite_covariance,
    variance_and_freedom,
    variance_covariance,
)
from remyelin.trial.mixed.search import identified, search


@njit(cache=True, nogil=True, error_model="numpy")
def same_layout(basis, Y, known, ends, outer, free, c, out):  # type: ignore[no-untyped-def]
    """Fill `out` (trial, 8) from `Y` (trial, row); `basis` orthonormal, `c` the contrast in it."""
    for t in range(Y.shape[0]):
        _one(basis, Y[t], known, ends, outer, free, c, out[t])


@njit(cache=True, nogil=True, error_model="numpy")
def own_layout(X, y, known, ends, outer, free, c, out):  # type: ignore[no-untyped-def]
    """Fill `out` (8,) of the trial whose groups `outer` names; its rows are found through `ends`."""
    first, last = ends[outer[0]], ends[outer[-1]]
    p = X.shape[1]
    basis, upper, own = np.empty((last - first, p)), np.empty((p, p)), np.empty(p)
    if outer.size < 3 or last - first <= p or not orthonormal(X[first:last], basis, upper):
        return
    inner, whole = ends[outer[0] : outer[-1] + 1] - first, outer - outer[0]
    if not identified(basis, inner, whole, free):
        return
    for r in range(p):  # own = upper'^-1 c
        own[r] = c[r]
        for k in range(r):
            own[r] -= upper[k, r] * own[k]
        own[r] /= upper[r, r]
    _one(basis, y[first:last], known[first:last], inner, whole, free, own, out)


@njit(cache=True, nogil=True, error_model="numpy")
def _one(basis, y, known, ends, outer, free, c, out):  # type: ignore[no-untyped-def]
    """Fill `out` (8,) as `Fits`; leave it NaN where there is no fit."""
    n, p = basis.shape
    Z, coef = np.empty((n, p + 1)), np.zeros(p)
    for r in range(n):
        Z[r, p] = y[r]
        for x in range(p):
            Z[r, x] = basis[r, x]
            coef[x] += basis[r, x] * y[r]
    total, rest = 0.0, 0.0
    for r in range(n):
        for x in range(p):
            Z[r, p] -= basis[r, x] * coef[x]
        total += y[r] ** 2
        rest += Z[r, p] ** 2
    if not rest > 1e-20 * total:
        return
    scale = np.sqrt(rest / n)
    Z[:, p] /= scale
    theta, beta, phi = np.zeros(3), np.empty(p), np.empty((p, p))
    A, B, Q = np.empty((p + 1, p + 1)), np.empty((3, p + 1, p + 1)), np.empty((3, 3, p + 1, p + 1))
    expected, observed, W = np.empty((3, 3)), np.empty((3, 3)), np.empty((3, 3))
    state = (beta, phi, A, B, Q, expected, observed)
    if np.isnan(search(Z, known / scale**2, ends, outer, free, True, theta, state)):
        return
    satterthwaite_covariance(theta, expected, observed, free, W)
    v, df = variance_and_freedom(c, phi, B, W)
    variance_covariance(expected, free, W)
    _, df_kr = variance_and_freedom(c, phi, B, W)
    v_kr, _ = variance_and_freedom(c, kenward_roger_covariance(phi, B, Q, W), B, W)
    out[0] = np.sum(c * (coef + scale * beta))
    out[1], out[2], out[3], out[4] = scale * np.sqrt(v), df, scale * np.sqrt(v_kr), df_kr
    out[5:] = theta * scale**2
