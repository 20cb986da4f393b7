"""Halves of a mirror image give what the whole gives."""

from __future__ import annotations

import numpy as np
import pytest

from remyelin import conduction
from remyelin.conduction.circuit import internode_ladder, node_compartment
from remyelin.conduction.modes import Modes
from remyelin.conduction.reduction import FREQUENCIES_KHZ, HIGHEST_ERROR, complete, reduced

S = 2j * np.pi * np.array([0.05, 0.5, 5.0, 50.0])


def _admittance(modes: Modes, s: np.ndarray = S) -> np.ndarray:
    ties = modes.left, modes.right
    return np.array(
        [
            [
                (modes.port[i] if i == j else 0) - (ties[i] * ties[j] / (modes.rate + s[:, None])).sum(1)
                for i in (0, 1)
            ]
            for j in (0, 1)
        ]
    )


@pytest.fixture(scope="module")
def internode() -> tuple[np.ndarray, float]:
    axon = conduction.optic_nerve()
    return internode_ladder(axon, axon.parts[0]), node_compartment(axon, axon.nodes[0]).resistance_kohm


@pytest.mark.parametrize("segments", [1, 2, 7, 66])
def test_a_mirrored_internode_is_the_limit_of_one_that_is_hardly_not(internode, segments):
    ladder, end = internode
    middle = slice((66 - segments) // 2, (66 - segments) // 2 + segments)
    ladder = np.concatenate(
        [ladder[:, : segments // 2], ladder[:, middle][:, : segments % 2], ladder[:, 66 - segments // 2 :]], 1
    )
    for make in (reduced, complete):
        halves, whole = make(ladder, (end, end)), make(ladder, (end, end * (1 + 1e-12)))
        assert halves.mirrored == (segments > 1)
        assert not whole.mirrored
        np.testing.assert_allclose(
            _admittance(halves), _admittance(whole), rtol=1e-9, atol=1e-9 * halves.port[0]
        )


def test_modes_of_halves_are_even_and_odd_by_turns(internode):
    ladder, end = internode
    modes = reduced(ladder, (end, end))
    np.testing.assert_array_equal(modes.right[0::2], modes.left[0::2])
    np.testing.assert_array_equal(modes.right[1::2], -modes.left[1::2])
    assert (modes.rate > 0).all()


def test_the_error_that_is_reported_is_the_error(internode):
    ladder, end = internode
    for ends in ((end, end), (end, 2 * end)):
        small, full = reduced(ladder, ends), complete(ladder, ends)
        assert full.error == 0
        assert 0 < small.error <= HIGHEST_ERROR
        s = 2j * np.pi * np.array(FREQUENCIES_KHZ)
        a, b = _admittance(small, s), _admittance(full, s)
        relative = np.sqrt((abs(a - b) ** 2).sum((0, 1)) / (abs(b) ** 2).sum((0, 1)))
        np.testing.assert_allclose(relative.max(), small.error, rtol=1e-5)


@pytest.mark.parametrize("lamellae", [1, 3, 7])
def test_between_the_frequencies_the_error_is_hardly_larger(lamellae):
    axon = conduction.optic_nerve(lamellae=lamellae)
    ladder = internode_ladder(axon, axon.parts[0])
    end = node_compartment(axon, axon.nodes[0]).resistance_kohm
    small, full = reduced(ladder, (end, end)), complete(ladder, (end, end))
    s = 2j * np.pi * np.geomspace(0.01, 4, 100)
    a, b = _admittance(small, s), _admittance(full, s)
    relative = np.sqrt((abs(a - b) ** 2).sum((0, 1)) / (abs(b) ** 2).sum((0, 1)))
    assert relative.max() <= 1.2 * small.error
