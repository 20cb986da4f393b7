"""Everything that a likelihood of nested intercepts needs from the data, in closed form.

Rows lie in inner groups j (a lesion, an eye) and these in outer groups i (a patient). With u, v the variances
of the outer and inner intercepts and s that of the residual on top of a row's known variance k,

    V_i = u 1 1' + blockdiag_j(v 1 1' + diag(s + k)).

Both inverses are Woodbury's, so V is never formed. With w = 1 / (s + k), sums over the rows of j written
a_m = sum w^m, S_m = sum w^m z, C_m = sum_j sum w^m z z', and

    g_j = 1 / (1 + v a_1),  e_j = a_1 g_j,  b_i = sum_j e_j,  h_i = 1 / (1 + u b_i),  T_i = sum_j g_j S_1,

a row of V^-1 Z is w (z - kappa_j), kappa_j = v g_j S_1 + u h_i g_j T_i. All else follows by summing. `Z` is
the design beside the response (row, q); an index of a variance is 0 for u, 1 for v, 2 for s.
"""

from __future__ import annotations

import numpy as np
from numba import njit

OUTER, INNER, RESIDUAL = 0, 1, 2


@njit(cache=True, nogil=True, error_model="numpy")
def row_sums(Z, known, s, ends, a, S, C):  # type: ignore[no-untyped-def]  # ends (J + 1,): first row of each inner group, and the end
    """Fill `a` (3, J), `S` (3, J, q), `C` (3, q, q) with sums weighted by w, w^2, w^3; give sum log(1/w)."""
    q = Z.shape[1]
    _clear(a)
    _clear(S)
    _clear(C)
    log_det = 0.0
    for j in range(ends.size - 1):
        for r in range(ends[j], ends[j + 1]):
            w = 1.0 / (s + known[r])
            log_det -= np.log(w)
            power = 1.0
            for m in range(3):
                power *= w
                a[m, j] += power
                for x in range(q):
                    weighted = power * Z[r, x]
                    S[m, j, x] += weighted
                    for y in range(q):
                        C[m, x, y] += weighted * Z[r, y]
    return log_det


@njit(cache=True, nogil=True, error_model="numpy")
def plain_sums(Z, ends, a, S, C):  # type: ignore[no-untyped-def]
    """The same without weights, into `a` (J,), `S` (J, q), `C` (q, q)."""
    q = Z.shape[1]
    _clear(S)
    _clear(C)
    for j in range(ends.size - 1):
        a[j] = ends[j + 1] - ends[j]
        for r in range(ends[j], ends[j + 1]):
            for x in range(q):
                value = Z[r, x]
                S[j, x] += value
                for y in range(q):
                    C[x, y] += value * Z[r, y]


@njit(cache=True, nogil=True, error_model="numpy")
def scaled_sums(rows, variance, a0, S0, C0, a, S, C):  # type: ignore[no-untyped-def]
    """What `row_sums` gives where every row has the same variance, from `plain_sums`."""
    power = 1.0
    for m in range(3):
        power /= variance
        for j in range(a0.size):
            a[m, j] = power * a0[j]
            for x in range(C0.shape[0]):
                S[m, j, x] = power * S0[j, x]
        for x in range(C0.shape[0]):
            for y in range(C0.shape[0]):
                C[m, x, y] = power * C0[x, y]
    return rows * np.log(variance)


@njit(cache=True, nogil=True, error_model="numpy")
def gram(u, v, a, S, C, outer, A):  # type: ignore[no-untyped-def]  # sums to the first power of w; outer (G + 1,): first inner group of each
    """Fill `A` = Z' V^-1 Z and give log det V without its sum of log(1/w)."""
    q = C.shape[0]
    T = np.empty(q)
    _copy(C, A)
    log_det = 0.0
    for i in range(outer.size - 1):
        b = 0.0
        _clear(T)
        for j in range(outer[i], outer[i + 1]):
            g = 1.0 / (1.0 + v * a[j])
            b += a[j] * g
            _scaled(T, g, S[j])
            if v > 0.0:
                log_det -= np.log(g)
                _add(A, -v * g, S[j], S[j])
        log_det += np.log1p(u * b)
        _add(A, -u / (1.0 + u * b), T, T)
    return log_det


@njit(cache=True, nogil=True, error_model="numpy")
def moments(u, v, nested, a, S, C, outer, A, B, Q, t, F):  # type: ignore[no-untyped-def]
    """Fill what first and second derivatives of a likelihood need; give log det V without sum log(1/w).

    With V_k = dV / d variance k: `A` (q, q) = Z' V^-1 Z; `B` (3, q, q) = Z' V^-1 V_k V^-1 Z; `Q` (3, 3, q, q)
    the symmetric part of Z' V^-1 V_k V^-1 V_l V^-1 Z; `t` (3,) = tr V^-1 V_k; `F` (3, 3) =
    tr V^-1 V_k V^-1 V_l.
    Without `nested` v is zero, and all of v is left zero.
    """
    q = C.shape[1]
    T, tau, work = np.empty(q), np.empty(q), np.empty((5, q))
    _clear(B)
    _clear(Q)
    _clear(t)
    _clear(F)
    _copy(C[0], A)
    _copy(C[1], B[RESIDUAL])
    _copy(C[2], Q[RESIDUAL, RESIDUAL])
    log_det = 0.0
    for i in range(outer.size - 1):
        first, last = outer[i], outer[i + 1]
        b, e2, m2 = 0.0, 0.0, 0.0
        _clear(T)
        _clear(tau)
        for j in range(first, last):
            g = 1.0 / (1.0 + v * a[0, j])
            log_det -= np.log(g)
            e = a[0, j] * g
            b, e2, m2 = b + e, e2 + e * e, m2 + g * g * a[1, j]
            _scaled(T, g, S[0, j])
            if v > 0.0:
                _add(A, -v * g, S[0, j], S[0, j])
        h = 1.0 / (1.0 + u * b)
        d = u * h
        log_det -= np.log(h)
        for j in range(first, last):
            _residual_parts(j, v, d, a, S, T, tau, work, B, Q, t, F)
        _add(A, -d, T, T)
        _add(B[OUTER], h * h, T, T)
        _add(Q[OUTER, OUTER], b * h**3, T, T)
        _add(Q[OUTER, RESIDUAL], h * h, T, tau)
        _add(Q[RESIDUAL, RESIDUAL], -d, tau, tau)
        t[OUTER] += b * h
        t[RESIDUAL] -= d * m2
        F[OUTER, OUTER] += (b * h) ** 2
        F[OUTER, RESIDUAL] += m2 * h * h
        F[RESIDUAL, RESIDUAL] += (d * m2) ** 2
        if nested:
            F[OUTER, INNER] += e2 * h * h
            F[INNER, INNER] += (d * e2) ** 2
            _inner_parts(first, last, v, d, h, m2, a, S, T, tau, work, B, Q, t, F)
    _symmetric(B, Q, F)
    return log_det


@njit(cache=True, nogil=True, error_model="numpy")
def _residual_parts(j, v, d, a, S, T, tau, work, B, Q, t, F):  # type: ignore[no-untyped-def]
    """What inner group j adds to the derivatives by s; `tau` += g_j s_j, the sums of w V^-1 Z."""
    kappa, s = work[0], work[1]
    g = _residual(j, v, d, a, S, T, kappa, s)
    _scaled(tau, g, s)
    _add(B[RESIDUAL], -2.0, S[1, j], kappa)
    _add(B[RESIDUAL], a[1, j], kappa, kappa)
    _add(Q[RESIDUAL, RESIDUAL], -2.0, S[2, j], kappa)
    _add(Q[RESIDUAL, RESIDUAL], a[2, j], kappa, kappa)
    if v > 0.0:
        _add(Q[RESIDUAL, RESIDUAL], -v * g, s, s)
    t[RESIDUAL] += a[0, j] - v * g * a[1, j]
    F[RESIDUAL, RESIDUAL] += a[1, j] - 2 * v * g * a[2, j] + (v * g * a[1, j]) ** 2
    F[RESIDUAL, RESIDUAL] -= 2 * d * g * g * (a[2, j] - v * g * a[1, j] ** 2)


@njit(cache=True, nogil=True, error_model="numpy")
def _inner_parts(first, last, v, d, h, m2, a, S, T, tau, work, B, Q, t, F):  # type: ignore[no-untyped-def]
    """What an outer group adds to the derivatives by v: y_j = 1_j' V^-1 Z, x_j = 1_j' V^-2 Z."""
    kappa, s, y, x, ey = work[0], work[1], work[2], work[3], work[4]
    _clear(ey)
    for j in range(first, last):
        g = _residual(j, v, d, a, S, T, kappa, s)
        e = a[0, j] * g
        for c in range(T.size):
            y[c] = g * S[0, j, c] - d * e * T[c]
            x[c] = g * s[c] - d * e * tau[c]
        _scaled(ey, e, y)
        _add(B[INNER], 1.0, y, y)
        _add(Q[INNER, INNER], e, y, y)
        _add(Q[INNER, RESIDUAL], 1.0, y, x)
        t[INNER] += e - d * e * e
        F[INNER, INNER] += e * e - 2 * d * e**3
        F[INNER, RESIDUAL] += g * g * a[1, j] * (1 - 2 * d * e) + d * d * e * e * m2
    _add(Q[INNER, INNER], -d, ey, ey)
    _add(Q[OUTER, INNER], h * h, T, ey)


@njit(cache=True, nogil=True, error_model="numpy")
def _residual(j, v, d, a, S, T, kappa, s):  # type: ignore[no-untyped-def]
    """kappa_j, and s_j = the sum over j of w V^-1 Z; gives g_j."""
    g = 1.0 / (1.0 + v * a[0, j])
    for c in range(T.size):
        kappa[c] = v * g * S[0, j, c] + d * g * T[c]
        s[c] = S[1, j, c] - a[1, j] * kappa[c]
    return g


@njit(cache=True, nogil=True, error_model="numpy")
def _clear(x):  # type: ignore[no-untyped-def]
    flat = x.ravel()  # a view: whatever comes here is contiguous
    for k in range(flat.size):
        flat[k] = 0.0


@njit(cache=True, nogil=True, error_model="numpy")
def _copy(source, target):  # type: ignore[no-untyped-def]
    for r in range(source.shape[0]):
        for c in range(source.shape[1]):
            target[r, c] = source[r, c]


@njit(cache=True, nogil=True, error_model="numpy")
def _scaled(total, scale, x):  # type: ignore[no-untyped-def]
    for c in range(x.size):
        total[c] += scale * x[c]


@njit(cache=True, nogil=True, error_model="numpy")
def _add(M, scale, x, y):  # type: ignore[no-untyped-def]
    """M += scale x y'."""
    for r in range(x.size):
        weight = scale * x[r]
        for c in range(y.size):
            M[r, c] += weight * y[c]


@njit(cache=True, nogil=True, error_model="numpy")
def _symmetric(B, Q, F):  # type: ignore[no-untyped-def]
    """Take the symmetric part of each (q, q), and fill what lies below the diagonal of variances."""
    for k in range(3):
        _halve(B[k])
        for m in range(k, 3):
            _halve(Q[k, m])
            F[m, k] = F[k, m]
            _copy(Q[k, m], Q[m, k])


@njit(cache=True, nogil=True, error_model="numpy")
def _halve(M):  # type: ignore[no-untyped-def]
    for r in range(M.shape[0]):
        for c in range(r):
            M[r, c] = M[c, r] = 0.5 * (M[r, c] + M[c, r])
