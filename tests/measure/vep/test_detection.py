"""Whether a response was seen: how often wrongly, how often rightly, and what is said where it was not."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chi2, f

from remyelin.errors import InputError
from remyelin.measure.vep import Detection, detect, detection

from .waves import drawn, noise, recording, times_ms

TIMES = times_ms()
SWEEPS = noise(np.random.default_rng(0), 100, TIMES)


def test_noise_is_rarely_taken_for_a_response():
    """400 recordings of coloured noise, 40 to 200 sweeps, little or much alpha: 2 % are asked for."""
    seen = 0
    for k in range(400):
        rng = np.random.default_rng([21, k])
        sweeps = noise(rng, (40, 60, 100, 200)[k % 4], TIMES, alpha=(0, 0.7, 1, 1.6)[k // 4 % 4])
        seen += detect(sweeps, 1000).state == "present"
    assert seen <= 8


def test_a_response_of_4_uv_is_seen_in_100_sweeps():
    rng = np.random.default_rng(22)
    found = [detect(recording(rng, drawn(rng, 4.0)), 1000).state for _ in range(100)]
    assert found.count("present") >= 90
    assert found.count("absent") <= 10


def test_the_stated_power_is_what_happens():
    """Of 100 responses of 2.5 uV about as many are seen as the power says, to 12 in 100."""
    rng = np.random.default_rng(23)
    found = [detect(recording(rng, drawn(rng, 2.5, delay_ms=10)), 1000, amplitude_uv=2.5) for _ in range(100)]
    seen = np.mean([one.state == "present" for one in found])
    assert seen == pytest.approx(np.mean([one.power for one in found]), abs=0.12)


def test_it_is_the_test_of_victor_and_mast():
    """T2circ, written as plain sums: n |mean|^2 over the variance of a component, then Fisher, then Brown."""
    rng = np.random.default_rng(3)
    samples, rate, n = (
        100,
        500,
        20,
    )  # 5, 10 and 15 Hz lie in the band, and fewer than 48 sweeps are not grouped
    sweeps = rng.normal(0, 5, (n, samples)) + 2 * np.cos(2 * np.pi * 10 * np.arange(samples) / rate)
    line = np.arange(samples)
    parts = np.zeros((n, 3), complex)
    for row, sweep in enumerate(sweeps):
        flat = (sweep - np.polyval(np.polyfit(line, sweep, 1), line)) * np.sin(
            np.pi * (line / (samples - 1)) ** 0.8
        ) ** 2
        for column, hz in enumerate((5, 10, 15)):
            parts[row, column] = (flat * np.exp(-2j * np.pi * hz * line / rate)).sum()

    def fisher(rows):
        mean = rows.mean(axis=0)
        variance = (np.abs(rows - mean) ** 2).sum(axis=0) / (n - 1)
        return -2 * sum(
            f.logsf(n * abs(m) ** 2 / v, 2, 2 * n - 2) for m, v in zip(mean, variance, strict=True)
        )

    coherence = 0.0
    for one, other in ((0, 1), (0, 2), (1, 2)):
        cross = np.cov(np.stack([parts[:, one], parts[:, other]]))
        coherence += abs(cross[0, 1]) ** 2 / (cross[0, 0] * cross[1, 1]).real - 1 / (n - 1)
    scale = 1 + max(0.0, 2 * coherence / 3)
    assert detect(sweeps, rate).p == pytest.approx(chi2.sf(fisher(parts) / scale, 6 / scale), rel=1e-8)


def test_the_variance_of_the_sum_is_that_of_noise():
    """Brown's variance against that of Fisher's sum over random signs of the same sweeps."""
    sweeps = noise(np.random.default_rng(4), 60, TIMES, alpha=2.0)
    rows = detection.paired(detection._harmonics(sweeps, 1000)[0], 2)
    residual = rows - rows.mean(axis=0)
    square = (np.abs(residual) ** 2).sum(axis=0)
    scale, freedom = detection._brown(residual, square)
    mean = np.random.default_rng(5).choice([-1.0, 1.0], (4000, 30)) @ residual / 30
    sums = detection._fisher(mean, square - 30 * np.abs(mean) ** 2, 30)
    assert scale > 1.3
    assert sums.var() / (4 * rows.shape[1]) == pytest.approx(scale, rel=0.25)
    assert freedom * scale == pytest.approx(2 * rows.shape[1])


@pytest.mark.parametrize(("sd_uv", "state"), [(5, "absent"), (40, "indeterminate")])
def test_absent_needs_the_power_to_have_seen_it(sd_uv, state):
    found = detect(SWEEPS * sd_uv / SWEEPS.std(), 1000)
    assert found.state == state
    assert (found.power >= 0.9) == (state == "absent")


def test_absence_is_relative_to_the_size_asked_for():
    assert detect(SWEEPS, 1000, amplitude_uv=6).state == "absent"
    assert detect(SWEEPS, 1000, amplitude_uv=0.5).state == "indeterminate"
    assert detect(SWEEPS, 1000, amplitude_uv=6).p == detect(SWEEPS, 1000, amplitude_uv=0.5).p


@settings(max_examples=15, deadline=None)
@given(gain=st.floats(1e-3, 1e3), offset=st.floats(-100, 100), slope=st.floats(-0.1, 0.1))
def test_the_amplifier_does_not_matter(gain, offset, slope):
    """Gain, offset and a straight drift change nothing of p; what a uV is enters the power only."""
    changed = gain * (SWEEPS[:40] + offset + slope * TIMES)
    assert detect(changed, 1000).p == pytest.approx(detect(SWEEPS[:40], 1000).p, rel=1e-6)


@settings(max_examples=15, deadline=None)
@given(order=st.permutations(range(20)))
def test_few_sweeps_have_no_order(order):
    """Below 48 sweeps; from there on neighbours are averaged, and only the order of groups is free."""
    assert detect(SWEEPS[:20][list(order)], 1000).p == pytest.approx(detect(SWEEPS[:20], 1000).p, rel=1e-9)


def test_groups_have_no_order():
    assert detect(SWEEPS[98::-1], 1000).p == pytest.approx(detect(SWEEPS[:99], 1000).p, rel=1e-9)


def test_a_response_upside_down_is_one_as_well():
    rng = np.random.default_rng(5)
    sweeps = recording(rng, drawn(rng, 8.0))
    assert detect(-sweeps, 1000).p == pytest.approx(detect(sweeps, 1000).p, rel=1e-9)
    assert detect(sweeps, 1000).state == "present"


@pytest.mark.parametrize(
    "sweeps",
    [SWEEPS[:3], np.zeros((40, 450)), np.tile(SWEEPS[0], (100, 1)), np.tile(SWEEPS[0], (7, 1))],
    ids=["three sweeps", "flat", "copies, even", "copies, odd"],
)
def test_where_nothing_can_be_said_nothing_is(sweeps):
    found = detect(sweeps, 1000)
    assert found.state == "indeterminate"
    assert np.isnan(found.p)


@pytest.mark.parametrize(
    ("sweeps", "rate", "words"),
    [
        (SWEEPS[0], 1000, "shape"),
        ([], 1000, "shape"),
        (np.full((10, 450), np.nan), 1000, "not finite"),
        (SWEEPS, 1, "sfreq_hz is 1, expected 200 Hz or more"),
    ],
)
def test_no_table_of_sweeps_is_refused(sweeps, rate, words):
    with pytest.raises(InputError, match=words):
        detect(sweeps, rate)


def test_it_says_itself():
    found = Detection("absent", 0.312, 0.984, 4.0)
    assert str(found) == "absent (p = 0.31; power for 4 uV: 98 %)"
