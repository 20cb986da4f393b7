"""What the lineage is calibrated on, as PEtab 1 tables and SBML, for other programs to fit."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

from remyelin.biology.ageing import AGEING
from remyelin.biology.calibrate import prior
from remyelin.biology.draws import posterior
from remyelin.biology.experiments import HORIZON_DAYS, LEVEL, controls
from remyelin.biology.sbml import (
    add_event,
    add_parameter,
    add_rule,
    assign,
    lineage_document,
    parsed,
    written,
)
from remyelin.biology.scenarios import scenario

MODEL, PROBLEM = "lineage.xml", "lineage.yaml"
TABLES = ("parameter", "condition", "observable", "measurement")
# An experiment that is not complete at its horizon counts as the horizon and three times the bare part of it.
OBSERVED = f"completed * completion_day + (1 - completed) * horizon_day * (1 + 3 * ({LEVEL} - remyelinated))"


def to_petab() -> dict[str, str]:
    """The calibration on the days of complete remyelination as a PEtab problem (version 1).

    Priors, bounds and data are those of `calibrate`. What is known of experiments only as a direction has no
    place in PEtab: a fit of these tables knows less than the posterior that scenarios use.

    Returns
    -------
    dict
        Name and text of each file of the problem; the names refer to one another.

    Raises
    ------
    InputError
        Without the extra ``sbml``.

    Examples
    --------
    >>> sorted(to_petab())
    ['conditions.tsv', 'lineage.xml', 'lineage.yaml', 'measurements.tsv', 'observables.tsv', 'parameters.tsv']
    """
    names = {kind: f"{kind}s.tsv" for kind in TABLES}
    return {
        MODEL: written(_document()),
        PROBLEM: _problem(names),
        names["parameter"]: _parameters(),
        names["condition"]: _conditions(),
        names["observable"]: _observables(),
        names["measurement"]: _measurements(),
    }


def identifier(name: str) -> str:
    """The SBML name of what is calibrated: a rate of the young, or a ratio of ageing.

    Examples
    --------
    >>> identifier("ageing.phagocytes"), identifier("clearance_per_day"), identifier("niche")
    ('ageing_phagocytes', 'clearance_per_day_young', 'niche')
    """
    if name.startswith("ageing."):
        return name.replace(".", "_")
    return f"{name}_young" if name in _aged() else name


def _aged() -> dict[str, str]:
    """Each rate that age changes, and by what it is multiplied."""
    found = {rate: f"ageing_{key} ^ age_index" for key, rates in AGEING.items() for rate in rates}
    cycle = "(ageing_cycle_old_days / cycle_days_young) ^ min(age_index, 1)"
    return {**found, "cycle_days": cycle}


def _known() -> dict[str, float]:
    most_probable = posterior()
    drawn = dict(zip(most_probable.names, most_probable.draws[0].tolist(), strict=True))
    return {**most_probable.fixed, **drawn}


def _document() -> Any:
    """The lineage of a young rat, with its age to be set and a memory of the day when it is complete."""
    document = lineage_document(scenario("rat-young"))
    model = document.getModel()
    model.setId("lineage_by_age")
    known = _known()
    add_parameter(model, "age_index", 0.0, "1", "0: a rat of 2 months; 1: of 10 months.")
    for name, value in known.items():
        if name.startswith("ageing."):
            unit = "d" if name.endswith("_days") else "1"
            add_parameter(model, identifier(name), value, unit, "What one step of age multiplies a rate by.")
    for rate, factor in _aged().items():
        unit = "mm/week" if rate.endswith("_per_week") else "d" if rate.endswith("_days") else "1/d"
        model.removeParameter(rate)
        add_parameter(model, identifier(rate), known[rate], unit, "Of the young.")
        add_rule(model, rate, f"{identifier(rate)} * {factor}", unit, "At the age.")
    add_parameter(model, "horizon_day", HORIZON_DAYS["young"], "d", "When the observation ends.")
    add_parameter(model, "completed", 0.0, "1", "1 once the axons are covered.", constant=False)
    add_parameter(model, "completion_day", 0.0, "d", "When they were.", constant=False)
    event = add_event(model, "completion", parsed(f"remyelinated >= {LEVEL}"))
    assign(event, "completed", "1")
    assign(event, "completion_day", "time")
    return document


def _parameters() -> str:
    believed, known = prior(), _known()
    rows = []
    for i, name in enumerate(believed.names):
        bounds = (math.exp(believed.low[i]), math.exp(believed.high[i]))
        normal = f"{believed.centre[i]:.10g};{believed.spread[i]:.10g}"
        rows.append((identifier(name), name, "log", *bounds, known[name], 1, "parameterScaleNormal", normal))
    head = ("parameterId", "parameterName", "parameterScale", "lowerBound", "upperBound", "nominalValue")
    return _table((*head, "estimate", "objectivePriorType", "objectivePriorParameters"), rows)


def _conditions() -> str:
    rows = [(each.name, each.words, float(each.index), HORIZON_DAYS[each.name]) for each in _data()]
    return _table(("conditionId", "conditionName", "age_index", "horizon_day"), rows)


def _observables() -> str:
    words = f"day on which {LEVEL:.0%} of the bare axon is covered"
    rows = [("day_of_completion", words, OBSERVED, "noiseParameter1_day_of_completion")]
    return _table(("observableId", "observableName", "observableFormula", "noiseFormula"), rows)


def _measurements() -> str:
    rows = [
        ("day_of_completion", each.name, HORIZON_DAYS[each.name], each.completion_day, each.sd)
        for each in _data()
    ]
    head = ("observableId", "simulationConditionId", "time", "measurement", "noiseParameters")
    return _table(head, rows)


def _data() -> list[Any]:
    return [each for each in controls().values() if each.used_for == "calibration"]


def _problem(names: dict[str, str]) -> str:
    lists = "".join(f"    {kind}_files: [{names[kind]}]\n" for kind in TABLES if kind != "parameter")
    return (
        f"format_version: 1\nparameter_file: {names['parameter']}\n"
        f"problems:\n  - sbml_files: [{MODEL}]\n{lists}"
    )


def _table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    lines = [head, *rows]
    return "".join("\t".join(_cell(value) for value in line) + "\n" for line in lines)


def _cell(value: object) -> str:
    return f"{value:.10g}" if isinstance(value, float) else str(value)
