"""The least-squares refinement, piece by piece, against slow and obvious twins."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import ndimage

from remyelin.measure.capture import capture, coarse
from remyelin.measure.image import Volume
from remyelin.measure.level import level, smoothed
from remyelin.measure.motion import inverse, motion
from remyelin.measure.refine import Fit, evaluate, refine
from remyelin.measure.spline import accumulate, look_up

from .soft_head import AFFINE, off_by_mm, participant, true_matrix


@pytest.fixture(scope="module")
def levels():
    (a, b), truth = participant(20)
    return level(a.off, a.brain), level(b.off, b.brain), true_matrix(truth, "M00-M06")


def random_spline(shape=(9, 7, 8)):
    values = np.random.default_rng(1).normal(size=shape).astype(np.float32)
    return ndimage.spline_filter(values, 3, output=np.float32, mode="mirror")


def test_look_up_is_the_spline_of_scipy():
    spline = random_spline()
    points = np.random.default_rng(2).uniform(0, np.array(spline.shape) - 1, (500, 3)).astype(np.float32)
    ours = np.empty(len(points), np.float32)
    look_up(spline, points, ours)
    theirs = ndimage.map_coordinates(spline, points.T, order=3, mode="mirror", prefilter=False)
    assert_allclose(ours, theirs, rtol=0, atol=2e-6)


def test_the_sums_are_those_of_the_products():
    spline = random_spline()
    rng = np.random.default_rng(3)
    points = rng.uniform(1, 5, (40, 3)).astype(np.float32)
    regressor = rng.normal(size=40).astype(np.float32)
    affine = np.diag([2.0, 3.0, 1.5, 1.0])
    matrix = motion(np.array([0.02, -0.01, 0.03, 0.2, 0.1, -0.3]))
    to_voxel, centre, radius = np.linalg.inv(affine), np.array([5.0, 9.0, 4.0]), 7.0
    sums = np.zeros((2, 10, 10))
    starts = np.array([0, 25, 40])
    accumulate(
        points, starts, regressor, affine, centre, radius, spline, np.ones(spline.shape, bool),
        to_voxel @ matrix @ affine, matrix[:3, :3].T @ to_voxel[:3, :3].T, sums,
    )  # fmt: skip

    def value(step):
        at = matrix @ about(centre, step, radius) @ np.c_[points @ affine[:3, :3], np.ones(40)].T
        return ndimage.map_coordinates(spline, (to_voxel @ at)[:3], order=3, mode="mirror", prefilter=False)

    h = 1e-3
    slopes = [(value(h * e) - value(-h * e)) / (2 * h) for e in np.eye(6)]
    z = np.stack([np.ones(40), regressor, regressor**2, *slopes, value(np.zeros(6))])
    for block, part in enumerate((slice(0, 25), slice(25, 40))):
        assert_allclose(sums[block], np.triu(z[:, part] @ z[:, part].T), rtol=0, atol=2e-3)


def about(centre, step, radius):
    to, back = np.eye(4), np.eye(4)
    to[:3, 3], back[:3, 3] = centre, -centre
    return to @ motion(np.r_[step[:3] / radius, step[3:]]) @ back


def test_the_end_is_an_optimum(levels):
    fixed, moving, true = levels
    fit = refine(fixed, moving, true, stop_mm=1e-6)
    for axis in np.eye(6):
        for sign in (-1, 1):
            away = fit.matrix @ about(fit.centre_mm, sign * 0.05 * axis, 40.0)
            assert evaluate(fixed, moving, away).objective > fit.objective


def test_the_end_does_not_depend_on_the_start(levels):
    fixed, moving, true = levels
    ends = [
        refine(fixed, moving, true @ motion(np.array(v))).matrix
        for v in ([0.02, 0, 0, 1, -1, 0], [0, 0, -0.02, 0, 1, 2])
    ]
    assert off_by_mm(*ends) < 0.005


def test_refinement_never_makes_it_worse(levels):
    fixed, moving, _ = levels
    start = motion(np.array([0.5, 0.3, 0.0, 30.0, 0, 0]))
    assert refine(fixed, moving, start).objective <= evaluate(fixed, moving, start).objective


def test_nothing_to_compare_is_an_infinite_error(levels):
    fixed, moving, _ = levels
    away = np.eye(4)
    away[0, 3] = 1e4
    fit = refine(fixed, moving, away)
    assert fit.overlap == 0
    assert fit.error_mm(fixed.points_mm) == np.inf


def test_error_of_points_grows_with_distance_from_the_centre():
    covariance = np.diag([1e-4, 0, 0, 0.01, 0, 0])  # 0.01 rad about x, 0.1 mm along x
    fit = Fit(np.eye(4), covariance, np.zeros(3), 0.0, 1.0, 1.0)
    assert fit.error_mm(np.zeros((1, 3))) == pytest.approx(0.1)
    assert fit.error_mm(np.array([[50.0, 0, 0]])) == pytest.approx(0.1)
    assert fit.error_mm(np.array([[0, 50.0, 0]])) == pytest.approx(np.hypot(0.1, 0.5))


def test_points_lie_in_their_blocks_and_favour_no_part_of_a_voxel(levels):
    points = levels[0].points
    part = points - np.round(points)
    assert np.abs(part.mean(0)).max() < 0.01
    assert_allclose(part.var(0), 1 / 12, rtol=0.05)
    sizes = [
        np.ptp(points[a:b], axis=0).max()
        for a, b in zip(levels[0].starts[:-1], levels[0].starts[1:], strict=True)
    ]
    assert max(sizes) <= 7.0  # six voxels and the scatter


def test_undefined_voxels_do_not_bleed():
    data = np.full((9, 9, 9), 3.0)
    data[4, 4, 4] = np.nan
    assert_allclose(smoothed(data, np.array([1.0, 1.0, 1.0])), 3.0, rtol=1e-6)


def test_capture_comes_within_a_voxel():
    (a, b), truth = participant(21, motion_between=12.0)
    found = capture(coarse(a.off, a.brain), coarse(b.off, b.brain), far=True)
    assert off_by_mm(found, true_matrix(truth, "M00-M06")) < 3.0


def test_the_coarse_grid_keeps_places():
    (a, _), _ = participant(22)
    grid = coarse(a.off, a.brain)
    index = np.array([[15.0, 20.0, 17.0], [18.0, 18.0, 12.0]])
    points = index @ AFFINE[:3, :3] + AFFINE[:3, 3]
    values, inside = grid.at(points)
    assert inside.all()
    assert_allclose(values, a.off.data[tuple(index.astype(int).T)] / a.off.data[a.brain].max(), atol=0.15)
    image, mask = grid.itk()
    voxel = image.TransformPhysicalPointToIndex(points[0].tolist())
    assert image[voxel] == grid.values[voxel]
    assert mask[voxel] == 1


def test_images_too_small_for_a_pyramid_do_not_crash():
    tiny = Volume(np.random.default_rng(0).normal(size=(4, 3, 1)).astype(np.float32), np.eye(4))
    grid = coarse(tiny, np.ones((4, 3, 1), bool))
    found = capture(grid, grid, far=False)
    assert_allclose(found @ inverse(found), np.eye(4), atol=1e-9)
