"""Axons: what a lesion and a repair do to their parts, and what is refused."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from remyelin import conduction
from remyelin.conduction import Bare, Internode, Node
from remyelin.errors import InputError

OPTIC = conduction.optic_nerve()
NAN, INFINITE = float("nan"), float("inf")


def test_lamellae_are_whole_and_the_g_ratio_is_what_they_give():
    for asked, turns in ((0.79, 7), (0.83, 5), (0.86, 4), (0.90, 2), (0.93, 2)):
        axon = conduction.optic_nerve(g_ratio=asked)
        assert axon.parts[0].myelin.lamellae == turns
        radius = 0.8201 / 2
        outer = radius + (15 + (turns - 0.5) * 15.6) / 1e3
        assert axon.g_ratio == pytest.approx(radius / outer)


@given(st.floats(0.55, 0.95), st.floats(0.3, 4))
def test_the_sheath_is_at_least_as_thick_as_asked_and_less_than_one_turn_more(g_ratio, diameter):
    try:
        part = conduction.optic_nerve(diameter, g_ratio=g_ratio).parts[0]
    except InputError:
        assert diameter / 2 / g_ratio - diameter / 2 < 0.0151
        return
    radius = diameter / 2
    sheath_um = part.myelin.lamellae * part.myelin.period_nm / 1e3
    asked_um = radius / g_ratio - radius - part.middle.periaxonal_nm / 1e3
    assert asked_um - 1e-9 <= sheath_um < asked_um + part.myelin.period_nm / 1e3 + 1e-9


def test_a_lesion_changes_its_internodes_and_no_other():
    lesion = OPTIC.demyelinate([3, 7], lamellae=2)
    changed = [k for k, (a, b) in enumerate(zip(OPTIC.parts, lesion.parts, strict=True)) if a != b]
    assert changed == [3, 7]
    assert lesion.nodes == OPTIC.nodes
    # Two turns of seven are left, and as much of the seal.
    before, after = (axon.parts[3].stretches[0].periaxonal_nm for axon in (OPTIC, lesion))
    assert after == pytest.approx(before * 7 / 2)


def test_nodes_within_a_lesion_may_lose_sodium():
    lesion = OPTIC.demyelinate(range(3, 6), bare=True, node_sodium=0.5)
    assert [k for k, node in enumerate(lesion.nodes) if node.sodium == 0.5] == [4, 5]


def test_a_bare_stretch_keeps_its_length_and_remembers_what_stood_there():
    lesion = OPTIC.demyelinate(range(20, 32), bare=True, nav_fraction=0.01)
    assert lesion.bare_um == pytest.approx(12 * 139.26)
    assert lesion.length_mm == pytest.approx(OPTIC.length_mm)
    again = lesion.demyelinate(range(20, 32), bare=True, nav_fraction=0.02)
    assert isinstance(again.parts[20], Bare)
    assert again.parts[20].former == OPTIC.parts[20]


@pytest.mark.parametrize("n_short", [1, 2, 3, 5])
@pytest.mark.parametrize("nodal_nav", ["density", "number"])
def test_repair_keeps_length_and_counts_nodes_and_channels(n_short, nodal_nav):
    place = range(20, 32)
    repaired = OPTIC.demyelinate(place, bare=True).remyelinate(
        place, n_short=n_short, lamellae=3, nodal_nav=nodal_nav
    )
    assert repaired.length_mm == pytest.approx(OPTIC.length_mm)
    assert repaired.n_nodes == 51 + 12 * (n_short - 1)
    assert repaired.bare_um == 0
    new = repaired.nodes[21 : 20 + 12 * n_short]
    share = 1 if nodal_nav == "density" else 1 / n_short
    assert {(node.sodium, node.potassium) for node in new} == {(share, share)}
    assert repaired.nodes[20] == repaired.nodes[20 + 12 * n_short] == OPTIC.nodes[0]


def test_repair_with_what_was_there_is_as_before():
    place = range(20, 32)
    turns = OPTIC.parts[0].myelin.lamellae
    repaired = OPTIC.demyelinate(place, bare=True).remyelinate(place, n_short=1, lamellae=turns)
    assert repaired.part_um == pytest.approx(OPTIC.part_um)
    assert repaired.g_ratio == pytest.approx(OPTIC.g_ratio)


def test_places_are_counted_from_the_first_node():
    assert OPTIC.position_um[0] == 0
    assert np.diff(OPTIC.position_um) == pytest.approx(139.26 + 1.02)
    assert OPTIC.node_at(OPTIC.position_um[17] + 60) == 17
    assert OPTIC.node_at(-0.5) == 0
    assert OPTIC.node_at(OPTIC.position_um[-1] + 0.5) == 50


@pytest.mark.parametrize(("place", "found"), [(-1, "-1"), (7015, "7015"), ("3", "'3'"), (None, "not given")])
def test_a_place_beyond_the_axon_is_named(place, found):
    with pytest.raises(InputError) as caught:
        OPTIC.node_at(place)
    assert f"position_um is {found}, expected 0 to 7014.00, the length of the axon in micro" in str(
        caught.value
    )


def test_a_thinned_sheath_may_grow_back_to_what_it_was_and_no_further():
    thin = OPTIC.demyelinate(range(50), lamellae=2)
    for lesion in (thin, thin.demyelinate(3, bare=True), thin.remyelinate(3, n_short=1, lamellae=3)):
        again = lesion.remyelinate(3, n_short=1, lamellae=7)
        assert again.parts[3].myelin.lamellae == 7
        with pytest.raises(
            InputError, match="axon lamellae is 8, expected at most 7 lamellae, what internode 3"
        ):
            lesion.remyelinate(3, lamellae=8)


def test_whole_numbers_of_nodes_may_be_written_with_a_point():
    assert conduction.optic_nerve(n_nodes=50.0).n_nodes == 50
    assert conduction.mrg(10, n_nodes=21.0).n_nodes == 21


@pytest.mark.parametrize("axons", [None, "x", [OPTIC, "x"], []])
@pytest.mark.parametrize(
    "ask",
    [
        conduction.block_temperature_c,
        conduction.safety_factor,
        conduction.sodium_reserve,
        conduction.refractory_period_ms,
        conduction.max_following_rate_hz,
    ],
)
def test_what_is_no_axon_is_named(ask, axons):
    with pytest.raises(InputError, match=r"axons is .*, expected an Axon, or several"):
        ask(axons)


@pytest.mark.parametrize(
    ("ask", "how", "named"),
    [
        (conduction.safety_factor, {"resolution": "fine"}, "resolution is 'fine'"),
        (conduction.safety_factor, {"nodes": ["last"]}, "nodes is 'last', expected 1 to 50"),
        (conduction.refractory_period_ms, {"node": "last"}, "node is 'last', expected 1 to 50"),
        (conduction.refractory_period_ms, {"longest_ms": None}, "longest_ms is not given"),
        (conduction.max_following_rate_hz, {"highest_hz": "1 kHz"}, "highest_hz is '1 kHz'"),
        (conduction.max_following_rate_hz, {"n_pulses": None}, "n_pulses is not given"),
        (conduction.block_temperature_c, {"highest_c": "40"}, "highest_c is '40'"),
    ],
)
def test_what_is_no_number_is_named(ask, how, named):
    with pytest.raises(InputError) as caught:
        ask(OPTIC, **how)
    assert named in str(caught.value)


BAD_LESIONS = [
    ({"internodes": -1, "bare": True}, "axon internodes is -1, expected whole numbers from 0 to 49"),
    ({"internodes": [3, 50], "bare": True}, "axon internodes is 50"),
    ({"internodes": [], "bare": True}, "axon internodes is none"),
    ({"internodes": 2.5, "bare": True}, "axon internodes is 2.5"),
    ({"internodes": "12", "bare": True}, "axon internodes is '12'"),
    ({"internodes": ["1"], "bare": True}, "axon internodes is '1'"),
    ({"internodes": None, "bare": True}, "axon internodes is not given"),
    ({"internodes": True, "bare": True}, "axon internodes is True"),
    ({"internodes": [NAN], "bare": True}, "axon internodes is nan"),
    ({"internodes": 3}, "told neither bare, lamellae nor seal"),
    ({"internodes": 3, "bare": True, "lamellae": 2}, "bare with lamellae or seal"),
    ({"internodes": 3, "lamellae": 0}, "myelin lamellae is 0, expected a whole number, 1 or more"),
    ({"internodes": 3, "lamellae": 2.5}, "myelin lamellae is 2.5"),
    ({"internodes": 3, "lamellae": "2"}, "myelin lamellae is '2'"),
    ({"internodes": 3, "lamellae": 9}, "axon lamellae is 9, expected at most 7, what internode 3 has"),
    ({"internodes": 3, "lamellae": NAN}, "myelin lamellae is nan"),
    ({"internodes": 3, "seal": 0}, "internode seal is 0, expected above 0 (no seal at all)"),
    ({"internodes": 3, "seal": "loose"}, "internode seal is 'loose'"),
    (
        {"internodes": 3, "lamellae": 2, "nav_fraction": 0.01},
        "0.01 under myelin, expected 0 unless bare=True",
    ),
    ({"internodes": 3, "bare": True, "nav_fraction": 2}, "axon nav_fraction is 2, expected 0 to 1"),
    ({"internodes": 3, "bare": True, "nav_fraction": "1 %"}, "axon nav_fraction is '1 %'"),
    ({"internodes": 3, "bare": True, "nav_fraction": None}, "axon nav_fraction is not given"),
    ({"internodes": 3, "bare": True, "node_sodium": -1}, "axon node_sodium is -1, expected 0 or more"),
    ({"internodes": 3, "bare": True, "node_sodium": "half"}, "axon node_sodium is 'half'"),
]


@pytest.mark.parametrize(("how", "named"), BAD_LESIONS)
def test_an_impossible_lesion_is_named(how, named):
    with pytest.raises(InputError) as caught:
        OPTIC.demyelinate(**how)
    assert named in str(caught.value)


BAD_REPAIRS = [
    ({"lamellae": 3, "n_short": 0}, "axon n_short is 0, expected a whole number, 1 or more"),
    ({"lamellae": 3, "n_short": 1.5}, "axon n_short is 1.5"),
    ({"lamellae": 3, "n_short": "3"}, "axon n_short is '3'"),
    ({"lamellae": 3, "n_short": 200}, "the length of its paranodes"),
    ({"lamellae": 3, "nodal_nav": "densty"}, "did you mean 'density'"),
    ({"lamellae": 3, "nodal_nav": 3}, "nodal_nav is 3"),
    ({}, "both or neither of g_ratio and lamellae"),
    ({"lamellae": 3, "g_ratio": 0.8}, "both or neither of g_ratio and lamellae"),
    ({"g_ratio": 1.0}, "axon g_ratio is 1, expected above 0 and below 1"),
    ({"g_ratio": 0.99}, "axon g_ratio is 0.99, expected below 0.965"),
    ({"g_ratio": "0.8"}, "axon g_ratio is '0.8'"),
    ({"lamellae": -2}, "myelin lamellae is -2"),
    ({"lamellae": 8}, "axon lamellae is 8, expected at most 7 lamellae, what internode 3 had"),
    ({"g_ratio": 0.6}, "axon g_ratio is 0.6, which takes 17 lamellae, expected at most 7 lamellae"),
    ({"lamellae": 3, "seal": -1}, "internode seal is -1"),
]


@pytest.mark.parametrize(("how", "named"), BAD_REPAIRS)
def test_an_impossible_repair_is_named(how, named):
    with pytest.raises(InputError) as caught:
        OPTIC.demyelinate(3, bare=True).remyelinate(3, **how)
    assert named in str(caught.value)


BAD_AXONS = [
    (
        {"diameter_um": 0},
        "diameter_um is 0, expected a finite number, 0.1 to 100. Fix: give it in micrometres",
    ),
    ({"diameter_um": 0.82e-6}, "diameter_um is 8.2e-07, expected a finite number, 0.1 to 100"),
    ({"diameter_um": -0.8}, "diameter_um is -0.8"),
    ({"diameter_um": NAN}, "diameter_um is nan"),
    ({"diameter_um": INFINITE}, "diameter_um is inf"),
    ({"diameter_um": 820}, "diameter_um is 820"),
    ({"diameter_um": "0.8"}, "diameter_um is '0.8'"),
    ({"diameter_um": True}, "diameter_um is True"),
    ({"g_ratio": 1}, "g_ratio is 1"),
    ({"g_ratio": 1.2}, "g_ratio is 1.2"),
    ({"g_ratio": NAN}, "g_ratio is nan"),
    ({"lamellae": 0}, "lamellae is 0"),
    ({"lamellae": 7, "g_ratio": 0.8}, "g_ratio and lamellae"),
    ({"internode_um": 1}, "internode length_um is 1, expected above 4.22, the length of its paranodes"),
    ({"internode_um": -100}, "internode length_um is -100"),
    ({"internode_um": INFINITE}, "internode length_um is inf"),
    ({"internode_um": "long"}, "internode length_um is 'long'"),
    ({"node_length_um": 0}, "node_length_um is 0"),
    ({"node_length_um": 0, "nodal_nav": "number"}, "node_length_um is 0"),
    ({"node_length_um": 200}, "axon node length_um is 200, expected at most 139.26, the internode beside it"),
    ({"nodal_nav": None}, "nodal_nav is not given"),
    ({"n_nodes": 2}, "n_nodes is 2, expected a whole number, 3 or more"),
    ({"n_nodes": 20.5}, "n_nodes is 20.5"),
    ({"n_nodes": "51"}, "n_nodes is '51'"),
    ({"temperature_c": 98.6}, "axon temperature_c is 98.6, expected 5 to 50 degrees Celsius"),
    ({"temperature_c": "37"}, "axon temperature_c is '37'"),
    ({"temperature_c": NAN}, "axon temperature_c is nan"),
]


@pytest.mark.parametrize(("how", "named"), BAD_AXONS)
def test_an_impossible_axon_is_named(how, named):
    with pytest.raises(InputError) as caught:
        conduction.optic_nerve(**how)
    assert named in str(caught.value)


@pytest.mark.parametrize(
    ("how", "named"),
    [
        ({"nodes": OPTIC.nodes[:2], "parts": OPTIC.parts[:1]}, "axon nodes is 2 with 1 parts between them"),
        ({"parts": OPTIC.parts[:-1]}, "axon nodes is 51 with 49 parts"),
        ({"axial_ohm_m": 0}, "axon axial_ohm_m is 0"),
        ({"periaxonal_ohm_m": "0.7"}, "axon periaxonal_ohm_m is '0.7'"),
        (
            {"nodes": (Node(0.7, 150), *OPTIC.nodes[1:])},
            "axon node length_um is 150, expected at most 139.26",
        ),
        ({"nodes": (*OPTIC.nodes[:-1], Node(0.7, 150))}, "axon node length_um is 150"),
    ],
)
def test_parts_that_do_not_fit_are_named(how, named):
    with pytest.raises(InputError) as caught:
        replace(OPTIC, **how)
    assert named in str(caught.value)


def test_a_bare_internode_cannot_be_thinned():
    with pytest.raises(InputError, match="3, which is bare"):
        OPTIC.demyelinate(3, bare=True).demyelinate(3, lamellae=2)


def test_equal_parts_are_one_object():
    lesion = OPTIC.demyelinate(range(10, 14), lamellae=3)
    assert len({id(part) for part in lesion.parts}) == 2
    assert all(isinstance(part, Internode) for part in lesion.parts)
