"""Newton's method for the parameters of the covariance, to full convergence."""

# mypy: disable-error-code="no-untyped-def, no-untyped-call"

from __future__ import annotations

import numpy as np
from numba import njit

from remyelin.trial.repeated.cholesky import _factor, _inverse, _solve
from remyelin.trial.repeated.likelihood import _derivatives, _value
from remyelin.trial.repeated.structures import _covariance, _size, _unshape, _vech

CONVERGED, STOPPED, SINGULAR, FLAT = range(4)
# Newton decrement g' H^-1 g: the distance to the maximum in standard errors of theta, squared.
_TOLERANCE = 1e-18
_MOST_STEPS = 100
# A visit whose variance given the earlier ones is below this share of its own is determined by them: the
# likelihood has no maximum. Twins and rounding leave more than 1e-8.
_LEAST_SHARE = 1e-9
# In units of the mean square of the residuals: terms or known errors explain all scatter of the visit.
_LEAST_VARIANCE = 1e-10


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
    status, value, theta, sigma, beta, root, P, q, W, A
        Minus the log likelihood (constant left out); `root` with root' root = (X' V^-1 X)^-1; `P` (theta,
        coefficient, coefficient) as ``X' dV^-1 X`` and `q` (theta, coefficient) as ``X' V^-1 dV V^-1 r``,
        both in the coordinates of `root`; `W` the inverse observed information of theta; `A` (run, visit,
        visit) the V^-1.
    """
    p = Z.shape[1] - 1
    size, elements = _size(shape, heterogeneous, m)[1], m * (m + 1) // 2
    place = _vech(m)
    sigma, first, second = np.empty((m, m)), np.empty((size, elements)), np.empty((size, size, elements))
    A = np.zeros((run.size - 1, m, m))
    root, beta, U = np.zeros((p, p)), np.zeros(p), np.empty((elements, p + 1, p + 1))
    slope, bend = np.empty(elements), np.empty((elements, elements))
    gradient, hessian, step = np.empty(size), np.empty((size, size)), np.empty(size)
    P, q, W = np.zeros((size, p, p)), np.zeros((size, p)), np.zeros((size, size))
    theta = _start(shape, heterogeneous, Z, visit, start, known, m)
    _covariance(shape, heterogeneous, theta, m, place, sigma, first, second)
    value = _value(sigma, Z, visit, start, run, known, reml, A, root, beta)
    status = STOPPED
    for _ in range(_MOST_STEPS):
        Ps, qs = _derivatives(Z, visit, start, run, reml, A, root, beta, place, slope, bend, U)
        _chain(first, second, slope, bend, gradient, hessian)
        ridge, decrement = _downhill(gradient, hessian, step)
        if ridge == 0 and decrement < _TOLERANCE:
            status = CONVERGED
            _finish(hessian, first, Ps, qs, W, P, q)
            break
        value, moved = _advance(
            *(shape, heterogeneous, theta, step, value, decrement, ridge),
            *(Z, visit, start, run, known, m, reml, place, sigma, first, second, A, root, beta),
        )
        if _determined(sigma) >= 0:
            status = SINGULAR
            break
        if not moved:
            status = FLAT if ridge > 0 else STOPPED
            break
    return status, value, theta, sigma, beta, root, P, q, W, A


@njit(cache=True, nogil=True)
def _chain(first, second, slope, bend, gradient, hessian):
    """Derivatives by the elements of Sigma into those by theta."""
    size, elements = first.shape
    turned = np.zeros((size, elements))
    for h in range(size):
        gradient[h] = 0
        for s in range(elements):
            gradient[h] += first[h, s] * slope[s]
            for t in range(elements):
                turned[h, t] += first[h, s] * bend[s, t]
    for h in range(size):
        for j in range(h + 1):
            total = 0.0
            for s in range(elements):
                total += turned[h, s] * first[j, s] + slope[s] * second[h, j, s]
            hessian[h, j] = hessian[j, h] = total


@njit(cache=True, nogil=True)
def _finish(hessian, first, Ps, qs, W, P, q):
    """W, the inverse of the Hessian; P and q by theta from those by the elements of Sigma."""
    size, elements = first.shape
    _inverse(hessian, size, np.zeros((size, size)), W)
    for h in range(size):
        for s in range(elements):
            for k in range(P.shape[1]):
                q[h, k] += first[h, s] * qs[s, k]
                for j in range(P.shape[1]):
                    P[h, k, j] += first[h, s] * Ps[s, k, j]


@njit(cache=True, nogil=True)
def _advance(
    shape, heterogeneous, theta, step, value, decrement, ridge,
    Z, visit, start, run, known, m, reml, place, sigma, first, second, A, root, beta,
):  # fmt: skip
    """Move theta by the longest of the halved steps that lowers the value; none below rounding."""
    longest = 0.0
    for h in range(step.size):
        longest = max(longest, abs(step[h]))
    scale = min(1.0, 2.0 / longest)
    origin = theta.copy()
    for _ in range(40):
        for h in range(theta.size):
            theta[h] = origin[h] + scale * step[h]
        _covariance(shape, heterogeneous, theta, m, place, sigma, first, second)
        found = _value(sigma, Z, visit, start, run, known, reml, A, root, beta)
        # So near the maximum that rounding hides the descent, Newton's step is right by itself.
        near = ridge == 0 and decrement < 1e-9 and scale == 1.0 and np.isfinite(found)
        if near or found < value - 1e-4 * scale * decrement:
            return found, True
        scale *= 0.5
    for h in range(theta.size):
        theta[h] = origin[h]
    _covariance(shape, heterogeneous, theta, m, place, sigma, first, second)
    _value(sigma, Z, visit, start, run, known, reml, A, root, beta)
    return value, False


@njit(cache=True, nogil=True)
def _downhill(gradient, hessian, step):
    """Fill Newton's step; where the Hessian is not positive definite, with a ridge that makes it so.

    Returns the ridge, and what the step gains by the slope alone.
    """
    size = gradient.size
    H, L, scale = np.empty((size, size)), np.zeros((size, size)), np.empty(size)
    largest, ridge = 0.0, 0.0
    for h in range(size):
        largest = max(largest, abs(hessian[h, h]))
    for h in range(size):
        scale[h] = np.sqrt(abs(hessian[h, h]) + 1e-3 * largest)
    for _ in range(30):
        for h in range(size):
            step[h] = -gradient[h] / scale[h]
            for j in range(size):
                H[h, j] = hessian[h, j] / (scale[h] * scale[j])
            H[h, h] += ridge
        if _factor(H, size, 1e-12, L) < 0:
            _solve(L, step)
            break
        ridge = max(1e-3, 4 * ridge)
    decrement = 0.0
    for h in range(size):
        step[h] /= scale[h]
        decrement -= gradient[h] * step[h]
    return ridge, decrement


@njit(cache=True, nogil=True)
def _determined(sigma):
    """The first visit without variance, or that the visits before it determine; else -1."""
    m = sigma.shape[0]
    for a in range(m):
        if not sigma[a, a] > _LEAST_VARIANCE:
            return a
    return _factor(sigma, m, _LEAST_SHARE, np.zeros((m, m)))


@njit(cache=True, nogil=True)
def _start(shape, heterogeneous, Z, visit, start, known, m):
    """Moments of the response (residuals of least squares), shrunk until they make a covariance."""
    moments, place = _moments(Z, visit, start, known, m), _vech(m)
    size, elements = _size(shape, heterogeneous, m)[1], m * (m + 1) // 2
    sigma, first, second = np.empty((m, m)), np.empty((size, elements)), np.empty((size, size, elements))
    theta = np.zeros(size)
    for share in (0.98, 0.9, 0.7, 0.4, 0.0):
        for a in range(m):
            for b in range(m):
                sigma[a, b] = moments[a, b] * (1.0 if a == b else share)
        if _determined(sigma) < 0:
            _unshape(shape, heterogeneous, sigma, theta)
            _covariance(shape, heterogeneous, theta, m, place, sigma, first, second)
            if _determined(sigma) < 0:
                break
    return theta


@njit(cache=True, nogil=True)
def _moments(Z, visit, start, known, m):
    """Mean products of the responses of two visits, with positive variances."""
    p = Z.shape[1] - 1
    moments, count, noise = np.zeros((m, m)), np.zeros((m, m)), np.zeros(m)
    for i in range(start.size - 1):
        for r in range(start[i], start[i + 1]):
            noise[visit[r]] += known[r]
            for s in range(start[i], start[i + 1]):
                moments[visit[r], visit[s]] += Z[r, p] * Z[s, p]
                count[visit[r], visit[s]] += 1
    mean = 0.0
    for a in range(m):
        for b in range(m):
            moments[a, b] /= max(count[a, b], 1)
        mean += moments[a, a] / m
    for a in range(m):
        moments[a, a] = max(moments[a, a] - noise[a] / max(count[a, a], 1), 0.1 * mean)
    return moments
