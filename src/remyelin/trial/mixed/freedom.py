"""Degrees of freedom of Satterthwaite, and of Kenward and Roger with their standard errors.

Of an estimate c'beta with variance v = c' Phi c, Phi = (X' V^-1 X)^-1, the t distribution has

    df = 2 v^2 / (g' W g),   g_k = dv / dk = c' Phi X' V^-1 V_k V^-1 X Phi c,

W the covariance matrix of the estimated variances: twice the inverse Hessian of the deviance, observed
(Satterthwaite 1946, doi 10.2307/3002019) or expected (Kenward & Roger 1997, doi 10.2307/2533558), who also
replace Phi by

    Phi_A = Phi + 2 Phi { sum_kl W_kl (Q_kl - B_k Phi B_l) } Phi

with B, Q of `moments`. At a boundary (a variance of zero) the observed information has no meaning: the
deviance is not stationary there. Satterthwaite's df then rest on the expected information of all variances
too, as if the zero had been estimated with its usual error, which it was.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from remyelin.trial.mixed.likelihood import cholesky, solve


@njit(cache=True, nogil=True, error_model="numpy")
def variance_covariance(hessian, free, W):  # type: ignore[no-untyped-def]
    """Fill `W` (3, 3) with twice the inverse of the Hessian over the free variances; was it invertible?"""
    index = np.flatnonzero(free)
    n = index.size
    H, L, unit, x = np.empty((n, n)), np.empty((n, n)), np.zeros(n), np.empty(n)
    for r in range(n):
        for c in range(n):
            H[r, c] = hessian[index[r], index[c]]
    for r in range(3):
        for c in range(3):
            W[r, c] = 0.0
    if np.isnan(cholesky(H, L)):
        return False
    for r in range(n):
        unit[r] = 1.0
        solve(L, unit, x)
        unit[r] = 0.0
        for c in range(n):
            W[index[r], index[c]] = 2.0 * x[c]
    return True


@njit(cache=True, nogil=True, error_model="numpy")
def satterthwaite_covariance(theta, expected, observed, free, W):  # type: ignore[no-untyped-def]
    """`W` of Satterthwaite: observed inside, expected where a variance is zero."""
    inside = True
    for k in range(3):
        inside = inside and (not free[k] or theta[k] > 0.0)
    if not (inside and variance_covariance(observed, free, W)):
        variance_covariance(expected, free, W)


@njit(cache=True, nogil=True, error_model="numpy")
def variance_and_freedom(c, phi, B, W):  # type: ignore[no-untyped-def]
    """Variance of c'beta by `phi`, and its degrees of freedom."""
    p = c.size
    x, g = np.zeros(p), np.zeros(3)
    v = 0.0
    for r in range(p):
        for k in range(p):
            x[r] += phi[r, k] * c[k]
        v += c[r] * x[r]
    for k in range(3):
        for r in range(p):
            for m in range(p):
                g[k] += x[r] * B[k, r, m] * x[m]
    spread = 0.0
    for k in range(3):
        for m in range(3):
            spread += g[k] * W[k, m] * g[m]
    return v, 2.0 * v * v / spread


@njit(cache=True, nogil=True, error_model="numpy")
def kenward_roger_covariance(phi, B, Q, W):  # type: ignore[no-untyped-def]
    """(p, p) covariance matrix of the coefficients, with the error of the variances in it."""
    p = phi.shape[0]
    M, left, right = np.zeros((p, p)), np.empty((p, p)), np.empty((p, p))
    for k in range(3):
        for m in range(3):
            if W[k, m] != 0.0:
                _product(B[k], phi, left)
                _product(left, B[m], right)
                for r in range(p):
                    for c in range(p):
                        M[r, c] += W[k, m] * (Q[k, m, r, c] - right[r, c])
    _product(phi, M, left)
    _product(left, phi, right)
    for r in range(p):
        for c in range(p):
            right[r, c] = phi[r, c] + 2.0 * right[r, c]
    return right


@njit(cache=True, nogil=True, error_model="numpy")
def _product(K, M, product):  # type: ignore[no-untyped-def]
    """Fill `product` (p, p) with K M, of matrices that may be larger; no library with threads is called."""
    p = product.shape[0]
    for r in range(p):
        for c in range(p):
            total = 0.0
            for k in range(p):
                total += K[r, k] * M[k, c]
            product[r, c] = total
