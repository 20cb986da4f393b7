"""What a smooth weight takes from beside a lesion, and the mean of the lesion's own voxels without it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Literal

import numpy as np
from scipy import ndimage

from .image import FloatArray, MTPair, Volume
from .shape import drawn, filled, true_shape
from .weights import SoftMask, Sums, gather, spline_matrix

if TYPE_CHECKING:
    from .poses import Poses


Interpolation = Literal["none", "halfway"]
# Blur of the drawn border in voxels: so much leaves the least change in balls of known shape that have none.
BORDER = 0.75


@dataclass(frozen=True)
class Spills:
    """Takes the surroundings out of the weighted means of n lesions.

    With a(w) the part of a lesion's weight that lies on its own voxels, and a(u) that of the weight of the
    ring of voxels around it, a lesion of one value L in surroundings of another B has the weighted means

        m(w) = a(w) L + (1 - a(w)) B,   m(u) = a(u) L + (1 - a(u)) B,

    so L = m(w) + g (m(w) - m(u)) with g = (1 - a(w)) / (a(w) - a(u)). `g` holds where a voxel lies wholly in
    the lesion or wholly beside it, on the home grid. How much more or less the weight takes from beside the
    lesion in another image, whose voxels lie between those of the home grid, is computed from the lesion's
    drawn shape, and g is changed by as much: all images are diluted alike, which an unchanged lesion needs.

    Parameters
    ----------
    pairs, poses, masks, interpolation, degree
        What the lesions are measured in, and how.
    g
        (n,) see above; 0 for the plain mask.
    noise
        (n,) variance of L per variance of m(w).
    contents
        Of `filled`, each lesion's.
    """

    pairs: Sequence[MTPair]
    poses: Poses
    masks: Sequence[SoftMask]
    interpolation: Interpolation
    degree: int
    g: FloatArray
    noise: FloatArray
    contents: Sequence[FloatArray]

    @classmethod
    def of(
        cls,
        pairs: Sequence[MTPair],
        poses: Poses,
        masks: Sequence[SoftMask],
        interpolation: Interpolation,
        degree: int,
    ) -> Spills:
        """The spills of these lesions when measured so."""
        own = np.array([spill(mask, degree) for mask in masks]).reshape(-1, 2)
        contents = [filled(true_shape(mask), BORDER) for mask in masks] if degree else []
        return cls(pairs, poses, masks, interpolation, degree, own[:, 0], own[:, 1], contents)

    def level(self, image: Volume, pose: FloatArray) -> tuple[FloatArray, Sums]:
        """Means of an image over the voxels of the lesions.

        Parameters
        ----------
        image
            A native image.
        pose
            (4, 4) halfway world to its world.

        Returns
        -------
        (n, 5) for the mask, the mask grown and shrunk by half a voxel, and its halves a and b; and the sums.
        """
        sums = self._sums(image, pose)
        if self.degree == 0:
            return sums.mean, sums
        g, ring = self._factor(image, pose)[:, None], sums.ring[:, [0, 0, 0, 1, 2]]
        beside = np.where(np.isfinite(ring), ring, sums.mean)
        return sums.mean + g * (sums.mean - beside), sums

    def slope(self, sums: Sums) -> FloatArray:
        """(n, 3) change of the level when the lesion moves by one home voxel along each home axis."""
        ring = np.where(np.isfinite(sums.ring_slope), sums.ring_slope, sums.slope)
        return np.asarray(sums.slope + self.g[:, None] * (sums.slope - ring))

    @cached_property
    def home(self) -> tuple[FloatArray, FloatArray]:
        """(n,) part of the weight, and of the ring's weight, on the drawn lesion in its home image."""
        found = np.full((2, len(self.masks)), np.nan)
        for v in sorted({mask.home for mask in self.masks}):
            here = np.array([mask.home == v for mask in self.masks])
            shares = self._shares(self.pairs[v].off, self.poses.off[v])
            found[:, here] = np.array(shares)[:, here]
        return found[0], found[1]

    def _factor(self, image: Volume, pose: FloatArray) -> FloatArray:
        """(n,) g of an image, such that it is diluted as the home image is."""
        own, ring = self._shares(image, pose)
        wanted = self.home[0] + self.g * (self.home[0] - self.home[1])
        return np.where(self.g > 0, (wanted - own) / (own - ring), 0.0)

    def _sums(self, image: Volume, pose: FloatArray) -> Sums:
        if self.interpolation == "halfway":
            image, pose = halfway(image, pose, self.pairs[0].off), np.eye(4)
        return lay(image, pose, self.pairs, self.poses, self.masks, self.degree)

    def _shares(self, image: Volume, pose: FloatArray) -> tuple[FloatArray, FloatArray]:
        """(n,) part of the weight, and of the ring's weight, on the drawn lesion in an image; each alone."""
        if self.interpolation == "halfway":
            image, pose = self.pairs[0].off, np.eye(4)
        to_home = homeward(image, pose, self.pairs, self.poses, self.masks)
        empty = np.zeros(image.data.shape, np.float32)
        found = np.full((2, len(self.masks)), np.nan)
        for k, (mask, content, to) in enumerate(zip(self.masks, self.contents, to_home, strict=True)):
            with drawn(empty, to, mask, content) as alone:
                sums = gather(alone, [to], [mask], self.degree)
                found[:, k] = sums.mean[0, 0], sums.ring[0, 0]
        return found[0], found[1]


def spill(mask: SoftMask, degree: int) -> tuple[float, float]:
    """`g` and `noise` of one lesion (see `Spills`), from its own voxels.

    Examples
    --------
    >>> cube = np.pad(np.ones((4, 4, 4)), 1)
    >>> spill(SoftMask(0, np.zeros(3, int), np.stack([cube, cube, cube])), 0)
    (0.0, 1.0)
    """
    margin = degree // 2 + 1
    own = np.pad(mask.edges[0], margin)
    ring = np.pad(2 * (mask.edges[1] - mask.edges[0]), margin)
    # Samples of the central B-spline at whole numbers: the weight at voxel centres.
    kernel = spline_matrix(np.arange(-margin, margin + 1.0), 1, degree)[:, 0]
    w, u = (_blurred(part, kernel) for part in (own, ring))
    if not u.any():
        return 0.0, 1.0
    a_w, a_u = float((w * own).sum() / w.sum()), float((u * own).sum() / u.sum())
    g = (1 - a_w) / (a_w - a_u)
    combined = (1 + g) * w / w.sum() - g * u / u.sum()
    return g, float((combined**2).sum() / (w**2).sum() * w.sum() ** 2)


def _blurred(part: FloatArray, kernel: FloatArray) -> FloatArray:
    for axis in range(3):
        part = ndimage.convolve1d(part, kernel, axis=axis, mode="constant")
    return part


def lay(
    image: Volume,
    pose: FloatArray,
    pairs: Sequence[MTPair],
    poses: Poses,
    masks: Sequence[SoftMask],
    degree: int,
) -> Sums:
    """Lay all lesions over one image; `pose` (4, 4) halfway world to the world of the image."""
    voxels = np.ascontiguousarray(image.data, np.float32)
    return gather(voxels, homeward(image, pose, pairs, poses, masks), masks, degree)


def homeward(
    image: Volume, pose: FloatArray, pairs: Sequence[MTPair], poses: Poses, masks: Sequence[SoftMask]
) -> list[FloatArray]:
    """For each lesion, (4, 4) voxel index of an image to voxel index of the lesion's home grid."""
    to_halfway = np.linalg.inv(pose) @ image.affine
    home = {
        v: np.linalg.inv(pairs[v].off.affine) @ poses.off[v] @ to_halfway for v in {m.home for m in masks}
    }
    return [home[mask.home] for mask in masks]


def halfway(image: Volume, pose: FloatArray, grid: Volume) -> Volume:
    """The image interpolated linearly, once, onto a grid in halfway space; NaN outside its field of view."""
    to_image = np.linalg.inv(image.affine) @ pose @ grid.affine
    data = ndimage.affine_transform(
        np.asarray(image.data, np.float32), to_image, output_shape=grid.data.shape, order=1, cval=np.nan
    )
    return Volume(data, grid.affine, image.file)
