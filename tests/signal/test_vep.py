import time
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from remyelin.conduction import NerveBundle
from remyelin.errors import InputError
from remyelin.signal import Cortex, Delays, EegNoise, vep_response

SILENT = EegNoise(sd_uv=0)


def nerve(*, n_axons=2000, seed=1, **lesion):
    rng = np.random.default_rng(seed)
    return NerveBundle.optic_nerve(n_axons, rng=rng, length_mm=45, **lesion).arrive()


def test_a_healthy_nerve_gives_the_norm_from_its_axons_or_from_no_delay():
    norm = Cortex.norm()
    by_delays, by_axons = vep_response(Delays()), vep_response(nerve(n_axons=20_000))
    assert by_delays.latency_ms == pytest.approx(norm.p100_ms, abs=0.01)
    assert by_delays.amplitude_uv == pytest.approx(norm.amplitude_uv, rel=1e-3)
    assert by_axons.latency_ms == pytest.approx(norm.p100_ms, abs=0.4)
    assert by_axons.amplitude_uv == pytest.approx(norm.amplitude_uv, rel=0.02)
    assert by_delays.state == "present"
    assert not by_delays.bifid


def test_troughs_lie_25_ms_before_and_35_ms_after_p100():
    found = vep_response(Delays())
    assert found.latency_ms - found.n75_ms == pytest.approx(25, abs=0.1)
    assert found.n135_ms - found.latency_ms == pytest.approx(35, abs=0.1)


@settings(deadline=None, max_examples=40)
@given(st.floats(0, 60), st.floats(0, 30), st.floats(0.05, 1))
def test_a_delay_alone_moves_every_peak_by_itself(delay_ms, behind_ms, conducting):
    before = vep_response(Delays(conducting=conducting))
    after = vep_response(Delays(mean_ms=delay_ms, conducting=conducting), retrochiasmal=behind_ms)
    for name in ("n75_ms", "latency_ms", "n135_ms"):
        assert getattr(after, name) - getattr(before, name) == pytest.approx(delay_ms + behind_ms, abs=0.02)
    assert after.amplitude_uv == pytest.approx(before.amplitude_uv, rel=1e-3)


@settings(deadline=None, max_examples=40)
@given(st.floats(1, 40), st.floats(0, 8), st.floats(0.01, 1))
def test_amplitude_is_proportional_to_what_conducts(mean_ms, sd_ms, conducting):
    whole = vep_response(Delays(mean_ms=mean_ms, sd_ms=sd_ms))
    part = vep_response(Delays(mean_ms=mean_ms, sd_ms=sd_ms, conducting=conducting))
    np.testing.assert_allclose(part.uv, conducting * whole.uv, atol=1e-9)
    assert part.latency_ms == pytest.approx(whole.latency_ms, abs=1e-6)


def test_amplitude_falls_with_dispersion_though_no_axon_is_lost():
    found = [vep_response(Delays(mean_ms=25, sd_ms=sd)).amplitude_uv for sd in (0, 2, 4, 6, 8, 10, 12)]
    assert (np.diff(found) < 0).all()
    assert found[-1] < 0.65 * found[0]


def test_longer_lesions_delay_more_and_lower_more():
    found = [
        vep_response(nerve(lesion_mm=length, nav_fraction=0.02 if length else None))
        for length in (0, 3, 6, 12, 20, 30)
    ]
    assert (np.diff([eye.latency_ms for eye in found]) > 0).all()
    assert (np.diff([eye.amplitude_uv for eye in found]) < 0).all()


def test_nerves_add_up():
    one = vep_response(Delays(mean_ms=10, conducting=0.3)).uv
    other = vep_response(Delays(mean_ms=45, conducting=0.2)).uv
    both = vep_response(Delays(mean_ms=10, conducting=0.5, late_share=0.4, late_ms=35)).uv
    np.testing.assert_allclose(one + other, both, atol=1e-9)


def test_half_of_the_drive_much_later_gives_two_humps():
    found = vep_response(Delays(late_share=0.5, late_ms=35))
    assert found.bifid
    first, second = found.humps_ms
    assert 25 < second - first < 45
    assert found.latency_ms in found.humps_ms
    assert found.state == "present"


def test_all_blocked_is_absent():
    axons = nerve(n_axons=50)
    none = replace(axons, delay_ms=np.full(50, np.nan), blocked=np.ones(50, dtype=bool))
    for blocked in (Delays(conducting=0), none):
        found = vep_response(blocked)
        assert found.state == "absent"
        assert np.isnan(found.latency_ms)
        assert found.amplitude_uv == 0
        np.testing.assert_allclose(found.uv, 0, atol=1e-9)


def test_lost_axons_take_amplitude_and_no_time():
    whole = nerve()
    half = replace(whole, axon_survival=0.5)
    assert vep_response(half).amplitude_uv == pytest.approx(0.5 * vep_response(whole).amplitude_uv)
    assert vep_response(half).latency_ms == pytest.approx(vep_response(whole).latency_ms)


def test_both_eyes_share_what_lies_behind_the_chiasm():
    behind = Delays(mean_ms=8, sd_ms=3)
    right, left = (vep_response(Delays(mean_ms=delay), retrochiasmal=behind) for delay in (0, 20))
    assert left.latency_ms - right.latency_ms == pytest.approx(20, abs=0.05)
    assert right.latency_ms > vep_response(Delays()).latency_ms + 6


def test_moved_is_a_later_arrival_of_every_axon():
    eye = vep_response(Delays(mean_ms=20, sd_ms=4), jitter_ms=2)
    again = vep_response(Delays(mean_ms=20, sd_ms=4), retrochiasmal=7.3, jitter_ms=2)
    moved = eye.moved(7.3)
    np.testing.assert_allclose(moved.uv, again.uv, atol=1e-9)
    assert moved.latency_ms == pytest.approx(again.latency_ms, abs=0.01)
    assert eye.moved(-1.2, gain=0.8).amplitude_uv == pytest.approx(0.8 * eye.amplitude_uv)


def test_jitter_lowers_the_mean_response_but_no_single_one():
    still, jittered = (vep_response(Delays(), jitter_ms=jitter) for jitter in (0, 6))
    assert jittered.amplitude_uv < still.amplitude_uv
    swept = jittered.sweeps(400, np.random.default_rng(1), noise=SILENT)
    time_ms = np.arange(-100, 400)
    expected = np.interp(time_ms, jittered.time_ms, jittered.uv, left=0.0)
    assert np.abs(swept.mean(axis=0) - expected).max() < 0.6
    assert swept.max(axis=1).std() < 0.02 * swept.max()


def test_sweeps_hold_the_response_and_the_noise():
    eye = vep_response(Delays(mean_ms=15))
    silent = eye.sweeps(3, np.random.default_rng(1), noise=SILENT)
    assert silent.shape == (3, 500)
    expected = np.interp(np.arange(400), eye.time_ms, eye.uv)
    np.testing.assert_allclose(silent[1, 100:], expected, atol=0.02)
    noisy = eye.sweeps(200, np.random.default_rng(1))
    assert (noisy - noisy.mean(axis=0)).std() == pytest.approx(EegNoise().sd_uv, rel=0.15)
    again = eye.sweeps(200, np.random.default_rng(1))
    assert noisy.tobytes() == again.tobytes()


def test_a_recording_says_where_the_pattern_reverses():
    eye = vep_response(Delays())
    uv, onset = eye.recording(5, np.random.default_rng(1), noise=SILENT, sfreq_hz=500, reversal_hz=1.0)
    np.testing.assert_array_equal(onset, 500 * np.arange(1, 6))
    assert len(uv) == 3001
    for start in onset:
        top = int(uv[start : start + 100].argmax())
        assert top * 2 == pytest.approx(eye.latency_ms, abs=2)


@pytest.mark.parametrize(
    ("call", "field"),
    [
        (lambda: vep_response([1, 2]), "arrivals"),
        (lambda: vep_response(Delays(), retrochiasmal=-1), "retrochiasmal"),
        (lambda: vep_response(Delays(), retrochiasmal="5"), "retrochiasmal"),
        (lambda: vep_response(Delays(), jitter_ms=float("nan")), "jitter_ms"),
        (lambda: vep_response(Delays()).moved(-90), "by_ms"),
        (lambda: vep_response(Delays()).moved(1, gain=0), "gain"),
        (lambda: vep_response(Delays()).sweeps(0, np.random.default_rng(1)), "n_sweeps"),
        (lambda: vep_response(Delays()).sweeps(10, np.random.default_rng(1), noise=3), "noise"),
        (lambda: vep_response(Delays()).sweeps(3, 1), "rng"),
        (lambda: vep_response(Delays(), cortex=100), "cortex"),
        (lambda: EegNoise().draw(10, 1000, 1), "rng"),
        (lambda: EegNoise.person(None), "rng"),
        (lambda: vep_response(Delays()).sweeps(10, np.random.default_rng(1), sfreq_hz=100), "sfreq_hz"),
        (lambda: vep_response(Delays()).sweeps(10, np.random.default_rng(1), start_ms=5), "start_ms"),
    ],
)
def test_bad_input_is_named(call, field):
    with pytest.raises(InputError) as caught:
        call()
    assert caught.value.field == field


def test_a_thousand_eyes_take_a_second_and_a_hundred_sweeps_milliseconds():
    rng = np.random.default_rng(1)
    arrivals = nerve(n_axons=1000, lesion_mm=10, nav_fraction=0.02)
    eye = vep_response(arrivals)
    begin = time.process_time()
    for _ in range(200):
        vep_response(arrivals, cortex=Cortex.draw(rng, shape_cv=0.15))
    middle = time.process_time()
    for _ in range(10):
        eye.sweeps(100, rng)
    assert middle - begin < 0.6  # aim 0.2; benchmarks/signal/vep.py measures it
    assert time.process_time() - middle < 0.6
