"""SAS transport files (XPT version 5), which regulators read; the same dataset gives the same bytes."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path

from remyelin.errors import InputError
from remyelin.files import atomic_write
from remyelin.trial.adam.dataset import LABEL_LETTERS, NAME_LETTERS, Dataset

TEXT_BYTES = 200
EPOCH = b"01JAN60:00:00:00"
"""Day 0 of SAS stands where the format keeps the time of writing: same input, same bytes."""

STAMPS = (144, 160, 464, 480)
"""Where the headers of the library and of its member say when they were made and changed (SAS TS-140)."""


def write_xpt(dataset: Dataset, path: Path) -> None:
    """Write a dataset as SAS transport file version 5.

    Parameters
    ----------
    dataset
        Its name is that of the member.
    path
        As ``adam/ADSL.xpt``.

    Raises
    ------
    InputError
        Without the extra ``regulatory``; for a name of more than 8 letters, a label of more than 40, text of
        more than 200 bytes or outside ASCII, which the format cannot hold.

    Notes
    -----
    Times of writing are set to 1 January 1960: a time stamp in a result would make two equal results differ.
    """
    try:
        import pyreadstat
    except ImportError:
        raise InputError(
            "", "writing SAS transport files", "not possible", "the package pyreadstat",
            "pip install 'remyelin[regulatory]'; the same datasets stand beside as CSV",
        ) from None  # fmt: skip
    _check(dataset)
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder) / "made.xpt"
        pyreadstat.write_xport(
            dataset.frame,
            made,
            file_label=dataset.label,
            column_labels=dict(dataset.labels),
            table_name=dataset.name,
            file_format_version=5,
        )
        content = bytearray(made.read_bytes())
    for start in STAMPS:
        if not re.fullmatch(rb"\d\d[A-Z]{3}\d\d:\d\d:\d\d:\d\d", content[start : start + len(EPOCH)]):
            raise InputError(
                path.name, "header", "without a time where the format has one", "a version 5 transport file",
                "report this: another pyreadstat may write another header",
            )  # fmt: skip
        content[start : start + len(EPOCH)] = EPOCH
    atomic_write(path, bytes(content))


def _check(dataset: Dataset) -> None:
    """What version 5 cannot hold, by variable."""
    for variable in dataset.frame:
        name, label = str(variable), dataset.labels[str(variable)]
        if not re.fullmatch(rf"[A-Z][A-Z0-9]{{0,{NAME_LETTERS - 1}}}", name):
            expected = f"at most {NAME_LETTERS} capital letters and digits"
            raise InputError(dataset.name, name, "no name of the format", expected, "give it a shorter name")
        if len(label) > LABEL_LETTERS or not label.isascii():
            found = f"labelled {label!r}"
            expected = f"at most {LABEL_LETTERS} letters of ASCII"
            raise InputError(dataset.name, name, found, expected, "rename the column of participants.tsv")
        if dataset.frame[variable].dtype != object:
            continue
        for text in dataset.frame[variable]:
            if not text.isascii() or len(text) > TEXT_BYTES:
                expected = f"at most {TEXT_BYTES} letters of ASCII"
                fix = "write it so in participants.tsv; CSV keeps it as it is"
                raise InputError(dataset.name, name, f"{text[:60]!r}", expected, fix)
