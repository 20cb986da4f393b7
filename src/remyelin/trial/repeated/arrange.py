"""Rows into the order of the kernels: subjects with the same visits together, response and design scaled."""

# mypy: disable-error-code="no-untyped-def, no-untyped-call"

from __future__ import annotations

import numpy as np
from numba import njit

from remyelin.trial.repeated.cholesky import _inverse
from remyelin.trial.repeated.likelihood import _products


@njit(cache=True, nogil=True)
def _arrange(X, y, known, visit, start):
    """Leave out missing responses (NaN) and gather the subjects that share one covariance.

    Parameters
    ----------
    X
        (row, coefficient), of order 1 and well conditioned.
    y, known, visit
        (row,) response, known variance, visit; rows sorted by subject, and by visit within.
    start
        (subject + 1,) first row of each.

    Returns
    -------
    ok
        Whether least squares can be computed.
    Z, known, visit, start, run
        As `_maximise` takes them; the last column of `Z` holds residuals of least squares over `scale`.
    offset, scale
        Coefficients of least squares, and the root mean square of the residuals.
    """
    p = X.shape[1]
    group, count, groups = _groups(y, known, visit, start)
    run, subjects = _gathered(group, groups)
    rows = 0
    for i in range(count.size):
        rows += count[i]
    Z, var, seen = np.empty((rows, p + 1)), np.empty(rows), np.empty(rows, np.int64)
    first = np.zeros(subjects.size + 1, np.int64)
    row = 0
    for i in range(subjects.size):
        for r in range(start[subjects[i]], start[subjects[i] + 1]):
            if not np.isnan(y[r]):
                for k in range(p):
                    Z[row, k] = X[r, k]
                Z[row, p], var[row], seen[row] = y[r], known[r], visit[r]
                row += 1
        first[i + 1] = row
    ok, offset, scale = _residuals(Z)
    for r in range(rows):
        var[r] /= scale**2
    return ok, Z, var, seen, first, run, offset, scale


@njit(cache=True, nogil=True)
def _gathered(group, groups):
    """Where each group of subjects begins, and the subjects in the order of their groups."""
    run = np.zeros(groups + 1, np.int64)
    for i in range(group.size):
        if group[i] >= 0:
            run[group[i] + 1] += 1
    for g in range(groups):
        run[g + 1] += run[g]
    subjects, free = np.empty(run[groups], np.int64), run.copy()
    for i in range(group.size):
        if group[i] >= 0:
            subjects[free[group[i]]] = i
            free[group[i]] += 1
    return run, subjects


@njit(cache=True, nogil=True)
def _groups(y, known, visit, start):
    """Group of each subject (-1 without an observation), observations of each, number of groups.

    A subject with a known variance is a group by itself.
    """
    subjects = start.size - 1
    group, count = np.zeros(subjects, np.int64), np.zeros(subjects, np.int64)
    head = np.empty(subjects, np.int64)
    groups = 0
    for i in range(subjects):
        group[i] = -1
        alone = False
        for r in range(start[i], start[i + 1]):
            if not np.isnan(y[r]):
                count[i] += 1
                alone = alone or known[r] > 0
        if count[i] == 0:
            continue
        if not alone:
            for g in range(groups):
                if head[g] >= 0 and count[head[g]] == count[i] and _same(y, visit, start, head[g], i):
                    group[i] = g
                    break
        if group[i] < 0:
            head[groups] = -1 if alone else i
            group[i] = groups
            groups += 1
    return group, count, groups


@njit(cache=True, nogil=True)
def _same(y, visit, start, i, k):
    """Whether two subjects with equally many observations have them at the same visits."""
    r, s = start[i], start[k]
    while r < start[i + 1] and s < start[k + 1]:
        if np.isnan(y[r]):
            r += 1
        elif np.isnan(y[s]):
            s += 1
        elif visit[r] != visit[s]:
            return False
        else:
            r += 1
            s += 1
    return True


@njit(cache=True, nogil=True)
def _residuals(Z):
    """Replace the response by scaled residuals of least squares."""
    rows, p = Z.shape[0], Z.shape[1] - 1
    offset = np.zeros(p)
    if rows <= p:
        return False, offset, 1.0
    M, L, inverse = np.zeros((p + 1, p + 1)), np.zeros((p, p)), np.empty((p, p))
    start, run = np.empty(rows + 1, np.int64), np.zeros(2, np.int64)
    for r in range(rows + 1):
        start[r] = r
    run[1] = rows
    _products(Z, start, run, np.ones((1, 1, 1)), M)
    if np.isnan(_inverse(M, p, L, inverse)):
        return False, offset, 1.0
    for k in range(p):
        for j in range(p):
            offset[k] += inverse[k, j] * M[p, j]
    total = 0.0
    for r in range(rows):
        for k in range(p):
            Z[r, p] -= Z[r, k] * offset[k]
        total += Z[r, p] ** 2
    scale = np.sqrt(total / rows)
    if not scale > 0:
        return False, offset, 1.0
    for r in range(rows):
        Z[r, p] /= scale
    return True, offset, scale
