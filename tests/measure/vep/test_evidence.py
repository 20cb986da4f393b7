"""The fast algebra of the evidence against slow, dense algebra on the sample grid."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.linalg import toeplitz
from scipy.stats import multivariate_normal

from remyelin.measure.vep import average as average_module
from remyelin.measure.vep import evidence, prior
from remyelin.measure.vep.average import average

from .waves import drawn, recording

MODEL = prior.prior()
# Components of every kind: the first and the last dilation, and one with two humps.
COMPONENTS = [3, 17, 60, 135, 250, 391]
AMPLITUDES = [0, 3, 5]


@pytest.fixture(scope="module")
def recorded():
    rng = np.random.default_rng(11)
    return average(recording(rng, drawn(rng, 6.0)), 1000, -50)


def dense_noise(recorded):
    """Covariance of the error: stationary, white at the floor, and one constant that nobody knows."""
    stationary = toeplitz(recorded.autocovariance_uv2)
    floor = average_module._FLOOR * recorded.autocovariance_uv2[0] * np.eye(len(recorded.uv))
    return stationary + floor + average_module._OFFSET_UV**2


def dense_component(recorded, component, amplitude_uv):
    """Mean and covariance of a response at the samples."""
    waves = MODEL.waves(recorded.time_ms)
    root = amplitude_uv * waves @ MODEL.root[component]
    return amplitude_uv * waves @ MODEL.mean[component], root @ root.T


@pytest.mark.parametrize("amplitude", AMPLITUDES)
@pytest.mark.parametrize("component", COMPONENTS)
def test_the_evidence_is_the_density_of_the_average(recorded, component, amplitude):
    found = evidence.fit(evidence.seen(recorded.information(), MODEL.root, MODEL.mean), prior.AMPLITUDES_UV)
    noise = dense_noise(recorded)
    mean, covariance = dense_component(recorded, component, prior.AMPLITUDES_UV[amplitude])
    response = multivariate_normal(mean, noise + covariance).logpdf(recorded.uv)
    none = multivariate_normal(np.zeros(len(noise)), noise).logpdf(recorded.uv)
    # Widest gap seen 3e-10: two Cholesky factors of 155 samples.
    assert found.log_evidence[amplitude, component] == pytest.approx(response - none, abs=1e-6)


def test_the_evidence_of_any_smooth_wave_is_that_density_too(recorded):
    free = np.zeros((1, MODEL.basis.shape[1]))
    data = evidence.seen(recorded.information(), MODEL.free_root, free)
    [found] = evidence.fit(data, np.array([5.0])).log_evidence[0]
    root = 5.0 * MODEL.waves(recorded.time_ms) @ MODEL.free_root[0]
    noise = dense_noise(recorded)
    response = multivariate_normal(np.zeros(len(noise)), noise + root @ root.T).logpdf(recorded.uv)
    none = multivariate_normal(np.zeros(len(noise)), noise).logpdf(recorded.uv)
    assert found == pytest.approx(response - none, abs=1e-6)


@pytest.mark.parametrize("component", COMPONENTS)
def test_the_basis_leaves_no_evidence_out(recorded, component):
    """48 waves and a rank of 22 say what the whole covariance says, on its 151 nodes.

    To half a unit of log evidence: the gaps seen are 0.05 to 0.40 of 24 to 31, and weights that matter differ
    by several units.
    """
    kind, latency = divmod(component, len(prior.LATENCIES_MS))
    dilation, gap = prior.KINDS[kind]
    mean, covariance = prior._component(prior.LATENCIES_MS[latency], dilation, gap)
    to_samples = spline_to(recorded.time_ms)
    noise = dense_noise(recorded)
    whole = multivariate_normal(
        5.5 * to_samples @ mean, noise + 5.5**2 * to_samples @ covariance @ to_samples.T
    ).logpdf(recorded.uv)
    kept_mean, kept = dense_component(recorded, component, 5.5)
    assert multivariate_normal(kept_mean, noise + kept).logpdf(recorded.uv) == pytest.approx(whole, abs=0.5)


def spline_to(time_ms):
    from scipy.interpolate import CubicSpline

    return CubicSpline(prior._NODES_MS, np.eye(len(prior._NODES_MS)))(time_ms)


def test_draws_have_the_mean_and_the_covariance_of_the_conditional(recorded):
    """One component at one amplitude: its draws are those of a Gaussian conditioned on the average."""
    amplitude, component, n = 3, 60, 40_000
    posterior = evidence.explain(recorded.information())
    weights = np.zeros_like(posterior.weights)
    weights[amplitude, component] = 1.0
    only = replace(posterior, weights=weights, free_weights=np.zeros_like(posterior.free_weights))
    waves = MODEL.waves(recorded.time_ms)
    draws = waves @ only.draws(n, np.random.default_rng(5))
    mean, covariance = dense_component(recorded, component, prior.AMPLITUDES_UV[amplitude])
    gain = np.linalg.solve(dense_noise(recorded) + covariance, covariance).T
    expected = mean + gain @ (recorded.uv - mean)
    left = covariance - gain @ covariance
    sd = np.sqrt(np.diagonal(left).clip(1e-12))
    # Of 40,000 draws the mean errs by 0.005 SD and the covariance by 0.007; five times that is an error.
    assert np.abs(draws.mean(axis=1) - expected).max() < 0.025 * sd.max()
    assert np.abs(np.cov(draws) - left).max() < 0.035 * left.max()


def test_weights_are_those_of_bayes(recorded):
    posterior = evidence.explain(recorded.information())
    levels = len(prior.AMPLITUDES_UV)
    log_triplets = posterior.triplets.log_evidence + MODEL.log_weight - np.log(levels)
    log_free = posterior.free.log_evidence + MODEL.free_log_weight - np.log(levels)
    total = (
        np.exp(log_triplets - posterior.log_evidence).sum() + np.exp(log_free - posterior.log_evidence).sum()
    )
    assert total == pytest.approx(1)
    np.testing.assert_allclose(posterior.weights, np.exp(log_triplets - posterior.log_evidence), rtol=1e-9)
    assert posterior.weights.sum() + posterior.free_weight == pytest.approx(1)


def test_prior_weights_sum_to_one():
    assert np.exp(MODEL.log_weight).sum() + np.exp(MODEL.free_log_weight) == pytest.approx(1)


def test_information_of_two_visits_adds():
    """Explaining two averages of one response equals explaining their precision-weighted mean."""
    rng = np.random.default_rng(4)
    response = drawn(rng, 6.0, delay_ms=0)
    one, two = (average(recording(rng, response), 1000, -50) for _ in range(2))
    alone = [evidence.seen(each.information(), MODEL.root, MODEL.mean) for each in (one, two)]
    both = evidence.fit(alone[0].plus(alone[1], 1.5), np.array([5.5])).log_evidence[0]
    matrices, vectors = zip(one.information(), two.information(), strict=True)
    joined = (matrices[0] + 1.5**2 * matrices[1], vectors[0] + 1.5 * vectors[1])
    again = evidence.fit(evidence.seen(joined, MODEL.root, MODEL.mean), np.array([5.5])).log_evidence[0]
    np.testing.assert_allclose(both, again, rtol=1e-9, atol=1e-8)


@pytest.mark.parametrize("draw", range(3))
def test_nearly_one_response_is_found_again_when_there_is_no_noise_to_speak_of(draw):
    """A response drawn from a component of the prior is explained by its neighbours in latency."""
    rng = np.random.default_rng(draw)
    component = int(rng.choice(COMPONENTS[:3]))
    coefficients = 9.0 * (MODEL.mean[component] + MODEL.root[component] @ rng.standard_normal(22))
    time = -50 + np.arange(450.0)
    sweeps = MODEL.waves(time) @ coefficients + rng.normal(0, 1.0, (100, 450))
    posterior = evidence.explain(average(sweeps, 1000, -50).information())
    waves = posterior.draws(200, rng)
    truth = MODEL.waves(prior._NODES_MS) @ coefficients
    inside = (prior._NODES_MS > 40) & (prior._NODES_MS < 300)
    found = (MODEL.waves(prior._NODES_MS) @ waves).mean(axis=1)
    assert np.corrcoef(found[inside], truth[inside])[0, 1] > 0.995
