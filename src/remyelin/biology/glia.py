"""What happens to a single cell of a section: it moves, divides, ensheaths axons, dies."""

from __future__ import annotations

import numpy as np
from numba import njit

from remyelin.biology.chance import bits, chance, low, pick
from remyelin.biology.lattice import (
    BARE,
    BORN,
    FEW_PHAGOCYTES,
    FREE,
    LIVE,
    OLIGODENDROCYTES_LOST,
    ORIGINAL,
    PROGENITOR,
    RIM,
    SHEATHS_LOST,
    leave,
    settle,
)

# The upper three bits of 64 choose one of 8 neighbours; then the next three come up.
UPPER, THREE = np.uint64(61), np.uint64(3)


@njit(cache=True, nogil=True, error_model="numpy")
def wander(occupant, place, tile, crowd, around, slot, site, hops, state):  # type: ignore[no-untyped-def]
    """`hops` tries on average, each to one of 8 neighbours; a try to a site that is taken is lost."""
    tries = int(hops)
    z = bits(state)
    tries += low(z) < hops - tries
    here = site
    for turn in range(tries):
        if turn % 10 == 9:
            z = bits(state)
        there = here + around[z >> UPPER]
        z <<= THREE
        if occupant[there] == FREE:
            occupant[here] = FREE
            occupant[there] = slot
            here = there
    if here != site:
        place[slot] = here
        crowd[tile[site]] -= 1
        crowd[tile[here]] += 1


@njit(cache=True, nogil=True, error_model="numpy")
def divide(tissue, site, state):  # type: ignore[no-untyped-def]
    """The daughter takes a free neighbouring site; where there is none, there is no division."""
    first = pick(state, 8)
    for turn in range(8):
        there = site + tissue.around[(first + turn) % 8]
        if tissue.occupant[there] == FREE:
            settle(tissue, there, PROGENITOR)
            tissue.tally[BORN] += 1
            break


@njit(cache=True, nogil=True, error_model="numpy")
def dismiss(tissue, slot, k):  # type: ignore[no-untyped-def]
    """A progenitor or premyelinating cell dies; `k` is its place in the list of the live."""
    leave(tissue, slot)
    unlist(tissue, k)


@njit(cache=True, nogil=True, error_model="numpy")
def unlist(tissue, k):  # type: ignore[no-untyped-def]
    """Take a cell off the list of the live."""
    tissue.tally[LIVE] -= 1
    tissue.live[k] = tissue.live[tissue.tally[LIVE]]


@njit(cache=True, nogil=True, error_model="numpy")
def ensheath(tissue, slot, site, sheaths, origin, t):  # type: ignore[no-untyped-def]
    """The nearest bare axons get sheaths of this cell, as many as it makes and reaches."""
    for offset in tissue.reach:
        there = site + offset
        for axon in range(tissue.owner.shape[1]):
            if sheaths == 0:
                return
            if tissue.owner[there, axon] == BARE:
                tissue.owner[there, axon] = slot
                tissue.origin[there, axon] = origin
                tissue.since[there, axon] = t
                change_near(tissue, there, -1)
                sheaths -= 1


@njit(cache=True, nogil=True, error_model="numpy")
def shed(tissue, site, axon):  # type: ignore[no-untyped-def]
    """An axon loses its sheath, which becomes debris where it was."""
    tissue.owner[site, axon] = BARE
    tissue.origin[site, axon] = 0
    change_near(tissue, site, 1)
    tissue.tally[SHEATHS_LOST] += 1
    if tissue.lesion[site]:
        tissue.debris[site] += 1.0 / tissue.owner.shape[1]


@njit(cache=True, nogil=True, error_model="numpy")
def change_near(tissue, site, by):  # type: ignore[no-untyped-def]
    """An axon of the site has become bare (1), or is so no longer (-1)."""
    for offset in tissue.reach:
        tissue.near[site + offset] += by * tissue.lesion[site + offset]


@njit(cache=True, nogil=True, error_model="numpy")
def lose_oligodendrocyte(tissue, slot, width):  # type: ignore[no-untyped-def]
    """It dies, and its sheaths with it."""
    site = tissue.place[slot]
    per_site = tissue.owner.shape[1]
    for dy in range(-RIM, RIM + 1):
        for dx in range(-RIM, RIM + 1):
            there = site + dy * width + dx
            for axon in range(per_site):
                if tissue.owner[there, axon] == slot:
                    shed(tissue, there, axon)
    tissue.tally[OLIGODENDROCYTES_LOST] += 1
    leave(tissue, slot)


@njit(cache=True, nogil=True, error_model="numpy")
def thin_out(tissue, where, kept, state):  # type: ignore[no-untyped-def]
    """Of the progenitors on sites of `where`, leave this part."""
    left = 0
    for k in range(tissue.tally[LIVE]):
        slot = tissue.live[k]
        if where[tissue.place[slot]] and chance(state) >= kept:
            leave(tissue, slot)
        else:
            tissue.live[left] = slot
            left += 1
    tissue.tally[LIVE] = left


@njit(cache=True, nogil=True, error_model="numpy")
def demyelinate(tissue, lost, debris, width, state):  # type: ignore[no-untyped-def]
    """A lesion on the sites that are marked: this part of the oligodendrocytes dies, with their sheaths."""
    for site in tissue.inside:
        slot = tissue.occupant[site]
        if tissue.lesion[site] and slot >= 0 and tissue.kind[slot] == ORIGINAL and chance(state) < lost:
            lose_oligodendrocyte(tissue, slot, width)
    for site in tissue.inside:
        if tissue.lesion[site]:
            tissue.phagocytes[site] = FEW_PHAGOCYTES
            tissue.debris[site] = debris
    tissue.tally[BORN:] = 0
