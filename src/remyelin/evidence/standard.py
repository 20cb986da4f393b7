"""A standard as a table: each requirement with what shows it, and whether it was read or recalled."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path
from typing import Any

from remyelin import files
from remyelin.errors import InputError, did_you_mean

from .load import STATUSES, read_data, source

AREAS = ("stimulus", "electrodes", "recording", "averaging", "report")


@dataclass(frozen=True, slots=True)
class Requirement:
    """One requirement of a standard.

    Parameters
    ----------
    id, area, words
        Its name, the part of the standard (one of `AREAS`) and what it asks, in our words.
    looks_at
        The quantity of a recording that shows it; empty where a recording cannot.
    low, high, one_of, tolerance
        What the quantity must be: between `low` and `high`, or one of some words or numbers, numbers within
        the part `tolerance` of themselves.
    unit
        Of the quantity; empty for a word.
    source, status, where
        Id of the `Source`, ``"seen"``, ``"derived"`` or ``"unverified"`` as for parameters, and the place in
        the standard.
    note
        What else must be said.
    """

    id: str
    area: str
    words: str
    looks_at: str
    unit: str
    source: str
    status: str
    where: str
    low: float | None = None
    high: float | None = None
    one_of: tuple[str | float, ...] = ()
    tolerance: float = 0.0
    note: str = ""

    @property
    def expected(self) -> str:
        """What is asked, as it stands in a message.

        Examples
        --------
        >>> [row.expected for row in requirements() if row.id in ("check-size", "mean-luminance", "low-pass")]
        ['60 or 15 arcmin', '40 to 60 cd/m2', '100 Hz or more']
        """
        if self.one_of:
            words = " or ".join(item if isinstance(item, str) else f"{item:g}" for item in self.one_of)
        elif self.low is not None and self.high is not None:
            words = f"{self.low:g} to {self.high:g}"
        elif self.low is None and self.high is None:
            return self.words
        else:
            amount, side = (self.low, "more") if self.low is not None else (self.high, "less")
            unit = "" if self.unit == "1" else f" {self.unit}"
            return "none" if amount == 0 else f"{amount:g}{unit} or {side}"
        return words if self.unit in ("", "1") else f"{words} {self.unit}"

    def allows(self, found: str | float) -> bool:
        """Whether the quantity is as asked.

        Examples
        --------
        >>> rate = next(row for row in requirements() if row.id == "reversal-rate")
        >>> rate.allows(1.9), rate.allows(4.0)
        (True, False)
        """
        if self.one_of:
            return any(self._is(found, item) for item in self.one_of)
        if isinstance(found, str):
            return False
        low = -float("inf") if self.low is None else self.low
        high = float("inf") if self.high is None else self.high
        # The rate is measured and a filter may be written as 0.999: a rounding is no deviation.
        return low * (1 - 1e-3) <= found <= high * (1 + 1e-3)

    def _is(self, found: str | float, item: str | float) -> bool:
        if isinstance(found, str) or isinstance(item, str):
            return str(found).casefold() == str(item).casefold()
        return abs(found - item) <= max(self.tolerance, 1e-3) * abs(item)


@cache
def requirements() -> tuple[Requirement, ...]:
    """What the ISCEV standard for clinical VEP (2016) asks, as far as a recording can show it.

    Examples
    --------
    >>> [row.id for row in requirements() if row.status == "seen"]
    ['check-size', 'constant-luminance', 'active-electrode']
    """
    return _requirements(read_data("iscev.toml"), "evidence/iscev.toml")


def read_requirements(path: Path) -> tuple[Requirement, ...]:
    """A table of requirements of your own, like `evidence/iscev.toml`.

    Raises
    ------
    InputError
        A row that is not complete, twice there, or of an unknown area, status or source.
    """
    return _requirements(files.read_toml(Path(path)), files.relative(Path(path), None))


def _requirements(content: Mapping[str, Any], file: str) -> tuple[Requirement, ...]:
    made: list[Requirement] = []
    for number, row in enumerate(content.get("requirement", ()), start=1):
        where = f"requirement {row.get('id', number)}"
        _check(row, file, where)
        numbers = {key: float(row[key]) for key in ("low", "high", "tolerance") if key in row}
        one_of = tuple(item if isinstance(item, str) else float(item) for item in row.get("one_of", ()))
        made.append(Requirement(**{**row, **numbers, "one_of": one_of}))
        if any(other.id == made[-1].id for other in made[:-1]):
            raise InputError(file, where, "twice there", "each requirement once", "keep one of the two")
    if not made:
        fix = "write tables like those of the packaged evidence/iscev.toml"
        raise InputError(file, "requirement", "missing", "tables [[requirement]]", fix)
    return tuple(made)


def _check(row: Mapping[str, Any], file: str, where: str) -> None:
    known = [field.name for field in fields(Requirement)]
    for key in row:
        if key not in known:
            raise InputError(file, where, f"'{key}', unknown", "a known key", did_you_mean(key, known))
    needed = ("id", "area", "words", "looks_at", "unit", "source", "status", "where")
    missing = [key for key in needed if not isinstance(row.get(key), str)]
    if missing:
        raise InputError(file, where, f"without {missing[0]}", "a complete row", f"add {missing[0]} as text")
    for key, allowed in (("area", AREAS), ("status", STATUSES)):
        if row[key] not in allowed:
            raise InputError(
                file, f"{where} {key}", f"'{row[key]}'", f"one of {', '.join(allowed)}", "correct it"
            )
    for key in ("low", "high", "tolerance"):
        if key in row and (isinstance(row[key], bool) or not isinstance(row[key], int | float)):
            raise InputError(file, f"{where} {key}", f"{row[key]!r}", "a number", "correct it")
    source(row["source"])
