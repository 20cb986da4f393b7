"""One contrast of one trial, compiled, without a lock."""

from __future__ import annotations

import numpy as np
from numba import njit

from remyelin.trial.mixed.freedom import (
    kenward_roger_covariance,
    satterthwaite_covariance,
    variance_and_freedom,
    variance_covariance,
)
from remyelin.trial.mixed.search import search


@njit(cache=True, nogil=True, error_model="numpy")
def fit_one(basis, y, known, ends, outer, free, reml, c, out):  # type: ignore[no-untyped-def]
    """Fill `out` (8,) as `Fits`; leave it NaN where there is no fit.

    `basis` (row, p) is orthonormal, `c` (p,) the contrast of its coefficients. `reml` is true; a literal
    here would be a type of its own, and everything compiled twice.
    """
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
    if np.isnan(search(Z, known / scale**2, ends, outer, free, reml, theta, state)):
        return
    satterthwaite_covariance(theta, expected, observed, free, W)
    v, df = variance_and_freedom(c, phi, B, W)
    variance_covariance(expected, free, W)
    _, df_kr = variance_and_freedom(c, phi, B, W)
    v_kr, _ = variance_and_freedom(c, kenward_roger_covariance(phi, B, Q, W), B, W)
    out[0] = np.sum(c * (coef + scale * beta))
    out[1], out[2], out[3], out[4] = scale * np.sqrt(v), df, scale * np.sqrt(v_kr), df_kr
    out[5:] = theta * scale**2
