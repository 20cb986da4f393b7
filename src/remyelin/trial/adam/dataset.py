"""A dataset of variables with labels, and how they are named."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from remyelin.protocol import Protocol
from remyelin.protocol.parts import PLACEBO, Arm

NAME_LETTERS, LABEL_LETTERS = 8, 40
Columns = dict[str, tuple[str, Iterable[object]]]
"""Label and values by variable."""


@dataclass(frozen=True, slots=True)
class Dataset:
    """A dataset with the labels of its variables.

    Attributes
    ----------
    name, label
        As ``"ADSL"``, at most 8 letters; at most 40.
    frame
        Variables of at most 8 capital letters and digits; numbers as floats, text without missing values.
    labels
        By variable, at most 40 letters.
    """

    name: str
    label: str
    frame: pd.DataFrame
    labels: Mapping[str, str]

    def to_frame(self) -> pd.DataFrame:
        """The variables."""
        return self.frame.copy()

    def __str__(self) -> str:
        return f"{self.name} ({self.label}): {len(self.frame)} records of {self.frame.shape[1]} variables"

    def _repr_html_(self) -> str:
        return f"<p>{self}</p>{self.frame.to_html(index=False, max_rows=20)}"


def dataset(name: str, label: str, columns: Columns) -> Dataset:
    """Numbers as floats, everything else as text."""
    frame = pd.DataFrame({variable: list(values) for variable, (_, values) in columns.items()})
    for variable in frame:
        column = frame[variable]
        if pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column):
            frame[variable] = column.astype(np.float64)
        else:
            text = column.astype(object).where(column.notna(), "")
            frame[variable] = text.map(lambda cell: "" if cell == "n/a" else str(cell)).astype(object)
    labels = {variable: words[:LABEL_LETTERS] for variable, (words, _) in columns.items()}
    return Dataset(name, label, frame, labels)


def subject(ids: pd.Series, protocol: Protocol) -> Columns:
    """The variables that say which study and which subject."""
    study = protocol.trial.id
    return {
        "STUDYID": ("Study Identifier", [study] * len(ids)),
        "USUBJID": ("Unique Subject Identifier", [f"{study}-{name.removeprefix('sub-')}" for name in ids]),
    }


def treatment(arm: Arm, period: int) -> str:
    """What an arm was to have in a period, counted from 0."""
    return arm.sequence[period] if arm.sequence else arm.treatment or PLACEBO


def short_names(names: Iterable[str], taken: Iterable[str] = ()) -> dict[str, str]:
    """A name of at most 8 capital letters and digits for each, all different.

    Examples
    --------
    >>> short_names(["submedian-lesion-mtr", "submedian-lesion-mtsat", "2nd"])
    {'submedian-lesion-mtr': 'SUBMEDIA', 'submedian-lesion-mtsat': 'SUBMEDI2', '2nd': 'X2ND'}
    """
    used, found = set(taken), {}
    for name in names:
        letters = re.sub(r"[^A-Z0-9]", "", name.upper()) or "X"
        letters = letters if letters[0].isalpha() else f"X{letters}"
        short, k = letters[:NAME_LETTERS], 1
        while short in used:
            k += 1
            short = f"{letters[: NAME_LETTERS - len(str(k))]}{k}"
        used.add(short)
        found[name] = short
    return found
