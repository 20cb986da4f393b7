"""Rigid registration of a pair: it finds what was done, its bits repeat, and it owns up when it cannot."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose

from remyelin.measure.image import Volume
from remyelin.measure.motion import inverse, motion
from remyelin.measure.registration import Registration, rigid
from remyelin.measure.verdict import settled

from .soft_head import AFFINE, PAIRS, SHAPE, off_by_mm, participant, true_matrix

VOXEL_MM = 3.0


def rigid_of(pairs, name, **options) -> Registration:
    if name == "M00-M06":
        a, b = pairs
        return rigid(a.off, b.off, mask=a.brain, moving_mask=b.brain, kind="between", pair=name, **options)
    pair = next(p for p in pairs if name.startswith(p.visit))
    return rigid(
        pair.off, pair.on, mask=pair.brain, moving_mask=pair.brain, kind="within", pair=name, **options
    )


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("name", PAIRS)
def test_finds_a_known_motion(name, seed):
    pairs, truth = participant(seed)
    found = rigid_of(pairs, name)
    assert found.quality == "pass", found
    # Blocks of six voxels are 18 mm here, over which the receive fields of two visits differ by 1 %.
    assert off_by_mm(found.matrix, true_matrix(truth, name)) < VOXEL_MM * 0.06


def test_exchange_gives_the_inverse():
    (a, b), _ = participant(1)
    there = rigid(a.off, b.off, mask=a.brain, moving_mask=b.brain)
    back = rigid(b.off, a.off, mask=b.brain, moving_mask=a.brain)
    assert_allclose(back.matrix @ there.matrix, np.eye(4), rtol=0, atol=1e-12)
    assert there.error_mm == pytest.approx(back.error_mm, rel=0.02)


def test_receive_field_and_scale_do_not_matter():
    (a, b), _ = participant(2)
    bright = replace(b.off, data=(0.001 * b.off.data).astype(np.float32))
    found = rigid(a.off, bright, mask=a.brain, moving_mask=b.brain)
    same = rigid(a.off, b.off, mask=a.brain, moving_mask=b.brain)
    assert_allclose(found.matrix, same.matrix, rtol=0, atol=1e-4)


def test_how_the_voxels_are_stored_does_not_matter():
    (a, b), _ = participant(3)
    stored = np.array([[0, -1, 0, SHAPE[0] - 1], [0, 0, 1, 0], [1, 0, 0, 0], [0, 0, 0, 1.0]])
    turned = Volume(np.ascontiguousarray(b.off.data.transpose(2, 0, 1)[:, ::-1]), b.off.affine @ stored)
    mask = np.ascontiguousarray(b.brain.transpose(2, 0, 1)[:, ::-1])
    assert turned.data[5, 6, 7] == b.off.data[tuple((stored @ [5, 6, 7, 1])[:3].astype(int))]
    here = rigid(a.off, b.off, mask=a.brain, moving_mask=b.brain)
    there = rigid(a.off, turned, mask=a.brain, moving_mask=mask)
    assert off_by_mm(there.matrix, here.matrix) < 0.02 * VOXEL_MM  # other blocks, other scattered points


def test_the_head_is_found_without_a_mask():
    pairs, truth = participant(4)
    found = rigid(pairs[0].off, pairs[1].off)
    assert found.quality == "pass"
    assert off_by_mm(found.matrix, true_matrix(truth, "M00-M06")) < 0.06 * VOXEL_MM


@pytest.mark.parametrize(("degrees", "mm"), [(10.0, 20.0), (25.0, 40.0)])
def test_captures_a_head_that_lies_far_away(degrees, mm):
    (a, b), truth = participant(5)
    far = motion(np.r_[np.deg2rad(degrees) * np.array([0.6, 0.0, 0.8]), mm * np.array([0.0, 0.6, 0.8])])
    found = rigid(a.off, replace(b.off, affine=far @ b.off.affine), mask=a.brain, moving_mask=b.brain)
    assert found.quality == "pass", found
    assert off_by_mm(found.matrix, far @ true_matrix(truth, "M00-M06")) < 0.06 * VOXEL_MM


def test_undefined_voxels_are_left_out():
    (a, b), truth = participant(6)
    holed = b.off.data.copy()
    holed[20:24, 20:26, 15:20] = np.nan
    found = rigid(a.off, replace(b.off, data=holed), mask=a.brain, moving_mask=b.brain)
    assert found.quality == "pass"
    assert off_by_mm(found.matrix, true_matrix(truth, "M00-M06")) < 0.06 * VOXEL_MM


def test_the_images_are_left_as_they_were():
    (a, b), _ = participant(7)
    before = a.off.data.copy(), b.off.data.copy(), a.brain.copy()
    rigid(a.off, b.off, mask=a.brain, moving_mask=b.brain)
    assert all((x == y).all() for x, y in zip(before, (a.off.data, b.off.data, a.brain), strict=True))


FINGERPRINT = """
import hashlib
from tests.measure.soft_head import participant
from remyelin.measure.registration import rigid
(a, b), _ = participant(8)
found = rigid(a.off, b.off, mask=a.brain, moving_mask=b.brain)
print(hashlib.sha256(found.matrix.tobytes() + repr(found).encode()).hexdigest())
"""


def test_same_bits_again_and_in_a_process_with_other_threads():
    (a, b), _ = participant(8)
    runs = [rigid(a.off, b.off, mask=a.brain, moving_mask=b.brain) for _ in range(2)]
    ours = {hashlib.sha256(r.matrix.tobytes() + repr(r).encode()).hexdigest() for r in runs}
    for threads in ("1", "3"):
        names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS")
        environment = {**os.environ, **dict.fromkeys(names, threads), "TZ": f"UTC{threads}"}
        done = subprocess.run(
            [sys.executable, "-c", FINGERPRINT],
            cwd=Path(__file__).parents[2],
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        )
        ours.add(done.stdout.strip())
    assert len(ours) == 1


def flat(value=5.0, shape=(20, 20, 20)):
    return Volume(np.full(shape, value, np.float32), np.eye(4))


def speckle(seed, shape=(24, 24, 24)):
    return Volume(np.random.default_rng(seed).normal(size=shape).astype(np.float32), np.eye(4))


EVERYWHERE = {"mask": np.ones((24, 24, 24), bool), "moving_mask": np.ones((24, 24, 24), bool)}


@pytest.mark.parametrize(
    ("fixed", "moving", "options", "reason"),
    [
        (flat(), flat(), {}, "the same in every voxel"),
        (flat(np.nan), flat(np.nan), {}, "the same in every voxel"),
        (flat(), flat(), {"mask": np.zeros((20, 20, 20), bool)}, "empty"),
        (speckle(0), speckle(1), EVERYWHERE, "header pose"),
        (speckle(0, (3, 3, 3)), speckle(0, (3, 3, 3)), {"mask": np.ones((3, 3, 3), bool)}, "too few voxels"),
    ],
    ids=["flat", "nan", "no mask", "noise", "tiny"],
)
def test_what_cannot_be_registered_keeps_its_header_pose_and_says_why(fixed, moving, options, reason):
    found = rigid(fixed, moving, **options)
    assert found.quality == "fail"
    assert reason in found.reason
    assert (found.matrix == np.eye(4)).all()


def test_a_motion_that_nobody_makes_is_not_believed():
    (a, _), _ = participant(9)
    away = np.eye(4)
    away[0, 3] = 120.0
    found = rigid(a.off, replace(a.off, affine=away @ a.off.affine), mask=a.brain, moving_mask=a.brain)
    assert found.quality == "fail"
    assert "more than is plausible" in found.reason
    assert (found.matrix == np.eye(4)).all()


def test_a_head_half_outside_is_flagged():
    (a, b), truth = participant(11)
    lower = 15  # slices that were not acquired
    affine = AFFINE.copy()
    affine[2, 3] += VOXEL_MM * lower
    part = Volume(np.ascontiguousarray(b.off.data[:, :, lower:]), affine)
    found = rigid(a.off, part, mask=a.brain, moving_mask=np.ascontiguousarray(b.brain[:, :, lower:]))
    assert found.quality in ("flag", "fail"), found
    if found.quality == "flag":
        assert "outside" in found.reason
        assert off_by_mm(found.matrix, true_matrix(truth, "M00-M06")) < 0.3


def phantom(seed):
    """20 x 24 x 16 voxels of 2 x 2 x 3 mm with hard edges: too small for three halvings."""
    rng = np.random.default_rng(seed)
    shape = (20, 24, 16)
    at = np.stack(np.meshgrid(*[np.linspace(-1, 1, n) for n in shape], indexing="ij"))
    head = (at[0] / 0.8) ** 2 + (at[1] / 0.85) ** 2 + (at[2] / 0.8) ** 2 < 1
    lesion = ((at[0] + 0.35) / 0.22) ** 2 + ((at[1] - 0.1) / 0.22) ** 2 + (at[2] / 0.3) ** 2 < 1
    off = np.where(head, 1000 + rng.normal(0, 4, shape), 0).round()
    on = np.where(head, np.where(lesion, 720, 600) + rng.normal(0, 4, shape), 0).round()
    affine = np.diag([2.0, 2.0, 3.0, 1.0])
    return Volume(off.astype(np.float32), affine), Volume(on.astype(np.float32), affine)


@pytest.mark.parametrize("seed", range(2))
def test_a_small_phantom_with_hard_edges_stays_where_it_is(seed):
    off, on = phantom(seed)
    found = rigid(off, on, kind="within")
    assert found.quality == "pass", found
    assert found.moved_mm < 0.05


def test_identical_images_do_not_move():
    (a, _), _ = participant(12)
    found = rigid(a.off, a.off, mask=a.brain, moving_mask=a.brain)
    assert found.quality == "pass"
    assert found.moved_mm < 1e-3


def passed(**changes) -> Registration:
    return replace(
        Registration(np.eye(4), "pass", "", 0.02, 0.0, 1.0, 1.0, 0.5, 0.9, 1.0, "M00-M06"), **changes
    )


POINTS = np.zeros((1, 3))


@pytest.mark.parametrize(
    ("before", "error_mm", "quality", "reason"),
    [
        (passed(), 0.01, "pass", ""),
        (passed(), 0.3, "flag", "uncertain by 0.30 mm"),
        (passed(), 0.8, "fail", "contradict one another"),
        (
            passed(quality="fail", reason="far; the header pose is used"),
            0.02,
            "flag",
            "participant's other images",
        ),
        (
            passed(quality="fail", reason="far; the header pose is used"),
            1e4,
            "fail",
            "the header pose is used",
        ),
    ],
)
def test_quality_after_reconciliation(before, error_mm, quality, reason):
    found = settled(before, motion(np.array([0, 0, 0, 1.0, 0, 0])), error_mm, POINTS)
    assert found.quality == quality
    assert reason in found.reason


def test_it_prints_what_a_reader_needs():
    text = str(passed(quality="flag", reason="the pose is uncertain by 0.30 mm"))
    assert text == (
        "M00-M06: flag (the pose is uncertain by 0.30 mm), error 0.020 mm, moved 1.00 mm and 1.00 deg, "
        "explained 0.900 (was 0.500)"
    )
    assert inverse(passed().matrix).shape == (4, 4)
