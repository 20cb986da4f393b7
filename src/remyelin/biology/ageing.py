"""How age changes the rates: one index of age, set by the front of progenitors, and a ratio for each rate.

The front slows from 0.6 to 0.38 mm a week between 2 and 10 months of a rat's life (Chari 2003,
10.1093/jnen/62.9.908) and to about 0.2 in aged rats (Foote & Blakemore 2005). An index of 0 at 2 months and 1
at 10 makes that ``0.6 * 0.633 ** index``; other rates follow the same index, each with its own ratio.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from remyelin.biology.rates import Rates
from remyelin.errors import InputError, did_you_mean
from remyelin.number import check_number, shown

# Months of a rat's life at index 0, and for one step of it; the length of life on which species are compared.
YOUNG_MONTHS, STEP_MONTHS = 2.0, 8.0
LIFESPAN_YEARS = {"rat": 3.0, "human": 80.0}
OLDEST_INDEX = 4.0
# Which rates a ratio of ageing multiplies.
AGEING: Mapping[str, tuple[str, ...]] = {
    "front_mm_per_week": ("front_mm_per_week",),
    "differentiation_per_day": ("differentiation_per_day",),
    "proliferation_per_day": ("proliferation_per_day",),
    "phagocytes": ("recruitment_per_day", "clearance_per_day"),
}


def age_index(species: str, age_years: float) -> float:
    """0 for a rat of 2 months, 1 at 10 months; people are compared by the part of their life that has passed.

    The comparison of species by length of life is an assumption: nobody has measured the human rates.

    Raises
    ------
    InputError
        For an unknown species, or an age that is below 0 or above one and a half lives.

    Examples
    --------
    >>> round(age_index("rat", 10 / 12), 6), round(age_index("human", 40), 6)
    (1.0, 2.0)
    """
    if not isinstance(species, str) or species not in LIFESPAN_YEARS:
        fix = did_you_mean(str(species), LIFESPAN_YEARS)
        raise InputError("", "species", shown(species), " or ".join(LIFESPAN_YEARS), fix)
    life = LIFESPAN_YEARS[species]
    expected = f"0 to {1.5 * life:g} years for a {species}"
    check_number(
        "age_years", age_years, least=0, most=1.5 * life, expected=expected, fix="give the age in years"
    )
    months = age_years / life * LIFESPAN_YEARS["rat"] * 12
    return min(max((months - YOUNG_MONTHS) / STEP_MONTHS, 0.0), OLDEST_INDEX)


def aged(young: Rates, ratios: Mapping[str, float], index: float, cycle_old_days: float) -> Rates:
    """The rates at an index of age.

    The progenitors' cycle lengthens to `cycle_old_days` at index 1 and then stays (Psachoulia 2009).
    """
    return young.scaled(factors(ratios, index, cycle_old_days / young.cycle_days))


def factors(ratios: Mapping[str, Any], index: float, cycle: Any) -> dict[str, Any]:
    """What age multiplies each rate by; `ratios` and `cycle` are numbers, or arrays of equal shape."""
    found = {rate: ratios[key] ** index for key, rates in AGEING.items() for rate in rates}
    return {**found, "cycle_days": cycle ** min(index, 1.0)}
