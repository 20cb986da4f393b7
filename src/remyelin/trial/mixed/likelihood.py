"""Deviance of a normal model with its first and second derivatives by the variances, from `moments`.

With P = V^-1 - V^-1 X (X' V^-1 X)^-1 X' V^-1 and V_k = dV / d variance k, the restricted deviance
D = log det V + log det X' V^-1 X + y' P y has

    dD / dk       =  tr P V_k - y' P V_k P y
    E d2D / dk dl =  tr P V_k P V_l
    d2D / dk dl   = -tr P V_k P V_l + 2 y' P V_k P V_l P y

(Searle, Casella & McCulloch 1992, Variance Components, ch. 6, doi 10.1002/9780470316856). Maximum likelihood
has V^-1 instead of P in the traces. Constants (2 pi) are left to the caller.
"""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True, nogil=True, error_model="numpy")
def cholesky(A, L):  # type: ignore[no-untyped-def]
    """Lower factor `L` of `A`; gives log det, or NaN where `A` is not positive definite."""
    log_det = 0.0
    for c in range(A.shape[0]):
        left = A[c, c]
        for k in range(c):
            left -= L[c, k] * L[c, k]
        if not left > 1e-14 * abs(A[c, c]):
            return np.nan
        L[c, c] = np.sqrt(left)
        log_det += np.log(left)
        for r in range(c):
            L[r, c] = 0.0
        for r in range(c + 1, A.shape[0]):
            value = A[r, c]
            for k in range(c):
                value -= L[r, k] * L[c, k]
            L[r, c] = value / L[c, c]
    return log_det


@njit(cache=True, nogil=True, error_model="numpy")
def solve(L, b, x):  # type: ignore[no-untyped-def]
    """`x` with L L' x = b."""
    n = b.size
    for r in range(n):
        x[r] = b[r]
        for k in range(r):
            x[r] -= L[r, k] * x[k]
        x[r] /= L[r, r]
    for r in range(n - 1, -1, -1):
        for k in range(r + 1, n):
            x[r] -= L[k, r] * x[k]
        x[r] /= L[r, r]


@njit(cache=True, nogil=True, error_model="numpy")
def deviance(A, log_det_v, reml, L):  # type: ignore[no-untyped-def]
    """Of `gram`: the factor of [X y]' V^-1 [X y] holds log det X' V^-1 X and y' P y (its last pivot)."""
    p = A.shape[0] - 1
    log_det = cholesky(A, L)
    rest = L[p, p] ** 2
    return log_det_v + rest + (log_det - 2 * np.log(L[p, p]) if reml else 0.0)


@njit(cache=True, nogil=True, error_model="numpy")
def derivatives(A, B, Q, t, F, reml, beta, phi, gradient, expected, observed):  # type: ignore[no-untyped-def]
    """Fill `beta` (p,), `phi` (p, p) = (X' V^-1 X)^-1, `gradient`, both Hessians; is phi regular?"""
    p = beta.size
    L = np.empty((p, p))
    if np.isnan(cholesky(A[:p, :p], L)):
        return False
    solve(L, A[:p, p], beta)
    unit = np.zeros(p)
    for c in range(p):
        unit[c] = 1.0
        solve(L, unit, phi[c])
        unit[c] = 0.0
    r = np.empty(p + 1)  # Z r = y - X beta
    r[p] = 1.0
    for x in range(p):
        r[x] = -beta[x]
    Br, phi_B = np.empty((3, p + 1)), np.empty((3, p, p))
    for k in range(3):
        for x in range(p + 1):
            Br[k, x] = _dot(B[k, x], r)
        _product(phi, B[k], phi_B[k])
        gradient[k] = t[k] - _dot(r, Br[k])
        if reml:
            gradient[k] -= _trace(phi, B[k])
    for k in range(3):
        for m in range(k, 3):
            expected[k, m] = F[k, m]
            if reml:
                expected[k, m] += _trace_product(phi_B[k], phi_B[m]) - 2 * _trace(phi, Q[k, m])
            observed[k, m] = 2 * (_form(r, Q[k, m], r) - _form(Br[k, :p], phi, Br[m, :p])) - expected[k, m]
            expected[m, k], observed[m, k] = expected[k, m], observed[k, m]
    return True


@njit(cache=True, nogil=True, error_model="numpy")
def _dot(x, y):  # type: ignore[no-untyped-def]
    total = 0.0
    for k in range(x.size):
        total += x[k] * y[k]
    return total


@njit(cache=True, nogil=True, error_model="numpy")
def _form(x, M, y):  # type: ignore[no-untyped-def]
    """x' M y."""
    total = 0.0
    for r in range(x.size):
        total += x[r] * _dot(M[r], y)
    return total


@njit(cache=True, nogil=True, error_model="numpy")
def _product(phi, M, product):  # type: ignore[no-untyped-def]
    """Fill `product` with phi M, M symmetric; it may be larger."""
    n = phi.shape[0]
    for r in range(n):
        for c in range(n):
            product[r, c] = _dot(phi[r], M[c, :n])


@njit(cache=True, nogil=True, error_model="numpy")
def _trace(phi, M):  # type: ignore[no-untyped-def]
    """tr phi M, of symmetric matrices; M may be larger."""
    total = 0.0
    for r in range(phi.shape[0]):
        for c in range(phi.shape[0]):
            total += phi[r, c] * M[r, c]
    return total


@njit(cache=True, nogil=True, error_model="numpy")
def _trace_product(K, M):  # type: ignore[no-untyped-def]
    """tr K M."""
    total = 0.0
    for r in range(K.shape[0]):
        for c in range(K.shape[0]):
            total += K[r, c] * M[c, r]
    return total
