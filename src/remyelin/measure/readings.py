"""Peaks that people read, `derivatives/**/*_readings.tsv`: checked, and stored beside the automatic ones."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from remyelin.errors import InputError
from remyelin.tables import MEASURES

from .cells import Row, by_participant, read_rows
from .condition import AUTO, as_condition
from .findings import Failure

PEAKS = {"N75": "n75_latency_ms", "P100": "p100_latency_ms", "N135": "n135_latency_ms"}
ADJUDICATOR, ADJUDICATED = "adjudicator", "adjudicated"
PATTERN = "*_readings.tsv"
REQUIRED = (
    "participant_id",
    "visit",
    "eye",
    "check_arcmin",
    "reader",
    "peak",
    "latency_ms",
    "time",
    "reason",
)
OPTIONAL = ("run", "amplitude_uv", "quality", "repeat")
_READER = re.compile(r"[0-9A-Za-z_-]+")
_RUN = re.compile(r"[0-9A-Za-z]+")


@dataclass(frozen=True, slots=True)
class Reading:
    """One peak of one trace, as a person read it.

    Parameters
    ----------
    participant, visit, eye, check_arcmin, run
        The trace; an empty `run` means all replicates together, a `check_arcmin` of None that nobody told it.
    reader
        Who read; ``"adjudicator"`` decides where others differ.
    peak, latency_ms, amplitude_uv
        ``"N75"``, ``"P100"`` or ``"N135"``; NaN where the reader found no such peak. The amplitude is that
        from N75 to P100.
    time, reason
        When it was read (ISO 8601), and why so, in the reader's words.
    quality
        ``"pass"``, ``"flag"`` or ``"fail"``, as the reader says.
    repeat
        1, or more for another reading of the same trace by the same reader.
    file, line
        Where it stands.
    """

    participant: str
    visit: str
    eye: str
    check_arcmin: float | None
    run: str
    reader: str
    peak: str
    latency_ms: float
    amplitude_uv: float
    time: str
    reason: str
    quality: str = "pass"
    repeat: int = 1
    file: str = ""
    line: int = 0

    @property
    def trace(self) -> tuple[str, str, str, str, str]:
        """What was read: participant, visit, site, condition without the reader, and peak."""
        return self.participant, self.visit, f"eye:{self.eye}", self.condition(""), self.peak

    def condition(self, reader: str) -> str:
        """The condition of a value that `reader` read of this trace."""
        check = "" if self.check_arcmin is None else f"{self.check_arcmin:g}"
        return as_condition({"check": check, "reader": reader, "run": self.run})


def read_readings(
    paths: Iterable[Path], root: Path, known: Collection[str]
) -> tuple[dict[str, list[Reading]], list[Failure]]:
    """Read the tables of readings of a dataset.

    Columns: `participant_id, visit, eye, check_arcmin, reader, peak, latency_ms, time, reason` and, if you
    like, `run, amplitude_uv, quality, repeat`.

    Parameters
    ----------
    paths
        The files, `derivatives/**/*_readings.tsv`.
    root
        The dataset, to which messages name the files.
    known
        The participants of the dataset.

    Returns
    -------
    The readings of each participant, and the failures. A fault costs the participant in whose rows it stands
    its readings of that table; one that cannot be laid to a participant is the dataset's.
    """
    found: dict[str, list[Reading]] = {}
    failures: list[Failure] = []
    for path in sorted(paths):
        try:
            rows = read_rows(path, root, REQUIRED, OPTIONAL)
        except InputError as error:
            failures.append(Failure("", "", error))
            continue
        people, lost = by_participant(rows, known, _reading)
        failures += lost
        for person, readings in people.items():
            try:
                _check_together([*found.get(person, ()), *readings])
            except InputError as error:
                failures.append(Failure(person, "", error))
            else:
                found.setdefault(person, []).extend(readings)
    return found, failures


def _reading(row: Row) -> Reading:
    peak = row.among("peak", tuple(PEAKS))
    latency = row.measure("latency_ms", PEAKS[peak])
    amplitude = row.measure("amplitude_uv", "p100_amplitude_uv")
    if amplitude is not None and peak != "P100":
        row.fail("amplitude_uv", f"{amplitude:g} at {peak}", "n/a but at P100", "move it to the row of P100")
    quality, reason = row.among("quality", ("pass", "flag", "fail"), "pass"), row.text("reason")
    if not reason and (quality != "pass" or latency is None):
        why = f"quality is {quality}" if latency is not None else "there is no latency"
        row.fail("reason", "missing", f"words, for {why}", "say why")
    return Reading(
        participant=row.text("participant_id"),
        visit=row.visit(),
        eye=row.eye(),
        check_arcmin=row.number("check_arcmin", 3.0, 240.0, "arcmin"),
        run=_word(row, "run", _RUN, "letters and digits"),
        reader=_reader(row),
        peak=peak,
        latency_ms=np.nan if latency is None else latency,
        amplitude_uv=np.nan if amplitude is None else amplitude,
        time=_time(row),
        reason=reason,
        quality=quality,
        repeat=_repeat(row),
        file=row.file,
        line=row.line,
    )


def _word(row: Row, column: str, pattern: re.Pattern[str], expected: str) -> str:
    word = row.text(column)
    if word and not pattern.fullmatch(word):
        row.fail(column, f"'{word}'", expected, "write it so")
    return word


def _reader(row: Row) -> str:
    word = _word(row, "reader", _READER, "letters, digits, _ or -")
    if not word:
        row.fail("reader", "missing", "who read, as AB", "name the reader")
    if word.casefold() in (AUTO, ADJUDICATED):
        row.fail("reader", f"'{word}'", "a person", "name the reader: this word is the program's own")
    return word


def _repeat(row: Row) -> int:
    value = row.number("repeat", 1, 99)
    if value is not None and value != int(value):
        row.fail("repeat", f"{value:g}", "a whole number", "count the readings of a trace from 1")
    return 1 if value is None else int(value)


def _time(row: Row) -> str:
    word = row.text("time")
    try:
        read = datetime.fromisoformat(word)
    except ValueError:
        read = None
    if read is None or not re.match(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}", word):
        shown = f"'{word}'" if word else "missing"
        row.fail("time", shown, "a date and time as 2026-03-09T14:05", "write when it was read")
    return read.isoformat()


def _check_together(readings: Sequence[Reading]) -> None:
    """Each trace once for each reader, and its peaks in their order."""
    seen: dict[tuple[object, ...], Reading] = {}
    for one in readings:
        key = (one.trace, one.reader, one.repeat)
        if first := seen.get(key):
            found = f"a second {one.peak} by {one.reader} of {one.visit}, {one.eye}"
            fix = f"keep it or that of {first.file}, line {first.line}; number repeated readings in `repeat`"
            raise InputError(one.file, f"line {one.line}", found, "one reading of each peak", fix)
        seen[key] = one
    for one in readings:
        for before, after in (("N75", "P100"), ("P100", "N135"), ("N75", "N135")):
            later = seen.get(((*one.trace[:-1], after), one.reader, one.repeat))
            if one.peak == before and later is not None and one.latency_ms >= later.latency_ms:
                found = f"{one.latency_ms:g} ms for {before}, after {after} at {later.latency_ms:g} ms"
                where = f"line {one.line}, column latency_ms"
                raise InputError(one.file, where, found, "N75 < P100 < N135", "exchange or correct the peaks")


def reading_rows(readings: Iterable[Reading], days: Mapping[str, float | None]) -> list[dict[str, Any]]:
    """Rows for `Measurements`, condition `check=60;reader=AB`; repeated readings are left out.

    A peak that the reader did not find has the state `absent`. `reason` says when it was read, and why.

    Parameters
    ----------
    readings
        Of one participant.
    days
        Day of each visit; a visit that is not among them has none.

    Examples
    --------
    >>> one = Reading("sub-01", "M00", "OD", 60.0, "", "AB", "P100", 118.5, 7.2, "2026-03-09T14:05", "sure")
    >>> [(row["measure"], row["condition"], row["value"], row["reason"]) for row in reading_rows([one], {})]
    [('p100_latency_ms', 'check=60;reader=AB', 118.5, 'read 2026-03-09T14:05: sure'),
     ('p100_amplitude_uv', 'check=60;reader=AB', 7.2, 'read 2026-03-09T14:05: sure')]
    """
    rows = []
    for one in readings:
        values = {PEAKS[one.peak]: one.latency_ms}
        if np.isfinite(one.amplitude_uv):
            values["p100_amplitude_uv"] = one.amplitude_uv
        day = days.get(one.visit)
        for measure, value in values.items() if one.repeat == 1 else ():
            rows.append(
                {
                    "participant_id": one.participant,
                    "visit": one.visit,
                    "day": np.nan if day is None else day,
                    "site": f"eye:{one.eye}",
                    "measure": measure,
                    "condition": one.condition(one.reader),
                    "value": value,
                    "unit": MEASURES[measure].unit,
                    "state": "present" if np.isfinite(value) else "absent",
                    "quality": one.quality,
                    "reason": f"read {one.time}" + (f": {one.reason}" if one.reason else ""),
                    "source": one.file,
                }
            )
    return rows
