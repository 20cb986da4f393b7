"""The restricted likelihood of a covariance between visits, with gradient and Hessian, in compiled loops.

Notation of Kenward & Roger (1997, 10.2307/2533558): y ~ N(X beta, V), V block diagonal with one block a
subject, the rows and columns of Sigma at its visits plus the known variances of its rows. Derivatives are
taken by the elements of Sigma, where they are free of the structure; the chain rule leads to its parameters.
Sums over subjects use X in coordinates where X' V^-1 X is the identity.
"""

# mypy: disable-error-code="no-untyped-def, no-untyped-call"

from __future__ import annotations

import numpy as np
from numba import njit

from remyelin.trial.repeated.cholesky import _inverse


@njit(cache=True)
def _precisions(sigma, visit, start, run, known, A):
    """V^-1 of each run of subjects that share it: `A` (run, visit, visit); sum of log determinants."""
    m = sigma.shape[0]
    V, L = np.empty((m, m)), np.zeros((m, m))
    total = 0.0
    for g in range(run.size - 1):
        row, size = start[run[g]], start[run[g] + 1] - start[run[g]]
        for a in range(size):
            for b in range(size):
                V[a, b] = sigma[visit[row + a], visit[row + b]]
            V[a, a] += known[row + a]
        logdet = _inverse(V, size, L, A[g])
        if np.isnan(logdet):
            return np.nan
        total += (run[g + 1] - run[g]) * logdet
    return total


@njit(cache=True)
def _products(Z, start, run, A, M):
    """M = Z' V^-1 Z, the lower triangle."""
    width = Z.shape[1]
    w = np.empty(width)
    _clear(M)
    for g in range(run.size - 1):
        for i in range(run[g], run[g + 1]):
            row, size = start[i], start[i + 1] - start[i]
            for a in range(size):
                for k in range(width):
                    w[k] = 0
                for b in range(size):
                    weight = A[g, a, b]
                    for k in range(width):
                        w[k] += weight * Z[row + b, k]
                for k in range(width):
                    z = Z[row + a, k]
                    for j in range(k + 1):
                        M[k, j] += z * w[j]


@njit(cache=True)
def _value(sigma, Z, visit, start, run, known, reml, A, root, beta):
    """Minus the log likelihood without its constant; fills V^-1, `root` = chol(X' V^-1 X)^-1 and beta.

    `Z` is X with y as its last column. Infinite where V or X' V^-1 X is not positive definite.
    """
    p = Z.shape[1] - 1
    total = _precisions(sigma, visit, start, run, known, A)
    if np.isnan(total):
        return np.inf
    M, phi = np.empty((p + 1, p + 1)), np.empty((p, p))
    _products(Z, start, run, A, M)
    _clear(root)
    logdet = _inverse(M, p, root, phi)
    if np.isnan(logdet):
        return np.inf
    quadratic = M[p, p]
    for a in range(p):
        beta[a] = 0
        t = 0.0
        for b in range(p):
            beta[a] += phi[a, b] * M[p, b]
            if b <= a:
                t += root[a, b] * M[p, b]
        quadratic -= t * t
    return 0.5 * (total + quadratic + (logdet if reml else 0.0))


@njit(cache=True)
def _derivatives(Z, visit, start, run, reml, A, root, beta, place, gradient, hessian, U):
    """Gradient and Hessian of minus the log likelihood by the elements of Sigma (upper triangle by rows).

    ``U[s]`` becomes the sum over subjects of ``w_a w_b'`` with ``w = V^-1 (X root', y - X beta)``, for the
    visits (a, b) of element s; its blocks give P and q, which are returned.
    """
    m, p, elements = place.shape[0], Z.shape[1] - 1, gradient.size
    x, w = np.empty((m, p + 1)), np.empty((m, p + 1))
    C, B = np.empty((m, m)), np.empty((m, m))
    _clear(hessian)
    for s in range(elements):
        gradient[s] = 0
        _clear(U[s])
    for g in range(run.size - 1):
        _clear(C)
        first = start[run[g]]
        size = start[run[g] + 1] - first
        for i in range(run[g], run[g + 1]):
            _rotate(Z, start[i], size, root, beta, x)
            _spread(x, w, C, A[g], size, reml)
            for a in range(size):
                for b in range(a, size):
                    _outer(w[a], w[b], U[place[visit[first + a], visit[first + b]]])
        _sandwich(A[g], C, size, B)
        _elements(A[g], B, size, run[g + 1] - run[g], visit[first : first + size], place, gradient, hessian)
    P, q = _folded(U, place)
    _complete(P, q, reml, hessian)
    return P, q


@njit(cache=True)
def _complete(P, q, reml, hessian):
    """Take off the Hessian what the coefficients, which move with Sigma, add; then fill it both ways."""
    elements, p = q.shape
    for s in range(elements):
        for t in range(s + 1):
            value = 0.0
            for k in range(p):
                value += q[s, k] * q[t, k]
                if reml:
                    for j in range(p):
                        value += 0.5 * P[s, k, j] * P[t, k, j]
            hessian[s, t] -= value
            hessian[t, s] = hessian[s, t]


@njit(cache=True)
def _folded(U, place):
    """P_s = X' (dV^-1 by element s) X (element, p, p), and q_s = X' V^-1 (dV by s) V^-1 r (element, p)."""
    m, p = place.shape[0], U.shape[1] - 1
    P, q = np.empty((U.shape[0], p, p)), np.empty((U.shape[0], p))
    for a in range(m):
        for b in range(a, m):
            s = place[a, b]
            half = 0.5 if a == b else 1.0
            for k in range(p):
                q[s, k] = half * (U[s, k, p] + U[s, p, k])
                for j in range(p):
                    P[s, k, j] = -half * (U[s, k, j] + U[s, j, k])
    return P, q


@njit(cache=True)
def _rotate(Z, row, size, root, beta, x):
    """Rows of X in the coordinates of `root`, and the residuals behind them."""
    p = beta.size
    for a in range(size):
        residual = Z[row + a, p]
        for k in range(p):
            residual -= Z[row + a, k] * beta[k]
            s = 0.0
            for j in range(k + 1):
                s += root[k, j] * Z[row + a, j]
            x[a, k] = s
        x[a, p] = residual


@njit(cache=True)
def _spread(x, w, C, A, size, reml):
    """w = A x, and C += r r' + X Phi X' (without the second for ML)."""
    width = x.shape[1]
    for a in range(size):
        for k in range(width):
            w[a, k] = 0
        for b in range(size):
            for k in range(width):
                w[a, k] += A[a, b] * x[b, k]
            s = 0.0
            for k in range(0 if reml else width - 1, width):
                s += x[a, k] * x[b, k]
            C[a, b] += s


@njit(cache=True)
def _clear(matrix):
    for k in range(matrix.shape[0]):
        for j in range(matrix.shape[1]):
            matrix[k, j] = 0


@njit(cache=True)
def _outer(left, right, total):
    for k in range(left.size):
        for j in range(right.size):
            total[k, j] += left[k] * right[j]


@njit(cache=True)
def _sandwich(A, C, size, B):
    """B = A C A in the first `size` rows and columns."""
    for a in range(size):
        for b in range(size):
            s = 0.0
            for k in range(size):
                t = 0.0
                for j in range(size):
                    t += C[k, j] * A[j, b]
                s += A[a, k] * t
            B[a, b] = s


@njit(cache=True)
def _elements(A, B, size, n, visit, place, gradient, hessian):
    """What a run of `n` subjects adds: with E_s the change of V by element s,

    gradient  tr(E_s (n A - B)) / 2,   hessian  tr(E_t A E_s B) - n tr(A E_t A E_s) / 2   (lower triangle).
    """
    for a in range(size):
        for b in range(a, size):
            s = place[visit[a], visit[b]]
            half = 0.5 if a == b else 1.0
            gradient[s] += half * (n * A[a, b] - B[a, b])
            for c in range(a + 1):
                for d in range(c, size):
                    t = place[visit[c], visit[d]]
                    if t > s:
                        continue
                    value = A[d, a] * B[b, c] + A[d, b] * B[a, c] + A[c, a] * B[b, d] + A[c, b] * B[a, d]
                    value -= n * (A[d, a] * A[b, c] + A[d, b] * A[a, c])
                    hessian[s, t] += half * (0.5 if c == d else 1.0) * value
