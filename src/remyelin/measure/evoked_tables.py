"""What is said of a participant's eyes beside the values: standard, eligibility, readers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from . import adjudication, iscev, waveforms
from . import eligibility as eligible
from .facts import write_facts
from .findings import Finding
from .swap import swap_signature

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
) -> None:
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
    """
    from remyelin.tables import Measurements

    days = {visit.id: visit.day for visit in participant.visits}
    automatic = Measurements.from_rows(found.rows)
    both = automatic if table is None else Measurements.concat([automatic, table])
    judged = eligible.eligibility(automatic.frame, settings)
    compared = adjudication.adjudicate(readings, settings.vep_reader_ms, automatic=automatic.frame, days=days)
    found.eligibility += judged.lines
    found.adjudication += compared.lines
    found.rows += [*judged.rows, *compared.rows]
    found.findings += [*compared.findings, *_exchanged(participant, both, settings)]


def _exchanged(participant: Participant, both: Measurements, settings: Measuring) -> list[Finding]:
    frame = both.frame
    ours = frame[frame["site"].str.startswith("eye:")]
    return swap_signature(ours, reader_ms=settings.vep_reader_ms)


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
