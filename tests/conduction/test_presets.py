"""The axons of the evidence base: their elements, what they refuse, and that each can be stimulated."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from remyelin import conduction
from remyelin.conduction import Stimulus, conduct
from remyelin.conduction.circuit import internode_ladder, node_compartment
from remyelin.conduction.models import known, membrane, read_axons
from remyelin.errors import InputError
from remyelin.evidence import source
from remyelin.evidence.load import STATUSES

LAYERED = {
    "optic-nerve": conduction.optic_nerve,
    "cortex": conduction.cortex,
    "corpus-callosum": conduction.corpus_callosum,
    "cerebellum": conduction.cerebellum,
    "richardson": conduction.richardson,
    "bushy-cell": conduction.bushy_cell,
}
TABULATED = [row["fibre_um"] for row in known("fibre", "mrg")["table"]]

# One tenth of an internode, and the node, as the equations give them by hand: lamellae; node: area mm2,
# capacitance uF, resistance kOhm; segment: axial resistance kOhm, axolemma uF and mS, myelin uF and mS,
# periaxonal mS.
ELEMENTS = {
    "richardson": (
        *(120, 1.036726e-5, 2.073451e-7, 81.84276),
        *(2844.629, 2.165814e-5, 2.165814e-6, 1.179311e-8, 1.179311e-7, 2.347504e-6),
    ),
    "corpus-callosum": (
        *(5, 1.130973e-6, 1.017876e-8, 6877.065),
        *(54418.22, 8.054453e-8, 8.949392e-9, 9.198070e-9, 1.022008e-8, 0),
    ),
    "cerebellum": (
        *(10, 2.261947e-6, 2.035752e-8, 1719.266),
        *(18248.29, 2.160747e-7, 2.400830e-8, 1.242771e-8, 1.380856e-8, 0),
    ),
    "bushy-cell": (
        *(31, 5.270650e-6, 5.270650e-8, 316.6500),
        *(1879.440, 1.902264e-6, 1.902264e-7, 3.522714e-8, 3.522714e-8, 0),
    ),
}
# At rest and 37 degrees, by gate.
RESTING = {
    "central": (-82, {"m": 0.0877555, "h": 0.4018832, "p": 0.4207770, "s": 0.2888269}),
    "mrg": (-80, {"m": 0.0732093, "h": 0.6206950, "p": 0.2026041, "s": 0.0430299}),
    "auditory": (-75, {"m": 1.357492e-4, "h": 0.9977114, "w": 0.3237570, "z": 0.7993438}),
}


def tables(thing):
    """Every table of the evidence that names a source."""
    if isinstance(thing, dict):
        if "source" in thing:
            yield thing
        for below in thing.values():
            yield from tables(below)


@pytest.mark.parametrize("row", list(tables(dict(read_axons()))), ids=lambda row: row["source"])
def test_every_model_has_a_source_that_was_read(row):
    assert not source(row["source"]).read.startswith("not read")
    assert source(row["source"]).doi
    assert row["status"] in STATUSES
    assert row["status"] != "unverified"


@pytest.mark.parametrize("name", ELEMENTS)
def test_elements_are_what_the_equations_give_by_hand(name):
    axon, expected = LAYERED[name](), ELEMENTS[name]
    node, ladder = node_compartment(axon, axon.nodes[0]), internode_ladder(axon, axon.parts[0])
    assert ladder.shape == (6, 10)
    lemma_uf, lemma_ms, myelin_uf, myelin_ms, axial_kohm, space_kohm = ladder[:, 3]
    assert (
        axon.parts[0].myelin.lamellae,
        axon.nodes[0].area_um2 * 1e-6,
        node.capacitance_uf,
        node.resistance_kohm,
        axial_kohm,
        *(lemma_uf, lemma_ms, myelin_uf, myelin_ms),
        1 / space_kohm,
    ) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("name", RESTING)
def test_gates_at_rest(name):
    resting_mv, expected = RESTING[name]
    found = membrane(name)
    assert found.resting_mv == resting_mv
    assert {gate.name: float(gate.steady(resting_mv, 37)) for gate in found.gates} == pytest.approx(
        expected, rel=1e-6
    )


def test_the_auditory_channels_are_those_of_their_equations():
    v = np.linspace(-119.5, 60, 50)
    exp, three = np.exp, 3**1.5
    w_rest, z_rest = (1 + exp(-(v + 48) / 6)) ** -0.25, 0.5 + 0.5 / (1 + exp((v + 71) / 10))
    w_ms = 1.5 + 100 / (6 * exp((v + 60) / 6) + 16 * exp(-(v + 60) / 45))
    z_ms = 50 + 1000 / (exp((v + 60) / 20) + exp(-(v + 60) / 8))
    expected = {
        "m": (
            three * 0.36 * (v + 49) / (1 - exp(-(v + 49) / 3)),
            three * -0.4 * (v + 58) / (1 - exp((v + 58) / 20)),
        ),
        "h": (
            three * 2.4 / (1 + exp((v + 68) / 3)) + 10**1.5 * 0.8 / (1 + exp(v + 61.3)),
            three * 3.6 / (1 + exp(-(v + 21) / 10)),
        ),
        "w": (three * w_rest / w_ms, three * (1 - w_rest) / w_ms),
        "z": (three * z_rest / z_ms, three * (1 - z_rest) / z_ms),
    }
    for gate in membrane("auditory").gates:
        np.testing.assert_allclose(gate.rates(v, 37), expected[gate.name], rtol=1e-9, atol=1e-300)


# NEURON's xraxial (MOhm/cm) of MYSA and STIN, and length of a STIN (um), as PyFibers 0.13.0 sets them.
NEURON = {
    2.0: (794639.5161506819, 347283.2299386756, 28.8333333),
    5.7: (585743.7442919512, 163643.44912503572, 70.5),
    10.0: (337396.9114607195, 80683.99490463962, 175.1666667),
    16.0: (202487.20495154095, 43847.78816292024, 228.8333333),
}


@pytest.mark.parametrize("diameter", NEURON)
def test_a_peripheral_fibre_has_the_resistances_and_sheath_of_neurons(diameter):
    axon = conduction.mrg(diameter)
    mysa_mohm, stin_mohm, stin_um = NEURON[diameter]
    internode, node = axon.parts[0], node_compartment(axon, axon.nodes[0])
    assert [stretch.segments for stretch in internode.stretches] == [1, 1, 6, 1, 1]
    assert internode.stretches[2].length_um / 6 == pytest.approx(stin_um)
    ladder = internode_ladder(axon, internode)
    # A MOhm/cm is 0.1 kOhm/um; NEURON's node has the ring of its MYSA.
    assert ladder[5, [0, 2]] == pytest.approx([mysa_mohm * 0.1 * 3, stin_mohm * 0.1 * stin_um], rel=1e-6)
    assert node.space_kohm == pytest.approx(mysa_mohm * 0.1)
    # xc = 0.1 uF/cm2 / (2 lamellae) over the fibre's whole surface.
    lamellae = internode.myelin.lamellae
    area_cm2 = np.pi * diameter * stin_um * 1e-8
    assert ladder[2, 2] == pytest.approx(0.1 / (2 * lamellae) * area_cm2, rel=1e-6)
    assert ladder[3, 2] == pytest.approx(1.0 / (2 * lamellae) * area_cm2, rel=1e-6)
    assert internode.g_ratio == pytest.approx(axon.diameter_um / diameter)


def test_a_fibre_between_the_rows_follows_the_published_polynomials():
    axon = conduction.mrg(8)
    node, internode = axon.nodes[0], axon.parts[0]
    assert (node.diameter_um, axon.diameter_um) == pytest.approx((2.60492, 5.16164))
    assert internode.length_um + node.length_um == pytest.approx(873.24)
    assert internode.stretches[1].length_um == pytest.approx(39.973, abs=1e-3)
    assert internode.myelin.lamellae == 104
    assert conduction.mrg(3).parts[0].length_um + 1 == pytest.approx(81.08 * 3 + 37.84)


@pytest.mark.parametrize("diameter", [1.0, 1.9, 16.1, float("nan"), -3])
def test_a_fibre_outside_the_table_is_refused(diameter):
    with pytest.raises(InputError, match="2 to 16 um, of the whole fibre"):
        conduction.mrg(diameter)


def test_the_fibre_of_1_um_is_refused_with_the_reason():
    with pytest.raises(InputError, match="fires twice at every node and stays depolarised"):
        conduction.mrg(1)


@pytest.mark.parametrize("name", LAYERED)
def test_presets_take_what_they_are_given(name):
    axon = LAYERED[name](n_nodes=7, temperature_c=30)
    assert (axon.name, axon.n_nodes, axon.temperature_c) == (name, 7, 30)
    with pytest.raises(InputError, match="nodes"):
        LAYERED[name](n_nodes=2)


@pytest.mark.parametrize("n_nodes", [2.5, float("nan"), 1, 0, -4])
def test_a_number_of_nodes_is_whole(n_nodes):
    for preset in (conduction.optic_nerve, conduction.corpus_callosum):
        with pytest.raises(InputError, match="nodes"):
            preset(n_nodes=n_nodes)


def axons_of_all_sizes():
    sizes = (0.3, 0.5, 1.0, 2.0, 5.0, 10.0, 16.0)
    central = [
        make(size, n_nodes=15) for make in (conduction.optic_nerve, conduction.cortex) for size in sizes
    ]
    others = [conduction.mrg(diameter, n_nodes=15) for diameter in [*TABULATED, 3.0, 8.0]]
    return [*central, *others, *(make(n_nodes=15) for make in LAYERED.values())]


@pytest.mark.parametrize("temperature", [20, 37, 42])
def test_the_default_stimulus_starts_every_axon_well_above_threshold(temperature):
    axons = [axon.at(temperature) for axon in axons_of_all_sizes()]
    third = [Stimulus(current_na=Stimulus().current_for(axon) / 3) for axon in axons]
    assert set(conduct(axons, duration_ms=12).outcome) == {"conducted"}
    weak = conduct(axons, duration_ms=12, stimulus=third)
    assert set(weak.outcome) == {"conducted"}


def test_the_default_stimulus_is_the_published_one_for_the_optic_nerve():
    assert Stimulus().current_for(conduction.optic_nerve()) == pytest.approx(3, rel=0.01)


def test_without_width_no_current_flows_under_the_myelin():
    """The limit of a space ever narrower, and the same reduced as in full."""
    axon = conduction.corpus_callosum()
    (stretch,), sheath = axon.parts[0].stretches, axon.parts[0]
    narrow = replace(sheath, stretches=(replace(stretch, periaxonal_nm=1e-7, paranode=True),))
    limit = replace(axon, parts=(narrow,) * len(axon.parts))
    velocity, close = conduct([axon, limit], duration_ms=2).velocity_m_per_s
    assert velocity == pytest.approx(close, rel=1e-4)
    full = conduct(axon, duration_ms=2, reduction="full").velocity_m_per_s[0]
    assert velocity == pytest.approx(full, rel=2e-4)


def test_axons_of_two_kinds_of_channels_run_in_one_batch():
    axons = [conduction.bushy_cell(n_nodes=31), conduction.optic_nerve(n_nodes=31), conduction.mrg(5.7)]
    together = conduct(axons, duration_ms=3)
    for k, axon in enumerate(axons):
        alone = conduct(axon, duration_ms=3)
        assert together.velocity_m_per_s[k] == pytest.approx(alone.velocity_m_per_s[0], rel=1e-9)
        assert together.sodium_pc[k] == pytest.approx(alone.sodium_pc[0], rel=1e-9)


def test_a_peripheral_fibre_can_lose_and_regain_its_myelin():
    axon = conduction.mrg(10)
    lesion = axon.demyelinate(range(20, 22), lamellae=60)
    assert lesion.g_ratio[20] > axon.g_ratio[20]
    repaired = axon.demyelinate(20, bare=True).remyelinate(20, n_short=3, g_ratio=0.85)
    assert repaired.g_ratio[20] == pytest.approx(0.85, abs=0.01)
    assert set(conduct([lesion, repaired], duration_ms=3).outcome) == {"conducted"}
