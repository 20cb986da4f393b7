"""The MTsat recordings of one visit: three spoiled gradient echoes, told apart by sidecar and name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import numpy as np

from remyelin.errors import Flag, InputError
from remyelin.files import relative

from .b1 import read_b1
from .image import FloatArray, Volume, read_volume
from .mtr import FLIP_DEG, TR_S
from .name import Name, parse
from .privacy import sidecar_flags
from .sidecar import Sidecar, check_mt_state, read_sidecar
from .visit import LoadedVisit

EXPECTED = "three MTS images: flip-1 mt-on, flip-1 mt-off and flip-2 mt-off"
# One flip index names one angle; sidecars round it.
_SAME_ANGLE = 0.01


@dataclass(frozen=True, slots=True)
class Acquisition:
    """What is told of one MTS image without opening it; times in seconds, angles in degrees."""

    path: Path
    name: Name
    sidecar: Sidecar
    on: bool
    tr_s: float
    flip_deg: float

    @property
    def t1_weighting(self) -> float:
        """Grows with the part of the signal that T1 takes away."""
        return self.flip_deg**2 / self.tr_s

    @property
    def flip_index(self) -> str | None:
        """The label of `flip` in its name."""
        return self.name.entities.get("flip")


@dataclass(frozen=True, slots=True)
class MTS:
    """The MTsat recordings of a visit, not registered.

    Parameters
    ----------
    images
        MT-, PD- and T1-weighted. One that is the MT-off or MT-on image of the visit is that very volume.
    tr_s, flip_deg
        Repetition times in seconds and flip angles in degrees, in that order.
    b1
        (x, y, z) local over nominal flip angle on the MT-off grid, NaN where it is not known; None without a
        map, or if no correction is asked for.
    sources
        The files, the map of B1 last.
    flags
        What is doubtful.
    """

    images: tuple[Volume, Volume, Volume]
    tr_s: tuple[float, float, float]
    flip_deg: tuple[float, float, float]
    b1: FloatArray | None
    sources: tuple[str, ...]
    flags: tuple[Flag, ...]


def read_mts(visit: LoadedVisit, root: Path, *, correct_b1: bool = True) -> MTS:
    """Read the MTsat recordings of a visit.

    Parameters
    ----------
    visit
        With MTS images in `visit.visit.mts`, its MT pair read.
    root
        The dataset.
    correct_b1
        Read the map of B1 too, and flag a visit without one.

    Raises
    ------
    InputError
        An image is missing or there are several of a kind; `FlipAngle` or the repetition time is missing or
        in another unit; names and sidecars disagree; two images hold the same voxels; the map of B1 is
        none (`read_b1`); a file cannot be read.
    """
    weighted = choose([_described(path, root) for path in visit.visit.mts], root, visit.visit.folder)
    images, flags = [], []
    for one in weighted:
        volume, found = _volume(one.path, root, visit)
        images.append(volume)
        flags += [*found, *sidecar_flags(one.sidecar.values, one.sidecar.sources)]
    _check_copies(images)
    b1, sources = None, [image.file for image in images]
    path = visit.visit.tb1map
    if correct_b1 and path is None:
        fix = "add fmap/*_TB1map.nii.gz, or choose b1_correction none"
        found_words = "missing: MTsat and R1 are not corrected for B1"
        flags.append(Flag(visit.visit.folder, "TB1map", found_words, "a map of B1", fix))
    elif correct_b1 and path is not None:
        b1, found = read_b1(path, root, visit.pair)
        flags += found
        sources.append(relative(path, root))
    mt, pd, t1 = weighted
    return MTS(
        (images[0], images[1], images[2]),
        (mt.tr_s, pd.tr_s, t1.tr_s),
        (mt.flip_deg, pd.flip_deg, t1.flip_deg),
        b1,
        tuple(sources),
        tuple(dict.fromkeys(flags)),
    )


def choose(found: Sequence[Acquisition], root: Path, folder: str = "") -> tuple[Acquisition, ...]:
    """The MT-, PD- and T1-weighted of the MTS images of a visit.

    The MT-weighted one has the MT pulse; of the two without it, the T1-weighted has the larger
    ``FlipAngle^2 / TR``. A flip index in the names must tell the same.

    Raises
    ------
    InputError
        One is missing, there are several of a kind, or names and sidecars disagree.
    """
    on = [one for one in found if one.on]
    off = sorted((one for one in found if not one.on), key=lambda one: (one.t1_weighting, one.path.name))
    if len(on) > 1 or len(off) > 2:
        surplus = on if len(on) > 1 else off
        names = ", ".join(relative(one.path, root) for one in surplus[1:])
        fix = "keep one of each; give a repeated scan a session of its own"
        raise InputError(
            relative(surplus[0].path, root), "choice", f"one of several with {names}", EXPECTED, fix
        )
    if not on or len(off) < 2:
        fix = "add it; without it the visit has no MTsat"
        raise InputError(folder, f"{_absent(on, off)}-weighted image", "missing", EXPECTED, fix)
    mt, pd, t1 = on[0], *off
    _check_angles(mt, pd, t1)
    return mt, pd, t1


def _absent(on: Sequence[Acquisition], off: Sequence[Acquisition]) -> str:
    if not on:
        return "MT"
    return "T1" if off and off[0].flip_index == on[0].flip_index else "PD"


def _check_angles(mt: Acquisition, pd: Acquisition, t1: Acquisition) -> None:
    """Flip indices in the names must tell what the sidecars tell."""
    if np.isclose(pd.t1_weighting, t1.t1_weighting, rtol=1e-3):
        found = f"{pd.flip_deg:g} degrees at the same TR as in {t1.sidecar.source('FlipAngle')}"
        fix = "check which files are PD- and T1-weighted"
        expected = "another T1 weighting in each mt-off image"
        raise InputError(pd.sidecar.source("FlipAngle"), "FlipAngle", found, expected, fix)
    if mt.flip_index is None or pd.flip_index is None or t1.flip_index is None:
        return
    if pd.flip_index != mt.flip_index or t1.flip_index == mt.flip_index:
        found = f"{pd.flip_deg:g} degrees, less T1-weighted than the {t1.flip_deg:g} of flip-{t1.flip_index}"
        expected = f"more T1 weighting: the PD-weighted image is flip-{mt.flip_index}, like the mt-on one"
        fix = "correct FlipAngle, or exchange the names of the flip-1 and flip-2 files"
        raise InputError(pd.sidecar.source("FlipAngle"), "FlipAngle", found, expected, fix)
    if abs(mt.flip_deg - pd.flip_deg) > _SAME_ANGLE * pd.flip_deg:
        found = f"{mt.flip_deg:g} degrees, and {pd.flip_deg:g} in {pd.sidecar.source('FlipAngle')}"
        expected = f"one angle for flip-{mt.flip_index}"
        fix = "correct FlipAngle, or give the files flip indices of their own"
        raise InputError(mt.sidecar.source("FlipAngle"), "FlipAngle", found, expected, fix)


def _described(path: Path, root: Path) -> Acquisition:
    name, sidecar = parse(path.name), read_sidecar(path, root)
    assert name is not None  # the index found it by its name
    if "mt" in name.entities:
        check_mt_state(sidecar, name)
        on = name.entities["mt"] == "on"
    elif isinstance(sidecar.values.get("MTState"), bool):
        on = bool(sidecar.values["MTState"])
    else:
        fix = "say it in the name (mt-on, mt-off) or in the sidecar"
        raise InputError(sidecar.source("MTState"), "MTState", "missing", "true or false", fix)
    slips = ("divide by 1000 if it stands in ms", "multiply by 180/pi if it stands in radians")
    tr_s = _number(sidecar, ("RepetitionTimeExcitation", "RepetitionTime"), TR_S, "s", slips[0])
    flip_deg = _number(sidecar, ("FlipAngle",), FLIP_DEG, "degrees", slips[1])
    return Acquisition(path, name, sidecar, on, tr_s, flip_deg)


def _number(
    sidecar: Sidecar, keys: tuple[str, ...], limits: tuple[float, float], unit: str, slip: str
) -> float:
    """The value of the first key that there is; it must lie within limits outside which the unit is wrong."""
    key = next((key for key in keys if sidecar.values.get(key) is not None), keys[0])
    value, (low, high) = sidecar.number(key), limits
    expected = f"{low:g} to {high:g} {unit}"
    if value is None:
        found = "missing" if key not in sidecar.values else "not a number"
        raise InputError(sidecar.source(key), key, found, expected, "state it in the sidecar of the image")
    if not low <= value <= high:
        raise InputError(sidecar.source(key), key, f"{value:g}", expected, slip)
    return value


def _volume(path: Path, root: Path, visit: LoadedVisit) -> tuple[Volume, list[Flag]]:
    """The image; one of the MT pair has been read, with its flags."""
    known = {visit.visit.mt_off: visit.pair.off, visit.visit.mt_on: visit.pair.on}
    return (known[path], []) if path in known else read_volume(path, root)


def _check_copies(images: Sequence[Volume]) -> None:
    for one, two in combinations(images, 2):
        if np.array_equal(one.data, two.data, equal_nan=True):
            fix = "export the series of each again"
            raise InputError(two.file, "voxels", f"identical to {one.file}", "an image of its own", fix)
