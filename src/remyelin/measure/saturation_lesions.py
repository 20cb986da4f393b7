"""MTsat and R1 of each lesion at each visit, with their standard errors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from remyelin.tables import MEASURES

from . import maps
from .image import FloatArray, Volume
from .imaging import Imaging
from .lesion_mtr import DEGREE
from .noise import noise_sd
from .rows import Rows
from .spill import Spills, lay
from .weights import SoftMask, soft_masks

if TYPE_CHECKING:
    from .saturation import Saturation

NAMES = ("mtsat_pu", "r1_per_s")
# Below this part of a lesion with a value, its mean is another tissue's.
_COVERED = 0.95
# Of a signal: far above rounding, far below curvature.
_STEP = 1e-4


@dataclass(frozen=True, slots=True)
class Level:
    """One measure of n lesions at one visit.

    Parameters
    ----------
    values
        (n, 3) of the lesion, and of its halves a and b.
    se
        (n,) from thermal noise and registration.
    covered
        (n,) part of the lesion that has a value.
    """

    values: FloatArray
    se: FloatArray
    covered: FloatArray


def lesion_rows(imaging: Imaging, found: Mapping[int, Saturation], rows: Rows) -> None:
    """Add MTsat and R1 of every lesion at the visits that have them, also those that follow its vanishing.

    Weights are those of MTR, laid on the map of the visit. Its images were interpolated once to make it, so
    it is not interpolated again, whatever the setting for MTR. Voxels without a value are left out.
    """
    lesions = imaging.lesions
    if lesions is None or not lesions.ids or not found:
        return
    masks = soft_masks(lesions)
    pairs = [visit.pair for visit in imaging.visits]
    own = Spills.of(pairs, imaging.poses, masks, "none", DEGREE)
    for v, one in found.items():
        visit = pairs[v].visit
        levels = measured(imaging, v, one, own)
        for k, name in enumerate(lesions.ids):
            for measure, level in levels.items():
                if v < lesions.home[k]:
                    reason = f"new at {pairs[lesions.home[k]].visit}"
                    rows.add(visit, f"lesion:{name}", measure, np.nan, state="absent", reason=reason)
                else:
                    _add(rows, visit, f"lesion:{name}", measure, level, k)


def measured(imaging: Imaging, v: int, one: Saturation, own: Spills) -> dict[str, Level]:
    """MTsat and R1 of the lesions at visit `v`.

    Standard errors are those of `lesion_mtr.LesionValues`, carried to first order through the equations of
    MTsat at the mean signals of the lesion: noise of each of the three images, the error of each to MT-off,
    and of the visit to the lesion's home. The noise of B1, a smooth map, is not in them.
    """
    off, pose, masks = imaging.visits[v].pair.off, imaging.poses.off[v], own.masks
    errors = _standard_errors(imaging, v, one, own)
    full_mm3 = np.array([mask.voxels * own.pairs[mask.home].off.voxel_mm3 for mask in masks])
    levels = {}
    for name in NAMES:
        image = Volume(one.measurable(name).astype(np.float32), off.affine)
        values, sums = own.level(image, pose)
        levels[name] = Level(values[:, [0, 3, 4]], errors[name], sums.w[:, 0] * off.voxel_mm3 / full_mm3)
    return levels


def _standard_errors(imaging: Imaging, v: int, one: Saturation, own: Spills) -> dict[str, FloatArray]:
    pair, pose, masks = imaging.visits[v].pair, imaging.poses.off[v], own.masks
    per_mm = 1 / np.array([own.pairs[mask.home].off.voxel_mm for mask in masks])
    signal, slope, noise = [], [], []
    for image, matrix in zip(one.mts.images, one.to_image, strict=True):
        sums = lay(image, matrix @ pose, own.pairs, imaging.poses, masks, DEGREE)
        brain = maps.resample(
            Volume(pair.brain.astype(np.float32), pair.off.affine), image, np.linalg.inv(matrix)
        )
        signal.append(sums.mean[:, 0])
        slope.append(own.slope(sums) * per_mm)
        noise.append(np.sqrt(sums.noise_gain * own.noise) * noise_sd(image.data, brain >= 0.5))
    b1 = None
    if one.mts.b1 is not None:
        b1 = lay(Volume(one.mts.b1, pair.off.affine), pose, own.pairs, imaging.poses, masks, DEGREE).mean[
            :, 0
        ]
    between = _between_mm(imaging, v, masks)
    errors = {}
    for name, by_signal in _derivatives(one, np.array(signal), b1).items():
        moved = by_signal[:, :, None] * np.array(slope)
        square = ((one.error_mm[:, None] ** 2) * (moved**2).sum(2)).sum(0)
        square += between**2 * (moved.sum(0) ** 2).sum(1)
        thermal = ((by_signal * np.array(noise)) ** 2).sum(0)
        # Three components of a displacement share its mean square equally.
        errors[name] = np.sqrt(thermal + square / 3)
    return errors


def _derivatives(one: Saturation, signal: FloatArray, b1: FloatArray | None) -> dict[str, FloatArray]:
    """(3, n) of each measure by each signal; NaN where a lesion has no signal or no B1."""
    found = {name: np.full(signal.shape, np.nan) for name in NAMES}
    if b1 is not None and not np.isfinite(b1).any():
        return found
    for i in range(3):
        step = np.zeros_like(signal)
        step[i] = _STEP * signal[i]
        above, below = one.solve(signal + step, b1), one.solve(signal - step, b1)
        for name in NAMES:
            found[name][i] = (getattr(above, name) - getattr(below, name)) / (2 * step[i])
    return found


def _between_mm(imaging: Imaging, v: int, masks: Sequence[SoftMask]) -> FloatArray:
    """(n,) expected error of a visit to the home visit of each lesion."""
    names = [visit.visit.id for visit in imaging.visits]
    known = {
        home: imaging.poses.registration(f"{names[min(home, v)]}-{names[max(home, v)]}").error_mm
        for home in {mask.home for mask in masks} - {v}
    }
    return np.array([known.get(mask.home, 0.0) for mask in masks])


def _add(rows: Rows, visit: str, site: str, measure: str, level: Level, k: int) -> None:
    limits = MEASURES[measure]
    covered = float(level.covered[k])
    poor = "" if covered >= _COVERED else f"{100 * covered:.0f} % of the lesion with a value"
    errors = (float(level.se[k]), np.nan, np.nan)
    for condition, value, se in zip(("", "half=a", "half=b"), level.values[k], errors, strict=True):
        reason = poor or ("" if np.isfinite(value) else "too few voxels for halves")
        if np.isfinite(value) and not limits.low <= value <= limits.high:
            reason = f"{value:.3g} {limits.unit} is not plausible"
            value, se = np.nan, np.nan
        quality = "pass" if reason in ("", "too few voxels for halves") else "fail"
        rows.add(
            visit, site, measure, float(value), se=se, condition=condition, quality=quality, reason=reason
        )
