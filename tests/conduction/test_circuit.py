"""The elements of the circuit are those of the geometry."""

from __future__ import annotations

import math

import numpy as np

from remyelin import conduction
from remyelin.conduction.circuit import bare_compartment, internode_ladder, node_compartment


def test_a_node_has_the_capacitance_of_its_area_and_rests():
    axon = conduction.optic_nerve()
    node = axon.nodes[0]
    piece = node_compartment(axon, node)
    area_cm2 = math.pi * node.diameter_um * node.length_um * 1e-8
    assert math.isclose(piece.capacitance_uf, axon.membrane.capacitance_uf_per_cm2 * area_cm2, rel_tol=1e-12)
    rest, open_parts = (
        axon.membrane.resting_mv,
        [c.open_part(axon.membrane.resting_mv, 37.0) for c in axon.membrane.channels],
    )
    current = piece.leak_ms * (rest - piece.leak_mv) + sum(
        g * part * (rest - channel.reversal_mv)
        for g, part, channel in zip(piece.conductance_ms, open_parts, axon.membrane.channels, strict=True)
    )
    assert abs(current) < 1e-12 * piece.leak_ms * abs(rest)


def test_a_ladder_has_the_axon_and_the_sheath_of_its_internode():
    axon = conduction.optic_nerve()
    internode = axon.parts[0]
    ladder = internode_ladder(axon, internode)
    assert ladder.shape == (6, sum(part.segments for part in internode.stretches))
    np.testing.assert_array_equal(ladder, ladder[:, ::-1])
    radius_mm, length_mm = internode.diameter_um / 2e3, internode.length_um / 1e3
    axoplasm = axon.axial_ohm_m * length_mm / (math.pi * radius_mm**2)
    assert math.isclose(ladder[4].sum(), axoplasm, rel_tol=1e-9)
    # Membranes in series: the sheath has the capacitance of one, divided by about their number.
    one = internode.myelin.membrane_uf_per_cm2 * 1e-2 * 2 * math.pi * radius_mm * length_mm
    ratio = one / ladder[2].sum() / (2 * internode.myelin.lamellae)
    assert 0.75 < ratio < 1


def test_bare_axon_has_the_channels_it_is_given():
    axon = conduction.optic_nerve(n_nodes=4).demyelinate([1], bare=True, nav_fraction=0.01)
    bare, node = axon.parts[1], axon.nodes[0]
    piece, whole = bare_compartment(axon, bare), node_compartment(axon, node)
    area = math.pi * bare.diameter_um * bare.length_um / bare.compartments
    share = 0.01 * area / node.area_um2
    np.testing.assert_allclose(piece.conductance_ms, np.array(whole.conductance_ms) * share)
