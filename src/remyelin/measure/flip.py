"""Left-right flips: a follow-up whose voxels were mirrored, told by what is not the same on both sides.

A head is so nearly symmetric that a mirrored one registers well and every later number looks usual, while the
lesions of one side are measured on the other. Only the asymmetric part of the image tells.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from remyelin.errors import Flag

from .image import Mask, MTPair, Volume

if TYPE_CHECKING:
    from .poses import Poses

FloatArray = NDArray[np.floating]

GRID_MM = 3.0
# Width (FWHM) of what is compared: fine enough for what differs between the sides of a brain (sulci, vessels,
# lesions, petalia: 5 to 30 mm), coarse enough to be blind to noise and to a small error of registration.
SMOOTH_MM = 7.0
# The receive field varies over 100 mm and more; what varies over less than this is anatomy.
LOCAL_MM = 12.0
# benchmarks/dataset/flip.py: two real visits correlate 0.70 to 0.84 if right, -0.60 to -0.78 if one is
# mirrored; with the pose wrong by 4 mm and 4 degrees still above 0.3 if right. No asymmetry: near 0.
THRESHOLD = -0.2
# The mask smoothed over one step of the grid is 0.5 at its edge and 0.84 one step inside. Weights rise
# between these: what lies at the edge differs by the grid alone.
_EDGE, _CLEAR = 0.6, 0.9
_TURNS_RAD = np.array([-0.2, -0.1, 0.0, 0.1, 0.2])
_STEPS_MM = np.array([-9.0, -6.0, -3.0, 0.0, 3.0, 6.0, 9.0])


@dataclass(frozen=True, slots=True)
class _Head:
    """A head on an isotropic grid along the axes of the world.

    `relative` are the contrasts divided by their local mean, minus 1; `weight` is 1 well inside, 0 outside.
    """

    relative: tuple[FloatArray, ...]
    weight: FloatArray


def check_flips(pairs: Sequence[MTPair], poses: Poses) -> list[tuple[int, Flag]]:
    """Flag the visits whose images are the mirror image of the first visit's.

    Parameters
    ----------
    pairs
        The visits of one participant.
    poses
        Where their images lie (`register_participant`).

    Returns
    -------
    Index of the visit and a flag of quality ``fail``, one for each of its two images.

    Notes
    -----
    See `asymmetry_correlation`. A symmetric head gives a correlation near 0 and is never flagged.
    """
    flags = []
    for k, pair in enumerate(pairs[1:], start=1):
        first = pairs[0]
        r = asymmetry_correlation(
            [(first.off, poses.off[0]), (first.on, poses.on[0])],
            [(pair.off, poses.off[k]), (pair.on, poses.on[k])],
            (first.brain, pair.brain),
        )
        if r < THRESHOLD:
            found = (
                f"like a mirror image of {first.visit} (what differs between the sides correlates {r:.2f})"
            )
            expected = "no left-right flip between visits"
            fix = "convert both visits again from DICOM; check the side marker"
            flags += [
                (k, Flag(image.file, "left and right", found, expected, fix, "fail"))
                for image in (pair.off, pair.on)
            ]
    return flags


def asymmetry_correlation(
    one: Sequence[tuple[Volume, FloatArray]],
    two: Sequence[tuple[Volume, FloatArray]],
    masks: tuple[Mask, Mask],
) -> float:
    """Correlation of the asymmetric part of two visits: near 1 for one head, negative if one is mirrored.

    Parameters
    ----------
    one, two
        The same contrasts in the same order, each with the (4, 4) matrix from a common world (mm) to its own.
    masks
        Head or brain in the first contrast of each visit.

    Notes
    -----
    Each image is divided by its local mean, so that gain and receive field go. The plane of best mirror
    symmetry is found at each visit, and an image minus its mirror image is what is compared. 0 where nothing
    is asymmetric.
    """
    shape, affine = _grid(masks[0], one[0][0], one[0][1])
    a = _asymmetric(_head(one, masks[0], shape, affine))
    b = _asymmetric(_head(two, masks[1], shape, affine))
    scale = float(np.sqrt((a**2).sum() * (b**2).sum()))
    return float((a * b).sum()) / scale if scale > 0 else 0.0


def _grid(mask: Mask, volume: Volume, pose: FloatArray) -> tuple[tuple[int, ...], FloatArray]:
    """Shape and affine of a grid over a mask, along the axes of the common world."""
    to_world = np.linalg.inv(pose) @ volume.affine
    points = np.argwhere(mask) @ to_world[:3, :3].T + to_world[:3, 3]
    low, high = points.min(0) - GRID_MM, points.max(0) + GRID_MM
    affine = np.diag([GRID_MM, GRID_MM, GRID_MM, 1.0])
    affine[:3, 3] = low
    return tuple(np.ceil((high - low) / GRID_MM).astype(int) + 1), affine


def _head(
    images: Sequence[tuple[Volume, FloatArray]], mask: Mask, shape: tuple[int, ...], affine: FloatArray
) -> _Head:
    from scipy import ndimage

    first, pose = images[0]
    inside = _resampled(Volume(mask.astype(np.float32), first.affine), pose @ affine, shape)
    values = [_resampled(volume, matrix @ affine, shape) for volume, matrix in images]
    depth = ndimage.gaussian_filter(inside, 1.0)
    weight = np.clip((depth - _EDGE) / (_CLEAR - _EDGE), 0, 1)
    return _Head(tuple(_relative(image, inside) for image in values), weight)


def _resampled(volume: Volume, affine: FloatArray, shape: tuple[int, ...]) -> FloatArray:
    from scipy import ndimage

    edges = volume.voxel_mm
    sigma = np.sqrt(np.maximum(SMOOTH_MM**2 - edges**2, 0)) / 2.355 / edges
    smooth = ndimage.gaussian_filter(np.nan_to_num(volume.data).astype(np.float32), sigma)
    to_index = np.linalg.inv(volume.affine) @ affine
    return np.asarray(
        ndimage.affine_transform(smooth, to_index[:3, :3], to_index[:3, 3], shape, order=1, mode="constant")
    )


def _relative(values: FloatArray, inside: FloatArray) -> FloatArray:
    """Values by their mean within `LOCAL_MM` in the head, minus 1; 0 outside."""
    from scipy import ndimage

    sigma = LOCAL_MM / GRID_MM
    weight = np.maximum(ndimage.gaussian_filter(inside, sigma), 1e-6)
    mean = ndimage.gaussian_filter(values * inside, sigma) / weight
    return np.where(mean > 0, np.clip(values / np.maximum(mean, 1e-6) - 1, -1, 1), 0) * (inside > 0)


def _asymmetric(head: _Head) -> FloatArray:
    """(contrast, x, y, z) each contrast minus its mirror image, weighted by how far both are in the head."""
    plane = _mid_plane(head)
    both = head.weight * _mirrored(head.weight, plane)
    return np.stack([both * (values - _mirrored(values, plane)) for values in head.relative])


def _mid_plane(head: _Head) -> FloatArray:
    """(3,) yaw and roll in radians and place in voxels along x of the plane of best mirror symmetry."""
    from scipy.optimize import minimize

    middle = float((head.weight.sum((1, 2)) * np.arange(head.weight.shape[0])).sum() / head.weight.sum())
    # Heads turn by up to 0.2 rad and lie up to 9 mm off their centre of mass; the nearest of these trials is
    # within reach of the search that follows.
    coarse = _Symmetry(head, 4)
    trials = product(_TURNS_RAD, _TURNS_RAD, middle + _STEPS_MM / GRID_MM)
    start = np.array(max(trials, key=coarse), np.float64)
    fine = _Symmetry(head, 1)

    def unlike(plane: FloatArray) -> float:
        return -fine(plane)

    # To 0.005 radian, half a mm at the edge of a head, and 0.005 voxel.
    found = minimize(
        unlike,
        start,
        method="Nelder-Mead",
        options={
            "initial_simplex": start + np.vstack([np.zeros(3), np.diag([0.05, 0.05, 0.7])]),
            "xatol": 0.005,
            "fatol": np.inf,
            "maxfev": 120,
        },
    )
    return np.asarray(found.x)


class _Symmetry:
    """How symmetric every `stride`-th voxel of a head is about a plane.

    What is inside tells the plane of a brain, whose mask may be cut askew by the field of view; the outline
    tells it where the inside is bland.
    """

    def __init__(self, head: _Head, stride: int) -> None:
        every = (slice(None, None, stride),) * 3
        self.outline = head.weight[every]
        self.inside = [self.outline * values[every] for values in head.relative]
        self.middle = (np.array(head.weight.shape[1:]) - 1) / 2 / stride
        self.stride = stride

    def __call__(self, plane: Sequence[float] | FloatArray) -> float:
        yaw, roll, place = plane
        here = (yaw, roll, np.array([place / self.stride, *self.middle]))
        return _likeness([self.outline], *here) + _likeness(self.inside, *here)


def _likeness(images: Sequence[FloatArray], yaw: float, roll: float, point: FloatArray) -> float:
    """Correlation of images with their mirror images; by the power of both, for interpolation takes some."""
    mirrors = [_reflected(image, yaw, roll, point) for image in images]
    shared = sum(float((image * mirror).sum()) for image, mirror in zip(images, mirrors, strict=True))
    power = [sum(float((image**2).sum()) for image in kind) for kind in (images, mirrors)]
    return shared / max(float(np.sqrt(power[0] * power[1])), 1e-6)


def _mirrored(values: FloatArray, plane: FloatArray) -> FloatArray:
    yaw, roll, place = plane
    return _reflected(values, yaw, roll, np.array([place, *(np.array(values.shape[1:]) - 1) / 2]))


def _reflected(values: FloatArray, yaw: float, roll: float, point: FloatArray) -> FloatArray:
    """The values mirrored about the plane through a point (voxels) that is turned by yaw and roll."""
    from scipy import ndimage

    normal = np.array([np.cos(yaw) * np.cos(roll), np.sin(yaw) * np.cos(roll), np.sin(roll)])
    turn = np.eye(3) - 2 * np.outer(normal, normal)
    return np.asarray(ndimage.affine_transform(values, turn, point - turn @ point, order=1, mode="constant"))
