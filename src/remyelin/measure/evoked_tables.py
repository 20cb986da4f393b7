"""What is said of a participant's eyes beside the values: standard, eligibility, readers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import adjudication, iscev, waveforms
from . import eligibility as eligible
from .facts import write_facts
from .findings import Finding
from .swap import exchanged_pairs
from .swap_rows import mark_exchanged

if TYPE_CHECKING:
    from remyelin.protocol import Measuring
    from remyelin.tables import Measurements

    from .dataset import Participant
    from .evoked import Evoked
    from .readings import Reading

TABLES = {
    "iscev": iscev.COLUMNS,
    "eligibility": eligible.COLUMNS,
    "adjudication": adjudication.COLUMNS,
}
"""The tables beside the measurements, which the group level joins, and their columns."""


def judge_eyes(
    found: Evoked,
    participant: Participant,
    settings: Measuring,
    table: Measurements | None,
    readings: Sequence[Reading],
) -> Measurements | None:
    """Add what follows from the latencies: eligibility, readers who differ, eyes that look exchanged.

    Parameters
    ----------
    found
        What was measured; rows, lines and findings are added to it.
    participant
        Whose.
    settings
        Cut-offs and limits.
    table
        The participant's rows of the users' own tables and of readers.
    readings
        What readers read.

    Returns
    -------
    The table, with the eyes marked that look exchanged in it.
    """
    from remyelin.tables import Measurements

    days = {visit.id: visit.day for visit in participant.visits}
    table, exchanged = _exchanged(found, table, settings, list(days))
    automatic = Measurements.from_rows(found.rows)
    judged = eligible.eligibility(automatic.frame, settings)
    compared = adjudication.adjudicate(readings, settings.vep_reader_ms, automatic=automatic.frame, days=days)
    found.eligibility += judged.lines
    found.adjudication += compared.lines
    found.rows += [*judged.rows, *compared.rows]
    found.findings += [*compared.findings, *exchanged]
    return table


def _exchanged(
    found: Evoked, table: Measurements | None, settings: Measuring, visits: Sequence[str]
) -> tuple[Measurements | None, list[Finding]]:
    """The table and findings of exchanged eyes, which are marked in the rows of both sources."""
    from remyelin.tables import Measurements

    brought: list[dict[str, Any]] = []
    if table is not None:
        brought = [{str(name): cell for name, cell in row.items()} for row in table.frame.to_dict("records")]
    both = Measurements.from_rows([*found.rows, *brought]).frame
    ours = both[both["site"].str.startswith("eye:")]
    exchanged = exchanged_pairs(ours, reader_ms=settings.vep_reader_ms)
    if not exchanged:
        return table, []
    mark_exchanged([*found.rows, *brought], exchanged, visits)
    return (None if table is None else Measurements.from_rows(brought)), [one for _, one in exchanged]


def write_evoked(folder: Path, name: str, found: Evoked) -> None:
    """Write the tables of a participant that have lines; one without lines is removed."""
    tables = {
        "iscev": (found.standard, TABLES["iscev"]),
        "eligibility": (found.eligibility, TABLES["eligibility"]),
        "adjudication": (found.adjudication, TABLES["adjudication"]),
        "waveforms": (found.waveforms, waveforms.COLUMNS),
    }
    for kind, (lines, columns) in tables.items():
        path = folder / f"{name}_{kind}.tsv"
        if lines:
            write_facts(path, lines, columns)
        else:
            path.unlink(missing_ok=True)
