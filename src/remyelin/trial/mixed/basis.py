"""An orthonormal basis of a design, so that nothing depends on units or on where a covariate has its zero."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True, nogil=True, error_model="numpy")
def orthonormal(X, basis, upper):  # type: ignore[no-untyped-def]
    """Fill `basis` (row, p) and `upper` (p, p) with X = basis upper; False where X is singular.

    Gram-Schmidt, each column swept twice: orthogonal to rounding (Giraud et al. 2005,
    doi 10.1007/s00211-005-0615-4).
    """
    n, p = X.shape
    upper[:] = 0.0
    for c in range(p):
        before = 0.0
        for r in range(n):
            basis[r, c] = X[r, c]
            before += X[r, c] ** 2
        for _ in range(2):
            for k in range(c):
                share = 0.0
                for r in range(n):
                    share += basis[r, k] * basis[r, c]
                upper[k, c] += share
                for r in range(n):
                    basis[r, c] -= share * basis[r, k]
        left = 0.0
        for r in range(n):
            left += basis[r, c] ** 2
        if not left > 1e-20 * before:
            return False
        upper[c, c] = np.sqrt(left)
        for r in range(n):
            basis[r, c] /= upper[c, c]
    return True
