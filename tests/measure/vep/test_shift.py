"""The shift between visits: truth recovered, symmetry, intervals, several visits."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from remyelin.errors import InputError
from remyelin.measure.vep import latency_shift

from .waves import drawn, noise, recording, times_ms


@pytest.fixture(scope="module")
def visits():
    """Three visits of an eye whose response comes 3, then 6 ms earlier."""
    rng = np.random.default_rng(51)
    response = drawn(rng, 8.0, delay_ms=20)
    return [recording(rng, response, shift_ms=late) for late in (0, -3, -6)]


def test_nothing_changed_is_no_shift():
    """Twelve eyes, two recordings each of the same response: nothing on average, no gain."""
    found = []
    for k in range(12):
        rng = np.random.default_rng([52, k])
        response = drawn(rng, 8.0)
        found.append(latency_shift([recording(rng, response) for _ in range(2)], 1000, -50))
    z = np.array([one.ms / one.se_ms for one in found])
    assert abs(z.mean()) < 3 / np.sqrt(12)
    assert np.abs(z).max() < 3.5
    assert np.mean([one.gain for one in found]) == pytest.approx(1, abs=0.1)


def test_a_visit_against_itself_has_not_shifted(visits):
    found = latency_shift([visits[0], visits[0]], 1000, -50)
    assert found.ms == pytest.approx(0, abs=0.02 * found.se_ms)
    assert found.gain == pytest.approx(1, abs=0.02)


@settings(max_examples=4, deadline=None)
@given(truth=st.floats(-10, 10), gain=st.floats(0.7, 1.4), seed=st.integers(0, 1000))
def test_exchanging_the_visits_changes_the_sign_and_nothing_else(truth, gain, seed):
    """To a fiftieth of the standard error or 0.1 ms: the first visit's clock dates the prior."""
    rng = np.random.default_rng(seed)
    response = drawn(rng, 8.0)
    first, last = recording(rng, response), recording(rng, response, shift_ms=truth, gain=gain)
    one, two = latency_shift([first, last], 1000, -50), latency_shift([last, first], 1000, -50)
    tolerance = max(0.1, 0.05 * one.se_ms)
    assert one.ms == pytest.approx(-two.ms, abs=tolerance)
    assert one.ci_ms == pytest.approx((-two.ci_ms[1], -two.ci_ms[0]), abs=2 * tolerance)
    assert one.se_ms == pytest.approx(two.se_ms, rel=0.05)
    assert one.gain * two.gain == pytest.approx(1, abs=0.06)


def test_the_start_of_both_visits_cancels(visits):
    first, last = visits[0], visits[2]
    here = latency_shift([first, last], 1000, -50)
    assert latency_shift([first, last], 1000, -45).ms == pytest.approx(here.ms, abs=0.2 * here.se_ms)
    assert latency_shift([first, last], 1000, [-50, -47]).ms == pytest.approx(
        here.ms + 3, abs=0.2 * here.se_ms
    )


def test_gain_and_offset_of_one_visit_do_not_matter(visits):
    first, last = visits[0], visits[2]
    here = latency_shift([first, last], 1000, -50)
    louder = latency_shift([first, 1.25 * last + 5], 1000, -50)
    assert louder.ms == pytest.approx(here.ms, abs=0.1 * here.se_ms)
    assert louder.gain == pytest.approx(1.25 * here.gain, rel=0.05)


def test_both_gains_hardly_matter(visits):
    here = latency_shift(visits[::2], 1000, -50)
    louder = latency_shift([1.3 * visit for visit in visits[::2]], 1000, -50)
    assert louder.ms == pytest.approx(here.ms, abs=0.1 * here.se_ms)


def test_a_visit_between_changes_the_error_little_and_the_sign_never(visits):
    two, three = latency_shift(visits[::2], 1000, -50), latency_shift(visits, 1000, -50)
    assert two.ms < -2 * two.se_ms
    assert three.ms < 0
    assert three.ms == pytest.approx(two.ms, abs=two.se_ms)
    assert 0.7 < three.se_ms / two.se_ms < 1.1
    assert len(three.by_visit_ms) == 3
    assert three.by_visit_ms[0] == 0
    assert three.by_visit_ms[1] == pytest.approx(-3, abs=3 * two.se_ms)
    assert three.by_visit_ms[2] == three.ms


def test_rates_and_starts_may_differ_between_visits():
    response = drawn(np.random.default_rng(53), 9.0, delay_ms=10)
    found = []
    for rates in ((256, 2000), (500, 500), (1000, 1000), (2000, 256)):
        sweeps = []
        for seed, rate, late in zip((1, 2), rates, (0, -5), strict=True):
            times = times_ms(rate)
            sweeps.append(noise(np.random.default_rng(seed), 100, times) + response.at(times - late))
        found.append(latency_shift(sweeps, rates, -50))
    assert np.ptp([one.ms for one in found]) < 0.1 * found[0].se_ms


def test_where_there_is_no_response_the_prior_is_left():
    """Nothing is known: about 0, with the spread of changes that were published."""
    rng = np.random.default_rng(54)
    found = latency_shift([noise(rng, 100, times_ms()) for _ in range(2)], 1000, -50)
    assert found.se_ms > 5
    assert found.ci_ms[0] < 0 < found.ci_ms[1]


def test_a_narrower_prior_pulls_towards_nothing(visits):
    wide = latency_shift(visits[::2], 1000, -50)
    narrow = latency_shift(visits[::2], 1000, -50, prior_sd_ms=2.0)
    expected = wide.ms * (1 / wide.se_ms**2) / (1 / wide.se_ms**2 - 1 / 10.0**2 + 1 / 2.0**2)
    assert narrow.ms == pytest.approx(expected, rel=0.25)
    assert narrow.se_ms < wide.se_ms


def test_the_density_is_what_the_numbers_come_from(visits):
    found = latency_shift(visits[::2], 1000, -50)
    assert found.density.sum() == pytest.approx(1)
    assert found.density @ found.time_ms == pytest.approx(found.ms)
    inside = (found.time_ms >= found.ci_ms[0]) & (found.time_ms <= found.ci_ms[1])
    assert found.density[inside].sum() == pytest.approx(0.95, abs=0.01)


def test_the_same_visits_give_the_same_bytes(visits):
    one, two = latency_shift(visits[:2], 1000, -50), latency_shift(visits[:2], 1000, -50)
    assert one == two
    assert one.density.tobytes() == two.density.tobytes()


def test_averages_of_other_programs_will_do(visits):
    """One row a visit: the shift is found, with an interval from the noise outside the response."""
    whole = latency_shift(visits[::2], 1000, -50)
    alone = latency_shift([visit.mean(axis=0)[None] for visit in visits[::2]], 1000, -50)
    assert alone.ms == pytest.approx(whole.ms, abs=2 * whole.se_ms)
    assert 0.3 < alone.se_ms / whole.se_ms < 3


@pytest.mark.parametrize(
    ("take", "words"),
    [
        (lambda visits: [], "visits is 0, expected two visits or more"),
        (lambda visits: visits[:1], "visits is 1, expected two"),
        (lambda visits: visits[0], "shape"),  # the sweeps themselves, not a list of visits
        (lambda visits: [visits[0], visits[1] * np.nan], "not finite"),
        (lambda visits: [visits[0], np.zeros((100, 450))], "without scatter"),
        (lambda visits: [visits[0], visits[1][:, :200]], "longer sweeps"),
    ],
    ids=["none", "one", "no list", "not finite", "flat", "short"],
)
def test_bad_input_is_refused(visits, take, words):
    with pytest.raises(InputError, match=words):
        latency_shift(take(visits), 1000, -50)
