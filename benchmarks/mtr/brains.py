"""Simulated two-visit MT recordings of people with MS, with known truth.

A 0.5 mm truth (MNI152 tissue fractions, real lesion shapes) is acquired four times: MT-off and MT-on at M00
and M06. Each acquisition has its own head pose, averages 2 x 2 x 2 points of the truth per 1 mm voxel (true
partial volume), has the receive field of its visit and Rician noise. Every second lesion, by rank of its true
MTR, gains 0.2 pu at M06; nothing else changes.

    python benchmarks/mtr/brains.py --work benchmarks/mtr/work --masks ../shared/data/mri/ms_lesion_masks
"""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass
from pathlib import Path

import nibabel as nib
import numba
import numpy as np
from placement import Anatomy, anatomy, lesion_mask
from scipy import ndimage
from scipy.spatial.transform import Rotation

YEAR = 2026  # first word of every seed
SIGNAL = {"wm": 850.0, "gm": 1000.0, "csf": 1150.0, "lesion": 950.0}  # MT-off, arbitrary units
MTR_PU = {"wm": 40.0, "gm": 32.0, "csf": 3.0}
LESION_MTR_PU, LESION_MTR_SD = 32.0, 3.0
GAIN_PU = 0.2
NOISE = 0.02  # of white matter
EDGE_SD = 0.8  # of tissue borders, in 0.5 mm voxels
VISITS = ("M00", "M06")
TOUCHING = np.ones((3, 3, 3))


@dataclass(frozen=True)
class Truth:
    """The head on the 0.5 mm grid: MT-off signal, MTR before, and what each lesion gains."""

    off: np.ndarray
    mtr: np.ndarray
    lesions: np.ndarray
    gain: np.ndarray
    brain: np.ndarray
    affine: np.ndarray

    def on(self, gain: np.ndarray | float = 0.0) -> np.ndarray:
        """MT-on signal when MTR has risen by `gain` pu."""
        return self.off * (1 - (self.mtr + gain) / 100)


def make_truth(tissue: Anatomy, lesions: np.ndarray, rng: np.random.Generator) -> Truth:
    """Tissue, lesions with a core and a rim, and slow variation of MTR of SD 1 pu."""
    label, n = ndimage.label(lesions, TOUCHING)
    level = np.clip(rng.normal(LESION_MTR_PU, LESION_MTR_SD, n), 24, 38)
    slow = _slow_variation(lesions.shape, rng)
    fractions = {"wm": tissue.wm, "gm": tissue.gm, "csf": tissue.csf}
    off = sum(f * SIGNAL[t] for t, f in fractions.items()).astype(np.float32)
    on = sum(
        f * np.float32(SIGNAL[t]) * (1 - (MTR_PU[t] + (slow if t != "csf" else 0)) / 100)
        for t, f in fractions.items()
    )
    mtr = np.where(off > 1, 100 * (1 - on / np.maximum(off, 1)), 0).astype(np.float32)
    for k, box in enumerate(ndimage.find_objects(label)):
        wider = tuple(slice(max(s.start - 1, 0), s.stop + 1) for s in box)
        inside = label[wider] == k + 1
        depth_mm = np.minimum(0.5 * ndimage.distance_transform_edt(inside), 3)
        mtr[wider] = np.where(inside, level[k] + 1 - 0.67 * depth_mm, mtr[wider])
    off[lesions] = SIGNAL["lesion"]
    mtr = ndimage.gaussian_filter(mtr, EDGE_SD)
    off = ndimage.gaussian_filter(off, EDGE_SD) * (tissue.brain > 0.02)
    order = np.argsort(ndimage.mean(mtr, label, np.arange(1, n + 1)))
    gains = np.zeros(n + 1, np.float32)
    gains[1 + order[int(rng.integers(2)) :: 2]] = GAIN_PU
    return Truth(off, mtr, lesions.astype(np.float32), gains[label], tissue.brain, tissue.affine)


def _slow_variation(shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
    coarse = ndimage.gaussian_filter(rng.standard_normal([n // 8 + 2 for n in shape]).astype(np.float32), 2.1)
    fine = ndimage.zoom(coarse, 8, order=1)[: shape[0], : shape[1], : shape[2]]
    return fine / fine.std()


@numba.njit(cache=True, fastmath=True)
def _acquire(truth, m, out):
    """Mean of 2 x 2 x 2 trilinear samples in each voxel of `out`; `m` (3, 4) half voxel to `truth` index."""
    nx, ny, nz = truth.shape
    for i in range(out.shape[0]):
        for j in range(out.shape[1]):
            for k in range(out.shape[2]):
                total = 0.0
                for corner in range(8):
                    a, b, c = 2 * i + corner // 4, 2 * j + corner // 2 % 2, 2 * k + corner % 2
                    x = m[0, 0] * a + m[0, 1] * b + m[0, 2] * c + m[0, 3]
                    y = m[1, 0] * a + m[1, 1] * b + m[1, 2] * c + m[1, 3]
                    z = m[2, 0] * a + m[2, 1] * b + m[2, 2] * c + m[2, 3]
                    if x < 0 or y < 0 or z < 0 or x >= nx - 1 or y >= ny - 1 or z >= nz - 1:
                        continue
                    p, q, r = int(x), int(y), int(z)
                    u, v, w = x - p, y - q, z - r
                    low = (1 - v) * ((1 - w) * truth[p, q, r] + w * truth[p, q, r + 1]) + v * (
                        (1 - w) * truth[p, q + 1, r] + w * truth[p, q + 1, r + 1]
                    )
                    high = (1 - v) * ((1 - w) * truth[p + 1, q, r] + w * truth[p + 1, q, r + 1]) + v * (
                        (1 - w) * truth[p + 1, q + 1, r] + w * truth[p + 1, q + 1, r + 1]
                    )
                    total += (1 - u) * low + u * high
                out[i, j, k] = total / 8


@dataclass(frozen=True)
class Scanner:
    """The 1 mm grid of every acquisition, over the same box as the truth."""

    truth_affine: np.ndarray
    shape: tuple[int, int, int]

    @property
    def affine(self) -> np.ndarray:
        """(4, 4) voxel index to scanner mm."""
        affine = self.truth_affine @ np.diag([2, 2, 2, 1.0])
        affine[:3, 3] += self.truth_affine[:3, :3] @ np.full(3, 0.5)
        return affine

    def pose(self, rng: np.random.Generator, degrees: float, mm: float) -> np.ndarray:
        """A rigid motion about the middle of the box, each angle and shift uniform up to the given size."""
        centre = (self.affine @ np.r_[(np.array(self.shape) - 1) / 2, 1])[:3]
        matrix = np.eye(4)
        matrix[:3, :3] = Rotation.from_euler(
            "xyz", rng.uniform(-degrees, degrees, 3), degrees=True
        ).as_matrix()
        matrix[:3, 3] = centre - matrix[:3, :3] @ centre + rng.uniform(-mm, mm, 3)
        return matrix

    def acquire(self, volume: np.ndarray, head_from_scanner: np.ndarray) -> np.ndarray:
        """The volume as the scanner sees it in this pose, without field and noise."""
        matrix = np.linalg.inv(self.truth_affine) @ head_from_scanner @ self.truth_affine
        out = np.empty(self.shape, np.float32)
        _acquire(volume, matrix[:3], out)
        return out

    def receive_field(self, rng: np.random.Generator) -> np.ndarray:
        """A linear field of at most 10 % along a random direction."""
        direction = rng.normal(size=3)
        direction /= np.linalg.norm(direction)
        axes = np.meshgrid(*(np.linspace(-1, 1, n) for n in self.shape), indexing="ij", sparse=True)
        return (1 + 0.1 * sum(d * a for d, a in zip(direction, axes, strict=True))).astype(np.float32)


def make_brain(work: Path, masks: Path, mask: str, seed: int, *, noise: float = NOISE) -> Path:
    """Write one participant as BIDS below ``work/brains``, its truth below ``work/truth``, once.

    The truth (``sub-01.npz``) holds, for the voxels of the M00 lesion mask, the noise-free MTR and change and
    the true change; and ``unit_on``, what 1 pu in every lesion takes from the MT-on image of M06.
    """
    subject = f"sub-{seed:02d}"
    done = work / "truth" / f"{subject}.npz"
    if done.exists():
        return done
    rng = np.random.default_rng([YEAR, seed])
    truth = make_truth(anatomy(work), lesion_mask(work, masks, mask), rng)
    scanner = Scanner(truth.affine, tuple(n // 2 for n in truth.off.shape))
    poses = {}
    for visit in VISITS:
        poses[visit, "off"] = scanner.pose(rng, *((2, 2) if visit == "M00" else (4, 4)))
        poses[visit, "on"] = scanner.pose(rng, 0.5, 0.5) @ poses[visit, "off"]
    known = _noise_free(truth, scanner, poses)
    for visit, on in zip(VISITS, (truth.on(), truth.on(truth.gain)), strict=True):
        field = scanner.receive_field(rng)
        for state, volume in (("off", truth.off), ("on", on)):
            clean = field * scanner.acquire(volume, poses[visit, state])
            real, imaginary = rng.normal(0, noise * SIGNAL["wm"], (2, *scanner.shape))
            _write(
                work, subject, visit, f"mt-{state}_MTR", np.hypot(clean + real, imaginary).round(), scanner
            )
        if visit == "M06":
            unit = field * scanner.acquire(truth.off * truth.lesions / 100, poses[visit, "on"])
            known["unit_at"] = np.flatnonzero(unit > 1e-3).astype(np.int32)
            known["unit_on"] = unit.ravel()[known["unit_at"]]
        for name, fraction in (("lesion", truth.lesions), ("brain", truth.brain)):
            seen = scanner.acquire(fraction, poses[visit, "off"]) > 0.5
            _write(work, subject, visit, f"label-{name}_mask", seen, scanner)
    known |= {f"{visit}_{state}": pose for (visit, state), pose in poses.items()}
    done.parent.mkdir(parents=True, exist_ok=True)
    beside = done.with_suffix(".part.npz")
    np.savez(beside, mask=mask, **known)
    beside.replace(done)
    return done


def _noise_free(
    truth: Truth, scanner: Scanner, poses: dict[tuple[str, str], np.ndarray]
) -> dict[str, np.ndarray]:
    pose = poses["M00", "off"]
    fraction = scanner.acquire(truth.lesions, pose)
    at = np.flatnonzero(fraction > 0.5)
    off, before, after, gain = (
        scanner.acquire(v, pose).ravel()[at]
        for v in (truth.off, truth.on(), truth.on(truth.gain), truth.gain)
    )
    return {
        "at": at.astype(np.int32),
        "mtr_pu": 100 * (1 - before / off),
        "seen_change_pu": 100 * (before - after) / off,
        "true_change_pu": gain / fraction.ravel()[at],
        "shape": np.array(scanner.shape),
    }


def _write(work: Path, subject: str, visit: str, kind: str, data: np.ndarray, scanner: Scanner) -> None:
    root = work / "brains" if kind.endswith("MTR") else work / "brains" / "derivatives" / "lesions"
    stem = root / subject / f"ses-{visit}" / "anat" / f"{subject}_ses-{visit}_{kind}"
    stem.parent.mkdir(parents=True, exist_ok=True)
    image = nib.Nifti1Image(data.astype(np.int16), scanner.affine)
    image.header.set_xyzt_units("mm", "sec")
    nib.openers.Opener.default_compresslevel = 1
    nib.save(image, f"{stem}.nii.gz")
    if kind.endswith("MTR"):
        Path(f"{stem}.json").write_text(json.dumps({"MTState": "mt-on" in kind}))


def mask_names(masks: Path) -> list[str]:
    """The people whose masks are in the folder."""
    return sorted(file.name.removesuffix("_gt.nii.gz") for file in masks.glob("*_gt.nii.gz"))


def make_dataset(work: Path, masks: Path, brains: int = 40) -> list[Path]:
    """All participants: the masks in order, again with other seeds when they are used up."""
    names = mask_names(masks)
    (work / "brains").mkdir(parents=True, exist_ok=True)
    description = {"Name": "Simulated two-visit MT recordings", "BIDSVersion": "1.10.0"}
    (work / "brains" / "dataset_description.json").write_text(json.dumps(description))
    made = []
    for seed in range(1, brains + 1):
        made.append(make_brain(work, masks, names[(seed - 1) % len(names)], seed))
        print(made[-1], flush=True)
    return made


if __name__ == "__main__":
    here = Path(__file__).parent
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--work", type=Path, default=here / "work")
    parser.add_argument("--masks", type=Path, default=here.parents[2] / "shared/data/mri/ms_lesion_masks")
    parser.add_argument("--brains", type=int, default=40)
    options = parser.parse_args()
    make_dataset(options.work, options.masks, options.brains)
