"""P100 of one visit: truth recovered, intervals that mean what they say, shapes named, nothing silent."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from remyelin.errors import InputError
from remyelin.measure.vep import p100

from .waves import bifid, drawn, noise, recording, times_ms

TIMES = times_ms()


@pytest.fixture(scope="module")
def plain():
    """A clear response of usual shape: truth and sweeps."""
    rng = np.random.default_rng(31)
    response = drawn(rng, 8.0, delay_ms=8)
    return response, recording(rng, response)


def test_a_clear_response_is_measured(plain):
    response, sweeps = plain
    found = p100(sweeps, 1000, -50)
    assert (found.state, found.shape, found.reason, found.hump_ms) == ("present", "normal", "", ())
    assert found.latency_ms == pytest.approx(response.latency_ms, abs=4 * found.se_ms)
    assert found.ci_ms[0] < found.latency_ms < found.ci_ms[1]
    assert found.n75_ms < found.latency_ms - 12 < found.latency_ms + 15 < found.n135_ms
    trough = response.at(np.arange(40, response.latency_ms)).min()
    assert found.amplitude_uv == pytest.approx(response.size_uv - trough, abs=4 * found.amplitude_se_uv)
    assert found.snr > 2
    assert found.fit_uv[found.time_ms == round(found.latency_ms)] == pytest.approx(
        found.fit_uv.max(), rel=0.1
    )


@settings(max_examples=6, deadline=None)
@given(late=st.floats(-8, 8))
def test_a_later_start_is_a_later_latency(plain, late):
    """To a half of the standard error: early latencies are rarer than others, and the window stays."""
    _, sweeps = plain
    here, there = p100(sweeps, 1000, -50), p100(sweeps, 1000, -50 + late)
    assert there.latency_ms - here.latency_ms == pytest.approx(late, abs=0.5 * here.se_ms)


@settings(max_examples=6, deadline=None)
@given(offset=st.floats(-20, 20))
def test_an_offset_does_not_matter(plain, offset):
    _, sweeps = plain
    here, there = p100(sweeps, 1000, -50), p100(sweeps + offset, 1000, -50)
    assert there.latency_ms == pytest.approx(here.latency_ms, abs=0.3 * here.se_ms)


@settings(max_examples=6, deadline=None)
@given(gain=st.floats(0.7, 1.4))
def test_gain_hardly_moves_the_latency_and_scales_the_amplitude(plain, gain):
    """Hardly: responses of 1.2 to 15 uV are looked for, so that amplitude tells something."""
    _, sweeps = plain
    here, there = p100(sweeps, 1000, -50), p100(gain * sweeps, 1000, -50)
    assert there.latency_ms == pytest.approx(here.latency_ms, abs=0.3 * here.se_ms)
    assert there.amplitude_uv == pytest.approx(gain * here.amplitude_uv, rel=0.05)
    assert there.snr == pytest.approx(here.snr, rel=1e-6)


def test_the_order_of_pairs_does_not_matter_and_that_of_sweeps_hardly(plain):
    """Neighbours are averaged before their scatter is taken: only other pairs give another error."""
    _, sweeps = plain
    here, back = p100(sweeps, 1000, -50), p100(sweeps[::-1], 1000, -50)
    assert back.latency_ms == pytest.approx(here.latency_ms, abs=1e-6)
    mixed = p100(np.random.default_rng(0).permutation(sweeps), 1000, -50)
    assert mixed.latency_ms == pytest.approx(here.latency_ms, abs=0.5 * here.se_ms)


def test_the_sampling_rate_does_not_matter():
    """The same continuous recording at four rates; the draws alone differ by 0.06 SE."""
    response = drawn(np.random.default_rng(32), 8.0)
    found = []
    for rate in (256, 500, 1000, 2000):
        times = times_ms(rate)
        sweeps = noise(np.random.default_rng(33), 100, times) + response.at(times)
        found.append(p100(sweeps, rate, -50))
    latencies = [one.latency_ms for one in found]
    assert np.ptp(latencies) < 0.3 * found[0].se_ms
    assert {one.state for one in found} == {"present"}


def test_the_same_sweeps_give_the_same_bytes(plain):
    _, sweeps = plain
    one, two = p100(sweeps, 1000, -50), p100(sweeps.copy(), 1000, -50)
    assert one == two
    assert one.fit_uv.tobytes() == two.fit_uv.tobytes()
    other = p100(sweeps, 1000, -50, seed=1)
    assert other.latency_ms != one.latency_ms
    assert other.latency_ms == pytest.approx(one.latency_ms, abs=0.25 * one.se_ms)


def test_both_humps_are_reported_with_the_rule():
    response = bifid(9.0)
    found = p100(recording(np.random.default_rng(34), response, 200), 1000, -50)
    assert found.shape == "bifid"
    assert found.hump_ms == pytest.approx((108, 136), abs=4)
    assert found.latency_ms == found.hump_ms[0]
    assert "the higher is taken, the first" in found.reason


def test_the_second_hump_is_taken_where_it_is_the_higher():
    found = p100(recording(np.random.default_rng(35), bifid(9.0, second=1.6), 200), 1000, -50)
    assert found.shape == "bifid"
    assert found.latency_ms == found.hump_ms[1] == pytest.approx(136, abs=4)
    assert "the second" in found.reason


@pytest.mark.parametrize("period_ms", [50, 63, 100])
def test_what_is_no_pattern_reversal_response_is_called_atypical(period_ms):
    """Oscillations, locked to the stimulus."""
    wave = 9 * np.sin(2 * np.pi * TIMES / period_ms)
    sweeps = noise(np.random.default_rng(36), 100, TIMES) + wave
    found = p100(sweeps, 1000, -50)
    assert found.shape == "atypical"
    assert found.reason


@pytest.mark.parametrize("hz", [25, 50])
def test_mains_locked_to_the_stimulus_is_no_response(hz):
    """It lies above the band of the test."""
    sweeps = noise(np.random.default_rng(37), 100, TIMES) + 6 * np.sin(2 * np.pi * hz * TIMES / 1000)
    assert p100(sweeps, 1000, -50).state != "present"


def test_polarity_that_is_upside_down_is_scored_and_named_where_it_is_plain():
    """One recording seldom settles it; the score has the right sign in every one of ten."""
    named = 0
    for k in range(10):
        rng = np.random.default_rng([38, k])
        sweeps = recording(rng, drawn(rng, 8.0, delay_ms=5))
        upright, turned = p100(sweeps, 1000, -50), p100(-sweeps, 1000, -50)
        assert upright.upside_down < 0 < turned.upside_down
        assert "inverted" not in upright.reason
        if "inverted polarity" in turned.reason:
            named += 1
            assert turned.shape == "atypical"
    assert named >= 3


@pytest.mark.parametrize(("sd_uv", "state"), [(5, "absent"), (50, "indeterminate")])
def test_no_response_is_no_latency_or_a_doubtful_one(sd_uv, state):
    found = p100(noise(np.random.default_rng(39), 100, TIMES, sd_uv), 1000, -50)
    assert found.state == found.detection.state == state
    assert np.isnan(found.latency_ms) == (state == "absent")
    if state == "absent":
        assert np.isnan([found.se_ms, *found.ci_ms, found.amplitude_uv, found.n75_ms, found.n135_ms]).all()
        assert "absent" in str(found)
    else:
        assert found.se_ms > 10


def test_a_lone_average_has_a_wide_but_true_interval(plain):
    response, sweeps = plain
    alone, all_sweeps = p100(sweeps.mean(axis=0)[None], 1000, -50), p100(sweeps, 1000, -50)
    assert alone.state == "present"
    assert alone.ci_ms[0] <= response.latency_ms <= alone.ci_ms[1]
    assert alone.latency_ms == pytest.approx(all_sweeps.latency_ms, abs=2 * alone.se_ms)
    assert p100(noise(np.random.default_rng(1), 100, TIMES).mean(axis=0)[None], 1000, -50).state != "present"


def test_a_start_in_seconds_is_doubted(plain):
    """-0.05 s read as ms would move P100 by 50 ms: the value carries the doubt."""
    _, sweeps = plain
    assert (
        "start_ms is -0.05: if it was meant in s, latencies are 50 ms too long"
        in p100(sweeps, 1000, -0.05).reason
    )
    assert "start_ms" not in p100(sweeps, 1000, -50).reason + p100(sweeps[:, 50:], 1000, 0).reason


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"sfreq_hz": 1}, "sfreq_hz is 1"),
        ({"sfreq_hz": 1e6}, "sfreq_hz is 1e\\+06"),
        ({"start_ms": 900}, "give start_ms in ms"),
        ({"sweeps_uv": np.zeros((100, 450))}, "without scatter"),
        ({"sweeps_uv": np.full((100, 450), np.nan)}, "not finite"),
        ({"sweeps_uv": np.zeros(450)}, "shape"),
        ({"sweeps_uv": []}, "shape"),
        ({"sweeps_uv": np.random.default_rng(0).normal(size=(9, 150))}, "longer sweeps"),
    ],
)
def test_bad_input_is_refused(plain, change, words):
    good = {"sweeps_uv": plain[1], "sfreq_hz": 1000, "start_ms": -50}
    with pytest.raises(InputError, match=words):
        p100(**good | change)
