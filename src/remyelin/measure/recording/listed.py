"""`channels.tsv`: what it says of each channel."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from remyelin.errors import InputError
from remyelin.files import read_tsv, relative
from remyelin.measure.sidecar import inherited

_MISSING = ("", "n/a", "N/A")


@dataclass(frozen=True, slots=True)
class Listed:
    """One row; a word is empty where the table does not tell it."""

    kind: str = ""
    unit: str = ""
    bad: bool = False
    reason: str = ""


@dataclass(frozen=True, slots=True)
class ListedChannels:
    """The table of a recording; `file` is empty if there is none."""

    file: str
    rows: dict[str, Listed]

    def row(self, label: str) -> Listed:
        """Of the channel with a label; an empty row if it is not listed."""
        return self.rows.get(label.strip(), Listed())


def read_listed(recording: Path, root: Path) -> ListedChannels:
    """Read the nearest `channels.tsv` of a recording.

    Raises
    ------
    InputError
        As `remyelin.files.read_tsv`; no column `name`; a channel in two rows.
    """
    path = table_of(recording, root, "channels")
    if path is None:
        return ListedChannels("", {})
    file = relative(path, root)
    table = read_tsv(path, root)
    if table and "name" not in table[0]:
        fix = "name the column of the channels name"
        raise InputError(file, "columns", "without name", "name, type, units", fix)
    rows: dict[str, Listed] = {}
    for row in table:
        label = row["name"].strip()
        if label in rows:
            fix = "keep one row for each channel"
            raise InputError(file, f"channel {label}", "duplicate", "one row a channel", fix)
        kind, unit, status, reason = (
            _word(row, key) for key in ("type", "units", "status", "status_description")
        )
        rows[label] = Listed(kind.upper(), unit, status.casefold() == "bad", reason)
    return ListedChannels(file, rows)


def table_of(recording: Path, root: Path, suffix: str) -> Path | None:
    """The nearest `events.tsv` or `channels.tsv` of a recording, by inheritance; None if there is none."""
    stem = recording.name.split(".", 1)[0]
    twin = recording.with_name(stem.removesuffix("_eeg") + f"_{suffix}.tsv")
    found = inherited(twin, root, ".tsv")
    return found[-1] if found else None


def _word(row: dict[str, str], key: str) -> str:
    value = row.get(key, "").strip()
    return "" if value in _MISSING else value
