"""The transmit field: a map of the local over the nominal flip angle, brought onto the MT-off grid."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from remyelin.errors import Flag, InputError

from .image import FloatArray, MTPair, Volume, read_volume
from .maps import resample
from .sidecar import read_sidecar

# A transmitter is adjusted so that the head has about the nominal angle. A median, or tails, outside these
# mean another unit or another map, not a field: they are wider than what 7 T does to a head.
_MEDIAN = (0.5, 1.6)
_MOST = (0.2, 2.5)
_TAILS = (0.05, 0.95)
_PERCENT = 100.0
# A voxel of the MT-off grid whose neighbours in the map are mostly unknown is unknown.
_KNOWN = 0.5
_COVERED = 0.95


def read_b1(path: Path, root: Path, pair: MTPair) -> tuple[FloatArray, list[Flag]]:
    """Read a map of B1 in percent or as a ratio, and bring it onto the MT-off grid by the headers.

    Parameters
    ----------
    path
        A BIDS `TB1map`; zero, negative and not-a-number voxels are not known.
    root
        The dataset.
    pair
        Whose grid and brain mask are meant.

    Returns
    -------
    (x, y, z) local over nominal flip angle, trilinear, NaN where it is not known; and what is doubtful.

    Raises
    ------
    InputError
        The map cannot be read, does not reach the brain, its values are neither a ratio near 1 nor percent
        near 100, or its sidecar states another unit than they have.
    """
    volume, flags = read_volume(path, root)
    known = np.isfinite(volume.data) & (volume.data > 0)
    part = _carried(Volume(known.astype(np.float32), volume.affine), pair.off)
    total = _carried(Volume(np.where(known, volume.data, 0).astype(np.float32), volume.affine), pair.off)
    values = np.divide(total, part, out=np.full(part.shape, np.nan), where=part >= _KNOWN)
    inside = values[pair.brain & np.isfinite(values)]
    if not inside.size:
        fix = "check the geometry of its header; it must be of the same session"
        raise InputError(volume.file, "position", "elsewhere than the brain", f"on {pair.off.file}", fix)
    ratio = values / _unit(inside, volume.file, _stated_unit(path, root))
    covered = inside.size / int(pair.brain.sum())
    if covered < _COVERED:
        found = f"known in {covered:.0%} of the brain"
        fix = "extrapolate the map beyond the brain; MTsat was left out where it is not known"
        flags.append(Flag(volume.file, "B1", found, "the whole brain", fix))
    return ratio, flags


def _carried(volume: Volume, grid: Volume) -> FloatArray:
    return np.nan_to_num(resample(volume, grid, np.eye(4)).astype(np.float64))


def _stated_unit(path: Path, root: Path) -> str:
    return str(read_sidecar(path, root).values.get("Units", "")).strip().casefold()


def _unit(inside: FloatArray, file: str, stated: str) -> float:
    """What the values of the brain are to be divided by to be ratios."""
    middle, (low, high) = float(np.median(inside)), (float(q) for q in np.quantile(inside, _TAILS))
    expected = "a ratio near 1 or percent near 100"
    for unit in (1.0, _PERCENT):
        if _MEDIAN[0] <= middle / unit <= _MEDIAN[1]:
            if not _MOST[0] <= low / unit <= high / unit <= _MOST[1]:
                found = f"from {low:.3g} to {high:.3g} in the brain"
                raise InputError(file, "B1", found, expected, "check that this is the map and not its image")
            if stated in ("percent", "%") and unit != _PERCENT:
                found = f"percent by its sidecar, about {middle:.3g} by its voxels"
                raise InputError(file, "Units", found, expected, "correct Units, or the map")
            return unit
    fix = "divide by the nominal flip angle (a map of angles), or by the scale of the scanner"
    raise InputError(file, "B1", f"about {middle:.3g} in the brain", expected, fix)
