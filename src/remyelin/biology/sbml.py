"""The lineage of one lesion as SBML, for COPASI, libRoadRunner and every other program that reads it."""

from __future__ import annotations

import math
from html import escape
from typing import Any

import numpy as np

from remyelin.biology.course import check_asked
from remyelin.biology.formulas import lineage_formulas
from remyelin.biology.lineage import PARAMETERS, STATES, Attack
from remyelin.biology.scenarios import Scenario
from remyelin.biology.treatment import Treatment
from remyelin.errors import InputError
from remyelin.evidence.load import read_data, source

LEVEL, VERSION = 3, 2
# Units of the evidence base and of SBML: kind, exponent, scale and multiplier of each factor.
UNITS = {
    "d": ("day", (("second", 1, 0, 86400.0),)),
    "1/d": ("per_day", (("second", -1, 0, 86400.0),)),
    "mm": ("mm", (("metre", 1, -3, 1.0),)),
    "mm/week": ("mm_per_week", (("metre", 1, -3, 1.0), ("second", -1, 0, 604800.0))),
}
CONDITIONS = {
    "lesion_radius_mm": ("mm", "From border to centre: progenitors come from the border."),
    "inhibition": ("1", "Differentiation is divided by one more than this."),
    "smouldering": ("1", "Inflammation that does not end, 0 to 1."),
    "demand_driven": ("1", "1: progenitors differentiate only as long as axons are bare; 0: always."),
}
# What happens in a day; every other quantity of the equations has no unit.
PER_DAY = {
    "supply",
    "differentiation",
    "differentiating",
    "integrating",
    "made",
    "dying",
    "shed",
    "cut",
    "growth",
}
STATE_WORDS = {
    "phagocytes": "Active phagocytes, 0 to 1.",
    "debris": "Myelin debris; 1: all the myelin of the tissue.",
    "progenitors": "Progenitors; 1: their normal density.",
    "premyelinating": "Premyelinating cells; 1: the normal density of progenitors.",
    "new_oligodendrocytes": "New oligodendrocytes; 1: the normal density.",
    "surviving_oligodendrocytes": "Oligodendrocytes that survived; 1: the normal density.",
    "new_sheaths": "Part of the bare axon that new oligodendrocytes have covered.",
    "survivor_sheaths": "Part of the bare axon that surviving oligodendrocytes have covered.",
    "thickness": "Thickness of new sheaths; 1: normal.",
    "axons": "Axons that are left, 0 to 1.",
}


def to_sbml(scenario: Scenario, *, treatment: Treatment | None = None) -> str:
    """Write a scenario as SBML Level 3 Version 2 (core).

    States are species with a rate rule each, in a lesion of size 1; rates and conditions are parameters of
    the same names; what stands between them are assignment rules, read from the code that is compiled.
    Attacks are events. Time is in days.

    Parameters
    ----------
    scenario
        From `biology.scenario`, at the most probable rates.
    treatment
        With its median effects; exposure is one more quantity, and each changed parameter follows it.

    Returns
    -------
    str
        XML, for a file whose name ends in ``.xml`` or ``.sbml``.

    Raises
    ------
    InputError
        Without the extra ``sbml``, or for what is no scenario or treatment.

    Examples
    --------
    >>> from remyelin import biology
    >>> text = biology.to_sbml(biology.scenario("rat-young"))
    >>> "progenitors" in text, 'level="3" version="2"' in text
    (True, True)
    """
    return written(lineage_document(scenario, treatment))


def lineage_document(scenario: Scenario, treatment: Treatment | None = None) -> Any:
    """The same as a `libsbml.SBMLDocument`, for those who add to it."""
    check_asked(scenario, 1, treatment, None)
    document = library().SBMLDocument(LEVEL, VERSION)
    model = document.createModel()
    model.setId("lineage")
    model.setName(f"Oligodendrocyte lineage in a lesion: {scenario.name}")
    _annotate(model, _about(scenario, treatment))
    _add_units(model)
    place = model.createCompartment()
    _set(place, id="lesion", size=1.0, spatialDimensions=3, units="dimensionless", constant=True)
    for state, value in zip(STATES, scenario.start(), strict=True):
        _add_state(model, state, value)
    _add_parameters(model, scenario, treatment)
    words = "Day of the last attack, 0 before any."
    add_parameter(model, "last_attack", 0.0, "d", words, constant=bool(not scenario.attacks))
    add_rule(model, "days_since_attack", "time - last_attack", "d", "Time since the last attack.")
    known = lineage_formulas()
    for name, text in known.rules.items():
        add_rule(model, name, text, "1/d" if name in PER_DAY else "1", known.words.get(name, ""))
    covered = "Part of the bare axon that is covered again."
    add_rule(model, "remyelinated", "new_sheaths + survivor_sheaths", "1", covered)
    for state, text in known.slopes.items():
        _add_slope(model, state, text)
    for number, attack in enumerate(sorted(scenario.attacks, key=lambda each: each.day), 1):
        _add_attack(model, number, attack)
    return document


def library() -> Any:
    """The module `libsbml`, or a named error."""
    try:
        import libsbml
    except ImportError:
        found, expected = "asked for, and python-libsbml is not installed", "python-libsbml"
        raise InputError("", "SBML", found, expected, "pip install 'remyelin[sbml]'") from None
    return libsbml


def add_parameter(
    model: Any, name: str, value: float | None, unit: str, words: str, *, constant: bool = True
) -> None:
    """Give a model a parameter with unit and notes; without a value where a rule gives it."""
    made = model.createParameter()
    _set(made, id=name, units=UNITS[unit][0] if unit in UNITS else "dimensionless", constant=constant)
    if value is not None:
        _set(made, value=float(value))
    if words:
        _annotate(made, [words])


def add_rule(model: Any, name: str, formula: str, unit: str, words: str = "") -> None:
    """Give a model a quantity that follows from others."""
    add_parameter(model, name, None, unit, words, constant=False)
    rule = model.createAssignmentRule()
    _set(rule, variable=name, math=parsed(formula))


def parsed(formula: str) -> Any:
    """The formula as `libsbml.ASTNode`."""
    found = library().parseL3Formula(formula)
    assert found is not None, library().getLastParseL3Error()
    return found


def rate_words(name: str) -> tuple[str, str]:
    """Unit of a parameter of the lineage, and where what was believed of it was read."""
    if name in CONDITIONS:
        return CONDITIONS[name]
    row = read_data("biology.toml")["rate"].get(name, {})
    words = [row.get("note", "")]
    if row.get("source"):
        read = source(row["source"])
        words.append(f"{read.work}. doi:{read.doi}" if read.doi else read.work)
    words.append(f"before the calibration: {row.get('value', '')} ({row.get('status', '')})")
    return str(row.get("unit", "1")), "; ".join(word for word in words if word)


def written(document: Any) -> str:
    """A `libsbml.SBMLDocument` as text."""
    return str(library().writeSBMLToString(document))


def _set(element: Any, **attributes: Any) -> None:
    """Set attributes of an element of libsbml, whose failures are return codes."""
    for name, value in attributes.items():
        done = getattr(element, f"set{name[0].upper()}{name[1:]}")(value)
        assert done == library().LIBSBML_OPERATION_SUCCESS, f"libsbml refuses {name} = {value}"


def _annotate(element: Any, paragraphs: list[str]) -> None:
    body = "".join(f"<p>{escape(text)}</p>" for text in paragraphs)
    done = element.setNotes(f'<body xmlns="http://www.w3.org/1999/xhtml">{body}</body>')
    assert done == library().LIBSBML_OPERATION_SUCCESS, f"libsbml refuses the notes {body}"


def _about(scenario: Scenario, treatment: Treatment | None) -> list[str]:
    drug = "no treatment" if treatment is None else f"treatment {treatment.name}, median effects"
    age = f"{scenario.species}, {scenario.age_years:.3g} years"
    return [
        f"Written by remyelin. {scenario.name}: {age}; {drug}. Rates are the most probable of the posterior.",
        "Time is in days. One draw of many: what the calibration leaves open is in biology_posterior.toml.",
    ]


def _add_units(model: Any) -> None:
    for name, factors in UNITS.values():
        unit = model.createUnitDefinition()
        _set(unit, id=name)
        for kind, exponent, scale, multiplier in factors:
            part = unit.createUnit()
            code = library().UnitKind_forName(kind)
            _set(part, kind=code, exponent=exponent, scale=scale, multiplier=multiplier)
    _set(model, timeUnits="day", substanceUnits="dimensionless", extentUnits="dimensionless")
    _set(model, volumeUnits="dimensionless")


def _add_state(model: Any, state: str, value: float) -> None:
    made = model.createSpecies()
    _set(made, id=state, compartment="lesion", substanceUnits="dimensionless", initialAmount=float(value))
    _set(made, hasOnlySubstanceUnits=True, boundaryCondition=False, constant=False)
    _annotate(made, [STATE_WORDS[state]])


def _add_slope(model: Any, state: str, formula: str) -> None:
    rule = model.createRateRule()
    _set(rule, variable=state, math=parsed(formula))


def _add_parameters(model: Any, scenario: Scenario, treatment: Treatment | None) -> None:
    values = dict(zip(PARAMETERS, scenario.parameters(), strict=True))
    folds = np.ones(len(PARAMETERS))
    if treatment is not None:
        folds = treatment.folds(1, np.random.default_rng(0), scenario)[0]
        _add_exposure(model, treatment)
    for name, fold in zip(PARAMETERS, folds.tolist(), strict=True):
        unit, words = rate_words(name)
        if fold == 1 or not math.isfinite(values[name]):
            add_parameter(model, name, values[name], unit, words)
            continue
        add_parameter(model, f"{name}_untreated", values[name], unit, words)
        add_parameter(model, f"{name}_treated", values[name] * fold, unit, "Under full exposure.")
        change = f"{name}_untreated + exposure * ({name}_treated - {name}_untreated)"
        add_rule(model, name, change, unit, words)


def _add_exposure(model: Any, treatment: Treatment) -> None:
    """Exposure goes to 1 while the treatment is given, and back to 0, within its onset."""
    given = float(treatment.start_day <= 0)
    add_parameter(model, "given", given, "1", "1 while the treatment is given.", constant=False)
    add_parameter(model, "onset_days", treatment.onset_days, "d", "Time of two thirds of the effect.")
    add_parameter(model, "exposure", 0.0, "1", "To the treatment, 0 to 1.", constant=False)
    _add_slope(model, "exposure", "(given - exposure) / onset_days")
    for name, day, value in (("start", treatment.start_day, "1"), ("stop", treatment.stop_day, "0")):
        if 0 < day < math.inf:
            event = _on_day(model, f"treatment_{name}", day)
            assign(event, "given", value)


def _add_attack(model: Any, number: int, attack: Attack) -> None:
    severity = f"severity_{number}"
    add_parameter(model, severity, attack.severity, "1", "Part of the sheaths that the attack takes.")
    event = _on_day(model, f"attack_{number}", attack.day)
    for state, text in lineage_formulas().struck.items():
        assign(event, state, text.replace("severity", severity))
    assign(event, "last_attack", f"attack_{number}_day")


def _on_day(model: Any, name: str, day: float) -> Any:
    add_parameter(model, f"{name}_day", day, "d", "")
    return add_event(model, name, parsed(f"time >= {name}_day"))


def add_event(model: Any, name: str, when: Any) -> Any:
    """Give a model an event that happens when the formula becomes true."""
    event = model.createEvent()
    _set(event, id=name, useValuesFromTriggerTime=True)
    trigger = event.createTrigger()
    _set(trigger, initialValue=False, persistent=True, math=when)
    return event


def assign(event: Any, variable: str, formula: str) -> None:
    """Let an event set a variable."""
    made = event.createEventAssignment()
    _set(made, variable=variable, math=parsed(formula))
