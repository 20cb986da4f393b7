"""The moments of one layer of groups whose rows share one variance: one outer product a group.

`remyelin.trial.mixed.moments` in the special case of most trials: all its sums are multiples of those of
a group. With w = 1 / s, b = n w, h = 1 / (1 + u b), d = u h and o the outer product of a group's sums:

    A    = w C - w^2 sum d o
    B_u  = w^2 sum h^2 o          B_s  = w^2 C + w^3 sum (b d^2 - 2 d) o
    Q_uu = w^2 sum b h^3 o        Q_ss = w^3 C + w^4 sum (b d^2 - 2 d - d h^2) o
    Q_us = w^3 sum h^3 o
"""

from __future__ import annotations

import numpy as np
from numba import njit

from remyelin.trial.mixed.moments import OUTER, RESIDUAL, _clear


@njit(cache=True, nogil=True, error_model="numpy")
def equal_moments(u, s, n, S, C, A, B, Q, t, F):  # type: ignore[no-untyped-def]
    """Fill as `moments`, give log det V; `n` (group,), `S` (group, q), `C` (q, q) are plain sums."""
    q, w = C.shape[0], 1.0 / s
    _clear(B)
    _clear(Q)
    _clear(t)
    _clear(F)
    for r in range(q):
        for c in range(q):
            A[r, c] = w * C[r, c]
            B[RESIDUAL, r, c] = w * A[r, c]
            Q[RESIDUAL, RESIDUAL, r, c] = w * w * A[r, c]
    log_det = 0.0
    for g in range(n.size):
        b = n[g] * w
        h = 1.0 / (1.0 + u * b)
        d = u * h
        log_det += n[g] * np.log(s) - np.log(h)
        t[OUTER] += b * h
        t[RESIDUAL] += b - d * b * w
        F[OUTER, OUTER] += (b * h) ** 2
        F[OUTER, RESIDUAL] += b * w * h * h
        F[RESIDUAL, RESIDUAL] += b * w - 2 * d * b * w * w + (d * b * w) ** 2
        bend = b * d * d - 2 * d
        for r in range(q):
            for c in range(r + 1):
                o = w * w * S[g, r] * S[g, c]
                A[r, c] -= d * o
                B[OUTER, r, c] += h * h * o
                B[RESIDUAL, r, c] += w * bend * o
                Q[OUTER, OUTER, r, c] += b * h**3 * o
                Q[OUTER, RESIDUAL, r, c] += w * h**3 * o
                Q[RESIDUAL, RESIDUAL, r, c] += w * w * (bend - d * h * h) * o
    F[RESIDUAL, OUTER] = F[OUTER, RESIDUAL]
    for r in range(q):
        for c in range(r + 1):
            A[c, r], B[OUTER, c, r], B[RESIDUAL, c, r] = A[r, c], B[OUTER, r, c], B[RESIDUAL, r, c]
            Q[OUTER, OUTER, c, r], Q[OUTER, RESIDUAL, c, r] = Q[OUTER, OUTER, r, c], Q[OUTER, RESIDUAL, r, c]
            Q[RESIDUAL, OUTER, r, c] = Q[RESIDUAL, OUTER, c, r] = Q[OUTER, RESIDUAL, r, c]
            Q[RESIDUAL, RESIDUAL, c, r] = Q[RESIDUAL, RESIDUAL, r, c]
    return log_det
