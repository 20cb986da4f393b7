"""A volume: voxels in canonical order with the affine that places them in the scanner."""

from __future__ import annotations

import gzip
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np
from numpy.typing import DTypeLike, NDArray

from remyelin.errors import Flag, InputError
from remyelin.files import atomic_write

from .nifti import Nifti, canonical, displacement_voxels, read_nifti

FloatArray = NDArray[np.floating]
Mask = NDArray[np.bool_]

# Interpolation overshoots next to an edge by less than a fifth of it (cubic spline 0.13, Lanczos 0.07);
# a number that wrapped around lands far below.
_NEGATIVE_FRACTION_OF_TOP = 0.25
_MIN_WRAPPED = 10
# A mask drawn on the MT-off grid repeats its affine to rounding.
_SAME_GRID_VOXELS = 0.1


@dataclass(frozen=True, slots=True)
class Volume:
    """A 3-D image.

    Parameters
    ----------
    data
        Voxels (x, y, z), float32, x to the right, y to the front, z up (closest canonical order).
    affine
        (4, 4) voxel index to world mm, RAS.
    file
        Path relative to the dataset, for messages; empty for an image made in memory.
    """

    data: FloatArray
    affine: FloatArray
    file: str = ""

    @property
    def voxel_mm(self) -> FloatArray:
        """(3,) edge lengths of a voxel in mm."""
        return np.asarray(np.sqrt((self.affine[:3, :3] ** 2).sum(0)))

    @property
    def voxel_mm3(self) -> float:
        """Volume of a voxel in mm3."""
        return float(abs(np.linalg.det(self.affine[:3, :3])))


@dataclass(frozen=True, slots=True)
class MTPair:
    """The MT-off and MT-on images of one visit, with the head (or brain) mask on the MT-off grid."""

    visit: str
    off: Volume
    on: Volume
    brain: NDArray[np.bool_]


def read_volume(path: Path, root: Path | None) -> tuple[Volume, list[Flag]]:
    """Read a 3-D image into canonical order (right, front, up).

    Parameters
    ----------
    path
        `.nii` or `.nii.gz`.
    root
        The dataset: links may not lead out of it, messages name files relative to it. None for a file that
        the user named himself.

    Returns
    -------
    The volume (float32; voxels that are not finite are NaN) and the flags it must carry: not-a-number
    voxels, unit, scaling, orientation, traces of identity.

    Raises
    ------
    InputError
        If the file, its header or its voxels cannot be what they should: see `read_nifti`; also an image
        whose magnitude wrapped around to negative numbers, or with the same value in every voxel.
    """
    nifti = canonical(read_nifti(path, root))
    _check_wraparound(nifti)
    data, flags = _finite(nifti)
    if not np.nanmax(data) > np.nanmin(data):
        value = float(np.nanmax(data))
        found = "zero in every voxel (no signal)" if value == 0 else f"constant ({value:g} in every voxel)"
        raise InputError(nifti.file, "voxels", found, "an image", "export the series again")
    return Volume(data, nifti.affine, nifti.file), flags


def write_volume(volume: Volume, path: Path, *, dtype: DTypeLike = np.float32, level: int = 6) -> None:
    """Write a volume as NIfTI-1, whole or not at all; the same volume always gives the same bytes.

    Parameters
    ----------
    path
        Ends in `.nii.gz` or `.nii`.
    dtype
        Type of the stored numbers, which are written without scaling.
    level
        Of gzip, 1 (fast) to 9.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder) / "map.nii.gz"
    ...     write_volume(Volume(np.arange(8.0).reshape(2, 2, 2), np.eye(4)), path)
    ...     volume, flags = read_volume(path, None)
    >>> float(volume.data[1, 1, 1]), flags
    (7.0, [])
    """
    import nibabel as nib

    header = nib.Nifti1Header()
    header.set_data_dtype(np.dtype(dtype))
    image = nib.Nifti1Image(np.asarray(volume.data).astype(dtype), volume.affine, header)
    image.set_qform(volume.affine, 1)
    image.set_sform(volume.affine, 1)
    # A quaternion cannot hold shear. Where it would say something else than the sform, it says nothing.
    if displacement_voxels(volume.affine, image.get_qform(), volume.data.shape) > _SAME_GRID_VOXELS:
        image.set_qform(None, 0)
    image.header.set_xyzt_units("mm", "sec")
    raw = image.to_bytes()
    atomic_write(path, _gzip(raw, level) if path.name.endswith(".gz") else raw)


def read_mask(path: Path, root: Path | None, grid: Volume) -> tuple[Mask, list[Flag]]:
    """Read a binary mask that lies on the grid of an image.

    Parameters
    ----------
    grid
        The image that the mask was drawn on (MT-off).

    Returns
    -------
    (x, y, z) bool on the grid, and flags (an empty mask is one).

    Raises
    ------
    InputError
        As `read_nifti`; another grid; values other than 0 and one more (probabilities, labels), for any
        threshold would be an assumption.
    """
    nifti = canonical(read_nifti(path, root))
    _check_grid(nifti, grid)
    values = np.unique(nifti.data)
    inside = values[values != 0]
    if len(inside) > 1 or not np.isfinite(values).all():
        whole = bool((inside == np.round(inside)).all())
        found = "labels" if whole else "probabilities"
        found = f"{len(values)} different values ({found}, {values.min():g} to {values.max():g})"
        fix = "threshold the mask and write 0 and 1; state the threshold in the protocol"
        raise InputError(nifti.file, "mask", found, "a binary mask", fix)
    mask = nifti.data != 0
    flags = list(nifti.flags)
    if not mask.any():
        fix = "confirm that there is no lesion, or draw the mask again"
        flags.append(Flag(nifti.file, "mask", "empty (0 voxels)", "at least one voxel", fix))
    return mask, flags


def read_labels(path: Path, root: Path | None, grid: Volume) -> tuple[NDArray[np.int32], list[Flag]]:
    """Read an image of whole-number labels (a segmentation) that lies on the grid of an image.

    Raises
    ------
    InputError
        As `read_nifti`; another grid; numbers that are not whole.
    """
    nifti = canonical(read_nifti(path, root))
    _check_grid(nifti, grid)
    labels = np.where(np.isfinite(nifti.data), np.clip(nifti.data, -1, 2**24), -1).astype(np.int32)
    if (labels != nifti.data).any():
        fix = "write the segmentation as one whole number for each tissue"
        raise InputError(nifti.file, "labels", "not whole numbers", "whole numbers from 0", fix)
    return labels, list(nifti.flags)


def _check_grid(nifti: Nifti, grid: Volume) -> None:
    fix = "resample it to the MT-off grid (nearest neighbour)"
    if nifti.data.shape != grid.data.shape:
        found, expected = ("x".join(map(str, shape)) for shape in (nifti.data.shape, grid.data.shape))
        raise InputError(nifti.file, "shape", found, f"{expected}, the grid of {grid.file}", fix)
    gap = displacement_voxels(nifti.affine, grid.affine, grid.data.shape)
    if gap > _SAME_GRID_VOXELS:
        found = f"another grid, {gap:.1f} voxels away"
        raise InputError(nifti.file, "affine", found, f"the grid of {grid.file}", fix)


def _check_wraparound(nifti: Nifti) -> None:
    finite = nifti.data[np.isfinite(nifti.data)]
    if not finite.size or finite.min() >= 0:
        return
    top = float(np.quantile(np.abs(finite), 0.99))
    wrapped = int((finite < -_NEGATIVE_FRACTION_OF_TOP * top).sum())
    if top > 0 and wrapped >= _MIN_WRAPPED:
        found = f"negative in {wrapped} voxels (down to {finite.min():g}), as after integer overflow"
        fix = "export the image again as unsigned 16 bit or floating point"
        raise InputError(nifti.file, "range of voxels", found, "a magnitude, never negative", fix)


def _finite(nifti: Nifti) -> tuple[FloatArray, list[Flag]]:
    bad = ~np.isfinite(nifti.data)
    n_bad = int(bad.sum())
    if not n_bad:
        return nifti.data, list(nifti.flags)
    if n_bad == bad.size:
        raise InputError(nifti.file, "voxels", "all NaN or inf", "numbers", "reconstruct the image again")
    fix = "mask or reconstruct the image again; these voxels were left out"
    flag = Flag(nifti.file, "voxels", f"NaN or inf in {n_bad} of {bad.size}", "finite numbers", fix)
    return np.where(bad, np.float32(np.nan), nifti.data), [*nifti.flags, flag]


def _gzip(raw: bytes, level: int) -> bytes:
    packed = BytesIO()
    with gzip.GzipFile(filename="", mode="wb", fileobj=packed, compresslevel=level, mtime=0) as stream:
        stream.write(raw)
    return packed.getvalue()
