"""The brain that all virtual heads are made from: tissue maps of the MNI template, as nilearn ships them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from remyelin.errors import RefuseRun

# Channels of `Template.tissue`.
WHITE, GREY, FLUID, SCALP = range(4)
_FILE = "mni_icbm152_{}_tal_nlin_sym_09a_converted.nii.gz"
_BLOCK = 8  # voxels that the loops pass over at once where there is only air
_MARGIN = 17  # voxels around the brain that hold skull and scalp
_STEP = 3  # voxels of the grid on which distances are found
_VENTRICLE_MM = 22.0  # fluid deeper than this below the surface of the brain is a ventricle
_SKULL_MM, _SCALP_MM, _AIR_MM = 3.0, 8.0, 13.0  # where each begins, from the surface of the brain


@dataclass(frozen=True, slots=True)
class Template:
    """Fractions of tissue, 1 mm.

    Parameters
    ----------
    tissue
        (x, y, z, 4) uint8: white matter, grey matter, fluid, scalp, 255 is a whole voxel. What is left is
        without signal (skull, air).
    brain
        (x, y, z) bool the brain with the fluid in it.
    near
        (x, y, z) bool whether anything but air is within a voxel of a block of 8 voxels.
    origin_mm
        (3,) where voxel 0 lies, in mm from the middle of the brain: right, front, up.
    depth_mm
        (x, y, z) float32 distance to the outside of the brain, negative outside, on every third voxel.
    """

    tissue: NDArray[np.uint8]
    brain: NDArray[np.bool_]
    near: NDArray[np.bool_]
    origin_mm: NDArray[np.float64]
    depth_mm: NDArray[np.float32]

    def depth_at(self, index: NDArray[np.integer]) -> NDArray[np.float32]:
        """Depth below the surface of the brain of voxels (n, 3), mm."""
        coarse = np.minimum(np.rint(index / _STEP).astype(np.intp), np.array(self.depth_mm.shape) - 1)
        return np.asarray(self.depth_mm[tuple(coarse.T)])


@cache
def template() -> Template:
    """Read the template, once a process. Treat it as read-only.

    Returns
    -------
    Template

    Raises
    ------
    RefuseRun
        nilearn is not installed or does not hold the maps.

    Notes
    -----
    ICBM 152 nonlinear symmetric 2009a (Fonov et al. 2011, doi:10.1016/j.neuroimage.2010.07.033). Fluid is
    what is left of the brain beside white and grey matter. The template has no skull: skull and scalp are
    shells around the brain.

    Examples
    --------
    >>> brain = template()
    >>> round(float(brain.tissue[..., WHITE].sum()) / 255e3)  # ml
    670
    """
    white, grey, brain = (_read(name) for name in ("wm", "gm", "t1"))
    inside = (brain > 0) | (white > 127) | (grey > 127)
    box = tuple(
        slice(
            max(int(np.flatnonzero(inside.any(other))[0]) - _MARGIN, 0),
            int(np.flatnonzero(inside.any(other))[-1]) + _MARGIN + 1,
        )
        for other in ((1, 2), (0, 2), (0, 1))
    )
    inside, white, grey = inside[box], white[box], grey[box]
    depth = _depth(inside)
    fluid = np.where(inside, 255 - np.minimum(white.astype(np.int16) + grey, 255), 0)
    outside = -_upsampled(depth, inside.shape)
    between = ~inside & (outside < _SKULL_MM)
    scalp = np.clip(np.minimum(outside - _SCALP_MM, _AIR_MM - outside) + 0.5, 0, 1) * ~inside
    tissue = np.stack([white * inside, grey * inside, np.where(between, 255, fluid), 255 * scalp], -1)
    middle = (np.array(inside.shape) - 1) / 2
    return Template(
        np.ascontiguousarray(tissue.astype(np.uint8)),
        np.ascontiguousarray(inside),
        _near(outside),
        -middle,
        depth,
    )


def _near(outside: NDArray[np.float32]) -> NDArray[np.bool_]:
    shape = [-(-n // _BLOCK) for n in outside.shape]
    padded = np.pad(
        outside < _AIR_MM + 3, [(0, _BLOCK * n - m) for n, m in zip(shape, outside.shape, strict=True)]
    )
    return np.asarray(padded.reshape(shape[0], _BLOCK, shape[1], _BLOCK, shape[2], _BLOCK).any((1, 3, 5)))


@dataclass(frozen=True, slots=True)
class Sites:
    """Where a lesion of the white matter may have its centre.

    `points_mm` (n, 3) from the middle of the brain; `ventricle_mm` (n,) to the nearest ventricle; `depth_mm`
    (n,) below the surface of the brain.
    """

    points_mm: NDArray[np.float64]
    ventricle_mm: NDArray[np.float64]
    depth_mm: NDArray[np.float32]


@cache
def white_sites() -> Sites:
    """Every second voxel of the template's white matter, once a process. Treat it as read-only.

    Examples
    --------
    >>> sites = white_sites()
    >>> bool(sites.ventricle_mm.min() > 1), len(sites.points_mm)
    (True, 51078)
    """
    from scipy.spatial import cKDTree

    maps = template()
    coarse = maps.tissue[::2, ::2, ::2]
    index = 2 * np.argwhere(coarse[..., WHITE] > 200)
    fluid = 2 * np.argwhere(coarse[..., FLUID] > 200)
    ventricles = fluid[maps.depth_at(fluid) > _VENTRICLE_MM] + maps.origin_mm
    points = index + maps.origin_mm
    return Sites(points, np.asarray(cKDTree(ventricles).query(points)[0]), maps.depth_at(index))


def _read(name: str) -> NDArray[np.uint8]:
    import nibabel as nib

    found = find_spec("nilearn")
    folder = Path(found.origin).parent / "datasets" / "data" if found and found.origin else Path()
    path = folder / _FILE.format(name)
    if not path.is_file():
        raise RefuseRun(
            "nilearn", "tissue maps of the MNI template", "not there", "nilearn, which ships them",
            "pip install nilearn",
        )  # fmt: skip
    return np.asarray(nib.load(path).dataobj, dtype=np.uint8)


def _depth(inside: NDArray[np.bool_]) -> NDArray[np.float32]:
    from scipy import ndimage

    coarse = inside[::_STEP, ::_STEP, ::_STEP]
    depth = ndimage.distance_transform_edt(coarse) - ndimage.distance_transform_edt(~coarse)
    return np.asarray(_STEP * (depth - np.sign(depth) / 2), dtype=np.float32)


def _upsampled(coarse: NDArray[np.float32], shape: tuple[int, ...]) -> NDArray[np.float32]:
    out = coarse
    for axis, n in enumerate(shape):
        place = np.minimum(np.arange(n) / _STEP, out.shape[axis] - 1)
        low = np.minimum(place.astype(np.intp), out.shape[axis] - 2)
        part = (place - low).astype(np.float32).reshape([-1 if a == axis else 1 for a in range(3)])
        out = (1 - part) * out.take(low, axis) + part * out.take(low + 1, axis)
    return out
