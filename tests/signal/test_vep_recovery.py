"""What `measure.vep` reads in clean virtual recordings is what the responses truly are."""

import numpy as np

from remyelin.measure.vep import latency_shift, p100
from remyelin.signal import Cortex, Delays, EegNoise, vep_response

SFREQ_HZ, START_MS = 1000.0, -100.0
CLEAN = EegNoise(sd_uv=2)


def test_latency_and_change_are_found_within_half_a_millisecond():
    rng = np.random.default_rng(3)
    latency, shift = [], []
    for k in range(12):
        mean = rng.uniform(5, 40) if k % 2 else 0.0
        delays = Delays(mean, mean * rng.uniform(0.1, 0.3), rng.uniform(0.6, 1))
        eye = vep_response(delays, cortex=Cortex.draw(rng, shape_cv=0.15), jitter_ms=2)
        change = rng.uniform(-5, 5)
        before = eye.sweeps(100, rng, noise=CLEAN)
        after = eye.moved(change).sweeps(100, rng, noise=CLEAN)
        latency.append(p100(before, SFREQ_HZ, START_MS).latency_ms - eye.latency_ms)
        shift.append(latency_shift([before, after], SFREQ_HZ, START_MS).ms - change)
    assert abs(np.mean(latency)) <= 0.5
    assert abs(np.mean(shift)) <= 0.5
    assert np.abs(latency).max() < 1.5
    assert np.abs(shift).max() < 1.5


def test_a_blocked_nerve_is_not_found_present():
    rng = np.random.default_rng(4)
    sweeps = vep_response(Delays(conducting=0)).sweeps(100, rng)
    assert p100(sweeps, SFREQ_HZ, START_MS).state != "present"


def test_two_humps_are_found_where_they_are():
    rng = np.random.default_rng(5)
    eye = vep_response(Delays(mean_ms=10, late_share=0.5, late_ms=35))
    found = p100(eye.sweeps(100, rng, noise=CLEAN), SFREQ_HZ, START_MS)
    assert found.shape == "bifid"
    np.testing.assert_allclose(found.hump_ms, eye.humps_ms, atol=2)
