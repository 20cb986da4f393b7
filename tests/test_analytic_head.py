"""The phantom: its tissues fill space, its lesions have the volume and the MTR that were asked for."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.analytic_head import MTR_PU, Head, VirtualLesion, draw_lesions
from tests.analytic_scanner import SHAPE, VOXEL_MM, Receiver, Scene, draw_pose, scanner_affine


@pytest.fixture(scope="module")
def head() -> Head:
    return Head.draw(np.random.default_rng(5))


@pytest.fixture(scope="module")
def lesions(head: Head) -> tuple[VirtualLesion, ...]:
    return draw_lesions(head, 18, np.random.default_rng(6))


def smooth(head: Head) -> Head:
    """The same head with the same MTR everywhere in white matter."""
    return Head(head.brain_mm, head.ventricle, head.sulci, head.heterogeneity, heterogeneity_pu=0.0)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_tissues_fill_each_voxel_at_most_once(seed):
    rng = np.random.default_rng(seed)
    points = rng.uniform(-75, 75, (400, 3))
    fractions = Head.draw(rng).fractions(points, VOXEL_MM)
    total = sum(fractions.values())
    assert min(f.min() for f in fractions.values()) >= 0
    assert total.max() <= 1 + 1e-9
    assert total[(points**2).sum(1) > 72**2].max(initial=0) == 0  # air around the head


def test_lesions_do_not_touch_and_are_of_realistic_size(lesions):
    volumes = np.array([lesion.volume_mm3 for lesion in lesions])
    assert ((volumes >= 89.9) & (volumes <= 2400.1)).all()
    assert volumes.max() > 3 * volumes.min()
    for i, a in enumerate(lesions):
        for b in lesions[i + 1 :]:
            gap = np.linalg.norm(a.centre_mm - b.centre_mm) - a.radii_mm.max() - b.radii_mm.max()
            assert gap > 4


def test_noise_free_mtr_of_a_lesion_and_of_white_matter_is_the_truth(head, lesions):
    scene = Scene(smooth(head), lesions, draw_pose(np.random.default_rng(1), 2, 2), scanner_affine())
    truth = np.linspace(25, 37, len(lesions))
    off, on = scene.signals(truth)
    for lesion, expected in zip(lesions, truth, strict=True):
        voxels, fraction, _ = scene.lesion_voxels(lesion)
        whole = tuple(voxels[fraction == 1].T)
        # Whole voxels leave out the surface, where the lesion is 0.4 pu above its mean.
        assert 100 * (1 - on[whole].mean() / off[whole].mean()) == pytest.approx(expected, abs=0.45)
    index = np.stack(np.meshgrid(*[np.arange(n) for n in SHAPE], indexing="ij"), -1).reshape(-1, 3)
    fractions = scene.head.fractions(scene._head_points(index), VOXEL_MM)["wm"].reshape(SHAPE)
    white = (fractions == 1) & ~scene.mask()
    for lesion in lesions:
        voxels, _, _ = scene.lesion_voxels(lesion)
        white[tuple(voxels.T)] = False
    np.testing.assert_allclose(100 * (1 - on[white] / off[white]), MTR_PU["wm"], atol=1e-9)


def test_partial_volume_conserves_the_volume_of_a_lesion(head, lesions):
    scene = Scene(head, lesions, np.eye(4), scanner_affine())
    for lesion in lesions:
        if head.ventricle_distance(lesion.centre_mm[None])[0] < lesion.radii_mm.max() + 2:
            continue  # the ventricle takes a part of it
        _, fraction, _ = scene.lesion_voxels(lesion)
        assert fraction.sum() * VOXEL_MM**3 == pytest.approx(lesion.volume_mm3, rel=0.03)


def test_the_mask_moves_with_the_head(head, lesions):
    still = Scene(head, lesions[:1], np.eye(4), scanner_affine())
    pose = draw_pose(np.random.default_rng(2), 3, 3)
    moved = Scene(head, lesions[:1], pose, scanner_affine())
    affine = scanner_affine()

    def centre(scene: Scene) -> np.ndarray:
        voxels, fraction, _ = scene.lesion_voxels(lesions[0])
        return affine[:3, :3] @ np.average(voxels, axis=0, weights=fraction) + affine[:3, 3]

    np.testing.assert_allclose(centre(moved), pose[:3, :3] @ centre(still) + pose[:3, 3], atol=0.05)


def test_noise_and_receiver(head):
    rng = np.random.default_rng(3)
    scene = Scene(smooth(head), (), np.eye(4), scanner_affine())
    off, _ = scene.signals(())
    receiver = Receiver.draw(rng)
    image = scene.record(off, receiver, rng).data
    assert (image == np.rint(image)).all()
    assert image.min() >= 0
    air = image[:4]
    assert np.sqrt((air.astype(float) ** 2).mean() / 2) == pytest.approx(
        20 * receiver.gain, rel=0.05
    )  # Rician
    index = np.stack(np.meshgrid(*[np.arange(n) for n in SHAPE], indexing="ij"), -1)
    expected = 1000 * receiver(index @ scene.affine[:3, :3].T + scene.affine[:3, 3])
    white = off == 1.0
    spread = (image - expected)[white]
    assert abs(spread.mean()) < 1
    assert spread.std() == pytest.approx(20 * receiver.gain, rel=0.03)


def test_the_same_seed_gives_the_same_head():
    a, b = Head.draw(np.random.default_rng(9)), Head.draw(np.random.default_rng(9))
    points = np.random.default_rng(0).uniform(-50, 50, (50, 3))
    for tissue, fraction in a.fractions(points, 2.0).items():
        np.testing.assert_array_equal(fraction, b.fractions(points, 2.0)[tissue])
