"""The refractory period of transmission."""

import numpy as np
import pytest

from remyelin import conduction
from remyelin.conduction.stimulus import Stimulus
from remyelin.errors import InputError

AXON = conduction.optic_nerve(n_nodes=25)


def bare(count, **how):
    return AXON.demyelinate(range(11, 11 + count), bare=True, **how)


def test_it_grows_with_the_lesion():
    axons = [AXON, bare(1), bare(2).at(36), bare(2), bare(3)]
    found = conduction.refractory_period_ms(axons, longest_ms=25, resolution_ms=0.1)
    assert found.outcome == ("transmits",) * 4 + ("blocked",)
    period = found.period_ms
    assert (np.diff(period[[0, 1, 3]]) > 0).all()
    assert period[2] < period[3]
    assert np.isnan(period[4])
    assert not found.broken.any()


def test_lesions_that_conduct_by_sodium_on_the_bare_axon_prolong_it_two_to_five_times():
    # Felts, Baker & Smith 1997 (10.1523/JNEUROSCI.17-19-07267.1997): "typically 2-5 times".
    lesions = [bare(n, nav_fraction=nav) for n, nav in ((4, 0.005), (8, 0.02))]
    period = conduction.refractory_period_ms([AXON, *lesions], resolution_ms=0.1).period_ms
    assert ((period[1:] / period[0] > 2) & (period[1:] / period[0] < 5)).all()


@pytest.mark.parametrize("axon", [AXON, bare(1), AXON.demyelinate(range(8, 16), lamellae=1)])
def test_the_second_action_potential_arrives_from_it_on(axon):
    period = conduction.refractory_period_ms(axon).period_ms[0]
    intervals = [period - 0.02, period, 1.3 * period, 2 * period, 20.0]
    stimuli = [Stimulus(times_ms=(0.0, interval)) for interval in intervals]
    found = conduction.conduct([axon] * 5, duration_ms=26, stimulus=stimuli, spikes=2)
    assert found.n_spikes.tolist() == [1, 2, 2, 2, 2]


def test_of_a_node_before_the_lesion_it_is_that_of_the_healthy_axon():
    axon = conduction.optic_nerve(n_nodes=31)
    lesions = [axon.demyelinate(range(20, 20 + n), bare=True) for n in (2, 5)]
    found = conduction.refractory_period_ms([axon, *lesions], node=16, longest_ms=10)
    assert np.ptp(found.period_ms) <= 0.021
    assert found.outcome == ("transmits",) * 3
    assert found.period_ms[0] == pytest.approx(conduction.refractory_period_ms(axon).period_ms[0], abs=0.021)


def test_a_period_beyond_the_longest_interval_is_told():
    found = conduction.refractory_period_ms([AXON, bare(1)], longest_ms=2.0, resolution_ms=0.1)
    assert found.outcome == ("transmits", "longer")
    assert repr(found) == "RefractoryPeriod(1.40 ms, longer)"


def test_cold_prolongs_it():
    found = conduction.refractory_period_ms([AXON.at(c) for c in (27, 32, 37)], resolution_ms=0.05)
    assert (np.diff(found.period_ms) < 0).all()


@pytest.mark.parametrize("wrong", [{"resolution_ms": 0}, {"longest_ms": 0.01}, {"node": 0}, {"node": 25}])
def test_bad_numbers_are_named(wrong):
    with pytest.raises(InputError, match=next(iter(wrong))):
        conduction.refractory_period_ms(AXON, **wrong)


def test_a_window_of_shorter_intervals_does_not_shorten_it():
    repaired = (
        conduction.optic_nerve()
        .demyelinate(range(16, 28), bare=True, nav_fraction=0.01)
        .remyelinate(range(16, 28), n_short=3, lamellae=3, nodal_nav="number")
    )
    stimuli = [Stimulus(times_ms=(0.0, interval)) for interval in (1.35, 1.5, 1.7)]
    found = conduction.conduct([repaired] * 3, duration_ms=12, stimulus=stimuli, spikes=2)
    assert found.n_spikes.tolist() == [2, 1, 2]
    assert conduction.refractory_period_ms(repaired, longest_ms=10).period_ms[0] > 1.5
