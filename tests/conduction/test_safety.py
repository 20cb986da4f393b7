"""Safety factor and sodium reserve."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from remyelin import conduction
from remyelin.conduction.cable import follow
from remyelin.conduction.chain import Workshop
from remyelin.conduction.load import with_load, with_sodium
from remyelin.conduction.stimulus import Stimulus
from remyelin.errors import InputError

AXON = conduction.optic_nerve(n_nodes=25)


def bare(count, **how):
    return AXON.demyelinate(range(11, 11 + count), bare=True, **how)


def run(axon, chain, *, current_na=None, ms=6):
    stimulus = Stimulus(current_na=current_na or Stimulus().current_for(axon))
    return follow([axon], [chain], [stimulus], round(ms * 250), 4.0)


def test_the_intact_axon_is_as_safe_as_tasaki_measured():
    safety = conduction.safety_factor(AXON, nodes=[8, 12, 16])
    assert 5 < safety.factor[0] < 7
    assert np.ptp(safety.node_factor[0, [8, 12, 16]]) < 0.02 * safety.factor[0]


def test_longer_lesions_are_less_safe_until_they_block():
    axons = [AXON, bare(1), bare(2).at(36), bare(2), bare(2).at(38), bare(3)]
    safety = conduction.safety_factor(axons, nodes=range(10, 15), resolution=0.02)
    assert (np.diff(safety.factor) < 0).all()
    assert safety.outcome == ("conducted",) * 4 + ("blocked",) * 2
    assert ((safety.factor >= 1) == (np.array(safety.outcome) == "conducted")).all()
    assert set(safety.node[1:]) <= {11, 12, 13}


def test_it_reaches_one_at_the_temperature_of_block():
    lesion = bare(2)
    highest = conduction.block_temperature_c(lesion, resolution_c=0.02).temperature_c[0]
    safety = conduction.safety_factor([lesion.at(highest), lesion.at(highest + 0.02)], nodes=[11, 12, 13])
    assert 1 <= safety.factor[0] < 1.05
    assert 0.9 < safety.factor[1] < 1


@settings(max_examples=5, deadline=None)
@given(
    count=st.integers(1, 4),
    nav=st.sampled_from([0.0, 0.005, 0.02]),
    celsius=st.floats(33, 41),
)
def test_above_one_if_and_only_if_it_conducts(count, nav, celsius):
    axon = bare(count, nav_fraction=nav).at(celsius)
    blocked = conduction.conduct(axon, duration_ms=15).blocked[0]
    safety = conduction.safety_factor(axon, nodes=[11, 12], resolution=0.2)
    assert (safety.factor[0] < 1) == blocked


def test_heat_thin_myelin_and_loose_seals_make_it_less_safe():
    axons = [
        AXON,
        AXON.at(42),
        AXON.demyelinate(range(24), lamellae=2),
        AXON.demyelinate(range(24), seal=0.1),
    ]
    factor = conduction.safety_factor(axons, nodes=[12]).factor
    assert (factor[1:] < 0.95 * factor[0]).all()


def test_nodes_alike_are_computed_once_and_rightly():
    lesion = bare(1)
    chosen = [5, 9, 10, 12, 18]
    together = conduction.safety_factor(lesion, resolution=0.1).node_factor[0, chosen]
    alone = [
        conduction.safety_factor(lesion, nodes=[node], resolution=0.1).node_factor[0, node] for node in chosen
    ]
    np.testing.assert_allclose(together, alone, rtol=0.101)


def test_batch_and_single_agree():
    axons = [bare(1), bare(2, nav_fraction=0.01)]
    together = conduction.safety_factor(axons, nodes=[11, 12], resolution=0.1)
    alone = [conduction.safety_factor(axon, nodes=[11, 12], resolution=0.1) for axon in axons]
    assert together.factor.tolist() == [each.factor[0] for each in alone]
    assert (conduction.sodium_reserve(axons) == [conduction.sodium_reserve(a)[0] for a in axons]).all()


@pytest.mark.parametrize("axon", [AXON, bare(2, nav_fraction=0.01)])
def test_two_axons_side_by_side_take_twice_the_current(axon):
    chain = Workshop().chain(axon)
    once = run(axon, chain)
    twice = run(axon, with_load(chain, 0, 2.0), current_na=2 * Stimulus().current_for(axon))
    np.testing.assert_allclose(twice.arrival_ms, once.arrival_ms, rtol=1e-9)


def test_a_load_of_one_changes_nothing():
    axon = bare(1)
    chain = Workshop().chain(axon)
    once, loaded = run(axon, chain), run(axon, with_load(chain, 12, 1.0))
    np.testing.assert_allclose(loaded.arrival_ms, once.arrival_ms, rtol=1e-12)


@pytest.mark.parametrize("factor", [0.05, 0.5, 3.0])
def test_an_axon_with_less_sodium_rests_where_it_did(factor):
    axon = bare(2, nav_fraction=0.02)
    found = run(axon, with_sodium(Workshop().chain(axon), axon, factor), current_na=1e-9, ms=2)
    np.testing.assert_allclose(found.peak_mv[0], axon.membrane.resting_mv, atol=1e-5)


def test_an_axon_with_one_kind_of_sodium_channel_has_a_reserve():
    axon = conduction.bushy_cell(n_nodes=21)
    found = run(axon, with_sodium(Workshop().chain(axon), axon, 0.5), current_na=1e-9, ms=2)
    np.testing.assert_allclose(found.peak_mv[0], axon.membrane.resting_mv, atol=1e-5)
    assert conduction.sodium_reserve(axon)[0] > 1


def test_the_reserve_is_where_less_sodium_blocks():
    axons = [AXON, bare(1), bare(3)]
    reserve = conduction.sodium_reserve(axons, resolution=0.02)
    assert reserve[0] > reserve[1] > 1 > reserve[2] > 0
    for axon, factor in zip(axons, reserve, strict=True):
        chain = Workshop().chain(axon)
        words = [
            run(axon, with_sodium(chain, axon, 1 / part), ms=15).outcome[0]
            for part in (factor, 1.021 * factor)
        ]
        assert words == ["conducted", "blocked"]


@pytest.mark.parametrize("nodes", [[0], [25], []])
def test_nodes_must_exist(nodes):
    with pytest.raises(InputError, match="1 to 24"):
        conduction.safety_factor(AXON, nodes=nodes)


@pytest.mark.parametrize("function", [conduction.safety_factor, conduction.sodium_reserve])
def test_resolution_and_axons_are_checked(function):
    with pytest.raises(InputError, match="resolution"):
        function(AXON, resolution=0)
    with pytest.raises(InputError, match="axons"):
        function([])


def test_a_safety_factor_tells_where():
    safety = conduction.safety_factor([bare(2), bare(6)], nodes=[11, 12, 13], resolution=0.1)
    assert repr(safety) == "Safety(1.00 at node 12, 0.00)"
    assert safety.node.tolist() == [12, -1]
