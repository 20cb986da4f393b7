"""The pieces of an axon: their bounds, and widths given in the wrong unit."""

from __future__ import annotations

from dataclasses import replace

import pytest

from remyelin import conduction
from remyelin.conduction import Bare, Internode, Myelin, Node, Stretch
from remyelin.errors import InputError

INTERNODE = conduction.optic_nerve().parts[0]
PARANODE, MIDDLE, _ = INTERNODE.stretches


@pytest.mark.parametrize("width", [0.015, 0.5, 15000])
def test_a_width_in_micrometres_is_refused(width):
    with pytest.raises(InputError) as caught:
        replace(MIDDLE, periaxonal_nm=width)
    assert "expected 0, or 1 to 1000 (a paranode: any up to that), in nanometres" in str(caught.value)
    assert "give nanometres, not micrometres" in str(caught.value)


def test_the_published_paranode_is_no_slip():
    assert PARANODE.periaxonal_nm == 0.007719692
    assert replace(PARANODE, periaxonal_nm=7.7).periaxonal_nm == 7.7


def test_a_paranode_wider_than_the_space_beside_it_is_refused():
    with pytest.raises(InputError) as caught:
        Internode((replace(PARANODE, periaxonal_nm=20), MIDDLE), INTERNODE.myelin)
    assert "20 nm at the paranode, expected at most the 15 nm beside it" in str(caught.value)


def test_no_seal_at_all_is_as_wide_as_the_space_beside_it():
    assert INTERNODE.with_seal(1e-9).stretches[0].periaxonal_nm == 15
    assert INTERNODE.with_seal(0.1).stretches[0].periaxonal_nm == pytest.approx(0.07719692)
    assert INTERNODE.with_seal(1.0) == INTERNODE


def test_a_shorter_internode_keeps_its_paranodes():
    short = INTERNODE.with_length(46)
    assert short.length_um == pytest.approx(46)
    assert short.stretches[0] == PARANODE
    assert short.middle.length_um / short.middle.segments <= MIDDLE.length_um / MIDDLE.segments + 1e-9
    assert INTERNODE.with_length(500).middle.segments == MIDDLE.segments


def test_a_sheath_of_given_outside_thins_in_proportion():
    fibre = conduction.mrg(10).parts[0]
    half = fibre.with_lamellae(fibre.myelin.lamellae // 2)
    assert half.myelin.outer_um - half.diameter_um == pytest.approx(
        (fibre.myelin.outer_um - fibre.diameter_um) / 2, rel=0.01
    )


@pytest.mark.parametrize(
    ("make", "named"),
    [
        (lambda: Node(0, 1), "node diameter_um is 0, expected a finite number above 0"),
        (lambda: Node(0.7, -1), "node length_um is -1"),
        (lambda: Node(0.7, float("nan")), "node length_um is nan"),
        (lambda: Node(0.7, "1"), "node length_um is '1'"),
        (lambda: Node(0.7, 1, sodium=-0.1), "node sodium is -0.1, expected a finite number, 0 or more"),
        (lambda: Node(0.7, 1, potassium=None), "node potassium is not given"),
        (lambda: replace(MIDDLE, segments=0), "internode segments is 0, expected a whole number, 1 or more"),
        (lambda: replace(MIDDLE, segments=2.5), "internode segments is 2.5"),
        (lambda: replace(MIDDLE, length_um=float("inf")), "internode length_um is inf"),
        (lambda: replace(MIDDLE, diameter_um=True), "internode diameter_um is True"),
        (lambda: replace(MIDDLE, periaxonal_nm="15"), "internode periaxonal_nm is '15'"),
        (lambda: replace(MIDDLE, periaxonal_nm=-1), "internode periaxonal_nm is -1"),
        (lambda: replace(MIDDLE, axolemma_uf_per_cm2=0), "internode axolemma_uf_per_cm2 is 0"),
        (lambda: Internode((), INTERNODE.myelin), "internode stretches is empty"),
        (lambda: Myelin(0, 1, 1, 15.6), "an axon without myelin is bare"),
        (lambda: Myelin("7", 1, 1, 15.6), "myelin lamellae is '7'"),
        (lambda: Myelin(7, 1, 1, 0), "myelin period_nm is 0"),
        (lambda: Myelin(7, 1, 1, 15.6, outer_um=-1), "myelin outer_um is -1"),
        (lambda: Bare(0, 1, 0, 0, INTERNODE), "bare stretch length_um is 0"),
        (lambda: Bare(10, 1, "all", 0, INTERNODE), "bare stretch sodium is 'all'"),
        (lambda: INTERNODE.with_length(float("nan")), "internode length_um is nan, expected above 4.22"),
    ],
)
def test_what_cannot_be_is_named(make, named):
    with pytest.raises(InputError) as caught:
        make()
    assert named in str(caught.value)


def test_bare_axon_is_cut_into_pieces_of_ten_micrometres_at_most():
    for length, pieces in ((9, 1), (10, 1), (10.1, 2), (139.26, 14)):
        assert Bare(length, 0.8, 0, 0, INTERNODE).compartments == pieces


def test_a_stretch_is_frozen():
    assert isinstance(MIDDLE, Stretch)
    with pytest.raises(AttributeError):
        MIDDLE.length_um = 3
