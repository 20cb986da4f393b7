"""Heads, plaques and what a scanner sees of them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from remyelin.errors import InputError
from remyelin.evidence import lesion_volumes_mm3
from remyelin.virtual.acquire import Scene
from remyelin.virtual.contrast import contrasts
from remyelin.virtual.head import Head
from remyelin.virtual.plaque import Plaque, place
from remyelin.virtual.scanner import Fields, Scanner, draw_b1, draw_pose
from remyelin.virtual.template import FLUID, template, white_sites


@pytest.fixture(scope="module")
def head() -> Head:
    return Head.draw(np.random.default_rng(3))


def lesion(radius_mm: float, centre_mm: np.ndarray) -> Plaque:
    return Plaque(centre_mm, np.full(3, radius_mm), np.eye(3))


def scene(head: Head, plaques: tuple[Plaque, ...], scanner: Scanner, mtr_pu: float = 22.0) -> Scene:
    rng = np.random.default_rng(0)
    fields = Fields.draw(scanner.clean(), draw_b1(scanner.clean(), rng), rng)
    bound = contrasts().bound_of(np.full(len(plaques), mtr_pu))[0]
    return Scene(head, plaques, np.arange(len(plaques)), bound, contrasts(), scanner, fields)


def test_tissues_fill_each_voxel_of_the_template_at_most_once():
    total = template().tissue.astype(int).sum(-1)
    assert total.max() <= 255
    inside = template().brain
    assert (total[inside] > 250).mean() > 0.99


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 10_000), scale=st.sampled_from([0.5, 0.65, 1.0, 1.2]))
def test_a_head_is_deformed_smoothly_and_back(seed, scale):
    head = Head.draw(np.random.default_rng(seed), scale=scale)
    points = white_sites().points_mm[::500]
    there = head.from_template(points)
    np.testing.assert_allclose(head.to_template(there), points, atol=0.01)
    step = 0.5
    jacobian = np.stack(
        [
            (head.to_template(there + step * e) - head.to_template(there - step * e)) / (2 * step)
            for e in np.eye(3)
        ],
        -1,
    )
    volume = np.linalg.det(jacobian) * scale**3
    assert volume.min() > 0.4
    assert volume.max() < 2.5


def test_no_two_heads_are_alike():
    one, two = (Head.draw(np.random.default_rng(seed)) for seed in (1, 2))
    points = white_sites().points_mm[::500]
    apart = np.linalg.norm(one.from_template(points) - two.from_template(points), axis=1)
    assert 1 < np.median(apart) < 10


@pytest.mark.parametrize("kind", ["", "periventricular", "deep", "juxtacortical"])
def test_lesions_lie_in_white_matter_and_do_not_touch(head, kind):
    rng = np.random.default_rng(4)
    volumes = np.exp(np.interp(rng.uniform(size=40), np.linspace(0, 1, 20), np.log(lesion_volumes_mm3())))
    plaques = place(head, volumes, [kind] * 40, rng)
    np.testing.assert_allclose([p.volume_mm3 for p in plaques], volumes)
    centres = np.array([p.centre_mm for p in plaques])
    reach = np.array([p.radii_mm.max() for p in plaques])
    gap = np.linalg.norm(centres[:, None] - centres, axis=-1) - reach[:, None] - reach
    assert gap[~np.eye(40, dtype=bool)].min() > 2
    assert head.tissue_at(centres)[:, FLUID].max() < 0.5


def test_four_hundred_lesions_of_real_size_find_a_place(head):
    rng = np.random.default_rng(5)
    volumes = np.exp(np.interp(rng.uniform(size=419), np.linspace(0, 1, 20), np.log(lesion_volumes_mm3())))
    assert len(place(head, volumes, [""] * 419, rng)) == 419


@pytest.mark.parametrize(
    ("volumes", "where", "words"),
    [
        ([3000.0] * 400, "", ["1.2e+03 ml", "fewer"]),
        ([20.0], "cortex", ["'cortex'", "periventricular"]),
    ],
)
def test_what_no_brain_holds_is_refused(head, volumes, where, words):
    with pytest.raises(InputError) as caught:
        place(head, volumes, [where] * len(volumes), np.random.default_rng(1))
    assert all(word in str(caught.value) for word in words), caught.value


@pytest.mark.parametrize("voxel_mm", [1.0, 2.0])
def test_a_lesion_fills_its_volume_wherever_the_head_lies(head, voxel_mm):
    plaque = lesion(4.0, np.array([25.0, -5.0, 15.0]))
    rng = np.random.default_rng(6)
    for _ in range(3):
        seen = scene(head, (plaque,), Scanner(voxel_mm=voxel_mm)).seen(draw_pose(rng, 3, 5), "mt-off")
        assert seen.filled.sum() * voxel_mm**3 == pytest.approx(plaque.volume_mm3, rel=0.02)
        assert set(np.unique(seen.label)) == {0, 1}


def test_a_whole_voxel_of_lesion_shows_its_mtr(head):
    plaque = lesion(9.0, np.array([25.0, -5.0, 15.0]))
    seen = scene(head, (plaque,), Scanner(voxel_mm=2), mtr_pu=20.0).seen(np.eye(4), "mt-off", "mt-on")
    mtr = 100 * (1 - seen.signal[1] / np.maximum(seen.signal[0], 1e-9))
    whole = seen.filled == 1
    # From the core, 0.6 of the rise below the mean, to near the surface.
    assert 19.0 < mtr[whole].min() < 20.0 < mtr[whole].max() < 21.0
    parts = seen.filled[seen.filled > 0]
    assert np.average(mtr[seen.filled > 0], weights=parts) == pytest.approx(20.0, abs=1.0)


def test_white_matter_shows_the_mtr_of_the_model():
    from remyelin.signal import mtr_pu, white_matter

    alike = Head.draw(np.random.default_rng(1), variation=0.0)
    seen = scene(alike, (), Scanner(voxel_mm=2)).seen(np.eye(4), "mt-off", "mt-on")
    mtr = 100 * (1 - seen.signal[1] / np.maximum(seen.signal[0], 1e-9))
    sites = white_sites()
    deep = sites.points_mm[alike.tissue_at(sites.points_mm)[:, 0] > 0.999]
    index = np.rint((deep - Scanner(voxel_mm=2).affine[:3, 3]) / 2).astype(int)
    expected = float(mtr_pu(white_matter(1.0)))
    assert np.median(mtr[tuple(index.T)]) == pytest.approx(expected, abs=0.05)


def test_a_pose_moves_the_picture_and_changes_nothing_else(head):
    """Shifted by whole voxels, every voxel is the same but for the edge of the field of view."""
    pose = np.eye(4)
    pose[:3, 3] = [4.0, -6.0, 2.0]
    still = scene(head, (), Scanner(voxel_mm=2, b1=0.0)).seen(np.eye(4), "t1w").signal[0]
    moved = scene(head, (), Scanner(voxel_mm=2, b1=0.0)).seen(pose, "t1w").signal[0]
    np.testing.assert_allclose(moved[22:-20, 20:-23, 21:-20], still[20:-22, 23:-20, 20:-21], atol=1e-5)
