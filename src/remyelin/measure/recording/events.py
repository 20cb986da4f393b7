"""The reversals of a recording: from `events.tsv`, from marks in the file, or both, which must agree."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from remyelin.errors import Flag, InputError
from remyelin.files import read_tsv, relative

from .continuous import Continuous, Mark
from .label import MISSING, Stated, agreed, check_size, eye, eye_in

_STIMULUS = re.compile(r"revers|pattern|checker|stim|trig|flash", re.IGNORECASE)
_BAD = re.compile(r"bad(?:[\s_:/-]|$)", re.IGNORECASE)
# Marks that recorders make of themselves.
_OWN = re.compile(
    r"new segment|boundary|record|start|stop|end|sync|comment|note|impedance|filter|edge", re.IGNORECASE
)
_NEAR_S = 0.05
_SAME_MS = 2.0


class Event(NamedTuple):
    """One reversal: seconds after the first sample, the eye (empty if not told) and check size."""

    onset_s: float
    eye: str = ""
    check_arcmin: float | None = None


@dataclass(frozen=True, slots=True)
class Events:
    """Reversals by onset; `bad` are spans (from, to, in s) that somebody marked as bad."""

    file: str
    events: tuple[Event, ...]
    bad: tuple[tuple[float, float], ...] = ()
    flags: tuple[Flag, ...] = ()


def read_events(table: Path | None, recording: Continuous, root: Path) -> Events:
    """The reversals of a recording.

    Parameters
    ----------
    table
        Its `events.tsv`, or None.

    Returns
    -------
    Those within the recording. With a table and marks, onsets are those of the table.

    Raises
    ------
    InputError
        No reversal; onsets beyond the recording (in ms, as likely); eyes, numbers or times of table and
        marks that disagree; a cell that is no number or no eye.
    """
    marked = _marked(recording)
    bad = [(m.onset_s, m.onset_s + m.duration_s) for m in recording.marks if _BAD.match(m.text)]
    if table is None:
        events = _within(marked, recording, recording.file)
        if not events[0]:
            raise _none(recording.file, recording, [m.text for m in recording.marks])
        return Events(recording.file, *_result(events, bad))
    file = relative(table, root)
    rows, spans, kinds = _rows(table, root)
    if not rows and not marked:
        raise _none(file, recording, kinds)
    events = _within(rows or marked, recording, file if rows else recording.file)
    if rows and marked:
        extra = _compared(events[0], marked, recording, file)
        events = (events[0], [*events[1], *extra])
    return Events(file if rows else recording.file, *_result(events, [*bad, *spans]))


def _result(
    events: tuple[list[Event], list[Flag]], bad: Sequence[tuple[float, float]]
) -> tuple[tuple[Event, ...], tuple[tuple[float, float], ...], tuple[Flag, ...]]:
    return tuple(events[0]), tuple(bad), tuple(events[1])


def _marked(recording: Continuous) -> list[Event]:
    """The marks that are stimuli: by their words, or, where none is, the only sort of mark there is."""
    marks = [mark for mark in recording.marks if not _BAD.match(mark.text)]
    chosen: Sequence[Mark] = [mark for mark in marks if _STIMULUS.search(mark.text)]
    if not chosen:
        rest = [mark for mark in marks if not _OWN.search(mark.text)]
        chosen = rest if len({mark.text for mark in rest}) == 1 and len(rest) > 1 else []
    return [Event(mark.onset_s, eye_in(mark.text)) for mark in chosen]


def _rows(table: Path, root: Path) -> tuple[list[Event], list[tuple[float, float]], list[str]]:
    """Stimuli, bad spans, and the sorts of event of an `events.tsv`."""
    file = relative(table, root)
    rows = read_tsv(table, root)
    columns = list(rows[0]) if rows else []
    if rows and "onset" not in columns:
        raise InputError(file, "columns", "without onset", "onset, duration, trial_type", "name the column")
    kinds = [row.get("trial_type", "").strip() for row in rows]
    bad = [
        (
            _seconds(row, "onset", k, file),
            _seconds(row, "onset", k, file) + _seconds(row, "duration", k, file),
        )
        for k, row in enumerate(rows)
        if _BAD.match(kinds[k])
    ]
    chosen = _stimuli(rows, kinds, columns)
    events = [_event(rows[k], kinds[k], k, file) for k in chosen]
    return sorted(events, key=lambda event: event.onset_s), bad, kinds


def _stimuli(rows: list[dict[str, str]], kinds: list[str], columns: list[str]) -> list[int]:
    usable = [k for k in range(len(rows)) if not _BAD.match(kinds[k])]
    if found := [k for k in usable if _STIMULUS.search(kinds[k])]:
        return found
    if "eye" in columns:
        return [k for k in usable if rows[k]["eye"].strip() not in MISSING]
    if "check_arcmin" in columns:
        return [k for k in usable if rows[k]["check_arcmin"].strip() not in MISSING]
    return usable if "trial_type" not in columns or len({kinds[k] for k in usable}) == 1 else []


def _event(row: dict[str, str], kind: str, index: int, file: str) -> Event:
    line = f"line {index + 2}"
    told = [
        ("column trial_type", Stated(eye_in(kind))),
        ("column eye", Stated(eye(row.get("eye"), file, f"eye in {line}"))),
    ]
    which = agreed(told, file).eye
    return Event(
        _seconds(row, "onset", index, file),
        which,
        check_size(row.get("check_arcmin"), file, f"check_arcmin in {line}"),
    )


def _seconds(row: dict[str, str], column: str, index: int, file: str) -> float:
    text = row.get(column, "").strip()
    if column == "duration" and text in MISSING:
        return 0.0
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        field, fix = f"{column} in line {index + 2}", "give the time in seconds, with a decimal point"
        raise InputError(file, field, repr(text), "a number of seconds", fix)
    return value


def _within(events: list[Event], recording: Continuous, file: str) -> tuple[list[Event], list[Flag]]:
    """The events within the recording, and a flag that tells of the others."""
    stated_s = max(recording.stated_s or 0.0, recording.duration_s)
    latest = max((event.onset_s for event in events), default=0.0)
    beyond = sum(event.onset_s >= stated_s for event in events)
    if beyond > len(events) / 2:
        scaled = ", as if in ms" if latest / 1000 < stated_s else ""
        found = f"{latest:g}, beyond the recording of {stated_s:g} s{scaled}"
        fix = "BIDS onset is in seconds; divide by 1000" if scaled else "pair the table with its recording"
        raise InputError(file, "onset", found, "seconds within the recording", fix)
    inside = [event for event in events if 0 <= event.onset_s < recording.duration_s]
    flags = []
    if recording.lost:
        flags.append(_truncated(events, inside, recording, file))
        if not inside:
            raise InputError(
                recording.file, "recording", flags[0].found, "a whole recording", "copy the file again"
            )
    elif len(inside) < len(events):
        found = f"outside the recording at {len(events) - len(inside)} of {len(events)} reversals"
        fix = "check that the recording is whole and that the table belongs to it; they were left out"
        flags.append(Flag(file, "onset", found, f"0 to {recording.duration_s:g} s", fix))
    return inside, flags


def _truncated(events: list[Event], inside: list[Event], recording: Continuous, file: str) -> Flag:
    left, told = Counter(e.eye for e in inside), Counter(e.eye for e in events)
    eyes = ", ".join(f"{name} {left[name]} of {told[name]}" for name in sorted(told) if name)
    counts = f"{len(inside)} of {len(events)} reversals remain" + (f" ({eyes})" if eyes else "")
    if file == recording.file:
        counts = f"{len(inside)} reversals remain, the marks of the others are lost"
    found = f"truncated ({recording.lost}); {counts}"
    fix = "copy the file again; if the recording stopped early, repeat it or accept what remains"
    return Flag(recording.file, "recording", found, "a whole recording", fix)


def _compared(events: list[Event], marked: list[Event], recording: Continuous, file: str) -> list[Flag]:
    """Table against marks: number, eyes and times."""
    inside = [event for event in marked if 0 <= event.onset_s < recording.duration_s]
    pairs = list(zip(events, inside, strict=False))
    if len(events) != len(inside):
        if not recording.lost:
            found = f"{len(events)}, but {len(inside)} marks in {recording.file}"
            fix = "check the recording log; remove the events that are not reversals, or the marks"
            raise InputError(file, "number of reversals", found, "the same number", fix)
        pairs = [(e, m) for e in events for m in inside if abs(e.onset_s - m.onset_s) < _NEAR_S]
    for event, mark in pairs:
        if event.eye and mark.eye and event.eye != mark.eye:
            found = f"{event.eye} at {event.onset_s:g} s, but {mark.eye} in the marks of {recording.file}"
            fix = "check the recording log; the labels of the two eyes contradict one another"
            raise InputError(file, "eye", found, "the same eye in both", fix)
    return _times(pairs, recording, file)


def _times(pairs: list[tuple[Event, Event]], recording: Continuous, file: str) -> list[Flag]:
    gaps_ms = 1000 * np.array([event.onset_s - mark.onset_s for event, mark in pairs] or [0.0])
    worst, usual = float(np.abs(gaps_ms).max()), float(np.median(gaps_ms))
    if worst > 1000 * 4 * _NEAR_S:
        found = f"up to {worst:.0f} ms from the marks of {recording.file}"
        fix = "pair the table with its recording; BIDS onset counts from the first sample"
        raise InputError(file, "onset", found, "the times of the marks", fix)
    if worst > _SAME_MS:
        found = f"{usual:+.1f} ms (up to {worst:.1f}) from the marks of {recording.file}"
        fix = "state which is right; the table was used (a display delay belongs into DisplayDelay)"
        return [Flag(file, "onset", found, "the times of the marks", fix)]
    return []


def _none(file: str, recording: Continuous, kinds: list[str]) -> InputError:
    sorts = ", ".join(repr(kind) for kind in list(dict.fromkeys(kind for kind in kinds if kind))[:6])
    found = f"missing: no stimulus events in {recording.file}" + (f", only {sorts}" if sorts else "")
    fix = "check the trigger cable and the export; give each reversal a row in events.tsv"
    return InputError(file, "reversals", found, "an event at each reversal", fix)
