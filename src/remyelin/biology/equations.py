"""The equations of the lineage, written once: for one lesion, for eight abreast, and for export.

The functions here are compiled for numbers and for `remyelin.lanes`, and `remyelin.biology.formulas` reads
the very same text. Hence their plain form: assignments and one result.
"""

from __future__ import annotations

import math
from collections import namedtuple
from typing import Any

from numba import njit

from remyelin.biology.rates import names
from remyelin.lanes import exp

STATES = (
    "phagocytes",
    "debris",
    "progenitors",
    "premyelinating",
    "new_oligodendrocytes",
    "surviving_oligodendrocytes",
    "new_sheaths",
    "survivor_sheaths",
    "thickness",
    "axons",
)
# What is not a rate but a fact of the lesion; the rates and these are what the equations read.
CONDITIONS = ("lesion_radius_mm", "inhibition", "smouldering", "demand_driven")
PARAMETERS = (*names(), *CONDITIONS)
N_STATES, N_PARAMETERS = len(STATES), len(PARAMETERS)


def _record(name: str, fields: tuple[str, ...]) -> Any:
    return namedtuple(name, fields)


State = _record("State", STATES)
Parameters = _record("Parameters", PARAMETERS)


@njit(cache=True, nogil=True, error_model="numpy")
def supply(p):  # type: ignore[no-untyped-def]
    """How fast progenitors come from the border, 1/day."""
    return 2.0 * p.front_mm_per_week / 7.0 / p.lesion_radius_mm


@njit(cache=True, nogil=True, error_model="numpy")
def colonised(t, p):  # type: ignore[no-untyped-def]
    """Part of the lesion that the front has passed `t` days after the last attack."""
    ahead = max(1.0 - p.front_mm_per_week / 7.0 * t / p.lesion_radius_mm, 0.0)
    return 1.0 - ahead * ahead * ahead


@njit(cache=True, nogil=True, error_model="numpy")
def receptive(t, p):  # type: ignore[no-untyped-def]
    """How ready bare axons still are for a sheath, `t` days after the last attack."""
    return exp(-t / p.receptive_days)


@njit(cache=True, nogil=True, error_model="numpy")
def activation(y):  # type: ignore[no-untyped-def]
    """How far phagocytes make progenitors divide, 0 to 1."""
    return y.phagocytes / (y.phagocytes + 0.1)


@njit(cache=True, nogil=True, error_model="numpy")
def demand(y, p):  # type: ignore[no-untyped-def]
    """Part of the premyelinating cells that find bare axon, 0 to 1."""
    wanting = 1.0 - y.new_sheaths - y.survivor_sheaths
    return wanting / (wanting + p.demand_half)


@njit(cache=True, nogil=True, error_model="numpy")
def differentiation(y, p):  # type: ignore[no-untyped-def]
    """Progenitors that begin to differentiate in a day."""
    soiled = y.debris / p.debris_half
    held_back = (
        (1.0 + soiled * soiled)
        * (1.0 + p.inhibition)
        * (1.0 + p.smouldering_effect * p.smouldering)
        * (1.0 + y.progenitors / p.niche)
    )
    asked = 1.0 - p.demand_driven * (1.0 - demand(y, p))
    return p.differentiation_per_day * y.progenitors * asked / held_back


@njit(cache=True, nogil=True, error_model="numpy")
def turnover(y, p, supply, colonised, receptive):  # type: ignore[no-untyped-def]
    """What each state changes by in a day, equations (1) to (10) of the theory page."""
    engaged = y.debris / (p.clearance_half + y.debris)
    active = activation(y)
    seeking = demand(y, p)
    differentiating = differentiation(y, p)
    covered = y.new_sheaths + y.survivor_sheaths
    bare = 1.0 - covered
    # What survivors keep covered all along is not part of the lesion: nothing is shed or cut there.
    lost = 1.0 - y.surviving_oligodendrocytes
    room = max(colonised - y.new_sheaths, 0.0)
    integrating = p.integration_per_day * y.premyelinating * seeking * receptive * room / (room + 0.02)
    made = integrating / p.progenitor_yield
    dying = p.oligodendrocyte_death_per_day + p.smouldering_death_per_day * p.smouldering
    # An oligodendrocyte takes its sheaths with it, and they become debris.
    shed = p.sheath_loss_per_day + dying
    cut = p.axon_loss_per_day + p.axon_loss_inflamed_per_day * y.phagocytes
    growth = math.log(2.0) / p.cycle_days + p.proliferation_per_day * active
    peak = 1.0 + (p.progenitor_peak - 1.0) * active
    return State(
        phagocytes=p.recruitment_per_day * (engaged + p.smouldering) * (1.0 - y.phagocytes)
        - p.resolution_per_day * (1.0 - engaged) * y.phagocytes,
        debris=shed * covered * lost - p.clearance_per_day * y.phagocytes * engaged,
        progenitors=supply * (1.0 - y.progenitors)
        + growth * y.progenitors * (1.0 - y.progenitors / peak)
        - differentiating,
        premyelinating=differentiating - integrating - p.premyelinating_death_per_day * y.premyelinating,
        new_oligodendrocytes=made - dying * y.new_oligodendrocytes,
        surviving_oligodendrocytes=0.0 - dying * y.surviving_oligodendrocytes,
        new_sheaths=p.coverage * made - shed * y.new_sheaths,
        survivor_sheaths=p.survivor_repair_per_day * y.surviving_oligodendrocytes * seeking
        - shed * y.survivor_sheaths,
        thickness=p.thickening_per_day * (p.thickness_end - y.thickness) * covered / (covered + 0.01),
        axons=0.0 - cut * bare * lost * y.axons,
    )


@njit(cache=True, nogil=True, error_model="numpy")
def struck(y, severity):  # type: ignore[no-untyped-def]
    """The state after an attack: sheaths become debris, and cells of the lineage die with them.

    Survivors die with the sheaths that they had kept, so that more axon is bare than was; what covers a part
    of it covers a smaller one.
    """
    return State(
        phagocytes=y.phagocytes,
        debris=y.debris
        + severity
        * (
            y.surviving_oligodendrocytes
            + (1.0 - y.surviving_oligodendrocytes) * (y.new_sheaths + y.survivor_sheaths)
        ),
        progenitors=(1.0 - severity) * y.progenitors,
        premyelinating=(1.0 - severity) * y.premyelinating,
        new_oligodendrocytes=(1.0 - severity) * y.new_oligodendrocytes,
        surviving_oligodendrocytes=(1.0 - severity) * y.surviving_oligodendrocytes,
        new_sheaths=(1.0 - severity)
        * (1.0 - y.surviving_oligodendrocytes)
        / (1.0 - (1.0 - severity) * y.surviving_oligodendrocytes)
        * y.new_sheaths,
        survivor_sheaths=(1.0 - severity)
        * (1.0 - y.surviving_oligodendrocytes)
        / (1.0 - (1.0 - severity) * y.surviving_oligodendrocytes)
        * y.survivor_sheaths,
        thickness=y.thickness,
        axons=y.axons,
    )
