"""Whether a design tells the variances of its groups apart."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from remyelin.trial.mixed.layout import FloatArray, IntArray
from remyelin.trial.mixed.search import state_at


def identified(basis: FloatArray, ends: IntArray, outer: IntArray, free: npt.NDArray[np.bool_]) -> bool:
    """Ask whether the expected information on the free variances is regular.

    It is at all variances or at none, so it is asked at 1; `basis` is orthonormal.
    """
    (n, p), inner = basis.shape, len(ends) - 1
    q = p + 1
    Z = np.column_stack([basis, np.ones(n)])
    sums = (np.empty((3, inner)), np.empty((3, inner, q)), np.empty((3, q, q)))
    plain = (np.empty(inner), np.empty((inner, q)), np.empty((q, q)))
    expected, gradient = np.empty((3, 3)), np.empty(3)
    out = (
        *(np.empty(p), np.empty((p, p)), np.empty((q, q)), np.empty((3, q, q)), np.empty((3, 3, q, q))),
        *(expected, np.empty((3, 3))),
    )
    rows = (np.ascontiguousarray(Z), np.zeros(n), ends, outer, False, True)
    state_at(rows, free, plain, sums, np.where(free, 1.0, 0.0), out, gradient)
    information = expected[np.ix_(free, free)]
    size = np.sqrt(np.diag(information).clip(0))
    if size.min() < 3e-4:
        return False
    return bool(np.linalg.eigvalsh(information / np.outer(size, size))[0] > 1e-10)
