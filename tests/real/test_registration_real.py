"""Registration against real recordings: a published transform, and the cord that others drive apart."""

from __future__ import annotations

from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813
from scipy import ndimage

from remyelin.measure.image import Volume
from remyelin.measure.motion import displacement_mm
from remyelin.measure.registration import rigid


def volume(path: Path) -> Volume:
    image = nib.as_closest_canonical(nib.load(path))
    return Volume(np.asarray(image.dataobj, np.float32), image.affine)


def published(path: Path) -> np.ndarray:
    """An ITK transform file as a (4, 4) point map in RAS mm."""
    transform = sitk.ReadTransform(str(path))
    origin = np.array(transform.TransformPoint((0.0, 0.0, 0.0)))
    matrix = np.eye(4)
    matrix[:3, 3] = origin
    for k, unit in enumerate(np.eye(3)):
        matrix[:3, k] = np.array(transform.TransformPoint(unit.tolist())) - origin
    lps = np.diag([-1.0, -1.0, 1.0, 1.0])
    return lps @ matrix @ lps


@pytest.fixture(scope="module")
def patient(shared) -> Path:
    folder = shared / "data/mri/ms_longitudinal/patient01"
    if not folder.is_dir():
        pytest.skip(f"the longitudinal MS patient is not here ({folder})")
    return folder


@pytest.mark.parametrize("masked", [False, True], ids=["head", "brain"])
def test_two_visits_agree_with_the_published_transforms(patient, masked):
    first, second = (published(patient / f"study{k}_FLAIR_to_common_space.txt") for k in (1, 2))
    common = volume(patient / "brainmask_common.nii.gz")
    inside = common.data > 0
    points = np.argwhere(inside)[::3000] @ common.affine[:3, :3].T + common.affine[:3, 3]
    here = points @ first[:3, :3].T + first[:3, 3]
    images = [volume(patient / f"study{k}_FLAIR.nii.gz") for k in (1, 2)]
    masks = [None, None]
    if masked:
        masks = []
        for image, to_image in zip(images, (first, second), strict=True):
            voxel = np.linalg.inv(common.affine) @ np.linalg.inv(to_image)
            voxel = voxel @ image.affine
            carried = ndimage.affine_transform(
                inside.astype(np.float32), voxel[:3, :3], voxel[:3, 3], output_shape=image.data.shape, order=1
            )
            masks.append(carried > 0.5)
    found = rigid(*images, mask=masks[0], moving_mask=masks[1], pair="visit 1 - visit 2")
    assert found.quality == "pass", found
    apart = displacement_mm(np.linalg.inv(second @ np.linalg.inv(first)) @ found.matrix, here)
    assert apart.mean() < 0.2  # the issue asks for 0.4; SimpleITK alone gives 0.32
    assert apart.max() < 0.4  # asked: 0.7; SimpleITK alone: 0.55


@pytest.fixture(scope="module")
def cord(shared) -> Path:
    folder = shared / "data/mri/cord_mt"
    if not folder.is_dir():
        pytest.skip(f"the cord recordings are not here ({folder})")
    return folder


def test_five_slices_of_cord_are_not_driven_apart(cord):
    off, on = volume(cord / "mt0.nii.gz"), volume(cord / "mt1.nii.gz")
    found = rigid(off, on, kind="within", pair="cord")
    assert found.quality in ("pass", "flag"), found
    assert found.moved_mm < 2.5
    assert found.similarity > found.similarity_before
    # In the published MT-off, moved slice by slice into MT-on, little is left to do.
    moved = volume(cord / "mt0_reg_slicereg_goldstandard.nii.gz")
    assert rigid(moved, on, kind="within").moved_mm < 0.5


def test_the_registered_cord_has_the_published_mtr(cord):
    off, on = volume(cord / "mt0.nii.gz"), volume(cord / "mt1.nii.gz")
    inside = volume(cord / "mt1_seg.nii.gz").data > 0
    found = rigid(on, off, kind="within")
    voxel = np.linalg.inv(off.affine) @ found.matrix @ on.affine
    moved = ndimage.affine_transform(
        off.data, voxel[:3, :3], voxel[:3, 3], output_shape=on.data.shape, order=1, mode="nearest"
    )
    mtr_pu = 100 * (1 - on.data[inside].mean() / moved[inside].mean())
    reference = volume(cord / "mtr.nii.gz").data[inside].mean()
    # Without registration 33.3, with the tutorial's settings anything from 0 to 35; published 31.88.
    assert mtr_pu == pytest.approx(reference, abs=0.3)
