"""Axons abreast do not know of one another, whatever they are."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from remyelin import conduction
from remyelin.conduction.group import gate_table


def _uneven(axon: conduction.Axon) -> conduction.Axon:
    """An axon whose nodes differ, so that no internode between them is its own mirror image."""
    nodes = [
        replace(node, length_um=node.length_um * (1 + 0.1 * (k % 3))) for k, node in enumerate(axon.nodes)
    ]
    return replace(axon, nodes=tuple(nodes))


@pytest.fixture(scope="module")
def axons() -> list[conduction.Axon]:
    axon = conduction.optic_nerve(n_nodes=12)
    return [
        axon,
        conduction.optic_nerve(n_nodes=3),
        conduction.optic_nerve(n_nodes=40),
        axon.demyelinate(range(11), bare=True, nav_fraction=0.05),
        axon.demyelinate([4, 5], bare=True),
        axon.at(30),
        _uneven(axon),
        conduction.cortex(n_nodes=9).demyelinate(range(3, 6), lamellae=1),
        axon.remyelinate([6, 7], n_short=3, lamellae=2),
        conduction.mrg(10.0, n_nodes=9),
    ]


def test_each_axon_gives_bit_for_bit_what_it_gives_alone(axons):
    together = conduction.conduct(axons, duration_ms=1, threads=2, spikes=2, record_us=100)
    for k, axon in enumerate(axons):
        alone = conduction.conduct(axon, duration_ms=1, spikes=2, record_us=100)
        here = slice(axon.n_nodes)
        np.testing.assert_array_equal(together.spikes_ms[:, k, here], alone.spikes_ms[:, 0])
        np.testing.assert_array_equal(together.peak_mv[k, here], alone.peak_mv[0])
        np.testing.assert_array_equal(together.potential_mv[k, :, here], alone.potential_mv[0])
        assert together.sodium_pc[k] == alone.sodium_pc[0]
        assert together.outcome[k] == alone.outcome[0]


def test_a_bare_axon_has_no_modes_and_still_runs():
    bare = conduction.optic_nerve(n_nodes=4).demyelinate(range(3), bare=True, nav_fraction=0.05)
    result = conduction.conduct(bare, duration_ms=3)
    assert np.isfinite(result.peak_mv).all()
    assert result.outcome == ("conducted",)


def test_thousands_of_compartments_are_no_more_than_time():
    axon = conduction.optic_nerve(n_nodes=301).demyelinate(range(299), bare=True, nav_fraction=0.02)
    result = conduction.conduct(axon, duration_ms=0.2)
    assert np.isfinite(result.peak_mv).all()
    assert result.outcome == ("unfinished",)


def test_the_gate_table_rests_and_keeps_gates_between_0_and_1():
    membrane = conduction.optic_nerve().membrane
    table = gate_table(membrane, 37.0, 4e-3)
    adds, keeps = table[:, :4], table[:, 4:]
    steady = adds / (1 - keeps)
    assert ((steady >= 0) & (steady <= 1)).all()
    assert (np.abs(keeps) < 1).all()
    assert not table.flags.writeable
