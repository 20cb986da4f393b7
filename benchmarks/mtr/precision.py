"""How exact is the change of MTR in a lesion, and in a patient? remyelin and the ordinary script.

    python benchmarks/mtr/precision.py --work benchmarks/mtr/work --brains 40 --jobs 1
    python benchmarks/mtr/precision.py --work benchmarks/mtr/work --table > docs/theory/precision.md

Every brain is simulated when it is needed (`brains.py`), measured by all methods, and leaves one file in
``work/results``: a stopped run goes on where it was.
"""

from __future__ import annotations

import argparse
import os
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
from brains import VISITS, make_brain, mask_names
from ordinary import Ordinary, ordinary
from scipy import ndimage
from summary import table

from remyelin.measure.calibration import calibrate
from remyelin.measure.image import MTPair, Volume, read_mask, read_volume
from remyelin.measure.lesion_mtr import DEGREE, lesion_values
from remyelin.measure.lesions import Lesions, VisitMask, label_lesions
from remyelin.measure.poses import Poses, register_participant
from remyelin.measure.spill import Interpolation, Spills
from remyelin.measure.weights import soft_masks

MIN_VOLUME_MM3 = 10.0
VARIANTS: tuple[tuple[Interpolation, int], ...] = (
    *(("none", degree) for degree in (0, 1, 2, 3, 4)),
    ("halfway", 0),
    ("halfway", DEGREE),
)
LPS = np.diag([-1.0, -1.0, 1.0, 1.0])


@dataclass(frozen=True)
class Recordings:
    """One simulated participant as the package reads it, and the truth."""

    pairs: tuple[MTPair, ...]
    masks: tuple[np.ndarray, ...]
    off: tuple[Path, Path]
    on: tuple[Path, Path]
    truth: dict[str, np.ndarray]

    def true_pose(self, visit: int, state: str) -> np.ndarray:
        """World of M00 MT-off to the world of an image."""
        return np.linalg.inv(self.truth[f"{VISITS[visit]}_{state}"]) @ self.truth["M00_off"]


def load(work: Path, truth: Path) -> Recordings:
    subject, root = truth.stem, work / "brains"
    image = "{0}/ses-{1}/anat/{0}_ses-{1}_mt-{2}_MTR.nii.gz"
    label = "derivatives/lesions/{0}/ses-{1}/anat/{0}_ses-{1}_label-{2}_mask.nii.gz"
    off, on = (tuple(root / image.format(subject, v, state) for v in VISITS) for state in ("off", "on"))
    pairs, masks = [], []
    for visit, a, b in zip(VISITS, off, on, strict=True):
        volumes = [read_volume(file, root)[0] for file in (a, b)]
        files = [root / label.format(subject, visit, name) for name in ("brain", "lesion")]
        brain, lesion = (read_mask(file, root, volumes[0])[0] for file in files)
        pairs.append(MTPair(visit, *volumes, brain))
        masks.append(lesion)
    with np.load(truth) as known:
        return Recordings(tuple(pairs), tuple(masks), off, on, dict(known))


def baseline_lesions(recorded: Recordings, poses: Poses) -> Lesions:
    """The lesions of M00 as the package names them; a few are seen at M06 only, on another voxel grid."""
    visits = [
        VisitMask(pair.visit, mask, pair.off.affine, pose)
        for pair, mask, pose in zip(recorded.pairs, recorded.masks, poses.off, strict=True)
    ]
    found = label_lesions(visits, min_volume_mm3=MIN_VOLUME_MM3)
    kept = [k for k, home in enumerate(found.home) if home == 0]
    renamed = np.zeros(len(found) + 1, int)
    renamed[np.array(kept) + 1] = np.arange(1, len(kept) + 1)
    return replace(
        found,
        ids=tuple(found.ids[k] for k in kept),
        home=(0,) * len(kept),
        labels=tuple(renamed[label] for label in found.labels),
        volumes_mm3=found.volumes_mm3[kept],
    )


def measure(work: Path, masks: Path, seed: int) -> Path:
    """Simulate one participant, measure it by every method, and keep the numbers."""
    file = work / "results" / f"sub-{seed:02d}.npz"
    if file.exists():
        return file
    names = mask_names(masks)
    recorded = load(work, make_brain(work, masks, names[(seed - 1) % len(names)], seed))
    begun = time.process_time()
    poses = register_participant(recorded.pairs)
    cpu = {"cpu_registration": time.process_time() - begun}
    lesions = baseline_lesions(recorded, poses)
    found = {**known(recorded, lesions), **distances(recorded, poses)}
    for interpolation, degree in VARIANTS:
        name = f"{interpolation}-{degree}"
        begun = time.process_time()
        found |= variant(name, recorded, poses, lesions, interpolation, degree)
        cpu[f"cpu_{name}"] = time.process_time() - begun
    begun = time.process_time()
    calibration = calibrate(recorded.pairs, poses, lesions)
    cpu["cpu_calibration"] = time.process_time() - begun
    found["calibration"] = np.array([calibration.slope, calibration.ci_low, calibration.ci_high])
    found["calibrated_slope"] = calibration.per_lesion
    peer = ordinary(recorded.off, recorded.on, lesions.labels[0])
    cpu["cpu_ordinary"] = peer.cpu_s
    found |= {"twice_pu": peer.twice_pu, "once_pu": peer.once_pu} | peer_distances(recorded, peer)
    file.parent.mkdir(parents=True, exist_ok=True)
    beside = file.with_suffix(".part.npz")
    np.savez(beside, **found, **cpu)
    beside.replace(file)
    return file


def known(recorded: Recordings, lesions: Lesions) -> dict[str, np.ndarray]:
    """True level and change of each lesion, and its voxels."""
    at = lesions.labels[0].ravel()[recorded.truth["at"]]
    index = np.arange(1, len(lesions) + 1)
    return {
        "level_pu": ndimage.mean(recorded.truth["mtr_pu"], at, index),
        "change_pu": ndimage.mean(recorded.truth["true_change_pu"], at, index),
        "voxels": np.bincount(at, minlength=len(lesions) + 1)[1:],
    }


def variant(
    name: str, recorded: Recordings, poses: Poses, lesions: Lesions, interpolation: Interpolation, degree: int
) -> dict[str, np.ndarray]:
    """One variant of the package: values, standard errors, halves, and the slope that it truly has."""
    values = lesion_values(recorded.pairs, poses, lesions, interpolation=interpolation, degree=degree)
    unit = np.zeros(recorded.pairs[1].on.data.shape, np.float32)
    unit.ravel()[recorded.truth["unit_at"]] = recorded.truth["unit_on"]
    own = Spills.of(recorded.pairs, poses, soft_masks(lesions), interpolation, degree)
    off = own.level(recorded.pairs[1].off, poses.off[1])[0][:, 0]
    on = own.level(Volume(unit, recorded.pairs[1].on.affine), poses.on[1])[0][:, 0]
    weighted = smooth_only(name, recorded, poses, own, unit) if interpolation == "none" and degree > 1 else {}
    return weighted | {
        f"{name}_pu": values.mtr_pu,
        f"{name}_se_pu": values.se_pu,
        f"{name}_half_a_pu": values.half_a_pu,
        f"{name}_half_b_pu": values.half_b_pu,
        f"{name}_slope": 100 * on / off,
    }


def smooth_only(
    name: str, recorded: Recordings, poses: Poses, own: Spills, unit: np.ndarray
) -> dict[str, np.ndarray]:
    """The plain weighted mean, in which what is beside the lesion still has its part."""
    pairs = recorded.pairs
    images = [[(pair.off, poses.off[v]), (pair.on, poses.on[v])] for v, pair in enumerate(pairs)]
    images.append([images[1][0], (Volume(unit, pairs[1].on.affine), poses.on[1])])
    off, on = np.array([[own.level(*image)[1].mean[:, 0] for image in visit] for visit in images]).swapaxes(
        0, 1
    )
    name = name.replace("none", "weighted")
    return {f"{name}_pu": 100 * (1 - on[:2] / off[:2]).T, f"{name}_slope": 100 * on[2] / off[2]}


def distances(recorded: Recordings, poses: Poses) -> dict[str, np.ndarray]:
    """Mean and largest error over the brain: MT-on to MT-off at each visit, and between the visits; mm."""
    between = poses.off[1] @ np.linalg.inv(poses.off[0])
    within = [poses.on[v] @ np.linalg.inv(poses.off[v]) for v in (0, 1)]
    said = [poses.registration(pair).error_mm for pair in ("M00:on-off", "M06:on-off", "M00-M06")]
    return {"error_mm": _errors(recorded, [*within, between]), "said_mm": np.array(said)}


def peer_distances(recorded: Recordings, peer: Ordinary) -> dict[str, np.ndarray]:
    return {"peer_error_mm": _errors(recorded, [LPS @ m @ LPS for m in (*peer.on_off, peer.between)])}


def _errors(recorded: Recordings, maps: list[np.ndarray]) -> np.ndarray:
    """(3, 2) mean and largest."""
    truth = [recorded.true_pose(v, "on") @ np.linalg.inv(recorded.true_pose(v, "off")) for v in (0, 1)] + [
        recorded.true_pose(1, "off")
    ]
    found = []
    for visit, ours, true in zip((0, 1, 0), maps, truth, strict=True):
        voxels = np.argwhere(recorded.pairs[visit].brain)[::500]
        points = np.c_[voxels, np.ones(len(voxels))] @ recorded.pairs[visit].off.affine.T
        apart = np.linalg.norm((points @ (ours - true).T)[:, :3], axis=1)
        found.append((apart.mean(), apart.max()))
    return np.array(found)


def main() -> None:
    here = Path(__file__).parent
    shared = Path(os.environ.get("REMYELIN_SHARED", here.parents[2] / "shared"))
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--work", type=Path, default=here / "work")
    parser.add_argument("--masks", type=Path, default=shared / "data" / "mri" / "ms_lesion_masks")
    parser.add_argument("--brains", type=int, default=40)
    parser.add_argument("--jobs", type=int, choices=(1, 2), default=1)
    parser.add_argument("--table", action="store_true", help="print the table of the brains that are done")
    options = parser.parse_args()
    if not options.table:
        job = partial(measure, options.work, options.masks)
        seeds = range(1, options.brains + 1)
        with ProcessPoolExecutor(options.jobs) as pool:
            for file in pool.map(job, seeds):
                print(file, flush=True)
    print(table(sorted((options.work / "results").glob("sub-??.npz")), f"none-{DEGREE}"))


if __name__ == "__main__":
    main()
