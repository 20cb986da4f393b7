"""The variances at which the likelihood is largest, zero included.

A coarse grid over the shares of the total variance finds every valley (the likelihood of unequal groups may
have two). From the bottom of each, Fisher's scoring steps go down (exact in one step for equal groups), and
near the end Newton's. A variance whose step crosses zero is set to zero, and stays while the slope there
points below it. `Z` [X y] comes with orthonormal X and y of about unit variance, so that the settings below
are free of units; variances are in the order of `moments`.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from remyelin.trial.mixed.likelihood import cholesky, derivatives, deviance, solve
from remyelin.trial.mixed.moments import gram, moments, plain_sums, row_sums, scaled_sums

SHARES = np.array([0.0, 0.01, 0.04, 0.12, 0.3, 0.55, 0.8, 0.95, 0.995])
SCALES = np.array([0.02, 0.1, 0.35, 0.8, 1.6])  # of the variance on top of the known one, in var(y)
SMALLEST = 1e-9  # a variance below this, with a slope that points to zero, is zero
NEAR = 1e-2  # a step that gains less than half of this in deviance is taken on the observed information
STARTS = 6


@njit(cache=True, nogil=True, error_model="numpy")
def search(Z, known, ends, outer, free, reml, theta, state):  # type: ignore[no-untyped-def]
    """Fill `theta` (3,) with the variances and `state` with what is true there; give the deviance, or NaN.

    `known` (row,) holds the known variance of each row; `free` (3,) says which variances are estimated; and
    `state` is (beta, phi, A, B, Q, expected, observed) of `derivatives`.
    """
    q, inner = Z.shape[1], ends.size - 1
    equal = known.max() == known.min()
    sums = (np.empty((3, inner)), np.empty((3, inner, q)), np.empty((3, q, q)))
    plain = (np.empty(inner), np.empty((inner, q)), np.empty((q, q)))
    if equal:
        plain_sums(Z, ends, plain[0], plain[1], plain[2])
    rows = (Z, known, ends, outer, equal, reml)
    starts = _valleys(rows, free, plain, sums)
    best, at, only = np.inf, np.empty(3), starts.shape[0] == 1
    for k in range(starts.shape[0]):
        at[:] = starts[k]
        found = _descend(rows, free, plain, sums, at, state)
        if found < best:
            best = found
            theta[:] = at
    if best == np.inf:
        return np.nan
    if not only:
        _state(rows, free, plain, sums, theta, state, np.empty(3))
    return best


@njit(cache=True, nogil=True, error_model="numpy")
def state_at(Z, known, ends, outer, free, reml, theta, state):  # type: ignore[no-untyped-def]
    """Fill `state` (beta, phi, A, B, Q, expected, observed) at a given `theta`; gives the deviance."""
    q, inner = Z.shape[1], ends.size - 1
    sums = (np.empty((3, inner)), np.empty((3, inner, q)), np.empty((3, q, q)))
    plain = (np.empty(inner), np.empty((inner, q)), np.empty((q, q)))
    return _state((Z, known, ends, outer, False, reml), free, plain, sums, theta, state, np.empty(3))


@njit(cache=True, nogil=True, error_model="numpy")
def _fill(rows, s, plain, sums):  # type: ignore[no-untyped-def]
    """Weighted sums at residual variance `s`; gives the sum of log(1/w)."""
    Z, known, ends, _, equal, _ = rows
    if equal:
        return scaled_sums(Z.shape[0], s + known[0], plain[0], plain[1], plain[2], sums[0], sums[1], sums[2])
    return row_sums(Z, known, s, ends, sums[0], sums[1], sums[2])


@njit(cache=True, nogil=True, error_model="numpy")
def _deviance(rows, theta, plain, sums, A, L):  # type: ignore[no-untyped-def]
    log_det = _fill(rows, theta[2], plain, sums)
    log_det += gram(theta[0], theta[1], sums[0][0], sums[1][0], sums[2][0], rows[3], A)
    return deviance(A, log_det, rows[5], L)


@njit(cache=True, nogil=True, error_model="numpy")
def _valleys(rows, free, plain, sums):  # type: ignore[no-untyped-def]
    """Bottoms of a grid (share of u, share of v in the rest, scale): starts (start, 3), the lowest first."""
    Z, known, equal, reml = rows[0], rows[1], rows[4], rows[5]
    q = Z.shape[1]
    A, L = np.empty((q, q)), np.empty((q, q))
    profiled = equal and known[0] == 0.0
    size = (
        SHARES.size if free[0] else 1,
        SHARES.size if free[1] else 1,
        1 if profiled else SCALES.size,
    )
    D = np.empty(size)
    at = np.empty((*size, 3))
    n = Z.shape[0] - (q - 1 if reml else 0)
    for i in range(size[0]):
        for j in range(size[1]):
            for k in range(size[2]):
                theta = at[i, j, k]
                theta[0] = SHARES[i]
                theta[1] = (1 - SHARES[i]) * SHARES[j]
                theta[2] = (1 - SHARES[i]) * (1 - SHARES[j])
                if not profiled:
                    theta *= SCALES[k]
                D[i, j, k] = _deviance(rows, theta, plain, sums, A, L)
                if profiled:  # the scale is known in closed form: y'Py / n
                    rest = L[q - 1, q - 1] ** 2
                    theta *= rest / n
                    D[i, j, k] += n * np.log(rest / n) + n - rest
    return _bottoms(D, at)


@njit(cache=True, nogil=True, error_model="numpy")
def _bottoms(D, at):  # type: ignore[no-untyped-def]
    """At most `STARTS` points of the grid with no neighbour lower, the lowest first."""
    picked, depth, count = np.empty((STARTS, 3)), np.full(STARTS, np.inf), 0
    for i in range(D.shape[0]):
        for j in range(D.shape[1]):
            for k in range(D.shape[2]):
                if _has_lower_neighbour(D, i, j, k):
                    continue
                slot = min(count, STARTS - 1)
                if D[i, j, k] >= depth[slot]:
                    continue
                while slot > 0 and D[i, j, k] < depth[slot - 1]:
                    depth[slot] = depth[slot - 1]
                    picked[slot] = picked[slot - 1]
                    slot -= 1
                depth[slot] = D[i, j, k]
                picked[slot] = at[i, j, k]
                count = min(count + 1, STARTS)
    return picked[:count]


@njit(cache=True, nogil=True, error_model="numpy")
def _has_lower_neighbour(D, i, j, k):  # type: ignore[no-untyped-def]
    here = D[i, j, k]
    return (
        (i > 0 and D[i - 1, j, k] < here)
        or (i + 1 < D.shape[0] and D[i + 1, j, k] < here)
        or (j > 0 and D[i, j - 1, k] < here)
        or (j + 1 < D.shape[1] and D[i, j + 1, k] < here)
        or (k > 0 and D[i, j, k - 1] < here)
        or (k + 1 < D.shape[2] and D[i, j, k + 1] < here)
    )


@njit(cache=True, nogil=True, error_model="numpy")
def _state(rows, free, plain, sums, theta, state, gradient):  # type: ignore[no-untyped-def]
    """Everything at `theta`; gives the deviance, NaN where it is not defined."""
    beta, phi, A, B, Q, expected, observed = state
    q = A.shape[0]
    t, F, L = np.empty(3), np.empty((3, 3)), np.empty((q, q))
    log_det = _fill(rows, theta[2], plain, sums)
    log_det += moments(theta[0], theta[1], free[1], sums[0], sums[1], sums[2], rows[3], A, B, Q, t, F)
    if not derivatives(A, B, Q, t, F, rows[5], beta, phi, gradient, expected, observed):
        return np.nan
    return deviance(A, log_det, rows[5], L)


@njit(cache=True, nogil=True, error_model="numpy")
def _descend(rows, free, plain, sums, theta, state):  # type: ignore[no-untyped-def]
    """From `theta` to the bottom of its valley; gives the deviance there, NaN if it is not reached."""
    q = state[2].shape[0]
    gradient, step, trial, held = np.empty(3), np.empty(3), np.empty(3), np.empty(3, np.bool_)
    A, L = np.empty((q, q)), np.empty((q, q))
    for _ in range(200):
        here = _state(rows, free, plain, sums, theta, state, gradient)
        for k in range(3):
            held[k] = not free[k] or (theta[k] < SMALLEST and gradient[k] >= 0)
        if _rounded_to_zero(theta, held):
            continue
        left = newton_step(gradient, state[5], held, step)
        if 0 <= left < NEAR:
            left = newton_step(gradient, state[6], held, step)
            if left < 0:
                left = newton_step(gradient, state[5], held, step)
        if not left >= 0:
            return np.nan
        if left < 1e-17:
            return here
        length = 1.0
        for _ in range(60):
            trial[:] = np.maximum(theta + length * step, 0.0)
            # `left` is twice what a step gains; below 1e-6 rounding of the deviance would judge it wrongly.
            if left < 1e-6 or _deviance(rows, trial, plain, sums, A, L) < here:
                break
            length *= 0.5
        else:
            return here
        theta[:] = trial
    return np.nan


@njit(cache=True, nogil=True, error_model="numpy")
def _rounded_to_zero(theta, held):  # type: ignore[no-untyped-def]
    """Set what is held at all but zero to zero; was there any?"""
    changed = False
    for k in range(3):
        if held[k] and theta[k] > 0.0:
            theta[k] = 0.0
            changed = True
    return changed


@njit(cache=True, nogil=True, error_model="numpy")
def newton_step(gradient, hessian, held, step):  # type: ignore[no-untyped-def]
    """Fill `step` = -hessian^-1 gradient of what is not held; gives gradient' hessian^-1 gradient, or -1."""
    index = np.flatnonzero(~held)
    n = index.size
    H, L, g, x = np.empty((n, n)), np.empty((n, n)), np.empty(n), np.empty(n)
    step[:] = 0.0
    for r in range(n):
        g[r] = gradient[index[r]]
        for c in range(n):
            H[r, c] = hessian[index[r], index[c]]
    if np.isnan(cholesky(H, L)):
        return -1.0
    solve(L, g, x)
    left = 0.0
    for r in range(n):
        step[index[r]] = -x[r]
        left += g[r] * x[r]
    return left


@njit(cache=True, nogil=True, error_model="numpy")
def identified(basis, ends, outer, free):  # type: ignore[no-untyped-def]
    """Whether the error contrasts of a design tell the free variances apart.

    They do where the expected information is not singular; at any variances, so it is asked at 1.
    """
    n, p = basis.shape
    Z = np.empty((n, p + 1))
    for r in range(n):
        Z[r, p] = 1.0
        for c in range(p):
            Z[r, c] = basis[r, c]
    theta, expected, observed = np.empty(3), np.empty((3, 3)), np.empty((3, 3))
    A, B, Q = np.empty((p + 1, p + 1)), np.empty((3, p + 1, p + 1)), np.empty((3, 3, p + 1, p + 1))
    for k in range(3):
        theta[k] = 1.0 if free[k] else 0.0
    state = (np.empty(p), np.empty((p, p)), A, B, Q, expected, observed)
    state_at(Z, np.zeros(n), ends, outer, free, True, theta, state)
    for k in range(3):
        if free[k] and not expected[k, k] > 1e-7:
            return False
    return _not_singular(expected, free)


@njit(cache=True, nogil=True, error_model="numpy")
def _not_singular(expected, free):  # type: ignore[no-untyped-def]
    index = np.flatnonzero(free)
    n = index.size
    H, L = np.empty((n, n)), np.empty((n, n))
    for r in range(n):
        for c in range(n):
            size = expected[index[r], index[r]] * expected[index[c], index[c]]
            H[r, c] = expected[index[r], index[c]] / np.sqrt(size)
    if np.isnan(cholesky(H, L)):
        return False
    smallest = 1.0
    for r in range(n):
        smallest = min(smallest, L[r, r])
    return smallest > 1e-5
