"""The sampler: what it visits is the density, and its judges see what they should."""

import numpy as np
import pytest

from remyelin.biology.ensemble import Chain, sample

SPREAD = np.array([0.1, 1.0, 10.0])


def bell(points, least):
    return -0.5 * ((points / SPREAD) ** 2).sum(axis=1)


def hopeful(points, least):
    """The same, but gives up where it may."""
    found = bell(points, least)
    return np.where(found > least, found, -np.inf)


def chain(density, seed=1, steps=600):
    rng = np.random.default_rng(seed)
    start = SPREAD * rng.standard_normal((4, 16, 3))
    return sample(density, start, steps=steps, rng=rng)


def test_visits_a_known_density():
    kept = chain(bell, steps=2000).after(200)
    error = 4 / np.sqrt(kept.effective_samples())
    assert (np.abs(kept.flat().mean(axis=0) / SPREAD) < error).all()
    assert np.abs(kept.flat().std(axis=0) / SPREAD - 1).max() < error.max()
    assert kept.split_r_hat().max() < 1.02


def test_what_need_not_be_followed_changes_nothing():
    assert np.array_equal(chain(bell).points, chain(hopeful).points)


def test_same_seed_same_chain():
    assert np.array_equal(chain(bell).points, chain(bell).points)
    assert not np.array_equal(chain(bell).points, chain(bell, seed=2).points)


@pytest.mark.parametrize("rho", [0.0, 0.5, 0.9])
def test_autocorrelation_time_of_a_known_process(rho):
    rng = np.random.default_rng(3)
    x = np.zeros((2, 4000, 10, 1))
    for step in range(1, x.shape[1]):
        x[:, step] = rho * x[:, step - 1] + rng.standard_normal(x[:, step].shape)
    time = Chain(x, np.zeros(x.shape[:3]), 1.0).autocorrelation_steps()[0]
    assert time == pytest.approx((1 + rho) / (1 - rho), rel=0.1)


def test_ensembles_that_disagree_are_seen():
    x = np.random.default_rng(4).standard_normal((4, 200, 10, 2))
    x[0, :, :, 1] += 1
    good, bad = Chain(x, np.zeros(x.shape[:3]), 1.0).split_r_hat()
    assert good < 1.01
    assert bad > 1.05


def test_drift_within_ensembles_is_seen():
    x = np.random.default_rng(5).standard_normal((4, 200, 10, 1))
    x[:, 100:] += 1
    assert Chain(x, np.zeros(x.shape[:3]), 1.0).split_r_hat()[0] > 1.05
