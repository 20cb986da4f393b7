"""The scanner of the analytic head: a head with lesions, in a pose, to MT-off and MT-on and a lesion mask."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from remyelin.measure.image import Volume

from .analytic_head import MTR_PU, SIGNAL, FloatArray, Head, VirtualLesion, Waves

SHAPE = (64, 76, 64)
VOXEL_MM = 2.0
WHITE_MATTER_SIGNAL = 1000.0
RIM_PU = 1.0  # MTR of a lesion is 0.4 of this above its mean at the surface, 0.6 below in the centre

# Sidecar of both images, and what MT-on adds to it.
ACQUISITION = {
    "Manufacturer": "remyelin virtual scanner",
    "ManufacturersModelName": "analytic phantom",
    "DeviceSerialNumber": "virtual-1",
    "MagneticFieldStrength": 3,
    "MRAcquisitionType": "3D",
    "PulseSequenceType": "spoiled gradient echo",
    "ScanningSequence": "GR",
    "SequenceVariant": "SP",
    "NonlinearGradientCorrection": False,
    "RepetitionTimeExcitation": 0.03,
    "EchoTime": 0.005,
    "FlipAngle": 5,
}
MT_PULSE = {
    "MTOffsetFrequency": 2000,
    "MTPulseShape": "GAUSSIAN",
    "MTPulseDuration": 0.009,
    "MTNumberOfPulses": 1,
    "MTPulseBandwidth": 250,
    "MTFlipAngle": 500,
}


def scanner_affine(shape: Sequence[int] = SHAPE, voxel_mm: float = VOXEL_MM) -> FloatArray:
    """(4, 4) voxel index to scanner mm of an axis-parallel grid around the isocentre."""
    affine = np.diag([voxel_mm, voxel_mm, voxel_mm, 1.0])
    affine[:3, 3] = [-voxel_mm * (n - 1) / 2 for n in shape]
    return affine


def draw_pose(rng: np.random.Generator, shift_mm: float, turn_deg: float) -> FloatArray:
    """A random rigid (4, 4) map of points: normal shifts and turns, SD per axis as given."""
    rx, ry, rz = np.deg2rad(rng.normal(0, turn_deg, 3))
    turn = np.eye(3)
    for angle, (i, j) in ((rx, (1, 2)), (ry, (2, 0)), (rz, (0, 1))):
        step = np.eye(3)
        step[i, i] = step[j, j] = np.cos(angle)
        step[j, i], step[i, j] = np.sin(angle), -np.sin(angle)
        turn = step @ turn
    pose = np.eye(4)
    pose[:3, :3] = turn
    pose[:3, 3] = rng.normal(0, shift_mm, 3)
    return pose


@dataclass(frozen=True, slots=True)
class Receiver:
    """What multiplies both images of a visit: the gain of the session and a smooth field, about +-10 %."""

    gain: float
    field: Waves
    depth: float = 0.05

    @classmethod
    def draw(cls, rng: np.random.Generator) -> Receiver:
        """The receiver of one session."""
        return cls(float(rng.uniform(0.85, 1.2)), Waves.draw(rng, 4, 160, 320))

    def __call__(self, points: FloatArray) -> FloatArray:
        """Sensitivity at scanner `points` (..., 3)."""
        return np.asarray(self.gain * np.exp(self.depth * self.field(points)))


@dataclass(frozen=True, slots=True)
class Scene:
    """A head in the scanner: what an MT-off and an MT-on image of it see without noise.

    Parameters
    ----------
    head, lesions
        The anatomy; only lesions present at this visit.
    pose
        (4, 4) head mm to scanner mm.
    affine, shape
        The grid of the image.
    """

    head: Head
    lesions: tuple[VirtualLesion, ...]
    pose: FloatArray
    affine: FloatArray
    shape: tuple[int, int, int] = SHAPE

    def _head_points(self, index: NDArray[np.number]) -> FloatArray:
        to_head = np.linalg.inv(self.pose) @ self.affine
        return np.asarray(index @ to_head[:3, :3].T + to_head[:3, 3])

    def lesion_voxels(self, lesion: VirtualLesion) -> tuple[NDArray[np.intp], FloatArray, FloatArray]:
        """Voxels (n, 3) that a lesion touches, the fraction it fills and its mean squared radius there, (n,).

        27 points a voxel; what the ventricles take is not lesion.
        """
        to_voxel = np.linalg.inv(self.affine) @ self.pose
        middle = to_voxel[:3, :3] @ lesion.centre_mm + to_voxel[:3, 3]
        reach = int(np.ceil(lesion.radii_mm.max() / VOXEL_MM)) + 1
        box = np.rint(middle).astype(np.intp) + _cube(np.arange(-reach, reach + 1))
        offsets = _cube(np.array([-1, 0, 1]) / 3)
        squared = lesion.radius_squared(self._head_points(box[:, None, :] + offsets))
        inside = squared <= 1
        hit = inside.any(1) & ((box >= 0) & (box < self.shape)).all(1)
        box, inside, squared = box[hit], inside[hit], squared[hit]
        fluid = np.clip(0.5 - self.head.ventricle_distance(self._head_points(box)) / VOXEL_MM, 0, 1)
        return box, inside.mean(1) * (1 - fluid), (squared * inside).sum(1) / inside.sum(1)

    def signals(self, lesion_mtr_pu: Sequence[float] | FloatArray) -> tuple[FloatArray, FloatArray]:
        """MT-off and MT-on signal of this scene without receiver and noise, white matter 1 in MT-off."""
        index = np.stack(np.meshgrid(*[np.arange(n) for n in self.shape], indexing="ij"), -1).reshape(-1, 3)
        points = self._head_points(index)
        off = np.zeros(len(points))
        on = np.zeros(len(points))
        reach = self.head.brain_mm.max() + 14
        near = np.flatnonzero((points**2).sum(1) < reach**2)
        points = points[near]
        normal = self.head.heterogeneity_pu * self.head.heterogeneity(points)
        for tissue, fraction in self.head.fractions(points, VOXEL_MM).items():
            mtr = MTR_PU[tissue] + (normal if tissue == "wm" else 0.0)
            off[near] += fraction * SIGNAL[tissue]
            on[near] += fraction * SIGNAL[tissue] * (1 - mtr / 100)
        off, on = off.reshape(self.shape), on.reshape(self.shape)
        for lesion, mean_pu in zip(self.lesions, lesion_mtr_pu, strict=True):
            voxels, fraction, squared = self.lesion_voxels(lesion)
            at = tuple(voxels.T)
            mtr = mean_pu + RIM_PU * (squared - 0.6)  # 0.6 is the mean of the squared radius over a ball
            off[at] = (1 - fraction) * off[at] + fraction * SIGNAL["lesion"]
            on[at] = (1 - fraction) * on[at] + fraction * SIGNAL["lesion"] * (1 - mtr / 100)
        return off, on

    def mask(self) -> NDArray[np.bool_]:
        """Voxels at least half filled by lesion, as a reader draws them."""
        mask = np.zeros(self.shape, bool)
        for lesion in self.lesions:
            voxels, fraction, _ = self.lesion_voxels(lesion)
            mask[tuple(voxels[fraction >= 0.5].T)] = True
        return mask

    def record(
        self, signal: FloatArray, receiver: Receiver, rng: np.random.Generator, *, noise: float = 0.02
    ) -> Volume:
        """The image: receiver, Rician noise (SD `noise` relative to white matter) and whole numbers."""
        index = np.stack(np.meshgrid(*[np.arange(n) for n in self.shape], indexing="ij"), -1)
        clean = signal * receiver(index @ self.affine[:3, :3].T + self.affine[:3, 3])
        sd = noise * receiver.gain
        noisy = np.hypot(clean + rng.normal(0, sd, self.shape), rng.normal(0, sd, self.shape))
        return Volume(np.rint(WHITE_MATTER_SIGNAL * noisy).astype(np.float32), self.affine)


def _cube(span: NDArray[Any]) -> NDArray[Any]:
    """(n^3, 3) all combinations of three values of `span`."""
    return np.stack(np.meshgrid(span, span, span, indexing="ij"), -1).reshape(-1, 3)
