"""One resolution of an image, laid out in blocks for registration."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from remyelin.measure.image import Volume
from remyelin.measure.spline import resample

FloatArray = NDArray[np.floating]
Mask = NDArray[np.bool_]

# A block this small holds two tissues, not three: then one parabola fits both contrasts, and the same edge
# lies at the same place in both. 20 mm blocks put MT-on 0.08 mm beside MT-off, 8 mm blocks 0.01 to 0.02.
_BLOCK_MM = 8.0
# But not so small that three coefficients eat its voxels, nor so large that few are left to scatter.
_BLOCK_VOXELS = 6.0
_MIN_BLOCKS = 30
# More points than this add time and no precision: 2e6 are a brain at 1 mm.
_MAX_POINTS = 2e6


@dataclass(frozen=True, slots=True)
class Level:
    """One resolution of an image: smoothed values, their spline, and the points that are compared."""

    values: FloatArray
    spline: FloatArray
    defined: Mask
    affine: FloatArray
    index: NDArray[np.int32]  # (n, 3) voxels of the mask, block by block
    starts: NDArray[np.int64]  # (blocks + 1,) where each block begins in `index`
    regressor: NDArray[np.float32]  # (n,) values, standardised within their block
    spread: float

    @property
    def points_mm(self) -> FloatArray:
        """(m, 3) world points of a regular part of the mask."""
        some = self.index[:: max(1, len(self.index) // 2000)]
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
    sigma = np.where(voxel <= 1.5 * step, step / voxel, 0.0)
    smooth = smoothed(volume.data[box], sigma)
    stride = np.maximum(1, np.floor(step / voxel + 0.01).astype(int))
    thin = tuple(slice(None, None, int(s)) for s in stride)
    smooth, kept = np.ascontiguousarray(smooth[thin]), mask[box][thin]
    defined = np.isfinite(volume.data[box][thin])
    affine = volume.affine.astype(float).copy()
    affine[:3, 3] += affine[:3, :3] @ offset
    affine[:3, :3] = affine[:3, :3] * stride
    index, starts = _blocks(kept & defined, affine)
    value = smooth[tuple(index.T)]
    return Level(
        smooth,
        ndimage.spline_filter(smooth, 3, output=np.float32, mode="mirror"),
        defined,
        affine,
        index,
        starts,
        _standardised(value, starts),
        float(value.std()),
    )


def sample(source: Level, affine: FloatArray, shape: tuple[int, ...], matrix: FloatArray) -> FloatArray:
    """Values of a level's spline on another grid, 0 outside.

    Parameters
    ----------
    source
        From `level`.
    affine, shape
        The other grid.
    matrix
        (4, 4) world of the grid to world of the source.
    """
    out = np.zeros(shape, np.float32)
    resample(source.spline, np.linalg.inv(source.affine) @ matrix @ affine, out)
    return out


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
