"""Real lesion masks, placed in the MNI brain.

The masks of 20 people with MS (open_ms, drawn by three readers; 0.8 x 0.47 x 0.47 mm) come without their
brains. Each is fitted into the MNI152 white matter by a rigid motion and one scale that maximise the white
matter probability under the lesions; voxels that still fall outside white and grey matter are dropped. Shapes
and sizes are real, places are approximate.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import nibabel as nib
import numpy as np
from scipy import ndimage, optimize
from scipy.spatial.transform import Rotation

FIT_POINTS = 4000
STARTS_MM = ((0, 0, 0), (0, 0, 10), (0, -10, 5), (0, 10, 5))


@dataclass(frozen=True)
class Anatomy:
    """Tissue fractions of the MNI152 brain on the 0.5 mm truth grid, cut to the brain and 4 mm around it."""

    wm: np.ndarray
    gm: np.ndarray
    brain: np.ndarray
    affine: np.ndarray

    @property
    def csf(self) -> np.ndarray:
        """What of the brain mask is neither white nor grey matter."""
        return np.clip(self.brain - self.wm - self.gm, 0, 1)


def anatomy(work: Path) -> Anatomy:
    """The anatomy, made once and kept in the work folder."""
    file = work / "anatomy.npz"
    if not file.exists():
        np.savez(file, **_make_anatomy())
    with np.load(file) as kept:
        return Anatomy(*(kept[name] for name in ("wm", "gm", "brain", "affine")))


def _make_anatomy() -> dict[str, np.ndarray]:
    from nilearn import datasets

    templates = datasets.load_mni152_wm_template(resolution=1), datasets.load_mni152_gm_template(resolution=1)
    brain = np.asarray(datasets.load_mni152_brain_mask(resolution=1).get_fdata()) > 0
    box = tuple(slice(max(0, a.min() - 4), a.max() + 5) for a in np.nonzero(brain))
    finer = {"zoom": 2, "order": 1, "grid_mode": True, "mode": "nearest"}
    inside = brain[box].astype(np.float32)
    wm, gm = (
        np.clip(ndimage.zoom(np.asarray(t.get_fdata(), np.float32)[box] * inside, **finer), 0, 1)
        for t in templates
    )
    within = np.clip(ndimage.zoom(inside, **finer), 0, 1)
    excess = np.minimum(1, within / np.maximum(wm + gm, 1e-6))
    affine = np.array(templates[0].affine, float)
    affine[:3, 3] += affine[:3, :3] @ ([s.start for s in box] - np.full(3, 0.25))
    affine[:3, :3] /= 2
    return {"wm": wm * excess, "gm": gm * excess, "brain": within, "affine": affine}


def lesion_mask(work: Path, masks: Path, name: str) -> np.ndarray:
    """The placed lesions of one person, boolean on the truth grid; made once and kept in the work folder."""
    tissue = anatomy(work)
    file = work / "placed" / f"{name}.npy"
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        np.save(file, np.packbits(_place(masks / f"{name}_gt.nii.gz", tissue)))
    return np.unpackbits(np.load(file), count=tissue.wm.size).reshape(tissue.wm.shape).astype(bool)


def _place(file: Path, tissue: Anatomy) -> np.ndarray:
    image = nib.load(file)
    mask = np.asarray(image.dataobj) > 0
    voxels = np.argwhere(mask)
    points = nib.affines.apply_affine(image.affine, voxels)
    centre = points.mean(0)
    native_to_head = _fit(points[:: max(1, len(points) // FIT_POINTS)] - centre, tissue)
    native_to_head[:3, 3] -= native_to_head[:3, :3] @ centre

    truth_to_native = np.linalg.inv(native_to_head @ image.affine) @ tissue.affine
    reached = nib.affines.apply_affine(np.linalg.inv(truth_to_native), voxels)
    low = np.maximum(np.floor(reached.min(0)).astype(int) - 3, 0)
    high = np.minimum(np.ceil(reached.max(0)).astype(int) + 4, tissue.wm.shape)
    box = tuple(slice(a, b) for a, b in zip(low, high, strict=True))
    placed = np.zeros(tissue.wm.shape, bool)
    placed[box] = (
        ndimage.affine_transform(
            mask.astype(np.float32),
            truth_to_native[:3, :3],
            truth_to_native[:3, :3] @ low + truth_to_native[:3, 3],
            output_shape=tuple(high - low),
            order=1,
        )
        > 0.5
    )
    return placed & (tissue.wm + tissue.gm > 0.5)


def _fit(points: np.ndarray, tissue: Anatomy) -> np.ndarray:
    """Motion and scale (4, 4) that carry centred lesion points (n, 3) in mm into the white matter."""
    coarse = tissue.wm[::2, ::2, ::2]
    white = ndimage.gaussian_filter(coarse, 1.5)
    into = np.linalg.inv(tissue.affine @ np.diag([2, 2, 2, 1]))
    weight = coarse / coarse.sum()
    middle = nib.affines.apply_affine(
        np.linalg.inv(into),
        [(weight.sum(tuple({0, 1, 2} - {a})) * np.arange(n)).sum() for a, n in enumerate(coarse.shape)],
    )

    def motion(p: np.ndarray) -> np.ndarray:
        matrix = np.eye(4)
        matrix[:3, :3] = np.exp(p[6]) * Rotation.from_euler("xyz", p[3:6]).as_matrix()
        matrix[:3, 3] = middle + p[:3]
        return matrix

    def cost(p: np.ndarray) -> float:
        at = into @ motion(p)
        found = ndimage.map_coordinates(white, at[:3, :3] @ points.T + at[:3, 3:], order=1).mean()
        # Weak priors: a head is about as large as MNI's, and lies about straight.
        return -found + 2 * p[6] ** 2 + 0.2 * float(p[3:6] @ p[3:6]) + 3e-5 * float(p[:3] @ p[:3])

    options = {"maxiter": 6, "xtol": 1e-2, "ftol": 1e-4}
    fits = (
        optimize.minimize(cost, np.r_[s, np.zeros(4)], method="Powell", options=options) for s in STARTS_MM
    )
    return motion(min(fits, key=lambda fit: fit.fun).x)
