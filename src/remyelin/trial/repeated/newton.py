"""Newton's method for the parameters of the covariance, to full convergence."""

# mypy: disable-error-code="no-untyped-def, no-untyped-call"

from __future__ import annotations

import numpy as np
from numba import njit

from remyelin.trial.repeated.likelihood import _derivatives, _value
from remyelin.trial.repeated.structures import _covariance, _size, _unshape, _vech

CONVERGED, STOPPED, SINGULAR, FLAT = range(4)
# Newton decrement g' H^-1 g: the distance to the maximum in standard errors of theta, squared.
_TOLERANCE = 1e-18
_MOST_STEPS = 100
# A visit whose variance given the earlier ones is below this share of its own is determined by them: the
# likelihood has no maximum. Twins and rounding leave more than 1e-8.
_LEAST_SHARE = 1e-9


@njit(cache=True, nogil=True)
def _maximise(shape, heterogeneous, Z, visit, start, run, known, m, reml):
    """Fit theta.

    Parameters
    ----------
    Z
        (row, coefficient + 1) design of full rank, then the response, both of order 1; rows sorted by
        subject, and by visit within.
    visit, known
        (row,) visit 0 ... m - 1, and known variance.
    start, run
        (subject + 1,) first row of each subject; (run + 1,) first subject of each run that shares one V.

    Returns
    -------
    status, value, theta, sigma, beta, root, P, W, A
        Minus the log likelihood (constant left out); `root` with root' root = (X' V^-1 X)^-1; `P` (theta,
        coefficient, coefficient) as ``X' dV^-1 X`` in the coordinates of `root`; `W` the inverse observed
        information of theta; `A` (run, visit, visit) the V^-1.
    """
    p = Z.shape[1] - 1
    size, elements = _size(shape, heterogeneous, m)[1], m * (m + 1) // 2
    place = _vech(m)
    sigma, first, second = np.empty((m, m)), np.empty((size, elements)), np.empty((size, size, elements))
    A = np.zeros((run.size - 1, m, m))
    root, beta, U = np.zeros((p, p)), np.zeros(p), np.empty((elements, p + 1, p + 1))
    slope, bend = np.empty(elements), np.empty((elements, elements))
    theta = _start(shape, heterogeneous, Z, visit, start, known, m, place)
    P, W = np.zeros((size, p, p)), np.zeros((size, size))
    _covariance(shape, heterogeneous, theta, m, place, sigma, first, second)
    value = _value(sigma, Z, visit, start, run, known, reml, A, root, beta)
    status = STOPPED
    for _ in range(_MOST_STEPS):
        Ps = _derivatives(Z, visit, start, run, reml, A, root, beta, place, slope, bend, U)
        gradient = first @ slope
        hessian = first @ bend @ first.T
        for h in range(size):
            for j in range(size):
                hessian[h, j] += np.sum(slope * second[h, j])
        step, ridge = _downhill(gradient, hessian)
        decrement = -np.sum(gradient * step)
        if ridge == 0 and decrement < _TOLERANCE:
            status = CONVERGED
            break
        theta, value, moved = _advance(
            *(shape, heterogeneous, theta, step, value, decrement, ridge),
            *(Z, visit, start, run, known, m, reml, place, sigma, first, second, A, root, beta),
        )
        if _singular(sigma) >= 0:
            status = SINGULAR
            break
        if not moved:
            status = FLAT if ridge > 0 else STOPPED
            break
    if status == CONVERGED:
        W[:] = np.linalg.inv(hessian)
        P[:] = (first @ Ps.reshape(elements, p * p)).reshape(size, p, p)
    return status, value, theta, sigma, beta, root, P, W, A


@njit(cache=True, nogil=True)
def _advance(
    shape, heterogeneous, theta, step, value, decrement, ridge,
    Z, visit, start, run, known, m, reml, place, sigma, first, second, A, root, beta,
):  # fmt: skip
    """The longest of the halved steps that lowers the value; none below rounding."""
    longest = np.max(np.abs(step))
    scale = min(1.0, 2.0 / longest)
    for _ in range(40):
        trial = theta + scale * step
        _covariance(shape, heterogeneous, trial, m, place, sigma, first, second)
        found = _value(sigma, Z, visit, start, run, known, reml, A, root, beta)
        # So near the maximum that rounding hides the descent, Newton's step is right by itself.
        near = ridge == 0 and decrement < 1e-9 and scale == 1.0 and np.isfinite(found)
        if near or found < value - 1e-4 * scale * decrement:
            return trial, found, True
        scale *= 0.5
    _covariance(shape, heterogeneous, theta, m, place, sigma, first, second)
    _value(sigma, Z, visit, start, run, known, reml, A, root, beta)
    return theta, value, False


@njit(cache=True, nogil=True)
def _downhill(gradient, hessian):
    """Newton's step; where the Hessian is not positive definite, with a ridge that makes it so."""
    size = gradient.size
    scale = np.abs(np.diag(hessian)) + 1e-3 * np.max(np.abs(np.diag(hessian)))
    ridge = 0.0
    for _ in range(30):
        H = hessian / np.sqrt(np.outer(scale, scale)) + ridge * np.eye(size)
        if _definite(H):
            return -np.linalg.solve(H, gradient / np.sqrt(scale)) / np.sqrt(scale), ridge
        ridge = max(1e-3, 4 * ridge)
    return -gradient / scale, ridge


@njit(cache=True, nogil=True)
def _definite(H):
    size = H.shape[0]
    L = np.zeros((size, size))
    for j in range(size):
        s = H[j, j]
        for k in range(j):
            s -= L[j, k] * L[j, k]
        if not s > 1e-12:
            return False
        L[j, j] = np.sqrt(s)
        for i in range(j + 1, size):
            s = H[i, j]
            for k in range(j):
                s -= L[i, k] * L[j, k]
            L[i, j] = s / L[j, j]
    return True


@njit(cache=True, nogil=True)
def _singular(sigma):
    """The first visit that the visits before it determine, or -1."""
    m = sigma.shape[0]
    L = np.zeros((m, m))
    for j in range(m):
        s = sigma[j, j]
        for k in range(j):
            s -= L[j, k] * L[j, k]
        if not s > _LEAST_SHARE * sigma[j, j]:
            return j
        L[j, j] = np.sqrt(s)
        for i in range(j + 1, m):
            s = sigma[i, j]
            for k in range(j):
                s -= L[i, k] * L[j, k]
            L[i, j] = s / L[j, j]
    return -1


@njit(cache=True, nogil=True)
def _start(shape, heterogeneous, Z, visit, start, known, m, place):
    """Moments of the response (residuals of least squares), shrunk until they make a covariance."""
    p = Z.shape[1] - 1
    total, count, noise = np.zeros((m, m)), np.zeros((m, m)), np.zeros(m)
    for i in range(start.size - 1):
        for r in range(start[i], start[i + 1]):
            noise[visit[r]] += known[r]
            for s in range(start[i], start[i + 1]):
                total[visit[r], visit[s]] += Z[r, p] * Z[s, p]
                count[visit[r], visit[s]] += 1
    moments = total / np.maximum(count, 1)
    variance = np.diag(moments) - noise / np.maximum(np.diag(count), 1)
    variance = np.maximum(variance, 0.1 * np.mean(np.diag(moments)))
    size, elements = _size(shape, heterogeneous, m)[1], m * (m + 1) // 2
    sigma, first, second = np.empty((m, m)), np.empty((size, elements)), np.empty((size, size, elements))
    theta = np.zeros(size)
    for share in (0.98, 0.9, 0.7, 0.4, 0.0):
        shrunk = share * moments
        for a in range(m):
            shrunk[a, a] = variance[a]
        if _singular(shrunk) < 0:
            theta = _unshape(shape, heterogeneous, shrunk)
            _covariance(shape, heterogeneous, theta, m, place, sigma, first, second)
            if _singular(sigma) < 0:
                break
    return theta
