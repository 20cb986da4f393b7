"""The average of sweeps, and what is said of its error."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.linalg import toeplitz

from remyelin.errors import InputError
from remyelin.measure.vep.average import average, paired

RATE, START = 500, -50.0


def ar_noise(rng, n, samples, phi=0.9):
    """Sweeps of autoregressive noise of variance 1, independent of one another."""
    x = np.empty((n, samples))
    x[:, 0] = rng.standard_normal(n)
    for k in range(1, samples):
        x[:, k] = phi * x[:, k - 1] + np.sqrt(1 - phi**2) * rng.standard_normal(n)
    return x


def test_the_autocovariance_of_the_error_is_that_of_the_noise():
    """Expected, not only alike: sweeps lose their own mean first, and lags are summed over what overlaps."""
    n, samples, phi = 4000, 225, 0.9
    recorded = average(ar_noise(np.random.default_rng(3), n, samples, phi), RATE, START)
    truth = toeplitz(phi ** np.arange(samples))
    centre = np.eye(samples) - 1 / samples
    left = centre @ truth @ centre
    expected = np.array([np.trace(left, k) for k in range(60)]) / samples / n
    # 2000 pairs of 225 samples: the SE of the variance is 1.5 %.
    np.testing.assert_allclose(recorded.autocovariance_uv2[:60], expected, atol=0.05 * expected[0])
    assert recorded.noise_uv == pytest.approx(np.sqrt(expected[0]), rel=0.03)


def test_the_stated_error_is_the_error_of_the_average():
    """Over 300 recordings of 100 sweeps the averages scatter as their autocovariance says."""
    rng = np.random.default_rng(8)
    many = [average(ar_noise(rng, 100, 225), RATE, START) for _ in range(300)]
    scatter = np.mean([one.uv**2 for one in many])
    assert np.mean([one.autocovariance_uv2[0] for one in many]) == pytest.approx(scatter, rel=0.1)


@pytest.mark.parametrize("correlation", [-0.4, 0.0, 0.5])
def test_neighbours_that_are_alike_count_as_fewer_sweeps(correlation):
    """One correlated pair after the other: the error is that of the pairs, not that of 200 free sweeps."""
    rng = np.random.default_rng(2)
    one, other = rng.standard_normal((2, 20_000, 4))
    second = correlation * one + np.sqrt(1 - correlation**2) * other
    sweeps = np.stack([one, second], axis=1).reshape(-1, 4)
    assert paired(sweeps).shape == (20_000, 4)
    assert paired(sweeps).var() == pytest.approx((1 + correlation) / 2, rel=0.03)


def test_pairing_takes_the_means_of_neighbours_and_leaves_a_last_odd_one():
    sweeps = np.arange(33.0)[:, None]
    np.testing.assert_array_equal(paired(sweeps)[:, 0], np.arange(0.5, 32, 2))
    np.testing.assert_array_equal(paired(sweeps[:31]), sweeps[:31])


def test_complex_rows_are_paired_as_they_are():
    rows = np.arange(40) * (1 + 2j)
    assert paired(rows[:, None])[0, 0] == 0.5 + 1j


@pytest.mark.parametrize("rate", [256, 500, 1000, 2000, 4096])
def test_samples_stand_at_the_middle_of_what_they_average(rate):
    """A straight line is its own mean: it is met wherever the samples are put together."""
    time = START + 1000 / rate * np.arange(int(0.45 * rate))
    sweeps = np.tile(0.1 * time, (4, 1)) + np.random.default_rng(0).normal(0, 1e-4, (4, len(time)))
    recorded = average(sweeps, rate, START)
    np.testing.assert_allclose(recorded.uv, 0.1 * recorded.time_ms, atol=1e-3)
    assert np.diff(recorded.time_ms) == pytest.approx(1000 / rate * max(1, rate // 500))


def test_a_lone_average_tells_its_noise_where_there_is_no_response():
    rng = np.random.default_rng(1)
    time = START + np.arange(450.0)
    wave = 9 * np.exp(-(((time - 110) / 20) ** 2)) + rng.normal(0, 0.7, 450)
    recorded = average(wave[None], 1000, START)
    # Two samples of 1 ms are averaged: white noise of 0.7 uV leaves 0.5.
    assert recorded.noise_uv == pytest.approx(0.5, rel=0.25)
    assert recorded.n_sweeps == 1


SWEEPS = np.random.default_rng(0).normal(0, 10, (40, 450))


@pytest.mark.parametrize(
    ("sweeps", "rate", "start", "words"),
    [
        (SWEEPS[0], 1000, -50, r"shape \(450,\)"),
        (SWEEPS[None], 1000, -50, r"shape \(1, 40, 450\)"),
        (SWEEPS[:0], 1000, -50, r"shape \(0, 450\)"),
        (SWEEPS[:, :0], 1000, -50, r"shape \(40, 0\)"),
        (np.where(SWEEPS > 30, np.nan, SWEEPS), 1000, -50, "not finite"),
        (np.where(SWEEPS > 30, np.inf, SWEEPS), 1000, -50, "not finite"),
        (SWEEPS[:, :200], 1000, -50, "-50 to 148 ms"),
        (SWEEPS, 1000, 60, "60 to 508 ms"),
        (SWEEPS, 1000, 5000, "5000 to 5448 ms"),
        (SWEEPS, 1, -50, "sfreq_hz is 1"),  # kHz
        (SWEEPS, 0.001, -50, "sfreq_hz"),  # the sampling interval in s
        (SWEEPS, np.nan, -50, "sfreq_hz"),
        (np.zeros((40, 450)), 1000, -50, "without scatter"),
        (np.tile(SWEEPS[0], (40, 1)), 1000, -50, "without scatter"),
        (np.zeros((1, 450)), 1000, -50, "without scatter"),
        (SWEEPS[:1, 60:360], 1000, 10, "one average with"),
    ],
)
def test_what_cannot_be_averaged_is_refused(sweeps, rate, start, words):
    with pytest.raises(InputError, match=words) as caught:
        average(sweeps, rate, start)
    assert caught.value.fix
