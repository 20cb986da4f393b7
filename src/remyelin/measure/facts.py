"""Tables of what was found wrong: `failures.tsv` and `flags.tsv`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from remyelin.errors import FIELDS
from remyelin.files import atomic_write

FAILURES = ("participant_id", "visit", *FIELDS)
FLAGS = (*FAILURES, "quality")


def write_facts(path: Path, rows: Iterable[Mapping[str, str]], columns: Sequence[str]) -> None:
    """Write one line a finding; the header stands there even when all is well.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     write_facts(Path(folder, "failures.tsv"), [], FAILURES)
    ...     print(Path(folder, "failures.tsv").read_text().split()[:3])
    ['participant_id', 'visit', 'file']
    """
    lines = ["\t".join(columns)]
    lines += ["\t".join(_cell(row.get(name, "")) for name in columns) for row in rows]
    atomic_write(path, ("\n".join(lines) + "\n").encode())


def _cell(text: str) -> str:
    """A cell holds no tab or line break, and `n/a` where there is nothing."""
    return " ".join(text.split()) or "n/a"
