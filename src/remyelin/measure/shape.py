"""The shape of a lesion that its mask was cut from, and how far it fills the voxels of any image."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy import ndimage

from .image import FloatArray
from .weights import SoftMask, reach, spline_matrix

FINE = 3  # odd; points per voxel edge at which the true border is drawn
MARGIN = 2  # voxels around a mask that its true shape and its blur may reach
SMOOTH = 3  # degree of the spline that draws it
STEPS = 9  # halvings of the threshold, to 0.2 % of a voxel's content


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
    # Many levels give the same number of voxels, of a small lesion above all: the middle of them.
    ends = _last_level(edge, mask.voxels), _last_level(edge, mask.voxels - 1)
    return np.asarray(edge > sum(ends) / 2)


def filled(shape: NDArray[np.bool_], edge: float) -> FloatArray:
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


def imprint(
    image: FloatArray,
    to_home: Sequence[FloatArray],
    masks: Sequence[SoftMask],
    contents: Sequence[FloatArray],
    amounts: FloatArray,
) -> FloatArray:
    """The image with an amount added in each lesion, times the part of the voxel that the lesion fills.

    Parameters
    ----------
    image
        (x, y, z), float32; not altered.
    to_home
        For each lesion (4, 4) voxel index of the image to voxel index of the lesion's home grid.
    masks, contents
        The lesions, and what `filled` gives of their shapes.
    amounts
        (lesion,).
    """
    data = np.array(image, np.float32)
    for mask, content, amount, to in zip(masks, contents, amounts, to_home, strict=True):
        _draw(data, to, mask, content, amount)
    return data


@contextmanager
def drawn(
    empty: FloatArray, to_home: FloatArray, mask: SoftMask, content: FloatArray
) -> Iterator[FloatArray]:
    """One lesion alone drawn into an image of zeros, which is one of zeros again afterwards."""
    box = _draw(empty, to_home, mask, content, 1.0)
    yield empty
    empty[tuple(slice(*ends) for ends in box.T)] = 0.0


def _draw(
    data: FloatArray, to_home: FloatArray, mask: SoftMask, content: FloatArray, amount: float
) -> NDArray[np.int64]:
    to_fine = np.diag([FINE, FINE, FINE, 1.0])
    to_fine[:3, 3] = FINE // 2 - FINE * (mask.origin - MARGIN)
    to_shape = to_fine @ to_home
    box = reach(data, to_shape, np.zeros(3), np.array(content.shape) - 1.0)
    _imprint(data, to_shape[:3], content, box, amount)
    return box


def _last_level(fine: FloatArray, voxels: float) -> float:
    """The highest level at which more than so many voxels are half filled."""
    low, high = 0.0, 1.0
    for _ in range(STEPS):
        level = (low + high) / 2
        low, high = (level, high) if _half_filled(fine, level) > voxels else (low, level)
    return low


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
