"""A virtual head: the template, deformed smoothly into one person's."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .template import Template, template
from .waves import FloatArray, Waves

# How heads differ: settings of a phantom, not evidence about people.
SIZE_SD, SHAPE_SD = 0.03, 0.015  # of the whole, and of each axis
WARP_MM, WARP_WAVES = 1.5, (60.0, 140.0)  # SD of the displacement along an axis, and its wavelengths in mm
WHITE_SD, WHITE_WAVES = 0.025, (32.0, 90.0)  # relative variation of myelin in white matter
GRID_MM = 8.0
_SOLVE = 24  # fixed-point steps; each takes the error to a half or less


@dataclass(frozen=True, slots=True)
class Head:
    """The anatomy of one virtual participant. Points of the head are in mm from the middle of the brain.

    Parameters
    ----------
    template
        The tissue maps that it is made from.
    warp
        (x, y, z, 4) float32 on a grid of `GRID_MM` around the middle: what is added to a point of the head to
        find its point in the template, in mm, and the relative variation of myelin in white matter.
    scale
        Mean size against the template.
    """

    template: Template
    warp: NDArray[np.float32]
    scale: float = 1.0

    @classmethod
    def draw(cls, rng: np.random.Generator, *, variation: float = 1.0, scale: float = 1.0) -> Head:
        """A random head.

        Parameters
        ----------
        rng
            Source of randomness.
        variation
            0 is the template itself, 1 people as they differ.
        scale
            Mean size against the template, 0.5 to 1.2.

        Examples
        --------
        >>> head = Head.draw(np.random.default_rng(1))
        >>> there = head.to_template(np.array([[20.0, 0.0, 14.0]]))
        >>> bool(np.linalg.norm(there - [20.0, 0.0, 14.0]) < 10)
        True
        """
        brain = template()
        reach = max(scale, 1) * np.array(brain.tissue.shape[:3]) / 2 + 2 * GRID_MM
        nodes = [GRID_MM * np.arange(-np.ceil(r / GRID_MM), np.ceil(r / GRID_MM) + 1) for r in reach]
        points = np.stack(np.meshgrid(*nodes, indexing="ij"), -1)
        size = scale * np.exp(variation * (rng.normal(0, SIZE_SD) + rng.normal(0, SHAPE_SD, 3)))
        warp = np.empty((*points.shape[:3], 4), np.float32)
        for axis in range(3):
            waves = Waves.draw(rng, 12, *WARP_WAVES)
            warp[..., axis] = points[..., axis] * (1 / size[axis] - 1) + variation * WARP_MM * waves(
                points / scale
            )
        warp[..., 3] = variation * WHITE_SD * Waves.draw(rng, 12, *WHITE_WAVES)(points)
        return cls(brain, warp, scale)

    def to_template(self, points_mm: FloatArray) -> FloatArray:
        """Points of the head (n, 3) in the template, mm from its middle."""
        return np.asarray(points_mm + self._warp_at(points_mm)[:, :3])

    def from_template(self, points_mm: FloatArray) -> FloatArray:
        """Points of the template (n, 3), mm from its middle, in the head."""
        found = self.scale * np.asarray(points_mm, float)
        for _ in range(_SOLVE):
            found = found + self.scale * (points_mm - self.to_template(found))
        return found

    def tissue_at(self, points_mm: FloatArray) -> FloatArray:
        """Fractions of white matter, grey matter, fluid and scalp at points of the head (n, 3): (n, 4)."""
        from scipy import ndimage

        index = (self.to_template(points_mm) - self.template.origin_mm).T
        maps = np.moveaxis(self.template.tissue, -1, 0)
        return np.stack([ndimage.map_coordinates(m, index, np.float64, order=1) for m in maps], -1) / 255

    def _warp_at(self, points_mm: FloatArray) -> FloatArray:
        from scipy import ndimage

        half = (np.array(self.warp.shape[:3]) - 1) / 2
        index = (np.asarray(points_mm) / GRID_MM + half).T
        return np.stack(
            [ndimage.map_coordinates(self.warp[..., k], index, order=1, mode="nearest") for k in range(4)], -1
        )
