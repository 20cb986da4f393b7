"""Tissue: what it says of lesions, the normal-appearing white matter, and mean values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike, NDArray

from remyelin.errors import Flag, InputError
from remyelin.measure.segmentation import Tissue

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class LesionTissue:
    """Where each lesion lies; one value a lesion.

    Parameters
    ----------
    gm_fraction
        Grey matter among the white and grey matter voxels that the segmentation sees inside the lesion; NaN
        where it sees neither.
    gm_fraction_around
        The same in the perilesional shell: lesions dark on T1-weighted images are often segmented as grey.
    distance_to_csf_mm
        Mean over the voxels of the lesion, from centre to centre of the nearest CSF voxel outside lesions;
        NaN without CSF.
    """

    gm_fraction: FloatArray
    gm_fraction_around: FloatArray
    distance_to_csf_mm: FloatArray


@dataclass(frozen=True, slots=True)
class TissueValue:
    """Mean of a map in a tissue, pu, with its standard error from voxel noise, the SD and the voxel count."""

    mean: float
    se: float
    sd: float
    n_voxels: int


def lesion_tissue(
    labels: NDArray[np.integer],
    around: NDArray[np.integer],
    tissue: Tissue,
    voxel_mm: ArrayLike,
    *,
    n_lesions: int,
    lesion_mask: BoolArray | None = None,
) -> LesionTissue:
    """Class and depth of each lesion.

    Parameters
    ----------
    labels, around
        (x, y, z), k + 1 in the lesion of index k, and in its perilesional shell (`lesion_shells`).
    tissue
        On the same grid.
    voxel_mm
        Three edge lengths.
    n_lesions
        How many values to give; a label that does not occur gives NaN.
    lesion_mask
        All lesions, if `labels` are a selection: CSF is not looked for inside them.

    Returns
    -------
    LesionTissue
    """
    from scipy import ndimage

    lesion = labels > 0 if lesion_mask is None else lesion_mask | (labels > 0)
    csf = tissue.csf & ~lesion
    distance = np.full(n_lesions, np.nan)
    if csf.any() and (labels > 0).any():
        box = ndimage.find_objects((csf | (labels > 0)).astype(np.int8))[0]
        depth = ndimage.distance_transform_edt(~csf[box], sampling=np.asarray(voxel_mm, np.float64))
        distance = _mean_by_label(depth, labels[box], n_lesions)
    return LesionTissue(
        gm_fraction=_grey_fraction(labels, tissue, n_lesions),
        gm_fraction_around=_grey_fraction(around, tissue, n_lesions),
        distance_to_csf_mm=distance,
    )


def nawm_mask(
    tissue: Tissue, lesion_mask: BoolArray, voxel_mm: ArrayLike, *, clear_mm: float, erode_mm: float
) -> BoolArray:
    """Normal-appearing white matter: white, away from lesions and from the border of white matter.

    There is no such mask without a segmentation: a range of MTR would choose the voxels by the very value
    that is to be measured.

    Parameters
    ----------
    tissue, lesion_mask
        On one grid; the mask holds every lesion, at best of all visits.
    voxel_mm
        Three edge lengths.
    clear_mm, erode_mm
        A voxel counts if its centre is farther than this from the centre of any lesion voxel, and of any
        voxel that is not white.

    Returns
    -------
    NDArray
        (x, y, z) bool; may be empty.

    Examples
    --------
    >>> white = np.zeros((9, 5, 5), bool)
    >>> white[1:8, 1:4, 1:4] = True
    >>> none = np.zeros_like(white)
    >>> lesion = none.copy()
    >>> lesion[2, 2, 2] = True
    >>> int(nawm_mask(Tissue(white, none, none), lesion, (1, 1, 1), clear_mm=2, erode_mm=1).sum())
    2
    """
    from scipy import ndimage

    if lesion_mask.shape != tissue.white.shape:
        fix = "bring the lesion mask to the grid of the segmentation"
        found, expected = (f"shape {image.shape}" for image in (lesion_mask, tissue.white))
        raise InputError("", "lesion mask", found, expected, fix)
    nawm = np.zeros(tissue.white.shape, bool)
    if not tissue.white.any():
        return nawm
    margin = tuple(
        slice(max(s.start - 1, 0), s.stop + 1) for s in ndimage.find_objects(tissue.white.astype(np.int8))[0]
    )
    edge = np.asarray(voxel_mm, np.float64)
    white, lesion = tissue.white[margin] & ~lesion_mask[margin], lesion_mask[margin]
    deep = white if erode_mm <= 0 else _farther(~tissue.white[margin], edge, erode_mm)
    nawm[margin] = white & deep & _farther(lesion, edge, clear_mm)
    return nawm


def tissue_values(mtr: FloatArray, masks: Mapping[str, BoolArray]) -> dict[str, TissueValue]:
    """Mean of a map in each tissue.

    The standard error is that of the measurement, not of the anatomy: the noise of a voxel is taken from
    voxels two apart, which interpolation leaves independent; what neighbours share (interpolation, smoothing)
    widens it; differences between distant regions do not enter.

    Parameters
    ----------
    mtr
        (x, y, z), NaN where undefined.
    masks
        Name to (x, y, z) bool.

    Returns
    -------
    dict
        Name to TissueValue; NaN for an empty tissue.

    Examples
    --------
    >>> noise = np.random.default_rng(1).normal(40, 2, (30, 30, 30))
    >>> value = tissue_values(noise, {"nawm": np.ones((30, 30, 30), bool)})["nawm"]
    >>> print(f"{value.mean:.2f}, se {value.se:.3f} of {2 / 30**1.5:.3f}, {value.n_voxels} voxels")
    39.98, se 0.012 of 0.012, 27000 voxels
    """
    return {name: _value(np.where(mask, mtr, np.nan)) for name, mask in masks.items()}


def check_tissue(values: Mapping[str, TissueValue], *, file: str = "") -> list[Flag]:
    """Does the segmentation agree with the MTR: white matter above grey matter above CSF?

    Parameters
    ----------
    values
        Of `tissue_values`, under the names ``"wm"``, ``"gm"`` and ``"csf"`` (those that there are).
    file
        Name of the segmentation for messages.

    Returns
    -------
    list of Flag
        Of quality ``"fail"`` where the order is wrong.
    """
    order = [(name, values[name].mean) for name in ("wm", "gm", "csf") if name in values]
    known = [(name, mean) for name, mean in order if np.isfinite(mean)]
    if all(high[1] > low[1] for high, low in pairwise(known)):
        return []
    found = ", ".join(f"{name} {mean:.1f} pu" for name, mean in known)
    fix = "check which number is which tissue (dseg.tsv), and that it lies on the MT-off image"
    return [Flag(file, "MTR of the tissue classes", found, "wm above gm above csf", fix, quality="fail")]


def _grey_fraction(labels: NDArray[np.integer], tissue: Tissue, n_lesions: int) -> FloatArray:
    either = tissue.grey | tissue.white
    return _mean_by_label(tissue.grey.astype(np.float64), np.where(either, labels, 0), n_lesions)


def _mean_by_label(values: FloatArray, labels: NDArray[np.integer], n_lesions: int) -> FloatArray:
    inside = labels > 0
    counts = np.bincount(labels[inside], minlength=n_lesions + 1)[1:]
    sums = np.bincount(labels[inside], values[inside], minlength=n_lesions + 1)[1:]
    return np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)


def _farther(target: BoolArray, edge: FloatArray, distance_mm: float) -> BoolArray:
    from scipy import ndimage

    if not target.any():
        return np.ones(target.shape, bool)
    far: BoolArray = ndimage.distance_transform_edt(~target, sampling=edge) > distance_mm + 1e-9
    return far


def _value(image: FloatArray) -> TissueValue:
    known = np.isfinite(image)
    n = int(known.sum())
    if n == 0:
        return TissueValue(np.nan, np.nan, np.nan, 0)
    near, far = (np.array([_mean_square_step(image, axis, lag) for axis in range(3)]) for lag in (1, 2))
    steps = np.isfinite(near) & (far > 0)
    shared = np.clip(1 - near[steps] / far[steps], 0, 1)
    variance = (
        np.prod(1 + 2 * shared) * far[np.isfinite(far)].mean() / 2 if np.isfinite(far).any() else np.nan
    )
    return TissueValue(float(image[known].mean()), float(np.sqrt(variance / n)), float(image[known].std()), n)


def _mean_square_step(image: FloatArray, axis: int, lag: int) -> float:
    along = np.moveaxis(image, axis, 0)
    steps = along[lag:] - along[:-lag]
    squares = steps[np.isfinite(steps)] ** 2
    return float(squares.mean()) if squares.size else np.nan
