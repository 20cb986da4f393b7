"""Count the lesions of real people: the numbers of `src/remyelin/evidence/lesions.toml`.

    python benchmarks/statistics/lesion_counts.py

Reads the consensus masks of `../shared/data/mri/ms_lesion_masks` (REMYELIN_SHARED overrides the folder).
"""

from __future__ import annotations

import os
from pathlib import Path

import nibabel as nib
import numpy as np
from scipy import ndimage

SHARED = Path(os.environ.get("REMYELIN_SHARED", Path(__file__).parents[2].parent / "shared"))
TOUCHING = np.ones((3, 3, 3))


def volumes_mm3(path: Path) -> np.ndarray:
    image = nib.load(path)
    labels, _ = ndimage.label(np.asarray(image.dataobj) > 0, TOUCHING)
    return np.bincount(labels.ravel())[1:] * float(np.prod(image.header.get_zooms()[:3]))


def quantiles(people: list[np.ndarray]) -> list[float]:
    """2.5, 7.5 ... 97.5 % of the volumes, each person counted alike, to 3 digits."""
    volumes = np.concatenate(people)
    share = np.concatenate([np.full(len(own), 1 / len(own)) for own in people])
    order = np.argsort(volumes, kind="stable")
    middle = np.cumsum(share[order]) - share[order] / 2
    found = np.interp((np.arange(20) + 0.5) / 20, middle / share.sum(), volumes[order])
    return [float(f"{value:.3g}") for value in found]


def main() -> None:
    people = [volumes_mm3(path) for path in sorted(SHARED.glob("data/mri/ms_lesion_masks/*_gt.nii.gz"))]
    for name, least in (("all", 0), ("at_least_3_mm3", 3), ("at_least_10_mm3", 10)):
        counts = [int((volumes >= least).sum()) for volumes in people]
        print(f"volumes_{'of_' * (name == 'all')}{name} = {quantiles([v[v >= least] for v in people])}")
        print(f"{name} = {counts}")
        mean = np.mean(counts)
        print(f"  mean {mean:.1f}, median {np.median(counts):g}, SD / mean {np.std(counts) / mean:.2f}")


if __name__ == "__main__":
    main()
