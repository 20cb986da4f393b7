"""Rough pose by mutual information on a coarse grid: from anywhere near to within a few mm."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from remyelin.measure.image import Volume
from remyelin.measure.level import scale_of, smoothed
from remyelin.measure.motion import motion

if TYPE_CHECKING:
    import SimpleITK

FloatArray = NDArray[np.floating]
Mask = NDArray[np.bool_]

# Enough voxels along the longest edge to see a head, few enough to cost under a second.
_COARSE_MM = 4.0
_MIN_ACROSS = 24
# Viola-Wells/Mattes: bins so many that tissues part, so few that each holds many samples.
_BINS = 32
_STEPS = 100
# The screen of far starts: points, the part of them that must lie inside, turns (degrees), starts followed.
_SCREEN_POINTS = 3000
_SCREEN_INSIDE = 0.5
_TURNS = (-30.0, -15.0, 0.0, 15.0, 30.0)
_FOLLOWED = 2


@dataclass(frozen=True, slots=True)
class Coarse:
    """An image on an isotropic grid along the world axes, so that its direction is the identity.

    SimpleITK then sees RAS millimetres as physical space; no axis needs to be flipped, and no direction
    matrix with rounding errors or mirrored axes reaches it.
    """

    values: FloatArray
    mask: Mask
    origin_mm: FloatArray
    step_mm: float
    centroid_mm: FloatArray

    @property
    def points_mm(self) -> FloatArray:
        """(n, 3) world points of a regular part of the mask."""
        index = np.argwhere(self.mask)
        return np.asarray(self.origin_mm + self.step_mm * index[:: max(1, len(index) // _SCREEN_POINTS)])

    def at(self, points: FloatArray) -> tuple[FloatArray, Mask]:
        """Values at world points (n, 3), linear, and which of the points lie inside the grid."""
        from scipy import ndimage

        voxel = (points - self.origin_mm) / self.step_mm
        inside = np.asarray(((voxel >= 0) & (voxel <= np.array(self.values.shape) - 1)).all(1))
        return np.asarray(ndimage.map_coordinates(self.values, voxel.T, order=1, mode="nearest")), inside

    def itk(self) -> tuple[SimpleITK.Image, SimpleITK.Image]:
        """The image and its mask for SimpleITK."""
        return self._itk(self.values), self._itk(self.mask.astype(np.uint8))

    def _itk(self, array: FloatArray | NDArray[np.uint8]) -> SimpleITK.Image:
        import SimpleITK as sitk  # noqa: N813

        image = sitk.GetImageFromArray(np.ascontiguousarray(array.transpose(2, 1, 0)))
        image.SetOrigin(self.origin_mm.tolist())
        image.SetSpacing([self.step_mm] * 3)
        return image


def coarse(volume: Volume, mask: Mask) -> Coarse:
    """Sample an image, smoothed, on a coarse isotropic grid around its mask.

    Parameters
    ----------
    volume
        The image.
    mask
        (x, y, z) bool, where it is to be compared.

    Returns
    -------
    Coarse; its spacing is at most 4 mm and gives the longest edge of the mask at least 24 voxels.
    """
    from scipy import ndimage

    corners = _corners_mm(mask, volume.affine)
    low, high = corners.min(0), corners.max(0)
    step = min(_COARSE_MM, float((high - low).max()) / _MIN_ACROSS)
    low, high = low - 4 * step, high + 4 * step
    shape = np.ceil((high - low) / step).astype(int) + 1
    grid = np.diag([step, step, step, 1.0])
    grid[:3, 3] = low
    to_voxel = np.linalg.inv(volume.affine) @ grid
    sigma = np.maximum(0.5 * step / volume.voxel_mm - 0.25, 0)
    smooth = smoothed(volume.data / scale_of(volume, mask), sigma)
    image = ndimage.affine_transform(
        smooth, to_voxel[:3, :3], to_voxel[:3, 3], output_shape=tuple(shape), order=1, mode="nearest"
    )
    inside = ndimage.affine_transform(
        mask.astype(np.float32), to_voxel[:3, :3], to_voxel[:3, 3], output_shape=tuple(shape), order=1
    )
    centroid = volume.affine[:3, :3] @ np.array(ndimage.center_of_mass(mask)) + volume.affine[:3, 3]
    return Coarse(image, inside > 0.5, low, step, centroid)


def capture(fixed: Coarse, moving: Coarse, *, far: bool) -> FloatArray:
    """Rigid motion of best mutual information, from near the header pose or from far.

    Parameters
    ----------
    fixed, moving
        From `coarse`.
    far
        False: start from the header pose alone. True: also from centre upon centre, turned up to 30 degrees
        about each axis; the most promising starts are followed.

    Returns
    -------
    (4, 4) fixed world to moving world, the best of all ends and all starts.

    Notes
    -----
    Mattes et al. 2003, doi:10.1109/TMI.2003.809072, on every voxel of the mask (no random sample), one
    thread, regular-step descent: the same bits in every run.
    """
    starts: list[FloatArray] = [np.eye(4)]
    if far:
        turned = [_about(fixed.centroid_mm, moving.centroid_mm, a) for a in product(_TURNS, repeat=3)]
        score = _alikeness(fixed, moving, turned)
        starts += [turned[k] for k in np.argsort(-score, kind="stable")[:_FOLLOWED]]
    images = fixed.itk(), moving.itk()
    ends = [_descend(images, fixed, start) for start in starts]
    return min(ends, key=lambda end: end[0])[1]


def mutual_information(a: FloatArray, b: FloatArray) -> float:
    """Mutual information in nats of two samples (n,), from a joint histogram of 32 x 32 bins.

    Examples
    --------
    >>> x = np.arange(3200.0)
    >>> round(mutual_information(x, -x), 3), bool(np.isclose(mutual_information(x, x), np.log(32)))
    (3.466, True)
    """
    joint = np.bincount(_bin(a) * _BINS + _bin(b), minlength=_BINS**2).reshape(_BINS, _BINS) / len(a)
    alone = joint.sum(1)[:, None] * joint.sum(0)
    seen = joint > 0
    return float((joint[seen] * np.log(joint[seen] / alone[seen])).sum())


def _bin(x: FloatArray) -> NDArray[np.int64]:
    low, high = float(x.min()), float(x.max())
    return np.asarray(np.minimum((x - low) / max(high - low, 1e-30) * _BINS, _BINS - 1), np.int64)


def _alikeness(fixed: Coarse, moving: Coarse, starts: list[FloatArray]) -> FloatArray:
    points = fixed.points_mm
    here = fixed.at(points)[0]
    score = np.full(len(starts), -np.inf)
    for k, start in enumerate(starts):
        there, inside = moving.at(points @ start[:3, :3].T + start[:3, 3])
        if inside.mean() > _SCREEN_INSIDE:
            score[k] = mutual_information(here[inside], there[inside])
    return score


def _about(centre: FloatArray, to: FloatArray, degrees: tuple[float, ...]) -> FloatArray:
    """Motion that carries one centre to another and turns about it."""
    turn = motion(np.r_[np.deg2rad(degrees), 0, 0, 0])
    turn[:3, 3] = to - turn[:3, :3] @ centre
    return turn


def _descend(
    images: tuple[tuple[SimpleITK.Image, SimpleITK.Image], tuple[SimpleITK.Image, SimpleITK.Image]],
    fixed: Coarse,
    start: FloatArray,
) -> tuple[float, FloatArray]:
    import SimpleITK as sitk  # noqa: N813

    (image, mask), (other, _) = images
    method = sitk.ImageRegistrationMethod()
    method.SetNumberOfThreads(1)
    method.SetNumberOfWorkUnits(1)  # the metric sums in as many parts as this, whatever the threads
    method.SetMetricAsMattesMutualInformation(_BINS)
    method.SetMetricFixedMask(mask)
    method.SetMetricSamplingStrategy(method.NONE)
    method.SetInterpolator(sitk.sitkLinear)
    spacing = fixed.step_mm
    method.SetOptimizerAsRegularStepGradientDescent(spacing, spacing * 1e-2, _STEPS, 0.6, 1e-8)
    method.SetOptimizerScalesFromPhysicalShift()
    method.SetShrinkFactorsPerLevel([2, 1])
    method.SetSmoothingSigmasPerLevel([spacing, 0.0])
    method.SmoothingSigmasAreSpecifiedInPhysicalUnitsOn()
    transform = _euler(start, fixed.centroid_mm)
    method.SetInitialTransform(transform, inPlace=True)
    try:
        method.Execute(image, other)
    except RuntimeError:  # the images do not overlap at this start
        return np.inf, start
    return float(method.GetMetricValue()), _matrix(transform)


def _euler(matrix: FloatArray, centre: FloatArray) -> SimpleITK.Euler3DTransform:
    import SimpleITK as sitk  # noqa: N813

    transform = sitk.Euler3DTransform()
    transform.SetCenter(centre.tolist())
    transform.SetMatrix(matrix[:3, :3].ravel().tolist(), 1e-6)
    transform.SetTranslation((matrix[:3, :3] @ centre + matrix[:3, 3] - centre).tolist())
    return transform


def _matrix(transform: SimpleITK.Euler3DTransform) -> FloatArray:
    T = np.eye(4)
    T[:3, :3] = np.array(transform.GetMatrix()).reshape(3, 3)
    T[:3, 3] = transform.TransformPoint((0.0, 0.0, 0.0))
    return T


def _corners_mm(mask: Mask, affine: FloatArray) -> FloatArray:
    """(8, 3) corners of the box around a mask, in world mm."""
    ends = []
    for axis in range(3):
        seen = np.flatnonzero(mask.any(tuple(a for a in range(3) if a != axis)))
        ends.append((float(seen[0]), float(seen[-1])))
    corner = np.stack(np.meshgrid(*ends, indexing="ij"), -1).reshape(-1, 3)
    return np.asarray(corner @ affine[:3, :3].T + affine[:3, 3])
