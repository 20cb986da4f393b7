"""MTsat and R1 of one participant: registered, mapped, and measured in tissues and lesions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from remyelin.errors import Flag, InputError
from remyelin.tables import MEASURES

from . import maps
from .findings import Failure, Finding
from .image import FloatArray, Mask, MTPair, Volume
from .imaging import Imaging
from .mtr import B1_COEFFICIENT, B1Correction, MTsat, mtsat_map
from .mts import MTS, read_mts
from .poses import Poses, register_participant
from .registration import Registration
from .rows import Rows
from .saturation_lesions import lesion_rows
from .tissue import tissue_values
from .visit import LoadedVisit

WEIGHTED = ("mtw", "pdw", "t1w")
# Brain at 1.5 to 7 T has R1 of 0.5 to 1.6 /s, fluid about 0.25; MTsat of white matter is below 10 pu for any
# pulse that the dose limits allow. A median outside these is a fault, not a finding.
_R1_PER_S = (0.2, 5.0)
_MTSAT_PU = (0.0, 20.0)
_FITTED = 0.5

_MAPS = {
    "MTsat": ("mtsat_pu", "Magnetisation transfer saturation of one MT pulse, in percent units", "percent"),
    "R1map": ("r1_per_s", "Apparent longitudinal relaxation rate", "1/s"),
}
_REFERENCE = "Helms G et al. MRM 2008;60:1396-1407, doi:10.1002/mrm.21732; erratum 2010;64:1856"


@dataclass(frozen=True, slots=True)
class Saturation:
    """MTsat and R1 of one visit.

    Parameters
    ----------
    mts
        The recordings.
    registrations
        Of the MT-, PD- and T1-weighted image to MT-off; None for MT-off itself.
    to_image
        (4, 4) world mm of MT-off to the world mm of each of the three.
    correction
        For B1; None without.
    maps
        On the MT-off grid, each image interpolated once.
    """

    mts: MTS
    registrations: tuple[Registration | None, ...]
    to_image: tuple[FloatArray, ...]
    correction: B1Correction | None
    maps: MTsat

    def solve(self, signals: Sequence[FloatArray] | FloatArray, b1: FloatArray | None) -> MTsat:
        """`mtsat_map` by the parameters of this visit."""
        return _solved(self.mts, signals, b1, self.correction)

    def measurable(self, measure: str) -> NDArray[np.float64]:
        """The map of a measure, NaN also beyond its plausible range: there (air, bone) it is noise.

        A ratio of noise has no mean. A lesion that loses voxels so is reported as not covered.
        """
        values, limits = np.asarray(getattr(self.maps, measure), np.float64), MEASURES[measure]
        return np.where((values >= limits.low) & (values <= limits.high), values, np.nan)

    @property
    def error_mm(self) -> FloatArray:
        """(3,) expected error of position of each image to MT-off."""
        return np.array([0.0 if found is None else found.error_mm for found in self.registrations])


def measure_saturation(
    imaging: Imaging, root: Path, out: Path, rows: Rows
) -> tuple[list[Failure], list[Finding]]:
    """Measure MTsat and R1 at every visit with MTS images: maps, and rows of tissues and lesions.

    Parameters
    ----------
    imaging
        The registered visits.
    root, out
        The dataset and the output folder.
    rows
        Where rows are added. What is doubtful about MTsat travels with MTsat and R1 only.

    Returns
    -------
    Why a visit has no MTsat, which costs it nothing else; and what is doubtful.
    """
    failures: list[Failure] = []
    found: dict[int, Saturation] = {}
    for k, visit in enumerate(imaging.visits):
        try:
            if visit.visit.mts:
                found[k] = saturate(visit, imaging.poses, k, root, imaging.settings.b1_correction)
        except InputError as error:
            named = InputError(error.file, f"MTsat: {error.field}", error.found, error.expected, error.fix)
            failures.append(Failure(rows.participant, visit.visit.id, named))
    doubts = {k: [*one.mts.flags, *_registration_flags(one)] for k, one in found.items()}
    for k, one in found.items():
        _registration_rows(one, imaging.visits[k].visit.id, rows)
        _write(out, imaging.visits[k], one)
    names = {k: imaging.visits[k].visit.id for k in found}
    mine = replace(
        rows,
        doubts={**rows.doubts, **{names[k]: [*rows.doubts.get(names[k], ()), *doubts[k]] for k in found}},
        sources={**rows.sources, **{names[k]: one.mts.images[0].file for k, one in found.items()}},
    )
    for k, one in found.items():
        doubts[k] += _tissue_rows(imaging, k, one, mine)
    lesion_rows(imaging, found, mine)
    findings = [Finding(rows.participant, names[k], flag) for k in found for flag in doubts[k]]
    return failures, findings


def saturate(visit: LoadedVisit, poses: Poses, index: int, root: Path, method: str) -> Saturation:
    """MTsat and R1 of one visit on the grid of its MT-off image.

    Parameters
    ----------
    visit, poses, index
        The visit, and where in `poses` it stands.
    root
        The dataset.
    method
        ``"helms"``, ``"lipp"`` or ``"none"``. Without a map of B1 it is none.

    Raises
    ------
    InputError
        As `read_mts` and `mtsat_map`; R1 or MTsat of the brain that cannot be.
    """
    mts = read_mts(visit, root, correct_b1=method != "none")
    correction: B1Correction | None = None
    if mts.b1 is not None:
        correction = "lipp" if method == "lipp" else "helms"
    placed = [
        _placed(image, name, visit.pair, poses, index)
        for name, image in zip(WEIGHTED, mts.images, strict=True)
    ]
    carried = [
        image.data.astype(np.float64)
        if image is visit.pair.off
        else maps.resample(image, visit.pair.off, matrix).astype(np.float64)
        for image, (_, matrix) in zip(mts.images, placed, strict=True)
    ]
    found = _solved(mts, carried, mts.b1, correction)
    usable = visit.pair.brain & np.logical_and.reduce([image > 0 for image in carried])
    _check(found, usable if mts.b1 is None else usable & np.isfinite(mts.b1), mts)
    registrations, matrices = zip(*placed, strict=True)
    return Saturation(mts, registrations, matrices, correction, found)


def _solved(
    mts: MTS,
    signals: Sequence[FloatArray] | FloatArray,
    b1: FloatArray | None,
    correction: B1Correction | None,
) -> MTsat:
    mt, pd, t1 = signals
    return mtsat_map(mt, pd, t1, tr_s=mts.tr_s, flip_deg=mts.flip_deg, b1=b1, b1_correction=correction)


def _placed(
    image: Volume, name: str, pair: MTPair, poses: Poses, index: int
) -> tuple[Registration | None, FloatArray]:
    """The registration of an image to MT-off, and (4, 4) world mm of MT-off to that of the image."""
    if image is pair.off:
        return None, np.eye(4)
    if image is pair.on:
        to_on = poses.on[index] @ np.linalg.inv(poses.off[index])
        return poses.registration(f"{pair.visit}:on-off"), to_on
    alone = register_participant([MTPair(pair.visit, pair.off, image, pair.brain)])
    return replace(alone.registrations[0], pair=f"{pair.visit}:{name}-off"), alone.on[0]


def _check(found: MTsat, usable: Mask, mts: MTS) -> None:
    """Refuse what no brain has: a lost scale, or images and parameters that do not belong together."""
    mt, _, t1 = mts.images
    r1, saturation = found.r1_per_s[usable], found.mtsat_pu[usable]
    fitted = float(np.isfinite(r1).mean()) if r1.size else 0.0
    fix = "check that image and sidecar belong together and that the scale of all three is the same"
    if fitted < _FITTED:
        words = f"not fitted by any R1 in {1 - fitted:.0%} of the brain"
        raise InputError(t1.file, "T1-weighted image", words, "a signal that some R1 explains", fix)
    for image, field, values, (low, high), unit in (
        (t1, "R1", r1, _R1_PER_S, "1/s"),
        (mt, "MTsat", saturation, _MTSAT_PU, "pu"),
    ):
        middle = float(np.nanmedian(values))
        if not low < middle < high:
            words = f"{middle:.3g} {unit} in the median of the brain"
            raise InputError(image.file, field, words, f"{low:g} to {high:g} {unit}", fix)


def _own_registrations(found: Saturation) -> list[tuple[str, Volume, Registration]]:
    """Those made for MTsat; that of MT-on to MT-off has its row and its flag already."""
    return [
        (name, image, one)
        for name, image, one in zip(WEIGHTED, found.mts.images, found.registrations, strict=True)
        if one is not None and not one.pair.endswith(":on-off")
    ]


def _registration_flags(found: Saturation) -> list[Flag]:
    return [
        Flag(
            image.file,
            f"registration of {name} to MT-off",
            one.reason,
            "images that can be aligned",
            "look at the participant's page",
            one.quality,
        )
        for name, image, one in _own_registrations(found)
        if one.quality != "pass"
    ]


def _registration_rows(found: Saturation, visit: str, rows: Rows) -> None:
    for name, _, one in _own_registrations(found):
        rows.add(
            visit,
            "participant",
            "registration_error_mm",
            one.error_mm,
            condition=f"pair={name}-off",
            quality=one.quality,
            reason=one.reason,
        )


def _tissue_rows(imaging: Imaging, k: int, found: Saturation, rows: Rows) -> list[Flag]:
    """Mean of each tissue; the flag of a segmentation, or of exchanged images, that R1 contradicts."""
    visit, masks = imaging.visits[k].visit, imaging.tissue_masks(k)
    means = {measure: tissue_values(found.measurable(measure), masks) for measure, *_ in _MAPS.values()}
    for measure, values in means.items():
        for name, value in values.items():
            if name != "csf":
                reason = "" if value.n_voxels else f"no voxels of {name} with MTsat"
                rows.add(visit.id, f"tissue:{name}", measure, value.mean, se=value.se, reason=reason)
    r1 = means["r1_per_s"]
    if "wm" not in r1 or not r1["wm"].mean <= r1["gm"].mean:
        return []
    words = f"wm {r1['wm'].mean:.2f} /s, gm {r1['gm'].mean:.2f} /s"
    fix = "check the segmentation, and that PD- and T1-weighted images are not exchanged"
    return [Flag(found.mts.images[2].file, "R1 of the tissue classes", words, "wm above gm", fix, "fail")]


def _write(out: Path, visit: LoadedVisit, found: Saturation) -> None:
    for suffix, (name, description, unit) in _MAPS.items():
        sidecar: Mapping[str, object] = {
            "Description": description,
            "Units": unit,
            "SkullStripped": False,
            "EstimationReference": _REFERENCE,
            "EstimationAlgorithm": _algorithm(suffix, found),
        }
        image = Volume(getattr(found.maps, name), visit.pair.off.affine)
        maps.write_derived(out, visit, suffix, image, sidecar, found.mts.sources)


def _algorithm(suffix: str, found: Saturation) -> str:
    words = "rational approximation for small flip angles and short TR"
    if found.correction is None:
        return f"{words}; not corrected for B1"
    if suffix == "R1map":
        return f"{words}; local flip angles"
    return f"{words}; corrected for B1 ({found.correction}, C {B1_COEFFICIENT[found.correction]:g})"
