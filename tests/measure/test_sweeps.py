"""Cutting at the reversals: times, drift, artefacts."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from remyelin.errors import InputError
from remyelin.measure.recording.drift import drift_uv
from remyelin.measure.recording.epochs import REASONS, condition_sweeps, cut, window

from .vep_files import response, signal

TIMES = 1.0 + 0.5 * np.arange(20)


def grid(n: int, sfreq: float, start: float = -50.0) -> np.ndarray:
    return start + np.arange(n) * 1000 / sfreq


def sweeps_of(x: np.ndarray, sfreq: float, lights: np.ndarray, reject: float = 200.0, **more):
    span = window(0.5)
    whole = cut(x, sfreq, lights, span, 0.5, reject, **more)
    return whole, span


@given(part=st.floats(-0.5, 0.5), sfreq=st.sampled_from([250.0, 256.0, 512.0, 1000.0]))
@settings(max_examples=40, deadline=None)
def test_a_trigger_between_samples_moves_nothing(part, sfreq):
    """Every sweep lies on the grid of times after the light, wherever its trigger fell."""
    t = np.arange(round(13 * sfreq)) / sfreq
    # On the samples, then each moved by the same part of a sample.
    lights = np.rint(TIMES * sfreq) / sfreq + part / sfreq
    x = sum(response(1000 * (t - light)) for light in lights)
    whole, span = sweeps_of(x, sfreq, lights)
    own, _ = condition_sweeps(whole, range(len(lights)), span, sfreq, "a.edf", "OD")
    wanted = response(grid(own.shape[1], sfreq))
    # The drift is a constant here, and the zero of the average lies before the stimulus.
    wanted -= wanted[grid(own.shape[1], sfreq) < 0].mean()
    np.testing.assert_allclose(own, np.broadcast_to(wanted, own.shape), atol=0.01)


def test_triggers_on_samples_are_not_interpolated():
    x = np.random.default_rng(3).normal(size=13000)
    whole, _ = sweeps_of(x, 1000.0, TIMES)
    wanted = np.stack([x[round(1000 * t) - 50 : round(1000 * t) + 401] for t in TIMES])
    level = whole.sweeps_uv - wanted
    # What is left is the drift: a straight line with one bend.
    assert np.abs(np.diff(level, 2, axis=1)).max() < 1e-2
    assert np.abs(np.diff(level, 2, axis=1)[:, 310:]).max() < 1e-12


@given(slope=st.floats(-60, 60), offset=st.floats(-1e4, 1e4))
@settings(max_examples=25, deadline=None)
def test_drift_and_offset_change_nothing(slope, offset):
    x = signal(TIMES, delay_ms=0.0, noise_uv=0.0)
    t = np.arange(len(x)) / 1000
    clean, span = sweeps_of(x, 1000.0, TIMES)
    drifting, _ = sweeps_of(x + offset + slope * t, 1000.0, TIMES)
    inner = range(1, len(TIMES) - 1)  # the first and the last have no line on their outer side
    a, _ = condition_sweeps(clean, inner, span, 1000.0, "a.edf", "OD")
    b, _ = condition_sweeps(drifting, inner, span, 1000.0, "a.edf", "OD")
    np.testing.assert_allclose(a.mean(0), b.mean(0), atol=1e-6)
    assert abs(int(a.mean(0).argmax()) - int(b.mean(0).argmax())) == 0


def test_the_drift_of_a_repeating_response_is_a_constant():
    x = signal(TIMES, delay_ms=0.0, noise_uv=0.0)
    _, level = drift_uv(x, 1000.0, TIMES, 0.5, 200.0)
    assert np.ptp(level[1:-1]) < 1e-6


def test_an_artefact_costs_its_own_sweep_and_leaves_its_neighbours_alone():
    x = signal(TIMES, delay_ms=0.0)
    blink = x.copy()
    at = round(1000 * TIMES[7])
    blink[at : at + 300] += 600 * np.hanning(300)
    clean, _ = sweeps_of(x, 1000.0, TIMES)
    whole, _ = sweeps_of(blink, 1000.0, TIMES)
    assert [k for k, reason in enumerate(whole.reasons) if reason] == [7]
    assert whole.reasons[7] == "peak-to-peak"
    others = [k for k in range(len(TIMES)) if k not in (6, 7, 8)]
    np.testing.assert_array_equal(whole.sweeps_uv[others], clean.sweeps_uv[others])
    # Beside it, the drift is that of the intervals around.
    assert np.abs(whole.sweeps_uv[[6, 8]] - clean.sweeps_uv[[6, 8]]).max() < 1.0


def test_reasons_are_told_and_counted():
    x = signal(TIMES, delay_ms=0.0)
    x[round(1000 * TIMES[3]) - 60 : round(1000 * TIMES[3]) + 420] = 0.0
    full = np.zeros(len(x), bool)
    full[round(1000 * TIMES[5]) + 100] = True
    lights = np.sort(np.append(TIMES, [0.01, TIMES[9] + 0.2]))
    whole = cut(x, 1000.0, lights, window(0.5), 0.5, 200.0, bad=[(TIMES[12], TIMES[12] + 0.1)], clipped=full)
    found = dict(zip(lights.tolist(), whole.reasons, strict=True))
    assert found[0.01] == "cut off"
    assert found[TIMES[3]] == "flat"
    assert found[TIMES[5]] == "clipped"
    assert found[TIMES[9]] == "next too early"
    assert found[TIMES[12]] == "marked bad"
    assert set(whole.reasons) <= {"", *REASONS}
    assert whole.reasons.count("") == len(lights) - 6  # the one that follows too early overlaps the next


def test_a_fast_drift_is_rejected():
    x = signal(TIMES, delay_ms=0.0)
    t = np.arange(len(x)) / 1000
    x += 150 * np.clip(t - 5, 0, 2) * 2
    whole, _ = sweeps_of(x, 1000.0, TIMES, reject=100.0)
    assert set(whole.reasons) == {"", "drift"}


def test_without_two_good_sweeps_there_is_nothing_to_measure():
    x = signal(TIMES, delay_ms=0.0, noise_uv=100.0)
    whole, span = sweeps_of(x, 1000.0, TIMES)
    with pytest.raises(InputError, match=r"sweeps of OD is all of 20 rejected \(peak-to-peak 20\)"):
        condition_sweeps(whole, range(20), span, 1000.0, "a.edf", "OD")


@given(interval=st.floats(0.2, 3.0), sfreq=st.floats(100, 4000))
def test_the_window_ends_before_the_next_reversal(interval, sfreq):
    span = window(interval)
    last = span.start_ms + (span.samples(sfreq) - 1) * 1000 / sfreq
    assert last <= min(400.0, 1000 * interval)
    assert last > span.end_ms - 1000 / sfreq - 1e-3


def test_a_constant_is_taken_off_once_for_all_sweeps():
    """A mean of its own for each sweep would put the noise of 50 ms on all the others."""
    x = signal(TIMES, delay_ms=0.0, noise_uv=6.0)
    whole, span = sweeps_of(x, 1000.0, TIMES)
    own, _ = condition_sweeps(whole, range(20), span, 1000.0, "a.edf", "OD")
    assert own[:, :50].mean() == pytest.approx(0.0, abs=1e-12)
    assert np.ptp(whole.sweeps_uv - own) < 1e-9
