"""A few modes in place of an internode: passive, reciprocal, exact when steady, and near the whole."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from remyelin import conduction
from remyelin.conduction import reduction
from remyelin.conduction.chain import Workshop
from remyelin.conduction.modes import Modes
from remyelin.conduction.reduction import HIGHEST_ERROR
from remyelin.errors import InputError

OPTIC = conduction.optic_nerve()
AXONS = {
    "optic nerve": OPTIC,
    "cortex": conduction.cortex(),
    "fibre": conduction.mrg(10),
    "no space": conduction.bushy_cell(),
    "thin": OPTIC.demyelinate(range(50), lamellae=1),
    "loose": OPTIC.demyelinate(range(50), seal=1e-3),
    "short": OPTIC.remyelinate(range(50), n_short=5, lamellae=2),
}


def admittance(modes, s):
    """(2, 2, frequency) current into each node for a potential at each."""
    ties = np.array([modes.left, modes.right])
    inner = np.einsum("ik,jk,fk->ijf", ties, ties, 1 / (modes.rate + np.asarray(s)[:, None]))
    return np.diag(modes.port)[:, :, None] - inner


def both(axon):
    """The reduced and the complete modes of its middle internode."""
    reduced, full = (Workshop(full=full).chain(axon).links[len(axon.parts) // 2] for full in (False, True))
    assert isinstance(reduced, Modes)
    assert isinstance(full, Modes)
    return reduced, full


def check(axon):
    reduced, full = both(axon)
    s = 2j * np.pi * np.array([0.1, 0.3, 1.0, 4.0])
    found, truth = admittance(reduced, s), admittance(full, s)
    # Fewer modes, every one of which decays.
    assert len(reduced.rate) <= 14
    assert np.all(reduced.rate > 0)
    assert np.all(full.rate > 0)
    # The current at one node for a potential at the other is the same either way round.
    assert found[0, 1] == pytest.approx(found[1, 0], rel=1e-9)
    # What is taken in is dissipated, at any frequency.
    broad = 2j * np.pi * np.logspace(-3, 4, 40)
    real = admittance(reduced, broad).real.transpose(2, 0, 1)
    assert np.linalg.eigvalsh(real).min() > -1e-12 * np.abs(real).max()
    # Steady currents.
    still = admittance(reduced, [0.0]), admittance(full, [0.0])
    assert still[0] == pytest.approx(still[1], rel=1e-6, abs=1e-9 * float(np.abs(truth).max()))
    # The error is what the reduction says of itself, and small.
    size = np.sqrt((np.abs(truth) ** 2).sum((0, 1)))
    error = (np.sqrt((np.abs(found - truth) ** 2).sum((0, 1))) / size).max()
    assert error <= HIGHEST_ERROR
    assert reduced.error == pytest.approx(error, rel=0.02, abs=1e-6)


@pytest.mark.parametrize("name", AXONS)
def test_modes_are_passive_reciprocal_and_near(name):
    check(AXONS[name])


@settings(max_examples=15, deadline=None)
@given(
    st.sampled_from([conduction.optic_nerve, conduction.cortex]),
    st.floats(0.3, 3),
    st.floats(0.6, 0.85),
    st.floats(30, 200),
    st.integers(0, 3),
)
def test_modes_of_random_internodes_are_passive_reciprocal_and_near(model, diameter, g, relative, loss):
    axon = model(diameter, g_ratio=g, internode_um=max(relative * diameter, 10), n_nodes=5)
    if loss:
        axon = axon.demyelinate(range(4), seal=10.0**-loss)
    check(axon)


def test_unequal_nodes_are_no_mirror_image():
    axon = OPTIC.remyelinate(20, n_short=1, lamellae=3)
    reduced, _ = both(axon)
    wide = conduction.Node(0.7274, 3.0)
    uneven = replace(OPTIC, nodes=(OPTIC.nodes[0], wide, *OPTIC.nodes[2:]))
    first = Workshop().chain(uneven).links[0]
    assert reduced.mirrored
    assert isinstance(first, Modes)
    assert not first.mirrored
    assert admittance(first, [0.0])[0, 1] == pytest.approx(admittance(first, [0.0])[1, 0], rel=1e-9)


def test_an_internode_that_cannot_be_reduced_says_so(monkeypatch):
    monkeypatch.setattr(reduction, "HIGHEST_ERROR", 1e-12)
    with pytest.raises(InputError) as caught:
        conduction.conduct(OPTIC, duration_ms=1)
    assert conduction.conduct(OPTIC, duration_ms=1, reduction="full").outcome == ("unfinished",)
    assert "reduction of an internode" in str(caught.value)
    assert "reduction='full'" in str(caught.value)
