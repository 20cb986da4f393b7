"""Measurements: tidy, one row a value, the same for a virtual participant and a real one."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from remyelin.errors import InputError
from remyelin.tables.columns import Place, check_columns
from remyelin.tables.rules import COLUMNS, REQUIRED, checked


class Measurements:
    """A checked table of measurements, sorted by its key.

    Parameters
    ----------
    frame
        Columns `participant_id, visit, day, site, measure, condition, value, se, unit, state, quality,
        reason, source`, of which `participant_id, visit, site, measure, value, unit` must be there; a virtual
        cohort has `trial` (a whole number) as well. The key is `participant_id, visit, site, measure,
        condition` (and `trial`).
    file
        Named in messages.
    known
        The participants of the dataset; any other is refused.

    Raises
    ------
    InputError
        At the first cell that is not what its column holds, by row and column.

    Examples
    --------
    >>> table = Measurements.from_rows([
    ...     {"participant_id": "sub-01", "visit": "M00", "site": "eye:OD", "measure": "p100_latency_ms",
    ...      "value": 118.5, "unit": "ms"}])
    >>> len(table), table.frame.state[0]
    (1, 'present')
    """

    __slots__ = ("_frame",)

    def __init__(
        self,
        frame: pd.DataFrame,
        *,
        file: str = "",
        known: Collection[str] | None = None,
        is_text: bool = False,
    ) -> None:
        self._frame = checked(frame, Place(file, is_text), known)

    @property
    def frame(self) -> pd.DataFrame:
        """The table as a pandas frame; altering it does not alter the measurements."""
        return self._frame.copy(deep=False)

    @classmethod
    def from_rows(cls, rows: Iterable[Mapping[str, Any]], source: str = "") -> Measurements:
        """Measurements from one mapping a row; `source` fills the column where a row names none."""
        frame = pd.DataFrame([{"source": source, **row} for row in rows], dtype=object)
        return cls(frame if len(frame) else pd.DataFrame(columns=list(COLUMNS), dtype=object))

    @classmethod
    def read(
        cls, path: Path | str, *, root: Path | None = None, known: Collection[str] | None = None
    ) -> Measurements:
        """Read `.parquet` or `.tsv`; `root` is the folder to which messages name the file."""
        from remyelin.tables.storage import read_table

        frame, place = read_table(path, root)
        frame = frame if len(frame.columns) else pd.DataFrame(columns=list(COLUMNS), dtype=object)
        return cls(frame, file=place.file, known=known, is_text=place.is_text)

    @classmethod
    def read_each(
        cls, path: Path | str, *, root: Path | None = None, known: Collection[str] | None = None
    ) -> tuple[Measurements, dict[str, InputError]]:
        """Read like `read`, but a fault rejects only the participant in whose rows it stands.

        Returns
        -------
        The measurements of the participants without a fault, and the error of each other one by its id.
        """
        from remyelin.tables.storage import read_table

        frame, place = read_table(path, root)
        check_columns(frame, REQUIRED if len(frame) else (), (*COLUMNS, "trial"), place)
        good, errors = [cls.from_rows([])], {}
        for person, rows in (
            frame.groupby("participant_id", dropna=False).indices if len(frame) else {}
        ).items():
            try:
                here = replace(place, rows=tuple(int(row) for row in rows))
                good.append(cls._of(checked(frame.iloc[rows], here, known)))
            except InputError as error:
                errors[str(person)] = error
        return cls.concat(good), errors

    def write(self, path: Path | str) -> None:
        """Write `.parquet` or `.tsv`: the same measurements give the same bytes, whatever their order was."""
        from remyelin.tables.storage import write_table

        write_table(self._frame, path)

    @classmethod
    def concat(cls, tables: Sequence[Measurements]) -> Measurements:
        """All rows of several tables; a key may stand in one of them only."""
        frames = [table._frame for table in tables if len(table)]
        return cls(pd.concat(frames, ignore_index=True)) if frames else cls.from_rows([])

    def select(
        self,
        *,
        measure: str | None = None,
        site: str | None = None,
        visit: str | None = None,
        condition: str | None = None,
        participant_id: str | None = None,
    ) -> Measurements:
        """The rows with these words; `site` is one site (``"lesion:007"``) or a kind (``"lesion"``)."""
        keep = np.ones(len(self), dtype=bool)
        wanted = {
            "measure": measure,
            "visit": visit,
            "condition": condition,
            "participant_id": participant_id,
        }
        for name, word in wanted.items():
            if word is not None:
                keep &= (self._frame[name] == word).to_numpy()
        if site is not None:
            sites = self._frame["site"]
            keep &= ((sites == site) | sites.str.startswith(f"{site}:")).to_numpy()
        return self._of(self._frame[keep].reset_index(drop=True))

    @classmethod
    def _of(cls, checked_frame: pd.DataFrame) -> Measurements:
        made = object.__new__(cls)
        made._frame = checked_frame
        return made

    def __len__(self) -> int:
        return len(self._frame)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Measurements) and self._frame.equals(other._frame)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        people = self._frame["participant_id"].nunique()
        measures = ", ".join(self._frame["measure"].unique())
        return f"Measurements({len(self)} values, {people} participants: {measures})"

    def _repr_html_(self) -> str:
        return str(self._frame.to_html(index=False, max_rows=20, na_rep="n/a"))
