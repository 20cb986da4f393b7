"""Measurement tables that users bring in `derivatives/**/*measurements.tsv`: the same checks as our own."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING

from remyelin.errors import InputError
from remyelin.files import read_text, relative

from .findings import Failure

if TYPE_CHECKING:
    from remyelin.tables import Measurements

    from .dataset import Dataset

_LINE = re.compile(r"line (\d+)")


def read_tables(dataset: Dataset) -> tuple[dict[str, Measurements], list[Failure]]:
    """Read the users' tables of a dataset.

    Returns
    -------
    The rows of each participant, and the failures. A fault costs the participant in whose rows it stands its
    rows of that table; one that cannot be laid to a participant of the dataset is the dataset's.
    """
    from remyelin.tables import Measurements

    found: dict[str, list[tuple[Path, Measurements]]] = defaultdict(list)
    failures = []
    for path in dataset.tables:
        try:
            table, errors = _read(path, dataset)
        except InputError as error:
            failures.append(Failure("", "", error))
            continue
        failures += [Failure(who if who in dataset.known else "", "", error) for who, error in errors.items()]
        frame = table.frame
        named = frame.assign(source=frame["source"].replace({"": relative(path, dataset.root)}))
        for participant in frame["participant_id"].unique():
            own = Measurements(named[named["participant_id"] == participant])
            found[participant].append((path, own))
    joined = {}
    for participant, parts in found.items():
        try:
            joined[participant] = Measurements.concat([table for _, table in parts])
        except InputError as error:
            file = relative(parts[-1][0], dataset.root)
            facts = {**error.facts(), "file": file, "field": f"{participant} in several tables"}
            failures.append(Failure(participant, "", InputError(**facts)))
    return joined, failures


def _read(path: Path, dataset: Dataset) -> tuple[Measurements, dict[str, InputError]]:
    from remyelin.tables import Measurements

    try:
        return Measurements.read_each(path, root=dataset.root, known=dataset.known)
    except InputError as error:
        lines = _shifted(path, dataset, error)
        if not lines:
            raise
        return _without_shifted(path, dataset, lines, error)


def _shifted(path: Path, dataset: Dataset, error: InputError) -> dict[int, list[str]]:
    """Lines with more or fewer fields than the header, if that is the error and each tells whose it is."""
    if not _LINE.fullmatch(error.field):
        return {}
    try:
        header, *lines = read_text(path, dataset.root).rstrip("\n").split("\n")
    except InputError:
        return {}
    width = header.count("\t")
    found = {n: line.split("\t") for n, line in enumerate(lines, start=2) if line.count("\t") != width}
    named = header.startswith("participant_id\t") and all(row[0] in dataset.known for row in found.values())
    return found if named else {}


def _without_shifted(
    path: Path, dataset: Dataset, shifted: dict[int, list[str]], error: InputError
) -> tuple[Measurements, dict[str, InputError]]:
    """The rows of the participants who have no shifted line; the errors of these and of any others."""
    import pandas as pd

    from remyelin.tables import Measurements

    errors: dict[str, InputError] = {}
    for number, row in shifted.items():
        facts = {**error.facts(), "field": f"line {number}", "found": f"of {len(row)} fields"}
        errors.setdefault(row[0], InputError(**facts))
    header, *lines = (line.split("\t") for line in read_text(path, dataset.root).rstrip("\n").split("\n"))
    people: dict[str, list[int]] = defaultdict(list)
    for index, row in enumerate(lines):
        if row[0] not in errors:
            people[row[0]].append(index)
    good = []
    for participant, rows in people.items():
        frame = pd.DataFrame([lines[index] for index in rows], columns=header, dtype=object)
        try:
            good.append(Measurements(frame, file=error.file, known=dataset.known, is_text=True))
        except InputError as fault:
            errors[participant] = _renumbered(fault, rows)
    return Measurements.concat(good), errors


def _renumbered(error: InputError, rows: Collection[int]) -> InputError:
    """The error with the line numbers of the file instead of those among some of its rows."""
    lines = [index + 2 for index in rows]
    facts = {
        name: _LINE.sub(lambda match: f"line {lines[int(match[1]) - 2]}", text)
        for name, text in error.facts().items()
    }
    return InputError(**facts)
