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
def _corrections(
    shape, heterogeneous, theta, Z, visit, start, run, beta, root, P, W, A, linear, bent
):  # fmt: skip
    """What Kenward & Roger (1997) add to Phi: a sum over theta, weighted by the covariance W of theta.

    ``sum W_hj (linear (Q_hj - P_h Phi P_j) + bent R_hj)``, where 2 and -1/2 give their equation for the
    corrected covariance. Without R (bent = 0) it does not depend on how V is parametrised.
    """
    m, p, size = A.shape[1], P.shape[1], theta.size
    place, elements = _vech(m), m * (m + 1) // 2
    sigma, first, second = np.empty((m, m)), np.empty((size, elements)), np.empty((size, size, elements))
    _covariance(shape, heterogeneous, theta, m, place, sigma, first, second)
    spread, curve = _weighted(W, first, second)
    added = np.zeros((p, p))
    _crossed(P, W, linear, added)
    x, w = np.empty((m, p + 1)), np.empty(p)
    T, M = np.empty((m, m)), np.empty((m, m))
    for g in range(run.size - 1):
        row = start[run[g]]
        seen = visit[row : start[run[g] + 1]]
        _middle(A[g], seen, place, spread, curve, linear, bent, T)
        _sandwich(A[g], T, seen.size, M)
        for i in range(run[g], run[g + 1]):
            _rotate(Z, start[i], seen.size, root, beta, x)
            for a in range(seen.size):
                for k in range(p):
                    w[k] = 0
                for b in range(seen.size):
                    for k in range(p):
                        w[k] += M[a, b] * x[b, k]
                for k in range(p):
                    for j in range(p):
                        added[k, j] += x[a, k] * w[j]
    return added


@njit(cache=True, nogil=True)
def _crossed(P, W, linear, added):
    """Take `linear` times the sum of W_hj P_h P_j off `added`."""
    p = P.shape[1]
    other = np.empty((p, p))
    for h in range(P.shape[0]):
        for k in range(p):
            for i in range(p):
                other[k, i] = 0
        for j in range(P.shape[0]):
            for k in range(p):
                for i in range(p):
                    other[k, i] += W[h, j] * P[j, k, i]
        for k in range(p):
            for j in range(p):
                for i in range(p):
                    added[k, i] -= linear * P[h, k, j] * other[j, i]


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
def _middle(A, seen, place, spread, curve, linear, bent, T):
    """T = sum W_hj (linear dV_h V^-1 dV_j + bent d2V_hj) at the visits of one run."""
    for a in range(seen.size):
        for b in range(seen.size):
            T[a, b] = bent * curve[place[seen[a], seen[b]]]
            for c in range(seen.size):
                for d in range(seen.size):
                    weight = linear * spread[place[seen[a], seen[c]], place[seen[d], seen[b]]]
                    T[a, b] += weight * A[c, d]


@njit(cache=True, nogil=True)
def _single(c, P, W):
    """Variance c' Phi c and degrees of freedom of one contrast: 2 v^2 / Var(v) (Satterthwaite).

    Kenward & Roger's are the same for one row. Infinite where v does not depend on theta.
    """
    v, slope = 0.0, np.empty(W.shape[0])
    for k in range(c.size):
        v += c[k] * c[k]
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
