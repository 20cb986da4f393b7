"""One resolution of an image, laid out in blocks for registration."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from remyelin.measure.image import Volume
from remyelin.measure.spline import look_up

FloatArray = NDArray[np.floating]
Mask = NDArray[np.bool_]

# A block this small holds two tissues, not three: then one parabola fits both contrasts, and the same edge
# lies at the same place in both. Blocks of 20 mm put MT-on 0.08 mm beside MT-off, blocks of 6 mm 0.01.
_BLOCK_MM = 6.0
# But not so small that three coefficients eat its voxels, nor so large that too few are left to scatter.
_BLOCK_VOXELS = 6.0
_MIN_BLOCKS = 30
# More points than this add time and no precision: 2e6 are a brain at 1 mm.
_MAX_POINTS = 2e6
# In voxels; what is left of the noise above the grid's resolution, the scattered points take care of.
_SMOOTH = 0.7
# Additive sequence of Roberts: powers of the inverse of the root of x^4 = x + 1.
_SCATTER = 1.2207440846057596 ** -np.arange(1.0, 4.0)


@dataclass(frozen=True, slots=True)
class Level:
    """One resolution of an image: the spline of its smoothed values, and the points that are compared."""

    spline: FloatArray
    defined: Mask
    affine: FloatArray
    points: NDArray[np.float32]  # (n, 3) in voxels, block by block
    starts: NDArray[np.int64]  # (blocks + 1,) where each block begins in `points`
    regressor: NDArray[np.float32]  # (n,) values, standardised within their block
    spread: float

    @property
    def voxel_mm(self) -> float:
        """Geometric mean of the edges of a voxel."""
        return float(np.cbrt(abs(np.linalg.det(self.affine[:3, :3]))))

    @property
    def points_mm(self) -> FloatArray:
        """(m, 3) world points of a regular part of the mask."""
        some = self.points[:: max(1, len(self.points) // 2000)].astype(float)
        return np.asarray(some @ self.affine[:3, :3].T + self.affine[:3, 3])


def level(volume: Volume, mask: Mask, spacing_mm: float = 0.0) -> Level:
    """Smooth an image to a resolution and lay out its points for `refine`.

    Parameters
    ----------
    volume
        The image; undefined (not finite) voxels take their value from the defined ones around them.
    mask
        (x, y, z) bool, voxels to compare.
    spacing_mm
        Resolution; voxels finer than it are smoothed and thinned out. 0: the image's own.

    Returns
    -------
    Level, cropped to the mask and a margin.
    """
    from scipy import ndimage

    voxel = volume.voxel_mm
    inside = int(mask.sum())
    native = max(float(voxel.min()), (inside * volume.voxel_mm3 / _MAX_POINTS) ** (1 / 3))
    step = max(spacing_mm, native)
    box, offset = _box(mask, np.ceil(4 * step / voxel).astype(int) + 2)
    # A thick slice is already smoother than the target; smoothing it more would only lose edges.
    sigma = np.where(voxel <= 1.5 * step, _SMOOTH * step / voxel, 0.0)
    smooth = smoothed(volume.data[box] / scale_of(volume, mask), sigma)
    stride = np.maximum(1, np.floor(step / voxel + 0.01).astype(int))
    thin = tuple(slice(None, None, int(s)) for s in stride)
    smooth, kept = np.ascontiguousarray(smooth[thin]), mask[box][thin]
    defined = np.isfinite(volume.data[box][thin])
    affine = volume.affine.astype(float).copy()
    affine[:3, 3] += affine[:3, :3] @ offset
    affine[:3, :3] = affine[:3, :3] * stride
    index, starts = _blocks(kept & defined, affine)
    # Points on the fixed grid would find the moving image sharpest, noise and all, where the grids coincide,
    # and smoothest between: the pose would be drawn away. Points scattered over the voxel see both alike.
    scatter = (np.arange(1, len(index) + 1)[:, None] * _SCATTER) % 1 - 0.5
    points = (index + scatter).astype(np.float32)
    spline = ndimage.spline_filter(smooth, 3, output=np.float32, mode="mirror")
    value = np.empty(len(points), np.float32)
    look_up(spline, points, value)
    return Level(spline, defined, affine, points, starts, _standardised(value, starts), float(value.std()))


def scale_of(volume: Volume, mask: Mask) -> float:
    """Largest magnitude inside a mask, 1 if there is none: divided by it, no image over- or underflows."""
    top = float(np.abs(volume.data[mask]).max(initial=0.0, where=np.isfinite(volume.data[mask])))
    return top or 1.0


def smoothed(data: FloatArray, sigma: FloatArray) -> FloatArray:
    """Gaussian smoothing that leaves undefined voxels out (normalised convolution), float32.

    Knutsson and Westin 1993, doi:10.1109/CVPR.1993.341081.

    Examples
    --------
    >>> smoothed(np.array([1.0, np.nan, 1.0]), np.array([0.5])).tolist()
    [1.0, 1.0, 1.0]
    """
    from scipy import ndimage

    def blur(array: FloatArray) -> FloatArray:
        return np.asarray(
            ndimage.gaussian_filter(array, sigma, output=np.float32, truncate=3.0, mode="nearest")
        )

    defined = np.isfinite(data)
    if defined.all():
        return blur(data)
    part = blur(defined.astype(np.float32))
    total = blur(np.where(defined, data, 0.0).astype(np.float32))
    return np.asarray(np.divide(total, part, out=np.zeros_like(total), where=part > 0))


def _box(mask: Mask, margin: NDArray[np.int_]) -> tuple[tuple[slice, ...], FloatArray]:
    box = []
    for axis in range(3):
        seen = np.flatnonzero(mask.any(tuple(a for a in range(3) if a != axis)))
        low = max(int(seen[0]) - int(margin[axis]), 0)
        box.append(slice(low, min(int(seen[-1]) + int(margin[axis]) + 1, mask.shape[axis])))
    return tuple(box), np.array([float(s.start) for s in box])


def _blocks(mask: Mask, affine: FloatArray) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """Voxels of a mask sorted into cubes, and where each cube begins."""
    index = np.argwhere(mask).astype(np.int32)
    spacing = np.sqrt((affine[:3, :3] ** 2).sum(0))
    edge = max(_BLOCK_MM, _BLOCK_VOXELS * float(spacing.prod() ** (1 / 3)))
    edge = min(edge, float((len(index) * spacing.prod() / _MIN_BLOCKS) ** (1 / 3)))
    cube = (index * spacing // edge).astype(np.int64)
    size = cube.max(0) + 1
    key = (cube[:, 0] * size[1] + cube[:, 1]) * size[2] + cube[:, 2]
    order = np.argsort(key, kind="stable")
    _, first = np.unique(key[order], return_index=True)
    return np.ascontiguousarray(index[order]), np.r_[first, len(index)].astype(np.int64)


def _standardised(value: FloatArray, starts: NDArray[np.int64]) -> NDArray[np.float32]:
    n = np.diff(starts)
    mean = np.add.reduceat(value.astype(float), starts[:-1]) / n
    centred = value - np.repeat(mean, n)
    sd = np.sqrt(np.add.reduceat(centred**2, starts[:-1]) / n)
    return np.asarray(centred / np.repeat(np.maximum(sd, 1e-12 + 1e-6 * np.abs(mean)), n), np.float32)
