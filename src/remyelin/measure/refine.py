"""Fine pose by least squares: Gauss-Newton on intensities that are regressed block by block.

Within a block of a few voxels across, the moving image is modelled as a parabola of the fixed one, with its
own coefficients; what remains is squared. Receive field and contrast (MT-off against MT-on) may thus differ
from block to block, as they do. Blocks are weighted by their own residual variance, so that a block where
the model does not hold (eyes, vessels, a new lesion) speaks softly. The scatter of what the blocks want,
once the optimum is reached, gives the standard error of the pose.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from remyelin.measure.level import Level
from remyelin.measure.motion import motion
from remyelin.measure.spline import accumulate

FloatArray = NDArray[np.floating]

_MIN_POINTS = 30
# Six numbers are sought; about as many more are needed to see how well the blocks agree on them.
_MIN_BLOCKS = 12
# Residuals below this part of the image's own spread are not told apart (identical images, empty blocks).
_NOISE_FLOOR = 0.01
_MAX_STEPS = 20
_HALVINGS = 4
# A step smaller than this, in mm at the radius of the mask, ends the search.
_STOP_MM = 5e-4
_BASIS = 3


@dataclass(frozen=True, slots=True)
class Fit:
    """Where a search ended, and how sure it is."""

    matrix: FloatArray
    covariance: FloatArray  # (6, 6) of the twist about `centre_mm`, on the fixed side
    centre_mm: FloatArray
    objective: float
    explained: float  # part of the variation within blocks that the other image explains
    overlap: float  # part of the fixed points that fall inside the moving image

    def error_mm(self, points: FloatArray) -> float:
        """Root mean square standard error of the position of points (n, 3), in mm; inf if undetermined."""
        if not np.isfinite(self.covariance).all():
            return float("inf")
        y = points - self.centre_mm
        J = np.zeros((len(y), 3, 6))
        J[:, 0, 1], J[:, 0, 2] = y[:, 2], -y[:, 1]
        J[:, 1, 0], J[:, 1, 2] = -y[:, 2], y[:, 0]
        J[:, 2, 0], J[:, 2, 1] = y[:, 1], -y[:, 0]
        J[:, :, 3:] = np.eye(3)
        return float(np.sqrt(np.einsum("nij,jk,nik->n", J, self.covariance, J).mean()))


def evaluate(fixed: Level, moving: Level, matrix: FloatArray) -> Fit:
    """Fit of a pose as it is, without moving it (its covariance holds only at an optimum)."""
    return _Problem(fixed, moving).at(matrix)[0]


def refine(fixed: Level, moving: Level, start: FloatArray, stop_mm: float = _STOP_MM) -> Fit:
    """Least-squares rigid motion that carries the points of `fixed` into `moving`.

    Parameters
    ----------
    fixed, moving
        From `level`, of like resolution.
    start
        (4, 4) motion within about two spacings of the answer, fixed world to moving world.
    stop_mm
        Size of the last step.

    Returns
    -------
    Fit. Its objective is never above that of the start.

    Notes
    -----
    Variable projection (Golub and Pereyra 1973, doi:10.1137/0710036, in Kaufman's form) removes the
    coefficients of each block; the objective is the Gaussian log-likelihood with one variance a block.
    """
    problem = _Problem(fixed, moving)
    fit, gradient, curvature = problem.at(start)
    for _ in range(_MAX_STEPS):
        # The ridge lets a direction that nothing determines stay where it is.
        step = -np.linalg.solve(curvature + (1e-9 * np.trace(curvature) + 1e-30) * np.eye(6), gradient)
        found = None
        for halving in range(_HALVINGS):
            candidate = problem.at(problem.moved(fit.matrix, step / 2**halving))
            if candidate[0].objective < fit.objective:
                found = candidate
                break
        if found is None:
            break
        fit, gradient, curvature = found
        if float(np.abs(step).max()) < stop_mm:
            break
    return fit


class _Problem:
    """Fixed and moving level, with the geometry between them."""

    def __init__(self, fixed: Level, moving: Level) -> None:
        self.fixed, self.moving = fixed, moving
        self.centre = fixed.affine[:3, :3] @ fixed.points.mean(0, dtype=float) + fixed.affine[:3, 3]
        self.to_voxel = np.linalg.inv(moving.affine)
        y = fixed.points_mm - self.centre
        self.radius = max(float(np.sqrt((y**2).sum(1).mean())), 1e-6)

    def moved(self, matrix: FloatArray, step: FloatArray) -> FloatArray:
        to, back = np.eye(4), np.eye(4)
        to[:3, 3], back[:3, 3] = self.centre, -self.centre
        moved = matrix @ to @ motion(np.r_[step[:3] / self.radius, step[3:]]) @ back
        # Products of rotations drift from orthogonality by rounding; this holds it to the last bit or two.
        U, _, V = np.linalg.svd(moved[:3, :3])
        moved[:3, :3] = U @ V
        return moved

    def at(self, matrix: FloatArray) -> tuple[Fit, FloatArray, FloatArray]:
        fixed, moving = self.fixed, self.moving
        voxel = self.to_voxel @ matrix @ fixed.affine
        gradient_to_mm = matrix[:3, :3].T @ self.to_voxel[:3, :3].T
        sums = np.zeros((len(fixed.starts) - 1, _BASIS + 7, _BASIS + 7))
        accumulate(
            fixed.points, fixed.starts, fixed.regressor, fixed.affine, self.centre, self.radius,
            moving.spline, moving.defined, voxel, gradient_to_mm, sums,
        )  # fmt: skip
        return self._solved(matrix, sums)

    def _solved(self, matrix: FloatArray, sums: FloatArray) -> tuple[Fit, FloatArray, FloatArray]:
        n = sums[:, 0, 0]
        overlap = float(n.sum() / max(len(self.fixed.points), 1))
        sums, n = sums[n >= _MIN_POINTS], n[n >= _MIN_POINTS]
        if len(n) == 0:
            return (
                Fit(matrix, np.full((6, 6), np.inf), self.centre, np.inf, 0.0, overlap),
                np.zeros(6),
                np.eye(6),
            )
        sums = sums + np.swapaxes(np.triu(sums, 1), 1, 2)
        basis = sums[:, :_BASIS, :_BASIS] + 1e-9 * n[:, None, None] * np.eye(_BASIS)
        cross = sums[:, :_BASIS, _BASIS:]
        rest = sums[:, _BASIS:, _BASIS:] - np.swapaxes(cross, 1, 2) @ np.linalg.solve(basis, cross)
        left = np.maximum(rest[:, 6, 6], 0.0)
        total = np.maximum(sums[:, -1, -1] - sums[:, 0, -1] ** 2 / n, 1e-30)
        floor = (_NOISE_FLOOR * self.moving.spread) ** 2 + 1e-30
        precision = 1 / (left / n + floor)
        curvature = np.einsum("b,bij->ij", precision, rest[:, :6, :6])
        score = precision[:, None] * rest[:, :6, 6]
        gradient = score.sum(0)
        objective = float((n * np.log(left / n + floor)).sum() / n.sum() / 2)
        explained = float(1 - left.sum() / total.sum())
        covariance = self._covariance(curvature, score)
        return Fit(matrix, covariance, self.centre, objective, explained, overlap), gradient, curvature

    def _covariance(self, curvature: FloatArray, score: FloatArray) -> FloatArray:
        """Sandwich over blocks (Liang and Zeger 1986, doi:10.1093/biomet/73.1.13), small-sample factor."""
        blocks = len(score)
        if blocks <= _MIN_BLOCKS:
            return np.full((6, 6), np.inf)
        inverse = np.linalg.pinv(curvature)
        spread = score - score.mean(0)
        # Not a matrix product: that would sum in an order that depends on the number of BLAS threads.
        meat = np.einsum("bi,bj->ij", spread, spread) * blocks / (blocks - 6)
        scale = np.r_[np.full(3, 1 / self.radius), np.ones(3)]
        return np.asarray(scale[:, None] * (inverse @ meat @ inverse) * scale)
