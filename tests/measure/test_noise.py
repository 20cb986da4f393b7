"""Noise of an image from the image."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy import ndimage

from remyelin.measure.noise import NORMAL, QUANTILES, noise_sd

SHAPE = (64, 60, 56)


def brain(rng):
    """White matter in a folded shell of grey matter and fluid, and the mask of the head."""
    folded = ndimage.gaussian_filter(rng.normal(size=SHAPE), 3)
    at = np.indices(SHAPE)
    depth = sum(((a - n / 2) / (n / 2 - 2)) ** 2 for a, n in zip(at, SHAPE, strict=True))
    tissue = np.select(
        [depth < 0.5, folded > folded.std(), folded > -folded.std()], [850.0, 1150.0, 1000.0], 850.0
    )
    return ndimage.gaussian_filter(tissue, 0.6) * (depth < 1), depth < 1


def rician(image, sd, rng):
    return np.hypot(image + rng.normal(0, sd, SHAPE), rng.normal(0, sd, SHAPE))


@pytest.mark.parametrize("seed", range(5))
def test_two_percent_rician_noise_is_found_to_5_percent(seed):
    rng = np.random.default_rng(seed)
    image, inside = brain(rng)
    noisy = rician(image, 17.0, rng).round().astype(np.float32)  # whole numbers, as scanners write them
    assert_allclose(noise_sd(noisy, inside), 17.0, rtol=0.05)


@settings(max_examples=10, deadline=None)
@given(scale=st.floats(1e-3, 1e3))
def test_follows_the_scanner_gain(scale):
    rng = np.random.default_rng(0)
    image, inside = brain(rng)
    noisy = rician(image, 20.0, rng)
    assert_allclose(noise_sd(scale * noisy, inside), scale * noise_sd(noisy, inside), rtol=1e-9)


def test_zero_filling_does_not_hide_noise():
    """An image interpolated in k-space averages out less: low frequencies carry all of its noise."""
    rng = np.random.default_rng(3)
    image, inside = brain(rng)
    spectrum = np.fft.fftn(rician(image, 17.0, rng))
    for axis in (0, 1):
        kept = np.abs(np.fft.fftfreq(SHAPE[axis])) < 0.25
        spectrum *= kept.reshape([-1 if a == axis else 1 for a in range(3)])
    filled = np.abs(np.fft.ifftn(spectrum))
    assert_allclose(noise_sd(filled, inside), 17.0, rtol=0.25)


def test_few_voxels_give_no_answer():
    image = np.random.default_rng(0).normal(1000, 10, (8, 8, 8))
    assert np.isnan(noise_sd(image, np.ones(image.shape, bool)))
    assert np.isnan(noise_sd(image[:4], np.ones((4, 8, 8), bool)))
    large = np.random.default_rng(0).normal(1000, 10, SHAPE)
    assert np.isnan(noise_sd(large, np.zeros(SHAPE, bool)))


def test_voxels_without_a_value_are_left_out():
    rng = np.random.default_rng(4)
    image = rng.normal(1000, 10, SHAPE)
    image[::7, ::5, ::3] = np.nan
    assert_allclose(noise_sd(image, np.ones(SHAPE, bool)), 10, rtol=0.05)


def test_quantiles_are_those_of_the_normal_distribution():
    from scipy.stats import halfnorm

    assert_allclose(NORMAL, halfnorm.ppf(QUANTILES), atol=5e-5)
