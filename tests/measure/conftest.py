"""A head whose truth is known everywhere: balls of lesion in white matter, acquired in any pose."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from types import SimpleNamespace

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from remyelin.measure.image import MTPair, Volume

SHAPE = (84, 72, 72)
MARGIN_MM, SPACING_MM = 12.0, 12.0
WHITE, LESION = 850.0, 950.0  # MT-off signal
WHITE_PU = 40.0
POINTS = 4  # per voxel edge, to average partial volume
EDGE_MM = 1.0  # width of the lesions' border: a scanner, which is band-limited, sees nothing sharper


@dataclass(frozen=True)
class Head:
    """Lesions are balls: centre (n, 3) and radius (n,) in mm, MTR (n,) in pu."""

    centre: np.ndarray
    radius: np.ndarray
    mtr_pu: np.ndarray

    @classmethod
    def drawn(cls, rng: np.random.Generator) -> Head:
        ends = np.array(SHAPE) - 2 * MARGIN_MM
        grid = np.stack(np.meshgrid(*(np.arange(0, n, SPACING_MM) for n in ends), indexing="ij"), -1)
        centre = MARGIN_MM + grid.reshape(-1, 3) + rng.uniform(-1, 1, (grid.size // 3, 3))
        return cls(
            centre, rng.uniform(1.4, 3.8, len(centre)), np.clip(rng.normal(32, 3, len(centre)), 25, 38)
        )

    def changed(self, by_pu: float | np.ndarray) -> Head:
        return replace(self, mtr_pu=self.mtr_pu + by_pu)

    def content(self, head_from_voxel: np.ndarray, lesions: Sequence[int] | None = None) -> np.ndarray:
        """(lesion, x, y, z) part of each voxel that lies in the lesion."""
        which = range(len(self.radius)) if lesions is None else lesions
        inner = (np.arange(POINTS) + 0.5) / POINTS - 0.5
        found = np.zeros((len(which), *SHAPE), np.float32)
        for row, k in enumerate(which):
            middle = np.linalg.inv(head_from_voxel) @ np.r_[self.centre[k], 1]
            low = np.clip(np.floor(middle[:3] - self.radius[k] - 2), 0, SHAPE).astype(int)
            high = np.clip(np.ceil(middle[:3] + self.radius[k] + 3), 0, SHAPE).astype(int)
            axes = [(np.arange(a, b)[:, None] + inner).ravel() for a, b in zip(low, high, strict=True)]
            at = (
                np.stack(np.meshgrid(*axes, indexing="ij"), -1) @ head_from_voxel[:3, :3].T
                + head_from_voxel[:3, 3]
            )
            inside = np.clip(
                (self.radius[k] - np.linalg.norm(at - self.centre[k], axis=-1)) / EDGE_MM + 0.5, 0, 1
            )
            parts = [n for a, b in zip(low, high, strict=True) for n in (b - a, POINTS)]
            box = tuple(slice(a, b) for a, b in zip(low, high, strict=True))
            found[row][box] = inside.reshape(parts).mean((1, 3, 5))
        return found

    def signals(self, content: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """MT-off and MT-on without noise, where the lesions have this content."""
        off = WHITE + (LESION - WHITE) * content.sum(0)
        white_on, lesion_on = WHITE * (1 - WHITE_PU / 100), LESION * (1 - self.mtr_pu / 100)
        return off, white_on + np.tensordot(lesion_on - white_on, content, 1)


def pose(rng: np.random.Generator, degrees: float, mm: float) -> np.ndarray:
    matrix = np.eye(4)
    matrix[:3, :3] = Rotation.from_euler("xyz", rng.uniform(-degrees, degrees, 3), degrees=True).as_matrix()
    middle = (np.array(SHAPE) - 1) / 2
    matrix[:3, 3] = middle - matrix[:3, :3] @ middle + rng.uniform(-mm, mm, 3)
    return matrix


@dataclass(frozen=True)
class Trial:
    """Visits of a head, registered without error; `truth` is the head at each visit.

    `before` is the last visit as it would be had the head stayed as it was at the first.
    """

    pairs: tuple[MTPair, ...]
    poses: SimpleNamespace
    lesions: SimpleNamespace
    before: MTPair
    truth: tuple[Head, ...]

    def noisy(self, rng: np.random.Generator, sd: float) -> Trial:
        def add(volume: Volume) -> Volume:
            real, imaginary = rng.normal(0, sd, (2, *volume.data.shape))
            return replace(volume, data=np.hypot(volume.data + real, imaginary).astype(np.float32))

        return replace(self, pairs=tuple(replace(p, off=add(p.off), on=add(p.on)) for p in self.pairs))


def acquire(truth: Sequence[Head], rng: np.random.Generator, *, home: int = 0) -> Trial:
    """One visit for each head in `truth`, every image in a pose of its own."""
    pairs, off_poses, on_poses, registrations, labels = [], [], [], [], []
    for v, head in enumerate(truth):
        off_pose = pose(rng, 3, 1.5)
        on_pose = pose(rng, 0.5, 0.5) @ off_pose
        content, on_content = (head.content(np.linalg.inv(pose_)) for pose_ in (off_pose, on_pose))
        off, _ = head.signals(content)
        _, on = head.signals(on_content)
        brain = np.ones(SHAPE, bool)
        pairs.append(MTPair(f"M{6 * v:02d}", Volume(off, np.eye(4)), Volume(on, np.eye(4)), brain))
        off_poses.append(off_pose)
        on_poses.append(on_pose)
        registrations.append(SimpleNamespace(pair=f"M{6 * v:02d}:on-off", error_mm=0.0))
        labels.append(np.where(content.sum(0) > 0.5, content.argmax(0) + 1, 0))
    registrations += [
        SimpleNamespace(pair=f"{a.visit}-{b.visit}", error_mm=0.0)
        for i, b in enumerate(pairs)
        for a in pairs[:i]
    ]
    n = len(truth[0].radius)
    lesions = SimpleNamespace(
        ids=tuple(f"{k + 1:03d}" for k in range(n)), home=(home,) * n, labels=tuple(labels)
    )
    poses = SimpleNamespace(off=off_poses, on=on_poses, registrations=registrations)
    assert len({(h.centre.tobytes(), h.radius.tobytes()) for h in truth}) == 1  # only MTR changes
    _, on = truth[0].signals(on_content)
    before = replace(pairs[-1], on=Volume(on, np.eye(4)))
    return Trial(tuple(pairs), poses, lesions, before, tuple(truth))


@pytest.fixture(scope="session")
def still() -> Trial:
    """Nothing changes between two visits."""
    rng = np.random.default_rng(5)
    head = Head.drawn(rng)
    return acquire([head, head], rng)


@pytest.fixture(scope="session")
def risen() -> Trial:
    """Every lesion gains 1 pu."""
    rng = np.random.default_rng(6)
    head = Head.drawn(rng)
    return acquire([head, head.changed(1.0)], rng)
