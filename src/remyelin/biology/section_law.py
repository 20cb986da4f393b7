"""The rates of a scenario as the cells of a section follow them, hopping included."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from remyelin.biology.lattice import RIM, TILE, grain
from remyelin.biology.rates import Rates
from remyelin.biology.scenarios import Scenario
from remyelin.errors import InputError
from remyelin.evidence.load import read_data

FloatArray = npt.NDArray[np.float64]
# Of the chances of one step; above, single cells no longer follow the rates.
LARGEST_CHANCE = 0.5
MOST_HOPS = 5000
FEWEST = 1.5  # progenitors of normal tissue to a tile


class Law(NamedTuple):
    """Rates of a day, as `Rates` has them, and what follows from the lattice."""

    recruitment: float
    resolution: float
    clearance: float
    clearance_half: float
    debris_half: float
    differentiation: float  # already divided by inhibition and smouldering
    niche: float
    rest: float  # division of progenitors that nothing wakes
    proliferation: float
    peak: float
    integration: float
    premyelinating_death: float
    demand_half: float
    death: float  # of oligodendrocytes
    survivor_repair: float  # sheaths of one survivor
    axon_loss: float
    axon_loss_inflamed: float
    sheath_loss: float
    receptive_days: float
    thickening: float
    thickness_end: float
    smouldering: float
    demand_driven: float
    sheaths: float  # of a new oligodendrocyte
    hops: float
    per_cell: float  # relative density that one progenitor is in its tile
    width: int  # sites of a row with its rim


def progenitors_per_site(rates: Rates) -> float:
    """In normal tissue: what a normal number of oligodendrocytes is made from, by the yield."""
    return grain().per_site / rates.progenitor_yield


def waking_per_day(rates: Rates) -> float:
    """Division of a progenitor that has no others around it."""
    return math.log(2) / rates.cycle_days + rates.proliferation_per_day


def hops_per_day(rates: Rates) -> float:
    """Tries to hop to a neighbouring site with which the front of progenitors is as fast as the rates say.

    Read from the fronts that were measured on the lattice (`evidence/section.toml`): hops per division go
    with sites that the front moves per division. Between the measured numbers and beyond them it is straight
    in logarithms, beyond with the slope 2 of an undisturbed front, ``2 * sqrt(division * diffusion)``.

    Raises
    ------
    InputError
        For a front so fast beside its division that no cell could hop so often.

    Examples
    --------
    >>> from remyelin import biology
    >>> 10 < hops_per_day(biology.scenario("rat-young").rates) < 100
    True
    """
    table = read_data("section.toml")["front"]
    division = max(waking_per_day(rates), 1e-9)
    wanted = math.log(rates.front_mm_per_week / 7e-3 / grain().site_um / division)
    hops = np.log(table["hops_per_division"])
    each = [_along(wanted, np.log(sites), hops) for sites in table["sites_per_division"]]
    density = np.log(table["progenitors_per_site"])
    found = division * math.exp(np.interp(math.log(progenitors_per_site(rates)), density, each))
    if found > MOST_HOPS:
        expected = f"a front that needs at most {MOST_HOPS:,} hops a day; this one needs {found:,.0f}"
        fix = "raise proliferation_per_day, or slow the front"
        raise InputError("", "rate front_mm_per_week", f"{rates.front_mm_per_week:g}", expected, fix)
    return found


def _along(x: float, at: FloatArray, y: FloatArray) -> float:
    beyond = min(x - at[0], 0.0) + max(x - at[-1], 0.0)
    return float(np.interp(x, at, y) + 2 * beyond)


def law(scenario: Scenario, columns: int, hours_per_step: float, hops: float | None = None) -> Law:
    """What the kernel reads, for a section of so many columns of sites.

    Raises
    ------
    InputError
        If a step is too long for the rates, or there are too few progenitors to be counted in tiles.
    """
    rates = scenario.rates
    most = grain().per_site * TILE**2 / FEWEST
    if not rates.progenitor_yield <= most:
        expected = f"at most {most:.3g} in a section, where fewer than {FEWEST} progenitors to a tile die out"
        raise InputError("", "rate progenitor_yield", f"{rates.progenitor_yield:g}", expected, "lower it")
    slowed = (1 + scenario.inhibition) * (1 + rates.smouldering_effect * scenario.smouldering)
    found = Law(
        recruitment=rates.recruitment_per_day,
        resolution=rates.resolution_per_day,
        clearance=rates.clearance_per_day,
        clearance_half=rates.clearance_half,
        debris_half=rates.debris_half,
        differentiation=rates.differentiation_per_day / slowed,
        niche=rates.niche,
        rest=math.log(2) / rates.cycle_days,
        proliferation=rates.proliferation_per_day,
        peak=rates.progenitor_peak,
        integration=rates.integration_per_day,
        premyelinating_death=rates.premyelinating_death_per_day,
        demand_half=rates.demand_half,
        death=rates.oligodendrocyte_death_per_day + rates.smouldering_death_per_day * scenario.smouldering,
        survivor_repair=rates.survivor_repair_per_day * grain().sheaths,
        axon_loss=rates.axon_loss_per_day,
        axon_loss_inflamed=rates.axon_loss_inflamed_per_day,
        sheath_loss=rates.sheath_loss_per_day,
        receptive_days=rates.receptive_days,
        thickening=rates.thickening_per_day,
        thickness_end=rates.thickness_end,
        smouldering=scenario.smouldering,
        demand_driven=float(scenario.demand_driven),
        sheaths=rates.coverage * grain().sheaths,
        hops=hops_per_day(rates) if hops is None else hops,
        per_cell=1 / (progenitors_per_site(rates) * TILE**2),
        width=columns + 2 * RIM,
    )
    busiest = max(
        waking_per_day(rates) + found.differentiation,
        found.integration + found.premyelinating_death,
        found.recruitment + found.resolution,
        found.clearance / found.clearance_half,
    )
    if not busiest * hours_per_step / 24 <= LARGEST_CHANCE:
        longest = 24 * LARGEST_CHANCE / busiest
        expected = f"at most {longest:.2g} for rates that add up to {busiest:.3g} a day"
        raise InputError("", "hours_per_step", f"{hours_per_step:g}", expected, "take shorter steps")
    return found
