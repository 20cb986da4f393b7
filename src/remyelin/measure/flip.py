"""Left-right flips: a follow-up whose voxels were mirrored, told by what is not the same on both sides.

A head is so nearly symmetric that a mirrored one registers well and every later number looks usual, while the
lesions of one side are measured on the other. Only the asymmetric part of the image tells.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from remyelin.errors import Flag

from .image import Mask, MTPair, Volume
from .mask import head_mask

FloatArray = NDArray[np.floating]

# Fine enough for what differs between the sides of a brain (sulci, vessels, lesions, petalia: 5 to 30 mm),
# coarse enough to be quick and blind to noise.
GRID_MM = 3.0
# The receive field varies over 100 mm and more; what varies over less than this is anatomy.
LOCAL_MM = 12.0
# benchmarks/dataset/flip.py: real and simulated pairs lie above 0.5 if right and below -0.4 if mirrored;
# a head without asymmetry lies within 0.05 of 0.
THRESHOLD = -0.2
_INSIDE = 0.5


@dataclass(frozen=True, slots=True)
class _Head:
    """A head on an isotropic grid along the axes of the baseline's world.

    `relative` are the contrasts divided by their local mean, minus 1; `inside` is 1 in the head. Both are 0
    outside.
    """

    relative: tuple[FloatArray, ...]
    inside: FloatArray


def check_flip(baseline: MTPair, follow_up: MTPair, matrix: FloatArray) -> list[Flag]:
    """Flag a follow-up that is the mirror image of the baseline.

    Parameters
    ----------
    baseline, follow_up
        Two visits of one participant.
    matrix
        (4, 4) world mm of the baseline's MT-off to world mm of the follow-up's (`Registration.matrix`).

    Returns
    -------
    A flag of quality ``fail`` on each image of the follow-up, or none.

    Notes
    -----
    See `asymmetry_correlation`. A symmetric head gives a correlation near 0 and is never flagged.
    """
    r = asymmetry_correlation((baseline.off, baseline.on), (follow_up.off, follow_up.on), matrix)
    if r > THRESHOLD:
        return []
    fix = "convert both visits again from DICOM; check the side marker"
    return [
        Flag(
            image.file,
            "left and right",
            f"like a mirror image of {first.file} (what differs between the sides correlates {r:.2f})",
            "no left-right flip between visits",
            fix,
            "fail",
        )
        for first, image in ((baseline.off, follow_up.off), (baseline.on, follow_up.on))
    ]


def asymmetry_correlation(
    baseline: Sequence[Volume], follow_up: Sequence[Volume], matrix: FloatArray
) -> float:
    """Correlation between visits of the asymmetric part: near 1 for one head, negative if one is mirrored.

    Parameters
    ----------
    baseline, follow_up
        The same contrasts in the same order; the head is found in the first.
    matrix
        (4, 4) world mm of the baseline to world mm of the follow-up.

    Notes
    -----
    Each image is divided by its local mean, so that gain and receive field go. The plane of best mirror
    symmetry is found at each visit, and an image minus its mirror image is what is compared, at the pose that
    the matrix gives. 0 where nothing is asymmetric.
    """
    mask = head_mask(baseline[0])
    shape, affine = _grid(mask, baseline[0])
    a = _asymmetric(_head(baseline, mask, shape, affine))
    b = _asymmetric(_head(follow_up, head_mask(follow_up[0]), shape, matrix @ affine))
    scale = float(np.sqrt((a**2).sum() * (b**2).sum()))
    return float((a * b).sum()) / scale if scale > 0 else 0.0


def _grid(mask: Mask, volume: Volume) -> tuple[tuple[int, ...], FloatArray]:
    """Shape and affine of a grid over a mask, along the axes of the world."""
    points = np.argwhere(mask) @ volume.affine[:3, :3].T + volume.affine[:3, 3]
    low, high = points.min(0) - GRID_MM, points.max(0) + GRID_MM
    affine = np.diag([GRID_MM, GRID_MM, GRID_MM, 1.0])
    affine[:3, 3] = low
    return tuple(np.ceil((high - low) / GRID_MM).astype(int) + 1), affine


def _head(volumes: Sequence[Volume], mask: Mask, shape: tuple[int, ...], affine: FloatArray) -> _Head:
    """The contrasts on the grid that `affine` places in their world."""
    first = volumes[0]
    inside = _resampled(mask.astype(np.float32), first.affine, shape, affine)
    relative = []
    for volume in volumes:
        data = np.nan_to_num(volume.data)
        if volume is first:
            data = np.where(mask, data, 0)
        values = _resampled(data, volume.affine, shape, affine)
        relative.append(_relative(values, inside))
    return _Head(tuple(relative), (inside > _INSIDE).astype(np.float32))


def _resampled(data: FloatArray, own: FloatArray, shape: tuple[int, ...], affine: FloatArray) -> FloatArray:
    from scipy import ndimage

    edges = np.sqrt((own[:3, :3] ** 2).sum(0))
    # Smoothed to a width (FWHM) of the grid's spacing where the voxels are smaller.
    sigma = np.sqrt(np.maximum(GRID_MM**2 - edges**2, 0)) / 2.355 / edges
    smooth = ndimage.gaussian_filter(data.astype(np.float32), sigma)
    to_index = np.linalg.inv(own) @ affine
    return np.asarray(
        ndimage.affine_transform(smooth, to_index[:3, :3], to_index[:3, 3], shape, order=1, mode="constant")
    )


def _relative(values: FloatArray, inside: FloatArray) -> FloatArray:
    """Values by their local mean, minus 1; both are weighted by the mask, so that its edge is not dark."""
    from scipy import ndimage

    sigma = LOCAL_MM / GRID_MM
    weight = np.maximum(ndimage.gaussian_filter(inside, sigma), 1e-6)
    mean = np.maximum(ndimage.gaussian_filter(values, sigma) / weight, 1e-6)
    own = values / np.maximum(inside, _INSIDE)
    return np.where(inside > _INSIDE, np.clip(own / mean - 1, -1, 1), 0).astype(np.float32)


def _asymmetric(head: _Head) -> FloatArray:
    """(contrast, x, y, z) each contrast minus its mirror image, where both are in the head; else 0."""
    plane = _mid_plane(head)
    mirror = _mirrored(head.inside, plane)
    both = head.inside * (mirror > _INSIDE)
    return np.stack(
        [both * (values - _mirrored(values, plane) / np.maximum(mirror, _INSIDE)) for values in head.relative]
    )


def _mid_plane(head: _Head) -> FloatArray:
    """(3,) yaw and roll in radians and place in voxels along x of the plane of best mirror symmetry."""
    from scipy.optimize import minimize

    outline = head.inside * (1 + head.relative[0])
    middle = float((outline.sum((1, 2)) * np.arange(outline.shape[0])).sum() / outline.sum())

    def unlike(plane: FloatArray) -> float:
        return -float((outline * _mirrored(outline, plane)).sum())

    start = np.array([0.0, 0.0, middle], np.float64)
    # A first step of 0.15 rad and 8 mm: how far heads turn and lie off centre in a coil.
    simplex = start + np.vstack([np.zeros(3), np.diag([0.15, 0.15, 8.0 / GRID_MM])])
    # Until the plane rests within a fiftieth of a radian (1 mm at the edge of a head) and of a voxel.
    found = minimize(
        unlike,
        start,
        method="Nelder-Mead",
        options={"initial_simplex": simplex, "xatol": 0.02, "fatol": np.inf, "maxfev": 150},
    )
    return np.asarray(found.x)


def _mirrored(values: FloatArray, plane: FloatArray) -> FloatArray:
    from scipy import ndimage

    yaw, roll, place = plane
    normal = np.array([np.cos(yaw) * np.cos(roll), np.sin(yaw) * np.cos(roll), np.sin(roll)])
    point = np.array([place, *(np.array(values.shape[1:]) - 1) / 2])
    reflect = np.eye(3) - 2 * np.outer(normal, normal)
    return np.asarray(
        ndimage.affine_transform(values, reflect, point - reflect @ point, order=1, mode="constant")
    )
