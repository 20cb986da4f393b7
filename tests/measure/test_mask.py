"""Head mask: found in noise, whole, and the same whatever the scale."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from remyelin.errors import InputError
from remyelin.measure.image import Volume
from remyelin.measure.mask import grown, head_mask, otsu

SHAPE = (40, 48, 36)
AT = np.stack(np.meshgrid(*[np.linspace(-1, 1, n) for n in SHAPE], indexing="ij"))
HEAD = (AT[0] / 0.7) ** 2 + (AT[1] / 0.8) ** 2 + (AT[2] / 0.75) ** 2 < 1


def dice(a, b):
    return 2 * (a & b).sum() / (a.sum() + b.sum())


def noisy(head, sd, rng, dark=None):
    clean = np.where(head, 800 + 200 * AT[0], 0.0)
    if dark is not None:
        clean[dark] = 0
    return np.hypot(clean + rng.normal(0, sd, SHAPE), rng.normal(0, sd, SHAPE)).astype(np.float32)


@pytest.mark.parametrize("sd", [0.0, 20.0, 80.0])
def test_finds_the_head_in_noise(sd):
    found = head_mask(Volume(noisy(HEAD, sd, np.random.default_rng(1)), np.eye(4)))
    assert dice(found, HEAD) > 0.97


def test_dark_fluid_inside_belongs_to_the_head():
    dark = (AT**2).sum(0) < 0.05
    found = head_mask(Volume(noisy(HEAD, 10, np.random.default_rng(1), dark), np.eye(4)))
    assert found[dark].all()


def test_a_bright_speck_beside_the_head_does_not():
    image = noisy(HEAD, 5, np.random.default_rng(1))
    image[0:2, 0:2, 0:2] = 5000
    assert not head_mask(Volume(image, np.eye(4)))[0:2, 0:2, 0:2].any()


def test_undefined_voxels_do_not_matter():
    image = noisy(HEAD, 5, np.random.default_rng(1))
    image[0, :, :] = np.nan
    image[-1, 0, 0] = np.inf
    assert dice(head_mask(Volume(image, np.eye(4))), HEAD) > 0.97


@pytest.mark.parametrize("value", [0.0, 7.0, np.nan])
def test_no_contrast_is_said(value):
    with pytest.raises(InputError, match="the same in every voxel"):
        head_mask(Volume(np.full((9, 9, 9), value, np.float32), np.eye(4), file="sub-01.nii.gz"))


@settings(max_examples=15)
@given(scale=st.sampled_from([1e-6, 0.01, 3.0, 1e5]), seed=st.integers(0, 5))
def test_scale_of_the_scanner_does_not_matter(scale, seed):
    image = noisy(HEAD, 30, np.random.default_rng(seed))
    here, there = (head_mask(Volume((k * image).astype(np.float32), np.eye(4))) for k in (1.0, scale))
    assert dice(here, there) > 0.999


def test_the_image_is_left_as_it_was():
    image = noisy(HEAD, 30, np.random.default_rng(0))
    before = image.copy()
    head_mask(Volume(image, np.eye(4)))
    assert (image == before).all()


def test_otsu_maximises_the_variance_between_classes():
    rng = np.random.default_rng(3)
    x = np.r_[rng.normal(0, 1, 700), rng.normal(8, 2, 300)]

    def between(threshold):
        low, high = x[x <= threshold], x[x > threshold]
        return len(low) * len(high) * (low.mean() - high.mean()) ** 2

    best = max(between(t) for t in np.linspace(x.min() + 0.01, x.max() - 0.01, 1000))
    assert between(otsu(x)) == pytest.approx(best, rel=0.01)


@pytest.mark.parametrize("by_mm", [-4.0, -1.0, 0.0, 0.4, 2.0, 6.0])
def test_grown_agrees_with_morphology(by_mm):
    mask = ndimage.gaussian_filter(np.random.default_rng(0).normal(size=(20, 21, 22)), 2) > 0.03
    spacing = np.array([1.0, 2.0, 3.0])
    box = np.ones([2 * round(abs(by_mm) / s) + 1 for s in spacing], bool)
    slow = (
        ndimage.binary_dilation(mask, box)
        if by_mm >= 0
        else ndimage.binary_erosion(mask, box, border_value=1)
    )
    assert (grown(mask, by_mm, np.diag([*spacing, 1.0])) == slow).all()
