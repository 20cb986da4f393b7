"""Known rigid motions of a simulated head at 1 mm: how far off is each registration?

    python benchmarks/mtr/registration.py [--quick] [--cases 20] [--peers 3]

Anatomy is the MNI152 tissue maps of nilearn. MT-off and MT-on of two visits each have their own pose,
are averaged over 2 x 2 x 2 points a voxel (partial volume), share a receive field of +-10 % in a visit and
have another in the next, and carry Rician noise of 2 % of white matter. Thirty lesions lie in the white
matter; half of them change between the visits. Peers: SimpleITK with the settings of its tutorial, and with
mutual information of every voxel; no registration at all.
"""

from __future__ import annotations

import argparse
import hashlib
import subprocess
import sys
import time
from collections.abc import Callable
from functools import cache

import numpy as np
import SimpleITK as sitk  # noqa: N813
from numpy.typing import NDArray
from scipy import ndimage

from remyelin.measure.image import MTPair, Volume
from remyelin.measure.motion import displacement_mm, inverse, motion
from remyelin.measure.poses import Poses, register_participant

Array = NDArray[np.floating]
SIGNAL = {"wm": 850.0, "gm": 1000.0, "csf": 1150.0}
MTR_PU = {"wm": 40.0, "gm": 32.0, "csf": 3.0}
NOISE = 0.02 * SIGNAL["wm"]
FINE_MM = 0.5
LESIONS = 30
PAIRS = ("M00:on-off", "M06:on-off", "M00-M06")


@cache
def tissue() -> tuple[Array, Array, Array, Array]:
    """White matter, grey matter, brain on a grid of 0.5 mm, and its affine."""
    from nilearn import datasets

    brain = datasets.load_mni152_brain_mask(resolution=1)
    inside = brain.get_fdata() > 0
    box = tuple(slice(max(0, a.min() - 8), a.max() + 9) for a in np.nonzero(inside))

    def fine(image: Array) -> Array:
        part = image[box].astype(np.float32)
        return np.clip(ndimage.zoom(part, 2, order=1, grid_mode=True, mode="nearest"), 0, 1)

    maps = (datasets.load_mni152_wm_template(resolution=1), datasets.load_mni152_gm_template(resolution=1))
    wm, gm = (fine(np.asarray(m.get_fdata()) * inside) for m in maps)
    whole = fine(inside)
    room = np.minimum(1, whole / np.maximum(wm + gm, 1e-6))
    affine = np.diag([FINE_MM, FINE_MM, FINE_MM, 1.0])
    corner = brain.affine @ np.r_[[s.start for s in box], 1]
    affine[:3, 3] = corner[:3] - FINE_MM / 2
    return wm * room, gm * room, whole, affine


def anatomy(rng: np.random.Generator) -> tuple[Array, list[Array]]:
    """MT-off, and MT-on of both visits, in head space at 0.5 mm."""
    wm, gm, brain, _ = tissue()
    csf = np.clip(brain - wm - gm, 0, 1)
    off = wm * SIGNAL["wm"] + gm * SIGNAL["gm"] + csf * SIGNAL["csf"]
    coarse = ndimage.gaussian_filter(rng.standard_normal([n // 16 + 2 for n in off.shape]), 1.0)
    uneven = ndimage.zoom(coarse / coarse.std(), 16, order=1)[tuple(slice(0, n) for n in off.shape)]
    lost = wm * SIGNAL["wm"] * (MTR_PU["wm"] + uneven) + gm * SIGNAL["gm"] * (MTR_PU["gm"] + uneven)
    mtr = (lost + csf * SIGNAL["csf"] * MTR_PU["csf"]) / np.maximum(off, 1)
    later = mtr.copy()
    places = np.argwhere(wm > 0.9)
    for k, centre in enumerate(places[rng.choice(len(places), LESIONS, replace=False)]):
        radius = rng.uniform(2, 7, 3)  # voxels of 0.5 mm
        low = np.maximum(centre - 8, 0)
        area = tuple(slice(a, a + 17) for a in low)
        grid = np.stack(np.meshgrid(*[np.arange(s.start, s.stop) for s in area], indexing="ij"), -1)[
            tuple(slice(0, n) for n in off[area].shape)
        ]
        lesion = (((grid - centre) / radius) ** 2).sum(-1) < 1
        deep = rng.uniform(4, 12)
        mtr[area][lesion] -= deep
        later[area][lesion] -= deep - (2.0 if k % 2 else 0.0)
    return off, [off * (1 - mtr / 100), off * (1 - later / 100)]


def acquire(image: Array, pose: Array, receive: Array, rng: np.random.Generator) -> Volume:
    """An image of the head at a pose (scanner to head), at 1 mm."""
    grid = tissue()[3]
    to_head = np.linalg.inv(grid) @ pose @ grid
    shape = tuple(n // 2 for n in image.shape)
    even = tuple(2 * n for n in shape)
    moved = ndimage.affine_transform(
        image.astype(np.float32), to_head[:3, :3], to_head[:3, 3], output_shape=even, order=1
    )
    mean = moved.reshape(shape[0], 2, shape[1], 2, shape[2], 2).mean((1, 3, 5)) * receive
    noisy = np.hypot(mean + rng.normal(0, NOISE, shape), rng.normal(0, NOISE, shape))
    affine = grid.copy()
    affine[:3, :3] *= 2
    affine[:3, 3] += FINE_MM / 2
    return Volume(noisy.round().astype(np.float32), affine)


def case(seed: int) -> tuple[list[MTPair], dict[str, Array], Array]:
    """Images of one participant, the true matrices by pair, and points of the brain."""
    rng = np.random.default_rng([2026, 7, seed])
    off, on = anatomy(rng)
    brain, grid = tissue()[2:]
    shape = tuple(n // 2 for n in off.shape)
    centre = (grid @ np.r_[np.array(off.shape) / 2, 1])[:3]
    place = np.stack(np.meshgrid(*[np.linspace(-1, 1, n) for n in shape], indexing="ij"))

    def pose(degrees: float, mm: float) -> Array:
        about, back = np.eye(4), np.eye(4)
        about[:3, 3], back[:3, 3] = centre, -centre
        turn = motion(np.r_[np.deg2rad(rng.uniform(-degrees, degrees, 3)), 0, 0, 0])
        return motion(np.r_[0, 0, 0, rng.uniform(-mm, mm, 3)]) @ about @ turn @ back

    pairs, poses = [], []
    for visit, size in (("M00", 2.0), ("M06", 4.0)):
        to_head = pose(size, size)
        on_to_head = to_head @ pose(0.5, 0.5)
        toward = rng.normal(size=3)
        receive = 1 + 0.1 * np.tensordot(toward / np.linalg.norm(toward), place, 1)
        images = acquire(off, to_head, receive, rng), acquire(on[len(pairs)], on_to_head, receive, rng)
        inside = acquire(brain * 1e4, to_head, np.ones(shape), rng).data > 5e3
        pairs.append(MTPair(visit, *images, inside))
        poses.append((to_head, on_to_head))
    (off_0, on_0), (off_6, on_6) = poses
    true = dict(
        zip(PAIRS, (inverse(on_0) @ off_0, inverse(on_6) @ off_6, inverse(off_6) @ off_0), strict=True)
    )
    points = np.argwhere(pairs[0].brain)[::200] @ pairs[0].off.affine[:3, :3].T + pairs[0].off.affine[:3, 3]
    return pairs, true, points


def off_by(found: Array, true: Array, points: Array) -> tuple[float, float]:
    """Mean and largest error of position over the brain, in mm."""
    error = displacement_mm(inverse(true) @ found, points)
    return float(error.mean()), float(error.max())


def fingerprint(poses: Poses) -> str:
    """Hash of all parameters, to the last bit."""
    return hashlib.sha256(b"".join(m.tobytes() for m in (*poses.off, *poses.on))).hexdigest()[:16]


def tutorial(method: sitk.ImageRegistrationMethod) -> None:
    method.SetMetricSamplingStrategy(method.RANDOM)
    method.SetMetricSamplingPercentage(0.01, 1)
    method.SetOptimizerAsGradientDescent(1.0, 100, 1e-6, 10)


def careful(method: sitk.ImageRegistrationMethod) -> None:
    method.SetMetricSamplingStrategy(method.REGULAR)
    method.SetMetricSamplingPercentagePerLevel([1.0, 0.5, 0.2])
    method.SetOptimizerAsRegularStepGradientDescent(1.0, 1e-4, 100, gradientMagnitudeTolerance=1e-8)


def peer(fixed: Volume, moving: Volume, settings: Callable[[sitk.ImageRegistrationMethod], None]) -> Array:
    """Three levels of mutual information by SimpleITK alone, fixed world to moving world."""
    a, b = (_itk(v) for v in (fixed, moving))
    method = sitk.ImageRegistrationMethod()
    method.SetNumberOfThreads(1)
    method.SetMetricAsMattesMutualInformation(50)
    method.SetInterpolator(sitk.sitkLinear)
    settings(method)
    method.SetOptimizerScalesFromPhysicalShift()
    method.SetShrinkFactorsPerLevel([4, 2, 1])
    method.SetSmoothingSigmasPerLevel([2, 1, 0])
    method.SmoothingSigmasAreSpecifiedInPhysicalUnitsOn()
    start = sitk.CenteredTransformInitializer(
        a, b, sitk.Euler3DTransform(), sitk.CenteredTransformInitializerFilter.GEOMETRY
    )
    method.SetInitialTransform(start, inPlace=True)
    method.Execute(a, b)
    found = np.eye(4)
    found[:3, :3] = np.array(start.GetMatrix()).reshape(3, 3)
    found[:3, 3] = start.TransformPoint((0.0, 0.0, 0.0))
    return found


def _itk(volume: Volume) -> sitk.Image:
    image = sitk.GetImageFromArray(volume.data.transpose(2, 1, 0))
    image.SetOrigin(volume.affine[:3, 3].tolist())
    image.SetSpacing(volume.voxel_mm.tolist())
    return image


def compare(seed: int, rows: dict[str, list[tuple[float, float]]]) -> None:
    """Add the peers' errors between visits for one case."""
    pairs, true, points = case(seed)
    rows.setdefault("no registration", []).append(off_by(np.eye(4), true["M00-M06"], points))
    for name, settings in (("SimpleITK tutorial", tutorial), ("SimpleITK all voxels", careful)):
        clock = time.process_time()
        found = peer(pairs[0].off, pairs[1].off, settings)
        rows.setdefault(name, []).append(off_by(found, true["M00-M06"], points))
        print(f"  {name}: {rows[name][-1][0]:.3f} mm, {time.process_time() - clock:.0f} CPU s", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="two cases, no peers")
    parser.add_argument("--cases", type=int, default=20)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--peers", type=int, default=3)
    parser.add_argument("--fingerprint", type=int, help="only print the hash of the poses of one case")
    chosen = parser.parse_args()
    if chosen.fingerprint is not None:
        print(fingerprint(register_participant(case(chosen.fingerprint)[0])))
        return
    cases, peers = (2, 0) if chosen.quick else (chosen.cases, chosen.peers)
    report(range(chosen.first, chosen.first + cases), peers)


def report(seeds: range, peers: int) -> None:
    """Run the cases and print the table."""
    errors: dict[str, list[tuple[float, float]]] = {name: [] for name in PAIRS}
    expected: dict[str, list[float]] = {name: [] for name in PAIRS}
    seconds, silent, prints, others = [], 0, [], {}
    print("case  on/off M00 mean/max   on/off M06 mean/max   M00-M06 mean/max   qualities   CPU s")
    for seed in seeds:
        pairs, true, points = case(seed)
        clock = time.process_time()
        poses = register_participant(pairs)
        seconds.append(time.process_time() - clock)
        prints.append(fingerprint(poses))
        for found in poses.registrations:
            error = off_by(found.matrix, true[found.pair], points)
            errors[found.pair].append(error)
            expected[found.pair].append(found.error_mm)
            silent += error[0] > 0.5 and found.quality != "fail"
        cells = "   ".join(f"{errors[n][-1][0]:.4f} / {errors[n][-1][1]:.4f}" for n in PAIRS)
        marks = " ".join(r.quality for r in poses.registrations)
        print(f"{seed:4d}  {cells}   {marks}   {seconds[-1]:.1f}", flush=True)
        if seed - seeds[0] < peers:
            compare(seed, others)
    for name in PAIRS:
        mean, largest = np.array(errors[name]).T
        rms, said = np.sqrt((mean**2).mean()), np.sqrt((np.array(expected[name]) ** 2).mean())
        print(
            f"{name}: mean error {mean.mean():.4f} mm (worst case {mean.max():.4f}), largest at any point "
            f"{largest.max():.4f}; own estimate {said:.4f}, true {rms:.4f} (root mean square)"
        )
    for name, row in others.items():
        mean, largest = np.array(row).T
        print(f"peer, M00-M06, {name}: mean {mean.mean():.3f} mm, largest {largest.max():.3f}")
    print(f"CPU s a participant: mean {np.mean(seconds):.1f}, most {max(seconds):.1f}")
    print(f"off by more than 0.5 mm without a fail: {silent} of {len(PAIRS) * len(seeds)}")
    again = [sys.executable, __file__, "--fingerprint", str(seeds[0])]
    other = subprocess.run(again, capture_output=True, text=True, check=True).stdout.strip()
    print(f"same bits in another process: {other == prints[0]} ({other})")


if __name__ == "__main__":
    main()
