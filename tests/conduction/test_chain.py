"""A chain has the compartments and links of its axon, and shares what is equal."""

from __future__ import annotations

import numpy as np

from remyelin import conduction
from remyelin.conduction.chain import Workshop
from remyelin.conduction.modes import Modes


def test_an_intact_axon_has_one_kind_of_compartment_and_of_link():
    chain = Workshop().chain(conduction.optic_nerve(n_nodes=10))
    assert len(chain.compartments) == 10
    assert len({id(piece) for piece in chain.compartments}) == 1
    assert len({id(link) for link in chain.links}) == 1
    np.testing.assert_array_equal(chain.node, np.arange(10))


def test_a_bare_stretch_is_a_row_of_compartments_between_its_nodes():
    axon = conduction.optic_nerve(n_nodes=5).demyelinate([1], bare=True)
    pieces = axon.parts[1].compartments
    chain = Workshop().chain(axon)
    assert len(chain.compartments) == 5 + pieces
    assert len(chain.links) == 4 + pieces
    assert chain.node.tolist() == [0, 1, 2 + pieces, 3 + pieces, 4 + pieces]
    passive = [isinstance(link, Modes) for link in chain.links]
    assert passive == [True] + [False] * (pieces + 1) + [True, True]
    total = sum(1 / link for link in chain.links if not isinstance(link, Modes))
    run = chain.compartments[1 : 3 + pieces]
    ends = (run[0].resistance_kohm + run[-1].resistance_kohm) / 2
    np.testing.assert_allclose(total, ends + sum(piece.resistance_kohm for piece in run[1:-1]))


def test_equal_axons_share_what_was_worked_out_and_others_do_not():
    workshop = Workshop()
    first, same, warm = (
        workshop.chain(axon)
        for axon in (conduction.cortex(), conduction.cortex(), conduction.cortex(temperature_c=30))
    )
    assert first.links[0] is same.links[0] is warm.links[0]
    assert first.compartments[0] is same.compartments[0]
    assert first.compartments[0] is not warm.compartments[0]
