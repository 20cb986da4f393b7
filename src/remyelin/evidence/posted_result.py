"""A posted outcome to result records; what the registry does not say is asked, and the sign always."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from .claim import UNITS
from .draft_row import DraftRow
from .posted import Cell, Comparison, Group, Outcome, number
from .posted_sign import compare

# Units as registries write them, in lower case.
_UNITS = {
    "milliseconds": "ms", "millisecond": "ms", "msec": "ms", "seconds": "s", "second": "s", "sec": "s",
    "percent": "%", "percentage": "%", "percentage of participants": "%", "percent of participants": "%",
    "percent change": "%", "percentage change": "%", "participants": "1", "participant": "1", "lesions": "1",
    "number of lesions": "1", "ratio": "1", "letters": "letters", "number of letters": "letters",
    "number of letters correct": "letters", "letters correct": "letters", "microns": "um",
    "micrometers": "um",
    "micrometer": "um", "µm": "um", "μm": "um", "millimeters": "mm", "mm^3": "mm3", "mm³": "mm3",
    "cubic millimeters": "mm3", "percent units": "pu", "percentage units": "pu", "score on a scale": "points",
    "scores on a scale": "points", "units on a scale": "points", "score": "points", "microvolts": "uV",
    "z-score": "SD", "z score": "SD", "log mar": "logMAR", "relapses per year": "1/year",
}  # fmt: skip
_ALLOWED = {unit.casefold(): unit for unit in UNITS} | _UNITS
_SETS = (
    ("mITT", r"\bmITT\b|modified\s+(?:intent|intention)"),
    ("PP", r"\bPP\b|per[- ]protocol"),
    ("completers", r"\bcompleters?\b"),
    ("ITT", r"(?<!m)\bITT\b|(?<!modified )intent(?:ion)?[- ]to[- ]treat"),
)
PRESPECIFIED = {"PRIMARY", "SECONDARY", "OTHER_PRE_SPECIFIED"}


def unit_of(text: str) -> str | None:
    """The unit of the evidence base that a registry's words mean; None where none is.

    Examples
    --------
    >>> unit_of("Milliseconds"), unit_of("units on a scale"), unit_of("mg/dL")
    ('ms', 'points', None)
    """
    return _ALLOWED.get(" ".join(text.casefold().split()))


def results_of(outcome: Outcome, trial: str, endpoint: str, unit: str, source: str) -> Iterator[DraftRow]:
    """The results of one outcome, without their numbers in the ids: the caller counts them.

    An outcome with one table gives a result for each analysis, or one of its arms; one with several tables
    (visits, categories) a result of arms for each table, and one for each analysis.
    """
    rows = outcome.rows()
    shared = {
        "trial": trial,
        "endpoint": endpoint,
        "timepoint": outcome.time_frame or "not seen",
        "unit": unit,
        "per": _per(outcome.counted),
        "source": source,
        "status": "seen",
    }
    if len(rows) != 1 or not outcome.comparisons:
        for row in rows:
            yield _described(outcome, dict(shared), row, None)
    for comparison in outcome.comparisons:
        yield _described(outcome, dict(shared), rows[0] if len(rows) == 1 else None, comparison)


def _described(
    outcome: Outcome, values: dict[str, Any], row: str | None, comparison: Comparison | None
) -> DraftRow:
    made = DraftRow("results", "", values)
    kind = outcome.kind.upper().replace(" ", "_").replace("-", "_")
    values["prespecified"] = (
        "prespecified" if kind in PRESPECIFIED else "post hoc" if kind == "POST_HOC" else "not seen"
    )
    values["primary"] = kind == "PRIMARY"
    chosen = next((name for name, words in _SETS if re.search(words, outcome.population, re.I)), "")
    if chosen:
        values["analysis_set"] = chosen
    said = f"the registry says '{outcome.population}'" if outcome.population else "the registry does not say"
    made.ask("analysis_set", f"{said}{f'; {chosen} is taken from that' if chosen else ''}")
    if values["per"] == "not seen":
        made.ask(
            "per", f"a value of a participant, an eye or a lesion? {outcome.counted or 'Nothing'} counted"
        )
    if row:
        values["timepoint"] = f"{outcome.time_frame}; table '{row}'".lstrip("; ")
        made.ask("timepoint", f"the table is named '{row}': a visit, a category or a subgroup?")
    made.ask("estimand", "parallel groups, crossover, delayed treatment ...: the registry does not say")
    words = [
        f"Registry: {outcome.title}.",
        f"Population: {outcome.population}." if outcome.population else "",
    ]
    if row is not None:
        groups = comparison.groups if comparison else ()
        titles = {group.id: group for group in outcome.groups}
        wanted = groups or titles
        here = [cell for cell in outcome.cells if cell.row == row]
        cells = [cell for cell in here if cell.group in wanted or cell.group not in titles]
        _ask_names(made, [cell.group for cell in cells], titles)
        values["arms"] = tuple(_arm(cell, titles.get(cell.group), outcome) for cell in cells)
        words += _limits(cells, titles, outcome.spread_kind)
    if comparison:
        compare(made, outcome, comparison, row)
        words += [f"{comparison.method}." if comparison.method else "", *comparison.words]
    values["words"] = " ".join(filter(None, words))
    return made


def _ask_names(made: DraftRow, groups: list[str], titles: Mapping[str, Group]) -> None:
    """Numbers of a group that nobody names are kept, and asked about."""
    for each in dict.fromkeys(groups):
        if each not in titles:
            made.ask("arms", f"the outcome names no group '{each}': which arm is it?")
        elif not titles[each].title:
            made.ask("arms", f"group '{each}' has no name in the download: which arm is it?")


def _per(counted: str) -> str:
    lower = counted.casefold()
    return "eye" if lower.startswith("eye") else "lesion" if "lesion" in lower else "not seen"


def _arm(cell: Cell, group: Group | None, outcome: Outcome) -> dict[str, Any]:
    arm: dict[str, Any] = {"arm": (group.title if group else "") or cell.group}
    if group and group.people is not None:
        arm["n"] = group.people
    if group and group.n is not None and _per(outcome.counted) == "eye":
        arm["eyes"] = group.n
    value, kind = number(cell.value), outcome.value_kind.upper().replace(" ", "_")
    if value is None:
        return arm
    if kind == "COUNT_OF_PARTICIPANTS" and value >= 0 and value.is_integer():
        arm["events"] = int(value)
    elif kind in ("MEAN", "LEAST_SQUARES_MEAN"):
        arm["mean"] = value
        if kind == "LEAST_SQUARES_MEAN":
            arm["adjusted"] = True
    elif kind == "MEDIAN":
        arm["median"] = value
    else:
        arm["percent" if unit_of(outcome.unit) == "%" else "value"] = value
    spread = number(cell.spread)
    name = {"STANDARD_DEVIATION": "sd", "STANDARD_ERROR": "se"}.get(_spread_kind(outcome.spread_kind))
    if name and spread is not None:
        arm[name] = spread
    return arm


def _spread_kind(text: str) -> str:
    kind = text.upper().replace(" ", "_")
    return "STANDARD_ERROR" if kind.startswith("STANDARD_ERROR") else kind


def _limits(cells: list[Cell], titles: Mapping[str, Group], kind: str) -> list[str]:
    """Limits of arms, for which a result has no field, and values that are not numbers."""
    said = []
    for cell in cells:
        name = titles[cell.group].title if cell.group in titles else cell.group
        if cell.low or cell.high:
            said.append(
                f"{name}: {cell.value} ({cell.low} to {cell.high}, {kind.lower().replace('_', ' ')})."
            )
        elif number(cell.value) is None:
            said.append(f"{name}: {cell.value or 'no value'}.")
    return said
