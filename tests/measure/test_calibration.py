"""Self-calibration finds the slope of measured on true change."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from remyelin.measure.calibration import calibrate
from remyelin.measure.lesion_mtr import lesion_values
from remyelin.measure.shape import true_shape
from remyelin.measure.weights import soft_masks


def calibrated(trial, **options):
    return calibrate(trial.pairs, trial.poses, trial.lesions, **options)


@pytest.fixture(scope="module")
def plain(risen):
    return calibrated(risen)


def true_slope(trial, **options):
    """Every lesion gains 1 pu at the second visit, and what is seen of it there, in the same pose."""
    seen = [
        lesion_values((trial.pairs[0], second), trial.poses, trial.lesions, **options).mtr_pu[:, 1]
        for second in (trial.pairs[1], trial.before)
    ]
    return seen[0] - seen[1]


@pytest.mark.parametrize("options", [{}, {"degree": 5}, {"interpolation": "halfway"}], ids=str)
def test_covers_the_true_slope(risen, options):
    found, true = calibrated(risen, **options), true_slope(risen, **options)
    assert found.ci_low <= true.mean() <= found.ci_high
    assert_allclose(found.slope, true.mean(), atol=0.04)
    assert found.ci_high - found.ci_low < 0.2


def test_knows_which_lesions_are_diluted_more(risen, plain):
    found, true = plain.per_lesion, true_slope(risen)
    assert np.corrcoef(found, true)[0, 1] > 0.6


def test_sharp_borders_dilute_less(plain):
    assert (plain.soft < plain.per_lesion).all()
    assert (plain.per_lesion < plain.sharp).all()


def test_is_linear_in_the_change(risen, plain):
    assert_allclose(calibrated(risen, delta_pu=0.1).per_lesion, plain.per_lesion, atol=2e-3)


def test_noise_hardly_touches_it(risen, plain):
    noisy = calibrated(risen.noisy(np.random.default_rng(1), 17.0))
    assert_allclose(noisy.per_lesion, plain.per_lesion, atol=0.02)


def test_any_visit_may_receive_the_change(risen, plain):
    assert_allclose(calibrated(risen, visit=0).slope, plain.slope, atol=0.03)


def test_the_drawn_shape_gives_back_the_mask(risen):
    for mask in soft_masks(risen.lesions)[::5]:
        shape = true_shape(mask)
        n = np.array(shape.shape) // 3
        content = shape.reshape(n[0], 3, n[1], 3, n[2], 3).mean((1, 3, 5))
        assert abs((content > 0.5).sum() - mask.voxels) <= max(2, 0.03 * mask.voxels)


def test_the_drawn_shape_has_the_volume_of_the_lesion(risen):
    volume = np.array([true_shape(mask).sum() / 27 for mask in soft_masks(risen.lesions)])
    true = 4 / 3 * np.pi * risen.truth[0].radius ** 3
    assert_allclose(volume, true, rtol=0.3)
    assert_allclose(volume.sum(), true.sum(), rtol=0.05)
