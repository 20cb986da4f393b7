"""Checks that catch silent harm: recordings that can be read and measured, and yet are wrong."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from remyelin.errors import Flag, InputError

from .findings import Failure, Finding
from .image import Volume
from .nifti import displacement_voxels
from .sidecar import Sidecar

if TYPE_CHECKING:
    from .visit import LoadedVisit

FloatArray = NDArray[np.floating]

# Tissue stands above a fifth of the bright voxels; noise in air is below a twentieth even at poor SNR.
_FOREGROUND = 0.2
_BRIGHT_QUANTILE = 0.98
_N_SAMPLES = 200_000
_MIN_OVERLAP = 100
# Whole-head medians lie between 10 and 60 pu. No tissue exceeds about 75 pu at a strong pulse (muscle), so
# 85 means a lost scale; swapped images of 75 pu give -300 pu, so anything below that is a lost scale too.
_HIGHEST_PU, _LOWEST_SWAPPED_PU = 85.0, -300.0
# Less than 2 pu over the whole head: the pulse was off. It is far above the error of a median of 100 voxels.
_NO_SATURATION_PU = 2.0
# Two acquisitions differ by their noise, at least 1/1000 of the signal (SNR above 1000 does not occur).
_COPY_RESIDUAL = 1e-3
_HALF_A_VOXEL = 0.5

# BIDS wants seconds. MT sequences repeat every 0.02 to 5 s and echo within 0.1 s.
_SECONDS = {"RepetitionTime": 10.0, "RepetitionTimeExcitation": 10.0, "EchoTime": 0.5}
_SHARED_IN_PAIR = (
    "RepetitionTime",
    "RepetitionTimeExcitation",
    "EchoTime",
    "FlipAngle",
    "MagneticFieldStrength",
    "Manufacturer",
    "DeviceSerialNumber",
)
_SHARED_BY_VISITS = (
    *_SHARED_IN_PAIR,
    "ManufacturersModelName",
    "SoftwareVersions",
    "ReceiveCoilName",
    "MTOffsetFrequency",
    "MTFlipAngle",
    "MTNumberOfPulses",
    "MTPulseBandwidth",
    "MTPulseDuration",
    "MTPulseShape",
)
# Rounding in sidecars (2.89 and 3 T name the same magnet) against a protocol that was changed.
_TOLERANCE = {"MagneticFieldStrength": 0.05}
_DEFAULT_TOLERANCE = 0.01
_VOXEL_TOLERANCE = 0.02


def check_pair(off: Volume, on: Volume, sidecars: tuple[Sidecar, Sidecar]) -> list[Flag]:
    """Check that two images can be the MT-off and MT-on image of one visit.

    Parameters
    ----------
    off, on
        As `read_volume` gives them, not registered.
    sidecars
        Of MT-off and of MT-on.

    Returns
    -------
    Flags: another position or grid, no saturation, times in ms, TR, TE, flip angle or scanner that differ.

    Raises
    ------
    InputError
        If one is a copy of the other, they are swapped, one has lost its scale, or they do not overlap.
    """
    signal_off, signal_on = _in_foreground(off, on)
    _check_copy(off, on, signal_off, signal_on)
    flags = _check_ratio(off, on, signal_off, signal_on)
    return [*_geometry(off, on), *flags, *_seconds(sidecars), *_differences(sidecars)]


def check_visits(visits: Sequence[LoadedVisit]) -> tuple[list[Failure], list[Finding]]:
    """Check the visits of one participant against one another.

    Returns
    -------
    Failures for visits that hold the same voxels (neither can be believed), and flags at every later visit
    whose scanner, protocol or voxel size is not that of the first.
    """
    failures = []
    for one, two in combinations(visits, 2):
        for a, b in ((one.pair.off, two.pair.off), (one.pair.on, two.pair.on)):
            if np.array_equal(a.data, b.data, equal_nan=True):
                failures += [_copied(one, a, b), _copied(two, b, a)]
                break
    findings = [
        Finding(visit.visit.participant, visit.visit.id, flag)
        for visit in visits[1:]
        for flag in _changes(visits[0], visit)
    ]
    return failures, findings


def _in_foreground(off: Volume, on: Volume) -> tuple[FloatArray, FloatArray]:
    """(n,) MT-off and MT-on signal at voxels of MT-off with tissue, found by their place in the scanner."""
    step = max(1, int(np.cbrt(off.data.size / _N_SAMPLES)))
    index = np.stack(np.meshgrid(*[np.arange(0, n, step) for n in off.data.shape], indexing="ij"), -1)
    index = index.reshape(-1, 3)
    signal = off.data[tuple(index.T)]
    bright = signal[signal > 0]
    if bright.size == 0:
        raise _no_signal(off)
    index = index[signal > _FOREGROUND * float(np.quantile(bright, _BRIGHT_QUANTILE))]
    to_on = np.linalg.inv(on.affine) @ off.affine
    there = np.rint(index @ to_on[:3, :3].T + to_on[:3, 3]).astype(int)
    inside = ((there >= 0) & (there < on.data.shape)).all(1)
    a, b = off.data[tuple(index[inside].T)], on.data[tuple(there[inside].T)]
    both = np.isfinite(a) & np.isfinite(b)
    if both.sum() < min(_MIN_OVERLAP, len(index)):
        found = f"elsewhere than {off.file}: the images do not overlap"
        fix = "check the geometry of both headers; convert the series again"
        raise InputError(on.file, "position", found, "the same part of the body in MT-on and MT-off", fix)
    return a[both].astype(float), b[both].astype(float)


def _no_signal(volume: Volume) -> InputError:
    return InputError(volume.file, "voxels", "no signal above zero", "an image", "export the series again")


def _check_copy(off: Volume, on: Volume, signal_off: FloatArray, signal_on: FloatArray) -> None:
    factor = float(np.median(signal_on / signal_off))
    residual = float(np.sqrt(np.mean((signal_on - factor * signal_off) ** 2)))
    if residual <= _COPY_RESIDUAL * abs(factor) * np.median(signal_off):
        by = "" if abs(factor - 1) < _COPY_RESIDUAL else f" times {factor:.3g}"
        found = f"identical to {off.file}{by}: a copy"
        raise InputError(
            on.file, "MT-on image", found, "an image of its own", "export the MT-on series again"
        )


def _check_ratio(off: Volume, on: Volume, signal_off: FloatArray, signal_on: FloatArray) -> list[Flag]:
    median_pu = float(np.median(100 * (1 - signal_on / signal_off)))
    found = f"a median MTR of {median_pu:.1f} pu"
    if median_pu > _HIGHEST_PU or median_pu < _LOWEST_SWAPPED_PU:
        low = on if median_pu > 0 else off
        expected = f"an intensity scale common to {off.file} and {on.file} (MTR below {_HIGHEST_PU:g} pu)"
        fix = "restore scl_slope, or the rescale slope of the DICOM files, in both"
        raise InputError(low.file, "intensity scale", f"implausible ({found})", expected, fix)
    if median_pu < -_NO_SATURATION_PU:
        fix = f"exchange it with {off.file}: the two seem to be swapped"
        raise InputError(on.file, "MT-on image", f"brighter than MT-off ({found}, negative)", "darker", fix)
    if median_pu < _NO_SATURATION_PU:
        fix = "check that the MT pulse was on"
        return [Flag(on.file, "MT-on image", f"not saturated ({found})", "an MTR well above 0", fix, "fail")]
    return []


def _geometry(off: Volume, on: Volume) -> list[Flag]:
    expected, fix = (
        f"the position and grid of {off.file}",
        "check the headers; registration starts from there",
    )
    if off.data.shape != on.data.shape:
        found = f"another grid ({'x'.join(map(str, on.data.shape))} voxels)"
        return [Flag(on.file, "geometry", found, expected, fix)]
    gap = displacement_voxels(off.affine, on.affine, off.data.shape)
    if gap > _HALF_A_VOXEL:
        found = f"another position or orientation (affine differs by {gap:.1f} voxels)"
        return [Flag(on.file, "geometry", found, expected, fix)]
    return []


def _seconds(sidecars: Iterable[Sidecar]) -> list[Flag]:
    flags = []
    for sidecar in sidecars:
        for key, longest in _SECONDS.items():
            value = sidecar.number(key)
            if value is not None and value > longest:
                found, fix = f"{value:g}, as if in ms", "divide by 1000: BIDS wants seconds"
                flags.append(Flag(sidecar.source(key), key, found, f"seconds (at most {longest:g})", fix))
    return flags


def _differences(sidecars: tuple[Sidecar, Sidecar]) -> list[Flag]:
    off, on = sidecars
    return [
        Flag(
            on.source(key),
            key,
            f"{there}, and {here} in {off.source(key)}: they differ",
            "the same in MT-on and MT-off",
            "correct the sidecar; if it is right, MTR of this visit is not what the protocol measures",
        )
        for key, here, there in _unlike(off, on, _SHARED_IN_PAIR)
    ]


def _changes(first: LoadedVisit, later: LoadedVisit) -> list[Flag]:
    pairs = zip((first.off_sidecar, first.on_sidecar), (later.off_sidecar, later.on_sidecar), strict=True)
    flags = [
        Flag(
            new.source(key),
            key,
            f"{there}, and {here} at {first.visit.id}: scanner or protocol differ",
            "the same scanner and protocol at every visit",
            "model the change as the protocol of the trial says, or leave the visit out",
        )
        for old, new in pairs
        for key, here, there in _unlike(old, new, _SHARED_BY_VISITS)
    ]
    here, there = first.pair.off.voxel_mm, later.pair.off.voxel_mm
    if (abs(np.sort(there) / np.sort(here) - 1) > _VOXEL_TOLERANCE).any():
        found = "x".join(f"{edge:.3g}" for edge in there) + " mm"
        expected = "x".join(f"{edge:.3g}" for edge in here) + f" mm, as at {first.visit.id}"
        fix = "compare such visits with care: partial volume differs"
        flags.append(Flag(later.pair.off.file, "voxel size", found, expected, fix))
    return flags


def _unlike(one: Sidecar, two: Sidecar, keys: Iterable[str]) -> list[tuple[str, str, str]]:
    """(key, value in one, value in two) where both state a value and the values differ."""
    return [
        (key, _shown(a), _shown(b))
        for key in keys
        if (a := one.values.get(key)) is not None
        and (b := two.values.get(key)) is not None
        and not _alike(key, a, b)
    ]


def _alike(key: str, a: object, b: object) -> bool:
    if isinstance(a, int | float) and isinstance(b, int | float):
        if key in _SECONDS:
            # Milliseconds have a flag of their own.
            a, b = (x / 1000 if x > _SECONDS[key] else x for x in (a, b))
        return abs(a - b) <= _TOLERANCE.get(key, _DEFAULT_TOLERANCE) * max(abs(a), abs(b))
    return str(a).strip().casefold() == str(b).strip().casefold()


def _shown(value: object) -> str:
    return f"{value:g}" if isinstance(value, int | float) else ascii(value)[:40]


def _copied(visit: LoadedVisit, image: Volume, other: Volume) -> Failure:
    found = f"identical to {other.file}"
    fix = "find out which visit it belongs to; upload the right image for the other"
    error = InputError(image.file, "voxels", found, "an image of its own, no copy", fix)
    return Failure(visit.visit.participant, visit.visit.id, error)
