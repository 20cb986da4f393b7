"""MTR maps of a participant before and after, cut where the lesions are."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from remyelin.files import read_tsv
from remyelin.measure.image import Volume
from remyelin.measure.nifti import read_nifti

FloatArray = NDArray[np.floating]
SMOOTHING_MM = 4.0
MASKED = 0.3  # with more than this undefined, somebody has masked the map already
ROUGH_PU = 10.0  # local roughness of MTR that only air has: a ratio of noise; edges of tissue stay below
_VISIT = re.compile(r"_ses-([0-9A-Za-z]+)_")


@dataclass(frozen=True)
class Maps:
    """The maps of one participant in halfway space.

    Parameters
    ----------
    visits
        Visits that have a map, in order.
    mtr
        One volume a visit, pu, NaN around the head.
    labels
        Lesion labels on the same grid, 0 none.
    names
        Lesion of a label (``"007"``), from the lookup table beside the labels; a label that is not in it is
        named by its number.
    """

    visits: tuple[str, ...]
    mtr: tuple[Volume, ...]
    labels: NDArray[np.int32]
    names: Mapping[int, str]

    @classmethod
    def read(cls, root: Path, participant_id: str, visits: tuple[str, ...]) -> Maps | None:
        """The maps of `visits` in the output folder; None where not all that is needed is there."""
        folder = root / participant_id
        found = {
            match.group(1): path
            for path in sorted(folder.glob("ses-*/anat/*_space-halfway_MTRmap.nii.gz"))
            if (match := _VISIT.search(path.name))
        }
        label = folder / "anat" / f"{participant_id}_space-halfway_desc-lesion_dseg.nii.gz"
        present = tuple(visit for visit in visits if visit in found)
        if not present or not label.is_file():
            return None
        volumes = tuple(_without_air(_read(found[visit], root)) for visit in present)
        labels = _read(label, root)
        if any(volume.data.shape != labels.data.shape for volume in volumes):
            return None
        return cls(
            present, volumes, np.rint(np.nan_to_num(labels.data)).astype(np.int32), _names(label, root)
        )

    def label_of(self, lesion: str) -> int:
        """The label of a lesion (``"007"``); -1 where it has none."""
        named = next((label for label, name in self.names.items() if name == lesion), -1)
        return int(lesion) if named < 0 and not self.names and lesion.isdigit() else named

    @property
    def affine(self) -> FloatArray:
        """(4, 4) voxel index to halfway mm."""
        return self.mtr[0].affine

    @property
    def voxel_mm(self) -> FloatArray:
        """(3,) edge lengths of a voxel."""
        return self.mtr[0].voxel_mm

    @cached_property
    def change(self) -> FloatArray:
        """Last visit minus first, pu, smoothed with a Gaussian of 4 mm FWHM inside the head; NaN outside."""
        from scipy.ndimage import gaussian_filter

        raw = self.mtr[-1].data - self.mtr[0].data
        defined = np.isfinite(raw)
        sigma = SMOOTHING_MM / 2.3548 / self.voxel_mm
        weight = gaussian_filter(defined.astype(np.float32), sigma)
        smooth = gaussian_filter(np.where(defined, raw, 0).astype(np.float32), sigma)
        return np.where(defined, smooth / np.maximum(weight, 1e-3), np.nan)

    def slices(self, n: int) -> list[int]:
        """Up to `n` axial slices with the most lesion, at least 10 mm apart, from below upwards."""
        area = (self.labels > 0).sum((0, 1))
        chosen: list[int] = []
        for z in np.argsort(-area, kind="stable"):
            if area[z] and all(abs(z - other) * self.voxel_mm[2] >= 10 for other in chosen):
                chosen.append(int(z))
            if len(chosen) == n:
                break
        return sorted(chosen)

    def centre(self, label: int) -> tuple[int, int, int] | None:
        """The voxel nearest to the middle of a lesion; None where the lesion has no voxel here."""
        voxels = np.argwhere(self.labels == label)
        if not len(voxels):
            return None
        x, y, z = np.rint(voxels.mean(0)).astype(int)
        return int(x), int(y), int(z)

    def crop(self, centre: tuple[int, int, int], edge_mm: float) -> tuple[slice, slice]:
        """The axial square of about `edge_mm` around a voxel, kept inside the grid."""
        spans = []
        for axis in (0, 1):
            size = self.labels.shape[axis]
            half = max(2, round(edge_mm / 2 / self.voxel_mm[axis]))
            start = min(max(centre[axis] - half, 0), max(size - 2 * half, 0))
            spans.append(slice(start, min(start + 2 * half, size)))
        return spans[0], spans[1]

    def head(self, margin_mm: float = 4.0) -> tuple[slice, slice]:
        """The axial rectangle that holds all defined voxels."""
        defined = np.isfinite(self.mtr[0].data)
        spans = []
        for axis in (0, 1):
            hit = np.flatnonzero(defined.any(tuple(a for a in range(3) if a != axis)))
            pad = round(margin_mm / self.voxel_mm[axis])
            first, last = (hit[0], hit[-1]) if len(hit) else (0, defined.shape[axis] - 1)
            spans.append(slice(max(int(first) - pad, 0), min(int(last) + pad + 1, defined.shape[axis])))
        return spans[0], spans[1]


def _read(path: Path, root: Path) -> Volume:
    """A map of our own, already in canonical order: MTR may be negative and is NaN where undefined."""
    image = read_nifti(path, root)
    return Volume(image.data, image.affine, image.file)


def _without_air(volume: Volume) -> Volume:
    """The map with NaN around the head, for the eye only: no measurement is taken from it."""
    from scipy.ndimage import binary_fill_holes, gaussian_filter, label, uniform_filter

    undefined = np.isnan(volume.data)
    if undefined.mean() > MASKED:
        return volume
    mtr = np.clip(np.where(undefined, 0, volume.data), -100, 100)
    rough = gaussian_filter(np.abs(mtr - uniform_filter(mtr, 3)), 2.5 / volume.voxel_mm)
    pieces, n = label(rough < ROUGH_PU)
    if not n:
        return volume
    largest = 1 + int(np.bincount(pieces.ravel())[1:].argmax())
    head = binary_fill_holes(pieces == largest)
    return Volume(np.where(head, volume.data, np.float32(np.nan)), volume.affine, volume.file)


def _names(label: Path, root: Path) -> dict[int, str]:
    table = label.with_name(label.name.split(".", 1)[0] + ".tsv")
    rows = read_tsv(table, root) if table.is_file() else []
    return {int(row["index"]): row["name"].removeprefix("lesion:") for row in rows}
