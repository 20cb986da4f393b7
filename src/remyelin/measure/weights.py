"""A lesion as a weight, smooth in space: it can be laid over any image without interpolating the image."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy import ndimage

from remyelin.measure.image import FloatArray

if TYPE_CHECKING:
    from remyelin.measure.lesions import Lesions

BLOCK = 3  # voxels along the edge of a field of the chessboard that splits a lesion in halves


@dataclass(frozen=True, slots=True)
class SoftMask:
    """One lesion on its home grid.

    Parameters
    ----------
    home
        Index of the visit on whose MT-off grid the lesion is defined.
    origin
        (3,) home voxel of ``edges[:, 0, 0, 0]``.
    edges
        (3, x, y, z): the mask; the mask grown, and shrunk, by half a voxel (the mean of the mask and of its
        dilation, or erosion).
    """

    home: int
    origin: NDArray[np.int64]
    edges: FloatArray

    @property
    def voxels(self) -> float:
        """Number of voxels of the mask."""
        return float(self.edges[0].sum())

    @property
    def centre(self) -> FloatArray:
        """(3,) centre of mass in home voxels."""
        return np.asarray(self.origin + ndimage.center_of_mass(self.edges[0]), float)


@dataclass(frozen=True, slots=True)
class Sums:
    """What the weights w of n lesions gather from one image with voxels v.

    Parameters
    ----------
    w, wv
        (n, 13) sums of w and of w v for: 0 the mask; 1 grown, 2 shrunk by half a voxel; 3, 4 halves a and b
        of the mask; 5, 6 the same halves of grown; 7 to 9 and 10 to 12 derivatives of the weights of the mask
        and of grown along the home axes, per home voxel.
    ww
        (n,) sums of squares of the mask's weight.
    """

    w: FloatArray
    wv: FloatArray
    ww: FloatArray

    @property
    def mean(self) -> FloatArray:
        """(n, 5) weighted means of the image: mask, grown, shrunk, half a, half b; NaN without weight."""
        return _over(self.wv[:, :5], self.w[:, :5])

    @property
    def ring(self) -> FloatArray:
        """(n, 3) means of the ring of voxels around the mask: all, halves a and b; NaN without weight."""
        w, wv = (2 * (s[:, [1, 5, 6]] - s[:, [0, 3, 4]]) for s in (self.w, self.wv))
        return _over(wv, w)

    @property
    def slope(self) -> FloatArray:
        """(n, 3) change of the mask's mean when the lesion moves by one home voxel along each home axis."""
        return _over(self.mean[:, :1] * self.w[:, 7:10] - self.wv[:, 7:10], self.w[:, :1])

    @property
    def ring_slope(self) -> FloatArray:
        """(n, 3) the same for the ring's mean."""
        w, wv = (s[:, 10:] - s[:, 7:10] for s in (self.w, self.wv))
        return _over(self.ring[:, :1] * w - wv, self.w[:, 1:2] - self.w[:, :1])

    @property
    def noise_gain(self) -> FloatArray:
        """(n,) variance of the mean per variance of a voxel, noise being independent between voxels."""
        return _over(self.ww, self.w[:, 0] ** 2)


def _over(part: FloatArray, whole: FloatArray) -> FloatArray:
    return np.asarray(np.divide(part, whole, out=np.full(part.shape, np.nan), where=np.asarray(whole > 0)))


def soft_masks(lesions: Lesions) -> tuple[SoftMask, ...]:
    """The soft mask of every lesion, in order.

    The weight of a lesion at home voxel position x is ``sum_i m_i B(x - i)`` over the voxels i of its mask,
    B being the product of three B-splines of one degree. It is the mask blurred about as much as the true
    edge is blurred by partial volume and by cutting the mask at voxels, which makes it nearly the matched
    filter for a change that fills the lesion. Shifted splines of degree d sum up polynomials up to degree d
    exactly [1]_, so the weighted sum hardly depends on how a voxel grid happens to lie over the lesion.

    Raises
    ------
    ValueError
        A lesion has no voxel at its home visit.

    References
    ----------
    .. [1] Unser M. Splines: a perfect fit for signal and image processing. IEEE Signal Process Mag
       1999;16(6):22-38. doi:10.1109/79.799930
    """
    boxes = {visit: ndimage.find_objects(lesions.labels[visit]) for visit in set(lesions.home)}
    return tuple(_soft_mask(lesions, boxes[home], k) for k, home in enumerate(lesions.home))


def _soft_mask(lesions: Lesions, boxes: Sequence[tuple[slice, ...] | None], k: int) -> SoftMask:
    box = boxes[k] if k < len(boxes) else None
    if box is None:
        raise ValueError(f"lesion {lesions.ids[k]} has no voxel at its home visit")
    mask = np.pad(lesions.labels[lesions.home[k]][box] == k + 1, 1)
    grown = (mask + 1.0 * ndimage.binary_dilation(mask)) / 2
    shrunk = (mask + 1.0 * ndimage.binary_erosion(mask)) / 2
    origin = np.array([s.start - 1 for s in box])
    return SoftMask(lesions.home[k], origin, np.stack([1.0 * mask, grown, shrunk]))


def gather(image: FloatArray, to_home: Sequence[FloatArray], masks: Sequence[SoftMask], degree: int) -> Sums:
    """Lay lesions over an image.

    Parameters
    ----------
    image
        Voxels (x, y, z); voxels that are not finite are left out.
    to_home
        For each lesion, (4, 4) voxel index of the image to voxel index of the lesion's home grid.
    masks
        The lesions.
    degree
        Of the spline; 0 is the hard mask (nearest voxel).

    Examples
    --------
    Voxels of 7 give a mean of 7, on any grid:

    >>> mask = SoftMask(0, np.zeros(3, int), np.ones((3, 4, 4, 4)))
    >>> shifted = np.eye(4)
    >>> shifted[:3, 3] = -4.3, -5.2, -4.9
    >>> sums = gather(np.full((12, 14, 13), 7.0), [shifted], [mask], 3)
    >>> round(float(sums.mean[0, 0]), 9), round(float(sums.w[0, 0]), 9)
    (7.0, 64.0)
    """
    w, wv, ww = np.zeros((len(masks), 13)), np.zeros((len(masks), 13)), np.zeros(len(masks))
    for k, (mask, to) in enumerate(zip(masks, to_home, strict=True)):
        margin = (degree + 1) / 2
        last = mask.origin + np.array(mask.edges.shape[1:]) - 1
        box = reach(image, to, mask.origin - margin, last + margin)
        ww[k] = _gather(image, to[:3], mask.edges, mask.origin, mask.centre, box, degree, w[k], wv[k])
    return Sums(w, wv, ww)


def spline_matrix(points: FloatArray, n: int, degree: int) -> FloatArray:
    """(points, n) values of the B-splines centred on 0 to n - 1."""
    matrix, b, slope = np.zeros((len(points), n)), np.empty(degree + 1), np.empty(degree + 1)
    for row, x in zip(matrix, points, strict=True):
        first = _spline(x, degree, b, slope)
        inside = [j for j in range(degree + 1) if 0 <= first + j < n]
        row[[first + j for j in inside]] = b[inside]
    return matrix


def reach(image: FloatArray, to_box: FloatArray, low: FloatArray, high: FloatArray) -> NDArray[np.int64]:
    """(2, 3) first and past-last voxel of the image that can fall into a box of another grid.

    `to_box` (4, 4) maps voxel indices of the image to those of the grid; `low`, `high` (3,) are the corners.
    """
    corners = np.array([[(low, high)[i >> a & 1][a] for a in range(3)] for i in range(8)])
    back = np.linalg.inv(to_box)
    reached = corners @ back[:3, :3].T + back[:3, 3]
    ends = np.array([np.floor(reached.min(0)), np.ceil(reached.max(0)) + 1])
    return np.asarray(np.clip(ends, 0, image.shape), np.int64)


@njit(cache=True)
def _spline(x, degree, b, db):  # type: ignore[no-untyped-def]
    """B-splines centred on whole numbers: values `b`, slopes `db` (degree + 1,) at x; returns the first."""
    shifted = x + 0.5 * ((degree + 1) % 2)
    first = int(np.floor(shifted))
    t = shifted - first
    b[0] = 1.0
    db[0] = 0.0
    for k in range(1, degree + 1):
        if k == degree:
            db[0] = -b[0]
            for j in range(1, k):
                db[j] = b[j - 1] - b[j]
            db[k] = b[k - 1]
        b[k] = t / k * b[k - 1]
        for j in range(k - 1, 0, -1):
            b[j] = ((t + k - j) * b[j - 1] + (j + 1 - t) * b[j]) / k
        b[0] *= (1 - t) / k
    return first - degree // 2


@njit(cache=True)
def _lay(edges, first, b, db, degree, at):  # type: ignore[no-untyped-def]
    """Weights at one point, `at` (13,) as in `Sums` but for the halves; `b`, `db` (3, degree + 1)."""
    _, nx, ny, nz = edges.shape
    at[:] = 0.0
    for p in range(max(0, -first[0]), min(degree + 1, nx - first[0])):
        for q in range(max(0, -first[1]), min(degree + 1, ny - first[1])):
            for r in range(max(0, -first[2]), min(degree + 1, nz - first[2])):
                grown = edges[1, first[0] + p, first[1] + q, first[2] + r]
                if grown == 0.0:
                    continue
                weight = b[0, p] * b[1, q] * b[2, r]
                at[1] += grown * weight
                along_x = db[0, p] * b[1, q] * b[2, r]
                along_y = b[0, p] * db[1, q] * b[2, r]
                along_z = b[0, p] * b[1, q] * db[2, r]
                at[10] += grown * along_x
                at[11] += grown * along_y
                at[12] += grown * along_z
                inside = edges[0, first[0] + p, first[1] + q, first[2] + r]
                if inside == 0.0:
                    continue
                at[0] += inside * weight
                at[2] += edges[2, first[0] + p, first[1] + q, first[2] + r] * weight
                at[7] += inside * along_x
                at[8] += inside * along_y
                at[9] += inside * along_z


@njit(cache=True)
def _gather(image, m, edges, origin, centre, box, degree, w, wv):  # type: ignore[no-untyped-def]
    """Fill `w`, `wv` (13,) as in `Sums`; returns the sum of squares. `m` (3, 4) image voxel to home voxel."""
    b, db = np.empty((3, degree + 1)), np.empty((3, degree + 1))
    first, at, squares = np.empty(3, np.int64), np.empty(13), 0.0
    for i in range(box[0, 0], box[1, 0]):
        for j in range(box[0, 1], box[1, 1]):
            for k in range(box[0, 2], box[1, 2]):
                if not np.isfinite(image[i, j, k]):
                    continue
                field = 0
                for a in range(3):
                    x = m[a, 0] * i + m[a, 1] * j + m[a, 2] * k + m[a, 3]
                    first[a] = _spline(x - origin[a], degree, b[a], db[a])
                    field += int(np.floor((x - centre[a]) / BLOCK))
                _lay(edges, first, b, db, degree, at)
                at[3 + field % 2] = at[0]
                at[5 + field % 2] = at[1]
                squares += at[0] * at[0]
                for c in range(13):
                    w[c] += at[c]
                    wv[c] += at[c] * image[i, j, k]
    return squares
