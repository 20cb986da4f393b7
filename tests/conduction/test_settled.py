"""Simulations that go on until nothing is under way."""

import numpy as np
import pytest

from remyelin import conduction
from remyelin.conduction import settled
from remyelin.conduction.settled import baseline, guess_ms, pulses, until_settled
from remyelin.conduction.stimulus import Stimulus
from remyelin.errors import InputError

AXON = conduction.optic_nerve(n_nodes=15)
LESION = AXON.demyelinate(range(5, 8), bare=True, nav_fraction=0.01)
BLOCKED = AXON.demyelinate(range(5, 8), bare=True)


@pytest.mark.parametrize("guess", [0.1, 0.5, 5.0])
def test_a_short_guess_is_never_a_block(guess):
    found = until_settled([AXON, LESION, BLOCKED], [Stimulus()] * 3, [guess] * 3)
    assert found.outcome == ("conducted", "conducted", "blocked")
    assert found.n_spikes.tolist() == [1, 1, 0]
    direct = conduction.conduct([AXON, LESION], duration_ms=6)
    np.testing.assert_allclose(found.spikes_ms[0, :2], direct.arrival_ms, rtol=1e-9)


def test_axons_of_unlike_durations_do_not_change_each_other():
    axons = [AXON, AXON, LESION, BLOCKED] * 2
    stimuli = [pulses(None, (0.0, 1.5 * (k + 1))) for k in range(len(axons))]
    guess = [guess_ms(axon) for axon in axons]
    together = until_settled(axons, stimuli, guess)
    alone = [until_settled([a], [s], [g]) for a, s, g in zip(axons, stimuli, guess, strict=True)]
    assert together.n_spikes.tolist() == [int(each.n_spikes[0]) for each in alone]


def test_the_whole_train_is_awaited():
    found = until_settled([LESION], [pulses(None, (0.0, 20.0, 40.0))], [0.2])
    assert found.n_spikes[0] == 3
    assert found.spikes_ms[2, 0, -1] > 40


def test_a_stimulus_too_weak_is_named():
    weak = AXON.demyelinate(range(5), bare=True)
    with pytest.raises(InputError, match="second node of axon 1 never fired"):
        baseline([AXON, weak], None, dt_us=4, threads=1)


def test_an_axon_that_does_not_fall_silent_is_named(monkeypatch):
    monkeypatch.setattr(settled, "LONGEST_MS", 0.4)
    with pytest.raises(InputError, match=r"Axon\(optic-nerve.*still active [01] ms after"):
        until_settled([AXON], [Stimulus()], [0.3])


def test_an_axon_that_answers_twice_is_named():
    twice = AXON.demyelinate(range(3, 12), bare=True, nav_fraction=0.2)
    assert conduction.conduct(twice, duration_ms=10).n_spikes[0] == 2
    with pytest.raises(InputError, match="axon 1, whose last node fires 2 times on one stimulus"):
        conduction.refractory_period_ms([AXON, twice])
    assert conduction.safety_factor(twice, nodes=[4], resolution=0.5).factor[0] >= 1


@pytest.mark.parametrize(("name", "value"), [("dt_us", 0), ("dt_us", 11), ("threads", 0)])
def test_step_and_threads_are_checked(name, value):
    with pytest.raises(InputError, match=name):
        until_settled([AXON], [Stimulus()], [1.0], **{name: value})


def test_a_train_is_not_taken_for_a_pulse():
    with pytest.raises(InputError, match="a single pulse"):
        pulses(Stimulus(times_ms=(0.0, 1.0)), (0.0, 2.0))
