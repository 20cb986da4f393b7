"""Lesions: connected components of the masks, followed from visit to visit under one name."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from remyelin.errors import InputError
from remyelin.measure.tracking import RANK, Track

FloatArray = NDArray[np.float64]
LabelArray = NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class VisitMask:
    """The lesion mask of one visit, on the grid of its MT-off image.

    Parameters
    ----------
    visit
        Name of the visit.
    mask
        (x, y, z) bool; None when nobody drew one at this visit (not the same as an empty mask).
    affine
        (4, 4) voxel index to world mm of this visit.
    pose
        (4, 4) halfway world to world of this visit (`Poses.off`).
    day
        Day of the trial, for the order of visits; without it they are ordered by name.
    """

    visit: str
    mask: NDArray[np.bool_] | None
    affine: FloatArray
    pose: FloatArray = field(default_factory=lambda: np.eye(4))
    day: float | None = None


@dataclass(frozen=True, slots=True)
class Event:
    """What became of a lesion at a visit that has a mask.

    `kind` is ``first`` (at the first mask), ``new``, ``persistent``, ``merged`` (with `others`), ``split``
    (into `parts`), ``vanished``, ``absent`` (still vanished) or ``reappeared``.
    """

    lesion: str
    visit: str
    kind: str
    others: tuple[str, ...] = ()
    parts: int = 1

    def __str__(self) -> str:
        if self.kind in ("first", "persistent"):
            return ""
        if self.kind == "merged":
            return f"merged with {', '.join(f'lesion:{other}' for other in self.others)} at {self.visit}"
        return f"{self.kind}{f' into {self.parts}' if self.kind == 'split' else ''} at {self.visit}"


@dataclass(frozen=True, slots=True)
class Attrition:
    """How many lesions, and how much volume, a step leaves; `visit` is empty for the whole participant."""

    step: str
    visit: str
    n_lesions: int
    volume_mm3: float


@dataclass(frozen=True, slots=True)
class Lesions:
    """The lesions of one participant.

    Parameters
    ----------
    ids
        Names, ``"001"`` upwards, by home visit and then by position of the first voxel (left to right, back
        to front, bottom to top). Given before the selection by size, so a name means the same lesion
        whatever is selected.
    visits
        Names of the visits, in the order in which they were given.
    home
        For each lesion, the index of the visit where it was first seen.
    labels
        For each visit an image on its MT-off grid: 0 no lesion, k + 1 the lesion of index k, after selection
        and erosion. Of shape (0, 0, 0) where the visit has no mask.
    volumes_mm3
        (lesion, visit) before erosion: 0 where the lesion is not seen, NaN where there is no mask.
    events
        In order of lesion, then of time.
    attrition
        Rows for the steps ``mask``, ``min-volume`` and ``erosion``.
    """

    ids: tuple[str, ...]
    visits: tuple[str, ...]
    home: tuple[int, ...]
    labels: tuple[LabelArray, ...]
    volumes_mm3: FloatArray
    events: tuple[Event, ...]
    attrition: tuple[Attrition, ...]

    def __len__(self) -> int:
        return len(self.ids)

    def reason(self, lesion: str, visit: str) -> str:
        """What became of a lesion at a visit, in words; empty if nothing did."""
        said = [str(e) for e in self.events if e.lesion == lesion and e.visit == visit]
        return "; ".join(words for words in said if words)


def label_lesions(
    visits: Sequence[VisitMask],
    *,
    min_volume_mm3: float = 0.0,
    erosion_voxels: int = 0,
    connectivity: int = 26,
    min_overlap: float = 0.1,
) -> Lesions:
    """Name the lesions of one participant and follow them through the visits.

    A component belongs to an earlier lesion if, in halfway space, they share at least `min_overlap` of the
    smaller of the two. A component that belongs to several lesions (they merged) is divided between them,
    each voxel to the nearest; so the labels of a visit always add up to its mask.

    Parameters
    ----------
    visits
        In any order.
    min_volume_mm3
        Smallest volume *at the home visit*; what happens to a lesion later never decides whether it counts.
    erosion_voxels
        Layers taken off (6-neighbours) before the measurement, against partial volume. Costly: on the masks
        of 30 patients at 1 mm one layer left 40 % of the lesions. What is lost stands in `attrition`.
    connectivity
        6, 18 or 26 neighbours make a component.
    min_overlap
        See above, 0 to 1.

    Returns
    -------
    Lesions

    Raises
    ------
    InputError
        No visit has a mask; a mask that is not 3-D bool; a visit named twice; an option out of range.

    Examples
    --------
    >>> before, after = np.zeros((2, 8, 8, 8), bool)
    >>> before[1:3, 1:3, 1:3] = after[1:3, 1:3, 1:3] = after[6, 6, 6] = True
    >>> lesions = label_lesions([VisitMask("M00", before, np.eye(4)), VisitMask("M06", after, np.eye(4))])
    >>> lesions.ids, lesions.home, lesions.reason("002", "M06")
    (('001', '002'), (0, 1), 'new at M06')
    >>> lesions.volumes_mm3
    array([[8., 8.],
           [0., 1.]])
    """
    _check(visits, min_volume_mm3, erosion_voxels, connectivity, min_overlap)
    track = Track(
        [np.linalg.inv(visit.pose) @ visit.affine for visit in visits],
        [np.sqrt((visit.affine[:3, :3] ** 2).sum(axis=0)) for visit in visits],
        min_overlap,
    )
    for v in _chronological(visits):
        mask = visits[v].mask
        if mask is not None:
            track.add(v, mask, connectivity)
    width = max(3, len(str(len(track.home))))
    names = [f"{k + 1:0{width}d}" for k in range(len(track.home))]
    lesion, home = np.arange(len(names)), np.array(track.home, int)

    survives = {v: _inner(visits[v].mask, track.voxels[v], erosion_voxels) for v in track.voxels}
    volumes, inner = track.volumes_mm3(), track.volumes_mm3(survives)
    large = volumes[lesion, home] >= min_volume_mm3 * (1 - 1e-6)
    kept = large & (inner[lesion, home] > 0)
    steps = {"mask": volumes, "min-volume": volumes * large[:, None], "erosion": inner * kept[:, None]}
    chosen = np.flatnonzero(kept)
    new_label = np.zeros(len(names), np.int32)
    new_label[chosen] = np.arange(1, len(chosen) + 1)
    return Lesions(
        ids=tuple(names[k] for k in chosen),
        visits=tuple(visit.visit for visit in visits),
        home=tuple(track.home[k] for k in chosen),
        labels=tuple(_image(visit, track, v, new_label, survives.get(v)) for v, visit in enumerate(visits)),
        volumes_mm3=volumes[chosen],
        events=tuple(event for k in chosen for event in _events(track, int(k), visits, names)),
        attrition=tuple(row for step, mm3 in steps.items() for row in _attrition(step, mm3, track, visits)),
    )


def _inner(mask: NDArray[np.bool_] | None, voxels: NDArray[np.intp], layers: int) -> NDArray[np.bool_]:
    """Which voxels survive erosion of the whole mask: where two lesions merged is no border of tissue."""
    from scipy import ndimage

    if layers == 0 or mask is None:
        return np.ones(len(voxels), bool)
    left = ndimage.binary_erosion(mask, ndimage.generate_binary_structure(3, 1), iterations=layers)
    inner: NDArray[np.bool_] = left[tuple(voxels.T)]
    return inner


def _image(
    visit: VisitMask, track: Track, v: int, label: LabelArray, survives: NDArray[np.bool_] | None
) -> LabelArray:
    if visit.mask is None or survives is None:
        return np.zeros((0, 0, 0), np.int32)
    image = np.zeros(visit.mask.shape, np.int32)
    image[tuple(track.voxels[v].T)] = np.where(survives, label[track.lesion[v]], 0)
    return image


def _events(track: Track, k: int, visits: Sequence[VisitMask], names: list[str]) -> list[Event]:
    events: list[Event] = []
    order = list(track.voxels)
    before, parts = True, 1
    for v in order[order.index(track.home[k]) :]:
        now = track.parts.get((k, v), 0)
        others = tuple(names[other] for other in sorted(track.partners.get((k, v), ())))
        if v == track.home[k]:
            kinds = ["first" if v == order[0] else "new"]
        elif not now:
            kinds = ["vanished" if before else "absent"]
        else:
            happened = {"merged": others, "split": now > parts, "reappeared": not before}
            kinds = [kind for kind, true in happened.items() if true] or ["persistent"]
        for kind in kinds:
            partners = others if kind == "merged" else ()
            events.append(Event(names[k], visits[v].visit, kind, partners, max(now, 1)))
        before, parts = now > 0, now or parts
    return events


def _attrition(step: str, mm3: FloatArray, track: Track, visits: Sequence[VisitMask]) -> list[Attrition]:
    at_home = mm3[np.arange(len(mm3)), np.array(track.home, int)]
    columns = [("", at_home)] + [(visits[v].visit, mm3[:, v]) for v in track.voxels]
    return [Attrition(step, name, int((column > 0).sum()), float(column.sum())) for name, column in columns]


def _chronological(visits: Sequence[VisitMask]) -> list[int]:
    def natural(name: str) -> list[tuple[int, int, str]]:
        return [(0, int(t), "") if t.isdigit() else (1, 0, t) for t in re.split(r"(\d+)", name) if t]

    days = [visit.day for visit in visits if visit.day is not None]
    if len(days) < len(visits):
        days = [0.0] * len(visits)
    return sorted(range(len(visits)), key=lambda v: (days[v], natural(visits[v].visit)))


def _check(
    visits: Sequence[VisitMask], min_volume: float, erosion: int, connectivity: int, overlap: float
) -> None:
    names = [visit.visit for visit in visits]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise InputError("", "visit", f"{twice[0]} twice", "each visit once", "give one mask a visit")
    if not any(visit.mask is not None for visit in visits):
        raise InputError(
            "", "lesion mask", "missing at every visit", "a mask at one visit or more",
            "draw the lesions, or give an empty mask if there are none",
        )  # fmt: skip
    for visit in visits:
        if visit.mask is not None and (visit.mask.ndim != 3 or visit.mask.dtype != bool):
            found = f"{visit.mask.ndim}-D {visit.mask.dtype}"
            raise InputError("", f"lesion mask of {visit.visit}", found, "3-D bool", "make the mask binary")
    for name, value, good, expected in (
        ("min_volume_mm3", min_volume, 0 <= min_volume < np.inf, "0 or more"),
        ("erosion_voxels", erosion, erosion in range(100), "a whole number from 0"),
        ("connectivity", connectivity, connectivity in RANK, "6, 18 or 26"),
        ("min_overlap", overlap, 0 < overlap <= 1, "above 0, at most 1"),
    ):
        if not good:
            raise InputError("", name, f"{value}", expected, f"change {name} in the protocol")
