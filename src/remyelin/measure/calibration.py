"""How much of a true change the measurement shows: a known change put into the participant's own lesions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy import ndimage
from scipy.special import stdtrit

from remyelin.measure.image import FloatArray, MTPair, Volume
from remyelin.measure.lesion_mtr import DEGREE, Interpolation, halfway, lay, ratio_pu
from remyelin.measure.weights import SoftMask, reach, soft_masks, spline_matrix

if TYPE_CHECKING:
    from remyelin.measure.lesions import Lesions
    from remyelin.measure.poses import Poses

FINE = 3  # odd; points per voxel edge at which the true border is drawn
MARGIN = 2  # voxels around a mask that its true shape and its blur may reach
SMOOTH = 3  # degree of the spline that draws it
STEPS = 9  # halvings of the threshold, to 0.2 % of a voxel's content
# Blur of the tissue's own border, SD in voxels: a step, between, and as wide as the voxel itself.
EDGES = (0.0, 0.25, 0.5)


@dataclass(frozen=True, slots=True)
class Calibration:
    """Measured change per true change.

    Parameters
    ----------
    slope
        Mean over the lesions: divide a change of the participant's plain mean by it.
    ci_low, ci_high
        95 %: scatter between lesions, and sharp against soft borders of the tissue.
    per_lesion
        (lesion,) slopes.
    sharp, soft
        (lesion,) slopes if the tissue changed in a step, or over a voxel.
    """

    slope: float
    ci_low: float
    ci_high: float
    per_lesion: FloatArray
    sharp: FloatArray
    soft: FloatArray


def calibrate(
    pairs: Sequence[MTPair],
    poses: Poses,
    lesions: Lesions,
    *,
    visit: int = -1,
    delta_pu: float = 1.0,
    interpolation: Interpolation = "none",
    degree: int = DEGREE,
) -> Calibration:
    """Inject a change into all lesions of one visit, measure it as `lesion_values` does, and compare.

    MT-on of the visit falls by ``delta_pu / 100`` of the lesion's MT-off, times the part of each voxel that
    lies in the lesion. That part is not known but can be drawn: the shape whose own cut at half a voxel gives
    back the mask, averaged over each voxel. What the mask cannot tell is how sharply the tissue changes at
    that border; the interval spans a step to a voxel's width.

    Parameters
    ----------
    pairs, poses, lesions, interpolation, degree
        As given to `lesion_values`.
    visit
        Index of the visit that receives the change; the last.
    delta_pu
        Size of the change. The measurement is linear in it.

    Returns
    -------
    Calibration. Slopes are NaN for lesions that the visit does not show. Mask errors of the reader are not in
    the interval: a mask drawn too wide dilutes more than is said here.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> labels = np.zeros((24, 24, 24), int)
    >>> labels[6:18, 6:18, 6:18] = 1
    >>> off = Volume(np.full(labels.shape, 900.0, np.float32), np.eye(4))
    >>> pair = MTPair("M00", off, off, labels >= 0)
    >>> poses = SimpleNamespace(off=[np.eye(4)], on=[np.eye(4)], registrations=[])
    >>> lesions = SimpleNamespace(ids=("001",), home=(0,), labels=(labels,))
    >>> found = calibrate([pair], poses, lesions)
    >>> bool(0.8 < found.soft[0] < found.slope < found.sharp[0] < 1)
    True
    """
    masks = soft_masks(lesions)
    visit = range(len(pairs))[visit]
    pair, grid = pairs[visit], pairs[0].off

    def mean(image: Volume, pose: FloatArray) -> FloatArray:
        if interpolation == "halfway":
            image, pose = halfway(image, pose, grid), np.eye(4)
        return np.asarray(lay(image, pose, pairs, poses, masks, degree).mean[:, 0])

    off, on = mean(pair.off, poses.off[visit]), mean(pair.on, poses.on[visit])
    before = ratio_pu(off, on)
    shapes = [true_shape(mask) for mask in masks]
    slopes = []
    for edge in EDGES:
        changed = _injected(
            pair.on, poses.on[visit], pairs, poses, masks, shapes, edge, -delta_pu / 100 * off
        )
        slopes.append((ratio_pu(off, mean(changed, poses.on[visit])) - before) / delta_pu)
    sharp, middle, soft = slopes
    return _summary(middle, sharp, soft)


def true_shape(mask: SoftMask) -> NDArray[np.bool_]:
    """The shape that was cut at half a voxel's content to give the mask, with MARGIN voxels around.

    It has FINE points per voxel edge. The mask is drawn smooth and cut at the level at which as many voxels
    are half filled as the mask has.
    """
    edge = np.pad(mask.edges[0], MARGIN).astype(np.float32)
    for axis, n in enumerate(edge.shape):
        points = (np.arange(FINE * n) - FINE // 2) / FINE
        drawn = np.tensordot(spline_matrix(points, n, SMOOTH).astype(np.float32), edge, (1, axis))
        edge = np.ascontiguousarray(np.moveaxis(drawn, 0, axis))
    low, high = 0.0, 1.0
    for _ in range(STEPS):
        level = (low + high) / 2
        low, high = (level, high) if _half_filled(edge, level) > mask.voxels else (low, level)
    return np.asarray(edge > (low + high) / 2)


def _injected(
    on: Volume,
    pose: FloatArray,
    pairs: Sequence[MTPair],
    poses: Poses,
    masks: Sequence[SoftMask],
    shapes: Sequence[NDArray[np.bool_]],
    edge: float,
    amounts: FloatArray,
) -> Volume:
    """The MT-on image with an amount added in each lesion, where it fills the voxel."""
    data = np.array(on.data, np.float32)
    for mask, shape, amount in zip(masks, shapes, amounts, strict=True):
        to_fine = np.diag([FINE, FINE, FINE, 1.0])
        to_fine[:3, 3] = FINE // 2 - FINE * (mask.origin - MARGIN)
        to_home = (
            np.linalg.inv(pairs[mask.home].off.affine)
            @ poses.off[mask.home]
            @ np.linalg.inv(pose)
            @ on.affine
        )
        to_shape = to_fine @ to_home
        content = _content(shape, edge)
        box = reach(data, to_shape, np.zeros(3), np.array(shape.shape) - 1.0)
        _imprint(data, to_shape[:3], content, box, amount)
    return Volume(data, on.affine, on.file)


def _content(shape: NDArray[np.bool_], edge: float) -> FloatArray:
    """Part of a voxel, centred on each point, that a shape fills whose border is blurred by `edge` voxels."""
    kernel = np.ones(FINE) / FINE
    if edge > 0:
        reach_points = int(np.ceil(3 * edge * FINE))
        blur = np.exp(-0.5 * (np.arange(-reach_points, reach_points + 1) / (edge * FINE)) ** 2)
        kernel = np.convolve(kernel, blur / blur.sum())
    content = shape.astype(np.float32)
    for axis in range(3):
        content = ndimage.correlate1d(content, kernel, axis, mode="constant")
    return content


def _summary(middle: FloatArray, sharp: FloatArray, soft: FloatArray) -> Calibration:
    seen = np.isfinite(middle)
    n = int(seen.sum())
    if n == 0:
        return Calibration(np.nan, np.nan, np.nan, middle, sharp, soft)
    slope = float(middle[seen].mean())
    scatter = float(stdtrit(n - 1, 0.975)) * float(middle[seen].std(ddof=1)) / np.sqrt(n) if n > 1 else 0.0
    low = slope - np.hypot(scatter, slope - soft[seen].mean())
    high = slope + np.hypot(scatter, sharp[seen].mean() - slope)
    return Calibration(slope, float(low), float(high), middle, sharp, soft)


@njit(cache=True)
def _half_filled(fine, level):  # type: ignore[no-untyped-def]
    """Number of voxels (FINE x FINE x FINE points) of which more than half lies above the level."""
    count = 0
    for i in range(fine.shape[0] // FINE):
        for j in range(fine.shape[1] // FINE):
            for k in range(fine.shape[2] // FINE):
                above = 0
                for p in range(FINE * i, FINE * i + FINE):
                    for q in range(FINE * j, FINE * j + FINE):
                        for r in range(FINE * k, FINE * k + FINE):
                            above += fine[p, q, r] > level
                count += 2 * above > FINE**3
    return count


@njit(cache=True)
def _imprint(image, m, content, box, amount):  # type: ignore[no-untyped-def]
    """Add `amount` times `content`, trilinear, in the box; `m` (3, 4) image voxel to content index."""
    n = content.shape
    for i in range(box[0, 0], box[1, 0]):
        for j in range(box[0, 1], box[1, 1]):
            for k in range(box[0, 2], box[1, 2]):
                x = m[0, 0] * i + m[0, 1] * j + m[0, 2] * k + m[0, 3]
                y = m[1, 0] * i + m[1, 1] * j + m[1, 2] * k + m[1, 3]
                z = m[2, 0] * i + m[2, 1] * j + m[2, 2] * k + m[2, 3]
                if x < 0 or y < 0 or z < 0 or x >= n[0] - 1 or y >= n[1] - 1 or z >= n[2] - 1:
                    continue
                p, q, r = int(x), int(y), int(z)
                total = 0.0
                for a in range(2):
                    for b in range(2):
                        for c in range(2):
                            near = abs(1 - a - x + p) * abs(1 - b - y + q) * abs(1 - c - z + r)
                            total += near * content[p + a, q + b, r + c]
                image[i, j, k] += amount * total
