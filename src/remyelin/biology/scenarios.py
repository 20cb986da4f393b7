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
from remyelin.number import check_number, shown


@dataclass(frozen=True, slots=True, repr=False)
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
        From border to centre, in millimetres, 0.05 to 50: progenitors come from the border.
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

    Examples
    --------
    >>> scenario("human", debris=5, niche=1.2, attacks=(Attack(90),))
    Scenario(human: human of 40 years, radius 1.6 mm, debris 5, 1 attack, niche 1.2)
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
            check_number(f"scenario {name}", getattr(self, name), least=low, most=high)
        low, high = RADIUS_MM
        expected = f"{low:g} to {high:g}, in millimetres"
        check_number(
            "scenario lesion_radius_mm", self.lesion_radius_mm, least=low, most=high, expected=expected
        )
        age_index(self.species, self.age_years)
        if not isinstance(self.rates, Rates):
            raise _wrong("rates", self.rates, "biology.Rates")
        if not isinstance(self.demand_driven, bool):
            raise _wrong("demand_driven", self.demand_driven, "True or False")
        _check_attacks(self.attacks)

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
        """The same scenario with fields or rates changed.

        Another age changes the rates that go with age, by as much as it does in the posterior; rates given by
        name are taken as they are.

        Raises
        ------
        InputError
            For a name that is neither, or a value that cannot be.

        Examples
        --------
        >>> older = scenario("human").changed(age_years=60, inhibition=2)
        >>> older.rates == scenario("human", age_years=60).rates, older.inhibition
        (True, 2)
        """
        own = [each.name for each in fields(self) if each.name != "species"]
        unknown = [key for key in changes if key not in own and key not in names()]
        if unknown:
            expected = "a field or a rate"
            fix = _nearest(unknown[0], [*own, *names()])
            if unknown[0] == "species":
                expected, fix = "a scenario of that species", f"start from one of {', '.join(SCENARIOS)}"
            raise InputError("", f"scenario {unknown[0]}", shown(changes[unknown[0]]), expected, fix)
        given = {key: value for key, value in changes.items() if key in names()}
        new = {key: value for key, value in changes.items() if key in own}
        if "rates" not in new:
            new["rates"] = self._rates_at(new.get("age_years", self.age_years))
        changed = replace(self, **new)
        return replace(changed, rates=replace(changed.rates, **given)) if given else changed

    def _rates_at(self, age_years: float) -> Rates:
        """These rates at another age; what was changed by hand is aged by the same factor."""
        known = posterior()
        then, now = (known.rates(age_index(self.species, age)) for age in (self.age_years, age_years))
        if self.rates == then:
            return now
        pairs = zip(names(), then.values(), now.values(), strict=True)
        return self.rates.scaled({name: new / old for name, old, new in pairs if old != new})

    def __repr__(self) -> str:
        words = [f"{self.species} of {self.age_years:.3g} years, radius {self.lesion_radius_mm:g} mm"]
        changed = [each.name for each in fields(self) if getattr(self, each.name) != each.default]
        words += [f"{name} {getattr(self, name):g}" for name in _BOUNDS if name in changed]
        if self.demand_driven:
            words.append("demand-driven")
        if self.attacks:
            words.append(f"{len(self.attacks)} attack" + "s" * (len(self.attacks) > 1))
        usual = posterior().rates(age_index(self.species, self.age_years))
        pairs = zip(names(), self.rates.values(), usual.values(), strict=True)
        own = [f"{name} {value:.3g}" for name, value, at_age in pairs if value != at_age]
        words += own if len(own) <= MOST_SHOWN else [f"{len(own)} rates of its own"]
        return f"Scenario({self.name}: {', '.join(words)})"


# The least is a tenth of the smallest lesion of an experiment: less is a length in metres.
RADIUS_MM = (0.05, 50.0)
# Rates that a scenario names when it is printed; of more it gives the number.
MOST_SHOWN = 4
_BOUNDS: Mapping[str, tuple[float, float]] = {
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
    if not isinstance(name, str) or name not in SCENARIOS:
        fix = did_you_mean(str(name), SCENARIOS)
        raise InputError("", "scenario", shown(name), ", ".join(SCENARIOS), fix)
    species, age, radius = SCENARIOS[name]
    rates = posterior().rates(age_index(species, age))
    return Scenario(name, species, age, rates, radius).changed(**changes)


def _wrong(name: str, found: object, expected: str) -> InputError:
    return InputError("", f"scenario {name}", shown(found), expected, "correct it")


def _check_attacks(attacks: object) -> None:
    expected = "a tuple of biology.Attack"
    if isinstance(attacks, Attack):
        fix = f"write attacks=(biology.Attack({attacks.day:g}, {attacks.severity:g}),)"
        raise InputError("", "scenario attacks", "one attack alone", expected, fix)
    if not isinstance(attacks, tuple):
        raise InputError(
            "", "scenario attacks", shown(attacks), expected, "write attacks=(biology.Attack(day),)"
        )
    for each in attacks:
        if not isinstance(each, Attack):
            what = f"{each}" if isinstance(each, int | float | tuple) else shown(each)
            given = what.strip("()") if isinstance(each, int | float | tuple) else "day"
            fix = f"write biology.Attack({given}) in place of {what}"
            raise InputError("", "scenario attacks", f"a tuple with {what}", expected, fix)


def _nearest(word: str, options: list[str]) -> str:
    """The words of a fix: the name most like `word`, else one that begins with it or has it as a part."""
    fix = did_you_mean(word, options)
    if fix.startswith("did you mean"):
        return fix
    begun = [name for name in options if name.startswith(word)]
    begun += [name for name in options if word in name.split("_")]
    return f"did you mean '{begun[0]}'?" if begun else fix
