"""Double reading: where readers differ, who decides, and the value that stands."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np

from remyelin.errors import Flag

from .condition import AUTO, as_condition, parse_condition
from .findings import Finding
from .readings import ADJUDICATED, ADJUDICATOR, PEAKS, Reading

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = (
    "participant_id",
    "visit",
    "eye",
    "condition",
    "peak",
    "reader_a",
    "value_a_ms",
    "reader_b",
    "value_b_ms",
    "difference_ms",
    "limit_ms",
    "status",
    "adjudicated_ms",
    "reason",
)
OPEN, RESOLVED = "open", "resolved"
Trace = tuple[str, str, str, str, str]


@dataclass(frozen=True, slots=True)
class Adjudication:
    """What `adjudicate` found.

    Parameters
    ----------
    lines
        Lines of `adjudication.tsv`: each trace on which readers differ, by `COLUMNS`.
    rows
        Rows for `Measurements`, condition `check=60;reader=adjudicated`: the adjudicator's value where
        readers differ, the mean of the readers where two or more agree. An open case has no row.
    findings
        A flag for each open case.
    """

    lines: list[dict[str, str]] = field(default_factory=list)
    rows: list[dict[str, Any]] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)

    def __str__(self) -> str:
        if not self.lines:
            return "no readers differ by more than the limit"
        return "\n".join(
            f"{line['participant_id']} {line['visit']} {line['eye']} {line['condition']} {line['peak']}: "
            f"{line['reader_a']} {line['value_a_ms']} ms, {line['reader_b']} {line['value_b_ms']} ms, "
            f"{line['status']}"
            for line in self.lines
        )

    def to_frame(self) -> pd.DataFrame:
        """The lines as a frame of words."""
        import pandas as pd

        return pd.DataFrame(self.lines, columns=list(COLUMNS))


def adjudicate(
    readings: Iterable[Reading],
    limit_ms: float,
    *,
    automatic: pd.DataFrame | None = None,
    days: Mapping[str, float | None] | None = None,
) -> Adjudication:
    """Compare every reader with every other, and with the automatic value, of each trace and peak.

    Parameters
    ----------
    readings
        Of one participant or of many.
    limit_ms
        `vep_reader_ms`: readers farther apart than this are adjudicated, and so is a peak that one saw and
        another did not. Of several pairs the one farthest apart is listed.
    automatic
        Measurements; those with ``reader=auto`` of the traces that were read take part as one more reader.
    days
        Day of each visit, for the rows.

    Notes
    -----
    Give the adjudicator the trace, not the two values: an adjudicator who knows them decides between them.

    Examples
    --------
    >>> def read(reader, ms):
    ...     return Reading("sub-01", "M00", "OD", 60.0, "", reader, "P100", ms, 7.0, "2026-03-09T14:05", "")
    >>> print(adjudicate([read("AB", 118.0), read("CD", 126.0)], 5.0))
    sub-01 M00 OD check=60 P100: AB 118 ms, CD 126 ms, open
    >>> agreed = adjudicate([read("AB", 118.0), read("CD", 126.0), read("adjudicator", 119.0)], 5.0)
    >>> [(row["condition"], row["value"]) for row in agreed.rows]
    [('check=60;reader=adjudicated', 119.0)]
    """
    by_trace: dict[Trace, dict[str, Reading]] = {}
    for one in readings:
        if one.repeat == 1:
            by_trace.setdefault(one.trace, {})[one.reader] = one
    machine = {} if automatic is None else _automatic(automatic)
    found = Adjudication()
    for trace, readers in sorted(by_trace.items()):
        judge = readers.pop(ADJUDICATOR, None)
        values = {name: one.latency_ms for name, one in sorted(readers.items())}
        if trace in machine:
            values[AUTO] = machine[trace]
        pair = _farthest(values, limit_ms)
        people = list(readers.values())
        if pair is not None:
            found.lines.append(_case(trace, pair, values, limit_ms, judge))
            if judge is None:
                found.findings.append(_open(trace, pair, values, limit_ms, people))
        standing = judge or (_agreed(people) if pair is None and len(people) > 1 else None)
        if standing is not None:
            found.rows.append(_row(trace, standing, pair is not None, days or {}))
    return found


def _automatic(frame: pd.DataFrame) -> dict[Trace, float]:
    names = {measure: peak for peak, measure in PEAKS.items()}
    found: dict[Trace, float] = {}
    for row in frame[frame["measure"].isin(list(names))].to_dict("records"):
        parts = parse_condition(row["condition"])
        usable = row["state"] in ("present", "absent") and row["quality"] != "fail"
        if parts.pop("reader", "") == AUTO and usable:
            place = (row["participant_id"], row["visit"], row["site"], as_condition(parts))
            found[(*place, names[row["measure"]])] = float(row["value"])
    return found


def _farthest(values: Mapping[str, float], limit_ms: float) -> tuple[str, str] | None:
    """The two that differ most, if by more than the limit; one who saw no peak differs beyond measure."""
    apart = {pair: _apart(values[pair[0]], values[pair[1]]) for pair in combinations(values, 2)}
    worst = max(apart, key=apart.__getitem__, default=None)
    return worst if worst is not None and apart[worst] > limit_ms else None


def _apart(a: float, b: float) -> float:
    seen = np.isfinite([a, b])
    return abs(a - b) if seen.all() else np.inf if seen.any() else 0.0


def _case(
    trace: Trace, pair: tuple[str, str], values: Mapping[str, float], limit_ms: float, judge: Reading | None
) -> dict[str, str]:
    person, visit, site, condition, peak = trace
    a, b = (values[name] for name in pair)
    return {
        "participant_id": person,
        "visit": visit,
        "eye": site.removeprefix("eye:"),
        "condition": condition,
        "peak": peak,
        "reader_a": pair[0],
        "value_a_ms": _shown(a),
        "reader_b": pair[1],
        "value_b_ms": _shown(b),
        "difference_ms": f"{abs(a - b):g}" if np.isfinite(a - b) else "",
        "limit_ms": f"{limit_ms:g}",
        "status": OPEN if judge is None else RESOLVED,
        "adjudicated_ms": "" if judge is None else _shown(judge.latency_ms),
        "reason": "" if judge is None else judge.reason,
    }


def _shown(value: float) -> str:
    return f"{value:g}" if np.isfinite(value) else "absent"


def _open(
    trace: Trace,
    pair: tuple[str, str],
    values: Mapping[str, float],
    limit_ms: float,
    people: Sequence[Reading],
) -> Finding:
    person, visit, site, condition, peak = trace
    told = " and ".join(f"{_shown(values[name])} ms by {name}" for name in pair).replace(
        "absent ms", "absent"
    )
    flag = Flag(
        people[0].file,
        f"{peak} of {site.removeprefix('eye:')} {condition}".strip(),
        told,
        f"readers within {limit_ms:g} ms",
        f"have the trace read once more, with '{ADJUDICATOR}' in the column reader",
    )
    return Finding(person, visit, flag)


@dataclass(frozen=True, slots=True)
class _Agreed:
    latency_ms: float
    quality: str
    reason: str
    file: str


def _agreed(people: Sequence[Reading]) -> _Agreed:
    quality = max((one.quality for one in people), key=("pass", "flag", "fail").index)
    names = ", ".join(one.reader for one in people)
    doubts = [f"{one.reader}: {one.reason}" for one in people if one.quality != "pass"]
    reason = "; ".join([f"mean of {names}", *doubts])
    return _Agreed(float(np.mean([one.latency_ms for one in people])), quality, reason, people[0].file)


def _row(
    trace: Trace, standing: Reading | _Agreed, differed: bool, days: Mapping[str, float | None]
) -> dict[str, Any]:
    person, visit, site, condition, peak = trace
    reason = standing.reason
    if isinstance(standing, Reading):
        reason = f"adjudicated {standing.time}" + (f": {reason}" if reason else "")
        reason = reason if differed else f"{reason} (readers did not differ)"
    day = days.get(visit)
    return {
        "participant_id": person,
        "visit": visit,
        "day": np.nan if day is None else day,
        "site": site,
        "measure": PEAKS[peak],
        "condition": as_condition({**parse_condition(condition), "reader": ADJUDICATED}),
        "value": standing.latency_ms,
        "unit": "ms",
        "state": "present" if np.isfinite(standing.latency_ms) else "absent",
        "quality": standing.quality,
        "reason": reason,
        "source": standing.file,
    }
