"""The columns of a table, read strictly: a fault is told by row and column, nothing is repaired in silence.

Text is held as codes into its distinct words, so that a check costs one look at each word, not at each row.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, NoReturn

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from remyelin.errors import InputError, did_you_mean

MISSING = "n/a"
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?|[+-]?inf")
_DECIMAL_COMMA = re.compile(r"[+-]?\d*,\d+")
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")  # surrogates are names that could not be decoded

Fault = tuple[str, str, str]
"""What was found, what was expected, how to put it right."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a table comes from: the file named in messages, and whether its rows are lines under a header.

    `rows` are the positions in the file of the rows at hand, where they are only some of them.
    """

    file: str = ""
    is_text: bool = False
    rows: tuple[int, ...] | None = None

    def row(self, index: int) -> str:
        """The name that a reader gives to row `index` (from 0)."""
        position = index if self.rows is None else self.rows[index]
        return f"line {position + 2}" if self.is_text else f"row {position + 1}"

    def fail(self, index: int, column: str, fault: Fault) -> NoReturn:
        """Reject the table for the cell at row `index` of `column`."""
        raise InputError(self.file, f"{self.row(index)}, column {column}", *fault)


@dataclass(frozen=True, slots=True)
class Text:
    """A column of text: `words[codes]`; the empty word is a missing one."""

    name: str
    place: Place
    codes: NDArray[np.int64]
    words: tuple[str, ...]

    def check(self, fault: Callable[[str], Fault | None]) -> None:
        """Reject the table at the first row whose word has a `fault`."""
        faults = {code: found for code, word in enumerate(self.words) if (found := fault(word))}
        if faults:
            index = int(np.isin(self.codes, list(faults)).argmax())
            self.place.fail(index, self.name, faults[int(self.codes[index])])

    def among(self, allowed: Iterable[str]) -> None:
        """Every word must be one of `allowed`."""
        names = tuple(allowed)
        self.check(lambda word: None if word in names else _not_among(word, names))

    def matching(self, pattern: re.Pattern[str], expected: str, fix: Callable[[str], str]) -> None:
        """Every word must be `expected`, which is what `pattern` matches."""
        self.check(lambda word: None if pattern.fullmatch(word) else (_shown(word), expected, fix(word)))

    def map(self, value: Callable[[str], Any]) -> NDArray[Any]:
        """(row,) `value` of each row's word."""
        return np.array([value(word) for word in self.words])[self.codes] if self.words else np.array([])

    def rank(self) -> NDArray[np.int64]:
        """(row,) position of each row's word among the sorted words."""
        position = np.empty(len(self.words), dtype=np.int64)
        position[sorted(range(len(self.words)), key=self.words.__getitem__)] = np.arange(len(self.words))
        return position[self.codes]

    def series(self) -> pd.Series[str]:
        """The column as pandas text."""
        words = np.array([*self.words, ""], dtype=object)  # one more, so that the array is never empty
        return pd.Series(words[self.codes], dtype="str")


def read_text(frame: pd.DataFrame, name: str, place: Place, default: str = "") -> Text:
    """The text column `name`; where there is none, `default` in every row."""
    if name not in frame:
        return Text(name, place, np.zeros(len(frame), dtype=np.int64), (default,))
    codes, cells = pd.factorize(frame[name].to_numpy(dtype=object), use_na_sentinel=True)
    for code, cell in enumerate(cells):
        if fault := _text_fault(cell):
            place.fail(int((codes == code).argmax()), name, fault)
    words = [cell.strip() for cell in cells] + [""]
    words = ["" if word == MISSING else word for word in words]
    known = list(dict.fromkeys(words))
    merged = np.array([known.index(word) for word in words], dtype=np.int64)
    return _tight(Text(name, place, merged[codes], tuple(known)))


def _tight(column: Text) -> Text:
    """Without the words that stand in no row: they must not be checked."""
    used, codes = np.unique(column.codes, return_inverse=True)
    return Text(column.name, column.place, codes, tuple(column.words[i] for i in used))


def read_numbers(frame: pd.DataFrame, name: str, place: Place) -> NDArray[np.float64]:
    """(row,) the numbers of column `name`, NaN where one is missing; all NaN without such a column."""
    if name not in frame:
        return np.full(len(frame), np.nan)
    column = frame[name]
    if column.dtype.kind in "fiu":
        return column.to_numpy(dtype=np.float64, na_value=np.nan)
    codes, cells = pd.factorize(column.to_numpy(dtype=object), use_na_sentinel=True)
    numbers = np.full(len(cells) + 1, np.nan)
    for code, cell in enumerate(cells):
        number = _number(cell)
        if isinstance(number, tuple):
            place.fail(int((codes == code).argmax()), name, number)
        numbers[code] = number
    return numbers[codes]


def read_counts(frame: pd.DataFrame, name: str, place: Place) -> NDArray[np.int64]:
    """(row,) the whole numbers of column `name`, none missing."""
    numbers = read_numbers(frame, name, place)
    # Above 2**53 a double no longer holds every whole number.
    wrong = ~((numbers >= 0) & (numbers <= 2**53)) | (np.floor(numbers) != numbers)
    if wrong.any():
        index = int(wrong.argmax())
        place.fail(
            index, name, (f"{numbers[index]:g}, not a count", "a whole number, 0 or more", "count again")
        )
    return numbers.astype(np.int64)


def check_columns(
    frame: pd.DataFrame, required: Iterable[str], optional: Iterable[str], place: Place
) -> None:
    """The table has the `required` columns, each once, and none but those and the `optional`."""
    names = [str(name) for name in frame.columns]
    allowed = (*required, *optional)
    for name in names:
        if name not in allowed:
            raise InputError(
                place.file, "columns", f"'{name}'", "a column of this table", did_you_mean(name, allowed)
            )
        if names.count(name) > 1:
            raise InputError(place.file, "columns", f"'{name}' twice", "each column once", "keep one of them")
    for name in required:
        if name not in names:
            raise InputError(
                place.file, "columns", f"without '{name}'", "a column of that name", f"add '{name}'"
            )


def _number(cell: object) -> float | Fault:
    if isinstance(cell, str):
        return _parsed(cell.strip())
    if isinstance(cell, int | float | np.integer | np.floating) and not isinstance(cell, bool):
        return float(cell)
    return _shown(cell), "a number", "write the number, or n/a where there is none"


def _parsed(word: str) -> float | Fault:
    if word in ("", MISSING):
        return math.nan
    if _NUMBER.fullmatch(word):
        return float(word)
    if _DECIMAL_COMMA.fullmatch(word):
        return (
            f"'{word}' with a decimal comma",
            "a number with a decimal point",
            f"write {word.replace(',', '.')}",
        )
    return _shown(word), "a number", "write the number with a decimal point, or n/a where it is missing"


def _text_fault(cell: object) -> Fault | None:
    if not isinstance(cell, str):
        return _shown(cell), "text", "write it as text"
    if _CONTROL.search(cell):
        return f"{cell!a} with a control character", "printable text", "take the character out"
    return None


def _not_among(word: str, names: tuple[str, ...]) -> Fault:
    return (
        _shown(word),
        f"one of {', '.join(names[:8])}" + (", ..." if len(names) > 8 else ""),
        did_you_mean(word, names),
    )


def _shown(cell: object) -> str:
    if isinstance(cell, str):
        return f"'{cell[:60]}'" if cell else "empty"
    return ascii(cell)[:60]
