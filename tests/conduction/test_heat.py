"""The temperature of block."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from remyelin import conduction
from remyelin.conduction.stimulus import Stimulus
from remyelin.errors import InputError

AXON = conduction.optic_nerve(n_nodes=25)


def bare(count, **how):
    return AXON.demyelinate(range(11, 11 + count), bare=True, **how)


def test_it_falls_as_the_lesion_grows():
    found = conduction.block_temperature_c([AXON, *(bare(n) for n in (1, 2, 3, 4))])
    assert found.outcome == ("never", "above", "above", "above", "above")
    assert np.isnan(found.temperature_c[0])
    assert (np.diff(found.temperature_c[1:]) < 0).all()
    assert 36.5 <= found.temperature_c[2] < 38  # two bare internodes conduct at 37 and block at 38
    assert not found.broken.any()


def test_conduction_fails_above_it():
    lesion = bare(2)
    highest = conduction.block_temperature_c(lesion).temperature_c[0]
    warm = [highest - 5, highest - 1, highest, highest + 0.1, highest + 1, highest + 5]
    found = conduction.conduct([lesion.at(celsius) for celsius in warm], duration_ms=15)
    assert found.blocked.tolist() == [False] * 3 + [True] * 3


@settings(max_examples=8, deadline=None)
@given(celsius=st.lists(st.floats(38, 47), min_size=8, max_size=8))
def test_warmth_never_helps_two_bare_internodes(celsius):
    assert conduction.conduct([bare(2).at(c) for c in celsius], duration_ms=8).blocked.all()


def test_sodium_on_the_bare_axon_raises_it():
    found = conduction.block_temperature_c([bare(6, nav_fraction=nav) for nav in (0.0, 0.005, 0.01)])
    assert (np.diff(found.temperature_c) > 0).all()


def test_an_axon_blocked_at_every_temperature_is_told():
    found = conduction.block_temperature_c([bare(2), AXON], lowest_c=39, highest_c=41)
    assert found.outcome == ("always", "never")
    assert np.isnan(found.temperature_c).all()
    assert repr(found) == "BlockTemperature(blocked always from 39, never up to 41 degC)"


def test_the_temperature_of_the_axon_itself_is_not_used():
    found = conduction.block_temperature_c([bare(2).at(20), bare(2).at(44)])
    assert found.temperature_c[0] == found.temperature_c[1]


def test_a_stimulus_too_weak_is_not_a_block():
    with pytest.raises(InputError, match="never fired"):
        conduction.block_temperature_c(AXON, stimulus=Stimulus(current_na=0.01))


@pytest.mark.parametrize(
    "wrong",
    [{"lowest_c": 46}, {"highest_c": 60}, {"lowest_c": 2}, {"resolution_c": 0}, {"resolution_c": 20}],
)
def test_bad_numbers_are_named(wrong):
    with pytest.raises(InputError, match=next(iter(wrong))):
        conduction.block_temperature_c(AXON, **wrong)
