"""One side of a registration: an image at the resolutions that the search passes through."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from remyelin.errors import InputError
from remyelin.measure.capture import Coarse, coarse
from remyelin.measure.image import Volume
from remyelin.measure.level import Level, level
from remyelin.measure.mask import Mask, grown, head_mask

# Margin kept from the edge of a mask: the ring where skull and fluid move against the brain, and where a
# third tissue (air) would join the two that one block can model.
_INSET_MM = 2.0
_INSET_KEEPS = 0.4
_OUTSET_MM = 4.0
# Between the coarse grid and full resolution; an image finer than 1 mm gets a finer step.
_MIDDLE_MM = 2.5
_MIDDLE_VOXELS = 2.5


class Side:
    """One image made ready for registration in either role; what costs time is made once, when asked for.

    Parameters
    ----------
    volume
        The image; not finite where undefined.
    mask
        (x, y, z) bool, brain or head; `head_mask` if None.

    Raises
    ------
    InputError
        If the image has no signal to register.
    """

    def __init__(self, volume: Volume, mask: Mask | None = None) -> None:
        self.volume = volume
        self.mask = head_mask(volume) if mask is None else mask
        defined = np.isfinite(volume.data)
        seen = volume.data[self.mask & defined]
        if seen.size == 0:
            raise InputError(
                volume.file, "brain mask", "empty", "the brain", "draw it on the grid of the image"
            )
        if float(np.ptp(seen)) == 0.0:
            raise InputError(
                volume.file,
                "signal",
                "the same in every voxel of the mask",
                "contrast",
                "export the image again",
            )

    @cached_property
    def core(self) -> Level:
        """Full resolution, inside the mask: brain tissue only."""
        inset = grown(self.mask, -_INSET_MM, self.volume.affine)
        thin = inset.sum() < _INSET_KEEPS * self.mask.sum()
        return level(self.volume, self.mask if thin else inset)

    @cached_property
    def outline(self) -> Level:
        """Full resolution, with the edge of the mask and what lies just outside."""
        return level(self.volume, grown(self.mask, _OUTSET_MM, self.volume.affine))

    @cached_property
    def middle(self) -> Level:
        """Lower resolution, for the way from the coarse pose to the fine one."""
        spacing = min(_MIDDLE_MM, _MIDDLE_VOXELS * float(self.volume.voxel_mm.min()))
        return level(self.volume, grown(self.mask, _OUTSET_MM, self.volume.affine), spacing)

    @cached_property
    def coarse(self) -> Coarse:
        """A few thousand voxels, for the search from far away."""
        return coarse(self.volume, self.mask)
