"""What the cells of a section do, hour by hour: the lineage's rates, as chances of single cells.

Every hour as many live cells are visited as there are, in random order with repeats; what one does, the next
one sees. Once a day oligodendrocytes die or repair, sheaths are lost and bare axons die.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from remyelin.biology.chance import bits, chance, high, low, whole
from remyelin.biology.glia import (
    change_near,
    dismiss,
    divide,
    ensheath,
    lose_oligodendrocyte,
    shed,
    unlist,
    wander,
)
from remyelin.biology.lattice import (
    AXONS_LOST,
    BARE,
    BY_NEW,
    BY_ORIGINAL,
    BY_SURVIVOR,
    DEAD,
    DIFFERENTIATED,
    INTEGRATED,
    LIVE,
    LOST,
    NEW,
    ORIGINAL,
    PREMYELINATING,
    PROGENITOR,
    UNSUCCESSFUL,
    VISITS,
)
from remyelin.biology.section_counts import count, keep

# How much a progenitor counts itself among those of its tile: with this, normal tissue stays as dense as it
# is (0 would make it too sparse and 1 too dense, for division and death even out the numbers of tiles).
OWN = 0.6


@njit(cache=True, nogil=True, error_model="numpy")
def run(tissue, law, state, steps, attack_day, attack_severity, kept_days, counts, kinds, bare):  # type: ignore[no-untyped-def]
    """All days of a section: (day, count) into `counts`; kinds of cells and bare axons of the kept days."""
    dt = 1.0 / steps
    onset, struck, kept = 0.0, 0, 0
    for day in range(counts.shape[0]):
        if day:
            for step in range(steps):
                t = day - 1 + step * dt
                while attack_day[struck] <= t + 0.5 * dt:
                    _strike(tissue, law, attack_severity[struck], state)
                    onset = t
                    struck += 1
                hour(tissue, law, t, onset, dt, state)
            _daily(tissue, law, day, state)
        count(tissue, law, day, counts[day])
        if kept < len(kept_days) and kept_days[kept] == day:
            keep(tissue, kinds[kept], bare[kept])
            kept += 1


@njit(cache=True, nogil=True, error_model="numpy")
def run_front(tissue, law, state, steps, behind, enough, counts):  # type: ignore[no-untyped-def]
    """A band without progenitors: (day, 2) those among the sites `behind`, and the others; returns the days.

    Stops when the others are `enough` times those behind.
    """
    for day in range(counts.shape[0]):
        for step in range(steps if day else 0):
            hour(tissue, law, day - 1 + step / steps, 0.0, 1.0 / steps, state)
        for k in range(tissue.tally[LIVE]):
            counts[day, 0 if behind[tissue.place[tissue.live[k]]] else 1] += 1
        if counts[day, 1] > enough * counts[day, 0]:
            break
    return day + 1


@njit(cache=True, nogil=True, error_model="numpy")
def hour(tissue, law, t, onset, dt, state):  # type: ignore[no-untyped-def]
    """One step: the fields of the lesion, then as many visits as there are live cells."""
    _fields(tissue.phagocytes, tissue.debris, tissue.lesion, tissue.inside, law, dt)
    ready = law.integration * np.exp(-(t - onset) / law.receptive_days)
    # The arrays of every visit as variables: to take one out of a tuple costs as much as a hop.
    occupant, place, kind, live, tally = tissue.occupant, tissue.place, tissue.kind, tissue.live, tissue.tally
    tile, crowd, around, near = tissue.tile, tissue.crowd, tissue.around, tissue.near
    phagocytes, debris = tissue.phagocytes, tissue.debris
    axons = len(tissue.reach) * tissue.owner.shape[1]
    hops = law.hops * dt
    visits = tally[LIVE]
    for _ in range(visits):
        alive = tally[LIVE]
        if alive == 0:
            break
        z = bits(state)
        k, u = high(z, alive), low(z)
        slot = live[k]
        site = place[slot]
        if kind[slot] == PREMYELINATING:
            bare = near[site] / axons
            finding = dt * ready * bare / (bare + law.demand_half)
            if u < finding:
                _integrate(tissue, slot, k, whole(state, law.sheaths), t)
            elif u < finding + dt * law.premyelinating_death:
                tally[UNSUCCESSFUL] += 1
                dismiss(tissue, slot, k)
            continue
        others = (crowd[tile[site]] - OWN) * law.per_cell
        if near[site]:
            soiled = debris[site] / law.debris_half
            net, leaving = _in_lesion(law, phagocytes[site], soiled, near[site] / axons, others)
        else:
            # Where all axons are covered, division only makes good what is missing.
            net, leaving = (law.rest + law.proliferation) * (1.0 - others), 0.0
        if u >= dt * (abs(net) + leaving):
            wander(occupant, place, tile, crowd, around, slot, site, hops, state)
        elif u >= dt * abs(net):
            crowd[tile[site]] -= 1
            kind[slot] = PREMYELINATING
            tally[DIFFERENTIATED] += 1
        elif net > 0:
            divide(tissue, site, state)
        else:
            tally[LOST] += 1
            dismiss(tissue, slot, k)
    tally[VISITS] += visits


@njit(cache=True, nogil=True, error_model="numpy")
def _in_lesion(law, M, soiled, bare, others):  # type: ignore[no-untyped-def]
    """What a progenitor among bare axons does in a day: divide less die, and differentiate."""
    wake = M / (M + 0.1)
    net = (law.rest + law.proliferation * wake) * (1.0 - others / (1.0 + (law.peak - 1.0) * wake))
    leaving = law.differentiation / (1.0 + soiled * soiled) / (1.0 + others / law.niche)
    return net, leaving * (1.0 - law.demand_driven * law.demand_half / (bare + law.demand_half))


@njit(cache=True, nogil=True, error_model="numpy")
def _fields(phagocytes, debris, lesion, inside, law, dt):  # type: ignore[no-untyped-def]
    """Phagocytes and debris of each site of the lesion by equations (1) and (2), midpoint rule."""
    for site in inside:
        if lesion[site]:
            M, D = phagocytes[site], debris[site]
            engaged = D / (law.clearance_half + D)
            m = M + 0.5 * dt * _recruited(M, engaged, law)
            d = D - 0.5 * dt * law.clearance * M * engaged
            engaged = d / (law.clearance_half + d)
            phagocytes[site] = min(max(M + dt * _recruited(m, engaged, law), 0.0), 1.0)
            debris[site] = max(D - dt * law.clearance * m * engaged, 0.0)


@njit(cache=True, nogil=True, error_model="numpy")
def _recruited(M, engaged, law):  # type: ignore[no-untyped-def]
    return law.recruitment * (engaged + law.smouldering) * (1.0 - M) - law.resolution * (1.0 - engaged) * M


@njit(cache=True, nogil=True, error_model="numpy")
def _integrate(tissue, slot, k, sheaths, t):  # type: ignore[no-untyped-def]
    """A premyelinating cell becomes an oligodendrocyte."""
    tissue.kind[slot] = NEW
    unlist(tissue, k)
    tissue.tally[INTEGRATED] += 1
    ensheath(tissue, slot, tissue.place[slot], sheaths, BY_NEW, t)


@njit(cache=True, nogil=True, error_model="numpy")
def _daily(tissue, law, day, state):  # type: ignore[no-untyped-def]
    dying, losing = 1.0 - np.exp(-law.death), 1.0 - np.exp(-law.sheath_loss)
    for site in tissue.inside:
        inflamed = tissue.phagocytes[site]
        axon_dying = 1.0 - np.exp(-law.axon_loss - law.axon_loss_inflamed * inflamed)
        for axon in range(tissue.owner.shape[1]):
            if tissue.owner[site, axon] == BARE:
                if chance(state) < axon_dying:
                    tissue.owner[site, axon] = DEAD
                    change_near(tissue, site, -1)
                    tissue.tally[AXONS_LOST] += 1
            elif tissue.origin[site, axon] > BY_ORIGINAL and chance(state) < losing:
                shed(tissue, site, axon)
        slot = tissue.occupant[site]
        if slot < 0 or not tissue.lesion[site] or tissue.kind[slot] < NEW:
            continue
        if chance(state) < dying:
            lose_oligodendrocyte(tissue, slot, law.width)
        elif tissue.kind[slot] == ORIGINAL and tissue.near[site]:
            bare = tissue.near[site] / (len(tissue.reach) * tissue.owner.shape[1])
            sheaths = whole(state, law.survivor_repair * bare / (bare + law.demand_half))
            ensheath(tissue, slot, site, sheaths, BY_SURVIVOR, float(day))


@njit(cache=True, nogil=True, error_model="numpy")
def _strike(tissue, law, severity, state):  # type: ignore[no-untyped-def]
    """An attack on the lesion: this part of all its cells dies, sheaths become debris."""
    for site in tissue.inside:
        slot = tissue.occupant[site]
        if slot >= 0 and tissue.lesion[site] and chance(state) < severity:
            if tissue.kind[slot] >= NEW:
                lose_oligodendrocyte(tissue, slot, law.width)
            else:
                k = 0
                while tissue.live[k] != slot:
                    k += 1
                if tissue.kind[slot] == PROGENITOR:
                    tissue.tally[LOST] += 1
                else:
                    tissue.tally[UNSUCCESSFUL] += 1
                dismiss(tissue, slot, k)
