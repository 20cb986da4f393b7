"""Voxelwise change: no change gives 0 on average, a real change is found, and every limit is estimated."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from remyelin.errors import InputError
from remyelin.measure.mtr import mtr_map
from remyelin.measure.voxels import change_threshold, changed_fractions, relative_noise

N_LESIONS, SIZE = 400, 60
LABELS = np.repeat(np.arange(1, N_LESIONS + 1), SIZE)


def heavy(rng, n):
    """Noise with tails, as at the edge of tissue: one voxel in ten is three times as noisy."""
    return rng.normal(0, 3, n) * np.where(rng.random(n) < 0.1, 3, 1)


def fractions(change, threshold, **options):
    return changed_fractions(change, LABELS, threshold, n_lesions=N_LESIONS, **options)


@pytest.mark.parametrize("rate", [0.01, 0.05, 0.2])
def test_unchanged_lesions_average_to_zero_even_with_heavy_tails(rate):
    rng = np.random.default_rng(1)
    threshold = change_threshold(heavy(rng, 50000), false_positive_rate=rate, source="nawm")
    result = fractions(heavy(rng, len(LABELS)), threshold)
    error = 4 * np.sqrt(rate / len(LABELS)) + 4 * np.sqrt(rate / 50000)
    assert abs(result.remyelinated.mean()) < error
    assert abs(result.demyelinated.mean()) < error
    assert (result.remyelinated < 0).any()  # not cut at 0
    assert threshold.rate_low + threshold.rate_high > rate  # tails: the nominal rate would leave a bias


def test_a_large_change_of_some_voxels_is_found_and_a_small_one_is_a_lower_bound():
    rng = np.random.default_rng(2)
    threshold = change_threshold(rng.normal(0, 3, 50000), false_positive_rate=0.05, source="rescan")
    up, down = rng.random(len(LABELS)) < 0.3, rng.random(len(LABELS)) < 0.1
    noise = rng.normal(0, 3, len(LABELS))
    large = fractions(noise + 20.0 * up - 20.0 * (down & ~up), threshold)
    assert large.remyelinated.mean() == pytest.approx(0.3, abs=0.015)
    # Of the 70 % that did not gain a tenth lost; that fewer than all can be false positives is second order.
    assert large.demyelinated.mean() == pytest.approx(0.07, abs=0.015)
    small = fractions(noise + 3.0 * up, threshold)
    assert 0.02 < small.remyelinated.mean() < 0.3


def test_standard_errors_are_the_spread_of_lesions():
    rng = np.random.default_rng(3)
    threshold = change_threshold(rng.normal(0, 3, 200000), false_positive_rate=0.1, source="nawm")
    change = rng.normal(0, 3, len(LABELS)) + 20.0 * (rng.random(len(LABELS)) < 0.2)
    result = fractions(change, threshold)
    assert_allclose(result.remyelinated_se.mean(), result.remyelinated.std(), rtol=0.1)
    wide = fractions(change, threshold, voxels_per_independent=4.0)
    assert_allclose(wide.remyelinated_se, 2 * result.remyelinated_se, rtol=0.05)
    assert_allclose(wide.remyelinated, result.remyelinated)
    none = changed_fractions(np.zeros(5), np.ones(5, int), threshold, n_lesions=1)
    assert none.remyelinated_se[0] > 0.05


def test_noisier_lesions_do_not_look_changed_when_their_noise_is_known():
    rng = np.random.default_rng(4)
    off, noise_sd = 100.0, 2.0

    def change(mtr, n):
        on = off * (1 - mtr / 100)
        visits = [
            mtr_map(off + rng.normal(0, noise_sd, n), on + rng.normal(0, noise_sd, n)) for _ in range(2)
        ]
        return visits[1] - visits[0], np.full(n, relative_noise(off, on))

    stable, stable_noise = change(40.0, 200000)
    lesion, lesion_noise = change(15.0, len(LABELS))
    assert lesion.std() / stable.std() == pytest.approx(lesion_noise[0] / stable_noise[0], rel=0.02)
    settings_ = {"false_positive_rate": 0.05, "source": "nawm"}
    blind = fractions(lesion, change_threshold(stable, **settings_)).remyelinated.mean()
    aware = fractions(
        lesion, change_threshold(stable, stable_noise=stable_noise, **settings_), noise=lesion_noise
    ).remyelinated.mean()
    assert blind > 0.008
    assert abs(aware) < 0.004


@given(shift=st.floats(-5, 5), gain=st.floats(0.1, 10))
@settings(max_examples=25, deadline=None)
def test_limits_follow_drift_and_scale(shift, gain):
    stable = heavy(np.random.default_rng(5), 4000)
    plain = change_threshold(stable, false_positive_rate=0.1, source="nawm")
    other = change_threshold(gain * stable + shift, false_positive_rate=0.1, source="nawm")
    limits = np.array([plain.low_pu, plain.high_pu, plain.centre_pu])
    moved = [other.low_pu, other.high_pu, other.centre_pu]
    assert_allclose(moved, gain * limits + shift, rtol=1e-9, atol=1e-9)
    assert other.sd_pu == pytest.approx(gain * plain.sd_pu, rel=1e-9)
    assert (other.rate_low, other.rate_high) == pytest.approx((plain.rate_low, plain.rate_high), abs=1e-3)


def test_the_source_is_said_and_undefined_voxels_do_not_count():
    stable = np.append(np.random.default_rng(6).normal(0, 3, 20000), [np.nan, np.inf])
    threshold = change_threshold(stable, false_positive_rate=0.05, source="nawm")
    assert threshold.n_voxels == 20000
    assert threshold.flags == ()
    assert "1.96 SD of 20000 voxels of normal-appearing white matter" in str(threshold)
    change, labels = np.array([50.0, np.nan, 0.0, -50.0]), np.array([1, 1, 3, 3])
    result = changed_fractions(change, labels, threshold, n_lesions=3)
    assert result.n_voxels.tolist() == [1, 0, 2]
    assert_allclose(result.remyelinated, [1.0, np.nan, -threshold.rate_high / (1 - threshold.rate_high)])
    assert result.demyelinated[2] == pytest.approx((0.5 - threshold.rate_low) / (1 - threshold.rate_low))
    few = change_threshold(stable[:400], false_positive_rate=0.05, source="rescan")
    assert few.flags[0].found == "400 voxels"
    assert "scan-rescan" in str(few)


def test_relative_noise_is_undefined_without_signal():
    assert np.isnan(relative_noise([0.0, -1.0], [1.0, 1.0])).all()


@pytest.mark.parametrize(
    ("stable", "options", "says"),
    [
        (np.arange(10.0), {}, "40 or more"),
        (np.zeros(1000), {}, "no copy of the baseline"),
        (np.arange(1000.0), {"false_positive_rate": 5}, "5 percent is 0.05"),
        (np.arange(1000.0), {"source": "csf"}, "nawm or rescan"),
        (np.arange(1000.0), {"stable_noise": [1.0]}, "1 voxels"),
    ],
)
def test_mistakes_are_named(stable, options, says):
    with pytest.raises(InputError) as error:
        change_threshold(stable, **({"false_positive_rate": 0.05, "source": "nawm"} | options))
    assert says in str(error.value)


def test_grids_must_agree():
    threshold = change_threshold(np.arange(1000.0), false_positive_rate=0.05, source="nawm")
    with pytest.raises(InputError) as error:
        changed_fractions(np.zeros(3), np.ones(4, int), threshold, n_lesions=1)
    assert "3, 4 and 3 voxels" in str(error.value)
