"""One visit of a participant, read and checked."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from remyelin.errors import Flag, InputError
from remyelin.files import read_tsv, relative

from .checks import check_pair
from .dataset import Visit
from .image import Mask, MTPair, Volume, read_labels, read_mask, read_volume
from .mask import head_mask
from .name import parse
from .privacy import sidecar_flags
from .segmentation import Tissue, tissue_classes
from .sidecar import Sidecar, check_mt_state, inherited, read_sidecar

# Lesions lie in the head; a tenth of a mask on empty voxels means that it is another image's or mirrored.
_OUTSIDE_FRACTION = 0.1


@dataclass(frozen=True, slots=True)
class LoadedVisit:
    """What is measured at one visit.

    Parameters
    ----------
    visit
        Where it comes from.
    pair
        MT-off, MT-on and the brain mask (of the user, or else the head mask of MT-off), not registered.
    lesions
        (x, y, z) bool on the MT-off grid; None if nobody drew a mask at this visit.
    tissue
        White matter, grey matter and CSF on the MT-off grid; None without a segmentation.
    off_sidecar, on_sidecar
        Metadata, inherited keys included.
    flags
        What is doubtful.
    """

    visit: Visit
    pair: MTPair
    lesions: Mask | None
    tissue: Tissue | None
    off_sidecar: Sidecar
    on_sidecar: Sidecar
    flags: tuple[Flag, ...]


def load_visit(visit: Visit, root: Path) -> LoadedVisit:
    """Read the images, masks and sidecars of a visit and check them against one another.

    Parameters
    ----------
    visit
        With an MT pair, from `Dataset.index`.
    root
        The dataset.

    Raises
    ------
    InputError
        At the first file that cannot be used: see `read_volume`, `read_mask`, `read_sidecar`,
        `check_mt_state`, `check_pair`.
    """
    if visit.mt_off is None or visit.mt_on is None:
        fix = "add both images, or leave the visit out"
        raise InputError(visit.folder, "MT pair", "missing", "an mt-on and an mt-off image", fix)
    sidecars = (_sidecar(visit.mt_off, root), _sidecar(visit.mt_on, root))
    off, off_flags = read_volume(visit.mt_off, root)
    on, on_flags = read_volume(visit.mt_on, root)
    flags = [*off_flags, *on_flags, *check_pair(off, on, sidecars)]
    for sidecar in sidecars:
        flags += sidecar_flags(sidecar.values, sidecar.sources)
    brain = _brain(visit, root, off, flags)
    lesions = _lesions(visit, root, off, flags)
    tissue = _tissue(visit, root, off, flags)
    pair = MTPair(visit.id, off, on, brain)
    # One inherited key or one header may be met on both sides of the pair.
    return LoadedVisit(visit, pair, lesions, tissue, *sidecars, tuple(dict.fromkeys(flags)))


def _sidecar(image: Path, root: Path) -> Sidecar:
    sidecar = read_sidecar(image, root)
    name = parse(image.name)
    if name is not None:
        check_mt_state(sidecar, name)
    return sidecar


def _brain(visit: Visit, root: Path, off: Volume, flags: list[Flag]) -> Mask:
    if visit.brain_mask is None:
        return head_mask(off)
    brain, found = read_mask(visit.brain_mask, root, off)
    if not brain.any():
        file = relative(visit.brain_mask, root)
        raise InputError(file, "brain mask", "empty (0 voxels)", "the brain", "make the mask again")
    flags += found
    return brain


def _lesions(visit: Visit, root: Path, off: Volume, flags: list[Flag]) -> Mask | None:
    if visit.lesion_mask is None:
        return None
    mask, found = read_mask(visit.lesion_mask, root, off)
    flags += found
    dark = float((~(off.data[mask] > 0)).mean()) if mask.any() else 0.0
    if dark > _OUTSIDE_FRACTION:
        file, fix = relative(visit.lesion_mask, root), "check that the mask belongs to this visit"
        words = f"{100 * dark:.0f} % outside the head (no signal in {off.file})"
        flags.append(Flag(file, "mask", words, "lesions inside the head", fix, "fail"))
    return mask


def _tissue(visit: Visit, root: Path, off: Volume, flags: list[Flag]) -> Tissue | None:
    if visit.tissue is None:
        return None
    labels, found = read_labels(visit.tissue, root, off)
    table = inherited(visit.tissue, root, ".tsv")
    rows = read_tsv(table[-1], root) if table else None
    tissue = tissue_classes(labels, rows, file=relative(visit.tissue, root))
    flags += [*found, *tissue.flags]
    return tissue
