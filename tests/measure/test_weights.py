"""A lesion laid over an image as a smooth weight."""

from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy.interpolate import BSpline
from scipy.spatial.transform import Rotation

from remyelin.measure.weights import BLOCK, SoftMask, gather, reach, soft_masks, spline_matrix

SHAPE = (22, 23, 24)
shifts = st.tuples(*[st.floats(-2, 2)] * 3)


def some_mask(seed=0):
    """A ragged lesion of about 50 voxels."""
    rng = np.random.default_rng(seed)
    at = np.indices(SHAPE)
    far = sum((a - c) ** 2 / r for a, c, r in zip(at, (11, 12, 11), (6, 4, 3), strict=True))
    labels = (far + rng.normal(0, 0.4, SHAPE) < 1.5) & (far < 4)
    return labels.astype(int)


def as_lesions(labels, home=0):
    return SimpleNamespace(ids=("001",), home=(home,), labels=(labels,))


def moved(shift, degrees=0.0):
    matrix = np.eye(4)
    matrix[:3, :3] = Rotation.from_euler("xyz", [degrees, -degrees, degrees / 2], degrees=True).as_matrix()
    middle = np.array(SHAPE) / 2
    matrix[:3, 3] = middle - matrix[:3, :3] @ middle + shift
    return matrix


def one(image, matrix, degree, labels=None):
    return gather(image, [matrix], soft_masks(as_lesions(some_mask() if labels is None else labels)), degree)


def slow_weight(labels, point, degree):
    """The definition, spline by spline."""
    basis = BSpline.basis_element(np.arange(degree + 2) - (degree + 1) / 2, extrapolate=False)
    voxels = np.argwhere(labels)
    return np.nan_to_num(basis(point - voxels)).prod(1).sum()


@pytest.mark.parametrize("degree", [1, 2, 3, 4, 5])
def test_weight_is_the_mask_convolved_with_splines(degree):
    labels, matrix = some_mask(), moved((0.3, -0.4, 0.2), 7)
    at = np.argwhere(labels)[::7] + np.array([1, 0, -1])
    for voxel in at:
        impulse = np.zeros(SHAPE)
        impulse[tuple(voxel)] = 1.0
        point = (matrix @ np.r_[voxel, 1])[:3]
        assert_allclose(one(impulse, matrix, degree).wv[0, 0], slow_weight(labels, point, degree), atol=1e-12)


def test_degree_0_on_its_own_grid_is_the_plain_mean():
    image, labels = np.random.default_rng(1).normal(size=SHAPE), some_mask()
    sums = one(image, np.eye(4), 0)
    assert_allclose(sums.mean[0, 0], image[labels > 0].mean(), rtol=1e-12)
    assert_allclose(sums.noise_gain, 1 / labels.sum(), rtol=1e-12)


@settings(max_examples=30, deadline=None)
@given(shift=shifts, degree=st.integers(1, 5))
def test_how_the_voxel_grid_lies_does_not_matter(shift, degree):
    """Splines of degree d sum up polynomials up to degree d exactly: weight, centre of mass."""
    labels = some_mask()
    x, y, z = np.indices(SHAPE) + np.reshape(shift, (3, 1, 1, 1))  # home position of each voxel
    sums = one(3 * x - 2 * y + z, moved(shift), degree)
    assert_allclose(sums.w[0, 0], labels.sum(), rtol=1e-9)
    assert_allclose(sums.mean[0, 0], np.argwhere(labels).mean(0) @ [3, -2, 1], rtol=1e-9)


@settings(max_examples=20, deadline=None)
@given(shift=shifts, degrees=st.floats(-40, 40), degree=st.integers(0, 5), value=st.floats(-1e4, 1e4))
def test_a_constant_image_gives_its_constant(shift, degrees, degree, value):
    sums = one(np.full(SHAPE, value), moved(shift, degrees), degree)
    assert_allclose(sums.mean[0], value, rtol=1e-9, atol=1e-9)


def test_slope_is_the_derivative():
    image, step = np.random.default_rng(2).normal(size=SHAPE), 1e-4
    at = moved((0.21, 0.13, -0.37), 5)
    for axis in range(3):
        push = np.zeros(3)
        push[axis] = step
        # Moving the lesion by +step makes every voxel see the home position -step.
        ahead, behind = (one(image, moved((0.21, 0.13, -0.37) - s * push, 5), 3).mean[0, 0] for s in (1, -1))
        assert_allclose(one(image, at, 3).slope[0, axis], (ahead - behind) / (2 * step), rtol=1e-5)


def test_halves_share_no_voxel_and_make_up_the_whole():
    matrix = moved((0.3, 0.1, -0.2), 4)
    weighed = []
    for voxel in np.argwhere(np.ones(SHAPE))[::11]:
        impulse = np.zeros(SHAPE)
        impulse[tuple(voxel)] = 1.0
        weighed.append(one(impulse, matrix, 3).wv[0, [0, 3, 4]])
    whole, a, b = np.transpose(weighed)
    assert (a * b == 0).all()
    assert_array_equal(a + b, whole)
    assert min((a > 0).sum(), (b > 0).sum()) > 10


def test_halves_of_a_compact_lesion_are_alike():
    """Fields are laid about the lesion's centre, so that no small lesion falls into one of them."""
    labels = np.zeros(SHAPE, int)
    labels[10 : 10 + BLOCK, 10 : 10 + BLOCK, 10 : 10 + BLOCK] = 1
    a, b = one(np.ones(SHAPE), moved((0.5, 0.5, 0.5)), 3, labels).w[0, 3:5]
    assert 0.8 < a / b < 1.25


def test_grown_and_shrunk_are_half_a_voxel_apart():
    labels = np.zeros(SHAPE, int)
    labels[6:16, 6:16, 6:16] = 1
    mask, grown, shrunk = one(np.ones(SHAPE), np.eye(4), 3, labels).w[0, :3]
    assert_allclose([mask, grown, shrunk], [1000, 1000 + 300, (1000 + 512) / 2])


def test_voxels_without_a_value_are_left_out():
    image, labels = np.full(SHAPE, 5.0), some_mask()
    image[tuple(np.argwhere(labels)[0])] = np.nan
    sums = one(image, np.eye(4), 3)
    assert_allclose(sums.mean[0, 0], 5)
    assert sums.w[0, 0] < labels.sum()


def test_outside_the_image_there_is_no_mean():
    sums = one(np.ones(SHAPE), moved((100, 0, 0)), 3)
    assert sums.w[0, 0] == 0
    assert np.isnan(sums.mean).all()
    assert np.isnan(sums.noise_gain).all()


def test_reach_is_inside_the_image_and_holds_the_box():
    low, high = np.array([5.0, 6, 7]), np.array([9.0, 9, 9])
    matrix = moved((0.4, 0.1, 0.2), 20)
    box = reach(np.ones(SHAPE), matrix, low, high)
    points = np.argwhere(np.ones(SHAPE)) @ matrix[:3, :3].T + matrix[:3, 3]
    inside = np.argwhere(((points >= low) & (points <= high)).all(1).reshape(SHAPE))
    assert (inside >= box[0]).all()
    assert (inside < box[1]).all()
    assert (reach(np.ones(SHAPE), moved((500, 0, 0)), low, high)[:, 0] == 0).all()


def test_a_lesion_without_voxels_is_refused():
    with pytest.raises(ValueError, match="001 has no voxel"):
        soft_masks(as_lesions(np.zeros(SHAPE, int)))


def test_lesions_that_touch_keep_to_themselves():
    labels = np.zeros(SHAPE, int)
    labels[8:12, 8:12, 8:12], labels[12:16, 8:12, 8:12] = 1, 2
    masks = soft_masks(SimpleNamespace(ids=("001", "002"), home=(0, 0), labels=(labels,)))
    assert [mask.voxels for mask in masks] == [64, 64]
    assert_allclose([mask.centre for mask in masks], [[9.5, 9.5, 9.5], [13.5, 9.5, 9.5]])


@pytest.mark.parametrize("degree", range(6))
def test_splines_add_up_to_one(degree):
    assert_allclose(spline_matrix(np.linspace(4, 6, 21), 11, degree).sum(1), 1)


def test_soft_mask_counts_its_voxels():
    assert SoftMask(0, np.zeros(3, int), np.ones((3, 2, 2, 2))).voxels == 8
