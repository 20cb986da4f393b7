"""What came of a stimulus is told apart: conducted, blocked, unfinished, not started."""

from __future__ import annotations

import numpy as np
import pytest

from remyelin import conduction
from remyelin.conduction import Stimulus, conduct
from remyelin.errors import InputError

OPTIC = conduction.optic_nerve()


def test_a_short_run_is_unfinished_and_not_blocked():
    result = conduct([OPTIC, OPTIC.demyelinate(range(20, 24), bare=True)], duration_ms=1)
    assert result.outcome == ("unfinished", "unfinished")
    with pytest.raises(InputError, match="duration_ms is 1: axon 0 was still conducting"):
        _ = result.blocked


def test_every_duration_gives_the_outcome_of_a_long_run_or_unfinished():
    axons = [OPTIC, *(OPTIC.demyelinate(range(25, 25 + n), bare=True) for n in (1, 2, 3))]
    final = conduct(axons, duration_ms=12).outcome
    for duration_ms in np.arange(0.2, 5, 0.3):
        words = conduct(axons, duration_ms=duration_ms).outcome
        for word, end in zip(words, final, strict=True):
            assert word in (end, "unfinished"), duration_ms


def test_a_weak_stimulus_has_not_started():
    result = conduct([OPTIC] * 2, duration_ms=3, stimulus=[Stimulus(current_na=0.02), Stimulus()])
    assert result.outcome == ("not started", "conducted")
    with pytest.raises(InputError, match="stimulus is too weak: the second node of axon 0 never fired"):
        _ = result.blocked


def test_a_stimulus_still_to_come_has_not_started():
    assert conduct(OPTIC, duration_ms=3, stimulus=Stimulus((5.0,))).outcome == ("not started",)


def test_a_lesion_where_the_stimulus_is_says_so():
    result = conduct(OPTIC.demyelinate(range(4), bare=True), duration_ms=6)
    assert result.outcome == ("not started",)
    with pytest.raises(InputError, match="begin the lesion further from the first node"):
        _ = result.blocked


def test_velocity_delay_and_places_agree():
    result = conduct([OPTIC, OPTIC.demyelinate(range(20, 26), bare=True)], duration_ms=5)
    arrival = result.arrival_ms[0]
    assert result.delay_ms[0] == pytest.approx(arrival[-1] - arrival[0])
    way = OPTIC.position_um[30] - OPTIC.position_um[20]
    assert result.velocity_m_per_s[0] == pytest.approx(way / 1e3 / (arrival[30] - arrival[20]))
    assert result.velocity_between(20, 30)[0] == result.velocity_m_per_s[0]
    assert np.isnan([result.delay_ms[1], result.velocity_m_per_s[1]]).all()
    assert result.n_spikes.tolist() == [1, 0]


def test_spikes_of_a_train_come_one_after_another():
    result = conduct(OPTIC, duration_ms=9, stimulus=Stimulus((0.0, 5.0)), spikes=3)
    first, second, third = result.spikes_ms[:, 0]
    assert np.all(second > first)
    assert second[-1] - first[-1] == pytest.approx(5, abs=0.2)
    assert np.isnan(third).all()


def test_energy_is_sodium_over_three_ions():
    result = conduct(OPTIC, duration_ms=4)
    assert result.sodium_pc[0] > 0
    assert result.energy == pytest.approx(result.sodium_pc * 1e-12 / 1.602176634e-19 / 3)


def test_recorded_potentials_rise_through_the_threshold_at_the_arrival():
    result = conduct(OPTIC, duration_ms=3, record_us=4)
    node = 30
    trace = result.potential_mv[0, :, node]
    k = int(np.argmax(trace > -20))
    assert result.time_ms[k - 1] <= result.arrival_ms[0, node] <= result.time_ms[k]
    assert trace.max() == pytest.approx(result.peak_mv[0, node], abs=1e-9)
    assert trace[0] == pytest.approx(-82, abs=1e-3)
