"""Against NEURON 9: the same axons as sections with `extracellular`, backward Euler, extrapolated.

Its `secondorder = 2` is no reference: with `extracellular` it converges to another limit
(`test_secondorder_of_neuron_is_no_reference`).
"""

from __future__ import annotations

import importlib.util
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from remyelin import conduction
from remyelin.conduction import Axon

# The gaps seen are at most 0.01 %, and 0.07 % at the default step of 4 us.
FINE, DEFAULT = 3e-4, 1.5e-3
PEER = Path(__file__).parents[2] / "benchmarks" / "conduction" / "neuron_axon.py"
# One worker compiles the mechanisms, once.


@pytest.fixture(scope="module")
def peer():
    spec = importlib.util.spec_from_file_location("neuron_axon", PEER)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    if why := module.missing():
        pytest.skip(why)
    module.learn([conduction.optic_nerve().membrane, conduction.mrg(10).membrane])
    return module


def optic_nerve(**options: float) -> Axon:
    return conduction.optic_nerve(n_nodes=26, **options)


AXONS = {
    "optic nerve": optic_nerve,
    "cortex": lambda: conduction.cortex(n_nodes=26),
    "thin": lambda: optic_nerve(diameter_um=0.4),
    "warm": lambda: optic_nerve(temperature_c=41),
    "loosened": lambda: optic_nerve().demyelinate(range(9, 15), lamellae=2),
    "remyelinated": lambda: (
        optic_nerve()
        .demyelinate(range(10, 14), bare=True)
        .remyelinate(range(10, 14), g_ratio=0.88, nodal_nav="number")
    ),
    "bare": lambda: optic_nerve().demyelinate(range(10, 14), bare=True, nav_fraction=0.01),
}
FIBRES = {
    f"MRG {diameter:g} um": lambda diameter=diameter: conduction.mrg(diameter, n_nodes=21)
    for diameter in (2.0, 5.7, 16.0)
}


def transit_ms(axon: Axon, first: int, last: int, **options: float) -> float:
    """Between two nodes in our solver."""
    arrival = conduction.conduct(axon, **options).arrival_ms[0]
    return float(arrival[last] - arrival[first])


def extrapolated_ms(peer, axon: Axon, first: int, last: int, *, duration_ms: float, steps_us) -> float:
    """Between two nodes in NEURON, each step half of the one before, extrapolated to none (Richardson)."""
    spent = []
    for dt_us in steps_us:
        run = peer.simulate(axon, nodes=[first, last], duration_ms=duration_ms, dt_us=dt_us)
        spent.append(run.arrival_ms[1] - run.arrival_ms[0])
    order = 1
    while len(spent) > 1:
        spent = [(2**order * fine - coarse) / (2**order - 1) for coarse, fine in pairwise(spent)]
        order += 1
    return spent[0]


def middle(axon: Axon) -> tuple[int, int, float]:
    """Two nodes away from both ends, and a time by which the second has fired."""
    first, last = round(0.3 * (axon.n_nodes - 1)), round(0.7 * (axon.n_nodes - 1))
    reached = conduction.conduct(axon, duration_ms=4).arrival_ms[0, last]
    return first, last, float(np.ceil(20 * reached + 1) / 20)


@pytest.mark.parametrize("name", AXONS)
def test_central_axons_conduct_as_in_neuron(peer, name):
    axon = peer.with_middle(AXONS[name](), 8)
    first, last, duration_ms = middle(axon)
    theirs = extrapolated_ms(peer, axon, first, last, duration_ms=duration_ms, steps_us=(1.0, 0.5))
    assert transit_ms(axon, first, last, duration_ms=4, dt_us=1) == pytest.approx(theirs, rel=FINE)
    assert transit_ms(axon, first, last, duration_ms=4) == pytest.approx(theirs, rel=DEFAULT)


@pytest.mark.parametrize("name", FIBRES)
def test_peripheral_fibres_conduct_as_in_neuron(peer, name):
    axon = FIBRES[name]()
    first, last, duration_ms = middle(axon)
    theirs = extrapolated_ms(peer, axon, first, last, duration_ms=duration_ms, steps_us=(1.0, 0.5))
    assert transit_ms(axon, first, last, duration_ms=2, dt_us=1) == pytest.approx(theirs, rel=FINE)
    assert transit_ms(axon, first, last, duration_ms=2) == pytest.approx(theirs, rel=DEFAULT)


def test_an_action_potential_rests_rises_and_stops_as_in_neuron(peer):
    axon = peer.with_middle(optic_nerve(), 8)
    blocked = axon.demyelinate(range(10, 14), bare=True)
    run = peer.simulate(blocked, nodes=[5, 20], duration_ms=1.5, dt_us=1)
    ours = conduction.conduct([axon, blocked], duration_ms=4, dt_us=1)
    assert ours.outcome == ("conducted", "blocked")
    assert np.isnan(run.arrival_ms[1])
    before = run.potential_mv[1][:200]
    assert np.abs(before - axon.membrane.resting_mv).max() < 1e-3
    finer = peer.simulate(axon, nodes=[5], duration_ms=0.8, dt_us=0.5)
    assert 2 * finer.peak_mv[0] - run.peak_mv[0] == pytest.approx(ours.peak_mv[0, 5], abs=0.05)


@pytest.mark.slow
@pytest.mark.parametrize("make", [conduction.optic_nerve, conduction.cortex], ids=["optic nerve", "cortex"])
def test_published_axons_conduct_as_in_neuron_segment_for_segment(peer, make):
    axon = make(n_nodes=26)
    first, last, duration_ms = middle(axon)
    theirs = extrapolated_ms(peer, axon, first, last, duration_ms=duration_ms, steps_us=(1.0, 0.5))
    assert transit_ms(axon, first, last, duration_ms=4, dt_us=1) == pytest.approx(theirs, rel=FINE)
    assert transit_ms(axon, first, last, duration_ms=4) == pytest.approx(theirs, rel=DEFAULT)


@pytest.mark.slow
def test_an_axon_that_all_but_blocks_is_delayed_as_in_neuron(peer):
    # Here the reduction of the internodes once made the delay 1 % longer.
    axon = peer.with_middle(optic_nerve().demyelinate([11, 12], bare=True), 8)
    theirs = extrapolated_ms(peer, axon, 7, 18, duration_ms=2.8, steps_us=(1.0, 0.5, 0.25))
    assert transit_ms(axon, 7, 18, duration_ms=5, dt_us=0.5) == pytest.approx(theirs, rel=1e-3)


@pytest.mark.slow
def test_secondorder_of_neuron_is_no_reference(peer):
    axon = peer.with_middle(optic_nerve(), 8)
    first, last, duration_ms = middle(axon)
    runs = [
        peer.simulate(axon, nodes=[first, last], duration_ms=duration_ms, dt_us=dt_us, second_order=True)
        for dt_us in (0.5, 0.25)
    ]
    coarse, fine = (float(np.diff(run.arrival_ms)[0]) for run in runs)
    limit = (4 * fine - coarse) / 3
    ours = transit_ms(axon, first, last, duration_ms=4, dt_us=0.25)
    # The steps agree with each other, not with backward Euler.
    assert fine == pytest.approx(limit, rel=1e-3)
    assert abs(limit / ours - 1) > 3e-3
