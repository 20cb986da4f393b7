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

from remyelin.trial.mixed.equal import equal_moments
from remyelin.trial.mixed.likelihood import cholesky, derivatives, deviance, solve
from remyelin.trial.mixed.moments import gram, moments, plain_sums, row_sums, scaled_sums

SHARES = np.array([0.0, 0.01, 0.04, 0.12, 0.3, 0.55, 0.8, 0.95, 0.995])
VARIANCES = np.array([0.0, 0.004, 0.03, 0.1, 0.3, 0.7, 1.3, 3.0])  # in that of y, where some are known
SMALLEST = 1e-9  # a variance below this, with a slope that points to zero, is zero
NEAR = 1e-2  # a step that gains less than half of this in deviance is taken on the observed information
STARTS = 6


@njit(cache=True, nogil=True, error_model="numpy")
def search(Z, known, ends, outer, free, reml, theta, out):  # type: ignore[no-untyped-def]
    """Fill `theta` (3,) with the variances and `out` with what is true there; give the deviance, or NaN.

    `known` (row,) holds the known variance of each row; `free` (3,) says which variances are estimated; and
    `out` is (beta, phi, A, B, Q, expected, observed) of `derivatives`.
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
        _set(at, starts[k])
        found = _descend(rows, free, plain, sums, at, out)
        if found < best:
            best = found
            _set(theta, at)
    if best == np.inf:
        return np.nan
    if not only:
        state_at(rows, free, plain, sums, theta, out, np.empty(3))
    return best


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
    """Bottoms of a grid of variances: starts (start, 3), the lowest first."""
    known, equal = rows[1], rows[4]
    profiled = equal and known[0] == 0.0
    grid = SHARES if profiled else VARIANCES
    size = (grid.size if free[0] else 1, grid.size if free[1] else 1, 1 if profiled else grid.size)
    D, at = np.empty(size), np.empty((*size, 3))
    if profiled:
        _grid_of_shares(rows, plain, D, at)
    else:
        _grid_of_variances(rows, plain, sums, D, at)
    return _bottoms(D, at)


@njit(cache=True, nogil=True, error_model="numpy")
def _grid_of_shares(rows, plain, D, at):  # type: ignore[no-untyped-def]
    """Share of u, share of v in the rest; without known variances the scale is y'Py / n in closed form."""
    q = rows[0].shape[1]
    A, L = np.empty((q, q)), np.empty((q, q))
    n = rows[0].shape[0] - (q - 1 if rows[5] else 0)
    for i in range(D.shape[0]):
        for j in range(D.shape[1]):
            u, v = SHARES[i], (1 - SHARES[i]) * SHARES[j]
            s = 1 - u - v
            log_det = gram(u / s, v / s, plain[0], plain[1], plain[2], rows[3], A)
            D[i, j, 0] = deviance(A, log_det, rows[5], L)
            rest = L[q - 1, q - 1] ** 2
            D[i, j, 0] += n * np.log(rest / n) + n - rest
            at[i, j, 0, 0], at[i, j, 0, 1], at[i, j, 0, 2] = u / s * rest / n, v / s * rest / n, rest / n


@njit(cache=True, nogil=True, error_model="numpy")
def _grid_of_variances(rows, plain, sums, D, at):  # type: ignore[no-untyped-def]
    """Of u, v and s; a residual variance of zero only where every row has a known one."""
    q = rows[0].shape[1]
    A, L = np.empty((q, q)), np.empty((q, q))
    for k in range(D.shape[2]):
        if VARIANCES[k] == 0.0 and rows[1].min() == 0.0:
            for i in range(D.shape[0]):
                for j in range(D.shape[1]):
                    D[i, j, k] = np.inf
            continue
        logs = _fill(rows, VARIANCES[k], plain, sums)
        for i in range(D.shape[0]):
            for j in range(D.shape[1]):
                at[i, j, k, 0], at[i, j, k, 1], at[i, j, k, 2] = VARIANCES[i], VARIANCES[j], VARIANCES[k]
                log_det = gram(VARIANCES[i], VARIANCES[j], sums[0][0], sums[1][0], sums[2][0], rows[3], A)
                D[i, j, k] = deviance(A, logs + log_det, rows[5], L)


@njit(cache=True, nogil=True, error_model="numpy")
def _bottoms(D, at):  # type: ignore[no-untyped-def]
    """At most `STARTS` points of the grid with no neighbour lower, the lowest first."""
    picked, depth, count = np.empty((STARTS, 3)), np.full(STARTS, np.inf), 0
    for i in range(D.shape[0]):
        for j in range(D.shape[1]):
            for k in range(D.shape[2]):
                if not D[i, j, k] < np.inf or _has_lower_neighbour(D, i, j, k):
                    continue
                slot = min(count, STARTS - 1)
                if D[i, j, k] >= depth[slot]:
                    continue
                while slot > 0 and D[i, j, k] < depth[slot - 1]:
                    depth[slot] = depth[slot - 1]
                    _set(picked[slot], picked[slot - 1])
                    slot -= 1
                depth[slot] = D[i, j, k]
                _set(picked[slot], at[i, j, k])
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
def state_at(rows, free, plain, sums, theta, out, gradient):  # type: ignore[no-untyped-def]
    """Everything at `theta`; gives the deviance, NaN where it is not defined."""
    beta, phi, A, B, Q, expected, observed = out
    q = A.shape[0]
    t, F, L = np.empty(3), np.empty((3, 3)), np.empty((q, q))
    if rows[4] and theta[1] == 0.0 and not free[1] and rows[2].size == rows[3].size:
        variance = theta[2] + rows[1][0]
        log_det = equal_moments(theta[0], variance, plain[0], plain[1], plain[2], A, B, Q, t, F)
    else:
        log_det = _fill(rows, theta[2], plain, sums)
        log_det += moments(theta[0], theta[1], free[1], sums[0], sums[1], sums[2], rows[3], A, B, Q, t, F)
    if not derivatives(A, B, Q, t, F, rows[5], beta, phi, gradient, expected, observed):
        return np.nan
    return deviance(A, log_det, rows[5], L)


@njit(cache=True, nogil=True, error_model="numpy")
def _descend(rows, free, plain, sums, theta, out):  # type: ignore[no-untyped-def]
    """From `theta` to the bottom of its valley; gives the deviance there, NaN if it is not reached."""
    q = out[2].shape[0]
    gradient, step, held = np.empty(3), np.empty(3), np.empty(3, np.bool_)
    A, L = np.empty((q, q)), np.empty((q, q))
    for _ in range(200):
        here = state_at(rows, free, plain, sums, theta, out, gradient)
        for k in range(3):
            held[k] = not free[k] or (theta[k] < SMALLEST and gradient[k] >= 0)
        if _rounded_to_zero(theta, held):
            continue
        left = newton_step(gradient, out[5], held, step)
        if 0 <= left < NEAR:
            left = newton_step(gradient, out[6], held, step)
            if left < 0:
                left = newton_step(gradient, out[5], held, step)
        if not left >= 0:
            return np.nan
        if left < 1e-17:
            return here
        if not _step_down(rows, plain, sums, theta, step, left, here, A, L):
            return here
    return np.nan


@njit(cache=True, nogil=True, error_model="numpy")
def _step_down(rows, plain, sums, theta, step, left, here, A, L):  # type: ignore[no-untyped-def]
    """Take the step, shortened until the deviance falls below `here`; was there such a step?

    `left` is twice what the whole step gains; below 1e-6 rounding of the deviance would judge it wrongly.
    """
    trial, length = np.empty(3), 1.0
    for _ in range(60):
        for k in range(3):
            trial[k] = max(theta[k] + length * step[k], 0.0)
        if left < 1e-6 or _deviance(rows, trial, plain, sums, A, L) < here:
            _set(theta, trial)
            return True
        length *= 0.5
    return False


@njit(cache=True, nogil=True, error_model="numpy")
def _set(theta, to):  # type: ignore[no-untyped-def]
    for k in range(3):
        theta[k] = to[k]


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
    for r in range(3):
        step[r] = 0.0
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
