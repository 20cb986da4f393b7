"""What users bring beside the recordings: values of their own, readers' peaks, retinas."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from remyelin.errors import InputError

from . import readings, retina
from .cells import find_tables
from .findings import Failure, Finding
from .usertables import read_tables

if TYPE_CHECKING:
    from remyelin.tables import Measurements

    from .dataset import Dataset


@dataclass(frozen=True, slots=True)
class Brought:
    """The users' tables of a dataset.

    Parameters
    ----------
    tables
        Measurements of each participant, from all kinds of tables.
    readings
        What readers read, for their comparison.
    failures, findings
        What could not be used, and what is doubtful.
    """

    tables: dict[str, Measurements]
    readings: dict[str, list[readings.Reading]]
    failures: list[Failure]
    findings: list[Finding]


def read_brought(dataset: Dataset) -> Brought:
    """Read `*_measurements.tsv`, `*_readings.tsv` and `*_retina.tsv` of a dataset."""
    tables, failures = read_tables(dataset)
    days = {person.id: {visit.id: visit.day for visit in person.visits} for person in dataset.participants}
    read, lost = readings.read_readings(
        find_tables(dataset.root, readings.PATTERN), dataset.root, dataset.known
    )
    found = retina.read_retina(find_tables(dataset.root, retina.PATTERN), dataset.root, dataset.known, days)
    failures = [*failures, *lost, *found.failures]
    rows: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for person, own in read.items():
        rows[person] += readings.reading_rows(own, days.get(person, {}))
    for person, own_rows in found.rows.items():
        rows[person] += own_rows
    for person, more in rows.items():
        try:
            tables[person] = _joined(tables.get(person), more)
        except InputError as error:
            failures.append(Failure(person, "", error))
    return Brought(tables, read, failures, found.findings)


def _joined(table: Measurements | None, rows: list[dict[str, Any]]) -> Measurements:
    from remyelin.tables import Measurements

    more = Measurements.from_rows(rows)
    return more if table is None else Measurements.concat([table, more])
