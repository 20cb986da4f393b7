"""Thermal noise of one image, from the image itself."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from remyelin.measure.image import FloatArray

# Quantiles of |normal|: several about the median, because that of whole numbers moves in steps of 3 %.
QUANTILES = np.arange(0.30, 0.71, 0.05)
NORMAL = np.array([0.3853, 0.4538, 0.5244, 0.5978, 0.6745, 0.7554, 0.8416, 0.9346, 1.0364])
FEWEST_BLOCKS = 50  # the median of fewer is uncertain by more than 15 %
CORRELATED = 1.5  # anatomy alone leaks up to 1.34 into blocks of twice the size (simulated brains, MT-on)


def noise_sd(image: FloatArray, inside: NDArray[np.bool_]) -> float:
    """Noise per voxel, in the units of the image.

    The 2 x 2 x 2 voxels of a block are added with alternating signs (the diagonal band of a Haar transform
    [1]_), in which a tissue border hardly shows; only the half of the blocks where the image is smoothest
    counts; the SD is taken from the middle quantiles. Interpolated images (a scanner may fill k-space with
    zeros) have noise that is correlated between neighbours and averages out less than it seems; it is
    recognised at twice the block size, and then the SD returned is the one that independent noise would need
    to leave as much in the mean of a lesion.

    Parameters
    ----------
    image
        (x, y, z) magnitudes. Rician noise is normal to 1 % above an SNR of 5.
    inside
        (x, y, z) where there is tissue: the brain mask.

    Returns
    -------
    SD; NaN if fewer than 50 whole blocks lie inside.

    References
    ----------
    .. [1] Coupe P et al. Robust Rician noise estimation for MR images. Med Image Anal 2010;14(4):483-493.
       doi:10.1016/j.media.2010.03.001

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> ramp = 10.0 * np.arange(40)[:, None, None]
    >>> round(noise_sd(ramp + rng.normal(1000, 20, (40, 40, 40)), np.ones((40, 40, 40), bool)))
    20
    """
    fine = _diagonal_sd(image, inside)
    blocks, whole = _blocks(image, inside)
    coarse = np.sqrt(8) * _diagonal_sd(blocks.mean((1, 3, 5)), whole)
    return float(coarse if coarse > CORRELATED * fine else fine)


def _blocks(image: FloatArray, inside: NDArray[np.bool_]) -> tuple[FloatArray, NDArray[np.bool_]]:
    """(x/2, 2, y/2, 2, z/2, 2) voxels of each block, and (x/2, y/2, z/2) whether a block is all tissue."""
    even = tuple(slice(0, n - n % 2) for n in image.shape)
    x, y, z = (n // 2 for n in image.shape)
    blocks = np.asarray(image[even], np.float64).reshape(x, 2, y, 2, z, 2)
    tissue = inside[even].reshape(blocks.shape) & np.isfinite(blocks)
    return blocks, np.asarray(tissue.all((1, 3, 5)))


def _diagonal_sd(image: FloatArray, inside: NDArray[np.bool_]) -> float:
    if min(image.shape) < 6:  # three blocks, to tell how steep the middle one is
        return np.nan
    blocks, tissue = _blocks(image, inside)
    across = blocks[:, 0] - blocks[:, 1]
    across = across[:, :, 0] - across[:, :, 1]
    diagonal = (across[..., 0] - across[..., 1]) / np.sqrt(8)
    level = np.where(tissue, blocks.mean((1, 3, 5)), np.nan)
    steep = np.sqrt(np.sum([_central(level, axis) ** 2 for axis in range(3)], axis=0))
    known = np.isfinite(steep)
    if known.sum() < FEWEST_BLOCKS:
        return np.nan
    smooth = known & (steep <= np.median(steep[known]))
    return float(np.mean(np.quantile(np.abs(diagonal[smooth]), QUANTILES) / NORMAL))


def _central(level: FloatArray, axis: int) -> FloatArray:
    """Difference between the two neighbours along an axis; NaN at the ends."""
    ends = [(0, 0)] * 3
    ends[axis] = (1, 1)
    along = np.moveaxis(level, axis, 0)
    return np.pad(np.moveaxis(along[2:] - along[:-2], 0, axis), ends, constant_values=np.nan)
