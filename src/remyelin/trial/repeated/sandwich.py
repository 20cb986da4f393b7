"""The bias-reduced empirical covariance of the coefficients (CR2), for a covariance in doubt."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


def bias_reduced(
    x: FloatArray, residual: FloatArray, A: FloatArray, start: IntArray, run: IntArray
) -> FloatArray:
    """Sum over subjects of the outer products of their scores, each corrected for its leverage.

    ``X' L (I - H)^(-1/2) L' r`` with ``V^-1 = L L'`` and ``H = L' X Phi X' L``: Bell & McCaffrey 2002 (Survey
    Methodology 28:169); unbiased if the working covariance is right.

    Parameters
    ----------
    x
        (row, coefficient) design in coordinates where Phi is the identity.
    residual
        (row,).
    A
        (run, visit, visit) V^-1 of the subjects of each run.
    start, run
        (subject + 1,) first rows; (run + 1,) first subjects.
    """
    total = np.zeros((x.shape[1], x.shape[1]))
    for g in range(len(run) - 1):
        size = start[run[g] + 1] - start[run[g]]
        L = np.linalg.cholesky(A[g, :size, :size])
        for i in range(run[g], run[g + 1]):
            rows = slice(start[i], start[i + 1])
            scaled = L.T @ x[rows]
            left, axes = np.linalg.eigh(np.eye(size) - scaled @ scaled.T)
            # A direction that this subject alone determines has no residual: its share is left out.
            power = np.where(left > 1e-10, 1 / np.sqrt(np.maximum(left, 1e-10)), 0.0)
            score = scaled.T @ (axes * power @ (axes.T @ (L.T @ residual[rows])))
            total += np.outer(score, score)
    return total
