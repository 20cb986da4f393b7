"""Rows of the lesions of one participant: volume, place, MTR of the whole and of its parts, and of voxels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from remyelin.errors import Flag, InputError

from .calibration import Calibration, calibrate
from .drift import normalise
from .findings import Finding
from .imaging import Imaging
from .lesion_mtr import LesionValues, lesion_values
from .lesions import Lesions
from .rows import Rows
from .shells import Shells, lesion_shells
from .tissue import TissueValue, lesion_tissue
from .voxels import change_threshold, changed_fractions

if TYPE_CHECKING:
    from .image import FloatArray

PARTS = ("core", "rim", "perilesional")
# Measured in unchanged lesions of simulated brains, benchmarks/mtr/precision.py: spline 0.
PLAIN = "plain mask: a level; changes below 0.15 pu are not to be read from it"


def lesion_rows(
    imaging: Imaging, tissue: Sequence[dict[str, TissueValue]], rows: Rows, phantom: FloatArray | None
) -> list[Finding]:
    """Add every row of the lesions.

    Parameters
    ----------
    imaging
        With lesions.
    tissue
        Of `tissue_rows`, for the normalisation.
    rows
        Where they are added.
    phantom
        (visit, 2) MTR of a phantom at each visit and its standard error; None without one.

    Returns
    -------
    What is doubtful.
    """
    lesions = imaging.lesions
    if lesions is None:
        return []
    _count_rows(imaging, lesions, rows)
    shells = [_place_rows(imaging, lesions, v, rows) for v in range(len(imaging.visits))]
    if not lesions.ids:
        return []
    pairs = [visit.pair for visit in imaging.visits]
    chosen = imaging.settings.interpolation
    values = lesion_values(pairs, imaging.poses, lesions, interpolation=chosen)
    findings = _value_rows(imaging, values, tissue, phantom, rows)
    for part in PARTS:
        selected = _part(lesions, shells, part)
        if selected.ids:
            # A part borders on another part of the same lesion, for which the spill has no model.
            of_part = lesion_values(pairs, imaging.poses, selected, interpolation=chosen, degree=0)
            _part_rows(imaging, of_part, part, rows)
    if len(imaging.visits) > 1:
        _calibration_rows(
            imaging, lesions, calibrate(pairs, imaging.poses, lesions, interpolation=chosen), rows
        )
        findings += _voxel_rows(imaging, lesions, rows)
    return findings


def _count_rows(imaging: Imaging, lesions: Lesions, rows: Rows) -> None:
    for step in lesions.attrition:
        visit = step.visit or imaging.visits[0].visit.id
        condition = f"step={step.step}" + ("" if step.visit else ";visits=all")
        rows.add(visit, "participant", "lesion_count", step.n_lesions, condition=condition)
        rows.add(visit, "participant", "lesion_volume_mm3", step.volume_mm3, condition=condition)


def _place_rows(imaging: Imaging, lesions: Lesions, v: int, rows: Rows) -> Shells | None:
    """Volume and events of every lesion at a visit with a mask; place and shells of those born there."""
    visit, s = imaging.visits[v], imaging.settings
    if visit.lesions is None:
        return None
    for k, name in enumerate(lesions.ids):
        volume = float(lesions.volumes_mm3[k, v])
        reason = lesions.reason(name, visit.visit.id)
        state = "present" if volume > 0 else "absent"
        if state == "absent":
            reason = reason or "not in the mask of this visit"
        rows.add(visit.visit.id, f"lesion:{name}", "lesion_volume_mm3", volume, state=state, reason=reason)
    born = np.flatnonzero([home == v for home in lesions.home]) + 1
    if not born.size:
        return None
    here = np.where(np.isin(lesions.labels[v], born), lesions.labels[v], 0)
    every = imaging.all_lesions(v)
    brain = visit.pair.brain if visit.tissue is None else visit.tissue.white | visit.tissue.grey
    shells = lesion_shells(
        here,
        visit.pair.off.voxel_mm,
        rim_mm=s.rim_mm,
        perilesional_mm=s.perilesional_mm,
        lesion_mask=every,
        tissue=brain,
    )
    if visit.tissue is not None:
        where = lesion_tissue(
            here,
            shells.perilesional,
            visit.tissue,
            visit.pair.off.voxel_mm,
            n_lesions=len(lesions),
            lesion_mask=every,
        )
        columns = {
            "lesion_gm_fraction": where.gm_fraction,
            "lesion_distance_to_csf_mm": where.distance_to_csf_mm,
        }
        for k in (int(label) - 1 for label in born):
            for measure, column in columns.items():
                if np.isfinite(column[k]):
                    rows.add(visit.visit.id, f"lesion:{lesions.ids[k]}", measure, float(column[k]))
    return shells


def _part(lesions: Lesions, shells: Sequence[Shells | None], part: str) -> Lesions:
    """The lesions that have this part at their home visit, with labels of their own."""
    images = {v: getattr(found, part) for v, found in enumerate(shells) if found is not None}
    there = {v: set(np.unique(image)) for v, image in images.items()}
    kept = [k for k, home in enumerate(lesions.home) if k + 1 in there.get(home, ())]
    table = np.zeros(len(lesions) + 1, np.int32)
    table[np.array(kept, int) + 1] = np.arange(1, len(kept) + 1)
    labels = tuple(
        table[images[v]] if v in images else np.zeros((0, 0, 0), np.int32) for v in range(len(shells))
    )
    return replace(
        lesions,
        ids=tuple(lesions.ids[k] for k in kept),
        home=tuple(lesions.home[k] for k in kept),
        labels=labels,
        volumes_mm3=lesions.volumes_mm3[kept],
    )


def _value_rows(
    imaging: Imaging,
    values: LesionValues,
    tissue: Sequence[dict[str, TissueValue]],
    phantom: FloatArray | None,
    rows: Rows,
) -> list[Finding]:
    method = imaging.settings.normalise
    se = np.hypot(values.se_pu, imaging.settings.rescan_sd_pu or 0.0)
    try:
        mean, error = _reference(method, tissue, phantom)
        result = normalise(
            values.mtr_pu, se, method=method, visits=values.visits, reference=mean, reference_se=error
        )
        scaled, se, factor, findings = result.values, result.se, result.factor, []
    except InputError as refused:
        # Nothing is scaled where one visit cannot be, and every value says so.
        flag = Flag(**refused.facts(), quality="fail")
        findings = [Finding(rows.participant, visit, flag) for visit in values.visits]
        scaled, factor = np.asarray(values.mtr_pu, float), np.ones(len(values.visits))
    failed = f"not normalised ({findings[0].flag.found})" if findings else ""
    lesions = imaging.lesions
    assert lesions is not None
    for k, name in enumerate(values.ids):
        for v, visit in enumerate(values.visits):
            if v < lesions.home[k]:
                # Tissue that was no lesion yet is no baseline of one. One that vanished is still measured:
                # without it, healing would not count.
                reason = f"new at {values.visits[lesions.home[k]]}"
                rows.add(visit, f"lesion:{name}", "mtr_pu", np.nan, state="absent", reason=reason)
                continue
            quality, reason = ("fail", failed) if failed else _doubt(values, k, v)
            for condition, column, spread in (
                ("", scaled, se[k, v]),
                ("half=a", values.half_a_pu * factor, np.nan),
                ("half=b", values.half_b_pu * factor, np.nan),
            ):
                rows.add(
                    visit,
                    f"lesion:{name}",
                    "mtr_pu",
                    float(column[k, v]),
                    se=float(spread),
                    condition=condition,
                    quality=quality,
                    reason=reason or ("" if np.isfinite(column[k, v]) else "too few voxels for halves"),
                )
            edge = float(values.se_partial_volume_pu[k, v])
            if np.isfinite(edge):
                rows.add(visit, f"lesion:{name}", "mtr_border_error_pu", edge)
    return findings


# Below this part of a lesion inside the field of view, its mean is another tissue's.
_COVERED = 0.95


def _doubt(values: LesionValues, k: int, v: int) -> tuple[str, str]:
    if not np.isfinite(values.mtr_pu[k, v]):
        return "fail", "outside the field of view, or no MT-off signal"
    if values.covered[k, v] < _COVERED:
        return "fail", f"{100 * values.covered[k, v]:.0f} % inside the field of view"
    return "pass", ""


def _reference(
    method: str, tissue: Sequence[dict[str, TissueValue]], phantom: FloatArray | None
) -> tuple[list[float] | None, list[float] | None]:
    if method == "nawm" and all("nawm" in found for found in tissue):
        return [found["nawm"].mean for found in tissue], [found["nawm"].se for found in tissue]
    if method == "phantom" and phantom is not None:
        return [float(x) for x in phantom[:, 0]], [float(x) for x in phantom[:, 1]]
    return None, None


def _part_rows(imaging: Imaging, values: LesionValues, part: str, rows: Rows) -> None:
    lesions = imaging.lesions
    assert lesions is not None
    home = dict(zip(lesions.ids, lesions.home, strict=True))
    for k, name in enumerate(values.ids):
        for v, visit in enumerate(values.visits):
            if v >= home[name] and np.isfinite(values.mtr_pu[k, v]):
                rows.add(
                    visit,
                    f"lesion:{name}",
                    "mtr_pu",
                    float(values.mtr_pu[k, v]),
                    se=float(np.hypot(values.se_pu[k, v], imaging.settings.rescan_sd_pu or 0.0)),
                    condition=f"part={part}",
                    reason=PLAIN,
                )


def _calibration_rows(imaging: Imaging, lesions: Lesions, found: Calibration, rows: Rows) -> None:
    last = imaging.visits[-1].visit.id
    if np.isfinite(found.slope):
        # Of a 95 % interval; the table has room for a standard error only.
        se = (found.ci_high - found.ci_low) / (2 * 1.96)
        rows.add(last, "participant", "mtr_calibration_slope", found.slope, se=se)
    for name, slope in zip(lesions.ids, found.per_lesion, strict=True):
        if np.isfinite(slope):
            rows.add(last, f"lesion:{name}", "mtr_calibration_slope", float(slope))


def _voxel_rows(imaging: Imaging, lesions: Lesions, rows: Rows) -> list[Finding]:
    """Remyelinated and demyelinated fractions, against the changes of the participant's own white matter."""
    from . import maps

    stable = imaging.nawm[0]
    if stable is None:
        return []
    home = np.isin(lesions.home, 0)
    first, findings = imaging.halfway[0], []
    labels = np.where(np.isin(lesions.labels[0], np.flatnonzero(home) + 1), lesions.labels[0], 0)
    grid = imaging.visits[0].pair.off
    carried = maps.nearest(labels, grid, imaging.poses.off[0], grid)
    tissue = maps.nearest(stable.astype(np.int32), grid, imaging.poses.off[0], grid) > 0
    for v in range(1, len(imaging.visits)):
        visit = imaging.visits[v].visit
        change = imaging.halfway[v] - first
        inside = change[tissue & np.isfinite(change)]
        if inside.size == 0:
            continue
        limits = change_threshold(
            inside, false_positive_rate=imaging.settings.false_positive_rate, source="nawm"
        )
        findings += [Finding(visit.participant, visit.id, flag) for flag in limits.flags]
        parts = changed_fractions(change, carried, limits, n_lesions=len(lesions))
        for k in np.flatnonzero(home & (parts.n_voxels > 0)):
            site = f"lesion:{lesions.ids[k]}"
            for measure, column, se in (
                ("remyelinated_fraction", parts.remyelinated, parts.remyelinated_se),
                ("demyelinated_fraction", parts.demyelinated, parts.demyelinated_se),
            ):
                rows.add(visit.id, site, measure, float(column[k]), se=float(se[k]), reason=str(limits))
    return findings
