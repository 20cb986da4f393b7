"""Rough pose by mutual information on a coarse grid: from anywhere near to within a few mm."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

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


@dataclass(frozen=True, slots=True)
class Coarse:
    """An image on an isotropic grid along the world axes, so that its direction is the identity.

    SimpleITK then sees RAS millimetres as physical space; no axis needs to be flipped, and no direction
    matrix with rounding errors or mirrored axes reaches it.
    """

    image: Any
    mask: Any
    centroid_mm: FloatArray


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
    import SimpleITK as sitk  # noqa: N813
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
    return Coarse(
        _itk(image, low, step, sitk), _itk((inside > 0.5).astype(np.uint8), low, step, sitk), centroid
    )


def capture(fixed: Coarse, moving: Coarse, starts: list[FloatArray]) -> FloatArray:
    """Rigid motion of best mutual information, from several starts.

    Parameters
    ----------
    fixed, moving
        From `coarse`.
    starts
        (4, 4) motions, fixed world to moving world, to begin from.

    Returns
    -------
    (4, 4) fixed world to moving world, the best of all ends and all starts.

    Notes
    -----
    Mattes et al. 2003, doi:10.1109/TMI.2003.809072, on every voxel of the mask (no random sample), one
    thread, regular-step descent: the same bits in every run.
    """
    ends = [_descend(fixed, moving, start) for start in starts]
    return min(ends, key=lambda end: end[0])[1]


def _descend(fixed: Coarse, moving: Coarse, start: FloatArray) -> tuple[float, FloatArray]:
    import SimpleITK as sitk  # noqa: N813

    method = sitk.ImageRegistrationMethod()
    method.SetNumberOfThreads(1)
    method.SetMetricAsMattesMutualInformation(_BINS)
    method.SetMetricFixedMask(fixed.mask)
    method.SetMetricSamplingStrategy(method.NONE)
    method.SetInterpolator(sitk.sitkLinear)
    spacing = float(fixed.image.GetSpacing()[0])
    method.SetOptimizerAsRegularStepGradientDescent(spacing, spacing * 1e-2, _STEPS, 0.6, 1e-8)
    method.SetOptimizerScalesFromPhysicalShift()
    method.SetShrinkFactorsPerLevel([2, 1])
    method.SetSmoothingSigmasPerLevel([spacing, 0.0])
    method.SmoothingSigmasAreSpecifiedInPhysicalUnitsOn()
    transform = _euler(start, fixed.centroid_mm)
    method.SetInitialTransform(transform, inPlace=True)
    try:
        before = method.MetricEvaluate(fixed.image, moving.image)
        method.Execute(fixed.image, moving.image)
        after = method.MetricEvaluate(fixed.image, moving.image)
    except RuntimeError:  # the images do not overlap at this start
        return np.inf, start
    return (after, _matrix(transform)) if after < before else (before, start)


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


def shift(vector_mm: FloatArray) -> FloatArray:
    """Motion that only shifts."""
    return motion(np.r_[np.zeros(3), vector_mm])


def _corners_mm(mask: Mask, affine: FloatArray) -> FloatArray:
    """(8, 3) corners of the box around a mask, in world mm."""
    ends = []
    for axis in range(3):
        seen = np.flatnonzero(mask.any(tuple(a for a in range(3) if a != axis)))
        ends.append((float(seen[0]), float(seen[-1])))
    corner = np.stack(np.meshgrid(*ends, indexing="ij"), -1).reshape(-1, 3)
    return np.asarray(corner @ affine[:3, :3].T + affine[:3, 3])


def _itk(array: FloatArray, origin: FloatArray, step: float, sitk: Any) -> Any:
    image = sitk.GetImageFromArray(np.ascontiguousarray(array.transpose(2, 1, 0)))
    image.SetOrigin(origin.tolist())
    image.SetSpacing([step] * 3)
    return image
