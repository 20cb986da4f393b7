"""The parameters of the evidence base, read from data files; two sources that disagree are two rows."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cache
from importlib import resources
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from remyelin import files
from remyelin.errors import InputError, did_you_mean

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

STATUSES = ("seen", "derived", "unverified")
Qualifier = str | int | float


@dataclass(frozen=True, slots=True)
class Source:
    """Where a number was read: the work, its DOI or address, and how much of it was read."""

    id: str
    work: str
    read: str
    doi: str = ""
    url: str = ""


@dataclass(frozen=True, slots=True)
class Parameter:
    """A number that somebody measured.

    Parameters
    ----------
    name
        What it is; `qualifiers` (people, field strength, arm ...) say of whom or under which conditions.
    value, unit
        The number in its unit; ``"1"`` for a count or a ratio.
    low, high
        The interval that the source gives, of the kind that `note` names; None where it gives none.
    source
        Id of its `Source`.
    status
        ``"seen"`` (read in the source), ``"derived"`` (computed from numbers that were read, as `note` says)
        or ``"unverified"`` (not yet read in a source, and so never a default).
    """

    name: str
    value: float
    unit: str
    source: str
    status: str
    qualifiers: Mapping[str, Qualifier]
    low: float | None = None
    high: float | None = None
    note: str = ""

    def __str__(self) -> str:
        interval = "" if self.low is None else f" ({self.low:g} to {self.high:g})"
        return f"{_named(self)}: {self.value:g} {self.unit}{interval}, {self.status}, {self.source}"


def parameter(name: str, *, allow_unverified: bool = False, **qualifiers: Qualifier) -> Parameter:
    """The one parameter of that name to which all `qualifiers` apply.

    Raises
    ------
    InputError
        If there is none, if there are several (they are listed), or if the only one is unverified and
        `allow_unverified` is not set.

    Examples
    --------
    >>> sd = parameter("p100_change_sd", of="participant")
    >>> sd.value, sd.unit, sd.status
    (2.4, 'ms', 'derived')
    """
    named = [row for row in parameters() if row.name == name]
    if not named:
        raise _problem(name, "unknown", "a parameter of the evidence base", did_you_mean(name, _names()))
    fitting = [row for row in named if qualifiers.items() <= row.qualifiers.items()]
    if not fitting:
        asked = ", ".join(f"{key}={value!r}" for key, value in qualifiers.items())
        raise _problem(
            name, f"not known for {asked}", "qualifiers that fit a row", f"use one of {_listed(named)}"
        )
    usable = [row for row in fitting if allow_unverified or row.status != "unverified"]
    if not usable:
        fix = "give the value yourself, or set allow_unverified=True and say so in the report"
        raise _problem(name, f"unverified ({_listed(fitting)})", "a value that was read in a source", fix)
    if len(usable) > 1:
        raise _problem(
            name,
            f"ambiguous: {len(usable)} rows",
            "qualifiers that leave one",
            f"use one of {_listed(usable)}",
        )
    return usable[0]


@cache
def parameters() -> tuple[Parameter, ...]:
    """Every row of the evidence base, those that are unverified too."""
    rows = tuple(_parameter(row) for row in read_data("parameters.toml")["parameter"])
    for i, row in enumerate(rows):
        if any(row.name == other.name and row.qualifiers == other.qualifiers for other in rows[:i]):
            raise _problem(
                row.name, f"twice for {_named(row)}", "one row for each set of qualifiers", "qualify them"
            )
    return rows


def source(name: str) -> Source:
    """The source with the id `name`; InputError if there is none."""
    known = _sources()
    if name not in known:
        raise InputError(
            "evidence/sources.toml", name, "unknown", "the id of a source", did_you_mean(name, known)
        )
    return known[name]


@cache
def _sources() -> Mapping[str, Source]:
    return MappingProxyType({name: Source(name, **row) for name, row in read_data("sources.toml").items()})


@cache
def read_data(name: str) -> dict[str, Any]:
    """The content of a data file of the evidence base, read once: not to be changed."""
    return files.read_toml(Path(str(resources.files("remyelin") / "evidence" / name)))


def read_arrays(name: str) -> dict[str, npt.NDArray[np.float64]]:
    """The arrays of a data file of the evidence base, by name."""
    import numpy

    with numpy.load(str(resources.files("remyelin") / "evidence" / name)) as data:
        return {key: numpy.asarray(data[key], dtype=numpy.float64) for key in data.files}


def _parameter(row: Mapping[str, Any]) -> Parameter:
    own = {field.name for field in fields(Parameter)} - {"qualifiers"}
    named = {key: value for key, value in row.items() if key in own}
    for key in ("value", "low", "high"):
        if key in named:
            named[key] = float(named[key])
    qualifiers = MappingProxyType({key: value for key, value in row.items() if key not in own})
    made = Parameter(**named, qualifiers=qualifiers)
    _check(made)
    return made


def _check(row: Parameter) -> None:
    source(row.source)
    if row.status not in STATUSES:
        raise _problem(row.name, f"of status '{row.status}'", f"one of {', '.join(STATUSES)}", "correct it")
    if not row.unit or not math.isfinite(row.value):
        raise _problem(
            row.name, "without a unit or a finite value", "a number with its unit", "complete the row"
        )
    if (row.low is None) != (row.high is None) or (
        row.low is not None and row.high is not None and not row.low <= row.value <= row.high
    ):
        raise _problem(
            row.name, "outside its interval, or with half of one", "low <= value <= high", "correct it"
        )


def _names() -> list[str]:
    return list(dict.fromkeys(row.name for row in parameters()))


def _named(row: Parameter) -> str:
    words = ", ".join(f"{key}={value!r}" for key, value in row.qualifiers.items())
    return f"{row.name}({words})"


def _listed(rows: list[Parameter]) -> str:
    return "; ".join(_named(row) for row in rows)


def _problem(field: str, found: str, expected: str, fix: str) -> InputError:
    return InputError("evidence/parameters.toml", field, found, expected, fix)
