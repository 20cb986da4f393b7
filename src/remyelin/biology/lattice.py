"""The lattice of a tissue section: cells on sites, named axons in each site, normal tissue to begin with.

A site holds one cell or none and a few axons that cross the section. Arrays are flat over sites, with a rim
of closed sites around the tissue, so that no neighbour ever lies outside.
"""

from __future__ import annotations

from functools import cache
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from remyelin.biology.chance import chance, pick
from remyelin.evidence.load import read_data

Array = npt.NDArray[Any]

# Kinds of cells, and whose sheath an axon has.
NOBODY, PROGENITOR, PREMYELINATING, NEW, ORIGINAL = range(5)
BY_ORIGINAL, BY_NEW, BY_SURVIVOR = 1, 2, 3
FREE, CLOSED = -1, -2  # instead of a cell on a site
BARE, DEAD = -1, -2  # instead of the cell that ensheaths an axon
RIM = 3  # sites; no cell of the normal tissue ensheaths an axon further away
BLOCK = 3  # sites: normal oligodendrocytes are spread by as many to each block of 3 x 3
TILE = 10  # sites: progenitors feel the density of others in their tile of 10 x 10
FEW_PHAGOCYTES = 0.02  # active on the day the lesion is made, as in `Scenario.start`
# Positions in the tally.
(
    LIVE,
    SPARE,
    NAMED,
    BORN,
    LOST,
    DIFFERENTIATED,
    UNSUCCESSFUL,
    INTEGRATED,
    OLIGODENDROCYTES_LOST,
    SHEATHS_LOST,
    AXONS_LOST,
    VISITS,
) = range(12)


class Tissue(NamedTuple):
    """Everything that changes, and the maps of sites; cells sit in slots, which are used again."""

    occupant: Array  # (site,) slot of the cell, FREE or CLOSED
    place: Array  # (slot,) its site
    kind: Array  # (slot,)
    name: Array  # (slot,) never used again
    owner: Array  # (site, axon) slot of the cell whose sheath it has, BARE or DEAD
    origin: Array  # (site, axon) BY_...; 0 bare
    since: Array  # (site, axon) day of its sheath
    near: Array  # (site,) bare axons within reach of a site of the lesion; 0 elsewhere
    tile: Array  # (site,)
    crowd: Array  # (tile,) progenitors
    lesion: Array  # (site,) whether in the lesion
    inside: Array  # sites in the lesion or near it
    phagocytes: Array  # (site,)
    debris: Array  # (site,)
    live: Array  # (slot,) progenitors and premyelinating cells, the first tally[LIVE]
    spare: Array  # (slot,) unused slots, the first tally[SPARE]
    tally: Array  # (12,)
    around: Array  # (8,) offsets of the neighbours
    reach: Array  # offsets of the sites whose axons a cell reaches, nearest first


class Grain(NamedTuple):
    """How coarse a section is."""

    site_um: float
    section_um: float
    axons_per_site: int
    reach_um: float

    @property
    def oligodendrocytes_per_block(self) -> int:
        """In normal tissue."""
        return round(self.density_per_mm3 * (BLOCK * self.site_um) ** 2 * self.section_um / 1e9)

    @property
    def density_per_mm3(self) -> float:
        """Of oligodendrocytes in normal white matter."""
        from remyelin.evidence.load import parameter

        return parameter("oligodendrocyte_density").value

    @property
    def per_site(self) -> float:
        """Oligodendrocytes of normal tissue to a site."""
        return self.oligodendrocytes_per_block / BLOCK**2

    @property
    def sheaths(self) -> float:
        """Axons of the section to an oligodendrocyte of normal tissue."""
        return self.axons_per_site / self.per_site


@cache
def grain() -> Grain:
    """As the evidence base has it."""
    data = read_data("section.toml")["grain"]
    return Grain(**{name: data[name]["value"] for name in Grain._fields})


def normal_tissue(rows: int, columns: int, progenitors_per_site: float, state: Array) -> Tissue:
    """A section of so many sites, without lesion: every axon has a sheath, progenitors are spread at random.

    `state` is that of `chance`.
    """
    size = grain()
    width = columns + 2 * RIM
    sites = (rows + 2 * RIM) * width
    y, x = np.divmod(np.arange(sites), width)
    open_ = (y >= RIM) & (y < RIM + rows) & (x >= RIM) & (x < RIM + columns)
    tile = ((y - RIM) // TILE) * (columns // TILE) + (x - RIM) // TILE
    axons = (sites, size.axons_per_site)
    # What one visit reads of a site lies side by side, for memory is slower than the rules.
    ground, fields = np.zeros((sites, 2), np.int16), np.zeros((sites, 2))
    ground[open_, 0] = tile[open_]
    slots = rows * columns
    tissue = Tissue(
        occupant=np.where(open_, FREE, CLOSED).astype(np.int32),
        place=np.zeros(slots, np.int32),
        kind=np.zeros(slots, np.uint8),
        name=np.zeros(slots, np.int64),
        owner=np.full(axons, DEAD, np.int32),
        origin=np.zeros(axons, np.uint8),
        since=np.zeros(axons, np.float32),
        near=ground[:, 1],
        tile=ground[:, 0],
        crowd=np.zeros((rows // TILE) * (columns // TILE), np.int32),
        lesion=np.zeros(sites, np.uint8),
        inside=np.zeros(0, np.int32),
        phagocytes=fields[:, 0],
        debris=fields[:, 1],
        live=np.zeros(slots, np.int32),
        spare=np.arange(slots, dtype=np.int32)[::-1].copy(),
        tally=np.zeros(12, np.int64),
        around=_disc(width, 2)[1:],
        reach=_disc(width, (size.reach_um / size.site_um) ** 2 + 1),
    )
    tissue.tally[SPARE] = slots
    of_free = progenitors_per_site / (1 - size.per_site)
    _settle(tissue, rows, columns, size.oligodendrocytes_per_block, of_free, state)
    return tissue


def _disc(width: int, square: float) -> Array:
    """Offsets of the sites within a squared distance, nearest first."""
    y, x = (each.ravel() for each in np.mgrid[-RIM : RIM + 1, -RIM : RIM + 1])
    far = y * y + x * x
    order = np.argsort(far, kind="stable")
    return np.asarray((y * width + x)[order[far[order] <= square]], np.int32)


@njit(cache=True, nogil=True)
def _settle(tissue, rows, columns, per_block, progenitors, state):  # type: ignore[no-untyped-def]
    width = columns + 2 * RIM
    for top in range(0, rows, BLOCK):
        for left in range(0, columns, BLOCK):
            high, wide = min(BLOCK, rows - top), min(BLOCK, columns - left)
            count = max(1, round(per_block * high * wide / BLOCK**2))
            while count:
                row, column = top + pick(state, high), left + pick(state, wide)
                if settle(tissue, (row + RIM) * width + column + RIM, ORIGINAL) >= 0:
                    count -= 1
    sheaths = np.zeros(len(tissue.kind), np.int32)
    for row in range(RIM, RIM + rows):
        for column in range(RIM, RIM + columns):
            site = row * width + column
            for axon in range(tissue.owner.shape[1]):
                slot = _nearest(tissue, site, width, sheaths)
                sheaths[slot] += 1
                tissue.owner[site, axon] = slot
                tissue.origin[site, axon] = BY_ORIGINAL
            if tissue.occupant[site] == FREE and chance(state) < progenitors:
                settle(tissue, site, PROGENITOR)


@njit(cache=True, nogil=True)
def _nearest(tissue, site, width, sheaths):  # type: ignore[no-untyped-def]
    """The oligodendrocyte for an axon: near by, and with few sheaths so far."""
    best, least = -1, 1e9
    for far in range(2, RIM + 1):
        for dy in range(-far, far + 1):
            for dx in range(-far, far + 1):
                slot = tissue.occupant[site + dy * width + dx]
                if slot >= 0 and tissue.kind[slot] == ORIGINAL:
                    cost = sheaths[slot] + 3.0 * (dy * dy + dx * dx)
                    if cost < least:
                        best, least = slot, cost
        if best >= 0:
            break
    return best


@njit(cache=True, nogil=True)
def settle(tissue, site, kind):  # type: ignore[no-untyped-def]
    """Put a new cell on a site and return its slot, or -1 where the site is taken."""
    if tissue.occupant[site] != FREE:
        return -1
    tally = tissue.tally
    tally[SPARE] -= 1
    slot = tissue.spare[tally[SPARE]]
    tissue.occupant[site] = slot
    tissue.place[slot] = site
    tissue.kind[slot] = kind
    tissue.name[slot] = tally[NAMED]
    tally[NAMED] += 1
    if kind == PROGENITOR:
        tissue.crowd[tissue.tile[site]] += 1
        tissue.live[tally[LIVE]] = slot
        tally[LIVE] += 1
    return slot


@njit(cache=True, nogil=True)
def leave(tissue, slot):  # type: ignore[no-untyped-def]
    """Take a cell away; the caller takes it off the list of the live, and its sheaths off their axons."""
    site = tissue.place[slot]
    if tissue.kind[slot] == PROGENITOR:
        tissue.crowd[tissue.tile[site]] -= 1
    tissue.occupant[site] = FREE
    tissue.kind[slot] = NOBODY
    tissue.spare[tissue.tally[SPARE]] = slot
    tissue.tally[SPARE] += 1
