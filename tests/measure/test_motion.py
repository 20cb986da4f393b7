"""Rigid motions: what the group of motions must obey."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.testing import assert_allclose
from scipy.linalg import expm, sqrtm

from remyelin.errors import InputError
from remyelin.measure.motion import angle_deg, centred, displacement_mm, inverse, motion, square_root, twist

turns = arrays(float, 3, elements=st.floats(-1.7, 1.7))  # up to 169 degrees
shifts = arrays(float, 3, elements=st.floats(-200, 200))
twists = st.tuples(turns, shifts).map(np.concatenate)
tiny = np.array([1e-9, -2e-9, 3e-10, 1.0, 2.0, 3.0])
brink = np.array([0.9e-4, 0, 0, 50.0, -20.0, 10.0])


def generator(v):
    w, t = v[:3], v[3:]
    return np.array([[0, -w[2], w[1], t[0]], [w[2], 0, -w[0], t[1]], [-w[1], w[0], 0, t[2]], [0, 0, 0, 0]])


@given(v=twists)
@example(v=tiny)
@example(v=brink)
@example(v=1.2 * brink)
@example(v=np.zeros(6))
def test_motion_is_the_matrix_exponential(v):
    assert_allclose(motion(v), expm(generator(v)), rtol=0, atol=1e-10)


@given(v=twists)
@example(v=tiny)
@example(v=brink)
@example(v=1.2 * brink)
def test_twist_undoes_motion(v):
    assert_allclose(twist(motion(v)), v, rtol=0, atol=2e-9)


@given(v=twists)
def test_the_opposite_twist_is_the_inverse(v):
    assert_allclose(motion(-v) @ motion(v), np.eye(4), rtol=0, atol=1e-12)
    assert_allclose(inverse(motion(v)), motion(-v), rtol=0, atol=1e-11)


@given(v=twists)
def test_half_done_twice_is_the_whole(v):
    half = square_root(motion(v))
    assert_allclose(half @ half, motion(v), rtol=0, atol=1e-9)


def test_square_root_is_that_of_scipy():
    T = motion(np.array([0.2, -0.1, 0.3, 10.0, -5.0, 2.0]))
    assert_allclose(square_root(T), np.real(sqrtm(T)), rtol=0, atol=1e-12)


@given(a=twists, b=twists, c=twists)
def test_the_mean_space_has_no_favourite(a, b, c):
    poses = [motion(v / 4) for v in (a, b, c)]
    found = centred(poses)
    assert_allclose(sum(twist(p) for p in found), 0, rtol=0, atol=1e-10)
    order = [2, 0, 1]
    again = centred([poses[k] for k in order])
    for k, p in zip(order, again, strict=True):
        assert_allclose(p, found[k], rtol=0, atol=1e-9)


@given(v=twists, change=twists)
def test_the_mean_space_does_not_depend_on_the_origin(v, change):
    poses = [np.eye(4), motion(v / 4), motion(-v / 3)]
    C = motion(change)
    moved = centred([C @ p @ inverse(C) for p in poses])
    for here, there in zip(centred(poses), moved, strict=True):
        assert_allclose(there, C @ here @ inverse(C), rtol=0, atol=1e-8)


def test_one_pose_is_its_own_mean():
    (only,) = centred([motion(np.array([0.1, 0, 0, 3.0, 0, 0]))])
    assert_allclose(only, np.eye(4), rtol=0, atol=1e-14)


@pytest.mark.parametrize("bad", [np.diag([-1.0, 1, 1, 1]), np.diag([2.0, 2, 2, 1]), np.full((4, 4), np.nan)])
def test_what_is_not_rigid_is_refused(bad):
    with pytest.raises(InputError, match="not rigid"):
        twist(bad)


def test_a_half_turn_has_no_unique_twist():
    with pytest.raises(InputError, match="180 degrees"):
        twist(np.diag([-1.0, -1.0, 1.0, 1.0]))


def test_angle_and_displacement():
    T = motion(np.array([0, 0, np.pi / 2, 0, 0, 0.0]))
    assert angle_deg(T) == pytest.approx(90)
    assert_allclose(displacement_mm(T, np.array([[1.0, 0, 0], [0, 0, 7.0]])), [np.sqrt(2), 0], atol=1e-12)
