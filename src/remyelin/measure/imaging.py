"""MTR of one participant: registered, followed through the visits, written as rows and maps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from remyelin.errors import Flag

from . import maps
from .findings import Finding
from .flip import check_flips
from .image import Volume
from .lesions import Lesions, VisitMask, label_lesions
from .poses import Poses, register_participant
from .registration import Registration
from .rows import Rows
from .tissue import TissueValue, check_tissue, nawm_mask, tissue_values

if TYPE_CHECKING:
    from remyelin.protocol import Measuring

    from .image import FloatArray, Mask
    from .visit import LoadedVisit


@dataclass(frozen=True)
class Imaging:
    """The registered visits of a participant and what is derived from them once.

    Parameters
    ----------
    visits
        In the order of time; the first is the baseline.
    poses
        Where their images lie.
    lesions
        None where nobody drew a mask.
    settings
        How to measure.
    """

    visits: tuple[LoadedVisit, ...]
    poses: Poses
    lesions: Lesions | None
    settings: Measuring

    @cached_property
    def native(self) -> list[FloatArray]:
        """MTR maps on the MT-off grids."""
        return [maps.native_map(visit, self.poses, k) for k, visit in enumerate(self.visits)]

    @cached_property
    def halfway(self) -> list[FloatArray]:
        """MTR maps in halfway space; of one visit, its own map."""
        if len(self.visits) == 1:
            return self.native
        return maps.halfway_maps(self.visits, self.poses)

    def all_lesions(self, index: int) -> Mask:
        """Every lesion of every visit on the MT-off grid of one, also those not selected."""
        grid = self.visits[index].pair.off
        found = np.zeros(grid.data.shape, bool)
        for k, visit in enumerate(self.visits):
            if visit.lesions is not None:
                mask = Volume(visit.lesions.astype(np.float32), visit.pair.off.affine)
                to_visit = self.poses.off[k] @ np.linalg.inv(self.poses.off[index])
                found |= maps.resample(mask, grid, to_visit) >= 0.5
        return found

    def tissue_masks(self, index: int) -> dict[str, Mask]:
        """Brain and, with a segmentation, white matter, grey matter, CSF and NAWM on the MT-off grid."""
        visit = self.visits[index]
        masks: dict[str, Mask] = {"brain": visit.pair.brain}
        if visit.tissue is not None:
            lesion = self.all_lesions(index)
            masks |= {
                "wm": visit.tissue.white & ~lesion,
                "gm": visit.tissue.grey & ~lesion,
                "csf": visit.tissue.csf,
            }
        nawm = self.nawm[index]
        return masks if nawm is None else masks | {"nawm": nawm}

    @cached_property
    def nawm(self) -> list[Mask | None]:
        """Normal-appearing white matter of each visit; None without a segmentation."""
        s = self.settings
        return [
            None
            if visit.tissue is None
            else nawm_mask(
                visit.tissue,
                self.all_lesions(k),
                visit.pair.off.voxel_mm,
                clear_mm=s.nawm_clear_mm,
                erode_mm=s.nawm_erode_mm,
            )
            for k, visit in enumerate(self.visits)
        ]


def register(visits: Sequence[LoadedVisit], settings: Measuring) -> tuple[Imaging, list[Finding]]:
    """Register the visits and find the lesions; what is doubtful about the poses comes back as findings."""
    poses = register_participant([visit.pair for visit in visits])
    masks = [
        VisitMask(
            visit.visit.id,
            visit.lesions,
            np.asarray(visit.pair.off.affine, float),
            np.asarray(poses.off[k], float),
            visit.visit.day,
        )
        for k, visit in enumerate(visits)
    ]
    lesions = None
    if any(mask.mask is not None for mask in masks):
        lesions = label_lesions(
            masks, min_volume_mm3=settings.min_volume_mm3, erosion_voxels=settings.erosion_voxels
        )
    findings = [finding for found in poses.registrations if (finding := _doubt(found, visits))]
    for k, flag in check_flips([visit.pair for visit in visits], poses):
        findings.append(Finding(visits[k].visit.participant, visits[k].visit.id, flag))
    return Imaging(tuple(visits), poses, lesions, settings), findings


def _doubt(found: Registration, visits: Sequence[LoadedVisit]) -> Finding | None:
    """The flag of a registration that did not pass, at the (later) visit that it concerns."""
    if found.quality == "pass":
        return None
    names = {visit.visit.id: visit for visit in visits}
    within = found.pair.endswith(":on-off")
    later = names[found.pair.removesuffix(":on-off") if within else found.pair.rsplit("-", 1)[1]]
    image = later.pair.on if within else later.pair.off
    words = "registration of MT-on to MT-off" if within else f"registration of {found.pair}"
    flag = Flag(
        image.file,
        words,
        found.reason,
        "images that can be aligned",
        "look at the participant's page",
        found.quality,
    )
    return Finding(later.visit.participant, later.visit.id, flag)


def tissue_rows(imaging: Imaging, rows: Rows) -> list[dict[str, TissueValue]]:
    """Mean MTR of brain, white matter, grey matter and NAWM at each visit; flags where the order is wrong."""
    found = []
    for k, visit in enumerate(imaging.visits):
        values = tissue_values(np.asarray(imaging.native[k], float), imaging.tissue_masks(k))
        found.append(values)
        for name, value in values.items():
            if name != "csf":
                reason = "" if value.n_voxels else f"no voxels of {name}"
                rows.add(visit.visit.id, f"tissue:{name}", "mtr_pu", value.mean, se=value.se, reason=reason)
    return found


def tissue_doubts(imaging: Imaging, values: Sequence[dict[str, TissueValue]]) -> list[Finding]:
    """Segmentations that the MTR contradicts."""
    return [
        Finding(visit.visit.participant, visit.visit.id, flag)
        for visit, value in zip(imaging.visits, values, strict=True)
        if visit.visit.tissue is not None
        for flag in check_tissue(value, file=f"{visit.visit.stem} segmentation")
    ]


def registration_rows(imaging: Imaging, rows: Rows) -> None:
    """The error of every registration, at the (later) visit that it concerns."""
    for found in imaging.poses.registrations:
        within = found.pair.endswith(":on-off")
        visit = found.pair.removesuffix(":on-off") if within else found.pair.rsplit("-", 1)[1]
        rows.add(
            visit,
            "participant",
            "registration_error_mm",
            found.error_mm,
            condition=f"pair={'on-off' if within else found.pair}",
            quality=found.quality,
            reason=found.reason,
        )
