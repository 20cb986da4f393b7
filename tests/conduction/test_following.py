"""The rate that an axon can follow."""

import numpy as np
import pytest

from remyelin import conduction
from remyelin.conduction.stimulus import Stimulus
from remyelin.errors import InputError

AXON = conduction.optic_nerve(n_nodes=25)


def bare(count, **how):
    return AXON.demyelinate(range(11, 11 + count), bare=True, **how)


def test_it_falls_as_the_lesion_grows():
    axons = [AXON, bare(1), bare(2).at(36), bare(3)]
    found = conduction.max_following_rate_hz(axons, n_pulses=5, resolution=0.03)
    assert (np.diff(found.rate_hz[:3]) < 0).all()
    assert found.outcome == ("follows",) * 3 + ("blocked",)
    assert np.isnan(found.rate_hz[3])
    assert len(found.tried_hz[3]) == 0


def test_no_train_is_followed_faster_than_two_pulses():
    axons = [AXON, bare(1)]
    rate = conduction.max_following_rate_hz(axons, n_pulses=5).rate_hz
    period = conduction.refractory_period_ms(axons, longest_ms=10).period_ms
    assert (rate <= 1e3 / period * 1.02).all()


def test_a_train_arrives_whole_up_to_it():
    axon = bare(1)
    found = conduction.max_following_rate_hz(axon)
    rate = found.rate_hz[0]
    trains = [Stimulus(times_ms=tuple(np.arange(10) * 1e3 / hz)) for hz in (rate / 3, rate, 1.011 * rate)]
    direct = conduction.conduct([axon] * 3, duration_ms=120, stimulus=trains, spikes=10)
    assert direct.n_spikes[:2].tolist() == [10, 10]
    assert direct.n_spikes[2] < 10


def test_what_is_left_of_faster_trains_is_counted():
    found = conduction.max_following_rate_hz(AXON, resolution=0.05)
    rates, arrived = found.tried_hz[0], found.arrived[0]
    assert (np.diff(rates) > 0).all()
    assert (arrived[rates <= found.rate_hz[0]] == 10).all()
    assert (arrived[rates > found.rate_hz[0]] < 10).all()
    assert (arrived >= 1).all()


def test_the_ends_of_the_range_are_told():
    slow = conduction.max_following_rate_hz([AXON, bare(1)], lowest_hz=450, highest_hz=500, n_pulses=4)
    assert slow.outcome == ("faster", "slower")
    assert slow.rate_hz[0] == pytest.approx(500, rel=0.01)
    assert np.isnan(slow.rate_hz[1])
    assert repr(slow) == "FollowingRate(faster than tried, slower than tried; trains of 4)"


def test_rates_below_100_hz_are_found():
    found = conduction.max_following_rate_hz(bare(2), n_pulses=3, resolution=0.1)
    assert 10 < found.rate_hz[0] < 100


@pytest.mark.parametrize("wrong", [{"lowest_hz": 0}, {"lowest_hz": 5000}, {"n_pulses": 1}, {"resolution": 0}])
def test_bad_numbers_are_named(wrong):
    with pytest.raises(InputError, match=next(iter(wrong))):
        conduction.max_following_rate_hz(AXON, **wrong)
