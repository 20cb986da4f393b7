"""What an imaging scientist writes in an afternoon: the peer.

Rigid registration with mutual information on 10 % random samples (regular steps: the settings of the popular
tutorial end 5 mm off), MT-on resampled to MT-off, an MTR map per visit, the follow-up map resampled to
baseline, the mean under the baseline mask. So the follow-up is interpolated twice and the baseline's MT-off
never. A more careful colleague resamples the follow-up images once, straight into baseline space (`once`).
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import SimpleITK as sitk  # noqa: N813, its own habit
from scipy import ndimage

SEED = 1


@dataclass(frozen=True)
class Ordinary:
    """(lesion, visit) MTR in pu by either way, point maps in LPS mm, and what the registrations cost."""

    twice_pu: np.ndarray
    once_pu: np.ndarray
    on_off: tuple[np.ndarray, np.ndarray]
    between: np.ndarray
    cpu_s: float


@dataclass(frozen=True)
class Aligned:
    """Transforms of MT-off to MT-on at both visits, and of MT-off between them."""

    within: tuple[sitk.Transform, sitk.Transform]
    between: sitk.Transform


def ordinary(off: tuple[Path, Path], on: tuple[Path, Path], labels: np.ndarray) -> Ordinary:
    """Measure the lesions `labels` (x, y, z), 1 to n, of the baseline MT-off grid."""
    sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(1)
    begun = time.process_time()
    images_off, images_on = (
        [sitk.ReadImage(str(file), sitk.sitkFloat32) for file in files] for files in (off, on)
    )
    aligned = align(images_off, images_on)
    twice, once = lesion_means(images_off, images_on, aligned, labels)
    return Ordinary(
        twice_pu=twice,
        once_pu=once,
        on_off=(matrix(aligned.within[0]), matrix(aligned.within[1])),
        between=matrix(aligned.between),
        cpu_s=time.process_time() - begun,
    )


def align(off: Sequence[sitk.Image], on: Sequence[sitk.Image]) -> Aligned:
    """Register the images of both visits."""
    within = tuple(register(a, b) for a, b in zip(off, on, strict=True))
    return Aligned(within, register(off[0], off[1]))


def lesion_means(
    off: Sequence[sitk.Image], on: Sequence[sitk.Image], aligned: Aligned, labels: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """(lesion, visit) MTR with the follow-up interpolated twice, and once."""
    within, between = aligned.within, aligned.between
    maps = [mtr(a, resample(b, a, t)) for a, b, t in zip(off, on, within, strict=True)]
    twice = resample(maps[1], off[0], between)
    straight = sitk.CompositeTransform([within[1], between])
    once = mtr(resample(off[1], off[0], between), resample(on[1], off[0], straight))
    means = [_means(image, labels) for image in (maps[0], twice, once)]
    return np.stack(means[:2], 1), np.stack(means[::2], 1)


def register(fixed: sitk.Image, moving: sitk.Image) -> sitk.Transform:
    method = sitk.ImageRegistrationMethod()
    method.SetMetricAsMattesMutualInformation(numberOfHistogramBins=50)
    method.SetMetricSamplingStrategy(method.RANDOM)
    method.SetMetricSamplingPercentage(0.1, SEED)
    method.SetInterpolator(sitk.sitkLinear)
    method.SetOptimizerAsRegularStepGradientDescent(1.0, 1e-4, 200, gradientMagnitudeTolerance=1e-8)
    method.SetOptimizerScalesFromPhysicalShift()
    method.SetShrinkFactorsPerLevel([4, 2, 1])
    method.SetSmoothingSigmasPerLevel([2, 1, 0])
    method.SmoothingSigmasAreSpecifiedInPhysicalUnitsOn()
    geometry = sitk.CenteredTransformInitializerFilter.GEOMETRY
    start = sitk.CenteredTransformInitializer(fixed, moving, sitk.Euler3DTransform(), geometry)
    method.SetInitialTransform(start, inPlace=False)
    return method.Execute(fixed, moving)


def resample(moving: sitk.Image, fixed: sitk.Image, transform: sitk.Transform) -> sitk.Image:
    return sitk.Resample(moving, fixed, transform, sitk.sitkLinear, 0.0)


def mtr(off: sitk.Image, on: sitk.Image) -> sitk.Image:
    a, b = sitk.GetArrayFromImage(off), sitk.GetArrayFromImage(on)
    with np.errstate(all="ignore"):
        ratio = np.nan_to_num(100 * (a - b) / a, posinf=0, neginf=0)
    image = sitk.GetImageFromArray(np.clip(ratio, 0, 100))
    image.CopyInformation(off)
    return image


def _means(image: sitk.Image, labels: np.ndarray) -> np.ndarray:
    return ndimage.mean(sitk.GetArrayFromImage(image).transpose(), labels, np.arange(1, labels.max() + 1))


def matrix(transform: sitk.Transform) -> np.ndarray:
    """(4, 4) point map in LPS mm."""
    matrix = np.eye(4)
    matrix[:3, 3] = transform.TransformPoint((0.0, 0.0, 0.0))
    for axis in range(3):
        matrix[:3, axis] = np.array(transform.TransformPoint(np.eye(3)[axis].tolist())) - matrix[:3, 3]
    return matrix
