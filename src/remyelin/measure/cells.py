"""Rows of a table that a user brings, read strictly: a fault names the file, the line and the column."""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn, TypeVar

from remyelin.errors import InputError, did_you_mean
from remyelin.files import read_tsv, relative
from remyelin.tables import MEASURES

from .findings import Failure

T = TypeVar("T")
MISSING = ("", "n/a")
EYES = ("OD", "OS")
_VISIT = re.compile(r"[0-9A-Za-z]+")
_EYE_WORDS = {
    "od": "OD",
    "r": "OD",
    "right": "OD",
    "re": "OD",
    "os": "OS",
    "l": "OS",
    "left": "OS",
    "le": "OS",
}
_SLIPS = {
    "ms": ((1000.0, "seconds"), (0.001, "microseconds")),
    "um": ((1000.0, "mm"), (0.001, "nm")),
    "uV": ((1000.0, "mV"), (1e6, "V"), (0.001, "nV")),
    "arcmin": ((60.0, "degrees"), (1 / 60, "seconds of arc")),
}
_CODES = (-1, -9, -99, -999, -9999, 999, 9999)


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a table: its file, its number there and its cells by column."""

    file: str
    line: int
    cells: dict[str, str]

    def fail(self, column: str, found: str, expected: str, fix: str) -> NoReturn:
        """Refuse the row for the cell of `column`."""
        raise InputError(self.file, f"line {self.line}, column {column}", found, expected, fix)

    def text(self, column: str) -> str:
        """The word of a column; empty where it is missing."""
        word = self.cells.get(column, "").strip()
        return "" if word in MISSING else word

    def among(self, column: str, options: Sequence[str], default: str | None = None) -> str:
        """A word that is one of `options`; `default` where it is missing."""
        word = self.text(column)
        if not word and default is not None:
            return default
        if word not in options:
            shown = f"'{word}'" if word else "missing"
            self.fail(column, shown, f"one of {', '.join(options)}", did_you_mean(word, options))
        return word

    def eye(self) -> str:
        """``"OD"`` or ``"OS"``."""
        word = self.text("eye")
        if word not in EYES:
            meant = _EYE_WORDS.get(word.casefold().removeprefix("eye:"))
            fix = f"write {meant}" if meant else "write OD for the right eye, OS for the left"
            self.fail("eye", f"'{word}'" if word else "missing", "OD or OS", fix)
        return word

    def visit(self) -> str:
        """The visit without `ses-`, which is as good."""
        word = self.text("visit").removeprefix("ses-")
        if not _VISIT.fullmatch(word):
            self.fail("visit", f"'{word}'" if word else "missing", "a visit as M00", "name the visit")
        return word

    def number(self, column: str, low: float, high: float, unit: str = "") -> float | None:
        """A number from `low` to `high`; None where it is missing. A slip of the unit is named."""
        word = self.text(column)
        if not word:
            return None
        try:
            value = float(word)
        except ValueError:
            value = math.nan
        if not math.isfinite(value):
            fix = f"write {word.replace(',', '.')}" if "," in word else "write the number, or n/a"
            self.fail(column, f"'{word}'", "a number with a decimal point", fix)
        if not low <= value <= high:
            self._outside(column, value, (low, high), unit)
        return value

    def measure(self, column: str, name: str = "") -> float | None:
        """The value of a measure in its plausible range; the column is named like the measure by default."""
        measure = MEASURES[name or column]
        return self.number(column, measure.low, measure.high, measure.unit)

    def needed(self, column: str, low: float, high: float, unit: str = "") -> float:
        """Like `number`, and it must be there."""
        value = self.number(column, low, high, unit)
        if value is None:
            self.fail(column, "missing", "a number", "write the number")
        return value

    def _outside(self, column: str, value: float, limits: tuple[float, float], unit: str) -> NoReturn:
        low, high = limits
        expected = f"{low:g} to {high:g} {unit}".rstrip()
        if value in _CODES:
            self.fail(
                column, f"{value:g}, a code for a missing value", expected, "write n/a where it is missing"
            )
        for factor, other in _SLIPS.get(unit, ()):
            if low <= value * factor <= high:
                act = f"multiply by {factor:g}" if factor >= 1 else f"divide by {1 / factor:g}"
                self.fail(column, f"{value:g}, as if {other}", expected, f"{act} if the unit is wrong")
        self.fail(column, f"{value:g}", expected, "check it against its source, or write n/a")


def read_rows(path: Path, root: Path, required: Sequence[str], optional: Sequence[str]) -> list[Row]:
    """The lines of a table with the `required` columns and none but those and the `optional`.

    Raises
    ------
    InputError
        As `read_tsv`; a column that is missing or unknown; no rows.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder) / "a_retina.tsv"
    ...     _ = path.write_text("eye\\trnfl_um\\nOD\\t0.0842\\n")
    ...     try:
    ...         read_rows(path, path.parent, ("eye", "rnfl_um"), ())[0].measure("rnfl_um")
    ...     except InputError as error:
    ...         print(error)
    a_retina.tsv: line 2, column rnfl_um is 0.0842, as if mm, expected 10 to 300 um. Fix: multiply by 1000 ...
    """
    file = relative(path, root)
    rows = read_tsv(path, root)
    if not rows:
        raise InputError(
            file, "rows", "none", "at least one row under the header", "fill in or remove the table"
        )
    allowed = (*required, *optional)
    for name in rows[0]:
        if name not in allowed:
            raise InputError(
                file, "columns", f"'{name}'", "a column of this table", did_you_mean(name, allowed)
            )
    for name in required:
        if name not in rows[0]:
            raise InputError(file, "columns", f"without '{name}'", "a column of that name", f"add '{name}'")
    return [Row(file, line, row) for line, row in enumerate(rows, start=2)]


def by_participant(
    rows: Iterable[Row], known: Collection[str], parse: Callable[[Row], T]
) -> tuple[dict[str, list[T]], list[Failure]]:
    """What `parse` makes of each row, by participant; a fault costs its participant the rows of the table.

    A participant that is not `known` is a failure of the dataset.
    """
    found: dict[str, list[T]] = defaultdict(list)
    failures: dict[str, Failure] = {}
    for row in rows:
        who = row.text("participant_id")
        if who in failures:
            continue
        try:
            if who not in known:
                fix = did_you_mean(who, sorted(known))
                shown = f"unknown participant '{who}'" if who else "missing"
                row.fail("participant_id", shown, "a participant of the dataset", fix)
            found[who].append(parse(row))
        except InputError as error:
            failures[who] = Failure(who if who in known else "", "", error)
    return {who: items for who, items in found.items() if who not in failures}, list(failures.values())


def find_tables(root: Path, pattern: str) -> list[Path]:
    """The users' tables of a kind: files of that name at any depth below `derivatives`, and in `phenotype`.

    Results of `remyelin measure` are passed over. Links to folders are not followed.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     Path(folder, "derivatives", "vep").mkdir(parents=True)
    ...     Path(folder, "derivatives", "vep", "centre_readings.tsv").touch()
    ...     [relative(path, Path(folder)) for path in find_tables(Path(folder), "*_readings.tsv")]
    ['derivatives/vep/centre_readings.tsv']
    """
    found = list((root / "phenotype").glob(pattern))
    for pipeline in sorted((root / "derivatives").glob("*")):
        if pipeline.is_dir() and not pipeline.is_symlink() and not (pipeline / "remyelin.toml").exists():
            found += pipeline.rglob(pattern)
    return sorted(path for path in found if path.is_file() and not path.name.startswith("."))
