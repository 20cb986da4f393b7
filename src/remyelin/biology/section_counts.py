"""What is counted in a section every day, and the pictures that are kept."""

from __future__ import annotations

import numpy as np
from numba import njit

from remyelin.biology.lattice import BARE, BY_NEW, BY_ORIGINAL, DEAD, LIVE, PROGENITOR

# Columns of the daily counts.
COUNTS = (
    "progenitors",  # in the lesion; so are the other cells
    "premyelinating",
    "new_oligodendrocytes",
    "surviving_oligodendrocytes",
    "all_progenitors",  # of the section
    "bare_axons",  # in the lesion and near it; so are the sheaths
    "new_sheaths",
    "survivor_sheaths",
    "lost_axons",
    "kept_sheaths",
    "phagocytes",  # means of the lesion
    "debris",
    "thickness",  # mean of the sheaths made since
)
THIN = 0.15  # a sheath that was just made, relative to a normal one


@njit(cache=True, nogil=True)
def count(tissue, law, day, out):  # type: ignore[no-untyped-def]
    """Fill (count,) `out` in the order of `COUNTS`."""
    out[:] = 0.0
    sites = 0
    for site in tissue.inside:
        for axon in range(tissue.owner.shape[1]):
            _count_axon(tissue, law, day, site, axon, out)
        if tissue.lesion[site]:
            sites += 1
            out[10] += tissue.phagocytes[site]
            out[11] += tissue.debris[site]
            slot = tissue.occupant[site]
            if slot >= 0:
                out[tissue.kind[slot] - PROGENITOR] += 1
    out[10] /= max(sites, 1)
    out[11] /= max(sites, 1)
    out[12] /= max(out[6] + out[7], 1.0)
    for k in range(tissue.tally[LIVE]):
        out[4] += tissue.kind[tissue.live[k]] == PROGENITOR


@njit(cache=True, nogil=True)
def _count_axon(tissue, law, day, site, axon, out):  # type: ignore[no-untyped-def]
    origin = tissue.origin[site, axon]
    if tissue.owner[site, axon] == BARE:
        out[5] += 1
    elif tissue.owner[site, axon] == DEAD:
        out[8] += 1
    elif origin == BY_ORIGINAL:
        out[9] += 1
    else:
        out[6 if origin == BY_NEW else 7] += 1
        out[12] += thickness(day - tissue.since[site, axon], law.thickening, law.thickness_end)


@njit(cache=True, nogil=True)
def thickness(age_days, thickening, end):  # type: ignore[no-untyped-def]
    """Of a sheath so many days old, relative to normal: equation (9) for a single one."""
    return end + (THIN - end) * np.exp(-thickening * age_days)


@njit(cache=True, nogil=True)
def keep(tissue, kinds, bare):  # type: ignore[no-untyped-def]
    """Fill (site,) the kind of the cell on each site, and how many of its axons have no sheath."""
    for site in range(len(tissue.occupant)):
        slot = tissue.occupant[site]
        kinds[site] = tissue.kind[slot] if slot >= 0 else 0
        bare[site] = 0
        for axon in range(tissue.owner.shape[1]):
            bare[site] += tissue.owner[site, axon] < 0
