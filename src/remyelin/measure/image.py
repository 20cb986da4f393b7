"""A volume: voxels in canonical order with the affine that places them in the scanner."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.floating]


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
