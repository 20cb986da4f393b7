"""Shells of a lesion: its core, its rim, and the tissue around it."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import ArrayLike, NDArray

from remyelin.errors import InputError

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]
LabelArray = NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Shells:
    """Three label images on the grid of the lesions: 0, or k + 1 for the lesion of index k.

    `core` and `rim` together are the lesion; a small lesion has no core. `perilesional` is outside.
    """

    core: LabelArray
    rim: LabelArray
    perilesional: LabelArray


def lesion_shells(
    labels: NDArray[np.integer],
    voxel_mm: ArrayLike,
    *,
    rim_mm: float,
    perilesional_mm: float,
    lesion_mask: BoolArray | None = None,
    tissue: BoolArray | None = None,
) -> Shells:
    """Divide each lesion by the distance of its voxels from its border.

    Distances run from the centre of a voxel to the nearest face between lesion and tissue, exactly, in mm on
    voxels of any shape. The border between two lesions, and the edge of the image, are no border of a lesion.

    Parameters
    ----------
    labels
        (x, y, z), k + 1 in the lesion of index k.
    voxel_mm
        Three edge lengths.
    rim_mm
        Voxels nearer than this to the border are rim, the others core.
    perilesional_mm
        How far the shell around a lesion reaches. A voxel in reach of two lesions goes to the nearer one.
    lesion_mask
        All lesions, also those not selected for `labels`; they are neither perilesional nor a border.
    tissue
        Where tissue is (a brain mask without the ventricles); the perilesional shell stays inside it.

    Returns
    -------
    Shells

    Raises
    ------
    InputError
        A distance that is not positive, or a mask on another grid.

    Examples
    --------
    >>> labels = np.zeros((9, 9, 9), int)
    >>> labels[2:7, 2:7, 2:7] = 1
    >>> shells = lesion_shells(labels, (1, 1, 1), rim_mm=1, perilesional_mm=1)
    >>> [int((part == 1).sum()) for part in (shells.core, shells.rim, shells.perilesional)]
    [27, 98, 218]
    """
    edge = np.asarray(voxel_mm, np.float64)
    any_lesion = labels > 0 if lesion_mask is None else lesion_mask | (labels > 0)
    _check(labels.shape, {"rim_mm": rim_mm, "perilesional_mm": perilesional_mm}, lesion_mask, tissue)
    free = ~any_lesion if tissue is None else tissue & ~any_lesion
    core = np.zeros(labels.shape, np.int32)
    around = np.zeros(labels.shape, np.int32)
    nearest = np.full(labels.shape, np.inf)
    for label, box in _boxes(labels, edge, max(rim_mm, perilesional_mm)):
        mine = labels[box] == label
        deep = _distance_mm(~any_lesion[box], edge) >= rim_mm
        core[box][mine & deep] = label
        out = _distance_mm(mine, edge)
        # The margin of 1e-9 gives a voxel in the middle to the first lesion on every machine.
        better = free[box] & (out <= perilesional_mm) & (out < nearest[box] - 1e-9)
        nearest[box][better] = out[better]
        around[box][better] = label
    rim = np.where(core == 0, labels, 0).astype(np.int32)
    return Shells(core=core, rim=rim, perilesional=around)


def _distance_mm(target: BoolArray, edge: FloatArray) -> FloatArray:
    """From every voxel centre to the nearest point of the boxes `target`; infinite if there are none.

    On a lattice of half voxels each box is 27 nodes, and the point of a box nearest to a voxel centre is
    one of them; so the distance transform of the lattice is exact.
    """
    from scipy import ndimage

    if not target.any():
        return np.full(target.shape, np.inf)
    lattice = np.ones([2 * n + 1 for n in target.shape], bool)
    for corner in product(range(3), repeat=3):
        part = tuple(slice(c, c + 2 * n, 2) for c, n in zip(corner, target.shape, strict=True))
        lattice[part] &= ~target
    distance: FloatArray = ndimage.distance_transform_edt(lattice, sampling=edge / 2)[1::2, 1::2, 1::2]
    return distance


def _boxes(
    labels: NDArray[np.integer], edge: FloatArray, reach_mm: float
) -> list[tuple[int, tuple[slice, ...]]]:
    """Each label with the part of the image within reach of it."""
    from scipy import ndimage

    margin = np.ceil(reach_mm / edge).astype(int) + 1
    found = []
    for label, box in enumerate(ndimage.find_objects(labels), start=1):
        if box is not None:
            wide = (slice(max(s.start - m, 0), s.stop + m) for s, m in zip(box, margin.tolist(), strict=True))
            found.append((label, tuple(wide)))
    return found


def _check(
    shape: tuple[int, ...],
    distances: dict[str, float],
    lesion_mask: BoolArray | None,
    tissue: BoolArray | None,
) -> None:
    for name, value in distances.items():
        if not 0 < value < np.inf:
            raise InputError(
                "", name, f"{value:g}", "a distance above 0 mm", f"change {name} in the protocol"
            )
    for name, mask in (("lesion_mask", lesion_mask), ("tissue", tissue)):
        if mask is not None and mask.shape != shape:
            fix = "bring it to the grid of the lesion labels"
            raise InputError("", name, f"shape {mask.shape}", f"{shape}", fix)
