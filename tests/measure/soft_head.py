"""A head of three soft tissues on 3 mm voxels, acquired in any pose with field and noise."""

from __future__ import annotations

from functools import cache

import numpy as np
from scipy import ndimage

from remyelin.measure.image import MTPair, Volume
from remyelin.measure.motion import displacement_mm, inverse, motion

SHAPE, VOXEL_MM = (36, 42, 34), 3.0
OFF, ON = (850.0, 1000.0, 1150.0), (510.0, 680.0, 1115.0)  # white matter, grey matter, fluid
PAIRS = ("M00:on-off", "M06:on-off", "M00-M06")
AFFINE = np.diag([VOXEL_MM, VOXEL_MM, VOXEL_MM, 1.0])
AFFINE[:3, 3] = -VOXEL_MM * (np.array(SHAPE) - 1) / 2


@cache
def tissue() -> np.ndarray:
    """(3, x, y, z) parts of white matter, grey matter and fluid: folds drawn once, edges two voxels wide."""
    rng = np.random.default_rng(20)
    at = np.stack(np.meshgrid(*[np.linspace(-1, 1, n) for n in SHAPE], indexing="ij"))
    # No symmetry, or a turn could not be told.
    radius = np.sqrt((at[0] / 0.8) ** 2 + ((at[1] + 0.1 * at[0]) / 0.85) ** 2 + (at[2] / 0.75) ** 2)
    folds = ndimage.gaussian_filter(rng.normal(size=SHAPE), 1.8)
    depth = 8 * (1 - radius) + 1.2 * folds / folds.std()

    def above(level: float) -> np.ndarray:
        return 1 / (1 + np.exp(-3 * (depth - level)))

    fluid, grey, white = above(-0.5), above(0.8), above(2.4)
    return np.stack([white, grey - np.minimum(white, grey), fluid - np.minimum(grey, fluid)]).astype(
        np.float32
    )


def image(
    signal: tuple[float, ...], pose: np.ndarray, tilt: np.ndarray, rng: np.random.Generator, noise: float
):
    """The head at a pose (scanner to head) through a receive field that tilts from end to end."""
    to_head = np.linalg.inv(AFFINE) @ pose @ AFFINE
    whole = np.tensordot(np.array(signal), tissue(), 1)
    clean = ndimage.affine_transform(whole, to_head[:3, :3], to_head[:3, 3], order=5)
    place = np.stack(np.meshgrid(*[np.linspace(-1, 1, n) for n in SHAPE], indexing="ij"))
    seen = clean * (1 + np.tensordot(tilt, place, 1))
    noisy = np.hypot(seen + rng.normal(0, noise, SHAPE), rng.normal(0, noise, SHAPE))
    return Volume(noisy.astype(np.float32), AFFINE)


def brain(pose: np.ndarray) -> np.ndarray:
    to_head = np.linalg.inv(AFFINE) @ pose @ AFFINE
    whole = ndimage.affine_transform(tissue().sum(0), to_head[:3, :3], to_head[:3, 3], order=1)
    return whole > 0.5


def direction(rng: np.random.Generator) -> np.ndarray:
    v = rng.normal(size=3)
    return v / np.linalg.norm(v)


def drawn_pose(rng: np.random.Generator, degrees: float, mm: float) -> np.ndarray:
    turn = motion(np.r_[np.deg2rad(degrees) * direction(rng), 0, 0, 0])
    return motion(np.r_[0, 0, 0, mm * direction(rng)]) @ turn


def participant(seed: int, visits: int = 2, motion_between: float = 4.0, noise: float = 17.0):
    """Pairs, and true poses head -> image world as ``{"M00": (off, on), ...}``."""
    rng = np.random.default_rng([7, seed])
    pairs, truth = [], {}
    for v in range(visits):
        name = f"M{6 * v:02d}"
        to_head = drawn_pose(rng, motion_between, motion_between)
        on_to_head = to_head @ drawn_pose(rng, 0.5, 0.5)
        tilt = 0.1 * direction(rng)  # the same for both images of a visit
        off, on = image(OFF, to_head, tilt, rng, noise), image(ON, on_to_head, tilt, rng, noise)
        pairs.append(MTPair(name, off, on, brain(to_head)))
        truth[name] = (inverse(to_head), inverse(on_to_head))
    return pairs, truth


def true_matrix(truth: dict, pair: str) -> np.ndarray:
    """True motion of a pair such as ``M00:on-off`` or ``M00-M06``."""
    if pair.endswith(":on-off"):
        off, on = truth[pair.split(":")[0]]
        return on @ inverse(off)
    a, b = pair.split("-")
    return truth[b][0] @ inverse(truth[a][0])


def off_by_mm(found: np.ndarray, true: np.ndarray) -> float:
    """Root mean square error of position over the head."""
    points = np.argwhere(brain(np.eye(4)))[::50] @ AFFINE[:3, :3].T + AFFINE[:3, 3]
    return float(np.sqrt((displacement_mm(inverse(true) @ found, points) ** 2).mean()))
