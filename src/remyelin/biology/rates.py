"""The rates of the lineage: what they are, where they were read, and how the calibration leaves them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace

from remyelin.errors import InputError, did_you_mean
from remyelin.number import check_number


@dataclass(frozen=True, slots=True)
class Rates:
    """The rates of one age and species; times in days, densities relative to normal tissue.

    Parameters
    ----------
    recruitment_per_day, resolution_per_day
        Phagocytes become active where there is debris or smouldering, and calm down where there is none.
    clearance_per_day, clearance_half
        Fastest clearance of debris, and the debris (1: all myelin of the tissue) at which it is half that.
    debris_half
        Debris that halves differentiation.
    smouldering_effect
        How much smouldering inflammation of 1 divides differentiation by, less one.
    differentiation_per_day, niche
        Progenitors that begin to differentiate; the progenitor density at which places for it run short.
    proliferation_per_day, cycle_days, progenitor_peak
        Division of activated progenitors; their cycle in normal tissue; the density at which division stops.
    front_mm_per_week
        Speed at which progenitors recolonise tissue without any.
    integration_per_day, premyelinating_death_per_day, demand_half
        Premyelinating cells that find bare axon, or die; the bare fraction at which half as many find it.
    progenitor_yield, coverage
        Premyelinating cells, in units of the normal progenitors, that make the normal number of
        oligodendrocytes; how much of its normal length of axon a new oligodendrocyte covers.
    oligodendrocyte_death_per_day, smouldering_death_per_day
        Of oligodendrocytes, always, and with smouldering inflammation of 1.
    survivor_repair_per_day
        Sheaths that surviving oligodendrocytes would make if all had survived.
    thickening_per_day, thickness_end
        How fast new sheaths thicken, to which part of the normal thickness.
    axon_loss_per_day, axon_loss_inflamed_per_day
        Of bare axons, always, and with all phagocytes active.
    sheath_loss_per_day
        Of new sheaths, without an attack.
    receptive_days
        Time in which bare axons lose two thirds of their readiness for a sheath; infinite for never.
    """

    recruitment_per_day: float
    resolution_per_day: float
    clearance_per_day: float
    clearance_half: float
    debris_half: float
    smouldering_effect: float
    differentiation_per_day: float
    niche: float
    proliferation_per_day: float
    cycle_days: float
    progenitor_peak: float
    front_mm_per_week: float
    integration_per_day: float
    premyelinating_death_per_day: float
    demand_half: float
    progenitor_yield: float
    coverage: float
    oligodendrocyte_death_per_day: float
    smouldering_death_per_day: float
    survivor_repair_per_day: float
    thickening_per_day: float
    thickness_end: float
    axon_loss_per_day: float
    axon_loss_inflamed_per_day: float
    sheath_loss_per_day: float
    receptive_days: float

    def __post_init__(self) -> None:
        for name in names():
            value = getattr(self, name)
            if name == "receptive_days" and value == math.inf:
                continue
            above = 0.0 if name in POSITIVE else 1.0 if name == "progenitor_peak" else -math.inf
            check_number(f"rate {name}", value, least=0, above=above, fix="correct the rate")

    def scaled(self, factors: Mapping[str, float]) -> Rates:
        """The same rates, some of them multiplied."""
        unknown = [name for name in factors if name not in names()]
        if unknown:
            fix = did_you_mean(unknown[0], names())
            raise InputError("", f"rate {unknown[0]}", "unknown", "the name of a rate", fix)
        return replace(self, **{name: getattr(self, name) * factor for name, factor in factors.items()})

    def values(self) -> tuple[float, ...]:
        """In the order of the kernel."""
        return tuple(getattr(self, name) for name in names())


POSITIVE = (
    "clearance_half",
    "debris_half",
    "niche",
    "cycle_days",
    "front_mm_per_week",
    "demand_half",
    "progenitor_yield",
    "receptive_days",
)


def names() -> tuple[str, ...]:
    """Of the rates."""
    return tuple(each.name for each in fields(Rates))
