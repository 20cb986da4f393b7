"""MTR maps for the eye: on the grid of MT-off, and in the space halfway between the visits."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from remyelin.files import atomic_write

from .image import FloatArray, Volume, write_volume
from .lesions import Lesions
from .mtr import mtr_map
from .poses import Poses
from .visit import LoadedVisit

_COMMON = {
    "Description": "Magnetisation transfer ratio, 100 (MT-off - MT-on) / MT-off, in percent units",
    "Units": "percent",
    "SkullStripped": False,
}
HALFWAY = "The rigid halfway space of the participant's visits, on the grid of the first visit's MT-off image"


def resample(volume: Volume, grid: Volume, matrix: FloatArray) -> FloatArray:
    """Values of a volume on another grid, trilinear; NaN outside it.

    Parameters
    ----------
    volume
        The image.
    grid
        Whose voxels are asked for.
    matrix
        (4, 4) world mm of the grid to world mm of the volume.

    Returns
    -------
    (x, y, z) float32.
    """
    from scipy import ndimage

    to_index = np.linalg.inv(volume.affine) @ matrix @ grid.affine
    return np.asarray(
        ndimage.affine_transform(
            np.asarray(volume.data, np.float32),
            to_index[:3, :3],
            to_index[:3, 3],
            output_shape=grid.data.shape,
            order=1,
            cval=np.nan,
        )
    )


def native_map(visit: LoadedVisit, poses: Poses, index: int) -> FloatArray:
    """MTR on the MT-off grid of a visit: MT-off as it is, MT-on interpolated once; NaN where undefined."""
    to_on = poses.on[index] @ np.linalg.inv(poses.off[index])
    return mtr_map(visit.pair.off.data, resample(visit.pair.on, visit.pair.off, to_on))


def halfway_maps(visits: Sequence[LoadedVisit], poses: Poses) -> list[FloatArray]:
    """MTR of each visit in halfway space, every image interpolated once; NaN where undefined."""
    grid = visits[0].pair.off
    return [
        mtr_map(resample(visit.pair.off, grid, off), resample(visit.pair.on, grid, on))
        for visit, off, on in zip(visits, poses.off, poses.on, strict=True)
    ]


def nearest(labels: NDArray[np.integer], source: Volume, pose: FloatArray, grid: Volume) -> NDArray[np.int32]:
    """Labels of a visit's MT-off grid carried to halfway space, nearest neighbour.

    Parameters
    ----------
    labels
        (x, y, z) on the grid of `source`.
    source
        That visit's MT-off image.
    pose
        (4, 4) halfway world mm to the visit's world mm.
    grid
        The grid of halfway space: the first visit's MT-off image.
    """
    from scipy import ndimage

    index = np.linalg.inv(source.affine) @ pose @ grid.affine
    carried = ndimage.affine_transform(
        labels, index[:3, :3], index[:3, 3], output_shape=grid.data.shape, order=0
    )
    return np.asarray(carried, np.int32)


def halfway_labels(lesions: Lesions, visits: Sequence[LoadedVisit], poses: Poses) -> NDArray[np.int32]:
    """Lesion k as k + 1 in halfway space, each from its home visit."""
    grid = visits[0].pair.off
    labels = np.zeros(grid.data.shape, np.int32)
    for home in sorted(set(lesions.home)):
        here = nearest(lesions.labels[home], visits[home].pair.off, poses.off[home], grid)
        mine = np.isin(here, [k + 1 for k, at in enumerate(lesions.home) if at == home])
        labels = np.where((labels == 0) & mine, here, labels)
    return labels.astype(np.int32)


def write_map(out: Path, visit: LoadedVisit, values: FloatArray, affine: FloatArray, space: str = "") -> None:
    """Write a map of MTR with its sidecar."""
    sidecar = dict(_COMMON) | ({"SpatialReference": HALFWAY} if space else {})
    sources = [image.file for image in (visit.pair.off, visit.pair.on)]
    write_derived(out, visit, "MTRmap", Volume(values, affine), sidecar, sources, space)


def write_derived(
    out: Path,
    visit: LoadedVisit,
    suffix: str,
    image: Volume,
    sidecar: Mapping[str, object],
    sources: Sequence[str],
    space: str = "",
) -> None:
    """Write a map of a visit as a BIDS derivative with its sidecar; `sources` are files of the dataset."""
    stem = f"{visit.visit.stem}_space-{space}" if space else visit.visit.stem
    path = out / visit.visit.folder / "anat" / f"{stem}_{suffix}.nii.gz"
    write_volume(image, path)
    _write_json(path, {**sidecar, "Sources": [f"bids:raw:{file}" for file in sources]})


def write_labels(
    out: Path, participant: str, labels: NDArray[np.int32], affine: FloatArray, ids: Sequence[str]
) -> None:
    """Write the lesion labels in halfway space, with the table that names them."""
    stem = f"{participant}_space-halfway_desc-lesion_dseg"
    path = out / participant / "anat" / f"{stem}.nii.gz"
    write_volume(Volume(labels.astype(np.float32), affine), path, dtype=np.int32)
    rows = ["index\tname", *(f"{k + 1}\tlesion:{name}" for k, name in enumerate(ids))]
    atomic_write(path.with_name(f"{stem}.tsv"), ("\n".join(rows) + "\n").encode())
    _write_json(path, {"Description": "Lesions, each as at its first visit", "SpatialReference": HALFWAY})


def _write_json(image: Path, content: dict[str, object]) -> None:
    path = image.with_name(image.name.removesuffix(".nii.gz") + ".json")
    atomic_write(path, (json.dumps(content, indent=1) + "\n").encode())
