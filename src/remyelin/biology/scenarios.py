"""A lesion to be repaired: whose, how old, how large, and what stands in the way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from remyelin.biology.ageing import age_index
from remyelin.biology.draws import posterior
from remyelin.biology.lineage import STATES, Attack
from remyelin.biology.rates import Rates, names
from remyelin.errors import InputError, did_you_mean


@dataclass(frozen=True, slots=True)
class Scenario:
    """A lesion and the tissue around it, on the day it was made.

    Parameters
    ----------
    name, species
        Which, and of which animal.
    age_years
        Of the animal when the lesion is made.
    rates
        At that age.
    lesion_radius_mm
        From border to centre: progenitors come from the border.
    oligodendrocytes_lost
        Part of the oligodendrocytes that died; the others survive, and their sheaths with them.
    axons_lost
        Part of the axons that the lesion cut through; nothing covers these again.
    debris
        Myelin debris, 1: all the myelin of the tissue.
    resident_progenitors
        Progenitors left in the lesion, 1: the normal density.
    inhibition
        Tone of what holds progenitors back (LINGO-1, chondroitin sulphates, hyaluronan, Wnt, Notch):
        differentiation is divided by one more than this.
    smouldering
        Inflammation that does not end, 0 to 1.
    demand_driven
        Whether progenitors differentiate only as long as axons are bare (else always, Mironova 2026).
    attacks
        New attacks on the same lesion.

    Raises
    ------
    InputError
        For a value that cannot be, with the field and its allowed range.
    """

    name: str
    species: str
    age_years: float
    rates: Rates
    lesion_radius_mm: float
    oligodendrocytes_lost: float = 1.0
    axons_lost: float = 0.0
    debris: float = 1.0
    resident_progenitors: float = 0.05
    inhibition: float = 0.0
    smouldering: float = 0.0
    demand_driven: bool = False
    attacks: tuple[Attack, ...] = ()

    def __post_init__(self) -> None:
        for name, (low, high) in _BOUNDS.items():
            value = getattr(self, name)
            right = isinstance(value, int | float) and not isinstance(value, bool) and low <= value <= high
            if not right or (name == "lesion_radius_mm" and value == 0):
                raise InputError("", f"scenario {name}", f"{value!r}", f"{low:g} to {high:g}", "correct it")

    def parameters(self) -> tuple[float, ...]:
        """What the equations read, in the order of `lineage.PARAMETERS`."""
        return (
            *self.rates.values(),
            self.lesion_radius_mm,
            self.inhibition,
            self.smouldering,
            float(self.demand_driven),
        )

    def start(self) -> tuple[float, ...]:
        """The state on day 0, in the order of `lineage.STATES`."""
        state = dict.fromkeys(STATES, 0.0)
        state |= {
            "phagocytes": 0.02,
            "debris": self.debris,
            "progenitors": self.resident_progenitors,
            "surviving_oligodendrocytes": 1 - self.oligodendrocytes_lost,
            "thickness": 0.15,
            "axons": 1 - self.axons_lost,
        }
        return tuple(state.values())

    def changed(self, **changes: Any) -> Scenario:
        """The same scenario with fields or rates changed."""
        own = {each.name for each in fields(self)}
        rates = {key: float(value) for key, value in changes.items() if key in names()}
        unknown = [key for key in changes if key not in own and key not in rates]
        if unknown:
            fix = did_you_mean(unknown[0], [*own, *names()])
            raise InputError("", f"scenario {unknown[0]}", "unknown", "a field or a rate", fix)
        new = {key: value for key, value in changes.items() if key in own}
        return replace(self, **{"rates": replace(self.rates, **rates), **new})


_BOUNDS: Mapping[str, tuple[float, float]] = {
    "age_years": (0, 120),
    "lesion_radius_mm": (0, 50),
    "oligodendrocytes_lost": (0, 1),
    "axons_lost": (0, 1),
    "debris": (0, 20),
    "resident_progenitors": (0, 5),
    "inhibition": (0, 1e3),
    "smouldering": (0, 1),
}


# Species, age in years and radius in mm, of experiments and of a person's lesion; 1.6 mm is the radius of a
# ball of 17 mm3, the median lesion.
SCENARIOS: Mapping[str, tuple[str, float, float]] = {
    "rat-young": ("rat", 2 / 12, 0.5),
    "rat-old": ("rat", 10 / 12, 0.5),
    "rat-aged": ("rat", 1.75, 0.5),
    "human": ("human", 40.0, 1.6),
}


def scenario(name: str, **changes: Any) -> Scenario:
    """A named scenario, with what you change.

    Parameters
    ----------
    name
        ``"rat-young"`` (2 months), ``"rat-old"`` (10 months), ``"rat-aged"`` (21 months), each with a toxin
        lesion of 0.5 mm; ``"human"`` (40 years), with the median lesion of multiple sclerosis.
    **changes
        Fields of `Scenario`, or rates; ``age_years`` changes the rates that go with age.

    Raises
    ------
    InputError
        For an unknown name or change, or a value that cannot be.

    Examples
    --------
    >>> from remyelin import biology
    >>> old = biology.scenario("rat-old", debris=3)
    >>> old.debris, round(old.rates.front_mm_per_week, 2)
    (3, 0.38)
    """
    if name not in SCENARIOS:
        fix = did_you_mean(name, SCENARIOS)
        raise InputError("", "scenario", repr(name), ", ".join(SCENARIOS), fix)
    species, age, radius = SCENARIOS[name]
    age = changes.pop("age_years", age)
    rates = posterior().rates(age_index(species, age))
    return Scenario(name, species, age, rates, radius).changed(**changes)
