"""A head mask: where an image has signal, for registration when no brain mask is given."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from remyelin.errors import InputError
from remyelin.measure.image import Volume

FloatArray = NDArray[np.floating]
Mask = NDArray[np.bool_]

# Otsu's threshold of a bright head on a dark ground lies too high where tissue is dark (fluid, cortex in a
# weak receive field); half of it still clears background noise, whose mean is far below half of tissue.
_OTSU_FRACTION = 0.5
_BINS = 256
# A mask smaller than this part of the volume is a speck, not a head.
_MIN_FRACTION = 1e-3


def head_mask(volume: Volume) -> Mask:
    """Voxels that belong to the imaged head (or body part): its largest bright piece, holes filled.

    Parameters
    ----------
    volume
        Image whose background is darker than tissue.

    Returns
    -------
    (x, y, z) bool, on the grid of the volume.

    Raises
    ------
    InputError
        If the image has no contrast between signal and background.

    Notes
    -----
    Threshold after Otsu 1979, doi:10.1109/TSMC.1979.4310076.

    Examples
    --------
    >>> image = np.zeros((12, 12, 12), np.float32)
    >>> image[3:9, 3:9, 3:9] = 100
    >>> image[5:7, 5:7, 5:7] = 0
    >>> int(head_mask(Volume(image, np.eye(4))).sum())
    216
    """
    from scipy import ndimage

    data = np.nan_to_num(np.abs(volume.data), nan=0.0, posinf=0.0, neginf=0.0).astype(np.float32)
    top = float(np.quantile(data, 0.999)) if data.size else 0.0
    if data.size == 0 or not top > float(data.min()):
        raise InputError(
            volume.file,
            "signal",
            "the same in every voxel",
            "tissue brighter than background",
            "export the image again",
        )
    # The mean of 27 voxels keeps noisy voxels of the background out; the voxel itself keeps the edge sharp.
    smooth = ndimage.uniform_filter(np.minimum(data, top), 3, mode="nearest")
    threshold = _OTSU_FRACTION * otsu(smooth)
    bright = (smooth > threshold) & (data > threshold)
    mask = _filled(_largest(bright))
    if mask.mean() < _MIN_FRACTION:
        raise InputError(volume.file, "signal", "only specks above background", "a head", "check the image")
    return mask


def otsu(values: FloatArray) -> float:
    """Threshold that best parts bright values from dark ones.

    Parameters
    ----------
    values
        Any shape, finite.

    Returns
    -------
    The threshold, in the units of the values.

    Examples
    --------
    >>> round(otsu(np.r_[np.zeros(50), np.full(50, 10.0)]), 1)
    5.0
    """
    count, edges = np.histogram(values, _BINS)
    level = (edges[1:] + edges[:-1]) / 2
    below = np.cumsum(count)[:-1].astype(float)
    above = count.sum() - below
    sum_below = np.cumsum(count * level)[:-1]
    mean_below = sum_below / np.maximum(below, 1)
    mean_above = ((count * level).sum() - sum_below) / np.maximum(above, 1)
    between = below * above * (mean_above - mean_below) ** 2
    # Over an empty valley every cut is equally good: take its middle.
    best = np.flatnonzero(between >= between.max() * (1 - 1e-12))
    return float((edges[best[0] + 1] + edges[best[-1] + 1]) / 2)


def grown(mask: Mask, by_mm: float, affine: FloatArray) -> Mask:
    """Grow a mask by a distance along each axis; a negative distance shrinks it.

    Parameters
    ----------
    mask
        (x, y, z) bool.
    by_mm
        Rounded to whole voxels of each axis.
    affine
        (4, 4) voxel to world, for the voxel size.

    Returns
    -------
    (x, y, z) bool.

    Examples
    --------
    >>> point = np.zeros((5, 5, 5), bool)
    >>> point[2, 2, 2] = True
    >>> int(grown(point, 1.0, np.eye(4)).sum())
    27
    >>> int(grown(grown(point, 1.0, np.eye(4)), -1.0, np.eye(4)).sum())
    1
    """
    from scipy import ndimage

    spacing = np.sqrt((affine[:3, :3] ** 2).sum(0))
    size = tuple(2 * round(abs(by_mm) / s) + 1 for s in spacing)
    work = ndimage.maximum_filter if by_mm >= 0 else ndimage.minimum_filter
    return np.asarray(work(mask.view(np.uint8), size, mode="nearest").astype(bool))


def _largest(mask: Mask) -> Mask:
    from scipy import ndimage

    label, n = ndimage.label(mask)
    if n <= 1:
        return mask
    size = np.bincount(label.ravel())
    size[0] = 0
    return np.asarray(label == size.argmax())


def _filled(mask: Mask) -> Mask:
    """Mask with its holes: background that does not reach the border of the volume."""
    from scipy import ndimage

    label, n = ndimage.label(~mask)
    faces = [label[[0, -1]], label[:, [0, -1]], label[:, :, [0, -1]]]
    open_ = np.zeros(n + 1, bool)
    for face in faces:
        open_[np.unique(face)] = True
    open_[0] = False
    return np.asarray(~open_[label])
