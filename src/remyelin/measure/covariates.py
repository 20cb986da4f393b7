"""The participants' table: covariates, never the allocation."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from remyelin.errors import InputError, RefuseRun
from remyelin.files import read_tsv, relative

if TYPE_CHECKING:
    import pandas as pd

# Names of the allocation alone or with a qualifier; `age_group` and `prior_treatment` are covariates.
_ALLOCATION = re.compile(
    r"(?:(?:allocation|randomi[sz]ation|act|planned|actual) ?)?arm(?:cd| code| id| name)?|trt(?:\d\d[ap])?"
    r"|(?:allocation|randomi[sz]ation)(?: code)?"
    r"|(?:(?:treatment|trial|study|drug|randomi[sz]ed|randomi[sz]ation|assigned|allocated|allocation) ?)?"
    r"(?:arm|group|treatment|sequence)"
)


@dataclass(frozen=True, slots=True)
class Covariates:
    """Rows of `participants.tsv` as they stand, one a participant; who was refused, and why."""

    rows: tuple[Mapping[str, str], ...] = ()
    refused: Mapping[str, InputError] = field(default_factory=dict)

    def frame(self) -> pd.DataFrame:
        """A frame with `participant_id` first; columns of numbers as numbers, `n/a` as missing."""
        import pandas as pd

        table = pd.DataFrame([dict(row) for row in self.rows] or {"participant_id": []}, dtype="str")
        table = table.mask(table.isin(["n/a", ""]))
        for column in table.columns.drop("participant_id"):
            numbers = pd.to_numeric(table[column], errors="coerce")
            if numbers.notna().any() and (numbers.notna() == table[column].notna()).all():
                table[column] = numbers
        return table[["participant_id", *table.columns.drop("participant_id")]]


def read_covariates(path: Path, root: Path) -> Covariates:
    """Read `participants.tsv`; without one there are no covariates.

    Raises
    ------
    InputError
        If the table cannot be read as a whole (encoding, NUL bytes, a ragged row, no `participant_id`).
    RefuseRun
        If a column tells the allocation: whoever measures must not know it.

    Notes
    -----
    A participant in two rows is refused alone; the others are kept.
    """
    if not os.path.lexists(path):
        return Covariates()
    file = relative(path, root)
    rows = read_tsv(path, root)
    columns = list(rows[0]) if rows else ["participant_id"]
    refuse_allocation(columns, file)
    if "participant_id" not in columns:
        fix = "name the first column participant_id"
        raise InputError(file, "columns", "without participant_id", "a column participant_id", fix)
    refused = _duplicates(rows, file)
    kept = tuple(row for row in rows if row["participant_id"] not in refused)
    return Covariates(kept, refused)


def refuse_allocation(columns: Iterable[str], file: str) -> None:
    """Refuse a table of the dataset that has a column with the allocation.

    Raises
    ------
    RefuseRun
        If a column is named arm, group, treatment, allocation or sequence, alone or qualified
        (``treatment_arm``, ``randomised group``).

    Examples
    --------
    >>> refuse_allocation(["participant_id", "age_group"], "participants.tsv")
    >>> refuse_allocation(["participant_id", "Treatment Arm"], "participants.tsv")
    Traceback (most recent call last):
    remyelin.errors.RefuseRun: participants.tsv: column 'Treatment Arm' is the allocation, ...
    """
    for column in columns:
        if _ALLOCATION.fullmatch(re.sub(r"[\s_.-]+", " ", column.casefold()).strip()):
            expected = "a dataset that keeps everyone blind"
            fix = "move it to an allocation file outside the dataset, and record that the blind was broken"
            raise RefuseRun(file, f"column {column!r}", "the allocation", expected, fix)


def _duplicates(rows: Sequence[Mapping[str, str]], file: str) -> dict[str, InputError]:
    seen: dict[str, int] = {}
    refused: dict[str, InputError] = {}
    for line, row in enumerate(rows, start=2):
        participant = row["participant_id"]
        if participant in seen:
            found = f"a duplicate of line {seen[participant]} ({participant})"
            fix = "keep one row, the one that the source documents support"
            refused[participant] = InputError(file, f"line {line}", found, "one row a participant", fix)
        seen.setdefault(participant, line)
    return refused
