"""Poses of a participant: halfway favours no visit, loops close, and what fails is said."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from remyelin.errors import InputError
from remyelin.measure.image import MTPair, Volume
from remyelin.measure.motion import inverse, motion, square_root, twist
from remyelin.measure.poses import Link, reconciled, register_participant
from remyelin.measure.registration import Registration

from .soft_head import PAIRS, off_by_mm, participant, true_matrix

VOXEL_MM = 3.0


@pytest.fixture(scope="module")
def two():
    pairs, truth = participant(0)
    return pairs, truth, register_participant(pairs)


def test_all_poses_are_right(two):
    _, truth, poses = two
    assert [r.pair for r in poses.registrations] == list(PAIRS)
    for found in poses.registrations:
        assert found.quality == "pass", found
        assert off_by_mm(found.matrix, true_matrix(truth, found.pair)) < 0.05 * VOXEL_MM


def test_poses_and_registrations_say_the_same(two):
    _, _, poses = two
    (off_0, off_6), (on_0, on_6) = poses.off, poses.on
    for name, seen in zip(
        PAIRS, (on_0 @ inverse(off_0), on_6 @ inverse(off_6), off_6 @ inverse(off_0)), strict=True
    ):
        assert_allclose(poses.registration(name).matrix, seen, rtol=0, atol=1e-9)


def test_halfway_is_the_square_root(two):
    _, _, poses = two
    half = square_root(poses.registration("M00-M06").matrix)
    assert_allclose(poses.off[1], half, rtol=0, atol=1e-9)
    assert_allclose(poses.off[0], inverse(half), rtol=0, atol=1e-9)


def test_exchanged_visits_meet_in_the_same_place(two):
    pairs, _, poses = two
    again = register_participant(pairs[::-1])
    for v in range(2):
        assert_allclose(again.off[1 - v], poses.off[v], rtol=0, atol=1e-9)
        assert_allclose(again.on[1 - v], poses.on[v], rtol=0, atol=1e-9)
    assert_allclose(
        again.registration("M06-M00").matrix, inverse(poses.registration("M00-M06").matrix), rtol=0, atol=1e-9
    )


def test_same_bits_again(two):
    pairs, _, poses = two
    again = register_participant(pairs)
    assert all((a == b).all() for a, b in zip((*poses.off, *poses.on), (*again.off, *again.on), strict=True))
    assert repr(again) == repr(poses)


@pytest.mark.parametrize(
    "seeds", [range(1, 2), pytest.param(range(1, 4), marks=pytest.mark.slow)], ids=["one head", "three heads"]
)
def test_the_errors_it_expects_are_the_errors_it_makes(seeds):
    made, expected = [], []
    for seed in seeds:
        pairs, truth = participant(seed)
        for found in register_participant(pairs).registrations:
            assert found.quality == "pass"
            made.append(off_by_mm(found.matrix, true_matrix(truth, found.pair)))
            expected.append(found.error_mm)
    ratio = np.sqrt(np.mean(np.square(made)) / np.mean(np.square(expected)))
    # chi with 3 x 18 degrees of freedom is 0.81 to 1.19; erring on the careful side is allowed.
    assert 0.4 < ratio < 1.2


def test_three_visits_have_a_mean():
    pairs, truth = participant(3, visits=3)
    poses = register_participant(pairs)
    assert_allclose(sum(twist(p) for p in poses.off), 0, rtol=0, atol=1e-9)
    for found in poses.registrations:
        assert off_by_mm(found.matrix, true_matrix(truth, found.pair)) < 0.06 * VOXEL_MM


def test_one_visit_is_its_own_space():
    (pair, _), truth = participant(4)
    poses = register_participant([pair])
    assert (poses.off[0] == np.eye(4)).all()
    assert off_by_mm(poses.on[0], true_matrix(truth, "M00:on-off")) < 0.05 * VOXEL_MM


def test_no_visit_is_refused():
    with pytest.raises(InputError, match="visits is none"):
        register_participant([])


def test_an_mt_on_without_signal_fails_alone(two):
    (first, second), truth, _ = two
    dark = replace(first, on=replace(first.on, data=np.zeros_like(first.on.data), file="sub-01_mt-on.nii.gz"))
    poses = register_participant([dark, second])
    bad = poses.registration("M00:on-off")
    assert bad.quality == "fail"
    assert "sub-01_mt-on.nii.gz" in bad.reason
    assert "the header pose is used" in bad.reason
    assert_allclose(poses.on[0], poses.off[0], rtol=0, atol=1e-9)
    for name in ("M06:on-off", "M00-M06"):
        assert poses.registration(name).quality == "pass"
        assert off_by_mm(poses.registration(name).matrix, true_matrix(truth, name)) < 0.06 * VOXEL_MM


def test_the_mask_follows_an_mt_on_of_another_grid(two):
    pairs, truth, _ = two
    on = pairs[0].on
    fewer = Volume(np.ascontiguousarray(on.data[2:, 1:-2]), on.affine @ shifted(2.0, 1.0, 0.0))
    poses = register_participant([MTPair("M00", pairs[0].off, fewer, pairs[0].brain)])
    assert off_by_mm(poses.on[0], true_matrix(truth, "M00:on-off")) < 0.05 * VOXEL_MM


def shifted(*by: float) -> np.ndarray:
    return motion(np.r_[0, 0, 0, by])


def link(fixed, moving, matrix, error_mm=0.1, quality="pass") -> Link:
    return Link(fixed, moving, Registration(matrix, quality, "", error_mm, 0, 0, 0, 1, 1, 1))


POINTS = np.array([[0.0, 0, 0], [50, 0, 0], [0, 50, 0], [0, 0, 50]])


@given(st.lists(st.integers(0, 2**32 - 1), min_size=4, max_size=4, unique=True))
def test_loops_that_close_are_kept(seeds):
    truth = [np.eye(4)] + [
        motion(np.r_[rng.uniform(-0.3, 0.3, 3), rng.uniform(-40, 40, 3)])
        for rng in map(np.random.default_rng, seeds[1:])
    ]
    links = [link(a, b, truth[b] @ inverse(truth[a])) for a, b in ((0, 1), (1, 2), (2, 3), (0, 3), (0, 2))]
    poses, error_mm = reconciled(4, links, POINTS)
    for found, true in zip(poses, truth, strict=True):
        assert_allclose(found, true, rtol=0, atol=1e-9)
    # No link is less sure than alone; 1 and 3 are two links apart, by two ways.
    assert (error_mm[np.triu_indices(4, 1)] < 0.1 + 1e-9).all()


@given(st.permutations(range(4)))
def test_the_order_of_the_images_does_not_matter(order):
    rng = np.random.default_rng(5)
    found = {(a, b): motion(rng.normal(0, 0.1, 6)) for a in range(4) for b in range(a)}
    links = [link(a, b, T, 0.1 + 0.1 * a) for (a, b), T in found.items()]
    there = [link(order.index(k.fixed), order.index(k.moving), k.found.matrix, k.error_mm) for k in links]
    poses, _ = reconciled(4, links, POINTS)
    again, _ = reconciled(4, there, POINTS)
    for k in range(4):
        seen = again[order.index(k)] @ inverse(again[order.index(0)])
        assert_allclose(seen, poses[k] @ inverse(poses[0]), rtol=0, atol=1e-10)


def test_the_surer_way_counts_more():
    links = [
        link(0, 1, shifted(1.0, 0, 0), 0.01),
        link(1, 2, shifted(1.0, 0, 0), 0.01),
        link(0, 2, shifted(3.0, 0, 0), 1.0),
    ]
    poses, _ = reconciled(3, links, POINTS)
    assert poses[2][0, 3] == pytest.approx(2.0, abs=1e-3)


def test_a_loop_that_does_not_close_shows_in_the_error():
    links = [link(0, 1, shifted(1.0, 0, 0)), link(1, 2, shifted(1.0, 0, 0)), link(0, 2, shifted(5.0, 0, 0))]
    _, error_mm = reconciled(3, links, POINTS)
    # 3 mm spread over three links of 0.1 mm: 1 mm each, 10 times what was promised, root of 3 as a whole.
    assert error_mm[0, 2] == pytest.approx(0.1 * np.sqrt(2 / 3) * np.sqrt(3) * 10, rel=1e-6)


def test_a_failed_link_holds_only_where_nothing_else_does():
    closed = [
        link(0, 1, shifted(1.0, 0, 0)),
        link(1, 2, shifted(1.0, 0, 0)),
        link(0, 2, np.eye(4), np.nan, "fail"),
    ]
    poses, error_mm = reconciled(3, closed, POINTS)
    assert poses[2][0, 3] == pytest.approx(2.0, abs=1e-6)
    assert error_mm[0, 2] < 0.2
    poses, error_mm = reconciled(2, [link(0, 1, np.eye(4), np.nan, "fail")], POINTS)
    assert (poses[1] == np.eye(4)).all()
    assert error_mm[0, 1] > 100
