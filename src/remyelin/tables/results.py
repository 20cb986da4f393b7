"""Results: treatment effects, one row a contrast."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from remyelin.errors import InputError
from remyelin.tables.columns import Fault, Place, Text, check_columns, read_counts, read_numbers, read_text

KEY = ("endpoint", "contrast", "analysis_set", "estimator")
NUMBERS = ("estimate", "se", "df", "statistic", "p", "ci_low", "ci_high")
COUNTS = ("n_participants", "n_sites")
COLUMNS = ("endpoint", "contrast", *NUMBERS, "unit", *COUNTS, "analysis_set", "estimator", "prespecified")
_SOMETHING = re.compile(r".+")


class Results:
    """A checked table of treatment effects, the prespecified first.

    Parameters
    ----------
    frame
        Columns `endpoint, contrast, estimate, se, df, statistic, p, ci_low, ci_high, unit, n_participants,
        n_sites, analysis_set, estimator, prespecified`, all of them; the key is `endpoint, contrast,
        analysis_set, estimator`.
    file
        Named in messages.

    Raises
    ------
    InputError
        At the first cell that cannot be, by row and column.

    Examples
    --------
    >>> print(Results.from_rows([{
    ...     "endpoint": "lesion-mtr", "contrast": "drug - placebo", "estimate": 0.5, "se": 0.25, "df": 46,
    ...     "statistic": 2.0, "p": 0.051, "ci_low": -0.003, "ci_high": 1.003, "unit": "pu",
    ...     "n_participants": 49, "n_sites": 806, "analysis_set": "completers", "estimator": "ancova",
    ...     "prespecified": True}]))
    lesion-mtr, drug - placebo: +0.5 pu (CI -0.003 to +1), p 0.051; 49 participants, 806 sites; ancova,
    completers, prespecified
    """

    __slots__ = ("_frame",)

    def __init__(self, frame: pd.DataFrame, *, file: str = "", is_text: bool = False) -> None:
        self._frame = _checked(frame, Place(file, is_text))

    @property
    def frame(self) -> pd.DataFrame:
        """The table as a pandas frame; altering it does not alter the results."""
        return self._frame.copy(deep=False)

    @classmethod
    def from_rows(cls, rows: Iterable[Mapping[str, Any]]) -> Results:
        """Results from one mapping a row."""
        return cls(_frame(list(rows)))

    @classmethod
    def read(cls, path: Path | str, *, root: Path | None = None) -> Results:
        """Read `.parquet` or `.tsv`; `root` is the folder to which messages name the file."""
        from remyelin.tables.storage import read_table

        frame, place = read_table(path, root)
        return cls(frame if len(frame.columns) else _frame([]), file=place.file, is_text=place.is_text)

    def write(self, path: Path | str) -> None:
        """Write `.parquet` or `.tsv`: the same results give the same bytes, whatever their order was."""
        from remyelin.tables.storage import write_table

        write_table(self._frame, path)

    def __len__(self) -> int:
        return len(self._frame)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Results) and self._frame.equals(other._frame)

    __hash__ = None  # type: ignore[assignment]

    def told(self, order: Sequence[str] = ()) -> str:
        """One line a row; those of the endpoints in `order` come first, with what was estimated beside them.

        A sibling is named after its endpoint, with more in brackets.
        """
        rows = self._frame.to_dict("records")
        place = {name: k for k, name in enumerate(order)}
        rows.sort(key=lambda row: place.get(str(row["endpoint"]).partition(" (")[0], len(place)))
        return "\n".join(_sentence(row) for row in rows)

    def __str__(self) -> str:
        return self.told()

    def __repr__(self) -> str:
        return f"Results({len(self)} contrasts: {', '.join(self._frame.endpoint.unique())})"

    def _repr_html_(self) -> str:
        return str(self._frame.to_html(index=False, na_rep="n/a"))


def _frame(rows: list[Mapping[str, Any]]) -> pd.DataFrame:
    return pd.DataFrame(rows, dtype=object) if rows else pd.DataFrame(columns=list(COLUMNS), dtype=object)


def _sentence(row: Mapping[Any, Any]) -> str:
    p = "p < 0.0001" if row["p"] < 0.0001 else f"p {row['p']:.2g}"
    known = row["ci_low"] == row["ci_low"] and row["ci_high"] == row["ci_high"]
    interval = f"CI {row['ci_low']:+.3g} to {row['ci_high']:+.3g}" if known else "no interval"
    return (
        f"{row['endpoint']}, {row['contrast']}: {row['estimate']:+.3g} {row['unit']} ({interval}), {p}; "
        f"{row['n_participants']} participants, {row['n_sites']} sites; "
        f"{row['estimator']}, {row['analysis_set']}, {'prespecified' if row['prespecified'] else 'post hoc'}"
    )


def _checked(frame: pd.DataFrame, place: Place) -> pd.DataFrame:
    check_columns(frame, COLUMNS, (), place)
    text = {name: read_text(frame, name, place) for name in (*KEY, "unit")}
    for column in text.values():
        column.matching(_SOMETHING, "text", lambda _: "name it")
    numbers = {name: read_numbers(frame, name, place) for name in NUMBERS}
    _check_numbers(numbers, place)
    columns: dict[str, Any] = {name: column.series() for name, column in text.items()}
    columns |= numbers | {name: read_counts(frame, name, place) for name in COUNTS}
    columns["prespecified"] = _truth(frame, place)
    _check_key(text, place)
    order = np.lexsort([*(text[name].rank() for name in reversed(KEY)), ~columns["prespecified"]])
    return pd.DataFrame({name: columns[name] for name in COLUMNS}).iloc[order].reset_index(drop=True)


def _check_numbers(numbers: Mapping[str, NDArray[np.float64]], place: Place) -> None:
    low, high, estimate = numbers["ci_low"], numbers["ci_high"], numbers["estimate"]
    rules: list[tuple[NDArray[Any], str, Fault]] = [
        (np.isinf(numbers[name]), name, ("infinite", "a finite number", "write n/a where there is none"))
        for name in NUMBERS
        if name != "df"  # a normal approximation has infinite degrees of freedom
    ]
    rules += [
        (numbers["se"] < 0, "se", ("negative", "0 or more", "recompute it")),
        (numbers["df"] <= 0, "df", ("not positive", "more than 0", "recompute it")),
        ((numbers["p"] < 0) | (numbers["p"] > 1), "p", ("outside 0 to 1", "a probability", "recompute it")),
        (
            (low > estimate) | (high < estimate),
            "ci_low",
            ("an interval beside its estimate", "one around it", "recompute it"),
        ),
    ]
    for wrong, column, fault in rules:
        if wrong.any():
            place.fail(int(wrong.argmax()), column, fault)


def _truth(frame: pd.DataFrame, place: Place) -> NDArray[np.bool_]:
    words = {"true": True, "false": False, True: True, False: False}
    cells = frame["prespecified"].tolist()
    for index, cell in enumerate(cells):
        if not isinstance(cell, str | bool | np.bool_) or cell not in words:
            place.fail(index, "prespecified", (ascii(cell)[:60], "true or false", "write one of them"))
    return np.array([words[cell] for cell in cells], dtype=bool)


def _check_key(text: Mapping[str, Text], place: Place) -> None:
    codes = pd.DataFrame({name: text[name].codes for name in KEY})
    repeated = codes.duplicated().to_numpy()
    if repeated.any():
        second = int(repeated.argmax())
        first = int((codes == codes.iloc[second]).all(axis=1).to_numpy().argmax())
        found = f"a duplicate of {place.row(first)}"
        raise InputError(
            place.file,
            place.row(second),
            found,
            f"one row for each {', '.join(KEY)}",
            "keep one of the two rows",
        )
