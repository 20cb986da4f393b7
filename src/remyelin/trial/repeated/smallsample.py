"""The corrections of Kenward and Roger, and degrees of freedom of single contrasts, in compiled loops.

All matrices are in the coordinates of `root`, where Phi = (X' V^-1 X)^-1 is the identity.
"""

# mypy: disable-error-code="no-untyped-def, no-untyped-call"

from __future__ import annotations

import numpy as np
from numba import njit

from remyelin.trial.repeated.likelihood import _rotate, _sandwich
from remyelin.trial.repeated.structures import _covariance, _vech


@njit(cache=True, nogil=True)
def _corrections(shape, heterogeneous, theta, Z, visit, start, run, beta, root, P, W, A):
    """Sums of Kenward & Roger 1997 (equations 3 and 5) over theta, weighted by the covariance W of theta.

    Returns
    -------
    linear, bent
        ``sum W_hj (Q_hj - P_h Phi P_j)`` and ``sum W_hj R_hj``, so that the corrected covariance is
        ``Phi + 2 linear - bent / 2``; without R it does not depend on how the covariance is parametrised.
    """
    m, p, size = A.shape[1], P.shape[1], theta.size
    place, elements = _vech(m), m * (m + 1) // 2
    sigma, first, second = np.empty((m, m)), np.empty((size, elements)), np.empty((size, size, elements))
    _covariance(shape, heterogeneous, theta, m, place, sigma, first, second)
    spread, curve = _weighted(W, first, second)
    linear, bent = np.zeros((p, p)), np.zeros((p, p))
    for h in range(size):
        other = np.zeros((p, p))
        for j in range(size):
            other += W[h, j] * P[j]
        linear -= np.dot(P[h], other)
    x = np.empty((m, p + 1))
    T, S, M, N = np.empty((m, m)), np.empty((m, m)), np.empty((m, m)), np.empty((m, m))
    for g in range(run.size - 1):
        row = start[run[g]]
        seen = visit[row : start[run[g] + 1]]
        _middle(A[g], seen, place, spread, curve, T, S)
        _sandwich(A[g], T, seen.size, M)
        _sandwich(A[g], S, seen.size, N)
        for i in range(run[g], run[g + 1]):
            _rotate(Z, start[i], seen.size, root, beta, x)
            for a in range(seen.size):
                for b in range(seen.size):
                    for k in range(p):
                        for j in range(p):
                            product = x[a, k] * x[b, j]
                            linear[k, j] += M[a, b] * product
                            bent[k, j] += N[a, b] * product
    return linear, bent


@njit(cache=True, nogil=True)
def _weighted(W, first, second):
    """W in elements of Sigma (element, element), and the sum of W_hj d2 Sigma (element,)."""
    size, elements = first.shape
    spread, curve = np.zeros((elements, elements)), np.zeros(elements)
    for h in range(size):
        for j in range(size):
            for s in range(elements):
                curve[s] += W[h, j] * second[h, j, s]
                for t in range(elements):
                    spread[s, t] += first[h, s] * W[h, j] * first[j, t]
    return spread, curve


@njit(cache=True, nogil=True)
def _middle(A, seen, place, spread, curve, T, S):
    """T = sum W_hj dV_h V^-1 dV_j and S = sum W_hj d2V_hj at the visits of one run."""
    for a in range(seen.size):
        for b in range(seen.size):
            S[a, b] = curve[place[seen[a], seen[b]]]
            T[a, b] = 0
            for c in range(seen.size):
                for d in range(seen.size):
                    T[a, b] += spread[place[seen[a], seen[c]], place[seen[d], seen[b]]] * A[c, d]


@njit(cache=True, nogil=True)
def _single(c, P, W):
    """Variance c' Phi c and degrees of freedom of one contrast: 2 v^2 / Var(v) (Satterthwaite).

    Kenward & Roger's are the same for one row. Infinite where v does not depend on theta.
    """
    v = np.sum(c * c)
    slope = np.empty(W.shape[0])
    for h in range(slope.size):
        s = 0.0
        for k in range(c.size):
            for j in range(c.size):
                s -= c[k] * P[h, k, j] * c[j]
        slope[h] = s
    spread = 0.0
    for h in range(slope.size):
        for j in range(slope.size):
            spread += slope[h] * W[h, j] * slope[j]
    return v, 2 * v * v / spread if spread > 0 else np.inf
