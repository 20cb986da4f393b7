"""How well a left-right flip between visits is told: real visits, as they are and mirrored, and hard cases.

Run: python benchmarks/dataset/flip.py [folder of real data]. Prints the correlation of the asymmetric parts
for the two visits of a person with MS (T1w and FLAIR; no real MT pair of a brain is public), registered by
`rigid`: right and mirrored, with a receive field and noise, and with a wrong pose. A right visit must not
be flagged even where the registration went 4 mm and 4 degrees astray; a mirrored one must be at 1 and 1.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import numpy as np

from remyelin.measure.flip import THRESHOLD, asymmetry_correlation
from remyelin.measure.image import Volume, read_volume
from remyelin.measure.mask import head_mask
from remyelin.measure.motion import motion
from remyelin.measure.registration import rigid

N_POSES = 6


def mirrored(volume: Volume) -> Volume:
    return Volume(np.ascontiguousarray(volume.data[::-1]), volume.affine, volume.file)


def degraded(volume: Volume, rng: np.random.Generator) -> Volume:
    """With a receive field that falls by half from one side to the other, and 5 % noise."""
    x = np.linspace(-1, 1, volume.data.shape[0])[:, None, None]
    top = np.quantile(volume.data, 0.99)
    noise = rng.normal(0, 0.05 * top, volume.data.shape)
    return Volume((volume.data * (1 + x / 3) + noise).astype(np.float32), volume.affine, volume.file)


def correlation(one: Volume, two: Volume, matrix: np.ndarray) -> float:
    masks = (head_mask(one), head_mask(two))
    return asymmetry_correlation([(one, np.eye(4))], [(two, matrix)], masks)


def main() -> int:
    default = os.environ.get("REMYELIN_SHARED", Path(__file__).parents[3] / "shared")
    folder = (
        Path(sys.argv[1] if len(sys.argv) > 1 else default) / "data" / "mri" / "ms_longitudinal" / "patient01"
    )
    rng = np.random.default_rng(1)
    right, wrong = [], []
    for contrast in ("T1W", "FLAIR"):
        one, two = (read_volume(folder / f"study{k}_{contrast}.nii.gz", folder)[0] for k in (1, 2))
        for flip, results in ((False, right), (True, wrong)):
            later = mirrored(two) if flip else two
            found = rigid(one, later, kind="between")
            words = f"{contrast} {'mirrored' if flip else 'as it is'} (registration {found.quality})"
            row = {"plain": correlation(one, later, found.matrix)}
            row["field, noise"] = correlation(one, degraded(later, rng), found.matrix)
            poses = [_shaken(found.matrix, 1.0 if flip else 4.0, rng) for _ in range(N_POSES)]
            shaken = [correlation(one, later, pose) for pose in poses]
            row["pose wrong"] = max(shaken) if flip else min(shaken)
            results += row.values()
            print(words, {key: round(value, 2) for key, value in row.items()}, flush=True)
    print(f"right: least {min(right):.2f}; mirrored: greatest {max(wrong):.2f}; threshold {THRESHOLD}")
    return int(min(right) < THRESHOLD or max(wrong) > THRESHOLD)


def _shaken(matrix: np.ndarray, most: float, rng: np.random.Generator) -> np.ndarray:
    """The matrix, wrong by up to `most` mm and degrees along each axis."""
    angles, shifts = np.deg2rad(rng.uniform(-most, most, 3)), rng.uniform(-most, most, 3)
    return matrix @ motion(np.r_[angles, shifts])


if __name__ == "__main__":
    sys.exit(main())
